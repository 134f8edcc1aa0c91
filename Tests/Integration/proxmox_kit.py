"""What the tests of Proxmox VE share: a simulated cluster, plans for it, and what must be true afterwards.

Python 3 and its standard library only. $EXEAT names the binary; .build/debug/exeat otherwise. The
simulator runs in this process, so that faults are set from here; see docs/simulator.md.
"""
import atexit
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

from pve_simulator import SchemaMissing, Simulator
from pve_simulator.schema import find_schema
from robustness_kit import Skip, Suite, World, check_export_ended_well, expect, kill_after

CIPASSWORD = "cloud-secret-of-the-test"

try:
    find_schema("8.4")
except SchemaMissing as missing:
    # What cannot be run here is no failure.
    print(f"SKIPPED {os.path.basename(sys.argv[0])}: the API schemas of Proxmox VE are not there: {missing}")
    raise SystemExit(0)
for program in ("qemu-img", "zstd", "tar", "age"):
    if not shutil.which(program):
        raise SystemExit(f"SKIPPED: {program} is not installed (Scripts/setup)")


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def files_below(directory):
    """Content digests of all files."""
    found = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                found[os.path.relpath(path, directory)] = sha256(path)
    return found


class Cluster:
    """A simulator with a few guests in it, thrown away at the end."""

    def __init__(self, world, name, version="8.4", nodes=("pve1",), guests=True, **options):
        self.name, self.path = name, world.at(name)
        self.pve = Simulator(self.path, version, nodes, delay=0.1, **options)
        self.pve.__enter__()
        self.user, self.token = "root@pam", None
        self.noise = random.Random(7)
        if guests:
            self.fill()
        self.token = self.pve.add_token()
        self.pve.state.write_files()

    def close(self):
        self.pve.close()

    def fill(self):
        """A machine with three disks, firmware, TPM, cloud-init and firewall; a container; a small machine."""
        noise, pve = self.noise, self.pve
        uefi = {"efidisk0": {"size": 540672, "data": noise.randbytes(4096), "options": "efitype=4m,pre-enrolled-keys=1"}}
        if not pve.version.startswith("7"):
            uefi["tpmstate0"] = {"size": 4 << 20, "data": noise.randbytes(2048), "options": "version=v2.0"}
        pve.access.groups["clinic"] = {"comment": "clinical applications"}
        pve.access.add_user("nurse@pve", "secret", groups=["clinic"], firstname="Claire", comment="on call")
        pve.access.grant("/pool/dpi", "@clinic", "PVEVMUser")
        pve.make_vm(100, name="dpi-db", pool="dpi", running=True, tags="clinic;database", agent="1", bios="ovmf",
                    machine="q35", ciuser="admin", cipassword=CIPASSWORD, ide2="local-lvm:vm-100-cloudinit,media=cdrom",
                    description="the%20database",
                    firewall="[OPTIONS]\n\nenable: 1\n\n[RULES]\n\nIN ACCEPT -p tcp -dport 443\nIN DROP -p udp\n",
                    disks={"scsi0": {"size": 64 << 20, "data": noise.randbytes(3 << 20),
                                     "pieces": {40 << 20: noise.randbytes(1 << 20)}},
                           "virtio1": {"size": 24 << 20, "storage": "export", "format": "qcow2",
                                       "pieces": {1 << 20: noise.randbytes(2 << 20)}}, **uefi})
        pve.make_vm(101, name="imaging",
                    disks={"scsi0": {"size": 32 << 20, "data": noise.randbytes(1 << 20)},
                           "scsi1": {"size": 8 << 20, "options": "backup=0"}})
        pve.make_container(200, name="proxy", pool="dpi", files={"srv/app/data": noise.randbytes(100000)},
                           mounts={"mp0": ("/data", "backup=1", {"records": b"kept\n"}),
                                   "mp1": ("/scratch", "", {"junk": b"left out\n"})})

    # What a client sees.

    def storage(self, name, node=None):
        return self.pve.storages[name].path(node or self.pve.nodes[0])

    def backups(self, name="export"):
        """All that lies in the directory for backups."""
        folder = os.path.join(self.storage(name), "dump")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def backups_on(self, name, node):
        """The same of a storage that each node has for itself."""
        folder = os.path.join(self.storage(name, node), "dump")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def disk(self, vmid, key):
        """SHA-256 of what a guest sees on a disk."""
        path = self.pve.guests[vmid].disk_path(key)
        if not path.endswith((".qcow2", ".vmdk")):
            return sha256(path)
        raw = self.pve.at("tmp", f"look-{random.getrandbits(64):x}")
        subprocess.run(["qemu-img", "convert", "-O", "raw", path, raw], check=True)
        try:
            return sha256(raw)
        finally:
            os.unlink(raw)

    def snapshot(self):
        """All files of the storages and of /etc/pve: what an export must leave as it is."""
        return {place: files_below(self.pve.at(place)) for place in ("storage", "etc-pve")}

    def server(self):
        return [f"url: {self.pve.url}", f"fingerprint: \"{self.pve.fingerprint}\"", "token: \"${env:PVE_TOKEN}\""]

    @property
    def environment(self):
        return {"PVE_TOKEN": self.token}

    def directory(self, storage="export"):
        return [f"transport: {{ directory: {{ storage: {storage}, mount: {self.storage(storage)} }} }}"]

    def ssh(self, world, kind, key=None, **more):
        known = self.pve.ssh.description()
        keys = {"user": known["user"], "port": known["port"], "known-hosts": known["known_hosts"],
                "key": known[key or ("sftp_key" if kind == "sftp" else "root_key")]}
        hosts = ", ".join(f"{node}: 127.0.0.1" for node in self.pve.nodes)
        words = ", ".join(f"{key}: {value}" for key, value in {**more, **keys}.items())
        return [f"transport: {{ {kind}: {{ {words}, hosts: {{ {hosts} }} }} }}"]

    def requests(self, word=""):
        return [line for line in self.pve.requests if word in line]


