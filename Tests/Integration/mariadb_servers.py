#!/usr/bin/env python3
"""What servers allow and hold: little rights, long rows, filters, large tables, TLS and option files."""
import json

from mariadb_kit import *


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


suite = DatabaseSuite()
suite.world.source = suite.world.server("source", "--log-bin", "--server-id=1")
suite.world.target = suite.world.server("target")
fill_bank(suite.world.source)
suite.case("little rights", little_rights)
suite.case("a row too long for INSERT", a_row_too_long_for_insert)
suite.case("filters", filters)
suite.case("large tables are cut by any key", cuts_large_tables_by_any_key)
suite.case("over TLS, with option files", over_tls_and_option_files)
suite.finish()
