#!/usr/bin/env python3
"""Containers arrive file by file as they were; what differs at the target is named, and what could not be looked at, too."""
import stat

from proxmox_faults_kit import apply_pveum
from proxmox_kit import *


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


def mount_points(world):
    """Directories that the server makes have its owner and mode: a person is told what to do, with the command."""
    world.remove("out", "work")
    source = world.cluster("source", guests=False)
    source.pve.make_container(203, name="mounts", files={"srv/kept": b"x"}, mounts={
        "mp0": ("/srv/lib/data", "backup=1", {"records": b"kept\n"}), "mp1": ("/plain", "backup=1", {"a": b"b"})})
    os.chmod(root_of(source, 203, "mp0"), 0o2750)
    if os.geteuid() == 0:
        os.chown(root_of(source, 203, "mp0"), 33, 34)
    owner = "33:34" if os.geteuid() == 0 else f"{os.geteuid()}:{os.getegid()}"
    exported(world, "out", world.export_of("p.yaml", source, ["guests: [ 203 ]", "cluster: false"]), source)
    for meddles in (False, True):
        target = world.cluster("target", guests=False)
        importing_token(target)
        if meddles:
            target.pve.faults.before(r"POST .*/vzdump", lambda line: os.chmod(root_of(target, 203, "mp0"), 0o777))
        world.remove("work")
        plan = world.import_to("i.yaml", target, ["upload-storage: local", *target.directory()])
        result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=target.environment)
        report = json.load(open(world.at("work/report.json")))["sources"][0]
        if meddles:
            told = [one["object"] for one in report["differences"]]
            expect(result.status == 3 and told == ["203/srv/lib/data"], f"{result.status} {report}")
            continue
        expect(result.status == 2 and report["differences"] == [], f"{result.status} {result.err} {report}")
        [left] = report["notSet"]
        expect(left["object"] == "203/srv/lib/data" and f"owner {owner} and the mode 2750" in left["what"], left)
        expect(left["command"] == f"pct exec 203 -- chown {owner} /srv/lib/data && pct exec 203 -- chmod 2750 /srv/lib/data", left)
        world.clusters.pop().close()


def paths_left_out_by_the_target(world):
    """What vzdump.conf of the target keeps out of every backup cannot be read again, and that is said."""
    world.remove("out")
    source = world.cluster("source", guests=False)
    source.pve.make_container(204, name="left", files={
        "srv/cache/one": b"1", "srv/cache/deep/two": b"2", "srv/kept": b"3", "srv/old.bak": b"4"})
    exported(world, "out", world.export_of("p.yaml", source, ["guests: [ 204 ]", "cluster: false"]), source)
    for version, loses in (("8.4", False), ("7.4", False), ("8.4", True)):
        target = world.cluster("target", version, guests=False)
        importing_token(target)
        target.pve.excluded_paths = ["/srv/cache", "*.bak"]
        if loses:
            target.pve.faults.before(r"POST .*/vzdump", lambda line: os.unlink(os.path.join(root_of(target, 204), "srv/kept")))
        world.remove("work")
        plan = world.import_to("i.yaml", target, ["upload-storage: local", *target.directory()])
        result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=target.environment)
        report = json.load(open(world.at("work/report.json")))["sources"][0]
        told = [one["object"] for one in report["differences"]]
        if loses:
            expect(result.status == 3 and "204/srv/kept" in told and "204/srv/cache/one" not in told, f"{result.status} {told}")
            continue
        expect(result.status == 2 and told == [], f"{version}: {result.status} {result.err} {told}")
        [left] = report["notSet"]
        expect("5 objects were not read again" in left["what"] and "\"/srv/cache\", \"*.bak\"" in left["what"], left)
        expect("vzdump.conf of pve1" in left["what"], left)
        world.clusters.pop().close()


def links_left_out_by_the_target(world):
    """An object whose first name the target keeps out of backups is compared under its other names."""
    world.remove("out")
    source = world.cluster("source", guests=False)
    source.pve.make_container(205, name="links", files={"srv/cache/first": b"1" * 5000, "srv/kept": b"3"})
    at = lambda path: os.path.join(root_of(source, 205), path)
    os.link(at("srv/cache/first"), at("srv/second"))
    os.link(at("srv/cache/first"), at("third"))
    exported(world, "out", world.export_of("p.yaml", source, ["guests: [ 205 ]", "cluster: false"]), source)
    for excluded in (["/srv/cache"], ["/srv/second"], ["/srv/cache", "/srv/second"], ["third", "/srv/second"]):
        for changes in (False, True):
            target = world.cluster("target", guests=False)
            importing_token(target)
            target.pve.excluded_paths = excluded

            def change(line):
                for name in ("srv/cache/first", "third"):
                    with open(os.path.join(root_of(target, 205), name), "r+b") as file:
                        file.write(b"X")
                    os.utime(file.name, ns=(0, os.stat(at("third")).st_mtime_ns))
            if changes:
                target.pve.faults.before(r"POST .*/vzdump", change)
            world.remove("work")
            plan = world.import_to("i.yaml", target, ["upload-storage: local", *target.directory()])
            result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=target.environment)
            report = json.load(open(world.at("work/report.json")))["sources"][0]
            told = [one["what"] for one in report["differences"]]
            expect((result.status, told) == ((3, ["content"]) if changes else (2, [])), f"{excluded}: {result.status} {report}")
            world.clusters.pop().close()


