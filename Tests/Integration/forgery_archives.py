#!/usr/bin/env python3
"""Archives forged to escape, sealed by a key that is trusted: each is refused, and writes nowhere."""
import glob
import os
import resource
import shutil
import struct
import subprocess
import sys

import forge
from forge import Archive, Directory, Item, header, pad, pax, record, sha256
from support import *

GOOD = lambda: [Directory(""), Item("a", data=b"first"), Directory("d"), Item("d/f", data=b"inside"),
                Item("d/h", "hardlink", target="a"), Item("l", "symlink", target="d/f"),
                Item("p", "fifo")]

# What a refusal may say besides 3: the archive asks for something that this release does not do.
REFUSED = (1, 3)


def limits():
    """No process gets more memory or disk than a test of a bomb can spare."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))


class Desk:
    """One directory with keys, a place outside that must not change, and the cases."""

    def __init__(self, cases, work):
        self.cases, self.work = cases, work
        keys(work)
        self.key = forge.Key(os.path.join(work, "signer.key"))
        self.outside = os.path.join(work, "outside")
        os.mkdir(self.outside)
        write(os.path.join(self.outside, "kept"), b"kept")
        self.number = 0
        # Targets of links and hard links that lead outside exist.
        self.canaries = [self.outside, os.path.join(work, "target-parent-canary")]
        os.mkdir(self.canaries[1])

    def refuse(self, name, archive, statuses=(3,), verify=None, empty=True, key=None, before=None,
               existing=None):
        """The import of a forged archive is refused and nothing outside the target is written.

        `verify`: statuses that `verify` may give (it has no index to check unless it audits);
        `empty`: the target must hold nothing afterwards, for what is found before the replay.
        """
        with self.cases.case(name):
            self.number += 1
            bag = os.path.join(self.work, f"bag{self.number}")
            if isinstance(archive, str):
                bag = archive
            else:
                archive.write(bag, key or self.key)
            if before:
                before(bag)
            self.judge(bag, statuses, verify or statuses, empty, existing)
            remove(bag)

    def judge(self, bag, statuses, verify, empty, existing=None):
        outside = listing(self.outside)
        home = os.path.join(self.work, f"home{self.number}")
        target = os.path.join(home, "target")
        os.makedirs(target)
        write(os.path.join(home, "canary"), b"canary")
        around = {name for name in os.listdir(self.work)}
        trust = os.path.join(self.work, "signer.trust.json")
        plan = import_plan(self.work, {"s": [f"path: {target}"] + (
            [f"existing: {existing}"] if existing else [])}, file=f"plan{self.number}.yaml")
        told = []
        result = exeat("verify", bag, "--trust", trust, "--json", limits=limits)
        told.append(("verify", result.status, verify, result))
        result = exeat("import", bag, plan, "--work", os.path.join(home, "work"), cwd=self.work,
                       limits=limits)
        told.append(("import", result.status, statuses, result))
        left = [name for name in os.listdir(target)]
        for arguments in [["extract", bag, "--to", os.path.join(home, "x1"), "--unverified"],
                          ["extract", bag, "--to", os.path.join(home, "x2"), "--trust", trust],
                          ["inspect", bag], ["inspect", bag, "s"], ["inspect", bag, "s/d", "--json"]]:
            result = exeat(*arguments, limits=limits, timeout=60)
            told.append((arguments[0], result.status, (0, 1, 3, 64), result))
        assert listing(self.outside) == outside, "written outside the target"
        assert set(os.listdir(home)) <= {"target", "canary", "work", "x1", "x2"}, os.listdir(home)
        assert open(os.path.join(home, "canary")).read() == "canary"
        new = set(os.listdir(self.work)) - around - {os.path.basename(plan)}
        assert not new, f"new beside the target: {new}"
        for what, status, allowed, result in told:
            assert status in allowed, f"{what}: status {status}, not {allowed}: " \
                f"{result.errors[-500:]} {result.output[-300:].decode('utf-8', 'replace')}"
        if empty:
            assert not left, f"the target holds {left}"
        used = int(subprocess.run(["du", "-s", "-k", home], capture_output=True).stdout.split()[0])
        assert used < 200 << 10, f"{used} KiB were written"
        remove(home)


def main():
    cases = Cases()
    with scratch() as work:
        desk = Desk(cases, work)
        good(desk)
        only = sys.argv[1:]
        for name, test in [("paths", paths), ("links", links), ("disorder", disorder),
                           ("differences", differences), ("headers", headers), ("bombs", bombs),
                           ("manifests", manifests), ("bags", bags), ("seals", seals),
                           ("tars", tars), ("receipts", receipts), ("folding", folding)]:
            if not only or name in only:
                test(desk)
    cases.finish()


def good(desk):
    """The forge is good enough: what it makes, Exeat takes."""
    cases, work = desk.cases, desk.work
    with cases.case("an archive made from scratch is accepted, in both forms"):
        bag = os.path.join(work, "good")
        Archive(GOOD()).write(bag, desk.key)
        exeat("verify", bag, "--trust", os.path.join(work, "signer.trust.json")).expect(0)
        write(os.path.join(work, "good.tar"), tar_of(bag, "forged"))
        exeat("verify", os.path.join(work, "good.tar"), "--trust",
              os.path.join(work, "signer.trust.json")).expect(0)
    with cases.case("an archive made from scratch is imported"):
        plan = import_plan(work, {"s": os.path.join(work, "good-target")}, file="good.yaml")
        exeat("import", bag, plan, "--work", "good-work", cwd=work).expect(0)
        assert open(os.path.join(work, "good-target", "d", "f")).read() == "inside"
        assert os.path.samefile(os.path.join(work, "good-target", "a"),
                                os.path.join(work, "good-target", "d", "h"))
    with cases.case("inspect and extract take it"):
        exeat("inspect", bag, "s/d").expect(0)
        exeat("extract", bag, "--to", os.path.join(work, "good-x"), "--unverified").expect(0)


PARTS = ["data/", "exeat/manifest", "exeat/restore", "exeat/catalogue", "exeat/journal", "bagit.txt",
         "bag-info.txt", "RESTORE", "VERIFY", "manifest-", "tagmanifest-", "proof/seal.json",
         "proof/seal.json.sig", "proof/seal.json.mldsa65", "proof/keys", "proof/receipt"]


def tar_order(directory, ranks=True):
    paths = [os.path.relpath(os.path.join(folder, name), directory)
             for folder, _, names in os.walk(directory) for name in names]

    def rank(path):
        if path == "exeat/restore.txt":
            return 2
        order = [index for index, part in enumerate(PARTS) if path.startswith(part)]
        return order[-1] if order else 99
    # Payload comes as the journal has it: the tree, then its index.
    return sorted(paths, key=lambda path: (rank(path), path.replace("data/s/tree", "data/s/a")))


def tar_of(directory, name, order=None, change=lambda path, block: block, end=b"\0" * 1024):
    out = b""
    for path in order or tar_order(directory):
        data = open(os.path.join(directory, path), "rb").read()
        out += change(path, forge.tar_header(name, path, len(data))) + pad(data)
    return out + end


def with_items(*items, **options):
    archive = Archive(list(items))
    for key, value in options.items():
        setattr(archive, key, value)
    return archive


def paths(desk):
    for name in ["../escape", "d/../../escape", "..", "d/..", ".", "./a", "d/./f", "/escape",
                 "//escape", "d//f", "a/", "", "x" * 256, "d/" + "y" * 300, "a\0b",
                 "../" * 40 + "tmp/escape", "d/../f"]:
        root = [Directory(""), Directory("d")]
        items = sorted(root + [Item(name, data=b"evil")], key=lambda item: item.path)
        desk.refuse(f"a file named {name[:30]!r} in stream and index", with_items(*items))
        honest = Item("e", data=b"evil")
        items = root + [honest]
        lie = Item(name, data=b"evil")
        honest.stream = lie.block()
        desk.refuse(f"a file named {name[:30]!r} in the stream alone", with_items(*items),
                    empty=False)
    for name in ["../d2", "/d2", "d/..", "."]:
        desk.refuse(f"a directory named {name!r}", with_items(
            *sorted([Directory(""), Directory(name)], key=lambda item: item.path)))
    odd = Item("ok", data=b"1")
    odd.stream = pax([(b"path", b"../../escape")]) + header(b"ok", size=1, mtime=1700000000) + pad(b"1")
    desk.refuse("a pax path that leads up behind a good name", with_items(Directory(""), odd), empty=False)
    odd = Item("ok", data=b"1")
    odd.stream = header(b"../escape", size=1, mtime=1700000000, prefix=b"a") + pad(b"1")
    desk.refuse("a prefix field that leads up", with_items(Directory(""), odd), empty=False)
    odd = Item("ok", data=b"1")
    odd.line = lambda s, o: (b'{"path64":"b2s=","type":"file","mode":"0644","uid":0,"gid":0,"mtime":'
                             b'[1700000000,0],"size":1,"sha256":"%s","segment":%d,"offset":%d}\n'
                             % (sha256(b"1").encode(), s, o))
    desk.refuse("a name in base64 that could be text", with_items(Directory(""), odd))
    desk.refuse("a file as the root", with_items(Item("", data=b"x")))
    desk.refuse("a symbolic link as the root", with_items(Item("", "symlink", target=desk.outside)))


def links(desk):
    out = desk.outside
    for target in [out, "../outside", "/", ".."]:
        desk.refuse(f"a file through a link to {target[-12:]!r}", with_items(
            Directory(""), Item("x", "symlink", target=target), Item("x/evil", data=b"evil")))
        first = Item("x", "symlink", target=target)
        through = Item("x-evil", data=b"evil")
        through.stream = Item("x/evil", data=b"evil").block()
        desk.refuse(f"the same to {target[-12:]!r} in the stream alone",
                    with_items(Directory(""), first, through), empty=False)
    desk.refuse("a directory, then a link of the same name", with_items(
        Directory(""), Directory("x"), Item("x", "symlink", target=out), Item("x/evil", data=b"e")))
    swap = Directory("x")
    swap.stream = Item("x", "symlink", target=out).block()
    desk.refuse("a link in the stream where the index has a directory",
                with_items(Directory(""), swap, Item("x/evil", data=b"e")), empty=False)
    swap = Item("x", "symlink", target=out)
    swap.stream = Directory("x").block()
    desk.refuse("a directory in the stream where the index has a link",
                with_items(Directory(""), swap), empty=False)
    for target in ["../outside/kept", os.path.join(out, "kept")[1:], os.path.join(out, "kept"), "/etc/passwd",
                   "nothing", "z", "d", "", ".", "..", "l", "h2", "d/../a"]:
        items = [Directory(""), Item("a", data=b"1"), Directory("d"), Item("h", "hardlink", target=target),
                 Item("h2", "hardlink", target="a"), Item("l", "symlink", target=out + "/kept"),
                 Item("z", data=b"later")]
        desk.refuse(f"a hard link to {target[-20:]!r}", with_items(*items))
    desk.refuse("a hard link to a hard link", with_items(
        Directory(""), Item("a", data=b"1"), Item("b", "hardlink", target="a"),
        Item("c", "hardlink", target="b")))
    desk.refuse("a hard link to itself", with_items(Directory(""), Item("a", "hardlink", target="a")))
    desk.refuse("a file below a hard link to a link", with_items(
        Directory(""), Item("l", "symlink", target=out), Item("m", "hardlink", target="l"),
        Item("m/evil", data=b"e")))
    desk.refuse("a file below a file", with_items(
        Directory(""), Item("a", data=b"1"), Item("a/b", data=b"2")))
    desk.refuse("a file below a FIFO", with_items(
        Directory(""), Item("a", "fifo"), Item("a/b", data=b"2")))
    desk.refuse("a file in a directory that is not there", with_items(
        Directory(""), Item("no/f", data=b"2")))
    lie = Item("h", "hardlink", target="a")
    lie.stream = Item("h", "hardlink", target="b").block()
    desk.refuse("a hard link that leads elsewhere in the stream", with_items(
        Directory(""), Item("a", data=b"1"), Item("b", data=b"2"), lie), empty=False)
    lie = Item("l", "symlink", target="a")
    lie.stream = Item("l", "symlink", target="/etc/passwd").block()
    desk.refuse("a link that leads elsewhere in the stream", with_items(
        Directory(""), Item("a", data=b"1"), lie), empty=False)
    # A link to outside by itself is data: it is restored as it is, and never followed.
    with desk.cases.case("a link that leads outside is restored, not followed"):
        bag = os.path.join(desk.work, "outward")
        before = listing(out)
        with_items(Directory(""), Item("h", "hardlink", target="l") if False else
                   Item("l", "symlink", target=out + "/kept"),
                   Item("m", "hardlink", target="l")).write(bag, desk.key)
        plan = import_plan(desk.work, {"s": os.path.join(desk.work, "outward-t")}, file="outward.yaml")
        exeat("import", bag, plan, "--work", "outward-w", cwd=desk.work).expect(0)
        assert listing(out) == before


def disorder(desk):
    file = lambda path, data=b"1": Item(path, data=data)
    desk.refuse("a file twice", with_items(Directory(""), file("a"), file("a", b"2")))
    desk.refuse("a directory twice", with_items(Directory(""), Directory("a"), Directory("a")))
    desk.refuse("names not in order", with_items(Directory(""), file("b"), file("a")))
    desk.refuse("the root not first", with_items(file("a"), Directory("")))
    one, two = file("a"), file("b", b"2")
    one.stream, two.stream = two.block(), one.block()
    desk.refuse("two entries swapped in the stream", with_items(Directory(""), one, two), empty=False)
    twice = file("b")
    twice.stream = file("b").block() + file("b", b"2").block()
    desk.refuse("a file twice in the stream", with_items(Directory(""), file("a"), twice), empty=False)
    for existing in [None, "add", "replace"]:
        extra = file("a")
        extra.stream = extra.block() + file("hidden", b"not in the index").block()
        desk.refuse(f"an entry in the stream that the index lacks (existing: {existing})",
                    with_items(Directory(""), extra), empty=False, existing=existing)
    missing = file("b")
    missing.stream = b""
    desk.refuse("an entry in the index that the stream lacks",
                with_items(Directory(""), file("a"), missing), empty=False)
    missing = file("b")
    missing.line = b""
    desk.refuse("an entry that only the stream has, counts and digests made for it",
                with_items(Directory(""), file("a"), missing), empty=False)
    device = Item("null", "character", device=(1, 3))
    device.line = b""
    desk.refuse("a device that only the stream has", with_items(Directory(""), file("a"), device),
                empty=False)
    lie = Item("null", "fifo")
    lie.stream = Item("null", "character", device=(1, 3)).block()
    desk.refuse("a device where the index has a FIFO", with_items(Directory(""), lie), empty=False)
    lie = Item("null", "character", device=(1, 3))
    lie.stream = Item("null", "character", device=(1, 1)).block()
    desk.refuse("another device than the index has", with_items(Directory(""), lie), empty=False)
    for name, change in [
            ("positions that go back", lambda i: i.replace(b'"offset":1536', b'"offset":0')),
            ("a position beyond the segment", lambda i: i.replace(b'"offset":512', b'"offset":99999999')),
            ("a segment that is not there", lambda i: i.replace(b'"segment":0', b'"segment":7', 1)),
            ("a position inside a file", lambda i: i.replace(b'"offset":512', b'"offset":600')),
            ("a negative position", lambda i: i.replace(b'"offset":512', b'"offset":-1')),
            ("a huge number", lambda i: i.replace(b'"offset":512', b'"offset":99999999999999999999')),
            ("a leading zero", lambda i: i.replace(b'"offset":512', b'"offset":0512')),
            ("an unknown member", lambda i: i.replace(b'"uid":0', b'"evil":1,"uid":0', 1)),
            ("a member twice", lambda i: i.replace(b'"uid":0', b'"uid":0,"uid":0', 1)),
            ("white space", lambda i: i.replace(b'"uid":0', b'"uid": 0', 1)),
            ("an escape with no need", lambda i: i.replace(b'"path":"a"', b'"path":"\\u0061"')),
            ("a surrogate", lambda i: i.replace(b'"path":"a"', b'"path":"\\ud800"')),
            ("bytes that are not UTF-8", lambda i: i.replace(b'"path":"a"', b'"path":"\xff"')),
            ("no newline at its end", lambda i: i[:-1]), ("an empty line", lambda i: i + b"\n"),
            ("half a line", lambda i: i[:-30]), ("no line at all", lambda i: b""),
            ("a line of 3 MiB", lambda i: i + b'{"path":"' + b"x" * (3 << 20) + b'"\n'),
            ("a mode beyond twelve bits", lambda i: i.replace(b'"0644"', b'"100644"', 1)),
            ("a size that is too large", lambda i: i.replace(b'"size":1', b'"size":9223372036854775807')),
            ("a digest that is another", lambda i: i.replace(sha256(b"1").encode(), sha256(b"x").encode(), 1)),
            ("a time out of range", lambda i: i.replace(b"[1700000000,0]", b"[1700000000,1000000000]", 1)),
            ("NUL in a name", lambda i: i.replace(b'"path":"a"', b'"path":"\\u0000"'))]:
        archive = with_items(Directory(""), file("a"), file("b"))
        offset, index = 0, b""
        for item in archive.items:
            index += item.index(0, offset)
            offset += len(item.block())
        archive.index = change(index)
        assert archive.index != index, name
        # A wrong place or digest shows only where the stream is read.
        desk.refuse("an index with " + name, archive,
                    empty=name not in ("a position inside a file", "a digest that is another",
                                       "a size that is too large"))


def differences(desk):
    def pair(name, honest, lie):
        honest.stream = lie.block()
        desk.refuse(f"stream and index differ: {name}", with_items(Directory(""), honest), empty=False)

    pair("type", Item("a", data=b""), Item("a", "fifo"))
    pair("size", Item("a", data=b"1"), Item("a", data=b"22"))
    pair("shorter", Item("a", data=b"22"), Item("a", data=b"1"))
    pair("content", Item("a", data=b"1"), Item("a", data=b"2"))
    pair("mode", Item("a", data=b"1"), Item("a", data=b"1", mode=0o4755))
    pair("owner", Item("a", data=b"1"), Item("a", data=b"1", uid=5))
    pair("time", Item("a", data=b"1"), Item("a", data=b"1", mtime=1))
    pair("path", Item("a", data=b"1"), Item("b", data=b"1"))
    lie = Item("a", data=b"1")
    lie.stream = pax([(b"SCHILY.xattr.security.capability", struct.pack("<IIIII", 0x02000001, -1 & 0xFFFFFFFF, 0, 0, 0))]) \
        + Item("a", data=b"1").block()
    desk.refuse("stream and index differ: a capability", with_items(Directory(""), lie), empty=False)
    lie = Item("a", data=b"1")
    lie.stream = pax([(b"SCHILY.acl.access", b"user::rwx,user:0:rwx,group::rwx,mask::rwx,other::rwx")]) \
        + Item("a", data=b"1").block()
    desk.refuse("stream and index differ: an access control list", with_items(Directory(""), lie), empty=False)


def headers(desk):
    def stream(name, block, data=b"1"):
        item = Item("a", data=data)
        item.stream = block
        desk.refuse("a stream with " + name, with_items(Directory(""), item), empty=False)

    plain = header(b"a", size=1, mtime=1700000000)
    body = pad(b"1")
    stream("a wrong checksum", header(b"a", size=1, mtime=1700000000, checksum=1) + body)
    stream("GNU magic", header(b"a", size=1, mtime=1700000000, magic=b"ustar  \0") + body)
    stream("a GNU long name", header(b"././@LongLink", b"L", 4) + pad(b"abc\0") + plain + body)
    stream("a global header", header(b"g", b"g", 20) + pad(record(b"path", b"evil")) + plain + body)
    stream("an old-style file", header(b"a", b"\0", 1, mtime=1700000000) + body)
    stream("a contiguous file", header(b"a", b"7", 1, mtime=1700000000) + body)
    stream("a GNU sparse header", header(b"a", b"S", 1, mtime=1700000000) + body)
    stream("padding that is not zeros", plain + b"1" + b"x" * 511)
    stream("two extended headers", pax([(b"uid", b"0")]) + pax([(b"gid", b"0")]) + plain + body)
    stream("an extended header alone", pax([(b"uid", b"0")]))
    stream("a record twice", pax([(b"size", b"1"), (b"size", b"1")]) + plain + body)
    stream("an unknown record", pax([(b"comment", b"hello")]) + plain + body)
    stream("a record length that lies low", pax(b"5 uid=0\n") + plain + body)
    stream("a record length that lies high", pax(b"99 uid=0\n") + plain + body)
    stream("a record length of 20 digits", pax(b"99999999999999999999 uid=0\n") + plain + body)
    stream("a record length of zero", pax(b"0 uid=0\n") + plain + body)
    stream("a pax size that lies high", pax([(b"size", b"999999999999")]) + plain + body)
    stream("a pax size that lies low", pax([(b"size", b"0")]) + plain + body)
    stream("a pax size of 2^63", pax([(b"size", b"9223372036854775808")]) + plain + body)
    stream("a negative pax size", pax([(b"size", b"-1")]) + plain + body)
    stream("a huge extended header", header(b"x", b"x", 1 << 30) + plain + body)
    stream("a path with NUL", pax([(b"path", b"a\0../b")]) + plain + body)
    stream("hdrcharset of another kind", pax([(b"hdrcharset", b"ISO-IR 10646 2000 UTF-8")]) + plain + body)
    stream("a list as an attribute", pax([(b"SCHILY.xattr.system.posix_acl_access", b"\2\0\0\0")]) + plain + body)
    stream("a bad access control list", pax([(b"SCHILY.acl.access", b"user::zzz")]) + plain + body)
    stream("an attribute of 70 KB", pax([(b"SCHILY.xattr.user.x", b"y" * 70000)]) + plain + body)
    stream("an attribute twice", pax([(b"SCHILY.xattr.user.x", b"1"), (b"SCHILY.xattr.user.x", b"2")]) + plain + body)
    stream("a base-256 size", plain[:124] + b"\x80" + b"\0" * 10 + b"\1" + plain[136:] + body)
    stream("inner end blocks", plain + body + b"\0" * 1024)
    stream("a single zero block", plain + body + b"\0" * 512)
    stream("a directory with data", header(b"d/", b"5", 1, 0o755, mtime=1700000000) + body)
    stream("an absolute linkpath record on a file", pax([(b"linkpath", b"/etc")]) + plain + body)

    def sparse(name, maps, size, packed=None, data=b""):
        item = Item("a", data=b"\0" * min(size, 4096))
        map_data = pad(maps)
        block = pax([(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"),
                     (b"GNU.sparse.name", b"a"), (b"GNU.sparse.realsize", b"%d" % size)])
        block += header(b"GNUSparseFile.0/a", size=len(map_data) + len(data) if packed is None else packed,
                        mtime=1700000000) + map_data + pad(data)
        item.stream = block
        # The manifest goes along with the lie, so that it is the stream which has to show it.
        item.digest = b"sha256-tree-1m:" + b"0" * 64
        item.line = lambda s, o: (
            b'{"path":"a","type":"file","mode":"0644","uid":0,"gid":0,"mtime":[1700000000,0],"size":%d,'
            b'"holes":true,"sha256-tree-1m":"%s","segment":%d,"offset":%d}\n'
            % (size, b"0" * 64, s, o))
        # A file too large for the target's file system fails there, before anything is read.
        desk.refuse("a sparse map with " + name, with_items(Directory(""), item), statuses=REFUSED,
                    verify=(3,), empty=False)

    sparse("runs that overlap", b"2\n0\n512\n256\n512\n", 4096, data=b"x" * 1024)
    sparse("runs that go back", b"2\n1024\n512\n0\n512\n", 4096, data=b"x" * 1024)
    sparse("a run beyond the end", b"1\n4000\n512\n", 4096, data=b"x" * 512)
    sparse("a run past 2^63", b"1\n9223372036854775000\n9000\n", 4096, data=b"x" * 512)
    sparse("a count that lies", b"900000000000\n0\n512\n", 4096, data=b"x" * 512)
    sparse("a negative number", b"1\n-1\n512\n", 4096, data=b"x" * 512)
    sparse("empty runs", b"3\n0\n0\n0\n0\n0\n512\n", 4096, data=b"x" * 512)
    sparse("a wrong digest", b"1\n0\n512\n", 1 << 20, data=b"x" * 512)
    sparse("a file of 8 EiB", b"1\n0\n512\n", (1 << 63) - 1, data=b"x" * 512)
    sparse("data that is missing", b"1\n0\n512\n", 4096, data=b"")


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
        archive = with_items(*GOOD())
        archive.tag_lines = change
        desk.refuse("a tag manifest with " + name, archive)


def seals(desk):
    work = desk.work

    def edited(name, edit, **options):
        archive = with_items(*GOOD())
        archive.edit_seal = lambda seal: edit(seal, seal["predicate"]) or seal
        desk.refuse("a seal " + name, archive, **options)

    edited("of another type", lambda s, p: s.update(predicateType="urn:exeat:seal:v2"))
    edited("of another statement", lambda s, p: s.update(_type="https://in-toto.io/Statement/v0.1"))
    edited("about another file", lambda s, p: s["subject"][0].update(name="manifest-sha256.txt"))
    edited("about another digest", lambda s, p: s["subject"][0]["digest"].update(sha256="0" * 64))
    edited("about two files", lambda s, p: s["subject"].append(s["subject"][0]))
    edited("about nothing", lambda s, p: s.update(subject=[]))
    edited("with an unknown field", lambda s, p: p.update(evil=1))
    edited("with an unknown field above", lambda s, p: s.update(evil=1))
    edited("with a policy", lambda s, p: p.update(policy="any"))
    edited("without a signer", lambda s, p: p.pop("signer") and None)
    edited("of another signer", lambda s, p: p["signer"].update(principal="someone"))
    edited("of another ML-DSA key", lambda s, p: p["signer"].update(mldsa65="0" * 64))
    edited("with another journal head", lambda s, p: p["journal"].update(head="0" * 64))
    edited("with another journal root", lambda s, p: p["journal"].update(root="0" * 64))
    edited("with fewer journal lines", lambda s, p: p["journal"].update(entries=1))
    edited("with another payload", lambda s, p: p["payload"].update(files=1))
    edited("with another bag", lambda s, p: p.update(bag="urn:uuid:00000000-0000-4000-8000-000000000000"))
    edited("with status 1", lambda s, p: p["outcome"].update(status=1))
    edited("that says 2 where the journal says 0", lambda s, p: p["outcome"].update(status=2))
    edited("that exported less than expected", lambda s, p: p["outcome"].update(expected=1000))
    edited("with another name", lambda s, p: p.update(name="other"))
    edited("with a bad date", lambda s, p: p.update(createdAt="yesterday"))
    edited("with a key that is not there", lambda s, p: p["keys"].append({"name": "keys/x", "sha256": "0" * 64}))
    edited("without its keys", lambda s, p: p.update(keys=[]))
    edited("with a key path outside", lambda s, p: p["keys"].append({"name": "../../x", "sha256": "0" * 64}))
    edited("with an opening token that is not there", lambda s, p: p.update(opening={"sha256": "0" * 64}))
    for name, change in [
            ("with a key twice", lambda d: d.replace(b'"predicateType"', b'"predicateType":"x","predicateType"')),
            ("with white space", lambda d: b" " + d), ("with bytes behind", lambda d: d + b"\n{}"),
            ("that is empty", lambda d: b""), ("of 2 MiB", lambda d: d + b" " * (2 << 20))]:
        archive = with_items(*GOOD())
        archive.seal_bytes = lambda seal, change=change: change(forge.canonical(seal))
        desk.refuse("a seal " + name, archive, statuses=(0, 3) if "space" in name else (3,),
                    empty="space" not in name)

    def proof(name, edit, **options):
        archive = with_items(*GOOD())
        archive.edit_proof = lambda files: edit(files, files["proof/seal.json"]) or files
        desk.refuse("a proof " + name, archive, **options)

    key = desk.key
    sig, ml = "proof/seal.json.sig", "proof/seal.json.mldsa65"
    proof("without the ML-DSA signature", lambda f, d: f.pop(ml) and None)
    proof("without the Ed25519 signature", lambda f, d: f.pop(sig) and None)
    proof("without a seal", lambda f, d: f.pop("proof/seal.json") and None)
    proof("with an empty ML-DSA signature", lambda f, d: f.update({ml: b""}))
    proof("with the context of a receipt", lambda f, d: f.update({ml: key.mldsa(d, "exeat/receipt/v1")}))
    proof("with no context", lambda f, d: f.update({ml: key.mldsa65.sign(d)}))
    proof("with the namespace of a receipt", lambda f, d: f.update({sig: key.sshsig(d, "exeat/receipt/v1")}))
    proof("with a namespace that was not signed", lambda f, d: f.update({sig: key.sshsig(d, signed_namespace="file")}))
    proof("with a signature of something else", lambda f, d: f.update({sig: key.sshsig(b"else")}))
    proof("with CR LF armor", lambda f, d: f.update({sig: f[sig].replace(b"\n", b"\r\n")}))
    proof("with armor and a line behind", lambda f, d: f.update({sig: f[sig] + b"\n"}))
    proof("with two signatures", lambda f, d: f.update({sig: f[sig] * 2}))
    proof("with an ML-DSA signature and a byte behind", lambda f, d: f.update({ml: f[ml] + b"\0"}))
    keys(work, "stranger")
    stranger = forge.Key(os.path.join(work, "stranger.key"))
    desk.refuse("an archive of a stranger whose keys are only in proof/keys", with_items(*GOOD()), key=stranger)
    proof("with a stranger's ML-DSA signature", lambda f, d: f.update({ml: stranger.mldsa(d)}))
    proof("with a stranger's Ed25519 signature", lambda f, d: f.update({sig: stranger.sshsig(d)}))
    keys(work, "receiver", "--role", "importer")
    with desk.cases.case("a key that may only sign receipts cannot seal"):
        bag = os.path.join(work, "roles")
        Archive(GOOD()).write(bag, forge.Key(os.path.join(work, "receiver.key")))
        result = exeat("verify", bag, "--trust", os.path.join(work, "receiver.trust.json"), "--json")
        result.expect(3)
        assert result.json["failure"]["word"] == "signer-role" or result.json["failure"]["code"] == 246
    with desk.cases.case("the Ed25519 key of one and the ML-DSA key of another, both trusted"):
        bag = os.path.join(work, "pairs")
        mixed = forge.Key(os.path.join(work, "signer.key"))
        mixed.mldsa65, mixed.ml_raw = stranger.mldsa65, stranger.ml_raw
        Archive(GOOD()).write(bag, mixed)
        result = exeat("verify", bag, "--trust", os.path.join(work, "signer.trust.json"), "--trust",
                       os.path.join(work, "stranger.trust.json"), "--json").expect(3)
    with desk.cases.case("the seal of one bag on the payload of another"):
        one, two = os.path.join(work, "mix1"), os.path.join(work, "mix2")
        Archive(GOOD()).write(one, desk.key)
        Archive([Directory(""), Item("other", data=b"2")]).write(two, desk.key)
        shutil.rmtree(os.path.join(one, "data"))
        shutil.copytree(os.path.join(two, "data"), os.path.join(one, "data"))
        trust = os.path.join(work, "signer.trust.json")
        exeat("verify", one, "--trust", trust).expect(3)
        shutil.copytree(os.path.join(two, "exeat"), os.path.join(one, "exeat"), dirs_exist_ok=True)
        exeat("verify", one, "--trust", trust).expect(3)
        shutil.copytree(os.path.join(two, "proof"), os.path.join(one, "proof"), dirs_exist_ok=True)
        exeat("verify", one, "--trust", trust).expect(3)


def tars(desk):
    work = desk.work
    bag = os.path.join(work, "tar-source")
    Archive(GOOD()).write(bag, desk.key)
    order = tar_order(bag)
    tree = "data/s/tree-00001/segment-00000.tar.zst"
    index = "data/s/index-00002/segment-00000.jsonl.zst"

    def refuse(name, data):
        place = os.path.join(work, f"forged-{desk.number}.tar")
        write(place, data)
        desk.refuse("a tar " + name, place)
        with desk.cases.case(f"a tar {name}, through a pipe"):
            exeat("verify", "-", "--trust", os.path.join(work, "signer.trust.json"), input=data).expect(3)

    whole = tar_of(bag, "forged")
    refuse("without its end", whole[:-1024])
    refuse("with one end block", whole[:-512])
    refuse("with three end blocks", whole + b"\0" * 512)
    refuse("filled up to a record", whole + b"\0" * (-len(whole) % 10240))
    refuse("with a byte behind", whole + b"\0")
    refuse("with a second archive behind", whole + whole)
    refuse("of nothing", b"")
    refuse("of end blocks", b"\0" * 1024)
    refuse("of another top folder", tar_of(bag, "other"))
    refuse("of two top folders", tar_of(bag, "forged", change=lambda p, b: forge.tar_header(
        "other", p, int(b[124:135], 8)) if p == "bagit.txt" else b))
    refuse("in another order", tar_of(bag, "forged", order[::-1]))
    refuse("with a file twice", tar_of(bag, "forged", [order[0]] + order))
    refuse("with the seal first", tar_of(bag, "forged", ["proof/seal.json"] + [p for p in order if p != "proof/seal.json"]))
    for name, path in [("a path up", "../escape"), ("an absolute path", "/tmp/escape"), ("an odd path", "Data/x"),
                       ("a dot", "./bagit.txt")]:
        refuse("with " + name, tar_of(bag, "forged", change=lambda p, b: forge.tar_header(
            "forged", path, int(b[124:135], 8)) if p == "bagit.txt" else b))
    for name, flag in [("a link", b"2"), ("a hard link", b"1"), ("a directory", b"5"), ("a device", b"3"),
                       ("an extended header", b"x"), ("a global header", b"g"), ("a long name", b"L"), ("a sparse file", b"S")]:
        refuse("with " + name, header(b"evil", flag, 0, prefix=b"forged", link=b"/etc/passwd") + whole)
    for name, options in [("a mode", {"mode": 0o755}), ("an owner", {"uid": 1}), ("a time", {"mtime": 5}),
                          ("a name of an owner", {"owner": b"root"}), ("a link name", {"link": b"x"}),
                          ("GNU magic", {"magic": b"ustar  \0"}), ("a wrong checksum", {"checksum": 77})]:
        refuse("with " + name + " that is not canonical", tar_of(
            bag, "forged", change=lambda p, b: header(p.encode(), size=int(b[124:135], 8),
                                                      prefix=b"forged", **{"mode": 0o644, "mtime": 0, **options})
            if p == "bagit.txt" else b))
    refuse("with the payload in another order", tar_of(
        bag, "forged", [index, tree] + [p for p in order if p not in (tree, index)])
        if desk_checks_order() else whole + b"\0")
    refuse("with a size that lies", tar_of(bag, "forged", change=lambda p, b: forge.tar_header(
        "forged", p, 8 << 30 if False else (1 << 33) - 1) if p == tree else b))
    data = bytearray(whole)
    first = len(open(os.path.join(bag, tree), "rb").read())
    if first % 512:
        data[512 + first] = 1
        refuse("with padding that is not zeros", bytes(data))


def desk_checks_order():
    # The forge's journal has no positions of members, so any order of the payload is a good one.
    return False


def receipts(desk):
    work = desk.work
    trust = os.path.join(work, "signer.trust.json")
    bag = os.path.join(work, "receipt-bag")
    Archive(GOOD()).write(bag, desk.key)
    plan = import_plan(work, {"s": os.path.join(work, "receipt-target")}, file="receipt.yaml")
    exeat("import", bag, plan, "--work", "receipt-work", cwd=work)
    document = open(os.path.join(bag, "proof/receipt-1.json"), "rb").read()
    key = desk.key

    def refuse(name, change):
        with desk.cases.case("a receipt " + name):
            copy = os.path.join(work, "receipt-copy")
            remove(copy)
            shutil.copytree(bag, copy)
            change(lambda suffix, data: write(os.path.join(copy, "proof/receipt-1.json" + suffix), data), copy)
            exeat("verify", copy, "--trust", trust).expect(3)

    with desk.cases.case("a receipt that is good"):
        exeat("verify", bag, "--trust", trust).expect(0)
    refuse("with the seal's namespace", lambda put, c: put(".sig", key.sshsig(document)))
    refuse("with the seal's context", lambda put, c: put(".mldsa65", key.mldsa(document)))
    refuse("without its ML-DSA signature", lambda put, c: os.unlink(c + "/proof/receipt-1.json.mldsa65"))
    refuse("without its SSH signature", lambda put, c: os.unlink(c + "/proof/receipt-1.json.sig"))
    refuse("that was changed", lambda put, c: put("", document.replace(b'"status":0', b'"status":2')))
    refuse("without a document", lambda put, c: os.unlink(c + "/proof/receipt-1.json"))
    refuse("numbered 0", lambda put, c: os.rename(c + "/proof/receipt-1.json", c + "/proof/receipt-0.json"))
    def of_other(put, copy):
        other = document.replace(
            json.loads(document)["subject"][0]["digest"]["sha256"].encode(), b"0" * 64)
        put("", other)
        put(".sig", key.sshsig(other, "exeat/receipt/v1"))
        put(".mldsa65", key.mldsa(other, "exeat/receipt/v1"))
    refuse("of another archive, signed by a trusted key", of_other)
    def of_nothing(put, copy):
        put("", b"{}")
        put(".sig", key.sshsig(b"{}", "exeat/receipt/v1"))
        put(".mldsa65", key.mldsa(b"{}", "exeat/receipt/v1"))
    refuse("that says nothing, signed by a trusted key", of_nothing)
    remove(bag)


def folding(desk):
    """Twins on a target that folds names; needs a file system that can."""
    with desk.cases.case("case and Unicode twins are refused on a target that folds names"):
        image = os.path.join(desk.work, "folds.img")
        mount = os.path.join(desk.work, "folds")
        os.mkdir(mount)
        with open(image, "wb") as file:
            file.truncate(32 << 20)
        made = run("mkfs.vfat", image) if shutil.which("mkfs.vfat") else None
        if made is None or made.status != 0 or run("mount", "-o", "loop,utf8", image, mount).status != 0:
            raise Skipped("no file system that folds names can be mounted here")
        try:
            bag = os.path.join(desk.work, "twins")
            with_items(Directory(""), Item("README", data=b"1"), Item("readme", data=b"2")).write(bag, desk.key)
            plan = import_plan(desk.work, {"s": os.path.join(mount, "t")}, file="folds.yaml")
            exeat("import", bag, plan, "--work", "folds-work", cwd=desk.work).expect(3)
        finally:
            run("umount", mount)


if __name__ == "__main__":
    main()
