#!/usr/bin/env python3
"""Wrong inputs, plans and imports, wrong places and clocks, and keys that others can read, are refused before anything is
written; secrets stay secret."""
import json
import os
import re
import shutil
import subprocess
import time

from robustness_kit import *


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


def nothing_into_the_archive(world):
    """One more file in it, and it is not what was sealed any more."""
    archive = sealed(world)
    plan = world.import_plan("import.yaml", "never")
    signing = ["--trust", world.trust, "--decrypt-with", world.identity, "--sign-with",
               world.at("keys/ours")]
    cases = [
        (64, ["--work"], ["import", ".", plan]),
        (64, ["--work"], ["import", archive, plan, "--work", archive + "/data/work"]),
        (1, ["target"], ["import", archive, world.import_plan("inside.yaml", "sealed/new"), "--work",
                         world.at("never")]),
        (64, ["--to"], ["extract", ".", "--to", "new", "--trust", world.trust, "--decrypt-with",
                        world.identity]),
        (64, ["--work"], ["rehearse", ".", *signing]),
        (64, ["--output"], ["export", world.plan("other.yaml", "little"), "--output", "data/new"]),
        (64, ["--output"], ["export", world.plan("other.yaml", "little"), "--output", "new.tar"]),
        (64, ["Keep keys"], ["keys", "new", "keys/new"]),
        (64, ["--output"], ["report", ".", "--trust", world.trust, "--output", "report.html"]),
    ]
    for status, words, arguments in cases:
        result = world.run(*arguments, cwd=archive)
        expect(result.status == status, f"{arguments[0]} ended with {result.status}: {result.err}")
        for word in [*words, "lies in the archive"]:
            expect(word in result.err, f"does not say {word!r}: {result.err}")
        expect(world.verify(archive).status == 0, f"{arguments[0]} changed the archive")
    expect(not os.path.exists(world.at("never")), "something was written")


