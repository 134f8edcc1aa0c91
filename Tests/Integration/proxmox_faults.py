#!/usr/bin/env python3
"""What goes wrong between exeat and a cluster: told as what it is, cleaned up, and the same command goes on."""
import random
import signal
import threading

from proxmox_kit import *
from pve_simulator.errors import TaskFailed

ONE = ("guests: [ 101 ]", "cluster: false", ACCEPT)
ALL = ("guests: [ all ]", "cluster: false", "disks: both", ACCEPT)


def refused(world, plan, cluster, *words, command="export", name="out", status=1):
    result = world.run(command, *([plan, "--output", world.at(name)] if command == "export" else [plan]),
                       env=cluster.environment, timeout=300)
    text = result.err + result.out.decode(errors="replace")
    expect(result.status == status, f"status {result.status}: {text}")
    for word in words:
        expect(word in text, f"\"{word}\" is not in: {text}")
    expect(cluster.token.split("=", 1)[1] not in text, "the token's secret is told")
    return text


def goes_on(world, plan, cluster, wanted, name="out"):
    """The same command once more: complete, equal, and nothing left behind."""
    exported(world, name, plan, cluster)
    verified(world, name)
    ended_well(world, name)
    disks_equal(world, name, cluster, wanted)
    expect(cluster.backups() == [], f"left on the storage: {cluster.backups()}")


def ended_well(world, name):
    """As of any export, but that a guest which began anew has segments that are void."""
    lines = world.journal(name)
    if any(line["ev"] == "segment.voided" for line in lines):
        expect([line["ev"] for line in lines].count("run.completed") == 1, "not completed once")
        expect(not [n for n in os.listdir(world.path) if n.startswith(os.path.basename(name) + ".")], "left beside the archive")
    else:
        check_export_ended_well(world, name)


def fresh(world, *arguments, **options):
    world.remove("out", "work", "out.tar", "out.tar.exeat-run")
    return world.cluster("cluster", *arguments, **options)


def wrong_fingerprint(world):
    cluster = fresh(world)
    server = [line if "fingerprint" not in line else "fingerprint: \"" + "AB:" * 31 + "AB\"" for line in cluster.server()]
    seen = len(cluster.pve.requests)
    refused(world, world.export_of("p.yaml", cluster, ONE, server=server), cluster, "fingerprint")
    expect(len(cluster.pve.requests) == seen, f"the server saw {cluster.pve.requests[seen:]}")
    goes_on(world, world.export_of("p.yaml", cluster, ONE), cluster, {101: ["scsi0"]})


def expired_token(world):
    cluster = fresh(world)
    cluster.pve.expire_token("exeat@pve", "export")
    plan = world.export_of("p.yaml", cluster, ONE)
    refused(world, plan, cluster, "exeat@pve!export", "expired")
    cluster.pve.access.tokens["exeat@pve"]["export"]["expire"] = 0
    goes_on(world, plan, cluster, {101: ["scsi0"]})


def missing_privilege(world):
    cluster = fresh(world)
    cluster.token = cluster.pve.add_token("little@pve", "t", "Little", ["VM.Audit", "Sys.Audit", "Datastore.Audit"])
    plan = world.export_of("p.yaml", cluster, ONE)
    text = refused(world, plan, cluster, "VM.Backup", "Datastore.AllocateSpace", "pveum")
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("pveum")]
    expect(lines, "no commands are told")
    apply_pveum(cluster, lines)
    goes_on(world, plan, cluster, {101: ["scsi0"]})


def apply_pveum(cluster, lines):
    """Does what `pveum role add|modify` and `pveum acl modify` would do."""
    import shlex
    access = cluster.pve.access
    for line in lines:
        words = shlex.split(line)
        options = {words[i].lstrip("-"): words[i + 1] for i in range(len(words) - 1) if words[i].startswith("-")}
        if words[1] == "role":
            wanted = set(options["privs"].replace(",", " ").split())
            access.roles[words[3]] = wanted | (access.roles.get(words[3], set()) if "append" in options else set())
        elif words[1:3] == ["acl", "modify"]:
            for who in ("user", "users", "token", "tokens"):
                if who in options:
                    access.grant(words[3], options[who], options.get("role") or options["roles"])
        else:
            raise AssertionError(f"an unknown command is told: {line}")


