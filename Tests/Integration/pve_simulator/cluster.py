"""The cluster and its nodes: version, status, resources, ids, and what a node tells of itself."""
import json
import re
import time

from . import access_api, collections_api, firewall_api, pools_api  # noqa: F401 (they bring routes)
from .backup import selected
from .errors import Refused
from .guest_api import brief
from .routes import route
from .tls import fingerprint

N = "/nodes/{node}"


@route("GET", "/version")
def version(call):
    return release(call.simulator)


def release(simulator):
    text = simulator.release.replace("-", ".")
    major_minor = ".".join(text.split(".")[:2])
    return {"version": simulator.release, "release": major_minor, "repoid": "f0a1b2c3"}


@route("GET", N + "/version")
def node_version(call):
    return release(call.simulator)


def online(call, node):
    return node not in call.simulator.faults.down


@route("GET", "/nodes")
def nodes(call):
    simulator = call.simulator
    result = []
    for node in simulator.nodes:
        entry = {"node": node, "id": f"node/{node}", "type": "node", "level": "",
                 "status": "online" if online(call, node) else "offline",
                 "ssl_fingerprint": fingerprint(simulator.certificates[node])}
        if online(call, node) and call.may(f"/nodes/{node}", "Sys.Audit"):
            entry.update(cpu=0.03, maxcpu=8, mem=4 << 30, maxmem=32 << 30, disk=6 << 30, maxdisk=94 << 30, uptime=86400)
        result.append(entry)
    return result


@route("GET", "/cluster/status")
def status(call):
    simulator = call.simulator
    result = [{"type": "cluster", "id": "cluster", "name": simulator.cluster_name, "version": len(simulator.nodes),
               "nodes": len(simulator.nodes), "quorate": 1}] if len(simulator.nodes) > 1 else []
    return result + [{"type": "node", "id": f"node/{node}", "name": node, "nodeid": number, "ip": "127.0.0.1",
                      "local": 1 if node == call.receiver else 0, "online": 1 if online(call, node) else 0, "level": ""}
                     for number, node in enumerate(simulator.nodes, 1)]


@route("GET", "/cluster/resources")
def resources(call):
    simulator, result = call.simulator, []
    wanted = call.get("type")
    if wanted in (None, "vm"):
        for guest in simulator.guests.values():
            if not call.may(f"/vms/{guest.vmid}", "VM.Audit"):
                continue
            entry = {**brief(guest), "id": f"{guest.kind}/{guest.vmid}", "type": guest.kind, "node": guest.node,
                     "template": brief(guest).get("template", 0), "maxcpu": brief(guest)["cpus"]}
            entry.pop("cpus", None)
            entry.pop("pid", None)
            pool = next((name for name, one in simulator.pools.items() if guest.vmid in one["vms"]), None)
            if pool:
                entry["pool"] = pool
            if not online(call, guest.node):
                # What pvestatd last knew is gone: the status is unknown, and fields are missing.
                entry = {key: entry[key] for key in ("id", "type", "node", "vmid")} | {"status": "unknown"}
            result.append(entry)
    if wanted in (None, "node"):
        result += [{key: value for key, value in entry.items() if key != "ssl_fingerprint"} for entry in nodes(call)]
    if wanted in (None, "storage"):
        for storage in simulator.storages.values():
            if call.may(f"/storage/{storage.id}", "Datastore.Audit", "Datastore.AllocateSpace", any=True):
                for node in simulator.nodes:
                    if storage.on(node):
                        known = storage.status(node)
                        result.append({
                            "id": f"storage/{node}/{storage.id}", "type": "storage", "storage": storage.id, "node": node,
                            "status": "available" if online(call, node) else "unknown", "plugintype": storage.kind,
                            "shared": known["shared"], "content": known["content"], "disk": known["used"],
                            "maxdisk": known["total"]})
    if wanted in (None, "sdn"):
        for zone in ["localnetwork", *simulator.state.collections["sdn/zones"]]:
            if call.may(f"/sdn/zones/{zone}", "SDN.Audit"):
                result += [{"id": f"sdn/{node}/{zone}", "type": "sdn", "sdn": zone, "node": node, "status": "ok"}
                           for node in simulator.nodes]
    if wanted is None:
        result += [{"id": f"/pool/{name}", "type": "pool", "pool": name} for name in simulator.pools
                   if call.may(f"/pool/{name}", "Pool.Audit")]
    return result


@route("GET", "/cluster/nextid")
def next_id(call):
    used = set(call.simulator.guests)
    if "vmid" in call.parameters:
        if int(call["vmid"]) in used:
            raise Refused(400, "Parameter verification failed.", {"vmid": f"VM {call['vmid']} already exists"})
        return str(call["vmid"])
    return str(next(number for number in range(100, 1 << 30) if number not in used))


