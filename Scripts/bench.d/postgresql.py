"""Scripts/bench postgresql: exports and imports a database with every tool.

The data are like a hospital's: one table of laboratory results with most of the bytes, and patients,
stays and documents around it. Source and target are two throw-away clusters on this machine, so server
and client share its processors. What bounds everything is measured too: the rate at which the server
itself writes COPY text, and that of zstd.
"""
import glob
import os
import shutil
import socket
import subprocess
import sys

import measure
import units
from databases import DatabaseBench

# In tables, with the share of the smaller ones; indexes come on top.
BYTES_PER_RESULT = 110


def run(options):
    measure.need("/usr/bin/time", "zstd", "pgcopydb")
    PostgreSQLBench(options).run()


def server_binaries():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    if not found:
        sys.exit("no PostgreSQL server; install with: Scripts/setup")
    return found[-1]


class Cluster:
    def __init__(self, path):
        self.path, self.bin = path, server_binaries()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        path.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(path, "postgres", "postgres")
        self.tool("initdb", "-D", f"{path}/data", "-A", "trust", "-U", "postgres", "-E", "UTF8",
                  "--locale=C.UTF-8")
        with open(path / "data/postgresql.conf", "a") as file:
            file.write(f"port = {self.port}\nunix_socket_directories = '{path}'\n"
                       "listen_addresses = ''\nshared_buffers = 1GB\nmax_wal_size = 8GB\n"
                       "maintenance_work_mem = 256MB\ncheckpoint_timeout = 30min\n")
        self.tool("pg_ctl", "-D", f"{path}/data", "-l", f"{path}/log", "-w", "start")

    def tool(self, name, *arguments):
        words = [f"{self.bin}/{name}", *arguments]
        if os.geteuid() == 0:
            words = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *words]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def sql(self, database, *statements):
        words = [f"{self.bin}/psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", str(self.path), "-p",
                 str(self.port), "-U", "postgres", "-d", database]
        for statement in statements:
            words += ["-c", statement]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()

    def options(self, database=""):
        return f"-h {self.path} -p {self.port} -U postgres {database}"

    def conninfo(self, database):
        return f"host={self.path} port={self.port} dbname={database} user=postgres"

    def close(self):
        subprocess.run(
            (["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
             if os.geteuid() == 0 else [])
            + [f"{self.bin}/pg_ctl", "-D", f"{self.path}/data", "-m", "immediate", "stop"],
            stdout=subprocess.DEVNULL, cwd="/")


def fill(cluster, size):
    """The database `hospital` of about `size` bytes in tables."""
    results = size // BYTES_PER_RESULT
    cluster.sql("postgres", "CREATE DATABASE hospital")
    cluster.sql(
        "hospital",
        "CREATE TABLE patient (id int PRIMARY KEY, name text NOT NULL, born date NOT NULL, address text)",
        "CREATE TABLE stay (id int PRIMARY KEY, patient int NOT NULL, ward text, since timestamptz, "
        "until timestamptz)",
        "CREATE TABLE result (id bigint PRIMARY KEY, stay int NOT NULL, at timestamptz NOT NULL, code "
        "text NOT NULL, value double precision, unit text, low real, high real, note text)",
        "CREATE TABLE document (id int PRIMARY KEY, stay int NOT NULL, title text, content bytea)",
        f"INSERT INTO patient SELECT g, md5(g::text), date '1930-01-01' + (g * 7919 % 33000), "
        f"g || ' rue ' || md5((g % 1000)::text) FROM generate_series(1, {results // 100}) g",
        f"INSERT INTO stay SELECT g, 1 + g * 31 % {results // 100}, 'W' || g % 60, timestamptz "
        f"'2018-01-01' + g * interval '3 minutes', timestamptz '2018-01-05' + g * interval '3 minutes' "
        f"FROM generate_series(1, {results // 30}) g",
        f"INSERT INTO result SELECT g, 1 + g * 17 % {results // 30}, timestamptz '2018-01-01' + g * "
        "interval '7 seconds', 'L' || (g * 2654435761 % 2500), (hashint8(g) % 100000) / 313.0, "
        "(ARRAY['mg/dL', 'mmol/L', 'g/L', 'IU/L'])[1 + g % 4], 1.5, 7.25, CASE WHEN g % 5 = 0 THEN "
        f"'checked by ' || md5((g % 3000)::text) || ' again' END FROM generate_series(1, {results}) g",
        f"INSERT INTO document SELECT g, 1 + g % {results // 30}, 'Letter ' || g, decode(repeat(md5("
        f"g::text), 40), 'hex') FROM generate_series(1, {results // 200}) g",
        "CREATE INDEX ON stay (patient)", "CREATE INDEX ON result (stay, at)",
        "CREATE INDEX ON result (code)", "CREATE INDEX ON document (stay)",
        "ALTER TABLE stay ADD FOREIGN KEY (patient) REFERENCES patient",
        "ALTER TABLE result ADD FOREIGN KEY (stay) REFERENCES stay",
        "ALTER TABLE document ADD FOREIGN KEY (stay) REFERENCES stay", "VACUUM ANALYZE")


class PostgreSQLBench(DatabaseBench):
    kind, title = "postgresql", "PostgreSQL"

    def prepare(self):
        size = self.options.size or (256 << 20 if self.options.quick else 2 << 30)
        self.source = self.cluster("source")
        self.target = self.cluster("target")
        print(f"filling a database of {units.size(size)}", flush=True)
        fill(self.source, size)
        self.bytes = int(self.source.sql("hospital", "SELECT sum(pg_table_size(oid)) FROM pg_class "
                                         "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"))
        self.rows = int(self.source.sql("hospital", "SELECT sum(n_live_tup) FROM pg_stat_user_tables"))
        self.limits = self.measure_limits()

    def cluster(self, name):
        cluster = Cluster(self.folder / name)
        self.servers.append(cluster)
        return cluster

    def measure_limits(self):
        """COPY text of the largest table, written to nowhere by two sessions; and zstd on it."""
        psql = f"{self.source.bin}/psql -XqAt {self.source.options('hospital')}"
        half = int(self.source.sql("hospital", "SELECT pg_relation_size('result') / 8192")) // 2
        copies = " & ".join(
            f"{psql} -c \"COPY (SELECT * FROM result WHERE ctid {sign} '({half},0)') TO '/dev/null'\""
            for sign in ("<", ">="))
        cost = measure.run(copies + " & wait", self.folder)
        measure.run(f"{psql} -c \"COPY (SELECT * FROM result LIMIT 1000000) TO STDOUT\" > sample", self.folder)
        length = (self.folder / "sample").stat().st_size
        total = int(self.source.sql("hospital", "SELECT count(*) FROM result")) / 1e6 * length
        squeezed = measure.run("zstd -q -3 -T2 < sample > sample.zst", self.folder)
        return [("the server's COPY to /dev/null by two sessions", total / cost.wall),
                ("zstd -3 -T2 of the same text", length / squeezed.wall)]

    def round(self, work):
        pg, name = self.source.bin, self.binary
        source, target = self.source.options("hospital"), self.target.options()
        self.export(work, "pg_dump -Fd -j2", f"{pg}/pg_dump {source} -Fd -j2 -f dump; sync -f .", "dump")
        self.export(work, "pg_dump | zstd", f"{pg}/pg_dump {source} | zstd -q -T2 -3 -o dump.zst; sync -f .", "dump.zst")
        measure.run(f"{name} keys new bench", work)
        (work / "export.yaml").write_text(
            "exeat: 1\nrun: { purpose: trial }\nsources:\n  db: { kind: postgresql, secrets: omit, "
            f"connection: \"{self.source.conninfo('hospital')}\" }}\n"
            "archive: { name: bench, sign-with: bench, compression: { level: 3 } }\n")
        self.export(work, "exeat", f"{name} export export.yaml --output store --progress none; sync -f .", "store")
        fresh = f"{pg}/dropdb --if-exists {target} copied; {pg}/createdb {target} copied"
        self.load(work, "pg_restore -j2", f"{pg}/pg_restore {target} -d copied -j2 dump", fresh)
        (work / "import.yaml").write_text(
            "exeat: 1\ntrust: bench.trust.json\nsign-with: bench\ntargets:\n  db: { kind: postgresql, "
            f"connection: \"{self.target.conninfo('copied')}\" }}\n")
        self.load(work, "exeat", f"{name} import store import.yaml --work work --progress none", fresh)
        uris = (f"--source 'postgres://postgres@/hospital?host={self.source.path}&port={self.source.port}' "
                f"--target 'postgres://postgres@/copied?host={self.target.path}&port={self.target.port}'")
        self.load(work, "pgcopydb clone", f"pgcopydb clone --dir copydb --table-jobs 2 --index-jobs 2 {uris}", fresh)
        if "compare" in subprocess.run(["pgcopydb", "help"], capture_output=True, text=True).stdout:
            script = f"pgcopydb compare data --dir copydb2 {uris}"
        else:
            # What later releases do is done by hand, both sides at once.
            self.notes = ["this pgcopydb has no `compare data`: the query that later releases run for each table "
                          "was run by psql, on both servers at once"]
            queries = " ".join(
                f"-c 'SELECT count(*), sum(hashtext({table}::text)::bigint) FROM ONLY {table}'"
                for table in ("patient", "stay", "result", "document"))
            psql = f"{pg}/psql -XqAt -v ON_ERROR_STOP=1"
            script = (f"{psql} {source} {queries} > ours & {psql} {target} -d copied {queries} > theirs; "
                      "wait; cmp ours theirs")
        self.add("compare", "pgcopydb clone", measure.run(script, work), 0)

    def load(self, work, tool, script, fresh):
        measure.run(fresh, work)
        self.target.sql("postgres", "CHECKPOINT")
        measure.settle()
        self.add("import", tool, measure.run(script, work), 0)

    def versions(self):
        return (f"{measure.version(self.source.bin + '/pg_dump', '--version')}; "
                f"pgcopydb {measure.version('pgcopydb', '--version')}")

    def targets(self):
        ours, back = self.wall("export", "exeat"), self.wall("import", "exeat")
        clone = (self.wall("import", "pgcopydb clone") or 0) + (self.wall("compare", "pgcopydb clone") or 0)
        return [
            ("export at least 2.5× faster than pg_dump -Fd -j2", self.wall("export", "pg_dump -Fd -j2") / ours, 2.5),
            ("export faster than pg_dump \\| zstd -T2 at the same level", self.wall("export", "pg_dump | zstd") / ours, 1),
            ("import with its proof no slower than pg_restore -j2 without one", self.wall("import", "pg_restore -j2") / back, 1),
            ("export and import with its proof faster than pgcopydb clone and compare data",
             clone / (ours + back), 1),
        ]
