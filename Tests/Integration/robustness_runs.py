#!/usr/bin/env python3
"""Interruptions, locks, outputs that are there already, full disks, and wrong inputs."""
import json
import os
import re
import resource
import signal
import subprocess
import time

from robustness_kit import *

SLOW = "workers: 1, bandwidth: 12MiB/s"


def wait_for(path, text, count=1, seconds=15):
    """Until a file holds a text so many times."""
    end = time.time() + seconds
    while time.time() < end:
        if os.path.exists(path) and open(path, errors="replace").read().count(text) >= count:
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} never held {text!r}")


def journal_path(world, output):
    tar = output.endswith(".tar")
    return world.at(output + (".exeat-run/journal.jsonl" if tar else "/exeat/journal.jsonl"))


def stop_and_read(process, sign, seconds=5):
    process.send_signal(sign)
    began = time.time()
    _, err = process.communicate(timeout=30)
    expect(time.time() - began < seconds, f"took {time.time() - began:.1f} s to end")
    return process.returncode, err.decode()


def interrupted(world, sign, output):
    world.remove(output, output + ".exeat-run")
    plan = world.plan("plan.yaml", "tree", limits=SLOW)
    process = world.start("export", plan, "--output", world.at(output))
    wait_for(journal_path(world, output), "segment.committed")
    status, err = stop_and_read(process, sign)
    expect(status == 130, f"ended with {status}: {err}")
    expect("same command again" in err, err)
    result = world.run("export", plan, "--output", world.at(output))
    expect(result.status == 0, f"{result.status} {result.err}")
    check_export_ended_well(world, output, tar=output.endswith(".tar"))
    world.imported(output)
    expect(tree_of(world.at("target")) == tree_of(world.at("tree")), "imported differs")


def interrupted_twice(world):
    """The second signal ends the process at once; the same command resumes all the same."""
    world.remove("out")
    plan = world.plan("plan.yaml", "tree", limits=SLOW)
    process = world.start("export", plan, "--output", world.at("out"))
    wait_for(journal_path(world, "out"), "segment.committed")
    process.send_signal(signal.SIGINT)
    status, _ = stop_and_read(process, signal.SIGINT, 2)
    expect(status == 130, f"ended with {status}")
    expect(world.run("export", plan, "--output", world.at("out")).status == 0)
    check_export_ended_well(world, "out")


def interrupted_slow(world):
    """With a limit of some KiB a second, an interruption does not wait for the next megabyte."""
    world.remove("out")
    plan = world.plan("plan.yaml", "tree", limits="bandwidth: 10KiB/s")
    process = world.start("export", plan, "--output", world.at("out"))
    wait_for(journal_path(world, "out"), "source.inventoried")
    time.sleep(0.5)
    status, err = stop_and_read(process, signal.SIGTERM, 2)
    expect(status == 130, f"ended with {status}: {err}")
    world.remove("out")


def interrupted_stream(world):
    temporary = world.at("tmp")
    os.makedirs(temporary, exist_ok=True)
    plan = world.plan("plan.yaml", "tree", limits=SLOW)
    with open(world.at("stream.tar"), "wb") as output:
        process = world.start("export", plan, "--output", "-", stdout=output,
                              env={"TMPDIR": temporary})
        time.sleep(1)
        status, err = stop_and_read(process, signal.SIGINT)
    expect(status == 130, f"ended with {status}: {err}")
    expect(os.listdir(temporary) == [], f"left {os.listdir(temporary)}")
    expect(world.verify("stream.tar").status == 3, "a short stream is called good")
    with open(world.at("stream.tar"), "wb") as output:
        process = world.start("export", world.plan("plan.yaml", "tree"), "--output", "-",
                              stdout=output, env={"TMPDIR": temporary})
        process.communicate(timeout=60)
    expect(process.returncode == 0 and os.listdir(temporary) == [], "a whole stream")
    with open(world.at("stream.tar"), "rb") as stream:
        result = world.run("verify", "-", "--trust", world.trust, stdin=stream)
    expect(result.status == 0, result.err)
    # A reader that goes away.
    process = subprocess.Popen(
        world.command("export", world.plan("plan.yaml", "tree"), "--output", "-"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, TMPDIR=temporary))
    process.stdout.read(1000)
    process.stdout.close()
    err = process.stderr.read().decode()
    expect(process.wait(30) == 1, f"ended with {process.returncode}")
    expect("pipe" in err, err)
    expect(os.listdir(temporary) == [], f"left {os.listdir(temporary)}")
    result = world.run("export", world.plan("plan.yaml", "not-there"), "--output", "-",
                       env={"TMPDIR": temporary})
    expect(result.status == 1 and os.listdir(temporary) == [], f"left {os.listdir(temporary)}")


