#!/usr/bin/env python3
"""Trees that change, vanish or cannot be read while they are exported: nothing is left out silently."""
import json
import os
import shutil
import socket
import subprocess
import threading
import time

from robustness_kit import *

SLOW = "bandwidth: 12MiB/s"


def omissions(result):
    return {o["reason"]: (o["count"], o["accepted"]) for o in json.loads(result.out)["omissions"]}


def export(world, source, output="out", change=None, after=0.6, extra="", limits="workers: 1, " + SLOW,
           user=None, prefix=()):
    """Exports slowly, with something happening to the tree meanwhile."""
    world.remove(output)
    plan = world.plan("plan.yaml", source, extra=extra, limits=limits)
    timer = threading.Timer(after, change) if change else None
    if timer:
        timer.start()
    result = world.run("export", plan, "--output", world.at(output), "--json", user=user,
                       prefix=prefix)
    if timer:
        timer.join()
    return result


def check_consistent(world, result, status, imported=0):
    """The export ended as expected, and the archive is equal to itself."""
    expect(result.status == status, f"export ended with {result.status}: {result.err}"
           f"{result.out.decode()}")
    expect(world.verify("out").status == 0, "verify")
    strict = world.run("verify", world.at("out"), "--trust", world.trust, "--decrypt-with",
                       world.identity)
    expect(strict.status == 0, f"verify --decrypt-with: {strict.status} {strict.err}")
    summary = world.imported("out", status=imported)
    expect(all(c["expected"] == c["found"] for s in summary["sources"] for c in s["comparisons"]))
    return summary


def slow_tree(world, name="slow"):
    """About two seconds of work at 12 MiB/s, then what the case is about."""
    world.remove(name)
    root = world.at(name)
    os.makedirs(root)
    make_tree(root, megabytes=16, small=30)
    os.makedirs(root + "/zz/deep/er")
    for number in range(5):
        world.write(f"{name}/zz/deep/er/late-{number}", b"late" * 100)
    return root


def vanished(world):
    root = slow_tree(world)

    def change():
        os.unlink(root + "/data/block-014")
        shutil.rmtree(root + "/zz/deep")
    result = export(world, "slow", change=change)
    check_consistent(world, result, 2)
    count, accepted = omissions(result)["vanished"]
    expect(count == 1 + 2 + 5 and not accepted, f"{count} vanished")
    root = slow_tree(world)
    result = export(world, "slow", change=change, extra=", accept: [vanished]")
    check_consistent(world, result, 0)


def grown(world):
    root = slow_tree(world)
    stop = threading.Event()

    def write():
        with open(root + "/data/block-014", "ab") as log:
            while not stop.is_set():
                log.write(b"more\n")
                log.flush()
    thread = threading.Thread(target=write)
    thread.start()
    try:
        result = export(world, "slow")
    finally:
        stop.set()
        thread.join()
    # Between two writes it may hold still for long enough.
    check_consistent(world, result, 2 if "changed" in omissions(result) else 0)


def changed_long_file(world):
    """One of several MiB: its header is out before its end is known."""
    world.remove("slow")
    root = world.at("slow")
    make_tree(root, megabytes=4, small=5)
    with open(root + "/long", "wb") as file:
        file.write(os.urandom(6_000_000))
    stop = threading.Event()

    def write():
        number = 0
        while not stop.wait(0.01):
            number += 1
            size = 6_000_000 - (number % 7) * 100_000
            os.truncate(root + "/long", size)
    thread = threading.Thread(target=write)
    thread.start()
    try:
        result = export(world, "slow")
    finally:
        stop.set()
        thread.join()
    check_consistent(world, result, 2)
    expect("changed" in omissions(result), "not reported")


def changed_once(world):
    """A single change early on is read again, and is no omission."""
    root = slow_tree(world)

    def change():
        with open(root + "/data/block-013", "r+b") as file:
            file.write(b"new beginning")
    result = export(world, "slow", change=change, after=0.3)
    check_consistent(world, result, 0)
    expect(open(world.at("target/data/block-013"), "rb").read(3) == b"new")


