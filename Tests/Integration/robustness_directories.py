#!/usr/bin/env python3
"""Directories that go, or turn into something else, while what is in them is exported: whatever is in the archive can be imported."""
import json
import os
import shutil
import subprocess
import time

from robustness_kit import *


def omissions(result):
    return {o["reason"]: o["count"] for o in json.loads(result.out)["omissions"]}


def exported(world, change, arguments=(), limits="workers: 1", prefix=(), extra=""):
    """Runs `change` once the inventory is taken; what was exported then arrives equal, or is listed."""
    world.remove("out")
    plan = world.plan("plan.yaml", "tree", limits=limits, extra=extra)
    process = world.start("export", plan, "--output", world.at("out"), "--json", *arguments,
                          stdout=subprocess.PIPE, prefix=prefix)
    journal = world.at("out/exeat/journal.jsonl")
    for _ in range(2000):
        if os.path.exists(journal) and "source.inventoried" in open(journal).read():
            break
        time.sleep(0.005)
    change(world.at("tree"))
    out, err = process.communicate(timeout=200)
    result = Result(process.returncode, out, err.decode(errors="replace"))
    expect(result.status in (0, 2), f"{result.status} {result.err}")
    strict = world.run("verify", world.at("out"), "--trust", world.trust, "--decrypt-with",
                       world.identity)
    expect(strict.status == 0, f"verify --decrypt-with: {strict.status} {strict.err}")
    world.imported("out")
    return result


def tree(world, large):
    """What comes first takes a second at 12 MiB/s."""
    world.remove("tree")
    os.makedirs(world.at("tree/d/e"))
    for number in range(12):
        world.write(f"tree/a{number:02}", os.urandom(1 << 20))
    for number in range(5):
        world.write(f"tree/d/e/{number}", b"content")
    if large:
        with open(world.at("tree/d/large"), "wb") as file:
            for _ in range(260):
                file.write(b"0123456789abcdef" * 65536)
    world.write("tree/z", "after")


def holder_of_a_large_file_goes(world):
    """The header of a large file is written whatever happens, and so is the directory that holds it."""
    tree(world, large=True)
    result = exported(world, lambda root: shutil.rmtree(root + "/d"),
                      limits="workers: 1, bandwidth: 60MiB/s")
    found = omissions(result)
    expect(result.status == 2 and found.get("vanished", 0) >= 7, f"{result.status} {found}")
    expect(os.path.isdir(world.at("target/d")) and os.path.exists(world.at("target/d/large")))
    expect(open(world.at("target/z")).read() == "after", "what comes after it is lost")
    # Accepted by the plan, it is a good archive all the same.
    tree(world, large=True)
    result = exported(world, lambda root: shutil.rmtree(root + "/d"),
                      limits="workers: 1, bandwidth: 60MiB/s",
                      extra=", accept: [vanished, changed]")
    expect(result.status == 0, f"{result.status}")


def holder_comes_back(world):
    """Gone when its turn comes, and there again before that of its files."""
    tree(world, large=False)

    def change(root):
        os.rename(root + "/d", root + "/away")
        os.symlink("away", root + "/d")
        end = time.time() + 1.5
        while time.time() < end:
            os.unlink(root + "/d")
            os.rename(root + "/away", root + "/d")
            time.sleep(0.002)
            os.rename(root + "/d", root + "/away")
            os.symlink("away", root + "/d")
            time.sleep(0.002)
        os.unlink(root + "/d")
        os.rename(root + "/away", root + "/d")
    exported(world, change, limits="workers: 2, bandwidth: 12MiB/s")


def attributes_of_a_directory(world):
    """A read error there costs its attributes, not what is in it."""
    if not shutil.which("strace"):
        raise Skip("no strace")
    tree(world, large=False)
    for when in range(1, 6):
        result = exported(world, lambda root: None, prefix=[
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=listxattr", "-e",
            f"inject=listxattr:error=EIO:when={when}"])
        found = omissions(result)
        expect(result.status == 0 or found == {"unreadable": 1}, f"{when}: {result.status} {found}")
        if when == 2:
            expect(result.status == 2, "the error had no effect")
        for number in range(5):
            expect(open(world.at(f"target/d/e/{number}")).read() == "content", "files are lost")


def other_kinds_take_the_place_of_files(world):
    """What a new directory holds was never seen, and a device was not asked for: neither is passed over."""
    tree(world, large=False)

    def change(root):
        os.unlink(root + "/d/e/3")
        os.makedirs(root + "/d/e/3/below")
        open(root + "/d/e/3/below/unseen", "w").close()
        os.unlink(root + "/d/e/4")
        os.mknod(root + "/d/e/4", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    result = exported(world, change, limits="workers: 1, bandwidth: 12MiB/s")
    found = omissions(result)
    expect(result.status == 2 and found == {"changed": 1, "devices": 1}, f"{result.status} {found}")
    expect(os.listdir(world.at("target/d/e/3")) == [] and not os.path.lexists(world.at("target/d/e/4")))
    lines = json.loads(world.run("inspect", world.at("out"), "tree/d/e/3", "--decrypt-with", world.identity,
                                 "--json").out)["lines"]
    expect(any("what it holds is left out" in line.get("detail", "") for line in lines), f"{lines}")


suite = Suite()
suite.case("the directory of a large file goes", holder_of_a_large_file_goes)
suite.case("a directory goes and comes back", holder_comes_back)
suite.case("other kinds take the place of files", other_kinds_take_the_place_of_files)
suite.case("attributes of a directory cannot be read", attributes_of_a_directory)
suite.finish()
