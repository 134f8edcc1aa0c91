#!/usr/bin/env python3
"""Machines with UEFI, a network and a guest agent, and containers, rehearsed: they are started, and asked by every kind
of probe; one that is damaged or does not come up keeps no other from it."""
import atexit

import pve_simulator
from proxmox_boot import UEFI, VARIABLES, BOOT_MANAGER, LOADER, needs, tool
from rehearse_kit import *

AGENT = "qemu-guest-agent"
TALKING = """#!/bin/sh
busybox mount -t proc none /proc
busybox mount -t sysfs none /sys
busybox mount -t devtmpfs none /dev
for module in $(busybox cat /modules); do busybox insmod /$module; done
busybox mkdir -p /www /run /var/run /tmp
echo "<p>Portail des patients</p>" > /www/index.html
busybox ip link set lo up
busybox ip address add 10.0.2.15/24 dev eth0
busybox ip link set eth0 up
busybox httpd -p 80 -h /www
for port in /sys/class/virtio-ports/*; do
    [ "$(busybox cat $port/name)" = org.qemu.guest_agent.0 ] && qemu-ga -d -m virtio-serial -p /dev/${port##*/} -t /run
done
[ -e /sys/class/tpm/tpm0 ] && echo "a TPM is there" > /dev/ttyS0
echo "talking machine" > /dev/ttyS0
while busybox true; do busybox sleep 60; done
"""


def agent(world):
    """QEMU's own guest agent, out of its package."""
    if shutil.which("qemu-ga"):
        return shutil.which("qemu-ga")
    folder = world.at("agent")
    if not os.path.exists(folder):
        os.makedirs(folder)
        try:
            tool("apt-get", "-o", "APT::Sandbox::User=root", "download", AGENT, cwd=folder)
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            raise Skip(f"no guest agent can be downloaded: {error}") from None
        tool("dpkg", "-x", glob.glob(folder + "/*.deb")[0], folder)
    return folder + "/usr/sbin/qemu-ga"


def talking(world):
    """A disk with a system that has a web server and a guest agent."""
    return bootable(world, "talking", TALKING, ["virtio_net", "virtio_console", "tpm_tis"], [agent(world)])


def exported(world, output, source, probes, **options):
    lines = "".join(f"      - {{ {probe} }}\n" for probe in probes)
    plan = world.write(output + ".yaml", f"""exeat: 1
run: {{ purpose: drp-rehearsal }}
sources:
  hyperviseur:
    kind: proxmox
{"".join(f"    {line}{chr(10)}" for line in source)}    probes:
{lines}archive: {{ name: guests, sign-with: {world.at('keys/ours')}, encrypt-to: ["{world.recipient}"] }}
""")
    result = world.run("export", plan, "--output", world.at(output), **options)
    expect(result.status == 0, f"export ended with {result.status}: {result.err}")


def tpm_state(world):
    """What Proxmox VE keeps of a TPM: a disk of 4 MiB that swtpm has begun."""
    path = world.at("tpm-state")
    open(path, "wb").close()
    if shutil.which("swtpm_setup"):
        tool("swtpm_setup", "--tpm2", "--tpmstate", "file://" + path, "--overwrite")
    os.truncate(path, 4 << 20)
    return path


def asked(world):
    """UEFI, a TPM, an agent, a network, out of vzdump's stream: asked by agent, HTTP, TCP and console."""
    needs(LOADER, VARIABLES, BOOT_MANAGER)
    keys = {"scsi0": talking(world), "efidisk0": VARIABLES, "tpmstate0": tpm_state(world)}
    conf = CONFIG + NETWORK + UEFI + "tpmstate0: local-lvm:vm-{id}-disk-2,size=4M,version=v2.0\n" + "".join(
        f"#qmdump#map:{key}:drive-{key}:local-lvm:raw:\n" for key in keys)
    machine(world.at("uefi-dumps"), 101, [("drive-" + key, path) for key, path in keys.items()], name="uefi",
            configuration=conf)
    exported(world, "uefi", [f"dumps: [ {world.at('uefi-dumps')} ]", "disks: native"], [
        "name: alive, agent: ping, within: 3min",
        'name: hello, agent: [/bin/busybox, echo, "good morning"], expect: "good morning"',
        'name: page, http: "http://guest/index.html", expect: "Portail des patients"',
        'name: lost, http: "http://guest/nothing", status: 404',
        'name: web, tcp: "guest:80"',
        'name: refused, tcp: "guest:81", within: 1s',
        f'name: words, serial: "{"a TPM is there" if shutil.which("swtpm") else "talking machine"}"'])
    found, receipt = world.rehearsed("uefi", status=3)
    source = found["sources"][0]
    held = {probe["name"]: probe["held"] for probe in source["probes"]}
    expect(held == {"alive": True, "hello": True, "page": True, "lost": True, "web": True, "refused": False, "words": True},
           source["probes"])
    guest = source["guests"][0]
    expect(not guest["failed"] and guest["evidence"], guest)
    # The guest has found its TPM, where this machine can give it one.
    without = any("TPM was left out" in note for note in guest["notes"])
    expect(without == (shutil.which("swtpm") is None), guest["notes"])


