"""What the MariaDB tests share: throw-away servers, databases with everything in them, plans.

Python 3 and its standard library only. $EXEAT names the binary; .build/debug/exeat otherwise.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from robustness_kit import Skip, Suite, World, expect

HERE = os.path.dirname(os.path.abspath(__file__))
HOSTILE = os.path.join(HERE, "mariadb", "hostile.sql")
# The second name would need quotes everywhere.
DATABASES = ["portail", "we`ird db"]

if not shutil.which("mariadbd"):
    raise SystemExit("SKIPPED: no MariaDB server is installed (Scripts/setup)")


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


class Server:
    """One server on a socket in its own directory and on a free port of loopback."""

    def __init__(self, path, *options):
        self.path, self.options, self.process = path, list(options), None
        # A server that starts removes the temporary tables of all that share a directory for them.
        os.makedirs(path + "/tmp")
        self.socket = os.path.join(path, "sock")
        self.user = ["--user=root"] if os.geteuid() == 0 else []
        done = subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={path}/data", "--skip-test-db", "--force",
             "--auth-root-authentication-method=normal", f"--tmpdir={path}/tmp", *self.user], capture_output=True)
        expect(done.returncode == 0, "no data directory: " + (done.stdout + done.stderr).decode(errors="replace")[-2000:])
        # As late as can be: whoever asks next may be given the same.
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["mariadbd", "--no-defaults", f"--datadir={self.path}/data", f"--socket={self.socket}",
             f"--port={self.port}", "--bind-address=127.0.0.1", f"--pid-file={self.path}/pid", f"--tmpdir={self.path}/tmp",
             f"--log-error={self.path}/errors", "--innodb-buffer-pool-size=256M", "--local-infile=1",
             "--max-allowed-packet=64M", "--log-bin-trust-function-creators=1",
             "--innodb-flush-log-at-trx-commit=0", *self.user, *self.options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.time() + 180
        while subprocess.run(self.client("-e", "SELECT 1"), capture_output=True).returncode:
            if time.time() > deadline or self.process.poll() is not None:
                raise AssertionError("no server: " + open(f"{self.path}/errors").read()[-2000:])
            time.sleep(0.1)

    def client(self, *arguments, user="root", password=None):
        words = ["mariadb", "--no-defaults", "--default-character-set=utf8mb4", "-u", user, "-S", self.socket]
        return words + ([f"-p{password}"] if password else []) + list(arguments)

    def sql(self, *statements, database=None, check=True, user="root", password=None):
        """Runs statements and gives back what they print, without decoration."""
        done = subprocess.run(
            self.client("-N", "--raw", *(["-D", database] if database else []), "-e",
                        ";\n".join(statements), user=user, password=password), capture_output=True,
            timeout=300, stdin=subprocess.DEVNULL)
        if check and done.returncode:
            raise AssertionError(f"{statements}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode(errors="replace").strip()

    def until(self, question, seconds=60):
        """Waits until a question has an answer that is neither nothing nor 0, and gives it back."""
        deadline = time.time() + seconds
        while (answer := self.sql(question)) in ("", "0"):
            expect(time.time() < deadline, f"after {seconds} s still nothing: {question}")
            time.sleep(0.05)
        return answer

    def script(self, path):
        with open(path, "rb") as file:
            done = subprocess.run(self.client("--binary-mode"), stdin=file, capture_output=True, timeout=300)
        expect(done.returncode == 0, done.stderr.decode(errors="replace"))

    def dump(self, *databases, data=True):
        """What mariadb-dump writes, without what differs each time: rows in hexadecimal, and with
        their history."""
        done = subprocess.run(
            ["mariadb-dump", "--no-defaults", "-u", "root", "-S", self.socket, "--routines", "--events",
             "--triggers", "--hex-blob", "--skip-dump-date", "--skip-extended-insert", "--order-by-primary",
             *(["--dump-history"] if data else ["--no-data"]), "--databases", *databases],
            capture_output=True, timeout=300)
        expect(done.returncode == 0, done.stderr.decode(errors="replace"))
        return [line for line in done.stdout.decode("utf-8", "surrogateescape").splitlines()
                if not line.startswith(("-- Server version", "-- MariaDB dump"))]

    def tables(self, database):
        return self.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = "
                        f"'{database}' AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')").splitlines()

    def bits(self, database):
        """The bits of every FLOAT and DOUBLE, and the bytes of every text, as the server has them: by
        means that no client can change on the way."""
        found = {}
        rows = self.sql(
            "SELECT HEX(table_name), HEX(column_name), data_type FROM information_schema.columns c WHERE "
            f"table_schema = '{database}' AND EXISTS (SELECT 1 FROM information_schema.tables t WHERE "
            "t.table_schema = c.table_schema AND t.table_name = c.table_name AND table_type IN "
            "('BASE TABLE', 'SYSTEM VERSIONED')) AND extra NOT LIKE '%VIRTUAL%'")
        for line in rows.splitlines():
            table, column, kind = line.split("\t")
            table, column = bytes.fromhex(table).decode(), bytes.fromhex(column).decode()
            value = {"float": f"CAST({quoted(column)} AS DOUBLE)", "double": f"CAST({quoted(column)} AS DOUBLE)"}.get(
                kind, f"HEX({quoted(column)})")
            found[table, column] = self.sql(
                f"SELECT COUNT(*), SHA2(GROUP_CONCAT(COALESCE({value}, 'null') ORDER BY 1 SEPARATOR ','), 256) FROM "
                f"(SELECT {quoted(column)} FROM {quoted(database)}.{quoted(table)} ORDER BY HEX({quoted(column)})) x")
        return found

    def grants(self):
        accounts = self.sql(
            "SELECT IF(is_role = 'Y', CONCAT('`', User, '`'), CONCAT(QUOTE(User), '@', QUOTE(Host))) FROM mysql.user "
            "WHERE User NOT IN ('root', 'mariadb.sys', 'mysql', 'PUBLIC') ORDER BY 1").splitlines()
        lines = []
        for account in accounts:
            for line in self.sql(f"SHOW GRANTS FOR {account}").splitlines():
                line = re.sub(r" IDENTIFIED BY PASSWORD '[^']*'", "", line)
                # Columns come in no order.
                lines.append(" ".join(sorted(re.findall(r"`[^`]*`|[^ ,()]+", line))))
        return sorted(lines)

    def stop(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self):
        self.kill()
        shutil.rmtree(self.path, ignore_errors=True)


class DatabaseWorld(World):
    """Keys, plans, and servers that are stopped at the end."""

    def __init__(self):
        super().__init__()
        self.servers = []

    def server(self, name, *options):
        server = Server(self.at(name), *options)
        self.servers.append(server)
        return server

    def database_plan(self, name, server, extra="secrets: omit, non-transactional: lock", connection=None,
                      encrypt=False, limits="", databases=None):
        seal = f', encrypt-to: ["{self.recipient}"]' if encrypt else ""
        names = f", databases: {databases}" if databases else ""
        connection = connection or f"{{ socket: {server.socket}, user: root }}"
        text = (
            "exeat: 1\nrun: { purpose: trial }\nsources:\n"
            f"  dpi: {{ kind: mariadb, connection: {connection}{names}, {extra} }}\n"
            f"archive: {{ name: trial, sign-with: {self.at('keys/ours')}{seal} }}\n")
        return self.write(name, text + (f"limits: {{ {limits} }}\n" if limits else ""))

    def database_import(self, name, server, extra="", connection=None, more=""):
        connection = connection or f"{{ socket: {server.socket}, user: root }}"
        return self.write(
            name,
            f"exeat: 1\ntrust: {self.trust}\ndecrypt-with: {self.identity}\n"
            f"sign-with: {self.at('keys/ours')}\n{more}"
            f"targets:\n  dpi: {{ kind: mariadb, connection: {connection}{extra} }}\n")

    def close(self):
        for server in self.servers:
            server.close()
        super().close()


class DatabaseSuite(Suite):
    def __init__(self):
        self.world = DatabaseWorld()
        self.passed = self.failed = self.skipped = 0


def forget(server, *databases, accounts=True):
    """Takes databases and accounts away again, and rights in databases that are no longer."""
    server.sql(
        "SET foreign_key_checks = 0", *(f"DROP DATABASE IF EXISTS {quoted(name)}" for name in databases),
        *(f"DELETE FROM mysql.{table} WHERE Db NOT IN (SELECT schema_name FROM information_schema.schemata)"
          for table in ("db", "tables_priv", "columns_priv", "procs_priv")), "FLUSH PRIVILEGES")
    if accounts:
        for line in server.sql(
                "SELECT IF(is_role = 'Y', CONCAT('ROLE `', User, '`'), CONCAT('USER ', QUOTE(User), '@', QUOTE(Host))) "
                "FROM mysql.user WHERE User NOT IN ('root', 'mariadb.sys', 'mysql', 'PUBLIC')").splitlines():
            server.sql(f"DROP {line}")


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
