#!/usr/bin/env python3
"""Exports and imports while others write, change definitions, pull the plug, or allow little: the
archive is of one moment, what goes wrong is told, and the same command goes on."""
import json
import random
import threading

from mariadb_kit import *


def fill_bank(server, rows=200_000):
    """Two tables whose sums and counts belong together at every moment, and some bytes around them."""
    server.sql(
        "CREATE DATABASE bank", "USE bank",
        "CREATE TABLE account (id INT PRIMARY KEY, amount BIGINT NOT NULL, note VARCHAR(100)) ENGINE = InnoDB",
        "CREATE TABLE journal (id BIGINT AUTO_INCREMENT PRIMARY KEY, account INT, change_ BIGINT) ENGINE = InnoDB",
        "CREATE TABLE totals (id INT PRIMARY KEY, transfers BIGINT) ENGINE = InnoDB",
        "CREATE TABLE bulk (id INT PRIMARY KEY, v VARCHAR(200), w INT, KEY (w), UNIQUE KEY (v)) ENGINE = InnoDB",
        "INSERT INTO account SELECT seq, 1000, MD5(seq) FROM seq_1_to_5000",
        "INSERT INTO totals VALUES (1, 0)",
        f"INSERT INTO bulk SELECT seq, CONCAT(SHA2(seq, 256), seq), seq % 1000 FROM seq_1_to_{rows}",
        "ANALYZE TABLE account, journal, bulk")


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


def start_slow_export(world, name, plan):
    """An export that has begun to read, and is not at its end."""
    process = world.start("export", plan, "--output", world.at(name), "--progress", "plain")
    deadline = time.time() + 90
    journal = os.path.join(world.at(name), "exeat", "journal.jsonl")
    while time.time() < deadline and process.poll() is None:
        if os.path.exists(journal) and b"segment.committed" in open(journal, "rb").read():
            return process
        time.sleep(0.02)
    raise AssertionError(f"the export did not get going: {process.stderr.read().decode()}")


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


def killed_at_any_moment(world):
    """SIGKILL of exeat at random moments of export and import; the same command ends it."""
    chance = random.Random(7)
    plan = world.database_plan("killed.yaml", world.source, databases="[bank]")
    for number in range(6):
        name = f"killed-{number}"
        process = world.start("export", plan, "--output", world.at(name))
        time.sleep(chance.uniform(0.02, 0.8))
        process.kill()
        process.communicate()
        result = world.run("export", plan, "--output", world.at(name))
        expect(result.status == 0, f"{number}: {result.status} {result.err}")
    target = world.target
    for number in range(8):
        plan = world.database_import("killed-import.yaml", target, ", existing: replace")
        work = world.at(f"killed-work-{number}")
        for _ in range(3):
            process = world.start("import", world.at("killed-0"), plan, "--work", work)
            time.sleep(chance.uniform(0.05, 1.5))
            process.kill()
            process.communicate()
        result = world.run("import", world.at("killed-0"), plan, "--work", work)
        expect(result.status == 0, f"{number}: {result.status} {result.err} {result.out.decode()}")
        expect(target.sql("SELECT COUNT(*) FROM information_schema.tables WHERE table_name LIKE 'exeat%'") == "0", "marks stay")
    expect(world.source.dump("bank") == target.dump("bank"), "dumps differ")


def interrupted(world):
    """SIGINT ends cleanly, and quickly also while the server works on a long statement."""
    plan = world.database_plan("int.yaml", world.source, databases="[bank]", limits="bandwidth: 2MiB/s, workers: 1")
    process = start_slow_export(world, "int", plan)
    process.send_signal(signal.SIGINT)
    began = time.time()
    error = process.communicate(timeout=300)[1].decode()
    expect(process.returncode == 130 and time.time() - began < 30, f"{process.returncode} {error}")