def replaced_by_link(world):
    """A directory becomes a symbolic link: it is not followed."""
    root = slow_tree(world)
    world.write("secret/er/late-0", "SECRET OUTSIDE")

    def change():
        os.rename(root + "/zz/deep", root + "/zz/gone")
        os.symlink(world.at("secret"), root + "/zz/deep")
        os.unlink(root + "/data/block-014")
        os.symlink(world.at("secret/er/late-0"), root + "/data/block-014")
    result = export(world, "slow", change=change)
    check_consistent(world, result, 2)
    found = tree_of(world.at("target"))
    expect(not os.path.exists(world.at("target/zz/deep/er/late-0"))
           or os.path.islink(world.at("target/zz/deep")), "followed")
    for path, (*_, content) in found.items():
        expect(content != content_of(world.at("secret/er/late-0")), f"{path} holds the secret")


def replaced_by_others(world):
    """A file becomes a FIFO, a directory a file, a file a directory."""
    root = slow_tree(world)

    def change():
        os.unlink(root + "/data/block-013")
        os.mkfifo(root + "/data/block-013")
        os.unlink(root + "/data/block-014")
        os.mkdir(root + "/data/block-014")
        shutil.rmtree(root + "/zz/deep")
        world.write("slow/zz/deep", "a file now")
    result = export(world, "slow", change=change)
    check_consistent(world, result, 2)


def first_name_vanishes(world):
    root = slow_tree(world)
    world.write("slow/zz/aa-first", b"linked" * 1000)
    os.link(root + "/zz/aa-first", root + "/zz/bb-second")
    os.link(root + "/zz/aa-first", root + "/zz/cc-third")
    result = export(world, "slow", change=lambda: os.unlink(root + "/zz/aa-first"))
    check_consistent(world, result, 2)
    expect(omissions(result)["vanished"][0] == 1, f"{omissions(result)}")
    expect(open(world.at("target/zz/bb-second"), "rb").read() == b"linked" * 1000, "data lost")
    expect(open(world.at("target/zz/cc-third"), "rb").read() == b"linked" * 1000, "data lost")


def large_file_changes(world, change, reason):
    """Over 255 MiB: it is cut into parts that several lanes read."""
    world.remove("slow")
    root = world.at("slow")
    os.makedirs(root)
    with open(root + "/large", "wb") as file:
        block = b"0123456789abcdef" * 65536
        for _ in range(262):
            file.write(block)
    world.write("slow/after", "after")
    result = export(world, "slow", change=lambda: change(root + "/large"), after=0.35,
                    limits="workers: 2, bandwidth: 200MiB/s")
    check_consistent(world, result, 2)
    expect(reason in omissions(result), f"{omissions(result)}")
    expect(open(world.at("target/after")).read() == "after")


def append(path):
    with open(path, "ab") as file:
        file.write(b"appended")


def unreadable(world):
    """As an ordinary user: explicit omissions, status 2; 0 where the plan accepts them."""
    if os.geteuid():
        raise Skip("needs root, to become somebody else")
    world.remove("closed")
    make_tree(world.at("closed"), megabytes=1, small=12)
    subprocess.run(["chown", "-R", "65534:65534", world.at("closed"), world.at("keys")], check=True)
    world.write("closed/secret", "for root only", 0o600)
    world.write("closed/shut/inside", "unreachable")
    os.chmod(world.at("closed/shut"), 0o700)
    with open(world.at("closed/big-secret"), "wb") as file:
        file.truncate(300 << 20)
    os.chmod(world.at("closed/big-secret"), 0o600)
    os.makedirs(world.at("theirs"), exist_ok=True)
    os.chmod(world.at("theirs"), 0o777)
    try:
        for extra, status in (("", 2), (", accept: [unreadable]", 0)):
            world.remove("theirs/out")
            world.plan("plan.yaml", "closed", extra=extra)
            result = world.run("export", world.at("plan.yaml"), "--output",
                               world.at("theirs/out"), "--json", user=65534)
            expect(result.status == status, f"{result.status} {result.err}")
            count = omissions(result)["unreadable"][0]
            expect(count >= 3, f"{count} unreadable")
            expect(world.verify("theirs/out").status == 0, "verify")
            world.imported("theirs/out")
            expect(not os.path.exists(world.at("target/secret")), "secret there")
            expect(not os.path.exists(world.at("target/big-secret")), "secret there")
    finally:
        subprocess.run(["chown", "-R", "0:0", world.at("keys")], check=True)


