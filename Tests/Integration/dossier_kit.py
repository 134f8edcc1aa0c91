"""What the tests of the dossier share: keys of four people, an archive of several sources, its import."""
import json
import os
import pathlib
import shutil

import forge
import support
from support import ROOT, exeat, run, write

PEOPLE = {
    "hoster": ["exporter"], "hospital": ["importer", "controller"], "cleaner": ["eraser"],
    "director": ["controller"], "officer": ["eraser"], "stranger": ["exporter", "importer", "controller", "eraser"],
}
#: Dates that are all past, so that nothing but documents keeps the source.
PAST = """
  dates:
    notice-received: 2026-06-01
    notice-end: 2026-08-03
    transition-end: 2026-09-01
    retrieval-end: 2026-10-05
    contract-end: 2026-09-01
"""
#: Dates of which the last is far in the future.
FUTURE = PAST.replace("2026-10-05", "2999-01-04")


class Desk:
    """A folder with keys, two trees, their export and import."""

    def __init__(self, work):
        self.work = work
        for name, roles in PEOPLE.items():
            support.keys(work, name, *[word for role in roles for word in ("--role", role)])
        documents = [json.loads(pathlib.Path(self.at(f"{name}.trust.json")).read_text())["keys"]
                     for name in PEOPLE if name != "stranger"]
        write(self.at("trust.json"), json.dumps({"exeat-trust": 1, "keys": sum(documents, [])}))
        for source, names in {"alpha": ["a.txt", "b.txt"], "beta": ["c.bin"]}.items():
            os.makedirs(self.at(source))
            for name in names:
                write(self.at(source, name), f"{source} {name}\n" * 50)

    def at(self, *names):
        return os.path.join(self.work, *names)

    def export(self, name, dates=PAST, form="", extra="", purpose="end-of-contract"):
        plan = write(self.at(f"{name}.yaml"), f"""exeat: 1
run:
  purpose: {purpose}
  contract: E26-01/0042
  provider: {{ name: Hoster SA }}
  customer: {{ name: Valmont Hospital }}{extra}{dates}
sources:
  alpha: {{ kind: files, path: {self.at("alpha")} }}
  beta: {{ kind: files, path: {self.at("beta")} }}
archive: {{ name: {name}, sign-with: hoster }}
""")
        output = self.at(name + form)
        exeat("export", plan, "--output", output, cwd=self.work).expect(0)
        return output

    def take_in(self, archive, number=1, statuses=(0, 2), targets=("alpha", "beta"), options=""):
        target = self.at(f"in-{os.path.basename(archive)}-{number}")
        lines = "".join(f"  {name}: {{ kind: files, path: {target}/{name} }}\n" for name in targets)
        plan = write(self.at("import.yaml"), f"""exeat: 1
trust: trust.json
sign-with: hospital
{options}targets:
{lines}""")
        os.makedirs(target, exist_ok=True)
        return exeat("import", archive, plan, "--work", self.at(f"work-{os.path.basename(archive)}-{number}"),
                     cwd=self.work).expect(*statuses)

    def attest(self, step, archive, key, *options, trust="trust.json"):
        return exeat("attest", step, archive, "--trust", self.at(trust), "--sign-with", self.at(key), *options,
                     "--json", cwd=self.work)

    def verify(self, archive, *options, trust="trust.json"):
        return exeat("verify", archive, "--trust", self.at(trust), "--json", *options, cwd=self.work)

    def status(self, archive, *options):
        return exeat("attest", "status", archive, "--trust", self.at("trust.json"), "--json", *options,
                     cwd=self.work)

    def erase(self, archive, *options, key="cleaner"):
        return self.attest("erase", archive, key, "--method", "overwrite", "--medium", "SN-4711", *options)

    def whole(self, name, form="", dates=PAST):
        """An archive with all its documents."""
        archive = self.export(name, dates=dates, form=form)
        self.take_in(archive)
        self.attest("accept", archive, "hospital").expect(0)
        self.attest("request-erasure", archive, "director").expect(0)
        self.erase(archive).expect(0)
        return archive

    def sign(self, folder, file, key, namespace):
        """Signs a document anew with the keys of somebody: what a forger can do."""
        signer = forge.Key(self.at(key + ".key"))
        path = os.path.join(folder, file)
        content = pathlib.Path(path).read_bytes()
        write(path + ".sig", signer.sshsig(content, namespace))
        write(path + ".mldsa65", signer.mldsa(content, namespace))

    def forge(self, archive, file, change, key, namespace):
        """Changes a statement and signs it again, as somebody with a key could."""
        folder = os.path.join(archive, "proof")
        path = os.path.join(folder, file)
        statement = json.loads(pathlib.Path(path).read_text())
        statement["predicate"]["signer"] = forge.Key(self.at(key + ".key")).signer
        change(statement)
        write(path, json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
        self.sign(folder, file, key, namespace)


def valid(path, schema):
    run("python3", ROOT / "Scripts" / "validate-schemas", path, schema).expect(0)


def copy(archive, name):
    target = os.path.join(os.path.dirname(archive), name)
    shutil.copytree(archive, target)
    return target
