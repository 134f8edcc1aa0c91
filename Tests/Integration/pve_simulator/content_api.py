"""Storages of a node and what they hold."""
import hashlib
import os
import ssl
import subprocess
import tarfile
import urllib.parse
import urllib.request

from .errors import Refused, TaskFailed, denied, refuse_parameter
from .retention import keep_options, prunable
from .routes import route
from .uploads import allowed_name, check_image, normalised
from .vma import Reader

AUDIT = ("Datastore.Audit", "Datastore.AllocateSpace")


@route("GET", "/nodes/{node}/storage")
def storages(call):
    result = []
    for storage in call.simulator.storages.values():
        if not storage.on(call.node) or not call.may(f"/storage/{storage.id}", *AUDIT, any=True):
            continue
        if call.get("storage") not in (None, storage.id):
            continue
        wanted = set(call.get("content", "").split(",")) - {""}
        if wanted and not wanted & storage.content:
            continue
        entry = {"storage": storage.id, **storage.status(call.node)}
        if call.get("enabled") and not entry["enabled"]:
            continue
        if entry["total"]:
            entry["used_fraction"] = entry["used"] / entry["total"]
        if call.get("format"):
            entry["format"] = [{"raw": 1, "qcow2": 1, "vmdk": 1, "subvol": 1}, "raw"] if storage.has_paths else [
                {"raw": 1}, "raw"]
        result.append(entry)
    return result


@route("GET", "/nodes/{node}/storage/{storage}/status")
def status(call):
    return call.storage().status(call.node)


@route("GET", "/nodes/{node}/storage/{storage}")
def index(call):
    return [{"subdir": name} for name in ("content", "status", "upload", "rrd", "rrddata", "prunebackups")]


def visible(call, storage, entry):
    """Who may see a volume: those who may allocate, or use its guest, or see templates."""
    path = f"/storage/{storage.id}"
    if call.may(path, "Datastore.Allocate"):
        return True
    if not call.may(path, *AUDIT, any=True):
        return False
    if entry["content"] in ("iso", "vztmpl", "snippets", "import"):
        return True
    if entry["content"] == "backup":
        return call.may(path, "Datastore.AllocateSpace") and (
            entry.get("vmid") is None or call.may(f"/vms/{entry['vmid']}", "VM.Backup"))
    return call.may(path, "Datastore.Audit") or call.may(f"/vms/{entry['vmid']}", "VM.Config.Disk")


@route("GET", "/nodes/{node}/storage/{storage}/content")
def content(call):
    storage = call.storage()
    result = storage.volumes(call.node, call.get("content"))
    if call.get("vmid"):
        result = [entry for entry in result if entry.get("vmid") == call["vmid"]]
    return [entry for entry in result if visible(call, storage, entry)]


def volume_of(call):
    """The storage and the volume's name; the storage's id before it may be left out."""
    volume = call["volume"]
    storage_id, colon, name = volume.partition(":")
    if not colon:
        storage_id, name = call["storage"], volume
    if storage_id != call["storage"]:
        refuse_parameter(storage=f"storage ID missmatch ({storage_id} != {call['storage']})")
    return call.storage(), name


def check_volume(call, storage, name):
    kind, _, vmid, _ = storage.parse(name)
    entry = {"content": kind, "vmid": vmid}
    if not visible(call, storage, entry):
        raise denied(f"/storage/{storage.id}", "Datastore.Allocate")
    return entry


@route("GET", "/nodes/{node}/storage/{storage}/content/{volume}")
def volume(call):
    storage, name = volume_of(call)
    check_volume(call, storage, name)
    path = storage.locate(call.node, name)
    if not os.path.exists(path):
        raise Refused(500, f"volume '{storage.id}:{name}' does not exist")
    _, _, _, form = storage.parse(name)
    result = {"path": path, "size": storage.volume_size(call.node, name), "used": os.stat(path).st_blocks * 512,
              "format": form}
    if name.startswith("backup/"):
        if os.path.exists(path + ".notes"):
            with open(path + ".notes", encoding="utf-8") as file:
                result["notes"] = file.read()
        result["protected"] = 1 if os.path.exists(path + ".protected") else 0
    return result