def clock_behind_the_seal(world):
    """A receipt older than the seal would make the archive that bears it not good."""
    compiler = shutil.which("cc") or shutil.which("clang")
    if not compiler:
        raise Skip("no compiler of C")
    clock = world.at("clock.so")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", clock, "-x", "c", "-"], check=True, input=b"""
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <time.h>
        int clock_gettime(clockid_t id, struct timespec *time) {
            int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
            int status = real(id, time);
            if (id == CLOCK_REALTIME) time->tv_sec -= 7200;
            return status;
        }""")
    behind = dict(os.environ, LD_PRELOAD=clock)
    archive = sealed(world)
    commands = [["import", archive, world.import_plan("import.yaml", "never"), "--work",
                 world.at("work")],
                ["rehearse", archive, "--trust", world.trust, "--decrypt-with", world.identity,
                 "--sign-with", world.at("keys/ours"), "--work", world.at("work")]]
    for command in commands:
        result = world.run(*command, env=behind)
        expect(result.status == 3 and "clock of this machine" in result.err,
               f"{result.status} {result.err}")
    expect(not os.path.exists(world.at("never")), "something was written")
    expect(world.verify(archive).status == 0, "the archive was changed")


def results_that_nobody_keeps(world):
    archive = sealed(world)
    command = world.command("verify", archive, "--trust", world.trust, "--json")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE)
    expect(done.returncode == 1 and b"cannot write the results" in done.stderr,
           f"{done.returncode} {done.stderr}")
    # Who has read enough of them closes the pipe.
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    expect(done.returncode == 0, f"{done.returncode} {done.stderr}")


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
    # Names that mean nothing, or something else than they seem to.
    os.symlink("nowhere", world.at("dangling"))
    for output, status, words in (("", 64, "no name"), ("/dev/stdout", 1, "does not lead to one"), ("/dev/fd/1", 1, "not a directory"),
                                  (world.at("dangling"), 1, "does not lead to one")):
        refused(world, status, words, "- for standard output",
                arguments=["export", world.at("base.yaml"), "--output", output])
    # Folders that are missing are made, and told.
    result = world.run("export", world.at("base.yaml"), "--output", world.at("new/folder/out"))
    expect(result.status == 0 and f'made the folder "{world.at("new/folder")}"' in result.err, result.err)
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


def corrected_imports(world):
    """A plan may be corrected as long as nothing has begun, without another --work; then no longer."""
    path = sealed(world)
    world.remove("full", "work", "target")
    world.write("full/of", "things")
    command = ["import", path, world.at("import.yaml"), "--work", world.at("work")]
    for extra, status, words in ((", map: { users: { root: nobody-of-that-name } }", 1, "knows no user"),
                                 ("", 1, "not empty"), (", existing: add", 2, "")):
        world.import_plan("import.yaml", "full", extra=extra)
        result = world.run(*command)
        expect(result.status == status and words in result.err, f"{result.status} {result.err}")
    expect(os.path.exists(world.at("full/data")), "nothing was imported")
    world.import_plan("import.yaml", "target")
    result = world.run(*command)
    expect(result.status == 1 and "belongs to another import" in result.err, f"{result.status} {result.err}")


def refused_last(world):
    """Where the last of several sources is refused, none has begun: the plan may be corrected."""
    world.remove("several", "full", "work", "in", "state", "disk.raw")
    world.write("full/of", "things")
    world.write("etc/some.conf", "a = b\n")
    world.write("log/some.log", "2026-01-02T03:04:05Z something\n")
    world.write("disk.raw", b"x" * (1 << 20))
    tree = f"path: {world.at('little')}"
    plan = world.write(
        "several.yaml",
        "exeat: 1\nrun: { purpose: trial }\nsources:\n"
        f"  first: {{ kind: files, {tree} }}\n"
        f"  conf: {{ kind: configs, root: {world.at('.')}, paths: [ /etc ] }}\n"
        f"  logs: {{ kind: logs, text: [ {world.at('log/*.log')} ] }}\n"
        f"  disk: {{ kind: disks, images: {{ one: {world.at('disk.raw')} }} }}\n"
        f"  last: {{ kind: files, {tree} }}\n"
        f"archive: {{ name: several, sign-with: {world.at('keys/ours')} }}\n")
    result = world.run("export", plan, "--output", world.at("several"))
    expect(result.status in (0, 2), f"{result.status} {result.err}")

    def run(last, parent="in"):
        plan = world.write(
            "import-several.yaml",
            f"exeat: 1\ntrust: {world.trust}\nsign-with: {world.at('keys/ours')}\ntargets:\n"
            f"  first: {{ kind: files, path: {world.at(parent)}/first }}\n"
            f"  conf: {{ kind: configs, directory: {world.at(parent)}/conf, compare: false }}\n"
            f"  logs: {{ kind: logs, directory: {world.at(parent)}/logs, text: {{ format: [ files, ndjson ] }} }}\n"
            f"  disk: {{ kind: directory, path: {world.at(parent)}/disk, format: raw }}\n"
            f"  last: {{ kind: files, path: {world.at(last)} }}\n")
        return world.run("import", world.at("several"), plan, "--work", world.at("work"))

    for parent in ("elsewhere", "in", "in"):
        result = run("full", parent)
        expect(result.status == 1 and "full\" is not empty" in result.err, f"{result.status} {result.err}")
        made = [name for _, _, names in os.walk(world.at(parent)) for name in names]
        expect(made == [], f"the targets hold {made}")
    expect(os.listdir(world.at("full")) == ["of"], "the target was written to")
    result = run("in/last")
    expect(result.status in (0, 2), f"{result.status} {result.err}")
    expect(open(world.at("in/logs/text") + world.at("log/some.log")).read().startswith("2026"))
    expect(os.path.getsize(world.at("in/disk/one.raw")) == 1 << 20, os.listdir(world.at("in/disk")))
    expect(tree_of(world.at("in/last")) == tree_of(world.at("in/first")), "the trees differ")
    result = run("in/other")
    expect(result.status == 1 and "belongs to another import" in result.err, f"{result.status} {result.err}")


def no_threads(world):
    """Where no more threads are to be had it ends with a message, at once: the runtime would wait for ever."""
    world.remove("out")
    plan = world.plan("plan.yaml", "little")
    expect(world.run("export", plan, "--output", world.at("out")).status == 0)
    verify = ["verify", world.at("out"), "--trust", world.trust]
    # A limit counts what else the user runs: this one runs nothing.
    for most, status in ((2, 1), (3, 1), (5, 1), (500, 0)):
        result = world.run(*verify, user=61234, prefix=["prlimit", f"--nproc={most}:{most}"], timeout=60)
        expect(result.status == status, f"{most}: {result.status} {result.err}")
        expect(status == 0 or "threads" in result.err and "hint: Raise the limit" in result.err, result.err)


def no_descriptors(world):
    """Where no more files can be opened, nothing is left out for that: the run fails, and is resumed."""
    world.remove("deep", "out", "target", "work")
    os.makedirs(world.at("deep/" + "d/" * 60))
    world.write("deep/" + "d/" * 60 + "file", "far down")
    plan = world.plan("plan.yaml", "deep", extra=", accept: [unreadable, vanished]")
    command = ["export", plan, "--output", world.at("out")]
    for most in (12, 20, 30, 50):
        result = world.run(*command, prefix=["prlimit", f"--nofile={most}:{most}"])
        expect(result.status == 1 and "too many open files" in result.err and "ulimit -n" in result.err,
               f"{most}: {result.status} {result.err}")
    # A limit that the user may raise is raised.
    result = world.run(*command, prefix=["prlimit", "--nofile=20:4096"])
    expect(result.status == 0, f"{result.status} {result.err}")
    world.imported("out")
    expect(open(world.at("target/" + "d/" * 60 + "file")).read() == "far down")
    result = world.run("import", world.at("out"), world.import_plan("import.yaml", "target"), "--work",
                       world.at("work"), prefix=["prlimit", "--nofile=16:16"])
    expect(result.status == 1 and "too many open files" in result.err, f"{result.status} {result.err}")


def closed_standard_files(world):
    """What is printed never goes to a file of the run that got the number of a closed output."""
    plan = world.plan("plan.yaml", "little")
    for closed in (">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"):
        world.remove("out", "target", "work")
        commands = [["export", plan, "--output", world.at("out")],
                    ["verify", world.at("out"), "--trust", world.trust],
                    ["import", world.at("out"), world.import_plan("import.yaml", "target"), "--work",
                     world.at("work")]]
        for command in commands:
            line = " ".join(world.command(*command)) + " " + closed
            done = subprocess.run(["sh", "-c", line], cwd=world.path, capture_output=True, timeout=120)
            expect(done.returncode == 0, f"{closed}: {command[0]}: {done.returncode} {done.stderr}")
        expect(world.verify("out").status == 0, f"{closed}: the archive was changed")
    line = " ".join(world.command("export", plan, "--output", "-")) + " >&-"
    done = subprocess.run(["sh", "-c", line], cwd=world.path, capture_output=True, timeout=120)
    expect(done.returncode == 1 and b"cannot write" in done.stderr, f"{done.returncode} {done.stderr}")


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
    _, err = process.communicate(timeout=300)
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
make_tree(world.at("little"), megabytes=2, small=20)
suite.case("exposed keys", exposed_key)
suite.case("wrong inputs", wrong_inputs)
suite.case("nothing goes into the archive", nothing_into_the_archive)
suite.case("clock behind the seal", clock_behind_the_seal)
suite.case("results that nobody keeps", results_that_nobody_keeps)
suite.case("wrong plans", wrong_plans)
suite.case("wrong imports", wrong_imports)
suite.case("corrected imports", corrected_imports)
suite.case("refused last", refused_last)
suite.case("no threads", no_threads)
suite.case("no descriptors", no_descriptors)
suite.case("closed standard files", closed_standard_files)
suite.case("secrets", secrets_stay)
suite.finish()
