"""A disk like a small server's, and backups of it.

4 GiB: 45 % allocated, the rest holes (never written, or trimmed). Of what is allocated 55 % are files of
programs and libraries of this machine, 25 % text with values (logs, records), 15 % bytes that cannot
be compressed (images, archives), 5 % written zeros. Runs are from 16 KiB to 32 MiB long, most of the
bytes in long ones, as ext4 allocates; the seed is fixed, so that every disk has the same layout.
"""
import hashlib
import os
import pathlib
import random
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "Tests/Integration"))
import vma_writer  # noqa: E402

FILL = ("45 % allocated: of that 55 % programs and libraries, 25 % text, 15 % incompressible, 5 % zeros that were "
        "written; the rest holes")
SHARES = [("programs", 0.55), ("text", 0.25), ("noise", 0.15), ("zeros", 0.05)]


def make(path, size, seed=1):
    """Writes a sparse raw image; gives the bytes that are allocated."""
    chosen = random.Random(seed)
    programs = _programs()
    allocated = 0
    with open(path, "wb") as file:
        file.truncate(size)
        offset = 0
        while offset < size:
            length = min(size - offset, 4096 * int(4 * 2 ** chosen.uniform(0, 11)))
            kind = chosen.choices([name for name, _ in SHARES], [share for _, share in SHARES])[0]
            file.seek(offset)
            file.write(_content(kind, length, chosen, programs))
            allocated += length
            # So much of a hole that the allocated part stays what it is to be.
            gap = int(length * 55 / 45 * chosen.uniform(0.2, 1.8)) // 4096 * 4096
            offset += length + gap
    return allocated


def _programs():
    """An endless stream of the bytes of this machine's libraries."""
    paths = sorted(
        (path for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/bin", "/usr/share/perl")
         for path in pathlib.Path(folder).rglob("*")
         if path.is_file() and not path.is_symlink() and path.stat().st_size > 8192), key=str)
    while True:
        for path in paths:
            try:
                data = path.read_bytes()
            except OSError:
                continue
            # Files begin at blocks.
            yield data + bytes(-len(data) % 4096)


def _content(kind, length, chosen, programs):
    if kind == "zeros":
        return bytes(length)
    if kind == "noise":
        return chosen.randbytes(length)
    parts, have = [], 0
    while have < length:
        if kind == "programs":
            part = next(programs)
        else:
            number = chosen.getrandbits(40)
            part = b"".join(
                b"2026-11-%02d %02d:%02d:%02d srv%d app[%d]: patient %d result %.3f mmol/L status=%s\n" % (
                    1 + i % 28, i % 24, number * i % 60, i % 60, i % 7, 900 + i % 50, number * i % 999983,
                    (number + i * 7919) % 9973 / 13, (b"ok", b"checked", b"late")[i % 3])
                for i in range(600))
        parts.append(part)
        have += len(part)
    return b"".join(parts)[:length]


def backup(disk, path):
    """As vzdump writes it, compressed with zstd as `vzdump --compress zstd` does."""
    plain = path.with_suffix("")
    vma_writer.write_vma(
        str(plain), {"qemu-server.conf": b"name: bench\nmemory: 2048\nscsi0: local:vm-100-disk-0,size=4G\n"},
        [("drive-scsi0", str(disk))])
    subprocess.run(["zstd", "-q", "-f", "--rsyncable", "-T1", "--rm", str(plain), "-o", str(path)], check=True)


def allocated_only(disk, path):
    """The bytes of the extents alone, one behind the other."""
    with open(disk, "rb") as source, open(path, "wb") as target:
        end = os.fstat(source.fileno()).st_size
        offset = 0
        while offset < end:
            try:
                start = os.lseek(source.fileno(), offset, os.SEEK_DATA)
            except OSError:
                break
            stop = os.lseek(source.fileno(), start, os.SEEK_HOLE)
            left = stop - start
            while left:
                left -= os.sendfile(target.fileno(), source.fileno(), stop - left, min(left, 1 << 30))
            offset = stop
    return os.path.getsize(path)
