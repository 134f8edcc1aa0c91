"""What the robustness tests share: a small world of keys, plans and trees, and ways to run exeat.

Python 3 and its standard library only. $EXEAT names the binary; .build/debug/exeat otherwise.
"""
import collections
import json
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXEAT = os.path.abspath(os.environ.get("EXEAT", os.path.join(ROOT, ".build/debug/exeat")))

Result = collections.namedtuple("Result", "status out err")
# What an import remembers of earlier ones is not to be mixed with that of the machine's user.
STATE = tempfile.TemporaryDirectory(prefix="exeat-state-")
os.environ["XDG_STATE_HOME"] = STATE.name


class Skip(Exception):
    """The machine cannot do what a case needs."""


class World:
    """A directory with two key pairs, thrown away at the end."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="robustness-")
        os.chmod(self.path, 0o755)
        for name in ("ours", "other"):
            assert self.run("keys", "new", f"keys/{name}").status == 0
        self.recipient = open(self.at("keys/ours.agepub")).read().strip()
        self.trust = self.at("keys/ours.trust.json")
        self.identity = self.at("keys/ours.agekey")

    def at(self, name):
        return os.path.join(self.path, name)

    def write(self, name, content=b"", mode=None):
        path = self.at(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        if mode is not None:
            os.chmod(path, mode)
        return path

    def remove(self, *names):
        # What was signed about a tar lies beside it.
        for name in [*names, *(re.sub(r"\.tar$", "", name) + ".proof" for name in names)]:
            path = self.at(name)
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path, ignore_errors=True)
            elif os.path.lexists(path):
                os.unlink(path)

    def command(self, *arguments, user=None):
        words = [EXEAT, *map(str, arguments)]
        if user:
            words = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] + words
        return words

    def run(self, *arguments, user=None, timeout=300, env=None, cwd=None, prefix=(), stdin=None):
        environment = dict(os.environ, **(env or {}))
        done = subprocess.run(
            [*prefix, *self.command(*arguments, user=user)], cwd=cwd or self.path, timeout=timeout,
            env=environment, stdin=stdin or subprocess.DEVNULL, capture_output=True)
        return Result(done.returncode, done.stdout, done.stderr.decode(errors="replace"))

    def start(self, *arguments, user=None, prefix=(), stdout=subprocess.DEVNULL, env=None):
        return subprocess.Popen(
            [*prefix, *self.command(*arguments, user=user)], cwd=self.path,
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
            env=dict(os.environ, **(env or {})))

    def plan(self, name, source, *, encrypt=True, extra="", limits="", archive=""):
        """An export plan of one tree named `tree`."""
        seal = f', encrypt-to: ["{self.recipient}"]' if encrypt else ""
        text = (
            "exeat: 1\nrun: { purpose: trial }\nsources:\n"
            f"  tree: {{ kind: files, path: {self.at(source)}{extra} }}\n"
            f"archive: {{ name: trial, sign-with: {self.at('keys/ours')}{seal}{archive} }}\n")
        if limits:
            text += f"limits: {{ {limits} }}\n"
        return self.write(name, text)

    def import_plan(self, name, target, extra="", trust=None):
        return self.write(
            name,
            f"exeat: 1\ntrust: {trust or self.trust}\ndecrypt-with: {self.identity}\n"
            f"sign-with: {self.at('keys/ours')}\n"
            f"targets:\n  tree: {{ kind: files, path: {self.at(target)}{extra} }}\n")

    def verify(self, archive):
        return self.run("verify", self.at(archive), "--trust", self.trust)

    def imported(self, archive, target="target", status=0):
        """Imports into a fresh target and gives back the result; checks the status."""
        self.remove(target, "work")
        plan = self.import_plan("import-check.yaml", target)
        result = self.run("import", self.at(archive), plan, "--work", self.at("work"), "--json")
        expect(result.status == status, f"import ended with {result.status}: {result.err}")
        return json.loads(result.out)

    def journal(self, archive):
        with open(self.at(archive) + "/exeat/journal.jsonl") as file:
            return [json.loads(line) for line in file]

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)


def expect(condition, message="not as expected"):
    if not condition:
        raise AssertionError(message)


def tree_of(root):
    """Type, mode, owner, time, content or target of everything below a directory."""
    seen = {}
    for directory, names, files in os.walk(root):
        for name in names + files:
            path = os.path.join(directory, name)
            status = os.lstat(path)
            content = None
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                content = content_of(path)
            seen[os.path.relpath(path, root)] = (
                status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, content)
    return seen


def content_of(path):
    import hashlib
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def make_tree(root, megabytes=60, small=300, big=False, sparse=False, seed=1):
    """A tree that needs several segments."""
    chance = random.Random(seed)
    for number in range(small):
        folder = os.path.join(root, "small", f"{number % 12:02}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"file {number}"), "wb") as file:
            file.write(chance.randbytes(chance.randrange(4000)))
    os.makedirs(os.path.join(root, "data"), exist_ok=True)
    for number in range(megabytes):
        with open(os.path.join(root, "data", f"block-{number:03}"), "wb") as file:
            file.write(chance.randbytes(1_000_000))
    if megabytes:
        os.link(os.path.join(root, "data/block-000"), os.path.join(root, "zz-second-name"))
    os.symlink("data/block-000", os.path.join(root, "link"))
    if big:
        # More than one segment holds, yet quick to compress.
        block = (b"patient 4711 ward 12;" * 50_000)[:1_000_000]
        with open(os.path.join(root, "large"), "wb") as file:
            for _ in range(270):
                file.write(block)
    if sparse:
        with open(os.path.join(root, "sparse"), "wb") as file:
            file.truncate(600 << 20)
            for place in (5 << 20, 300 << 20, (500 << 20) + 12345):
                file.seek(place)
                file.write(chance.randbytes(2_000_000))
    return root


def check_export_ended_well(world, archive, *, tar=False, expected=0):
    """Sealed once, verified, each segment committed once, nothing left behind."""
    path = world.at(archive)
    result = world.verify(archive)
    expect(result.status == 0, f"verify ended with {result.status}: {result.out.decode()}"
           + result.err)
    parent = os.path.dirname(path)
    stray = [n for n in os.listdir(parent) if n.startswith(os.path.basename(path) + ".")
             and n != os.path.basename(path) + ".tar"]
    expect(not stray, f"left beside the archive: {stray}")
    folder = path
    if tar:
        folder = world.at("unpacked")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        subprocess.run(["tar", "xf", path, "-C", folder, "--strip-components=1"], check=True)
    for directory, names, files in os.walk(folder):
        for name in names + files:
            expect(".partial" not in name and name != ".exeat-run", f"left behind: {name}")
    with open(folder + "/exeat/journal.jsonl") as file:
        lines = [json.loads(line) for line in file]
    places = [(l["s"], l["a"], l["n"]) for l in lines if l["ev"] == "segment.committed"]
    expect(len(places) == len(set(places)), "a segment was committed twice")
    completed = [l for l in lines if l["ev"] == "run.completed"]
    expect(len(completed) == 1, f"completed {len(completed)} times")
    expect(lines[-1]["ev"] == "run.completed", f"the journal ends with {lines[-1]['ev']}")
    expect(lines[-1]["status"] == expected, f"sealed with status {lines[-1]['status']}")
    if tar:
        shutil.rmtree(folder)
    return lines


def kill_after(process, delay, sign=signal.SIGKILL):
    """Sends a signal after a delay unless the process ends before; gives back its status."""
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        process.send_signal(sign)
    process.wait()
    process.stderr.close()
    return process.returncode


class Suite:
    """Runs cases, prints a line for each, and counts."""

    def __init__(self):
        self.world = World()
        self.passed = self.failed = self.skipped = 0

    def case(self, name, body, *arguments):
        if len(sys.argv) > 1 and not any(word in name for word in sys.argv[1:]):
            return
        began = time.time()
        try:
            body(self.world, *arguments)
            self.passed += 1
            verdict = "passed"
        except Skip as reason:
            self.skipped += 1
            verdict = f"SKIPPED ({reason})"
        except (AssertionError, subprocess.SubprocessError, OSError, ValueError, KeyError) as error:
            self.failed += 1
            verdict = f"FAILED: {error!r}" if not isinstance(error, AssertionError) else \
                f"FAILED: {error}"
        print(f"{name}: {verdict} [{time.time() - began:.1f} s]", flush=True)

    def finish(self):
        if not os.environ.get("KEEP"):
            self.world.close()
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        sys.exit(1 if self.failed else 0)
