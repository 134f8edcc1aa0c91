#!/usr/bin/env python3
"""Guests that have left a cluster are made again, on another and as images: disks and files are equal, and what the
target cannot take is said before."""
import shlex

from proxmox_kit import *


def imports(world, route, version="8.4", encrypt=True, transport="directory"):
    world.remove("out", "work")
    source = world.cluster("source")
    exported(world, "out", world.export_of("p.yaml", source, [*EVERYTHING, "disks: both"], encrypt=encrypt), source)
    target = world.cluster("target", version, ["n1", "n2"] if version == "8.4" else ["n1"], guests=False)
    target.pve.add_storage("fast", "lvmthin", content="images,rootdir", thinpool="fast", vgname="fast")
    target.pve.pools["second"] = {"comment": "", "vms": set(), "storage": set()}
    importing_token(target)
    # A node makes it when the storage is activated.
    os.makedirs(os.path.join(target.storage("export"), "dump"), exist_ok=True)
    mapping = ("map: { vmids: \"+900\", storages: { local-lvm: fast, export: \"export:qcow2\" }, bridges: { vmbr0: vmbr0 }, "
               "pools: { dpi: second }, link-down: true, nodes: { pve1: n1 } }")
    reached = target.directory() if transport == "directory" else target.ssh(
        world, "sftp", key="sftp_write_key", storage="export")
    settings = [mapping, "upload-storage: local", *reached]
    if route:
        settings += [f"route: {route}"]
        settings[0] = mapping.replace(", export: \"export:qcow2\"", ", export: fast")
    plan = world.import_to("i.yaml", target, settings)
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), "--json", env=target.environment, timeout=300)
    expect(result.status == 0, f"import ended with {result.status}: {result.err} {result.out.decode()}")
    for vmid, keys in DISKS.items():
        for key in keys:
            expect(target.disk(vmid + 900, key) == source.disk(vmid, key), f"{vmid}/{key} differs")
    same_files(target, 1100, source, 200)
    made = target.pve.guests[1000].config().values
    expect("link_down=1" in made["net0"], f"{made['net0']}")
    expect(source.pve.mac(100) in made["net0"], f"{made['net0']}")
    expect(made.get("scsi0", "").startswith("fast:"), made)
    expect(1000 in target.pve.pools["second"]["vms"], f"{target.pve.pools}")
    expect(target.backups() == [], f"left: {target.backups()}")
    left = [name for folder in ("import", "template/cache") for name in (
        os.listdir(os.path.join(target.storage("local"), folder))
        if os.path.isdir(os.path.join(target.storage("local"), folder)) else [])]
    expect(not left, f"left: {left}")
    expect(CIPASSWORD not in result.err and CIPASSWORD not in result.out.decode(), "the password is told")


def restored_streams(world):
    """Each disk of a restored stream is compared, also where the archive has no image of it; one that is not as it
    was is a difference, and one whose digest the archive lacks is told."""
    source = world.cluster("source")
    for settings, excluded in (("disks: native", ""), ("disks: both", "100/virtio1")):
        world.remove("out")
        lines = ["guests: [ 100, 101 ]", "cluster: false", settings, ACCEPT]
        lines += [f"exclude: [ {{ disks: [ {excluded} ], reason: scratch }} ]"] if excluded else []
        exported(world, "out", world.export_of("p.yaml", source, lines), source)
        for changed in (None, "scsi0", "virtio1"):
            target = world.cluster("target", guests=False)
            target.pve.pools["dpi"] = {"comment": "", "vms": set(), "storage": set()}
            importing_token(target)
            os.makedirs(os.path.join(target.storage("export"), "dump"), exist_ok=True)

            def change(line):
                with open(target.pve.guests[100].disk_path(changed), "r+b") as file:
                    file.seek(5 << 20)
                    file.write(b"changed")
            if changed:
                target.pve.faults.before(r"POST .*/vzdump", change)
            world.remove("work")
            mapping = "map: { storage: local-lvm }"
            plan = world.import_to("i.yaml", target, ["route: restore", mapping, *target.directory()])
            result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=target.environment)
            report = json.load(open(world.at("work/report.json")))["sources"][0]
            told = [one["object"] for one in report["differences"]]
            compared = [one for one in report["comparisons"] if "of disk" in one["name"]]
            expect((result.status, told) == ((3, [f"100/{changed}"]) if changed else (0, [])), f"{result.status} {report}")
            expect(len(compared) == 5, compared)
            world.clusters.pop().close()


