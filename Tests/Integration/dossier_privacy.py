#!/usr/bin/env python3
"""Names of patients, people, tables, guests, hosts and files are in no public file of an archive, of its documents, of their copies.

Names are planted in sources of every kind, in targets and in mappings. In an archive that is encrypted no file may hold one; of one in
clear, what may travel alone: journal, catalogue, seal, tag files, receipts and later documents, reports. Messages to who runs a command
name objects; progress and results that are kept do not.
"""
import base64
import contextlib
import json
import os
import pathlib
import re

import dossier_kit
import forge
from dossier_kit import Desk
from dossier_sources import KINDS, PLANTED
from support import Cases, exeat, scratch, write

cases = Cases()
PUBLIC = ["exeat/journal.jsonl", "exeat/catalogue.json", "bag-info.txt", "bagit.txt", "VERIFY.txt", "manifest-sha256.txt",
          "tagmanifest-sha256.txt", "proof"]


def words(content):
    """The planted words that are in there, in whatever form."""
    folded = content.lower()
    found = []
    for word in PLANTED:
        forms = [word.lower().encode(), word.lower().encode().hex().encode(), word.encode().hex().encode(),
                 base64.b64encode(word.encode()).rstrip(b"=")[:-1].lower()]
        found += [form.decode() for form in forms if form in folded]
    return found


def clean(archive, names):
    looked = 0
    for name in names:
        path = pathlib.Path(archive, name)
        for found in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
            looked += 1
            assert not words(found.read_bytes()), f"{found} holds {words(found.read_bytes())}"
            assert not words(str(found.relative_to(archive)).encode()), f"{found} is named so"
    assert looked, "there is nothing to look at"
    return looked


def unsaid(text, what):
    text = text.encode() if isinstance(text, str) else text
    if found := words(text):
        at = text.lower().find(found[0].encode())
        raise AssertionError(f"{what} tells of {found}: …{text[max(0, at - 150):at + 80]!r}")


class Life:
    """An archive of all kinds, in clear or encrypted, and its documents up to the certificate."""

    def __init__(self, desk, sources, name, encrypt, form=""):
        self.desk, self.name, self.sources, self.imported = desk, name, sources, None
        self.archive, self.key = desk.at(name + form), ["--decrypt-with", desk.at("hospital.agekey")]
        recipient = pathlib.Path(desk.at("hospital.agepub")).read_text().strip()
        lines = "".join(f"\n  {source}: {given}" for source, (given, _, _) in sources.items())
        plan = write(desk.at(f"{name}.yaml"), f"""exeat: 1
run:
  purpose: end-of-contract
  contract: E26
  provider: {{ name: Hoster SA }}{dossier_kit.PAST}
sources:{lines}
  second: {{ kind: files, path: {desk.at("alpha")} }}
archive: {{ name: {name}, sign-with: hoster{f', encrypt-to: [ {recipient} ]' if encrypt else ''} }}
""")
        self.exported = exeat("export", plan, "--output", self.archive, "--progress", "json", cwd=desk.work).expect(0, 2)

    def take_in(self, name=None, verify="digest", archive=None, statuses=(0, 2)):
        """Imports into targets of that name; again, and they are compared again."""
        desk, name = self.desk, name or self.name
        lines = "".join(f"\n  {source}: {taken}" for source, (_, taken, _) in self.sources.items()).replace("TARGET", name)
        plan = write(desk.at(f"in-{name}.yaml"), f"""exeat: 1
trust: trust.json
sign-with: hospital
decrypt-with: hospital.agekey
targets:{lines}
  second: {{ kind: files, path: {desk.at("vauquelin-target-" + name)}/second }}
verify: {verify}
""")
        os.makedirs(desk.at("vauquelin-target-" + name), exist_ok=True)
        self.imported = exeat("import", archive or self.archive, plan, "--work", desk.at("work-" + name), "--progress", "json",
                              cwd=desk.work).expect(*statuses)
        return self

    def end(self):
        desk = self.desk
        desk.attest("accept", self.archive, "hospital").expect(0)
        desk.attest("request-erasure", self.archive, "director").expect(0)
        desk.erase(self.archive).expect(0)
        return self

    def report(self, *options, status=(0,)):
        return exeat("report", self.archive, "--trust", self.desk.at("trust.json"), *options, cwd=self.desk.work).expect(*status)