class ClusterSuite(Suite):
    """Cases that each may begin with clusters of their own."""

    def __init__(self):
        super().__init__()
        self.world.clusters = []
        self.world.cluster = self.cluster
        self.world.export_of = self.export_of
        self.world.import_to = self.import_to
        self.count = 0
        # Nothing stays running when the tests are ended.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        atexit.register(self.close_clusters)

    def close_clusters(self):
        while self.world.clusters:
            self.world.clusters.pop().close()

    def cluster(self, name="cluster", *arguments, **options):
        self.count += 1
        cluster = Cluster(self.world, f"{name}-{self.count}", *arguments, **options)
        self.world.clusters.append(cluster)
        return cluster

    def case(self, name, body, *arguments):
        super().case(name, body, *arguments)
        self.close_clusters()

    def export_of(self, name, cluster, settings=("guests: [ 100 ]",), transport=None, encrypt=True, extra="", server=None):
        """An export plan for a cluster; gives back its path."""
        lines = ["exeat: 1", "run: { purpose: trial }", "sources:", "  pve:", "    kind: proxmox"]
        lines += ["    " + line for line in [*(server or cluster.server()), *settings,
                                              *(cluster.directory() if transport is None else transport)]]
        seal = f", encrypt-to: [ {self.world.recipient} ]" if encrypt else ""
        lines += [f"archive: {{ name: guests, sign-with: {self.world.at('keys/ours')}{seal} }}"]
        return self.world.write(name, "\n".join(lines) + "\n" + extra)

    def import_to(self, name, cluster, settings=(), server=None, kind="proxmox"):
        lines = ["exeat: 1", f"trust: {self.world.trust}", f"decrypt-with: {self.world.identity}",
                 f"sign-with: {self.world.at('keys/ours')}", "targets:", "  pve:", f"    kind: {kind}"]
        lines += ["    " + line for line in [*(server or (cluster.server() if cluster else [])), *settings]]
        return self.world.write(name, "\n".join(lines) + "\n")


# What `Cluster.fill` makes: the disks of its machines, and a plan of all of it.
DISKS = {100: ["scsi0", "virtio1", "efidisk0", "tpmstate0"], 101: ["scsi0"]}
ACCEPT = "accept: [ not-backed-up, media, withheld, denied, states, snapshots, unused-disks ]"
EVERYTHING = ["guests: [ all ]", ACCEPT]


