#!/usr/bin/env python3
"""Holds the simulator of Proxmox VE against what is known of the real one, by raw HTTP."""
import hashlib
import http.client
import json
import os
import random
import socket
import ssl
import subprocess
import tarfile
import time
import urllib.parse

from pve_simulator import SchemaMissing, Simulator
from pve_simulator.access import totp
from pve_simulator.sample import fill
from pve_simulator.vma import Reader
from pve_simulator.schema import find_schema
from support import Cases, Skipped, scratch

cases = Cases()


def raw(pve, verb, path, headers=(), body=None, node=None):
    url = urllib.parse.urlsplit(pve.url_of(node or pve.nodes[0]))
    link = http.client.HTTPSConnection(url.hostname, url.port, timeout=30,
                                       context=ssl.create_default_context(cafile=pve.ca))
    try:
        link.request(verb, "/api2/json" + path, body, dict(headers))
        answer = link.getresponse()
        data = answer.read()
        return answer.status, answer.reason, json.loads(data) if data else {}
    finally:
        link.close()


def call(pve, token, verb, path, **values):
    headers = {"Authorization": f"PVEAPIToken={token}"}
    body = None
    if verb != "GET":
        body = urllib.parse.urlencode({key.replace("__", "-"): value for key, value in values.items()})
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    return raw(pve, verb, path, headers, body)


def done(pve, answer):
    assert answer[0] == 200, answer
    task = pve.tasks.all[answer[2]["data"]]
    task.wait(60)
    return task


def expect(answer, status, text=""):
    assert answer[0] == status and text in answer[1] + json.dumps(answer[2]), answer


def upload(pve, token, parts, headers=(), path="/nodes/pve1/storage/local/upload"):
    boundary, body = "mark", b""
    for name, value, file in parts:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        body += (f'; filename="{file}"\r\nContent-Type: application/octet-stream' if file else "").encode()
        body += b"\r\n\r\n" + value + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return raw(pve, "POST", path, {"Authorization": f"PVEAPIToken={token}", **dict(headers),
                                   "Content-Type": f"multipart/form-data; boundary={boundary}"}, body)


def backup(pve, token, vmid, **options):
    return done(pve, call(pve, token, "POST", "/nodes/pve1/vzdump", vmid=vmid, **{"storage": "export", "remove": 0, **options}))


def newest(pve, vmid):
    found = [one for one in pve.storages["export"].volumes("pve1", "backup") if one.get("vmid") == vmid]
    return max(found, key=lambda one: one["volid"])["volid"]


def authentication(pve, token, admin):
    expect(raw(pve, "GET", "/version"), 401, "No ticket")
    began = time.monotonic()
    expect(call(pve, token + "x", "GET", "/version"), 401, "invalid token value")
    assert time.monotonic() - began >= pve.delay
    expect(call(pve, token, "GET", "/version"), 200, pve.release)
    pve.access.totp["root@pam"] = "JBSWY3DPEHPK3PXP"
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    def login(**values):
        return raw(pve, "POST", "/access/ticket", form, urllib.parse.urlencode(values))
    expect(login(username="root@pam", password="wrong"), 401, "authentication failure")

    def second_factor(**form_of_challenge):
        first = login(username="root@pam", password=pve.root_password, **form_of_challenge)[2]["data"]
        assert first["NeedTFA"] == 1
        return login(**{"username": "root@pam", "tfa-challenge": first["ticket"],
                        "password": "totp:" + totp("JBSWY3DPEHPK3PXP")})
    if pve.version == "7.4":
        # Unasked, it gives the older form of the challenge.
        expect(second_factor(), 401, "authentication failure")
    answer = second_factor(**{"new-format": "1"})
    expect(answer, 200)
    del pve.access.totp["root@pam"]
    ticket, csrf = answer[2]["data"]["ticket"], answer[2]["data"]["CSRFPreventionToken"]
    cookie = {"Cookie": "PVEAuthCookie=" + ticket}
    expect(raw(pve, "GET", "/nodes", cookie), 200)
    expect(raw(pve, "POST", "/pools", {**cookie, **form}, "poolid=tickets"), 401, "csrf")
    expect(raw(pve, "POST", "/pools", {**cookie, **form, "CSRFPreventionToken": csrf}, "poolid=tickets"), 200)
    expect(login(username="root@pam", password=ticket), 200)
    old = pve.access.ticket("root@pam", at=time.time() - 7300)
    expect(raw(pve, "GET", "/nodes", {"Cookie": "PVEAuthCookie=" + old}), 401, "invalid PVE ticket")


