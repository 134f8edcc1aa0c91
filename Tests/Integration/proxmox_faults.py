#!/usr/bin/env python3
"""What goes wrong during an export: told as what it is, cleaned up, and the same command goes on."""
import re
import threading

from proxmox_faults_kit import *


def guest_locked(world):
    cluster = fresh(world)
    cluster.pve.lock_guest(101)
    plan = world.export_of("p.yaml", cluster, ONE)
    refused(world, plan, cluster, "101", "VM is locked (migrate)", "Wait for the task that holds the lock", "qm unlock")
    expect(cluster.backups() == [], f"left: {cluster.backups()}")
    cluster.pve.guests[101].change(lock=None)
    goes_on(world, plan, cluster, {101: ["scsi0"]})


def guest_suspended(world):
    """The lock of a guest whose memory lies on the disk is no rest of a task, and nobody is told to break it."""
    cluster = fresh(world)
    cluster.pve.guests[101].change(lock="suspended", vmstate="local-lvm:vm-101-state-suspend-2026-11-28")
    plan = world.export_of("p.yaml", cluster, ONE)
    told = world.run("plan", plan, env=cluster.environment)
    expect("locked by \"suspended\"" in told.out.decode() and "memory of the suspended guest" in told.out.decode(), f"{told}")
    text = refused(world, plan, cluster, "101", "VM is locked (suspended)", "resume it")
    expect("unlock" not in text, text)
    cluster.pve.guests[101].change(lock=None, vmstate=None)
    goes_on(world, plan, cluster, {101: ["scsi0"]})


def another_backup_runs(world):
    """A backup that waits for another one of its node says so while it waits, and goes on when that has ended."""
    cluster = fresh(world)
    lock = cluster.pve.backups.locks["pve1"]
    lock.acquire()
    process = world.start("export", world.export_of("p.yaml", cluster, ONE), "--output", world.at("out"), env=cluster.environment)
    guard = threading.Timer(240, process.kill)
    guard.start()
    lines = []
    for line in process.stderr:
        lines.append(line.decode())
        if "waits for another one" in lines[-1]:
            lock.release()
    guard.cancel()
    process.stderr.close()
    expect(process.wait() == 0, f"{process.returncode} {lines}")
    told = [line.strip() for line in lines if "waits" in line]
    expect(told == ['the backup of guest 101 waits for another one on node "pve1", which makes one at a time'], f"{lines}")
    goes_on(world, world.at("p.yaml"), cluster, {101: ["scsi0"]})


def what_freezing_did(world):
    """A log thaws after a failure, too: what the archive says of freezing is what happened."""
    for agent, words, warned in (({}, "'fs-thaw'", False), ({"fails to freeze": True}, "guest-fsfreeze-freeze' failed", True),
                                 ({"down": True}, "skipping guest-agent 'fs-freeze'", False)):
        cluster = fresh(world)
        cluster.pve.guests[101].change(agent="1")
        cluster.pve.guests[101].running = True
        cluster.pve.guests[101].agent = agent
        exported(world, "out", world.export_of("p.yaml", cluster, ONE), cluster)
        [path] = [path for name, path in extracted(world, "out").items() if name.endswith("/guest.json")]
        backup = json.load(open(path))["backup"]
        expect(words in backup["freeze"] and ("warnings" in backup) == warned, backup)
        verified(world, "out")
        world.clusters.pop().close()


def guest_migrated(world):
    cluster = fresh(world, nodes=("pve1", "pve2"))
    cluster.pve.faults.before(r"POST .*/vzdump", lambda line: cluster.pve.migrate(101, "pve2"))
    goes_on(world, world.export_of("p.yaml", cluster, ONE), cluster, {101: ["scsi0"]})
    expect(any("/nodes/pve2/vzdump" in line for line in cluster.requests("vzdump")), "nobody asked the other node")


def storage_full(world):
    cluster = fresh(world)
    cluster.pve.faults.storage_full("export", 300_000)
    plan = world.export_of("p.yaml", cluster, ONE)
    refused(world, plan, cluster, "101", "No space left")
    expect(cluster.backups() == [], f"left: {cluster.backups()}")
    cluster.pve.faults.storage_roomy("export")
    goes_on(world, plan, cluster, {101: ["scsi0"]})


