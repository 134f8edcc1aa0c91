#!/usr/bin/env python3
"""A hostile tree goes through export, verify and import, and is compared in every metadatum."""
import base64
import os
import stat
import time

from fidelity_kit import *


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


def test_hostile(cases, work):
    tree = os.path.join(work, "hostile-tree")
    hostile(tree)
    settings = [f"path: {tree}", "devices: true", "accept: [ sockets ]"]
    started = time.monotonic()
    archive, target = round_trip(cases, work, tree, "hostile", settings=settings,
                                 skip=["sockets/s"])
    with cases.case("2 TiB and 9 GiB of holes take seconds and next to no room"):
        assert time.monotonic() - started < 300, time.monotonic() - started
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


if __name__ == "__main__":
    run_parts("fidelity_tree", [
        ("hostile", test_hostile), ("forms", test_forms), ("large", test_large)])
