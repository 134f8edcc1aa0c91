#!/usr/bin/env python3
"""A second reader of archives, written from docs/FORMAT.md alone: what Exeat writes it takes, with the same digests, and
makes the same tree again; what was changed it refuses for the same reason. Needs `zstd`."""
import base64
import gzip
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time

import forge
import support
from reader_kit import MIB, Refused, age_opener, canonical, leaf, line, need, parse, plain, root, sha256, verify
from support import exeat, export_plan, write


# MARK: - Trees (7)

def raw(members, key):
    return members[key].encode() if key in members else base64.b64decode(members.get(key + "64", ""))


def read_index(data, lost):
    """The entries; `lost` gets paths of those that changed, and were left out."""
    entries = []
    for text in data.split(b"\n")[:-1]:
        entry = parse(text, "tree-malformed")
        need(line(entry) == text, "tree-malformed")
        entry["bytes"] = raw(entry, "path")
        if "omitted" in entry:
            lost.add(entry["bytes"] if entry["omitted"] == "changed" else None)
            continue
        need(not entries or entry["bytes"] > entries[-1]["bytes"], "tree-order")
        need(not {b"", b".", b".."} & set(entry["bytes"].split(b"/")) or not entry["bytes"], "tree-path-unsafe")
        entries.append(entry)
    return entries


def leaves(entry):
    """Content and metadata (7.6)."""
    kind = next((kind for kind in ("sha256", "sha256-tree-1m") if kind in entry), None)
    device = "{}:{}".format(*entry["device"]).encode() if "device" in entry else b""
    target = f"{kind}:{entry[kind]}".encode() if kind else raw(entry, "link") or device
    both = [entry["bytes"], entry["type"].encode()]
    metadata = []
    if entry["type"] != "hardlink":
        metadata = [entry["mode"].encode(), b"%d" % entry["uid"], b"%d" % entry["gid"], raw(entry, "owner"), raw(entry, "group"),
                    b"%d.%09d" % tuple(entry["mtime"])]
        for attribute in entry.get("xattrs", []):
            digest = attribute.get("sha256") or sha256(base64.b64decode(attribute["value"]))
            metadata += [raw(attribute, "name"), digest.encode()]
        metadata += [f"{key}:{entry[key]}".encode() for key in ("acl", "default-acl") if key in entry]
    return (leaf(b"\0".join([*both, target, b""])), leaf(b"\0".join([*both, *metadata, b""])))


def records(stream, at):
    """The records of the entry at an offset, its ustar header, and where its content begins."""
    found = {}
    if stream[at + 156:at + 157] == b"x":
        size = int(stream[at + 124:at + 135], 8)
        data, at = stream[at + 512:at + 512 + size], at + 512 + size + -size % 512
        while data:
            length = int(data[:data.index(b" ")])
            name, value = data[data.index(b" ") + 1:length - 1].split(b"=", 1)
            found[name.decode()], data = value, data[length:]
    return found, stream[at:at + 512], at + 512


def content(stream, entry, at):
    """The visible bytes of a file whose header begins at `at`; of an artifact's whole stream, its cuts are no bytes."""
    found, header, at = records(stream, at)
    size = int(found.get("size") or header[124:135], 8 if "size" not in found else 10)
    if "GNU.sparse.major" not in found:
        return stream[at:at + size]
    numbers, end = [], at
    while not numbers or len(numbers) <= 2 * numbers[0]:
        end, start = stream.index(b"\n", end) + 1, end
        numbers.append(int(stream[start:end]))
    visible, at = bytearray(entry["size"]), at + (end - at) + -(end - at) % 512
    for offset, length in zip(numbers[1::2], numbers[2::2]):
        visible[offset:offset + length], at = stream[at:at + length], at + length
    return bytes(visible)


def check_tree(bag, source):
    """Entries with their contents; every one as the index says, and the index as the manifest says."""
    tree, index = source["artifacts"]
    lost = set()
    entries = read_index(b"".join(plain(bag, segment) for segment in index["segments"]), lost)
    parts = [plain(bag, segment) for segment in tree["segments"]]
    stream = b"".join(parts)
    need(stream.endswith(bytes(1024)), "truncated")
    for name, which in (("tree-content", 0), ("tree-metadata", 1)):
        need(root([leaves(entry)[which] for entry in entries]).hex() == tree["digests"][name], "tree-mismatch")
    starts = {sum(map(len, parts[:entry["segment"]])) + entry["offset"]: entry for entry in entries}
    at = 0
    while at < len(stream) - 1024:
        found, header, behind = records(stream, at)
        need(at in starts or header[156:157] == b"1" and header[:100].rstrip(b"\0") in lost, "tree-mismatch")
        size = int(found["size"]) if "size" in found else int(header[124:135], 8)
        at = behind + size + -size % 512
    for at, entry in starts.items():
        found, header, _ = records(stream, at)
        flag = b"01234567".index(header[156:157])
        need(["file", "hardlink", "symlink", "character", "block", "directory", "fifo"][flag] == entry["type"], "tree-mismatch")
        entry["records"] = found
        path = found.get("GNU.sparse.name") or found.get("path") or header[:100].rstrip(b"\0")
        need((b"" if path == b"./" else path.removesuffix(b"/")) == entry["bytes"], "tree-mismatch")
        if entry["type"] == "file":
            entry["content"] = data = content(stream, entry, at)
            pieces = [leaf(data[at:at + MIB]) for at in range(0, len(data), MIB)]
            need(entry.get("sha256", "") == sha256(data) or entry.get("sha256-tree-1m", "") == root(pieces).hex(), "tree-mismatch")
    return entries


