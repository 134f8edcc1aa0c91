#!/usr/bin/env python3
"""What is asked of a restored database, and what it runs itself, reaches nothing of the machine."""
import socket
import tempfile
import threading

from rehearse_kit import *


def questions(world):
    """A question ends in its time, writes nothing, and its answer is of a length that people read."""
    prepared(world)
    plan = world.rehearsal_plan("questions.yaml", """targets:
  dpi: { kind: throw-away, probes: [ { name: slow, sql: "SELECT pg_sleep(600)", expect: x, within: 1s },
                                     { name: long, sql: "SELECT repeat('x', 20000000)", expect: x },
                                     { name: "nothing", sql: "SELECT NULL", expect: "null" },
                                     { name: writes, sql: "SELECT nextval('clinic.patient_id_seq')", expect: "20001" } ] }
  portail: { kind: throw-away, probes: [ { name: sleeps, sql: "SELECT SLEEP(600)", expect: "0", within: 1s },
                                         { name: reads, sql: "SELECT LOAD_FILE('/etc/hostname') IS NULL", expect: "1" },
                                         { name: bytes, sql: "SELECT UNHEX('FF')", expect: "\\\\xff" } ] }
""")
    found, _ = world.rehearsed("archive", "--only", "dpi", "--only", "portail", status=3, plan=plan, timeout=900)
    probes = {probe["name"]: probe for source in found["sources"] for probe in source["probes"]}
    held = {name for name, probe in probes.items() if probe["held"]}
    expect(held == {"patients", "wards", "doses", "nothing", "reads", "bytes"}, probes)
    for name in ("slow", "sleeps"):
        expect("within 1 s" in probes[name]["complaint"], probes[name])
    expect("bytes" in probes["long"]["complaint"] and os.path.getsize(found["report"]) < 1 << 20, probes["long"])
    result = world.run(*world.arguments("archive", work="bad", plan=world.rehearsal_plan(
        "outfile.yaml", "targets: { portail: { kind: throw-away, probes: "
        "{ name: x, sql: \"SELECT 1 INTO OUTFILE '/tmp/x'\", expect: \"1\" } } }\n")))
    expect(result.status == 1 and "reads" in result.err, result.err)


def confined(world):
    """What is asked reads all of the database, whoever may read it there, and nothing of the machine."""
    world.build()
    world.records.sql("postgres", "CREATE ROLE vault_owner", "CREATE ROLE vault_reader", "CREATE ROLE files_reader",
                      "GRANT pg_read_server_files, pg_execute_server_program TO files_reader", "CREATE DATABASE vault")
    outside = world.at("outside")
    world.records.script("vault", world.write("vault.sql", f"""
        REVOKE CONNECT ON DATABASE vault FROM PUBLIC;
        CREATE SCHEMA safe AUTHORIZATION vault_owner;
        CREATE TABLE safe.letter (id int PRIMARY KEY, text text);
        INSERT INTO safe.letter SELECT n, 'letter ' || n FROM generate_series(1, 50) n;
        ALTER TABLE safe.letter OWNER TO vault_owner;
        ALTER TABLE safe.letter ENABLE ROW LEVEL SECURITY;
        ALTER TABLE safe.letter FORCE ROW LEVEL SECURITY;
        CREATE FUNCTION safe.sealed() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM safe.letter';
        REVOKE ALL ON FUNCTION safe.sealed() FROM PUBLIC;
        SELECT lo_from_bytea(4711, 'an image');
        CREATE FUNCTION public.escape() RETURNS text LANGUAGE plpgsql AS
            $$ BEGIN COPY (SELECT 1) TO PROGRAM 'cat > {outside}'; RETURN 'out'; END $$;
        GRANT ALL ON SCHEMA safe TO files_reader;
        CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS
            $$ BEGIN IF tg_tag = 'GRANT' THEN RAISE EXCEPTION 'not here'; END IF; END $$;
        CREATE EVENT TRIGGER guard ON ddl_command_start EXECUTE FUNCTION public.refuse();
        """))
    os.makedirs(world.at("asked"), exist_ok=True)
    readable = ["SELECT count(*) FROM safe.letter", "SELECT safe.sealed()", "SELECT convert_from(lo_get(4711), 'UTF8')",
                "SELECT count(*) > 0 FROM pg_authid", "SELECT rolsuper FROM pg_roles WHERE rolname = 'postgres'"]
    export = world.write("vault.yaml", f"""exeat: 1
run: {{ purpose: drp-rehearsal }}
sources:
  vault:
    kind: postgresql
    connection: "{world.records.conninfo('vault')}"
    secrets: omit
    probes:
""" + "".join(f'      - {{ name: "r{place}", sql: "{sql}" }}\n' for place, sql in enumerate(readable)) +
                         f"archive: {{ name: vault, sign-with: {world.at('keys/ours')} }}\n")
    result = world.run("export", export, "--output", world.at("vault"))
    expect(result.status == 0, result.err)
    world.rehearsed("vault")
    forbidden = ["SELECT pg_read_file('/etc/hostname')", "SELECT public.escape()", "SELECT lo_import('/etc/hostname')",
                 "SELECT set_config('role', 'postgres', true), pg_read_file('/etc/hostname')",
                 "SELECT set_config('session_authorization', 'postgres', true), pg_read_file('/etc/hostname')",
                 "SELECT set_config('role', 'files_reader', true), pg_read_file('/etc/hostname')"]
    plan = world.rehearsal_plan("confined.yaml", "targets:\n  vault: { kind: throw-away, probes: [" + ", ".join(
        f'{{ name: "f{place}", sql: "{sql}", expect: x }}' for place, sql in enumerate(forbidden)) + "] }\n")
    found, _ = world.rehearsed("vault", plan=plan, status=3)
    for probe in found["sources"][0]["probes"]:
        isForbidden = probe["name"].startswith("f")
        expect(probe["held"] != isForbidden, probe)
        expect(not isForbidden or "[42501]" in probe["complaint"], probe)
    expect(not os.path.exists(outside), "a program was run")


