"""Changes of a configuration."""
import re

from .configs import BUS_DISK, MOUNT
from .drives import check_container_keys, check_keys, DRIVE, make_disk, NOT_CONFIG, plan_disk, ROOT_ONLY, with_mac
from .errors import Refused
from .formats import split_list
from .guest_api import both, digest_of
from .routes import route


def change(call):
    """PUT and POST of a configuration; POST does it in a task."""
    guest = call.guest()
    given = {key: value for key, value in call.parameters.items() if key not in NOT_CONFIG}
    removed = [key for key in split_list(call.get("delete", ""))]
    touched = {**given, **{key: "" for key in removed if key not in ROOT_ONLY}}
    if guest.kind == "qemu":
        check_keys(call, touched, guest.vmid)
    else:
        check_container_keys(call, touched, guest.vmid, guest.config().values.get("unprivileged") == "1")
    if call.get("digest") and call["digest"] != digest_of(guest):
        raise Refused(500, "detected modified configuration - file changed by other user? Try again.")
    guest.check_lock()
    plans = {key: plan_disk(call, key, value) for key, value in given.items() if guest.kind == "qemu" and DRIVE.match(key)}

    def work(task):
        config = guest.config()
        for key in removed:
            old = config.values.pop(key, None)
            if old and (BUS_DISK.match(key) if guest.kind == "qemu" else MOUNT.match(key)) and "media=cdrom" not in old:
                number = next(n for n in range(256) if f"unused{n}" not in config.values)
                config.values[f"unused{number}"] = old.split(",")[0]
        for key, value in given.items():
            value = make_disk(task, guest, *plans[key]) if key in plans else str(value)
            config.values[key] = with_mac(value) if guest.kind == "qemu" and re.fullmatch(r"net\d+", key) else value
        guest.save(config)
    if call.verb == "POST":
        return call.task("qmconfig", str(guest.vmid), work)
    task = call.simulator.tasks.start(call.node, "qmconfig", str(guest.vmid), call.who, work)
    if task.wait(600) != "OK":
        raise Refused(500, task.exit)
    return None


both("PUT", "/config")(change)
route("POST", "/nodes/{node}/qemu/{vmid}/config")(change)
