#!/usr/bin/env python3
"""A small Linux machine leaves as a backup of Proxmox VE, is imported to libvirt, and starts from its disk
under QEMU, to its userland; with BIOS, with UEFI, and by libvirt itself."""
import glob
import re
import select
import struct
import xml.etree.ElementTree as xml

from proxmox_dumps import *

NOBODY = 65534
MARKER = "userland of the imported machine 4711"
START = 1 << 20
INIT = """#!/bin/sh
busybox mount -t proc none /proc
busybox mount -t sysfs none /sys
busybox mount -t devtmpfs none /dev
for module in $(busybox cat /modules); do busybox insmod /$module; done
tries=0
while [ ! -b /dev/sda1 ] && [ $tries -lt 600 ]; do
    busybox sleep 0.5
    tries=$((tries + 1))
done
busybox mount -t vfat -o ro /dev/sda1 /mnt && busybox cat /mnt/marker.txt > /dev/ttyS0
busybox sleep 2
busybox poweroff -f
"""
DRIVERS = ["virtio_pci", "virtio_scsi", "sd_mod", "nls_cp437", "nls_ascii", "nls_utf8", "vfat"]
CONFIG = """boot: order=scsi0
cores: 1
cpu: qemu64
memory: 512
name: {name}
ostype: l26
scsi0: local-lvm:vm-{id}-disk-0,size=96M
scsihw: virtio-scsi-pci
serial0: socket
"""
NETWORK = "net0: virtio=BC:24:11:00:11:22,bridge=vmbr0\n"
UEFI = "bios: ovmf\nmachine: q35\nefidisk0: local-lvm:vm-{id}-disk-1,efitype=4m,size=528K\n"
LOADER = "/usr/share/OVMF/OVMF_CODE_4M.fd"
VARIABLES = "/usr/share/OVMF/OVMF_VARS_4M.fd"
BOOT_MANAGER = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi"


def needs(*programs):
    for program in programs:
        if not (os.path.exists(program) if program.startswith("/") else shutil.which(program)):
            raise Skip(f"{program} is not installed")


def tool(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, timeout=300, **options)
    expect(done.returncode == 0, f"{words[0]}: {done.stderr.decode(errors='replace')[-500:]}")
    return done.stdout


def kernel(world):
    """Debian's kernel for virtual machines, out of its package."""
    if os.path.exists(world.at("kernel")):
        return world.at("kernel")
    packages = world.at("packages")
    os.makedirs(packages, exist_ok=True)
    try:
        depends = tool("apt-cache", "depends", "linux-image-cloud-amd64").decode()
        name = re.search(r"Depends: (linux-image-\S+)", depends).group(1)
        tool("apt-get", "-o", "APT::Sandbox::User=root", "download", name, cwd=packages)
    except (AssertionError, AttributeError, OSError, subprocess.SubprocessError) as error:
        raise Skip(f"no kernel can be downloaded: {error}") from None
    tool("dpkg", "-x", glob.glob(packages + "/*.deb")[0], world.at("kernel"))
    return world.at("kernel")


def modules(tree, wanted):
    """Paths of modules, each behind those that it needs."""
    paths = {os.path.basename(path)[:-3].replace("-", "_"): path
             for path in glob.glob(tree + "/lib/modules/**/*.ko", recursive=True)}
    found = []

    def add(name):
        path = paths.get(name)
        if path is None or path in found:
            return
        with open(path, "rb") as file:
            needed = re.search(rb"\0depends=([^\0]*)\0", file.read())
        for other in filter(None, needed.group(1).decode().split(",")):
            add(other.replace("-", "_"))
        found.append(path)

    for name in wanted:
        add(name)
    return found


def initramfs(world, tree, name, init, drivers, programs):
    root = world.at(name)
    for folder in ("bin", "proc", "sys", "dev", "mnt"):
        os.makedirs(f"{root}/{folder}", exist_ok=True)
    shutil.copy(shutil.which("busybox"), root + "/bin/busybox")
    os.symlink("busybox", root + "/bin/sh")
    for program in programs:
        shutil.copy(program, root + "/bin")
        # Their libraries, where the loader looks for them.
        for library in re.findall(r"(/\S+) \(0x", tool("ldd", program).decode()):
            os.makedirs(root + os.path.dirname(library), exist_ok=True)
            shutil.copy(library, root + library)
    names = []
    for path in modules(tree, [*DRIVERS, *drivers]):
        shutil.copy(path, root)
        names.append(os.path.basename(path))
    world.write(f"{name}/modules", "\n".join(names) + "\n")
    world.write(f"{name}/init", init, 0o755)
    files = subprocess.run(["find", ".", "-mindepth", "1"], cwd=root, capture_output=True, check=True).stdout
    packed = tool("cpio", "-o", "-H", "newc", "--quiet", cwd=root, input=files)
    return world.write("initrd.gz", gzip.compress(packed, 1))