@route("PUT", "/nodes/{node}/storage/{storage}/content/{volume}")
def change(call):
    storage, name = volume_of(call)
    call.require(f"/storage/{storage.id}", "Datastore.AllocateSpace")
    check_volume(call, storage, name)
    path = storage.locate(call.node, name)
    if not name.startswith("backup/") or not os.path.exists(path):
        raise Refused(500, f"volume '{storage.id}:{name}' does not exist")
    if "notes" in call.parameters:
        if call["notes"]:
            call.simulator.write(path + ".notes", call["notes"])
        elif os.path.exists(path + ".notes"):
            os.unlink(path + ".notes")
    if "protected" in call.parameters:
        if call["protected"]:
            call.simulator.write(path + ".protected", "")
        elif os.path.exists(path + ".protected"):
            os.unlink(path + ".protected")


@route("DELETE", "/nodes/{node}/storage/{storage}/content/{volume}")
def delete(call):
    storage, name = volume_of(call)
    entry = check_volume(call, storage, name)
    path = f"/storage/{storage.id}"
    if entry["content"] == "backup" and entry["vmid"]:
        if not call.may(path, "Datastore.Allocate"):
            call.require(path, "Datastore.AllocateSpace")
            call.require(f"/vms/{entry['vmid']}", "VM.Backup")
    elif entry["content"] in ("images", "rootdir"):
        if not call.may(path, "Datastore.Allocate"):
            call.require(f"/vms/{entry['vmid']}", "VM.Config.Disk")
    else:
        call.require(path, "Datastore.Allocate")
    real = storage.locate(call.node, name)

    def work(task):
        if os.path.exists(real + ".protected"):
            raise TaskFailed(f"can't remove protected archive '{storage.id}:{name}'")
        storage.remove(call.node, name)
        task.log(f"Removed volume '{storage.id}:{name}'")
    return call.task("imgdel", f"{entry['vmid'] or ''}@{storage.id}", work)


@route("POST", "/nodes/{node}/storage/{storage}/content")
def allocate(call):
    """An empty disk. The size is in KiB, or has a unit."""
    storage, name, vmid = call.storage(), call["filename"], int(call["vmid"])
    size = str(call["size"])
    count = int(size[:-1]) * {"M": 1 << 20, "G": 1 << 30}[size[-1]] if size[-1] in "MG" else int(size) * 1024
    form = call.get("format") or (name.rsplit(".", 1)[-1] if "." in name else "raw")
    found = f"{vmid}/{name}" if storage.has_paths else name
    if storage.parse(found)[2] != vmid:
        raise Refused(500, f"illegal name '{name}' - should be 'vm-{vmid}-*'")
    path = storage.locate(call.node, found)
    if os.path.exists(path):
        raise Refused(500, f"disk image '{path}' already exists")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.run(["qemu-img", "create", "-q", "-f", form, path, str(count)], check=True)
    return f"{storage.id}:{found}"


@route("GET", "/nodes/{node}/storage/{storage}/prunebackups")
def prune_list(call):
    storage = call.storage()
    keep = keep_options(call.get("prune-backups") or storage.values.get("prune-backups", "keep-all=1"))
    result, groups = [], {}
    for entry in storage.volumes(call.node, "backup"):
        kind = entry.get("subtype", "unknown")
        if call.get("vmid") not in (None, entry.get("vmid")) or call.get("type") not in (None, kind):
            continue
        mark = "protected" if entry.get("protected") else "renamed" if "vmid" not in entry else None
        result.append({"volid": entry["volid"], "ctime": entry["ctime"], "type": kind, "mark": mark,
                       **({"vmid": entry["vmid"]} if "vmid" in entry else {})})
        if mark is None:
            groups.setdefault((kind, entry["vmid"]), []).append(entry["volid"])
    gone = set()
    for volids in groups.values():
        if not keep.get("keep-all") and keep:
            gone.update(prunable(sorted(volids), keep))
    for entry in result:
        entry["mark"] = entry["mark"] or ("remove" if entry["volid"] in gone else "keep")
    return result


@route("DELETE", "/nodes/{node}/storage/{storage}/prunebackups")
def prune(call):
    storage = call.storage()
    marks = prune_list(call)

    def work(task):
        for entry in marks:
            task.log(f"{entry['mark']}: {entry['volid']}")
            if entry["mark"] == "remove":
                storage.remove(call.node, entry["volid"].split(":", 1)[1])
    return call.task("prunebackups", str(call.get("vmid", "")), work)