def extract(entries, directory):
    """What tar would make of it, without its help; links last, metadata from the leaves up."""
    def place(entry):
        return os.path.join(os.fsencode(directory), entry["bytes"])
    for entry in entries:
        if entry["type"] == "directory":
            os.makedirs(place(entry), exist_ok=True)
        elif entry["type"] == "file":
            with open(place(entry), "xb") as file:
                file.write(entry["content"])
        elif entry["type"] == "fifo":
            os.mkfifo(place(entry))
        elif entry["type"] == "symlink":
            os.symlink(raw(entry, "link"), place(entry))
        elif entry["type"] == "hardlink":
            os.link(os.path.join(os.fsencode(directory), raw(entry, "link")), place(entry), follow_symlinks=False)
    for entry in reversed([entry for entry in entries if entry["type"] != "hardlink"]):
        os.chown(place(entry), entry["uid"], entry["gid"], follow_symlinks=False)
        if entry["type"] != "symlink":
            os.chmod(place(entry), int(entry["mode"], 8))
        for name, value in entry["records"].items():
            if name.startswith("SCHILY.xattr."):
                name = name[13:].replace("%3D", "=").replace("%25", "%")
                os.setxattr(place(entry), name, value, follow_symlinks=False)
        seconds, nanoseconds = entry["mtime"]
        os.utime(place(entry), ns=(0, seconds * 10**9 + nanoseconds), follow_symlinks=False)


# MARK: - Texts of logs (15.2), facts of machines (14)

def artifact(source, kind):
    return next(artifact for artifact in source["artifacts"] if artifact["kind"] == kind)


def stream(bag, artifact):
    return b"".join(plain(bag, segment) for segment in artifact["segments"])


def chain(digests):
    last = bytes(32)
    for digest in digests:
        last = hashlib.sha256(last + bytes.fromhex(digest)).digest()
    return last.hex()


def check_logs(bag, source, texts):
    """`texts` are those of the members of each log, in the order of the chain."""
    logs = [json.loads(text) for text in stream(bag, artifact(source, "log-text-streams")).splitlines()]
    assert {raw(log, "log") for log in logs} == set(texts), [log.get("log") for log in logs]
    for log in logs:
        digests = [sha256(text) for text in texts[raw(log, "log")]]
        assert [member["sha256"] for member in log["members"]] == digests
        assert log["chain"] == chain(digests)
    need(artifact(source, "log-text")["digests"]["log-chain"] == chain([log["chain"] for log in logs]), "tree-mismatch")


def check_facts(bag, source):
    for facts in [one for one in source["artifacts"] if one["kind"] == "facts"]:
        value = parse(stream(bag, facts), "manifest-malformed")
        need(facts["digests"]["sha256-canonical"] == sha256(canonical(value)), "tree-mismatch")
        need(facts["counts"]["items"] == len(value["items"]), "tree-mismatch")


# MARK: - The test

def make_tree(path):
    os.makedirs(os.path.join(path, "a.d"))
    for name, data in {"a": b"hello", "a-b": b"", "a.d/x": b"x" * 3000, "n" * 101: b"long name", "line\nfeed": b"1",
                       "z": os.urandom(2 * MIB + 7)}.items():
        write(os.path.join(path, name), data)
    odd = os.path.join(os.fsencode(path), b"latin-\xe9")
    write(odd, b"not UTF-8")
    os.setxattr(odd, "user.a=b%", b"\0\xff" * 40)
    os.setxattr(os.path.join(path, "a"), "user.k", b"v")
    os.link(odd, os.path.join(path, "second name"))
    os.symlink("t" * 120, os.path.join(path, "link"))
    os.mkfifo(os.path.join(path, "pipe"), 0o640)
    with open(os.path.join(path, "holes"), "wb") as file:
        file.seek(3 * MIB)
        file.write(b"behind a hole")
        file.truncate(5 * MIB + 1)
    os.utime(os.path.join(path, "a-b"), ns=(0, -500_000_000))
    os.utime(os.path.join(path, "a.d"), ns=(0, 8589934592 * 10**9))
    write(os.path.join(path, "left out"), b"")


