#!/usr/bin/env python3
"""Databases with everything that dumps change or lose leave, arrive under the same and under other
names, and are proven equal, by our digests and by other means."""
import json

from mariadb_kit import *


def without_events_state(lines):
    """Events arrive disabled."""
    return [line.replace(" ENABLE ", " DISABLE ") if "EVENT" in line else line for line in lines]


def arrives_equal(world):
    source, target = world.source, world.target
    result = world.run("export", world.plan_path, "--output", world.at("out"))
    expect(result.status == 0, f"{result.status} {result.err}")
    result = world.run("verify", world.at("out"), "--trust", world.trust)
    expect(result.status == 0, result.err)
    plan = world.database_import("import.yaml", target)
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), "--json")
    expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    ours, theirs = (without_events_state(server.dump(*DATABASES)) for server in (source, target))
    expect(ours == theirs, f"dumps differ: {[pair for pair in zip(ours, theirs) if pair[0] != pair[1]][:5]}")
    expect(source.bits("portail") == target.bits("portail"), "bits differ")
    expect(source.grants() == target.grants(), f"grants: {set(source.grants()) ^ set(target.grants())}")
    expect(target.sql("SELECT event_name, status FROM information_schema.events WHERE status = 'ENABLED'") == "",
           "an event would run")
    expect(target.sql("SELECT COUNT(*) FROM information_schema.tables WHERE table_name LIKE 'exeat%'") == "0",
           "the import left its table behind")
    expect("row_start" in "".join(source.dump("portail")), "the dump has no history to compare")
    # The very bits that peers lose.
    expect(target.sql("SELECT CAST(f AS DOUBLE) FROM portail.numbers WHERE id = 1") == "1.2345678806304932", "FLOAT")
    expect(target.sql("SELECT precious FROM portail.hidden WHERE id = 1") == "PRECIOUS", "an INVISIBLE column")
    expect(target.sql("SELECT COUNT(*) FROM portail.versions FOR SYSTEM_TIME ALL") == "4", "history")


def compares_again(world):
    """The same command compares once more, finds what was changed since, and changes nothing."""
    command = ("import", world.at("out"), world.at("import.yaml"), "--work", world.at("work"), "--json")
    result = world.run(*command)
    expect(result.status == 0, f"equal before: {result.status} {result.err} {result.out.decode()}")
    for change, back, named in [
        ("UPDATE portail.numbers SET f = 16777218 WHERE id = 0", "UPDATE portail.numbers SET f = 16777216 WHERE id = 0",
         "portail.numbers: id=0"),
        ("UPDATE portail.texts SET l1 = CONCAT(l1, ' ') WHERE id = 5", "UPDATE portail.texts SET l1 = 'b ' WHERE id = 5",
         "portail.texts: id=5"),
        ("UPDATE portail.texts SET e = 3 WHERE id = 6", "SET sql_mode = ''; UPDATE portail.texts SET e = 'none' WHERE id = 6",
         "portail.texts: id=6"),
        ("DELETE FROM portail.tree WHERE id = 3", "INSERT INTO portail.tree VALUES (3, 2)", "portail.tree: id=3"),
        ("INSERT INTO portail.e_aria VALUES (1, 'one')", "DELETE FROM portail.e_aria LIMIT 1", "once too often"),
        ("SET system_versioning_insert_history = 1; INSERT INTO portail.versions (id, v, row_start, row_end) VALUES "
         "(9, 'x', '2020-01-01', '2020-01-02')", "DELETE HISTORY FROM portail.versions BEFORE SYSTEM_TIME '2020-01-03'",
         "portail.versions"),
        ("ALTER TABLE portail.stay ADD KEY more (patient)", "ALTER TABLE portail.stay DROP KEY more", "table portail.stay"),
        ("CREATE TABLE portail.strange (i INT)", "DROP TABLE portail.strange", "table portail.strange"),
        ("CREATE OR REPLACE VIEW portail.v_base AS SELECT id FROM portail.stay",
         "USE portail; CREATE OR REPLACE VIEW v_base AS SELECT id, patient FROM stay", "view portail.v_base"),
    ]:
        world.target.sql(change)
        result = world.run(*command)
        expect(result.status == 3, f"{change}: status {result.status} {result.err}")
        expect(named in json.dumps(json.loads(result.out)), f"{change} is not named: {result.out.decode()}")
        world.target.sql(back)
    result = world.run(*command)
    expect(result.status == 0, f"not equal again: {result.out.decode()}")


