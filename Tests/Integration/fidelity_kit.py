"""What the tests of trees share: trees with everything in them, round trips, and the running of parts."""
import ctypes
import os
import random
import socket
import struct
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

def run_parts(name, parts):
    """Runs the parts whose names are given, or all: each with the cases and one directory."""
    if not IS_ROOT:
        print(f"SKIPPED {name}: it needs root to make the tree")
        print("0 passed, 0 failed, 1 skipped")
        return
    cases = Cases()
    only = sys.argv[1:]
    with scratch() as work:
        os.chmod(work, 0o755)
        keys(work)
        for part, test in parts:
            if not only or part in only:
                started = time.monotonic()
                try:
                    test(cases, work)
                except Exception:
                    cases.failed += 1
                    print(f"✘ {part} could not go on", flush=True)
                    traceback.print_exc(limit=-4)
                print(f"  {part}: {time.monotonic() - started:.1f} s", flush=True)
    cases.finish()
