#!/usr/bin/env python3
"""Guests that have left a cluster are made again, on another and as images: disks and files are equal, and what the
target cannot take is said before."""
import stat

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


def furnished(cluster):
    """A container with all that a system may hold, in names that nobody likes."""
    cluster.pve.make_container(201, name="files", ostype="debian", files={
        "etc/ssh/ssh_host_ed25519_key": b"the key that clients know", "etc/machine-id": b"0123456789abcdef" * 2,
        "tmp/kept": b"kept", "var/tmp/kept": b"kept", "dev/null": b"", "srv/one": b"1" * 5000, "srv/caf\u00e9 \n": b"name",
        "srv/" + "long/" * 40 + "file": b"deep"}, mounts={"mp0": ("/data", "backup=1", {"a/b": b"in a volume"})})
    at = lambda path: os.path.join(root_of(cluster, 201), path)
    os.link(at("srv/one"), at("srv/two"))
    os.link(at("srv/one"), at("a-third"))
    os.symlink("../one", at("srv/link"))
    os.symlink("x" * 200, at("srv/far"))
    os.mkfifo(at("srv/pipe"))
    with open(at("srv/holes"), "wb") as file:
        for place in range(0, 40 << 20, 4 << 20):
            file.seek(place)
            file.write(b"data" * 1000)
        file.truncate(50 << 20)
    open(at("srv/empty"), "w").close()
    with open(at("srv/\udcff"), "w") as file:
        file.write("no UTF-8")
    with contextlib.suppress(OSError):
        os.setxattr(at("srv/one"), "user.origin", b"ward\n7")
    if os.geteuid() == 0:
        os.chown(at("srv/one"), 100033, 4000000)
        os.mknod(at("srv/node"), 0o644 | stat.S_IFCHR, os.makedev(1, 3))
        subprocess.run(["setfacl", "-m", "u:1234:rw", at("srv/two")], check=False, capture_output=True)
        subprocess.run(["setcap", "cap_net_raw+ep", at("srv/empty")], check=False, capture_output=True)
    os.chmod(at("srv/empty"), 0o4755)
    os.utime(at("srv/one"), ns=(0, -1_500_000_000))
    os.utime(at("srv"), ns=(0, 1_234_567_890_123_456_789))


def tampered(cluster, vmid):
    """Changes a container in each way there is; gives back what must be told."""
    at = lambda path: os.path.join(root_of(cluster, vmid), path)
    with open(at("etc/machine-id"), "r+b") as file:
        file.write(b"X")
    os.utime(at("etc/machine-id"), ns=(0, 5))
    os.chmod(at("srv/empty"), 0o755)
    os.utime(at("srv/holes"))
    os.unlink(at("srv/pipe"))
    os.unlink(at("srv/link"))
    os.symlink("../two", at("srv/link"))
    shutil.copy2(at("srv/two"), at("srv/more"))
    os.replace(at("srv/more"), at("srv/two"))
    with open(os.path.join(root_of(cluster, vmid, "mp0"), "a/more"), "w") as file:
        file.write("more")
    return {"etc/machine-id": "content, time", "srv/empty": "mode", "srv/holes": "time", "srv/pipe": "missing",
            "srv/link": "link, time", "a-third": "hard links", "srv/two": "extra", "data/a/more": "extra",
            "data/a": "time", "srv": "time"}


