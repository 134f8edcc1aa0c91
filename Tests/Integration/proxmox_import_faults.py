#!/usr/bin/env python3
"""What goes wrong while guests are made: told as what it is, cleaned up, and the same command goes on."""
from proxmox_faults_kit import *
from pve_simulator.errors import TaskFailed


def number_taken(world):
    cluster = fresh(world)
    archive(world, cluster)
    plan = imports(world, IMPORT + cluster.directory(), cluster)
    cluster.pve.make_vm(1101, name="other", disks={"scsi0": {"size": 1 << 20}})
    before = cluster.snapshot()
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=cluster.environment)
    expect(result.status == 1 and "1101" in result.err and "map.vmids" in result.err, f"{result.status} {result.err}")
    expect(before == cluster.snapshot(), "something was written")
    cluster.pve.guests.pop(1101)
    os.unlink(cluster.pve.at("etc-pve/nodes/pve1/qemu-server/1101.conf"))
    imported_well(world, cluster, plan)


def import_storage_full(world):
    cluster = fresh(world)
    archive(world, cluster)
    plan = imports(world, IMPORT + cluster.directory(), cluster)
    cluster.pve.faults.storage_full("local", 100_000)
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=cluster.environment)
    expect(result.status == 1 and "space" in result.err.lower(), f"{result.status} {result.err}")
    cluster.pve.faults.storage_roomy("local")
    imported_well(world, cluster, plan)


def import_task_fails(world):
    cluster = fresh(world)
    archive(world, cluster)
    plan = imports(world, IMPORT + cluster.directory(), cluster)
    for kind in ("qmcreate", "vzcreate"):
        cluster.pve.faults.on(f"task {kind}", fail)
    before = set(cluster.pve.guests)
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=cluster.environment)
    expect(result.status == 1 and "no free space" in result.err and "cannot make" in result.err, f"{result.status} {result.err}")
    stubs = [one for one in set(cluster.pve.guests) - before if "scsi0" not in cluster.pve.guests[one].config().values
             and "rootfs" not in cluster.pve.guests[one].config().values]
    expect(not stubs, f"left: {stubs}")
    imported_well(world, cluster, plan)


def import_task_killed(world):
    """Nobody tidies up behind a task that was killed, and its lock only root can break: both are told."""
    cluster = fresh(world)
    exported(world, "out", world.export_of("p.yaml", cluster, ("guests: [ 101 ]", "cluster: false", ACCEPT)), cluster)
    plan = imports(world, IMPORT + cluster.directory(), cluster)
    cluster.pve.faults.kill_task("disk imported")
    for words in (("cannot make VM 101", "failed: unexpected status", "VM is locked (create)"), ("cannot remove what is left",)):
        result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=cluster.environment)
        expect(result.status == 1, f"{result.status} {result.err}")
        for word in (*words, "qm unlock 1101", "qm destroy 1101"):
            expect(word in result.err, f"\"{word}\" is not in {result.err}")
    cluster.pve.guests[1101].destroy()
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=cluster.environment)
    expect(result.status == 0, f"import ended with {result.status}: {result.err}")
    expect(cluster.disk(1101, "scsi0") == cluster.disk(101, "scsi0"), "101/scsi0 differs")
    nothing_left(world, cluster, [100, 101, 200, 1101])


def fail(task):
    raise TaskFailed("no free space in the pool")


def import_proof_storage_full(world):
    """The guests are made, and cannot be read again for want of room: no receipt, nothing left, and it goes on."""
    cluster = fresh(world)
    archive(world, cluster)
    plan = imports(world, IMPORT + cluster.directory(), cluster)
    cluster.pve.faults.storage_full("export", 300_000)
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=cluster.environment)
    expect(result.status == 1, f"{result.status} {result.err}")
    for words in ("cannot read", "again", "No space left", "Free space on the storage", "is made, and not proven yet"):
        expect(words in result.err, f"\"{words}\" is not in {result.err}")
    expect(not os.path.exists(world.at("out/proof/receipt-1.json")), "there is a receipt")
    nothing_left(world, cluster, [100, 101, 200, 1100, 1101, 1200])
    made = [task for task in cluster.pve.tasks.all.values() if task.kind in ("qmcreate", "vzcreate")]
    cluster.pve.faults.storage_roomy("export")
    imported_well(world, cluster, plan)
    again = [task for task in cluster.pve.tasks.all.values() if task.kind in ("qmcreate", "vzcreate")]
    expect(len(made) == len(again), "guests were made twice")


