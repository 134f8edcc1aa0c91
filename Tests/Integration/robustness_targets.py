#!/usr/bin/env python3
"""Targets that others write to as well: what is not an import's own stays, and several imports share a directory."""
import json
import os
import shutil
import signal
import subprocess
import time

from robustness_kit import *

OLD = 1_000_000_000_123_456_789


def files_tree(world, count=40):
    """Files in path order: at 12 MiB/s the last comes seconds after the first."""
    world.remove("tree")
    for number in range(count):
        world.write(f"tree/f{number:02}", b"%08d" % number + os.urandom(1 << 20))
    world.write("tree/zz/inner", b"inner")
    os.symlink("f00", world.at("tree/zz/link"))
    os.link(world.at("tree/f01"), world.at("tree/zz/again"))
    os.mkfifo(world.at("tree/zz/pipe"))
    with open(world.at("tree/zz/sparse"), "wb") as file:
        file.truncate(8 << 20)
        file.seek(5 << 20)
        file.write(b"island")


def exported(world, output="out", source="tree"):
    world.remove(output)
    expect(world.run("export", world.plan("plan.yaml", source), "--output",
                     world.at(output)).status == 0)


def interrupted(world):
    """An import that was killed when some files were there and others were not; returns its command."""
    world.remove("target", "work")
    plan = world.write("import.yaml", open(world.import_plan("import.yaml", "target")).read()
                       + "limits: { bandwidth: 12MiB/s, workers: 1 }\n")
    command = ["import", world.at("out"), plan, "--work", world.at("work")]
    process = world.start(*command)
    for _ in range(2000):
        if os.path.exists(world.at("target/f03")):
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    expect(process.returncode == -signal.SIGKILL and not os.path.exists(world.at("target/zz/link")),
           "it was too quick")
    return command


