#!/usr/bin/env python3
"""What a target makes of a tree: coarse times, other owners, and what is there already."""
import os

from fidelity_kit import *


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
    run_parts("fidelity_targets", [
        ("coarse", test_coarse_times), ("owners", test_owners), ("existing", test_existing)])
