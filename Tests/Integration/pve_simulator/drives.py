"""Disks of machines as calls name them: what may be set, what becomes of a drive, where it is read from."""
import os
import random
import re
import secrets
import subprocess
import tarfile

from .configs import size_text
from .errors import refuse_parameter, Refused, TaskFailed
from .formats import parse_properties, print_properties
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
        if re.fullmatch(r"net\d+", key):
            check_bridge(call, parse_properties(value, "model"))


def check_bridge(call, card):
    """A card with a VLAN needs the right on that; who has it on the bridge and below has it there, too."""
    bridge = card.get("bridge")
    if not bridge or call.simulator.version.startswith("7"):
        return
    vnet = call.simulator.state.collections["sdn/vnets"].get(bridge)
    path = f"/sdn/zones/{vnet['zone'] if vnet else 'localnetwork'}/{bridge}"
    vlans = [card["tag"]] if card.get("tag") else []
    for one in card.get("trunks", "").split(";") if card.get("trunks") else []:
        first, _, last = one.partition("-")
        vlans += range(int(first), int(last or first) + 1)
    for vlan in vlans:
        call.require(f"{path}/{vlan}", "SDN.Use")
    if not vlans:
        call.require(path, "SDN.Use")


def check_container_keys(call, given, vmid, unprivileged):
    """Rights by key of a container, and what only root@pam may set."""
    if call.who == "root@pam":
        return
    pool = call.get("pool")

    def need(privilege):
        if not (pool and call.may(f"/pool/{pool}", privilege)):
            call.require(f"/vms/{vmid}", privilege)
    for key, value in given.items():
        if key == "hookscript":
            raise Refused(403, "Permission check failed (changing the hookscript is only allowed for root@pam)")
        if re.fullmatch(r"dev\d+", key):
            raise Refused(403, "Permission check failed (configuring device passthrough is only allowed for root@pam)")
        if key == "features":
            if not unprivileged:
                raise Refused(403, "Permission check failed (changing feature flags for privileged container is only "
                              "allowed for root@pam)")
            if set(parse_properties(value, "")) - {"nesting"}:
                raise Refused(403, "Permission check failed (changing feature flags (except nesting) is only allowed for "
                              "root@pam)")
            need("VM.Allocate")
        elif re.fullmatch(r"rootfs|mp\d+|unused\d+", key):
            need("VM.Config.Disk")
        elif key in ("cores", "cpuunits", "cpulimit"):
            need("VM.Config.CPU")
        elif key in ("memory", "swap"):
            need("VM.Config.Memory")
        elif re.fullmatch(r"net\d+", key) or key in ("nameserver", "searchdomain", "hostname"):
            need("VM.Config.Network")
            if key.startswith("net"):
                check_bridge(call, parse_properties(value, "name"))
        else:
            need("VM.Config.Options")


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


def with_mac(value, new=False):
    values = parse_properties(value, "model")
    model, equals, mac = value.split(",")[0].partition("=")
    if "model" in values:
        model = values.pop("model")
    if model not in values and equals == "" or new:
        values[model] = "BC:24:11:" + ":".join(f"{random.randrange(256):02X}" for _ in range(3))
    return print_properties(dict([(model, values.pop(model)), *values.items()]))
