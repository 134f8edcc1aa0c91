#!/usr/bin/env python3
"""What is legitimate and rare: names that differ in little, rows that break their own rules, what has
ended, accounts of all kinds. Each arrives with exeat, and by hand with RESTORE.txt."""
import json

from mariadb_kit import *

OWN = ("mysql", "information_schema", "performance_schema", "sys")


def without_state(lines):
    """Events arrive disabled."""
    return [line.replace(" ENABLE ", " DISABLE ") if "EVENT" in line else line for line in lines]


def empty(*servers):
    for server in servers:
        forget(server, *[name for name in server.sql("SHOW DATABASES").splitlines() if name not in OWN])


def carried(world, sql, *databases, status=0, extra="", by_hand=True, data=True):
    """Exports the databases, imports them elsewhere, and compares by the dumps; gives back what the
    import said."""
    source, target = world.source, world.target
    empty(source, target)
    world.remove("out", "work", "by-hand")
    source.script(world.write("edge.sql", "SET NAMES utf8mb4;\n" + sql))
    plan = world.database_plan("edge.yaml", source, databases=json.dumps(databases, ensure_ascii=False))
    result = world.run("export", plan, "--output", world.at("out"))
    expect(result.status == 0, f"{result.status} {result.err}")
    plan = world.database_import("edge-import.yaml", target, extra)
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), "--json")
    expect(result.status == status, f"{result.status} {result.err} {result.out.decode()}")
    said = json.loads(result.out)["sources"][0]
    ours = source.dump(*databases, data=data)
    compare(without_state(ours), without_state(target.dump(*databases, data=data)))
    if by_hand:
        compare_by_hand(world, databases, ours)
    return said


def compare(ours, theirs):
    differing = [pair for pair in zip(ours, theirs) if pair[0] != pair[1]][:4]
    expect(ours == theirs, f"dumps of {len(ours)} and {len(theirs)} lines differ: {differing}")


def compare_by_hand(world, databases, ours):
    empty(world.target)
    os.makedirs(world.at("by-hand"))
    done = subprocess.run(
        ["sh", world.at("out/RESTORE.txt")], cwd=world.at("out"), capture_output=True, timeout=300,
        env=dict(os.environ, TO=world.at("by-hand"), MARIADB=" ".join(world.target.client())))
    expect(done.returncode == 0, f"{done.stdout.decode()} {done.stderr.decode()}")
    compare(ours, world.target.dump(*databases))


def names_that_differ_in_little(world):
    carried(world, """
        CREATE DATABASE foo; CREATE DATABASE Foo; CREATE DATABASE cafe; CREATE DATABASE `café`;
        CREATE TABLE foo.t (id INT PRIMARY KEY); INSERT INTO foo.t VALUES (1);
        CREATE TABLE Foo.t (id INT PRIMARY KEY, v INT); INSERT INTO Foo.t VALUES (2, 2);
        CREATE TABLE Foo.T (a VARCHAR(9), b INT, PRIMARY KEY (a), UNIQUE KEY (b)); INSERT INTO Foo.T VALUES ('x', 3);
        CREATE PROCEDURE foo.p() SELECT 1; CREATE PROCEDURE Foo.q() SELECT 2;
        CREATE TRIGGER Foo.r BEFORE INSERT ON Foo.t FOR EACH ROW SET NEW.v = 1;
        CREATE EVENT Foo.e ON SCHEDULE EVERY 1 DAY DO SELECT 1; CREATE VIEW Foo.w AS SELECT id FROM Foo.t;
        CREATE TABLE cafe.t (id INT PRIMARY KEY); INSERT INTO cafe.t VALUES (4);
        CREATE TABLE `café`.u (id INT PRIMARY KEY); INSERT INTO `café`.u VALUES (5);
        """, "foo", "Foo", "cafe", "café")
    # Alone, one takes nothing of the other.
    carried(world, """
        CREATE DATABASE foo; CREATE DATABASE Foo;
        CREATE TABLE foo.t (id INT PRIMARY KEY); CREATE TABLE Foo.u (id INT PRIMARY KEY);
        CREATE PROCEDURE Foo.q() SELECT 2;
        """, "foo")


