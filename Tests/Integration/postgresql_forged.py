#!/usr/bin/env python3
"""Archives whose scripts hold what no export writes, correctly sealed by a trusted key: refused before
anything is written, or without effect beyond the database that is imported."""
import shutil

from forge import Key, reseal
from postgresql_kit import *


def forged(world, name, edits):
    shutil.copytree(world.at("honest"), world.at(name))
    reseal(world.at(name), Key(world.at("keys/ours.key")), edits)
    result = world.run("verify", world.at(name), "--trust", world.trust)
    # An archive in clear is looked through by `verify` already.
    expect(result.status == 0 or "database-content" in result.err, f"the forgery is not sealed well: {result.err}")


def importing(world, name):
    plan = world.database_import(name + ".yaml", world.target.conninfo(name.replace("-", "_")))
    # A forgery has the number of the honest one in its series, which alone would refuse it.
    return world.run("import", world.at(name), plan, "--work", world.at(name + ".work"),
                     "--seen", world.at(name + ".seen"))


def state(world):
    """What is of the whole server and must stay as it is."""
    return world.target.sql(
        "postgres", "SELECT concat((SELECT string_agg(rolname || rolsuper || rolcanlogin || coalesce(rolpassword, ''), ',' ORDER BY rolname) "
        "FROM pg_authid), (SELECT string_agg(datname || datdba || datconnlimit || coalesce(datacl::text, ''), ',' ORDER BY datname) "
        "FROM pg_database WHERE datname IN ('postgres', 'template1', 'bystander')), (SELECT string_agg(setconfig::text || setdatabase, ',') "
        "FROM pg_db_role_setting), (SELECT string_agg(roleid || '-' || member, ',' ORDER BY roleid, member) FROM pg_auth_members), "
        "(SELECT count(*) FROM pg_tablespace), (SELECT count(*) FROM pg_subscription))")


def an_honest_one_is_taken(world):
    """What changes nothing of meaning, sealed again, imports: the refusals below have their own reasons."""
    forged(world, "same", {"postgresql-pre-data": lambda text: text + b"COMMENT ON SCHEMA app IS 'x';\n"})
    result = importing(world, "same")
    expect(result.status == 3 and "schema app" in result.out.decode(), f"{result.status} {result.err}")
    world.target.sql("postgres", "DROP DATABASE same")


def refused_statements(world):
    mark = world.at("witness")
    sets = {
        "postgresql-pre-data": [
            f"\\! touch {mark}", f"\\copy app.t FROM PROGRAM 'touch {mark}'", f"CREATE TABLE x (a int) \\! touch {mark}\n;",
            f"COPY app.t FROM PROGRAM 'touch {mark}';", "COPY app.t FROM '/etc/passwd';", f"COPY app.t TO '{mark}';",
            "DO $$ BEGIN PERFORM 1; END $$;", "INSERT INTO app.t VALUES (9);", "SELECT pg_read_file('/etc/passwd');",
            "ALTER SYSTEM SET archive_command = 'x';", "CREATE ROLE evil SUPERUSER;", "ALTER ROLE postgres PASSWORD 'x';",
            "CREATE USER evil;", "CREATE DATABASE evil;", "ALTER DATABASE bystander OWNER TO app_reader;",
            "ALTER DATABASE bystander SET search_path = 'evil';", "GRANT ALL ON DATABASE bystander TO PUBLIC;",
            "GRANT postgres TO app_reader;", "CREATE TABLESPACE evil LOCATION '/tmp';", "LOAD 'x';", "DROP DATABASE bystander;",
            "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p;", "COMMENT ON DATABASE bystander IS 'x';",
            "PREPARE TRANSACTION 'x';", "COMMIT;", "CALL app.x();", "SELECT 1", "SELECT pg_catalog.setval('app.t_id_seq', 1);",
            "SECURITY LABEL ON ROLE postgres IS 'x';",
        ],
        "postgresql-post-data": ["ALTER ROLE postgres NOSUPERUSER;", "COPY app.t FROM PROGRAM 'id';", "\\connect bystander"],
        "postgresql-sequences": ["CREATE TABLE x (a int);", "SELECT pg_catalog.lo_create('1');", "DROP TABLE app.t;"],
        "postgresql-database": ["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';", "ALTER ROLE postgres PASSWORD 'x';",
                                "DROP DATABASE bystander;"],
        "postgresql-roles": ["CREATE TABLE x (a int);", "ALTER DATABASE bystander OWNER TO app_reader;", "DROP ROLE app_reader;"],
    }
    before = state(world)
    number = 0
    for kind, statements in sets.items():
        for statement in statements:
            number += 1
            name = f"refused-{number}"
            forged(world, name, {kind: lambda text: text + statement.encode() + b"\n"})
            result = importing(world, name)
            expect(result.status in (1, 3) and "database-content" in result.err,
                   f"{statement}: {result.status} {result.err}")
            expect(world.target.sql("postgres", f"SELECT count(*) FROM pg_database WHERE datname = '{name.replace('-', '_')}'") == "0",
                   f"{statement}: the database was made before the refusal")
            shutil.rmtree(world.at(name))
    expect(not os.path.exists(mark), "a program ran")
    expect(state(world) == before, "something of the server changed")