def second_process(world, output):
    world.remove(output, output + ".exeat-run")
    plan = world.plan("plan.yaml", "tree", limits=SLOW)
    command = ["export", plan, "--output", world.at(output)]
    first = world.start(*command)
    wait_for(journal_path(world, output), "source.inventoried")
    for _ in range(5):
        second = world.run(*command)
        expect(second.status == 1, f"ended with {second.status}: {second.err}")
        expect("another process" in second.err and "hint" in second.err, second.err)
    _, err = first.communicate(timeout=60)
    expect(first.returncode == 0, f"the first: {first.returncode} {err}")
    check_export_ended_well(world, output, tar=output.endswith(".tar"))


def crowd(world, output):
    """Several start at the same moment; one at a time works, and the archive is sealed once."""
    world.remove(output, output + ".exeat-run")
    plan = world.plan("plan.yaml", "little")
    command = ["export", plan, "--output", world.at(output)]
    for _ in range(6):
        world.remove(output, output + ".exeat-run")
        crowd = [world.start(*command) for _ in range(6)]
        for process in crowd:
            _, err = process.communicate(timeout=60)
            expect(process.returncode in (0, 1), f"{process.returncode} {err}")
            expect(process.returncode == 0 or b"process" in err, err.decode())
        expect(world.run(*command).status == 0)
        check_export_ended_well(world, output, tar=output.endswith(".tar"))


def second_import(world):
    world.remove("out", "target", "work")
    expect(world.run("export", world.plan("plan.yaml", "tree"), "--output",
                     world.at("out")).status == 0)
    plan = world.write("import.yaml", open(world.import_plan("import.yaml", "target")).read()
                       + "limits: { bandwidth: 30MiB/s }\n")
    command = ["import", world.at("out"), plan, "--work", world.at("work")]
    first = world.start(*command)
    wait_for(world.at("work/state"), "archive")
    second = world.run(*command)
    expect(second.status == 1 and "another import" in second.err, f"{second.status} {second.err}")
    # Interrupted, too, and then resumed.
    status, err = stop_and_read(first, signal.SIGINT)
    expect(status == 130 and "same command again" in err, f"{status} {err}")
    result = world.run(*command)
    expect(result.status == 0, f"{result.status} {result.err}")
    expect(tree_of(world.at("target")) == tree_of(world.at("tree")), "differs")


def sealed_again(world, output):
    world.remove(output, output + ".exeat-run")
    plan = world.plan("plan.yaml", "little")
    command = ["export", "--json", "--output", world.at(output)]
    expect(world.run(*command, plan).status == 0)
    result = world.run(*command, plan)
    expect(result.status == 0 and json.loads(result.out)["wasSealed"], "not known again")
    # Limits may differ, anything else may not.
    expect(world.run(*command, world.plan("limits.yaml", "little", limits="workers: 1")).status == 0)
    other = world.run(*command, world.plan("other.yaml", "tree"))
    expect(other.status == 1 and "another plan" in other.err, f"{other.status} {other.err}")
    path = world.at(output)
    if os.path.isdir(path):
        path += "/data/s01/tree-00001/segment-00000.tar.zst.age"
    with open(path, "r+b") as file:
        file.seek(5000)
        byte = file.read(1)
        file.seek(5000)
        file.write(bytes([byte[0] ^ 1]))
    result = world.run(*command, plan)
    expect(result.status == 3, f"a flipped byte: {result.status}")
    expect(not result.out, "prints a result")