def foreign_things_stay(world):
    """Between interruption and resume somebody has put something of his own in the place of an object."""
    files_tree(world)
    exported(world)

    def file(path):
        with open(path, "wb") as out:
            out.write(b"somebody's only copy")

    def longer(path):
        shutil.copy(world.at("tree/f30"), path)
        with open(path, "ab") as out:
            out.write(b"and more")

    def directory(path):
        os.mkdir(path)
        file(path + "/kept")
    kinds = [("f39", file), ("f30", longer), ("f39", lambda path: os.symlink("/etc/passwd", path)),
             ("f39", os.mkfifo), ("f39", directory), ("zz/link", file),
             ("zz/link", lambda path: os.symlink("elsewhere", path)), ("zz/again", file),
             ("zz/pipe", file), ("zz/sparse", file)]
    for name, make in kinds:
        command = interrupted(world)
        path = world.at("target/" + name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        make(path)
        before = os.lstat(path)
        result = world.run(*command)
        expect(result.status == 1 and name in result.err and "in its place" in result.err,
               f"{name}: {result.status} {result.err}")
        now = os.lstat(path)
        expect((now.st_ino, now.st_size, now.st_mtime_ns, now.st_mode) == (
            before.st_ino, before.st_size, before.st_mtime_ns, before.st_mode), f"{name} was touched")
        os.rename(path, world.at("moved-away"))
        result = world.run(*command)
        world.remove("moved-away")
        expect(result.status == 0, f"{name}: {result.status} {result.err}")
        expect(tree_of(world.at("target")) == tree_of(world.at("tree")), f"{name}: the target differs")
        left = [entry for entry in os.listdir(world.at("target")) if entry.startswith(".exeat-")]
        expect(not left, f"{left} stayed behind")


def own_beginnings_are_made_whole(world):
    """What the import had half made when it was killed, or a power cut emptied, is its own."""
    files_tree(world)
    exported(world)
    for spoil in ("cut", "empty", "zeros"):
        command = interrupted(world)
        path = world.at("target/f02")
        os.truncate(path, {"cut": 500_000, "empty": 0, "zeros": 500_000}[spoil])
        if spoil == "zeros":
            os.truncate(path, 1_000_000)
        # As after a start of the machine: no line of the state counts.
        lines = open(world.at("work/state")).read().split("\n")
        lines[1] = "boot another"
        world.write("work/state", "\n".join(lines))
        result = world.run(*command)
        expect(result.status == 0, f"{spoil}: {result.status} {result.err}")
        expect(tree_of(world.at("target")) == tree_of(world.at("tree")), f"{spoil}: the target differs")


def power_cut_at_the_end(world):
    """Links, large files and metadata were there already; all is made again, and nothing is in the way."""
    files_tree(world, count=4)
    exported(world)
    world.remove("target", "work")
    command = ["import", world.at("out"), world.import_plan("import.yaml", "target"), "--work",
               world.at("work")]
    expect(world.run(*command).status == 0)
    lines = open(world.at("work/state")).read().split("\n")
    lines[1] = "boot another"
    world.write("work/state", "\n".join(lines))
    os.unlink(world.at("work/source-0/finished"))
    for name in ("f00", "f01", "zz/inner"):
        os.truncate(world.at("target/" + name), 0)
    os.utime(world.at("target/f01"), ns=(0, os.lstat(world.at("tree/f01")).st_mtime_ns))
    result = world.run(*command)
    expect(result.status == 0, f"{result.status} {result.err}")
    expect(tree_of(world.at("target")) == tree_of(world.at("tree")), "the target differs")
    first, second = (os.lstat(world.at("target/" + name)).st_ino for name in ("f01", "zz/again"))
    expect(first == second, "the hard link is another file")


def adding_at_once(world):
    """Two imports add to one directory: each name is whose import came first, whole, and the other says so."""
    for round in range(4):
        for number in (1, 2):
            files_tree(world, count=8)
            exported(world, f"out-{number}")
            world.remove(f"tree-{number}")
            os.rename(world.at("tree"), world.at(f"tree-{number}"))
        world.remove("target", "work-1", "work-2")
        os.makedirs(world.at("target"))
        plan = world.import_plan("import.yaml", "target", extra=", existing: add")
        both = [world.start("import", world.at(f"out-{number}"), plan, "--json", "--work",
                            world.at(f"work-{number}"), stdout=subprocess.PIPE) for number in (1, 2)]
        for process in both:
            out, err = process.communicate(timeout=200)
            expect(process.returncode in (2, 3), f"{round}: {process.returncode}: {err.decode()}")
            # What the other one makes in a directory changes its time, and is found.
            different = json.loads(out)["sources"][0]["differences"]
            expect(all(one["path"] in ("", "zz") and one["attribute"] == "mtime" for one in different),
                   f"{round}: {different}")
        found = tree_of(world.at("target"))
        trees = [tree_of(world.at(f"tree-{number}")) for number in (1, 2)]
        expect(found.keys() == trees[0].keys(), f"{found.keys() ^ trees[0].keys()}")
        for name in found:
            if os.path.isfile(world.at("target/" + name)) and not os.path.islink(world.at("target/" + name)):
                expect(content_of(world.at("target/" + name)) in [
                    content_of(world.at(f"tree-{number}/{name}")) for number in (1, 2)], f"{name} is neither")


def closed_to_its_owner(world):
    """Without root, the import itself is compared again; another one is told what to do."""
    if os.geteuid():
        raise Skip("needs root, to become somebody else")
    user = 61235
    for mode in (0, 0o300, 0o600):
        world.remove("theirs", "closed", "out")
        world.write("closed/file", "content")
        subprocess.run(["chown", "-R", f"{user}:{user}", world.at("closed")], check=True)
        os.chmod(world.at("closed"), mode)
        exported(world, source="closed")
        os.makedirs(world.at("theirs"))
        subprocess.run(["chown", "-R", f"{user}:{user}", world.at("theirs"), world.at("keys")], check=True)
        try:
            command = ["import", world.at("out"), world.import_plan("import.yaml", "theirs/in")]
            for _ in range(2):
                result = world.run(*command, "--work", world.at("theirs/work"), user=user,
                                   env={"XDG_STATE_HOME": world.at("theirs/state")})
                expect(result.status == 0, f"{mode:o}: {result.status} {result.err}")
                found = os.stat(world.at("theirs/in")).st_mode & 0o777
                expect(found == mode, f"{mode:o}: left as {found:o}")
            result = world.run(*command, "--work", world.at("theirs/other"), user=user,
                               env={"XDG_STATE_HOME": world.at("theirs/state")})
            expect(result.status == 1 and "hint: Give" in result.err or "not empty" in result.err,
                   f"{mode:o}: {result.status} {result.err}")
        finally:
            subprocess.run(["chown", "-R", "0:0", world.at("keys")], check=True)


def files_closed_to_their_owner(world):
    """Without root, what the import has made and closed to itself is still its own when it is resumed."""
    if os.geteuid():
        raise Skip("needs root, to become somebody else")
    user = 61235
    world.remove("theirs", "closed", "out")
    for mode in (0, 0o200, 0o111, 0o440):
        os.chmod(world.write(f"closed/file-{mode:o}", f"content {mode}"), mode)
    subprocess.run(["chown", "-R", f"{user}:{user}", world.at("closed")], check=True)
    exported(world, source="closed")
    os.makedirs(world.at("theirs"))
    subprocess.run(["chown", "-R", f"{user}:{user}", world.at("theirs"), world.at("keys")], check=True)
    try:
        command = ["import", world.at("out"), world.import_plan("import.yaml", "theirs/in"), "--work", world.at("theirs/work")]
        for _ in range(2):
            result = world.run(*command, user=user, env={"XDG_STATE_HOME": world.at("theirs/state")})
            expect(result.status == 0, f"{result.status} {result.err}")
            expect(tree_of(world.at("theirs/in")) == tree_of(world.at("closed")), "the target differs")
            # As after a power cut at the end.
            lines = open(world.at("theirs/work/state")).read().split("\n")
            lines[1] = "boot another"
            world.write("theirs/work/state", "\n".join(lines))
            os.unlink(world.at("theirs/work/source-0/finished"))
    finally:
        subprocess.run(["chown", "-R", "0:0", world.at("keys")], check=True)


def append_only(world):
    """Nothing is left on a target whose attributes keep things there, and the message names them."""
    world.remove("small", "out", "target", "work")
    world.write("small/file", b"something")
    exported(world, source="small")
    command = ["import", world.at("out"), world.import_plan("import.yaml", "target"), "--work", world.at("work")]
    for letter, word in (("a", "append-only"), ("i", "immutable")):
        os.makedirs(world.at("target"), exist_ok=True)
        if subprocess.run(["chattr", "+" + letter, world.at("target")], capture_output=True).returncode != 0:
            raise Skip("no attributes of files here")
        try:
            result = world.run(*command)
            expect(result.status == 1 and word in result.err and f"chattr -{letter}" in result.err,
                   f"{result.status} {result.err}")
            expect(os.listdir(world.at("target")) == [], "something was left there")
        finally:
            subprocess.run(["chattr", "-" + letter, world.at("target")], check=True)
    expect(world.run(*command).status == 0)


suite = Suite()
suite.case("what somebody else has put there stays", foreign_things_stay)
suite.case("what the import has begun is made whole", own_beginnings_are_made_whole)
suite.case("a power cut at the end", power_cut_at_the_end)
suite.case("two imports add at once", adding_at_once)
suite.case("a root closed to its owner", closed_to_its_owner)
suite.case("files closed to their owner", files_closed_to_their_owner)
suite.case("append-only and immutable targets", append_only)
suite.finish()
