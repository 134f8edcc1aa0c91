#!/usr/bin/env python3
"""Databases under the conditions of real servers: writers, standbys, TLS, ordinary users, full disks,
missing extensions."""
import os
import shutil
import subprocess
import time

from postgresql_kit import *


def small(cluster, database):
    """A database with a few tables of an ordinary application."""
    cluster.sql("postgres", f"CREATE DATABASE {database}")
    cluster.sql(
        database,
        "CREATE TABLE patient (id int PRIMARY KEY, name text NOT NULL, born date)",
        "CREATE TABLE stay (id serial PRIMARY KEY, patient int REFERENCES patient, note text)",
        "INSERT INTO patient SELECT g, 'n' || g, date '1950-01-01' + g % 20000 FROM generate_series(1, 5000) g",
        "INSERT INTO stay (patient, note) SELECT 1 + g % 5000, md5(g::text) FROM generate_series(1, 20000) g",
        "CREATE INDEX ON stay (patient)", "CREATE VIEW open_stays AS SELECT * FROM stay WHERE note > '8'",
        "CREATE MATERIALIZED VIEW per_patient AS SELECT patient, count(*) FROM stay GROUP BY patient")


def export(world, connection, name, extra="secrets: omit", status=0, **more):
    plan = world.database_plan(name + ".yaml", connection, extra, **more)
    world.remove(name)
    result = world.run("export", plan, "--output", world.at(name))
    expect(result.status == status, f"export ended with {result.status}: {result.err}")
    return result


def imported(world, archive, connection, extra="", status=0, work=None):
    plan = world.database_import(archive + "-import.yaml", connection, extra)
    work = world.at(work or archive + ".work")
    result = world.run("import", world.at(archive), plan, "--work", work, "--json")
    expect(result.status == status,
           f"import ended with {result.status}: {result.err} {result.out.decode()[:2000]}")
    return result


