#!/usr/bin/env python3
"""An archive of a whole small hospital is rehearsed by one command: databases, files and a machine are restored
in throw-away targets, compared, started, asked, timed, and removed; the receipt is signed."""
from rehearse_kit import *

ALL = ["dpi", "portail", "partage", "journaux", "systeme", "hyperviseur"]


def whole(world):
    """Nothing is prepared but the archive."""
    world.build()
    world.machines("dumps")
    world.exported("archive", ALL)
    began = time.time()
    found, receipt = world.rehearsed("archive")
    expect(world.outcomes(found) == dict.fromkeys(ALL, "passed"), world.outcomes(found))
    rehearsal = receipt["rehearsal"]
    expect(rehearsal["verdict"] == "passed" and rehearsal["isInTime"], rehearsal["verdict"])
    expect(rehearsal["archive"]["isIntact"] and rehearsal["archive"]["damagedFiles"] == 0, rehearsal["archive"])
    expect(0 < rehearsal["milliseconds"] < (time.time() - began) * 1000 + 100, rehearsal["milliseconds"])
    # Every probe has the answer that the source gave at its export.
    probes = {probe["name"]: probe for source in found["sources"] for probe in source["probes"]}
    expect(sorted(probes) == ["console", "doses", "patients", "protocol", "wards"], sorted(probes))
    expect(all(probe["held"] for probe in probes.values()), probes)
    expect(probes["patients"]["found"][0][:2] == ["20000", "20000"], probes["patients"])
    for probe in rehearsal["probes"]:
        if probe["kind"] in ("sql", "file"):
            expect(probe["isRecorded"] and probe["expectedSha256"] == probe["foundSha256"], probe)
    # Phases are told apart, and lie on one time line.
    phases = {(phase.get("folder"), phase["phase"]) for phase in rehearsal["phases"]}
    names = {name for _, name in phases}
    expect({"verify", "prepare", "fetch", "decrypt-and-decompress", "load", "index", "analyse", "compare", "boot",
            "probe"} == names, names)
    expect((None, "verify") in phases, phases)
    for phase in rehearsal["phases"]:
        expect(0 <= phase["startMilliseconds"] <= phase["endMilliseconds"] <= rehearsal["milliseconds"] + 50, phase)
    path = rehearsal["criticalPath"]
    expect(path[0]["phase"] == "verify" and len(path) > 2 and "boundBy" in rehearsal, path)
    expect(rehearsal["prediction"]["bytes"] == rehearsal["archive"]["plainBytes"], rehearsal["prediction"])
    expect(rehearsal["earlier"] == [], rehearsal["earlier"])
    guest = [guest for source in rehearsal["sources"] for guest in source["guests"]]
    expect(len(guest) == 1 and guest[0]["state"] == "up" and guest[0]["acceleration"] in ("tcg", "kvm"), guest)
    for source in rehearsal["sources"]:
        expect(0 <= source["recoveryPointSeconds"] < 600, source)
    # No name of an object, no question and no answer is in the receipt.
    text = json.dumps(receipt)
    for word in ("patient", "protocol", "appointment", "SELECT", MARKER):
        expect(word not in text, f"{word} is in the receipt")
    # The receipt stands beside the seal, and the archive is as good as before.
    expect(os.path.exists(world.at("archive/proof/receipt-1.json")), "no receipt in the archive")
    result = world.verify("archive")
    expect(result.status == 0, result.err)
    expect(b"passed: receipt-1.json" in result.out, result.out.decode())