class Guests:
    """A simulated Proxmox VE with a container that has a system, and machines that have none."""

    def __init__(self, world):
        needs("busybox", "qemu-img")
        try:
            pve = self.pve = pve_simulator.Simulator(world.at("pve"), delay=0.1)
        except pve_simulator.SchemaMissing as missing:
            raise Skip(f"no simulated Proxmox VE: {missing}") from None
        pve.__enter__()
        # Its sshd would outlive these tests.
        atexit.register(pve.close)
        with open(shutil.which("busybox"), "rb") as file:
            pve.make_container(200, name="proxy", files={
                "bin/busybox": file.read(), "sbin/": b"", "etc/rc": b"echo proxy > /run/state; echo proxy login: > /dev/console\n",
                "etc/inittab": b"::sysinit:/bin/sh /etc/rc\n::respawn:/bin/busybox sleep 1000\n"})
        program = glob.glob(world.at("pve") + "/storage/**/bin/busybox", recursive=True)[0]
        os.chmod(program, 0o755)
        for name in ("bin/sh", "bin/cat", "sbin/init"):
            os.symlink("/bin/busybox", os.path.dirname(program)[:-3] + name)
        # Each wants more memory than there is: they are started one after the other.
        for number in (102, 103, 104):
            pve.make_vm(number, name=f"empty-{number}", memory=900_000, disks={"scsi0": {"size": 4 << 20, "data": bytes([number]) * 70000}})
        self.token = pve.add_token()
        pve.state.write_files()
        self.server = [f"url: {pve.url}", f'fingerprint: "{pve.fingerprint}"', 'token: "${env:PVE_TOKEN}"']
        self.storage = pve.storages["export"].path(pve.nodes[0])
        self.transport = f"transport: {{ directory: {{ storage: export, mount: {self.storage} }} }}"

    @property
    def environment(self):
        return {"PVE_TOKEN": self.token}


def some(world):
    """A container that comes up, machines that do not, and one whose disk is damaged: each is judged by itself."""
    world.guests = Guests(world)
    exported(world, "guests", [*world.guests.server, "guests: all", world.guests.transport, "accept: [denied]"], [
        'name: state, guest: 200, command: [cat, /run/state], expect: proxy',
        'name: secret, guest: 200, command: [sh, -c, "echo -$PVE_TOKEN- $HOME"], expect: "-- /root"',
        'name: fails, guest: 200, command: [/bin/busybox, "false"], within: 1s',
        'name: web, guest: 102, tcp: "guest:80", within: 3min',
        'name: lost, guest: 103, serial: "login:", within: 1s'], env=world.guests.environment)
    result = world.run("inspect", world.at("guests"), "--json", "--decrypt-with", world.identity)
    artifacts = {a["name"]: a for s in json.loads(result.out)["manifest"]["sources"] for a in s["artifacts"]}
    damage(world.at("guests/" + artifacts["103/scsi0"]["segments"][0]["path"]))
    found, receipt = world.rehearsed("guests", status=3, env=world.guests.environment)
    source = found["sources"][0]
    guests = {guest["id"]: guest for guest in source["guests"]}
    probes = {probe["name"]: probe for probe in source["probes"]}
    expect(source["outcome"] == "damaged" and len(source["comparisons"]) == 3, source)
    expect(all(comparison["equal"] for comparison in source["comparisons"]), source["comparisons"])
    expect(guests[103]["failed"] and "damaged" in guests[103]["obstacle"], guests[103])
    expect("damaged" in probes["lost"]["complaint"], probes["lost"])
    # QEMU takes connections for a guest that is not there: it is not up for that.
    expect(guests[102]["failed"] and not probes["web"]["held"] and "bootable" in probes["web"]["complaint"], probes["web"])
    for number in (102, 104):
        expect(guests[number]["failed"] and "bootable" in guests[number]["obstacle"], guests[number])
        expect(any("in place of 900000" in note for note in guests[number]["notes"]), guests[number])
    expect(list(guests) == [102, 103, 104, 200], list(guests))
    if guests[200]["acceleration"] is None:
        expect("not started" in guests[200]["obstacle"] and not guests[200]["failed"], guests[200])
        raise Skip(f"containers cannot be started: {guests[200]['obstacle']}")
    expect(not guests[200]["failed"] and probes["state"]["held"] and probes["secret"]["held"], (guests[200], probes))
    expect(not probes["fails"]["held"], probes["fails"])


def given(world):
    """Guests of an archive made again on a cluster that the plan names."""
    if not hasattr(world, "guests"):
        raise Skip("no simulated Proxmox VE")
    import proxmox_kit
    proxmox_kit.importing_token(world.guests)
    port = world.guests.pve.url.rsplit(":", 1)[1]
    text = "\n".join("    " + line for line in [
        *world.guests.server, world.guests.transport, "guests: [ 102 ]", "upload-storage: local", 'map: { vmids: "+1000" }',
        f'probes: {{ name: here, tcp: "127.0.0.1:{port}" }}'])
    plan = world.rehearsal_plan("given.yaml", f"targets:\n  hyperviseur:\n    kind: proxmox\n{text}\n")
    found, receipt = world.rehearsed("guests", plan=plan, status=3, env=world.guests.environment)
    source = found["sources"][0]
    expect(source.get("comparisons") and all(comparison["equal"] for comparison in source["comparisons"]), source)
    expect([(probe["name"], probe["held"]) for probe in source["probes"]] == [("here", True)], source["probes"])
    expect(1102 in world.guests.pve.guests, sorted(world.guests.pve.guests))


def main():
    suite = RehearsalSuite()
    suite.case("a machine that is asked by every kind of probe", asked)
    suite.case("guests that are judged each by itself", some)
    suite.case("a given cluster", given)
    suite.finish()


if __name__ == "__main__":
    main()