def task_killed(world):
    cluster = fresh(world)
    cluster.pve.faults.kill_task()
    plan = world.export_of("p.yaml", cluster, ONE)
    refused(world, plan, cluster, "101", "killed", "lock")
    cluster.pve.guests[101].change(lock=None)
    expect(cluster.backups() == [], f"left: {cluster.backups()}")
    goes_on(world, plan, cluster, {101: ["scsi0"]})


def remains_by_sftp(world):
    """Files that a failed backup leaves go by SFTP, too; an account that may only read leaves them, and says so."""
    for key, status in (("sftp_write_key", 0), ("sftp_key", 2)):
        cluster = fresh(world)
        dump = os.path.join(cluster.storage("export"), "dump")
        os.makedirs(dump, exist_ok=True)
        other = "vzdump-qemu-101-2020_01_01-00_00_00.log"
        open(os.path.join(dump, other), "w").close()
        cluster.pve.faults.kill_task()
        plan = world.export_of("p.yaml", cluster, ONE, transport=cluster.ssh(world, "sftp", key=key, storage="export"))
        refused(world, plan, cluster, "101", "killed")
        cluster.pve.guests[101].change(lock=None)
        exported(world, "out", plan, cluster, status=status)
        told = world.run("inspect", world.at("out"), "--json", "--decrypt-with", world.identity).out.decode()
        expect(("left-behind" in told and ".vma.dat on pve1" in told) == bool(status), told[-1500:])
        # What is not there is not left, whoever may not remove it.
        named = re.findall(r"(vzdump-[\w.-]+) on pve1", told)
        expect(all(name in cluster.backups() for name in named), f"{named} {cluster.backups()}")
        expect(cluster.backups() == [other] or status and other in cluster.backups(), f"left: {cluster.backups()}")
        while world.clusters:
            world.clusters.pop().close()


def configuration_not_told(world):
    """A part of the configuration that a server fails to tell is no part that is not there."""
    for reason, status in (("unable to read '/etc/pve/firewall/cluster.fw' - Input/output error", 2),
                           ("binary not installed: /usr/bin/something", 0)):
        cluster = fresh(world, guests=False)
        cluster.pve.faults.refuse(r"GET .*/cluster/firewall/rules$", 500, reason, times=9)
        plan = world.export_of("p.yaml", cluster, [ACCEPT], transport=[])
        exported(world, "out", plan, cluster, status=status)
        told = world.run("inspect", world.at("out"), "--json", "--decrypt-with", world.identity).out.decode()
        expect(("unanswered" in told) == bool(status) and reason in told, told[-2000:])
        world.clusters.pop().close()


def backup_server(world):
    """A storage that keeps no files is refused before a backup is made there."""
    cluster = fresh(world)
    cluster.pve.add_storage("pbs", "pbs", content="backup", server="10.0.0.9", datastore="main")
    plan = world.export_of("p.yaml", cluster, ONE, transport=cluster.ssh(world, "sftp", storage="pbs"))
    refused(world, plan, cluster, "\"pbs\" is a Proxmox Backup Server", "dir, nfs, cifs")
    expect(not cluster.requests("/vzdump"), "a backup was made")
    told = world.run("plan", plan, env=cluster.environment)
    expect("decision: storage pbs is a Proxmox Backup Server" in told.out.decode(), told.out.decode())


def protected_by_the_node(world):
    """Where vzdump.conf protects all backups, ours is not: it is deleted again."""
    cluster = fresh(world)
    cluster.pve.vzdump_conf["protected"] = 1
    goes_on(world, world.export_of("p.yaml", cluster, ONE), cluster, {101: ["scsi0"]})


