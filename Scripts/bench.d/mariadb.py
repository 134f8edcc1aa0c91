"""Scripts/bench mariadb: exports and imports a database with every tool.

The data are like a hospital's: one table of laboratory results with most of the bytes, and patients,
stays and documents around it. Source and target are two throw-away servers on this machine, so server
and client share its processors.
"""
import os
import socket
import subprocess
import time

import measure
import units
from databases import DatabaseBench

BYTES_PER_RESULT = 130


def run(options):
    measure.need("/usr/bin/time", "zstd", "mydumper", "mariadbd", "mariadb-dump")
    MariaDBBench(options).run()


class Server:
    def __init__(self, path):
        self.path = path
        path.mkdir(parents=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.socket = path / "socket"
        user = ["--user=root"] if os.geteuid() == 0 else []
        subprocess.run(["mariadb-install-db", "--no-defaults", f"--datadir={path}/data", "--skip-test-db",
                        "--auth-root-authentication-method=normal", f"--tmpdir={path}", *user], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen(
            ["mariadbd", "--no-defaults", f"--datadir={path}/data", f"--socket={self.socket}", f"--port={port}",
             "--bind-address=127.0.0.1", f"--pid-file={path}/pid", f"--log-error={path}/errors",
             "--innodb-buffer-pool-size=1G", "--innodb-log-file-size=1G", "--local-infile=1",
             "--max-allowed-packet=64M", f"--tmpdir={path}", *user],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.time() + 60
        while subprocess.run(self.client("-e", "SELECT 1"), capture_output=True).returncode:
            if time.time() > deadline:
                raise SystemExit(f"the server in {path} does not start: see {path}/errors")
            time.sleep(0.2)

    def client(self, *arguments):
        return ["mariadb", "--no-defaults", "-u", "root", "-S", str(self.socket), *arguments]

    def sql(self, *statements):
        done = subprocess.run(self.client("-Nse", "; ".join(statements)), capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout.strip()

    def close(self):
        self.process.terminate()
        self.process.wait()


def fill(server, size):
    """The database `hospital` of about `size` bytes in tables."""
    results = size // BYTES_PER_RESULT
    server.sql(
        "CREATE DATABASE hospital CHARACTER SET utf8mb4", "USE hospital",
        "CREATE TABLE patient (id INT PRIMARY KEY, name VARCHAR(80) NOT NULL, born DATE NOT NULL, address VARCHAR(200))",
        "CREATE TABLE stay (id INT PRIMARY KEY, patient INT NOT NULL, ward VARCHAR(10), since DATETIME, until DATETIME, "
        "KEY (patient))",
        "CREATE TABLE result (id BIGINT PRIMARY KEY, stay INT NOT NULL, at DATETIME NOT NULL, code VARCHAR(20) NOT NULL, "
        "value DOUBLE, unit VARCHAR(10), low FLOAT, high FLOAT, note VARCHAR(200), KEY (stay, at), KEY (code))",
        "CREATE TABLE document (id INT PRIMARY KEY, stay INT NOT NULL, title VARCHAR(80), content BLOB, KEY (stay))",
        f"INSERT INTO patient SELECT seq, MD5(seq), DATE '1930-01-01' + INTERVAL (seq * 7919 % 33000) DAY, "
        f"CONCAT(seq, ' rue ', MD5(seq % 1000)) FROM seq_1_to_{results // 100}",
        f"INSERT INTO stay SELECT seq, 1 + seq * 31 % {results // 100}, CONCAT('W', seq % 60), TIMESTAMP '2018-01-01 00:00:00' + "
        f"INTERVAL seq * 3 MINUTE, TIMESTAMP '2018-01-05 00:00:00' + INTERVAL seq * 3 MINUTE FROM seq_1_to_{results // 30}",
        f"INSERT INTO result SELECT seq, 1 + seq * 17 % {results // 30}, TIMESTAMP '2018-01-01 00:00:00' + INTERVAL seq * 7 SECOND, "
        "CONCAT('L', seq * 2654435761 % 2500), CRC32(seq) % 100000 / 313.0, ELT(1 + seq % 4, 'mg/dL', 'mmol/L', 'g/L', "
        "'IU/L'), 1.5, 7.25, IF(seq % 5 = 0, CONCAT('checked by ', MD5(seq % 3000), ' again'), NULL) "
        f"FROM seq_1_to_{results}",
        f"INSERT INTO document SELECT seq, 1 + seq % {results // 30}, CONCAT('Letter ', seq), UNHEX(REPEAT(MD5(seq), 40)) "
        f"FROM seq_1_to_{results // 200}",
        "ALTER TABLE stay ADD FOREIGN KEY (patient) REFERENCES patient (id)",
        "SET foreign_key_checks = 0", "ALTER TABLE result ADD FOREIGN KEY (stay) REFERENCES stay (id)",
        "ALTER TABLE document ADD FOREIGN KEY (stay) REFERENCES stay (id)",
        "ANALYZE TABLE patient, stay, result, document")


class MariaDBBench(DatabaseBench):
    kind, title = "mariadb", "MariaDB"

    def prepare(self):
        size = self.options.size or (192 << 20 if self.options.quick else 1536 << 20)
        self.source, self.target = Server(self.folder / "source"), Server(self.folder / "target")
        self.servers += [self.source, self.target]
        print(f"filling a database of {units.size(size)}", flush=True)
        fill(self.source, size)
        self.bytes = int(self.source.sql(
            "SELECT SUM(data_length) FROM information_schema.tables WHERE table_schema = 'hospital'"))
        self.rows = sum(int(self.source.sql(f"SELECT COUNT(*) FROM hospital.{table}"))
                        for table in ("patient", "stay", "result", "document"))

    def versions(self):
        return f"{measure.version('mariadb-dump', '--version')}; {measure.version('mydumper', '--version')}"

    def round(self, work):
        name, source, target = self.binary, self.source.socket, self.target.socket
        self.export(work, "mydumper -t 2", f"mydumper -u root -S {source} -B hospital -t 2 -r 500000 -c -o dump; sync -f .", "dump")
        self.export(work, "mariadb-dump | zstd", f"mariadb-dump --no-defaults -u root -S {source} --single-transaction hospital "
                    "| zstd -q -T2 -3 -o dump.zst; sync -f .", "dump.zst")
        measure.run(f"{name} keys new bench", work)
        (work / "export.yaml").write_text(
            "exeat: 1\nrun: { purpose: trial }\nsources:\n  db: { kind: mariadb, secrets: omit, databases: [hospital], "
            f"connection: {{ socket: {source}, user: root }} }}\n"
            "archive: { name: bench, sign-with: bench, compression: { level: 3 } }\n")
        self.export(work, "exeat", f"{name} export export.yaml --output store --progress none; sync -f .", "store")
        (work / "import.yaml").write_text(
            "exeat: 1\ntrust: bench.trust.json\nsign-with: bench\ntargets:\n  db: { kind: mariadb, "
            f"connection: {{ socket: {target}, user: root }}, map: {{ databases: {{ hospital: copied }} }} }}\n")
        self.load(work, "exeat", f"{name} import store import.yaml --work work --progress none")
        self.load(work, "myloader -t 2", f"myloader -u root -S {target} -B copied -t 2 -d dump", "CREATE DATABASE copied")
        self.load(work, "mariadb <", f"zstd -dc dump.zst | mariadb --no-defaults -u root -S {target} copied", "CREATE DATABASE copied")

    def load(self, work, tool, script, *fresh):
        self.target.sql("SET foreign_key_checks = 0", "DROP DATABASE IF EXISTS copied", *fresh)
        measure.settle()
        self.add("import", tool, measure.run(script, work), 0)

    def targets(self):
        return [
            ("export at least 1.7× faster than mydumper -t 2 with its compression", self.ratio("export", "mydumper -t 2"), 1.7),
            ("export at least 1.4× faster than mariadb-dump \\| zstd -T2", self.ratio("export", "mariadb-dump | zstd"), 1.4),
            ("import, proof included, at least 1.3× faster than myloader -t 2", self.ratio("import", "myloader -t 2"), 1.3),
            ("import, proof included, at least 2.5× faster than mariadb <", self.ratio("import", "mariadb <"), 2.5),
        ]
