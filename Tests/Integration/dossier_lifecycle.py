#!/usr/bin/env python3
"""From the plan to the certificate of erasure: every document, its order, its lock, its copies.

Needs Python's cryptography 48 and ssh-keygen, as an auditor without exeat does.
"""
import json
import os
import pathlib
import shutil

import dossier_kit
from dossier_kit import Desk, FUTURE, valid
from support import Cases, Skipped, exeat, listing, run, scratch, write

cases = Cases()


def life(desk):
    work = desk.work
    with cases.case("the customer signs the plan, and the seal names it"):
        plan = write(desk.at("agreed.yaml"), f"""exeat: 1
run: {{ purpose: end-of-contract, contract: C-1, agreement: agreed/plan.json }}
sources: {{ alpha: {{ kind: files, path: {desk.at("alpha")} }} }}
archive: {{ name: agreed, sign-with: hoster }}
""")
        exeat("export", plan, "--output", "agreed-bag", cwd=work).expect(1, 3)
        exeat("attest", "plan", plan, "--sign-with", "hoster", cwd=work).expect(3)
        exeat("attest", "plan", plan, "--sign-with", "hospital", cwd=work).expect(0)
        exeat("attest", "plan", plan, "--sign-with", "hospital", cwd=work).expect(1)
        exeat("export", plan, "--output", "agreed-bag", cwd=work).expect(0)
        result = desk.verify(desk.at("agreed-bag")).expect(0).json
        assert [d["file"] for d in result["dossier"]["documents"]] == ["plan.json"]
        valid(desk.at("agreed-bag/proof/plan.json"), "agreed-plan")
        valid(desk.at("agreed-bag/proof/seal.json"), "seal")
        valid(desk.at("agreed-bag/exeat/catalogue.json"), "catalogue")
        exeat("export", plan, "--output", "agreed.tar", cwd=work).expect(0)
        desk.verify(desk.at("agreed.tar")).expect(0)
        tar = pathlib.Path(desk.at("agreed.tar")).read_bytes()
        piped = exeat("verify", "-", "--trust", desk.at("trust.json"), "--json", input=tar).expect(0).json
        assert [d["file"] for d in piped["dossier"]["documents"]] == ["plan.json"]
        for code, change in [(741, lambda bag: [os.unlink(bag + "/proof/plan.json" + s) for s in ["", ".sig", ".mldsa65"]]),
                             (745, lambda bag: desk.forge(bag, "plan.json", lambda s: s["predicate"]["contract"].update(
                                 contract="C-9"), "hospital", "exeat/plan/v1"))]:
            bag = dossier_kit.copy(desk.at("agreed-bag"), f"agreed-{code}")
            change(bag)
            assert desk.verify(bag).expect(3).json["failure"]["code"] == code
        shutil.copytree(desk.at("agreed-bag/proof"), desk.at("plan-only"))
        bag = dossier_kit.copy(desk.export("unagreed"), "with-a-plan")
        for suffix in ["", ".sig", ".mldsa65"]:
            shutil.copy(desk.at("plan-only/plan.json" + suffix), os.path.join(bag, "proof"))
        assert desk.verify(bag).expect(3).json["failure"]["code"] == 743
        write(plan, pathlib.Path(plan).read_text().replace("C-1", "C-2"))
        failed = exeat("export", plan, "--output", "other-bag", cwd=work).expect(3)
        assert "743" in failed.errors, failed.errors
    archive = desk.export("life")
    with cases.case("nothing can be accepted before it was imported"):
        assert "741" in desk.attest("accept", archive, "hospital").expect(3).errors
    with cases.case("a receipt says what was verified and imported, and how long it took"):
        desk.take_in(archive)
        path = os.path.join(archive, "proof/receipt-1.json")
        valid(path, "receipt")
        receipt = json.loads(pathlib.Path(path).read_text())["predicate"]
        assert receipt["verified"]["files"] > 0 and receipt["verified"]["sealedBy"] == "hoster"
        assert receipt["durations"]["total"] >= receipt["durations"]["verify"] >= 0
        assert [s["target"]["kind"] for s in receipt["sources"]] == ["files", "files"]
        assert all(c["equal"] for s in receipt["sources"] for c in s["comparisons"])
        assert "manualActions" in receipt and all("mappings" in s for s in receipt["sources"])
    with cases.case("no step can be taken before the one in front of it"):
        assert "741" in desk.attest("request-erasure", archive, "director").expect(3).errors
        result = desk.erase(archive).expect(1)
        assert "749" in result.errors and "has not accepted" in result.errors
    with cases.case("only a controller accepts"):
        for key in ["hoster", "cleaner"]:
            assert "246" in desk.attest("accept", archive, key).expect(3).errors
        assert not os.path.exists(os.path.join(archive, "proof/acceptance.json"))
    with cases.case("the customer accepts, with reservations, and once"):
        desk.attest("accept", archive, "hospital", "--reservation", "printing was not tried").expect(0)
        path = os.path.join(archive, "proof/acceptance.json")
        valid(path, "acceptance")
        said = json.loads(pathlib.Path(path).read_text())["predicate"]
        assert said["integrated"] and said["usable"] and said["reservations"] == ["printing was not tried"]
        duties = exeat("report", archive, "--trust", desk.at("trust.json"), "--json").expect(0).json["dataAct"]
        counted = [duty["evidence"][0] for duty in duties if duty["evidence"][0]["text"] == "evidenceReservations"]
        assert counted and all(sentence["values"] == [1] for sentence in counted), counted
        before = listing(archive)
        assert "code: 5" in desk.attest("accept", archive, "director").expect(1).errors
        assert listing(archive) == before
    with cases.case("the customer asks for the erasure"):
        # What no reader would take is not signed: it could never be replaced.
        desk.attest("request-erasure", archive, "director", "--scope", "").expect(64)
        desk.verify(archive).expect(0)
        desk.attest("request-erasure", archive, "director", "--formal-notice", "2026-09-02").expect(0)
        valid(os.path.join(archive, "proof/erasure-request.json"), "erasure-request")
        assert desk.status(archive).expect(0).json["lock"]["open"]
    with cases.case("a certificate names media or keys, and dates that are past"):
        desk.attest("erase", archive, "cleaner", "--method", "overwrite").expect(64)
        desk.attest("erase", archive, "cleaner", "--method", "key-destruction").expect(64)
        desk.attest("erase", archive, "cleaner", "--method", "magic", "--medium", "x").expect(64)
        desk.attest("erase", archive, "cleaner", "--method", "overwrite", "--medium", " ").expect(64)
        assert "747" in desk.erase(archive, "--completed", "2999-01-01T00:00:00Z").expect(3).errors
        assert "747" in desk.erase(archive, "--started", "2999-01-01T00:00:00Z").expect(3).errors
    with cases.case("the hoster erases and certifies"):
        desk.attest("erase", archive, "cleaner", "--method", "overwrite", "--method", "key-destruction",
                    "--medium", "SN-4711", "--key-id", "tank-key-7").expect(0)
        path = os.path.join(archive, "proof/erasure.json")
        valid(path, "erasure")
        said = json.loads(pathlib.Path(path).read_text())["predicate"]
        assert said["media"] == ["SN-4711"] and said["keys"] == ["tank-key-7"] and said["lock"]["open"]
    with cases.case("the whole dossier verifies"):
        result = desk.verify(archive).expect(0).json
        assert result["good"] and result["dossier"]["stage"] == "erased" and result["dossier"]["good"]
        names = [d["file"] for d in result["dossier"]["documents"]]
        assert names == ["receipt-1.json", "acceptance.json", "erasure-request.json", "erasure.json"], names
    with cases.case("who trusts the exporter alone is told what he cannot judge"):
        result = desk.verify(archive, trust="hoster.trust.json").expect(0).json
        assert not result["dossier"]["good"]
        assert [d["trusted"] for d in result["dossier"]["documents"]] == [False] * 4
    with cases.case("standard tools check the chain, as VERIFY.txt says"):
        bag = os.path.join(work, "by-hand")
        shutil.copytree(archive, bag)
        checked = run("sh", "VERIFY.txt", cwd=bag, environment={"TRUST": desk.at("trust.json")}).expect(0)
        for file in ["receipt-1", "acceptance", "erasure-request", "erasure"]:
            assert f"{file}.json: signed by" in checked.output.decode(), checked.output.decode()
        path = os.path.join(bag, "proof/acceptance.json")
        write(path, pathlib.Path(path).read_bytes() + b" ")
        run("sh", "VERIFY.txt", cwd=bag, environment={"TRUST": desk.at("trust.json")}).expect(1, 255)
        bag = dossier_kit.copy(archive, "by-hand-disordered")
        sealed = json.loads(pathlib.Path(bag, "proof/receipt-1.json").read_text())["subject"]
        desk.forge(bag, "acceptance.json", lambda s: s.update(subject=sealed), "hospital", "exeat/acceptance/v1")
        told = run("sh", "VERIFY.txt", cwd=bag, environment={"TRUST": desk.at("trust.json")}).expect(1)
        assert "acceptance.json follows seal.json, out of order" in told.errors, told.errors
    return archive


