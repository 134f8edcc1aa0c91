"""What the tests of faults share: runs that must fail, runs that must go on, and what must be left."""
import signal

from proxmox_kit import *

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
                    access.grant(words[3], options[who], options.get("role") or options["roles"], int(options.get("propagate", 1)))
        else:
            raise AssertionError(f"an unknown command is told: {line}")


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
