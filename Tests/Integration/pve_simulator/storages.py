"""Storages: directories, and volumes of a thin pool with plain files behind them."""
import json
import os
import re
import shutil
import subprocess
import time

from .errors import Refused

FOLDERS = {"backup": "dump", "iso": "template/iso", "vztmpl": "template/cache", "import": "import",
           "snippets": "snippets"}
BACKUP_NAME = re.compile(
    r"vzdump-(qemu|lxc|openvz)-(\d+)-(\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d)\.(vma|tgz|tar)(?:\.(zst|gz|lzo|bz2))?")
PATH_KINDS = {"dir", "nfs", "cifs", "btrfs", "cephfs", "glusterfs"}


def image_info(path):
    done = subprocess.run(["qemu-img", "info", "-U", "--output=json", path], capture_output=True, timeout=60)
    if done.returncode:
        raise ValueError(done.stderr.decode("utf-8", "replace").strip())
    return json.loads(done.stdout)


class Storage:
    """One entry of storage.cfg; `values` are its properties as the API shows them."""

    def __init__(self, simulator, identifier, kind, values, capacity=None):
        self.simulator, self.id, self.kind, self.values = simulator, identifier, kind, values
        self.capacity = capacity or 100 << 30

    @property
    def has_paths(self):
        return self.kind in PATH_KINDS

    @property
    def content(self):
        return set(self.values.get("content", "").split(",")) - {""}

    @property
    def shared(self):
        return bool(self.values.get("shared")) or self.kind in ("nfs", "cifs", "cephfs", "rbd", "pbs")

    def on(self, node):
        nodes = self.values.get("nodes")
        return not nodes or node in re.split(r"[,;\s]+", nodes)

    def path(self, node):
        """Where it is on this machine. All nodes live on one machine, so what is not shared lies below
        a directory of the node, except on the first node; and nothing lies outside the simulator's."""
        own = self.simulator.directory
        path = self.values.get("path") or os.path.join(
            own, "storage", self.id) if self.kind == "dir" else os.path.join(own, "storage", self.id)
        inside = path == own or path.startswith(own + "/")
        if inside and (self.shared or node == self.simulator.nodes[0]):
            return path
        rest = os.path.relpath(path, own if inside else "/")
        return os.path.join(own, "machines", "shared" if self.shared else node, rest)

    def folder(self, node, content):
        path = os.path.join(self.path(node), FOLDERS[content])
        os.makedirs(path, exist_ok=True)
        return path

    # Names.

    def parse(self, volume):
        """(content, name, vmid, format) of a volume's name without the storage."""
        content, _, name = volume.partition("/")
        if self.has_paths and content in FOLDERS and name:
            inner = name.split("/")[0]
            if ".." in name.split("/"):
                raise Refused(500, f"unable to parse directory volume name '{volume}'")
            found = BACKUP_NAME.fullmatch(inner) if content == "backup" else None
            form = inner.rsplit(".", 1)[-1]
            if content == "backup":
                if not re.fullmatch(r"vzdump-(?:qemu|lxc|openvz)-.*\.(?:vma|tgz|tar)(?:\.(?:zst|gz|lzo|bz2))?", inner):
                    raise Refused(500, f"unable to parse directory volume name '{volume}'")
                form = inner.split(".", 1)[1]
            return content, name, int(found[2]) if found else None, form
        if self.has_paths:
            found = re.fullmatch(r"(\d+)/((?:vm|base|subvol|basevol)-(\d+)-[\w.-]+)", volume)
            if not found or found[1] != found[3]:
                raise Refused(500, f"unable to parse directory volume name '{volume}'")
            form = "subvol" if found[2].startswith(("subvol", "basevol")) else found[2].rsplit(".", 1)[-1]
            return "rootdir" if form == "subvol" else "images", found[2], int(found[1]), form
        found = re.fullmatch(r"(?:vm|base)-(\d+)-[\w-]+", volume)
        if not found:
            raise Refused(500, f"unable to parse lvm volume name '{volume}'")
        return "images", volume, int(found[1]), "raw"

    def locate(self, node, volume):
        """The real path of a volume."""
        content, name, vmid, _ = self.parse(volume)
        if content in FOLDERS:
            return os.path.join(self.folder(node, content), name)
        return os.path.join(self.path(node), "images", str(vmid), name) if self.has_paths \
            else os.path.join(self.path(node), name)

    # Volumes.

    def new_name(self, node, vmid, form, what="disk"):
        for number in range(1000):
            if form == "subvol" and self.has_paths:
                volume = f"{vmid}/subvol-{vmid}-disk-{number}.subvol"
            elif what == "cloudinit":
                return f"{vmid}/vm-{vmid}-cloudinit.qcow2" if self.has_paths else f"vm-{vmid}-cloudinit"
            elif self.has_paths:
                volume = f"{vmid}/vm-{vmid}-disk-{number}.{form}"
            else:
                volume = f"vm-{vmid}-disk-{number}"
            base = re.sub(r"\.\w+$", "", os.path.basename(self.locate(node, volume)))
            folder = os.path.dirname(self.locate(node, volume))
            os.makedirs(folder, exist_ok=True)
            if not any(re.sub(r"\.\w+$", "", one) == base for one in os.listdir(folder)):
                return volume
        raise Refused(500, "unable to allocate an image name")

    def allocate(self, node, vmid, form, size):
        """A new empty disk; gives back the volume id."""
        form = form if self.has_paths else "raw"
        volume = self.new_name(node, vmid, form)
        path = self.locate(node, volume)
        if form == "raw":
            with open(path, "wb") as file:
                file.truncate(size)
        else:
            subprocess.run(["qemu-img", "create", "-q", "-f", form, path, str(size)], check=True)
        return f"{self.id}:{volume}"

    def allocate_root(self, node, vmid):
        volume = self.new_name(node, vmid, "subvol")
        os.makedirs(self.locate(node, volume))
        return f"{self.id}:{volume}"

    def remove(self, node, volume):
        path = self.locate(node, volume)
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.unlink(path)
            if volume.startswith("backup/"):
                base = re.sub(r"\.(vma|tgz|tar)(\.(zst|gz|lzo|bz2))?$", "", path)
                for other in (path + ".notes", path + ".protected", base + ".log"):
                    if os.path.exists(other):
                        os.unlink(other)
        else:
            raise Refused(500, f"volume '{self.id}:{volume}' does not exist")

    def volume_size(self, node, volume):
        path = self.locate(node, volume)
        if os.path.isdir(path):
            return 8 << 30
        if path.endswith((".qcow2", ".vmdk")):
            return image_info(path)["virtual-size"]
        return os.stat(path).st_size

    def volumes(self, node, content=None):
        """The content listing with the fields that the real one has."""
        result = []
        for kind in sorted(self.content) if content is None else [content]:
            if kind not in self.content:
                continue
            if kind in FOLDERS and self.has_paths:
                result += self._files(node, kind)
            elif kind in ("images", "rootdir"):
                result += [one for one in self._disks(node) if one["content"] == kind]
        return result

    def _files(self, node, content):
        folder = self.folder(node, content)
        endings = {"backup": r"vzdump-(?:qemu|lxc|openvz)-.*\.(?:vma|tgz|tar)(?:\.(?:zst|gz|lzo|bz2))?",
                   "iso": r".*\.(?:iso|img)", "vztmpl": r".*\.tar(?:\.(?:gz|xz|zst|bz2))?",
                   "import": r".*\.(?:ova|qcow2|raw|vmdk)", "snippets": r".*"}[content]
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if not re.fullmatch(endings, name) or not os.path.isfile(path):
                continue
            status = os.stat(path)
            entry = {"volid": f"{self.id}:{content}/{name}", "content": content, "size": status.st_size,
                     "ctime": int(status.st_mtime), "format": name.rsplit(".", 1)[-1]}
            if content == "backup":
                found = BACKUP_NAME.fullmatch(name)
                entry["format"] = name.split(".", 1)[1]
                if found:
                    entry.update(vmid=int(found[2]), ctime=int(time.mktime(
                        time.strptime(found[3], "%Y_%m_%d-%H_%M_%S"))))
                entry["subtype"] = name.split("-")[1]
                if os.path.exists(path + ".notes"):
                    with open(path + ".notes", encoding="utf-8") as file:
                        entry["notes"] = file.read()
                if os.path.exists(path + ".protected"):
                    entry["protected"] = 1
            if content == "vztmpl":
                entry["format"] = "t" + entry["format"]
            yield entry

    def _disks(self, node):
        base = os.path.join(self.path(node), "images") if self.has_paths else self.path(node)
        os.makedirs(base, exist_ok=True)
        for folder in sorted(os.listdir(base)) if self.has_paths else [""]:
            for name in sorted(os.listdir(os.path.join(base, folder))):
                volume = f"{folder}/{name}" if folder else name
                try:
                    _, _, vmid, form = self.parse(volume)
                except Refused:
                    continue
                path = self.locate(node, volume)
                root = os.path.isdir(path)
                used = os.stat(path).st_blocks * 512
                entry = {"volid": f"{self.id}:{volume}", "content": "rootdir" if root else "images",
                         "size": self.volume_size(node, volume), "vmid": vmid, "format": form}
                if self.has_paths:
                    entry.update(used=used, parent=None, ctime=int(os.stat(path).st_mtime))
                else:
                    entry["ctime"] = int(os.stat(path).st_mtime)
                yield entry

    def status(self, node):
        used = 0
        for folder, _, names in os.walk(self.path(node)):
            for name in names:
                try:
                    used += os.lstat(os.path.join(folder, name)).st_blocks * 512
                except OSError:
                    pass
        if self.id in self.simulator.faults.full:
            used = max(used, self.capacity - self.simulator.faults.full[self.id])
        result = {"type": self.kind, "content": self.values.get("content", ""), "active": 1,
                  "enabled": 0 if self.values.get("disable") else 1, "shared": 1 if self.shared else 0,
                  "total": self.capacity, "used": used, "avail": max(0, self.capacity - used)}
        if not result["enabled"]:
            result.update(active=0, total=0, used=0, avail=0)
        return result
