"""Firewalls at all their levels. A new rule goes to the top, and is off unless it says `enable`."""
from .collections_api import digest
from .errors import Refused
from .formats import split_list
from .routes import route

# Base path → key of the state.
BASES = {
    "/cluster/firewall": lambda call: "cluster",
    "/nodes/{node}/firewall": lambda call: f"node/{call.node}",
    "/nodes/{node}/qemu/{vmid}/firewall": lambda call: f"guest/{call.guest().vmid}",
    "/nodes/{node}/lxc/{vmid}/firewall": lambda call: f"guest/{call.guest().vmid}",
    "/cluster/sdn/vnets/{vnet}/firewall": lambda call: f"vnet/{call['vnet']}",
}
OUTSIDE = {"node", "vmid", "vnet", "digest", "delete", "moveto", "pos", "group", "name", "rename"}


def state(call, key):
    return call.simulator.state.firewall(key)


def check_digest(call, values):
    if call.get("digest") and call["digest"] != digest(values):
        raise Refused(500, "detected modified configuration - file changed by other user? Try again.")


def given(call):
    return {key: value for key, value in call.parameters.items() if key not in OUTSIDE}


def merge(call, values):
    for key in split_list(call.get("delete", "")):
        values.pop(key, None)
    values.update(given(call))


def check_rule(call, rule, key):
    cluster = state(call, "cluster")
    if rule["type"] == "group":
        if rule["action"] not in cluster["groups"]:
            raise Refused(400, "Parameter verification failed.",
                          {"action": f"security group '{rule['action']}' does not exist"})
    elif rule["action"] not in ("ACCEPT", "DROP", "REJECT"):
        raise Refused(400, "Parameter verification failed.", {"action": f"unknown action '{rule['action']}'"})
    own = state(call, key) if key else cluster
    for field in ("source", "dest"):
        name = rule.get(field, "")
        if name.startswith("+"):
            scope, _, short = name[1:].rpartition("/")
            places = [cluster] if scope == "dc" else [own] if scope == "guest" else [own, cluster]
            if not any(short in place["ipset"] for place in places) and scope != "sdn":
                raise Refused(400, "Parameter verification failed.", {field: f"no such ipset '{short}'"})
        elif name and name[-1].isalnum() and name[0].isalpha() and not set(name) <= set("0123456789abcdef:/."):
            scope, _, short = name.rpartition("/")
            if not any(short in place["aliases"] for place in ([cluster] if scope == "dc" else [own, cluster])):
                raise Refused(400, "Parameter verification failed.", {field: f"no such alias '{short}'"})
    if rule.get("dport") or rule.get("sport"):
        if not rule.get("proto") and not rule.get("macro"):
            raise Refused(400, "Parameter verification failed.",
                          {"proto": "missing property - 'dport' requires this property"})


def rule_list(call, key, group=None):
    firewall = state(call, key)
    if group is None:
        return firewall["rules"]
    if group not in firewall["groups"]:
        raise Refused(500, f"no such security group '{group}'")
    return firewall["groups"][group]["rules"]


def at(rules, pos):
    if not 0 <= pos < len(rules):
        raise Refused(500, f"no rule at position {pos}")
    return rules[pos]


def add_rules(base, path, key_of, grouped=False):
    def rules_of(call):
        key = key_of(call)
        return key, rule_list(call, key, call["group"] if grouped else None)

    @route("GET", path)
    def rules(call):
        _, found = rules_of(call)
        return [{**rule, "pos": pos, "digest": digest(found)} for pos, rule in enumerate(found)]

    @route("POST", path)
    def add(call):
        key, found = rules_of(call)
        check_digest(call, found)
        rule = {"enable": 0, **given(call)}
        check_rule(call, rule, key)
        found.insert(0, rule)
        call.simulator.state.save_firewall(key)

    @route("GET", path + "/{pos}")
    def show(call):
        _, found = rules_of(call)
        return {**at(found, int(call["pos"])), "pos": int(call["pos"]), "digest": digest(found)}

    @route("PUT", path + "/{pos}")
    def change(call):
        key, found = rules_of(call)
        check_digest(call, found)
        rule = at(found, int(call["pos"]))
        if "moveto" in call.parameters:
            found.remove(rule)
            place = call["moveto"]
            found.insert(place - 1 if place > int(call["pos"]) else place, rule)
        else:
            changed = dict(rule)
            merge(call, changed)
            check_rule(call, changed, key)
            rule.clear()
            rule.update(changed)
        call.simulator.state.save_firewall(key)

    @route("DELETE", path + "/{pos}")
    def delete(call):
        key, found = rules_of(call)
        check_digest(call, found)
        at(found, int(call["pos"]))
        del found[int(call["pos"])]
        call.simulator.state.save_firewall(key)


def add_options(base, key_of):
    @route("GET", base + "/options")
    def options(call):
        found = state(call, key_of(call))["options"]
        return {**found, "digest": digest(found)}

    @route("PUT", base + "/options")
    def change(call):
        key = key_of(call)
        check_digest(call, state(call, key)["options"])
        merge(call, state(call, key)["options"])
        call.simulator.state.save_firewall(key)


