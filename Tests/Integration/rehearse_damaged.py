#!/usr/bin/env python3
"""Rehearsals of damaged archives: nothing is called good, and what is intact is rehearsed all the same."""
from rehearse_kit import *

DATA = ["dpi", "portail", "partage", "journaux", "systeme"]
WARD = '"clinic"."ward"'


def prepared(world):
    world.build()
    if os.path.exists(world.at("archive")):
        return
    world.exported("archive", DATA)
    result = world.run("inspect", world.at("archive"), "--json", "--decrypt-with", world.identity)
    world.artifacts = {(source["name"], artifact["name"]): artifact for source in json.loads(result.out)["manifest"]["sources"]
                       for artifact in source["artifacts"]}


def copied(world, name, *damages):
    """A copy of the archive in which stored files of these artifacts are damaged."""
    world.remove(name)
    shutil.copytree(world.at("archive"), world.at(name), symlinks=True)
    for source, artifact in damages:
        for segment in world.artifacts[source, artifact]["segments"]:
            damage(f"{world.at(name)}/{segment['path']}")
    return world.at(name)


def outcome(found, name):
    return [source for source in found["sources"] if source["name"] == name][0]


def a_table(world):
    """A table is lost: the others are restored, compared and asked, and what refers to it is named."""
    prepared(world)
    copied(world, "table", ("dpi", WARD), ("portail", "portail.appointment"))
    found, receipt = world.rehearsed("table", status=3)
    expect(world.outcomes(found) == {**dict.fromkeys(DATA, "passed"), "dpi": "damaged", "portail": "damaged"}, world.outcomes(found))
    rehearsal = receipt["rehearsal"]
    expect(rehearsal["verdict"] == "failed" and not rehearsal["archive"]["isIntact"], rehearsal["verdict"])
    expect(rehearsal["archive"]["damagedFiles"] == 2, rehearsal["archive"])
    expect(any("did not pass" in text for text in receipt["reservations"]), receipt["reservations"])
    records = outcome(found, "dpi")
    expect(records["damaged"] == [{"artifact": WARD, "kind": "postgresql-table", "damagedFiles": 1, "files": 1}],
           records["damaged"])
    different = [comparison["name"] for comparison in records["comparisons"] if not comparison["equal"]]
    expect(any("ward" in name for name in different) and not any("patient" in name for name in different), different)
    texts = [json.dumps(difference) for difference in records["differences"]]
    expect(any("patient_ward_fkey" in text for text in texts), texts)
    expect(any(json.dumps(WARD)[1:-1] in text and "rows" in text for text in texts), texts)
    expect({probe["name"]: probe["held"] for probe in records["probes"]} == {"patients": True, "wards": True}, records["probes"])
    expect(WARD + " (1 of 1)" in records["failure"], records["failure"])
    portal = outcome(found, "portail")
    expect([entry["artifact"] for entry in portal["damaged"]] == ["portail.appointment"], portal["damaged"])
    expect([probe["held"] for probe in portal["probes"]] == [False], portal["probes"])
    expect(outcome(found, "partage").get("damaged") is None, "damage where there is none")


def files(world):
    """One of two stored files of a tree is lost: the entries of the other are restored, and what is missing is named."""
    prepared(world)
    if not os.path.exists(world.at("large")):
        # A stored file of a small tree has 16 MiB of plaintext; these compress to nothing.
        os.makedirs(world.at("bulk/rest"))
        for number in range(6):
            with open(world.at(f"bulk/{number:02}.bin"), "wb") as file:
                file.write(bytes([number]) * (4 << 20))
        world.write("bulk/rest/last", "the last\n")
        os.link(world.at("bulk/00.bin"), world.at("bulk/rest/again"))
        os.symlink("last", world.at("bulk/rest/link"))
        plan = world.write("large.yaml", f"""exeat: 1
run: {{ purpose: trial }}
sources: {{ vrac: {{ kind: files, path: {world.at('bulk')}, probes: [ {{ name: first, file: 00.bin }},
                                                                  {{ name: last, file: rest/last }} ] }} }}
archive: {{ name: large, sign-with: {world.at('keys/ours')} }}
""")
        expect(world.run("export", plan, "--output", world.at("large")).status == 0, "export")
    stored = sorted(glob.glob(world.at("large") + "/data/vrac/tree*/*"))
    expect(len(stored) == 2, stored)
    for lost, held in ((0, {"first": False, "last": True}), (1, {"first": True, "last": False})):
        world.remove("half")
        shutil.copytree(world.at("large"), world.at("half"))
        damage(world.at("half") + stored[lost][len(world.at("large")):])
        found, _ = world.rehearsed("half", status=3)
        source = outcome(found, "vrac")
        expect(source["outcome"] == "damaged" and source["damaged"][0]["damagedFiles"] == 1 and source["damaged"][0]["files"] == 2,
               source.get("damaged"))
        expect({probe["name"]: probe["held"] for probe in source["probes"]} == held, source["probes"])
        missing = {difference["path"] for difference in source["differences"] if difference["attribute"] == "object"}
        expect(("00.bin" in missing, "rest/last" in missing) == (not held["first"], not held["last"]), sorted(missing))
        counts = {comparison["name"]: (int(comparison["expected"]), int(comparison["found"]))
                  for comparison in source["comparisons"] if comparison["name"] == "entries"}["entries"]
        expect(counts[1] == counts[0] - len(missing) and 0 < counts[1] < counts[0], (counts, sorted(missing)))
    world.remove("bulk", "half")


