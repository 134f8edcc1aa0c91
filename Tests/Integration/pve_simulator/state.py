"""What the cluster has besides guests, storages and users, with data to begin with."""
import json

from . import firewall_files
from .configs import section_file

SECRETS = {"password", "token", "secret", "keyring", "encryption-key", "client-key", "key", "master-pubkey"}


class Cluster:
    def __init__(self, simulator):
        self.simulator = simulator
        self.collections, self.firewalls, self.secrets = {}, {}, {}
        self.options = {"keyboard": "fr", "console": "html5", "mac_prefix": "BC:24:11",
                        "email_from": "pve@ch-valmont.example"}
        self.node_config = {}
        self._fill(int(simulator.version[0]))
        self.applied = json.loads(json.dumps({name: one for name, one in self.collections.items() if "sdn" in name}))

    def _fill(self, major):
        first = self.simulator.nodes[0]
        put = self.collections
        put["backup"] = {"backup-7c1f0d3e-9a52": {
            "id": "backup-7c1f0d3e-9a52", "type": "vzdump", "enabled": 1, "schedule": "02:30", "storage": "export",
            "mode": "snapshot", "all": 1, "compress": "zstd", "prune-backups": {"keep-daily": "7", "keep-weekly": "4"},
            "notes-template": "{{guestname}}"}}
        put["replication"], put["ha/resources"], put["jobs/realm-sync"] = {}, {}, {}
        put["ha/groups"] = {} if major >= 9 else {"prefer-first": {
            "group": "prefer-first", "type": "group", "nodes": f"{first}:2", "restricted": 0, "nofailback": 0}}
        put["ha/rules"] = {"prefer-first": {
            "rule": "prefer-first", "type": "node-affinity", "nodes": f"{first}:2", "resources": "vm:100",
            "strict": 0}} if major >= 9 else {}
        put["sdn/zones"] = {"clinic": {"zone": "clinic", "type": "vlan", "bridge": "vmbr0", "mtu": 1500,
                                       "ipam": "pve"}}
        put["sdn/vnets"] = {"ward": {"vnet": "ward", "type": "vnet", "zone": "clinic", "tag": 120,
                                     "alias": "ward network"}}
        put["sdn/vnets/ward/subnets"] = {"clinic-10.20.0.0-24": {
            "subnet": "clinic-10.20.0.0-24", "type": "subnet", "cidr": "10.20.0.0/24", "gateway": "10.20.0.1",
            "vnet": "ward", "zone": "clinic"}}
        put["sdn/controllers"], put["sdn/dns"] = {}, {}
        put["sdn/ipams"] = {"pve": {"ipam": "pve", "type": "pve"}}
        put["mapping/pci"] = {"gpu": {"id": "gpu", "description": "imaging", "map": [
            f"id=10de:1eb8,iommugroup=14,node={first},path=0000:41:00.0"]}} if major >= 8 else {}
        put["mapping/usb"] = {"dongle": {"id": "dongle", "map": [f"id=0529:0001,node={first}"]}} if major >= 8 else {}
        put["mapping/dir"] = {}
        put["metrics/server"] = {"graphite": {"id": "graphite", "type": "graphite", "server": "192.0.2.40", "port": 2003}}
        for kind in ("gotify", "sendmail", "smtp", "webhook"):
            put[f"notifications/endpoints/{kind}"] = {}
        put["notifications/endpoints/sendmail"]["mail-to-root"] = {
            "name": "mail-to-root", "mailto-user": ["root@pam"], "comment": "Send mails to root@pam",
            "origin": "builtin"}
        put["notifications/matchers"] = {"default-matcher": {
            "name": "default-matcher", "mode": "all", "target": ["mail-to-root"], "origin": "builtin",
            "comment": "Route all notifications to mail-to-root"}}
        put["acme/account"], put["acme/plugins"] = {"default": {"name": "default"}}, {
            "standalone": {"plugin": "standalone", "type": "standalone"}}
        put["qemu/custom-cpu-models"] = {"hospital": {
            "cputype": "custom-hospital", "reported-model": "kvm64", "flags": "+aes"}}
        self.firewalls["cluster"] = firewall_files.parse(
            "[OPTIONS]\n\nenable: 0\n\n[ALIASES]\n\nadmin 192.0.2.0/24 # administrators\n\n[IPSET blocked]\n\n"
            "198.51.100.7 # scanner\n\n[RULES]\n\nIN SSH(ACCEPT) -source dc/admin -log nolog\n\n"
            "[group web]\n\nIN ACCEPT -p tcp -dport 443 -log nolog\n")

    # Firewalls by what they belong to: cluster, node/NAME, guest/ID, vnet/NAME.

    def firewall(self, key):
        return self.firewalls.setdefault(key, firewall_files.empty())

    def firewall_file(self, key):
        kind, _, name = key.partition("/")
        return self.simulator.at("etc-pve", {
            "cluster": "firewall/cluster.fw", "node": f"nodes/{name}/host.fw", "guest": f"firewall/{name}.fw",
            "vnet": f"sdn/firewall/{name}.fw"}[kind])

    def save_firewall(self, key):
        self.simulator.write(self.firewall_file(key), firewall_files.text_of(self.firewall(key)))

    def load_firewall(self, guest):
        with open(guest.firewall_path, encoding="utf-8") as file:
            self.firewalls[f"guest/{guest.vmid}"] = firewall_files.parse(file.read())

    # Files under etc-pve, for those who collect files.

    def write_files(self):
        simulator, access = self.simulator, self.simulator.access
        at, write = (lambda name: simulator.at("etc-pve", name)), simulator.write

        def sections(collection):
            return {name: (values.get("type", collection.rsplit("/")[-1]), {
                key: flat(value) for key, value in values.items()
                if key not in ("type", "digest", "id", "zone" if collection == "sdn/zones" else "vnet")})
                for name, values in self.collections[collection].items()}
        write(at("storage.cfg"), section_file({name: (one.kind, one.values) for name, one in simulator.storages.items()}))
        lines = [f"user:{name}:{one['enable']}:{one['expire']}:{one.get('firstname', '')}:{one.get('lastname', '')}:"
                 f"{one.get('email', '')}:{one.get('comment', '')}::\n" for name, one in access.users.items()]
        lines += [f"token:{user}!{name}:{one['expire']}:{one['privsep']}:{one['comment'] or ''}:\n"
                  for user, tokens in access.tokens.items() for name, one in tokens.items()]
        lines += [f"group:{name}:{','.join(user for user, one in access.users.items() if name in one['groups'])}:"
                  f"{one.get('comment', '')}:\n" for name, one in access.groups.items()]
        lines += [f"pool:{name}:{one['comment']}:{','.join(map(str, sorted(one['vms'])))}:"
                  f"{','.join(sorted(one['storage']))}:\n" for name, one in simulator.pools.items()]
        lines += [f"role:{name}:{','.join(sorted(those))}:\n" for name, those in access.roles.items()
                  if name not in access.special]
        lines += [f"acl:{one['propagate']}:{one['path']}:{'@' if one['type'] == 'group' else ''}{one['ugid']}:"
                  f"{one['roleid']}:\n" for one in access.acl]
        write(at("user.cfg"), "".join(lines))
        write(at("datacenter.cfg"), "".join(f"{key}: {flat(value)}\n" for key, value in self.options.items()))
        write(at("domains.cfg"), section_file({name: (one["type"], {
            key: value for key, value in one.items() if key != "type"}) for name, one in access.realms.items()}))
        write(at("jobs.cfg"), section_file(sections("backup")))
        write(at("ha/resources.cfg"), section_file(sections("ha/resources")))
        for name in ("zones", "vnets"):
            write(at(f"sdn/{name}.cfg"), section_file(sections(f"sdn/{name}")))
        write(at("virtual-guest/cpu-models.conf"), "cpu-model: hospital\n\tflags +aes\n\treported-model kvm64\n")
        self.save_firewall("cluster")


def flat(value):
    if isinstance(value, dict):
        return ",".join(f"{key}={one}" for key, one in value.items())
    return ",".join(map(str, value)) if isinstance(value, list) else value