def rights(pve, token, admin):
    root = pve.access.add_token("root@pam", "t", privsep=0)
    where = "/nodes/pve1/vzdump"
    expect(call(pve, root, "POST", where, vmid=100, dumpdir="/tmp"), 400, "Only root may set this option.")
    expect(call(pve, root, "PUT", "/nodes/pve1/qemu/100/config", args="-x"), 500, "only root can set 'args' config")
    expect(call(pve, root, "POST", "/nodes/pve1/qemu", vmid=300, archive="/x.vma"), 500,
           "Only root can pass arbitrary filesystem paths")
    for option in ({"bwlimit": 1}, {"ionice": 1}, {"prune__backups": "keep-last=1"}):
        expect(call(pve, token, "POST", where, vmid=100, storage="export", **option), 403)
    bare = pve.access.add_token("exeat@pve", "bare", privsep=1)
    assert call(pve, bare, "GET", "/nodes/pve1/qemu")[2]["data"] == []
    expect(call(pve, bare, "GET", "/nodes/pve1/qemu/100/config"), 403, "VM.Audit")
    pve.expire_token("exeat@pve", "bare")
    expect(call(pve, bare, "GET", "/version"), 401, "expired")


def quirks(pve, token, admin):
    expect(call(pve, token, "GET", "/nodes/pve1/qemu/999/config"), 500, "does not exist")
    expect(call(pve, token, "GET", "/no/such"), 501)
    answer = call(pve, token, "GET", "/nodes/pve1/qemu/999/config")
    assert ("message" in answer[2]) == (pve.version != "7.4"), answer
    expect(call(pve, token, "GET", "/nodes/pve1/qemu/100/config"), 200, "**********")
    pve.make_vm(150, node="pve2", disks={"scsi0": {"size": 1 << 20}})
    assert call(pve, token, "POST", "/nodes/pve1/vzdump", vmid=150, storage="export")[2]["data"] == "OK"
    expect(raw(pve, "POST", "/nodes/pve1/vzdump", {"Authorization": "PVEAPIToken=" + token,
                                                   "Transfer-Encoding": "chunked"}), 501, "chunked")
    pve.faults.node_down("pve2")
    expect(call(pve, token, "GET", "/nodes/pve2/qemu/150/config"), 595)
    pve.faults.node_up("pve2")
    status = call(pve, token, "GET", "/cluster/ha/groups")
    expect(status, *((500, "migrated to rules") if pve.version == "9.2" else (200,)))
    expect(call(pve, token, "GET", "/cluster/ha/rules"), 200 if pve.version == "9.2" else 501)


def invalid_parameters(pve, token, admin):
    """Every method that takes no path parameter but the node's refuses what the schema does not know."""
    with open(find_schema(pve.version)) as file:
        methods = json.load(file)["methods"]
    chance, tried = random.Random(3), 0
    for method in chance.sample(methods, len(methods)):
        properties = method["parameters"].get("properties") or {}
        path = method["path"].replace("{node}", "pve1")
        if "{" in path or not method["allowtoken"] or method["parameters"].get("additionalProperties", 1):
            continue
        query = "?no-such-parameter=1" if method["method"] == "GET" else ""
        answer = call(pve, admin, method["method"], path + query, **({} if query else {"no-such-parameter": 1}))
        expect(answer, 400, "no-such-parameter")
        for name, definition in properties.items():
            if definition.get("type") == "integer" and name != "node" and "[n]" not in name:
                values = {name: "seven"}
                answer = call(pve, admin, method["method"], path + (
                    "?" + urllib.parse.urlencode(values) if query else ""), **({} if query else values))
                expect(answer, 400, name)
                tried += 1
        tried += 1
    assert tried > 100, tried