def arrives_under_other_names(world):
    """On the same server, beside the original; nothing of the copy refers to the original."""
    source = world.source
    names = ["por_tail2", "odd `2"]
    plan = world.database_import(
        "renamed.yaml", source,
        ", map: { databases: { portail: por_tail2, \"we`ird db\": \"odd `2\" }, definers: { \"app@%\": \"app2@%\" }, "
        "users: { \"app@%\": \"app2@%\" } }")
    result = world.run("import", world.at("out"), plan, "--work", world.at("renamed"))
    expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    ours = without_events_state(source.dump(*DATABASES))
    theirs = without_events_state(source.dump(*names))

    def renamed(line):
        for old, new in [("we``ird db", "odd ``2"), ("we`ird db", "odd `2"), ("portail", "por_tail2"),
                         ("`app`@`%`", "`app2`@`%`")]:
            line = line.replace(old, new)
        return line.replace("`por_tail2`.", "por_tail2.")

    # What stays is text in strings: no parser can know what it means.
    keep = {line for line in ours if "of portail.stay" in line or "le portail" in line}
    differing = [(renamed(a), b) for a, b in zip(ours, theirs)
                 if renamed(a) != b.replace("`por_tail2`.", "por_tail2.") and a not in keep
                 and "portail_stay" not in a]
    expect(len(ours) == len(theirs) and not differing, f"{differing[:4]}")
    text = "\n".join(theirs)
    expect(not re.search(r"`?portail`?\.[`a-z]+ *[ (]", text.replace("of portail.stay", "")), "still refers to the original")
    for view in ("por_tail2.v_base", "`odd ``2`.across", "por_tail2.`v with space`"):
        source.sql(f"SELECT * FROM {view}")
    source.sql("INSERT INTO por_tail2.stay VALUES (50, 'x', 1)")
    expect(source.sql("SELECT COUNT(*) FROM portail.audit") == "0", "a trigger of the copy writes to the original")
    expect(int(source.sql("SELECT COUNT(*) FROM por_tail2.audit")) > 0, "no trigger of the copy fired")
    expect("`por_tail2`.`stay` TO `reader`" in source.sql("SHOW GRANTS FOR reader@localhost"), "grants on the copy")
    forget(source, *names, accounts=False)
    source.sql("DROP USER 'app2'@'%'")


def inserts_where_local_infile_is_off(world):
    target = world.target
    forget(target, *DATABASES)
    target.sql("SET GLOBAL local_infile = 0")
    result = world.run("import", world.at("out"), world.at("import.yaml"), "--work", world.at("inserted"), "--json")
    target.sql("SET GLOBAL local_infile = 1")
    expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    expect('"INSERT"' in json.dumps(json.loads(result.out)), f"the receipt does not say how: {result.out.decode()[:600]}")
    expect(world.source.bits("portail") == target.bits("portail"), "bits differ")


def seals_secrets_and_restores_them(world):
    target = world.target
    forget(target, *DATABASES)
    plan = world.database_plan("sealed.yaml", world.source, "secrets: sealed, non-transactional: lock", encrypt=True)
    result = world.run("export", plan, "--output", world.at("sealed"))
    expect(result.status == 0, f"{result.status} {result.err}")
    hashed = re.search(r"\*[0-9A-F]{40}", world.source.sql("SHOW CREATE USER 'app'@'%'")).group()
    for folder in ("out", "sealed"):
        for directory, _, files in os.walk(world.at(folder)):
            for name in files:
                data = open(os.path.join(directory, name), "rb").read()
                expect(hashed.encode() not in data, f"{name} has a secret in clear")
    plan = world.database_import("sealed-import.yaml", target)
    result = world.run("import", world.at("sealed"), plan, "--work", world.at("sealed-work"))
    expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    expect(target.sql("SELECT COUNT(*) FROM portail.stay", user="app", password="app secret") == "2", "the password")
    for account in ("'app'@'%'", "reader@localhost", "`o'neil`@`10.0.%`"):
        ours, theirs = (server.sql(f"SHOW CREATE USER {account}") for server in (world.source, target))
        expect(ours == theirs, f"{ours} is {theirs}")


def locks_accounts_without_their_secret(world):
    target = world.target
    forget(target, *DATABASES)
    result = world.run("import", world.at("out"), world.at("import.yaml"), "--work", world.at("locked"))
    expect(result.status == 0, f"{result.status} {result.err}")
    done = subprocess.run(target.client("-e", "SELECT 1", user="app"), capture_output=True, text=True)
    expect(done.returncode != 0 and "lock" in done.stderr, f"anyone enters: {done.stderr}")


def restores_by_hand(world):
    """RESTORE.txt, in clear and encrypted, without exeat, into an empty server."""
    for folder, key in (("out", None), ("sealed", world.identity)):
        target = world.target
        forget(target, *DATABASES)
        place = world.at(f"by-hand-{folder}")
        os.makedirs(place)
        environment = dict(os.environ, TO=place, MARIADB=" ".join(target.client()))
        if key:
            environment["KEY"] = key
        done = subprocess.run(["sh", os.path.join(world.at(folder), "RESTORE.txt")], cwd=world.at(folder),
                              env=environment, capture_output=True, timeout=300)
        expect(done.returncode == 0, f"{done.stdout.decode()} {done.stderr.decode()}")
        if key:
            environment["TO"] = world.at("by-hand-final")
            done = subprocess.run(["sh", "restore.txt"], cwd=place, env=environment,
                                  capture_output=True, timeout=300)
            expect(done.returncode == 0, f"{done.stdout.decode()} {done.stderr.decode()}")
        ours, theirs = (server.dump(*DATABASES) for server in (world.source, target))
        expect(ours == theirs, f"{folder}: {[pair for pair in zip(ours, theirs) if pair[0] != pair[1]][:4]}")
        expect(world.source.bits("portail") == target.bits("portail"), "bits differ")
        expect(world.source.grants() == target.grants(), f"grants: {set(world.source.grants()) ^ set(target.grants())}")