def resumed_unprivileged_import(world):
    """What could not be set before the interruption is not forgotten by the resumed import."""
    if os.geteuid():
        raise Skip("needs root, to become somebody else")
    world.remove("owned", "theirs")
    make_tree(world.at("owned"), megabytes=40, small=50)
    plan = world.plan("plan.yaml", "owned")
    world.remove("out")
    expect(world.run("export", plan, "--output", world.at("out")).status == 0)
    os.makedirs(world.at("theirs"))
    os.chown(world.at("theirs"), 65534, 65534)
    subprocess.run(["chown", "-R", "65534:65534", world.at("keys")], check=True)
    try:
        plan = world.write("import.yaml", open(world.import_plan("import.yaml", "theirs/in")).read()
                           + "limits: { bandwidth: 20MiB/s, workers: 2 }\n")
        command = ["import", world.at("out"), plan, "--work", world.at("theirs/work"), "--json"]
        process = world.start(*command, user=65534)
        state = world.at("theirs/work/state")
        for _ in range(500):
            time.sleep(0.02)
            if os.path.exists(state) and open(state).read().count("\n") >= 3:
                break
        process.kill()
        process.wait()
        process.stderr.close()
        expect(process.returncode == -9, "ended too early")
        result = world.run(*command, user=65534)
        expect(result.status == 2, f"{result.status} {result.err} {result.out.decode()[:800]}")
        resumed = json.loads(result.out)["sources"][0]["notSet"]
        world.remove("theirs/in", "theirs/work")
        whole = json.loads(world.run(*command, user=65534).out)["sources"][0]["notSet"]
        expect(resumed == whole, f"{resumed} not set after the resume, {whole} in one go")
    finally:
        subprocess.run(["chown", "-R", "0:0", world.at("keys")], check=True)


def read_error(world, size, when):
    """EIO from the disk: the file is an omission, everything else arrives."""
    if not shutil.which("strace"):
        raise Skip("no strace")
    world.remove("slow")
    root = world.at("slow")
    make_tree(root, megabytes=2, small=5)
    world.write("slow/data/bad", os.urandom(size))
    calls = "pread64" if size > 1 << 20 else "read"
    inject = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", root + "/data/bad",
              "-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO:when={when}"]
    result = export(world, "slow", limits="workers: 1", prefix=inject)
    if result.status == 0:
        raise Skip("strace injected nothing")
    check_consistent(world, result, 2)
    expect(omissions(result).get("unreadable", (0,))[0] == 1, f"{omissions(result)}")
    wanted = tree_of(root)
    found = tree_of(world.at("target"))
    if size < 255 << 20:
        expect("data/bad" not in found, "a file that could not be read is in the archive")
        del wanted["data/bad"]
        # The directory's time tells of the deletion of nothing: it is as it was.
    else:
        wanted["data/bad"] = found["data/bad"]
    expect(found == wanted, "the rest differs")


def output_inside_source(world):
    root = slow_tree(world)
    plan = world.plan("plan.yaml", "slow")
    for output in ("slow/out", "slow/out.tar"):
        result = world.run("export", plan, "--output", world.at(output))
        expect(result.status == 1, f"ended with {result.status}")
        expect("inside" in result.err and "hint" in result.err, result.err)
        expect(not os.path.exists(world.at(output)), "leaves an output")
    plan = world.plan("plan.yaml", "slow", extra=', exclude: { paths: ["/out"], reason: "itself" }')
    result = world.run("export", plan, "--output", world.at("slow/out"))
    expect(result.status == 0, f"excluded: {result.status} {result.err}")