def bootable(world, name="boot", init=INIT, drivers=(), programs=()):
    """A disk with one FAT partition, from which a BIOS and a UEFI start the same kernel.

    `init` is run in it, with these programs of this machine in /bin, and more drivers.
    """
    image = world.at(name + ".raw")
    if os.path.exists(image):
        return image
    needs("syslinux", "mcopy", "mkfs.vfat", "busybox", "cpio", "/usr/lib/SYSLINUX/mbr.bin")
    tree = kernel(world)
    size = 96 << 20
    with open(image, "wb") as file:
        file.truncate(size)
        with open("/usr/lib/SYSLINUX/mbr.bin", "rb") as mbr:
            file.write(mbr.read(440))
        file.seek(446)
        file.write(struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x0c, b"\xfe\xff\xff", START // 512,
                               (size - START) // 512))
        file.seek(510)
        file.write(b"\x55\xaa")
    tool("mkfs.vfat", "-F", "32", "--offset", START // 512, image, (size - START) // 1024)
    options = "console=ttyS0 quiet panic=-1"
    world.write("syslinux.cfg", f"DEFAULT linux\nLABEL linux\n KERNEL /vmlinuz\n INITRD /initrd.gz\n APPEND {options}\n")
    world.write("loader.conf", "timeout 0\ndefault linux\n")
    world.write("linux.conf", f"title Linux\nlinux /vmlinuz\ninitrd /initrd.gz\noptions {options}\n")
    world.write("marker.txt", MARKER + "\n")
    files = [(glob.glob(tree + "/boot/vmlinuz-*")[0], "vmlinuz"), (initramfs(world, tree, name + "-initramfs", init, drivers, programs), "initrd.gz"),
             (world.at("syslinux.cfg"), "syslinux.cfg"), (world.at("marker.txt"), "marker.txt")]
    place = f"{image}@@{START}"
    if os.path.exists(BOOT_MANAGER):
        tool("mmd", "-i", place, "::/EFI", "::/EFI/BOOT", "::/loader", "::/loader/entries")
        files += [(BOOT_MANAGER, "EFI/BOOT/BOOTX64.EFI"), (world.at("loader.conf"), "loader/loader.conf"),
                  (world.at("linux.conf"), "loader/entries/linux.conf")]
    for source, target in files:
        tool("mcopy", "-i", place, source, "::/" + target)
    tool("syslinux", "--install", "--offset", START, image)
    return image


def arguments(path):
    """From a domain to the arguments of QEMU, as libvirt understands the parts that are used here."""
    domain = xml.parse(path).getroot()
    expect(domain.get("type") == "qemu", "the domain asks for KVM")
    words = ["-machine", domain.find("os/type").get("machine") + ",accel=tcg", "-nodefaults", "-display", "none",
             "-no-reboot", "-cpu", domain.findtext("cpu/model") or "qemu64", "-m", domain.findtext("memory"),
             "-smp", domain.findtext("vcpu")]
    loader = domain.find("os/loader")
    if loader is not None:
        expect(loader.get("type") == "pflash" and loader.get("readonly") == "yes", "the firmware")
        words += ["-drive", f"if=pflash,format=raw,readonly=on,file={loader.text}",
                  "-drive", f"if=pflash,format=raw,file={domain.findtext('os/nvram')}"]
    expect(domain.find("devices/serial") is not None, "no serial port")
    words += ["-serial", "stdio"]
    for controller in domain.findall("devices/controller"):
        if controller.get("type") == "scsi":
            expect(controller.get("model") == "virtio-scsi", controller.attrib)
            words += ["-device", f"virtio-scsi-pci,id=scsi{controller.get('index')}"]
    for number, disk in enumerate(domain.findall("devices/disk")):
        expect(disk.find("target").get("bus") == "scsi", "the bus of the disk")
        address, boot = disk.find("address"), disk.find("boot")
        device = f"scsi-hd,bus=scsi{address.get('controller')}.0,scsi-id={address.get('target')},lun={address.get('unit')}"
        if boot is not None:
            device += f",bootindex={boot.get('order')}"
        words += ["-drive", f"if=none,id=d{number},format={disk.find('driver').get('type')},file={disk.find('source').get('file')}",
                  "-device", device + f",drive=d{number}"]
    for card in domain.findall("devices/interface"):
        expect(card.find("model").get("type") == "virtio", "the network card")
        words += ["-nic", "user,model=virtio-net-pci,mac=" + card.find("mac").get("address")]
    return words


def backup(world, number, name, more, devices=()):
    conf = CONFIG + more + "".join(f"#qmdump#map:{key}:drive-{key}:local-lvm:raw:\n" for key in ["scsi0", *dict(devices)])
    image = bootable(world)
    machine(world.at(f"dump-{name}"), number, [("drive-scsi0", image)] + [("drive-" + key, path) for key, path in devices],
            name=name, configuration=conf)
    world.exported([f"dump-{name}"], f"archive-{name}")


def starts(world, name, number, more, devices=(), form="qcow2"):
    needs("qemu-system-x86_64", "qemu-img")
    backup(world, number, name, more, devices)
    world.imported_to(f"archive-{name}", f"to-{name}", kind="libvirt", extra=f", kvm: false, format: {form}",
                      work=f"work-{name}")
    place = world.at(f"to-{name}/{number}-{name}")
    # Without KVM and beside other tests a start takes its time.
    done = subprocess.run(["qemu-system-x86_64", *arguments(place + "/domain.xml")], capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=300)
    text = done.stdout.decode(errors="replace")
    expect(MARKER in text, f"{text[-1500:]} {done.stderr.decode(errors='replace')[-500:]}")
    expect(done.returncode == 0, f"{done.returncode} {done.stderr.decode(errors='replace')[-500:]}")


def with_uefi(world):
    needs(LOADER, VARIABLES, BOOT_MANAGER)
    starts(world, "uefi", 101, NETWORK + UEFI, [("efidisk0", VARIABLES)])


class Session:
    """A libvirtd of a user who is nobody, with all of its state in a directory."""

    def __init__(self, world):
        needs("/usr/sbin/libvirtd", "virsh", "setpriv")
        if os.getuid() != 0:
            raise Skip("not root")
        self.world = world
        os.makedirs(world.at("session/run"), exist_ok=True)
        # virsh would start a daemon of its own while this one begins.
        self.env = {"HOME": world.at("session"), "XDG_RUNTIME_DIR": world.at("session/run"), "PATH": os.environ["PATH"],
                    "LIBVIRT_AUTOSTART": "0"}
        tool("chown", "-R", f"{NOBODY}:{NOBODY}", world.at("session"))
        self.process = subprocess.Popen(
            self.command("/usr/sbin/libvirtd"), env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.time() + 60
        while time.time() < deadline and self.process.poll() is None:
            if self.virsh("list").returncode == 0:
                return
            time.sleep(0.2)
        self.close()
        raise Skip("libvirtd does not start")

    def command(self, *words):
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *words]

    def virsh(self, *words):
        return subprocess.run(self.command("virsh", "--quiet", "--connect", "qemu:///session", *words), env=self.env,
                              capture_output=True, text=True, timeout=300)

    def exeat(self, *words, timeout=300):
        done = subprocess.run(self.command(EXEAT, *words), env=self.env, capture_output=True, timeout=timeout,
                              cwd=self.world.path)
        return Result(done.returncode, done.stdout, done.stderr.decode(errors="replace"))

    def close(self):
        self.process.terminate()
        self.process.wait(120)


def by_libvirt(world):
    """libvirt takes the domain as it is, starts it, and the machine reaches its userland."""
    session = Session(world)
    try:
        defined(world, session)
        resumed(world, session)
        booted(world, session)
    finally:
        session.close()


def importing(world, session, kind="libvirt", target="to-session", work="work-session", prefix="", env=None):
    mapping = f", map: {{ name-prefix: {prefix} }}" if prefix else ""
    plan = world.images_plan(f"{target}.yaml", target, kind, f", kvm: false, connection: \"qemu:///session\"{mapping}")
    tool("chown", "-R", f"{NOBODY}:{NOBODY}", world.path)
    return ["import", world.at("archive-session"), plan, "--work", world.at(work)]


def defined(world, session):
    backup(world, 102, "session", "")
    result = session.exeat(*importing(world, session))
    expect(result.status == 0, f"{result.err} {result.out.decode()}")
    expect(b"domains with all their disks" in result.out, result.out.decode())
    expect(session.virsh("list", "--all", "--name").stdout.split() == ["session"], "the domain is not defined")
    # A domain of that name that is not of this import.
    result = session.exeat(*importing(world, session, target="other", work="work-other"))
    expect(result.status == 1 and "already has a domain" in result.err, f"{result.status} {result.err}")
    expect(not os.path.exists(world.at("other")), "images were made")
    # The same archive again under another name is another machine.
    result = session.exeat(*importing(world, session, target="second", work="work-second", prefix="essai-"))
    expect(result.status == 0, f"{result.err} {result.out.decode()}")
    expect(sorted(session.virsh("list", "--all", "--name").stdout.split()) == ["essai-session", "session"], "the names")


def resumed(world, session):
    """Killed at every moment, the last ones after the domain is defined: the import goes on."""
    chance = random.Random(4)
    command = importing(world, session, target="killed", work="work-killed", prefix="killed-")
    began = time.time()
    expect(session.exeat(*command).status == 0, "the import without a kill")
    whole = time.time() - began
    struck = number = 0
    # Whole runs between the kills; more of them where a run is faster than the one that was measured.
    while number < 12 or struck < 3 and number < 120:
        if number % 3 == 0:
            session.virsh("undefine", "killed-session")
            world.remove("killed", "work-killed")
        process = subprocess.Popen(session.command(EXEAT, *command), env=session.env, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, cwd=world.path)
        if kill_after(process, whole * chance.uniform(0.1, 0.9)) == -signal.SIGKILL:
            struck += 1
        else:
            whole *= 0.9
        number += 1
        if number % 3 == 0:
            result = session.exeat(*command)
            expect(result.status == 0, f"{result.err} {result.out.decode()}")
            expect(not world.leftovers("killed"), world.leftovers("killed"))
            expect(session.virsh("list", "--all", "--name").stdout.split().count("killed-session") == 1, "the domain")
    expect(struck >= 3, f"only {struck} kills")


def booted(world, session):
    done = session.virsh("start", "session")
    expect(done.returncode == 0, done.stderr)
    terminal = session.virsh("ttyconsole", "session").stdout.strip()
    text, ended = b"", None
    try:
        file = os.open(terminal, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        deadline = time.time() + 300
        while time.time() < deadline and MARKER.encode() not in text and ended is None:
            if select.select([file], [], [], 1)[0]:
                try:
                    text += os.read(file, 4096)
                except BlockingIOError:
                    pass
                except OSError as error:
                    ended = error
        os.close(file)
        state = session.virsh("domstate", "--reason", "session").stdout.strip()
    finally:
        session.virsh("destroy", "session")
    log = "".join(open(path, errors="replace").read() for path in glob.glob(
        world.at("session") + "/**/log/session.log", recursive=True))
    expect(MARKER.encode() in text, f"the serial port says {text[-1000:]}, and ended with {ended!r}; the machine is {state}: {log[-1500:]}")


def without_virsh(world):
    """No virsh: said before anything is written."""
    bootable(world)
    if not os.path.exists(world.at("archive-bios")):
        raise Skip("there is no archive")
    os.makedirs(world.at("programs"), exist_ok=True)
    for name in ("qemu-img", "qemu-nbd", "tar"):
        if not os.path.exists(world.at("programs/" + name)):
            os.symlink(shutil.which(name), world.at("programs/" + name))
    plan = world.images_plan("no-virsh.yaml", "no-virsh", "libvirt", ", connection: \"qemu:///session\"")
    result = world.run("import", world.at("archive-bios"), plan, "--work", world.at("work-no-virsh"),
                       env={"PATH": world.at("programs")})
    expect(result.status == 1 and "virsh" in result.err and "libvirt-clients" in result.err, result.err)
    expect(not os.path.exists(world.at("no-virsh")), "images were made")


def same_names(world):
    """Two machines of one name cannot both be domains."""
    little = sparse(world.at("little.raw"), 1 << 20, [(0, 512)])
    conf = CONFIG + "#qmdump#map:scsi0:drive-scsi0:local-lvm:raw:\n"
    for number in (110, 111):
        machine(world.at("twins"), number, [("drive-scsi0", little)], name="twin", configuration=conf)
    world.exported(["twins"], "archive-twins")
    result = world.imported_to("archive-twins", "to-twins", status=1, kind="libvirt", work="work-twins")
    expect("same name" in result.err, result.err)
    expect(not os.path.exists(world.at("to-twins")), "images were made")
    world.imported_to("archive-twins", "as-twins", work="work-as-twins")
    expect(sorted(os.listdir(world.at("as-twins"))) == ["110-twin", "111-twin"], os.listdir(world.at("as-twins")))


def main():
    suite = DumpSuite()
    suite.case("BIOS, qcow2", starts, "bios", 100, NETWORK)
    suite.case("q35, raw", starts, "chipset", 103, NETWORK + "machine: q35\n", (), "raw")
    suite.case("UEFI", with_uefi)
    suite.case("by libvirt", by_libvirt)
    suite.case("without virsh", without_virsh)
    suite.case("same names", same_names)
    suite.finish()


if __name__ == "__main__":
    main()