def lock(desk):
    archive = desk.export("locked", dates=FUTURE)
    desk.take_in(archive)
    desk.attest("accept", archive, "hospital").expect(0)
    desk.attest("request-erasure", archive, "director").expect(0)
    with cases.case("the source is locked until the legal date has passed"):
        result = desk.erase(archive).expect(1)
        assert "749" in result.errors and "2999-01-0" in result.errors and "25(2)(h)" in result.errors
        lock = desk.status(archive).expect(0).json["lock"]
        assert not lock["open"] and [r["kind"] for r in lock["reasons"]] == ["too-early"]
    with cases.case("one person cannot override the lock, with one key nor with one name"):
        one = ["--name", "Jeanne Martin", "--reason", "data centre closes"]
        assert "246" in desk.attest("override", archive, "hoster", *one).expect(3).errors
        assert "748" in desk.attest("override", archive, "director", "--name", " ", "--reason", "x").expect(3).errors
        desk.attest("override", archive, "director", *one).expect(0)
        assert "749" in desk.erase(archive).expect(1).errors
        assert "748" in desk.attest("override", archive, "director", "--name", "B", "--reason", "x").expect(3).errors
        # Capitals, spaces and what cannot be seen make no other name.
        desk.attest("override", archive, "hospital", "--name", "jeanne\u200b  MARTI\u200dN", "--reason", "again").expect(0)
        assert "749" in desk.erase(archive).expect(1).errors
    with cases.case("two people override it, and it shows in document and verification"):
        desk.attest("override", archive, "officer", "--name", "Paul Petit", "--reason", "data centre closes").expect(0)
        desk.erase(archive).expect(0)
        for name in ["override-1.json", "override-3.json"]:
            valid(os.path.join(archive, "proof", name), "override")
        valid(os.path.join(archive, "proof/erasure.json"), "erasure")
        said = json.loads(pathlib.Path(archive, "proof/erasure.json").read_text())["predicate"]["lock"]
        assert said["overridden"] and not said["open"]
        assert {o["name"] for o in said["overrides"]} >= {"Jeanne Martin", "Paul Petit"}
        shown = exeat("verify", archive, "--trust", desk.at("trust.json")).expect(0).output.decode()
        assert "AGAINST THE LOCK" in shown and "Paul Petit" in shown, shown
        by_hand = run("sh", "VERIFY.txt", cwd=archive, environment={"TRUST": desk.at("trust.json")}).expect(0).output.decode()
        assert "AGAINST THE LOCK" in by_hand and "Paul Petit" in by_hand, by_hand
    with cases.case("those who erase do not unlock their own work, and nobody approves afterwards"):
        bag = desk.export("unlocked", dates=FUTURE)
        for key, name in [("officer", "Paul Petit"), ("cleaner", "Anne Roux")]:
            desk.attest("override", bag, key, "--name", name, "--reason", "closes").expect(0)
        assert "749" in desk.erase(bag).expect(1).errors
        desk.attest("override", bag, "director", "--name", "Jeanne Martin", "--reason", "closes").expect(0)
        assert "749" in desk.erase(bag, "--started", "2026-01-01T00:00:00Z").expect(1).errors
        desk.erase(bag).expect(0)
        result = desk.verify(bag).expect(0).json["dossier"]
        assert result["good"] and result["stage"] == "erased", result
        # Nobody who is known has signed it: it is not judged, and nothing else of the archive is wrong.
        assert not desk.verify(bag, trust="hoster.trust.json").expect(0).json["dossier"]["good"]
        report = exeat("report", bag, "--trust", desk.at("trust.json"), "--lang", "en").expect(0).output.decode()
        assert all(name in report for name in ["Paul Petit", "Anne Roux", "Jeanne Martin"])
        assert "the earliest legal date has not passed" in report
    with cases.case("without one of the approvals the certificate is refused"):
        bag = dossier_kit.copy(archive, "one-approval")
        for suffix in ["", ".sig", ".mldsa65"]:
            os.unlink(os.path.join(bag, "proof/override-3.json" + suffix))
        assert desk.verify(bag).expect(3).json["failure"]["code"] == 741