def server_killed_meanwhile(world):
    source, target = world.source, world.target
    plan = world.database_plan("dead.yaml", source, databases="[bank]", limits="bandwidth: 4MiB/s, workers: 1")
    process = start_slow_export(world, "dead", plan)
    source.kill()
    error = process.communicate(timeout=300)[1].decode()
    expect(process.returncode == 1 and "moment" in error, f"{process.returncode} {error}")
    expect(not os.path.exists(os.path.join(world.at("dead"), "proof")), "sealed all the same")
    source.start()
    plan = world.database_plan("dead.yaml", source, databases="[bank]")
    result = world.run("export", plan, "--output", world.at("dead"))
    expect(result.status == 0, f"{result.status} {result.err}")
    plan = world.database_import("dead-import.yaml", target, ", existing: replace")
    for number, pause in enumerate((0.3, 0.8, 1.5)):
        work = world.at(f"dead-work-{number}")
        process = world.start("import", world.at("dead"), plan, "--work", work)
        time.sleep(pause)
        target.kill()
        error = process.communicate(timeout=300)[1].decode()
        expect(process.returncode in (0, 1), f"{process.returncode} {error}")
        target.start()
        result = world.run("import", world.at("dead"), plan, "--work", work)
        expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    expect(source.dump("bank") == target.dump("bank"), "dumps differ")


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


def little_rights(world):
    source = world.source
    source.sql("CREATE USER small@localhost IDENTIFIED BY 'pw'", "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON bank.* TO small@localhost")
    connection = f"{{ socket: {source.socket}, user: small, password: \"${{env:SMALL}}\" }}"
    plan = world.database_plan("small.yaml", source, "secrets: omit, accept: [accounts, hidden-objects]", databases="[bank]", connection=connection)
    result = world.run("export", plan, "--output", world.at("small"), env={"SMALL": "wrong"})
    expect(result.status == 1 and "wrong" not in result.err and "password" in result.err, result.err)
    result = world.run("export", plan, "--output", world.at("small"), env={"SMALL": "pw"})
    expect(result.status == 1 and "lock" in result.err, f"{result.status} {result.err}")
    result = world.run("plan", plan, env={"SMALL": "pw"})
    expect(b"GRANT RELOAD" in result.out, result.out.decode())
    source.sql("GRANT LOCK TABLES ON bank.* TO small@localhost")
    result = world.run("export", plan, "--output", world.at("small"), env={"SMALL": "pw"})
    expect(result.status == 0, f"{result.status} {result.err}")
    plan = world.database_plan("hidden.yaml", source, "secrets: omit, accept: [accounts]", databases="[bank]", connection=connection)
    result = world.run("export", plan, "--output", world.at("hidden"), env={"SMALL": "pw"})
    expect(result.status == 2 and "hidden-objects" in result.out.decode() + result.err, f"{result.status} {result.err}")
    plan = world.database_plan("missing.yaml", source, databases="[nowhere]")
    result = world.run("export", plan, "--output", world.at("missing"))
    expect(result.status == 1 and "nowhere" in result.err, result.err)
    source.sql("DROP USER small@localhost")


def a_row_too_long_for_insert(world):
    source, target = world.source, world.target
    source.sql("CREATE DATABASE long_rows", "CREATE TABLE long_rows.t (id INT PRIMARY KEY, v LONGBLOB)",
               "INSERT INTO long_rows.t VALUES (1, REPEAT('x', 3000000))")
    plan = world.database_plan("long.yaml", source, databases="[long_rows]")
    expect(world.run("export", plan, "--output", world.at("long")).status == 0, "export")
    target.sql("SET GLOBAL max_allowed_packet = 1048576")
    plan = world.database_import("long-import.yaml", target, "", connection=f"{{ socket: {target.socket}, user: root }}, load: insert")
    result = world.run("import", world.at("long"), plan, "--work", world.at("long-work"))
    expect(result.status == 1 and "max_allowed_packet" in result.err, f"{result.status} {result.err}")
    target.sql("SET GLOBAL max_allowed_packet = 67108864")
    result = world.run("import", world.at("long"), plan, "--work", world.at("long-work"))
    expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    forget(source, "long_rows", accounts=False)
    forget(target, "long_rows", accounts=False)