def sealed_with_two(world):
    """A sealed output gives back the run's own status."""
    world.remove("odd", "out")
    os.makedirs(world.at("odd"))
    os.mknod(world.at("odd/node"), 0o600 | 0o020000, os.makedev(1, 3))
    plan = world.plan("plan.yaml", "odd")
    for _ in range(2):
        result = world.run("export", plan, "--output", world.at("out"))
        expect(result.status == 2, f"{result.status}")
    expect(b"sealed already" in result.out and b"devices" in result.out)


def changed_plan(world, output):
    world.remove(output, output + ".exeat-run")
    plan = world.plan("plan.yaml", "tree", limits=SLOW)
    process = world.start("export", plan, "--output", world.at(output))
    wait_for(journal_path(world, output), "segment.committed")
    process.kill()
    process.communicate()
    other = world.plan("other.yaml", "tree", extra=", accept: [changed]")
    result = world.run("export", other, "--output", world.at(output))
    expect(result.status == 1 and "another plan" in result.err, f"{result.status} {result.err}")
    expect("hint" in result.err)
    world.plan("plan.yaml", "tree", limits="workers: 3, bandwidth: 200MiB/s")
    result = world.run("export", plan, "--output", world.at(output))
    expect(result.status == 0, f"other limits: {result.status} {result.err}")
    check_export_ended_well(world, output, tar=output.endswith(".tar"))


def corrected_plan(world):
    """A run that fails before anything is stored does not stand in a corrected plan's way."""
    for output in ("new-out", "new-out.tar"):
        result = world.run("export", world.plan("plan.yaml", "not-there"), "--output",
                           world.at(output))
        expect(result.status == 1 and "not-there" in result.err, f"{result.status} {result.err}")
        expect(not os.path.exists(world.at(output)), "leaves an output")
        expect(not os.path.exists(world.at(output) + ".exeat-run"), "leaves state")
        result = world.run("export", world.plan("plan.yaml", "little"), "--output",
                           world.at(output))
        expect(result.status == 0, f"{result.status} {result.err}")
        world.remove(output)


def foreign_file(world):
    """What somebody puts into the output meanwhile is not sealed, nor taken for part of it."""
    world.remove("out")
    plan = world.plan("plan.yaml", "tree", limits=SLOW)
    for place in ("out/notes.txt", "out/data/s01/tree-00001/notes.txt", "out/exeat/notes.txt"):
        process = world.start("export", plan, "--output", world.at("out"))
        wait_for(journal_path(world, "out"), "source.inventoried")
        time.sleep(0.2)
        world.write(place, "mine")
        _, err = process.communicate(timeout=60)
        expect(process.returncode == 1, f"ended with {process.returncode} {err}")
        expect(b"notes.txt" in err and b"hint" in err, err.decode())
        world.remove(place)
        expect(world.run("export", plan, "--output", world.at("out")).status == 0)
        check_export_ended_well(world, "out")
        world.remove("out")


def extract_interrupted(world):
    plan = world.plan("plan.yaml", "tree")
    world.remove("out", "extracted")
    expect(world.run("export", plan, "--output", world.at("out")).status == 0)
    # A limit holds for all threads; a call counted by strace holds for one of them.
    limit = ["prlimit", "--fsize=1000000"]
    command = ["extract", world.at("out"), "--to", world.at("extracted"), "--trust", world.trust,
               "--decrypt-with", world.identity]
    result = world.run(*command, prefix=limit)
    expect(result.status != 0, f"{result.status}")
    left = [n for _, _, files in os.walk(world.at("extracted")) for n in files if "tree" in n]
    expect(not left, f"a short file is left: {left}")
    world.remove("extracted")
    expect(world.run(*command).status == 0)


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


