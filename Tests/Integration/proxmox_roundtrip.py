#!/usr/bin/env python3
"""Guests leave a cluster and are made again, by each way there is: the disks are equal, nothing else has
changed, and no secret shows where it must not."""
import tarfile

import ovf_kit
from proxmox_kit import *

DISKS = {100: ["scsi0", "virtio1", "efidisk0", "tpmstate0"], 101: ["scsi0"]}
EVERYTHING = ["guests: [ all ]", ACCEPT]


def no_secret(world, cluster, name, *texts):
    """Neither the token nor the password of cloud-init is in what anybody may read."""
    secrets = [cluster.token.split("=", 1)[1].encode(), CIPASSWORD.encode()]
    for folder, _, names in os.walk(world.at(name)):
        for one in names:
            data = open(os.path.join(folder, one), "rb").read()
            expect(not any(secret in data for secret in secrets), f"a secret is in {one}")
    for text in texts:
        expect(not any(secret.decode() in text for secret in secrets), f"a secret is told: {text[-800:]}")


def exports(world, disks):
    """Plan and export of everything; what lies on the cluster is as before, backups of others included."""
    world.remove("out", "report.html")
    cluster = world.cluster()
    dump = os.path.join(cluster.storage("export"), "dump")
    os.makedirs(dump, exist_ok=True)
    for name in ("vzdump-qemu-100-2025_01_01-00_00_00.vma.zst", "vzdump-qemu-101-2025_01_01-00_00_00.vma.zst.notes",
                 "vzdump-qemu-101-2025_01_01-00_00_00.vma.zst", "vzdump-lxc-200-2025_01_01-00_00_00.tar.zst"):
        with open(os.path.join(dump, name), "wb") as file:
            file.write(b"exeat export of somebody else\n")
    before = cluster.snapshot()
    plan = world.export_of("p.yaml", cluster, [*EVERYTHING, f"disks: {disks}", "secrets: sealed"])
    told = world.run("plan", plan, env=cluster.environment)
    expect(told.status == 0, f"plan ended with {told.status}: {told.err} {told.out.decode()}")
    for words in ("2 machines, 1 containers", "101: scsi1", "200: mp1", "(not-backed-up)"):
        expect(words in told.out.decode(), f"\"{words}\" is not in {told.out.decode()}")
    expect(before == cluster.snapshot(), "a plan changes something")
    process = world.start("export", plan, "--output", world.at("out"), env=cluster.environment, stdout=subprocess.PIPE)
    lines = set()
    while process.poll() is None:
        with contextlib.suppress(OSError):
            lines.add(open(f"/proc/{process.pid}/cmdline").read())
        time.sleep(0.05)
    out, err = (text.decode() for text in process.communicate())
    expect(process.returncode == 0, f"export ended with {process.returncode}: {err} {out}")
    after = cluster.snapshot()
    expect(before == after, f"left or changed: {[set(before[k].items()) ^ set(after[k].items()) for k in before]}")
    verified(world, "out")
    report = world.run("report", world.at("out"), "--output", world.at("report.html"))
    no_secret(world, cluster, "out", out, err, told.out.decode(), told.err, report.out.decode(errors="replace"), *lines)
    found = artifacts(world, "out")
    expect(("100/vzdump" in found) == (disks != "portable"), sorted(found))
    expect(("100/scsi0" in found) == (disks != "native"), sorted(found))
    expect("200/vzdump" in found and "configuration of the cluster" in found, sorted(found))
    if disks != "native":
        disks_equal(world, "out", cluster, DISKS)
    else:
        digests = found["100/vzdump"]["digests"]
        expect(sum(key.startswith("sha256-tree-1m/") for key in digests) == 4, f"{digests}")
    restored_by_hand(world, cluster, disks)


def restored_by_hand(world, cluster, disks):
    """RESTORE.txt decrypts, and the commands in the archive make standard files of it."""
    place = world.at("by-hand")
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    for where, script in ((world.at("out"), "RESTORE.txt"), (place, "restore.txt")):
        done = subprocess.run(["sh", script], cwd=where, capture_output=True, timeout=120,
                              env={**os.environ, "TO": place, "KEY": world.identity})
        expect(done.returncode == 0, f"{script}: {done.stderr.decode(errors='replace')}")
    found = {os.path.basename(path): os.path.join(place, path) for path in files_below(place)}
    expect("vzdump-lxc-200.tar" in found and "cluster.jsonl" in found, sorted(found))
    with tarfile.open(found["vzdump-lxc-200.tar"]) as tar:
        names = tar.getnames()
    expect("./srv/app/data" in names and not any("junk" in name for name in names), names[:20])
    if disks != "native":
        expect(sha256(found["virtio1.raw"]) == cluster.disk(100, "virtio1"), "virtio1 restored by hand differs")
        for name in [name for name in found if name.endswith(".ovf")]:
            told = ovf_kit.check(open(found[name], "rb").read(), os.path.dirname(found[name]))
            expect(told["disks"] and told["cards"], told)


