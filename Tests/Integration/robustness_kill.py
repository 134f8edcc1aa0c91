#!/usr/bin/env python3
"""SIGKILL at any moment, then the same command again: complete, equal, sealed once."""
import json
import os
import random
import shutil
import signal
import subprocess
import time

from robustness_kit import *

CHANCE = random.Random(int(os.environ.get("SEED", "20261123")))


def rounds(world, command, archive, kills, finish, pauses, prepare, good=0):
    """Kills runs until `kills` have struck; every run that ends by itself must be good."""
    struck = ended = stuck = 0
    fresh = True
    began = time.time()
    # A busy machine gets fewer kills rather than a test without end.
    while struck < kills and (struck < 4 or time.time() - began < 25):
        if fresh:
            prepare()
            fresh = False
        status = kill_after(world.start(*command), pauses(struck))
        if status == -signal.SIGKILL:
            struck += 1
            stuck += 1
            if stuck < 15:
                continue
            # Nothing comes to an end in so short a time: let one through.
            status = world.run(*command).status
        stuck = 0
        expect(status == good, f"after {struck} kills a run ended with {status}: "
               + world.run(*command).err)
        ended += 1
        finish()
        fresh = True
    if not fresh:
        result = world.run(*command)
        expect(result.status == good, f"the last run ended with {result.status}: {result.err}")
        finish()
    return ended


def export_killed(world, output, kills, longest, source="tree", encrypt=True, extra=""):
    plan = world.plan("plan.yaml", source, encrypt=encrypt, limits=extra)
    tar = output.endswith(".tar")
    first = []

    def prepare():
        world.remove(output, output + ".exeat-run")

    def finish():
        check_export_ended_well(world, output, tar=tar)
        again = world.run("export", plan, "--output", world.at(output))
        expect(again.status == 0 and b"sealed already" in again.out, "not known as sealed")
        if not first:
            expect_equal(world, output, source)
            first.append(True)

    rounds(world, ["export", plan, "--output", world.at(output)], output, kills, finish,
           lambda n: CHANCE.uniform(0.001, longest), prepare)
    expect_equal(world, output, source)
    world.remove(output)


def expect_equal(world, output, source):
    world.imported(output)
    expect(tree_of(world.at("target")) == tree_of(world.at(source)), "imported differs")
    world.remove("target", "work")


def sealing_killed(world, output):
    """Many kills around the end, where the last files, the seal and the cleaning up come."""
    plan = world.plan("plan.yaml", "little")
    command = ["export", plan, "--output", world.at(output)]
    tar = output.endswith(".tar")
    world.remove(output, output + ".exeat-run")
    began = time.time()
    expect(world.run(*command).status == 0, "export")
    whole = time.time() - began
    sealed_then_killed = 0
    seals = set()
    for number in range(21):
        if number % 3 == 0:
            world.remove(output, output + ".exeat-run")
        kill_after(world.start(*command), whole * CHANCE.uniform(0.3, 1.1))
        if number % 3 == 2:
            result = world.run(*command)
            expect(result.status == 0, f"round {number}: {result.status} {result.err}")
            sealed_then_killed += b"sealed already" in result.out
            check_export_ended_well(world, output, tar=tar)
    world.remove(output)


def killed_at_system_call(world, output, call, first, last, step=1):
    """strace kills at the n-th call of a kind: every step of the end is hit, whatever the speed."""
    if not shutil.which("strace"):
        raise Skip("no strace")
    plan = world.plan("plan.yaml", "little")
    command = ["export", plan, "--output", world.at(output)]
    tar = output.endswith(".tar")
    struck = 0
    world.remove("call.tar", "call.tar.exeat-run", "call")
    for number in range(first, last, step):
        world.remove(output, output + ".exeat-run")
        inject = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                  "-e", f"inject={call}:signal=SIGKILL:when={number}"]
        status = world.run(*command, prefix=inject).status
        if status == 0:
            break
        struck += 1
        before = content_of(world.at(output)) if tar and os.path.exists(world.at(output)) else None
        result = world.run(*command)
        expect(result.status == 0, f"{call} {number}: {result.status} {result.err}")
        if before and b"sealed already" in result.out:
            expect(before == content_of(world.at(output)), "a sealed tar was written to")
        check_export_ended_well(world, output, tar=tar)
    if not struck:
        raise Skip("strace could not inject")
    expect(status == 0 or number + step >= last, "never came to the end")
    world.remove(output)