def restored_media(world):
    """A restored machine has its ISO image in the drive: no difference; where the target lacks it, what to do is told.
    Disks of the host are left to a person."""
    world.remove("out")
    source = world.cluster("source", guests=False)
    source.pve.make_vm(100, name="media", tags="Ward;db", ide2="local:iso/debian.iso,media=cdrom,size=600M",
                       scsi5="/dev/disk/by-id/ata-X,backup=0,size=10G", disks={"scsi0": {"size": 1 << 20, "data": b"one"}})
    exported(world, "out", world.export_of("p.yaml", source, [
        "guests: [ 100 ]", "cluster: false", "disks: native", "accept: [ media, not-backed-up ]"]), source)
    for has_medium in (False, True):
        world.remove("work")
        target = world.cluster("target", guests=False)
        importing_token(target)
        os.makedirs(os.path.join(target.storage("export"), "dump"), exist_ok=True)
        if has_medium:
            folder = os.path.join(target.storage("local"), "template/iso")
            os.makedirs(folder, exist_ok=True)
            open(os.path.join(folder, "debian.iso"), "wb").write(b"image")
        plan = world.import_to("i.yaml", target, ["route: restore", *target.directory()])
        result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=target.environment)
        report = json.load(open(world.at("work/report.json")))["sources"][0]
        told = {one["object"]: one["command"] for one in report["notSet"]}
        wanted = {"100/scsi5": "qm set 100 --scsi5 '/dev/disk/by-id/ata-X,backup=0,size=10G'"}
        if not has_medium:
            wanted["100/ide2"] = "qm set 100 --ide2 none,media=cdrom"
        expect((result.status, told, report["differences"]) == (2, wanted, []), f"{result.status} {result.err} {report}")
        world.clusters.pop().close()


def host_disk(world):
    """A disk of the host is in the backup like any other, and becomes a volume on either way: on the storage for all disks, or
    on `local`, as a restore of Proxmox VE has it."""
    world.remove("out")
    source = world.cluster("source", guests=False)
    device = world.at("device.raw")
    with open(device, "wb") as file:
        file.truncate(3 << 20)
        file.write(b"a disk of the host")
    source.pve.make_vm(100, name="host", disks={"scsi0": {"size": 1 << 20, "data": b"one"}}, scsi1=f"{device},size=3M")
    plan = world.export_of("p.yaml", source, ["guests: [ 100 ]", "cluster: false", "disks: both"])
    planned = world.run("plan", plan, env=source.environment)
    expect("arrives as a volume" in planned.out.decode() + planned.err, f"{planned}")
    exported(world, "out", plan, source)
    disks_equal(world, "out", source, {100: ["scsi0", "scsi1"]})
    for route, mapping, storage in (("import", "upload-storage: local", "local"), ("restore", "route: restore", "local"),
                                    ("import", "map: { storage: export }", "export"), ("restore", "map: { storage: export }", "export")):
        world.remove("work")
        target = world.cluster("target", guests=False)
        importing_token(target)
        os.makedirs(os.path.join(target.storage("export"), "dump"), exist_ok=True)
        settings = [mapping, *([] if "route" in mapping else [f"route: {route}"]), *target.directory()]
        settings += [] if "upload" in mapping else ["upload-storage: local"]
        if storage == "local":
            # A server's own storage takes none unless somebody lets it.
            refused = world.run("import", world.at("out"), world.import_to("i.yaml", target, settings), "--work", world.at("work"),
                                env=target.environment)
            expect(refused.status == 1 and "\"local\" takes no \"images\"" in refused.err
                   and "map.storage," in refused.err, f"{refused}")
            target.pve.storages["local"].values["content"] += ",images"
        result = world.run("import", world.at("out"), world.import_to("i.yaml", target, settings), "--work", world.at("work"),
                           env=target.environment)
        expect(result.status == 0, f"{route} {storage}: {result.status} {result.err} {result.out.decode()}")
        made = target.pve.guests[100].config().values["scsi1"]
        expect(made.startswith(storage + ":"), made)
        expect(target.disk(100, "scsi1") == sha256(device), "the disk differs")
        world.clusters.pop().close()


def machine_without_disks(world):
    """One that starts from the network needs neither a storage for uploads nor a stream."""
    world.remove("out", "work")
    source = world.cluster("source", guests=False)
    source.pve.make_vm(102, name="thin", boot="order=net0", disks={})
    exported(world, "out", world.export_of("p.yaml", source, ["guests: [ 102 ]", "cluster: false"]), source)
    target = world.cluster("target", guests=False)
    importing_token(target)
    result = world.run("import", world.at("out"), world.import_to("i.yaml", target, target.directory()),
                       "--work", world.at("work"), env=target.environment)
    expect(result.status == 0, f"import ended with {result.status}: {result.err}")
    expect(target.pve.guests[102].config().values["name"] == "thin", "it was not made")
    expect(target.backups() == [], f"left: {target.backups()}")


