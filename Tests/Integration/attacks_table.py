#!/usr/bin/env python3
"""The attacks of the threat model on an archive, one row after the other, each with the failure that must tell it.

Time, series, roles and algorithms are in timestamps_forged.py; what reaches further into trees, databases and guests in the
tests that are named after them.
"""
import json
import os
import shutil
import struct
import subprocess
import sys

import forge
from forge import Archive, Directory, Item, sha256
from forgery_kit import GOOD, tar_of, tar_order, with_items
from support import *

TREE = "data/s/tree-00001/segment-00000.tar.zst"
INDEX = "data/s/index-00002/segment-00000.jsonl.zst"


class Desk:
    def __init__(self, cases, work):
        self.cases, self.work = cases, work
        keys(work)
        self.key = forge.Key(os.path.join(work, "signer.key"))
        self.trust = os.path.join(work, "signer.trust.json")
        self.number = 0

    def bag(self, archive=None, key=None):
        self.number += 1
        bag = os.path.join(self.work, f"bag{self.number}")
        (archive or with_items(*GOOD())).write(bag, key or self.key)
        return bag

    def verify(self, name, archive, *words, options=()):
        """`exeat verify` says one of these words first."""
        with self.cases.case(name):
            result = exeat("verify", archive, "--trust", self.trust, "--json", *options).expect(3)
            found = result.json["failure"]["word"]
            assert found in words, f"{found}, not {words}: {result.json['problems'][:3]}"
            remove(archive)

    def spoil(self, name, change, *words, archive=None):
        bag = self.bag(archive)
        change(bag)
        self.verify(name, bag, *words)

    def load(self, name, archive, *words, statuses=(3,)):
        """`exeat import` says one of these words, and the target has nothing outside of it."""
        with self.cases.case(name):
            bag = self.bag(archive)
            target = os.path.join(self.work, f"target{self.number}")
            plan = import_plan(self.work, {"s": target}, file=f"in{self.number}.yaml")
            result = exeat("import", bag, plan, "--work", os.path.join(self.work, f"w{self.number}"), cwd=self.work)
            result.expect(*statuses)
            found = result.errors.rsplit("code: ", 1)[-1].split()[1]
            assert found in words, f"{found}, not {words}: {result.errors[-300:]}"
            remove(bag)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    cases = Cases()
    with scratch() as work:
        desk = Desk(cases, work)
        only = sys.argv[1:]
        for test in [substitution, reencryption, remade, truncation, journal, escapes, duplicates, bombs, special,
                     one_algorithm_broken]:
            if not only or test.__name__ in only:
                test(desk)
    cases.finish()