def machine_backup(pve, token, admin):
    task = backup(pve, token, 100, compress="zstd", notes__template="run {{guestname}}")
    assert task.exit == "OK" and any(line.startswith("INFO: creating vzdump archive '") for line in task.lines)
    assert "lock" not in pve.guests[100].config().values
    volid = newest(pve, 100)
    path = pve.guests[100].resolve(volid)
    assert not [name for name in os.listdir(os.path.dirname(path)) if name.endswith(".dat")]
    with pve.opened(path) as file:
        config = Reader(file).configs["qemu-server.conf"].decode()
    assert "cipassword: cloud-secret" in config and "#qmdump#map:scsi0:drive-scsi0:local-lvm:raw:" in config
    expect(call(pve, token, "GET", f"/nodes/pve1/vzdump/extractconfig?volume={volid}"), 200, "cloud-secret")
    assert done(pve, call(pve, admin, "POST", "/nodes/pve1/qemu", vmid=400, archive=volid, storage="local-lvm",
                          unique=1)).exit == "OK"
    for key in ("scsi0", "virtio1"):
        done_ = subprocess.run(["qemu-img", "compare", "-q", pve.guests[100].disk_path(key), pve.guests[400].disk_path(key)])
        assert done_.returncode == 0, key
    assert pve.guests[400].config().values["net0"] != pve.guests[100].config().values["net0"]
    listed = [one for one in call(pve, token, "GET", "/nodes/pve1/storage/export/content?content=backup&vmid=100")[2]["data"]]
    assert listed[-1]["notes"] == "run dpi-db" and listed[-1]["format"] == "vma.zst", listed


def vectors(pve, token, admin):
    folder = find_schema(pve.version).parent
    with open(folder / "EXPECTED.txt") as file:
        expected = {line.split()[1]: line.split()[0] for line in file if line.strip() and line[0] != "#"}
    for name in ("real-writer-3disks.vma", "own-writer-shuffled.vma"):
        with scratch() as directory, open(folder / name, "rb") as file:
            reader = Reader(file)
            paths = {device: os.path.join(directory, device) for device, _ in reader.devices.values()}
            reader.extract(paths)
            for device, path in paths.items():
                with open(path, "rb") as disk:
                    assert hashlib.sha256(disk.read()).hexdigest() == expected[device], (name, device)


def container_backup(pve, token, admin):
    assert backup(pve, token, 200, compress="zstd").exit == "OK"
    volid = newest(pve, 200)
    with pve.opened(pve.guests[200].resolve(volid)) as file, tarfile.open(fileobj=file, mode="r|") as archive:
        names = [member.name for member in archive]
    assert names[:3] == ["./etc/vzdump/pct.conf", "./etc/vzdump/pct.fw", "."], names[:4]
    assert "./data/records" in names and "./scratch/junk" not in names
    assert done(pve, call(pve, admin, "POST", "/nodes/pve1/lxc", vmid=401, ostemplate=volid, restore=1,
                          storage="local-lvm")).exit == "OK"
    with open(os.path.join(pve.guests[401].disk_path("mp0"), "records"), "rb") as file:
        assert file.read() == b"kept\n"


def faults(pve, token, admin):
    pve.faults.storage_full("export", after=1000)
    task = backup(pve, token, 100)
    assert task.exit == "job errors" and "No space left" in "\n".join(task.lines)
    pve.faults.storage_roomy("export")
    pve.lock_guest(100)
    assert "VM is locked (migrate)" in "\n".join(backup(pve, token, 100).lines)
    pve.guests[100].change(lock=None)
    pve.faults.warnings = 2
    assert backup(pve, token, 100).exit == "WARNINGS: 2"
    pve.faults.kill_task()
    assert backup(pve, token, 100).exit == "unexpected status"
    assert pve.guests[100].config().values.pop("lock") == "backup"
    pve.guests[100].change(lock=None)
    pve.faults.truncate_backup = 100000
    backup(pve, token, 100)
    task = done(pve, call(pve, admin, "POST", "/nodes/pve1/qemu", vmid=402, archive=newest(pve, 100), storage="local-lvm"))
    assert "unable to restore VM 402" in task.exit and pve.guests[402].config().values == {"memory": "128"}, task.exit
    pve.faults.cut("GET .*/version", after=5)
    try:
        call(pve, token, "GET", "/version")
        raise AssertionError("the answer came whole")
    except http.client.IncompleteRead:
        pass
    old = pve.fingerprint
    pve.change_certificate()
    assert pve.fingerprint != old
    expect(call(pve, token, "GET", "/version"), 200)


