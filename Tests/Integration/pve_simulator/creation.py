"""Making guests: what machines and containers share."""
import os

from .errors import Refused


def new_guest(call, kind):
    """The checks that both kinds share; gives back the id, and puts the guest into its pool later."""
    vmid, simulator = int(call["vmid"]), call.simulator
    pool = call.get("pool")
    if pool:
        if pool not in simulator.pools:
            raise Refused(500, f"pool '{pool}' does not exist")
        if kind == "lxc":
            call.require(f"/pool/{pool}", "Pool.Allocate", "Permissions.Modify", any=True)
    if not (pool and call.may(f"/pool/{pool}", "VM.Allocate")):
        call.require(f"/vms/{vmid}", "VM.Allocate")
    if call.get("start"):
        call.require(f"/vms/{vmid}", "VM.PowerMgmt")
    old = simulator.guests.get(vmid)
    if old and not (call.get("force") and (call.get("archive") or call.get("restore"))):
        raise Refused(500, f"unable to create {'VM' if kind == 'qemu' else 'CT'} {vmid} - VM {vmid} already exists on node '{old.node}'")
    if old and (old.running or old.kind != kind):
        raise Refused(500, f"unable to restore VM {vmid} - vm is running")
    return vmid


def adopt(simulator, guest, pool):
    if pool:
        simulator.pools[pool]["vms"].add(guest.vmid)
    simulator.state.write_files()


def check_backup(call, volid):
    storage_id, _, volume = volid.partition(":")
    storage = call.simulator.storage(storage_id, call.node)
    try:
        kind, _, owner, _ = storage.parse(volume)
    except Refused:
        raise Refused(500, f"couldn't determine archive info from '{volume}'") from None
    if kind != "backup":
        raise Refused(500, f"cannot use volume of type '{kind}' for restore: content type needs to be 'backup'")
    if not call.may(f"/storage/{storage_id}", "Datastore.Allocate"):
        call.require(f"/storage/{storage_id}", "Datastore.AllocateSpace")
        if owner:
            call.require(f"/vms/{owner}", "VM.Backup")
    path = storage.locate(call.node, volume)
    if not os.path.exists(path):
        raise Refused(500, f"volume '{volid}' does not exist")
    return path
