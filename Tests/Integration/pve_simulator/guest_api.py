"""Virtual machines and containers: lists, configuration, status, snapshots, guest agent."""
import hashlib
import os
import re
import time

from .configs import BUS_DISK, MOUNT
from .errors import Refused, TaskFailed, denied
from .formats import parse_properties, split_list
from .routes import route

KINDS = ("qemu", "lxc")
BOTH = ["/nodes/{node}/qemu/{vmid}", "/nodes/{node}/lxc/{vmid}"]
MASK = "**********"


def both(verb, ending):
    return route(verb, *[path + ending for path in BOTH])


@route("GET", "/nodes/{node}/qemu", "/nodes/{node}/lxc")
def guests(call):
    kind = call.path.split("/")[3]
    result = []
    for guest in call.simulator.guests.values():
        if guest.kind == kind and guest.node == call.node and call.may(f"/vms/{guest.vmid}", "VM.Audit"):
            result.append(brief(guest))
    return result


def brief(guest):
    config = guest.config().values
    memory = int(re.match(r"(?:current=)?(\d+)", config.get("memory", "512"))[1]) << 20
    entry = {"vmid": guest.vmid, "name": guest.name, "status": "running" if guest.running else "stopped",
             "cpus": int(config.get("cores", 1)) * int(config.get("sockets", 1)), "maxmem": memory,
             "mem": memory // 2 if guest.running else 0, "cpu": 0.01 if guest.running else 0,
             "uptime": 3600 if guest.running else 0, "disk": 0, "diskread": 0, "diskwrite": 0, "netin": 0, "netout": 0,
             "maxdisk": max([0] + [sized(properties.get("size", "0")) for _, properties in guest.disks(config)])}
    if guest.kind == "lxc":
        entry.update(type="lxc", swap=0, maxswap=int(config.get("swap", 512)) << 20)
    if guest.running:
        entry["pid"] = 10000 + guest.vmid
    for key in ("tags", "lock"):
        if key in config:
            entry[key] = config[key]
    if config.get("template") == "1":
        entry["template"] = 1
    return entry


def sized(text):
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", text)
    return int(float(found[1]) * 1024 ** " KMGT".index(found[2] or " ")) if found else 0


def digest_of(guest):
    with open(guest.path, "rb") as file:
        return hashlib.sha1(file.read()).hexdigest()


def shown(guest, values):
    """Values as the API gives them: numbers as numbers, the password of cloud-init masked."""
    result = {}
    for key, value in values.items():
        if key == "cipassword":
            value = MASK
        elif isinstance(value, str) and re.fullmatch(r"-?(?:0|[1-9]\d{0,14})", value) and key in (
                "cores", "sockets", "balloon", "onboot", "numa", "kvm", "tablet", "protection", "template",
                "acpi", "swap", "unprivileged", "vcpus", "autostart", "console", "tty", "snaptime", "shares",
                "freeze", "localtime", "ciupgrade", "cpuunits"):
            value = int(value)
        elif guest.kind == "lxc" and key == "memory":
            value = int(value)
        result[key] = value
    return result


@both("GET", "/config")
def config(call):
    guest = call.guest()
    found = guest.config()
    if call.get("snapshot"):
        if call["snapshot"] not in found.snapshots:
            raise Refused(500, f"snapshot '{call['snapshot']}' does not exist")
        values = dict(found.snapshots[call["snapshot"]])
    else:
        values = dict(found.values)
        if not call.get("current"):
            for key in split_list(found.pending.get("delete", "")):
                values.pop(key.lstrip("!"), None)
            values.update({key: value for key, value in found.pending.items() if key != "delete"})
    result = shown(guest, values)
    result["digest"] = digest_of(guest)
    return result


@both("GET", "/pending")
def pending(call):
    guest = call.guest()
    found = guest.config()
    values, waiting = shown(guest, found.values), shown(guest, found.pending)
    delete = {key.lstrip("!"): 2 if key.startswith("!") else 1 for key in split_list(waiting.pop("delete", ""))}
    result = []
    for key in sorted(set(values) | set(waiting)):
        entry = {"key": key}
        if key in values:
            entry["value"] = values[key]
        if key in waiting:
            entry["pending"] = waiting[key]
        if key in delete:
            entry["delete"] = delete[key]
        result.append(entry)
    return result + [{"key": "digest", "value": digest_of(guest)}]


