#!/usr/bin/env python3
"""Exports while others write, change definitions, hold locks and end sessions: the archive is of one moment, or
there is none."""
import json
import random
import threading

from mariadb_kit import *


class Writers:
    """Sessions that transfer amounts until they are stopped."""

    def __init__(self, server, count=2):
        self.stop = False
        self.errors = []
        self.threads = [threading.Thread(target=self.work, args=(server, number)) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def work(self, server, seed):
        chance = random.Random(seed)
        client = subprocess.Popen(server.client("bank"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE)
        while not self.stop:
            one, other, amount = chance.randint(1, 5000), chance.randint(1, 5000), chance.randint(1, 50)
            client.stdin.write(
                f"BEGIN; UPDATE account SET amount = amount - {amount} WHERE id = {one}; "
                f"UPDATE account SET amount = amount + {amount} WHERE id = {other}; "
                f"INSERT INTO journal (account, change_) VALUES ({one}, -{amount}), ({other}, {amount}); "
                "UPDATE totals SET transfers = transfers + 1; COMMIT;\n".encode())
            client.stdin.flush()
            time.sleep(0.002)
        client.stdin.close()
        client.wait()
        error = client.stderr.read().decode()
        if "Deadlock" not in error and error:
            self.errors.append(error)

    def end(self):
        self.stop = True
        for thread in self.threads:
            thread.join()


def one_moment(world):
    """Writers go on during the export; the copy is of one moment."""
    source, target = world.source, world.target
    writers = Writers(source)
    try:
        source.until("SELECT transfers FROM bank.totals")
        plan = world.database_plan("bank.yaml", source, databases="[bank]", limits="bandwidth: 8MiB/s, workers: 3")
        result = world.run("export", plan, "--output", world.at("bank"))
    finally:
        writers.end()
    expect(result.status == 0, f"{result.status} {result.err}")
    plan = world.database_import("bank-import.yaml", target)
    result = world.run("import", world.at("bank"), plan, "--work", world.at("bank-work"))
    expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    expect(target.sql("SELECT SUM(amount) FROM bank.account") == str(5000 * 1000), "the sum is of no moment")
    expect(target.sql("SELECT SUM(change_), COUNT(*) = 2 * (SELECT transfers FROM bank.totals) FROM bank.journal")
           == "0\t1", "journal and totals are of different moments")
    expect(target.sql("SELECT COUNT(*) FROM bank.account a WHERE amount <> 1000 + COALESCE((SELECT SUM(change_) FROM "
                      "bank.journal j WHERE j.account = a.id), 0)") == "0", "accounts and journal differ")
    done = int(target.sql("SELECT transfers FROM bank.totals"))
    expect(0 < done < int(source.sql("SELECT transfers FROM bank.totals")), f"{done} transfers: nobody wrote meanwhile")
    outline = json.loads(world.run("inspect", world.at("bank"), "--json").out)
    expect("gtid" in json.dumps(outline), "the moment has no GTID")


def definitions_change_meanwhile(world):
    for number, (change, back) in enumerate([
            ("ALTER TABLE bank.zz_late ADD COLUMN extra INT, ALGORITHM = COPY", "ALTER TABLE bank.zz_late DROP COLUMN extra"),
            ("TRUNCATE TABLE bank.zz_late", "USE bank; INSERT INTO zz_late SELECT seq, MD5(seq) FROM seq_1_to_1000"),
            # Snapshots go with tables: the name then has the rows of the other.
            ("USE bank; RENAME TABLE zz_late TO x, zz_other TO zz_late, x TO zz_other",
             "USE bank; RENAME TABLE zz_late TO x, zz_other TO zz_late, x TO zz_other"),
            ("DROP TABLE bank.zz_late", "USE bank; CREATE TABLE zz_late (id INT PRIMARY KEY, v VARCHAR(50)) SELECT seq AS id, "
             "MD5(seq) AS v FROM seq_1_to_1000")]):
        source, name = world.source, f"ddl-{number}"
        source.sql("USE bank", *(
            f"CREATE TABLE IF NOT EXISTS {table} (id INT PRIMARY KEY, v VARCHAR(50)) SELECT seq AS id, MD5(seq) AS v "
            f"FROM seq_1_to_{rows}" for table, rows in (("zz_late", 1000), ("zz_other", 10))))
        plan = world.database_plan("ddl.yaml", source, databases="[bank]", limits="bandwidth: 4MiB/s, workers: 1")
        process = start_slow_export(world, name, plan)
        source.sql(change)
        error = process.communicate(timeout=300)[1].decode()
        expect(process.returncode == 1 and "zz_late was changed after the moment" in error, f"{change}: {process.returncode} {error}")
        expect(not os.path.exists(os.path.join(world.at(name), "proof")), "sealed all the same")
        source.sql(back)
        plan = world.database_plan("ddl.yaml", source, databases="[bank]")
        result = world.run("export", plan, "--output", world.at(name))
        expect(result.status == 0, f"{change}: {result.status} {result.err}")
        journal = open(os.path.join(world.at(name), "exeat", "journal.jsonl")).read()
        expect("segment.voided" in journal, "the second beginning is not on record")
        if number == 0:
            plan = world.database_import("ddl-import.yaml", world.target, ", existing: replace")
            result = world.run("import", world.at(name), plan, "--work", world.at("ddl-work"))
            expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")


def a_session_is_lost(world):
    """One of the sessions of the moment is ended by someone: the moment is void."""
    plan = world.database_plan("lost.yaml", world.source, databases="[bank]", limits="bandwidth: 4MiB/s, workers: 2")
    process = start_slow_export(world, "lost", plan)
    for number in world.source.sql("SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT%bulk%' AND info "
                                   "NOT LIKE '%processlist%'").split():
        world.source.sql(f"KILL {number}", check=False)
    error = process.communicate(timeout=300)[1].decode()
    if process.returncode == 0:
        raise Skip("no session was reading")
    expect(process.returncode == 1 and "moment" in error, f"{process.returncode} {error}")


def somebody_holds_a_lock(world):
    """The lock is waited for as long as the plan says; who is in the way is not ended."""
    source = world.source
    source.sql("CREATE TABLE IF NOT EXISTS bank.old (id INT) ENGINE = MyISAM")
    other = subprocess.Popen(source.client("bank"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    other.stdin.write(b"LOCK TABLES old WRITE; SELECT 'held';\n")
    other.stdin.flush()
    source.until("SHOW OPEN TABLES FROM bank WHERE `Table` = 'old' AND In_use > 0")
    plan = world.database_plan("held.yaml", source, "secrets: omit, non-transactional: accept, lock-timeout: 2", databases="[bank]")
    began = time.time()
    result = world.run("export", plan, "--output", world.at("held"))
    expect(result.status == 1 and "lock-timeout" in result.err and time.time() - began < 60, f"{result.status} {result.err}")
    other.stdin.write(b"INSERT INTO old VALUES (1); UNLOCK TABLES;\n")
    out = other.communicate(timeout=120)[0].decode()
    expect(other.returncode == 0 and "held" in out, "the other session was ended")
    result = world.run("export", plan, "--output", world.at("held"))
    expect(result.status == 0, f"{result.status} {result.err}")
    source.sql("DROP TABLE bank.old")


def tables_without_transactions(world):
    source = world.source
    source.sql("CREATE TABLE bank.old (id INT) ENGINE = MyISAM", "INSERT INTO bank.old VALUES (1)")
    plan = world.database_plan("undecided.yaml", source, "secrets: omit", databases="[bank]")
    result = world.run("plan", plan)
    expect(b"bank.old" in result.out and b"non-transactional" in result.out, result.out.decode())
    result = world.run("export", plan, "--output", world.at("undecided"))
    expect(result.status == 2, f"{result.status} {result.err}")
    plan = world.database_plan("lock.yaml", source, "secrets: omit, non-transactional: lock", databases="[bank]",
                               limits="bandwidth: 2MiB/s, workers: 1")
    process = start_slow_export(world, "locked", plan)
    insert = subprocess.Popen(source.client("-e", "INSERT INTO bank.old VALUES (2)"))
    source.until("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'INSERT INTO bank.old%' AND "
                 "state LIKE 'Waiting for%'")
    expect(insert.poll() is None and process.poll() is None, "the table can be written while it is locked")
    expect(process.wait(300) == 0 and insert.wait(120) == 0, "export and insert")
    source.sql("DROP TABLE bank.old")


def prepared_transactions(world):
    """What is prepared for two-phase commit is in no snapshot: it is told."""
    source = world.source
    source.sql("XA START 'half'", "INSERT INTO bank.totals VALUES (9, 9)", "XA END 'half'", "XA PREPARE 'half'")
    try:
        plan = world.database_plan("prepared.yaml", source, databases="[bank]")
        expect(b"prepared-transactions" in world.run("plan", plan).out, "the plan does not tell")
        result = world.run("export", plan, "--output", world.at("prepared"))
        expect(result.status == 2 and b"prepared-transactions" in result.out, f"{result.status} {result.err}")
    finally:
        source.sql("XA ROLLBACK 'half'")


suite = DatabaseSuite()
suite.world.source = suite.world.server("source", "--log-bin", "--server-id=1")
suite.world.target = suite.world.server("target")
fill_bank(suite.world.source)
suite.case("one moment while others write", one_moment)
suite.case("definitions change meanwhile", definitions_change_meanwhile)
suite.case("a session is lost", a_session_is_lost)
suite.case("somebody holds a lock", somebody_holds_a_lock)
suite.case("tables without transactions", tables_without_transactions)
suite.case("prepared transactions", prepared_transactions)
suite.finish()
