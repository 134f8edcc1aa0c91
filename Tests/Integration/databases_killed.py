#!/usr/bin/env python3
"""An import that is killed at any message to its server, or at any file that it keeps, goes on with
the same command; one that another import has begun is left alone. strace kills, so every step is hit
whatever the speed.

    databases_killed.py [--every N] [FILTER ...]     each N-th message only (13 unless given)
"""
import shutil
import sys

import mariadb_kit
import postgresql_kit
from robustness_kit import Skip, expect

SQL = """CREATE TABLE ward (id int PRIMARY KEY, name text);
INSERT INTO ward VALUES (1, 'cardiology'), (2, 'maternity');
CREATE TABLE bed (id int PRIMARY KEY, ward int REFERENCES ward (id));
INSERT INTO bed VALUES (10, 1), (11, 2);
CREATE VIEW beds AS SELECT b.id, name FROM bed b JOIN ward w ON w.id = b.ward;
"""
EVERY = 13


class PostgreSQL:
    def __init__(self, world):
        self.world, self.source, self.target = world, world.cluster("source"), world.cluster("target")
        self.source.sql("postgres", "CREATE DATABASE little")
        self.source.sql("little", *[line for line in SQL.split(";\n") if line])
        plan = world.database_plan("little.yaml", self.source.conninfo("little"))
        expect(world.run("export", plan, "--output", world.at("little")).status == 0, "export")
        self.ours = self.source.dump("little")

    def plan(self, existing="refuse"):
        return self.world.database_import(
            f"into-{existing}.yaml", self.target.conninfo("arrived"), f", existing: {existing}")

    def empty(self):
        self.target.sql("postgres", "DROP DATABASE IF EXISTS arrived")

    def arrived(self):
        return self.target.dump("arrived") == self.ours

    def leftovers(self):
        return self.target.sql(
            "arrived", "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'exeat%'") != "0"


class MariaDB:
    def __init__(self, world):
        self.world, self.source, self.target = world, world.server("source"), world.server("target")
        self.source.script(world.write("little.sql", "CREATE DATABASE little; USE little;\n" + SQL))
        plan = world.database_plan("little.yaml", self.source, databases='["little"]')
        expect(world.run("export", plan, "--output", world.at("little")).status == 0, "export")
        self.ours = self.source.dump("little")

    def plan(self, existing="refuse"):
        return self.world.database_import(
            f"into-{existing}.yaml", self.target, f", existing: {existing}")

    def empty(self):
        self.target.sql("DROP DATABASE IF EXISTS little")

    def arrived(self):
        return self.target.dump("little") == self.ours

    def leftovers(self):
        return "exeat" in self.target.sql("SHOW TABLES FROM little")


def killed_at(call, every, world, server, existing):
    """Killed at each `every`-th call of a kind; how often that was before the import ended."""
    struck, number = 0, 1
    while True:
        server.empty()
        world.remove("work")
        command = ("import", world.at("little"), server.plan(existing), "--work", world.at("work"))
        inject = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                  "-e", f"inject={call}:signal=SIGKILL:when={number}"]
        if world.run(*command, prefix=inject).status == 0:
            return struck
        struck += 1
        result = world.run(*command)
        expect(result.status == 0, f"killed at {call} {number}: {result.status} {result.err}")
        expect(server.arrived(), f"killed at {call} {number}: it differs")
        expect(not server.leftovers(), f"killed at {call} {number}: marks are left")
        number += every


def killed_anywhere(world, server, existing):
    if not shutil.which("strace"):
        raise Skip("no strace")
    messages = killed_at("sendto", EVERY, world, server, existing)
    files = killed_at("rename", 1, world, server, existing)
    expect(messages > 3 and files > 3, f"killed {messages} and {files} times")


def another_import_is_left_alone(world, server):
    if not shutil.which("strace"):
        raise Skip("no strace")
    world.remove("other", "third")
    first = ("import", world.at("little"), server.plan(), "--work", world.at("work"))
    # strace counts the calls of each thread by itself, and threads share the work differently each time.
    for number in (60, 45, 30, 20):
        server.empty()
        world.remove("work")
        inject = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=sendto",
                  "-e", f"inject=sendto:signal=SIGKILL:when={number}"]
        if world.run(*first, prefix=inject).status != 0 and server.leftovers():
            break
    else:
        raise AssertionError("it came to its end")
    result = world.run("import", world.at("little"), server.plan(), "--work", world.at("other"))
    expect(result.status == 1 and "another import has begun" in result.err, result.err)
    # What the hint offers: replacing takes the other's marks away with all it made.
    other = ("import", world.at("little"), server.plan("replace"), "--work", world.at("third"))
    result = world.run(*other)
    expect(result.status == 0 and server.arrived(), result.err)
    result = world.run(*first)
    expect(result.status == 1, f"the first went on in what is the other's: {result.err}")


def main():
    global EVERY
    words = sys.argv[1:]
    if words[:1] == ["--every"]:
        EVERY = int(words[1])
        del words[:2]
    sys.argv[1:] = words
    status = 0
    for kind, suite in ((PostgreSQL, postgresql_kit.DatabaseSuite), (MariaDB, mariadb_kit.DatabaseSuite)):
        suite = suite()
        world = suite.world
        server = kind(world)
        for existing in ("refuse", "replace"):
            suite.case(f"{kind.__name__}: killed anywhere, existing: {existing}", killed_anywhere, server,
                       existing)
        suite.case(f"{kind.__name__}: another import is left alone", another_import_is_left_alone, server)
        try:
            suite.finish()
        except SystemExit as end:
            status = status or end.code
    sys.exit(status)


if __name__ == "__main__":
    main()
