"""Making guests: new ones with `import-from`, restores of archives, changes of a configuration."""
import os
import random
import re
import secrets
import subprocess
import tarfile
import tempfile
import uuid

from . import vma
from .configs import BUS_DISK, MOUNT, GuestConfig, size_text
from .errors import Refused, TaskFailed, refuse_parameter
from .formats import parse_properties, print_properties, split_list
from .guests import Guest
from .guest_api import both, digest_of
from .routes import route
from .storages import image_info

NOT_CONFIG = {"node", "vmid", "archive", "storage", "unique", "force", "pool", "start", "bwlimit", "live-restore",
              "import-working-storage", "digest", "delete", "revert", "skiplock", "background_delay", "ostemplate",
              "restore", "ignore-unpack-errors", "password", "ssh-public-keys", "ha-managed"}
DRIVE = re.compile(r"^(?:(?:ide|sata|scsi|virtio)\d+|efidisk0|tpmstate0)$")
ROOT_ONLY = ("args", "hookscript", "lock")


def privilege_of(key):
    if DRIVE.match(key) or key.startswith("unused") or key in ("boot", "bootdisk", "scsihw"):
        return "VM.Config.Disk"
    if key in ("cores", "sockets", "cpu", "cpulimit", "cpuunits", "vcpus", "numa", "affinity") or re.match(r"numa\d", key):
        return "VM.Config.CPU"
    if key in ("memory", "balloon", "shares"):
        return "VM.Config.Memory"
    if key.startswith(("net",)) or key in ("nameserver", "searchdomain") or key.startswith("ipconfig"):
        return "VM.Config.Network"
    if key in ("ciuser", "cipassword", "cicustom", "citype", "sshkeys", "ciupgrade"):
        return "VM.Config.Cloudinit"
    if key in ("machine", "bios", "vga", "agent", "watchdog", "audio0", "rng0", "smbios1", "ostype", "vmgenid", "tablet",
               "kvm", "acpi", "arch", "hotplug") or key.startswith(("serial", "usb", "hostpci")):
        return "VM.Config.HWType"
    return "VM.Config.Options"


def check_keys(call, given, vmid):
    """Rights by key, and what only root@pam may set."""
    if call.who == "root@pam":
        return
    for key, value in given.items():
        raw = (key.startswith(("usb", "hostpci")) and "mapping=" not in str(value) and not str(value).startswith("spice")) \
            or (re.match(r"serial\d", key) and str(value) != "socket") or key.startswith("parallel") \
            or (key == "rng0" and "hwrng" in str(value))
        if key in ROOT_ONLY or raw:
            raise Refused(500, f"only root can set '{key}' config")
        if key == "startup":
            call.require("/", "Sys.Modify")
        pool = call.get("pool")
        if not (pool and call.may(f"/pool/{pool}", privilege_of(key))):
            call.require(f"/vms/{vmid}", privilege_of(key))
        if re.fullmatch(r"net\d+", key) and not call.simulator.version.startswith("7"):
            bridge = parse_properties(value, "model").get("bridge")
            if bridge:
                vnet = call.simulator.state.collections["sdn/vnets"].get(bridge)
                call.require(f"/sdn/zones/{vnet['zone'] if vnet else 'localnetwork'}/{bridge}", "SDN.Use")


def source_of(call, volid):
    """The path that `import-from` names; refuses what may not be read."""
    if volid.startswith("/"):
        if call.who != "root@pam":
            raise Refused(500, "Only root can pass arbitrary filesystem paths.")
        return call.simulator.inside(volid), None
    storage_id, _, volume = volid.partition(":")
    storage = call.simulator.storage(storage_id, call.node)
    inner, inside = volume, None
    found = re.fullmatch(r"(import/[^/]+\.ova)/(.+)", volume)
    if found:
        inner, inside = found.groups()
    kind = storage.parse(inner)[0]
    if kind not in ("images", "import"):
        raise Refused(400, "Parameter verification failed.", {
            "import-from": f"cannot import from '{volid}' - content type is '{kind}', not 'images' or 'import'"})
    if kind == "import":
        call.require(f"/storage/{storage_id}", "Datastore.Audit", "Datastore.AllocateSpace", any=True)
    elif not call.may(f"/storage/{storage_id}", "Datastore.Allocate"):
        call.require(f"/vms/{storage.parse(inner)[2]}", "VM.Config.Disk")
    path = storage.locate(call.node, inner)
    if not os.path.exists(path):
        raise Refused(500, f"volume '{volid}' does not exist")
    return path, inside


