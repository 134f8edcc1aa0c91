#!/usr/bin/env python3
"""Rehearsals in which something goes wrong: the verdict and the status say what, the rest is rehearsed all the
same, and everything is cleaned up."""
import http.server
import threading

from rehearse_kit import *


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
        filler = threading.Thread(target=fill, args=(place + "/filler", place + "/work"))
        filler.start()
        # So slow that the disk is full long before anything is restored; and alone, since what another source
        # gives back when it fails is room again.
        slow = world.rehearsal_plan("slow.yaml", "limits: { bandwidth: 256KiB/s }\n")
        found, receipt = world.rehearsed("archive", "--only", "partage", status=1, plan=slow, work="small/work")
        filler.join()
        os.unlink(place + "/filler")
        failures = {source["folder"]: source.get("failure", {}).get("word") for source in receipt["rehearsal"]["sources"]}
        expect(failures["s03"] == "no-space" and receipt["rehearsal"]["verdict"] == "incomplete", failures)
        world.nothing_left("small/work")
    finally:
        subprocess.run(["umount", "-l", place])


def fill(path, after):
    while not glob.glob(after + "/run-*"):
        time.sleep(0.05)
    time.sleep(1)
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * (1 << 16))
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
    for option, value in [("--objective", "0"), ("--objective", "0s"), ("--time-limit", "soon")]:
        result = world.run(*world.arguments("archive", option, value, work="wrong"))
        expect(result.status == 64 and option in result.err, result.err)
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
    suite.case("nothing compared", uncompared)
    suite.case("plans that make no sense", wrong_plans)
    suite.finish()


if __name__ == "__main__":
    main()