def choices_of_the_server(world):
    """What a server decides by itself where the source left it open is no difference; other things are."""
    world.remove("out", "work")
    source = world.cluster("source", guests=False)
    disks = lambda: {"scsi0": {"size": 1 << 20, "data": b"one"}, "virtio0": {"size": 1 << 20, "data": b"two"}}
    for number, options in enumerate(({"boot": None}, {"boot": None, "bootdisk": "virtio0"}, {"boot": ""},
                                      {"ostype": "win10", "machine": "q35"}, {"ostype": "win11"}, {"ostype": "l26"})):
        guest = source.pve.make_vm(300 + number, name=f"open{number}", disks=disks())
        source.pve.guests[300 + number].change(**options)
    source.pve.make_vm(310, name="empty", boot="order=", disks={})
    source.pve.guests[310].change(net0=None)
    exported(world, "out", world.export_of("p.yaml", source, ["guests: [ all ]", "cluster: false"]), source)
    target = world.cluster("target", guests=False)
    importing_token(target)
    plan = world.import_to("i.yaml", target, ["upload-storage: local", *target.directory()])
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=target.environment, timeout=300)
    report = json.load(open(world.at("work/report.json")))["sources"][0]
    expect(result.status == 0 and report["differences"] == [], f"{result.status} {result.err} {report['differences']}")
    made = {vmid: guest.config().values for vmid, guest in target.pve.guests.items()}
    # The old way of saying what to start from still counts.
    expect(made[301]["boot"] == "cdn" and made[301]["bootdisk"] == "virtio0", made[301])
    expect(made[303]["machine"].startswith("pc-q35-"), made[303])


def refused_before_anything(world):
    """What the target cannot take is said before anything is brought."""
    world.remove("out")
    source = world.cluster("source")
    exported(world, "out", world.export_of("p.yaml", source, ["guests: [ 100 ]", "cluster: false", "disks: both", ACCEPT]), source)
    target = world.cluster("target", guests=False)
    target.pve.add_storage("backups", "dir", content="backup")
    target.pve.add_storage("isos", "dir", content="iso,images")
    importing_token(target)
    os.makedirs(os.path.join(target.storage("export"), "dump"), exist_ok=True)
    before = target.snapshot()
    pools = "pools: { dpi: second }"
    target.pve.pools["second"] = {"comment": "", "vms": set(), "storage": set()}
    for words, settings in ((("no pool \"dpi\"", "map.pools"), ["upload-storage: local"]),
                            (("no storage \"cellar\"", "map.storages"), [
                                "upload-storage: local", f"map: {{ storages: {{ local-lvm: cellar }}, {pools} }}"]),
                            (("takes no \"images\"", "\"backups\"", "map.storages"), [
                                "upload-storage: local", f"map: {{ storages: {{ local-lvm: backups }}, {pools} }}"]),
                            (("no bridge \"vmbr9\"", "map.bridges"), [
                                "upload-storage: local", f"map: {{ bridges: {{ vmbr0: vmbr9 }}, {pools} }}"]),
                            (("no storage \"cellar\"", "upload-storage"), ["upload-storage: cellar", f"map: {{ {pools} }}"]),
                            (("takes no \"import\"", "\"isos\"", "upload-storage"), [
                                "upload-storage: isos", f"map: {{ {pools} }}"]),
                            (("takes no \"backup\"", "\"isos\"", "transport"), [
                                "upload-storage: local", f"map: {{ {pools} }}", *target.directory("isos")]),
                            (("name \"Test_dpi-db\"", "map.name-prefix"), [
                                "upload-storage: local", f"map: {{ name-prefix: Test_, {pools} }}"]),
                            (("one storage", "local, local-lvm"), [
                                "route: restore", "map: { storages: { export: local } }", *target.directory()])):
        world.remove("work")
        plan = world.import_to("i.yaml", target, settings)
        result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=target.environment)
        expect(result.status == 1 and all(word in result.err for word in words), f"{result.status} {result.err}")
        expect(before == target.snapshot(), "something was written")


