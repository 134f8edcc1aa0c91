"""What the PostgreSQL tests share: throw-away clusters, a database with everything in it, plans.

Python 3 and its standard library only. $EXEAT names the binary; .build/debug/exeat otherwise.
"""
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from robustness_kit import Skip, Suite, World, expect

HERE = os.path.dirname(os.path.abspath(__file__))
HOSTILE = os.path.join(HERE, "postgresql", "hostile.sql")


def binaries():
    """The directory of the newest server that is installed."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"),
                   key=lambda path: int(path.split("/")[4]))
    if not found:
        raise SystemExit("SKIPPED: no PostgreSQL server is installed (Scripts/setup)")
    return os.path.dirname(found[-1])


def as_server(words):
    """A server does not run as root."""
    if os.geteuid() != 0:
        return words
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *words]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _is_running(pid):
    try:
        state = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


class Cluster:
    """One server on a socket in its own directory and on a free port of loopback."""

    def __init__(self, path, *, encoding="UTF8", locale="C.UTF-8", data=None):
        self.path = path
        self.data = data or os.path.join(path, "data")
        self.bin = binaries()
        os.makedirs(path)
        if os.geteuid() == 0:
            shutil.chown(path, "postgres", "postgres")
        self.tool("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", encoding,
                  f"--locale={locale}", "--no-sync")
        # As late as can be: whoever asks next may be given the same.
        self.port = free_port()
        self.configure("fsync = off\nmax_connections = 60\nmax_prepared_transactions = 5\n"
                       f"port = {self.port}\nunix_socket_directories = '{path}'\n"
                       "listen_addresses = '127.0.0.1'\nlog_min_messages = panic\n")
        self.start()

    def configure(self, text):
        with open(os.path.join(self.data, "postgresql.conf"), "a") as file:
            file.write(text)

    def tool(self, name, *arguments, check=True, timeout=300):
        done = subprocess.run(
            as_server([os.path.join(self.bin, name), *arguments]), capture_output=True, timeout=timeout,
            cwd="/", stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise AssertionError(f"{name}: {done.stderr.decode(errors='replace')}")
        return done

    def start(self):
        log = os.path.join(self.path, "log")
        # The server keeps the pipes of whoever starts it: they go to a file.
        with open(os.devnull, "wb") as void:
            subprocess.run(
                as_server([os.path.join(self.bin, "pg_ctl"), "-D", self.data, "-l", log, "-w",
                           "-t", "180", "start"]), check=True, stdout=void, stderr=void,
                stdin=subprocess.DEVNULL, cwd="/")

    def stop(self, mode="immediate"):
        self.tool("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop", check=False)

    def kill(self):
        """SIGKILL for the postmaster; returns when its children have noticed and ended, since none of
        them may be left for a server to start on the same directory."""
        pid = int(open(os.path.join(self.data, "postmaster.pid")).readline())
        children = open(f"/proc/{pid}/task/{pid}/children").read().split()
        os.kill(pid, signal.SIGKILL)
        deadline = time.time() + 120
        while any(_is_running(child) for child in [pid, *children]):
            expect(time.time() < deadline, "the processes of a killed server do not end")
            time.sleep(0.05)

    def conninfo(self, database, user="postgres", tcp=False, **more):
        host = "127.0.0.1" if tcp else self.path
        words = dict(host=host, port=self.port, dbname=database, user=user, **more)
        return " ".join(f"{key}={value}" for key, value in words.items())

    def sql(self, database, *statements, user="postgres", check=True):
        """Runs statements and gives back what the last of them prints, without decoration."""
        words = [os.path.join(self.bin, "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.path,
                 "-p", str(self.port), "-U", user, "-d", database]
        for statement in statements:
            words += ["-c", statement]
        done = subprocess.run(words, capture_output=True, timeout=300, stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise AssertionError(f"{statements}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode(errors="replace").strip()

    def until(self, database, question, seconds=60):
        """Waits until a question has an answer that is neither nothing, nor false, nor 0, and gives it back."""
        deadline = time.time() + seconds
        while (answer := self.sql(database, question)) in ("", "f", "0"):
            expect(time.time() < deadline, f"after {seconds} s still nothing: {question}")
            time.sleep(0.05)
        return answer

    def script(self, database, path):
        done = subprocess.run(
            [os.path.join(self.bin, "psql"), "-Xq", "-v", "ON_ERROR_STOP=1", "-h", self.path, "-p",
             str(self.port), "-U", "postgres", "-d", database, "-f", path], capture_output=True,
            timeout=300, stdin=subprocess.DEVNULL)
        expect(done.returncode == 0, done.stderr.decode(errors="replace"))

    def dump(self, database, *options):
        """The definitions as pg_dump writes them, without what differs each time."""
        done = self.tool("pg_dump", "-h", self.path, "-p", str(self.port), "-U", "postgres",
                         "--schema-only", *options, database)
        return [line for line in done.stdout.decode(errors="replace").splitlines()
                if not re.match(r"\\(un)?restrict ", line)]

    def digests(self, database):
        """Count and digest of the rows of every table, taken by the server itself."""
        found = {}
        names = self.sql(
            database,
            "SELECT json_agg(c.oid::regclass::text) FROM pg_class c JOIN pg_namespace n ON n.oid = "
            "relnamespace WHERE relkind IN ('r', 'p') AND NOT relispartition AND nspname !~ '^pg_' "
            "AND nspname NOT IN ('information_schema', 'exeat_import')")
        for name in json.loads(names or "[]") or []:
            only = "" if self.sql(database, f"SELECT relkind FROM pg_class WHERE oid = $${name}$$::regclass") == "p" else "ONLY "
            found[name] = self.sql(
                database, "SET extra_float_digits = 3; SET row_security = off",
                "SELECT count(*), coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') "
                f"FROM {only}{name} t")
        return found

    def close(self):
        self.stop()
        shutil.rmtree(self.path, ignore_errors=True)


def fill_hostile(cluster, database="dpi"):
    """The roles and the database of `postgresql/hostile.sql`."""
    cluster.sql(
        "postgres", "CREATE ROLE app_owner LOGIN PASSWORD 'owner-secret-1'", "CREATE ROLE app_reader",
        'CREATE ROLE "App ""Odd"" Role" NOLOGIN', "GRANT app_reader TO app_owner WITH ADMIN OPTION",
        "ALTER ROLE app_owner SET work_mem = '8MB'", f"CREATE DATABASE {database}",
        f"ALTER DATABASE {database} SET search_path = app, public",
        f"ALTER ROLE app_reader IN DATABASE {database} SET statement_timeout = '1h'",
        f"COMMENT ON DATABASE {database} IS 'the database'",
        f"GRANT CONNECT ON DATABASE {database} TO app_reader")
    cluster.script(database, HOSTILE)


class DatabaseWorld(World):
    """Keys, plans, and clusters that are stopped at the end."""

    def __init__(self):
        super().__init__()
        self.clusters = []

    def cluster(self, name, **options):
        cluster = Cluster(self.at(name), **options)
        self.clusters.append(cluster)
        return cluster

    def database_plan(self, name, connection, extra="secrets: omit, accept: [foreign-tables]",
                      encrypt=False, limits="", source="dpi"):
        seal = f', encrypt-to: ["{self.recipient}"]' if encrypt else ""
        text = (
            "exeat: 1\nrun: { purpose: trial }\nsources:\n"
            f"  {source}: {{ kind: postgresql, connection: \"{connection}\", {extra} }}\n"
            f"archive: {{ name: trial, sign-with: {self.at('keys/ours')}{seal} }}\n")
        return self.write(name, text + (f"limits: {{ {limits} }}\n" if limits else ""))

    def database_import(self, name, connection, extra="", more=""):
        return self.write(
            name,
            f"exeat: 1\ntrust: {self.trust}\ndecrypt-with: {self.identity}\n"
            f"sign-with: {self.at('keys/ours')}\n{more}"
            f"targets:\n  dpi: {{ kind: postgresql, connection: \"{connection}\"{extra} }}\n")

    def close(self):
        for cluster in self.clusters:
            cluster.close()
        super().close()


class DatabaseSuite(Suite):
    def __init__(self):
        self.world = DatabaseWorld()
        self.passed = self.failed = self.skipped = 0
