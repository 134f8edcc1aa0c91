#!/usr/bin/env python3
"""What an export must not get wrong while others work on the database, and under filters, least
rights, other encodings and on a standby. Rows are counted by psql, not by exeat."""
import os
import subprocess
import time

from postgresql_kit import *
from robustness_kit import EXEAT


def exported(world, name, cluster, database, extra="secrets: omit", user="postgres", status=0):
    plan = world.database_plan(f"{name}.yaml", cluster.conninfo(database, user), extra)
    result = world.run("export", plan, "--output", world.at(name))
    expect(result.status == status, f"{result.status} {result.err}")
    return result


def imported(world, name, database=None):
    """Verifies the archive, imports it and says how the import ended."""
    result = world.run("verify", world.at(name), "--trust", world.trust)
    expect(result.status in (0, 2), f"{result.status} {result.err}")
    plan = world.database_import(f"{name}-import.yaml", world.target.conninfo(database or name))
    result = world.run("import", world.at(name), plan, "--work", world.at(name + "-work"), "--json")
    expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    return result


def truncating_meanwhile(world):
    """TRUNCATE empties a table for older snapshots as well: locks must come before the moment."""
    source = world.source
    source.sql("postgres", "CREATE DATABASE busy")
    source.sql("busy", "CREATE TABLE kept (id int)", "INSERT INTO kept SELECT generate_series(1, 1000)",
               "CREATE TABLE twin (id int)")
    # One transaction moves all rows: at every moment they are in one of the two, never in none.
    mover = subprocess.Popen(
        [os.path.join(source.bin, "psql"), "-Xq", "-v", "ON_ERROR_STOP=1", "-h", source.path, "-p",
         str(source.port), "-U", "postgres", "-d", "busy", "-c",
         "BEGIN; INSERT INTO twin SELECT id FROM kept; TRUNCATE kept; SELECT pg_sleep(4); COMMIT"],
        stdout=subprocess.DEVNULL)
    source.until("busy", "SELECT count(*) FROM pg_locks WHERE relation = 'kept'::regclass AND mode = 'AccessExclusiveLock' AND granted")
    exported(world, "busy", source, "busy")
    expect(mover.wait(120) == 0, "the mover failed")
    imported(world, "busy")
    rows = world.target.sql("busy", "SELECT (SELECT count(*) FROM kept) + (SELECT count(*) FROM twin)")
    expect(rows == "1000", f"{rows} rows of 1000 have arrived")


def filters_keep_the_rest_whole(world):
    source = world.source
    source.sql("postgres", "CREATE DATABASE filtered")
    source.sql(
        "filtered", "CREATE SCHEMA audit", "CREATE TABLE audit.log (id serial PRIMARY KEY, what text)",
        "CREATE VIEW audit.recent AS SELECT * FROM audit.log", "CREATE TABLE stay (id int PRIMARY KEY)",
        "CREATE MATERIALIZED VIEW audit.counted AS SELECT count(*) FROM audit.log",
        "INSERT INTO stay VALUES (1), (2)", "INSERT INTO audit.log (what) VALUES ('x')")
    exclude = 'secrets: omit, exclude: {{ tables: ["{}"], reason: "annex 3" }}'
    exported(world, "filtered", source, "filtered", exclude.format("audit.*"))
    imported(world, "filtered")
    expect(world.target.sql("filtered", "SELECT count(*) FROM stay") == "2", "rows are missing")
    expect(world.target.sql("filtered", "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = "
                            "relnamespace WHERE nspname = 'audit'") == "0", "something of audit came along")
    # A view that stays, over a table that does not, is told before anything moves.
    plan = world.database_plan("view.yaml", source.conninfo("filtered"), exclude.format("audit.log"))
    result = world.run("plan", plan)
    expect("audit.recent needs audit.log" in result.out.decode(), result.out.decode())
    result = exported(world, "view", source, "filtered", exclude.format("audit.log"), status=1)
    expect("audit.counted needs audit.log" in result.err, result.err)


