"""VMA version 1, written as a stream and read back, after the table in the published specification.

Integers are big endian, except the lengths of blobs, which are little endian. The writer takes one
cluster of each device in turn, as copy-before-write under load does, and skips holes by SEEK_DATA.
"""
import hashlib
import os
import struct
import time
import uuid as uuids

CLUSTER, BLOCK, HEAD = 65536, 4096, 12288
ZERO = bytes(BLOCK)


class Device:
    """A raw file under the name that it has in the archive."""

    def __init__(self, name, path, size=None):
        self.name, self.path = name, path
        self.size = os.stat(path).st_size if size is None else size


def header(configs, devices, identity, ctime):
    blobs = bytearray(b"\0")

    def put(data):
        if len(data) > 65535:
            raise ValueError("blob is too long")
        offset = len(blobs)
        blobs.extend(struct.pack("<H", len(data)) + data)
        return offset

    names, texts, table = [0] * 256, [0] * 256, bytearray(8192)
    for index, (name, text) in enumerate(configs):
        names[index], texts[index] = put(name.encode() + b"\0"), put(text)
    for index, device in enumerate(devices, 1):
        struct.pack_into(">IIQQQ", table, index * 32, put(device.name.encode() + b"\0"), 0, device.size, 0, 0)
    size = -(-(HEAD + len(blobs)) // 512) * 512
    head = bytearray(size)
    struct.pack_into(">4sI16sq16sIII", head, 0, b"VMA\0", 1, identity, ctime, bytes(16), HEAD, len(blobs), size)
    struct.pack_into(">256I", head, 2044, *names)
    struct.pack_into(">256I", head, 3068, *texts)
    head[4096:HEAD] = table
    head[HEAD:HEAD + len(blobs)] = blobs
    head[32:48] = hashlib.md5(head).digest()
    return bytes(head)


def clusters(device, index):
    """(device number, cluster, mask, blocks) for each cluster; holes are not read."""
    count = -(-device.size // CLUSTER)
    with open(device.path, "rb") as file:
        descriptor = file.fileno()
        data_from = data_to = 0
        for number in range(count):
            start = number * CLUSTER
            if data_to <= start:
                try:
                    data_from = os.lseek(descriptor, start, os.SEEK_DATA)
                    data_to = os.lseek(descriptor, data_from, os.SEEK_HOLE)
                except OSError:
                    data_from = data_to = 1 << 62
            mask, blocks = 0, []
            if data_from < start + CLUSTER:
                data = os.pread(descriptor, min(CLUSTER, device.size - start), start)
                for bit in range(16):
                    block = data[bit * BLOCK:(bit + 1) * BLOCK]
                    if block and block != ZERO[:len(block)]:
                        mask |= 1 << bit
                        blocks.append(block.ljust(BLOCK, b"\0"))
            yield index, number, mask, blocks


def extent(identity, slots):
    blocks = [block for slot in slots for block in slot[3]]
    head = bytearray(512)
    struct.pack_into(">4sHH16s", head, 0, b"VMAE", 0, len(blocks), identity)
    for place, (index, number, mask, _) in enumerate(slots):
        struct.pack_into(">HBBI", head, 40 + place * 8, mask, 0, index, number)
    head[24:40] = hashlib.md5(head).digest()
    return bytes(head) + b"".join(blocks)


def write(configs, devices, slots_per_extent=58):
    """Yields the archive in pieces. `configs` is a list of (name, bytes)."""
    identity = uuids.uuid4().bytes
    yield header(configs, devices, identity, int(time.time()))
    running = [clusters(device, index) for index, device in enumerate(devices, 1)]
    slots, any_extent = [], False
    while running:
        for one in list(running):
            cluster = next(one, None)
            if cluster is None:
                running.remove(one)
                continue
            slots.append(cluster)
            if len(slots) == slots_per_extent:
                yield extent(identity, slots)
                slots, any_extent = [], True
    if slots or not any_extent:
        yield extent(identity, slots)


class Broken(Exception):
    """The archive is not what it must be."""


class Reader:
    """Reads an archive from a file object that need not seek."""

    def __init__(self, file):
        self.file = file
        start = self._exactly(HEAD)
        magic, version, self.identity, self.ctime, digest, offset, length, size = \
            struct.unpack_from(">4sI16sq16sIII", start)
        if magic != b"VMA\0" or version != 1 or not HEAD < size <= 1 << 21 or offset + length > size:
            raise Broken("not a VMA archive of version 1")
        head = bytearray(start + self._exactly(size - HEAD))
        head[32:48] = bytes(16)
        if hashlib.md5(head).digest() != digest:
            raise Broken("wrong vma header checksum")
        blobs = head[offset:offset + length]

        def get(place):
            count = struct.unpack_from("<H", blobs, place)[0]
            if place + 2 + count > len(blobs):
                raise Broken("blob outside of its table")
            return bytes(blobs[place + 2:place + 2 + count])

        names, texts = struct.unpack_from(">256I", head, 2044), struct.unpack_from(">256I", head, 3068)
        self.configs = {get(name)[:-1].decode(): get(text) for name, text in zip(names, texts) if name}
        self.devices = {}
        for index in range(1, 255):
            name, _, size = struct.unpack_from(">IIQ", head, 4096 + index * 32)
            if size:
                self.devices[index] = (get(name)[:-1].decode(), size)

    def _exactly(self, count, at_end_ok=False):
        data = b""
        while len(data) < count:
            more = self.file.read(count - len(data))
            if not more:
                if at_end_ok and not data:
                    return b""
                raise Broken("short vma extent (compressed archive may be truncated)")
            data += more
        return data

    def extract(self, targets):
        """Writes each device to the path in `targets` (by device name), sparse; checks completeness."""
        files, seen = {}, {index: set() for index in self.devices}
        try:
            for index, (name, size) in self.devices.items():
                files[index] = open(targets[name], "r+b" if os.path.exists(targets[name]) else "w+b")
                if os.fstat(files[index].fileno()).st_size < size:
                    files[index].truncate(size)
            while head := self._exactly(512, at_end_ok=True):
                self._extent(bytearray(head), files, seen)
        finally:
            for file in files.values():
                file.close()
        for index, (name, size) in self.devices.items():
            if len(seen[index]) != -(-size // CLUSTER):
                raise Broken(f"{name}: clusters are missing")

    def _extent(self, head, files, seen):
        magic, reserved, count, identity, digest = struct.unpack_from(">4sHH16s16s", head)
        head[24:40] = bytes(16)
        if magic != b"VMAE" or reserved or identity != self.identity or hashlib.md5(head).digest() != digest:
            raise Broken("wrong vma extent header")
        payload, used = self._exactly(count * BLOCK), 0
        for place in range(59):
            mask, _, index, number = struct.unpack_from(">HBBI", head, 40 + place * 8)
            if index == 0:
                continue
            if index not in self.devices or number >= -(-self.devices[index][1] // CLUSTER) \
                    or number in seen[index]:
                raise Broken(f"cluster {number} of device {index} is not expected")
            seen[index].add(number)
            size = self.devices[index][1]
            for bit in range(16):
                if mask >> bit & 1:
                    start = number * CLUSTER + bit * BLOCK
                    block = payload[used:used + BLOCK]
                    used += BLOCK
                    if start < size:
                        os.pwrite(files[index].fileno(), block[:size - start], start)
        if used != len(payload):
            raise Broken("number of blocks differs from the masks")