def french(page):
    """Words and sentences of connectors that a French report has in English alone are marked as such: there are none."""
    foreign = set(re.findall('<span lang="en">(.*?)</span>', page.decode()))
    assert not foreign, f"not in French: {foreign}"


def progress(errors):
    """The lines of progress on standard error, which a machine keeps."""
    return "\n".join(line for line in errors.splitlines() if line.startswith("{"))


def public(life, encrypt):
    desk, archive = life.desk, life.archive
    with cases.case(f"no planted name is in a public file of {life.name}"):
        assert {s["folder"] for s in json.loads(pathlib.Path(archive, "exeat/catalogue.json").read_text())["sources"]}
        assert clean(archive, ["."] if encrypt else PUBLIC) > 15
        desk.verify(archive).expect(0)
    with cases.case(f"… nor in progress, status and verification ({life.name})"):
        for result in [life.exported, life.imported]:
            assert not result or progress(result.errors)
            unsaid(progress(result.errors) if result else "", "progress")
        unsaid(desk.status(archive).output, "status")
        if encrypt:
            # With the manifest in clear, verify tells which table has passed.
            unsaid(desk.verify(archive).output, "verify")
    with cases.case(f"… nor in its reports, in both languages, for people and for programs ({life.name})"):
        for options in [["--lang", "fr"], ["--lang", "en"], ["--json"], ["--lang", "fr", *life.key], ["--json", *life.key]]:
            told = life.report(*options).output
            unsaid(told, f"the report {options}")
            if "fr" in options:
                french(told)
    with cases.case(f"the numbers of its sources add up to those of the whole ({life.name})"):
        told = life.report("--json").json
        for name in ("expected", "exported", "omitted", "open"):
            parts = [source[name] for source in told["sources"]]
            assert sum(parts) == told["outcome"][name], f"{name}: {parts} and {told['outcome'][name]}"
        more = sum(told["outcome"][name] for name in ("exported", "omitted")) - told["outcome"]["expected"]
        assert more > 0, "a file without its secret is in the archive, and an omission"
        assert f"not whole: their secrets were taken out, or they changed while they were read. Here: {more}." in \
            life.report("--lang", "en").output.decode(), "nothing says why they are more"
    with cases.case(f"… nor in the copy of its proof ({life.name})"):
        copy = desk.at(life.name + "-proof")
        exeat("report", archive, "--proof-only", "--output", copy, "--trust", desk.at("trust.json")).expect(0)
        clean(copy, ["."] if encrypt else PUBLIC)
        unsaid(exeat("report", copy, "--json", "--trust", desk.at("trust.json")).expect(0).output, "the report of the proof")
    with cases.case(f"the lists of {life.name} hold the names of every source, so that the search can fail"):
        plain = exeat("inspect", archive, *life.key, "--json").expect(0).json["manifest"]
        silent = [s["name"] for s in plain["sources"] if s["name"] != "second" and not words(json.dumps(s).encode())]
        assert silent in ([], ["share"]), f"nothing is planted in {silent}"
        listed = exeat("inspect", archive, "share", *life.key, "--json").expect(0)
        assert words(listed.output), "the index names nothing"


def unsealed(life, name):
    """A copy without the documents that came after the seal."""
    bag = dossier_kit.copy(life.archive, name)
    for path in pathlib.Path(bag, "proof").glob("*.json*"):
        if not path.name.startswith("seal.json"):
            path.unlink()
    return bag


