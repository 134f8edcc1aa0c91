#!/usr/bin/env python3
"""VERIFY.txt and RESTORE.txt of real bags are run with the standard tools, and must tell the truth."""
import glob
import os
import shutil
import stat
import subprocess
import sys

import fidelity_kit as trees
from support import *


def trust(work):
    folder = os.path.join(work, "trust")
    os.makedirs(folder, exist_ok=True)
    for suffix in ["allowed_signers", "mldsa65.pem"]:
        shutil.copy(os.path.join(work, "signer." + suffix), os.path.join(folder, "signer." + suffix))
    return folder


def shell(script, directory, **environment):
    return run("sh", script, cwd=directory, environment=environment, timeout=300)


def verify_text(bag, work):
    return shell("VERIFY.txt", bag, TRUST=trust(work))


def tree_for_tar(top):
    trees.small(top)
    top = os.fsencode(top)
    trees.owners(top)
    trees.attributes(top)
    trees.devices(top)
    trees.deep(top)
    trees.holes(top)
    os.utime(top, ns=(0, 123456789))


def damages(bag):
    """What a damaged copy of the bag is like: a name and what does it."""
    def flip(path, place=0.5):
        def change():
            full = os.path.join(bag, path)
            data = bytearray(open(full, "rb").read())
            data[int(len(data) * place)] ^= 0x01
            write(full, bytes(data))
        return change

    payload = sorted(os.path.relpath(path, bag) for path in glob.glob(bag + "/data/*/*/*"))
    manifest = os.path.relpath(glob.glob(bag + "/exeat/manifest.json*")[0], bag)

    def both(*changes):
        return lambda: [change() for change in changes]

    def resum(path):
        """The change is covered up in the manifests, which anyone can do; the seal cannot."""
        def change():
            digest = hashlib.sha256(open(os.path.join(bag, path), "rb").read()).hexdigest()
            for name in ["manifest-sha256.txt", "tagmanifest-sha256.txt"]:
                text = open(os.path.join(bag, name)).read().splitlines()
                text = [f"{digest}  {path}" if line.endswith("  " + path) else line for line in text]
                write(os.path.join(bag, name), "\n".join(text) + "\n")
                if name == "manifest-sha256.txt" and path != name:
                    resum(name)() if path.startswith("data/") else None
        return change

    def new(path, data=b"new"):
        return lambda: (os.makedirs(os.path.dirname(os.path.join(bag, path)), exist_ok=True),
                        write(os.path.join(bag, path), data))

    return [(f"a bit of {path}", flip(path)) for path in [
        payload[0], "manifest-sha256.txt", "tagmanifest-sha256.txt", "bag-info.txt", "bagit.txt",
        "RESTORE.txt", manifest, "exeat/journal.jsonl", "exeat/catalogue.json", "proof/seal.json",
        "proof/seal.json.sig", "proof/seal.json.mldsa65", "proof/keys/signer.mldsa65.pem"]
    ] + [
        ("an extra payload file", new("data/s99/extra")),
        ("an extra file in a payload folder", new(os.path.dirname(payload[0]) + "/extra")),
        ("an extra file at the top", new("extra.txt")),
        ("an extra file in exeat/", new("exeat/extra")),
        ("an extra file in proof/", new("proof/extra.json")),
        ("an extra key", new("proof/keys/other.pem")),
        ("fetch.txt", new("fetch.txt", b"http://example.org/ 1 data/s/x\n")),
        ("a manifest of another kind", new("manifest-md5.txt", b"")),
        ("an empty folder", lambda: os.mkdir(os.path.join(bag, "data", "empty"))),
        ("a link to a folder", lambda: os.symlink("/etc", os.path.join(bag, "data", "etc"))),
        ("a payload file missing", lambda: os.unlink(os.path.join(bag, payload[0]))),
        ("the journal missing", lambda: os.unlink(os.path.join(bag, "exeat/journal.jsonl"))),
        ("the ML-DSA signature missing", lambda: os.unlink(os.path.join(bag, "proof/seal.json.mldsa65"))),
        ("the SSH signature missing", lambda: os.unlink(os.path.join(bag, "proof/seal.json.sig"))),
        ("a payload file behind a link", lambda: (
            os.rename(os.path.join(bag, payload[0]), bag + ".moved"),
            os.symlink(bag + ".moved", os.path.join(bag, payload[0])))),
        ("a payload file changed and all manifests made anew",
         both(flip(payload[0]), resum(payload[0]))),
        ("the journal changed and the tag manifest made anew",
         both(flip("exeat/journal.jsonl"), resum("exeat/journal.jsonl"))),
    ]


