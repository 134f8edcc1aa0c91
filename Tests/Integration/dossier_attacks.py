#!/usr/bin/env python3
"""What is wrong with a dossier is refused, each cause with its own code: missing, exchanged, replayed, forged.

Needs Python's cryptography 48, to sign what exeat itself would not sign.
"""
import hashlib
import json
import os
import pathlib
import shutil
import time

from dossier_kit import Desk, FUTURE, copy
from support import Cases, exeat, run, scratch, write

cases = Cases()
ALL = ["receipt-1.json", "acceptance.json", "erasure-request.json", "erasure.json"]
SUFFIXES = ["", ".sig", ".mldsa65"]


def take(archive, file):
    for suffix in SUFFIXES:
        os.unlink(os.path.join(archive, "proof", file + suffix))


def put(source, target, file):
    for suffix in SUFFIXES:
        shutil.copy(os.path.join(source, "proof", file + suffix), os.path.join(target, "proof", file + suffix))


with scratch("exeat-attacks-") as work:
    desk = Desk(work)
    older = desk.export("twin")
    os.rename(older, desk.at("older"))
    older = desk.at("older")
    time.sleep(0.01)
    good = desk.whole("twin")
    other = desk.whole("other")
    number, signing = iter(range(1000)), iter(range(1000))

    def attack(name, code, change, *options, status=3):
        """Changes a copy of the good archive, and expects the code from verify; every fourth is tried with attest."""
        with cases.case(name):
            bag = copy(good, f"bag-{next(number)}")
            change(bag)
            result = desk.verify(bag, *options).expect(status)
            assert not result.json["good"]
            codes = {p["code"] for p in result.json["problems"]} | {result.json["failure"]["code"]}
            codes |= {p["code"] for p in (result.json.get("dossier") or {}).get("problems", [])}
            assert code in codes, f"codes {codes}: {result.errors}"
            assert str(code) in result.errors or len(codes) > 1, result.errors
            told = run("sh", "VERIFY.txt", cwd=bag, environment={"TRUST": desk.at("trust.json")})
            assert told.status == 1 or told.status == 255, f"by hand: {told.status}"
            if next(signing) % 4 == 0:
                desk.attest("override", bag, "officer", "--name", "Paul", "--reason", "x", *options).expect(1, 3)

    with cases.case("the archive that is attacked is good"):
        desk.verify(good).expect(0)
        desk.verify(other).expect(0)

    # Missing documents and signatures.
    for file in ALL[:3]:
        attack(f"{file} is missing", 741, lambda bag: take(bag, file))
    for file in ALL:
        for suffix in SUFFIXES[1:]:
            attack(f"{file} lost its {suffix}", 243, lambda bag: os.unlink(os.path.join(bag, "proof", file + suffix)))
            with cases.case(f"… which is said by hand too where nobody knows who signed {file}"):
                bag = copy(good, f"bag-{next(number)}")
                os.unlink(os.path.join(bag, "proof", file + suffix))
                told = run("sh", "VERIFY.txt", cwd=bag, environment={"TRUST": desk.at("hoster.trust.json")}).expect(1)
                assert f"{file} has lost {file}{suffix}" in told.errors, told.errors
        attack(f"a signature without {file}", 312, lambda bag: os.unlink(os.path.join(bag, "proof", file)))

    # A changed byte, in documents and signatures.
    for file in ALL:
        def flip(bag, file=file):
            path = os.path.join(bag, "proof", file)
            content = bytearray(pathlib.Path(path).read_bytes())
            content[len(content) // 2] ^= 1
            write(path, bytes(content))
        attack(f"a changed byte in {file}", 242, flip)

        def swap(bag, file=file):
            shutil.copy(os.path.join(bag, "proof/seal.json.mldsa65"), os.path.join(bag, "proof", file + ".mldsa65"))
        attack(f"the seal's signature on {file}", 242, swap)

    # Wrong roles, wrong namespaces, mixed pairs.
    for file, key, namespace in [("receipt-1.json", "cleaner", "receipt"), ("acceptance.json", "hoster", "acceptance"),
                                 ("erasure-request.json", "cleaner", "erasure-request"), ("erasure.json", "hospital", "erasure")]:
        attack(f"{file} by somebody without its role", 246, lambda bag: desk.forge(
            bag, file, lambda s: None, key, f"exeat/{namespace}/v1"))
    attack("an acceptance signed as a receipt", 242, lambda bag: desk.forge(
        bag, "acceptance.json", lambda s: None, "hospital", "exeat/receipt/v1"))
    attack("an acceptance that names another signer", 250, lambda bag: desk.forge(
        bag, "acceptance.json", lambda s: s["predicate"]["signer"].update(principal="director"), "hospital",
        "exeat/acceptance/v1"))

    def pair(bag):
        desk.sign(os.path.join(bag, "proof"), "acceptance.json", "hospital", "exeat/acceptance/v1")
        mixed = pathlib.Path(bag, "proof/acceptance.json.mldsa65")
        kept = pathlib.Path(bag, "proof/acceptance.json.sig").read_bytes()
        desk.sign(os.path.join(bag, "proof"), "acceptance.json", "director", "exeat/acceptance/v1")
        assert mixed.exists()
        write(os.path.join(bag, "proof/acceptance.json.sig"), kept)
    attack("an acceptance with signatures of two people", 250, pair)

    # Documents of another archive, and of a newer one.
    for file in ALL:
        attack(f"{file} of a newer archive", 744, lambda bag: put(other, bag, file))
    with cases.case("an older document set is told from a newer one"):
        bag = copy(other, "foreign")
        for file in ALL:
            put(good, bag, file)
        codes = {p["code"] for p in desk.verify(bag).expect(3).json["problems"]}
        assert codes == {743}, codes
    with cases.case("an older archive in the place of the one that was accepted"):
        bag = copy(older, "replayed")
        for file in ALL:
            put(good, bag, file)
        result = desk.verify(bag).expect(3)
        assert {p["code"] for p in result.json["problems"]} == {744} and "744" in result.errors
        folder = desk.at("papers")
        os.makedirs(folder)
        for file in ALL:
            for suffix in SUFFIXES:
                shutil.copy(os.path.join(good, "proof", file + suffix), folder)
        assert desk.verify(older, "--dossier", folder).expect(3).json["failure"]["code"] == 744

    # Order, exchanged documents, dates.
    receipt = json.loads(pathlib.Path(good, "proof/receipt-1.json").read_text())
    sealed = json.loads(pathlib.Path(good, "proof/acceptance.json").read_text())["predicate"]["seal"]["sha256"]
    attack("an acceptance of the seal instead of a receipt", 742, lambda bag: desk.forge(
        bag, "acceptance.json", lambda s: s.update(subject=[{"digest": {"sha256": sealed}, "name": "seal.json"}]),
        "hospital", "exeat/acceptance/v1"))
    attack("an erasure that skips the request", 742, lambda bag: desk.forge(
        bag, "erasure.json", lambda s: s.update(subject=[json.loads(
            pathlib.Path(bag, "proof/erasure-request.json").read_text())["subject"][0]]), "cleaner", "exeat/erasure/v1"))
    attack("an acceptance of a receipt that does not exist", 741, lambda bag: desk.forge(
        bag, "acceptance.json", lambda s: s["subject"][0].update(name="receipt-7.json"), "hospital",
        "exeat/acceptance/v1"))
    attack("a receipt that was exchanged after the acceptance", 745, lambda bag: desk.forge(
        bag, "receipt-1.json", lambda s: s["predicate"]["reservations"].append("none"), "hospital", "exeat/receipt/v1"))
    attack("an acceptance signed anew after the request", 745, lambda bag: desk.forge(
        bag, "acceptance.json", lambda s: s["predicate"]["reservations"].clear() or s["predicate"]["reservations"].append("x"),
        "director", "exeat/acceptance/v1"))
    attack("a receipt older than the seal", 747, lambda bag: desk.forge(
        bag, "receipt-1.json", lambda s: s["predicate"].update(createdAt="2020-01-01T00:00:00.000Z"), "hospital",
        "exeat/receipt/v1"))
    attack("an erasure older than the request", 747, lambda bag: desk.forge(
        bag, "erasure.json", lambda s: s["predicate"].update(createdAt="2020-01-01T00:00:00.000Z"), "cleaner",
        "exeat/erasure/v1"))
    attack("an erasure that ended before it began", 747, lambda bag: desk.forge(
        bag, "erasure.json", lambda s: s["predicate"].update(completedAt="2020-01-01T00:00:00.000Z"), "cleaner",
        "exeat/erasure/v1"))
    attack("a certificate from the future", 747, lambda bag: desk.forge(
        bag, "erasure.json", lambda s: s["predicate"].update(createdAt="2999-01-01T00:00:00.000Z"), "cleaner",
        "exeat/erasure/v1"))

    # Documents that contradict themselves or each other, signed by who may sign them.
    def twice(bag):
        for suffix in SUFFIXES:
            shutil.copy(os.path.join(bag, "proof/receipt-1.json" + suffix), os.path.join(bag, "proof/receipt-2.json" + suffix))
    attack("a receipt that counts twice", 746, twice)
    attack("an acceptance that tells of another receipt", 745, lambda bag: desk.forge(
        bag, "acceptance.json", lambda s: s["predicate"]["receipt"].update(status=2), "hospital", "exeat/acceptance/v1"))
    attack("an acceptance that hides reservations", 745, lambda bag: desk.forge(
        bag, "acceptance.json", lambda s: s["predicate"].update(receiptReservations=["x"]), "hospital", "exeat/acceptance/v1"))
    for name, lie in {
            "calls what differs equal": lambda p: p["sources"][0]["comparisons"][0].update(found="0" * 64),
            "hides differences in its sum": lambda p: p["sources"][0].update(different=5),
            "is well in spite of differences": lambda p: (p["sources"][0].update(different=5), p["outcome"].update(different=5)),
            "is whole without what was not set": lambda p: (p["sources"][0].update(notSet=1), p["outcome"].update(notSet=1)),
    }.items():
        attack(f"a receipt that {name}", 740, lambda bag: desk.forge(
            bag, "receipt-1.json", lambda s: lie(s["predicate"]), "hospital", "exeat/receipt/v1"))
    attack("a receipt with less than nothing", 740, lambda bag: desk.forge(
        bag, "receipt-1.json", lambda s: [s["predicate"]["sources"][n].update(different=d) for n, d in enumerate([-1, 1])],
        "hospital", "exeat/receipt/v1"))
    attack("a certificate that tells of no reason to be", 740, lambda bag: desk.forge(
        bag, "erasure.json", lambda s: s["predicate"]["lock"].update(open=False), "cleaner", "exeat/erasure/v1"))

    # Forms.
    attack("a document that is not canonical", 740, lambda bag: (
        write(os.path.join(bag, "proof/erasure.json"), pathlib.Path(bag, "proof/erasure.json").read_bytes() + b"\n"),
        desk.sign(os.path.join(bag, "proof"), "erasure.json", "cleaner", "exeat/erasure/v1")))
    attack("an acceptance that does not say usable", 740, lambda bag: desk.forge(
        bag, "acceptance.json", lambda s: s["predicate"].update(usable=False), "hospital", "exeat/acceptance/v1"))
    attack("a request that names no day not to erase before", 740, lambda bag: desk.forge(
        bag, "erasure-request.json", lambda s: s["predicate"].update(notBefore="2027-13-01"), "director",
        "exeat/erasure-request/v1"))
    attack("a certificate without its lock", 740, lambda bag: desk.forge(
        bag, "erasure.json", lambda s: s["predicate"].pop("lock"), "cleaner", "exeat/erasure/v1"))
    attack("a file that is no document", 321, lambda bag: write(os.path.join(bag, "proof/acceptance-2.json"), "{}"))

    # The lock.
    attack("an override that two people did not sign", 748, lambda bag: desk.forge(
        bag, "erasure.json", lambda s: s["predicate"]["lock"].update(overridden=True, open=False), "cleaner",
        "exeat/erasure/v1"))
    def certify(early, *options):
        """Accepted and asked for, and a certificate that its eraser has written by hand."""
        desk.attest("accept", early, "hospital", *options).expect(0)
        desk.attest("request-erasure", early, "director").expect(0)
        assert "749" in desk.erase(early).expect(1).errors
        statement = json.loads(pathlib.Path(good, "proof/erasure.json").read_text())
        request = pathlib.Path(early, "proof/erasure-request.json")
        asked = json.loads(request.read_text())
        statement["subject"] = [{"digest": {"sha256": hashlib.sha256(request.read_bytes()).hexdigest()},
                                 "name": "erasure-request.json"}]
        statement["predicate"].update(bag=asked["predicate"]["bag"], seal=asked["predicate"]["seal"])
        now = time.strftime("%Y-%m-%dT%H:%M:%S.999Z", time.gmtime())
        statement["predicate"].update(createdAt=now, startedAt=now, completedAt=now)
        write(os.path.join(early, "proof/erasure.json"), json.dumps(statement))
        desk.forge(early, "erasure.json", lambda s: None, "cleaner", "exeat/erasure/v1")
        return desk.verify(early).expect(3).json["failure"]["code"]

    with cases.case("an erasure before the legal date, forged by the eraser"):
        early = desk.export("early", dates=FUTURE)
        desk.take_in(early)
        assert certify(early) == 752
    with cases.case("an erasure whose legal date nobody can tell, forged by the eraser"):
        unknown = desk.export("unknown", extra="\n  legal: { profiles: [ data-act, secnumcloud-3.2 ] }")
        desk.take_in(unknown)
        assert certify(unknown) == 748
    with cases.case("an erasure after an import that differed, forged by the eraser"):
        unequal = desk.export("unequal")
        desk.take_in(unequal)
        write(desk.at("in-unequal-1/alpha/a.txt"), "changed")
        desk.take_in(unequal, statuses=(3,))
        assert certify(unequal, "--receipt", "2", "--reservation", "alpha differs") == 748

    with cases.case("an exporter who changes the dates that the customer has signed"):
        plan = write(desk.at("dated.yaml"), f"""exeat: 1
run: {{ purpose: end-of-contract, agreement: dated.json, dates: {{ retrieval-end: 2999-01-04 }} }}
sources: {{ alpha: {{ kind: files, path: {desk.at("alpha")} }} }}
archive: {{ name: dated, sign-with: hoster }}
""")
        exeat("attest", "plan", plan, "--sign-with", "hospital", cwd=work).expect(0)
        exeat("export", plan, "--output", "dated", cwd=work).expect(0)
        bag = desk.at("dated")
        desk.verify(bag).expect(0)
        path = pathlib.Path(bag, "exeat/catalogue.json")
        tags = pathlib.Path(bag, "tagmanifest-sha256.txt")
        before = hashlib.sha256(path.read_bytes()).hexdigest()
        write(str(path), path.read_text().replace("2999-01-04", "2026-01-05"))
        write(str(tags), tags.read_text().replace(before, hashlib.sha256(path.read_bytes()).hexdigest()))

        def seal(statement):
            statement["subject"][0]["digest"]["sha256"] = hashlib.sha256(tags.read_bytes()).hexdigest()
        desk.forge(bag, "seal.json", seal, "hoster", "exeat/seal/v1")
        assert desk.verify(bag).expect(3).json["failure"]["code"] == 745

    with cases.case("a seal from the future, and a catalogue with dates of no contract"):
        def resealed(name, change, edit=lambda catalogue: None):
            bag = copy(desk.at("unsealable"), name)
            path, tags = pathlib.Path(bag, "exeat/catalogue.json"), pathlib.Path(bag, "tagmanifest-sha256.txt")
            before, catalogue = hashlib.sha256(path.read_bytes()).hexdigest(), json.loads(path.read_text())
            edit(catalogue)
            write(str(path), json.dumps(catalogue, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
            write(str(tags), tags.read_text().replace(before, hashlib.sha256(path.read_bytes()).hexdigest()))

            def seal(statement):
                statement["subject"][0]["digest"]["sha256"] = hashlib.sha256(tags.read_bytes()).hexdigest()
                change(statement["predicate"])
            desk.forge(bag, "seal.json", seal, "hoster", "exeat/seal/v1")
            report = exeat("report", bag, "--trust", desk.at("trust.json"), "--json").expect(0, 3)
            return desk.verify(bag), report
        desk.export("unsealable")
        resealed("resealed", lambda seal: None)[0].expect(0)
        for name, code, change, edit in [
                ("future", 747, lambda seal: seal.update(createdAt="2999-01-01T00:00:00.000Z"), lambda catalogue: None),
                ("dateless", 740, lambda seal: None, lambda c: c["contract"]["dates"].update({"notice-end": "9999-12-31"}))]:
            result, report = resealed(name, change, edit)
            assert result.expect(3).json["failure"]["code"] == code, result.errors
            assert report.status == 3 and report.json["verdict"]["failure"]["code"] == code

    # Two answers to one question.
    with cases.case("two acceptances that contradict each other"):
        bag = desk.export("torn")
        desk.take_in(bag)
        for folder, key in [("mine", "hospital"), ("theirs", "director")]:
            desk.attest("accept", bag, key, "--dossier", desk.at(folder)).expect(0)
        desk.verify(bag, "--dossier", desk.at("mine")).expect(0)
        for suffix in SUFFIXES:
            shutil.copy(desk.at("mine", "acceptance.json" + suffix), os.path.join(bag, "proof"))
        desk.verify(bag, "--dossier", desk.at("mine")).expect(0)
        result = desk.verify(bag, "--dossier", desk.at("theirs")).expect(3)
        assert result.json["failure"]["code"] == 746, result.errors
    with cases.case("documents of people whom nobody trusts unlock nothing"):
        bag = desk.export("strange")
        desk.take_in(bag)
        desk.attest("accept", bag, "stranger", "--dossier", desk.at("odd")).expect(0)
        status = desk.status(bag, "--dossier", desk.at("odd")).expect(0).json
        assert "untrusted" in [r["kind"] for r in status["lock"]["reasons"]], status["lock"]
        desk.attest("request-erasure", bag, "director", "--dossier", desk.at("odd")).expect(3)
        desk.erase(bag, "--dossier", desk.at("odd")).expect(1)
    with cases.case("an archive whose seal does not hold has no dossier"):
        bag = copy(good, "unsealed")
        os.unlink(os.path.join(bag, "proof/seal.json.mldsa65"))
        desk.status(bag).expect(3)
        desk.verify(bag).expect(3)
cases.finish()