@route("GET", "/cluster/options")
def options(call):
    found = dict(call.simulator.state.options)
    if not call.may("/", "Sys.Audit"):
        return {key: found[key] for key in ("console",) if key in found}
    return found


@route("PUT", "/cluster/options")
def change_options(call):
    found = call.simulator.state.options
    for key in re.split(r"[,;\s]+", call.get("delete", "")):
        found.pop(key, None)
    found.update({key: value for key, value in call.parameters.items() if key != "delete"})
    call.simulator.state.write_files()


@route("GET", "/cluster/backup/{id}/included_volumes")
def included(call):
    job = call.simulator.state.collections["backup"].get(call["id"])
    if job is None:
        raise Refused(500, f"No such job '{call['id']}'")
    children = []
    for vmid in selected(call.simulator, job):
        guest = call.simulator.guests.get(vmid)
        if guest is None:
            children.append({"id": vmid, "type": "unknown", "leaf": 1})
            continue
        volumes = []
        for key, properties in guest.disks():
            volid, flag = properties["file"], properties.get("backup")
            if guest.kind == "qemu":
                if properties.get("media") == "cdrom":
                    why, into = "cdrom", 0
                else:
                    into, why = (0, "disabled") if flag in ("0", "no", "off") else (1, "enabled")
            elif key == "rootfs":
                into, why = 1, "rootfs"
            elif volid.startswith("/"):
                into, why = 0, "not a volume"
            else:
                into, why = (1, "enabled") if flag in ("1", "yes", "on") else (0, "disabled")
            volumes.append({"id": key, "name": volid, "included": into, "reason": why})
        children.append({"id": vmid, "name": guest.name, "type": guest.kind, "children": volumes})
    return {"leaf": 0, "children": children}


@route("GET", "/cluster/backup-info/not-backed-up")
def not_backed_up(call):
    covered = set()
    for job in call.simulator.state.collections["backup"].values():
        if job.get("enabled", 1):
            covered |= set(selected(call.simulator, job))
    return [{"vmid": guest.vmid, "name": guest.name, "type": guest.kind}
            for guest in call.simulator.guests.values() if guest.vmid not in covered]


@route("PUT", "/cluster/sdn")
def apply_network(call):
    state = call.simulator.state
    state.applied = json.loads(json.dumps({name: one for name, one in state.collections.items() if "sdn" in name}))
    return call.simulator.tasks.start(call.receiver, "reloadnetworkall", "", call.who, lambda task: task.log(
        "reload networks")).upid


@route("GET", "/cluster/notifications/targets")
def targets(call):
    found = call.simulator.state.collections
    return [{"name": name, "type": kind, "comment": entry.get("comment", ""), "origin": entry.get("origin", "user-created")}
            for kind in ("gotify", "sendmail", "smtp", "webhook")
            for name, entry in found[f"notifications/endpoints/{kind}"].items()]


@route("GET", "/cluster/config/nodes")
def config_nodes(call):
    return [{"name": node, "node": node, "nodeid": str(number), "quorum_votes": "1", "ring0_addr": f"192.0.2.{number}"}
            for number, node in enumerate(call.simulator.nodes, 1)]


@route("GET", "/cluster/config/join")
def config_join(call):
    simulator = call.simulator
    return {"preferred_node": simulator.nodes[0], "config_digest": "0" * 40, "totem": totem(call), "nodelist": [
        {"name": node, "nodeid": str(number), "pve_addr": "127.0.0.1", "pve_fp": fingerprint(simulator.certificates[node]),
         "quorum_votes": "1", "ring0_addr": f"192.0.2.{number}"} for number, node in enumerate(simulator.nodes, 1)]}


@route("GET", "/cluster/config/totem")
def totem(call):
    return {"cluster_name": call.simulator.cluster_name, "config_version": "3", "interface": {"0": {"linknumber": "0"}},
            "ip_version": "ipv4-6", "secauth": "on", "version": "2"}


@route("GET", "/cluster/ha/status/current")
def ha_current(call):
    return [{"id": "quorum", "type": "quorum", "node": call.receiver, "status": "OK", "quorate": 1}] + [
        {"id": f"service:{sid}", "sid": sid, "type": "service", "state": entry.get("state", "started")}
        for sid, entry in call.simulator.state.collections["ha/resources"].items()]


@route("GET", "/cluster/ha/status/manager_status")
def ha_manager(call):
    return {"manager_status": {"master_node": call.simulator.nodes[0], "node_status": {
        node: "online" if online(call, node) else "unknown" for node in call.simulator.nodes},
        "service_status": {}, "timestamp": int(time.time())}, "quorum": {"node": call.receiver, "quorate": "1"},
        "lrm_status": {}}


