#!/usr/bin/env python3
"""Rehearsals in which something goes wrong: the verdict and the status say what, the rest is rehearsed all the
same, and everything is cleaned up."""
import http.server
import socket
import tempfile
import threading

from rehearse_kit import *

DATA = ["dpi", "portail", "partage"]


def prepared(world):
    world.build()
    if not os.path.exists(world.at("archive")):
        world.exported("archive", DATA)


def wrong_answer(world):
    """A probe that fails is a failed rehearsal; the other sources are as they are."""
    prepared(world)
    plan = world.rehearsal_plan("wrong.yaml", """targets:
  partage: { kind: throw-away, probes: { name: hands, file: protocol.txt, expect: "0000" } }
  portail: { kind: throw-away, probes: [ { name: no-table, sql: "SELECT * FROM portail.nothing" },
                                         { name: nobody, tcp: "127.0.0.1:1", within: 1s } ] }
""")
    found, receipt = world.rehearsed("archive", "--only", "partage", "--only", "portail", status=3, plan=plan)
    expect(world.outcomes(found)["partage"] == "different" and world.outcomes(found)["portail"] == "different",
           world.outcomes(found))
    held = {probe["name"]: probe["held"] for source in found["sources"] for probe in source["probes"]}
    expect(held == {"no-table": False, "nobody": False, "doses": True, "hands": False, "protocol": True}, held)


def parts(world):
    """A part that passes mends nothing of what failed beside it, and is not all: the report says so."""
    prepared(world)
    shutil.copytree(world.at("archive"), world.at("parts"))
    for path in glob.glob(world.at("parts/proof/receipt-*")):
        os.unlink(path)

    def verdict(status):
        result = world.run("report", world.at("parts"), "--trust", world.trust, "--json")
        expect(result.status == status, result.err)
        dates = [date["label"] for date in json.loads(result.out)["dates"]]
        expect("dateRehearsal" in json.dumps(dates) and "dateReceipt" not in json.dumps(dates), dates)
        found = json.loads(result.out)["verdict"]
        return found["word"], [reason["text"] for reason in found["reasons"]]
    world.rehearsed("parts", "--only", "partage", work="parted")
    expect(verdict(0) == ("reservations", ["reasonNotRehearsed"]), verdict(0))
    wrong = world.rehearsal_plan("parts.yaml", """targets:
  portail: { kind: throw-away, probes: { name: no-table, sql: "SELECT * FROM portail.nothing" } }
""")
    world.rehearsed("parts", "--only", "dpi", "--only", "portail", status=3, plan=wrong, work="parted")
    expect(verdict(3) == ("failed", ["reasonRehearsalFailed"]), verdict(3))
    world.rehearsed("parts", "--only", "dpi", work="parted")
    expect(verdict(3) == ("failed", ["reasonRehearsalFailed"]), verdict(3))
    uncompared = world.rehearsal_plan("parts.yaml", "verify: counts\n")
    world.rehearsed("parts", "--only", "portail", status=2, plan=uncompared, work="parted")
    expect(verdict(0) == ("reservations", ["reasonRehearsalReserved"]), verdict(0))
    world.rehearsed("parts", "--only", "portail", work="parted")
    expect(verdict(0) == ("conforming", []), verdict(0))


def another_system(world):
    """What is still running in production answers; nothing of that was restored, and it is not asked."""
    prepared(world)
    asked = []

    class Production(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Production)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        place = f"127.0.0.1:{server.server_address[1]}"
        export = world.write("production.yaml", f"""exeat: 1
run: {{ purpose: drp-rehearsal }}
sources:
  partage:
    kind: files
    path: {world.at("share")}
    probes: [ {{ name: page, http: "http://{place}/" }}, {{ name: port, tcp: "{place}" }} ]
archive: {{ name: production, sign-with: {world.at('keys/ours')} }}
""")
        result = world.run("export", export, "--output", world.at("production"))
        expect(result.status == 0, result.err)
        found, _ = world.rehearsed("production", status=3)
        probes = found["sources"][0]["probes"]
        expect(len(probes) == 2 and not any(probe["held"] for probe in probes), probes)
        expect(all("nothing that was restored" in probe["complaint"] for probe in probes) and not asked, (probes, asked))
    finally:
        server.shutdown()


