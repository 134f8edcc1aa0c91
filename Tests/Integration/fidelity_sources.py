#!/usr/bin/env python3
"""What of a tree is taken along: mounts, excludes and roots; and what a user may read and set."""
import json
import os
import shutil
import stat

from fidelity_kit import *


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
        kept = run("git", "ls-files", "-z", "--others", "--exclude-standard", cwd=os.path.join(work, "git"),
                   environment={"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}).expect(0).output
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


if __name__ == "__main__":
    run_parts("fidelity_sources", [
        ("unprivileged", test_unprivileged), ("mounts", test_mounts), ("excludes", test_excludes), ("roots", test_roots)])