def unequal(life, bag):
    """Receipts and reports of imports that counted, and of one that found differences in every source."""
    with cases.case("a receipt of what was only counted names nothing"):
        life.take_in("counted", verify="counts", archive=bag)
        clean(bag, ["proof"])
        receipt = pathlib.Path(bag, "proof/receipt-1.json").read_text()
        assert "row count of table 1" in receipt or "base" not in life.sources, receipt
    with cases.case("a receipt of what differs names nothing, and neither does its report"):
        for _, _, spoil in life.sources.values():
            spoil(life.name)
        life.take_in(archive=bag, statuses=(3,))
        clean(bag, ["proof"])
        said = json.loads(pathlib.Path(bag, "proof/receipt-2.json").read_text())["predicate"]
        assert all(source["different"] > 0 for source in said["sources"] if source["folder"] != "second"), said["sources"]
        named = pathlib.Path(life.desk.at("work-" + life.name), "report.json").read_bytes()
        assert words(named), "the list that stays names nothing"
        for options in [["--lang", "fr"], ["--json"]]:
            unsaid(exeat("report", bag, "--trust", life.desk.at("trust.json"), *options).expect(3).output, "the report")


def rehearsed(desk, sources):
    with cases.case("a receipt of a rehearsal names nothing"):
        bag = Life(desk, {name: sources[name] for name in ["share", "journaux", "systeme"]}, "rehearsed", False).archive
        plan = write(desk.at("rehearse.yaml"), """exeat: 1
trust: trust.json
sign-with: hospital
decrypt-with: hospital.agekey
""")
        exeat("rehearse", bag, plan, "--work", desk.at("rehearsals"), cwd=desk.work).expect(0, 2)
        clean(bag, ["proof"])
        receipts = [json.loads(path.read_text()) for path in pathlib.Path(bag, "proof").glob("receipt-*.json")]
        assert any(receipt["predicate"].get("purpose") == "drp-rehearsal" for receipt in receipts)


def lies(life):
    """Sealed by who may, and not what its own manifest says: the report gives the code, verify names the object."""
    def spoil(kind):
        def edit(manifest):
            for source in manifest["sources"]:
                for artifact in source["artifacts"]:
                    if artifact["kind"] == kind:
                        artifact["digests"] = {key: "0" * 64 for key in artifact["digests"]}
        return edit
    for source, kind in [("base", "postgresql-table"), ("portail", "mariadb-table"), ("journaux", "log-text")]:
        if source not in life.sources:
            continue
        with cases.case(f"the report of an archive whose {kind} is not what its manifest says names nothing"):
            bag = unsealed(life, f"lies-{source}")
            forge.reseal(bag, forge.Key(life.desk.at("hoster.key")), {}, spoil(kind))
            told = life.desk.verify(bag).expect(3)
            assert words(told.output) or source != "base", "verify names nothing either"
            for options in [["--lang", "fr"], ["--json"]]:
                page = exeat("report", bag, "--trust", life.desk.at("trust.json"), *options).expect(3)
                unsaid(page.output, f"the report {options}")
                unsaid(page.errors, f"what the report says on the way {options}")
            assert told.json["failure"]["code"] == json.loads(page.output)["verdict"]["failure"]["code"], told.errors


def main(work, stack):
    desk = Desk(work)
    sources = {}
    for source, plant in KINDS.items():
        with cases.case(f"a source with planted names: {plant.__name__}"):
            sources[source] = plant(desk.at, desk.at("vauquelin-target-TARGET", source), stack)
    for name, encrypt in [("sealed", True), ("clear", False)]:
        life = None
        with cases.case(f"{name}: export, import, documents"):
            life = Life(desk, sources, name, encrypt)
            if not encrypt:
                # What is written about an archive does not depend on how it is stored.
                life.take_in().end()
        if life:
            public(life, encrypt)
    if life:
        bag = unsealed(life, "again")
        unequal(life, bag)
        rehearsed(desk, sources)
        lies(life)


with scratch("exeat-privacy-") as work, contextlib.ExitStack() as stack:
    os.chmod(work, 0o755)
    main(work, stack)
cases.finish()
