#!/usr/bin/env python3
"""Disks, targets and outputs that fill up, and a limit of the size of files: told, nothing looks whole, and it goes on with room."""
import json
import os
import resource
import subprocess

from robustness_kit import *


class SmallDisk:
    """A file system of its own; a tmpfs, where the machine lets us mount one."""

    def __init__(self, world, megabytes):
        self.path = world.at("disk")
        os.makedirs(self.path, exist_ok=True)
        self.megabytes = megabytes

    def __enter__(self):
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={self.megabytes}m", "tmpfs", self.path],
            capture_output=True)
        if done.returncode:
            raise Skip("cannot mount a tmpfs")
        return self

    def fill(self, megabytes):
        with open(self.path + "/ballast", "wb") as file:
            file.write(b"x" * (megabytes << 20))

    def used(self):
        status = os.statvfs(self.path)
        return (status.f_blocks - status.f_bfree) * status.f_bsize

    def leave(self, size):
        """Fills it but for so many bytes, what is there already counted among them."""
        ballast = (self.megabytes << 20) - size
        with open(self.path + "/ballast", "wb") as file:
            file.write(b"x" * ballast)

    def __exit__(self, *_):
        subprocess.run(["umount", self.path], check=True)


def full_disk(world, output):
    plan = world.plan("plan.yaml", "tree")
    command = ["export", plan, "--output", world.at("disk/" + output)]
    with SmallDisk(world, 110) as disk:
        for ballast in (109, 104, 95):
            disk.fill(ballast)
            result = world.run(*command)
            expect(result.status == 1, f"ended with {result.status}: {result.err}")
            expect("no space left" in result.err, result.err)
            expect('"' in result.err and "hint: Free space" in result.err, result.err)
            expect("ballast" in os.listdir(disk.path))
            if os.path.exists(world.at("disk/" + output)):
                expect(world.verify("disk/" + output).status != 0, "a short archive is called good")
        os.unlink(disk.path + "/ballast")
        result = world.run(*command)
        expect(result.status == 0, f"with space again: {result.status} {result.err}")
        check_export_ended_well(world, "disk/" + output, tar=output.endswith(".tar"))
        world.imported("disk/" + output)
        expect(tree_of(world.at("target")) == tree_of(world.at("tree")), "imported differs")


def full_at_every_size(world, output):
    """The last bytes, tag files and the seal run out of space as well."""
    plan = world.plan("plan.yaml", "little")
    command = ["export", plan, "--output", world.at("disk/" + output)]
    failures = 0
    with SmallDisk(world, 16) as disk:
        for kilobytes in range(1900, 2300, 16):
            for name in os.listdir(disk.path):
                world.remove("disk/" + name)
            with open(disk.path + "/ballast", "wb") as file:
                file.write(b"x" * ((16 << 20) - (kilobytes << 10)))
            result = world.run(*command)
            expect(result.status in (0, 1), f"{kilobytes}: {result.status} {result.err}")
            if result.status == 1:
                failures += 1
                expect("no space left" in result.err, f"{kilobytes}: {result.err}")
                os.unlink(disk.path + "/ballast")
                result = world.run(*command)
                expect(result.status == 0, f"{kilobytes}: {result.status} {result.err}")
            check_export_ended_well(world, "disk/" + output, tar=output.endswith(".tar"))
    expect(failures > 3, "was never full")


def full_target(world):
    world.remove("out", "work")
    expect(world.run("export", world.plan("plan.yaml", "tree"), "--output",
                     world.at("out")).status == 0)
    plan = world.import_plan("import.yaml", "disk/target")
    command = ["import", world.at("out"), plan, "--work", world.at("work")]
    with SmallDisk(world, 200) as disk:
        disk.fill(188)
        result = world.run(*command)
        expect(result.status == 1, f"ended with {result.status}: {result.err}")
        expect("no space left" in result.err or "free" in result.err, result.err)
        expect("hint" in result.err, result.err)
        os.unlink(disk.path + "/ballast")
        result = world.run(*command)
        expect(result.status == 0, f"with space again: {result.status} {result.err}")
        expect(tree_of(world.at("disk/target")) == tree_of(world.at("tree")), "differs")


