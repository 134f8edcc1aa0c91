"""Lists of things with an id, which all work alike: list, make, show, change, delete."""
import hashlib
import json
import re
import time

from .errors import Refused
from .formats import split_list
from .state import SECRETS

# Path of the list → (name of the id, path of the right that an entry needs to be listed, privileges).
COLLECTIONS = {
    "/cluster/backup": ("id", None, ()),
    "/cluster/replication": ("id", "/vms/{guest}", ("VM.Audit",)),
    "/cluster/ha/resources": ("sid", None, ()),
    "/cluster/ha/groups": ("group", None, ()),
    "/cluster/ha/rules": ("rule", None, ()),
    "/cluster/jobs/realm-sync": ("id", None, ()),
    "/cluster/sdn/zones": ("zone", "/sdn/zones/{zone}", ("SDN.Audit", "SDN.Allocate")),
    "/cluster/sdn/vnets": ("vnet", "/sdn/zones/{zone}/{vnet}", ("SDN.Audit", "SDN.Allocate")),
    "/cluster/sdn/vnets/{vnet}/subnets": ("subnet", None, ()),
    "/cluster/sdn/controllers": ("controller", "/sdn/controllers/{controller}", ("SDN.Audit", "SDN.Allocate")),
    "/cluster/sdn/ipams": ("ipam", "/sdn/ipams/{ipam}", ("SDN.Audit", "SDN.Allocate")),
    "/cluster/sdn/dns": ("dns", "/sdn/dns/{dns}", ("SDN.Audit", "SDN.Allocate")),
    "/cluster/mapping/pci": ("id", "/mapping/pci/{id}", ("Mapping.Audit", "Mapping.Use", "Mapping.Modify")),
    "/cluster/mapping/usb": ("id", "/mapping/usb/{id}", ("Mapping.Audit", "Mapping.Use", "Mapping.Modify")),
    "/cluster/mapping/dir": ("id", "/mapping/dir/{id}", ("Mapping.Audit", "Mapping.Use", "Mapping.Modify")),
    "/cluster/metrics/server": ("id", None, ()),
    "/cluster/notifications/endpoints/gotify": ("name", None, ()),
    "/cluster/notifications/endpoints/sendmail": ("name", None, ()),
    "/cluster/notifications/endpoints/smtp": ("name", None, ()),
    "/cluster/notifications/endpoints/webhook": ("name", None, ()),
    "/cluster/notifications/matchers": ("name", None, ()),
    "/cluster/acme/account": ("name", None, ()),
    "/cluster/acme/plugins": ("id", None, ()),
    "/cluster/qemu/custom-cpu-models": ("cputype", None, ()),
}
IN_PATH = {"node", "vmid"}


def digest(values):
    return hashlib.sha1(json.dumps(values, sort_keys=True).encode()).hexdigest()


def public(values):
    return {key: value for key, value in values.items() if key not in SECRETS}