def quotes_that_combine(world):
    """A quote with an accent on it is one character to people, and still a quote to the server and the shell."""
    carried(world, """
        CREATE DATABASE odd; USE odd;
        CREATE TABLE `a``\u0301b` (`c``\u0301` INT PRIMARY KEY, `\u0301d` INT); INSERT INTO `a``\u0301b` VALUES (1, 2);
        CREATE TABLE `q'\u0301'; touch $TO/owned; '` (i INT); INSERT INTO `q'\u0301'; touch $TO/owned; '` VALUES (7);
        CREATE VIEW `v``\u0301` AS SELECT `c``\u0301` FROM `a``\u0301b`;
        """, "odd")
    expect(not os.path.exists(world.at("by-hand/owned")), "a name was run as a command")
    source = world.source
    source.sql("CREATE TABLE odd.`caf\u00e9` (a INT)", "CREATE TABLE odd.`cafe\u0301` (a INT, b INT)")
    result = world.run("export", world.at("edge.yaml"), "--output", world.at("composed"))
    expect(result.status == 1 and "accents" in result.err, f"{result.status} {result.err}")


def rows_that_break_their_rules(world):
    said = carried(world, """
        CREATE DATABASE rules; USE rules;
        CREATE TABLE checked (id INT PRIMARY KEY, n INT); INSERT INTO checked VALUES (1, -1), (2, 2);
        SET check_constraint_checks = 0; ALTER TABLE checked ADD CONSTRAINT positive CHECK (n > 0);
        CREATE DATABASE other; CREATE TABLE other.parent (id INT PRIMARY KEY); INSERT INTO other.parent VALUES (1);
        CREATE TABLE outside (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES other.parent (id));
        INSERT INTO outside VALUES (1, 1);
        SET foreign_key_checks = 0;
        CREATE TABLE nowhere (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES gone (id));
        INSERT INTO nowhere VALUES (1, 7);
        CREATE TABLE orphans (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES checked (id));
        INSERT INTO orphans VALUES (1, 9);
        """, "rules", status=2)
    result = world.run("plan", world.at("edge.yaml"))
    told = result.out.decode() + result.err
    expect("outside_ibfk_1 of rules.outside needs other.parent" in told, f"not told before: {told}")
    text = json.dumps(said["shortfalls"])
    for told in ("positive", "outside_ibfk_1", "nowhere_ibfk_1", "orphans_ibfk_1"):
        expect(told in text, f"{told} is not told: {text}")


def what_has_ended(world):
    carried(world, """
        CREATE DATABASE ended; USE ended;
        SET timestamp = UNIX_TIMESTAMP('2019-01-01');
        CREATE EVENT once ON SCHEDULE AT '2020-01-01 00:00:00' DO SELECT 1;
        CREATE EVENT often ON SCHEDULE EVERY 1 DAY STARTS '2019-01-01' ENDS '2020-01-01' DO SELECT 1;
        SET timestamp = DEFAULT;
        CREATE EVENT later ON SCHEDULE AT '2037-01-01 00:00:00' DO SELECT 1;
        CREATE SEQUENCE used_up MAXVALUE 2 NOCACHE; SELECT NEXTVAL(used_up), NEXTVAL(used_up);
        CREATE SEQUENCE again START WITH 50 MINVALUE 1 MAXVALUE 52 NOCACHE CYCLE;
        SELECT NEXTVAL(again), NEXTVAL(again), NEXTVAL(again), NEXTVAL(again);
        """, "ended")


def options_that_strict_servers_refuse(world):
    carried(world, """
        CREATE DATABASE lax; USE lax; SET innodb_strict_mode = 0;
        CREATE TABLE a (i INT) ROW_FORMAT = COMPACT KEY_BLOCK_SIZE = 8; CREATE TABLE b (i INT) ROW_FORMAT = FIXED;
        """, "lax")