@route("GET", "/nodes/{node}/vzdump/extractconfig")
def extract_config(call):
    """The configuration inside an archive, in clear, passwords too."""
    storage_id, _, name = call["volume"].partition(":")
    storage = call.storage(storage_id)
    entry = check_volume(call, storage, name)
    if entry["content"] != "backup":
        raise Refused(500, f"volume '{call['volume']}' is not a backup")
    path = storage.locate(call.node, name)
    if not os.path.exists(path):
        raise Refused(500, f"volume '{call['volume']}' does not exist")
    with call.simulator.opened(path) as file:
        if ".vma" in name:
            return Reader(file).configs["qemu-server.conf"].decode()
        with tarfile.open(fileobj=file, mode="r|") as archive:
            for member in archive:
                if member.name == "./etc/vzdump/pct.conf":
                    return archive.extractfile(member).read().decode()
    raise Refused(500, "unable to find the configuration in the archive")


@route("GET", "/nodes/{node}/vzdump/defaults")
def defaults(call):
    excluded = {"exclude-path": call.simulator.excluded_paths} if call.simulator.excluded_paths else {}
    if call.simulator.version.startswith("7") and excluded:
        excluded = {"exclude-path": ",".join(call.simulator.excluded_paths)}
    return {**excluded, "mode": "snapshot", "ionice": 7, "lockwait": 180, "stopwait": 10, "remove": 1, "pigz": 0,
            "zstd": 1, "compress": "0", "bwlimit": 0, "prune-backups": {"keep-all": 1}}


@route("GET", "/nodes/{node}/storage/{storage}/import-metadata")
def import_metadata(call):
    storage_id, _, name = call["volume"].partition(":")
    storage = call.storage(storage_id)
    if not name.endswith(".ova"):
        raise Refused(500, f"volume '{call['volume']}' is not an OVA")
    path, disks = storage.locate(call.node, name), {}
    with tarfile.open(path) as archive:
        names = [member.name for member in archive]
        if not any(one.endswith(".ovf") for one in names):
            raise Refused(500, "no OVF file in archive")
        for number, one in enumerate(one for one in names if one.endswith((".vmdk", ".qcow2", ".raw"))):
            disks[f"scsi{number}"] = f"{call['volume']}/{one}"
    return {"type": "vm", "source": "ova", "create-args": {}, "disks": disks, "net": {},
            "warnings": [{"type": "ova-needs-extracting"}]}


@route("POST", "/nodes/{node}/storage/{storage}/download-url")
def download_url(call):
    """The node fetches a file. The simulator does so too, from addresses of this machine only."""
    storage, kind = call.storage(), call["content"]
    if not (call.may("/", "Sys.Audit", "Sys.Modify") or call.may(f"/nodes/{call.node}", "Sys.AccessNetwork")):
        raise denied("/", "Sys.Audit", "Sys.Modify")
    name = normalised(call["filename"])
    allowed_name(call.simulator, kind, name)
    if kind not in storage.content:
        raise Refused(500, f"storage '{storage.id}' is not configured for content-type '{kind}'")
    host = urllib.parse.urlsplit(call["url"]).hostname
    if host not in ("127.0.0.1", "::1", "localhost"):
        raise Refused(500, f"the simulator fetches from this machine only, not from '{host}'")
    target = os.path.join(storage.folder(call.node, kind), name)

    def work(task):
        if os.path.exists(target):
            raise TaskFailed(f"file '{name}' already exists")
        context = ssl.create_default_context()
        if not call.get("verify-certificates", 1):
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        part = f"{target}.tmp_dwnl.{task.pid}"
        digest = hashlib.new(call.get("checksum-algorithm", "sha256"))
        try:
            with urllib.request.urlopen(call["url"], timeout=60, context=context if call["url"].startswith(
                    "https") else None) as source, open(part, "wb") as file:
                while piece := source.read(1 << 20):
                    task.check()
                    digest.update(piece)
                    file.write(piece)
            if call.get("checksum", digest.hexdigest()).lower() != digest.hexdigest():
                raise TaskFailed(f"checksum mismatch: got '{digest.hexdigest()}' != expect '{call['checksum']}'")
            if kind == "import":
                check_image(part, name)
            os.rename(part, target)
        except OSError as error:
            raise TaskFailed(f"download failed: {error}") from None
        finally:
            if os.path.exists(part):
                os.unlink(part)
        task.log(f"download of '{call['url']}' to '{target}' finished")
    return call.task("download", name, work)