def other_guest_of_the_number(world):
    """After a making that failed somebody else takes the number: that guest is not removed as a rest of ours."""
    cluster = fresh(world)
    exported(world, "out", world.export_of("p.yaml", cluster, ("guests: [ 101 ]", "cluster: false", ACCEPT)), cluster)
    plan = imports(world, IMPORT + cluster.directory(), cluster)

    def taken(task):
        cluster.pve.make_vm(1101, name="somebody-else", disks={"scsi0": {"size": 1 << 20}})
        raise TaskFailed("storage is not online")
    cluster.pve.faults.on("task qmcreate", taken)
    for _ in range(2):
        result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=cluster.environment)
        expect(result.status == 1 and "somebody-else" in result.err, f"{result.status} {result.err}")
        expect(cluster.pve.guests[1101].config().values["name"] == "somebody-else", "it was removed")


def firewall_interrupted(world):
    """The firewall of a guest that was half made is made whole, in its order, and compared."""
    for refused_call, number in ((r"POST .*/firewall/rules", 1), (r"POST .*/firewall/rules", 2), (r"POST .*/ipset/own", 2),
                                 (r"PUT .*/firewall/options", 2)):
        cluster = fresh(world)
        text = ("[OPTIONS]\n\nenable: 1\npolicy_in: DROP\n\n[ALIASES]\n\nward 10.1.0.0/16 # the ward\n\n[IPSET own] # ours\n\n"
                "10.2.0.0/24\n!10.2.0.9\n\n[RULES]\n\nIN ACCEPT -source +own -p tcp -dport 443 # web\n|IN SSH(ACCEPT) -source ward\n"
                "IN DROP -p udp -log info\n")
        guest = cluster.pve.guests[101]
        cluster.pve.write(guest.firewall_path, text)
        cluster.pve.state.load_firewall(guest)
        exported(world, "out", world.export_of("p.yaml", cluster, ("guests: [ 101 ]", "cluster: false", ACCEPT)), cluster)
        plan = imports(world, IMPORT + cluster.directory(), cluster)
        calls = [0]

        def cut(line):
            calls[0] += 1
            if calls[0] == number:
                from pve_simulator.errors import Refused
                raise Refused(500, "the disk of the node is full")
        cluster.pve.faults.before(refused_call, cut, times=99)
        run = lambda: world.run("import", world.at("out"), plan, "--work", world.at("work"), env=cluster.environment)
        result = run()
        expect(result.status == 1 and "firewall" in result.err and "disk of the node is full" in result.err, f"{result.status} {result.err}")
        cluster.pve.faults.before_calls.clear()
        result = run()
        expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
        here, there = (cluster.pve.state.firewall(f"guest/{vmid}") for vmid in (101, 1101))
        expect(json.dumps(here["rules"]) == json.dumps(there["rules"]) or [
            {k: str(v) for k, v in rule.items()} for rule in here["rules"]] == [
            {k: str(v) for k, v in rule.items()} for rule in there["rules"]], f"{here['rules']} {there['rules']}")
        expect(list(here["ipset"]["own"]["members"]) == list(there["ipset"]["own"]["members"]), there["ipset"])
        world.clusters.pop().close()


def firewall_differs(world):
    """A rule that is lost, or another one, is a difference; a group that the target does not have is told before."""
    cluster = fresh(world)
    exported(world, "out", world.export_of("p.yaml", cluster, ("guests: [ 100 ]", "cluster: false", ACCEPT)), cluster)
    plan = imports(world, IMPORT + cluster.directory(), cluster)
    lose = lambda line: cluster.pve.state.firewall("guest/1100")["rules"].pop()
    cluster.pve.faults.before(r"POST .*/vzdump", lose)
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=cluster.environment)
    report = json.load(open(world.at("work/report.json")))["sources"][0]
    told = [one["what"] for one in report["differences"]]
    expect(result.status == 3 and told == ["missing: rule 1 type=in action=DROP enable=1 proto=udp"], f"{result.status} {told}")
    cluster = fresh(world)
    cluster.pve.state.firewall("cluster")["groups"]["inner"] = {"comment": "", "rules": []}
    guest = cluster.pve.guests[101]
    cluster.pve.write(guest.firewall_path, "[RULES]\n\nGROUP inner\n\nIN ODDLY formed\n")
    cluster.pve.state.load_firewall(guest)
    exported(world, "out", world.export_of("p.yaml", cluster, ("guests: [ 101 ]", "cluster: false", ACCEPT)), cluster)
    target = world.cluster("target", guests=False)
    importing_token(target)
    plan = world.import_to("i.yaml", target, ["upload-storage: local", *target.directory()])
    before = target.snapshot()
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=target.environment)
    expect(result.status == 1 and "security group inner" in result.err and before == target.snapshot(), f"{result.status} {result.err}")


suite = ClusterSuite()
suite.case("number taken", number_taken)
suite.case("import onto a full storage", import_storage_full)
suite.case("import task fails", import_task_fails)
suite.case("import task is killed", import_task_killed)
suite.case("no room for the proof", import_proof_storage_full)
suite.case("another guest of the number", other_guest_of_the_number)
suite.case("firewall of a guest interrupted", firewall_interrupted)
suite.case("firewall of a guest differs", firewall_differs)
suite.finish()