def plan_disk(call, key, text):
    """What becomes of one drive: ("keep", text), ("new", …) or ("import", …). Refuses bad ones now."""
    values = parse_properties(text, "file")
    volid, source = values["file"], values.pop("import-from", None)
    if volid in ("none", "cdrom"):
        return "keep", values, None
    if volid.startswith("/"):
        if call.who != "root@pam":
            raise Refused(500, "Only root can pass arbitrary filesystem paths.")
        return "keep", values, None
    storage_id, _, rest = volid.partition(":")
    storage = call.simulator.storage(storage_id, call.node)
    if rest == "cloudinit":
        call.require(f"/storage/{storage_id}", "Datastore.AllocateSpace")
        return "cloudinit", values, storage
    if re.fullmatch(r"\d+(?:\.\d+)?", rest):
        call.require(f"/storage/{storage_id}", "Datastore.AllocateSpace")
        if "images" not in storage.content:
            raise Refused(500, f"storage '{storage_id}' does not support content-type 'images'")
        if source is None:
            return "new", values, storage
        if float(rest) != 0:
            refuse_parameter(**{key: "when importing, the size must be 0 (use STORAGE_ID:0)"})
        if key == "efidisk0" and not ("efitype" in values and "pre-enrolled-keys" in values):
            refuse_parameter(efidisk0="setting efitype and pre-enrolled-keys is required when importing")
        if key == "tpmstate0" and "version" not in values:
            refuse_parameter(tpmstate0="setting version is required when importing")
        return "import", {**values, "import-from": source_of(call, source)}, storage
    if source:
        refuse_parameter(**{key: "import-from requires special syntax - use STORAGE_ID:0,import-from=..."})
    if not os.path.exists(storage.locate(call.node, rest)):
        raise Refused(500, f"volume '{volid}' does not exist")
    return "keep", values, None


