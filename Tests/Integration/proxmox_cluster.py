#!/usr/bin/env python3
"""The configuration of a cluster on another one: first told, then made as it was, and never half without a word."""
import threading

from proxmox_faults_kit import *

PARTS = "cluster: [ pools, roles, groups, users, acl, storages, firewall, sdn ]"
BASE = "/api2/json/cluster/firewall"


def furnished(world):
    """An archive of a cluster that has something of each part."""
    world.remove("out")
    source = world.cluster("source")
    pve, access = source.pve, source.pve.access
    pve.pools["dpi"]["comment"] = "patient files"
    pve.pools["dpi"]["storage"].add("export")
    access.roles["Ward"] = {"VM.Audit", "VM.Console"}
    access.grant("/vms/100", "nurse@pve", "Ward", propagate=0)
    pve.add_storage("imaging", "nfs", content="images", server="10.0.0.9", export="/imaging", options="vers=4.2",
                    path="/mnt/pve/imaging")
    pve.add_storage("scans", "dir", content="images,iso", path="/mnt/scans", is_mountpoint="1", nodes="pve1")
    firewall = pve.state.firewall("cluster")
    firewall["aliases"]["ward"] = {"cidr": "10.1.0.0/16", "comment": "the ward"}
    firewall["ipset"]["staff"] = {"comment": "", "members": {
        "10.1.2.0/24": {}, "10.1.2.7": {"nomatch": 1}, "10.1.3.0/24": {"comment": "nights"}}}
    rule = lambda **values: {"type": "in", "action": "ACCEPT", "enable": 1, **values}
    firewall["groups"]["inner"] = {"comment": "", "rules": [
        rule(proto="tcp", dport="443", source="+staff"), rule(proto="tcp", dport="80", enable=0), rule(action="DROP")]}
    firewall["rules"][:] = [rule(type="group", action="inner"), rule(source="ward", proto="tcp", dport="22"), rule(action="DROP")]
    firewall["options"].update(enable=1, policy_in="DROP")
    sdn = pve.state.collections
    sdn["sdn/zones"]["inner"] = {"zone": "inner", "type": "simple"}
    sdn["sdn/vnets"]["vnet1"] = {"vnet": "vnet1", "zone": "inner", "type": "vnet"}
    sdn["sdn/vnets/vnet1/subnets"] = {"inner-10.9.0.0-24": {
        "subnet": "inner-10.9.0.0-24", "cidr": "10.9.0.0/24", "type": "subnet", "vnet": "vnet1", "zone": "inner",
        "gateway": "10.9.0.1", "snat": 1}}
    exported(world, "out", world.export_of("p.yaml", source, [ACCEPT], transport=[]), source)
    return source


def target_of(world, **options):
    target = world.cluster("target", guests=False, **options)
    importing_token(target)
    # Nobody has used the firewall yet.
    target.pve.state.firewall("cluster")["rules"].clear()
    return target


# Each cluster has them, in its own directory.
OWN = {"local", "export"}


def run(world, target, *settings, status=0, keep=False, parts=PARTS):
    """An import of the configuration; gives back the report of the source."""
    if not keep:
        world.remove("work")
    plan = world.import_to("i.yaml", target, [parts, *settings])
    result = world.run("import", world.at("out"), plan, "--work", world.at("work"), "--json", env=target.environment)
    text = result.err + result.out.decode()
    if status is not None:
        expect(result.status == status, f"import ended with {result.status}: {text}")
    path = world.at("work/report.json")
    report = json.load(open(path))["sources"][0] if os.path.exists(path) else {}
    report = {"notSet": [], "remarks": [], "differences": [], **report}
    report["shortfalls"] = [one for one in report["notSet"] if one["object"] not in OWN]
    return result, report, text


def writes(target):
    return [line for line in target.pve.requests if line.split()[0] in ("POST", "PUT", "DELETE")]


