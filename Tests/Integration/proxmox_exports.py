#!/usr/bin/env python3
"""Guests leave a cluster by each way there is: the disks are equal, nothing else has changed, and no secret
shows where it must not."""
import re
import tarfile

import ovf_kit
from proxmox_kit import *


def no_secret(world, cluster, name, *texts):
    """Neither the token nor the password of cloud-init is in what anybody may read."""
    secrets = [cluster.token.split("=", 1)[1].encode(), CIPASSWORD.encode()]
    for folder, _, names in os.walk(world.at(name)):
        for one in names:
            data = open(os.path.join(folder, one), "rb").read()
            expect(not any(secret in data for secret in secrets), f"a secret is in {one}")
    for text in texts:
        expect(not any(secret.decode() in text for secret in secrets), f"a secret is told: {text[-800:]}")


def exports(world, disks):
    """Plan and export of everything; what lies on the cluster is as before, backups of others included."""
    world.remove("out", "report.html")
    cluster = world.cluster()
    dump = os.path.join(cluster.storage("export"), "dump")
    os.makedirs(dump, exist_ok=True)
    for name in ("vzdump-qemu-100-2025_01_01-00_00_00.vma.zst", "vzdump-qemu-101-2025_01_01-00_00_00.vma.zst.notes",
                 "vzdump-qemu-101-2025_01_01-00_00_00.vma.zst", "vzdump-lxc-200-2025_01_01-00_00_00.tar.zst"):
        with open(os.path.join(dump, name), "wb") as file:
            file.write(b"exeat export of somebody else\n")
    before = cluster.snapshot()
    plan = world.export_of("p.yaml", cluster, [*EVERYTHING, f"disks: {disks}", "secrets: sealed"])
    told = world.run("plan", plan, env=cluster.environment)
    expect(told.status == 0, f"plan ended with {told.status}: {told.err} {told.out.decode()}")
    for words in ("2 machines, 1 containers", "101: scsi1", "200: mp1", "(not-backed-up)"):
        expect(words in told.out.decode(), f"\"{words}\" is not in {told.out.decode()}")
    expect(before == cluster.snapshot(), "a plan changes something")
    process = world.start("export", plan, "--output", world.at("out"), env=cluster.environment, stdout=subprocess.PIPE)
    lines = set()
    while process.poll() is None:
        with contextlib.suppress(OSError):
            lines.add(open(f"/proc/{process.pid}/cmdline").read())
        time.sleep(0.05)
    out, err = (text.decode() for text in process.communicate())
    expect(process.returncode == 0, f"export ended with {process.returncode}: {err} {out}")
    after = cluster.snapshot()
    expect(before == after, f"left or changed: {[set(before[k].items()) ^ set(after[k].items()) for k in before]}")
    verified(world, "out")
    report = world.run("report", world.at("out"), "--output", world.at("report.html"))
    no_secret(world, cluster, "out", out, err, told.out.decode(), told.err, report.out.decode(errors="replace"), *lines)
    found = artifacts(world, "out")
    expect(("100/vzdump" in found) == (disks != "portable"), sorted(found))
    expect(("100/scsi0" in found) == (disks != "native"), sorted(found))
    expect("200/vzdump" in found and "configuration of the cluster" in found, sorted(found))
    if disks != "native":
        disks_equal(world, "out", cluster, DISKS)
    else:
        digests = found["100/vzdump"]["digests"]
        expect(sum(key.startswith("sha256-tree-1m/") for key in digests) == 4, f"{digests}")
    restored_by_hand(world, cluster, disks)


def restored_by_hand(world, cluster, disks):
    """RESTORE.txt decrypts, and the commands in the archive make standard files of it."""
    place = world.at("by-hand")
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    for where, script in ((world.at("out"), "RESTORE.txt"), (place, "restore.txt")):
        done = subprocess.run(["sh", script], cwd=where, capture_output=True, timeout=300,
                              env={**os.environ, "TO": place, "KEY": world.identity})
        expect(done.returncode == 0, f"{script}: {done.stderr.decode(errors='replace')}")
    found = {os.path.basename(path): os.path.join(place, path) for path in files_below(place)}
    expect("vzdump-lxc-200.tar" in found and "cluster.jsonl" in found, sorted(found))
    with tarfile.open(found["vzdump-lxc-200.tar"]) as tar:
        names = tar.getnames()
    expect("./srv/app/data" in names and not any("junk" in name for name in names), names[:20])
    if disks != "native":
        expect(sha256(found["virtio1.raw"]) == cluster.disk(100, "virtio1"), "virtio1 restored by hand differs")
        for name in [name for name in found if name.endswith(".ovf")]:
            with open(found[name], "rb") as file:
                descriptor = file.read()
            told = ovf_kit.check(descriptor)
            expect(told["disks"] and told["cards"], told)
            # Each part of the archive has a folder of its own: the images are there under the names that count.
            images = [image.decode() for image in re.findall(rb'ovf:href="([^"]+)"', descriptor)]
            expect(images and all(image in found for image in images), (images, sorted(found)))