def plain_archive(world):
    """In clear, secrets stay out unless they are asked for."""
    world.remove("out")
    cluster = world.cluster()
    plan = world.export_of("p.yaml", cluster, ["guests: [ 100 ]", "disks: portable",
                                               ACCEPT.replace("[", "[ secrets,")], encrypt=False)
    exported(world, "out", plan, cluster)
    found = artifacts(world, "out")
    target = world.at("clear")
    shutil.rmtree(target, ignore_errors=True)
    expect(world.run("extract", world.at("out"), "--to", target, "--trust", world.trust).status == 0, "extract")
    for path in files_below(target):
        expect(CIPASSWORD.encode() not in open(os.path.join(target, path), "rb").read(), f"the password is in {path}")
    expect("100/efidisk0" not in found and "100/tpmstate0" not in found, sorted(found))
    no_secret(world, cluster, "out")


def excludes(world):
    world.remove("out")
    cluster = world.cluster()
    plan = world.export_of("p.yaml", cluster, [
        "guests: [ all ]", "cluster: false", ACCEPT,
        "exclude: [ { guests: [ 200 ], reason: provider }, { disks: [ 100/virtio1 ], reason: scratch } ]"])
    exported(world, "out", plan, cluster)
    found = artifacts(world, "out")
    expect("100/virtio1" not in found and "200/vzdump" not in found and "100/scsi0" in found, sorted(found))
    disks_equal(world, "out", cluster, {100: ["scsi0"]})
    told = world.run("inspect", world.at("out"), "--json", "--decrypt-with", world.identity).out.decode()
    expect("scratch" in told and "provider" in told, "the reasons are not told")


def omissions(world):
    """Without an exclude or accept, what is missing gives status 2."""
    world.remove("out")
    cluster = world.cluster()
    result = exported(world, "out", world.export_of("p.yaml", cluster, ["guests: [ 101 ]", "cluster: false"]), cluster, status=2)
    expect("not-backed-up" in result.out.decode(), result.out.decode())
    for version in ("7.4", "8.4"):
        world.remove("out")
        cluster = world.cluster("cluster", version)
        cluster.pve.excluded_paths = ["/srv/app", "*.bak"]
        plan = world.export_of("p.yaml", cluster, ["guests: [ 200 ]", "cluster: false"])
        told = world.run("plan", plan, env=cluster.environment).out.decode()
        expect("vzdump.conf of pve1 leaves \"/srv/app\", \"*.bak\" out" in told, told)
        exported(world, "out", plan, cluster, status=2)


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
                            (("one storage", "local, local-lvm"), [
                                "route: restore", "map: { storages: { export: local } }", *target.directory()])):
        world.remove("work")
        plan = world.import_to("i.yaml", target, settings)
        result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=target.environment)
        expect(result.status == 1 and all(word in result.err for word in words), f"{result.status} {result.err}")
        expect(before == target.snapshot(), "something was written")


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


def transports(world, kind):
    world.remove("out")
    cluster = world.cluster()
    before = cluster.snapshot()
    transport = cluster.ssh(world, kind, **({"storage": "export"} if kind == "sftp" else {}))
    plan = world.export_of("p.yaml", cluster, ["guests: [ all ]", "cluster: false", ACCEPT, "disks: both"], transport=transport)
    exported(world, "out", plan, cluster)
    verified(world, "out")
    disks_equal(world, "out", cluster, DISKS)
    expect(before == cluster.snapshot(), "left or changed")


if __name__ == "__main__":
    suite = ClusterSuite()
    for disks in ("portable", "native", "both"):
        suite.case(f"everything, {disks}", exports, disks)
    suite.case("in clear", plain_archive)
    suite.case("excludes", excludes)
    suite.case("omissions", omissions)
    suite.case("by SFTP", transports, "sftp")
    suite.case("by SSH", transports, "ssh")
    suite.case("imported", imports, None)
    suite.case("restored", imports, "restore")
    suite.case("restored by SFTP", imports, "restore", "8.4", True, "sftp")
    suite.case("machine without disks", machine_without_disks)
    suite.case("choices of the server", choices_of_the_server)
    suite.case("refused before anything", refused_before_anything)
    suite.case("to images", to_images)
    suite.finish()