def task_with_warnings(world):
    cluster = fresh(world)
    cluster.pve.faults.warnings = 2
    plan = world.export_of("p.yaml", cluster, ONE)
    goes_on(world, plan, cluster, {101: ["scsi0"]})
    files = extracted(world, "out")
    described = [json.load(open(path)) for one, path in files.items() if one.endswith("/guest.json")]
    expect(len(described) == 1 and "warnings" in json.dumps(described), f"{described}")
    told = world.run("inspect", world.at("out"), "--json", "--decrypt-with", world.identity).out.decode()
    expect("backup-warnings" in told and "101: WARN: simulated warning 2" in told, told[-1500:])


def connection_cut(world):
    cluster = fresh(world)
    for pattern in (r"GET .*/cluster/resources", r"GET .*/status", r"GET .*/content", r"GET .*/log", r"GET .*/config"):
        cluster.pve.faults.cut(pattern, 20)
    goes_on(world, world.export_of("p.yaml", cluster, ALL), cluster, DISKS)


def backup_corrupt(world, settings, wanted, tar=False):
    cluster = fresh(world)
    tamper(cluster, flip)
    plan = world.export_of("p.yaml", cluster, settings)
    name = "out.tar" if tar else "out"
    world.remove(name)
    refused(world, plan, cluster, "the backup of", "is damaged", "begins anew", name=name, status=3)
    if tar:
        exported(world, name, plan, cluster)
        check_tar(world, name)
        expect(cluster.backups() == [], f"left: {cluster.backups()}")
    else:
        goes_on(world, plan, cluster, wanted)


def backup_corrupt_at_its_end(world, tar=False):
    """Segments of a disk are in the archive already when the damage shows: they are voided."""
    world.remove("out", "out.tar")
    cluster = world.cluster("cluster", guests=False)
    cluster.pve.make_vm(300, disks={"scsi0": {"size": 600 << 20, "pieces": {
        (place << 20): cluster.noise.randbytes(2 << 20) for place in (1, 100, 260, 300, 520, 590)}}})
    tamper(cluster, lambda path: flip(path, 0.995))
    plan = world.export_of("p.yaml", cluster, ("guests: [ 300 ]", "cluster: false", ACCEPT))
    name = "out.tar" if tar else "out"
    refused(world, plan, cluster, "VM 300", "is damaged", name=name, status=3)
    if tar:
        exported(world, name, plan, cluster)
        check_tar(world, name)
    else:
        committed = [l for l in world.journal("out") if l["ev"] == "segment.committed"]
        exported(world, name, plan, cluster)
        lines = world.journal("out")
        disks_equal(world, "out", cluster, {300: ["scsi0"]})
        voided = [l for l in lines if l["ev"] == "segment.voided"]
        expect(len(voided) == len(committed), f"{len(committed)} committed, {len(voided)} voided")
        verified(world, "out")
    expect(cluster.backups() == [], f"left: {cluster.backups()}")


def check_tar(world, name):
    """Verified, and what came of the damaged backup is void."""
    verified(world, name)
    text = subprocess.run(["tar", "xOf", world.at(name), "guests/exeat/journal.jsonl"], capture_output=True, check=True).stdout
    lines = [json.loads(line) for line in text.splitlines()]
    events = [line["ev"] for line in lines]
    places = [(line["s"], line["a"], line["n"]) for line in lines if line["ev"] == "segment.committed"]
    expect(events.count("run.completed") == 1, f"{events}")
    expect(len(places) == len(set(places)) or "segment.voided" in events, f"{events}")
    expect(not os.path.exists(world.at(name) + ".exeat-run"), "left beside the archive")


def backup_truncated(world):
    """The file is shorter here than on its node: the mount shows something else."""
    cluster = fresh(world)
    cluster.pve.faults.truncate_backup = 200_000
    plan = world.export_of("p.yaml", cluster, ONE)
    refused(world, plan, cluster, "the backup of VM 101", "damaged", status=3)
    goes_on(world, plan, cluster, {101: ["scsi0"]})


