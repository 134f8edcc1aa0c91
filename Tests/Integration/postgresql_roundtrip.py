#!/usr/bin/env python3
"""A database with everything that dumps stumble over leaves, arrives, and is proven equal; faults on
the way are told, and the same command goes on."""
import json
import os
import random
import time

from postgresql_kit import *


def arrives_equal(world):
    source, target = world.source, world.target
    result = world.run("export", world.plan_path, "--output", world.at("out"))
    expect(result.status == 0, f"{result.status} {result.err}")
    result = world.run("verify", world.at("out"), "--trust", world.trust)
    expect(result.status == 0, result.err)
    plan = world.database_import("import.yaml", target.conninfo("dpi"))
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), "--json")
    expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    expect(source.digests("dpi") == target.digests("dpi"), "rows differ")
    # What is left out on purpose is the secret of a user mapping.
    ours, theirs = (
        [line for line in cluster.dump("dpi", "--create") if "mapping-secret" not in line]
        for cluster in (source, target))
    expect(ours == theirs, f"definitions differ: {set(ours) ^ set(theirs)}")
    expect(target.sql("dpi", "SELECT count(*) FROM pg_namespace WHERE nspname = 'exeat_import'") == "0",
           "the import left its schema behind")
    large = ("SELECT string_agg(oid || ' ' || lomowner::regrole || ' ' || md5(lo_get(oid)), ',' ORDER BY oid) "
             "FROM pg_largeobject_metadata")
    expect(source.sql("dpi", large) == target.sql("dpi", large), "large objects differ")
    expect(int(target.sql("dpi", "SELECT count(*) FROM pg_stats WHERE schemaname = 'app'")) > 1000,
           "no statistics were gathered")


def compares_again(world):
    """The same command compares once more, finds what was changed since, and changes nothing."""
    plan = world.at("import.yaml")
    command = ("import", world.at("out"), plan, "--work", world.at("work"), "--json")
    # As a process leaves it that was killed just before it removed its schema.
    world.target.sql("dpi", "SET session_replication_role = replica; DROP EVENT TRIGGER guard",
                     "CREATE SCHEMA exeat_import CREATE TABLE done (unit text)",
                     "CREATE EVENT TRIGGER guard ON ddl_command_start WHEN TAG IN ('CREATE TABLE', 'CREATE INDEX') "
                     "EXECUTE FUNCTION app.watch()")
    result = world.run(*command)
    expect(result.status == 0, f"equal before: {result.status} {result.err} {result.out.decode()}")
    expect(world.target.sql("dpi", "SELECT count(*) FROM pg_namespace WHERE nspname = 'exeat_import'") == "0",
           "the schema stays")
    for change, back, row in [
        ("UPDATE app.many SET value = value + 1e-9 WHERE id = 77777",
         "UPDATE app.many SET value = 77777 / 7.0 WHERE id = 77777", 'app\\".\\"many\\": id=77777'),
        ("DELETE FROM app.many WHERE id = 4", "INSERT INTO app.many SELECT 4, 4, md5('4') || repeat('x', 4), 4 / 7.0",
         'many\\": id=4"'),
        ("DELETE FROM app.parent WHERE a = 1", "INSERT INTO app.parent VALUES ('p', 1)", 'app\\".\\"parent\\": digest'),
        ("INSERT INTO app.dropped SELECT * FROM app.dropped WHERE a = 1",
         "DELETE FROM app.dropped WHERE ctid = (SELECT max(ctid) FROM app.dropped WHERE a = 1)", "once too often"),
    ]:
        world.target.sql("dpi", change)
        result = world.run(*command)
        expect(result.status == 3, f"{change}: status {result.status} {result.err}")
        found = json.loads(result.out)
        text = json.dumps(found)
        expect(row in text, f"{change} is not named by {row}: {text}")
        # The receipt travels: it counts, and names no table.
        receipt = open(found["receipt"]).read()
        expect("rows of table 1" in receipt and "app" not in receipt.replace("mappings", ""), receipt)
        world.target.sql("dpi", back)
    result = world.run(*command)
    expect(result.status == 0, f"not equal again: {result.out.decode()}")
    world.target.sql("dpi", "ALTER TABLE app.every_type ENABLE TRIGGER disabled_one")
    result = world.run(*command)
    expect(result.status == 3 and b"disabled_one" in result.out, "a trigger's state")
    world.target.sql("dpi", "ALTER TABLE app.every_type DISABLE TRIGGER disabled_one",
                     "SELECT setval('app.s_used', 60)")
    result = world.run(*command)
    expect(result.status == 3 and b"s_used" in result.out, "a sequence that is behind")


