"""Pools, in the three forms that versions 7, 8 and 9 have, and storages of the cluster."""
from .collections_api import digest
from .errors import Refused
from .formats import split_list
from .guest_api import brief
from .routes import route
from .state import SECRETS

BOTH = ("/pools", "/pools/{poolid}")


def pool_of(call):
    if call["poolid"] not in call.simulator.pools:
        raise Refused(500, f"pool '{call['poolid']}' does not exist")
    return call.simulator.pools[call["poolid"]]


def members(call, pool):
    simulator = call.simulator
    result = []
    for vmid in sorted(pool["vms"]):
        guest = simulator.guests.get(vmid)
        if guest and call.get("type") in (None, guest.kind):
            result.append({**brief(guest), "id": f"{guest.kind}/{vmid}", "type": guest.kind, "node": guest.node})
    for name in sorted(pool["storage"]):
        if call.get("type") in (None, "storage"):
            result += [{"id": f"storage/{node}/{name}", "storage": name, "node": node, "type": "storage",
                        "status": "available"} for node in simulator.nodes]
    return result


@route("GET", "/pools")
def pools(call):
    found = {name: pool for name, pool in call.simulator.pools.items()
             if call.may(f"/pool/{name}", "Pool.Audit", "Pool.Allocate", any=True)}
    if "poolid" in call.parameters:
        pool = pool_of(call)
        call.require(f"/pool/{call['poolid']}", "Pool.Audit")
        return [{"poolid": call["poolid"], "comment": pool["comment"], "members": members(call, pool)}]
    return [{"poolid": name, **({"comment": pool["comment"]} if pool["comment"] else {})}
            for name, pool in sorted(found.items())]


@route("GET", "/pools/{poolid}")
def show(call):
    pool = pool_of(call)
    return {**({"comment": pool["comment"]} if pool["comment"] else {}), "members": members(call, pool)}


@route("POST", "/pools")
def add(call):
    name = call["poolid"]
    if name in call.simulator.pools:
        raise Refused(500, f"create pool failed: pool '{name}' already exists")
    if "/" in name and name.rpartition("/")[0] not in call.simulator.pools:
        raise Refused(500, f"create pool failed: parent '{name.rpartition('/')[0]}' of pool '{name}' does not exist")
    call.simulator.pools[name] = {"comment": call.get("comment", ""), "vms": set(), "storage": set()}
    call.simulator.state.write_files()


@route("PUT", *BOTH)
def change(call):
    pool, simulator = pool_of(call), call.simulator
    if "comment" in call.parameters:
        pool["comment"] = call["comment"]
    for vmid in map(int, split_list(call.get("vms", ""))):
        call.require(f"/vms/{vmid}", "VM.Allocate") if not call.may(f"/pool/{call['poolid']}", "Pool.Allocate") else None
        if call.get("delete"):
            if vmid not in pool["vms"]:
                raise Refused(500, f"VM {vmid} is not a pool member")
            pool["vms"].discard(vmid)
            continue
        if vmid not in simulator.guests:
            raise Refused(500, f"VM {vmid} does not exist")
        other = next((name for name, one in simulator.pools.items() if vmid in one["vms"]), None)
        if other and not call.get("allow-move"):
            raise Refused(500, f"update pools failed: VM {vmid} belongs already to pool '{other}'"
                          + (" and 'allow-move' is not set" if not simulator.version.startswith("7") else ""))
        if other:
            simulator.pools[other]["vms"].discard(vmid)
        pool["vms"].add(vmid)
    for name in split_list(call.get("storage", "")):
        call.require(f"/storage/{name}", "Datastore.Allocate")
        if call.get("delete"):
            pool["storage"].discard(name)
        else:
            simulator.storage(name)
            pool["storage"].add(name)
    simulator.state.write_files()