# A node.

@route("GET", N + "/status")
def node_status(call):
    return {"cpu": 0.03, "wait": 0, "uptime": 86400, "loadavg": ["0.10", "0.08", "0.05"], "idle": 0,
            "pveversion": f"pve-manager/{call.simulator.release}/f0a1b2c3", "kversion": "Linux 6.8.12-9-pve",
            "cpuinfo": {"cpus": 8, "cores": 4, "sockets": 1, "model": "Simulated CPU", "mhz": "2400.000", "hvm": "1",
                        "user_hz": 100, "flags": ""},
            "memory": {"total": 32 << 30, "used": 4 << 30, "free": 28 << 30},
            "swap": {"total": 0, "used": 0, "free": 0},
            "rootfs": {"total": 94 << 30, "used": 6 << 30, "avail": 88 << 30, "free": 88 << 30},
            "boot-info": {"mode": "efi", "secureboot": 0}, "ksm": {"shared": 0}}


@route("GET", N + "/network")
def network(call):
    found = [
        {"iface": "vmbr0", "type": "bridge", "method": "static", "method6": "manual", "address": "192.0.2.1",
         "netmask": "24", "cidr": "192.0.2.1/24", "gateway": "192.0.2.254", "bridge_ports": "eno1", "bridge_stp": "off",
         "bridge_fd": "0", "active": 1, "autostart": 1, "families": ["inet"], "priority": 4},
        {"iface": "vmbr1", "type": "bridge", "method": "manual", "method6": "manual", "bridge_ports": "", "bridge_stp": "off",
         "bridge_fd": "0", "bridge_vlan_aware": 1, "bridge_vids": "2-4094", "active": 1, "autostart": 1,
         "families": ["inet"], "priority": 5},
        {"iface": "eno1", "type": "eth", "method": "manual", "method6": "manual", "exists": 1, "active": 1,
         "families": ["inet"], "priority": 3}]
    found += [{"iface": name, "type": "vnet", "active": 1} for name in call.simulator.state.collections["sdn/vnets"]
              if call.get("type") in ("any_bridge", "any_local_bridge", "vnet", "include_sdn")]
    wanted = call.get("type")
    if wanted in ("any_bridge", "any_local_bridge"):
        return [one for one in found if one["type"] in ("bridge", "vnet")]
    return [one for one in found if wanted in (None, one["type"], "include_sdn")]


@route("GET", N + "/network/{iface}")
def interface(call):
    found = [one for one in network(call) if one["iface"] == call["iface"]]
    if not found:
        raise Refused(400, "Parameter verification failed.", {"iface": "interface does not exist"})
    return found[0]


@route("GET", N + "/config")
def node_config(call):
    return {"description": f"node {call.node}\n", "digest": "0" * 40, **call.simulator.state.node_config.get(call.node, {})}


@route("PUT", N + "/config")
def change_node_config(call):
    call.simulator.state.node_config.setdefault(call.node, {}).update(
        {key: value for key, value in call.parameters.items() if key not in ("node", "digest", "delete")})


@route("GET", N + "/certificates/info")
def certificates(call):
    certificate = call.simulator.certificates[call.node]
    return [{"filename": "pve-ssl.pem", "fingerprint": fingerprint(certificate), "subject": f"/CN={call.node}.example.test",
             "issuer": "/CN=Proxmox Virtual Environment", "notafter": int(certificate.not_valid_after_utc.timestamp()),
             "notbefore": int(certificate.not_valid_before_utc.timestamp()), "public-key-type": "id-ecPublicKey",
             "public-key-bits": 256, "san": ["127.0.0.1", "localhost", call.node]}]


@route("GET", N + "/report")
def report(call):
    return (f"==== general system info ====\n\n# hostname\n{call.node}\n\n# pveversion --verbose\n"
            f"pve-manager: {call.simulator.release} (simulated)\n\n==== info about storage ====\n\n"
            + "".join(f"{one.kind}: {name}\n" for name, one in call.simulator.storages.items()))


@route("GET", N + "/storage/{storage}/file-restore/list")
def file_restore(call):
    raise Refused(500, "Only PBS storages supported for file-restore.")


@route("GET", N + "/hosts")
def hosts(call):
    return {"data": f"127.0.0.1 localhost\n192.0.2.1 {call.node}.example.test {call.node}\n", "digest": "0" * 40}


def no_ceph(call):
    raise Refused(500, "binary not installed: /usr/bin/ceph-mon")


