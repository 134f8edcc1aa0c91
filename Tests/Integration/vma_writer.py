"""Writes VMA streams (version 1, the backup format of Proxmox VE) from the description of the format.

Independent of the reader in Sources/Disks and of Proxmox's own code. Streams: a disk may be larger
than memory, holes of a sparse file cost nothing, and a writer of bytes may be a pipe.

    write_vma("out.vma", {"qemu-server.conf": b"..."}, [("drive-scsi0", "disk.raw")])
    python3 vma_writer.py out.vma --config qemu-server.conf=100.conf --device drive-scsi0=disk.raw

`defect` names what to do wrong (see DEFECTS); every such stream must be refused by a reader.
"""
import argparse
import hashlib
import os
import random
import struct
import sys
import time
import uuid as uuids

BLOCK = 4096
CLUSTER = 65536
SLOTS = 59
USED_SLOTS = 58  # what Proxmox's writer fills before it flushes
TABLE = 12288

# name: what is wrong. Defects of clusters need a device of at least three clusters.
DEFECTS = {
    "magic": "the header does not begin with VMA",
    "version": "the header says version 2",
    "header-md5": "the header's checksum is wrong",
    "header-size-small": "header_size is 12288",
    "header-size-unaligned": "header_size is no multiple of 512",
    "header-size-huge": "header_size is 4 GiB - 512",
    "blob-offset": "the table of blobs begins inside the fixed header",
    "blob-size": "the table of blobs ends behind the header",
    "config-name-pointer": "a configuration's name lies outside the table",
    "config-data-pointer": "a configuration's content lies outside the table",
    "config-without-data": "a configuration has a name and no content",
    "device-name-pointer": "a device's name lies outside the table",
    "device-without-name": "a device has a size and no name",
    "blob-length": "a blob is longer than the table",
    "name-without-end": "a device's name lacks its zero",
    "name-with-slash": "a device is named ../../etc/passwd",
    "name-twice": "two devices have one name",
    "device-size-odd": "a device's size is no multiple of 512",
    "device-size-huge": "a device has 2^63 bytes",
    "device-reserved": "a device has the number 255",
    "ctime": "the creation time is negative",
    "extent-magic": "an extent does not begin with VMAE",
    "extent-md5": "an extent's checksum is wrong",
    "extent-uuid": "an extent has another uuid",
    "extent-reserved": "reserved bytes of an extent are used",
    "block-count-more": "an extent declares a block more than its masks",
    "block-count-less": "an extent declares a block less than its masks",
    "unknown-device": "a cluster is of a device that there is not",
    "cluster-range": "a cluster lies behind the end of its device",
    "cluster-twice": "a cluster comes twice",
    "cluster-twice-empty": "a cluster of zeros comes again",
    "cluster-missing": "a cluster does not come",
    "extent-missing": "the last extent does not come",
    "trailing": "bytes follow the last extent",
    "cut-header": "the stream ends inside the header",
    "cut-blobs": "the stream ends inside the table of blobs",
    "cut-extent": "the stream ends inside the header of an extent",
    "cut-data": "the stream ends inside the data of an extent",
}


