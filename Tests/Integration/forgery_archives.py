#!/usr/bin/env python3
"""Archives whose manifest, catalogue, journal or files are forged, or that are bombs, sealed by a key that is trusted: refused."""
import os
import shutil
import struct
import subprocess

from forgery_kit import *


def bombs(desk):
    work = desk.work

    def zeros(size):
        """About 1 MiB of zstd for many GiB of zeros."""
        process = subprocess.Popen(["zstd", "-q", "-c", "-19", "--long=27"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        import threading
        def feed():
            block = b"\0" * (4 << 20)
            for _ in range(size // len(block)):
                process.stdin.write(block)
            process.stdin.close()
        thread = threading.Thread(target=feed)
        thread.start()
        data = process.stdout.read()
        thread.join()
        return data

    frame = zeros(256 << 20)
    bomb = frame * 64
    tree = "data/s/tree-00001/segment-00000.tar.zst"
    index = "data/s/index-00002/segment-00000.jsonl.zst"
    archive = with_items(*GOOD())
    archive.stored = {tree: bomb}
    desk.refuse("a tree of 16 GiB that declares little", archive, empty=False)
    archive = with_items(*GOOD())
    archive.stored = {index: bomb}
    desk.refuse("an index of 16 GiB that declares little", archive)
    archive = with_items(*GOOD())
    archive.stored = {index: bomb}
    archive.plain_bytes = {index: 16 << 30}
    desk.refuse("an index of 16 GiB that says so", archive, statuses=REFUSED, verify=REFUSED)
    archive = with_items(*GOOD())
    archive.plain_bytes = {tree: 1 << 62}
    desk.refuse("a declared length of 2^62", archive, statuses=REFUSED, verify=REFUSED, empty=False)
    for name, length in [("too long by one", 1), ("too short by one", -1), ("of nothing", None)]:
        for path in [tree, index]:
            archive = with_items(*GOOD())
            plain, _ = archive.payload()
            archive.plain_bytes = {path: 0 if length is None else len(plain[path]) + length}
            desk.refuse(f"a declared length {name}: {path.split('/')[2]}", archive, empty=path == index)
    for name, stored in [("no zstd", b"hello world"), ("nothing", b""),
                         ("a skippable frame", struct.pack("<II", 0x184D2A50, 4) + b"evil"),
                         ("bytes behind the frame", forge.compress(b"x") + b"trailing"),
                         ("half a frame", forge.compress(os.urandom(5000))[:2000])]:
        for path in [tree, index]:
            archive = with_items(*GOOD())
            archive.stored = {path: stored}
            desk.refuse(f"stored bytes of {path.split('/')[2]}: {name}", archive, empty=path == index)
    archive = with_items(*GOOD())
    window = subprocess.run(["zstd", "-q", "-c", "--ultra", "-22", "--long=31"], input=b"\0" * (1 << 20),
                            capture_output=True).stdout
    archive.stored = {tree: window}
    desk.refuse("a window of 2 GiB", archive, empty=False)
    archive = with_items(*GOOD())
    archive.manifest_bytes = lambda manifest: forge.canonical(manifest)[:-1] + b',"ext":' + b"[" * 200000 + b"]" * 200000 + b"}"
    desk.refuse("a manifest with brackets 200 000 deep", archive)
    archive = with_items(*GOOD())
    archive.tree_counts = {"entries": 1 << 50}
    desk.refuse("a manifest that counts 2^50 entries", archive)
    archive = with_items(*GOOD())
    many = []
    for number in range(300000):
        many.append(b'{"path":"%06d","type":"fifo","mode":"0644","uid":0,"gid":0,"mtime":[0,0],'
                    b'"segment":0,"offset":%d}\n' % (number, number))
    archive.index = b"".join(many)
    desk.refuse("an index of 300 000 entries that are not in the stream", archive)
    if shutil.which("age"):
        recipient = open(os.path.join(work, "signer.agepub")).read().strip()
        archive = with_items(*GOOD())
        archive.encrypt = lambda data: subprocess.run(
            ["age", "-r", recipient], input=data, capture_output=True, check=True).stdout
        archive.manifest_bytes = lambda manifest: b" " * (300 << 20) + forge.canonical(manifest)
        with desk.cases.case("an encrypted manifest of 300 MiB"):
            bag = os.path.join(work, "bigmanifest")
            archive.write(bag, desk.key)
            trust = os.path.join(work, "signer.trust.json")
            key = os.path.join(work, "signer.agekey")
            exeat("verify", bag, "--trust", trust, limits=limits).expect(0)
            exeat("verify", bag, "--trust", trust, "--decrypt-with", key, limits=limits).expect(3, 1)
            exeat("inspect", bag, "--decrypt-with", key, limits=limits).expect(1, 3)
            remove(bag)


def manifests(desk):
    def edited(name, edit, statuses=(3,), **options):
        archive = with_items(*GOOD())
        def change(manifest):
            source = manifest["sources"][0]
            return edit(manifest, source, source["artifacts"]) or manifest
        archive.edit_manifest = change
        desk.refuse("a manifest " + name, archive, statuses=statuses, **options)

    edited("of another bag", lambda m, s, a: m.update(bag="urn:uuid:00000000-0000-4000-8000-000000000000"))
    edited("of another name", lambda m, s, a: m.update(name="other"))
    edited("of version 2", lambda m, s, a: m.update({"exeat-manifest": 2}), REFUSED)
    edited("with an unknown field", lambda m, s, a: m.update(evil=1))
    edited("of an unknown kind", lambda m, s, a: s.update(kind="evil"), REFUSED)
    edited("with a segment used twice", lambda m, s, a: a[0]["segments"].append(a[0]["segments"][0]))
    edited("with the index's segment in the tree", lambda m, s, a: a[0]["segments"].append(a[1]["segments"][0]))
    edited("with tree and index exchanged", lambda m, s, a: a[0].update(segments=a[1]["segments"]) or a[1].update(segments=[]))
    edited("without a segment", lambda m, s, a: a[0].update(segments=[]))
    edited("without the index", lambda m, s, a: a.pop())
    edited("without sources", lambda m, s, a: m.update(sources=[]), REFUSED)
    edited("with a source twice", lambda m, s, a: m["sources"].append(s))
    edited("with a path outside", lambda m, s, a: a[0]["segments"][0].update(path="../../etc/passwd"))
    edited("with an absolute path", lambda m, s, a: a[0]["segments"][0].update(path="/etc/passwd"))
    edited("with a tag file as a segment", lambda m, s, a: a[0]["segments"][0].update(path="bagit.txt"))
    edited("with a segment's other digest", lambda m, s, a: a[0]["segments"][0].update(sha256="0" * 64))
    edited("with a segment's other size", lambda m, s, a: a[0]["segments"][0].update(bytes=1))
    edited("with a negative size", lambda m, s, a: a[0]["segments"][0].update(bytes=-1))
    edited("with folders outside", lambda m, s, a: a[0].update(folder="../../evil"))
    edited("with an absolute folder", lambda m, s, a: a[0].update(folder="/tmp/evil"))
    edited("with a format outside", lambda m, s, a: a[0].update(format="../../evil"))
    edited("with two artifacts of one folder", lambda m, s, a: a[1].update(folder=a[0]["folder"], format=a[0]["format"]))
    edited("with another count", lambda m, s, a: a[0].update(counts={"entries": 3}))
    edited("without counts", lambda m, s, a: a[0].update(counts={}))
    edited("with another content digest", lambda m, s, a: a[0]["digests"].update({"tree-content": "0" * 64}), empty=False)
    edited("with another metadata digest", lambda m, s, a: a[0]["digests"].update({"tree-metadata": "0" * 64}), empty=False)
    edited("without digests", lambda m, s, a: a[0].update(digests={}), empty=False)
    for name, change in [
            ("with a key twice", lambda data: data.replace(b'"name":"forged"', b'"name":"forged","name":"forged"', 1)),
            ("that is not JSON", lambda data: data[:-1]), ("with bytes behind", lambda data: data + b"x"),
            ("with a BOM", lambda data: b"\xef\xbb\xbf" + data),
            ("that is not UTF-8", lambda data: data.replace(b"forged", b"f\xff\xfeged", 1)),
            ("with a float", lambda data: data.replace(b'"exeat-manifest":1', b'"exeat-manifest":1.0'))]:
        archive = with_items(*GOOD())
        archive.manifest_bytes = lambda manifest, change=change: change(forge.canonical(manifest))
        desk.refuse("a manifest " + name, archive)

    def catalogue(name, edit):
        archive = with_items(*GOOD())
        archive.edit_catalogue = lambda document: edit(document) or document
        desk.refuse("a catalogue " + name, archive)
    catalogue("of another bag", lambda c: c.update(bag="urn:uuid:00000000-0000-4000-8000-000000000000"))
    catalogue("that counts more", lambda c: c.update(expected=c["expected"] + 5))

    def journal(name, edit, archive=None):
        archive = archive or with_items(*GOOD())
        archive.edit_journal = edit
        desk.refuse("a journal " + name, archive)
    other = lambda events: [dict(event, bag="urn:uuid:00000000-0000-4000-8000-000000000000")
                            if event["ev"] == "run.opened" else event for event in events]
    journal("of another bag", other)
    journal("without its end", lambda events: events[:-1])
    journal("without a segment", lambda events: [e for e in events if e.get("a") != 1])
    journal("that has a segment otherwise", lambda events: [
        dict(e, sha256="1" * 64) if e["ev"] == "segment.committed" else e for e in events])
    journal("that ended with another status", lambda events: [
        dict(e, status=2) if e["ev"] == "run.completed" else e for e in events])
    journal("with an unknown event", lambda events: events[:1] + [{"ev": "evil"}] + events[1:])
    journal("opened twice", lambda events: events[:1] + events)
    journal("of another name", lambda events: [dict(events[0], name="other")] + events[1:])


def bags(desk):
    def edited(name, edit, **options):
        archive = with_items(*GOOD())
        archive.edit_files = lambda files: edit(files) or files
        desk.refuse("a bag with " + name, archive, **options)

    def dropped(name, path, data=b"extra"):
        """Put in after the seal: not in the tag manifest."""
        def before(bag):
            place = os.path.join(bag, path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            write(place, data)
        desk.refuse(f"a file put in: {name}", with_items(*GOOD()), before=before)

    for path in ["data/s/tree-00001/extra", "data/extra", "data/s/extra", "data/x/y/z", "exeat/extra",
                 "extra.txt", "proof/extra", "proof/keys/extra.pub", "proof/receipt-1.json",
                 "proof/acceptance.json", "proof/timestamped.txt", "proof/opening.tsr", "fetch.txt",
                 "manifest-md5.txt", "manifest-sha512.txt", "tagmanifest-sha512.txt", ".hidden",
                 "data/s/tree-00001/.hidden", "exeat/manifest.json.age", "proof.partial/seal.json",
                 ".exeat-run/x", "bag info.txt", "BAGIT.TXT", "verify.txt",
                 "data/s/tree-00001/Segment-00000.tar.zst", "data/s/tree-00001/segment-00000.tar.zst\n",
                 "data/s/tree-00001/se\u0301gment", "README.md", "proof/keys/sub/key",
                 "proof/receipt-01.json", "proof/receipt-1.json.sig"]:
        dropped(path.encode("unicode_escape").decode(), path)

    def made(name, make):
        desk.refuse("a bag with " + name, with_items(*GOOD()), before=make)

    payload = "data/s/tree-00001/segment-00000.tar.zst"
    made("an empty directory", lambda bag: os.mkdir(os.path.join(bag, "data/s/empty")))
    made("a link to a directory", lambda bag: os.symlink("/etc", os.path.join(bag, "data/s/etc")))
    made("a payload file behind a link", lambda bag: (
        os.rename(os.path.join(bag, payload), bag + ".moved"),
        os.symlink(bag + ".moved", os.path.join(bag, payload))))
    made("a seal behind a link", lambda bag: (
        os.rename(os.path.join(bag, "proof/seal.json"), bag + ".seal"),
        os.symlink(bag + ".seal", os.path.join(bag, "proof/seal.json"))))
    made("data/ behind a link", lambda bag: (
        os.rename(os.path.join(bag, "data"), bag + ".data"),
        os.symlink(bag + ".data", os.path.join(bag, "data"))))
    made("a FIFO", lambda bag: os.mkfifo(os.path.join(bag, "data/s/tree-00001/pipe")))
    made("a FIFO in a file's place", lambda bag: (
        os.unlink(os.path.join(bag, "exeat/catalogue.json")),
        os.mkfifo(os.path.join(bag, "exeat/catalogue.json"))))
    if os.geteuid() == 0:
        made("a device", lambda bag: os.mknod(os.path.join(bag, "data/s/tree-00001/null"), 0o20666, os.makedev(1, 3)))
        made("/dev/zero in a file's place", lambda bag: (
            os.unlink(os.path.join(bag, "exeat/journal.jsonl")),
            os.mknod(os.path.join(bag, "exeat/journal.jsonl"), 0o20666, os.makedev(1, 5))))
    edited("a payload file that no artifact has", lambda f: f.update({"data/s/tree-00001/more": b"x"}))
    edited("fetch.txt in the tag manifest", lambda f: f.update({"fetch.txt": b"http://e.org/ 1 data/s/a/b\n"}))
    edited("a tag file of its own in the tag manifest", lambda f: f.update({"evil.txt": b"x"}))
    edited("bagit.txt of 0.97", lambda f: f.update({"bagit.txt": b"BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n"}))
    edited("bagit.txt with a BOM", lambda f: f.update({"bagit.txt": b"\xef\xbb\xbf" + f["bagit.txt"]}))
    edited("another Payload-Oxum", lambda f: f.update({"bag-info.txt": f["bag-info.txt"].replace(b"Oxum: ", b"Oxum: 1")}))
    edited("another identifier in bag-info.txt", lambda f: f.update({"bag-info.txt": f["bag-info.txt"].replace(b"uuid:", b"uuid:00000000-0000-4000-8000-000000000000\nX: ")}))
    edited("no bag-info.txt", lambda f: f.pop("bag-info.txt") and None)
    edited("no journal", lambda f: f.pop("exeat/journal.jsonl") and None)
    edited("no catalogue", lambda f: f.pop("exeat/catalogue.json") and None)
    edited("no manifest", lambda f: f.pop("exeat/manifest.json") and None)
    edited("both manifests", lambda f: f.update({"exeat/manifest.json.age": b"age-encryption.org/v1\n"}))
    edited("an empty seal of tags", lambda f: f.update({"exeat/catalogue.json": b""}))
    for name, change in [
            ("a line twice", lambda l: l + l[:1]), ("a line missing", lambda l: l[1:]),
            ("lines not in order", lambda l: l[::-1]), ("a path outside", lambda l: l + ["0" * 64 + "  ../../etc/passwd\n"]),
            ("an absolute path", lambda l: l + ["0" * 64 + "  /etc/passwd\n"]),
            ("a home path", lambda l: l + ["0" * 64 + "  ~/x\n"]),
            ("a binary mark", lambda l: [x.replace("  ", " *") for x in l]),
            ("capitals", lambda l: [x.upper() for x in l]), ("CR LF", lambda l: [x.replace("\n", "\r\n") for x in l]),
            ("a wrong digest", lambda l: ["0" * 64 + x[64:] for x in l]),
            ("a tag file", lambda l: l + [sha256(b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n") + "  bagit.txt\n"]),
            ("a percent", lambda l: [x.replace("data/s", "data/%73") for x in l]),
            ("./ in front", lambda l: [x.replace("data/", "./data/") for x in l])]:
        archive = with_items(*GOOD())
        archive.manifest_lines = change
        desk.refuse("a payload manifest with " + name, archive)
        if name in ("a percent", "./ in front"):
            continue  # There is no payload in a tag manifest for these to change.
        archive = with_items(*GOOD())
        archive.tag_lines = change
        desk.refuse("a tag manifest with " + name, archive)


if __name__ == "__main__":
    run_parts([bombs, manifests, bags])