@both("GET", "/snapshot")
def snapshots(call):
    guest = call.guest()
    found = guest.config()
    result = [{"name": name, "description": values.get("description", ""), "snaptime": int(values.get("snaptime", 0)),
               **({"parent": values["parent"]} if "parent" in values else {}),
               **({"vmstate": 1 if "vmstate" in values else 0} if guest.kind == "qemu" else {})}
              for name, values in found.snapshots.items()]
    current = {"name": "current", "description": "You are here!", "digest": digest_of(guest)}
    if guest.kind == "qemu":
        current["running"] = 1 if guest.running else 0
    if "parent" in found.values:
        current["parent"] = found.values["parent"]
    return result + [current]


@both("GET", "/snapshot/{snapname}/config")
def snapshot_config(call):
    guest = call.guest()
    found = guest.config().snapshots
    if call["snapname"] not in found:
        raise Refused(500, f"snapshot '{call['snapname']}' does not exist")
    return shown(guest, found[call["snapname"]])


@both("POST", "/snapshot")
def take_snapshot(call):
    """Writes the section only: the simulator keeps no old bytes of disks."""
    guest, name = call.guest(), call["snapname"]

    def work(task):
        guest.check_lock()
        found = guest.config()
        if name in found.snapshots:
            raise TaskFailed(f"snapshot name '{name}' already used")
        found.snapshots[name] = {key: value for key, value in found.values.items() if key != "lock"}
        found.snapshots[name].update(snaptime=str(int(time.time())))
        if call.get("description"):
            found.snapshots[name]["description"] = call["description"]
        found.values["parent"] = name
        guest.save(found)
    return call.task("qmsnapshot" if guest.kind == "qemu" else "vzsnapshot", str(guest.vmid), work)


@both("DELETE", "/snapshot/{snapname}")
def delete_snapshot(call):
    guest, name = call.guest(), call["snapname"]

    def work(task):
        found = guest.config()
        if name not in found.snapshots:
            raise TaskFailed(f"snapshot '{name}' does not exist")
        parent = found.snapshots.pop(name).get("parent")
        if found.values.get("parent") == name:
            found.values.pop("parent")
            if parent:
                found.values["parent"] = parent
        guest.save(found)
    return call.task("qmdelsnapshot" if guest.kind == "qemu" else "vzdelsnapshot", str(guest.vmid), work)


@both("GET", "/status/current")
def current(call):
    guest = call.guest()
    entry = brief(guest)
    entry["ha"] = {"managed": 1 if call.simulator.under_ha(guest) else 0}
    if guest.kind == "qemu":
        entry["qmpstatus"] = entry["status"]
        if parse_properties(guest.config().values.get("agent", "0"), "enabled").get("enabled") in ("1", "on", "yes"):
            entry["agent"] = 1
    return entry


@both("GET", "")
@both("GET", "/status")
def nothing(call):
    call.guest()
    return []


def power(running, kind):
    def change(call):
        guest = call.guest()

        def work(task):
            guest.check_lock()
            if running and guest.running:
                raise TaskFailed(f"VM {guest.vmid} already running")
            if running:
                for key, properties in guest.disks():
                    volid = properties["file"]
                    if volid not in ("none", "cdrom") and not os.path.exists(guest.resolve(volid)):
                        raise TaskFailed(f"volume '{volid}' does not exist")
            guest.running = running
        return call.task(("qm" if guest.kind == "qemu" else "vz") + kind, str(guest.vmid), work)
    return change


both("POST", "/status/start")(power(True, "start"))
both("POST", "/status/stop")(power(False, "stop"))
both("POST", "/status/shutdown")(power(False, "shutdown"))


