"""The simulator as a whole: its state, and its start and end."""
import contextlib
import os
import random
import re
import secrets
import shutil
import subprocess
import threading

from . import backup, cluster, config_api, containers_api, content_api, guest_api, machines_api, tasks, uploads  # noqa: F401 (they bring routes)
from .access import Access
from .backup import Locks
from .configs import GuestConfig, size_text
from .errors import Refused
from .faults import Faults
from .guests import Guest
from .schema import Schema
from .server import NodeServer
from .ssh import SSH
from .state import Cluster
from .storages import Storage
from .tasks import Tasks
from .tls import Authority, fingerprint

PROGRAMS = {"zst": ["zstd", "-dcq"], "gz": ["gzip", "-dc"], "lzo": ["lzop", "-dc"]}


class Simulator:
    """A cluster under `directory`. `with Simulator(directory) as pve:` starts and ends it.

    `nodes` are names; each has its own port and certificate, and answers for all. `delay` is what an
    answer with status 401 waits. `vectors` is the folder that holds `proxmox/api-schema-*.json`.
    """

    def __init__(self, directory, version="8.4", nodes=("pve1",), port=0, delay=3.0, vectors=None,
                 root_password="root-password", ssh=True, lock_minutes=None):
        self.directory, self.version, self.nodes = os.path.realpath(directory), version, list(nodes)
        self.delay, self.port, self.cluster_name = delay, port, "valmont"
        # As exclude-path of /etc/vzdump.conf, on every node.
        self.excluded_paths = []
        self.vzdump_conf = {}  # further defaults of every vzdump
        self.schema = Schema(version, vectors)
        self.release, self.root_password = self.schema.release, root_password
        self.requests, self.guests, self.pools = [], {}, {}
        for folder in ("etc-pve", "etc-pve/firewall", "tmp", "storage", *(f"var-tmp/{node}" for node in nodes)):
            os.makedirs(self.at(folder), exist_ok=True)
        for node in self.nodes:
            for kind in ("qemu-server", "lxc"):
                os.makedirs(self.at("etc-pve/nodes", node, kind), exist_ok=True)
        self.faults, self.tasks, self.backups = Faults(), Tasks(self), Locks(self.nodes)
        self.access = Access(self, root_password)
        self.storages = {}
        self.state = Cluster(self)
        imports = {"7": "", "8": ",import", "9": ",import"}[version[0]]
        self.add_storage("local", "dir", content="iso,vztmpl,backup,snippets" + imports,
                         path=self.at("storage/local"))
        self.add_storage("local-lvm", "lvmthin", content="images,rootdir", thinpool="data", vgname="pve")
        self.add_storage("export", "dir", content="backup,images,rootdir" + imports, path=self.at("storage/export"),
                         shared=1, **{"prune-backups": "keep-all=1"})
        self.authority = Authority(self.at("etc-pve"))
        self.servers, self.certificates = {}, {}
        self.ssh = SSH(self) if ssh else None

    # Start and end.

    def __enter__(self):
        try:
            for number, node in enumerate(self.nodes):
                self.certificates[node], context = self.authority.issue(node)
                self.servers[node] = NodeServer(self, node, ("127.0.0.1", self.port if number == 0 else 0), context)
                self.servers[node].thread.start()
            if self.ssh:
                self.ssh.start()
            self.state.write_files()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        for task in list(self.tasks.all.values()):
            if task.status == "running":
                task.end()
        for server in self.servers.values():
            server.shutdown()
            server.server_close()
        if self.ssh:
            self.ssh.stop()
        for task in list(self.tasks.all.values()):
            with contextlib.suppress(TimeoutError):
                task.wait(10)

    @property
    def url(self):
        return self.url_of(self.nodes[0])

    def url_of(self, node):
        return f"https://127.0.0.1:{self.servers[node].server_address[1]}"

    @property
    def fingerprint(self):
        return self.fingerprint_of(self.nodes[0])

    def fingerprint_of(self, node):
        return fingerprint(self.certificates[node])

    @property
    def ca(self):
        return self.authority.path

    def description(self):
        """What a client must know, as the command line prints it."""
        result = {
            "url": self.url, "urls": {node: self.url_of(node) for node in self.nodes},
            "fingerprint": self.fingerprint, "ca": self.ca, "version": self.release, "nodes": self.nodes,
            "user": "root@pam", "password": self.root_password, "directory": self.directory,
            "etc": self.at("etc-pve"), "simulator": True,
            "storages": {name: {node: storage.path(node) for node in self.nodes}
                         for name, storage in self.storages.items()}}
        if self.ssh:
            result["ssh"] = self.ssh.description()
        return result

    # Faults that are not in `faults` because they change what there is.

    def change_certificate(self, node=None):
        """The node has another certificate from now on."""
        node = node or self.nodes[0]
        self.certificates[node], self.servers[node].context = self.authority.issue(node)

    def expire_token(self, user, name):
        self.access.tokens[user][name]["expire"] = 1

    def migrate(self, vmid, node):
        """The guest lives on another node from now on; volumes on storages that are not shared move."""
        guest = self.guests[int(vmid)]
        for volid in guest.volumes():
            storage_id, _, volume = volid.partition(":")
            storage = self.storages[storage_id]
            source, target = storage.locate(guest.node, volume), storage.locate(node, volume)
            if source != target:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.move(source, target)
        source = guest.path
        guest.node = node
        os.rename(source, guest.path)

    def lock_guest(self, vmid, lock="migrate"):
        self.guests[int(vmid)].change(lock=lock)

    def resize_disk(self, vmid, key, size):
        """Grows a disk to `size` bytes, in its file and its configuration."""
        guest = self.guests[int(vmid)]
        path = guest.disk_path(key)
        form = path.rsplit(".", 1)[1] if path.endswith((".qcow2", ".vmdk")) else "raw"
        subprocess.run(["qemu-img", "resize", "-q", "-f", form, path, str(size)], check=True)
        value = re.sub(r",size=[^,]*", "", guest.config().values[key])
        guest.change(**{key: f"{value},size={size_text(size)}"})

    # Making things.

    def add_storage(self, identifier, kind="dir", capacity=None, **values):
        storage = Storage(self, identifier, kind, values, capacity)
        self.storages[identifier] = storage
        for node in self.nodes:
            os.makedirs(storage.path(node), exist_ok=True)
        return storage

    def add_token(self, user="exeat@pve", name="export", role="Export", privileges=None, path="/", privsep=0):
        """A user with the role on `path`, and its token: `USER@REALM!NAME=SECRET`."""
        if privileges is not None:
            self.access.roles[role] = set(privileges)
        elif role not in self.access.roles:
            self.access.roles[role] = set(self.export_privileges())
        if user not in self.access.users:
            self.access.add_user(user)
        self.access.grant(path, user, role)
        token = self.access.add_token(user, name, privsep=privsep)
        if privsep:
            self.access.grant(path, f"{user}!{name}", role)
        self.state.write_files()
        return token

    def export_privileges(self):
        """The role of least privilege for an export."""
        wanted = ["VM.Audit", "VM.Backup", "Datastore.Audit", "Datastore.AllocateSpace", "Sys.Audit", "Pool.Audit",
                  "SDN.Audit"]
        return wanted + (["Mapping.Audit"] if not self.version.startswith("7") else [])

    def make_vm(self, vmid, node=None, name=None, disks=None, running=False, firewall=None, pool=None, **config):
        """A virtual machine. `disks` maps a key to its settings: `size` in bytes, `storage`, `format`,
        `data` (bytes at its start) or `pieces` ({offset: bytes}), `options` ("backup=0", …), or `source`,
        a raw file that is copied. Keys of the configuration that hold a dash or dot go in as a dictionary."""
        node = node or self.nodes[0]
        guest = self.guests[vmid] = Guest(self, vmid, "qemu", node)
        values = {"boot": "order=scsi0", "cores": "2", "memory": "512", "name": name or f"vm{vmid}",
                  "net0": f"virtio={self.mac(vmid)},bridge=vmbr0,firewall=1", "ostype": "l26",
                  "scsihw": "virtio-scsi-single", "smbios1": f"uuid={self.identity(vmid)}", "sockets": "1",
                  "vmgenid": self.identity(vmid + 1000)}
        values.update({key: str(value) for key, value in config.items()})
        for key, disk in (disks or {}).items():
            values[key] = self.make_disk(guest, **disk)
        return self._made(guest, values, running, firewall, pool)

    def make_disk(self, guest, size=None, storage="local-lvm", format="raw", data=None, pieces=None, options="",
                  source=None):
        """A disk with bytes in it; gives back its value in a configuration."""
        if source:
            size = os.stat(source).st_size
        raw = self.at("tmp", f"disk-{secrets.token_hex(8)}")
        with open(raw, "wb") as file:
            file.truncate(size)
            for offset, piece in {**(pieces or {}), **({0: data} if data else {})}.items():
                file.seek(offset)
                file.write(piece)
        if source:
            subprocess.run(["cp", "--sparse=always", source, raw], check=True)
        volid = self.storage(storage, guest.node).allocate(guest.node, guest.vmid, format, size)
        target = guest.resolve(volid)
        form = target.rsplit(".", 1)[1] if target.endswith((".qcow2", ".vmdk")) else "raw"
        if form == "raw":
            os.replace(raw, target)
        else:
            subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", form, raw, target], check=True)
            os.unlink(raw)
        return ",".join(filter(None, [volid, options, f"size={size_text(size)}"]))

    def make_container(self, vmid, node=None, name=None, files=None, mounts=None, running=False, firewall=None,
                       pool=None, storage="local-lvm", **config):
        """A container. `files` maps paths to bytes; `mounts` maps a key to (path inside, options, files)."""
        node = node or self.nodes[0]
        guest = self.guests[vmid] = Guest(self, vmid, "lxc", node)
        root = self.storage(storage, node).allocate_root(node, vmid)
        fill(guest.resolve(root), {"etc/hostname": b"ct\n", "etc/os-release": b"ID=debian\nVERSION_ID=12\n",
                                   "etc/debian_version": b"12.5\n", "tmp/": b"", "proc/": b"", "dev/": b"",
                                   "sys/": b"", "run/": b"", **(files or {})})
        values = {"arch": "amd64", "cores": "1", "hostname": name or f"ct{vmid}", "memory": "512", "ostype": "debian",
                  "net0": f"name=eth0,bridge=vmbr0,firewall=1,hwaddr={self.mac(vmid)},ip=dhcp,type=veth",
                  "rootfs": f"{root},size=8G", "swap": "512", "unprivileged": "1"}
        values.update({key: str(value) for key, value in config.items()})
        for key, (where, options, contents) in (mounts or {}).items():
            volume = self.storage(storage, node).allocate_root(node, vmid)
            fill(guest.resolve(volume), contents)
            # Whoever has mounted it once has made the directory.
            os.makedirs(os.path.join(guest.resolve(root), where.lstrip("/")), exist_ok=True)
            values[key] = ",".join(filter(None, [volume, f"mp={where}", options, "size=8G"]))
        return self._made(guest, values, running, firewall, pool)

    def _made(self, guest, values, running, firewall, pool):
        config = GuestConfig()
        config.values = values
        guest.save(config)
        guest.running = running
        if firewall:
            self.write(guest.firewall_path, firewall)
            self.state.load_firewall(guest)
        if pool:
            self.pools.setdefault(pool, {"comment": "", "vms": set(), "storage": set()})["vms"].add(guest.vmid)
        return guest

    @staticmethod
    def mac(vmid):
        return "BC:24:11:" + ":".join(f"{vmid >> shift & 255:02X}" for shift in (16, 8, 0))

    @staticmethod
    def identity(seed):
        text = f"{random.Random(seed).getrandbits(128):032x}"
        return "-".join([text[:8], text[8:12], "4" + text[13:16], "a" + text[17:20], text[20:]])

    # Finding things.

    def at(self, *parts):
        return os.path.join(self.directory, *parts)

    def inside(self, path):
        """A path that lies under the simulator's directory, whatever was asked for."""
        path = os.path.normpath(path)
        return path if path.startswith(self.directory + "/") else self.at("machines", self.nodes[0], path.lstrip("/"))

    def guest(self, vmid, node=None, kind=None):
        """The real server reads a file: where there is none, it says so, with status 500."""
        guest = self.guests.get(int(vmid))
        if guest is None or (node and guest.node != node) or (kind and guest.kind != kind):
            folder = "lxc" if kind == "lxc" else "qemu-server"
            raise Refused(500, f"Configuration file 'nodes/{node}/{folder}/{vmid}.conf' does not exist")
        return guest

    def storage(self, name, node=None):
        if name not in self.storages:
            raise Refused(500, f"storage '{name}' does not exist")
        storage = self.storages[name]
        if node and not storage.on(node):
            raise Refused(500, f"storage '{name}' is not available on node '{node}'")
        if storage.values.get("disable"):
            raise Refused(500, f"storage '{name}' is disabled")
        return storage

    def under_ha(self, guest):
        kind = "vm" if guest.kind == "qemu" else "ct"
        entry = self.state.collections["ha/resources"].get(f"{kind}:{guest.vmid}")
        return bool(entry) and entry.get("state", "started") not in ("disabled", "ignored")

    def purge(self, guest):
        kind = "vm" if guest.kind == "qemu" else "ct"
        self.state.collections["ha/resources"].pop(f"{kind}:{guest.vmid}", None)
        self.access.acl = [entry for entry in self.access.acl if entry["path"] != f"/vms/{guest.vmid}"]

    def write(self, path, text):
        """A file that is replaced as a whole."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        temporary = f"{path}.tmp.{threading.get_ident()}"
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)

    def remove_backup(self, path):
        base = re.sub(r"\.(vma|tgz|tar)(\.(zst|gz|lzo|bz2))?$", "", path)
        for one in (path, path + ".notes", base + ".log"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(one)

    @contextlib.contextmanager
    def opened(self, path, task=None):
        """A backup's bytes without its compression."""
        ending = path.rsplit(".", 1)[-1]
        if ending not in PROGRAMS:
            with open(path, "rb") as file:
                yield file
            return
        start = task.run if task else subprocess.Popen
        child = start(PROGRAMS[ending] + [path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            yield child.stdout
        finally:
            child.stdout.close()
            child.kill()
            child.wait()

    def record(self, line):
        self.requests.append(line)


def fill(root, files):
    """Makes files and directories (names that end in `/`) with the content given."""
    for name, content in files.items():
        path = os.path.join(root, name.lstrip("/"))
        if name.endswith("/"):
            os.makedirs(path, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