def verify_cases(cases, work, bag, label):
    with cases.case(f"{label}: VERIFY.txt succeeds on the bag as it is"):
        result = verify_text(bag, work).expect(0)
        assert b"complete and unchanged" in result.output
    with cases.case(f"{label}: VERIFY.txt needs no more than the trust file, among others"):
        merged = write(os.path.join(work, label + "-merged.json"), b"".join(
            open(os.path.join(work, name + ".trust.json"), "rb").read() for name in ["other", "signer"]))
        for file in [os.path.join(work, "signer.trust.json"), merged]:
            result = shell("VERIFY.txt", bag, TRUST=file).expect(0)
            assert b"complete and unchanged" in result.output
    if os.path.exists(os.path.join(bag, "exeat/manifest.json.age")):
        with cases.case(f"{label}: an identity that is encrypted itself is told from a broken one"):
            for option in [[], ["--armor"]]:
                secret = os.path.join(work, "protected" + "".join(option))
                run("age", "-r", open(os.path.join(work, "other.agepub")).read().strip(), *option,
                    "-o", secret, os.path.join(work, "signer.agekey")).expect(0)
                os.chmod(secret, 0o600)
                result = exeat("inspect", bag, "--decrypt-with", secret).expect(1)
                assert "is encrypted itself" in result.errors and "age -d" in result.errors
    with cases.case(f"{label}: VERIFY.txt takes no other key of the trust file for the signer's"):
        trusted = json.load(open(os.path.join(work, "signer.trust.json")))
        other = json.load(open(os.path.join(work, "other.trust.json")))
        for change in [{"mldsa65": other["keys"][0]["mldsa65"]}, {"ed25519": other["keys"][0]["ed25519"]},
                       {"principal": "other"}, {"roles": ["importer"]}]:
            wrong = {"exeat-trust": 1, "keys": [trusted["keys"][0] | change]}
            file = write(os.path.join(work, label + "-wrong.json"), json.dumps(wrong))
            result = shell("VERIFY.txt", bag, TRUST=file)
            assert result.status != 0 and b"complete and unchanged" not in result.output, change
    with cases.case(f"{label}: bagit.py --validate accepts it"):
        run(sys.executable, "-m", "bagit", "--validate", "--quiet", bag).expect(0)
    copy = os.path.join(work, "damaged", os.path.basename(bag))
    names = [name for name, _ in damages(bag)]
    for number, name in enumerate(names):
        with cases.case(f"{label}: VERIFY.txt fails after {name}"):
            remove(os.path.dirname(copy))
            shutil.copytree(bag, copy)
            damages(copy)[number][1]()
            result = verify_text(copy, work)
            assert result.status != 0, "it succeeds"
            assert b"complete and unchanged" not in result.output
            # The same for the program, with status 3.
            exeat("verify", copy, "--trust", os.path.join(work, "signer.trust.json")).expect(3)


def restored(cases, label, tree, found, listed):
    """Equal to the source but for what the text names as beyond tar."""
    with cases.case(f"{label}: what tar restored is equal, the rest is listed by name"):
        lines = Tree(tree).differences(Tree(found))
        wrong = []
        for line in lines:
            path = line.split(":")[0]
            if "missing" in line:
                # Long names are cut in the difference.
                if path.strip("b'\"")[:60] in listed:
                    continue
            wrong.append(line)
        assert not wrong, f"{len(wrong)} differences: " + "; ".join(wrong[:10])


def schema_cases(cases, label, work, bag, secret, plans, receipts):
    validate = [sys.executable, str(ROOT / "Scripts" / "validate-schemas")]
    files = [(os.path.join(bag, "exeat/catalogue.json"), "catalogue"),
             (os.path.join(bag, "exeat/journal.jsonl"), "journal"),
             (os.path.join(bag, "proof/seal.json"), "seal"),
             (os.path.join(work, "signer.trust.json"), "trust")]
    files += plans + [(path, "receipt") for path in receipts]
    for name, schema in [("manifest.json", "manifest"), ("index.jsonl", "index")]:
        files.append((os.path.join(secret, name), schema))
    for path, schema in files:
        with cases.case(f"{label}: {os.path.basename(path)} holds against {schema}.schema.json"):
            result = run(*validate, path, schema)
            assert result.status == 0, (result.output[:800], result.errors[-400:])