def importing_token(cluster, without=None):
    """A token that may make guests."""
    privileges = ["VM.Audit", "VM.Backup", "VM.Allocate", "VM.Config.Disk", "VM.Config.CPU", "VM.Config.Memory",
                  "VM.Config.Network", "VM.Config.HWType", "VM.Config.Options", "VM.Config.Cloudinit", "VM.Config.CDROM",
                  "VM.PowerMgmt", "Datastore.Audit", "Datastore.AllocateSpace", "Datastore.AllocateTemplate",
                  "Datastore.Allocate", "Sys.Audit", "Sys.Modify", "Pool.Audit", "Pool.Allocate", "User.Modify",
                  "Group.Allocate", "Permissions.Modify", "SDN.Audit", "SDN.Allocate", "SDN.Use", "Realm.AllocateUser"]
    unknown = "SDN.Use" if cluster.pve.version.startswith("7") else None
    privileges = [one for one in privileges if one not in (unknown, without)]
    cluster.token = cluster.pve.add_token("ineat@pve", "import", "Import", privileges)


def exported(world, name, plan, cluster, status=0, **options):
    result = world.run("export", plan, "--output", world.at(name), env=cluster.environment, timeout=300, **options)
    expect(result.status == status, f"export ended with {result.status}: {result.err} {result.out.decode()[-1500:]}")
    return result


def extracted(world, name):
    """All of an archive as standard files; gives back name → path."""
    target = world.at(name + "-files")
    shutil.rmtree(target, ignore_errors=True)
    result = world.run("extract", world.at(name), "--to", target, "--trust", world.trust, "--decrypt-with", world.identity)
    expect(result.status == 0, f"extract ended with {result.status}: {result.err}")
    found = {}
    for folder, _, names in os.walk(target):
        for one in names:
            found[os.path.relpath(os.path.join(folder, one), target)] = os.path.join(folder, one)
    return found


def manifest(world, name):
    result = world.run("inspect", world.at(name), "--json", "--decrypt-with", world.identity)
    expect(result.status == 0, f"inspect ended with {result.status}: {result.err}")
    return json.loads(result.out)["manifest"]


def artifacts(world, name):
    return {a["name"]: a for s in manifest(world, name)["sources"] for a in s["artifacts"]}


def verified(world, name):
    result = world.run("verify", world.at(name), "--trust", world.trust, "--decrypt-with", world.identity)
    expect(result.status in (0,), f"verify ended with {result.status}: {result.err} {result.out.decode()}")


def disks_equal(world, name, cluster, wanted):
    """Disks of the archive against the cluster's own; `wanted` maps a guest to its keys."""
    files, found = extracted(world, name), artifacts(world, name)
    for vmid, keys in wanted.items():
        for key in keys:
            source = found[f"{vmid}/{key}"]["segments"][0]["path"].removeprefix("data/").split("/")[0]
            path = files[f"{source}/{vmid}/{key}.raw"]
            expect(sha256(path) == cluster.disk(vmid, key), f"disk {vmid}/{key} differs")
    shutil.rmtree(world.at(name + "-files"), ignore_errors=True)


def root_of(cluster, vmid, key="rootfs"):
    guest = cluster.pve.guests[vmid]
    return guest.resolve(guest.config().values[key].split(",")[0])


def tree(cluster, vmid):
    """All that a container has, as the host sees it: what a target must have, too."""
    found = {}
    for key in ("rootfs", "mp0"):
        root = root_of(cluster, vmid, key)
        for folder, folders, names in os.walk(root):
            for name in [".", *folders, *names]:
                path = os.path.join(folder, name)
                status, inside = os.lstat(path), os.path.normpath(os.path.join(os.path.relpath(folder, root), name))
                if inside.startswith(("dev/", "etc/vzdump")) or (key, inside) == ("rootfs", "data"):
                    continue
                facts = [oct(status.st_mode), status.st_uid, status.st_gid, os.listxattr(path, follow_symlinks=False)]
                facts += [] if inside in (".", "etc") else [status.st_mtime_ns]
                if os.path.islink(path):
                    facts.append(os.readlink(path))
                elif os.path.isfile(path):
                    facts += [status.st_nlink, status.st_size, sha256(path)]
                found[key, inside] = facts
    return found


def same_files(target, there, source, here):
    one, other = tree(source, here), tree(target, there)
    expect(one == other, f"files differ: {[(k, one.get(k), other.get(k)) for k in one.keys() | other.keys() if one.get(k) != other.get(k)][:5]}")