@route("DELETE", *BOTH)
def delete(call):
    pool = pool_of(call)
    if pool["vms"] or pool["storage"]:
        raise Refused(500, f"delete pool failed: pool '{call['poolid']}' is not empty (contains "
                           f"{'VM ' + str(min(pool['vms'])) if pool['vms'] else 'storage ' + repr(min(pool['storage']))})")
    if any(name.startswith(call["poolid"] + "/") for name in call.simulator.pools):
        raise Refused(500, f"delete pool failed: pool '{call['poolid']}' has children")
    del call.simulator.pools[call["poolid"]]
    call.simulator.state.write_files()


# Storages of the cluster.

def entry(storage):
    return {"storage": storage.id, "type": storage.kind, "digest": digest(storage.values),
            # What is always shared says so, and yet takes no such option.
            **({"shared": 1} if storage.kind in ("nfs", "cifs", "cephfs", "rbd", "pbs") else {}),
            **{key: value for key, value in storage.values.items() if key not in SECRETS}}


@route("GET", "/storage")
def storages(call):
    return [entry(storage) for storage in call.simulator.storages.values()
            if call.get("type") in (None, storage.kind)
            and call.may(f"/storage/{storage.id}", "Datastore.Audit", "Datastore.AllocateSpace", any=True)]


@route("GET", "/storage/{storage}")
def show_storage(call):
    return entry(call.simulator.storage(call["storage"]))


def checked(call, kind, values):
    possible = {"dir": "images rootdir vztmpl iso backup snippets import none",
                "nfs": "images rootdir vztmpl iso backup snippets import none",
                "cifs": "images rootdir vztmpl iso backup snippets import none",
                "lvmthin": "images rootdir", "lvm": "images rootdir", "zfspool": "images rootdir",
                "rbd": "images rootdir", "pbs": "backup none"}.get(kind, "")
    for one in split_list(values.get("content", "")):
        if one not in possible.split():
            raise Refused(500, f"create storage failed: storage does not support content type '{one}'")


REQUIRED = {"dir": ("path",), "nfs": ("server", "export"), "cifs": ("server", "share"), "lvmthin": ("thinpool", "vgname"),
            "lvm": ("vgname",), "zfspool": ("pool",), "rbd": ("pool",), "pbs": ("server", "datastore")}


@route("POST", "/storage")
def add_storage(call):
    name, kind = call["storage"], call["type"]
    if name in call.simulator.storages:
        raise Refused(500, f"storage ID '{name}' already defined")
    for key in REQUIRED.get(kind, ()):
        if key not in call.parameters:
            raise Refused(400, "Parameter verification failed.", {key: "property is missing and it is not optional"})
    if kind in ("nfs", "cifs", "pbs") and "shared" in call.parameters:
        raise Refused(500, "create storage failed: unexpected property 'shared'")
    values = {key: value for key, value in call.parameters.items() if key not in ("storage", "type")}
    values.setdefault("content", {"pbs": "backup"}.get(kind, "images,rootdir"))
    if kind in ("nfs", "cifs"):
        values["path"] = f"/mnt/pve/{name}"
    checked(call, kind, values)
    call.simulator.add_storage(name, kind, **values)
    call.simulator.state.write_files()
    return {"storage": name, "type": kind}


@route("PUT", "/storage/{storage}")
def change_storage(call):
    if call["storage"] not in call.simulator.storages:
        raise Refused(500, f"storage '{call['storage']}' does not exist")
    storage = call.simulator.storages[call["storage"]]
    if call.get("digest") and call["digest"] != digest(storage.values):
        raise Refused(500, "detected modified configuration - file changed by other user? Try again.")
    values = dict(storage.values)
    for key in split_list(call.get("delete", "")):
        values.pop(key, None)
    values.update({key: value for key, value in call.parameters.items() if key not in ("storage", "delete", "digest")})
    checked(call, storage.kind, values)
    storage.values = values
    call.simulator.state.write_files()
    return {"storage": storage.id, "type": storage.kind}


@route("DELETE", "/storage/{storage}")
def delete_storage(call):
    if call["storage"] not in call.simulator.storages:
        raise Refused(500, f"storage '{call['storage']}' does not exist")
    del call.simulator.storages[call["storage"]]
    call.simulator.state.write_files()
