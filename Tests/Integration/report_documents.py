#!/usr/bin/env python3
"""Reports of real archives: what they show and what they never show, that they stand by themselves, and
that their own instructions work. $EXEAT names the binary; .build/debug/exeat otherwise."""
import json
import os
import re

from report_kit import World, first_segment, flip, judged, planted
from support import Cases, Skipped, exeat, run, scratch, write



def whole_and_equal(world):
    for language, word, record in (("fr", "Conforme", "Procès-verbal de restitution"),
                                   ("en", "Conforming", "Record of restitution")):
        page = world.page("sealed", "--lang", language, "--decrypt-with", "hospital.agekey")
        assert page.language == language
        assert word in page.all and record in page.all
        assert "CH de Valmont" in page.all and "E26-01/0042" in page.all
    report = world.json("sealed", "--decrypt-with", "hospital.agekey")
    assert report["verdict"]["word"] == "conforming" and not report["verdict"]["reasons"]
    assert [source["imports"][0]["equal"] for source in report["sources"]] == [True] * 3
    assert all(source["verified"] for source in report["sources"])
    assert sum(source["exported"] for source in report["sources"]) == report["outcome"]["exported"]
    assert {d["document"]: d["state"] for d in report["documents"]} == {
        "plan": "missing", "seal": "verified", "receipt": "verified", "acceptance": "missing",
        "erasureRequest": "missing", "erasure": "missing"}


def nothing_named(world):
    for options in ([], ["--names"], ["--decrypt-with", "hospital.agekey"]):
        page = world.page("sealed", *options)
        report = json.dumps(world.json("sealed", *options), ensure_ascii=False)
        assert not planted(page.raw) and not planted(report), (options, planted(page.raw + report))
    assert "dpi" not in world.page("sealed").all


def names_on_request(world):
    # The excluded object and those of the tree are named; no name becomes markup or turns the text.
    page = world.page("sealed", "--names", "--decrypt-with", "hospital.agekey")
    assert "martin-paul.tmp" in page.all and "partage" in page.all
    assert "<img" not in page.raw and "\u202e" not in page.raw
    assert world.json("sealed", "--names", "--decrypt-with", "hospital.agekey")["names"] is True


def names_by_the_plan(world):
    # Whoever holds the key may ask; the plan, which the parties have agreed on, decides.
    world.export("private", sources=["dpi"], names="private")
    assert "753 names-private" in world.report("private", "--names", status=1, output="private.html").errors
    assert not os.path.exists(world.at("private.html"))
    assert not world.json("private")["names"] and world.json("clear", "--names")["names"]
    # A report of what has failed is not withheld for it.
    world.copy("private", "private-damaged")
    flip(world.at("private-damaged/exeat/journal.jsonl"), 200)
    world.report("private-damaged", status=3)


def in_one_language(world):
    """Nothing of the other language is left in what we say ourselves, nor a key of our files."""
    world.copy("clear", "told")
    world.import_("told", "told-in")
    steps = ["--trust", "both.json", "--sign-with", "hospital"]
    exeat("attest", "accept", "told", *steps, cwd=world.path).expect(0)
    exeat("attest", "request-erasure", "told", *steps, "--scope", "SCOPE", "--formal-notice", "2027-03-01", cwd=world.path).expect(0)
    french, english = world.page("told"), None
    assert french.raw.count("<span lang=\"en\"") == 0, re.findall("<span lang=\"en\".{0,200}", french.raw)[:3]
    english = world.page("told", "--lang", "en")
    for page, foreign in [(french, ["Regulation (", "not verified", "objects were omitted", "too-early", "L'"]),
                          (english, ["Règlement", "\u00a0: ", "\u00a0:", "formalNotice", "receiptReservations"])]:
        told = page.all.split("TRUST=/the/trust.json")[0]
        assert not [word for word in foreign if word in told], [word for word in foreign if word in told]
    # Who never said that 30 days are too short has missed no date for saying so.
    assert not [d for d in world.json("told")["dates"] if (d["rule"] or "").startswith("data-act/25-4") and d["state"] == "missed"]