def full_work(world):
    """The work directory fills while the target does not take owners: a resume still knows each of them."""
    # Directories get their owners last: many of them, so that the disk is full there as well.
    for number in range(2000):
        for name in (f"owned/{number}/file", f"owned/{number}"):
            os.chown(world.write(name, b"x") if name.endswith("file") else world.at(name), 1234, 1234)
    for number in range(40):
        os.symlink("0", world.at(f"owned/{number}/link"))
        os.mkfifo(world.at(f"owned/{number}/fifo"))
    world.remove("out")
    expect(world.run("export", world.plan("plan.yaml", "owned"), "--output", world.at("out")).status == 0)
    # Root, but not with the right to give files away.
    prefix = ["setpriv", "--bounding-set", "-chown"]
    plan = world.import_plan("add.yaml", "owned-target", extra=", existing: add")
    command = ["import", world.at("out"), plan, "--work", world.at("disk/work"), "--json"]

    def refused(result):
        expect(result.status == 2, f"ended with {result.status}: {result.err}")
        source = json.loads(result.out)["sources"][0]
        return source["notSet"], sorted(entry["path"] for entry in source["shortfalls"])

    with SmallDisk(world, 16) as disk:
        whole = refused(world.run(*command, prefix=prefix))
        expect(whole[0] >= 4000, f"only {whole[0]} were not set")
        needed = disk.used()
        world.remove("disk/work", "owned-target")
        # A little more room each time, from too little for the index to enough.
        cut, told = [], []
        for room in range(needed, 8 << 20, 12 << 10):
            disk.leave(room)
            result = world.run(*command, prefix=prefix)
            os.unlink(disk.path + "/ballast")
            if result.status == 2:
                break
            expect(result.status == 1 and "no space left" in result.err,
                   f"{room}: {result.status} {result.err}")
            told.append(result.err)
            with open(world.at("disk/work/source-0/not-set"), "rb") as record:
                cut.append(record.read().count(b"\n"))
        expect(len([count for count in cut if 0 < count < 2000]) > 2, f"files: {cut}")
        expect(len([count for count in cut if 2000 <= count < 4000]) > 2, f"directories: {cut}")
        expect(any(f'index in "{world.at("disk/work")}' in text for text in told), told[0])
        again = refused(result)
        expect(again == whole, f"{again[0]} instead of {whole[0]} are told, after {cut}")


def full_output(world):
    """--output - into a full device."""
    with open("/dev/full", "wb") as full:
        process = world.start("export", world.plan("plan.yaml", "little"), "--output", "-",
                              stdout=full)
        _, err = process.communicate(timeout=300)
    expect(process.returncode == 1 and b"no space left" in err, f"{process.returncode} {err}")


def size_limit(world, output):
    """RLIMIT_FSIZE: the signal is not lethal, the error names the file."""
    world.remove(output, output + ".exeat-run")
    plan = world.plan("plan.yaml", "tree")
    command = ["export", plan, "--output", world.at(output)]
    done = subprocess.run(
        world.command(*command), capture_output=True, timeout=300, cwd=world.path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5 << 20, 5 << 20)))
    expect(done.returncode == 1, f"ended with {done.returncode}: {done.stderr.decode()}")
    expect(b"too large" in done.stderr and b'"' in done.stderr, done.stderr.decode())
    expect(world.run(*command).status == 0)
    check_export_ended_well(world, output, tar=output.endswith(".tar"))

suite = Suite()
world = suite.world
make_tree(world.at("tree"), megabytes=30, small=60)
make_tree(world.at("little"), megabytes=2, small=20)
suite.case("full disk, directory", full_disk, "out")
suite.case("full disk, tar", full_disk, "out.tar")
suite.case("full disk at the end, directory", full_at_every_size, "out")
suite.case("full disk at the end, tar", full_at_every_size, "out.tar")
suite.case("full target", full_target)
suite.case("full work directory while the target refuses owners", full_work)
suite.case("full standard output", full_output)
suite.case("file size limit, directory", size_limit, "limit")
suite.case("file size limit, tar", size_limit, "limit.tar")
suite.finish()
