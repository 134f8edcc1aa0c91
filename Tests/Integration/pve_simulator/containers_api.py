"""New containers, of templates and of archives."""
import os
import random
import re
import subprocess
import tarfile

from .configs import GuestConfig, MOUNT
from .creation import adopt, check_backup, new_guest
from .drives import check_container_keys, NOT_CONFIG
from .errors import refuse_parameter, Refused, TaskFailed
from .formats import parse_properties, print_properties
from .guests import Guest
from .routes import route


@route("POST", "/nodes/{node}/lxc")
def create_container(call):
    simulator = call.simulator
    vmid = new_guest(call, "lxc")
    given = {key: str(value) for key, value in call.parameters.items() if key not in NOT_CONFIG}
    unprivileged = given.get("unprivileged", "0") in ("1", "on", "yes")
    check_container_keys(call, {key: value for key, value in given.items() if key != "unprivileged"}, vmid, unprivileged)
    if not unprivileged and int(simulator.version[0]) >= 9:
        call.require("/", "Sys.Modify")
    volid, restore = call["ostemplate"], bool(call.get("restore"))
    if volid.startswith("/") and call.who != "root@pam":
        raise Refused(500, "Only root can pass arbitrary filesystem paths.")
    if restore:
        path = check_backup(call, volid)
    else:
        storage_id, _, volume = volid.partition(":")
        storage = simulator.storage(storage_id, call.node)
        kind = storage.parse(volume)[0]
        if kind != "vztmpl":
            raise Refused(500, f"cannot use volume of type '{kind}': content type needs to be 'vztmpl'")
        path = storage.locate(call.node, volume)
        if not os.path.exists(path):
            raise Refused(500, f"volume '{volid}' does not exist")
    mounts = {key: value for key, value in given.items() if MOUNT.match(key)}
    if any(key != "rootfs" for key in mounts) and "rootfs" not in mounts:
        refuse_parameter(rootfs="rootfs is required when mount points are given")
    default = simulator.storage(call.get("storage", "local"), call.node)
    for key, value in mounts.items():
        source = parse_properties(value, "volume")["volume"]
        if source.startswith("/"):
            call.root_only("mount point type bind is only allowed for root@pam")
        call.require(f"/storage/{source.split(':')[0]}", "Datastore.AllocateSpace")
    if "rootfs" not in mounts:
        call.require(f"/storage/{default.id}", "Datastore.AllocateSpace")

    def work(task):
        old = simulator.guests.get(vmid)
        if old:
            old.destroy()
        guest = simulator.guests[vmid] = Guest(simulator, vmid, "lxc", call.node)
        config = GuestConfig("lock: create\n")
        guest.save(config)
        try:
            fill_container(call, task, guest, path, given, mounts, default, restore)
        except BaseException:
            guest.destroy()
            raise
        adopt(simulator, guest, call.get("pool"))
        guest.running = bool(call.get("start"))
    return call.task("vzrestore" if restore else "vzcreate", str(vmid), work)


def fill_container(call, task, guest, path, given, mounts, default, restore):
    simulator, config, firewall = call.simulator, GuestConfig(), b""
    if restore:
        with simulator.opened(path, task) as file, tarfile.open(fileobj=file, mode="r|") as archive:
            for member in archive:
                if member.name == "./etc/vzdump/pct.conf":
                    config = GuestConfig(archive.extractfile(member).read().decode())
                elif member.name == "./etc/vzdump/pct.fw":
                    firewall = archive.extractfile(member).read()
                elif member.name not in ("./etc/vzdump",):
                    break
        if call.who != "root@pam":
            config.values.pop("lxc", None)
    template = mounts or {key: value for key, value in config.values.items() if MOUNT.match(key)} or {"rootfs": "8"}
    for key in [key for key in config.values if MOUNT.match(key)]:
        del config.values[key]
    made = {}
    for key in sorted(template, key=lambda key: key != "rootfs"):
        values = parse_properties(template[key], "volume")
        if values["volume"].startswith("/"):
            if call.who == "root@pam":
                config.values[key] = template[key]
            continue
        named = values["volume"].partition(":")[0] if mounts else ""
        storage = simulator.storage(named, guest.node) if named else default
        if "rootdir" not in storage.content:
            raise TaskFailed(f"storage '{storage.id}' does not support content-type 'rootdir'")
        size = values.get("size") or (values["volume"].partition(":")[2] or "8") + "G"
        values["volume"] = storage.allocate_root(guest.node, guest.vmid)
        config.values[key] = print_properties({**values, "size": size}, "volume")
        made[key] = (guest.resolve(values["volume"]), values.get("mp", "/"))
    root = made["rootfs"][0]
    config.values.update({key: value for key, value in given.items() if key not in mounts})
    config.values["lock"] = "create"
    guest.save(config)
    options = ["--acls", "--xattrs", "--xattrs-include=user.*", "--xattrs-include=security.capability",
               "--warning=no-xattr-write", "--skip-old-files", "--anchored", "--exclude", "./dev/*"]
    # The real one mounts volumes before it unpacks, and leaves directories that are there as they are.
    for volume, where in made.values():
        os.makedirs(os.path.join(root, where.lstrip("/")), exist_ok=True)
    child = task.run(["tar", "xpf", "-", "--numeric-owner", "--totals", "--sparse", "-C", root, *options],
                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with simulator.opened(path, task) as file:
        try:
            while piece := file.read(1 << 20):
                child.stdin.write(piece)
        except BrokenPipeError:
            pass
        child.stdin.close()
    text = child.stderr.read().decode("utf-8", "replace")
    if child.wait() and not call.get("ignore-unpack-errors"):
        raise TaskFailed(f"unable to restore CT {guest.vmid} - command 'tar' failed: {text.strip()}")
    for key, (volume, where) in made.items():
        inside = os.path.join(root, where.lstrip("/"))
        if key != "rootfs" and os.path.isdir(inside):
            subprocess.run(["cp", "-a", inside + "/.", volume], check=True)
            subprocess.run(["rm", "-rf", inside], check=True)
            os.makedirs(inside)
    if restore:
        subprocess.run(["rm", "-rf", os.path.join(root, "etc/vzdump")], check=True)
        if firewall:
            simulator.write(guest.firewall_path, firewall.decode())
            simulator.state.load_firewall(guest)
        if call.get("unique"):
            for key, value in list(config.values.items()):
                if re.fullmatch(r"net\d+", key):
                    mac = "BC:24:11:" + ":".join(f"{random.randrange(256):02X}" for _ in range(3))
                    config.values[key] = re.sub(r"hwaddr=[^,]*", f"hwaddr={mac}", value)
    elif config.values.get("ostype") != "unmanaged":
        set_up(root, config.values.get("hostname", f"CT{guest.vmid}"))
    config.values.pop("lock", None)
    guest.save(config)


def set_up(root, hostname):
    """What a server does to a new container whose system it knows: it is a machine of its own then."""
    inside = lambda path: os.path.join(root, path)
    os.makedirs(inside("etc"), exist_ok=True)
    with open(inside("etc/hostname"), "w", encoding="utf-8") as file:
        file.write(hostname + "\n")
    if os.path.exists(inside("etc/machine-id")):
        os.truncate(inside("etc/machine-id"), 0)
    if os.path.isdir(inside("etc/ssh")):
        with open(inside("etc/ssh/ssh_host_ed25519_key"), "wb") as file:
            file.write(os.urandom(64))