def sealed_tar_with_half_removed_state(world):
    """Killed while the private state is removed: the sealed tar stays as it is."""
    plan = world.plan("plan.yaml", "little")
    output = world.at("half.tar")
    command = ["export", plan, "--output", output]
    expect(world.run(*command).status == 0)
    before = content_of(output)
    os.makedirs(output + ".exeat-run", mode=0o700)
    world.write("half.tar.exeat-run/lock")
    result = world.run(*command)
    expect(content_of(output) == before, "the sealed tar was overwritten")
    expect(result.status == 0, f"{result.status} {result.err}")
    expect(not os.path.exists(output + ".exeat-run"), "state is left")
    world.remove("half.tar")


def stored_segment_lost(world, output, damage):
    """What was committed and is no longer so must not be sealed."""
    plan = world.plan("plan.yaml", "tree", limits="bandwidth: 60MiB/s")
    world.remove(output, output + ".exeat-run")
    command = ["export", plan, "--output", world.at(output)]
    tar = output.endswith(".tar")
    journal = world.at(output + (".exeat-run/journal.jsonl" if tar else "/exeat/journal.jsonl"))
    process = world.start(*command)
    deadline = time.time() + 90
    while process.poll() is None and time.time() < deadline:
        if os.path.exists(journal) and open(journal).read().count("segment.committed") >= 2:
            break
        time.sleep(0.02)
    process.kill()
    process.wait()
    process.stderr.close()
    expect(process.returncode == -signal.SIGKILL, f"ended with {process.returncode} before it was killed")
    committed = [json.loads(l) for l in open(journal) if "segment.committed" in l and "}" in l]
    damage(world.at(output) if tar else world.at(output) + "/" + committed[0]["path"])
    result = world.run(*command)
    expect(result.status in (1, 3), f"ended with {result.status}")
    expect("segment" in result.err and "hint" in result.err, f"does not name the file: {result.err}")
    expect(world.verify(output).status != 0, "verify calls it good")
    world.remove(output, output + ".exeat-run")


def flip(path):
    with open(path, "r+b") as file:
        file.seek(5000)
        byte = file.read(1)
        file.seek(5000)
        file.write(bytes([byte[0] ^ 1]))


def shorten(path):
    os.truncate(path, 4000)


def import_killed(world, kills, extra=""):
    world.remove("sealed", "target", "work")
    plan = world.plan("plan.yaml", "tree")
    expect(world.run("export", plan, "--output", world.at("sealed")).status == 0)
    target = world.import_plan("import.yaml", "target", extra=extra)
    command = ["import", world.at("sealed"), target, "--work", world.at("work")]
    began = time.time()
    world.remove("target", "work")
    # With `add` the target's own root stays as it is, and is listed.
    good = 2 if "add" in extra else 0
    expect(world.run(*command).status == good)
    whole = time.time() - began
    wanted = tree_of(world.at("tree"))

    def prepare():
        world.remove("target", "work")

    def finish():
        found = tree_of(world.at("target"))
        expect(found == wanted, "the target differs: "
               + str([p for p in set(found) | set(wanted) if found.get(p) != wanted.get(p)][:5]))
        expect(any(n.startswith("receipt-") for n in os.listdir(world.at("work"))), "no receipt")
        result = world.verify("sealed")
        expect(result.status == 0, "the archive is damaged: " + result.out.decode())

    rounds(world, command, "target", kills, finish, lambda n: CHANCE.uniform(0.01, whole), prepare,
           good)
    world.remove("target", "work", "sealed")