def long_lists(world):
    """More omissions than a manifest lists: whoever reads is told where all of them are, and finds them there."""
    os.makedirs(world.at("srv/spool"))
    for number in range(1100):
        write(world.at(f"srv/spool/{number:04}.tmp"), "")
    plan = write(world.at("spool.yaml"), f"""exeat: 1
run: {{ purpose: trial, names: public }}
sources: {{ spool: {{ kind: files, path: {world.at("srv/spool")}, exclude: {{ paths: [ "*.tmp" ], reason: temporary }} }} }}
archive: {{ name: spool, sign-with: hoster }}
""")
    exeat("export", plan, "--output", "spool", cwd=world.path).expect(0)
    shown = exeat("inspect", "spool", cwd=world.path).expect(0).output.decode()
    assert "omitted: 100 more; \"exeat inspect ARCHIVE spool\" lists all" in shown, shown[-300:]
    assert exeat("inspect", "spool", "spool", cwd=world.path).expect(0).output.count(b"omitted") == 1100
    for options in ([], ["--names"]):
        assert "exeat inspect ARCHIVE SOURCE" in world.page("spool", *options).all
    run("sh", "RESTORE.txt", cwd=world.at("spool"), environment={"TO": world.at("spooled")}).expect(0)
    index, = [name for name in os.listdir(world.at("spooled")) if name.endswith(".jsonl")]
    with open(world.at("spooled/" + index)) as file:
        assert sum('"omitted"' in line for line in file) == 1100


def damage(world):
    bag = world.at(world.copy("sealed", "damaged"))
    flip(first_segment(bag))
    result = world.report("damaged", status=3)
    assert "314 bag-file-changed" in result.errors
    page = judged(world.at("report.html"))
    assert "Non conforme" in page.all and "bag-file-changed" in page.all and "314" in page.all
    assert "class=\"verdict bad\"" in page.raw
    report = world.json("damaged", status=3)
    assert report["verdict"]["word"] == "failed" and report["verdict"]["failure"]["code"] == 314
    assert report["problems"][0]["path"].startswith("data/")


def forged(world):
    bag = world.at(world.copy("clear", "forged"))
    with open(bag + "/exeat/catalogue.json", "rb") as file:
        text = file.read()
    write(bag + "/exeat/catalogue.json", text.replace(b'"kind":"files"', b'"kind":"<b>x\\u202e"', 1))
    page = world.page("forged", status=3)
    assert "<b>" not in page.raw and "\u202e" not in page.raw and "&lt;b&gt;x" in page.raw
    # A seal that is no JSON, or none at all, still leads to a report.
    write(bag + "/proof/seal.json", "{")
    world.page("forged", status=3)
    write(bag + "/exeat/catalogue.json", text)
    os.unlink(bag + "/proof/seal.json")
    assert world.json("forged", status=3)["verdict"]["failure"]["word"] == "bag-unsealed"


def tars(world):
    world.export("packed", output="packed.tar", purpose="trial")
    page = world.page("packed.tar", "--lang", "en", trust="hoster.trust.json")
    assert "Trial export report" in page.all
    flip(world.at("packed.tar"), 3)
    page = world.page("packed.tar", status=3, trust="hoster.trust.json")
    assert "Non conforme" in page.all


def refusals(world):
    before = sorted(os.walk(world.at("sealed")))
    world.report("sealed", output="sealed/report.html", status=64)
    world.report("sealed", output="sealed/proof/../data/report.html", status=64)
    assert sorted(os.walk(world.at("sealed"))) == before
    world.report("not-there", status=3, output="nothing.html")
    world.report("sealed", "--lang", "de", status=64, output="nothing.html")
    world.report("-", status=64, output="nothing.html")
    world.report("sealed", trust="hospital.agepub", status=1, output="nothing.html")
    world.report("sealed", "--decrypt-with", "hoster.agekey", status=1, output="nothing.html")
    assert not os.path.exists(world.at("nothing.html"))


def strangers(world):
    # Nobody said whom to trust: damage is found all the same, and the verdict says what is missing.
    report = world.json("sealed", trust=None)
    assert report["verdict"]["word"] == "unverified"
    assert not report["archive"]["signer"]["trusted"]
    assert "Signataire non établi" in world.page("sealed", trust=None).all
    assert world.json("damaged", trust=None, status=3)["verdict"]["failure"]["code"] == 314
    # The seal is trusted, who signed the receipt is not.
    report = world.json("sealed", trust="hoster.trust.json")
    assert report["verdict"]["word"] == "reservations"
    assert report["verdict"]["reasons"][0] == {"text": "reasonUnchecked", "values": ["receipt-1.json"]}
    # A seal by somebody else is no seal.
    assert world.json("sealed", trust="hospital.trust.json", status=3)["verdict"]["failure"]["code"] == 245


