"""The trees that are exported: made once, the same on every machine of the same installation.

    mixed   what is on a server: programs, libraries and texts of this machine until three quarters
            are reached, then logs, then data that cannot be compressed (pictures, archives)
    big     four files of the same size: one of text, one of programs, two of random bytes
    small   files of 200 bytes to 8 KiB, evenly over the orders of magnitude, three levels deep
"""
import json
import os
import pathlib
import random
import shutil
import stat

import units

names = ("mixed", "big", "small")


def directory():
    return pathlib.Path(os.environ.get("EXEAT_BENCH_DIR", "/var/tmp/exeat-bench"))


def clean():
    shutil.rmtree(directory(), ignore_errors=True)


class Dataset:
    def __init__(self, name, path, facts):
        self.name = name
        self.path = path
        self.bytes = facts["bytes"]
        self.files = facts["files"]
        self.entries = facts["entries"]

    def __str__(self):
        return (f"{self.name}: {units.size(self.bytes)} in {units.number(self.files)} files, "
                f"{units.number(self.entries)} entries")


def dataset(name, size, count):
    """The tree of that name; `size` for mixed and big, `count` of files for small."""
    label = f"{name}-{count}" if name == "small" else f"{name}-{size >> 20}m"
    path, stamp = directory() / label, directory() / f"{label}.json"
    if not stamp.exists():
        print(f"making {path}", flush=True)
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        {"mixed": _mixed, "big": _big, "small": _small}[name](path, count if name == "small" else size)
        stamp.write_text(json.dumps(measure(path)))
    return Dataset(name, path, json.loads(stamp.read_text()))


def measure(path):
    """What is in a tree: entries without the top, regular files, and their bytes."""
    facts = {"entries": 0, "files": 0, "bytes": 0}
    for folder, folders, files in os.walk(path):
        facts["entries"] += len(folders) + len(files)
        for name in files:
            status = os.lstat(os.path.join(folder, name))
            if stat.S_ISREG(status.st_mode):
                facts["files"] += 1
                facts["bytes"] += status.st_size
    return facts


def _mixed(path, size):
    left = size * 3 // 4
    for root, share in (("/usr/bin", 0.2), ("/usr/share", 0.5), ("/usr/lib", 1.0)):
        left -= _copy(root, path / "system", int(left * share))
    _write_log(path / "logs", size // 8, 8)
    # What programs could not fill on a small machine is filled here.
    rest = left + size // 8
    (path / "media").mkdir()
    generator = random.Random(1)
    number = 0
    while rest > 0:
        length = min(rest, generator.randrange(64 << 10, 6 << 20))
        (path / "media" / f"{number:05}.jpg").write_bytes(generator.randbytes(length))
        rest -= length
        number += 1


def _copy(root, target, limit):
    """Copies in the order of names until `limit` bytes are there; returns how many are."""
    copied = 0
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            source = os.path.join(folder, name)
            status = os.lstat(source)
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
                continue
            if copied + status.st_size > limit:
                continue
            place = target / source.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copy2(source, place, follow_symlinks=False)
            except PermissionError:
                continue
            if stat.S_ISREG(status.st_mode):
                copied += status.st_size
        if limit - copied < 4096:
            break
    return copied


def _write_log(folder, size, count):
    folder.mkdir(parents=True)
    for number in range(count):
        with open(folder / f"access-{number:02}.log", "wb") as file:
            _log(file, size // count, random.Random(100 + number))


def _log(file, size, generator):
    """Lines as a web server writes them."""
    paths = [f"/api/{noun}/{verb}" for noun in ("patients", "stays", "acts", "images", "letters")
             for verb in ("list", "show", "update", "search?page=2", "export.pdf")]
    agents = ["Mozilla/5.0 (X11; Linux x86_64)", "curl/7.88.1", "python-requests/2.28",
              "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"]
    written, second = 0, 0
    while written < size:
        lines = []
        for _ in range(10_000):
            bits = generator.getrandbits(96)
            second += bits & 1
            lines.append(
                f"10.{bits & 7}.{bits >> 3 & 255}.{bits >> 11 & 255} - - "
                f"[{second // 86400 % 28 + 1:02}/Jun/2026:{second // 3600 % 24:02}:"
                f"{second // 60 % 60:02}:{second % 60:02} +0200] "
                f"\"GET {paths[(bits >> 20) % 25]}/{bits >> 30 & 0xfffff} HTTP/1.1\" "
                f"{(200, 200, 200, 304, 404)[(bits >> 50) % 5]} {bits >> 55 & 0xffff} "
                f"\"{agents[bits >> 75 & 3]}\" {(bits >> 80) / 1e6:.6f}\n")
        block = "".join(lines).encode()[:size - written]
        file.write(block)
        written += len(block)


def _big(path, size):
    part = size // 4
    with open(path / "events.log", "wb") as file:
        _log(file, part, random.Random(2))
    with open(path / "system.img", "wb") as file:
        _programs(file, part)
    for number in range(2):
        generator = random.Random(10 + number)
        with open(path / f"backup-{number}.tar.zst", "wb") as file:
            for start in range(0, part, 1 << 20):
                file.write(generator.randbytes(min(1 << 20, part - start)))


def _programs(file, size):
    """Programs and libraries of this machine one after the other, as in a disk image."""
    while file.tell() < size:
        before = file.tell()
        for root in ("/usr/bin", "/usr/lib"):
            for folder, folders, names in os.walk(root):
                folders.sort()
                for name in sorted(names):
                    source = os.path.join(folder, name)
                    if not os.path.isfile(source) or os.path.islink(source):
                        continue
                    with open(source, "rb") as program:
                        file.write(program.read(size - file.tell()))
                    if file.tell() >= size:
                        return
        if file.tell() == before:
            raise SystemExit("no programs to make a tree of")


def _small(path, count):
    generator = random.Random(3)
    text = pathlib.Path("/tmp") / f"exeat-bench-{os.getpid()}"
    with open(text, "wb") as file:
        _log(file, 16 << 20, random.Random(4))
    lines = text.read_bytes()
    text.unlink()
    for number in range(count):
        folder = path / f"{number // 10_000:02}" / f"{number // 100 % 100:02}"
        if number % 100 == 0:
            folder.mkdir(parents=True, exist_ok=True)
        length = int(200 * (8192 / 200) ** generator.random())
        if number % 5 == 4:
            content = generator.randbytes(length)
        else:
            start = generator.randrange(len(lines) - length)
            content = lines[start:start + length]
        (folder / f"document-{number:06}.xml").write_bytes(content)
