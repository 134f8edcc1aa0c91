#!/usr/bin/env python3
"""Guests out of backups become images of a directory: what comes out, judged by other programs; and what
happens when the target is not as it should be."""
import hashlib
import re
import xml.etree.ElementTree as xml

from proxmox_dumps import *

KEYS = ["scsi0", "scsi1"]


def make_sources(world):
    """Two machines and a container; disks with holes at both ends and within."""
    sparse(world.at("scsi0.raw"), 96 << 20, [(0, 4 << 20), (50 << 20, 70000), (95 << 20, 1 << 20)])
    sparse(world.at("scsi1.raw"), (300 << 20) + 512, [(1 << 20, 3000), (257 << 20, 5 << 20)], seed=2)
    sparse(world.at("little.raw"), 8 << 20, [(65536, 4096)], seed=3)
    disks = [("drive-scsi0", world.at("scsi0.raw")), ("drive-scsi1", world.at("scsi1.raw"))]
    machine(world.at("dump"), 100, disks, name="dossier", shuffle=True)
    machine(world.at("dump"), 101, [("drive-scsi0", world.at("little.raw"))], name="petit", program="gzip",
            configuration=one_disk())
    container(world.at("dump"), 200, [("./", b""), ("./srv/file", os.urandom(3 << 20))], name="web")


def one_disk():
    return "\n".join(line for line in CONFIGURATION.splitlines() if "scsi1" not in line) + "\n"


def folder(world, target, number=100, name="dossier"):
    return world.at(f"{target}/{number}-{name}")


def images_are_right(world, form, extra=""):
    target = "as-" + form
    world.remove(target, "work")
    before = sockets()
    result = world.imported_to("sealed", target, extra=f", format: {form}{extra}", rest="verify: digest\n")
    expect(not world.leftovers(target, "work"), world.leftovers(target, "work"))
    expect(not left_sockets(before), "a directory of a socket is left")
    place = folder(world, target)
    for key in KEYS:
        image = f"{place}/{key}.{form}"
        info = json.loads(subprocess.run(["qemu-img", "info", "--output=json", "-f", form, image],
                                         capture_output=True, check=True).stdout)
        source = world.at(key + ".raw")
        # A vmdk counts in grains of 64 KiB.
        size = os.stat(source).st_size
        expect(size <= info["virtual-size"] < size + 65536 and "backing-filename" not in info, info)
        expect(info["virtual-size"] == size or form == "vmdk", f"{form} has {info['virtual-size']} bytes")
        if form != "raw":
            subprocess.run(["qemu-img", "check", "-q", "-f", form, image], check=True)
        subprocess.run(["qemu-img", "compare", "-q", "-f", "raw", "-F", form, source, image], check=True)
        expect(allocated(image) <= allocated(source) + (2 << 20),
               f"holes are lost: {allocated(image)} of {allocated(source)}")
    envelope = xml.parse(f"{place}/100-dossier.ovf").getroot()
    namespace = "{http://schemas.dmtf.org/ovf/envelope/1}"
    names = [file.get(namespace + "href") for file in envelope.iter(namespace + "File")]
    expect(names == [f"{key}.{form}" for key in KEYS], names)
    for name in names:
        expect(os.path.exists(f"{place}/{name}"), f"the descriptor names {name}")
    for file in envelope.iter(namespace + "File"):
        size = file.get(namespace + "size")
        expect(size is None or int(size) == os.stat(f"{place}/{file.get(namespace + 'href')}").st_size,
               f"the size of {file.attrib}")
    domain = xml.parse(f"{place}/domain.xml").getroot()
    sources = [disk.find("source").get("file") for disk in domain.iter("disk") if disk.find("source") is not None]
    expect(sources == [f"{place}/{key}.{form}" for key in KEYS], sources)
    container_tar = [name for name in os.listdir(folder(world, target, 200, "web")) if name.endswith(".tar")]
    expect(container_tar == [f"vzdump-lxc-200-{TAKEN}.tar"], container_tar)
    listed = subprocess.run(["tar", "-tf", folder(world, target, 200, "web") + "/" + container_tar[0]],
                            capture_output=True, text=True, check=True).stdout
    expect("./srv/file" in listed, listed)
    receipt = [name for name in os.listdir(world.at("work")) if name.startswith("receipt-") and name.endswith(".json")]
    expect(receipt, os.listdir(world.at("work")))
    comparisons = open(world.at("work/" + receipt[0])).read()
    expect(comparisons.count("sha256-tree-1m") >= 4, comparisons[:3000])
    return result