def changed_answer(world):
    """What the archive says was answered is not what the restored database answers: the recorded probe fails."""
    prepared(world)
    # A sequence is not part of any comparison by equality, but of an answer.
    world.records.sql("dpi", "CREATE TABLE IF NOT EXISTS clinic.clock (n int)",
                      "CREATE OR REPLACE FUNCTION clinic.changing() RETURNS float LANGUAGE sql AS 'SELECT random()'")
    plan = world.write("changing.yaml", f"""exeat: 1
run: {{ purpose: trial }}
sources:
  dpi:
    kind: postgresql
    connection: "{world.records.conninfo('dpi')}"
    secrets: omit
    probes: [ {{ name: random, sql: "SELECT changing()" }} ]
archive: {{ name: changing, sign-with: {world.at('keys/ours')} }}
""")
    expect(world.run("export", plan, "--output", world.at("changing")).status == 0, "export")
    found, receipt = world.rehearsed("changing", status=3)
    probe = receipt["rehearsal"]["probes"][0]
    expect(not probe["held"] and probe["expectedSha256"] != probe["foundSha256"], probe)


def does_not_boot(world):
    """A machine whose disk holds nothing; the database beside it is rehearsed."""
    prepared(world)
    disk = sparse(world.at("nothing.raw"), 8 << 20, [])
    world.remove("dumps")
    world.machines("dumps", disk)
    world.exported("dead", ["portail", "hyperviseur"])
    found, receipt = world.rehearsed("dead", status=3)
    expect(world.outcomes(found) == {"portail": "passed", "hyperviseur": "different"}, world.outcomes(found))
    guest = [source for source in found["sources"] if source["name"] == "hyperviseur"][0]["guests"][0]
    expect(guest["failed"] and "bootable" in (guest["obstacle"] or ""), guest)


def full_disk(world):
    """No room for one source: it is told before it begins, the others are rehearsed."""
    prepared(world)
    if os.getuid() != 0:
        raise Skip("not root")
    place = world.at("small")
    os.makedirs(place, exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "none", place], capture_output=True)
    if mounted.returncode != 0:
        raise Skip("no file system can be mounted")
    try:
        found, receipt = world.rehearsed("archive", status=1, work="small/work")
        expect(world.outcomes(found) == {"dpi": "failed", "portail": "failed", "partage": "passed"}, world.outcomes(found))
        failures = {source["folder"]: source.get("failure", {}).get("word") for source in receipt["rehearsal"]["sources"]}
        expect(failures == {"s01": "no-space", "s02": "no-space", "s03": None}, failures)
        # It fills up in the middle of it.
        shutil.rmtree(world.at("small/work"))
        subprocess.run(["mount", "-o", "remount,size=400m", place], check=True)
        filler = threading.Thread(target=fill, args=(place + "/filler", 400 << 20, place + "/work"))
        filler.start()
        # So slow that the disk is full long before anything is restored.
        slow = world.rehearsal_plan("slow.yaml", "limits: { bandwidth: 1MiB/s }\n")
        found, receipt = world.rehearsed("archive", "--only", "partage", "--only", "dpi", status=1, plan=slow, work="small/work")
        filler.join()
        os.unlink(place + "/filler")
        failures = {source["folder"]: source.get("failure", {}).get("word") for source in receipt["rehearsal"]["sources"]}
        expect(failures["s03"] == "no-space" and receipt["rehearsal"]["verdict"] == "incomplete", failures)
        world.nothing_left("small/work")
    finally:
        subprocess.run(["umount", "-l", place])


def fill(path, size, after):
    while not glob.glob(after + "/run-*"):
        time.sleep(0.05)
    time.sleep(1)
    try:
        with open(path, "wb") as file:
            for _ in range(size >> 20):
                file.write(b"x" * (1 << 20))
    except OSError:
        pass


def objective(world):
    """Everything is equal, and it took too long."""
    prepared(world)
    found, receipt = world.rehearsed("archive", "--only", "portail", "--objective", "1s", status=4)
    expect(world.outcomes(found)["portail"] == "passed", world.outcomes(found))
    expect(receipt["rehearsal"]["verdict"] == "objective-missed" and not receipt["rehearsal"]["isInTime"],
           receipt["rehearsal"]["verdict"])
    # Data that are older than they may be.
    plan = world.rehearsal_plan("old.yaml", "rehearse: { recovery-point: 1s }\n")
    found, receipt = world.rehearsed("archive", "--only", "partage", plan=plan, status=4)
    expect(not receipt["rehearsal"]["tiers"][0]["isRecentEnough"], receipt["rehearsal"]["tiers"])


def time_limit(world):
    """It stops in the middle, and says how far it came."""
    prepared(world)
    # The second source is at it when the time is over.
    plan = world.rehearsal_plan("short.yaml", """rehearse: { time-limit: 20s }
targets: { portail: { kind: throw-away, after: partage, probes: { name: long, sql: "SELECT SLEEP(3600)", expect: "0", within: 1h } },
           dpi: { kind: throw-away, after: portail } }
""")
    found, receipt = world.rehearsed("archive", status=4, plan=plan)
    expect(receipt["rehearsal"]["reachedTimeLimit"], "the limit was not reached")
    expect(world.outcomes(found) == {"partage": "passed", "portail": "unfinished", "dpi": "unfinished"}, world.outcomes(found))