def uploads(pve, token, admin):
    if pve.version == "7.4":
        raise Skipped("version 7 has no import content")
    data = os.urandom(4096)
    answer = upload(pve, admin, [("content", b"import", None), ("filename", data, "a b é.raw")])
    assert done(pve, answer).exit == "OK"
    assert os.path.exists(os.path.join(pve.storages["local"].path("pve1"), "import", "a_b__.raw"))
    expect(upload(pve, admin, [("filename", data, "x.raw")]), 400, "property is missing")
    expect(upload(pve, admin, [("content", b"import", None), ("file", data, "x.raw")]), 500, "wrong field name")
    expect(upload(pve, admin, [("content", b"backup", None), ("filename", data, "vzdump-qemu-1.vma")]), 400, "content")
    answer = upload(pve, admin, [("content", b"import", None), ("checksum-algorithm", b"sha256", None),
                                 ("checksum", b"0" * 64, None), ("filename", data, "x.raw")])
    assert "checksum mismatch" in done(pve, answer).exit
    try:
        answer = upload(pve, admin, [("content", b"import", None), ("checksum", b"0" * 64, None),
                                     ("checksum-algorithm", b"sha256", None), ("filename", data, "x.raw")])
        raise AssertionError(answer)
    except (http.client.HTTPException, ConnectionError, ssl.SSLError, socket.timeout):
        pass
    made = done(pve, call(pve, admin, "POST", "/nodes/pve1/qemu", vmid=403, scsi0="local-lvm:0,import-from=local:import/a_b__.raw"))
    assert made.exit == "OK", made.exit
    with open(pve.guests[403].disk_path("scsi0"), "rb") as file:
        assert file.read() == data
    expect(call(pve, admin, "POST", "/nodes/pve1/qemu", vmid=404, efidisk0="local-lvm:0,import-from=local:import/a_b__.raw"),
           400, "efitype")


def firewall_order(pve, token, admin):
    for port in ("1", "2"):
        expect(call(pve, admin, "POST", "/nodes/pve1/qemu/101/firewall/rules", type="in", action="ACCEPT", proto="tcp", dport=port), 200)
    rules = call(pve, token, "GET", "/nodes/pve1/qemu/101/firewall/rules")[2]["data"]
    assert [(rule["dport"], rule["enable"]) for rule in rules] == [("2", 0), ("1", 0)], rules


def transports(pve, token, admin):
    known = pve.ssh.description()
    options = ["-o", f"UserKnownHostsFile={known['known_hosts']}", "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes",
               "-o", "BatchMode=yes", "-o", f"Port={known['port']}"]
    host = f"{known['user']}@127.0.0.1"
    result = subprocess.run(["ssh", "-F", "none", "-i", known["root_key"], *options, host, "vzdump 100 --stdout --mode snapshot"],
                            capture_output=True, timeout=300)
    assert result.returncode == 0 and result.stdout[:4] == b"VMA\0" and b"Finished Backup" in result.stderr, result.stderr
    result = subprocess.run(["ssh", "-F", "none", "-i", known["root_key"], *options, host, "vzdump 999 --stdout"],
                            capture_output=True, timeout=300)
    assert result.returncode == 255 and b"ERROR: Backup of VM 999 failed" in result.stderr, result
    folder = pve.storages["export"].path("pve1")
    result = subprocess.run(["sftp", "-F", "none", "-i", known["sftp_key"], *options, "-b", "-", host],
                            input=f"ls {folder}/dump\nmkdir {folder}/no\n".encode(), capture_output=True, timeout=300)
    assert b".vma" in result.stdout and not os.path.exists(folder + "/no"), result


def suite(version):
    with scratch("pve-simulator-") as directory, \
            Simulator(directory, version, nodes=("pve1", "pve2"), delay=0.2) as pve:
        fill(pve)
        token, admin = pve.add_token(), pve.add_token("admin@pve", "all", role="Administrator")
        for test in (authentication, rights, quirks, invalid_parameters, machine_backup, vectors, container_backup, faults,
                     uploads, firewall_order, transports):
            with cases.case(f"{version}: {test.__name__.replace('_', ' ')}"):
                test(pve, token, admin)


for version in ("7.4", "8.4", "9.2"):
    try:
        suite(version)
    except SchemaMissing as missing:
        with cases.case(f"{version}: simulator"):
            raise Skipped(missing)
if not cases.passed and cases.skipped and not cases.failed:
    print(f"0 passed, 0 failed, {cases.skipped} skipped")
    raise SystemExit(0)
cases.finish()