def copies(desk, archive):
    with cases.case("the proof alone is a small copy that says what it cannot prove"):
        before = listing(archive)
        for output in ["proof-copy", "proof-copy.tar"]:
            exeat("report", archive, "--proof-only", "--output", desk.at(output), "--trust",
                  desk.at("trust.json")).expect(0)
            result = desk.verify(desk.at(output)).expect(2)
            assert not result.json["good"] and result.json["result"] == "proof-only"
            assert result.json["failure"]["code"] == 751
            enough = desk.verify(desk.at(output), "--proof-only").expect(0)
            assert not enough.json["good"] and enough.json["dossier"]["stage"] == "erased"
            shown = exeat("verify", desk.at(output), "--proof-only", "--trust", desk.at("trust.json")).expect(0)
            assert b"NOT CHECKED: the data itself" in shown.output
        assert listing(archive) == before
        exeat("report", archive, "--proof-only", "--output", desk.at("proof-copy"), "--trust",
              desk.at("trust.json")).expect(1)
        assert not os.path.exists(desk.at("proof-copy/data"))
        by_hand = run("sh", "VERIFY.txt", cwd=desk.at("proof-copy"), environment={"TRUST": desk.at("trust.json")}).expect(2)
        assert b"NOTHING IS SAID ABOUT THE DATA" in by_hand.output and b"erasure.json: signed by" in by_hand.output
    with cases.case("a copy of the proof cannot be imported or extracted"):
        # Status 2 is for what was done with omissions; here nothing is.
        for result in [exeat("import", desk.at("proof-copy"), desk.at("import.yaml"), "--work", desk.at("w2"), cwd=desk.work),
                       exeat("extract", desk.at("proof-copy"), "--to", desk.at("x2"), "--trust", desk.at("trust.json"))]:
            assert "312" in result.expect(3).errors and "proof alone" in result.errors, result.errors
        assert not os.path.exists(desk.at("x2")) or not os.listdir(desk.at("x2"))
    with cases.case("a proof with one payload file left is no proof copy"):
        bag = dossier_kit.copy(archive, "nearly")
        shutil.rmtree(os.path.join(bag, "data", "alpha"))
        assert desk.verify(bag, "--proof-only").expect(3).json["failure"]["code"] == 312
    with cases.case("a changed byte of the proof is found in the copy"):
        bag = dossier_kit.copy(desk.at("proof-copy"), "proof-changed")
        path = os.path.join(bag, "exeat/catalogue.json")
        write(path, pathlib.Path(path).read_text().replace("E26-01/0042", "E26-01/0043"))
        assert desk.verify(bag, "--proof-only").expect(3).json["failure"]["code"] == 314