def patterns_fit(world):
    """Names with quotes and stars can be said exactly; what fits nothing is told."""
    source = world.source
    source.sql("postgres", "CREATE DATABASE odd")
    source.sql("odd", 'CREATE SCHEMA "o.""d"', 'CREATE TABLE "o.""d"."t*t" AS SELECT 1 AS id',
               'CREATE TABLE "o.""d".tt AS SELECT 2 AS id')
    exact = """secrets: omit, exclude: { tables: ['"o.""d"."t*t"'], reason: annex 3 }"""
    exported(world, "odd", source, "odd", exact)
    imported(world, "odd")
    expect(world.target.sql("odd", "SELECT string_agg(tablename, ',') FROM pg_tables WHERE schemaname "
                            "NOT LIKE 'pg_%' AND schemaname <> 'information_schema'") == "tt", "another table")
    result = exported(world, "none", source, "odd", "secrets: omit, include: { schemas: [oddd] }", status=1)
    expect("nothing in the database fits" in result.err, result.err)
    plan = world.database_plan("typo.yaml", source.conninfo("odd"),
                               "secrets: omit, exclude: { tables: [public.tpyo], reason: annex 3 }")
    told = world.run("plan", plan).out.decode()
    expect('nothing in the database fits "public.tpyo" of exclude' in told, told)


def least_rights_suffice(world):
    """No superuser, no ownership: the grants of docs/connectors/postgresql.md, nothing else."""
    source = world.source
    source.sql("postgres", "CREATE DATABASE strict", "CREATE ROLE exeat LOGIN BYPASSRLS",
               "GRANT pg_read_all_data TO exeat")
    source.sql("strict", "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, v text)",
               "INSERT INTO t (v) SELECT 'v' || i FROM generate_series(1, 500) i",
               "ALTER TABLE t ENABLE ROW LEVEL SECURITY", "ALTER TABLE t FORCE ROW LEVEL SECURITY",
               "CREATE POLICY p ON t USING (id > 250)", "REVOKE ALL ON t FROM PUBLIC",
               "SELECT lo_from_bytea(0, 'abc')",
               "DO $$ DECLARE o oid; BEGIN FOR o IN SELECT oid FROM pg_largeobject_metadata LOOP "
               "EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO exeat', o); END LOOP; END $$")
    exported(world, "strict", source, "strict", user="exeat")
    imported(world, "strict")
    expect(world.target.sql("strict", "SELECT count(*) FROM t") == "500", "policies hid rows")
    source.sql("postgres", "ALTER ROLE exeat NOBYPASSRLS")
    result = exported(world, "hidden", source, "strict", user="exeat", status=1)
    expect("row-level security" in result.err and "BYPASSRLS" in result.err, result.err)


def sealing_needs_rights(world):
    """Who may not read verifiers cannot seal them; an archive without them must not look as if."""
    source = world.source
    # Not pg_read_all_data: it reads pg_authid as well.
    source.sql("postgres", "CREATE ROLE blind LOGIN PASSWORD 'blind-secret'", "CREATE DATABASE small")
    source.sql("small", "CREATE TABLE t AS SELECT 1 AS id", "GRANT SELECT ON t TO blind")
    plan = world.database_plan("unsealed.yaml", source.conninfo("small", "blind"), "secrets: sealed",
                               encrypt=True)
    told = world.run("plan", plan).out.decode()
    expect("may not read the password verifiers" in told, told)
    expect("need an encrypted archive" not in told, told)
    result = world.run("export", plan, "--output", world.at("unsealed"))
    expect(result.status == 1 and "verifiers" in result.err, f"{result.status} {result.err}")
    # Undecided, they are an open omission.
    exported(world, "undecided", source, "small", "limits: {}", user="blind", status=2)


def tools_are_checked(world):
    """pg_dump missing, and older than the server: told by plan and export, with the package."""
    if os.geteuid() != 0:
        raise Skip("only root can hide the installed pg_dump")
    plan = world.database_plan("tools.yaml", world.source.conninfo("small"))
    for name, script, words in (
            ("none", None, "pg_dump is needed"),
            ("old", "#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n", "of version 9")):
        folder = world.at("tools-" + name)
        os.makedirs(folder)
        if script:
            with open(folder + "/pg_dump", "w") as file:
                file.write(script)
            os.chmod(folder + "/pg_dump", 0o755)
        for command in (["plan", plan], ["export", plan, "--output", world.at("out-" + name)]):
            done = subprocess.run(
                ["unshare", "-m", "sh", "-c",
                 "mount -t tmpfs none /usr/lib/postgresql && PATH=$0 && export PATH && exec \"$@\"",
                 folder, EXEAT, *command], capture_output=True, timeout=300)
            said = (done.stdout + done.stderr).decode()
            if "unshare" in said or "mount:" in said:
                raise Skip("no mount namespaces here")
            expect(words in said and "postgresql-client-" in said, f"{name} {command[0]}: {said}")
            expect(command[0] == "plan" or done.returncode == 1, f"{name}: {done.returncode}")