def told_then_made(world):
    source, target = furnished(world), target_of(world)
    before = target.snapshot()
    _, report, _ = run(world, target, status=2)
    expect(report["shortfalls"] == [], report["shortfalls"])
    calls = [one["call"] for one in report["remarks"] if "call" in one]
    for words in ("POST /pools poolid=dpi comment=patient files", "POST /cluster/firewall/ipset/staff cidr=10.1.2.7 nomatch=1",
                  "POST /storage storage=imaging type=nfs", "POST /cluster/sdn/vnets/vnet1/subnets subnet=10.9.0.0/24"):
        expect(any(call.startswith(words) for call in calls), f"\"{words}\" is not in {calls}")
    expect(before == target.snapshot() and not writes(target), "a dry run changes something")
    # What only a person may decide is left: options of the firewall, networks to be reloaded, members of pools.
    _, report, _ = run(world, target, "apply: true", "map: { nodes: { pve1: pve1 } }", status=2)
    left = {one["object"]: one for one in report["shortfalls"]}
    expect(set(left) == {"dpi", "option policy_in", "option enable", "virtual networks"}, f"{left}")
    expect(left["option enable"]["command"] == "pvesh set /cluster/firewall/options --enable 1", left)
    expect(left["virtual networks"]["command"] == "pvesh set /cluster/sdn", left)
    expect(list(left).index("option policy_in") < list(left).index("option enable"), "the switch is not the last")
    expect(report["differences"] == [], report["differences"])
    here, there = source.pve, target.pve
    expect(there.pools["dpi"]["comment"] == "patient files", there.pools)
    expect(there.access.roles["Ward"] == {"VM.Audit", "VM.Console"}, there.access.roles.keys())
    grants = [entry for entry in there.access.acl if entry["ugid"] in ("nurse@pve", "clinic")]
    expect(sorted((e["path"], e["roleid"], e["propagate"]) for e in grants)
           == [("/pool/dpi", "PVEVMUser", 1), ("/vms/100", "Ward", 0)], grants)
    one, other = here.state.firewall("cluster"), there.state.firewall("cluster")
    expect(other["aliases"]["ward"] == one["aliases"]["ward"], f"{other['aliases']}")
    expect(other["groups"]["inner"]["rules"] == one["groups"]["inner"]["rules"], f"{other['groups']}")
    expect(other["rules"] == one["rules"], f"{other['rules']}")
    members = lambda firewall: {cidr: bool(values.get("nomatch")) for cidr, values in firewall["ipset"]["staff"]["members"].items()}
    expect(members(one) == members(other), f"{other['ipset']}")
    expect(not other["options"].get("enable"), "the firewall was switched on")
    expect(there.storages["scans"].values["is_mountpoint"] == "1" and there.storages["imaging"].kind == "nfs", "storages")
    expect(there.state.collections["sdn/vnets/vnet1/subnets"]["inner-10.9.0.0-24"]["gateway"] == "10.9.0.1", "subnets")
    lines = [line.split()[1].removeprefix("/api2/json") for line in writes(target) if "firewall" in line]
    order = ["aliases", "ipset", "ipset/staff", "groups", "groups/inner", "rules"]
    places = [order.index(line.removeprefix("/cluster/firewall/")) for line in lines]
    expect(places == sorted(places), f"made in another order: {lines}")
    count = len(writes(target))
    run(world, target, "apply: true", status=2)
    expect(len(writes(target)) == count, f"the second time makes {writes(target)[count:]}")