def places(desk):
    with cases.case("the documents of a tar lie beside it, and the tar does not change"):
        tar = desk.export("plain", form=".tar")
        digest = run("sha256sum", tar).output
        desk.take_in(tar)
        assert os.path.exists(desk.at("plain.proof/receipt-1.json"))
        desk.attest("accept", tar, "hospital").expect(0)
        desk.attest("request-erasure", tar, "director").expect(0)
        desk.erase(tar).expect(0)
        assert run("sha256sum", tar).output == digest
        assert desk.verify(tar).expect(0).json["dossier"]["stage"] == "erased"
        exeat("report", tar, "--proof-only", "--output", desk.at("plain-proof.tar"), "--trust",
              desk.at("trust.json")).expect(0)
        assert desk.verify(desk.at("plain-proof.tar"), "--proof-only").expect(0).json["dossier"]["stage"] == "erased"
    with cases.case("what was not imported, or not compared, is not accepted without a word"):
        for name, targets, options, said in [("partial", ["alpha"], "", "not imported"),
                                             ("unseen", ["alpha", "beta"], "verify: none\n", "not compared")]:
            archive = desk.export(name)
            desk.take_in(archive, targets=targets, options=options)
            failed = desk.attest("accept", archive, "hospital").expect(3)
            assert said in failed.errors and "--reservation" in failed.errors, failed.errors
            for empty in ["", " \t", "-"]:
                desk.attest("accept", archive, "hospital", "--reservation", empty).expect(64)
            assert not os.path.exists(os.path.join(archive, "proof/acceptance.json"))
            desk.attest("accept", archive, "hospital", "--reservation", "beta is not needed").expect(0)
    with cases.case("an archive that cannot be written to has its documents in a folder that is named"):
        archive = desk.export("fixed")
        desk.take_in(archive)
        work = desk.at("work-fixed-1")
        for suffix in ["", ".sig", ".mldsa65"]:
            os.unlink(os.path.join(archive, "proof/receipt-1.json" + suffix))
        assert "741" in desk.attest("accept", archive, "hospital").expect(3).errors
        desk.attest("accept", archive, "hospital", "--dossier", work).expect(0)
        assert os.path.exists(os.path.join(work, "acceptance.json"))
        assert not os.path.exists(os.path.join(archive, "proof/acceptance.json"))
        assert desk.verify(archive, "--dossier", work).expect(0).json["dossier"]["stage"] == "accepted"
        assert desk.verify(archive).expect(0).json["dossier"]["stage"] == "sealed"


