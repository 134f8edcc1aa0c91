#!/usr/bin/env python3
"""Targets that hold something already, lack a tablespace, or are compared by counts or not at all."""
import json
import os

from postgresql_kit import *


def export(world, name, database, extra="secrets: omit"):
    plan = world.database_plan(name + ".yaml", world.source.conninfo(database), extra)
    result = world.run("export", plan, "--output", world.at(name))
    expect(result.status == 0, f"export ended with {result.status}: {result.err}")


def importing(world, archive, connection, extra="", more="", work=None):
    plan = world.database_import(archive + "-import.yaml", connection, extra, more)
    return world.run("import", world.at(archive), plan, "--work", world.at(work or archive + ".work"), "--json")


def imported(world, *arguments, status=0, **more):
    result = importing(world, *arguments, **more)
    expect(result.status == status, f"import ended with {result.status}: {result.err} {result.out.decode()[-5000:]}")
    return json.loads(result.out)


def sample(world, database):
    world.source.sql("postgres", f"CREATE DATABASE {database}", f"ALTER DATABASE {database} SET work_mem = '9MB'")
    world.source.sql(
        database, "CREATE SCHEMA app", "CREATE EXTENSION hstore", "CREATE TABLE app.patient (id int PRIMARY KEY, h hstore)",
        "INSERT INTO app.patient SELECT g, 'a=>1' FROM generate_series(1, 3000) g", "CREATE SEQUENCE app.numbers",
        "CREATE VIEW app.few AS SELECT id FROM app.patient WHERE id < 10", "SELECT lo_from_bytea(5001, 'one'), lo_from_bytea(5009, 'nine')")


def adds_beside_what_is_there(world):
    sample(world, "add")
    export(world, "add", "add")
    target = world.target
    target.sql("postgres", "CREATE ROLE other", "CREATE DATABASE shared OWNER other", "ALTER DATABASE shared SET work_mem = '5MB'")
    target.sql(
        "shared", "CREATE EXTENSION hstore", "CREATE SCHEMA app AUTHORIZATION other", "CREATE TABLE app.mine AS SELECT 1 AS a",
        "CREATE TABLE public.also (a int)", "SELECT lo_from_bytea(4000, 'theirs')", "GRANT USAGE ON SCHEMA app TO PUBLIC")
    result = importing(world, "add", target.conninfo("shared"), work="refused.work")
    expect(result.status == 1 and "holds objects already" in result.err, result.err)
    found = imported(world, "add", target.conninfo("shared"), ", existing: add", status=2)["sources"][0]
    expect(found["different"] == 0, found)
    told = json.dumps(found["shortfalls"])
    for words in ("schema app", "owner other", "without work_mem", '"database '):
        expect(words in told, f"{words} is not in {told}")
    expect(target.sql("shared", "SELECT count(*) FROM app.patient") == "3000", "rows")
    expect(target.sql("shared", "SELECT a FROM app.mine") == "1", "what was there")
    expect(target.sql("shared", "SELECT pg_get_userbyid(datdba), (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'app') "
                      "FROM pg_database WHERE datname = 'shared'") == "other|other", "owners changed")
    expect(target.sql("shared", "SHOW work_mem") == "5MB", "a setting changed")
    # Once more it only compares, and what is changed is found.
    again = imported(world, "add", target.conninfo("shared"), ", existing: add", status=2)["sources"][0]
    expect(len(again["shortfalls"]) == len(found["shortfalls"]), again["shortfalls"])
    target.sql("shared", "DELETE FROM app.patient WHERE id = 7")
    again = imported(world, "add", target.conninfo("shared"), ", existing: add", status=3)["sources"][0]
    expect("id=7" in json.dumps(again["differences"]), again["differences"])


def adding_refuses_what_would_clash(world):
    target = world.target
    for name, statement, words in [
        ("clash_table", "CREATE SCHEMA app; CREATE VIEW app.few AS SELECT 1 AS a", "view app.few"),
        ("clash_large", "SELECT lo_from_bytea(5004, 'theirs')", "large object 5004"),
    ]:
        target.sql("postgres", f"CREATE DATABASE {name}")
        target.sql(name, "CREATE TABLE held (a int)", statement)
        result = importing(world, "add", target.conninfo(name), ", existing: add", work=name)
        expect(result.status == 1 and words in result.err and "hint" in result.err, result.err)
        expect(target.sql(name, "SELECT count(*) FROM pg_namespace WHERE nspname = 'exeat_import'") == "0",
               "something was written before the refusal")


