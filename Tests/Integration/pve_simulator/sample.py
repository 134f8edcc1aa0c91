"""A small hospital's guests, for a first look."""
import random


def fill(pve):
    noise = random.Random(7)
    pve.access.groups["clinic"] = {"comment": "clinical applications"}
    pve.access.add_user("nurse@pve", "secret", groups=["clinic"], firstname="Claire", comment="on call")
    pve.access.grant("/pool/dpi", "@clinic", "PVEVMUser")
    pve.make_vm(100, name="dpi-db", pool="dpi", running=True, tags="clinic;database", agent="1", ciuser="admin",
                cipassword="cloud-secret", firewall="[OPTIONS]\n\nenable: 1\n\n[RULES]\n\nIN ACCEPT -p tcp -dport 443\n",
                disks={"scsi0": {"size": 64 << 20, "data": noise.randbytes(3 << 20),
                                 "pieces": {40 << 20: noise.randbytes(1 << 20)}},
                       "virtio1": {"size": 24 << 20, "storage": "export", "format": "qcow2",
                                   "pieces": {1 << 20: noise.randbytes(2 << 20)}}})
    pve.make_vm(101, name="imaging", bios="ovmf", machine="q35",
                disks={"scsi0": {"size": 32 << 20, "data": noise.randbytes(1 << 20)},
                       "scsi1": {"size": 8 << 20, "options": "backup=0"},
                       "efidisk0": {"size": 540672, "data": noise.randbytes(4096),
                                    "options": "efitype=4m,pre-enrolled-keys=1"},
                       "tpmstate0": {"size": 4 << 20, "data": noise.randbytes(2048), "options": "version=v2.0"}})
    pve.make_container(200, name="proxy", pool="dpi", files={"srv/app/data": noise.randbytes(100000)},
                       mounts={"mp0": ("/data", "backup=1", {"records": b"kept\n"}),
                               "mp1": ("/scratch", "", {"junk": b"left out\n"})})
    pve.state.write_files()