def backup_deleted_between(world):
    cluster = fresh(world)
    plan = world.export_of("p.yaml", cluster, ALL, extra="limits: { bandwidth: 4MiB/s }\n")
    journal = os.path.join(world.at("out"), "exeat", "journal.jsonl")
    killed_before(world, plan, cluster, lambda: whole_backup(cluster) and os.path.exists(journal)
                  and b"segment.committed" in open(journal, "rb").read())
    for name in cluster.backups():
        os.unlink(os.path.join(cluster.storage("export"), "dump", name))
    plan = world.export_of("p.yaml", cluster, ALL)
    for _ in range(4):
        result = world.run("export", plan, "--output", world.at("out"), env=cluster.environment)
        if result.status == 0:
            break
        expect("no longer on the storage" in result.err and "begins anew" in result.err, result.err)
    expect(result.status == 0, f"never complete: {result.err}")
    verified(world, "out")
    disks_equal(world, "out", cluster, DISKS)
    expect(cluster.backups() == [], f"left: {cluster.backups()}")


def disk_added_and_resized(world):
    cluster = fresh(world)

    def change(line):
        cluster.pve.resize_disk(101, "scsi0", 48 << 20)
        guest = cluster.pve.guests[101]
        guest.change(scsi2=cluster.pve.make_disk(guest, size=4 << 20, data=b"new" * 1000))
    cluster.pve.faults.before(r"POST .*/vzdump", change)
    plan = world.export_of("p.yaml", cluster, ONE)
    result = exported(world, "out", plan, cluster, status=2)
    expect("added" in result.out.decode() + result.err, f"{result.out.decode()} {result.err}")
    disks_equal(world, "out", cluster, {101: ["scsi0"]})
    expect(cluster.backups() == [], f"left: {cluster.backups()}")


def node_down(world):
    cluster = fresh(world, nodes=("pve1", "pve2"))
    cluster.pve.migrate(101, "pve2")
    cluster.pve.faults.node_down("pve2")
    plan = world.export_of("p.yaml", cluster, ONE)
    refused(world, plan, cluster, "pve2")
    cluster.pve.faults.node_up("pve2")
    goes_on(world, plan, cluster, {101: ["scsi0"]})


def node_lost(world):
    """A guest goes on elsewhere when its node dies: so does its export, and the backup on the dead node is named."""
    cluster = fresh(world, nodes=("pve1", "pve2"))
    cluster.pve.make_vm(102, node="pve2", name="moving", disks={"scsi0": {"size": 24 << 20, "data": os.urandom(24 << 20)}})
    cluster.pve.add_storage("own", "dir", content="backup")
    mount = world.at("own-mount")
    world.remove("own-mount")
    os.symlink(cluster.storage("own", "pve2"), mount)
    way = [f"transport: {{ directory: {{ storage: own, mount: {mount} }} }}"]
    settings = ["guests: [ 102 ]", "cluster: false", "accept: [ left-behind ]"]
    plan = world.export_of("p.yaml", cluster, settings, way, extra="limits: { bandwidth: 2MiB/s }\n")
    process = world.start("export", plan, "--output", world.at("out"), env=cluster.environment)
    until = time.time() + 60
    while not any(name.endswith(".zst") for name in cluster.backups_on("own", "pve2")) and time.time() < until:
        time.sleep(0.1)
    expect(kill_after(process, 2) == -signal.SIGKILL, "it has ended")
    [backup] = [name for name in cluster.backups_on("own", "pve2") if name.endswith(".zst")]
    cluster.pve.migrate(102, "pve1")
    cluster.pve.faults.node_down("pve2")
    os.unlink(mount)
    os.symlink(cluster.storage("own", "pve1"), mount)
    plan = world.export_of("p.yaml", cluster, settings, way)
    command = ["export", plan, "--output", world.at("out")]
    result = world.run(*command, env=cluster.environment)
    expect(result.status == 1 and "guest-backup-lost" in result.err, f"{result.status} {result.err}")
    result = world.run(*command, env=cluster.environment)
    expect(result.status == 0, f"{result.status} {result.err}")
    told = [source["omissions"] for source in manifest(world, "out")["sources"]]
    expect(backup in json.dumps(told), f"{told}")
    disks_equal(world, "out", cluster, {102: ["scsi0"]})
    expect(cluster.backups_on("own", "pve1") == [], "left on the node that lives")


