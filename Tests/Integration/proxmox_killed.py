#!/usr/bin/env python3
"""An export or an import is interrupted or killed, and the same command goes on."""
import random
import signal

from proxmox_faults_kit import *


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


def interrupted_as_a_task_begins(world):
    """SIGINT between the call that starts a task and its answer: the task is stopped all the same, at both ends."""
    cluster = fresh(world)
    cluster.pve.faults.backup_pause = 20
    holder = {}

    def interrupt(line):
        while "process" not in holder:
            time.sleep(0.01)
        holder["process"].send_signal(signal.SIGINT)
        # So long that whoever did not wait for the answer is gone.
        time.sleep(2)

    def run(*arguments):
        holder.clear()
        holder["process"] = process = world.start(*arguments, env=cluster.environment)
        errors = process.stderr.read().decode(errors="replace")
        process.stderr.close()
        return process.wait(), errors
    plan = world.export_of("p.yaml", cluster, ONE)
    cluster.pve.faults.before(r"POST .*/vzdump", interrupt)
    status, errors = run("export", plan, "--output", world.at("out"))
    expect(status == 130 and "Run the same command again" in errors, f"{status} {errors}")
    tasks = [task for task in cluster.pve.tasks.all.values() if task.kind == "vzdump"]
    expect(len(tasks) == 1 and tasks[0].status == "stopped", "the task goes on")
    expect(cluster.backups() == [] and "lock" not in cluster.pve.guests[101].config().values, f"left: {cluster.backups()}")
    cluster.pve.faults.backup_pause = 0
    goes_on(world, plan, cluster, {101: ["scsi0"]})
    plan = imports(world, IMPORT + cluster.directory(), cluster)
    cluster.pve.faults.before(r"POST .*/qemu", interrupt)
    status, errors = run("import", world.at("out"), plan, "--work", world.at("work"))
    expect(status == 130 and "Run the same command again" in errors, f"{status} {errors}")
    running = [task.kind for task in cluster.pve.tasks.all.values() if task.status == "running"]
    expect(not running, f"tasks go on: {running}")
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), env=cluster.environment)
    expect(result.status == 0, f"{result.status} {result.err}")
    expect(cluster.disk(1101, "scsi0") == cluster.disk(101, "scsi0"), "101/scsi0 differs")
    expect(cluster.backups() == [], f"left: {cluster.backups()}")


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


suite = ClusterSuite()
suite.case("interrupted", interrupted)
suite.case("interrupted as a task begins", interrupted_as_a_task_begins)
suite.case("killed while the node works", killed_while_the_node_works)
suite.case("export killed at random", killed_at_random)
suite.case("import killed at random", import_killed_at_random)
suite.finish()