def drops_history_when_told(world):
    for load in ("", ", load: insert"):
        said = carried(world, """
            CREATE DATABASE past; USE past;
            CREATE TABLE a (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING;
            INSERT INTO a VALUES (1, 1), (2, 2); UPDATE a SET v = 3; DELETE FROM a WHERE id = 2;
            CREATE TABLE b (id INT, v TEXT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START INVISIBLE,
                e TIMESTAMP(6) GENERATED ALWAYS AS ROW END INVISIBLE, PERIOD FOR SYSTEM_TIME (s, e),
                PRIMARY KEY (id, e), w INT) ENGINE = MyISAM WITH SYSTEM VERSIONING;
            INSERT INTO b (id, v, w) VALUES (1, 'x\\ty\\nz\\\\', 1); UPDATE b SET w = 2;
            """, "past", status=2, extra=f", history: drop{load}", by_hand=False, data=False)
        expect(len(said["shortfalls"]) == 2, "what is dropped is not told")
        for table, columns in (("a", "id, v"), ("b", "id, v, w")):
            expect(world.target.sql(f"SELECT COUNT(*) FROM past.{table} FOR SYSTEM_TIME ALL") == "1", "history came")
            ours, theirs = (server.sql(f"SELECT {columns} FROM past.{table}") for server in (world.source, world.target))
            expect(ours == theirs, f"{ours} is {theirs}")
    # What is current is proven all the same.
    world.target.sql("UPDATE past.a SET v = 4")
    result = world.run("import", world.at("out"), world.at("edge-import.yaml"), "--work", world.at("work"))
    expect(result.status == 3 and b"past.a" in result.out, f"{result.status} {result.out.decode()}")


def accounts_of_all_kinds(world):
    carried(world, """
        CREATE DATABASE ward; USE ward;
        CREATE TABLE t (a INT, b INT);
        CREATE USER lasting IDENTIFIED BY 'x' PASSWORD EXPIRE; ALTER USER lasting PASSWORD EXPIRE INTERVAL 120 DAY;
        CREATE USER granting IDENTIFIED BY 'y'; CREATE USER proxied; CREATE ROLE nurses;
        GRANT BINLOG MONITOR, FILE ON *.* TO granting WITH GRANT OPTION; GRANT PROXY ON proxied TO granting;
        GRANT nurses TO lasting WITH ADMIN OPTION; GRANT SELECT (a), INSERT (a, b) ON t TO nurses;
        GRANT SELECT ON `w%`.* TO proxied; GRANT INSERT ON `_ard`.* TO proxied; GRANT INSERT ON ward.* TO granting;
        GRANT UPDATE ON ward.* TO PUBLIC;
        """, "ward", by_hand=False)
    source, target = world.source, world.target
    for _ in range(2):
        expect(source.grants() == target.grants(), f"grants: {set(source.grants()) ^ set(target.grants())}")
        expect(target.sql("SHOW GRANTS FOR PUBLIC") == source.sql("SHOW GRANTS FOR PUBLIC"), "what all may")
        expect("LOCK PASSWORD EXPIRE INTERVAL 120 DAY" in target.sql("SHOW CREATE USER lasting"),
               target.sql("SHOW CREATE USER lasting"))
        if not os.path.exists(world.at("by-hand")):
            compare_by_hand(world, ["ward"], source.dump("ward"))
    # Who was there gets no right that reaches beyond what came, and that is told.
    empty(target)
    target.sql("CREATE USER proxied")
    world.remove("work")
    result = world.run("import", world.at("out"), world.at("edge-import.yaml"), "--work", world.at("work"), "--json")
    expect(result.status == 2 and b"w%" in result.out, f"{result.status} {result.out.decode()}")
    expect("%`.*" not in target.sql("SHOW GRANTS FOR proxied"), "a right that reaches beyond")
    source.sql("REVOKE UPDATE ON ward.* FROM PUBLIC")


