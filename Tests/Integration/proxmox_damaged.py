#!/usr/bin/env python3
"""Backups that are damaged, or change, or are not what they are called: said, and nothing sealed; with the
good file the same output is completed. And runs that are killed at any moment."""
from proxmox_dumps import *
from proxmox_images import one_disk

CHANCE = random.Random(int(os.environ.get("SEED", "20261123")))


def good(world, folder="dump"):
    world.remove(folder)
    machine(world.at(folder), 100, [("drive-scsi0", world.at("scsi0.raw")), ("drive-scsi1", world.at("scsi1.raw"))],
            name="dossier")
    machine(world.at(folder), 101, [("drive-scsi0", world.at("little.raw"))], name="petit", configuration=one_disk())
    container(world.at(folder), 200, [("./", b""), ("./srv/file", world.bulk)], name="web")


def place(world, name="vzdump-qemu-100-" + TAKEN + ".vma.zst"):
    return world.at("dump/" + name)


def cut(path, part=0.5):
    os.truncate(path, int(os.path.getsize(path) * part))


def flip(path, part=0.5):
    with open(path, "r+b") as file:
        file.seek(int(os.path.getsize(path) * part))
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 0x20]))


def defective(world, defect):
    os.unlink(place(world))
    machine(world.at("dump"), 100, [("drive-scsi0", world.at("scsi0.raw")), ("drive-scsi1", world.at("scsi1.raw"))],
            name="dossier", defect=defect)


def damaged(world, output, damage, words, statuses=(3,), limits="", said="100"):
    """Fails with a message, seals nothing; goes on with the good file to a whole archive."""
    world.remove(output, output + ".exeat-run")
    good(world)
    damage(world)
    plan = world.dumps_plan("damaged.yaml", ["dump"], limits=limits)
    command = ["export", plan, "--output", world.at(output)]
    result = world.run(*command)
    expect(result.status in statuses, f"{result.status} {result.err}")
    expect(any(word in result.err for word in words) and "code:" in result.err, result.err)
    expect(said in result.err, f"names no guest: {result.err}")
    expect(world.verify(output).status != 0, "verify calls it good")
    tar = output.endswith(".tar")
    expect(tar or not os.path.exists(world.at(output + "/proof")), "it is sealed")
    result = world.run(*command)
    expect(result.status in statuses, f"the second time: {result.status} {result.err}")
    good(world)
    result = world.run(*command)
    expect(result.status == 0, f"with the good file: {result.status} {result.err}")
    check_voided_well(world, output)
    whole(world, output)


def check_voided_well(world, output):
    result = world.run("verify", world.at(output), "--trust", world.trust, "--decrypt-with", world.identity)
    expect(result.status == 0, f"{result.status} {result.err} {result.out.decode()}")
    expect(not os.path.exists(world.at(output + ".exeat-run")), "the state is left")


def whole(world, output, form="raw"):
    world.remove("target", "work")
    world.imported_to(output, "target", extra=f", format: {form}")
    expect_equal(world, "target", form)


def expect_equal(world, target, form="raw"):
    for path, source in [("100-dossier/scsi0", "scsi0.raw"), ("100-dossier/scsi1", "scsi1.raw"),
                         ("101-petit/scsi0", "little.raw")]:
        image = world.at(f"{target}/{path}.{form}")
        subprocess.run(["qemu-img", "compare", "-q", "-f", "raw", "-F", form, world.at(source), image], check=True)
        if form != "raw":
            subprocess.run(["qemu-img", "check", "-q", "-f", form, image], check=True)
    with open(world.at(f"{target}/200-web/vzdump-lxc-200-{TAKEN}.tar"), "rb") as file:
        expect(world.bulk in file.read(), "the container")


def container_cut(world):
    path = place(world, f"vzdump-lxc-200-{TAKEN}.tar.zst")
    os.unlink(path)
    container(world.at("dump"), 200, [("./", b""), ("./srv/file", world.bulk)], name="web", cut=(2 << 20) + 100)


def container_without_end(world):
    """Cut right between two members: only the end of the tar is missing."""
    path = place(world, f"vzdump-lxc-200-{TAKEN}.tar.zst")
    os.unlink(path)
    container(world.at("dump"), 200, [("./", b""), ("./srv/file", world.bulk)], name="web",
              cut=512 * 5 + len(world.bulk) + 512 * 1)