STATIC = {
    N + "/dns": {"search": "example.test", "dns1": "192.0.2.53"},
    N + "/time": None,
    N + "/subscription": {"status": "notfound", "message": "There is no subscription key", "serverid": "0" * 32},
    N + "/services": [{"service": name, "name": name, "state": "running", "desc": name, "active-state": "active",
                       "unit-state": "enabled"} for name in ("pveproxy", "pvedaemon", "pvestatd", "pve-cluster", "sshd")],
    N + "/apt/repositories": {"files": [], "errors": [], "infos": [], "digest": "0" * 64, "standard-repos": []},
    N + "/apt/versions": [{"Package": "pve-manager", "Version": "8.4.1", "OldVersion": "8.4.1", "CurrentState": "Installed"}],
    N + "/disks/list": [{"devpath": "/dev/sda", "size": 480103981056, "model": "SIM SSD", "serial": "S0001", "type": "ssd",
                         "health": "PASSED", "used": "LVM", "gpt": 1, "wearout": 99, "vendor": "ATA"}],
    N + "/disks/zfs": [], N + "/disks/lvm": {"leaf": 0, "children": [{"name": "pve", "leaf": 0, "children": []}]},
    N + "/disks/lvmthin": [{"lv": "data", "vg": "pve", "lv_size": 100 << 30, "used": 1 << 30, "metadata_size": 1 << 30,
                            "metadata_used": 1 << 20}],
    N + "/disks/directory": [], N + "/hardware/pci": [], N + "/hardware/usb": [], N + "/replication": [],
    N + "/sdn/zones": [{"zone": "localnetwork", "status": "available"}, {"zone": "clinic", "status": "available"}],
    N + "/journal": ["-- simulated journal --"], N + "/syslog": [{"n": 1, "t": "simulated syslog"}],
    N + "/aplinfo": [], N + "/capabilities/qemu/cpu": [{"name": "kvm64", "custom": 0, "vendor": "default"},
                                                       {"name": "x86-64-v2-AES", "custom": 0, "vendor": "default"}],
    N + "/capabilities/qemu/machines": [{"id": "pc-q35-9.2", "type": "q35", "version": "9.2"},
                                        {"id": "pc-i440fx-9.2", "type": "i440fx", "version": "9.2"}],
    "/cluster/log": [], "/cluster/jobs/schedule-analyze": [], "/cluster/acme/directories": [
        {"name": "Let's Encrypt V2", "url": "https://acme-v02.api.letsencrypt.org/directory"}],
    "/cluster/firewall/macros": [{"macro": "SSH", "descr": "Secure shell traffic"}, {"macro": "HTTPS", "descr": "HTTPS"}],
    "/cluster/firewall/refs": [], "/cluster/config": [], "/cluster/config/apiversion": 10,
    "/cluster/config/qdevice": {}, "/cluster/sdn/ipams/{ipam}/status": [
        {"zone": "clinic", "subnet": "10.20.0.0/24", "vnet": "ward", "ip": "10.20.0.1", "gateway": 1}],
    "/cluster/sdn/fabrics/all": {"fabrics": [], "nodes": []}, "/cluster/sdn/fabrics": [],
    "/cluster/sdn/prefix-lists": [], "/cluster/sdn/route-maps": [],
}


def static(path, value):
    def answer(call):
        if path.endswith("/time"):
            return {"time": int(time.time()), "localtime": int(time.time()), "timezone": "Europe/Paris"}
        return value
    route("GET", path)(answer)


for _path, _value in STATIC.items():
    static(_path, _value)
for _name in ("", "/cfg/raw", "/cfg/db", "/osd", "/pool", "/mon", "/mds", "/fs", "/rules", "/status", "/mgr", "/crush",
              "/config", "/pools"):
    route("GET", N + "/ceph" + _name)(no_ceph)
route("GET", "/cluster/ceph/metadata", "/cluster/ceph/status", "/cluster/ceph/flags")(no_ceph)
for _path, _names in {
        "/": "access cluster nodes pools storage version", "/access": "users groups domains openid tfa ticket acl roles password",
        "/cluster": "replication metrics config firewall backup backup-info ha acme ceph jobs mapping sdn log resources tasks "
                    "options status nextid notifications", "/cluster/ha": "status resources groups",
        "/cluster/sdn": "vnets zones controllers ipams dns", "/cluster/firewall": "rules options groups aliases ipset macros refs log",
        "/cluster/notifications": "endpoints targets matchers", "/cluster/mapping": "pci usb dir", "/cluster/jobs": "realm-sync",
        "/cluster/metrics": "server", "/cluster/acme": "plugins account", "/cluster/backup-info": "not-backed-up",
        "/cluster/notifications/endpoints": "gotify sendmail smtp webhook",
        "/cluster/ha/status": "current manager_status", N: "qemu lxc storage tasks vzdump network status"}.items():
    static(_path, [{"subdir": name, "name": name} for name in _names.split()])