def make_disk(task, guest, kind, values, storage):
    node, form = guest.node, values.pop("format", None) if kind in ("new", "import") else None
    if kind == "keep":
        return print_properties(values, "file")
    if kind == "cloudinit":
        volume = storage.new_name(node, guest.vmid, "qcow2", "cloudinit")
        path = storage.locate(node, volume)
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2" if storage.has_paths else "raw", path, "4M"], check=True)
        return print_properties({**values, "file": f"{storage.id}:{volume}", "media": "cdrom"}, "file")
    form = form or ("qcow2" if storage.has_paths and "efitype" not in values else "raw")
    if kind == "new":
        size = int(float(values["file"].partition(":")[2]) * (1 << 30))
        size = 540672 if "efitype" in values else 4 << 20 if "version" in values else size
        values["file"] = storage.allocate(node, guest.vmid, form, size)
        return print_properties({**values, "size": size_text(size)}, "file")
    path, inside = values.pop("import-from")
    scratch = None
    try:
        if inside:
            scratch = guest.simulator.at("tmp", f"ova-{secrets.token_hex(6)}")
            with tarfile.open(path) as archive, open(scratch, "wb") as file:
                member = archive.extractfile(inside)
                while piece := member.read(1 << 20):
                    file.write(piece)
            path = scratch
        name = inside or path
        source = next((one for one in ("qcow2", "vmdk") if name.endswith("." + one)), "raw")
        info = image_info(path)
        if source != "raw" and (info["format"] != source or info.get("backing-filename")):
            raise TaskFailed(f"'{name}' is not a {source} image without a backing file")
        size = -(-(info["virtual-size"] if source != "raw" else os.stat(path).st_size) // 512) * 512
        values["file"] = storage.allocate(node, guest.vmid, form, size)
        target = guest.resolve(values["file"])
        task.log(f"importing disk '{name}' ...")
        real = target.rsplit(".", 1)[1] if target.endswith((".qcow2", ".vmdk")) else "raw"
        task.command("qemu-img", "convert", "-n", "-f", source, "-O", real, path, target)
    except (KeyError, ValueError) as error:
        raise TaskFailed(f"import failed: {error}") from None
    finally:
        if scratch and os.path.exists(scratch):
            os.unlink(scratch)
    return print_properties({**values, "size": size_text(size)}, "file")


def new_guest(call, kind):
    """The checks that both kinds share; gives back the id, and puts the guest into its pool later."""
    vmid, simulator = int(call["vmid"]), call.simulator
    pool = call.get("pool")
    if pool:
        if pool not in simulator.pools:
            raise Refused(500, f"pool '{pool}' does not exist")
        call.require(f"/pool/{pool}", "VM.Allocate")
    else:
        call.require(f"/vms/{vmid}", "VM.Allocate")
    if call.get("start"):
        call.require(f"/vms/{vmid}", "VM.PowerMgmt")
    old = simulator.guests.get(vmid)
    if old and not (call.get("force") and (call.get("archive") or call.get("restore"))):
        raise Refused(500, f"unable to create {'VM' if kind == 'qemu' else 'CT'} {vmid} - VM {vmid} already exists on node '{old.node}'")
    if old and (old.running or old.kind != kind):
        raise Refused(500, f"unable to restore VM {vmid} - vm is running")
    return vmid


def adopt(simulator, guest, pool):
    if pool:
        simulator.pools[pool]["vms"].add(guest.vmid)
    simulator.state.write_files()


@route("POST", "/nodes/{node}/qemu")
def create_machine(call):
    simulator = call.simulator
    vmid = new_guest(call, "qemu")
    given = {key: value for key, value in call.parameters.items() if key not in NOT_CONFIG}
    check_keys(call, given, vmid)
    if call.get("archive"):
        archive = call["archive"]
        if archive == "-":
            raise Refused(500, "pipe requires cli environment")
        if any(DRIVE.match(key) for key in given):
            key = next(key for key in given if DRIVE.match(key))
            refuse_parameter(**{key: "option conflicts with option 'archive'"})
        if archive.startswith("/"):
            if call.who != "root@pam":
                raise Refused(500, "Only root can pass arbitrary filesystem paths.")
        else:
            check_backup(call, archive)
        if call.get("storage"):
            call.require(f"/storage/{call['storage']}", "Datastore.AllocateSpace")
            simulator.storage(call["storage"], call.node)
        return call.task("qmrestore", str(vmid), lambda task: restore_machine(
            task, call.node, vmid, archive, {**call.parameters, "override": given}))
    plans = {key: plan_disk(call, key, value) for key, value in given.items() if DRIVE.match(key)}

    def work(task):
        guest = simulator.guests[vmid] = Guest(simulator, vmid, "qemu", call.node)
        config = GuestConfig()
        try:
            for key, value in given.items():
                config.values[key] = make_disk(task, guest, *plans[key]) if key in plans else str(value)
                guest.save(config)
        except BaseException:
            guest.save(config)
            guest.destroy()
            raise
        config.values.setdefault("smbios1", f"uuid={uuid.uuid4()}")
        config.values.setdefault("vmgenid", str(uuid.uuid4()))
        config.values.setdefault("meta", "creation-qemu=9.2.0,ctime=1764180000")
        for key, value in list(config.values.items()):
            if re.fullmatch(r"net\d+", key):
                config.values[key] = with_mac(value)
        guest.save(config)
        adopt(simulator, guest, call.get("pool"))
        guest.running = bool(call.get("start"))
    return call.task("qmcreate", str(vmid), work)


def with_mac(value, new=False):
    values = parse_properties(value, "model")
    model, equals, mac = value.split(",")[0].partition("=")
    if "model" in values:
        model = values.pop("model")
    if model not in values and equals == "" or new:
        values[model] = "BC:24:11:" + ":".join(f"{random.randrange(256):02X}" for _ in range(3))
    return print_properties(dict([(model, values.pop(model)), *values.items()]))


def check_backup(call, volid):
    storage_id, _, volume = volid.partition(":")
    storage = call.simulator.storage(storage_id, call.node)
    try:
        kind, _, owner, _ = storage.parse(volume)
    except Refused:
        raise Refused(500, f"couldn't determine archive info from '{volume}'") from None
    if kind != "backup":
        raise Refused(500, f"cannot use volume of type '{kind}' for restore: content type needs to be 'backup'")
    if not call.may(f"/storage/{storage_id}", "Datastore.Allocate"):
        call.require(f"/storage/{storage_id}", "Datastore.AllocateSpace")
        if owner:
            call.require(f"/vms/{owner}", "VM.Backup")
    path = storage.locate(call.node, volume)
    if not os.path.exists(path):
        raise Refused(500, f"volume '{volid}' does not exist")
    return path


def restore_machine(task, node, vmid, archive, options, descriptor=None):
    """Leaves a stub behind where it fails, as the real one does."""
    simulator = task.tasks.simulator
    old = simulator.guests.get(vmid)
    if old:
        if not options.get("force"):
            raise TaskFailed(f"unable to restore VM {vmid} - VM {vmid} already exists")
        old.destroy()
    guest = simulator.guests[vmid] = Guest(simulator, vmid, "qemu", node)
    stub = GuestConfig("lock: create\nmemory: 128\n")
    guest.save(stub)
    made = []
    try:
        if archive == "-":
            with os.fdopen(os.dup(descriptor), "rb") as file:
                config = read_machine(task, guest, file, options, made)
        else:
            path = simulator.inside(archive) if archive.startswith("/") else guest.resolve(archive)
            with simulator.opened(path, task) as file:
                config = read_machine(task, guest, file, options, made)
    except (vma.Broken, OSError, ValueError, KeyError, Refused, TaskFailed) as error:
        for volid in made:
            storage, _, volume = volid.partition(":")
            simulator.storage(storage, node).remove(node, volume)
        stub.values.pop("lock")
        guest.save(stub)
        task.log("error before or during data restore, some or all disks were not completely restored. "
                 f"VM {vmid} state is NOT cleaned up.")
        raise TaskFailed(f"unable to restore VM {vmid} - {error}") from None
    guest.save(config)
    adopt(simulator, guest, options.get("pool"))
    guest.running = options.get("start") in (1, "1")


def read_machine(task, guest, file, options, made):
    simulator, reader = task.tasks.simulator, vma.Reader(file)
    text = reader.configs["qemu-server.conf"].decode()
    table = {}
    for key, device, storage, form in re.findall(r"(?m)^#qmdump#map:(\w+):([\w-]+):([^:]*):([^:]*):$", text):
        table[device] = (key, storage, form)
    commented = re.findall(r"(?m)^#((?:ide|sata|scsi|virtio)\d+: .*)$", text)
    config = GuestConfig(re.sub(r"(?m)^#(?:qmdump#.*|(?:(?:ide|sata|scsi|virtio)\d+|efidisk0|tpmstate0):.*)\n", "", text))
    with tempfile.TemporaryDirectory(prefix="restore-", dir=simulator.at("tmp")) as scratch:
        raws = {name: os.path.join(scratch, name) for name, _ in reader.devices.values()}
        plans = []
        for name, size in reader.devices.values():
            key, storage_id, form = table[name]
            storage = simulator.storage(options.get("storage") or storage_id, guest.node)
            if "images" not in storage.content:
                raise TaskFailed(f"storage '{storage.id}' does not support content-type 'images'")
            form = form if storage.has_paths else "raw"
            volid = storage.allocate(guest.node, guest.vmid, form, size)
            made.append(volid)
            task.log(f"new volume ID is '{volid}'")
            plans.append((name, key, volid, form, size))
        reader.extract(raws)
        for name, key, volid, form, size in plans:
            task.command("qemu-img", "convert", "-n", "-f", "raw", "-O", form, raws[name], guest.resolve(volid))
            properties = parse_properties(config.values[key], "file")
            properties.pop("format", None)
            config.values[key] = print_properties({**properties, "file": volid, "size": size_text(size)}, "file")
    for key, value in config.values.items():
        # Not in the archive, and made anew where the disks go.
        properties = parse_properties(value, "file") if re.fullmatch(r"(ide|sata|scsi)\d+", key) else {}
        if "cloudinit" in properties.get("file", ""):
            storage = simulator.storage(options.get("storage") or properties["file"].partition(":")[0], guest.node)
            volume = storage.new_name(guest.node, guest.vmid, "qcow2", "cloudinit")
            config.values[key] = print_properties({**properties, "file": f"{storage.id}:{volume}"}, "file")
    if "qemu-server.fw" in reader.configs:
        simulator.write(guest.firewall_path, reader.configs["qemu-server.fw"].decode())
        simulator.state.load_firewall(guest)
    config.values["vmgenid"] = str(uuid.uuid4())
    if options.get("unique") in (1, "1"):
        for key, value in list(config.values.items()):
            if re.fullmatch(r"net\d+", key):
                config.values[key] = with_mac(value, new=True)
        if "smbios1" in config.values:
            config.values["smbios1"] = re.sub(r"uuid=[^,]*", f"uuid={uuid.uuid4()}", config.values["smbios1"])
    config.values.update({key: str(value) for key, value in options.get("override", {}).items()})
    if commented:
        config.values["description"] = config.values.get("description", "") + "".join(line + "\n" for line in commented)
    return config


@route("POST", "/nodes/{node}/lxc")
def create_container(call):
    simulator = call.simulator
    vmid = new_guest(call, "lxc")
    given = {key: str(value) for key, value in call.parameters.items() if key not in NOT_CONFIG}
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


def change(call):
    """PUT and POST of a configuration; POST does it in a task."""
    guest = call.guest()
    given = {key: value for key, value in call.parameters.items() if key not in NOT_CONFIG}
    removed = [key for key in split_list(call.get("delete", ""))]
    check_keys(call, {**given, **{key: "" for key in removed if key not in ROOT_ONLY}}, guest.vmid)
    if call.get("digest") and call["digest"] != digest_of(guest):
        raise Refused(500, "detected modified configuration - file changed by other user? Try again.")
    guest.check_lock()
    plans = {key: plan_disk(call, key, value) for key, value in given.items() if guest.kind == "qemu" and DRIVE.match(key)}

    def work(task):
        config = guest.config()
        for key in removed:
            old = config.values.pop(key, None)
            if old and (BUS_DISK.match(key) if guest.kind == "qemu" else MOUNT.match(key)) and "media=cdrom" not in old:
                number = next(n for n in range(256) if f"unused{n}" not in config.values)
                config.values[f"unused{number}"] = old.split(",")[0]
        for key, value in given.items():
            value = make_disk(task, guest, *plans[key]) if key in plans else str(value)
            config.values[key] = with_mac(value) if guest.kind == "qemu" and re.fullmatch(r"net\d+", key) else value
        guest.save(config)
    if call.verb == "POST":
        return call.task("qmconfig", str(guest.vmid), work)
    task = call.simulator.tasks.start(call.node, "qmconfig", str(guest.vmid), call.who, work)
    if task.wait(600) != "OK":
        raise Refused(500, task.exit)
    return None


both("PUT", "/config")(change)
route("POST", "/nodes/{node}/qemu/{vmid}/config")(change)