def main():
    if os.geteuid() != 0:
        print("SKIPPED fidelity_restore: it needs root to make the tree")
        print("0 passed, 0 failed, 1 skipped")
        return
    cases = Cases()
    with scratch() as work:
        keys(work)
        keys(work, "other")
        tree = os.path.join(work, "tree")
        tree_for_tar(tree)
        recipient = open(os.path.join(work, "signer.agepub")).read().strip()
        for label, encrypt in [("clear", None), ("encrypted", recipient)]:
            plan = export_plan(
                work, {"tree": [f"path: {tree}", "devices: true", "exclude:",
                                "  paths: [ names/plain ]", "  reason: for the test"]},
                encrypt, name=label, file=label + ".yaml")
            with open(plan, "r+", encoding="utf-8") as file:
                text = file.read().replace(
                    "purpose: trial", "purpose: trial, contract: E26-01, provider: { name: Hébergeur SA }, "
                    "customer: { name: CH de Valmont }")
                file.seek(0)
                file.write(text)
            bag = os.path.join(work, label)
            exeat("export", plan, "--output", bag, cwd=work).expect(0)
            one(cases, work, tree, bag, label, bool(encrypt), plan)
        with cases.case("a tar form unpacked with GNU tar is the same bag"):
            exeat("export", os.path.join(work, "clear.yaml"), "--output", "form.tar", cwd=work).expect(0)
            os.mkdir(os.path.join(work, "form"))
            run("tar", "-xf", "form.tar", "-C", "form", cwd=work).expect(0)
            verify_text(os.path.join(work, "form", "clear"), work).expect(0)
            exeat("verify", os.path.join(work, "form", "clear"), "--trust", "signer.trust.json",
                  cwd=work).expect(0)
    cases.finish()


def one(cases, work, tree, bag, label, is_encrypted, plan):
    key = os.path.join(work, "signer.agekey")
    secret = os.path.join(work, label + "-secret")
    os.mkdir(secret)
    if is_encrypted:
        for name in ["manifest.json", "restore.txt"]:
            run("age", "-d", "-i", key, "-o", os.path.join(secret, name),
                os.path.join(bag, "exeat", name + ".age")).expect(0)
    else:
        for name in ["manifest.json", "restore.txt"]:
            shutil.copy(os.path.join(bag, "exeat", name), secret)
    manifest = json.load(open(os.path.join(secret, "manifest.json")))
    lines = b""
    for segment in manifest["sources"][0]["artifacts"][1]["segments"]:
        data = open(os.path.join(bag, segment["path"]), "rb").read()
        if is_encrypted:
            data = run("age", "-d", "-i", key, input=data).expect(0).output
        lines += run("zstd", "-dc", input=data).expect(0).output
    write(os.path.join(secret, "index.jsonl"), lines)
    imports = import_plan(work, {"tree": os.path.join(work, label + "-imported")},
                          key if is_encrypted else None, file=label + "-import.yaml")
    with cases.case(f"{label}: import"):
        exeat("import", bag, imports, "--work", label + "-work", cwd=work).expect(0)
    schema_cases(cases, label, work, bag, secret,
                 [(plan, "plan-export"), (imports, "plan-import")],
                 glob.glob(os.path.join(work, label + "-work", "receipt-*.json")))
    verify_cases(cases, work, bag, label)
    to = os.path.join(work, label + " restored to")
    with cases.case(f"{label}: RESTORE.txt succeeds"):
        shell("RESTORE.txt", bag, TO=to, KEY=key).expect(0)
        if is_encrypted:
            final = os.path.join(work, label + " final")
            shell("restore.txt", to, TO=final).expect(0)
            to = final
    listed = open(os.path.join(secret, "restore.txt"), encoding="utf-8", errors="replace").read()
    with cases.case(f"{label}: what tar cannot restore is named"):
        assert "path longer than 4095 bytes" in listed
    folders = [name for name in os.listdir(to) if os.path.isdir(os.path.join(to, name))]
    found = os.path.join(to, folders[0])
    restored(cases, label, os.path.join(work, label + "-imported"), found, listed)
    with cases.case(f"{label}: the index restored is the one in the archive"):
        names = glob.glob(os.path.join(work, label + " restored to", "*index*.jsonl"))
        assert len(names) == 1 and open(names[0], "rb").read() == lines
    with cases.case(f"{label}: RESTORE.txt fails where a segment cannot be read"):
        copy = os.path.join(work, "unreadable")
        remove(copy)
        shutil.copytree(bag, copy)
        last = sorted(glob.glob(copy + "/data/*/*/*"))[-1]
        with open(last, "r+b") as file:
            file.truncate(os.path.getsize(last) - 9)
        result = shell("RESTORE.txt", copy, TO=os.path.join(work, label + "-bad"), KEY=key)
        assert result.status != 0, "it succeeds"
    remove(to)


if __name__ == "__main__":
    main()