def filters(world):
    source = world.source
    source.sql("CREATE DATABASE filtered", "USE filtered", "CREATE TABLE parent (id INT PRIMARY KEY)",
               "CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id))",
               "CREATE TABLE cache_1 (id INT)", "CREATE TRIGGER of_cache BEFORE INSERT ON cache_1 FOR EACH ROW SET NEW.id = 1",
               "CREATE VIEW seen AS SELECT id FROM parent", "INSERT INTO parent VALUES (1)", "INSERT INTO child VALUES (1, 1)")
    out = "secrets: omit, exclude: {{ tables: [\"{}\"], reason: \"annex 3\" }}"
    for pattern, named in (("filtered.parent", "needs filtered.parent"), ("filtered.cache_*", None)):
        plan = world.database_plan("filter.yaml", source, out.format(pattern), databases="[filtered]")
        result = world.run("export", plan, "--output", world.at("filtered"))
        if named:
            expect(result.status == 1 and named in result.err, f"{result.status} {result.err}")
            expect(named in world.run("plan", plan).out.decode(), "the plan does not tell")
        else:
            expect(result.status == 0, f"{result.status} {result.err}")
    plan = world.database_import("filter-import.yaml", world.target)
    result = world.run("import", world.at("filtered"), plan, "--work", world.at("filter-work"))
    expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    expect(world.target.sql("SHOW TABLES IN filtered").split() == ["child", "parent", "seen"], "tables")
    forget(source, "filtered", accounts=False)


def cuts_large_tables_by_any_key(world):
    source, target = world.source, world.target
    filler = "REPEAT(SHA2(seq, 512), 2)"
    source.sql(
        "CREATE DATABASE large", "USE large",
        f"CREATE TABLE sparse (id BIGINT UNSIGNED PRIMARY KEY, v VARCHAR(300)) SELECT seq * 3 AS id, {filler} AS v FROM seq_1_to_130000",
        "INSERT INTO sparse VALUES (18446744073709551615, 'last'), (0, 'first'), (9223372036854775808, 'middle')",
        f"CREATE TABLE words (w VARCHAR(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PRIMARY KEY, v VARCHAR(300)) SELECT "
        f"CONCAT(IF(seq % 2, 'é', 'Z'), SHA2(seq, 224)) AS w, {filler} AS v FROM seq_1_to_130000",
        f"CREATE TABLE days (d DATE, n INT, v VARCHAR(300), PRIMARY KEY (d, n)) SELECT DATE '2000-01-01' + INTERVAL seq % 3000 DAY "
        f"AS d, seq AS n, {filler} AS v FROM seq_1_to_130000",
        f"CREATE TABLE ids (id UUID NOT NULL, v VARCHAR(300), UNIQUE KEY (id)) SELECT UUID() AS id, {filler} AS v FROM seq_1_to_130000",
        f"CREATE TABLE none (v VARCHAR(300)) SELECT {filler} AS v FROM seq_1_to_130000", "ANALYZE TABLE sparse, words, days, ids, none")
    plan = world.database_plan("large.yaml", source, databases="[large]")
    result = world.run("export", plan, "--output", world.at("large"))
    expect(result.status == 0, f"{result.status} {result.err}")
    for name, least in (("sparse", 2), ("words", 2), ("days", 2), ("ids", 2), ("none", 1)):
        outline = json.loads(world.run("inspect", world.at("large"), "--json").out)["manifest"]
        artifact = [a for s in outline["sources"] for a in s["artifacts"] if a["name"] == f"large.{name}"][0]
        count = len(artifact["segments"])
        expect(count >= least and (least > 1 or count == 1), f"{name}: {count} segments")
    plan = world.database_import("large-import.yaml", target)
    result = world.run("import", world.at("large"), plan, "--work", world.at("large-work"))
    expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    expect(source.dump("large") == target.dump("large"), "dumps differ")
    forget(source, "large", accounts=False)
    forget(target, "large", accounts=False)


