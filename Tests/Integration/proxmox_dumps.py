"""What the tests of guests without a server share: backups as vzdump leaves them, plans, archives."""
import gzip
import io
import json
import os
import random
import shutil
import subprocess
import tarfile

from robustness_kit import *
from vma_writer import write_vma

CONFIGURATION = """#what this machine is for
boot: order=scsi0
cores: 2
cpu: x86-64-v2-AES
memory: 1024
name: {name}
net0: virtio=BC:24:11:00:11:22,bridge=vmbr0
ostype: l26
scsi0: local-lvm:vm-{id}-disk-0,size=96M
scsi1: local-lvm:vm-{id}-disk-1,size=300M
scsihw: virtio-scsi-pci
serial0: socket
smbios1: uuid=6b1e7c0a-5d3f-4c2e-9a7b-0c1d2e3f4a5b
#qmdump#map:scsi0:drive-scsi0:local-lvm:raw:
#qmdump#map:scsi1:drive-scsi1:local-lvm:raw:
"""
TAKEN = "2026_11_23-18_22_38"


def sparse(path, size, runs, seed=1):
    """A file of holes with runs of random bytes at some offsets."""
    chance = random.Random(seed)
    with open(path, "wb") as file:
        file.truncate(size)
        for offset, length in runs:
            file.seek(offset)
            file.write(chance.randbytes(length))
    return path


def allocated(path):
    return os.stat(path).st_blocks * 512


def same(one, other):
    return subprocess.run(["cmp", "-s", one, other]).returncode == 0


def compress(path, program):
    ending = {"zstd": ".zst", "gzip": ".gz", "lzop": ".lzo"}[program]
    with open(path + ending, "wb") as out:
        subprocess.run([program, "-c", path], stdout=out, check=True)
    os.unlink(path)
    return path + ending


def machine(folder, number, disks, *, name="", configuration=None, program="zstd", defect=None,
            taken=TAKEN, **options):
    """A backup of a virtual machine, as vzdump names it."""
    os.makedirs(folder, exist_ok=True)
    text = (configuration or CONFIGURATION).replace("{id}", str(number)).replace("{name}", name or f"vm{number}")
    path = os.path.join(folder, f"vzdump-qemu-{number}-{taken}.vma")
    write_vma(path, {"qemu-server.conf": text.encode(), "qemu-server.fw": b"[OPTIONS]\nenable: 1\n"}, disks,
              defect=defect, **options)
    return compress(path, program) if program else path


def container(folder, number, files, *, name="", program="zstd", cut=None):
    """A backup of a container."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"vzdump-lxc-{number}-{TAKEN}.tar")
    conf = f"arch: amd64\nhostname: {name or f'ct{number}'}\nmemory: 512\nostype: debian\n" \
           f"rootfs: local-lvm:vm-{number}-disk-0,size=1G\nunprivileged: 1\n"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for member, data in [("./etc/vzdump/pct.conf", conf.encode()), ("./etc/vzdump/pct.fw", b""), *files]:
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    if cut is not None:
        os.truncate(path, cut)
    return compress(path, program) if program else path


class DumpWorld(World):
    def dumps_plan(self, name, paths, *, encrypt=True, disks="portable", extra="", limits="", omit=""):
        seal = f', encrypt-to: ["{self.recipient}"]' if encrypt else ""
        text = ("exeat: 1\nrun: { purpose: trial }\nsources:\n  h:\n    kind: proxmox\n"
                f"    dumps: {json.dumps([self.at(path) for path in paths])}\n    disks: {disks}\n{extra}"
                f"archive: {{ name: trial, sign-with: {self.at('keys/ours')}{seal} }}\n")
        if limits:
            text += f"limits: {{ {limits} }}\n"
        return self.write(name, text)

    def images_plan(self, name, target, kind="directory", extra="", rest=""):
        return self.write(
            name, f"exeat: 1\ntrust: {self.trust}\ndecrypt-with: {self.identity}\n"
            f"sign-with: {self.at('keys/ours')}\n"
            f"targets:\n  h: {{ kind: {kind}, path: {self.at(target)}{extra} }}\n{rest}")

    def exported(self, paths, output, status=0, **options):
        plan = self.dumps_plan(output + ".plan.yaml", paths, **options)
        result = self.run("export", plan, "--output", self.at(output))
        expect(result.status == status, f"export ended with {result.status}: {result.err}")
        return result

    def imported_to(self, archive, target, status=0, kind="directory", extra="", work="work", rest=""):
        plan = self.images_plan(target + ".import.yaml", target, kind, extra, rest)
        result = self.run("import", self.at(archive), plan, "--work", self.at(work))
        expect(result.status == status, f"import ended with {result.status}, not {status}: {result.err} {result.out.decode()}")
        return result

    def leftovers(self, *places):
        """What a run must not leave: parts of images, sockets, servers of images."""
        found = []
        for place in places:
            for folder, names, files in os.walk(self.at(place)):
                found += [os.path.join(folder, name) for name in files + names if ".partial" in name]
        # A server that lost us in the moment of its start is ended a moment later.
        deadline = time.time() + 60
        while (running := servers(self.path)) and time.time() < deadline:
            time.sleep(0.1)
        return found + running


def servers(path):
    """Programs of QEMU that work on files below a path."""
    found = []
    for process in os.listdir("/proc"):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace").split("\0")
        except OSError:
            continue
        if words[0].rsplit("/", 1)[-1].startswith("qemu-") and any(path in word for word in words):
            found.append(" ".join(words))
    return found


def sockets():
    """Directories of sockets in /tmp: ours, and those of whatever else runs on this machine."""
    return {name for name in os.listdir("/tmp") if name.startswith("exeat-disk-")}


def left_sockets(before):
    """Directories of sockets that have come since, and stay. Those of other runs go when their images are done."""
    left, deadline = sockets() - before, time.time() + 90
    while left and time.time() < deadline:
        time.sleep(0.1)
        left &= sockets()
    return left


class DumpSuite(Suite):
    def __init__(self):
        super().__init__()
        self.world.close()
        self.world = DumpWorld()


def raw_of(image, form, out):
    subprocess.run(["qemu-img", "convert", "-f", form, "-O", "raw", image, out], check=True)
    return out