def appliances(world):
    images_are_right(world, "vmdk", ", ova: true")
    place = folder(world, "as-vmdk")
    os.makedirs(world.at("ova"))
    subprocess.run(["tar", "-xf", f"{place}/100-dossier.ova", "-C", world.at("ova")], check=True)
    names = subprocess.run(["tar", "-tf", f"{place}/100-dossier.ova"], capture_output=True, text=True,
                           check=True).stdout.split()
    expect(names == ["100-dossier.ovf", "100-dossier.mf", "scsi0.vmdk", "scsi1.vmdk"], names)
    manifest = open(world.at("ova/100-dossier.mf")).read()
    lines = re.findall(r"^SHA256\((.+)\)= ([0-9a-f]{64})$", manifest, re.M)
    expect([name for name, _ in lines] == [names[0], *names[2:]], manifest)
    for name, digest in lines:
        expect(content_of(world.at("ova/" + name)) == digest, f"the digest of {name}")
    for key in KEYS:
        subprocess.run(["qemu-img", "compare", "-q", "-f", "raw", "-F", "vmdk", world.at(key + ".raw"),
                        world.at(f"ova/{key}.vmdk")], check=True)


def existing(world):
    """Nothing that is there is touched; a directory that is not empty is refused unless `add` is said."""
    world.remove("there", "work")
    world.write("there/mine", b"mine")
    result = world.imported_to("sealed", "there", status=1, extra=", format: raw")
    expect("not empty" in result.err and "existing: add" in result.err, result.err)
    expect(os.listdir(world.at("there")) == ["mine"], os.listdir(world.at("there")))
    world.remove("work")
    world.imported_to("sealed", "there", extra=", format: raw, existing: add")
    expect(sorted(os.listdir(world.at("there"))) == ["100-dossier", "101-petit", "200-web", "mine"],
           os.listdir(world.at("there")))
    state = tree_of(world.at("there"))
    world.remove("work")
    result = world.imported_to("sealed", "there", status=1, extra=", format: raw, existing: add")
    expect("100-dossier" in result.err and "already there" in result.err, result.err)
    expect(tree_of(world.at("there")) == state, "what was there has changed")
    world.remove("work")
    result = world.imported_to("sealed", "there", status=1, extra=", format: raw, existing: replace")
    expect("never replaced" in result.err, result.err)
    expect(tree_of(world.at("there")) == state, "what was there has changed")