def full_output(world):
    """--output - into a full device."""
    with open("/dev/full", "wb") as full:
        process = world.start("export", world.plan("plan.yaml", "little"), "--output", "-",
                              stdout=full)
        _, err = process.communicate(timeout=60)
    expect(process.returncode == 1 and b"no space left" in err, f"{process.returncode} {err}")


def size_limit(world, output):
    """RLIMIT_FSIZE: the signal is not lethal, the error names the file."""
    world.remove(output, output + ".exeat-run")
    plan = world.plan("plan.yaml", "tree")
    command = ["export", plan, "--output", world.at(output)]
    done = subprocess.run(
        world.command(*command), capture_output=True, timeout=60, cwd=world.path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5 << 20, 5 << 20)))
    expect(done.returncode == 1, f"ended with {done.returncode}: {done.stderr.decode()}")
    expect(b"too large" in done.stderr and b'"' in done.stderr, done.stderr.decode())
    expect(world.run(*command).status == 0)
    check_export_ended_well(world, output, tar=output.endswith(".tar"))


def refused(world, status, *words, arguments=(), prepare=None, user=None):
    if prepare:
        arguments = prepare(world)
    result = world.run(*arguments, user=user)
    expect(result.status == status, f"ended with {result.status}: {result.err}")
    for word in words:
        expect(word in result.err, f"does not say {word!r}: {result.err}")
    expect("Fatal error" not in result.err, result.err)


def with_plan(text, *more):
    def prepare(world):
        return ["export", world.write("plan.yaml", text(world)), "--output", world.at("never"),
                *more]
    return prepare


def plan_text(world, **changes):
    text = open(world.plan("base.yaml", "little")).read()
    for old, new in changes.items():
        text = text.replace(*new)
    return text


def exposed_key(world):
    os.chmod(world.at("keys/ours.key"), 0o644)
    try:
        refused(world, 1, "chmod", "ours.key", arguments=[
            "export", world.plan("plan.yaml", "little"), "--output", world.at("never")])
    finally:
        os.chmod(world.at("keys/ours.key"), 0o600)
    os.chmod(world.identity, 0o640)
    try:
        refused(world, 1, "chmod", "agekey", arguments=[
            "verify", sealed(world), "--trust", world.trust, "--decrypt-with", world.identity])
        refused(world, 1, "chmod", "agekey", arguments=[
            "import", sealed(world), world.import_plan("import.yaml", "never")])
    finally:
        os.chmod(world.identity, 0o600)


def sealed(world):
    if not os.path.exists(world.at("sealed")):
        plan = world.plan("plan.yaml", "little")
        expect(world.run("export", plan, "--output", world.at("sealed")).status == 0)
    return world.at("sealed")


def wrong_inputs(world):
    little = world.plan("base.yaml", "little")
    cases = [
        (1, ["gone.yaml"], ["export", world.at("gone.yaml"), "--output", world.at("never")]),
        (64, [], ["export", little]),
        (64, ["--trust"], ["verify", sealed(world)]),
        (3, [], ["verify", sealed(world), "--trust", world.at("keys/other.trust.json")]),
        (1, ["gone.json"], ["verify", sealed(world), "--trust", world.at("gone.json")]),
        (3, ["not-there"], ["verify", world.at("not-there"), "--trust", world.trust]),
        (1, [], ["verify", sealed(world), "--trust", world.trust, "--decrypt-with",
                 world.at("keys/other.agekey")]),
        (1, ["gone.agekey"], ["verify", sealed(world), "--trust", world.trust, "--decrypt-with",
                              world.at("gone.agekey")]),
        (64, ["standard input"], ["import", "-", world.import_plan("import.yaml", "never")]),
        (64, [], ["extract", sealed(world), "--to", world.at("never")]),
        (1, ["encrypted", "hint"], ["extract", sealed(world), "--to", world.at("never"), "--trust",
                                    world.trust]),
        (64, [], ["exprt"]),
    ]
    for status, words, arguments in cases:
        refused(world, status, *words, arguments=arguments)
    expect(not os.path.exists(world.at("never")), "something was written")