def adding_to_nothing_is_an_import(world):
    imported(world, "add", world.target.conninfo("brand_new"), ", existing: add", work="new.work")
    expect(world.target.sql("brand_new", "SHOW work_mem") == "9MB", "the setting")


def tablespaces_are_mapped(world):
    source, target = world.source, world.target
    for cluster, names in ((source, ("fast", "huge")), (target, ("slow",))):
        for name in names:
            path = os.path.join(cluster.path, name)
            os.makedirs(path)
            if os.geteuid() == 0:
                shutil.chown(path, "postgres", "postgres")
            cluster.sql("postgres", f"CREATE TABLESPACE {name} LOCATION '{path}'")
    source.sql("postgres", "CREATE DATABASE spaces TABLESPACE huge", "ALTER DATABASE spaces SET default_tablespace = 'fast'",
               "ALTER DATABASE spaces SET temp_tablespaces = 'fast', 'huge'")
    source.sql("spaces", "CREATE TABLE a (i int PRIMARY KEY USING INDEX TABLESPACE fast) TABLESPACE pg_default",
               "CREATE TABLE b (i int) TABLESPACE fast", "CREATE INDEX c ON b (i) TABLESPACE huge",
               "CREATE MATERIALIZED VIEW d TABLESPACE fast AS SELECT 1 AS x", "INSERT INTO b VALUES (1)")
    export(world, "spaces", "spaces")
    result = importing(world, "spaces", target.conninfo("spaces"), work="s1")
    expect(result.status == 1 and "no tablespaces" in result.err and "map.tablespaces" in result.err, result.err)
    expect("fast" in result.err and "huge" in result.err, result.err)
    expect(target.sql("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'spaces'") == "0", "it was created")
    result = importing(world, "spaces", target.conninfo("spaces"), ", map: { tablespaces: { fast: slow } }", work="s2")
    expect(result.status == 1 and "huge" in result.err, result.err)
    imported(world, "spaces", target.conninfo("spaces"), ", map: { tablespaces: { fast: slow, huge: pg_default } }")
    # pg_default is named by nothing in the catalog.
    expect(target.sql("spaces", "SELECT string_agg(relname || coalesce(' ' || spcname, ''), ',' ORDER BY relname) FROM pg_class c "
                      "LEFT JOIN pg_tablespace t ON t.oid = reltablespace WHERE relname IN ('a', 'a_pkey', 'b', 'c', 'd')")
           == "a,a_pkey slow,b slow,c,d slow", target.sql("spaces", "SELECT relname, reltablespace FROM pg_class WHERE relname < 'e'"))
    expect(target.sql("spaces", "SHOW default_tablespace", "SHOW temp_tablespaces").split("\n")[-1] == "slow, pg_default", "settings")


def counts_alone(world):
    target = world.target
    connection = target.conninfo("counted")
    found = imported(world, "add", connection, more="verify: counts\n", work="counts.work")
    expect(any("by counts only" in line for line in found["reservations"]), found["reservations"])
    names = [line["name"] for line in found["sources"][0]["comparisons"]]
    expect('row count of "app"."patient"' in names, names)
    target.sql("counted", "UPDATE app.patient SET h = 'b=>2' WHERE id = 1")
    imported(world, "add", connection, more="verify: counts\n", work="counts.work")
    target.sql("counted", "DELETE FROM app.patient WHERE id = 1")
    found = imported(world, "add", connection, more="verify: counts\n", work="counts.work", status=3)
    expect("2999" in json.dumps(found), found)
    target.sql("counted", "DROP TABLE app.patient CASCADE")
    found = imported(world, "add", connection, more="verify: counts\n", work="counts.work", status=3)
    expect("missing" in json.dumps(found), found)


def nothing_compared(world):
    connection = world.target.conninfo("unseen")
    found = imported(world, "add", connection, more="verify: none\n", work="none.work")
    expect(any("not compared" in line for line in found["reservations"]), found["reservations"])
    expect(found["sources"][0]["comparisons"] == [], found)
    expect(world.target.digests("unseen") == world.source.digests("add"), "rows")


def main():
    suite = DatabaseSuite()
    world = suite.world
    try:
        world.source = world.cluster("source")
        world.target = world.cluster("target")
        suite.case("adds beside what is there", adds_beside_what_is_there)
        suite.case("adding refuses what would clash", adding_refuses_what_would_clash)
        suite.case("adding to nothing is an import", adding_to_nothing_is_an_import)
        suite.case("tablespaces are mapped", tablespaces_are_mapped)
        suite.case("counts alone", counts_alone)
        suite.case("nothing compared", nothing_compared)
    finally:
        for cluster in world.clusters:
            cluster.stop()
    suite.finish()


if __name__ == "__main__":
    main()