def unequal(world):
    world.copy("sealed", "compared")
    world.import_("compared", "other")
    write(world.at("other-dpi/a"), "changed")
    world.import_("compared", "other", status=3)
    report = world.json("compared", status=3)
    assert report["verdict"]["word"] == "failed"
    assert report["verdict"]["failure"]["word"] == "comparison-failed"
    page = world.page("compared", status=3)
    assert "Différent" in page.all and "Non conforme" in page.all


def open_omissions(world):
    os.makedirs(world.at("srv/sockets"))
    import socket
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(world.at("srv/sockets/s"))
        world.export("open", sources=["sockets"], status=2)
    report = world.json("open", trust="hoster.trust.json")
    assert report["verdict"]["word"] == "reservations" and report["outcome"]["open"] == 1
    assert "non : décision requise" in world.page("open", trust="hoster.trust.json").all.replace("\xa0", " ")


def instructions(world):
    page = world.page("clear", trust="hoster.trust.json")
    script = "\n".join(page.commands)
    bag = world.at(world.copy("clear", "checked"))
    if run("python3", "-c", "import bagit, cryptography").status:
        raise Skipped("bagit and cryptography are not installed")
    trust = {"TRUST": world.at("hoster.trust.json")}
    result = run("sh", "-c", script, cwd=bag, environment=trust).expect(0)
    assert b"this archive is complete and unchanged" in result.output
    flip(first_segment(bag))
    assert run("sh", "-c", script, cwd=bag, environment=trust).status != 0


def life_cycle(world):
    world.copy("sealed", "lived")
    steps = ["--trust", "both.json", "--sign-with", "hospital"]
    exeat("attest", "accept", "lived", *steps, "--reservation", "<b>printing</b> not tried",
          cwd=world.path).expect(0)
    exeat("attest", "request-erasure", "lived", *steps, cwd=world.path).expect(0)
    report = world.json("lived")
    states = {d["document"]: d["state"] for d in report["documents"]}
    assert states["acceptance"] == states["erasureRequest"] == "verified" and states["erasure"] == "missing"
    assert {"text": "reasonAccepted", "values": [1]} in report["verdict"]["reasons"]
    assert report["lock"] and not report["lock"]["open"]
    page = world.page("lived")
    assert "acceptation" in page.all and "<b>printing</b> not tried" in page.all
    assert "<b>printing" not in page.raw and "Verrou d’effacement" in page.all
    # The dates of the Data Act stand against those of the plan, and against each other.
    assert any(d["rule"] and d["clause"] and "2023/2854" in d["clause"] for d in report["dates"])


def proof_alone(world):
    world.report("sealed", "--proof-only", output="proof")
    report = world.json("proof")
    assert report["archive"]["proofOnly"] and report["verdict"]["word"] == "conforming"
    assert report["run"]["segments"] == world.json("sealed")["run"]["segments"]
    assert "Preuve seule" in world.page("proof").all
    flip(world.at("proof/exeat/journal.jsonl"), 200)
    assert world.json("proof", status=3)["verdict"]["word"] == "failed"


def same_evidence_same_report(world):
    def once():
        report = world.json("sealed")
        del report["madeAt"]
        return report
    assert once() == once()


def main():
    cases = Cases()
    with scratch() as path:
        world = World(path)
        for name, case in [
            ("a whole archive, imported and equal, is conforming in both languages", whole_and_equal),
            ("without a key, or without being asked, a report names nothing", nothing_named),
            ("names are shown on request, as text", names_on_request),
            ("names are shown only where the plan allows it", names_by_the_plan),
            ("a report speaks one language", in_one_language),
            ("a damaged archive has a report that says failed, with status 3", damage),
            ("a forged archive cannot write into its report", forged),
            ("archives as tar files have reports, broken ones too", tars),
            ("what cannot be reported is refused, and the archive stays as it is", refusals),
            ("who signed is never taken from the archive itself", strangers),
            ("a target that is not equal fails the report", unequal),
            ("where all omissions stand is told, and they stand there", long_lists),
            ("omissions that nobody accepted are a reservation", open_omissions),
            ("acceptance, request and lock are shown, with what people wrote as text", life_cycle),
            ("a copy of the proof alone has a report that says so", proof_alone),
            ("the instructions of the report check the archive, and find damage", instructions),
            ("the same evidence gives the same report", same_evidence_same_report),
        ]:
            with cases.case(name):
                case(world)
    cases.finish()


main()