def other_objects_stay(world):
    """What the target has, and otherwise, is told, however deep the difference lies, and left as it is."""
    furnished(world)

    def members(firewall):
        del firewall["ipset"]["staff"]["members"]["10.1.2.7"]

    def more_members(firewall):
        firewall["ipset"]["staff"]["members"]["0.0.0.0/0"] = {}

    def rules_of_group(firewall):
        del firewall["groups"]["inner"]["rules"][0]

    def order(firewall):
        firewall["rules"].reverse()

    def switched(firewall):
        firewall["rules"][2]["enable"] = 0

    target = target_of(world)
    run(world, target, "apply: true", status=2)
    for change, words in ((members, "ipset staff"), (more_members, "ipset staff"), (rules_of_group, "security group inner"),
                          (order, "rules of the cluster"), (switched, "rules of the cluster")):
        firewall = target.pve.state.firewall("cluster")
        kept = json.dumps(firewall)
        change(firewall)
        before = len(writes(target))
        _, report, _ = run(world, target, "apply: true", status=2, parts="cluster: [ firewall ]")
        told = [one["object"] for one in report["shortfalls"] if "otherwise" in one["what"]]
        expect(told == [words], f"{change.__name__}: {report['shortfalls']}")
        expect(len(writes(target)) == before, f"{change.__name__}: {writes(target)[before:]}")
        firewall.clear()
        firewall.update(json.loads(kept))
    target.pve.access.grant("/vms/100", "nurse@pve", "Ward", propagate=1)
    target.pve.access.roles["Ward"].add("VM.PowerMgmt")
    target.pve.storages["imaging"].values["export"] = "/other"
    target.pve.state.collections["sdn/vnets/vnet1/subnets"]["inner-10.9.0.0-24"]["gateway"] = "10.9.0.2"
    _, report, _ = run(world, target, "apply: true", status=2)
    told = {one["object"] for one in report["shortfalls"] if "otherwise" in one["what"]}
    expect(told == {"/vms/100 nurse@pve Ward", "Ward", "imaging", "vnet1 10.9.0.0/24"}, told)


def interrupted_in_the_middle(world):
    """Killed between two calls, wherever: the same command completes what it has begun."""
    furnished(world)
    for pattern, number in ((r"POST .*/firewall/ipset/staff", 2), (r"POST .*/groups/inner", 2), (r"POST .*/firewall/rules", 3),
                            (r"POST .*/firewall/rules", 1), (r"POST .*/sdn/vnets", 1), (r"PUT .*/access/acl", 2)):
        target = target_of(world)
        world.remove("work")
        reached = threading.Event()
        count = [0]

        def stop(line):
            count[0] += 1
            if count[0] == number:
                reached.set()
                time.sleep(2)
        target.pve.faults.before(pattern, stop, times=99)
        plan = world.import_to("i.yaml", target, [PARTS, "apply: true"])
        process = world.start("import", world.at("out"), plan, "--work", world.at("work"), env=target.environment)
        expect(reached.wait(60), f"{pattern} was not reached")
        process.kill()
        process.wait()
        process.stderr.close()
        target.pve.faults.before_calls.clear()
        # The call that was under way may still come to its end.
        time.sleep(2.5)
        _, report, _ = run(world, target, "apply: true", status=2, keep=True)
        left = {one["object"] for one in report["shortfalls"]}
        expect(left == {"dpi", "option policy_in", "option enable", "virtual networks"} - (
            {"virtual networks"} if "virtual networks" not in left else set()), f"{pattern}: {left}")
        firewall = target.pve.state.firewall("cluster")
        expect(len(firewall["ipset"]["staff"]["members"]) == 3, f"{pattern}: {firewall['ipset']}")
        expect([rule["action"] for rule in firewall["groups"]["inner"]["rules"]] == ["ACCEPT", "ACCEPT", "DROP"], f"{pattern}")
        expect([rule["action"] for rule in firewall["rules"]] == ["inner", "ACCEPT", "DROP"], f"{pattern}: {firewall['rules']}")
        world.clusters.pop().close()