def guest_locked(world):
    cluster = fresh(world)
    cluster.pve.lock_guest(101)
    plan = world.export_of("p.yaml", cluster, ONE)
    refused(world, plan, cluster, "101", "lock")
    expect(cluster.backups() == [], f"left: {cluster.backups()}")
    cluster.pve.guests[101].change(lock=None)
    goes_on(world, plan, cluster, {101: ["scsi0"]})


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
        expect(cluster.backups() == [other] or status and other in cluster.backups(), f"left: {cluster.backups()}")
        while world.clusters:
            world.clusters.pop().close()


def task_with_warnings(world):
    cluster = fresh(world)
    cluster.pve.faults.warnings = 2
    plan = world.export_of("p.yaml", cluster, ONE)
    goes_on(world, plan, cluster, {101: ["scsi0"]})
    files = extracted(world, "out")
    described = [json.load(open(path)) for one, path in files.items() if "guest-" in one and one.endswith(".json")]
    expect(len(described) == 1 and "warnings" in json.dumps(described), f"{described}")


def connection_cut(world):
    cluster = fresh(world)
    for pattern in (r"GET .*/cluster/resources", r"GET .*/status", r"GET .*/content", r"GET .*/log", r"GET .*/config"):
        cluster.pve.faults.cut(pattern, 20)
    goes_on(world, world.export_of("p.yaml", cluster, ALL), cluster, DISKS)


def tamper(cluster, change):
    """Changes a backup file when it gets its name, before anybody reads it."""
    def now(task):
        for name in cluster.backups():
            if name.endswith((".zst", ".vma", ".tar")):
                change(os.path.join(cluster.storage("export"), "dump", name))
    cluster.pve.faults.on("backup renamed", now)


def flip(path, at=0.6):
    with open(path, "r+b") as file:
        file.seek(int(os.path.getsize(path) * at))
        byte = file.read(1)[0] ^ 0x55
        file.seek(-1, 1)
        file.write(bytes([byte]))


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


def killed_before(world, plan, cluster, when, name="out", sign=signal.SIGKILL):
    """Starts an export and ends it when `when()` is true."""
    process = world.start("export", plan, "--output", world.at(name), env=cluster.environment)
    end = time.time() + 60
    while not when() and process.poll() is None and time.time() < end:
        time.sleep(0.01)
    alive = process.poll() is None
    if alive:
        process.send_signal(sign)
    errors = process.stderr.read().decode(errors="replace")
    process.wait()
    process.stderr.close()
    expect(alive, f"the export ended too early: {errors}")
    return process.returncode, errors


def whole_backup(cluster):
    return any(name.endswith(".zst") for name in cluster.backups())


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


def interrupted(world):
    """SIGINT while the node works: the task is stopped there, and nothing stays."""
    cluster = fresh(world)
    cluster.pve.faults.backup_pause = 20
    plan = world.export_of("p.yaml", cluster, ONE)
    running = lambda: [t for t in cluster.pve.tasks.all.values() if t.kind == "vzdump"]
    status, errors = killed_before(world, plan, cluster, lambda: running() and time.sleep(1.5) is None, sign=signal.SIGINT)
    expect(status == 130, f"status {status}: {errors}")
    expect(all(t.status == "stopped" for t in running()), "the task goes on")
    expect(cluster.backups() == [], f"left: {cluster.backups()}")
    cluster.pve.faults.backup_pause = 0
    goes_on(world, plan, cluster, {101: ["scsi0"]})


def killed_while_the_node_works(world):
    """The task outlives exeat: the next run takes what it makes, or takes it away."""
    cluster = fresh(world)
    cluster.pve.faults.backup_pause = 0.3
    plan = world.export_of("p.yaml", cluster, ONE)
    killed_before(world, plan, cluster, lambda: any(t.kind == "vzdump" for t in cluster.pve.tasks.all.values()))
    goes_on(world, plan, cluster, {101: ["scsi0"]})