def logs_and_configurations(world):
    """All lines of the logs are lost, and all files of the configuration: what there is of either is compared."""
    prepared(world)
    damages = [(source, artifact) for (source, artifact), record in world.artifacts.items()
               if record["kind"] in ("log-text",) or source == "systeme" and record["kind"] == "file-tree"]
    expect(len(damages) == 2, damages)
    copied(world, "logs-damaged", *damages)
    found, _ = world.rehearsed("logs-damaged", status=3)
    expect(world.outcomes(found) == {**dict.fromkeys(DATA, "passed"), "journaux": "damaged", "systeme": "damaged"}, world.outcomes(found))
    for name in ("journaux", "systeme"):
        source = outcome(found, name)
        expect(any(not comparison["equal"] for comparison in source["comparisons"]), source)
        expect(len(source["damaged"]) == 1, source["damaged"])


def what_all_hangs_on(world):
    """The definitions of a database, the index of a tree: their source is not restored, and the others are."""
    prepared(world)
    for source, artifact in (("dpi", "pre-data.sql"), ("portail", "tables.sql"), ("partage", "index"), ("journaux", "text-index")):
        copied(world, "hangs", (source, artifact))
        found, receipt = world.rehearsed("hangs", status=3)
        expect(world.outcomes(found) == {**dict.fromkeys(DATA, "passed"), source: "damaged"}, world.outcomes(found))
        expect("comparisons" not in outcome(found, source), outcome(found, source))
        expect(len(receipt["sources"]) == len(DATA) - 1, receipt["sources"])


