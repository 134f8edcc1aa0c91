"""New machines with `import-from`, and restores of archives."""
import os
import re
import tempfile
import uuid

from . import vma
from .configs import GuestConfig, size_text
from .creation import adopt, check_backup, new_guest
from .drives import check_keys, DRIVE, make_disk, NOT_CONFIG, plan_disk, with_mac
from .errors import refuse_parameter, Refused, TaskFailed
from .formats import parse_properties, print_properties
from .guests import Guest
from .routes import route


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
                if key in plans:
                    simulator.faults.happen("disk imported", task)
                    task.check()
        except BaseException:
            # Whoever is killed tidies nothing up; the configuration is written behind the disks.
            if task.killed:
                config.values = {"lock": "create"}
            guest.save(config)
            if not task.killed:
                guest.destroy()
            raise
        if not config.values.get("boot"):
            config.values["boot"] = default_boot(config.values)
        if config.values.get("ostype", "").startswith("w"):
            config.values["machine"] = pinned_machine(config.values.get("machine", ""))
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


def default_boot(values):
    """What the real one writes down where the call names no order; empty without devices."""
    order = [f"{bus}{number}" for bus, most in (("ide", 4), ("scsi", 31), ("virtio", 16), ("sata", 6))
             for number in range(most)]
    drives = [key for key in order if key in values]
    media = [key for key in drives if "media=cdrom" in values[key]]
    cards = [f"net{number}" for number in range(32) if f"net{number}" in values]
    found = [[key for key in drives if key not in media][:1], media[:1], cards[:1]]
    return "order=" + ";".join(sum(found, [])) if any(found) else ""


def pinned_machine(text):
    """A machine that runs Windows gets the version written down."""
    values = parse_properties(text, "type") if text else {}
    kinds = {"": "pc-i440fx-9.2+pve1", "pc": "pc-i440fx-9.2+pve1", "q35": "pc-q35-9.2+pve1"}
    return print_properties({**values, "type": kinds.get(values.get("type", ""), values.get("type"))}, "type")


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
    config, commented = GuestConfig(re.sub(r"(?m)^#qmdump#.*\n", "", text)), []
    # What is in no backup stays as a comment, which every reader takes for a part of the description.
    for key, properties in list(guest.disks(config.values)):
        if properties.get("backup", "1") in ("0", "no", "off"):
            commented.append(f"{key}: {config.values.pop(key)}")
    with tempfile.TemporaryDirectory(prefix="restore-", dir=simulator.at("tmp")) as scratch:
        raws = {name: os.path.join(scratch, name) for name, _ in reader.devices.values()}
        plans = []
        for name, size in reader.devices.values():
            key, storage_id, form = table[name]
            # A disk of the host comes from no storage.
            storage = simulator.storage(options.get("storage") or storage_id or "local", guest.node)
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