def wrong_plans(world):
    base = open(world.plan("base.yaml", "little")).read()

    def export(text, status, *words):
        path = world.write("wrong.yaml", text)
        refused(world, status, *words,
                arguments=["export", path, "--output", world.at("never")])
        expect(not os.path.exists(world.at("never")), "an output is there")
    export(base.replace("sign-with", "sign-wit"), 1, "wrong.yaml:5:", "sign-with")
    export(base.replace("kind: files", "kind: filez"), 1, "wrong.yaml:4:", "files")
    export(base.replace("archive:", "archive: ["), 1, "wrong.yaml:")
    export(base.replace("purpose: trial", "purpose: fun"), 1, "wrong.yaml:2:")
    export(base.replace("keys/ours", "keys/gone"), 1, "gone.key")
    export(base.replace(world.recipient, "age1wrong"), 1, "age1wrong")
    export(base.replace(world.recipient, "${env:NOT_SET_ANYWHERE}"), 1, "wrong.yaml:5:")
    export(base + "limits: { bandwidth: fast }\n", 1, "wrong.yaml:6:")
    export("", 1)
    export("- 1\n", 1)
    # An output with somebody else's files.
    world.write("foreign/thing", "mine")
    refused(world, 1, "foreign", "hint", arguments=["export", world.at("base.yaml"), "--output",
                                                    world.at("foreign")])
    expect(os.listdir(world.at("foreign")) == ["thing"], "foreign directory touched")
    world.write("foreign.tar", "mine")
    result = world.run("export", world.at("base.yaml"), "--output", world.at("foreign.tar"))
    expect(result.status in (1, 3), f"{result.status}")
    expect(open(world.at("foreign.tar")).read() == "mine", "a foreign tar was overwritten")
    # Below a directory that is a file, and one that may not be written.
    refused(world, 1, "thing", arguments=["export", world.at("base.yaml"), "--output",
                                          world.at("foreign/thing/out")])


def wrong_imports(world):
    path = sealed(world)

    def run(text, status, *words):
        plan = world.write("wrong.yaml", text)
        refused(world, status, *words,
                arguments=["import", path, plan, "--work", world.at("work-never")])
    base = open(world.import_plan("import.yaml", "never")).read()
    run(base.replace("  tree:", "  forest:"), 1, "forest", "tree")
    run(base.replace("decrypt-with: " + world.identity, ""), 1, "hint")
    run(base.replace("ours.agekey", "other.agekey"), 1)
    run(base.replace("ours.trust.json", "other.trust.json"), 3)
    run(base.replace("kind: files", "kind: files, existng: add"), 1, "wrong.yaml:6:", "existing")
    world.write("full/of", "things")
    run(base.replace(world.at("never"), world.at("full")), 1, "not empty", "hint")
    expect(os.listdir(world.at("full")) == ["of"], "the target was written to")
    expect(not os.path.exists(world.at("never")), "something was written")
    world.remove("keys/seller.key")
    for role, arguments in (("importer", ["export", None]), ("exporter", ["import", None])):
        stem = world.at(f"keys/only-{role}")
        if not os.path.exists(stem + ".key"):
            expect(world.run("keys", "new", stem, "--role", role).status == 0)
        if arguments[0] == "export":
            plan = world.write("wrong.yaml", open(world.plan("base.yaml", "little")).read()
                               .replace(world.at("keys/ours"), stem))
            refused(world, 1, "hint", arguments=["export", plan, "--output", world.at("never")])
        else:
            run(base.replace("sign-with: " + world.at("keys/ours"), "sign-with: " + stem), 1, "hint")
    expect(not os.path.exists(world.at("never")), "something was written")


