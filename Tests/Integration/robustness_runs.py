#!/usr/bin/env python3
"""Interruptions, locks, and outputs that are there already."""
import json
import os
import signal
import subprocess
import time

from robustness_kit import *

SLOW = "workers: 1, bandwidth: 12MiB/s"


def wait_for(path, text, count=1, seconds=120):
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


def stop_and_read(process, sign, seconds=20):
    process.send_signal(sign)
    began = time.time()
    _, err = process.communicate(timeout=120)
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


def terminal_gone(world):
    """The end of a terminal is told by the shell and by the kernel: two signals are one request."""
    world.remove("out")
    plan = world.plan("plan.yaml", "tree", limits=SLOW)
    process = world.start("export", plan, "--output", world.at("out"))
    wait_for(journal_path(world, "out"), "segment.committed")
    process.send_signal(signal.SIGHUP)
    status, err = stop_and_read(process, signal.SIGHUP)
    expect(status == 130 and "same command again" in err, f"{status} {err}")


def terminal_gone_unheeded(world):
    """Under nohup the end of the terminal is nothing to the run."""
    world.remove("out")
    plan = world.plan("plan.yaml", "tree", limits=SLOW)
    ignoring = ["env", "--ignore-signal=HUP"]
    process = world.start("export", plan, "--output", world.at("out"), prefix=ignoring)
    wait_for(journal_path(world, "out"), "segment.committed")
    status, err = stop_and_read(process, signal.SIGHUP, 120)
    expect(status == 0, f"{status} {err}")


def patterns_at_their_lines(world):
    """Each pattern that cannot be read is told at its own line."""
    plan = world.plan("plan.yaml", "little")
    with open(plan) as file:
        text = file.read()
    one, two = "{ paths: [", "], reason: r }"
    exclude = (f"\n    exclude:\n      - {one}'*.tmp',\n          'a//b'{two}\n"
               f"      - {one}\n          ''{two}\n")
    text = text.replace(f"  tree: {{ kind: files, path: {world.at('little')} }}\n",
                        f"  tree:\n    kind: files\n    path: {world.at('little')}{exclude}")
    with open(plan, "w") as file:
        file.write(text)
    result = world.run("plan", plan)
    expect(result.status == 1, f"{result.status} {result.err}")
    for line in (text[:text.index(word)].count("\n") + 1 for word in ("'a//b'", "''")):
        expect(f":{line}:11: " in result.err, result.err)


def no_file(world):
    """A pipe or a link to nowhere is no archive that could be verified again."""
    plan = world.plan("plan.yaml", "little")
    os.mkfifo(world.at("pipe.tar"))
    os.symlink("nowhere", world.at("link.tar"))
    for output in ("pipe.tar", "link.tar"):
        result = world.run("export", plan, "--output", world.at(output))
        expect(result.status == 1 and "is not a file" in result.err, f"{result.status} {result.err}")


def interrupted_twice(world):
    """The second signal ends the process at once; the same command resumes all the same."""
    world.remove("out")
    plan = world.plan("plan.yaml", "tree", limits=SLOW)
    process = world.start("export", plan, "--output", world.at("out"))
    wait_for(journal_path(world, "out"), "segment.committed")
    process.send_signal(signal.SIGINT)
    status, _ = stop_and_read(process, signal.SIGINT, 10)
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
    status, err = stop_and_read(process, signal.SIGTERM, 10)
    expect(status == 130, f"ended with {status}: {err}")
    world.remove("out")


def interrupted_stream(world):
    temporary = world.at("tmp")
    os.makedirs(temporary, exist_ok=True)
    plan = world.plan("plan.yaml", "tree", limits=SLOW)
    with open(world.at("stream.tar"), "wb") as output:
        process = world.start("export", plan, "--output", "-", stdout=output,
                              env={"TMPDIR": temporary})
        deadline = time.time() + 60
        while os.path.getsize(world.at("stream.tar")) == 0 and process.poll() is None and time.time() < deadline:
            time.sleep(0.01)
        status, err = stop_and_read(process, signal.SIGINT)
    expect(status == 130, f"ended with {status}: {err}")
    expect(os.listdir(temporary) == [], f"left {os.listdir(temporary)}")
    expect(world.verify("stream.tar").status == 3, "a short stream is called good")
    with open(world.at("stream.tar"), "wb") as output:
        process = world.start("export", world.plan("plan.yaml", "tree"), "--output", "-",
                              stdout=output, env={"TMPDIR": temporary})
        process.communicate(timeout=300)
    expect(process.returncode == 0 and os.listdir(temporary) == [], "a whole stream")
    with open(world.at("stream.tar"), "rb") as stream:
        result = world.run("verify", "-", "--trust", world.trust, stdin=stream)
    expect(result.status == 0, result.err)
    expect(b"what passes through standard input is not decoded" in result.out, result.out)
    # A reader that goes away.
    process = subprocess.Popen(
        world.command("export", world.plan("plan.yaml", "tree"), "--output", "-"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, TMPDIR=temporary))
    process.stdout.read(1000)
    process.stdout.close()
    err = process.stderr.read().decode()
    expect(process.wait(120) == 1, f"ended with {process.returncode}")
    expect("pipe" in err, err)
    expect(os.listdir(temporary) == [], f"left {os.listdir(temporary)}")
    result = world.run("export", world.plan("plan.yaml", "not-there"), "--output", "-",
                       env={"TMPDIR": temporary})
    expect(result.status == 1 and os.listdir(temporary) == [], f"left {os.listdir(temporary)}")