class Desk:
    def __init__(self, work):
        self.work = work
        support.keys(work)
        support.keys(work, "other")
        make_tree(self.at("tree"))
        os.makedirs(self.at("root/etc"))
        write(self.at("root/etc/app.conf"), "user=x\n")
        first, second = (f"2026-01-0{day}T00:00:00Z one\n".encode() * 9 for day in (1, 2))
        os.mkdir(self.at("logs"))
        write(self.at("logs/app.log.1.gz"), gzip.compress(first))
        # Names in Latin-1 that differ in one letter are two logs.
        self.texts = {os.fsencode(self.at("logs")) + name: texts for name, texts in {
            b"/app.log": [first, second], b"/caf\xe9.log": [first], b"/caf\xe8.log": [second]}.items()}
        for name, texts in self.texts.items():
            write(name, texts[-1])
        self.trust = json.load(open(self.at("signer.trust.json")))["keys"]
        self.recipient = open(self.at("signer.agepub")).read().strip()
        self.opener = age_opener(self.at("signer.agekey"))

    def at(self, name):
        return os.path.join(self.work, name)

    def plan(self, encrypted, extra=""):
        files = ["path: tree", 'exclude: { paths: ["left out"], reason: none }']
        path = export_plan(self.work, {"files": files}, encrypt_to=self.recipient if encrypted else None)
        others = (f"  logs: {{ kind: logs, text: [ {self.at('logs/*')} ] }}\n"
                  f"  machine: {{ kind: configs, root: root, paths: [ /etc ], secrets: omit, accept: [ facts ] }}\n")
        text = open(path).read().replace("archive:\n", others + "archive:\n", 1)
        return write(path, text + extra)

    def export(self, name, encrypted=False):
        exeat("export", self.plan(encrypted), "--output", name, cwd=self.work).expect(0)
        return self.at(name)

    def agree(self, path, encrypted=False):
        """Both readers take it, and find the same digests in it; the tree comes out as it went in."""
        bag, manifest = verify(path, self.trust, self.opener if encrypted else None)
        result = exeat("verify", path, "--trust", "signer.trust.json", "--decrypt-with", "signer.agekey", "--json",
                       cwd=self.work).expect(0).json
        seen = exeat("inspect", path, "--decrypt-with", "signer.agekey", "--json", cwd=self.work).expect(0).json
        assert seen["manifest"] == manifest
        source = manifest["sources"][0]
        entries = check_tree(bag, source)
        for comparison in result["content"][0]["comparisons"]:
            number = ["tree-content", "tree-metadata"].index(comparison["name"])
            assert comparison["found"] == root([leaves(entry)[number] for entry in entries]).hex()
        check_logs(bag, manifest["sources"][1], self.texts)
        check_facts(bag, manifest["sources"][2])
        target = path + ".extracted"
        os.mkdir(target)
        extract(entries, target)
        differences = support.Tree(self.at("tree")).differences(support.Tree(target))
        assert differences == ["b'left out': missing"], differences
        shutil.rmtree(target)

    def refuse(self, archive, word, trust="signer.trust.json"):
        """Both refuse it, for this reason."""
        try:
            bag, manifest = verify(archive, json.load(open(self.at(trust)))["keys"])
            check_tree(bag, manifest["sources"][0])
        except Refused as refused:
            assert str(refused) == word, f"the second reader says {refused}, not {word}"
        else:
            raise AssertionError("the second reader takes it")
        result = exeat("verify", archive, "--trust", trust, "--json", cwd=self.work).expect(3)
        words = {problem["word"] for problem in result.json["problems"]} | {result.json.get("failure", {}).get("word")}
        assert word in words, f"exeat says {words}, not {word}"

    def interrupted(self, path):
        """An export that was killed after it had stored something, and went on."""
        plan = self.plan(False, "limits: { workers: 1, bandwidth: 2MiB/s }\n")
        process = subprocess.Popen([support.EXEAT, "export", plan, "--output", path], cwd=self.work,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while b"segment.committed" not in self.journal(path):
            assert time.monotonic() < until and process.poll() is None, "nothing was stored in time"
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        exeat("export", plan, "--output", path, cwd=self.work).expect(0)

    def journal(self, path):
        for place in (path + ".exeat-run", os.path.join(path, ".exeat-run"), os.path.join(path, "exeat")):
            for folder, _, names in os.walk(place):
                if "journal.jsonl" in names:
                    return open(os.path.join(folder, "journal.jsonl"), "rb").read()
        return b""


def main():
    cases = support.Cases()
    with support.scratch() as work:
        desk = Desk(work)
        with cases.case("directory, in clear"):
            desk.agree(desk.export("clear"))
        with cases.case("tar, encrypted"):
            desk.agree(desk.export("sealed.tar", encrypted=True), encrypted=True)
            bag, manifest = verify(desk.at("sealed.tar"), desk.trust)
            assert bag and manifest is None
        for name in ("killed", "killed.tar"):
            with cases.case(f"{name}: resumed"):
                desk.interrupted(desk.at(name))
                desk.agree(desk.at(name))
                bag, _ = verify(desk.at(name), desk.trust)
                assert b'"run.resumed"' in bag.read("exeat/journal.jsonl")
        refusals(cases, desk)
        with cases.case("a receipt"):
            write(desk.at("import.yaml"), "exeat: 1\ntrust: signer.trust.json\nsign-with: signer\ntargets:\n"
                  "  files: { kind: files, path: in }\n  logs: { kind: logs, directory: logs-in }\n"
                  "  machine: { kind: configs, directory: machine-in, root: root }\n")
            exeat("import", "clear", "import.yaml", "--work", "work", cwd=work).expect(0, 2)
            desk.agree(desk.at("clear"))
    cases.finish()


def refusals(cases, desk):
    key = forge.Key(desk.at("signer.key"))
    number = 0

    def changed(word, change, **options):
        nonlocal number
        number += 1
        copy = desk.at(f"copy-{number}")
        shutil.copytree(desk.at("clear"), copy)
        with cases.case(f"refused: {word}, {number}"):
            change(copy)
            desk.refuse(copy, word, **options)

    def edit(path, change):
        def apply(copy):
            full = os.path.join(copy, path)
            write(full, change(open(full, "rb").read()))
        return apply

    def resealed(edits, manifest=None, catalogue=None):
        return lambda copy: forge.reseal(copy, key, edits, manifest, catalogue)

    tree = "data/files/tree-00001/segment-00000.tar.zst"
    changed("bag-file-changed", edit(tree, lambda data: data[:-1] + bytes([data[-1] ^ 1])))
    changed("bag-file-missing", lambda copy: shutil.rmtree(os.path.join(copy, os.path.dirname(tree))))
    changed("bag-file-unexpected", lambda copy: write(os.path.join(copy, "exeat/x"), b""))
    changed("bag-proof-unexpected", lambda copy: write(os.path.join(copy, "proof/receipt-01.json"), b""))
    changed("bag-directory-empty", lambda copy: os.mkdir(os.path.join(copy, "data/x")))
    changed("signature-missing", lambda copy: os.unlink(os.path.join(copy, "proof/seal.json.mldsa65")))
    changed("signature-invalid", edit("proof/seal.json", lambda data: data.replace(b'"trial"', b'"tr1al"')))
    changed("signature-malformed", edit("proof/seal.json.sig", lambda data: data[:-1]))
    changed("signer-unknown", lambda copy: None, trust="other.trust.json")
    # What an exporter could seal who does not keep to the format.
    changed("tree-order", resealed({"file-index": lambda data: b"\n".join(reversed(data.split(b"\n")[:-1])) + b"\n"}))
    changed("tree-malformed", resealed({"file-index": lambda data: data.replace(b'","type"', b'", "type"', 1)}))
    changed("tree-mismatch", resealed({"file-tree": lambda data: data.replace(b"hello", b"jello", 1)}))
    further = forge.header(b"zz", b"1", link=b"a")
    changed("tree-mismatch", resealed({"file-tree": lambda data: data[:-1024] + further + data[-1024:]}))
    changed("plaintext-too-long", resealed({}, lambda manifest: manifest["sources"][0]["artifacts"][1]["segments"][0].update(
        plainBytes=10)))
    changed("coverage-mismatch", resealed({}, lambda manifest: manifest["sources"][0]["omissions"]["counts"][0].update(
        reason="sockets")))
    for name in ("expected", "exported"):
        changed("coverage-mismatch", resealed({}, catalogue=lambda catalogue: catalogue["sources"][0].update(
            {name: catalogue["sources"][0][name] - 1})))
    changed("coverage-mismatch", resealed({}, catalogue=lambda catalogue: catalogue["sources"][0].update(
        exported=str(catalogue["sources"][0]["exported"]))))

    with cases.case("refused: tar-order"):
        bag, _ = verify(desk.at("killed.tar"), desk.trust)
        names = list(bag.files)
        names[:2] = reversed(names[:2])
        with open(desk.at("moved.tar"), "wb") as file:
            for name in names:
                data = bag.read(name)
                file.write(forge.tar_header(bag.name, name, len(data)) + data + bytes(-len(data) % 512))
            file.write(bytes(1024))
        desk.refuse(desk.at("moved.tar"), "tar-order")


if __name__ == "__main__":
    main()