class Disk:
    """A device's content: bytes, or a file whose holes are found by extent."""

    def __init__(self, name, content):
        self.name = name
        if isinstance(content, (bytes, bytearray)):
            self.data, self.file, self.size = bytes(content), None, len(content)
        else:
            self.data, self.file = None, os.open(content, os.O_RDONLY)
            self.size = os.lseek(self.file, 0, os.SEEK_END)
        self.clusters = -(-self.size // CLUSTER)
        self.hole = (0, 0)

    def close(self):
        if self.file is not None:
            os.close(self.file)
            self.file = None

    def cluster(self, number):
        """The mask and the stored blocks of a cluster."""
        start = number * CLUSTER
        length = min(CLUSTER, self.size - start)
        if self.data is not None:
            piece = self.data[start:start + length]
        else:
            if self.hole[0] <= start and start + length <= self.hole[1]:
                return 0, b""
            try:
                data = os.lseek(self.file, start, os.SEEK_DATA)
            except OSError:
                data = self.size
            if data >= start + length:
                self.hole = (start, data)
                return 0, b""
            piece = os.pread(self.file, length, start)
        if not piece.strip(b"\0"):
            return 0, b""
        mask, blocks = 0, []
        for index in range(-(-length // BLOCK)):
            block = piece[index * BLOCK:(index + 1) * BLOCK]
            if block.strip(b"\0"):
                mask |= 1 << index
                blocks.append(block.ljust(BLOCK, b"\0"))
        return mask, b"".join(blocks)


class Table:
    """The table of blobs; byte 0 is not used, lengths are little-endian."""

    def __init__(self):
        self.bytes = bytearray(1)

    def add(self, blob):
        pointer = len(self.bytes)
        self.bytes += struct.pack("<H", len(blob)) + blob
        return pointer


def header(configs, disks, uuid, ctime, defect):
    table = Table()
    fixed = bytearray(TABLE)
    for index, (name, content) in enumerate(configs.items()):
        name_at = table.add(name.encode() + b"\0")
        data_at = table.add(content)
        if index == 0:
            name_at = {"config-name-pointer": 0xfffff0}.get(defect, name_at)
            data_at = {"config-data-pointer": 0xfffff0, "config-without-data": 0}.get(defect, data_at)
        struct.pack_into(">I", fixed, 2044 + 4 * index, name_at)
        struct.pack_into(">I", fixed, 3068 + 4 * index, data_at)
    for index, disk in enumerate(disks):
        name, size = disk.name, disk.size
        if index == 0:
            if defect == "name-with-slash":
                name = "../../etc/passwd"
            size = {"device-size-odd": size + 100, "device-size-huge": 1 << 63}.get(defect, size)
        if index == 1 and defect == "name-twice":
            name = disks[0].name
        raw = name.encode() + (b"" if index == 0 and defect == "name-without-end" else b"\0")
        pointer = table.add(raw)
        if index == 0:
            pointer = {"device-name-pointer": 0xfffff0, "device-without-name": 0}.get(defect, pointer)
        number = 255 if index == 0 and defect == "device-reserved" else index + 1
        struct.pack_into(">IIQ", fixed, 4096 + 32 * number, pointer, 0, size)
    if defect == "blob-length":
        last = table.add(b"x\0")
        struct.pack_into("<H", table.bytes, last, 0xffff)
        struct.pack_into(">I", fixed, 4096 + 32, last)
    blobs = bytes(table.bytes)
    size = (TABLE + len(blobs) + 511) // 512 * 512
    stated = {"header-size-small": TABLE, "header-size-unaligned": size + 1,
              "header-size-huge": (1 << 32) - 512}.get(defect, size)
    struct.pack_into(">I", fixed, 0, 0x564D4258 if defect == "magic" else 0x564D4100)
    struct.pack_into(">I", fixed, 4, 2 if defect == "version" else 1)
    fixed[8:24] = uuid
    struct.pack_into(">q", fixed, 24, -1 if defect == "ctime" else ctime)
    struct.pack_into(">I", fixed, 48, 4096 if defect == "blob-offset" else TABLE)
    struct.pack_into(">I", fixed, 52, size if defect == "blob-size" else len(blobs))
    struct.pack_into(">I", fixed, 56, stated)
    whole = (bytes(fixed) + blobs).ljust(size, b"\0")
    return sealed(whole, 32, defect == "header-md5")


def sealed(raw, place, wrong=False):
    """The bytes with their own MD5 at a place that was zeros."""
    digest = hashlib.md5(raw).digest()
    if wrong:
        digest = bytes([digest[0] ^ 1]) + digest[1:]
    return raw[:place] + digest + raw[place + 16:]


def extent(uuid, slots, defect=None):
    """One extent: slots of (device number, cluster, mask, blocks)."""
    count = sum(bin(slot[2]).count("1") for slot in slots)
    count += {"block-count-more": 1, "block-count-less": -1}.get(defect, 0)
    raw = bytearray(512)
    raw[0:4] = b"VMAF" if defect == "extent-magic" else b"VMAE"
    struct.pack_into(">HH", raw, 4, 7 if defect == "extent-reserved" else 0, count & 0xffff)
    raw[8:24] = bytes(16) if defect == "extent-uuid" else uuid
    for index, (device, cluster, mask, _) in enumerate(slots):
        struct.pack_into(">HBBI", raw, 40 + 8 * index, mask, 0, device, cluster)
    return sealed(bytes(raw), 24, defect == "extent-md5") + b"".join(slot[3] for slot in slots)


def order(disks, shuffle, seed):
    """Pairs of device and cluster, as they will stand in the stream."""
    if not shuffle:
        return ((number, cluster) for number, disk in enumerate(disks) for cluster in range(disk.clusters))
    pairs = [(number, cluster) for number, disk in enumerate(disks) for cluster in range(disk.clusters)]
    random.Random(seed).shuffle(pairs)
    return iter(pairs)


def write_vma(path, configs, devices, shuffle=False, seed=0, *, uuid=None, ctime=None, defect=None,
              slots_per_extent=USED_SLOTS):
    """Writes a stream to a path, or to an object with write(); returns the number of bytes.

    configs: name to bytes; devices: (name, path or bytes) in the order of their numbers, from 1.
    """
    if defect is not None and defect not in DEFECTS:
        raise ValueError(f"unknown defect {defect!r}")
    rng = random.Random(seed)
    uuid = uuid if uuid is not None else uuids.UUID(int=rng.getrandbits(128), version=4).bytes
    ctime = int(time.time()) if ctime is None else ctime
    disks = [Disk(name, content) for name, content in devices]
    own = not hasattr(path, "write")
    out = open(path, "wb") if own else path
    try:
        return _write(out, configs, disks, shuffle, seed, uuid, ctime, defect, slots_per_extent)
    finally:
        for disk in disks:
            disk.close()
        if own:
            out.close()


def _write(out, configs, disks, shuffle, seed, uuid, ctime, defect, slots_per_extent):
    head = header(configs, disks, uuid, ctime, defect)
    if defect in ("cut-header", "cut-blobs"):
        out.write(head[:5000 if defect == "cut-header" else TABLE + 100])
        return 0
    out.write(head)
    written = len(head)
    first = True
    held = None
    pending = []

    def flush():
        """Writes the extent before this one: defects of the last one need to know which it is."""
        nonlocal written, held, first, pending
        raw = extent(uuid, pending, defect if first else None)
        first = False
        pending = []
        if held is not None:
            out.write(held)
            written += len(held)
        held = raw

    position = 0
    for number, cluster in order(disks, shuffle, seed):
        mask, blocks = disks[number].cluster(cluster)
        device = number + 1
        if position == 1:
            if defect == "cluster-missing":
                position += 1
                continue
            if defect == "unknown-device":
                device = 200
            if defect == "cluster-range":
                cluster = disks[number].clusters
            if defect == "cluster-twice":
                pending.append((device, cluster, mask, blocks))
            if defect == "cluster-twice-empty":
                pending.append((device, cluster, 0, b""))
        position += 1
        pending.append((device, cluster, mask, blocks))
        if len(pending) >= slots_per_extent:
            flush()
    if pending or first:
        flush()
    if defect == "extent-missing":
        held = b""
    elif defect == "cut-extent":
        held = held[:300]
    elif defect == "cut-data":
        held = held[:-1]
    out.write(held)
    written += len(held)
    if defect == "trailing":
        out.write(bytes(512))
        written += 512
    return written


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("output", help="a path, or - for standard output")
    parser.add_argument("--config", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--device", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--shuffle", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slots", type=int, default=USED_SLOTS)
    parser.add_argument("--defect", choices=sorted(DEFECTS))
    parser.add_argument("--list-defects", action="store_true")
    options = parser.parse_args()
    if options.list_defects:
        print("\n".join(DEFECTS))
        return
    configs = {}
    for pair in options.config:
        name, path = pair.split("=", 1)
        with open(path, "rb") as file:
            configs[name] = file.read()
    devices = [tuple(pair.split("=", 1)) for pair in options.device]
    target = sys.stdout.buffer if options.output == "-" else options.output
    write_vma(target, configs, devices, options.shuffle, options.seed, defect=options.defect,
              slots_per_extent=options.slots)


if __name__ == "__main__":
    main()