def planned(world):
    """Tiers, order, a part, and the trend over earlier rehearsals."""
    plan = world.rehearsal_plan("planned.yaml", """rehearse:
  objective: 2h
  recovery-point: 1d
  tiers: { vital: { objective: 30min }, later: {} }
  full-size: { size: 1TiB, bandwidth: 100MiB/s, cores: 8 }
targets:
  partage: { kind: throw-away, tier: vital, probes: { name: other, file: protocol.txt, expect: recorded } }
  portail: { kind: throw-away, tier: later, after: partage,
             probes: { name: one, sql: "SELECT COUNT(*) FROM portail.appointment", expect: 5000 } }
limits: { workers: 2 }
""")
    found, receipt = world.rehearsed("archive", "--only", "partage", "--only", "portail", plan=plan)
    expect(world.outcomes(found) == {**dict.fromkeys(ALL, "left"), "partage": "passed", "portail": "passed"},
           world.outcomes(found))
    rehearsal = receipt["rehearsal"]
    expect([tier.get("tier") for tier in rehearsal["tiers"]] == ["vital", "later"], rehearsal["tiers"])
    expect([tier["objectiveSeconds"] for tier in rehearsal["tiers"]] == [1800, 7200], rehearsal["tiers"])
    expect(all(tier["isInTime"] and tier["isRecentEnough"] for tier in rehearsal["tiers"]), rehearsal["tiers"])
    times = {source["folder"]: source for source in rehearsal["sources"] if source["outcome"] == "passed"}
    first, second = times["s03"], times["s02"]
    expect(first["endMilliseconds"] <= second["startMilliseconds"], "the order was not kept")
    expect(second["after"] == ["s03"], second)
    expect(len(rehearsal["earlier"]) == 1 and rehearsal["earlier"][0]["status"] == 0, rehearsal["earlier"])
    # A terabyte over 100 MiB/s takes its time.
    expect(rehearsal["prediction"]["seconds"] > 10485 and rehearsal["prediction"]["bandwidth"] == 100 << 20,
           rehearsal["prediction"])
    expect("4 sources of the archive were not rehearsed" in receipt["reservations"], receipt["reservations"])
    names = [probe["name"] for source in found["sources"] for probe in source["probes"]]
    expect(names == ["one", "doses", "other", "protocol"], names)


def temporary_tables(world):
    """Those of the machine's own servers, which keep them in /tmp, stay."""
    path = f"/tmp/#sql-temptable-{os.getpid():x}-test.MAD"
    open(path, "w").close()
    if os.geteuid() == 0:
        shutil.chown(path, "mysql")
    try:
        world.rehearsed("archive", "--only", "portail", work="beside")
        expect(os.path.exists(path), "a temporary table of another server was removed")
    finally:
        if os.path.exists(path):
            os.unlink(path)


def foretold(world):
    """A plan of the same export says how long a restore would take."""
    result = world.run("plan", world.at("archive.yaml"), "--rehearsals", world.at("rehearsals"), "--json")
    expect(result.status == 0, result.err)
    restore = json.loads(result.out)["restore"]
    expect(restore["seconds"] > 0 and restore["rehearsedAt"].startswith("20"), restore)
    text = world.run("plan", world.at("archive.yaml"), "--rehearsals", world.at("rehearsals")).out.decode()
    expect("restoring all of it" in text, text)


def given(world):
    """A lab that the plan names is filled, and stays."""
    plan = world.rehearsal_plan("lab.yaml", f"""targets:
  partage: {{ kind: files, path: {world.at('lab')}, probes: {{ name: mine, file: protocol.txt, expect: recorded }} }}
""")
    found, receipt = world.rehearsed("archive", "--only", "partage", plan=plan)
    source = [source for source in receipt["rehearsal"]["sources"] if source["outcome"] == "passed"][0]
    expect(source["target"] == "given", source)
    expect(open(world.at("lab/protocol.txt")).read() == "wash your hands\n", "the lab")


def kept(world):
    """--keep leaves the servers for a look; they end by their process numbers."""
    words = world.arguments("archive", "--only", "portail", "--keep", "--json", work="kept")
    result = world.run(*words)
    expect(result.status == 0, result.err)
    place = json.loads(result.out)["kept"]
    numbers = [open(path).read().split()[0] for path in glob.glob(place + "/processes/*")]
    try:
        expect(len(numbers) == 1, numbers)
        sockets = glob.glob("/tmp/exeat-rehearsal-" + os.path.basename(place)[4:] + "/*/socket")
        count = subprocess.run(["mariadb", "--no-defaults", "-u", "root", "-S", sockets[0], "-N", "-e",
                                "SELECT COUNT(*) FROM portail.appointment"], capture_output=True, text=True)
        expect(count.stdout.strip() == "5000", count.stderr)
        # The network has nothing in it.
        expect(os.readlink(f"/proc/{numbers[0]}/ns/net") != os.readlink("/proc/self/ns/net"), "no network of its own")
    finally:
        for number in numbers:
            os.kill(int(number), signal.SIGKILL)
        shutil.rmtree("/tmp/exeat-rehearsal-" + os.path.basename(place)[4:], ignore_errors=True)
        world.remove("kept")


def main():
    suite = RehearsalSuite()
    suite.case("a whole hospital", whole)
    suite.case("tiers, order and a part", planned)
    suite.case("what the next restore takes", foretold)
    suite.case("a given target", given)
    suite.case("temporary tables of other servers", temporary_tables)
    suite.case("kept for a look", kept)
    suite.finish()


if __name__ == "__main__":
    main()