def import_killed_at(world, call, step):
    """The same at every n-th call: state file, receipts and links are hit."""
    if not shutil.which("strace"):
        raise Skip("no strace")
    plan = world.plan("plan.yaml", "little")
    world.remove("sealed")
    expect(world.run("export", plan, "--output", world.at("sealed")).status == 0)
    target = world.import_plan("import.yaml", "target")
    command = ["import", world.at("sealed"), target, "--work", world.at("work")]
    wanted = tree_of(world.at("little"))
    number = 1
    while number < 400:
        world.remove("target", "work")
        inject = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                  "-e", f"inject={call}:signal=SIGKILL:when={number}"]
        if world.run(*command, prefix=inject).status == 0:
            break
        result = world.run(*command)
        expect(result.status == 0, f"{call} {number}: {result.status} {result.err}")
        expect(tree_of(world.at("target")) == wanted, f"{call} {number}: the target differs")
        result = world.verify("sealed")
        expect(result.status == 0, f"{call} {number}: archive damaged: {result.out.decode()}")
        number += step
    world.remove("target", "work", "sealed")


def finished_import_killed_at(world, call, extra=""):
    """Run again, a finished import only compares: whenever that is killed, the tree stays whole."""
    if not shutil.which("strace"):
        raise Skip("no strace")
    plan = world.plan("plan.yaml", "little")
    world.remove("sealed", "target", "work")
    # A time that no kernel gives to what it has just changed.
    os.utime(world.at("little"), ns=(0, 1_000_000_000_123_456_789))
    expect(world.run("export", plan, "--output", world.at("sealed")).status == 0)
    target = world.import_plan("import.yaml", "target", extra=extra)
    command = ["import", world.at("sealed"), target, "--work", world.at("work")]
    good = 2 if "add" in extra else 0
    expect(world.run(*command).status == good)
    wanted = tree_of(world.at("target"))
    root = os.stat(world.at("target")).st_mtime_ns
    if good == 0:
        expect(root == 1_000_000_000_123_456_789, "the root's time is not the source's")
    status = -signal.SIGKILL
    number = 0
    while status != good:
        number += 1
        expect(number < 200, "never came to the end")
        inject = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                  "-e", f"inject={call}:signal=SIGKILL:when={number}"]
        status = world.run(*command, prefix=inject).status
        expect(status in (good, -signal.SIGKILL, 128 + signal.SIGKILL),
               f"{call} {number}: ended with {status}")
        found = os.stat(world.at("target")).st_mtime_ns
        expect(found == root, f"{call} {number}: the root's time became {found}")
        expect(tree_of(world.at("target")) == wanted, f"{call} {number}: the target differs")
    if number == 1:
        raise Skip("strace could not inject")
    result = world.run(*command)
    expect(result.status == good, f"after {number} kills: {result.status} {result.err}")
    world.remove("target", "work", "sealed")


