"""What the integration tests share: running the program, keys and plans, and counting cases."""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXEAT = os.path.abspath(os.environ.get("EXEAT", ROOT / ".build" / "debug" / "exeat"))
# What an import remembers of earlier ones is not to be mixed with that of the machine's user.
STATE = tempfile.TemporaryDirectory(prefix="exeat-state-")
os.environ["XDG_STATE_HOME"] = STATE.name


class Skipped(Exception):
    pass


class Cases:
    """Runs cases, prints a line for each, and ends the program with the count."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    @contextlib.contextmanager
    def case(self, name):
        try:
            yield
        except Skipped as reason:
            self.skipped += 1
            print(f"SKIPPED {name}: {reason}", flush=True)
        except Exception as error:
            self.failed += 1
            print(f"✘ {name}: {error}", flush=True)
            if not isinstance(error, AssertionError):
                traceback.print_exc(limit=-4)
        else:
            self.passed += 1
            print(f"✔ {name}", flush=True)

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        sys.exit(1 if self.failed or not self.passed else 0)


@contextlib.contextmanager
def scratch(prefix="exeat-"):
    """A directory that goes away, whatever modes and mounts a test left in it."""
    directory = tempfile.mkdtemp(prefix=prefix)
    try:
        yield directory
    finally:
        if os.environ.get("KEEP"):
            print(f"kept: {directory}")
        else:
            remove(directory)


def remove(path):
    # rm follows paths of any length, and asks nothing of modes when it is root.
    subprocess.run(["chmod", "-R", "u+rwx", path], stderr=subprocess.DEVNULL)
    subprocess.run(["rm", "-rf", "--one-file-system", path], stderr=subprocess.DEVNULL)


class Result:
    def __init__(self, process):
        self.status = process.returncode
        self.output = process.stdout
        self.errors = process.stderr.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.output)

    def expect(self, *statuses):
        text = self.errors[-1500:] + self.output[-1500:].decode("utf-8", "replace")
        assert self.status in statuses, f"status {self.status}, not {statuses}: {text}"
        return self


def run(*arguments, cwd=None, input=b"", timeout=300, user=None, environment=None, limits=None):
    """Runs a command. A process that ends by a signal has a negative status, as in Popen."""
    command = [str(argument) for argument in arguments]
    if user is not None:
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] + command
    return Result(subprocess.run(
        command, cwd=cwd, input=input, capture_output=True, timeout=timeout,
        env={**os.environ, **(environment or {})}, preexec_fn=limits))


def exeat(*arguments, **options):
    return run(EXEAT, *arguments, **options)


def keys(directory, name="signer", *options):
    exeat("keys", "new", name, *options, cwd=directory).expect(0)
    return os.path.join(directory, name)


def write(path, text):
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return path


def export_plan(directory, sources, encrypt_to=None, name="bag", sign="signer", file="export.yaml",
                extra=""):
    """`sources` maps a name to the lines of its settings, or to a path."""
    lines = ["exeat: 1", "run: { purpose: trial }", "sources:"]
    for source, settings in sources.items():
        lines += [f"  {source}:", "    kind: files"]
        lines += ["    " + line for line in (
            settings if isinstance(settings, list) else [f"path: {json.dumps(settings)}"])]
    lines += ["archive:", f"  name: {name}", f"  sign-with: {sign}"]
    if encrypt_to:
        lines.append(f"  encrypt-to: [ {encrypt_to} ]")
    return write(os.path.join(directory, file), "\n".join(lines) + "\n" + extra)


def import_plan(directory, targets, decrypt=None, file="import.yaml", trust="signer.trust.json",
                verify="digest"):
    lines = ["exeat: 1", f"trust: {trust}", "sign-with: signer"]
    if decrypt:
        lines.append(f"decrypt-with: {decrypt}")
    lines.append("targets:")
    for source, settings in targets.items():
        lines += [f"  {source}:", "    kind: files"]
        lines += ["    " + line for line in (
            settings if isinstance(settings, list) else [f"path: {json.dumps(settings)}"])]
    lines.append(f"verify: {verify}")
    return write(os.path.join(directory, file), "\n".join(lines) + "\n")


# MARK: - Trees

def holes_aware_digest(descriptor, size):
    """SHA-256 over runs of data that are not zeros, so that neither holes nor their layout count."""
    digest = hashlib.sha256(str(size).encode())
    position = 0
    while position < size:
        try:
            start = os.lseek(descriptor, position, os.SEEK_DATA)
        except OSError:
            break
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
        start -= start % 65536
        while start < end:
            block = os.pread(descriptor, 65536, start)
            if not block:
                break
            if block.count(0) != len(block):
                digest.update(start.to_bytes(8, "big") + hashlib.sha256(block.ljust(65536, b"\0")).digest())
            start += 65536
        position = max(end, start)
    return digest.hexdigest()




class Tree:
    """Everything that lstat, listxattr and the bytes tell about each object below a directory.

    Walks by descriptors: paths of the tree may be longer than a system call takes.
    """

    def __init__(self, root, content=True, skip=()):
        self.entries = {}
        self.groups = {}
        self.content = content
        self.skip = {os.fsencode(name) for name in skip}
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            self._add(b"", os.fstat(descriptor), descriptor, None, None)
            self._walk(descriptor, b"")
        finally:
            os.close(descriptor)
        for paths in list(self.groups.values()):
            for path in paths:
                self.entries[path]["group"] = tuple(sorted(paths))

    def _walk(self, directory, path):
        for name in sorted(os.listdir(b"/proc/self/fd/%d" % directory)):
            full = path + b"/" + name if path else name
            if full in self.skip:
                continue
            # Through /proc/self/fd a system call reaches any depth.
            near = b"/proc/self/fd/%d/%s" % (directory, name)
            status = os.lstat(near)
            if stat.S_ISDIR(status.st_mode):
                child = os.open(near, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    self._add(full, status, child, near, directory)
                    self._walk(child, full)
                finally:
                    os.close(child)
            else:
                self._add(full, status, None, near, directory)

    def _add(self, path, status, descriptor, near, parent):
        kind = stat.S_IFMT(status.st_mode)
        entry = {
            "type": kind, "mode": stat.S_IMODE(status.st_mode), "uid": status.st_uid,
            "gid": status.st_gid, "mtime": status.st_mtime_ns,
        }
        if descriptor is not None:
            names = os.listxattr(descriptor)
            entry["xattrs"] = {name: os.getxattr(descriptor, name) for name in names}
        else:
            names = os.listxattr(near, follow_symlinks=False)
            entry["xattrs"] = {
                name: os.getxattr(near, name, follow_symlinks=False) for name in names}
        # Labels of the machine's own security modules are not the tree's.
        entry["xattrs"] = {name: value for name, value in entry["xattrs"].items()
                           if not name.startswith("security.") or name == "security.capability"}
        if kind == stat.S_IFLNK:
            entry["target"] = os.readlink(near)
        if kind in (stat.S_IFCHR, stat.S_IFBLK):
            entry["device"] = status.st_rdev
        if kind == stat.S_IFREG:
            entry["size"] = status.st_size
            if self.content:
                file = os.open(near, os.O_RDONLY | os.O_NOFOLLOW)
                try:
                    entry["content"] = holes_aware_digest(file, status.st_size)
                finally:
                    os.close(file)
            entry["blocks"] = status.st_blocks
        self.entries[path] = entry
        if kind != stat.S_IFDIR and status.st_nlink > 1:
            self.groups.setdefault((status.st_dev, status.st_ino), []).append(path)

    def differences(self, other, ignore=()):
        """One line for each difference; how holes lie is no difference."""
        lines = []
        for path in sorted(self.entries.keys() | other.entries.keys()):
            mine, theirs = self.entries.get(path), other.entries.get(path)
            if mine is None or theirs is None:
                lines.append(f"{path[:80]!r}: {'extra' if mine is None else 'missing'}")
                continue
            for key in sorted(mine.keys() | theirs.keys()):
                if key == "blocks" or key in ignore:
                    continue
                if mine.get(key) != theirs.get(key):
                    lines.append(
                        f"{path[:80]!r}: {key} {str(mine.get(key))[:120]} != {str(theirs.get(key))[:120]}")
        return lines


def equal(source, target, **options):
    lines = Tree(source, **{k: v for k, v in options.items() if k != "ignore"}).differences(
        Tree(target), ignore=options.get("ignore", ()))
    assert not lines, f"{len(lines)} differences: " + "; ".join(lines[:12])


def listing(directory):
    """Names and content digests of all files below, to see that nothing changed there."""
    found = {}
    for folder, folders, files in os.walk(os.fsencode(directory)):
        for name in folders + files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            found[path] = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino)
    return found
