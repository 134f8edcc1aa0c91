"""Guests: their configuration file, their volumes, and whether they run."""
import os
import re

from .configs import BUS_DISK, MOUNT, GuestConfig
from .errors import Refused
from .formats import parse_properties


class Guest:
    def __init__(self, simulator, vmid, kind, node):
        self.simulator, self.vmid, self.kind, self.node = simulator, vmid, kind, node
        self.running = False
        self.agent = {}  # answers of the guest agent by command, where a test sets some

    @property
    def file_name(self):
        return f"nodes/{self.node}/{'qemu-server' if self.kind == 'qemu' else 'lxc'}/{self.vmid}.conf"

    @property
    def path(self):
        return self.simulator.at("etc-pve", self.file_name)

    @property
    def firewall_path(self):
        return self.simulator.at("etc-pve", "firewall", f"{self.vmid}.fw")

    def config(self):
        with open(self.path, encoding="utf-8") as file:
            return GuestConfig(file.read())

    def save(self, config):
        self.simulator.write(self.path, config.text())

    def change(self, **values):
        """Sets keys of the main section; None removes one."""
        config = self.config()
        for key, value in values.items():
            if value is None:
                config.values.pop(key, None)
            else:
                config.values[key] = str(value)
        self.save(config)

    @property
    def name(self):
        values = self.config().values
        return values.get("name" if self.kind == "qemu" else "hostname") or (
            f"VM {self.vmid}" if self.kind == "qemu" else f"CT{self.vmid}")

    def check_lock(self):
        lock = self.config().values.get("lock")
        if lock:
            raise Refused(500, f"{'VM' if self.kind == 'qemu' else 'CT'} is locked ({lock})")

    def disks(self, values=None):
        """(key, properties) of disks and mount points; volume id under `file`."""
        values = self.config().values if values is None else values
        for key in sorted(values, key=lambda key: (re.sub(r"\d", "", key), int(re.sub(r"\D", "", key) or 0))):
            if self.kind == "qemu" and BUS_DISK.match(key):
                yield key, parse_properties(values[key], "file")
            elif self.kind == "lxc" and MOUNT.match(key):
                properties = parse_properties(values[key], "volume")
                yield key, {**properties, "file": properties["volume"]}

    def resolve(self, volid):
        """The real path of a volume id or absolute path."""
        if volid.startswith("/"):
            return volid
        storage, _, volume = volid.partition(":")
        return self.simulator.storage(storage, self.node).locate(self.node, volume)

    def disk_path(self, key):
        return self.resolve(dict(self.disks())[key]["file"])

    def volumes(self):
        """Every volume that belongs to the guest, unused ones too."""
        values = self.config().values
        found = [properties["file"] for _, properties in self.disks(values)]
        found += [value for key, value in values.items() if key.startswith("unused")]
        return [volid for volid in found if ":" in volid and not volid.startswith("/") and re.search(
            rf"(?:vm|base|subvol|basevol)-{self.vmid}-", volid)]

    def destroy(self):
        for volid in self.volumes():
            storage, _, volume = volid.partition(":")
            try:
                self.simulator.storage(storage, self.node).remove(self.node, volume)
            except Refused:
                pass
        for path in (self.path, self.firewall_path):
            if os.path.exists(path):
                os.unlink(path)
        self.simulator.guests.pop(self.vmid, None)
        for pool in self.simulator.pools.values():
            pool["vms"].discard(self.vmid)