def statements_within_statements(world):
    """Text that the server would cut into more statements than we do is one that it refuses."""
    mark = world.at("witness")
    before = state(world)
    for number, text in enumerate([
        "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1 AS case; END; "
        f"COPY app.t FROM PROGRAM 'touch {mark}'; SELECT 1 AS end;",
        "CREATE PROCEDURE app.p() LANGUAGE sql BEGIN ATOMIC SELECT t.case FROM app.t; END; ALTER ROLE app_reader SUPERUSER; SELECT 1 AS end;",
    ]):
        name = f"within-{number}"
        forged(world, name, {"postgresql-pre-data": lambda script: script + text.encode() + b"\n"})
        result = importing(world, name)
        expect(result.status == 1, f"{text}: {result.status} {result.err}")
        expect("multiple commands" in result.err or "syntax error" in result.err or "malformed" in result.err, result.err)
    expect(not os.path.exists(mark), "a program ran")
    expect(state(world) == before, "something of the server changed")


def other_names_reach_nothing(world):
    """Statements of the database's script hold for the target alone; roles that are there stay."""
    before = state(world)
    forged(world, "names", {
        "postgresql-database": lambda text: text + b"ALTER DATABASE bystander CONNECTION LIMIT 3;\nGRANT ALL ON DATABASE bystander TO PUBLIC;\n",
        "postgresql-roles": lambda text: text + b"ALTER ROLE postgres WITH NOLOGIN;\nALTER ROLE keeper WITH SUPERUSER;\n",
    })
    result = importing(world, "names")
    # The database of the archive was another: that is all there is to tell.
    expect(result.status == 3 and result.out.decode().count("different:") == 2, f"{result.status} {result.err} {result.out.decode()}")
    expect(world.target.sql("postgres", "SELECT datconnlimit FROM pg_database WHERE datname = 'names'") == "3", "the target's own limit")
    world.target.sql("postgres", "DROP DATABASE names")
    expect(state(world) == before, "something of the server changed")


def main():
    suite = DatabaseSuite()
    world = suite.world
    try:
        world.source = world.cluster("source")
        world.target = world.cluster("target")
        world.source.sql("postgres", "CREATE ROLE app_reader", "CREATE ROLE keeper", "CREATE DATABASE honest")
        world.source.sql("honest", "CREATE SCHEMA app", "CREATE TABLE app.t (id serial PRIMARY KEY, n text)",
                         "INSERT INTO app.t (n) SELECT 'x' FROM generate_series(1, 100)", "GRANT SELECT ON app.t TO app_reader",
                         "ALTER TABLE app.t OWNER TO keeper")
        world.target.sql("postgres", "CREATE DATABASE bystander", "CREATE ROLE app_reader", "CREATE ROLE keeper")
        plan = world.database_plan("honest.yaml", world.source.conninfo("honest"))
        result = world.run("export", plan, "--output", world.at("honest"))
        expect(result.status == 0, result.err)
        suite.case("an honest one is taken", an_honest_one_is_taken)
        suite.case("refused statements", refused_statements)
        suite.case("statements within statements", statements_within_statements)
        suite.case("other names reach nothing", other_names_reach_nothing)
    finally:
        for cluster in world.clusters:
            cluster.stop()
    suite.finish()


if __name__ == "__main__":
    main()