def least_rights(world):
    """A token with privilege separation makes containers end to end with the rights that the documents name, on each
    version; what it lacks is told before anything is brought, with commands that are enough."""
    world.remove("out")
    source = world.cluster("source", guests=False)
    net = "name=eth0,bridge=vmbr0,tag=30,hwaddr=BC:24:11:00:00:07,ip=dhcp,type=veth"
    source.pve.make_container(206, name="plain", pool="dpi", features="nesting=1", net0=net, files={"srv/kept": b"3"})
    source.pve.make_container(207, name="root", unprivileged="0", features="nesting=1", files={"srv/kept": b"4"},
                              mounts={"mp0": ("/data", "backup=1", {"a": b"b"})})
    exported(world, "out", world.export_of("p.yaml", source, ["guests: [ 206, 207 ]", "cluster: false"]), source)
    for version in ("7.4", "8.4", "9.2"):
        target = world.cluster("target", version, guests=False)
        target.pve.pools["dpi"] = {"comment": "", "vms": set(), "storage": set()}
        os.makedirs(os.path.join(target.storage("export"), "dump"), exist_ok=True)
        target.token = target.pve.add_token("ineat@pve", "import", "Nothing", ["Sys.Audit", "Pool.Audit"], privsep=1)
        world.remove("work")
        plan = world.import_to("i.yaml", target, ["upload-storage: local", *target.directory()])
        before = target.snapshot()
        text = refused_import(world, plan, target)
        expect(before == target.snapshot(), "something was written")
        expect(("Sys.Modify on /;" in text) == (version == "9.2"), f"{version}: {text}")
        expect(("SDN.Use on /sdn/zones/localnetwork/vmbr0/30" in text) == (version != "7.4"), f"{version}: {text}")
        apply_pveum(target, [line.strip() for line in text.splitlines() if line.strip().startswith("pveum")])
        result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=target.environment)
        report = json.load(open(world.at("work/report.json")))["sources"][0]
        # What only root may set, and the uploads, which take another right to be removed.
        left = sorted(one["object"] for one in report["notSet"])
        expect(result.status == 2 and report["differences"] == [], f"{version}: {result.status} {result.err} {report}")
        expect(left == ["207/features", "local:vztmpl/exeat-206-206.tar.zst", "local:vztmpl/exeat-207-207.tar.zst"], left)
        same_files(target, 207, source, 207)
        expect(206 in target.pve.pools["dpi"]["vms"] and target.backups() == [], f"{version}: {target.backups()}")
        world.clusters.pop().close()


def rights_on_a_pool(world):
    """Who has rights on a pool alone makes guests in it; that a number is taken shows, whoever has it."""
    world.remove("out")
    source = world.cluster("source", guests=False)
    source.pve.make_container(206, name="plain", pool="dpi", files={"srv/kept": b"3"},
                              mounts={"mp0": ("/data", "backup=1", {"a": b"b"})})
    source.pve.make_vm(106, name="machine", pool="dpi", disks={"scsi0": {"size": 1 << 20, "data": b"bytes"}})
    exported(world, "out", world.export_of("p.yaml", source, ["guests: [ 106, 206 ]", "cluster: false"]), source)
    target = world.cluster("target", guests=False)
    target.pve.pools["dpi"] = {"comment": "", "vms": set(), "storage": set()}
    target.pve.make_vm(206, name="hidden", disks={"scsi0": {"size": 1 << 20}})
    os.makedirs(os.path.join(target.storage("export"), "dump"), exist_ok=True)
    target.token = target.pve.add_token("ineat@pve", "t", "Places", [
        "Datastore.Audit", "Datastore.AllocateSpace", "Datastore.AllocateTemplate", "Datastore.Allocate"], path="/storage")
    target.pve.add_token("ineat@pve", "t2", "Cards", ["SDN.Use"], path="/sdn/zones")
    target.pve.add_token("ineat@pve", "t3", "Guests", [
        "VM.Audit", "VM.Backup", "VM.Allocate", "VM.Config.Disk", "VM.Config.CPU", "VM.Config.Memory", "VM.Config.Network",
        "VM.Config.HWType", "VM.Config.Options", "VM.Config.Cloudinit", "VM.Config.CDROM", "Pool.Audit", "Pool.Allocate"],
        path="/pool/dpi")
    for numbers, status in (("", 1), ("map: { vmids: \"+1000\" }", 0)):
        world.remove("work")
        before = target.snapshot()
        plan = world.import_to("i.yaml", target, [numbers, "upload-storage: local", *target.directory()])
        result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=target.environment)
        expect(result.status == status, f"{numbers}: {result.status} {result.err} {result.out.decode()}")
        if status:
            expect("the number 206 is taken" in result.err and "map.vmids" in result.err, result.err)
            expect(before == target.snapshot(), "something was written")
    same_files(target, 1206, source, 206)
    expect(target.disk(1106, "scsi0") == source.disk(106, "scsi0"), "106/scsi0 differs")
    expect(target.pve.pools["dpi"]["vms"] == {1106, 1206}, target.pve.pools)


def refused_import(world, plan, cluster):
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=cluster.environment)
    expect(result.status == 1 and "rights are missing" in result.err, f"{result.status} {result.err}")
    return result.err


suite = ClusterSuite()
suite.case("files of a container", container_files, None)
suite.case("files of a restored container", container_files, "restore")
suite.case("files of a container without proof", no_proof_of_files)
suite.case("mount points of a container", mount_points)
suite.case("paths left out by the target", paths_left_out_by_the_target)
suite.case("links left out by the target", links_left_out_by_the_target)
suite.case("containers with the least rights", least_rights)
suite.case("rights on a pool", rights_on_a_pool)
suite.finish()