def refuses_a_full_target(world):
    plan = world.database_import("other.yaml", world.target.conninfo("dpi"))
    result = world.run("import", world.at("out"), plan, "--work", world.at("work2"))
    expect(result.status == 1 and "holds objects" in result.err, result.err)
    plan = world.database_import("replace.yaml", world.target.conninfo("dpi"), ", existing: replace")
    result = world.run("import", world.at("out"), plan, "--work", world.at("work3"))
    expect(result.status == 0, f"{result.status} {result.err}")


def an_encrypted_archive_seals_secrets(world):
    plan = world.database_plan(
        "sealed.yaml", world.source.conninfo("dpi"),
        "secrets: sealed, accept: [foreign-tables]", encrypt=True)
    result = world.run("export", plan, "--output", world.at("sealed.tar"))
    expect(result.status == 0, f"{result.status} {result.err}")
    world.target.sql("postgres", "DROP DATABASE IF EXISTS sealed")
    target = world.cluster("fresh")
    plan = world.database_import("sealed-import.yaml", target.conninfo("sealed"))
    result = world.run("import", world.at("sealed.tar"), plan, "--work", world.at("work4"))
    expect(result.status == 0, f"{result.status} {result.err}")
    passwords = "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = 'app_owner'"
    expect(world.source.sql("postgres", passwords) == target.sql("postgres", passwords), "passwords")
    expect("mapping-secret-1" in "".join(target.dump("sealed")), "the mapping's password")
    plan = world.database_plan("clear.yaml", world.source.conninfo("dpi"), "secrets: sealed")
    result = world.run("export", plan, "--output", world.at("clear"))
    expect(result.status == 1 and "encrypt" in result.err, result.err)


def names_no_secret_in_clear(world):
    words = ["mapping-secret-1", "owner-secret-1", "SCRAM-SHA-256"]
    result = world.run("extract", world.at("out"), "--to", world.at("extracted"), "--trust", world.trust)
    expect(result.status == 0, result.err)
    for folder in (world.at("extracted"), world.at("out")):
        for directory, _, files in os.walk(folder):
            for name in files:
                data = open(os.path.join(directory, name), "rb").read()
                for word in words:
                    expect(word.encode() not in data, f"{word} is in {name}")