def a_snapshot_among_writers(world):
    """pgbench writes all the time; the archive holds one moment: its sums agree."""
    source = world.source
    source.sql("postgres", "CREATE DATABASE bench")
    source.tool("pgbench", "-h", source.path, "-p", str(source.port), "-U", "postgres", "-i", "-s", "3",
                "-q", "bench")
    # What pgbench writes: the deltas of the history are those of branches, tellers and accounts.
    writer = subprocess.Popen(
        as_server([os.path.join(source.bin, "pgbench"), "-h", source.path, "-p", str(source.port), "-U",
                   "postgres", "-c", "4", "-T", "600", "-n", "bench"]),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    try:
        source.until("bench", "SELECT count(*) FROM pgbench_history")
        export(world, source.conninfo("bench"), "busy", limits="bandwidth: 20MiB/s")
    finally:
        writer.kill()
        writer.wait()
    imported(world, "busy", world.target.conninfo("bench"))
    sums = world.target.sql(
        "bench", "SELECT (SELECT sum(bbalance) FROM pgbench_branches), (SELECT sum(tbalance) FROM "
        "pgbench_tellers), (SELECT sum(abalance) FROM pgbench_accounts), (SELECT coalesce(sum(delta), 0) "
        "FROM pgbench_history), (SELECT count(*) FROM pgbench_history) > 0").split("|")
    expect(len(set(sums[:4])) == 1 and sums[4] == "t", f"not one moment: {sums}")


def several_databases(world):
    text = open(world.database_plan("one.yaml", world.source.conninfo("small"), "secrets: omit")).read()
    second = (f"  second: {{ kind: postgresql, connection: \"{world.source.conninfo('other')}\", "
              "secrets: omit }\narchive:")
    plan = world.write("two.yaml", text.replace("archive:", second, 1))
    result = world.run("export", plan, "--output", world.at("two"))
    expect(result.status == 0, result.err)
    text = open(world.database_import("a.yaml", world.target.conninfo("two_a"))).read()
    plan = world.write("b.yaml", text + f"  second: {{ kind: postgresql, connection: \"{world.target.conninfo('two_b')}\" }}\n")
    result = world.run("import", world.at("two"), plan, "--work", world.at("two.work"))
    expect(result.status == 0, f"{result.status} {result.err}")
    for name, database in (("two_a", "small"), ("two_b", "other")):
        expect(world.target.digests(name) == world.source.digests(database), f"{name} differs")


def an_ordinary_owner(world):
    """No superuser on the target: the user owns the new database and makes the role it needs."""
    world.source.sql("small", "CREATE ROLE small_owner", "ALTER TABLE stay OWNER TO small_owner")
    export(world, world.source.conninfo("small"), "ordinary")
    target = world.target
    target.sql("postgres", "CREATE ROLE mover LOGIN CREATEDB CREATEROLE")
    imported(world, "ordinary", target.conninfo("moved", "mover"),
             ", map: { roles: { postgres: mover } }")
    expect(target.digests("moved") == world.source.digests("small"), "rows differ")
    expect(target.sql("moved", "SELECT relowner::regrole FROM pg_class WHERE relname = 'stay'") == "small_owner", "owner")
    expect(target.sql("moved", "SELECT has_schema_privilege('small_owner', 'public', 'CREATE')") == "f",
           "the owner may still create in public")


def passwords_and_tls(world):
    """Certificates are checked as libpq has it, and a wrong password is told without showing it."""
    server = world.cluster("tls")
    small(server, "small")
    subprocess.run(
        ["openssl", "req", "-new", "-x509", "-days", "2", "-nodes", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", world.at("server.key"), "-out", world.at("server.crt")],
        check=True, capture_output=True)
    for name in ("server.key", "server.crt"):
        shutil.copy(world.at(name), server.data)
        if os.geteuid() == 0:
            shutil.chown(os.path.join(server.data, name), "postgres", "postgres")
        os.chmod(os.path.join(server.data, name), 0o600)
    server.sql("small", "CREATE ROLE carrier LOGIN SUPERUSER PASSWORD 'right-secret-7'")
    with open(os.path.join(server.data, "pg_hba.conf"), "w") as file:
        file.write("local all postgres trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n")
    server.configure("ssl = on\n")
    server.stop("fast")
    server.start()
    base = f"host=localhost hostaddr=127.0.0.1 port={server.port} dbname=small user=carrier"
    good = f"{base} sslmode=verify-full sslrootcert={world.at('server.crt')}"
    environment = {"DB_PASSWORD": "right-secret-7"}
    plan = world.database_plan("tls.yaml", good, 'password: "${env:DB_PASSWORD}", secrets: omit')
    result = world.run("export", plan, "--output", world.at("tls-out"), env=environment)
    expect(result.status == 0, result.err)
    result = world.run("export", plan, "--output", world.at("tls-wrong"), env={"DB_PASSWORD": "wrong-secret-8"})
    expect(result.status == 1 and "authentication failed" in result.err, result.err)
    expect("secret-8" not in result.err and not os.path.exists(world.at("tls-wrong")), result.err)
    plan = world.database_plan("other-ca.yaml", f"{base} sslmode=verify-full sslrootcert=/etc/ssl/certs/ca-certificates.crt",
                               'password: "${env:DB_PASSWORD}", secrets: omit')
    result = world.run("plan", plan, env=environment)
    expect(result.status == 1 and "cannot connect" in result.err, result.err)
    plan = world.database_plan("name.yaml", good.replace("host=localhost", "host=elsewhere"),
                               'password: "${env:DB_PASSWORD}", secrets: omit')
    result = world.run("plan", plan, env=environment)
    expect(result.status == 1 and "elsewhere" in result.err, result.err)
    for directory, _, files in os.walk(world.at("tls-out")):
        for name in files:
            expect(b"right-secret-7" not in open(os.path.join(directory, name), "rb").read(), name)


def a_standby(world):
    source = world.source
    with open(os.path.join(source.data, "pg_hba.conf"), "a") as file:
        file.write("local replication all trust\nhost replication all 127.0.0.1/32 trust\n")
    source.sql("postgres", "SELECT pg_reload_conf()")
    path = world.at("standby")
    os.makedirs(path)
    if os.geteuid() == 0:
        shutil.chown(path, "postgres", "postgres")
    source.tool("pg_basebackup", "-h", source.path, "-p", str(source.port), "-U", "postgres", "-D",
                path + "/data", "-R", "-X", "stream", "-c", "fast")
    standby = object.__new__(Cluster)
    standby.path, standby.data, standby.bin, standby.port = path, path + "/data", source.bin, free_port()
    standby.configure(f"port = {standby.port}\nunix_socket_directories = '{path}'\n")
    standby.start()
    world.clusters.append(standby)
    source.sql("small", "CREATE UNLOGGED TABLE gone (a int)", "INSERT INTO gone VALUES (1)")
    position = source.sql("postgres", "SELECT pg_current_wal_lsn()")
    standby.until("postgres", f"SELECT pg_last_wal_replay_lsn() >= '{position}'")
    plan = world.database_plan("standby.yaml", standby.conninfo("small"), "secrets: omit")
    result = world.run("plan", plan)
    expect("standby" in result.out.decode() and "unlogged-tables" in result.out.decode(), result.out.decode())
    export(world, standby.conninfo("small"), "from-standby",
           "secrets: omit, exclude: { tables: [public.gone], reason: empty }")
    imported(world, "from-standby", world.target.conninfo("from_standby"))
    source.sql("small", "DROP TABLE gone")
    expect(world.target.digests("from_standby") == source.digests("small"), "rows differ")


def a_full_disk(world):
    """The target's disk is full in mid-import: told, and resumed once there is room."""
    if os.geteuid() != 0:
        raise Skip("mounting needs root")
    place = world.at("small-disk")
    os.makedirs(place)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=150m", "tmpfs", place],
                      capture_output=True).returncode:
        raise Skip("tmpfs cannot be mounted")
    try:
        shutil.chown(place, "postgres", "postgres")
        target = world.cluster("full", data=place + "/data")
        target.configure("wal_keep_size = 0\nmax_wal_size = 32MB\n")
        source = world.source
        source.sql("postgres", "CREATE DATABASE fat")
        source.sql("fat", "CREATE TABLE fat (id int PRIMARY KEY, t text)",
                   "INSERT INTO fat SELECT g, repeat(md5(g::text), 8) FROM generate_series(1, 400000) g")
        export(world, source.conninfo("fat"), "fat")
        result = imported(world, "fat", target.conninfo("fat"), status=1)
        # A server that has no room for its log ends itself; the message then is about the connection.
        expect("No space left" in result.err or "closed the connection" in result.err, result.err)
        expect("fat" in result.err and "hint" in result.err, result.err)
        target.stop("immediate")
        subprocess.run(["mount", "-o", "remount,size=1500m", place], check=True)
        target.start()
        imported(world, "fat", target.conninfo("fat"))
        expect(target.digests("fat") == source.digests("fat"), "rows differ")
    finally:
        for cluster in world.clusters:
            if cluster.data.startswith(place):
                cluster.stop()
        subprocess.run(["umount", "-l", place], capture_output=True)


def a_missing_extension(world):
    """An extension that the target does not offer is told before anything is written."""
    share = subprocess.run([os.path.join(world.source.bin, "pg_config"), "--sharedir"],
                           capture_output=True, text=True).stdout.strip()
    control = f"{share}/extension/exeat_test.control"
    if os.geteuid() != 0 or not os.path.isdir(f"{share}/extension"):
        raise Skip("needs the right to add an extension to the server")
    script = f"{share}/extension/exeat_test--1.0.sql"
    try:
        with open(control, "w") as file:
            file.write("comment = 'test'\ndefault_version = '1.0'\nrelocatable = true\n")
        with open(script, "w") as file:
            file.write("CREATE TABLE exeat_settings (key text, value text);\n"
                       "SELECT pg_extension_config_dump('exeat_settings', 'WHERE key <> ''built-in''');\n"
                       "INSERT INTO exeat_settings VALUES ('built-in', '1');\n")
        world.source.sql("small", "CREATE EXTENSION exeat_test",
                         "INSERT INTO exeat_settings VALUES ('mine', '2')")
        export(world, world.source.conninfo("small"), "extended")
        os.rename(control, control + ".away")
        result = imported(world, "extended", world.target.conninfo("extended"), status=1)
        expect("exeat_test" in result.err and "extension" in result.err, result.err)
        # Nothing is dropped for an import that cannot be made.
        world.target.sql("postgres", "CREATE DATABASE precious")
        world.target.sql("precious", "CREATE TABLE kept (a int)")
        imported(world, "extended", world.target.conninfo("precious"), ", existing: replace", status=1, work="p.work")
        expect(world.target.sql("precious", "SELECT count(*) FROM kept") == "0", "the old database is gone")
        os.rename(control + ".away", control)
        imported(world, "extended", world.target.conninfo("extended"))
        rows = world.target.sql("extended", "SELECT string_agg(key, ',' ORDER BY key) FROM exeat_settings")
        expect(rows == "built-in,mine", f"configuration rows: {rows}")
    finally:
        world.source.sql("small", "DROP EXTENSION IF EXISTS exeat_test")
        for path in (control, control + ".away", script):
            if os.path.exists(path):
                os.unlink(path)


def other_encodings(world):
    """Bytes stay what they are in databases of other encodings."""
    for encoding in ("LATIN1", "SQL_ASCII"):
        source = world.source
        name = "enc_" + encoding.lower()
        source.sql("postgres", f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
        source.sql(name, "SET client_encoding = 'SQL_ASCII'", "CREATE TABLE t (a text)")
        value = "E'\\xe9\\xe8'"
        source.sql(name, f"SET client_encoding = '{encoding}'", f"INSERT INTO t VALUES ({value})",
                   "COMMENT ON TABLE t IS 'x'")
        if encoding == "LATIN1":
            source.sql(name, "SET client_encoding = 'UTF8'", 'CREATE TABLE "é" ("ü" text DEFAULT \'ö\')',
                       'INSERT INTO "é" DEFAULT VALUES', 'CREATE INDEX "î" ON "é" ("ü") WHERE "ü" > \'à\'')
        export(world, source.conninfo(name), name)
        imported(world, name, world.target.conninfo(name))
        hexes = "SELECT encode(convert_to(a, 'LATIN1'), 'hex') FROM t" if encoding == "LATIN1" else \
            "SELECT encode(a::bytea, 'hex') FROM t"
        expect(world.target.sql(name, hexes) == source.sql(name, hexes) == "e9e8", f"{encoding}: bytes changed")
        expect(world.target.dump(name) == source.dump(name), f"{encoding}: definitions differ")


def many_tables(world):
    source = world.source
    source.sql("postgres", "CREATE DATABASE lots")
    source.sql("lots", "DO $$ BEGIN FOR i IN 1..600 LOOP EXECUTE 'CREATE TABLE t' || i || ' (a int PRIMARY KEY, b text)'; "
               "EXECUTE 'INSERT INTO t' || i || ' SELECT g, md5(g::text) FROM generate_series(1, ' || i % 7 || ') g'; "
               "END LOOP; END $$")
    export(world, source.conninfo("lots"), "lots")
    imported(world, "lots", world.target.conninfo("lots"))
    count = world.target.sql("lots", "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^t[0-9]+$'")
    expect(count == "600", count)


def main():
    suite = DatabaseSuite()
    world = suite.world
    try:
        world.source = world.cluster("source")
        world.target = world.cluster("target")
        small(world.source, "small")
        small(world.source, "other")
        suite.case("a snapshot among writers", a_snapshot_among_writers)
        suite.case("several databases", several_databases)
        suite.case("an ordinary owner", an_ordinary_owner)
        suite.case("passwords and TLS", passwords_and_tls)
        suite.case("a standby", a_standby)
        suite.case("a full disk", a_full_disk)
        suite.case("a missing extension", a_missing_extension)
        suite.case("other encodings", other_encodings)
        suite.case("many tables", many_tables)
    finally:
        for cluster in world.clusters:
            cluster.stop()
    suite.finish()


if __name__ == "__main__":
    main()