def a_resumed_run_is_one_moment(world):
    """Killed in the middle and resumed after a change, the archive is of the second moment alone."""
    source = world.source
    source.sql("postgres", "CREATE DATABASE again")
    source.sql("again", "CREATE TABLE a AS SELECT i AS id, 1 AS epoch, repeat(md5(i::text), 20) AS v "
               "FROM generate_series(1, 150000) i", "CREATE TABLE b AS SELECT * FROM a")
    plan = world.database_plan("again.yaml", source.conninfo("again"), "secrets: omit")
    for attempt in range(6):
        process = subprocess.Popen(
            [EXEAT, "export", plan, "--output",
             world.at("again")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.4 + 0.25 * attempt)
        process.kill()
        process.wait()
        if os.path.isdir(world.at("again/proof")):
            break
        source.sql("again", "UPDATE a SET epoch = epoch + 1", "UPDATE b SET epoch = epoch + 1")
    result = world.run("export", plan, "--output", world.at("again"))
    expect(result.status == 0, f"{result.status} {result.err}")
    imported(world, "again")
    rows = world.target.sql("again", "SELECT count(*), count(DISTINCT epoch) FROM (SELECT * FROM a UNION "
                            "ALL SELECT * FROM b) x")
    expect(rows == "300000|1", f"rows and moments: {rows}")


def standby_is_read(world):
    source = world.source
    source.sql("postgres", "CREATE DATABASE copied")
    source.sql("copied", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS id",
               "CREATE UNLOGGED TABLE u AS SELECT 1 AS id")
    path = world.at("standby-base")
    os.makedirs(path)
    if os.geteuid() == 0:
        shutil.chown(path, "postgres", "postgres")
    source.tool("pg_basebackup", "-D", path + "/data", "-R", "-h", source.path, "-p", str(source.port),
                "-U", "postgres", "-c", "fast")
    port = free_port()
    with open(path + "/data/postgresql.conf", "a") as file:
        file.write(f"port = {port}\nunix_socket_directories = '{path}'\n")
    subprocess.run(as_server([os.path.join(source.bin, "pg_ctl"), "-D", path + "/data", "-w", "-l",
                              path + "/log", "start"]), check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd="/")
    try:
        connection = f"host={path} port={port} dbname=copied user=postgres"
        plan = world.database_plan("standby.yaml", connection, "secrets: omit")
        result = world.run("export", plan, "--output", world.at("standby"))
        expect(result.status == 2 and "unlogged-tables" in result.out.decode() + result.err,
               f"{result.status} {result.err}")
        imported(world, "standby")
        expect(world.target.sql("standby", "SELECT count(*) FROM t") == "1000", "rows are missing")
    finally:
        source.tool("pg_ctl", "-D", path + "/data", "-m", "immediate", "-w", "stop", check=False)


def main():
    suite = DatabaseSuite()
    world = suite.world
    try:
        world.source = world.cluster("source")
        world.target = world.cluster("target")
        suite.case("truncating meanwhile", truncating_meanwhile)
        suite.case("filters keep the rest whole", filters_keep_the_rest_whole)
        suite.case("patterns fit", patterns_fit)
        suite.case("least rights suffice", least_rights_suffice)
        suite.case("sealing needs rights", sealing_needs_rights)
        suite.case("tools are checked", tools_are_checked)
        suite.case("a resumed run is one moment", a_resumed_run_is_one_moment)
        suite.case("standby is read", standby_is_read)
    finally:
        for cluster in world.clusters:
            cluster.stop()
    suite.finish()


if __name__ == "__main__":
    main()
