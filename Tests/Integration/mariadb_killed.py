#!/usr/bin/env python3
"""Exports and imports that are killed or interrupted, whose server is killed, or whose disk is full: told, and the
same command goes on."""
import random

from mariadb_kit import *


def killed_at_any_moment(world):
    """SIGKILL of exeat at random moments of export and import; the same command ends it."""
    chance = random.Random(7)
    plan = world.database_plan("killed.yaml", world.source, databases="[bank]")
    for number in range(6):
        name = f"killed-{number}"
        process = world.start("export", plan, "--output", world.at(name))
        time.sleep(chance.uniform(0.02, 0.8))
        process.kill()
        process.communicate()
        result = world.run("export", plan, "--output", world.at(name))
        expect(result.status == 0, f"{number}: {result.status} {result.err}")
    target = world.target
    for number in range(8):
        plan = world.database_import("killed-import.yaml", target, ", existing: replace")
        work = world.at(f"killed-work-{number}")
        for _ in range(3):
            process = world.start("import", world.at("killed-0"), plan, "--work", work)
            time.sleep(chance.uniform(0.05, 1.5))
            process.kill()
            process.communicate()
        result = world.run("import", world.at("killed-0"), plan, "--work", work)
        expect(result.status == 0, f"{number}: {result.status} {result.err} {result.out.decode()}")
        expect(target.sql("SELECT COUNT(*) FROM information_schema.tables WHERE table_name LIKE 'exeat%'") == "0", "marks stay")
    expect(world.source.dump("bank") == target.dump("bank"), "dumps differ")


def interrupted(world):
    """SIGINT ends cleanly, and quickly also while the server works on a long statement."""
    plan = world.database_plan("int.yaml", world.source, databases="[bank]", limits="bandwidth: 2MiB/s, workers: 1")
    process = start_slow_export(world, "int", plan)
    process.send_signal(signal.SIGINT)
    began = time.time()
    error = process.communicate(timeout=300)[1].decode()
    expect(process.returncode == 130 and time.time() - began < 30, f"{process.returncode} {error}")


def server_killed_meanwhile(world):
    source, target = world.source, world.target
    plan = world.database_plan("dead.yaml", source, databases="[bank]", limits="bandwidth: 4MiB/s, workers: 1")
    process = start_slow_export(world, "dead", plan)
    source.kill()
    error = process.communicate(timeout=300)[1].decode()
    expect(process.returncode == 1 and "moment" in error, f"{process.returncode} {error}")
    expect(not os.path.exists(os.path.join(world.at("dead"), "proof")), "sealed all the same")
    source.start()
    plan = world.database_plan("dead.yaml", source, databases="[bank]")
    result = world.run("export", plan, "--output", world.at("dead"))
    expect(result.status == 0, f"{result.status} {result.err}")
    plan = world.database_import("dead-import.yaml", target, ", existing: replace")
    for number, pause in enumerate((0.3, 0.8, 1.5)):
        work = world.at(f"dead-work-{number}")
        process = world.start("import", world.at("dead"), plan, "--work", work)
        time.sleep(pause)
        target.kill()
        error = process.communicate(timeout=300)[1].decode()
        expect(process.returncode in (0, 1), f"{process.returncode} {error}")
        target.start()
        result = world.run("import", world.at("dead"), plan, "--work", work)
        expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    expect(source.dump("bank") == target.dump("bank"), "dumps differ")


def a_full_disk(world):
    """The target's disk fills up: told as such; with room, the same command goes on."""
    place = world.at("small-disk")
    os.makedirs(place)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=230m", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        raise Skip("no right to mount a small file system")
    try:
        server = world.server("small-disk/server", "--innodb-log-file-size=8M", "--innodb-data-file-path=ibdata1:12M:autoextend")
        plan = world.database_plan("disk.yaml", world.source, databases="[bank]")
        expect(world.run("export", plan, "--output", world.at("disk")).status == 0, "export")
        blocker = os.path.join(place, "blocker")
        free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
        with open(blocker, "wb") as file:
            file.write(b"x" * max(0, free - (20 << 20)))
        plan = world.database_import("disk-import.yaml", server)
        result = world.run("import", world.at("disk"), plan, "--work", world.at("disk-work"), timeout=300)
        expect(result.status == 1 and ("space" in result.err or "full" in result.err), f"{result.status} {result.err}")
        os.unlink(blocker)
        result = world.run("import", world.at("disk"), plan, "--work", world.at("disk-work"), timeout=300)
        expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    finally:
        for server in world.servers:
            if server.path.startswith(place):
                server.kill()
        subprocess.run(["umount", "-l", place], capture_output=True)


suite = DatabaseSuite()
suite.world.source = suite.world.server("source", "--log-bin", "--server-id=1")
suite.world.target = suite.world.server("target")
fill_bank(suite.world.source)
suite.case("killed at any moment", killed_at_any_moment)
suite.case("interrupted", interrupted)
suite.case("the server is killed meanwhile", server_killed_meanwhile)
suite.case("a full disk", a_full_disk)
suite.finish()