def killed(world):
    """Killed in the middle: servers end by themselves, or the next rehearsal ends them."""
    prepared(world)
    for group in (False, True):
        process = subprocess.Popen(world.command(*world.arguments("archive", work="killed")), cwd=world.path,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   start_new_session=True)
        deadline = time.time() + 300
        place, sockets = None, []
        while not sockets and time.time() < deadline:
            time.sleep(0.02)
            place = next(iter(glob.glob(world.at("killed") + "/run-*")), "run-none")
            # From then on the server has memory that it shares with its children.
            sockets = glob.glob(f"/tmp/exeat-rehearsal-{os.path.basename(place)[4:]}/target-*/.s.PGSQL*")
        expect(sockets, "no server came up")
        world.marks()
        world.seen.add(os.path.basename(place)[4:])
        if group:
            kill_guardian(place)
        process.kill()
        process.wait()
        process.stderr.close()
        if group:
            expect(world.left("killed"), "nothing was left to be cleaned up")
            found, _ = world.rehearsed("archive", "--only", "partage", work="killed")
        world.nothing_left("killed")


def kill_guardian(place):
    """The shell that would clean up: nobody is left then but the servers."""
    for number in os.listdir("/proc"):
        try:
            words = open(f"/proc/{number}/cmdline").read()
        except OSError:
            continue
        if place in words and "trap" in words:
            os.kill(int(number), signal.SIGKILL)