def interrupted(desk):
    with cases.case("signatures that an interrupted step has left do not block the next one"):
        archive = desk.export("torn-off")
        desk.take_in(archive)
        desk.attest("accept", archive, "hospital").expect(0)
        os.unlink(os.path.join(archive, "proof/acceptance.json"))
        assert desk.verify(archive).expect(3)
        assert desk.attest("request-erasure", archive, "director").status == 3
        desk.attest("accept", archive, "director").expect(3)
        desk.attest("accept", archive, "hospital").expect(0)
        desk.verify(archive).expect(0)
    with cases.case("a folder that cannot be written to is named, with the way out"):
        if os.geteuid() != 0:
            archive = desk.export("read-only")
            desk.take_in(archive)
            os.chmod(os.path.join(archive, "proof"), 0o555)
            assert "--dossier" in desk.attest("accept", archive, "hospital").expect(1).errors
        else:
            full = desk.at("papers-full")
            os.makedirs(full)
            archive = desk.export("full")
            desk.take_in(archive)
            if run("mount", "-t", "tmpfs", "-o", "size=4k", "none", full).status != 0:
                raise Skipped("no file system can be mounted")
            try:
                write(os.path.join(full, "filler"), b"x" * 4096)
                assert "code: 6 " in desk.attest("accept", archive, "hospital", "--dossier", full).expect(1).errors
                assert os.listdir(full) == ["filler"]
            finally:
                run("umount", full)
            desk.attest("accept", archive, "hospital").expect(0)


with scratch("exeat-dossier-") as work:
    desk = Desk(work)
    archive = life(desk)
    lock(desk)
    copies(desk, archive)
    places(desk)
    interrupted(desk)
cases.finish()