def unreadable(world):
    os.unlink(place(world))
    os.symlink("/proc/1/mem", place(world))


def refused_at_once(world):
    """Names that are not vzdump's, two backups of a guest, none at all, another file in vzdump's clothes."""
    good(world)
    sources = {
        "not named as": (["dump/../other.vma"], 1),
        "backups of the same guest": (["dump"], 1),
        "no backup": (["nothing"], 1),
    }
    shutil.copy(place(world), world.at("other.vma"))
    shutil.copy(place(world), place(world, "vzdump-qemu-100-2026_11_24-18_22_38.vma.zst"))
    os.makedirs(world.at("nothing"), exist_ok=True)
    world.write("nothing/vzdump-qemu-100-2026_11_24-18_22_38.vma.dat", b"x")
    world.write("nothing/vzdump-qemu-100-2026_11_24-18_22_38.log", b"x")
    for words, (paths, status) in sources.items():
        result = world.exported(paths, "refused", status=status)
        expect(words in result.err and "hint" in result.err or words == "no backup" and words in result.err, result.err)
        expect(not os.path.exists(world.at("refused/proof")), "it is sealed")
        world.remove("refused")
    result = world.exported(["missing"], "refused", status=1)
    expect("missing" in result.err, result.err)
    world.remove("refused")
    for name, data in [("vzdump-qemu-300-2026_11_24-18_22_38.vma", b""), ("vzdump-qemu-300-2026_11_24-18_22_38.vma", os.urandom(70000)),
                       ("vzdump-lxc-300-2026_11_24-18_22_38.tar", b"x" * 10240), ("vzdump-lxc-300-2026_11_24-18_22_38.tar.gz", b"\x1f\x8b")]:
        world.remove("alone")
        world.write("alone/" + name, data)
        plan = world.dumps_plan("alone.yaml", ["alone"])
        result = world.run("export", plan, "--output", world.at("refused"))
        expect(result.status in (1, 3) and name in result.err, f"{name}: {result.status} {result.err}")
        expect(not os.path.exists(world.at("refused/proof")), "it is sealed")
        world.remove("refused")


def large(world, folder, seed):
    """A disk of many segments, and a second one behind it."""
    sparse(world.at("many.raw"), 3 << 30, [(number * (100 << 20), 300000) for number in range(30)], seed=seed)
    sparse(world.at("last.raw"), 300 << 20, [(number << 20, 300000) for number in range(0, 300, 50)], seed=seed + 1)
    world.remove(folder)
    return machine(world.at(folder), 100, [("drive-scsi0", world.at("many.raw")), ("drive-scsi1", world.at("last.raw"))],
                   name="dossier")


def is_large(world, output):
    world.remove("target", "work")
    world.imported_to(output, "target", extra=", format: raw")
    for key, source in [("scsi0", "many.raw"), ("scsi1", "last.raw")]:
        expect(same(world.at(f"target/100-dossier/{key}.raw"), world.at(source)), f"{key} is of another backup")


def changing(world, output):
    """A backup that is cut short while it is read."""
    path = large(world, "many", 1)
    world.remove(output, output + ".exeat-run")
    plan = world.dumps_plan("changing.yaml", ["many"], limits="bandwidth: 2MiB/s")
    process = world.start("export", plan, "--output", world.at(output))
    time.sleep(1)
    expect(process.poll() is None, "it has ended already")
    cut(path, 0.97)
    errors = process.stderr.read().decode()
    process.wait()
    process.stderr.close()
    expect(process.returncode in (1, 3), f"{process.returncode} {errors}")
    expect("100" in errors and "code:" in errors, errors)
    expect(world.verify(output).status != 0, "verify calls it good")
    large(world, "many", 1)
    plan = world.dumps_plan("changing.yaml", ["many"])
    result = world.run("export", plan, "--output", world.at(output))
    expect(result.status == 0, result.err)
    check_voided_well(world, output)
    is_large(world, output)