def maps_roles(world):
    target = world.cluster("mapped")
    plan = world.database_import(
        "mapped.yaml", target.conninfo("other_name"),
        ', map: { roles: { app_owner: "New Owner", app_reader: reader2 } }')
    result = world.run("import", world.at("out"), plan, "--work", world.at("work5"), "--json")
    expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    expect(target.sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname IN ('app_owner', 'app_reader')") == "0", "old roles")
    expect(target.sql("other_name", "SELECT relowner::regrole FROM pg_class WHERE oid = 'app.parent'::regclass") == '"New Owner"', "owner")
    expect("reader2" in target.sql("other_name", "SELECT relacl FROM pg_class WHERE oid = 'app.events'::regclass")
           or "reader2" in target.sql("other_name", "SELECT string_agg(attacl::text, '') FROM pg_attribute WHERE attrelid = 'app.made'::regclass"), "rights")


def survives_kills(world, output):
    """SIGKILL at any moment of the export; the same command makes another moment and ends well."""
    chance = random.Random(7)
    plan = world.database_plan("slow.yaml", world.source.conninfo("dpi"), limits="workers: 2, bandwidth: 30MiB/s")
    kills = 0
    for _ in range(6):
        process = world.start("export", plan, "--output", world.at(output))
        try:
            process.wait(chance.uniform(0.1, 1.6))
        except Exception:
            process.kill()
            kills += 1
        process.wait()
        process.stderr.close()
    result = world.run("export", plan, "--output", world.at(output))
    expect(result.status == 0, f"{result.status} {result.err}")
    expect(kills > 2, "hardly anything was killed")
    result = world.verify(output)
    expect(result.status == 0, f"{result.err} {result.out.decode()}")
    plan = world.database_import("killed.yaml", world.target.conninfo("killed"))
    result = world.run("import", world.at(output), plan, "--work", world.at("work-" + output))
    expect(result.status == 0, f"{result.status} {result.err}")
    expect(world.target.digests("killed") == world.source.digests("dpi"), "rows differ")
    world.target.sql("postgres", "DROP DATABASE killed")


def a_killed_server_is_told(world):
    """The server dies in mid-export: a clear message; when it is back, the same command ends well."""
    plan = world.database_plan("slow.yaml", world.source.conninfo("dpi"), limits="workers: 2, bandwidth: 10MiB/s")
    process = world.start("export", plan, "--output", world.at("dying"))
    deadline = time.time() + 60
    while time.time() < deadline and not os.path.exists(world.at("dying/data")):
        time.sleep(0.02)
    time.sleep(0.5)
    world.source.stop("immediate")
    _, err = process.communicate(timeout=300)
    err = err.decode()
    expect(process.returncode == 1, f"ended with {process.returncode}: {err}")
    expect("moment" in err and "same command again" in err, err)
    result = world.run("export", plan, "--output", world.at("dying"))
    expect(result.status == 1 and "cannot connect" in result.err, result.err)
    world.source.start()
    # The crash has emptied it, as it does.
    world.source.sql("dpi", "INSERT INTO app.unlogged VALUES (1)")
    result = world.run("export", plan, "--output", world.at("dying"))
    expect(result.status == 0, f"{result.status} {result.err}")
    expect(world.verify("dying").status == 0, "verify")


def an_import_survives_kills(world):
    chance = random.Random(11)
    target = world.target
    plan = world.database_import(
        "again.yaml", target.conninfo("again"), more="limits: { workers: 3, bandwidth: 40MiB/s }\n")
    command = ("import", world.at("out"), plan, "--work", world.at("work-again"))
    kills = crashes = 0
    for number in range(10):
        process = world.start(*command)
        try:
            process.wait(chance.uniform(0.1, 0.9))
        except Exception:
            process.kill()
            kills += 1
        process.wait()
        process.stderr.close()
        # A crash empties unlogged tables: one that is over by then would rightly be called unequal.
        if number in (2, 4) and not os.path.exists(world.at("work-again/source-0/finished")):
            crashes += 1
            target.stop("immediate")
            target.start()
    result = world.run(*command, "--json")
    expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    expect(kills > 3 and crashes, "hardly anything was killed")
    expect(target.digests("again") == world.source.digests("dpi"), "rows differ")
    ours, theirs = ([line for line in cluster.dump(name) if "mapping-secret" not in line]
                    for cluster, name in ((world.source, "dpi"), (target, "again")))
    expect(ours == theirs, f"definitions differ: {set(ours) ^ set(theirs)}")


def rights_are_checked(world):
    source = world.source
    source.sql("dpi", "CREATE ROLE weak LOGIN")
    plan = world.database_plan("weak.yaml", source.conninfo("dpi", "weak"))
    result = world.run("plan", plan)
    expect('GRANT USAGE ON SCHEMA "app" TO "weak"' in result.out.decode(), result.out.decode())
    source.sql("dpi", "GRANT USAGE ON SCHEMA app TO weak")
    result = world.run("plan", plan)
    for name in ('"app"."many"', 'SEQUENCE "app"."s_used"'):
        expect(f"GRANT SELECT ON {name} TO" in result.out.decode(), f"{name}: {result.out.decode()}")
    result = world.run("export", plan, "--output", world.at("weak"))
    expect(result.status == 1 and "right" in result.err, result.err)
    source.sql("dpi", "GRANT pg_read_all_data TO weak")
    plan = world.database_plan("weak.yaml", source.conninfo("dpi", "weak"))
    result = world.run("plan", plan)
    expect("row-level security" in result.out.decode() and "BYPASSRLS" in result.out.decode(),
           result.out.decode())
    result = world.run("export", plan, "--output", world.at("weak"))
    expect(result.status == 1 and "row-level security" in result.err, result.err)
    source.sql("dpi", "ALTER ROLE weak BYPASSRLS")
    result = world.run("plan", plan)
    expect("may not read 4 large objects" in result.out.decode(), result.out.decode())
    result = world.run("export", plan, "--output", world.at("weak"))
    expect(result.status == 1 and "large object" in result.err, result.err)
    source.sql("dpi", "DO $$ DECLARE o oid; BEGIN FOR o IN SELECT oid FROM pg_largeobject_metadata LOOP "
               "EXECUTE 'GRANT SELECT ON LARGE OBJECT ' || o || ' TO weak'; END LOOP; END $$")
    result = world.run("export", plan, "--output", world.at("weak"))
    expect(result.status == 0, f"{result.status} {result.err}")
    plan = world.database_import("weak-import.yaml", world.target.conninfo("weak"))
    result = world.run("import", world.at("weak"), plan, "--work", world.at("work-weak"))
    expect(result.status == 0, f"{result.status} {result.err}")
    world.target.sql("postgres", "DROP DATABASE weak")
    source.sql("dpi", "DROP OWNED BY weak", "DROP ROLE weak")


def wrong_connections_are_told(world):
    source = world.source
    for connection, words in [
        (source.conninfo("nowhere"), "cannot connect"),
        (source.conninfo("dpi").replace(str(source.port), "1"), "cannot connect"),
        (source.conninfo("dpi", "nobody_here"), "cannot connect"),
        ("host=/x port=abc nonsense", "cannot read the connection"),
    ]:
        plan = world.database_plan("wrong.yaml", connection)
        for command in (("plan", plan), ("export", plan, "--output", world.at("wrong"))):
            result = world.run(*command)
            expect(result.status == 1 and words in result.err, f"{connection}: {result.err}")
            expect("hint" in result.err, result.err)
    expect(not os.path.exists(world.at("wrong")), "an output was left behind")


def filters_are_checked(world):
    source = world.source
    plan = world.database_plan("broken.yaml", source.conninfo("dpi"),
                               "secrets: omit, exclude: { tables: [app.hen], reason: \"annex 3\" }")
    result = world.run("export", plan, "--output", world.at("broken"))
    expect(result.status == 1 and "foreign key" in result.err, result.err)
    plan = world.database_plan("mute.yaml", source.conninfo("dpi"), "exclude: { tables: [app.hen] }")
    result = world.run("plan", plan)
    expect(result.status == 1 and "reason" in result.err, result.err)


def main():
    suite = DatabaseSuite()
    world = suite.world
    try:
        world.source = world.cluster("source")
        world.target = world.cluster("target")
        fill_hostile(world.source)
        world.plan_path = world.database_plan("plan.yaml", world.source.conninfo("dpi"))
        suite.case("arrives equal", arrives_equal)
        suite.case("compares again", compares_again)
        suite.case("refuses a full target", refuses_a_full_target)
        suite.case("names no secret in clear", names_no_secret_in_clear)
        suite.case("seals secrets", an_encrypted_archive_seals_secrets)
        suite.case("maps roles", maps_roles)
        suite.case("rights are checked", rights_are_checked)
        suite.case("wrong connections are told", wrong_connections_are_told)
        suite.case("filters are checked", filters_are_checked)
        suite.case("survives kills, directory", survives_kills, "killed")
        suite.case("survives kills, tar", survives_kills, "killed.tar")
        suite.case("a killed server is told", a_killed_server_is_told)
        suite.case("an import survives kills", an_import_survives_kills)
    finally:
        for cluster in world.clusters:
            cluster.stop()
    suite.finish()


if __name__ == "__main__":
    main()
