#!/usr/bin/env python3
"""A hostile tree goes through export, verify and import, and is compared in every metadatum."""
import base64
import ctypes
import os
import random
import shutil
import socket
import stat
import struct
import subprocess
import sys
import time

from support import *

libc = ctypes.CDLL(None, use_errno=True)
ODD = 0x7FFFFFF0
IS_ROOT = os.geteuid() == 0


def touch(path, data=b"", mode=0o644):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    os.write(descriptor, data)
    os.close(descriptor)
    return path


def sparse(path, size, islands=()):
    with open(path, "wb") as file:
        file.truncate(size)
        for offset, data in islands:
            file.seek(offset)
            file.write(data)


def acl(entries):
    """The kernel's form: (tag, permissions, id) each."""
    return struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, permissions, number) for tag, permissions, number in entries)


def capability():
    return struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)


def names(top):
    folder = os.path.join(top, b"names")
    os.mkdir(folder)
    for name in [b"plain", b"with space", b"-rf", b"--help", b"new\nline", b"tab\there", b"cr\rhere",
                 b"quote'\"`$(touch x)`", b"back\\slash", b"star*[a]?", b"\xff\xfe", b"\xc3\x28",
                 "é".encode(), "e\u0301".encode(), b"README", b"readme", b"n" * 255,
                 b"\xf0\x9f\x92\x89" * 63, b"%25", b"=", b"...", b"..a", b".hidden", b"a\x01b\x7f",
                 b"\xed\xa0\x80", "ﬁ\u202e".encode(), b"~", b"~root", b"C:", b"nul", b"!",
                 b".exeat-0.partial", b" lead", b"trail ", b"\xef\xbb\xbfbom"]:
        touch(os.path.join(folder, name), name)
    os.mkdir(os.path.join(folder, b"dir\xff"))
    touch(os.path.join(folder, b"dir\xff", b"in"), b"1")
    # "a-b" sorts before "a/x" by bytes: what breaks orders by component.
    os.mkdir(os.path.join(folder, b"a"))
    for name in [b"a-b", b"a.b", b"a/x", b"a0", b"a/.y"]:
        touch(os.path.join(folder, name), name)


def deep(top):
    """Paths of more than 4096 bytes, made step by step."""
    home = os.getcwd()
    os.chdir(top)
    try:
        os.mkdir("deep")
        os.chdir("deep")
        for number in range(24):
            name = f"{number:03d}" + "d" * 240
            os.mkdir(name)
            os.chdir(name)
        touch("file-far-down", b"far")
        os.symlink("nowhere", "link")
        os.link("file-far-down", "hard")
        os.mkfifo("pipe")
        os.mkdir("empty")
    finally:
        os.chdir(home)


def links(top):
    folder = os.path.join(top, b"links")
    os.mkdir(folder)
    os.symlink(b"names/plain", os.path.join(folder, b"good"))
    os.symlink(b"/does/not/exist", os.path.join(folder, b"dangling"))
    os.symlink(b"/etc/passwd", os.path.join(folder, b"absolute"))
    os.symlink(b"../../../../../../etc", os.path.join(folder, b"up"))
    os.symlink(b"x" * 4095, os.path.join(folder, b"long"))
    os.symlink(b"\xff\n\xfe", os.path.join(folder, b"bytes"))
    os.symlink(b"loop", os.path.join(folder, b"loop"))
    os.symlink(b".", os.path.join(folder, b"dot"))
    touch(os.path.join(folder, b"one"), b"linked")
    os.link(os.path.join(folder, b"one"), os.path.join(folder, b"two"))
    os.link(os.path.join(folder, b"one"), os.path.join(top, b"zz-three"))
    os.link(os.path.join(folder, b"one"), os.path.join(top, b"aa-zero"))
    os.link(os.path.join(folder, b"dangling"), os.path.join(folder, b"dangling2"), follow_symlinks=False)
    os.mkfifo(os.path.join(folder, b"fifo"), 0o640)
    os.link(os.path.join(folder, b"fifo"), os.path.join(folder, b"fifo2"))
    touch(os.path.join(folder, b"empty1"))
    os.link(os.path.join(folder, b"empty1"), os.path.join(folder, b"empty2"))


def modes(top):
    folder = os.path.join(top, b"modes")
    os.mkdir(folder)
    for mode in [0, 0o400, 0o200, 0o111, 0o644, 0o755, 0o4755, 0o2755, 0o6711, 0o1644, 0o7777, 0o7000]:
        touch(os.path.join(folder, b"f%04o" % mode), b"m")
        os.chmod(os.path.join(folder, b"f%04o" % mode), mode)
    for mode in [0, 0o500, 0o700, 0o2775, 0o1777, 0o1700, 0o3777, 0o7777]:
        path = os.path.join(folder, b"d%04o" % mode)
        os.mkdir(path)
        touch(os.path.join(path, b"in"), b"1")
        os.mkdir(os.path.join(path, b"below"))
        os.chmod(path, mode)


def owners(top):
    folder = os.path.join(top, b"owners")
    os.mkdir(folder)
    for number, (uid, gid) in enumerate([(0, 0), (1, 2), (65534, 65534), (2097151, 2097152),
                                         (2097152, 3), (ODD, ODD + 1), (4294967294, 4294967294)]):
        path = os.path.join(folder, b"o%d" % number)
        touch(path, b"x", 0o644)
        os.chown(path, uid, gid)
        os.chmod(path, 0o6755)
        os.symlink(b"x", path + b"l")
        os.lchown(path + b"l", uid, gid)
        os.mkdir(path + b"d")
        os.chown(path + b"d", uid, gid)
        os.chmod(path + b"d", 0o2750)
        os.mkfifo(path + b"p")
        os.chown(path + b"p", uid, gid)


