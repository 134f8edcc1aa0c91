#!/usr/bin/env python3
"""Rehearsals in which something goes wrong: the verdict and the status say what, the rest is rehearsed all the
same, and everything is cleaned up."""
import threading

from rehearse_kit import *

DATA = ["dpi", "portail", "partage"]


def prepared(world):
    world.build()
    if not os.path.exists(world.at("archive")):
        world.exported("archive", DATA)


def copied(world, name, source="archive"):
    world.remove(name)
    shutil.copytree(world.at(source), world.at(name), symlinks=True)
    return world.at(name)


def one_damaged(world):
    """A byte of one artifact: its source is not restored, the others are, and nothing is called good."""
    prepared(world)
    copied(world, "damaged")
    damage(max(segments(world, "damaged", "s03"), key=os.path.getsize))
    found, receipt = world.rehearsed("damaged", status=3)
    expect(world.outcomes(found) == {"dpi": "passed", "portail": "passed", "partage": "damaged"}, world.outcomes(found))
    rehearsal = receipt["rehearsal"]
    expect(rehearsal["verdict"] == "failed" and not rehearsal["archive"]["isIntact"], rehearsal["verdict"])
    expect(rehearsal["archive"]["damagedFiles"] == 1, rehearsal["archive"])
    expect(any("did not pass" in text for text in receipt["reservations"]), receipt["reservations"])
    expect([source["folder"] for source in receipt["sources"]] == ["s01", "s02"], receipt["sources"])


def one_missing(world):
    """A file that is gone, and one that is cut short; in a tar a changed byte."""
    prepared(world)
    copied(world, "missing")
    os.unlink(segments(world, "missing", "s02")[-1])
    path = segments(world, "missing", "s03")[0]
    os.truncate(path, os.path.getsize(path) // 2)
    found, _ = world.rehearsed("missing", status=3)
    expect(world.outcomes(found) == {"dpi": "passed", "portail": "damaged", "partage": "damaged"}, world.outcomes(found))


def wholly_wrong(world):
    """Where more than payload is wrong nothing is rehearsed, and no receipt is written."""
    prepared(world)
    for name, change in {
            "manifest": lambda root: damage(root + "/exeat/manifest.json.age"),
            "seal": lambda root: damage(root + "/proof/seal.json", 40),
            "list": lambda root: damage(root + "/manifest-sha256.txt", 3),
            "journal": lambda root: damage(root + "/exeat/journal.jsonl"),
            "link": lambda root: os.symlink("/etc/passwd", root + "/data/s01/link")}.items():
        change(copied(world, "wrong"))
        result = world.run(*world.arguments("wrong", work="wrong-work"))
        expect(result.status == 3, f"{name}: {result.status} {result.err}")
        expect("nothing of it can be rehearsed" in result.err or name == "link", f"{name}: {result.err}")
        expect(not glob.glob(world.at("wrong-work") + "/receipt*"), f"{name}: a receipt was written")
    # A stranger's seal.
    words = world.arguments("archive", work="wrong-work")
    words[words.index("--trust") + 1] = world.at("keys/other.trust.json")
    expect(world.run(*words).status == 3, "a stranger's seal")


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
        result = world.run(*world.arguments("archive", "--json", work="small/work"), timeout=900)
        filler.join()
        os.unlink(place + "/filler")
        expect(result.status in (1, 0), f"{result.status} {result.err}")
        world.nothing_left("small/work")
    finally:
        subprocess.run(["umount", "-l", place])


def fill(path, size, after):
    while not glob.glob(after + "/run-*"):
        time.sleep(0.05)
    time.sleep(1)
    with open(path, "wb") as file:
        try:
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
    plan = world.rehearsal_plan("short.yaml", """rehearse: { time-limit: 1s }
targets: { portail: { kind: throw-away, after: partage }, dpi: { kind: throw-away, after: portail } }
""")
    found, receipt = world.rehearsed("archive", status=4, plan=plan)
    expect(receipt["rehearsal"]["reachedTimeLimit"], "the limit was not reached")
    expect(world.outcomes(found)["dpi"] == "unfinished", world.outcomes(found))


def killed(world):
    """Killed in the middle: servers end by themselves, or the next rehearsal ends them."""
    prepared(world)
    for group in (False, True):
        process = subprocess.Popen(world.command(*world.arguments("archive", work="killed")), cwd=world.path,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   start_new_session=True)
        deadline = time.time() + 60
        while not glob.glob(world.at("killed") + "/run-*/processes/*") and time.time() < deadline:
            time.sleep(0.02)
        place = glob.glob(world.at("killed") + "/run-*")[0]
        world.marks()
        world.seen.add(os.path.basename(place)[4:])
        if group:
            # The shell that would clean up is killed as well: nobody is left but the servers.
            for number in os.listdir("/proc"):
                try:
                    words = open(f"/proc/{number}/cmdline").read()
                except OSError:
                    continue
                if place in words and "trap" in words:
                    os.kill(int(number), signal.SIGKILL)
        process.kill()
        process.wait()
        process.stderr.close()
        if group:
            expect(world.left("killed"), "nothing was left to be cleaned up")
            found, _ = world.rehearsed("archive", "--only", "partage", work="killed")
        world.nothing_left("killed")


def interrupted(world):
    """The first signal ends it, with nothing left and no receipt."""
    prepared(world)
    process = world.start(*world.arguments("archive", work="interrupted"))
    deadline = time.time() + 60
    while not glob.glob(world.at("interrupted") + "/run-*/processes/*") and time.time() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    text = process.stderr.read().decode()
    expect(process.wait(300) == 130, text)
    process.stderr.close()
    world.nothing_left("interrupted")
    expect(not glob.glob(world.at("interrupted") + "/receipt*"), "a receipt was written")


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
    suite.case("a damaged artifact", one_damaged)
    suite.case("missing files", one_missing)
    suite.case("more than payload is wrong", wholly_wrong)
    suite.case("probes that fail", wrong_answer)
    suite.case("another answer than recorded", changed_answer)
    suite.case("a machine that does not boot", does_not_boot)
    suite.case("a full disk", full_disk)
    suite.case("objectives", objective)
    suite.case("a time limit", time_limit)
    suite.case("killed", killed)
    suite.case("interrupted", interrupted)
    suite.case("plans that make no sense", wrong_plans)
    suite.finish()


if __name__ == "__main__":
    main()