def room_full(world):
    """The local disk fills while a backup is decoded: told, and with room the same command goes on."""
    cluster = fresh(world)
    place = world.at("small-disk")
    os.makedirs(place, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place], capture_output=True).returncode:
        raise Skip("no right to mount a small file system")
    try:
        plan = world.export_of("p.yaml", cluster, ALL)
        refused(world, plan, cluster, "space", name="small-disk/out")
        subprocess.run(["mount", "-o", "remount,size=200m", place], check=True)
        goes_on(world, plan, cluster, DISKS, name="small-disk/out")
    finally:
        subprocess.run(["umount", "-l", place], capture_output=True)


def sftp_cut(world):
    """The connection ends in mid-transfer: it goes on where it was."""
    world.remove("out")
    cluster = world.cluster("cluster", guests=False)
    cluster.pve.make_vm(300, disks={"scsi0": {"size": 300 << 20, "data": cluster.noise.randbytes(240 << 20)}})
    plan = world.export_of("p.yaml", cluster, ("guests: [ 300 ]", "cluster: false", ACCEPT),
                           transport=cluster.ssh(world, "sftp", storage="export"))
    ssh, stop, cuts = cluster.pve.ssh, threading.Event(), []

    def sent(process):
        with contextlib.suppress(OSError), open(f"/proc/{process}/io") as file:
            return int(file.readline().split()[1])
        return 0

    def cut():
        while len(cuts) < 2 and not stop.wait(0.01):
            if any(sent(child) > 30 << 20 for child in ssh.children(ssh.process.pid)):
                cuts.append(time.time())
                ssh.kill(listener=False)
    thread = threading.Thread(target=cut)
    thread.start()
    try:
        goes_on(world, plan, cluster, {300: ["scsi0"]})
    finally:
        stop.set()
        thread.join()
    expect(len(cuts) == 2, f"cut {len(cuts)} times")
    expect(len([t for t in cluster.pve.tasks.all.values() if t.kind == "vzdump"]) == 1, "the backup was made again")


def ssh_cut(world):
    """A stream that is cut is no backup: the guest begins anew."""
    cluster = fresh(world)
    plan = world.export_of("p.yaml", cluster, ONE, transport=cluster.ssh(world, "ssh"))
    cluster.pve.faults.on("backup piece", lambda task: cluster.pve.ssh.kill(listener=False))
    refused(world, plan, cluster, "VM 101", "connection", "begins anew")
    goes_on(world, plan, cluster, {101: ["scsi0"]})


suite = ClusterSuite()
suite.case("guest locked", guest_locked)
suite.case("guest suspended", guest_suspended)
suite.case("another backup runs", another_backup_runs)
suite.case("what freezing did", what_freezing_did)
suite.case("guest migrated", guest_migrated)
suite.case("storage full", storage_full)
suite.case("task killed", task_killed)
suite.case("what a killed task leaves, by SFTP", remains_by_sftp)
suite.case("configuration that is not told", configuration_not_told)
suite.case("a backup server as the storage", backup_server)
suite.case("protected by the node", protected_by_the_node)
suite.case("task with warnings", task_with_warnings)
suite.case("connection cut", connection_cut)
suite.case("backup corrupt", backup_corrupt, ONE, {101: ["scsi0"]})
suite.case("backup of a container corrupt", backup_corrupt, ("guests: [ 200 ]", "cluster: false", ACCEPT), {})
suite.case("backup corrupt, tar output", backup_corrupt, ONE, {101: ["scsi0"]}, True)
suite.case("backup corrupt at its end", backup_corrupt_at_its_end)
suite.case("backup corrupt at its end, tar output", backup_corrupt_at_its_end, True)
suite.case("backup truncated", backup_truncated)
suite.case("backup deleted between kill and resume", backup_deleted_between)
suite.case("disk added and resized", disk_added_and_resized)
suite.case("node down", node_down)
suite.case("node lost", node_lost)
suite.case("room full", room_full)
suite.case("SFTP cut", sftp_cut)
suite.case("SSH cut", ssh_cut)
suite.finish()