def attributes(top, privileged=True):
    folder = os.path.join(top, b"attributes")
    os.mkdir(folder)

    def path(name):
        return touch(os.path.join(folder, name), name)

    os.setxattr(path(b"small"), "user.a", b"1")
    os.setxattr(path(b"empty"), "user.empty", b"")
    os.setxattr(path(b"64"), "user.x", b"y" * 64)
    os.setxattr(path(b"65"), "user.x", b"y" * 65)
    os.setxattr(path(b"bytes"), "user.x", bytes(range(256)))
    os.setxattr(path(b"newline"), b"user.a\nb=c%25", b"v=\n1")
    os.setxattr(path(b"name\xff"), b"user.\xff\xfe", b"\0\0")
    several = path(b"several")
    for number in range(20):
        os.setxattr(several, f"user.n{number}", b"%d" % number)
    try:
        os.setxattr(path(b"big"), "user.big", random.Random(1).randbytes(3000))
    except OSError:
        pass
    directory = os.path.join(folder, b"directory")
    os.mkdir(directory)
    os.setxattr(directory, "user.d", b"d" * 100)
    if privileged:
        os.setxattr(path(b"trusted"), "trusted.t", b"t")
        os.setxattr(directory, "trusted.overlay.opaque", b"y")
        cap = path(b"capability")
        os.chown(cap, 1000, 1000)
        os.chmod(cap, 0o755)
        os.setxattr(cap, "security.capability", capability())
        link = os.path.join(folder, b"link")
        os.symlink(b"small", link)
        os.setxattr(link, "trusted.l", b"of the link", follow_symlinks=False)
        os.setxattr(link, "trusted.long", b"L" * 500, follow_symlinks=False)
        fifo = os.path.join(folder, b"pipe")
        os.mkfifo(fifo)
        os.setxattr(fifo, "trusted.p", b"pipe", follow_symlinks=False)
        os.setxattr(fifo, "trusted.plong", b"P" * 300, follow_symlinks=False)
    none = 0xFFFFFFFF
    access = acl([(1, 6, none), (2, 4, 1001), (2, 7, ODD), (4, 4, none), (8, 6, 1002), (16, 6, none),
                  (32, 0, none)])
    listed = path(b"acl")
    os.setxattr(listed, "system.posix_acl_access", access)
    os.setxattr(directory, "system.posix_acl_access", access)
    os.setxattr(directory, "system.posix_acl_default", access)
    inherited = os.path.join(directory, b"inherits")
    touch(inherited, b"i")
    os.mkdir(os.path.join(directory, b"sub"))
    plain = touch(os.path.join(directory, b"plain"), b"no list")
    os.removexattr(plain, "system.posix_acl_access")
    os.chmod(plain, 0o604)
    only = os.path.join(folder, b"default-only")
    os.mkdir(only)
    os.setxattr(only, "system.posix_acl_default", acl([(1, 7, none), (4, 5, none), (32, 0, none)]))
    touch(os.path.join(only, b"in"), b"x", 0o666)
    os.mkdir(os.path.join(only, b"sub"))


def times(top):
    folder = os.path.join(top, b"times")
    os.mkdir(folder)
    for number, ns in enumerate([0, 1, 999999999, -1, -500000000, -1000000000, -1000000001,
                                 -62 * 31557600 * 10**9 + 7, 2**31 * 10**9 - 1, 2**31 * 10**9 + 5,
                                 2**33 * 10**9 + 123456789, 1700000000123456789, 1700000000100000000,
                                 -2**31 * 10**9, 8589934591 * 10**9, 8589934592 * 10**9 + 1]):
        path = os.path.join(folder, b"t%02d" % number)
        touch(path)
        os.mkdir(path + b"d")
        touch(os.path.join(path + b"d", b"in"))
        os.symlink(b"t", path + b"l")
        os.mkfifo(path + b"p")
        for name in [path, path + b"d", path + b"l", path + b"p"]:
            os.utime(name, ns=(0, ns), follow_symlinks=False)


def holes(top):
    folder = os.path.join(top, b"holes")
    os.mkdir(folder)
    rng = random.Random(2)
    sparse(os.path.join(folder, b"all"), 5 << 20)
    sparse(os.path.join(folder, b"end"), 3 << 20, [(0, b"start")])
    sparse(os.path.join(folder, b"start"), 3 << 20, [((3 << 20) - 5, b"finis")])
    sparse(os.path.join(folder, b"islands"), 64 << 20,
           [(rng.randrange(0, 64 << 20), rng.randbytes(rng.randrange(1, 30000))) for _ in range(60)])
    sparse(os.path.join(folder, b"odd"), 12345677, [(4096 * 7, b"x"), (12345600, b"y")])
    sparse(os.path.join(folder, b"tb2"), 2 << 40, [(1 << 40, b"one"), ((2 << 40) - 4, b"last")])
    sparse(os.path.join(folder, b"gib9"), 9 << 30, [(0, b"begin"), ((9 << 30) - 3, b"end")])
    os.link(os.path.join(folder, b"islands"), os.path.join(folder, b"islands2"))
    with open(os.path.join(folder, b"many"), "wb") as file:
        for number in range(3000):
            file.seek(number * 8192)
            file.write(b"%d" % number)


def dense(top, size, name=b"dense"):
    rng = random.Random(size)
    block = rng.randbytes(1 << 20)
    with open(os.path.join(top, name), "wb") as file:
        left = size
        number = 0
        while left > 0:
            # Distinct blocks, of which most bytes pack well: quick to export, and order counts.
            part = (b"%16d" % number + block[:4096] + bytes(range(256)) * 4096)[:min(left, 1 << 20)]
            file.write(part)
            left -= len(part)
            number += 1


def devices(top):
    folder = os.path.join(top, b"devices")
    os.mkdir(folder)
    os.mknod(os.path.join(folder, b"null"), 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(os.path.join(folder, b"big"), 0o600 | stat.S_IFBLK, os.makedev(4000, 1048575))
    os.link(os.path.join(folder, b"null"), os.path.join(folder, b"null2"))


def sockets(top):
    folder = os.path.join(top, b"sockets")
    os.mkdir(folder)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.join(folder, b"s"))