def substitution(desk):
    at = lambda bag, path: os.path.join(bag, path)
    def flip(bag):
        data = bytearray(read(at(bag, TREE)))
        data[len(data) // 2] ^= 1
        write(at(bag, TREE), bytes(data))
    desk.spoil("a bit of a segment turned over", flip, "bag-file-changed")
    def swap(bag):
        one, two = read(at(bag, TREE)), read(at(bag, INDEX))
        write(at(bag, TREE), two), write(at(bag, INDEX), one)
    desk.spoil("two segments exchanged", swap, "bag-file-changed")
    other = desk.bag(with_items(Directory(""), Item("other", data=b"2")))
    desk.spoil("the payload of another archive of the same signer", lambda bag: (
        shutil.rmtree(at(bag, "data")), shutil.copytree(at(other, "data"), at(bag, "data"))),
        "bag-file-changed", "bag-info-mismatch", "seal-subject-mismatch")
    desk.spoil("a segment replaced by one of another archive", lambda bag: shutil.copy(
        at(other, TREE), at(bag, TREE)), "bag-file-changed")
    desk.spoil("a segment removed", lambda bag: os.unlink(at(bag, INDEX)), "bag-file-missing", "bag-directory-empty")
    desk.spoil("the proof of another archive", lambda bag: (
        shutil.rmtree(at(bag, "proof")), shutil.copytree(at(other, "proof"), at(bag, "proof"))),
        "seal-subject-mismatch", "bag-info-mismatch", "journal-mismatch")
    desk.spoil("the journal of another archive", lambda bag: shutil.copy(
        at(other, "exeat/journal.jsonl"), at(bag, "exeat/journal.jsonl")), "bag-file-changed", "journal-mismatch")


def reencryption(desk):
    """age has no sender: whoever knows the recipient can encrypt to it. The seal is over the ciphertext."""
    if not shutil.which("age"):
        with desk.cases.case("other data encrypted to the right recipient"):
            raise Skipped("age is not installed")
        return
    recipient = read(os.path.join(desk.work, "signer.agepub")).decode().strip()
    age = lambda data: subprocess.run(["age", "-r", recipient], input=data, capture_output=True, check=True).stdout
    archive = with_items(*GOOD())
    archive.encrypt = lambda data: age(data)
    def replace(bag):
        path = os.path.join(bag, TREE + ".age")
        assert os.path.exists(path), os.listdir(os.path.dirname(path))
        write(path, age(forge.compress(b"forged")))
    desk.spoil("other data encrypted to the right recipient", replace, "bag-file-changed", archive=archive)
    archive = with_items(*GOOD())
    archive.encrypt = lambda data: age(data)
    desk.spoil("the manifest encrypted anew by somebody else", lambda bag: write(
        os.path.join(bag, "exeat/manifest.json.age"), age(b"{}")), "bag-file-changed", archive=archive)


def remade(desk):
    """What `bagit.py` and `sha256sum -c` take (the table of proof formats), the closed list does not."""
    def manifests(bag, only_payload=False):
        payload = sorted(os.path.relpath(os.path.join(base, name), bag)
                         for base, _, names in os.walk(os.path.join(bag, "data")) for name in names)
        write(os.path.join(bag, "manifest-sha256.txt"), "".join(
            f"{sha256(read(os.path.join(bag, path)))}  {path}\n" for path in payload))
        if only_payload:
            return
        tags = [line.split("  ")[1] for line in read(os.path.join(bag, "tagmanifest-sha256.txt")).decode().splitlines()]
        write(os.path.join(bag, "tagmanifest-sha256.txt"), "".join(
            f"{sha256(read(os.path.join(bag, path)))}  {path}\n" for path in tags))
    def change(bag):
        write(os.path.join(bag, TREE), forge.compress(b"forged"))
    desk.spoil("a segment changed and its manifest made again", lambda bag: (change(bag), manifests(bag, True)),
               "bag-file-changed", "bag-info-mismatch", "seal-subject-mismatch")
    desk.spoil("both manifests made again", lambda bag: (change(bag), manifests(bag)),
               "seal-subject-mismatch", "bag-info-mismatch", "journal-mismatch")
    desk.spoil("the tag manifest deleted", lambda bag: os.unlink(os.path.join(bag, "tagmanifest-sha256.txt")),
               "bag-tag-manifest-missing")
    desk.spoil("an extra payload file", lambda bag: write(os.path.join(bag, os.path.dirname(TREE), "extra"), "x"),
               "bag-file-unexpected")
    desk.spoil("an extra tag file", lambda bag: write(os.path.join(bag, "extra.txt"), "x"), "bag-file-unexpected")
    desk.spoil("an additional manifest of MD5", lambda bag: write(os.path.join(bag, "manifest-md5.txt"), ""),
               "bag-manifest-unsupported")
    desk.spoil("a link to a directory", lambda bag: os.symlink("/etc", os.path.join(bag, "data/s/etc")), "bag-file-kind")
    desk.spoil("a link in the place of a segment", lambda bag: (
        os.unlink(os.path.join(bag, TREE)), os.symlink("/etc/hostname", os.path.join(bag, TREE))), "bag-file-kind",
        "bag-file-missing")
    desk.spoil("a list of files to fetch", lambda bag: write(os.path.join(bag, "fetch.txt"), "http://e/ 1 data/x\n"),
               "bag-fetch-forbidden")
    desk.spoil("a file that only proof/ may have", lambda bag: write(os.path.join(bag, "proof/more.txt"), ""),
               "bag-proof-unexpected")


def truncation(desk):
    cut = lambda path, count=1: lambda bag: write(
        os.path.join(bag, path), read(os.path.join(bag, path))[:-count])
    desk.spoil("a segment cut by a byte", cut(TREE), "bag-file-changed", "bag-info-mismatch", "seal-subject-mismatch")
    desk.spoil("the journal cut by a byte", cut("exeat/journal.jsonl"), "bag-file-changed", "journal-malformed")
    desk.spoil("the last line of the journal cut off", lambda bag: write(
        os.path.join(bag, "exeat/journal.jsonl"),
        b"".join(read(os.path.join(bag, "exeat/journal.jsonl")).splitlines(keepends=True)[:-1])),
        "bag-file-changed", "journal-malformed")
    desk.spoil("the seal cut by a byte", cut("proof/seal.json"), "signature-invalid")
    desk.spoil("a signature cut by a byte", cut("proof/seal.json.mldsa65"), "signature-malformed")
    desk.spoil("no seal at all", lambda bag: os.unlink(os.path.join(bag, "proof/seal.json")), "bag-unsealed")
    bag = desk.bag()
    whole = tar_of(bag, "forged")
    ends, position = [0], 0
    for path in tar_order(bag):
        size = os.path.getsize(os.path.join(bag, path))
        ends += [position + 256, position + 512, position + 512 + size // 2]
        position += 512 + size + -size % 512
        ends.append(position)
    with desk.cases.case(f"a tar cut at {len(ends)} boundaries, as a file and through a pipe"):
        place = os.path.join(desk.work, "cut.tar")
        for end in ends + [position + 512, len(whole) - 1]:
            write(place, whole[:end])
            result = exeat("verify", place, "--trust", desk.trust, "--json").expect(3)
            word = result.json["failure"]["word"]
            assert word == "tar-truncated", (end, word)
        exeat("verify", "-", "--trust", desk.trust, input=whole[:ends[5]]).expect(3)
    remove(bag)


def journal(desk):
    """The chain is made again each time, as an exporter could; the seal is over the true one."""
    def edited(name, change, *words):
        def spoil(bag):
            path = os.path.join(bag, "exeat/journal.jsonl")
            write(path, b"".join(line + b"\n" for line in change(read(path).splitlines())))
        desk.spoil("a journal " + name, spoil, *words)
    words = ("bag-file-changed", "journal-broken", "journal-malformed", "journal-mismatch")
    edited("with a time changed", lambda l: [l[0].replace(b"12:00", b"11:00")] + l[1:], *words)
    edited("with two lines exchanged", lambda l: [l[0], l[2], l[1]] + l[3:], *words)
    edited("without its head", lambda l: l[1:], *words)
    edited("without its tail", lambda l: l[:-1], *words)
    edited("with a line twice", lambda l: l[:2] + l[1:], *words)
    def remake(name, change, *words):
        archive = with_items(*GOOD())
        archive.edit_journal = change
        # The seal keeps to the true journal.
        true = {}
        def seal(statement):
            statement["predicate"]["journal"] = true["journal"]
            return statement
        events = []
        def edit(lines):
            events.extend(lines)
            true["journal"] = forge.chain(list(lines))[1]
            return change(lines)
        archive.edit_journal, archive.edit_seal = edit, seal
        desk.verify("a journal whose chain was made again: " + name, desk.bag(archive), *words)
    remake("without an event", lambda l: l[:1] + l[2:], "journal-mismatch")
    remake("with an event more", lambda l: l[:1] + l[1:2] + l[1:], "journal-mismatch")
    remake("with two events exchanged", lambda l: l[:1] + [l[2], l[1]] + l[3:], "journal-mismatch")


def escapes(desk):
    for name in ["../escape", "/escape", "d/../../escape", "~/../x/..", "a\0b"]:
        items = sorted([Directory(""), Directory("d"), Item(name, data=b"evil")], key=lambda item: item.path)
        desk.load(f"a file named {name!r}", with_items(*items), "tree-path-unsafe",
                  *(["tree-malformed"] if "\0" in name else []))
    outside = os.path.join(desk.work, "outside")
    os.makedirs(outside, exist_ok=True)
    desk.load("a file through a link", with_items(
        Directory(""), Item("x", "symlink", target=outside), Item("x/evil", data=b"e")), "tree-link-unsafe")
    desk.load("a hard link to something outside", with_items(
        Directory(""), Item("h", "hardlink", target="../outside/kept")), "tree-link-unsafe", "tree-path-unsafe")
    with desk.cases.case("nothing was written through a link"):
        assert os.listdir(outside) == []
    for path, word in [("data/../../escape", None), ("/tmp/escape", None), ("~root/x", None), ("c:/x", None),
                       ("//host/share/x", None)]:
        archive = with_items(*GOOD())
        archive.manifest_lines = lambda lines: lines + ["0" * 64 + f"  {path}\n"]
        desk.verify(f"a manifest with {path!r}", desk.bag(archive), "bag-path-unsafe", "bag-manifest-malformed")


def duplicates(desk):
    desk.load("a file twice in a tree", with_items(
        Directory(""), Item("a", data=b"1"), Item("a", data=b"2")), "tree-order", "tree-malformed")
    archive = with_items(*GOOD())
    archive.manifest_lines = lambda lines: lines + lines[-1:]
    desk.verify("a line of a manifest twice", desk.bag(archive), "bag-manifest-duplicate")
    archive = with_items(*GOOD())
    archive.seal_bytes = lambda seal: forge.canonical(seal).replace(
        b'"predicateType"', b'"predicateType":"x","predicateType"')
    desk.verify("a key of JSON twice", desk.bag(archive), "seal-malformed")
    bag = desk.bag()
    order = tar_order(bag)
    place = write(os.path.join(desk.work, "twice.tar"), tar_of(bag, "forged", [order[0]] + order))
    desk.verify("a file twice in a tar", place, "tar-duplicate")
    remove(bag)


def bombs(desk):
    def zeros(size):
        return subprocess.run("head -c %d /dev/zero | zstd -q -c --long=27" % size, shell=True, capture_output=True,
                              check=True).stdout
    frame = zeros(64 << 20) * 64
    for path, name in [(TREE, "a tree"), (INDEX, "an index")]:
        archive = with_items(*GOOD())
        archive.stored = {path: frame}
        desk.load(f"{name} of 4 GiB that declares little", archive, "plaintext-too-long")
    archive = with_items(*GOOD())
    archive.plain_bytes = {TREE: 1 << 40}
    desk.load("a declared length of 2^40", archive, "manifest-malformed")
    archive = with_items(*GOOD())
    archive.stored = {TREE: b"no zstd at all"}
    desk.load("a segment that is no zstd", archive, "zstd-corrupt", "truncated")
    deep = b'{"a":' * 200 + b"1" + b"}" * 200
    archive = with_items(*GOOD())
    archive.manifest_bytes = lambda manifest: deep
    desk.load("JSON without bottom", archive, "manifest-malformed", "json-malformed")


def special(desk):
    desk.spoil("a FIFO in a folder of payload", lambda bag: os.mkfifo(
        os.path.join(bag, os.path.dirname(TREE), "pipe")), "bag-file-kind")
    if os.geteuid() == 0:
        desk.spoil("a device in a folder of payload", lambda bag: os.mknod(
            os.path.join(bag, os.path.dirname(TREE), "null"), 0o20666, os.makedev(1, 3)), "bag-file-kind")
    desk.spoil("an empty directory", lambda bag: os.mkdir(os.path.join(bag, "data/s/empty")), "bag-directory-empty")
    desk.spoil("a run that has not ended", lambda bag: os.mkdir(os.path.join(bag, ".exeat-run")) or write(
        os.path.join(bag, ".exeat-run/x"), ""), "bag-unfinished")
    odd = Item("x", data=b"1")
    odd.stream = forge.header(b"x", b"V", size=1, mtime=1700000000) + forge.pad(b"1")
    desk.load("an entry of a type that nobody knows", with_items(Directory(""), odd), "tree-malformed", "tree-mismatch")


def one_algorithm_broken(desk):
    """Whoever can make signatures of one kind at will still fails at the other."""
    keys(desk.work, "attacker")
    attacker = forge.Key(os.path.join(desk.work, "attacker.key"))
    def forged(change):
        archive = with_items(*GOOD())
        archive.edit_seal = lambda seal: seal["predicate"].update(createdAt="2026-11-23T13:00:00.000Z") or seal
        archive.edit_proof = lambda files: change(files, files["proof/seal.json"]) or files
        return desk.bag(archive)
    desk.verify("Ed25519 broken: the ML-DSA signature is an old one of another seal", forged(
        lambda files, d: files.update({"proof/seal.json.mldsa65": desk.key.mldsa(b"the seal of before")})),
        "signature-invalid")
    desk.verify("ML-DSA broken: the Ed25519 signature is an old one of another seal", forged(
        lambda files, d: files.update({"proof/seal.json.sig": desk.key.sshsig(b"the seal of before")})),
        "signature-invalid")
    desk.verify("Ed25519 broken: the attacker adds an ML-DSA signature of his own", forged(
        lambda files, d: files.update({"proof/seal.json.mldsa65": attacker.mldsa(d)})), "signature-invalid")


if __name__ == "__main__":
    main()