def killed_anywhere(world):
    """Killed at any time, with or without the one who cleans up: the next rehearsal finds nothing in its way."""
    prepared(world)
    world.machines("dumps")
    world.exported("all", ["dpi", "portail", "partage", "journaux", "systeme", "hyperviseur"])
    began = time.time()
    world.rehearsed("all", work="anywhere")
    took = time.time() - began
    for step in range(8):
        process = subprocess.Popen(world.command(*world.arguments("all", work="anywhere")), cwd=world.path,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        time.sleep(took * (step + 0.5) / 8)
        places = glob.glob(world.at("anywhere") + "/run-*")
        world.marks()
        world.seen.update(os.path.basename(place)[4:] for place in places)
        for place in places if step % 2 else []:
            kill_guardian(place)
        process.kill()
        process.wait()
        if step % 2:
            world.rehearsed("all", "--only", "partage", work="anywhere")
        world.nothing_left("anywhere")
    world.rehearsed("all", work="anywhere")


def interrupted(world):
    """The first signal ends it, with nothing left and no receipt."""
    prepared(world)
    process = world.start(*world.arguments("archive", work="interrupted"))
    deadline = time.time() + 300
    while not glob.glob(world.at("interrupted") + "/run-*/processes/*") and time.time() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    text = process.stderr.read().decode()
    expect(process.wait(300) == 130, text)
    process.stderr.close()
    world.nothing_left("interrupted")
    expect(not glob.glob(world.at("interrupted") + "/receipt*"), "a receipt was written")


def at_once(world):
    """Several rehearsals in one folder: each has a receipt and a line of the history of its own."""
    prepared(world)
    running = [world.start(*world.arguments("archive", "--only", "partage", work="at-once")) for _ in range(4)]
    for process in running:
        text = process.stderr.read().decode()
        expect(process.wait(900) == 0, text)
        process.stderr.close()
    world.nothing_left("at-once")
    with open(world.at("at-once/history.jsonl")) as file:
        history = [json.loads(line) for line in file]
    names = sorted(os.path.basename(path) for path in glob.glob(world.at("at-once") + "/receipt-*.json"))
    expect(len(names) == 4 and sorted(line["receipt"] for line in history) == names, (names, history))
    for name in names:
        with open(world.at("at-once/" + name)) as file:
            predicate = json.load(file)["predicate"]
        report = world.at("at-once/" + name.replace("receipt", "report"))
        expect(predicate["reportSha256"] == content_of(report), f"{name} is of another report")
    expect(sorted(len(json.load(open(world.at("at-once/" + name)))["predicate"]["rehearsal"]["earlier"]) for name in names)
           == [0, 1, 2, 3], "the trend")


def foreign_folder(world):
    """What somebody else calls like a run is nothing of ours, and stays."""
    prepared(world)
    for name in ("run-202611270000", "run-mine"):
        world.write(f"foreign/{name}/results", "precious")
    os.makedirs(world.at("foreign/run-0123456789ab"))
    os.symlink(world.at("share"), world.at("foreign/run-ba9876543210"))
    result = world.run(*world.arguments("archive", "--only", "partage", work="foreign"))
    expect(result.status == 0 and "cleaned up" not in result.err, result.err)
    for name in ("run-202611270000", "run-mine"):
        expect(open(world.at(f"foreign/{name}/results")).read() == "precious", name)
    expect(os.path.isdir(world.at("foreign/run-0123456789ab")) and os.listdir(world.at("share")), "taken away")


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


def open_doors(world):
    """A server of this machine that lets everybody in by its socket is not reached by what a restored database runs."""
    world.build()
    if os.getuid() != 0:
        raise Skip("not root")
    folder = tempfile.mkdtemp(prefix="door-", dir="/tmp")
    os.chmod(folder, 0o755)
    door, knocks, ended = folder + "/an open door", [], threading.Event()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(door)
    os.chmod(door, 0o777)
    listener.listen(8)
    listener.settimeout(0.2)

    def answer():
        while not ended.is_set():
            try:
                knocks.append(listener.accept())
            except TimeoutError:
                pass
    answering = threading.Thread(target=answer)
    answering.start()
    knock = f"python3 -c \"import socket; socket.socket(1).connect(''{door}'')\" || true"
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
        expect(knocks, "the source does not knock")
        plan = world.write("doors.yaml", f"""exeat: 1
run: {{ purpose: drp-rehearsal }}
sources: {{ doors: {{ kind: postgresql, connection: "{world.records.conninfo('doors')}", secrets: omit }} }}
archive: {{ name: doors, sign-with: {world.at('keys/ours')} }}
""")
        result = world.run("export", plan, "--output", world.at("doors"))
        expect(result.status == 0, result.err)
        knocks.clear()
        world.rehearsed("doors")
        expect(not knocks, f"{len(knocks)} connections")
    finally:
        ended.set()
        answering.join()
        shutil.rmtree(folder)


def uncompared(world):
    """Where the plan says not to compare, nothing is called equal."""
    prepared(world)
    for verify, word in {"none": "not compared", "counts": "counts only"}.items():
        plan = world.rehearsal_plan("verify.yaml", f"verify: {verify}\n")
        found, receipt = world.rehearsed("archive", "--only", "partage", "--only", "portail", plan=plan, status=2)
        expect(len([text for text in receipt["reservations"] if word in text]) == 1, receipt["reservations"])


def wrong_plans(world):
    """What the plan names and the archive lacks, circles, and what cannot be said twice."""
    prepared(world)
    for text, word in {
            "targets: { nothing: { kind: throw-away } }": "no source",
            "targets: { dpi: { kind: throw-away, after: nothing } }": "no source",
            "targets: { dpi: { kind: throw-away, after: portail }, portail: { kind: throw-away, after: dpi } }": "wait for each other",
            "targets: { dpi: { kind: throw-away, tier: unknown } }": "no tier",
            "targets: { dpi: { kind: throw-away, probes: { name: x, sql: \"DROP TABLE y\" } } }": "reads"}.items():
        result = world.run(*world.arguments("archive", plan=world.rehearsal_plan("bad.yaml", text + "\n"), work="bad"))
        expect(result.status == 1 and word in result.err, f"{text}: {result.status} {result.err}")
    plan = world.rehearsal_plan("good.yaml")
    expect(world.run("rehearse", world.at("archive"), plan, "--objective", "1h").status == 64, "a plan and options")
    expect(world.run("rehearse", world.at("archive")).status == 64, "nobody is trusted")
    # A probe that the source cannot answer is no export.
    export = world.write("unanswered.yaml", f"""exeat: 1
run: {{ purpose: trial }}
sources: {{ partage: {{ kind: files, path: {world.at('share')}, probes: {{ name: gone, file: not-there }} }} }}
archive: {{ name: none, sign-with: {world.at('keys/ours')} }}
""")
    result = world.run("export", export, "--output", world.at("none"))
    expect(result.status == 1 and "gone" in result.err and not os.path.exists(world.at("none")), result.err)


def main():
    suite = RehearsalSuite()
    suite.case("probes that fail", wrong_answer)
    suite.case("rehearsals of parts", parts)
    suite.case("answers of another system", another_system)
    suite.case("another answer than recorded", changed_answer)
    suite.case("a machine that does not boot", does_not_boot)
    suite.case("a full disk", full_disk)
    suite.case("objectives", objective)
    suite.case("a time limit", time_limit)
    suite.case("killed", killed)
    suite.case("killed at any time", killed_anywhere)
    suite.case("interrupted", interrupted)
    suite.case("several at once", at_once)
    suite.case("a folder of somebody else", foreign_folder)
    suite.case("questions that take long, write or answer too much", questions)
    suite.case("what is asked stays inside", confined)
    suite.case("sockets of this machine", open_doors)
    suite.case("nothing compared", uncompared)
    suite.case("plans that make no sense", wrong_plans)
    suite.finish()


if __name__ == "__main__":
    main()
