"""Journals for tests: made by systemd-journal-remote, read by journalctl, damaged by hand.

The canonical form of docs/FORMAT.md, 15.1 is written here a second time, in another language and from the page
alone: what the program seals is held against it.
"""
import hashlib
import os
import random
import struct
import subprocess
import uuid

REMOTE = next((path for path in ("/usr/lib/systemd/systemd-journal-remote", "/lib/systemd/systemd-journal-remote")
               if os.path.exists(path)), None)
DATA, FIELD, ENTRY, ARRAY, TAG = 1, 2, 3, 6, 7


def is_text(value):
    try:
        return all(c == "\t" or (c >= " " and not "\x7f" <= c <= "\x9f") for c in value.decode())
    except UnicodeDecodeError:
        return False


def entry(machine, boot, realtime, monotonic, fields):
    """One entry in the export format; `fields` are pairs of a name and bytes or text."""
    head = f"__REALTIME_TIMESTAMP={realtime}\n__MONOTONIC_TIMESTAMP={monotonic}\n_BOOT_ID={boot}\n"
    parts = [head.encode()]
    for name, value in [("_MACHINE_ID", machine), *fields]:
        value = value.encode() if isinstance(value, str) else value
        if is_text(value):
            parts.append(name.encode() + b"=" + value + b"\n")
        else:
            parts.append(name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n")
    return b"".join(parts) + b"\n"


def identifier(seed):
    return uuid.UUID(int=random.Random(seed).getrandbits(128), version=4).hex


def make(path, entries, seal=False, **environment):
    """Writes a journal file with entries in the export format."""
    process = subprocess.run(
        [REMOTE, "--split-mode=none", f"--seal={'yes' if seal else 'no'}", f"--output={path}", "-"],
        input=b"".join(entries), capture_output=True, env={**os.environ, **environment})
    assert process.returncode == 0, process.stderr.decode()
    return path


def sample(count, machine=1, boots=1, start=1_767_225_600_000_000, step=1_000_000, seed=0):
    """Entries as machines write them, with binary, repeated, long and empty fields among them."""
    source = random.Random(seed)
    machine = identifier(("machine", machine).__repr__())
    entries, time = [], start
    for boot in range(boots):
        boot = identifier(("boot", machine, boot, seed).__repr__())
        begin = time - 5_000_000
        for number in range(count):
            time += step
            unit = source.choice(["nginx", "sshd", "cron", "postgresql@15-main"])
            fields = [("MESSAGE", f"{unit} {number} " + "x" * source.randrange(60)), ("PRIORITY", str(number % 8)),
                      ("_SYSTEMD_UNIT", unit + ".service"), ("_PID", str(source.randrange(2, 9))),
                      ("_UID", "0"), ("_HOSTNAME", "valmont"), ("SYSLOG_IDENTIFIER", unit)]
            if number % 7 == 0:
                fields.append(("BINARY", source.randbytes(source.randrange(1, 400)) + b"\0\n=\xff"))
            if number % 11 == 0:
                fields += [("TAG", "one"), ("TAG", "two"), ("EMPTY", "")]
            if number % 13 == 0:
                fields.append(("STACK", "ligne é\n" * source.randrange(100, 300)))
            if number % 97 == 0:
                fields.append(("BLOB", source.randbytes(90_000)))
            if number % 101 == 0:
                fields.append(("PAGE", "0123456789" * 8000))
            entries.append(entry(machine, boot, time, time - begin, fields))
    return entries


# MARK: - Reading

def control(*arguments, status=0):
    process = subprocess.run(["journalctl", "--quiet", "--all", "--no-pager", "--output=export", *arguments],
                             capture_output=True, env={**os.environ, "TZ": "UTC"})
    assert status is None or process.returncode == status, process.stderr.decode()
    return process.stdout


def parse(stream):
    """Entries as lists of (name, value), with the times and the boot among them."""
    entries, fields, place = [], [], 0
    while place < len(stream):
        end = stream.index(b"\n", place)
        line = stream[place:end]
        place = end + 1
        if not line:
            if fields:
                entries.append(fields)
            fields = []
        elif b"=" in line:
            name, value = line.split(b"=", 1)
            fields.append((name.decode(), value))
        else:
            size, = struct.unpack_from("<Q", stream, place)
            fields.append((line.decode(), stream[place + 8:place + 8 + size]))
            place += 9 + size
    assert not fields
    return entries


def parse_damaged(path):
    """What journalctl gives of a damaged file, whatever it says at its end; a last entry may be torn."""
    stream = control(f"--file={path}", status=None)
    try:
        return parse(stream)
    except (ValueError, AssertionError, struct.error):
        return parse(stream[:stream.rindex(b"\n\n") + 2])


def canonical(fields):
    kept = {"__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP"}
    items = set()
    for name, value in fields:
        if name.startswith("__") and name not in kept:
            continue
        field = name.encode() + b"=" + value
        if len(field) <= 65536:
            items.add((field, 0, len(field)))
        else:
            items.add((name.encode() + b"=" + hashlib.sha256(value).digest(), 1, len(field)))
    return b"".join(bytes([kind]) + struct.pack(">Q", length) + key for key, kind, length in sorted(items))


def chain(entries):
    head = bytes(32)
    for fields in entries:
        head = hashlib.sha256(head + hashlib.sha256(canonical(fields)).digest()).digest()
    return head.hex()


def streams(entries):
    """Entries by (machine, boot)."""
    result = {}
    for fields in entries:
        known = dict(fields)
        result.setdefault((known["_MACHINE_ID"].decode(), known["_BOOT_ID"].decode()), []).append(fields)
    return result


# MARK: - Journal files

def objects(data):
    """(type, offset, size) of the objects of a journal file, as far as they follow each other."""
    place, = struct.unpack_from("<Q", data, 88)
    tail, = struct.unpack_from("<Q", data, 136)
    while place <= tail:
        kind, size = data[place], struct.unpack_from("<Q", data, place + 8)[0]
        yield kind, place, size
        place = (place + size + 7) & ~7


def counted(data):
    return struct.unpack_from("<Q", data, 152)[0]


def sequence(data, offset):
    return struct.unpack_from("<Q", data, offset + 16)[0]