def databases_that_are_there(world):
    """An empty one gets the character set of the archive's; of others it stays, and that is told."""
    carried(world, """
        CREATE DATABASE there CHARACTER SET latin1; USE there;
        CREATE TABLE t (a INT, v VARCHAR(9)); INSERT INTO t VALUES (1, 'é'); CREATE PROCEDURE p() SELECT 'x';
        """, "there")
    source, target = world.source, world.target
    for statement, extra, status in [
            ("SELECT 1", "", 0), ("CREATE TABLE there.other (a INT)", ", existing: add", 2)]:
        empty(target)
        target.sql("CREATE DATABASE there CHARACTER SET utf8mb4", statement)
        world.remove("work")
        plan = world.database_import("there.yaml", target, extra)
        result = world.run("import", world.at("out"), plan, "--work", world.at("work"))
        expect(result.status == status, f"{extra} {result.status} {result.err} {result.out.decode()}")
        expect(source.sql("SHOW CREATE TABLE there.t") == target.sql("SHOW CREATE TABLE there.t"), "another table")
        expect("latin1_swedish_ci" in target.sql("SHOW CREATE PROCEDURE there.p"), "another collation")
        found = target.sql("SHOW CREATE DATABASE there")
        expect(("utf8mb4" in found) == (status == 2), f"{extra}: {found}")


def names_without_case(world):
    """From a server that ignores the case of names, as on Windows, to one that does not."""
    source = world.server("small", "--lower-case-table-names=1")
    source.script(world.write("small.sql", """
        CREATE DATABASE Ward; USE ward; CREATE TABLE Stay (id INT PRIMARY KEY); INSERT INTO STAY VALUES (1);
        CREATE VIEW Stays AS SELECT ID FROM Stay;
        CREATE PROCEDURE good() SELECT COUNT(*) AS STAY FROM ward.stay; CREATE PROCEDURE bad() SELECT COUNT(*) FROM WARD.Stay;
        """))
    empty(world.target)
    plan = world.database_plan("small.yaml", source, databases="[ward]")
    result = world.run("export", plan, "--output", world.at("small-out"))
    expect(result.status == 0, f"{result.status} {result.err}")
    plan = world.database_import("small-import.yaml", world.target)
    result = world.run("import", world.at("small-out"), plan, "--work", world.at("small-work"), "--json")
    told = json.loads(result.out)["sources"][0]["shortfalls"]
    expect(result.status == 2 and [line["object"] for line in told] == ["procedure ward.bad"], f"{result.status} {told}")
    # Where the database gets another name, every way to write it does.
    empty(world.target)
    plan = world.database_import("small-import.yaml", world.target, ", map: { databases: { ward: copy } }")
    result = world.run("import", world.at("small-out"), plan, "--work", world.at("small-copy"))
    expect(result.status == 2, f"{result.status} {result.err}")
    expect("`copy`.Stay" in world.target.sql("SHOW CREATE PROCEDURE copy.bad"), "the other database")
    expect(world.target.sql("CALL copy.good()", "SELECT * FROM copy.stays") == "1\n1", "programs of the copy")


def sequences_left_out(world):
    """What a default needs is not left out in silence, to fail at the import."""
    source = world.source
    empty(source)
    source.sql("CREATE DATABASE q", "CREATE SEQUENCE q.s", "CREATE TABLE q.t (id INT PRIMARY KEY DEFAULT NEXTVAL(q.s))")
    plan = world.database_plan(
        "sequence.yaml", source, 'secrets: omit, exclude: { tables: ["q.s"], reason: why }', databases="[q]")
    result = world.run("export", plan, "--output", world.at("sequence"))
    expect(result.status == 1 and "column id of q.t needs the sequence q.s" in result.err, f"{result.status} {result.err}")


suite = DatabaseSuite()
suite.world.source = suite.world.server("source")
suite.world.target = suite.world.server("target", "--default-time-zone=+05:00")
suite.case("names that differ in little", names_that_differ_in_little)
suite.case("quotes that combine", quotes_that_combine)
suite.case("rows that break their rules", rows_that_break_their_rules)
suite.case("what has ended", what_has_ended)
suite.case("options that strict servers refuse", options_that_strict_servers_refuse)
suite.case("drops history when told", drops_history_when_told)
suite.case("accounts of all kinds", accounts_of_all_kinds)
suite.case("databases that are there", databases_that_are_there)
suite.case("names without case", names_without_case)
suite.case("sequences left out", sequences_left_out)
suite.finish()
