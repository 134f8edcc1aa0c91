#!/usr/bin/env python3
"""The oldest and the newest Proxmox VE that are supported: both are left, and both are entered."""
from proxmox_kit import *


def leaves(world, version):
    """Guests and the configuration of the cluster; nothing is changed, and no call is refused as unknown."""
    world.remove("out")
    cluster = world.cluster("cluster", version)
    before = cluster.snapshot()
    plan = world.export_of("p.yaml", cluster, ["guests: [ all ]", "disks: both", ACCEPT])
    told = world.run("plan", plan, env=cluster.environment)
    expect(told.status == 0, f"plan ended with {told.status}: {told.err} {told.out.decode()}")
    exported(world, "out", plan, cluster)
    verified(world, "out")
    keys = ["scsi0", "virtio1", "efidisk0"] + (["tpmstate0"] if not version.startswith("7") else [])
    disks_equal(world, "out", cluster, {100: keys, 101: ["scsi0"]})
    after = cluster.snapshot()
    expect(before == after, f"left or changed: {[set(before[k].items()) ^ set(after[k].items()) for k in before]}")
    paths = configuration(world)
    wanted = {"7.4": "/cluster/ha/groups", "8.4": "/cluster/ha/groups", "9.2": "/cluster/ha/rules"}[version]
    expect(wanted in paths, f"{wanted} is not in {sorted(paths)}")
    for path in ("/storage", "/access/users", "/access/acl", "/pools", "/cluster/firewall/rules", "/cluster/options"):
        expect(path in paths, f"{path} is not in {sorted(paths)}")


def configuration(world):
    paths = {}
    for one, path in extracted(world, "out").items():
        if "cluster" in one and one.endswith(".jsonl"):
            for line in open(path):
                document = json.loads(line)
                paths[document["path"]] = document["data"]
    return paths


def enters(world, version, route):
    """From 8.4 to another version, under new numbers."""
    world.remove("out", "work")
    source = world.cluster("source", version if route == "restore" else "8.4")
    exported(world, "out", world.export_of("p.yaml", source, ["guests: [ 100, 101 ]", "cluster: false", "disks: both", ACCEPT]), source)
    target = world.cluster("target", version, guests=False)
    target.pve.pools["dpi"] = {"comment": "", "vms": set(), "storage": set()}
    importing_token(target)
    os.makedirs(os.path.join(target.storage("export"), "dump"), exist_ok=True)
    settings = [f"route: {route}", "map: { vmids: \"+900\", storages: { export: local-lvm } }", *target.directory()]
    if route == "import":
        settings.append("upload-storage: local")
    plan = world.import_to("i.yaml", target, settings)
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=target.environment, timeout=300)
    expect(result.status == 0, f"import ended with {result.status}: {result.err} {result.out.decode()}")
    keys = ["scsi0", "virtio1", "efidisk0"] + (["tpmstate0"] if source.pve.version[0] != "7" else [])
    for key in keys:
        expect(target.disk(1000, key) == source.disk(100, key), f"100/{key} differs")
    expect(target.disk(1001, "scsi0") == source.disk(101, "scsi0"), "101/scsi0 differs")
    expect(target.backups() == [], f"left: {target.backups()}")


def too_old_for_disks(world):
    """7.4 takes no disks by its API: said before anything is written."""
    world.remove("out", "work")
    source = world.cluster("source")
    exported(world, "out", world.export_of("p.yaml", source, ["guests: [ 101 ]", "cluster: false", ACCEPT]), source)
    target = world.cluster("target", "7.4", guests=False)
    importing_token(target)
    plan = world.import_to("i.yaml", target, ["route: import", "upload-storage: local"])
    before = target.snapshot()
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=target.environment)
    expect(result.status == 1 and "7.4" in result.err and "restore" in result.err, f"{result.status} {result.err}")
    expect(before == target.snapshot(), "something was written")


suite = ClusterSuite()
for version in ("7.4", "9.2"):
    suite.case(f"{version} is left", leaves, version)
suite.case("7.4 is entered by restoring", enters, "7.4", "restore")
suite.case("9.2 is entered by restoring", enters, "9.2", "restore")
suite.case("9.2 is entered by importing", enters, "9.2", "import")
suite.case("8.3 is entered by appliances", enters, "8.3", "import")
suite.case("7.4 takes no disks", too_old_for_disks)
suite.finish()