def secrets_stay(world):
    """Neither seeds, identities nor plan secrets appear where others look."""
    key = json.load(open(world.at("keys/ours.key")))
    seeds = [v for v in re.findall(r'"([A-Za-z0-9+/=_-]{40,})"', json.dumps(key))]
    identity = re.search(r"AGE-SECRET-KEY-[A-Z0-9-]+", open(world.identity).read()).group(0)
    public = open(world.trust).read()
    seeds = [s for s in seeds if s not in public] + [identity]
    expect(len(seeds) >= 3, "no secrets found to look for")
    world.remove("out", "target", "work")
    plan = world.plan("plan.yaml", "little", limits="bandwidth: 2MiB/s")
    process = world.start("export", plan, "--output", world.at("out"), "--progress", "json")
    time.sleep(0.4)
    line = open(f"/proc/{process.pid}/cmdline").read()
    _, err = process.communicate(timeout=60)
    result = world.run("import", world.at("out"), world.import_plan("import.yaml", "target"),
                       "--work", world.at("work"))
    expect(result.status == 0)
    seen = [line.encode(), err, result.out, result.err.encode()]
    for folder in ("out", "work"):
        for directory, _, files in os.walk(world.at(folder)):
            seen += [open(os.path.join(directory, name), "rb").read() for name in files]
    for secret in seeds:
        expect(not any(secret.encode() in text for text in seen), "a secret is visible")
    # In an encrypted archive, no names either.
    text = b"".join(seen[1:2] + [open(os.path.join(d, n), "rb").read()
                                 for d, _, f in os.walk(world.at("out")) for n in f])
    expect(b"file 1" not in text and b"zz-second-name" not in text, "a name is visible")


suite = Suite()
world = suite.world
make_tree(world.at("tree"), megabytes=30, small=60)
make_tree(world.at("little"), megabytes=2, small=20)
for sign in (signal.SIGINT, signal.SIGTERM):
    suite.case(f"{sign.name}, directory", interrupted, sign, "out")
suite.case("SIGINT, tar", interrupted, signal.SIGINT, "out.tar")
suite.case("SIGINT twice", interrupted_twice)
suite.case("SIGTERM under a low bandwidth", interrupted_slow)
suite.case("SIGINT and broken pipes, stream", interrupted_stream)
suite.case("second process, directory", second_process, "out")
suite.case("second process, tar", second_process, "out.tar")
suite.case("six at once, directory", crowd, "crowd")
suite.case("six at once, tar", crowd, "crowd.tar")
suite.case("second import, and SIGINT", second_import)
suite.case("sealed output again, directory", sealed_again, "again")
suite.case("sealed output again, tar", sealed_again, "again.tar")
suite.case("sealed with status 2, again", sealed_with_two)
suite.case("changed plan, directory", changed_plan, "changed")
suite.case("changed plan, tar", changed_plan, "changed.tar")
suite.case("corrected plan", corrected_plan)
suite.case("foreign file in the output", foreign_file)
suite.case("extract cut short", extract_interrupted)
suite.case("full disk, directory", full_disk, "out")
suite.case("full disk, tar", full_disk, "out.tar")
suite.case("full disk at the end, directory", full_at_every_size, "out")
suite.case("full disk at the end, tar", full_at_every_size, "out.tar")
suite.case("full target", full_target)
suite.case("full standard output", full_output)
suite.case("file size limit, directory", size_limit, "limit")
suite.case("file size limit, tar", size_limit, "limit.tar")
suite.case("exposed keys", exposed_key)
suite.case("wrong inputs", wrong_inputs)
suite.case("wrong plans", wrong_plans)
suite.case("wrong imports", wrong_imports)
suite.case("secrets", secrets_stay)
suite.finish()