def killed_at_random(world, rounds=2):
    chance = random.Random(int(os.environ.get("SEED", "1")))
    for number in range(rounds):
        cluster = fresh(world)
        cluster.pve.faults.backup_pause = 0.05
        before = cluster.snapshot()
        plan = world.export_of("p.yaml", cluster, ALL, extra="limits: { bandwidth: 12MiB/s, workers: 2 }\n")
        kills = 0
        while True:
            process = world.start("export", plan, "--output", world.at("out"), env=cluster.environment)
            sign = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT])
            status = kill_after(process, chance.uniform(0.3, 9) + kills, sign)
            if status == 0:
                break
            kills += 1
            expect(status in (-9, 130) and kills < 25, f"round {number}: status {status} after {kills} kills")
        ended_well(world, "out")
        verified(world, "out")
        disks_equal(world, "out", cluster, DISKS)
        after = cluster.snapshot()
        expect(before == after, f"round {number}, {kills} kills: left or changed: "
               f"{[set(before[k].items()) ^ set(after[k].items()) for k in before]}")
        while world.clusters:
            world.clusters.pop().close()


def imports(world, settings, cluster):
    importing_token(cluster)
    return world.import_to("i.yaml", cluster, settings)


IMPORT = ["upload-storage: local", "map: { vmids: \"+1000\", storages: { export: local-lvm } }"]


def archive(world, cluster):
    exported(world, "out", world.export_of("p.yaml", cluster, ALL), cluster)


def nothing_left(world, cluster, vmids=()):
    expect(cluster.backups() == [], f"left: {cluster.backups()}")
    for folder in ("import", "template/cache"):
        path = os.path.join(cluster.storage("local"), folder)
        expect(not os.path.isdir(path) or not os.listdir(path), f"left in {folder}: {os.listdir(path)}")
    expect(set(vmids) == set(cluster.pve.guests), f"guests: {sorted(cluster.pve.guests)}")


def imported_well(world, cluster, plan):
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=cluster.environment, timeout=300)
    expect(result.status == 0, f"import ended with {result.status}: {result.err} {result.out.decode()}")
    for vmid, keys in DISKS.items():
        for key in keys:
            expect(cluster.disk(vmid + 1000, key) == cluster.disk(vmid, key), f"{vmid}/{key} differs")
    nothing_left(world, cluster, [100, 101, 200, 1100, 1101, 1200])
    return result


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


def fail(task):
    raise TaskFailed("no free space in the pool")


def import_killed_at_random(world, rounds=2):
    chance = random.Random(int(os.environ.get("SEED", "2")))
    for number in range(rounds):
        cluster = fresh(world)
        cluster.token = cluster.pve.add_token()
        archive(world, cluster)
        plan = imports(world, IMPORT + cluster.directory(), cluster)
        kills = 0
        while True:
            process = world.start("import", world.at("out"), plan, "--work", world.at("work"), env=cluster.environment)
            sign = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT])
            try:
                process.wait(chance.uniform(0.3, 6) + kills)
            except subprocess.TimeoutExpired:
                process.send_signal(sign)
            errors = process.stderr.read().decode(errors="replace")
            status = process.wait()
            process.stderr.close()
            if status == 0:
                break
            kills += 1
            expect(status in (-9, 130) and kills < 25, f"round {number}: status {status} after {kills} kills: {errors}")
        for vmid, keys in DISKS.items():
            for key in keys:
                expect(cluster.disk(vmid + 1000, key) == cluster.disk(vmid, key), f"{vmid}/{key} differs")
        rules = [r for r in cluster.pve.guests[1100].firewall_rules()] if hasattr(cluster.pve.guests[1100], "firewall_rules") else None
        expect(rules is None or len(rules) == 2, f"{rules}")
        nothing_left(world, cluster, [100, 101, 200, 1100, 1101, 1200])
        while world.clusters:
            world.clusters.pop().close()


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
suite.case("wrong fingerprint", wrong_fingerprint)
suite.case("expired token", expired_token)
suite.case("missing privilege", missing_privilege)
suite.case("guest locked", guest_locked)
suite.case("guest migrated", guest_migrated)
suite.case("storage full", storage_full)
suite.case("task killed", task_killed)
suite.case("what a killed task leaves, by SFTP", remains_by_sftp)
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
suite.case("interrupted", interrupted)
suite.case("killed while the node works", killed_while_the_node_works)
suite.case("export killed at random", killed_at_random)
suite.case("number taken", number_taken)
suite.case("import onto a full storage", import_storage_full)
suite.case("import task fails", import_task_fails)
suite.case("import killed at random", import_killed_at_random)
suite.case("room full", room_full)
suite.case("SFTP cut", sftp_cut)
suite.case("SSH cut", ssh_cut)
suite.finish()