def replaced(world, output):
    """Another backup of the same name after an interruption: the disks are of one of them."""
    large(world, "many", 1)
    world.remove(output, output + ".exeat-run")
    plan = world.dumps_plan("changing.yaml", ["many"], limits="bandwidth: 2MiB/s")
    status = kill_after(world.start("export", plan, "--output", world.at(output)), 2)
    expect(status == -signal.SIGKILL, f"it has ended with {status}")
    large(world, "many", 5)
    plan = world.dumps_plan("changing.yaml", ["many"])
    command = ["export", plan, "--output", world.at(output)]
    result = world.run(*command)
    if result.status != 0:
        expect(result.status == 1 and "has changed" in result.err and "guest-backup-lost" in result.err, result.err)
        result = world.run(*command)
    expect(result.status == 0, f"{result.status} {result.err}")
    check_voided_well(world, output)
    is_large(world, output)


def kills(world, command, prepare, finish, whole_time, count=12):
    struck = number = 0
    prepare()
    while number < count or struck < 2 and number < 10 * count:
        if kill_after(world.start(*command), whole_time * CHANCE.uniform(0.05, 1)) == -signal.SIGKILL:
            struck += 1
        else:
            # It was measured while the machine had more to do.
            whole_time *= 0.9
        number += 1
        if number % 3 == 0:
            result = world.run(*command)
            expect(result.status == 0, f"after {struck} kills: {result.status} {result.err}")
            finish()
            prepare()
    expect(struck >= 2, f"only {struck} kills struck")


def export_killed(world, output):
    good(world)
    plan = world.dumps_plan("to-kill.yaml", ["dump"])
    command = ["export", plan, "--output", world.at(output)]
    world.remove(output, output + ".exeat-run")
    began = time.time()
    expect(world.run(*command).status == 0, "export")
    took = time.time() - began

    def finish():
        check_voided_well(world, output)
        check_export_ended_well(world, output, tar=output.endswith(".tar"))
        whole(world, output)
    kills(world, command, lambda: world.remove(output, output + ".exeat-run"), finish, took)


def import_killed(world, form, extra=""):
    if not os.path.exists(world.at("sealed")):
        good(world)
        world.exported(["dump"], "sealed")
    plan = world.images_plan("to-kill.yaml", "target", extra=f", format: {form}{extra}")
    command = ["import", world.at("sealed"), plan, "--work", world.at("work")]
    world.remove("target", "work")
    began = time.time()
    expect(world.run(*command).status == 0, "import")
    took = time.time() - began
    before = sockets()

    def finish():
        expect_equal(world, "target", form)
        expect(not world.leftovers("target", "work"), world.leftovers("target", "work"))
        if "ova" in extra:
            subprocess.run(["tar", "-tf", world.at("target/100-dossier/100-dossier.ova")], check=True, capture_output=True)
    kills(world, command, lambda: world.remove("target", "work"), finish, took)
    expect(not world.leftovers("target"), world.leftovers("target"))
    # One may be hit in the moment between the directory and its guardian.
    left = left_sockets(before)
    expect(len(left) <= 1, f"left in /tmp: {left}")


def import_killed_at_names(world):
    """Each moment before and after a file gets or loses its name, one by one."""
    if not shutil.which("strace"):
        raise Skip("no strace")
    plan = world.images_plan("to-kill.yaml", "target", extra=", format: vmdk, ova: true")
    command = ["import", world.at("sealed"), plan, "--work", world.at("work")]
    for call in ("rename", "unlink"):
        for number in range(1, 100):
            world.remove("target", "work")
            prefix = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                      "-e", f"inject={call}:signal=SIGKILL:when={number}"]
            if world.run(*command, prefix=prefix).status == 0:
                break
            result = world.run(*command)
            expect(result.status == 0, f"{call} {number}: {result.status} {result.err}")
            expect_equal(world, "target", "vmdk")
            expect(not world.leftovers("target", "work"), f"{call} {number}: {world.leftovers('target', 'work')}")
        expect(number > 5, f"only {number - 1} kills at {call}")