def over_tls_and_option_files(world):
    """Certificates are checked; option files say the rest, as the client library has them."""
    folder = world.at("tls")
    os.makedirs(folder)
    for name, subject, signed in (("ca", "/CN=ca", None), ("other", "/CN=other", None), ("server", "/CN=localhost", "ca")):
        words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", subject,
                 "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"]
        if signed:
            words += ["-CA", f"{folder}/{signed}.pem", "-CAkey", f"{folder}/{signed}.key", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
        subprocess.run(words, check=True, capture_output=True)
    server = world.server("tls-server", f"--ssl-ca={folder}/ca.pem", f"--ssl-cert={folder}/server.pem", f"--ssl-key={folder}/server.key")
    server.sql("CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)", "INSERT INTO d.t VALUES (1)",
               "CREATE USER tls@'%' IDENTIFIED BY 'tls pw' REQUIRE SSL", "GRANT ALL ON *.* TO tls@'%'")
    options = world.write("tls.cnf", f"[client]\nuser=tls\npassword=\"tls pw\"\nport={server.port}\n", mode=0o600)
    good = f"{{ host: 127.0.0.1, defaults-file: {options}, ssl-ca: {folder}/ca.pem }}"
    plan = world.database_plan("tls.yaml", server, databases="[d]", connection=good)
    result = world.run("export", plan, "--output", world.at("tls-out"))
    expect(result.status == 0, f"{result.status} {result.err}")
    bad = f"{{ host: 127.0.0.1, port: {server.port}, defaults-file: {options}, ssl-ca: {folder}/other.pem }}"
    plan = world.database_plan("tls-bad.yaml", server, databases="[d]", connection=bad)
    result = world.run("export", plan, "--output", world.at("tls-bad"))
    expect(result.status == 1 and "ertificate" in result.err, f"{result.status} {result.err}")


def a_full_disk(world):
    """The target's disk fills up: told as such; with room, the same command goes on."""
    place = world.at("small-disk")
    os.makedirs(place)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=230m", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        raise Skip("no right to mount a small file system")
    try:
        server = world.server("small-disk/server", "--innodb-log-file-size=8M", "--innodb-data-file-path=ibdata1:12M:autoextend")
        plan = world.database_plan("disk.yaml", world.source, databases="[bank]")
        expect(world.run("export", plan, "--output", world.at("disk")).status == 0, "export")
        blocker = os.path.join(place, "blocker")
        free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
        with open(blocker, "wb") as file:
            file.write(b"x" * max(0, free - (20 << 20)))
        plan = world.database_import("disk-import.yaml", server)
        result = world.run("import", world.at("disk"), plan, "--work", world.at("disk-work"), timeout=300)
        expect(result.status == 1 and ("space" in result.err or "full" in result.err), f"{result.status} {result.err}")
        os.unlink(blocker)
        result = world.run("import", world.at("disk"), plan, "--work", world.at("disk-work"), timeout=300)
        expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    finally:
        for server in world.servers:
            if server.path.startswith(place):
                server.kill()
        subprocess.run(["umount", "-l", place], capture_output=True)


suite = DatabaseSuite()
suite.world.source = suite.world.server("source", "--log-bin", "--server-id=1")
suite.world.target = suite.world.server("target")
fill_bank(suite.world.source)
suite.case("one moment while others write", one_moment)
suite.case("definitions change meanwhile", definitions_change_meanwhile)
suite.case("killed at any moment", killed_at_any_moment)
suite.case("interrupted", interrupted)
suite.case("the server is killed meanwhile", server_killed_meanwhile)
suite.case("a session is lost", a_session_is_lost)
suite.case("somebody holds a lock", somebody_holds_a_lock)
suite.case("tables without transactions", tables_without_transactions)
suite.case("prepared transactions", prepared_transactions)
suite.case("little rights", little_rights)
suite.case("a row too long for INSERT", a_row_too_long_for_insert)
suite.case("filters", filters)
suite.case("large tables are cut by any key", cuts_large_tables_by_any_key)
suite.case("over TLS, with option files", over_tls_and_option_files)
suite.case("a full disk", a_full_disk)
suite.finish()