def refused_by_the_server(world):
    """A call that is refused is told, and nothing is put above a rule that is missing."""
    furnished(world)
    target = target_of(world)
    calls = [0]

    def second(line):
        calls[0] += 1
        if calls[0] == 2:
            from pve_simulator.errors import Refused
            raise Refused(500, "the disk of the node is full")
    target.pve.faults.before(r"POST .*/firewall/rules", second, times=9)
    _, report, _ = run(world, target, "apply: true", status=2)
    told = [one["what"] for one in report["shortfalls"] if one["object"] == "rules of the cluster"]
    expect(len(told) == 2 and "the disk of the node is full" in told[0] and "not made" in told[1], told)
    expect([rule["action"] for rule in target.pve.state.firewall("cluster")["rules"]] == ["DROP"], "other rules")
    # Of a later import this is another cluster's firewall; the report says so.
    _, report, _ = run(world, target, "apply: true", status=2)
    expect(any(one["object"] == "rules of the cluster" for one in report["shortfalls"]), report["shortfalls"])


def changed_behind_our_back(world):
    """What is not there any more when it is read again is no success."""
    furnished(world)
    target = target_of(world)
    target.pve.faults.before(r"POST .*/sdn/zones", lambda line: target.pve.state.firewall("cluster")["groups"]["inner"]["rules"].pop())
    _, report, _ = run(world, target, "apply: true", status=3)
    expect([one["object"] for one in report["differences"]] == ["security group inner"], report["differences"])


def rights_are_asked_for_first(world):
    """Nothing is made where a right is missing; what is told grants just that."""
    furnished(world)
    target = target_of(world)
    target.token = target.pve.add_token("little@pve", "t", "Little", ["Datastore.Audit"])
    told = []
    for _ in range(3):
        result, _, text = run(world, target, "apply: true", status=None)
        lines = [line.strip() for line in text.splitlines() if line.strip().startswith("pveum")]
        if not lines:
            break
        expect(result.status == 1 and not writes(target), f"{result.status} {writes(target)}")
        told += lines
        apply_pveum(target, lines)
    expect(result.status == 2, text)
    expect(any("/access/realm/pve" in line for line in told) and any("'little@pve!t'" in line for line in told), told)
    held = {path: set(target.pve.access.privileges("little@pve!t", path)) for path in ("/", "/access", "/storage", "/sdn", "/pool/dpi")}
    expect("Permissions.Modify" not in held["/"] and "Sys.Modify" in held["/"] and "SDN.Allocate" not in held["/"], held)
    # Without a right to see, objects would look as if they were missing.
    target.token = target.pve.add_token("blind@pve", "t", "Blind", ["Datastore.Audit"])
    result, _, text = run(world, target, status=1)
    expect("Pool.Audit" in text and "SDN.Audit" in text and "Sys.Audit" in text, text)


def others_are_told(world):
    """Tokens, accounts of the nodes and storages of other kinds are for a person; tokens are always to be issued anew."""
    source = furnished(world)
    source.pve.access.add_user("operator@pam")
    source.pve.access.grant("/", "exeat@pve!export", "PVEAuditor")
    source.pve.add_storage("pool1", "zfspool", content="images", pool="tank")
    world.remove("out")
    exported(world, "out", world.export_of("p.yaml", source, [ACCEPT], transport=[]), source)
    target = target_of(world)
    _, report, _ = run(world, target, "apply: true", status=2, parts="cluster: [ roles, groups, users, acl, storages ]")
    left = {one["object"]: one.get("command") for one in report["shortfalls"]}
    expect(left.get("operator@pam") == "pveum user add operator@pam" and "pool1" in left, left)
    told = {one["object"]: one.get("command") for one in report["remarks"]}
    command = told.get("/ exeat@pve!export PVEAuditor") or ""
    expect(command == "pveum acl modify / --tokens 'exeat@pve!export' --roles PVEAuditor --propagate 1", told)


