#!/usr/bin/env python3
"""Trees forged to escape, sealed by a key that is trusted: each is refused, and writes nowhere."""
import os
import shutil
import struct

from forgery_kit import *


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
        with_items(Directory(""), Item("l", "symlink", target=out + "/kept"),
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
    run_parts([paths, links, disorder, differences, headers, folding])