@both("DELETE", "")
def destroy(call):
    guest = call.guest()
    values = guest.config().values
    if values.get("protection") == "1":
        raise Refused(500, f"can't remove VM {guest.vmid} - protection mode enabled")
    if guest.running and not call.get("force"):
        raise Refused(500, f"VM {guest.vmid} is running - destroy failed" if guest.kind == "qemu"
                      else f"unable to destroy CT {guest.vmid} - container is running")
    if call.simulator.under_ha(guest) and not call.get("purge"):
        raise Refused(500, "unable to remove VM/CT, it is used in HA resources and purge parameter not set")

    if not call.get("skiplock") and values.get("lock") not in (None, "suspended"):
        guest.check_lock()

    def work(task):
        guest.destroy()
        if call.get("purge"):
            call.simulator.purge(guest)
    return call.task("qmdestroy" if guest.kind == "qemu" else "vzdestroy", str(guest.vmid), work)


@route("GET", "/nodes/{node}/lxc/{vmid}/interfaces")
def interfaces(call):
    guest = call.guest()
    if not guest.running:
        return []
    return [{"name": "lo", "hwaddr": "00:00:00:00:00:00", "inet": "127.0.0.1/8", "inet6": "::1/128"}] + [
        {"name": properties.get("name", "eth0"), "hwaddr": properties.get("hwaddr", "").lower(),
         "inet": "192.0.2.20/24"} for key, value in guest.config().values.items()
        if re.fullmatch(r"net\d+", key) for properties in [parse_properties(value)]]


# The guest agent.

AGENT = {
    "get-osinfo": {"id": "debian", "name": "Debian GNU/Linux", "version-id": "12", "kernel-release": "6.1.0-18-amd64",
                   "pretty-name": "Debian GNU/Linux 12 (bookworm)", "machine": "x86_64"},
    "get-fsinfo": [{"name": "sda1", "mountpoint": "/", "type": "ext4", "total-bytes": 8 << 30,
                    "used-bytes": 2 << 30, "disk": []}],
    "network-get-interfaces": [{"name": "eth0", "hardware-address": "bc:24:11:00:11:22", "ip-addresses": [
        {"ip-address": "192.0.2.10", "ip-address-type": "ipv4", "prefix": 24}]}],
    "get-host-name": {"host-name": "web"}, "info": {"version": "7.2.0", "supported_commands": []},
    "get-time": 0, "get-timezone": {"zone": "CET", "offset": 3600}, "get-users": [], "get-vcpus": [],
    "fsfreeze-status": "thawed", "ping": {},
}


def agent_ready(call):
    guest = call.guest("qemu")
    enabled = parse_properties(guest.config().values.get("agent", "0"), "enabled").get("enabled")
    if enabled not in ("1", "on", "yes"):
        raise Refused(500, "No QEMU guest agent configured")
    if not guest.running:
        raise Refused(500, f"VM {guest.vmid} is not running")
    if guest.agent.get("down"):
        raise Refused(500, "QEMU guest agent is not running")
    return guest


def agent_answer(call):
    command = call.path.rsplit("/", 1)[1]
    return {"result": agent_ready(call).agent.get(command, AGENT[command])}


for _command in AGENT:
    route("POST" if _command in ("ping", "fsfreeze-status") else "GET",
          f"/nodes/{{node}}/qemu/{{vmid}}/agent/{_command}")(agent_answer)


@route("GET", "/nodes/{node}/qemu/{vmid}/agent/file-read")
def file_read(call):
    files = agent_ready(call).agent.get("files", {"/etc/hostname": b"web\n"})
    if call["file"] not in files:
        raise Refused(500, f"Agent error: failed to open file '{call['file']}' (mode: 'r'): "
                           "No such file or directory")
    data, most = files[call["file"]], call.get("count", 16 << 20)
    result = {"content": data[:most].decode("latin-1"), "bytes-read": min(most, len(data))}
    if len(data) > most:
        result["truncated"] = 1
    return result


@route("GET", "/nodes/{node}/qemu/{vmid}/cloudinit")
def cloudinit(call):
    return [{"key": key, "value": value} for key, value in shown(call.guest(), call.guest().config().values).items()
            if key.startswith(("ci", "ipconfig", "sshkeys", "nameserver", "searchdomain"))]


@route("GET", "/nodes/{node}/qemu/{vmid}/cloudinit/dump")
def cloudinit_dump(call):
    values = call.guest().config().values
    if call["type"] == "user":
        return f"#cloud-config\nhostname: {values.get('name')}\nuser: {values.get('ciuser', 'root')}\n" + (
            f"password: {MASK}\n" if "cipassword" in values else "")
    return f"# {call['type']}\n"
