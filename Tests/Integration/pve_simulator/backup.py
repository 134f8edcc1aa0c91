"""vzdump: which guests a job takes, one job at a time on a node."""
import threading
import time

from .errors import Refused, TaskFailed, refuse_parameter
from .formats import parse_properties, split_list
from .guest_backup import Backup
from .routes import route


class Locks:
    """One vzdump at a time on a node."""

    def __init__(self, nodes):
        self.locks = {node: threading.Lock() for node in nodes}

    def take(self, task, minutes):
        lock = self.locks[task.node]
        if lock.acquire(blocking=False):
            return lock
        task.log("INFO: trying to get global lock - waiting...")
        end = time.monotonic() + minutes * 60
        while not lock.acquire(timeout=0.1):
            task.check()
            if time.monotonic() > end:
                raise TaskFailed("can't acquire lock '/var/run/vzdump.lock' - got timeout")
        task.log("INFO: got global lock")
        return lock


def selected(simulator, parameters):
    """The ids that are asked for, in order."""
    if parameters.get("vmid"):
        return [int(one) for one in split_list(str(parameters["vmid"]))]
    excluded = {int(one) for one in split_list(str(parameters.get("exclude", "")))}
    if parameters.get("pool"):
        return sorted(simulator.pools[parameters["pool"]]["vms"] - excluded)
    return sorted(set(simulator.guests) - excluded)


@route("POST", "/nodes/{node}/vzdump")
def start(call):
    simulator, given = call.simulator, call.parameters
    if "stdout" in given:
        refuse_parameter(stdout="option is only allowed on the command line interface.")
    for key in ("tmpdir", "dumpdir", "script", "job-id"):
        if key in given and call.who != "root@pam":
            refuse_parameter(**{key.replace("-", "_"): "Only root may set this option."})
    if any(key in given for key in ("bwlimit", "ionice", "performance")):
        call.require("/", "Sys.Modify")
    if not any(key in given for key in ("vmid", "all", "pool", "exclude")):
        refuse_parameter(vmid="property is missing and it is not optional")
    if "vmid" in given and any(key in given for key in ("all", "exclude", "pool")):
        refuse_parameter(vmid="option conflicts with option 'all'")
    if "storage" in given and "dumpdir" in given:
        refuse_parameter(storage="option conflicts with option 'dumpdir'")
    if "storage" in given:
        storage = call.storage()
        if "prune-backups" in given or "maxfiles" in given:
            call.require(f"/storage/{storage.id}", "Datastore.Allocate")
        call.require(f"/storage/{storage.id}", "Datastore.AllocateSpace")
    elif "dumpdir" not in given:
        call.require("/storage/local", "Datastore.AllocateSpace")
    if "fleecing" in given:
        fleecing = parse_properties(given["fleecing"], "enabled")
        if fleecing.get("storage"):
            call.require(f"/storage/{simulator.storage(fleecing['storage'], call.node).id}",
                         "Datastore.AllocateSpace")
    if "pool" in given:
        call.require(f"/pool/{given['pool']}", "Pool.Audit")
        if given["pool"] not in simulator.pools:
            raise Refused(500, f"pool '{given['pool']}' does not exist")
    ids = selected(simulator, given)
    if "vmid" in given:
        for vmid in ids:
            call.require(f"/vms/{vmid}", "VM.Backup")
    ids = [vmid for vmid in ids if vmid in simulator.guests and simulator.guests[vmid].node == call.node
           and call.may(f"/vms/{vmid}", "VM.Backup")] if "vmid" not in given else [
               vmid for vmid in ids if vmid not in simulator.guests or simulator.guests[vmid].node == call.node]
    if not ids:
        return "OK"
    identifier = str(ids[0]) if len(ids) == 1 else ""
    return call.task("vzdump", identifier, lambda task: run(task, ids, given))


def run(task, ids, given, stdout=None):
    """The task. With `stdout` (a descriptor) the archive goes there and nothing is kept."""
    shown = " ".join(f"--{key} {value}" for key, value in sorted(given.items()) if key not in ("node", "vmid"))
    lock = task.tasks.simulator.backups.take(task, given.get("lockwait", 180))
    failed = 0
    try:
        task.log(f"INFO: starting new backup job: vzdump {' '.join(map(str, ids))} {shown}")
        for vmid in ids:
            failed += not Backup(task, vmid, given, stdout).run()
        if failed:
            task.log("INFO: Backup job finished with errors")
            raise TaskFailed("job errors")
        warnings, task.tasks.simulator.faults.warnings = task.tasks.simulator.faults.warnings, 0
        for number in range(warnings):
            task.warn(f"simulated warning {number + 1}")
        task.log("INFO: Backup job finished successfully")
    finally:
        lock.release()