def small(top):
    """A little of each that any user may make."""
    os.makedirs(top)
    top = os.fsencode(top)
    names(top)
    links(top)
    modes(top)
    times(top)
    return top


def settle(top):
    """Times of directories, which making things in them changed."""
    for folder, _, _ in os.walk(top, topdown=False):
        os.utime(folder, ns=(0, 1234567890123456789))


def hostile(top):
    small(top)
    top = os.fsencode(top)
    owners(top)
    attributes(top)
    holes(top)
    devices(top)
    sockets(top)
    deep(top)
    os.mkdir(os.path.join(top, b"empty"))
    os.chown(top, 4, 5)
    os.chmod(top, 0o2751)
    os.setxattr(top, "user.root", b"of the root")
    os.utime(top, ns=(0, -123456789))


def round_trip(cases, work, source, name, encrypt=None, form="", settings=None, status=0,
               skip=(), target=None, ignore=()):
    """Export, verify and import of one tree; returns archive and target."""
    archive = os.path.join(work, name + form)
    target = target or os.path.join(work, name + "-target")
    recipient = open(os.path.join(work, "signer.agepub")).read().strip() if encrypt else None
    plan = export_plan(work, {"tree": settings or source}, recipient, file=f"{name}-export.yaml")
    key = "signer.agekey" if encrypt else None
    imports = import_plan(work, {"tree": target}, key, file=f"{name}-import.yaml")
    with cases.case(f"{name}: export"):
        exeat("export", plan, "--output", archive, cwd=work).expect(status)
    with cases.case(f"{name}: verify"):
        exeat("verify", archive, "--trust", "signer.trust.json", cwd=work).expect(0)
        if encrypt:
            exeat("verify", archive, "--trust", "signer.trust.json", "--decrypt-with", key,
                  cwd=work).expect(0)
    with cases.case(f"{name}: import"):
        exeat("import", archive, imports, "--work", name + "-work", cwd=work).expect(0)
    with cases.case(f"{name}: equal in every metadatum"):
        equal(source, target, skip=skip, ignore=ignore)
    return archive, target


def comparison(result, name):
    return next(one for one in result.json["sources"][0]["comparisons"] if one["name"] == name)


def alterations(cases, work, archive, target):
    """What changes on the target after an import is found by the next comparison."""
    plan = os.path.join(work, "hostile-import.yaml")

    def content(path):
        status = os.lstat(path)
        with open(path, "r+b") as file:
            first = file.read(1)
            file.seek(0)
            file.write(bytes([first[0] ^ 1]))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        return lambda: (open(path, "r+b").write(first),
                        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns)))

    def mode(path):
        before = stat.S_IMODE(os.lstat(path).st_mode)
        os.chmod(path, before ^ 0o001)
        return lambda: os.chmod(path, before)

    def xattr(path):
        os.setxattr(path, "user.a", b"2")
        return lambda: os.setxattr(path, "user.a", b"1")

    def new_xattr(path):
        os.setxattr(path, "user.new", b"2")
        return lambda: os.removexattr(path, "user.new")

    def extra(path):
        status = os.lstat(os.path.dirname(path))
        touch(path, b"extra")
        os.utime(os.path.dirname(path), ns=(0, status.st_mtime_ns))
        return lambda: (os.unlink(path), os.utime(os.path.dirname(path), ns=(0, status.st_mtime_ns)))

    def gone(path):
        status = os.lstat(os.path.dirname(path))
        os.rename(path, os.path.join(work, "gone"))
        os.utime(os.path.dirname(path), ns=(0, status.st_mtime_ns))
        return lambda: (os.rename(os.path.join(work, "gone"), path),
                        os.utime(os.path.dirname(path), ns=(0, status.st_mtime_ns)))

    def mtime(path):
        status = os.lstat(path)
        os.utime(path, ns=(0, status.st_mtime_ns + 1), follow_symlinks=False)
        return lambda: os.utime(path, ns=(0, status.st_mtime_ns), follow_symlinks=False)

    def owner(path):
        status = os.lstat(path)
        os.lchown(path, 77, status.st_gid)
        return lambda: (os.lchown(path, status.st_uid, status.st_gid),
                        stat.S_ISLNK(status.st_mode) or os.chmod(path, stat.S_IMODE(status.st_mode)))

    def unlinked(path):
        status = os.lstat(path)
        parent = os.lstat(os.path.dirname(path))
        os.rename(path, path + ".kept")
        shutil.copy2(path + ".kept", path)
        os.chown(path, status.st_uid, status.st_gid)
        os.rename(path + ".kept", os.path.join(work, "kept"))
        os.utime(os.path.dirname(path), ns=(0, parent.st_mtime_ns))
        return lambda: (os.rename(os.path.join(work, "kept"), path),
                        os.utime(os.path.dirname(path), ns=(0, parent.st_mtime_ns)))

    def link(path):
        status, before = os.lstat(path), os.readlink(path)
        parent = os.lstat(os.path.dirname(path))
        def make(to):
            os.unlink(path)
            os.symlink(to, path)
            os.lchown(path, status.st_uid, status.st_gid)
            os.utime(path, ns=(0, status.st_mtime_ns), follow_symlinks=False)
            os.utime(os.path.dirname(path), ns=(0, parent.st_mtime_ns))
        make("elsewhere")
        return lambda: make(before)

    def hole(path):
        status = os.lstat(path)
        with open(path, "r+b") as file:
            file.seek((1 << 40) + 1)
            file.write(b"N")
        os.utime(path, ns=(0, status.st_mtime_ns))
        def back():
            with open(path, "r+b") as file:
                file.seek((1 << 40) + 1)
                file.write(b"n")
            os.utime(path, ns=(0, status.st_mtime_ns))
        return back

    changes = [
        ("content with the same mtime", content, "names/plain"), ("mode", mode, "names/plain"),
        ("an xattr", xattr, "attributes/small"), ("a new xattr", new_xattr, "names/readme"),
        ("a file added", extra, "names/added"), ("a file added in an empty directory", extra, "empty/x"),
        ("a file gone", gone, "names/readme"),
        ("a nanosecond", mtime, "times/t11"), ("a nanosecond of a link", mtime, "links/good"),
        ("a nanosecond of a directory", mtime, "names"),
        ("an owner", owner, "owners/o1"), ("the owner of a link", owner, "owners/o1l"),
        ("a hard link that became a copy", unlinked, "links/two"), ("a link's target", link, "links/good"),
        ("a byte in a file of 2 TiB", hole, "holes/tb2"),
    ]
    for what, change, path in changes:
        with cases.case(f"altered target is found: {what}"):
            back = change(os.path.join(target, path))
            try:
                result = exeat("import", archive, plan, "--work", "hostile-work", "--json", cwd=work)
                result.expect(3)
                entries = comparison(result, "entries")
                assert entries["equal"] == (change is not gone), entries
            finally:
                back()
    with cases.case("the target put right again compares equal"):
        exeat("import", archive, plan, "--work", "hostile-work", cwd=work).expect(0)