def missing(world):
    """Files that are gone or cut short are damaged like others, also in a tar."""
    prepared(world)
    root = copied(world, "missing")
    os.unlink(f"{root}/{world.artifacts['portail', 'portail.appointment']['segments'][0]['path']}")
    path = segments(world, "missing", "s03")[0]
    os.truncate(path, os.path.getsize(path) // 2)
    found, _ = world.rehearsed("missing", status=3)
    expect(world.outcomes(found) == {**dict.fromkeys(DATA, "passed"), "portail": "damaged", "partage": "damaged"}, world.outcomes(found))
    if not os.path.exists(world.at("whole.tar")):
        world.exported("whole.tar", ["partage", "journaux"])
    shutil.copy(world.at("whole.tar"), world.at("broken.tar"))
    # The largest member by far is the stored tree.
    damage(world.at("broken.tar"))
    found, _ = world.rehearsed("broken.tar", status=3)
    expect(world.outcomes(found) == {"partage": "damaged", "journaux": "passed"}, world.outcomes(found))


def given_targets(world):
    """A given target loses nothing to what is damaged, and is filled where it loses nothing."""
    prepared(world)
    copied(world, "given", ("portail", "portail.appointment"), ("partage", "tree"))
    lab = mariadb_kit.Server(world.at("lab"))
    world.servers.append(lab)
    lab.sql("CREATE DATABASE portail", "CREATE TABLE portail.precious (id int)", "INSERT INTO portail.precious VALUES (42)")
    world.write("shared/protocol.txt", "precious")

    def rehearsed(existing):
        plan = world.rehearsal_plan("given.yaml", f"""targets:
  portail: {{ kind: mariadb, connection: {{ socket: {lab.socket}, user: root }}, existing: {existing} }}
  partage: {{ kind: files, path: {world.at("shared")}, existing: {existing} }}
""")
        return world.rehearsed("given", "--only", "portail", "--only", "partage", status=3, plan=plan)
    found, receipt = rehearsed("replace")
    for name in ("portail", "partage"):
        source = outcome(found, name)
        expect(source["outcome"] == "damaged" and "replaces nothing" in source["failure"], source)
    expect(not receipt["sources"], receipt["sources"])
    expect("42" in str(lab.sql("SELECT id FROM portail.precious")), "the lab lost what it had")
    expect(open(world.at("shared/protocol.txt")).read() == "precious" and len(os.listdir(world.at("shared"))) == 1,
           os.listdir(world.at("shared")))
    lab.sql("DROP DATABASE portail")
    os.unlink(world.at("shared/protocol.txt"))
    found, receipt = rehearsed("refuse")
    expect(world.outcomes(found)["portail"] == "damaged" and len(receipt["sources"]) == 2, world.outcomes(found))


def without_history(world):
    """Where only current rows are taken over, what is lost is missed all the same, whichever table it is of."""
    world.build()
    world.portal.sql("CREATE DATABASE tarifs", "CREATE TABLE tarifs.price (id int PRIMARY KEY, amount int) WITH SYSTEM VERSIONING",
                     "CREATE TABLE tarifs.plain (id int PRIMARY KEY)", "INSERT INTO tarifs.price SELECT seq, 1 FROM mysql.seq_1_to_50",
                     "UPDATE tarifs.price SET amount = 2 WHERE id < 20", "INSERT INTO tarifs.plain VALUES (1), (2)")
    plan = world.write("history.yaml", f"""exeat: 1
run: {{ purpose: drp-rehearsal }}
sources: {{ tarifs: {{ kind: mariadb, connection: {{ socket: {world.portal.socket}, user: root }}, databases: [tarifs], secrets: omit }} }}
archive: {{ name: history, sign-with: {world.at('keys/ours')} }}
""")
    expect(world.run("export", plan, "--output", world.at("history")).status == 0, "export")
    inspected = json.loads(world.run("inspect", world.at("history"), "--json").out)["manifest"]["sources"][0]["artifacts"]
    lab = mariadb_kit.Server(world.at("history-lab"))
    world.servers.append(lab)
    plan = world.rehearsal_plan("history-given.yaml", f"""targets:
  tarifs: {{ kind: mariadb, connection: {{ socket: {lab.socket}, user: root }}, history: drop }}
""")
    for lost, status in [(None, 2), ("tarifs.price", 3), ("tarifs.plain", 3)]:
        lab.sql("DROP DATABASE IF EXISTS tarifs")
        world.remove("half-history")
        shutil.copytree(world.at("history"), world.at("half-history"))
        for artifact in inspected:
            if artifact["name"] == lost:
                for segment in artifact["segments"]:
                    damage(f"{world.at('half-history')}/{segment['path']}")
        found, _ = world.rehearsed("half-history", plan=plan, status=status, work="history-work")
        source = outcome(found, "tarifs")
        different = {comparison["name"] for comparison in source.get("comparisons", []) if not comparison["equal"]}
        expect(bool(lost) == any(lost and lost in name for name in different), (lost, source))
        other = {"tarifs.price": "tarifs.plain", "tarifs.plain": "tarifs.price"}.get(lost, "nothing")
        expect(not any(other in name for name in different), (lost, different))


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
    # The proof alone says nothing about data, and neither does a rehearsal of it.
    result = world.run("report", world.at("archive"), "--proof-only", "--output", world.at("proof"), "--trust", world.trust)
    expect(result.status == 0, result.err)
    result = world.run(*world.arguments("proof", work="wrong-work"))
    expect(result.status == 3 and "cannot be rehearsed" in result.err and "payload is not here" in result.err, result.err)
    expect(not glob.glob(world.at("wrong-work") + "/*") and not glob.glob(world.at("proof") + "/proof/receipt*"),
           "a receipt was written")
    # A stranger's seal.
    words = world.arguments("archive", work="wrong-work")
    words[words.index("--trust") + 1] = world.at("keys/other.trust.json")
    expect(world.run(*words).status == 3, "a stranger's seal")


def main():
    suite = RehearsalSuite()
    suite.case("a table", a_table)
    suite.case("files of a tree", files)
    suite.case("logs and configurations", logs_and_configurations)
    suite.case("what all hangs on", what_all_hangs_on)
    suite.case("missing files", missing)
    suite.case("given targets", given_targets)
    suite.case("without history", without_history)
    suite.case("more than payload is wrong", wholly_wrong)
    suite.finish()


if __name__ == "__main__":
    main()
