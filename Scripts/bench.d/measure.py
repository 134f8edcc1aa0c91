"""Runs a command and says what it cost."""
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time


@dataclasses.dataclass
class Cost:
    wall: float
    user: float
    system: float
    #: Peak resident bytes of the largest process.
    rss: int
    #: The part of all processors that others used meanwhile; some of it is the kernel's writeback.
    others: float

    @property
    def cpu(self):
        return self.user + self.system


def run(script, folder, environment=None, expect=0):
    """Runs a script of sh. The time includes everything that it starts, to the last `wait`.

    CPU seconds are those of all its processes. GNU time starts the shell, so that the size of this
    Python is in no number.
    """
    report = pathlib.Path(folder) / "time.txt"
    errors = pathlib.Path(folder) / "errors.txt"
    command = ["/usr/bin/time", "-o", str(report), "-f", "%U %S %M", "sh", "-c", "set -e\n" + script]
    busy = _busy()
    began = time.monotonic()
    with open(errors, "wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0)
        try:
            status = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
    wall = time.monotonic() - began
    busy = _busy() - busy
    if status != expect:
        sys.exit(f"status {status} of: {script}\n{errors.read_text(errors='replace')[-2000:]}")
    user, system, rss = report.read_text().split()[-3:]
    others = (busy - float(user) - float(system)) / (wall * os.cpu_count())
    return Cost(wall, float(user), float(system), int(rss) << 10, max(0.0, min(1.0, others)))


def _busy():
    """Seconds that the processors worked since the machine started, stolen time included."""
    numbers = [int(word) for word in pathlib.Path("/proc/stat").read_text().split()[1:9]]
    idle, waiting = numbers[3:5]
    return (sum(numbers) - idle - waiting) / os.sysconf("SC_CLK_TCK")


def remove(path):
    """Removes a file or a tree, whatever its rights."""
    path = pathlib.Path(path)
    if path.is_dir() and not path.is_symlink():
        subprocess.run(["rm", "-rf", "--", str(path)], check=True)
    elif path.exists() or path.is_symlink():
        path.unlink()


def fresh(parent):
    """A new folder for one run, of a name that no run had, in a parent of its own.

    ext4 without a journal does not give away the inodes of files deleted in the last minutes, and
    looks at each of them again for every file it creates: extraction is ten times slower where
    another tool's files were removed. Below a folder with the attribute T it spreads folders.
    """
    parent = pathlib.Path(parent)
    if not parent.exists():
        parent.mkdir(parents=True)
        subprocess.run(["chattr", "+T", str(parent)], stderr=subprocess.DEVNULL, check=False)
    folder = parent / f"{time.time_ns():x}"
    folder.mkdir()
    return folder


def stored(path):
    """The bytes of the files in a tree, or of one file."""
    path = pathlib.Path(path)
    if path.is_file():
        return path.stat().st_size
    return sum(entry.lstat().st_size for entry in path.rglob("*") if entry.is_file())


def settle():
    """Brings what others wrote to the disk, so that the next command does not pay for it."""
    os.sync()


def drop_caches():
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")


def warm(path):
    """Reads everything once."""
    path = pathlib.Path(path)
    files = [path] if path.is_file() else (entry for entry in path.rglob("*"))
    for entry in files:
        if entry.is_file() and not entry.is_symlink():
            with open(entry, "rb", buffering=0) as file:
                while file.read(1 << 20):
                    pass


def can_drop_caches():
    return os.access("/proc/sys/vm/drop_caches", os.W_OK)


def need(*programs):
    absent = [program for program in programs if not shutil.which(program)]
    if absent:
        sys.exit(f"missing: {', '.join(absent)}; install with: Scripts/setup --bench")


def machine():
    """Facts of the machine, as pairs of words."""
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    kernel = os.uname()
    return [
        ("processor", f"{model}, {len(os.sched_getaffinity(0))} cores"),
        ("memory", f"{memory / 2**30:.0f} GiB"),
        ("kernel", f"{kernel.sysname} {kernel.release} {kernel.machine}"),
    ]


def version(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    text = (result.stdout or result.stderr).strip()
    return text.splitlines()[0] if text else "unknown"