def main():
    if not IS_ROOT:
        print("SKIPPED fidelity_tree: it needs root to make the tree")
        print("0 passed, 0 failed, 1 skipped")
        return
    cases = Cases()
    only = sys.argv[1:]
    with scratch() as work:
        os.chmod(work, 0o755)
        keys(work)
        for name, test in [("hostile", test_hostile), ("forms", test_forms), ("large", test_large),
                           ("unprivileged", test_unprivileged), ("mounts", test_mounts), ("coarse", test_coarse_times),
                           ("excludes", test_excludes), ("roots", test_roots),
                           ("owners", test_owners), ("existing", test_existing)]:
            if not only or name in only:
                started = time.monotonic()
                try:
                    test(cases, work)
                except Exception:
                    cases.failed += 1
                    print(f"✘ {name} could not go on", flush=True)
                    traceback.print_exc(limit=-4)
                print(f"  {name}: {time.monotonic() - started:.1f} s", flush=True)
    cases.finish()


def test_hostile(cases, work):
    tree = os.path.join(work, "hostile-tree")
    hostile(tree)
    settings = [f"path: {tree}", "devices: true", "accept: [ sockets ]"]
    started = time.monotonic()
    archive, target = round_trip(cases, work, tree, "hostile", settings=settings,
                                 skip=["sockets/s"])
    with cases.case("2 TiB and 9 GiB of holes take seconds and next to no room"):
        assert time.monotonic() - started < 90, time.monotonic() - started
        assert os.lstat(os.path.join(target, "holes/tb2")).st_blocks < 1000
        assert os.lstat(os.path.join(target, "holes/gib9")).st_blocks < 1000
        assert os.lstat(os.path.join(target, "holes/all")).st_blocks == 0
    with cases.case("inspect lists names of any bytes, and says what is not there"):
        lines = exeat("inspect", archive, "tree/names", "--json", cwd=work).expect(0).json["lines"]
        names = {base64.b64decode(one["path64"]) if "path64" in one else one["path"].encode()
                 for one in lines}
        here = os.listdir(os.path.join(os.fsencode(target), b"names"))
        assert names >= {b"names/" + name for name in here} | {b"names"}, len(names)
        assert any(b"\xff" in name or b"\xe9" in name for name in here)
        exeat("inspect", archive, "tree/nothing-here", cwd=work).expect(1)
    with cases.case("the source is as it was, and a second import beside it is equal"):
        plan = import_plan(work, {"tree": os.path.join(work, "beside")}, file="beside.yaml")
        exeat("import", archive, plan, "--work", "beside-work", cwd=work).expect(0)
        equal(target, os.path.join(work, "beside"))
    with cases.case("an import on something that is there is refused"):
        plan = import_plan(work, {"tree": os.path.join(work, "beside")}, file="again.yaml")
        exeat("import", archive, plan, "--work", "again-work", cwd=work).expect(1)
    alterations(cases, work, archive, target)
    remove(os.path.join(work, "beside"))
    remove(target)
    with cases.case("devices and sockets not asked for are omissions, and status 2"):
        plan = export_plan(work, {"tree": tree}, file="omits.yaml")
        result = exeat("export", plan, "--output", "omits", "--json", cwd=work).expect(2)
        reasons = {line["reason"]: line["count"] for line in result.json["omissions"]}
        assert reasons == {"devices": 3, "sockets": 1}, reasons
        exeat("verify", "omits", "--trust", "signer.trust.json", cwd=work).expect(0)
    remove(tree)


def test_forms(cases, work):
    tree = os.path.join(work, "forms-tree")
    small(tree)
    top = os.fsencode(tree)
    attributes(top)
    owners(top)
    deep(top)
    round_trip(cases, work, tree, "clear-tar", form=".tar")
    round_trip(cases, work, tree, "encrypted", encrypt=True)
    round_trip(cases, work, tree, "encrypted-tar", encrypt=True, form=".tar")
    with cases.case("no name, path or digest of a plaintext stands in clear"):
        with open(os.path.join(work, "encrypted-tar.tar"), "rb") as file:
            data = file.read()
        for text in [b"forms-tree", b"names/plain", b"tree/", os.fsencode(work)]:
            assert text not in data, text
    with cases.case("a tar on standard output is the same archive"):
        plan = export_plan(work, {"tree": tree}, file="pipe.yaml")
        result = exeat("export", plan, "--output", "-", cwd=work).expect(0)
        write(os.path.join(work, "piped.tar"), result.output)
        exeat("verify", "piped.tar", "--trust", "signer.trust.json", cwd=work).expect(0)
        exeat("verify", "-", "--trust", "signer.trust.json", cwd=work, input=result.output).expect(0)
    with cases.case("a tar unpacked with tar verifies as a directory"):
        os.mkdir(os.path.join(work, "unpacked"))
        run("tar", "-xf", "clear-tar.tar", "-C", "unpacked", cwd=work).expect(0)
        folder, = os.listdir(os.path.join(work, "unpacked"))
        exeat("verify", os.path.join("unpacked", folder), "--trust", "signer.trust.json",
              cwd=work).expect(0)
    remove(tree)