def room_is_foretold(world):
    """A storage with less room than what comes to it is told with what it lacks, and nothing else: it may be thin."""
    world.remove("out")
    source = world.cluster("source", guests=False)
    for vmid in (100, 101):
        source.pve.make_vm(vmid, name="disk", disks={"scsi0": {"size": 8 << 20, "data": b"bytes"}})
    exported(world, "out", world.export_of("p.yaml", source, ["guests: [ all ]", "cluster: false"]), source)
    target = world.cluster("target", guests=False)
    target.pve.add_storage("small", "lvmthin", capacity=10 << 20, content="images", thinpool="small", vgname="small")
    target.pve.add_storage("large", "lvmthin", capacity=64 << 20, content="images", thinpool="large", vgname="large")
    importing_token(target)
    for number, (storage, lacks) in enumerate((("large", False), ("small", True))):
        world.remove("work")
        plan = world.import_to("i.yaml", target, [
            "upload-storage: local", f"map: {{ storage: {storage}, vmids: \"+{100 * number}\" }}", *target.directory()])
        result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=target.environment)
        told = ('warning: the storage "small" of node "pve1" has 10 MiB left, and the disks that come to it have 16 MiB: '
                '6 MiB too few')
        expect(result.status == 0 and (told in result.err, "too few" in result.err) == (lacks, lacks), f"{result}")


def to_images(world):
    """The same archive becomes images in a directory, and for libvirt."""
    world.remove("out", "work", "images", "libvirt")
    source = world.cluster("source")
    exported(world, "out", world.export_of("p.yaml", source, [*EVERYTHING]), source)
    for kind, words in (("directory", ["format: raw"]), ("libvirt", ["format: qcow2"])):
        world.remove("work")
        plan = world.import_to("i.yaml", None, [f"path: {world.at(kind)}", *words], server=[], kind=kind)
        result = world.run("import", world.at("out"), plan, "--work", world.at("work"))
        expect(result.status == 0, f"{kind}: {result.status} {result.err} {result.out.decode()}")
        images = [os.path.join(world.at(kind), path) for path in files_below(world.at(kind)) if path.endswith((".raw", ".qcow2"))]
        for path in images:
            check = subprocess.run(["qemu-img", "compare", "-s", path, path], capture_output=True)
            expect(check.returncode == 0, f"{path}: {check.stderr.decode()}")
        expect(len(images) >= 5, f"{kind}: {images}")
        if kind == "directory":
            raw = [path for path in images if "100" in path and "scsi0" in path]
            expect(len(raw) == 1 and sha256(raw[0]) == source.disk(100, "scsi0"), f"{raw}")


def streams_are_no_machines(world):
    """A machine that the archive has as a stream alone is none at such a target, which is said with the command that
    makes images of it; one without disks is a machine all the same."""
    world.remove("out")
    source = world.cluster("source", guests=False)
    source.pve.make_vm(101, name="disk", disks={"scsi0": {"size": 3 << 20, "data": b"bytes"}})
    source.pve.make_vm(102, name="thin", boot="order=net0", disks={})
    source.pve.make_container(201, name="files", files={"srv/a": b"a"})
    exported(world, "out", world.export_of("p.yaml", source, ["guests: [ all ]", "cluster: false", "disks: native"]), source)
    for kind in ("directory", "libvirt"):
        world.remove("work", kind)
        plan = world.import_to("i.yaml", None, [f"path: {world.at(kind)}"], server=[], kind=kind)
        result = world.run("import", world.at("out"), plan, "--work", world.at("work"))
        report = json.load(open(world.at("work/report.json")))["sources"][0]
        [left] = report["notSet"]
        expect(result.status == 2 and left["object"] == "VM 101 \"disk\"", f"{result.status} {result.err} {report}")
        told = any("no domain of libvirt" in one["what"] for one in report["remarks"])
        expect(told == (kind == "libvirt"), report["remarks"])
        expect(os.path.exists(os.path.join(world.at(kind), "102-thin/domain.xml")), files_below(world.at(kind)))
        done = world.run(*shlex.split(left["command"])[1:])
        images = [path for path in files_below(world.at(kind)) if "/images/" in path and sha256(
            os.path.join(world.at(kind), path)) == source.disk(101, "scsi0")]
        expect(done.status == 0 and len(images) == 1, f"{done} {files_below(world.at(kind))}")


if __name__ == "__main__":
    suite = ClusterSuite()
    suite.case("imported", imports, None)
    suite.case("restored", imports, "restore")
    suite.case("restored by SFTP", imports, "restore", "8.4", True, "sftp")
    suite.case("restored streams", restored_streams)
    suite.case("restored media", restored_media)
    suite.case("host disk", host_disk)
    suite.case("machine without disks", machine_without_disks)
    suite.case("choices of the server", choices_of_the_server)
    suite.case("refused before anything", refused_before_anything)
    suite.case("room is foretold", room_is_foretold)
    suite.case("to images", to_images)
    suite.case("streams are no machines", streams_are_no_machines)
    suite.finish()