def second_process(world, output):
    world.remove(output, output + ".exeat-run")
    plan = world.plan("plan.yaml", "tree", limits="workers: 1, bandwidth: 5MiB/s")
    command = ["export", plan, "--output", world.at(output)]
    first = world.start(*command)
    wait_for(journal_path(world, output), "source.inventoried")
    for number in range(5):
        second = world.run(*command)
        if number and first.poll() is not None:
            break
        expect(second.status == 1, f"ended with {second.status}: {second.err}")
        expect("another process" in second.err and "hint" in second.err, second.err)
    _, err = first.communicate(timeout=300)
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
            _, err = process.communicate(timeout=300)
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


def two_imports_into_one_target(world):
    """What the other one makes is never taken for an import's own, not even when it is resumed."""
    world.remove("out", "other", "target", "work", "work-2")
    for output, source in (("out", "tree"), ("other", "little")):
        expect(world.run("export", world.plan("plan.yaml", source), "--output",
                         world.at(output)).status == 0)
    slow = world.write("slow.yaml", open(world.import_plan("import.yaml", "target")).read()
                       + "limits: { bandwidth: 20MiB/s }\n")
    ours = ["import", world.at("out"), slow, "--work", world.at("work")]
    theirs = ["import", world.at("other"), world.import_plan("import.yaml", "target"), "--work",
              world.at("work-2")]
    # Both find the target empty: the first one has not made anything yet.
    world.remove("target")
    os.makedirs(world.at("target"))
    first = world.start(*ours)
    wait_for(world.at("work/source-0/begun"), "")
    for _ in range(2):
        second = world.run(*theirs)
        expect(second.status == 1 and ("another import is writing" in second.err
                                       or "not empty" in second.err), f"{second.status} {second.err}")
    expect(first.wait(120) == 0, "the first one does not end well")
    second = world.run(*theirs)
    expect(second.status == 1 and "not empty" in second.err, f"{second.status} {second.err}")
    expect(tree_of(world.at("target")) == tree_of(world.at("tree")), "differs")


def two_sources_into_one_target(world):
    world.remove("out", "target", "work")
    plan = world.plan("plan.yaml", "little")
    text = open(plan).read()
    line = next(line for line in text.splitlines() if "kind: files" in line)
    other = line.replace(line.split(":")[0].strip() + ":", "second:", 1).replace("/little", "/tree")
    expect(world.run("export", world.write("plan.yaml", text.replace(line, line + "\n" + other)),
                     "--output", world.at("out")).status == 0)
    text = open(world.import_plan("import.yaml", "target")).read()
    line = next(line for line in text.splitlines() if "kind: files" in line)
    other = line.replace(line.split(":")[0].strip() + ":", "second:", 1)
    both = world.write("import.yaml", text.replace(line, line + "\n" + other))
    result = world.run("import", world.at("out"), both, "--work", world.at("work"))
    expect(result.status == 1 and "another import is writing" in result.err,
           f"{result.status} {result.err}")
    expect(not os.listdir(world.at("target")), "something was written")


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
        _, err = process.communicate(timeout=300)
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

suite = Suite()
world = suite.world
make_tree(world.at("tree"), megabytes=30, small=60)
make_tree(world.at("little"), megabytes=2, small=20)
for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    suite.case(f"{sign.name}, directory", interrupted, sign, "out")
suite.case("SIGINT, tar", interrupted, signal.SIGINT, "out.tar")
suite.case("SIGINT twice", interrupted_twice)
suite.case("outputs that are no file", no_file)
suite.case("SIGHUP twice", terminal_gone)
suite.case("SIGHUP under nohup", terminal_gone_unheeded)
suite.case("patterns at their lines", patterns_at_their_lines)
suite.case("SIGTERM under a low bandwidth", interrupted_slow)
suite.case("SIGINT and broken pipes, stream", interrupted_stream)
suite.case("second process, directory", second_process, "out")
suite.case("second process, tar", second_process, "out.tar")
suite.case("six at once, directory", crowd, "crowd")
suite.case("six at once, tar", crowd, "crowd.tar")
suite.case("second import, and SIGINT", second_import)
suite.case("two imports into one target", two_imports_into_one_target)
suite.case("two sources into one target", two_sources_into_one_target)
suite.case("sealed output again, directory", sealed_again, "again")
suite.case("sealed output again, tar", sealed_again, "again.tar")
suite.case("sealed with status 2, again", sealed_with_two)
suite.case("changed plan, directory", changed_plan, "changed")
suite.case("changed plan, tar", changed_plan, "changed.tar")
suite.case("corrected plan", corrected_plan)
suite.case("foreign file in the output", foreign_file)
suite.case("extract cut short", extract_interrupted)
suite.finish()