def test_large(cases, work):
    tree = os.path.join(work, "large-tree")
    os.mkdir(tree)
    top = os.fsencode(tree)
    touch(os.path.join(top, b"a"), b"first")
    dense(top, (300 << 20) + 777)
    os.link(os.path.join(top, b"dense"), os.path.join(top, b"zz-dense-again"))
    os.link(os.path.join(top, b"a"), os.path.join(top, b"zz-a-again"))
    dense(top, 256 << 20, b"exactly")
    sparse(os.path.join(top, b"with-islands"), 20 << 30,
           [(number << 30, b"%d" % number * 100000) for number in range(20)])
    os.setxattr(os.path.join(top, b"dense"), "user.long", b"v" * 2000)
    os.utime(os.path.join(top, b"dense"), ns=(0, -1))
    archive, target = round_trip(cases, work, tree, "large")
    remove(target)
    remove(tree)
    remove(archive)


def test_unprivileged(cases, work):
    """As a user: what he may set is equal, the rest is listed, and the status is 2."""
    user = 65534
    home = os.path.join(work, "user")
    os.mkdir(home)
    os.chown(home, user, user)
    tree = os.path.join(work, "user-tree")
    small(tree)
    top = os.fsencode(tree)
    attributes(top)
    owners(top)
    devices(top)
    plan = export_plan(work, {"tree": [f"path: {tree}", "devices: true"]}, file="user-export.yaml")
    exeat("export", plan, "--output", "user-bag", cwd=work).expect(0)
    for name in ["signer.key", "signer.trust.json"]:
        shutil.copy(os.path.join(work, name), home)
        os.chown(os.path.join(home, name), user, user)
    imports = import_plan(home, {"tree": os.path.join(home, "target")})
    binary = os.path.join(work, "exeat-copy")
    shutil.copy(EXEAT, binary)
    os.chmod(binary, 0o755)
    with cases.case("import as a user: status 2, and what could not be set is listed"):
        result = run(binary, "import", os.path.join(work, "user-bag"), imports, "--work", "w",
                     "--json", cwd=home, user=user)
        result.expect(2)
        source = result.json["sources"][0]
        assert source["different"] == 0, source["differences"][:5]
        assert source["notSet"] > 0 and source["shortfalls"]
        report = json.load(open(os.path.join(home, "w", "report.json")))
        text = json.dumps(report)
        assert len(source["shortfalls"]) == source["notSet"]
        for what in ["owners/o1", "attributes/trusted", "attributes/capability", "devices/null"]:
            assert what in text, f"{what} is not in the report"
        entries = comparison(result, "entries")
        there = len(Tree(os.path.join(home, "target"), content=False).entries)
        assert entries["found"] == entries["expected"] == str(there), (entries, there)
    with cases.case("import as a user, counted: what is listed is not missing, closed directories count"):
        closed = os.path.join(work, "closed")
        os.makedirs(closed + "/shut")
        touch(closed + "/shut/inside", b"1")
        os.chmod(closed + "/shut", 0)
        os.mknod(closed + "/null", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        plan = export_plan(work, {"tree": [f"path: {closed}", "devices: true"]}, file="closed-export.yaml")
        exeat("export", plan, "--output", "closed-bag", cwd=work).expect(0)
        counted = import_plan(home, {"tree": os.path.join(home, "counted")}, file="counted.yaml",
                              verify="counts")
        result = run(binary, "import", os.path.join(work, "closed-bag"), counted, "--work", "wc",
                     "--json", cwd=home, user=user)
        result.expect(2)
        entries = comparison(result, "entries")
        assert entries["found"] == entries["expected"] == "3", entries
        shutil.rmtree(closed)

    def set_id(line):
        # A program of somebody else must not become one that runs with this user's rights.
        name = line.split("'")[1]
        return f'"{name}"' in text and any(
            entry.get("path") == name and entry["attribute"] == "mode" for entry in source["shortfalls"])

    with cases.case("import as a user: everything he may set is equal"):
        lines = Tree(tree).differences(Tree(os.path.join(home, "target")), ignore=["uid", "gid"])
        wrong = [line for line in lines if not any(
            known in line for known in ["devices/", "trusted.", "security.capability"])
            and not (": mode" in line and ("owners/" in line or set_id(line)))]
        assert not wrong, f"{len(wrong)} differences: " + "; ".join(wrong[:12])
    with cases.case("a user's difference is still found"):
        path = os.path.join(home, "target", "names", "plain")
        status = os.lstat(path)
        write(path, b"plaiN")
        os.utime(path, ns=(0, status.st_mtime_ns))
        run(binary, "import", os.path.join(work, "user-bag"), imports, "--work", "w",
            cwd=home, user=user).expect(3)
    with cases.case("export as a user: what he cannot read is an omission, status 2"):
        own = os.path.join(home, "own")
        os.mkdir(own)
        for name, mode, owner in [("mine", 0o600, user), ("root", 0o600, 0), ("all", 0o644, 0)]:
            touch(os.path.join(own, name), b"1")
            os.chmod(os.path.join(own, name), mode)
            os.chown(os.path.join(own, name), owner, owner)
        os.mkdir(os.path.join(own, "closed"), 0o700)
        plan = export_plan(home, {"tree": own}, file="own.yaml")
        result = run(binary, "export", plan, "--output", "own-bag", "--json", cwd=home, user=user)
        result.expect(2)
        reasons = {line["reason"]: line["count"] for line in result.json["omissions"]}
        assert reasons == {"unreadable": 2}, reasons
    remove(tree)


def test_mounts(cases, work):
    tree = os.path.join(work, "mount-tree")
    os.mkdir(tree)
    touch(os.path.join(tree, "file"), b"1")
    os.mkdir(os.path.join(tree, "tmpfs"))
    os.mkdir(os.path.join(tree, "bind"))
    os.mkdir(os.path.join(tree, "other"))
    touch(os.path.join(tree, "other", "seen"), b"1")
    touch(os.path.join(tree, "bound-file"), b"1")
    mounted = []
    with cases.case("mount points are omissions unless asked for"):
        for arguments in [["-t", "tmpfs", "none", f"{tree}/tmpfs"],
                          ["--bind", f"{tree}/other", f"{tree}/bind"],
                          ["--bind", f"{tree}/file", f"{tree}/bound-file"]]:
            if run("mount", *arguments).status != 0:
                for path in mounted:
                    run("umount", path)
                raise Skipped("cannot mount here")
            mounted.append(arguments[-1])
        touch(os.path.join(tree, "tmpfs", "in"), b"1")
        try:
            plan = export_plan(work, {"tree": tree}, file="mounts.yaml")
            result = exeat("export", plan, "--output", "mounts", "--json", cwd=work).expect(2)
            reasons = {line["reason"]: line["count"] for line in result.json["omissions"]}
            assert reasons == {"mount-points": 3}, reasons
            plan = export_plan(work, {"tree": [f"path: {tree}", "accept: [ mount-points ]"]},
                               file="mounts-accepted.yaml")
            exeat("export", plan, "--output", "mounts-accepted", cwd=work).expect(0)
            plan = export_plan(work, {"tree": [f"path: {tree}", "one-file-system: false"]},
                               file="mounts-all.yaml")
            exeat("export", plan, "--output", "mounts-all", cwd=work).expect(0)
            imports = import_plan(work, {"tree": os.path.join(work, "mounts-target")},
                                  file="mounts-import.yaml")
            exeat("import", "mounts-all", imports, "--work", "mounts-work", cwd=work).expect(0)
            equal(tree, os.path.join(work, "mounts-target"), ignore=["group"])
        finally:
            for path in mounted:
                run("umount", path)


def test_coarse_times(cases, work):
    """A file system with 32 bits for times takes what it can and says nothing: the import does."""
    tree = os.path.join(work, "times-tree")
    os.mkdir(tree)
    for name, time_ in [("good", 1700000000 * 10**9), ("fraction", 1700000000 * 10**9 + 5),
                        ("late", 2208988800 * 10**9), ("last", (2**31 - 1) * 10**9)]:
        touch(os.path.join(tree, name), b"1")
        os.utime(os.path.join(tree, name), ns=(0, time_))
    os.utime(tree, ns=(0, 1700000000 * 10**9))
    plan = export_plan(work, {"tree": tree}, file="times.yaml")
    exeat("export", plan, "--output", "times-bag", cwd=work).expect(0)
    image, place = os.path.join(work, "coarse.img"), os.path.join(work, "coarse")
    os.mkdir(place)
    with open(image, "wb") as file:
        file.truncate(32 << 20)
    with cases.case("times that the target's file system cannot hold are listed, status 2"):
        if run("mkfs.ext4", "-q", "-I", "128", image).status != 0 \
                or run("mount", "-o", "loop", image, place).status != 0:
            raise Skipped("no file system with coarse times can be mounted here")
        try:
            imports = import_plan(work, {"tree": place + "/target"}, file="coarse.yaml")
            for _ in range(2):
                result = exeat("import", "times-bag", imports, "--work", "coarse-work", "--json",
                               cwd=work).expect(2)
                listed = {(one["path"], one["attribute"])
                          for one in result.json["sources"][0]["shortfalls"]}
                assert listed == {("fraction", "mtime"), ("late", "mtime")}, listed
            os.utime(place + "/target/good", ns=(0, 0))
            exeat("import", "times-bag", imports, "--work", "coarse-work", cwd=work).expect(3)
        finally:
            run("umount", place)


def test_excludes(cases, work):
    """What git ignores with the same patterns is what is left out."""
    tree = os.path.join(work, "exclude-tree")
    files = ["a.tmp", "a.txt", "sub/b.tmp", "sub/b.txt", "build/x", "sub/build/y", "doc/a/b/c.html",
             "doc/c.html", "logs/keep.log", "logs/drop.log", "logs/deep/drop.log", "#hash", "!bang",
             "space ", "weird[1]", "foo/bar/baz", "x/foo/bar/qux", "cache/keep/file", "cache/other/f",
             "abc1", "abc2", "abcx", "UPPER.TMP", "only/dir-named/file", "top-only", "sub/top-only",
             "star*name", "a/very/deep/path/here.bak", ".hidden", "sub/.hidden/x"]
    for name in files:
        os.makedirs(os.path.dirname(os.path.join(tree, name)), exist_ok=True)
        touch(os.path.join(tree, name), b"1")
    patterns = ["*.tmp", "build/", "doc/**/*.html", "logs/*.log", "!logs/keep.log", "\\#hash",
                "\\!bang", "foo/bar", "cache/*", "!cache/keep", "abc[0-9]", "dir-named/", "/top-only",
                "star\\*name", "**/here.bak", ".hidden"]
    os.makedirs(os.path.join(work, "git"))
    run("git", "init", "-q", os.path.join(work, "git")).expect(0)
    write(os.path.join(work, "git", ".git", "info", "exclude"), "\n".join(patterns) + "\n")
    for name in files:
        os.makedirs(os.path.dirname(os.path.join(work, "git", name)), exist_ok=True)
        touch(os.path.join(work, "git", name), b"1")
    with cases.case("excludes leave out what git ignores"):
        kept = run("git", "ls-files", "-z", "--others", "--exclude-standard",
                   cwd=os.path.join(work, "git")).expect(0).output
        kept = sorted(os.fsdecode(name) for name in kept.split(b"\0") if name)
        plan = export_plan(work, {"tree": [
            f"path: {tree}", "exclude:", f"  paths: {json.dumps(patterns)}", "  reason: as git does"]},
            file="excludes.yaml")
        exeat("export", plan, "--output", "excludes", cwd=work).expect(0)
        target = os.path.join(work, "exclude-target")
        imports = import_plan(work, {"tree": target}, file="excludes-import.yaml")
        exeat("import", "excludes", imports, "--work", "excludes-work", cwd=work).expect(0)
        found = sorted(
            os.path.relpath(os.path.join(folder, name), target)
            for folder, _, names in os.walk(target) for name in names)
        assert found == kept, f"only here {sorted(set(found) - set(kept))}, " \
            f"only git's {sorted(set(kept) - set(found))}"
    with cases.case("what is excluded is listed with its reason"):
        manifest = json.load(open(os.path.join(work, "excludes/exeat/manifest.json")))
        omissions = manifest["sources"][0]["omissions"]
        assert omissions["counts"][0]["reason"] == "excluded" and omissions["counts"][0]["accepted"]
        assert omissions["lines"][0]["detail"] == "as git does", omissions["lines"][0]


def test_roots(cases, work):
    one, two = os.path.join(work, "roots", "one"), os.path.join(work, "roots", "two with space")
    file = os.path.join(work, "roots", "just-a-file")
    for root in [one, two]:
        os.makedirs(os.path.join(root, "d"))
        touch(os.path.join(root, "d", "f"), root.encode())
    touch(file, b"single")
    os.link(os.path.join(one, "d", "f"), os.path.join(two, "linked"))
    os.chmod(os.path.dirname(one), 0o711)
    with cases.case("several roots with paths"):
        plan = export_plan(work, {"tree": [f"paths: {json.dumps([two, one])}"]},
                           file="roots.yaml")
        exeat("export", plan, "--output", "roots-bag", cwd=work).expect(0)
        target = os.path.join(work, "roots-target")
        imports = import_plan(work, {"tree": target}, file="roots-import.yaml")
        exeat("import", "roots-bag", imports, "--work", "roots-work", cwd=work).expect(0)
        equal(one, target + one, ignore=["group"])
        equal(two, target + two, ignore=["group"])
        assert os.path.samefile(target + one + "/d/f", target + two + "/linked")
        parents = Tree(target, content=False).entries
        above = os.path.relpath(os.path.dirname(one), "/").encode()
        assert above not in parents or parents[above]["type"] == stat.S_IFDIR
    with cases.case("a root that is a file is refused, with what to do"):
        plan = export_plan(work, {"tree": file}, file="file-root.yaml")
        result = exeat("export", plan, "--output", "file-bag", cwd=work).expect(1)
        assert "is not a directory" in result.errors and "hint:" in result.errors
    with cases.case("a root that is missing is refused, not exported as empty"):
        plan = export_plan(work, {"tree": os.path.join(work, "nothing-here")}, file="none.yaml")
        exeat("export", plan, "--output", "none-bag", cwd=work).expect(1)
    with cases.case("an empty root is an archive of one entry"):
        os.mkdir(os.path.join(work, "empty-root"))
        plan = export_plan(work, {"tree": os.path.join(work, "empty-root")}, file="empty.yaml")
        exeat("export", plan, "--output", "empty-bag", cwd=work).expect(0)
        imports = import_plan(work, {"tree": os.path.join(work, "empty-target")}, file="empty-i.yaml")
        exeat("import", "empty-bag", imports, "--work", "empty-work", cwd=work).expect(0)
        equal(os.path.join(work, "empty-root"), os.path.join(work, "empty-target"))


def test_owners(cases, work):
    tree = os.path.join(work, "owner-tree")
    os.mkdir(tree)
    import grp
    import pwd
    users = [user for user in pwd.getpwall() if 0 < user.pw_uid < 60000][:3]
    groups = [group for group in grp.getgrall() if 0 < group.gr_gid < 60000][:3]
    for number, (user, group) in enumerate(zip(users, groups)):
        path = touch(os.path.join(tree, f"f{number}"), b"1")
        os.chown(path, user.pw_uid, group.gr_gid)
    touch(os.path.join(tree, "stranger"))
    os.chown(os.path.join(tree, "stranger"), 54321, 54322)
    plan = export_plan(work, {"tree": tree}, file="owner-export.yaml")
    exeat("export", plan, "--output", "owner-bag", cwd=work).expect(0)

    def restored(name, lines):
        target = os.path.join(work, name)
        imports = import_plan(work, {"tree": [f"path: {target}"] + lines}, file=name + ".yaml")
        exeat("import", "owner-bag", imports, "--work", name + "-work", cwd=work).expect(0, 2)
        return {file: (os.lstat(os.path.join(target, file)).st_uid,
                       os.lstat(os.path.join(target, file)).st_gid) for file in os.listdir(target)}

    with cases.case("owners: numeric"):
        found = restored("numeric", ["map: { owners: numeric }"])
        assert found["stranger"] == (54321, 54322)
        assert found["f0"] == (users[0].pw_uid, groups[0].gr_gid)
    with cases.case("owners: names"):
        found = restored("by-name", ["map: { owners: names }"])
        assert found["stranger"] == (54321, 54322)
        assert found["f1"] == (users[1].pw_uid, groups[1].gr_gid)
    with cases.case("owners: users and groups by map"):
        found = restored("mapped", [
            "map:", "  owners: names", f"  users: {{ {users[0].pw_name}: {users[1].pw_name} }}",
            f"  groups: {{ {groups[0].gr_name}: {groups[2].gr_name} }}"])
        assert found["f0"] == (users[1].pw_uid, groups[2].gr_gid), found
        assert found["f1"] == (users[1].pw_uid, groups[1].gr_gid), found
    with cases.case("owners: an unknown name in the map is refused before anything is written"):
        target = os.path.join(work, "badmap")
        imports = import_plan(work, {"tree": [
            f"path: {target}", "map:", "  owners: names",
            f"  users: {{ {users[0].pw_name}: no-such-user-here }}"]}, file="badmap.yaml")
        result = exeat("import", "owner-bag", imports, "--work", "badmap-work", cwd=work)
        assert result.status == 1, result.status
        assert not os.path.exists(target) or not os.listdir(target)


def test_existing(cases, work):
    tree = os.path.join(work, "existing-tree")
    os.makedirs(os.path.join(tree, "d"))
    touch(os.path.join(tree, "d", "a"), b"new a")
    touch(os.path.join(tree, "b"), b"new b")
    os.symlink("b", os.path.join(tree, "l"))
    plan = export_plan(work, {"tree": tree}, file="existing.yaml")
    exeat("export", plan, "--output", "existing-bag", cwd=work).expect(0)

    def occupied(name):
        target = os.path.join(work, name)
        os.makedirs(os.path.join(target, "d"))
        touch(os.path.join(target, "d", "a"), b"old")
        touch(os.path.join(target, "d", "theirs"), b"theirs")
        return target

    outside = os.path.join(work, "outside")
    os.mkdir(outside)
    touch(os.path.join(outside, "kept"), b"kept")
    with cases.case("existing: add keeps what is there and says so"):
        target = occupied("add")
        imports = import_plan(work, {"tree": [f"path: {target}", "existing: add"]}, file="add.yaml")
        result = exeat("import", "existing-bag", imports, "--work", "add-work", "--json", cwd=work)
        result.expect(2)
        assert open(target + "/d/a").read() == "old"
        assert open(target + "/d/theirs").read() == "theirs"
        assert open(target + "/b").read() == "new b"
        assert os.readlink(target + "/l") == "b"
    with cases.case("existing: replace replaces, keeps strangers, and tells"):
        target = occupied("replace")
        imports = import_plan(
            work, {"tree": [f"path: {target}", "existing: replace"]}, file="replace.yaml")
        result = exeat("import", "existing-bag", imports, "--work", "replace-work", "--json", cwd=work)
        assert open(target + "/d/a").read() == "new a"
        assert open(target + "/d/theirs").read() == "theirs"
        result.expect(0, 2, 3)
    with cases.case("existing: a link in a directory's place leads nowhere"):
        for mode in ["add", "replace"]:
            target = os.path.join(work, "linked-" + mode)
            os.mkdir(target)
            os.symlink(outside, os.path.join(target, "d"))
            before = listing(outside)
            imports = import_plan(work, {"tree": [f"path: {target}", f"existing: {mode}"]},
                                  file=f"linked-{mode}.yaml")
            result = exeat("import", "existing-bag", imports, "--work", f"linked-{mode}-work", cwd=work)
            assert listing(outside) == before, f"{mode} wrote outside"
            if mode == "add":
                assert result.status != 0, "status 0 though a directory is missing"
    with cases.case("a file is never written through a link that is in its place"):
        for mode in ["add", "replace"]:
            target = os.path.join(work, "through-" + mode)
            os.mkdir(target)
            os.symlink(os.path.join(outside, "kept"), os.path.join(target, "b"))
            imports = import_plan(work, {"tree": [f"path: {target}", f"existing: {mode}"]},
                                  file=f"through-{mode}.yaml")
            exeat("import", "existing-bag", imports, "--work", f"through-{mode}-work", cwd=work)
            assert open(os.path.join(outside, "kept")).read() == "kept"
    with cases.case("a target whose root is a link is followed or refused, never half done"):
        real = os.path.join(work, "real-root")
        os.mkdir(real)
        os.symlink(real, os.path.join(work, "link-root"))
        imports = import_plan(work, {"tree": os.path.join(work, "link-root")}, file="link-root.yaml")
        exeat("import", "existing-bag", imports, "--work", "link-root-work", cwd=work).expect(0, 1)
    with cases.case("existing: replace takes no directory away for a file, and says what to do"):
        target = os.path.join(work, "directory-in-place")
        os.makedirs(os.path.join(target, "b", "theirs"))
        imports = import_plan(
            work, {"tree": [f"path: {target}", "existing: replace"]}, file="in-place.yaml")
        result = exeat("import", "existing-bag", imports, "--work", "in-place-work", cwd=work).expect(1)
        assert "code: 406 " in result.errors and "Move it away" in result.errors, result.errors
        assert os.path.isdir(os.path.join(target, "b", "theirs"))
    with cases.case("a directory in the place of a tar is no archive that was sealed: status 1"):
        os.mkdir(os.path.join(work, "directory.tar"))
        result = exeat("export", plan, "--output", "directory.tar", cwd=work).expect(1)
        assert "is a directory" in result.errors and "hint:" in result.errors
    with cases.case("keys without the role: status 1, and nothing begins"):
        keys(work, "sealer", "--role", "exporter")
        keys(work, "receiver", "--role", "importer")
        text = open(plan).read()
        wrong = write(os.path.join(work, "receiver.yaml"), text.replace("signer", "receiver"))
        exeat("plan", wrong, cwd=work).expect(1)
        exeat("export", wrong, "--output", "receiver-bag", cwd=work).expect(1)
        assert not os.path.exists(os.path.join(work, "receiver-bag"))
        imports = import_plan(work, {"tree": os.path.join(work, "no-receipt")}, file="sealer.yaml")
        write(imports, open(imports).read().replace("sign-with: signer", "sign-with: sealer"))
        exeat("import", "existing-bag", imports, "--work", "sealer-work", cwd=work).expect(1)
        assert not os.path.exists(os.path.join(work, "no-receipt"))


if __name__ == "__main__":
    main()