def descriptors_find_their_disks(world):
    """`exeat extract` puts what belongs to a guest beside each other, under the names that its descriptors have; in an archive
    whose folders are numbers alone, and of one part that is asked for."""
    cluster = world.cluster()
    for encrypt in (True, False):
        world.remove("out")
        settings = ["guests: [ 100, 101 ]", "disks: portable", ACCEPT if encrypt else ACCEPT.replace("[", "[ secrets,")]
        exported(world, "out", world.export_of("p.yaml", cluster, settings, encrypt=encrypt), cluster)
        files = extracted(world, "out")
        for vmid in (100, 101):
            [descriptor] = [path for path in files.values() if path.endswith(f"/{vmid}/ovf.ovf")]
            [domain] = [path for path in files.values() if path.endswith(f"/{vmid}/libvirt.xml")]
            text = open(descriptor, "rb").read()
            ovf_kit.check(text, os.path.dirname(descriptor))
            images = re.findall(rb'ovf:href="([^"]+)"', text) + re.findall(rb'<source file="([^"]+)"', open(domain, "rb").read())
            images = [os.path.join(os.path.dirname(descriptor), image.decode()) for image in images]
            expect(len(images) > 1 and all(map(os.path.isfile, images)), f"{images} {sorted(files)}")
            expect(sha256(os.path.join(os.path.dirname(descriptor), "scsi0.raw")) == cluster.disk(vmid, "scsi0"), "scsi0 differs")
    shutil.rmtree(world.at("one"), ignore_errors=True)
    result = world.run("extract", world.at("out"), "pve/101/scsi0", "--to", world.at("one"), "--trust", world.trust)
    expect(result.status == 0 and list(files_below(world.at("one"))) == ["pve/101/scsi0.raw"], f"{result} {files_below(world.at('one'))}")


def plain_archive(world):
    """In clear, secrets stay out unless they are asked for."""
    world.remove("out")
    cluster = world.cluster()
    plan = world.export_of("p.yaml", cluster, ["guests: [ 100 ]", "disks: portable",
                                               ACCEPT.replace("[", "[ secrets,")], encrypt=False)
    exported(world, "out", plan, cluster)
    found = artifacts(world, "out")
    target = world.at("clear")
    shutil.rmtree(target, ignore_errors=True)
    expect(world.run("extract", world.at("out"), "--to", target, "--trust", world.trust).status == 0, "extract")
    for path in files_below(target):
        expect(CIPASSWORD.encode() not in open(os.path.join(target, path), "rb").read(), f"the password is in {path}")
    expect("100/efidisk0" not in found and "100/tpmstate0" not in found, sorted(found))
    no_secret(world, cluster, "out")


def excludes(world):
    world.remove("out")
    cluster = world.cluster()
    plan = world.export_of("p.yaml", cluster, [
        "guests: [ all ]", "cluster: false", ACCEPT,
        "exclude: [ { guests: [ 200 ], reason: provider }, { disks: [ 100/virtio1 ], reason: scratch } ]"])
    exported(world, "out", plan, cluster)
    found = artifacts(world, "out")
    expect("100/virtio1" not in found and "200/vzdump" not in found and "100/scsi0" in found, sorted(found))
    disks_equal(world, "out", cluster, {100: ["scsi0"]})
    told = world.run("inspect", world.at("out"), "--json", "--decrypt-with", world.identity).out.decode()
    expect("scratch" in told and "provider" in told, "the reasons are not told")


def omissions(world):
    """Without an exclude or accept, what is missing gives status 2."""
    world.remove("out")
    cluster = world.cluster()
    result = exported(world, "out", world.export_of("p.yaml", cluster, ["guests: [ 101 ]", "cluster: false"]), cluster, status=2)
    expect("not-backed-up" in result.out.decode(), result.out.decode())
    for version in ("7.4", "8.4"):
        world.remove("out")
        cluster = world.cluster("cluster", version)
        cluster.pve.excluded_paths = ["/srv/app", "*.bak"]
        plan = world.export_of("p.yaml", cluster, ["guests: [ 200 ]", "cluster: false"])
        told = world.run("plan", plan, env=cluster.environment).out.decode()
        expect("vzdump.conf of pve1 leaves \"/srv/app\", \"*.bak\" out" in told, told)
        exported(world, "out", plan, cluster, status=2)


def transports(world, kind):
    world.remove("out")
    cluster = world.cluster()
    before = cluster.snapshot()
    transport = cluster.ssh(world, kind, **({"storage": "export"} if kind == "sftp" else {}))
    plan = world.export_of("p.yaml", cluster, ["guests: [ all ]", "cluster: false", ACCEPT, "disks: both"], transport=transport)
    exported(world, "out", plan, cluster)
    verified(world, "out")
    disks_equal(world, "out", cluster, DISKS)
    expect(before == cluster.snapshot(), "left or changed")


if __name__ == "__main__":
    suite = ClusterSuite()
    for disks in ("portable", "native", "both"):
        suite.case(f"everything, {disks}", exports, disks)
    suite.case("descriptors find their disks", descriptors_find_their_disks)
    suite.case("in clear", plain_archive)
    suite.case("excludes", excludes)
    suite.case("omissions", omissions)
    suite.case("by SFTP", transports, "sftp")
    suite.case("by SSH", transports, "ssh")
    suite.finish()