def full_disk(world, form, extra=""):
    """The room ends: said with the image's name, nothing looks complete; with more room it goes on."""
    mount = world.at("small")
    os.makedirs(mount, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=9m", "none", mount], capture_output=True).returncode:
        raise Skip("cannot mount")
    try:
        world.remove("work")
        before = sockets()
        options = f", format: {form}, existing: add{extra}"
        result = world.imported_to("sealed", "small/t", status=1, extra=options)
        expect("No space left" in result.err or "no space" in result.err.lower(), result.err)
        expect("scsi" in result.err or ".tar" in result.err, f"names no image: {result.err}")
        expect(not servers(world.path) and not left_sockets(before), "a server of images is left")
        whole = [name for base, _, names in os.walk(mount) for name in names
                 if name.endswith((".raw", ".qcow2", ".vmdk", ".ova")) and ("scsi1" in name or name.endswith(".ova"))]
        expect(not whole, f"looks complete: {whole}")
        subprocess.run(["mount", "-o", "remount,size=200m", mount], check=True)
        world.imported_to("sealed", "small/t", extra=options)
        place = folder(world, "small/t")
        for key in KEYS:
            subprocess.run(["qemu-img", "compare", "-q", "-f", "raw", "-F", form, world.at(key + ".raw"),
                            f"{place}/{key}.{form}"], check=True)
        expect(not world.leftovers("small"), world.leftovers("small"))
    finally:
        subprocess.run(["umount", "-l", mount])


def read_from_archive(world):
    """verify, inspect and extract see the disks."""
    archive = world.at("sealed")
    result = world.run("verify", archive, "--trust", world.trust, "--decrypt-with", world.identity)
    expect(result.status == 0, result.err)
    listed = world.run("inspect", archive, "--decrypt-with", world.identity)
    expect(listed.status == 0 and b": 100/scsi0, disk, raw" in listed.out, f"{listed.out.decode()} {listed.err}")
    result = world.run("inspect", archive, "--decrypt-with", world.identity, "--json")
    expect(result.status == 0 and json.loads(result.out), result.err)
    result = world.run("extract", archive, "--to", world.at("plain"), "--trust", world.trust, "--decrypt-with",
                       world.identity)
    expect(result.status == 0, result.err)
    found = {os.path.getsize(path): path for path in
             (os.path.join(base, name) for base, _, names in os.walk(world.at("plain")) for name in names)}
    for key in KEYS:
        source = world.at(key + ".raw")
        copy = found.get(os.stat(source).st_size)
        expect(copy and same(copy, source), f"{key} was not extracted: {found}")
        expect(allocated(copy) <= allocated(source) + (1 << 20), f"holes are lost: {allocated(copy)}")


def by_hand(world, encrypt):
    """RESTORE.txt with standard tools alone gives the same disks, with their holes."""
    archive = "hand-" + ("encrypted" if encrypt else "clear")
    world.exported(["dump"], archive, encrypt=encrypt)
    to = world.at(archive + " to")
    environment = {"PATH": "/usr/bin:/bin", "TO": to}
    if encrypt:
        environment["KEY"] = world.identity
    steps = [("RESTORE.txt", world.at(archive), to)]
    if encrypt:
        steps.append(("restore.txt", to, world.at(archive + " final")))
    for script, place, to in steps:
        environment["TO"] = to
        done = subprocess.run(["sh", script], cwd=place, env=environment, capture_output=True, timeout=300)
        expect(done.returncode == 0, f"{done.stdout.decode()} {done.stderr.decode()}")
    found = {os.path.join(os.path.basename(base), name): os.path.join(base, name)
             for base, _, names in os.walk(to) for name in names}
    for key in KEYS:
        copy = found[f"100-dossier/{key}.raw"]
        expect(same(copy, world.at(key + ".raw")), f"{key} differs")
        expect(allocated(copy) <= allocated(world.at(key + ".raw")) + (1 << 20), f"holes are lost: {allocated(copy)}")
    expect(same(found["101-petit/scsi0.raw"], world.at("little.raw")), "the disk of 101 differs")
    with open(found["100-dossier/qemu-server.conf"]) as file:
        expect("name: dossier" in file.read(), "the configuration")
    tar = [path for name, path in found.items() if name.startswith("200-web/") and name.endswith(".tar")]
    with open(tar[0], "rb") as file:
        plain = subprocess.run(["zstd", "-dc", world.at(f"dump/vzdump-lxc-200-{TAKEN}.tar.zst")],
                               capture_output=True, check=True).stdout
        expect(file.read() == plain, "the container's stream")


def main():
    suite = DumpSuite()
    world = suite.world
    make_sources(world)
    suite.case("export", lambda world: world.exported(["dump"], "sealed"))
    suite.case("images: raw", images_are_right, "raw")
    suite.case("images: qcow2", images_are_right, "qcow2")
    suite.case("images: vmdk and appliances", appliances)
    suite.case("existing", existing)
    suite.case("full disk: raw", full_disk, "raw")
    suite.case("full disk: qcow2", full_disk, "qcow2")
    suite.case("full disk: vmdk", full_disk, "vmdk", ", ova: true")
    suite.case("read from the archive", read_from_archive)
    suite.case("by hand, in clear", by_hand, False)
    suite.case("by hand, encrypted", by_hand, True)
    suite.finish()


if __name__ == "__main__":
    main()