def refuses_a_full_target(world):
    target = world.target
    result = world.run("import", world.at("out"), world.at("import.yaml"), "--work", world.at("again"))
    expect(result.status == 1 and "holds objects" in result.err, result.err)
    plan = world.database_import("replace.yaml", target, ", existing: replace, events: enable")
    result = world.run("import", world.at("out"), plan, "--work", world.at("replaced"))
    expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    expect(world.source.dump(*DATABASES) == target.dump(*DATABASES), "dumps differ")


def tests_views_on_the_target(world):
    """A definer that the target lacks: the view is there, and of no use."""
    source, target = world.source, world.target
    source.sql("CREATE DATABASE viewed", "USE viewed", "CREATE TABLE t (i INT)", "CREATE USER definer@localhost",
               "GRANT SELECT ON viewed.t TO definer@localhost", "CREATE DEFINER = definer@localhost VIEW v AS SELECT i FROM t",
               "CREATE VIEW broken AS SELECT i FROM t", "CREATE VIEW above AS SELECT i FROM broken",
               "ALTER TABLE t ADD j INT", "CREATE OR REPLACE VIEW broken AS SELECT j FROM t")
    plan = world.database_plan("viewed.yaml", source, databases="[viewed]")
    expect(b"view viewed.above cannot be read" in world.run("plan", plan).out, "the plan does not tell")
    expect(world.run("export", plan, "--output", world.at("viewed")).status == 0, "export")
    plan = world.database_import("viewed-import.yaml", target, ", map: { definers: { \"definer@localhost\": \"nobody@nowhere\" } }")
    result = world.run("import", world.at("viewed"), plan, "--work", world.at("viewed-work"))
    expect(result.status == 2 and b"view viewed.v" in result.out and b"Unknown column" in result.out,
           f"{result.status} {result.err} {result.out.decode()}")
    forget(source, "viewed", accounts=False)
    forget(target, "viewed", accounts=False)
    for server in (source, target):
        server.sql("DROP USER IF EXISTS definer@localhost")


def adds_beside_what_is_there(world):
    source, target = world.source, world.target
    source.sql("CREATE DATABASE added", "CREATE TABLE added.ours (i INT PRIMARY KEY)", "INSERT INTO added.ours VALUES (1)")
    plan = world.database_plan("added.yaml", source, databases="[added]")
    expect(world.run("export", plan, "--output", world.at("added")).status == 0, "export")
    target.sql("CREATE DATABASE added", "CREATE TABLE added.theirs (i INT)", "CREATE TABLE added.OURS (i INT)")
    plan = world.database_import("added-import.yaml", target, ", existing: add")
    result = world.run("import", world.at("added"), plan, "--work", world.at("added-work"))
    expect(result.status == 1 and "OURS" in result.err, f"{result.status} {result.err}")
    target.sql("DROP TABLE added.OURS")
    result = world.run("import", world.at("added"), plan, "--work", world.at("added-work"))
    expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    expect(target.sql("SHOW TABLES IN added").split() == ["ours", "theirs"], "tables")
    forget(source, "added", accounts=False)
    forget(target, "added", accounts=False)


def counts_only(world):
    plan = world.database_import("counts.yaml", world.target, ", existing: replace", more="verify: counts\n")
    result = world.run("import", world.at("out"), plan, "--work", world.at("counted"), "--json")
    expect(result.status in (0, 2) and b"row count of portail.numbers" in result.out, f"{result.status} {result.out.decode()[:800]}")


suite = DatabaseSuite()
suite.world.source = suite.world.server("source", "--log-bin", "--server-id=1")
suite.world.target = suite.world.server("target")
suite.world.source.script(HOSTILE)
suite.world.plan_path = suite.world.database_plan("plan.yaml", suite.world.source)
suite.case("arrives equal", arrives_equal)
suite.case("compares again and names what was changed", compares_again)
suite.case("arrives under other names", arrives_under_other_names)
suite.case("inserts where local_infile is off", inserts_where_local_infile_is_off)
suite.case("seals secrets and restores them", seals_secrets_and_restores_them)
suite.case("locks accounts without their secret", locks_accounts_without_their_secret)
suite.case("restores by hand", restores_by_hand)
suite.case("refuses a full target, replaces it when told", refuses_a_full_target)
suite.case("counts only", counts_only)
suite.case("tests views on the target", tests_views_on_the_target)
suite.case("adds beside what is there", adds_beside_what_is_there)
suite.finish()