def sockets(world):
    world.remove("odd")
    os.makedirs(world.at("odd"))
    server = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(world.at("odd"))
    server.bind("socket")
    os.chdir(here)
    for extra, status in (("", 2), (", accept: [sockets]", 0)):
        result = export(world, "odd", extra=extra, limits="workers: 1")
        check_consistent(world, result, status)
    server.close()


def size_says_nothing(world):
    """Files of /proc have size 0 and content: none of them is an empty file, all is well."""
    result = export(world, "/proc/sys/kernel/random", limits="workers: 1")
    files = len(os.listdir("/proc/sys/kernel/random"))
    expect(omissions(result).get("changed", (0, False)) == (files, False), result.out.decode())
    expect(result.status == 2, f"ended with {result.status}")


def longer_than_it_says(world):
    """More can be read than the size says, as from a remote file system whose attributes are old."""
    if not shutil.which("strace"):
        raise Skip("no strace")
    world.remove("slow")
    root = world.at("slow")
    make_tree(root, megabytes=2, small=5)
    for size, reads in ((2 << 20, 2), (256 << 20, None)):
        with open(root + "/data/long", "wb") as file:
            file.truncate(size)
            if reads:
                file.write(os.urandom(size))
        # One look behind the end after the reads of each attempt; a hole takes none but that one.
        when = f"{reads + 1}+{reads + 1}" if reads else "1+"
        inject = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", root + "/data/long", "-e", "trace=pread64",
                  "-e", f"inject=pread64:retval=1:when={when}"]
        result = export(world, "slow", limits="workers: 1", prefix=inject)
        expect(omissions(result).get("changed", (0,))[0] == 1, f"{size}: {omissions(result)} {result.err}")
        check_consistent(world, result, 2)


def bandwidth(world, where):
    """20 MB at 10 MB/s take 1.5 s at the least, and not much more than 2."""
    world.remove("slow")
    make_tree(world.at("slow"), megabytes=20, small=1)
    rate = "bandwidth: 10MB/s"
    began = time.time()
    if where == "global":
        result = export(world, "slow", limits=rate)
    elif where == "source":
        result = export(world, "slow", limits="workers: 2", extra=f", limits: {{ {rate} }}")
    else:
        expect(export(world, "slow", limits="workers: 2").status == 0)
        plan = world.import_plan("import.yaml", "target", extra=f", limits: {{ {rate} }}")
        world.remove("target", "work")
        began = time.time()
        result = world.run("import", world.at("out"), plan, "--work", world.at("work"))
    took = time.time() - began
    expect(result.status == 0, f"{result.status} {result.err}")
    expect(took >= 1.5, f"took {took:.1f} s")
    expect(took < 10, f"took {took:.1f} s")


suite = Suite()
suite.case("files and directories vanish", vanished)
suite.case("a file grows all the time", grown)
suite.case("a long file changes all the time", changed_long_file)
suite.case("a file changes once", changed_once)
suite.case("a directory is replaced by a link", replaced_by_link)
suite.case("objects change their kind", replaced_by_others)
suite.case("the first name of linked files vanishes", first_name_vanishes)
suite.case("a file is longer than it says", longer_than_it_says)
suite.case("a large file is appended to", large_file_changes, append, "changed")
suite.case("a large file shrinks", large_file_changes, lambda p: os.truncate(p, 1000), "changed")
suite.case("a large file vanishes", large_file_changes, os.unlink, "changed")
suite.case("unreadable files, unprivileged", unreadable)
suite.case("resumed unprivileged import", resumed_unprivileged_import)
suite.case("read error in a short file", read_error, 5000, "1+")
suite.case("read error in the middle of a long file", read_error, 5_000_000, "3+")
suite.case("output inside the source", output_inside_source)
suite.case("sockets", sockets)
suite.case("files longer than their size", size_says_nothing)
suite.case("bandwidth, global", bandwidth, "global")
suite.case("bandwidth of a source", bandwidth, "source")
suite.case("bandwidth of an import", bandwidth, "import")
suite.finish()