class Collection:
    def __init__(self, path, call):
        self.id_name, self.right, self.privileges = COLLECTIONS[path]
        self.call = call
        self.name = re.sub(r"\{(.+?)\}", lambda found: str(call[found[1]]), path)[len("/cluster/"):]
        self.entries = call.simulator.state.collections.setdefault(self.name, {})

    def check_version(self):
        if self.name == "ha/groups" and self.call.simulator.version.startswith("9"):
            raise Refused(500, "cannot index groups: ha groups have been migrated to rules")

    def list(self):
        self.check_version()
        call, result = self.call, []
        entries = self.entries
        if call.get("running"):
            entries = call.simulator.state.applied.get(self.name, {})
        for name, values in entries.items():
            if call.get("type") not in (None, values.get("type")):
                continue
            if self.right:
                path = re.sub(r"\{(.+?)\}", lambda found: str(values.get(found[1], "")), self.right)
                if not call.may(path, *self.privileges, any=True):
                    continue
            entry = {**public(values), "digest": digest(self.entries)}
            if call.get("pending"):
                applied = call.simulator.state.applied.get(self.name, {}).get(name)
                if applied is None:
                    entry["state"] = "new"
                elif applied != values:
                    entry["state"] = "changed"
            result.append(entry)
        return result

    def identifier(self):
        found = self.call[self.id_name]
        if self.name == "ha/resources" and found.isdigit():
            guest = self.call.simulator.guests.get(int(found))
            found = ("ct:" if guest and guest.kind == "lxc" else "vm:") + found
        return found

    def find(self):
        self.check_version()
        name = self.identifier()
        if name not in self.entries:
            raise Refused(500, f"no such {self.kind} '{name}'" if self.kind != "job" else f"No such job '{name}'")
        return name

    @property
    def kind(self):
        return {"backup": "job", "ha/resources": "resource", "ha/groups": "ha group"}.get(
            self.name, self.name.rsplit("/", 1)[-1].rstrip("s"))

    def show(self):
        name = self.find()
        return {**public(self.entries[name]), "digest": digest(self.entries)}

    def make(self):
        self.check_version()
        call = self.call
        values = {key: value for key, value in call.parameters.items() if key not in IN_PATH and key != "digest"}
        if self.name == "backup" and "id" not in values:
            name = f"backup-{digest([time.time_ns()])[:8]}-{digest([len(self.entries)])[:4]}"
            call.parameters["id"] = values["id"] = name
        if self.name.endswith("/subnets"):
            vnet = call.simulator.state.collections["sdn/vnets"].get(call["vnet"])
            if vnet is None:
                raise Refused(500, f"sdn vnet '{call['vnet']}' does not exist")
            cidr = values["subnet"]
            values.update(cidr=cidr, subnet=f"{vnet['zone']}-{cidr.replace('/', '-')}", zone=vnet["zone"],
                          vnet=call["vnet"])
            name = values["subnet"]
        else:
            name = self.identifier()
            values[self.id_name] = name
        self.check_references(values)
        if name in self.entries:
            raise Refused(500, f"{self.kind} '{name}' already exists" if "sdn" not in self.name else
                          f"sdn {self.kind} object ID '{name}' already defined")
        if self.name == "ha/resources":
            if not call.simulator.guests.get(int(name.split(":")[1])):
                raise Refused(500, f"resource '{name}' does not exist")
            values["type"] = name.split(":")[0]
        if self.name == "acme/plugins":
            values["plugin"] = values.pop("id")
        if self.name == "sdn/vnets":
            values.setdefault("type", "vnet")
        self.entries[name] = values
        call.simulator.state.write_files()
        return name if "qemu" in self.name else None

    def check_references(self, values):
        zones = self.call.simulator.state.collections["sdn/zones"]
        if self.name == "sdn/vnets" and values.get("zone") not in zones:
            raise Refused(500, f"zone {values.get('zone')} does not exist")

    def change(self):
        name = self.find()
        call, values = self.call, dict(self.entries[self.find()])
        if call.get("digest") and call["digest"] != digest(self.entries):
            raise Refused(500, "detected modified configuration - file changed by other user? Try again.")
        for key in split_list(flatten(call.get("delete", ""))):
            values.pop(key, None)
        values.update({key: value for key, value in call.parameters.items() if key not in IN_PATH
                       and key not in ("delete", "digest", self.id_name)})
        self.entries[name] = values
        call.simulator.state.write_files()

    def remove(self):
        name = self.find()
        vnets = self.call.simulator.state.collections["sdn/vnets"]
        if self.name == "sdn/zones" and any(one["zone"] == name for one in vnets.values()):
            raise Refused(500, f"zone {name} is used by vnet " + next(
                key for key, one in vnets.items() if one["zone"] == name))
        if self.name == "sdn/vnets" and self.call.simulator.state.collections.get(f"sdn/vnets/{name}/subnets"):
            raise Refused(500, f"can't delete vnet {name}, it still has subnets")
        del self.entries[name]
        self.call.simulator.state.write_files()


def flatten(value):
    return ",".join(value) if isinstance(value, list) else value


def generic(verb, template):
    """The function for a method of one of the collections, or None."""
    if template in COLLECTIONS and verb in ("GET", "POST"):
        return lambda call: getattr(Collection(template, call), "list" if verb == "GET" else "make")()
    parent, _, last = template.rpartition("/")
    if parent in COLLECTIONS and last == "{" + COLLECTIONS[parent][0] + "}":
        action = {"GET": "show", "PUT": "change", "DELETE": "remove", "POST": "make"}[verb]
        return lambda call: getattr(Collection(parent, call), action)()
    return None