def memory(world):
    """A disk of 4 GB takes no more memory than one of 100 MB, out and in."""
    script = ("import resource, subprocess, sys; code = subprocess.run(sys.argv[1:], capture_output=True).returncode; "
              "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    peaks = {}
    for size in (100, 4096):
        name = f"mega{size}"
        sparse(world.at(name + ".raw"), size << 20, [(start << 20, 20 << 20) for start in range(0, size - 30, 170)])
        machine(world.at(name), 100, [("drive-scsi0", world.at(name + ".raw"))], name="large", configuration=one_disk())
        out = world.at(name + "-out")
        steps = {
            "export": ["export", world.dumps_plan(name + ".yaml", [name]), "--output", out],
            "verify": ["verify", out, "--trust", world.trust, "--decrypt-with", world.identity],
            "extract": ["extract", out, "--to", world.at(name + "-plain"), "--trust", world.trust,
                        "--decrypt-with", world.identity],
        }
        for form in ("raw", "qcow2"):
            plan = world.images_plan(f"{name}-{form}.yaml", f"{name}-{form}", extra=f", format: {form}")
            steps["import " + form] = ["import", out, plan, "--work", world.at(f"{name}-{form}-work")]
        for step, words in steps.items():
            done = subprocess.run(["python3", "-c", script, *world.command(*words)], capture_output=True, text=True,
                                  cwd=world.path)
            code, peak = map(int, done.stdout.split())
            expect(code == 0, f"{step}: {code}")
            peaks.setdefault(step, []).append(peak >> 10)
    print(f"  MiB for 100 MB and 4 GB: {peaks}")
    for step, (little, much) in peaks.items():
        expect(much < little + 100, f"{step} took {little} and {much} MiB")


def main():
    suite = DumpSuite()
    world = suite.world
    world.bulk = random.Random(9).randbytes(5 << 20)
    sparse(world.at("scsi0.raw"), 96 << 20, [(0, 4 << 20), (50 << 20, 70000), (95 << 20, 1 << 20)])
    sparse(world.at("scsi1.raw"), (600 << 20) + 512, [(1 << 20, 3000), (257 << 20, 5 << 20), (599 << 20, 1 << 20)], seed=2)
    sparse(world.at("little.raw"), 8 << 20, [(65536, 4096)], seed=3)
    suite.case("cut short", damaged, "out", lambda world: cut(place(world)), ["ends", "truncated", "cut"])
    suite.case("cut at its end", damaged, "out", lambda world: cut(place(world), 0.999), ["ends", "truncated", "cut"])
    suite.case("cut short, tar", damaged, "out.tar", lambda world: cut(place(world)), ["ends", "truncated", "cut"])
    suite.case("a byte of zstd", damaged, "out", lambda world: flip(place(world)), ["damaged", "corrupt"])
    suite.case("a byte of zstd, tar", damaged, "out.tar", lambda world: flip(place(world), 0.9), ["damaged", "corrupt"])
    for defect in ("extent-md5", "cluster-twice", "cluster-twice-empty", "cluster-missing", "extent-missing", "cut-data",
                   "trailing"):
        suite.case(f"defect: {defect}", damaged, "out", lambda world, defect=defect: defective(world, defect), [""])
    suite.case("defect: header-md5", damaged, "out", lambda world: defective(world, "header-md5"), [""])
    suite.case("a container cut off", damaged, "out", container_cut, ["ends"], (3,), "", "200")
    suite.case("a container without its end", damaged, "out", container_without_end, ["ends"], (3,), "", "200")
    suite.case("unreadable", damaged, "out", unreadable, [""], (1, 3))
    suite.case("refused at once", refused_at_once)
    suite.case("cut while it is read", changing, "changing")
    suite.case("cut while it is read, tar", changing, "changing.tar")
    suite.case("another backup after a kill", replaced, "changing")
    suite.case("another backup after a kill, tar", replaced, "changing.tar")
    suite.case("kills, export", export_killed, "killed")
    suite.case("kills, export to a tar", export_killed, "killed.tar")
    suite.case("kills, raw", import_killed, "raw")
    suite.case("kills, qcow2", import_killed, "qcow2")
    suite.case("kills, vmdk", import_killed, "vmdk", ", ova: true")
    suite.case("kills at every name, vmdk", import_killed_at_names)
    suite.case("memory", memory)
    suite.finish()


if __name__ == "__main__":
    main()