def add_aliases(base, key_of):
    def find(call, key):
        found = state(call, key)["aliases"]
        if call["name"] not in found:
            raise Refused(400, "Parameter verification failed.", {"name": f"no such alias '{call['name']}'"})
        return found

    @route("GET", base + "/aliases")
    def aliases(call):
        found = state(call, key_of(call))["aliases"]
        return [{"name": name, **entry, "ipversion": 6 if ":" in entry["cidr"] else 4, "digest": digest(found)}
                for name, entry in found.items()]

    @route("POST", base + "/aliases")
    def add(call):
        key = key_of(call)
        found = state(call, key)["aliases"]
        if call["name"] in found:
            raise Refused(400, "Parameter verification failed.", {"name": f"alias '{call['name']}' already exists"})
        found[call["name"]] = given(call)
        call.simulator.state.save_firewall(key)

    @route("GET", base + "/aliases/{name}")
    def show(call):
        return {"name": call["name"], **find(call, key_of(call))[call["name"]]}

    @route("PUT", base + "/aliases/{name}")
    def change(call):
        key = key_of(call)
        found = find(call, key)
        entry = found.pop(call["name"])
        entry.update(given(call))
        found[call.get("rename", call["name"])] = entry
        call.simulator.state.save_firewall(key)

    @route("DELETE", base + "/aliases/{name}")
    def delete(call):
        key = key_of(call)
        del find(call, key)[call["name"]]
        call.simulator.state.save_firewall(key)


def add_sets(base, key_of):
    def find(call, key):
        found = state(call, key)["ipset"]
        if call["name"] not in found:
            raise Refused(500, f"no such IPSet '{call['name']}'")
        return found

    def member(call, key):
        members = find(call, key)[call["name"]]["members"]
        if call["cidr"] not in members:
            raise Refused(500, f"no such IP/Network '{call['cidr']}'")
        return members

    @route("GET", base + "/ipset")
    def sets(call):
        found = state(call, key_of(call))["ipset"]
        return [{"name": name, "digest": digest(found), **({"comment": entry["comment"]} if entry["comment"] else {})}
                for name, entry in found.items()]

    @route("POST", base + "/ipset")
    def add(call):
        key = key_of(call)
        found, name, old = state(call, key)["ipset"], call["name"], call.get("rename")
        if old:
            if old not in found:
                raise Refused(500, f"no such IPSet '{old}'")
            entry = found.pop(old)
            if "comment" in call.parameters:
                entry["comment"] = call["comment"]
            found[name] = entry
        elif name in found:
            raise Refused(400, "Parameter verification failed.", {"name": f"IPSet '{name}' already exists"})
        else:
            found[name] = {"comment": call.get("comment"), "members": {}}
        call.simulator.state.save_firewall(key)

    @route("DELETE", base + "/ipset/{name}")
    def delete(call):
        key = key_of(call)
        found = find(call, key)
        if found[call["name"]]["members"] and not call.get("force"):
            raise Refused(500, f"IPSet '{call['name']}' is not empty")
        del found[call["name"]]
        call.simulator.state.save_firewall(key)

    @route("GET", base + "/ipset/{name}")
    def members(call):
        found = find(call, key_of(call))[call["name"]]["members"]
        return [{"cidr": cidr, **entry, "digest": digest(found)} for cidr, entry in found.items()]

    @route("POST", base + "/ipset/{name}")
    def add_member(call):
        key = key_of(call)
        found = find(call, key)[call["name"]]["members"]
        if call["cidr"] in found:
            raise Refused(400, "Parameter verification failed.", {"cidr": f"address '{call['cidr']}' already exists"})
        entry = given(call)
        found[entry.pop("cidr")] = entry
        call.simulator.state.save_firewall(key)

    @route("GET", base + "/ipset/{name}/{cidr}")
    def show_member(call):
        return {"cidr": call["cidr"], **member(call, key_of(call))[call["cidr"]]}

    @route("DELETE", base + "/ipset/{name}/{cidr}")
    def delete_member(call):
        key = key_of(call)
        del member(call, key)[call["cidr"]]
        call.simulator.state.save_firewall(key)


def add_groups():
    @route("GET", "/cluster/firewall/groups")
    def groups(call):
        found = state(call, "cluster")["groups"]
        return [{"group": name, "digest": digest(found), **({"comment": entry["comment"]} if entry["comment"] else {})}
                for name, entry in found.items()]

    @route("POST", "/cluster/firewall/groups")
    def add(call):
        found, name, old = state(call, "cluster")["groups"], call["group"], call.get("rename")
        if old:
            if old not in found:
                raise Refused(500, f"no such security group '{old}'")
            found[name] = found.pop(old)
            found[name]["comment"] = call.get("comment", found[name]["comment"])
        elif name in found:
            raise Refused(400, "Parameter verification failed.",
                          {"group": f"Security group '{name}' already exists"})
        else:
            found[name] = {"comment": call.get("comment"), "rules": []}
        call.simulator.state.save_firewall("cluster")

    @route("DELETE", "/cluster/firewall/groups/{group}")
    def delete(call):
        if rule_list(call, "cluster", call["group"]):
            raise Refused(500, f"Security group '{call['group']}' is not empty")
        del state(call, "cluster")["groups"][call["group"]]
        call.simulator.state.save_firewall("cluster")


for _base, _key in BASES.items():
    add_rules(_base, _base + "/rules", _key)
    add_options(_base, _key)
    if _base == "/cluster/firewall" or "{vmid}" in _base:
        add_aliases(_base, _key)
        add_sets(_base, _key)
add_groups()
add_rules("/cluster/firewall", "/cluster/firewall/groups/{group}", lambda call: "cluster", grouped=True)