def container_files(world, route):
    """A container arrives as it was, its keys and its id included; what differs at the target is named."""
    world.remove("out", "work")
    source = world.cluster("source", guests=False)
    furnished(source)
    before = tree(source, 201)
    exported(world, "out", world.export_of("p.yaml", source, ["guests: [ 201 ]", "cluster: false", ACCEPT]), source)
    expect(before == tree(source, 201), "the export changes the container")
    for tamper in (False, True):
        target = world.cluster("target", guests=False)
        importing_token(target)
        os.makedirs(os.path.join(target.storage("export"), "dump"), exist_ok=True)
        world.remove("work")
        wanted = {}
        if tamper:
            target.pve.faults.before(r"POST .*/vzdump", lambda line: wanted.update(tampered(target, 201)))
        plan = world.import_to("i.yaml", target, ["upload-storage: local", *target.directory(), *(
            [f"route: {route}"] if route else [])])
        result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=target.environment)
        report = json.load(open(world.at("work/report.json")))
        told = {one["object"].removeprefix("201/"): one["what"] for one in report["sources"][0]["differences"]}
        expect(result.status == (3 if tamper else 0) and told == wanted, f"{result.status} {result.err} {told}")
        if not tamper:
            same_files(target, 201, source, 201)
            expect(target.pve.guests[201].config().values["ostype"] == "debian", "the type of the system is not set")
        expect(target.backups() == [], f"left: {target.backups()}")
        world.clusters.pop().close()


def no_proof_of_files(world):
    """Without a transport nothing is read again, and status and receipt say so."""
    world.remove("out", "work")
    source = world.cluster("source")
    exported(world, "out", world.export_of("p.yaml", source, ["guests: [ 200 ]", "cluster: false", ACCEPT]), source)
    target = world.cluster("target", guests=False)
    importing_token(target, without="Datastore.Allocate")
    target.pve.pools["dpi"] = {"comment": "", "vms": set(), "storage": set()}
    result = world.run("import", world.at("out"), world.import_to("i.yaml", target, ["upload-storage: local"]),
                       "--work", world.at("work"), "--json", env=target.environment)
    expect(result.status == 2, f"import ended with {result.status}: {result.err}")
    report = open(world.at("work/report.json")).read()
    expect("files of a container were not read again: the target names no transport" in report, report)
    expect("pvesm free local:vztmpl/exeat-200-200.tar.zst" in report, report)
    same_files(target, 200, source, 200)


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


def cluster_parts(world):
    """First told, then made, then there is nothing to do."""
    world.remove("out")
    source = world.cluster("source")
    exported(world, "out", world.export_of("p.yaml", source, [ACCEPT], transport=[]), source)
    target = world.cluster("target", guests=False)
    importing_token(target)
    before = target.snapshot()
    parts = "cluster: [ pools, roles, groups, users, acl, firewall ]"

    def run(*more):
        world.remove("work")
        plan = world.import_to("i.yaml", target, [parts, *more])
        result = world.run("import", world.at("out"), plan, "--work", world.at("work"), "--json", env=target.environment)
        expect(result.status == 0, f"import ended with {result.status}: {result.err} {result.out.decode()}")
        return open(world.at("work/report.json")).read()
    told = run()
    expect("dpi" in told and "nurse@pve" in told, told)
    expect(before == target.snapshot(), "a dry run changes something")
    run("apply: true")
    expect("dpi" in target.pve.pools and "nurse@pve" in target.pve.access.users and "clinic" in target.pve.access.groups,
           f"{target.pve.pools} {sorted(target.pve.access.users)}")
    writes = lambda: [line for line in target.pve.requests if line.split()[0] in ("POST", "PUT", "DELETE")]
    count = len(writes())
    run("apply: true")
    expect(len(writes()) == count, f"the second time makes {writes()[count:]}")


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


if __name__ == "__main__":
    suite = ClusterSuite()
    suite.case("imported", imports, None)
    suite.case("restored", imports, "restore")
    suite.case("restored by SFTP", imports, "restore", "8.4", True, "sftp")
    suite.case("files of a container", container_files, None)
    suite.case("files of a restored container", container_files, "restore")
    suite.case("files of a container without proof", no_proof_of_files)
    suite.case("machine without disks", machine_without_disks)
    suite.case("refused before anything", refused_before_anything)
    suite.case("parts of the cluster", cluster_parts)
    suite.case("to images", to_images)
    suite.finish()