def not_in_the_archive(world):
    """What the export was not allowed to see must not count as empty, in a dry run neither."""
    source = furnished(world)
    source.token = source.pve.add_token("part@pve", "t", "Part", ["Sys.Audit", "Datastore.Audit", "Pool.Audit", "SDN.Audit", "Mapping.Audit"])
    for path in ("ipset/staff", "groups/inner", "rules", "aliases"):
        source.pve.faults.refuse(rf"GET {BASE}/{path}$", 403, "Permission check failed (/, Sys.Audit)", times=9)
    world.remove("out")
    exported(world, "out", world.export_of("p.yaml", source, [ACCEPT], transport=[]), source)
    target = target_of(world)
    wanted = {f"/cluster/firewall/{path}" for path in ("ipset/staff", "groups/inner", "rules", "aliases")}
    for settings in ([], ["apply: true"]):
        _, report, _ = run(world, target, *settings, status=2, parts="cluster: [ firewall ]")
        told = {one["object"] for one in report["shortfalls"] if "not in the archive" in one["what"]}
        expect(told == wanted, report["shortfalls"])
    firewall = target.pve.state.firewall("cluster")
    expect("staff" not in firewall["ipset"] and "inner" not in firewall["groups"], f"made empty: {firewall}")
    expect("blocked" in firewall["ipset"] and "web" in firewall["groups"], f"taken away: {firewall}")


def pools_in_pools(world):
    """Pools in pools (8.1 and later) are archived with their members, and made behind the outer ones."""
    world.remove("out")
    source = world.cluster("source", guests=False)
    for name in ("dpi/rad/old", "dpi/rad", "dpi"):
        source.pve.pools[name] = {"comment": f"of {name}", "vms": set(), "storage": set()}
    source.pve.make_vm(110, name="deep", pool="dpi/rad", disks={"scsi0": {"size": 1 << 20}})
    source.pve.pools["dpi/rad"]["storage"].add("export")
    exported(world, "out", world.export_of("p.yaml", source, ["guests: [ pool/dpi/rad ]", ACCEPT]), source)
    [path] = [path for name, path in extracted(world, "out").items() if name.endswith("cluster.jsonl") or "cluster" in name
              and name.endswith(".jsonl")]
    documents = {one["path"]: one for one in map(json.loads, open(path))}
    members = [one["id"] for one in documents["/pools/dpi/rad"]["data"]["members"]]
    expect(members == ["qemu/110", "storage/pve1/export"], documents["/pools/dpi/rad"])
    expect(documents["/pools/dpi"]["data"].keys() == documents["/pools/dpi/rad"]["data"].keys(), "of another form")
    # A server lists them in an order of its own.
    target = target_of(world)
    target.pve.pools["dpi"] = {"comment": "of dpi", "vms": set(), "storage": set()}
    settings = ["apply: true", "upload-storage: local", *target.directory()]
    os.makedirs(os.path.join(target.storage("export"), "dump"), exist_ok=True)
    _, report, _ = run(world, target, *settings, status=2, parts="cluster: [ pools ]")
    [left] = report["shortfalls"]
    expect(left["command"] == "pvesh set /pools --poolid dpi/rad --storage export", left)
    expect(target.pve.pools["dpi/rad/old"]["comment"] == "of dpi/rad/old", target.pve.pools)
    expect(110 in target.pve.pools["dpi/rad"]["vms"], target.pve.pools)
    target.pve.pools["dpi/rad"]["storage"].add("export")
    target.pve.guests[110].destroy()
    run(world, target, *settings, parts="cluster: [ pools ]")


suite = ClusterSuite()
suite.case("told, then made", told_then_made)
suite.case("other objects stay", other_objects_stay)
suite.case("interrupted in the middle", interrupted_in_the_middle)
suite.case("refused by the server", refused_by_the_server)
suite.case("changed behind our back", changed_behind_our_back)
suite.case("rights are asked for first", rights_are_asked_for_first)
suite.case("others are told", others_are_told)
suite.case("not in the archive", not_in_the_archive)
suite.case("pools in pools", pools_in_pools)
suite.finish()