def adding_killed_at(world, call):
    """Whatever is half made when `existing: add` is killed is made whole, never taken for another's."""
    if not shutil.which("strace"):
        raise Skip("no strace")
    world.remove("kinds", "sealed")
    os.makedirs(world.at("kinds/listed"))
    os.makedirs(world.at("kinds/closed"))
    world.write("kinds/closed/file", "content")
    os.symlink("closed/file", world.at("kinds/link"))
    os.mkfifo(world.at("kinds/pipe"), 0o640)
    subprocess.run(["setfacl", "-m", "u:1234:rwx", world.at("kinds/listed")], check=True)
    os.chmod(world.at("kinds/closed"), 0o2750)
    for name in ("closed/file", "link", "pipe", "listed", "closed", "."):
        os.utime(world.at("kinds/" + name), ns=(0, 1_000_000_000_123_456_789), follow_symlinks=False)
    plan = world.plan("plan.yaml", "kinds")
    expect(world.run("export", plan, "--output", world.at("sealed")).status == 0)
    target = world.import_plan("import.yaml", "target", extra=", existing: add")
    command = ["import", world.at("sealed"), target, "--work", world.at("work"), "--json"]

    def listed(result):
        answer = json.loads(result.out)
        return [(source["notSet"], source["shortfalls"]) for source in answer["sources"]]
    undisturbed = world.run(*command)
    wanted, told = tree_of(world.at("target")), listed(undisturbed)
    number = 0
    while True:
        number += 1
        expect(number < 200, "never came to the end")
        world.remove("target", "work")
        inject = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                  "-e", f"inject={call}:signal=SIGKILL:when={number}"]
        if world.run(*command, prefix=inject).status == undisturbed.status:
            break
        result = world.run(*command)
        expect(result.status == undisturbed.status and listed(result) == told,
               f"{call} {number}: {result.status} instead of {undisturbed.status} {result.err} {result.out.decode()}")
        expect(tree_of(world.at("target")) == wanted, f"{call} {number}: the target differs")
    expect(number > 3, "nothing was killed")
    world.remove("target", "work", "sealed", "kinds")


suite = Suite()
world = suite.world
make_tree(world.at("tree"), megabytes=40, big=True, sparse=True)
make_tree(world.at("little"), megabytes=2, small=20)
suite.case("kills, directory", export_killed, "out", 22, 0.9)
suite.case("kills in quick succession", export_killed, "out", 20, 0.12)
suite.case("kills, tar", export_killed, "out.tar", 18, 0.9)
suite.case("kills while sealing, directory", sealing_killed, "end")
suite.case("kills while sealing, tar", sealing_killed, "end.tar")
suite.case("killed at each rename", killed_at_system_call, "call", "rename,renameat,renameat2",
           1, 30)
suite.case("killed at each unlink and rmdir, directory", killed_at_system_call, "call",
           "unlink,unlinkat,rmdir", 1, 60, 2)
suite.case("killed at each unlink and rmdir, tar", killed_at_system_call, "call.tar",
           "unlink,unlinkat,rmdir", 1, 60, 2)
suite.case("killed at each sync, tar", killed_at_system_call, "call.tar", "fdatasync,fsync", 1, 45)
suite.case("killed at each mkdir", killed_at_system_call, "call", "mkdir,mkdirat", 1, 12)
suite.case("sealed tar with half removed state", sealed_tar_with_half_removed_state)
suite.case("stored segment deleted before the resume", stored_segment_lost, "lost", os.unlink)
suite.case("stored segment shortened before the resume", stored_segment_lost, "lost", shorten)
suite.case("stored segment changed before the resume", stored_segment_lost, "lost", flip)
suite.case("tar shortened before the resume", stored_segment_lost, "lost.tar", shorten)
suite.case("tar changed before the resume", stored_segment_lost, "lost.tar", flip)
suite.case("import, kills", import_killed, 12)
suite.case("import with existing: add, kills", import_killed, 5, ", existing: add")
suite.case("import with existing: replace, kills", import_killed, 5, ", existing: replace")
suite.case("import killed at each rename and sync", import_killed_at,
           "rename,renameat,renameat2,fdatasync,fsync,linkat", 1)
suite.case("import killed at each open to write", import_killed_at, "ftruncate,mkdirat,mkdir", 1)
changes = "mkdir,mkdirat,unlink,unlinkat,rmdir,utimensat,rename,renameat,renameat2,fsync,fdatasync"
suite.case("finished import killed at each change", finished_import_killed_at, changes)
suite.case("finished import with existing: add, killed at each change", finished_import_killed_at,
           changes, ", existing: add")
suite.case("adding killed at each change of an object", adding_killed_at,
           "symlinkat,mknodat,fchownat,fchown,lchown,utimensat,fchmod,chmod,fchmodat,setxattr,fsetxattr,renameat2")
suite.finish()