class Door:
    """A socket where a server of PostgreSQL could be listening; whoever comes is counted and sent away."""
    PORT = 5432

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="door-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.path = f"{self.folder}/.s.PGSQL.{self.PORT}"
        self.count, self.fenced = 0, threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o777)
        self.listener.listen(64)
        self.thread = threading.Thread(target=self.answer, daemon=True)
        self.thread.start()

    def answer(self):
        while True:
            guest, _ = self.listener.accept()
            with guest:
                guest.settimeout(30)
                try:
                    word = guest.recv(64)
                except OSError:
                    word = b""
            if word == b"close":
                return
            if word == b"fence":
                self.fenced.set()
            else:
                self.count += 1

    def send(self, word):
        with socket.socket(socket.AF_UNIX) as own:
            own.connect(self.path)
            own.sendall(word)

    def knocks(self):
        """How many came since this was last asked; they are answered in their order, so that a connection of our
        own that has been answered is behind all of them."""
        self.fenced.clear()
        self.send(b"fence")
        expect(self.fenced.wait(60), "nobody answers the door")
        count, self.count = self.count, 0
        return count

    def close(self):
        self.send(b"close")
        self.thread.join()
        self.listener.close()
        shutil.rmtree(self.folder)


def open_doors(world):
    """A server of this machine that lets everybody in by its socket is not reached by what a restored database runs."""
    world.build()
    if os.getuid() != 0:
        raise Skip("not root")
    door = Door()
    # Whether it is let in or not, the statement goes on.
    knock = f"{world.records.bin}/psql -h {door.folder} -p {door.PORT} -l || true"
    try:
        world.records.sql("postgres", "CREATE DATABASE doors")
        world.records.script("doors", world.write("doors.sql", f"""
            CREATE TABLE room (id int);
            INSERT INTO room VALUES (1);
            CREATE FUNCTION knock(n int) RETURNS int LANGUAGE plpgsql AS
                $$ BEGIN COPY (SELECT 1) TO PROGRAM '{knock}'; RETURN n; END $$;
            CREATE FUNCTION quiet(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN public.knock(n); END $$;
            CREATE INDEX knocking ON room (quiet(id));
            """))
        expect(door.knocks() > 0, "the source does not knock: " + open(world.records.path + "/log").read()[-2000:])
        plan = world.write("doors.yaml", f"""exeat: 1
run: {{ purpose: drp-rehearsal }}
sources: {{ doors: {{ kind: postgresql, connection: "{world.records.conninfo('doors')}", secrets: omit }} }}
archive: {{ name: doors, sign-with: {world.at('keys/ours')} }}
""")
        result = world.run("export", plan, "--output", world.at("doors"))
        expect(result.status == 0, result.err)
        door.knocks()
        world.rehearsed("doors")
        knocks = door.knocks()
        expect(knocks == 0, f"{knocks} connections")
    finally:
        door.close()


def main():
    suite = RehearsalSuite()
    suite.case("questions that take long, write or answer too much", questions)
    suite.case("what is asked stays inside", confined)
    suite.case("sockets of this machine", open_doors)
    suite.finish()


if __name__ == "__main__":
    main()
