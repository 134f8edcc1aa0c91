#!/usr/bin/env python3
"""Who may do what: certificates, tokens, privileges, log-ins."""
import socket
import threading

from proxmox_faults_kit import *


def wrong_fingerprint(world):
    cluster = fresh(world)
    server = [line if "fingerprint" not in line else "fingerprint: \"" + "AB:" * 31 + "AB\"" for line in cluster.server()]
    seen = len(cluster.pve.requests)
    refused(world, world.export_of("p.yaml", cluster, ONE, server=server), cluster, "fingerprint")
    expect(len(cluster.pve.requests) == seen, f"the server saw {cluster.pve.requests[seen:]}")
    goes_on(world, world.export_of("p.yaml", cluster, ONE), cluster, {101: ["scsi0"]})


class Tunnel(threading.Thread):
    """A proxy for CONNECT alone, which notes where it was asked to go."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listening, self.asked = socket.create_server(("127.0.0.1", 0)), []
        self.address = f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def run(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(4096)
            if not piece:
                return client.close()
            head += piece
        method, place = head.split()[:2]
        self.asked.append((method.decode(), place.decode()))
        host, port = place.decode().rsplit(":", 1)
        server = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=self.pump, args=(server, client), daemon=True).start()
        self.pump(client, server)

    @staticmethod
    def pump(source, target):
        try:
            while piece := source.recv(1 << 16):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def through_a_proxy(world):
    """All calls go through it; one that is not there, or is written wrongly, is told before anything."""
    cluster = fresh(world)
    tunnel = Tunnel()
    tunnel.start()
    plan = world.export_of("p.yaml", cluster, ONE, server=[*cluster.server(), f"proxy: {tunnel.address}"])
    goes_on(world, plan, cluster, {101: ["scsi0"]})
    place = cluster.pve.url.removeprefix("https://")
    expect(tunnel.asked and set(tunnel.asked) == {("CONNECT", place)}, f"{tunnel.asked}")
    tunnel.listening.close()
    world.remove("out")
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        gone = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    refused(world, world.export_of("p.yaml", cluster, ONE, server=[*cluster.server(), f"proxy: {gone}"]), cluster, "proxy")
    for wrong in ("127.0.0.1:3128", "https://127.0.0.1:3128", "http://us:er@127.0.0.1:3128", "http://"):
        plan = world.export_of("p.yaml", cluster, ONE, server=[*cluster.server(), f"proxy: \"{wrong}\""])
        result = world.run("plan", plan, env=cluster.environment)
        expect(result.status == 1 and "p.yaml:9:" in result.err and "https_proxy" in result.err, f"{result}")


def expired_token(world):
    cluster = fresh(world)
    cluster.pve.expire_token("exeat@pve", "export")
    plan = world.export_of("p.yaml", cluster, ONE)
    refused(world, plan, cluster, "exeat@pve!export", "expired")
    cluster.pve.access.tokens["exeat@pve"]["export"]["expire"] = 0
    goes_on(world, plan, cluster, {101: ["scsi0"]})


def missing_privilege(world):
    cluster = fresh(world)
    cluster.token = cluster.pve.add_token("little@pve", "t", "Little", ["VM.Audit", "Sys.Audit", "Datastore.Audit"])
    plan = world.export_of("p.yaml", cluster, ONE)
    text = refused(world, plan, cluster, "VM.Backup", "Datastore.AllocateSpace", "pveum")
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("pveum")]
    expect(lines, "no commands are told")
    apply_pveum(cluster, lines)
    goes_on(world, plan, cluster, {101: ["scsi0"]})


def with_password(cluster, totp=None):
    lines = [line for line in cluster.server() if "token" not in line] + ["user: root@pam", "password: \"${env:PVE_PASSWORD}\""]
    return lines + (["totp: \"${env:PVE_TOTP}\""] if totp else [])


def ticket(world, life=None):
    """With user and password, where a ticket is fetched and writes bear a token against forgery; also when it
    is refused in the middle."""
    cluster = fresh(world)
    from pve_simulator import access
    usual, access.TICKET_LIFE = access.TICKET_LIFE, life or access.TICKET_LIFE
    try:
        cluster.pve.faults.backup_pause = 1.5 if life else 0
        plan = world.export_of("p.yaml", cluster, ONE, server=with_password(cluster))
        result = world.run("export", plan, "--output", world.at("out"), env={"PVE_PASSWORD": cluster.pve.root_password})
    finally:
        access.TICKET_LIFE = usual
    expect(result.status == 0, f"{result.status} {result.err}")
    expect(cluster.pve.root_password not in result.err + result.out.decode(), "the password is told")
    logins = len(cluster.requests("POST /api2/json/access/ticket"))
    expect((logins > 1) == bool(life), f"{logins} log-ins")
    disks_equal(world, "out", cluster, {101: ["scsi0"]})


def colons_out_of_place(world):
    """Said with its place in the plan, before anybody is asked."""
    cluster = fresh(world)
    right = cluster.pve.fingerprint
    seen = len(cluster.pve.requests)
    for wrong in (right[:3] + right[4:], right.replace(":", "", 3), right[1:2] + ":" + right.replace(":", ""), right + ":"):
        server = [line if "fingerprint" not in line else f"fingerprint: \"{wrong}\"" for line in cluster.server()]
        plan = world.export_of("p.yaml", cluster, ONE, server=server)
        place = next(f"p.yaml:{number}:{line.index(chr(34)) + 1}" for number, line in enumerate(open(plan), 1) if "fingerprint" in line)
        for command in (["plan", plan], ["export", plan, "--output", world.at("out")]):
            result = world.run(*command, env=cluster.environment)
            expect(result.status == 1 and place in result.err and "colons" in result.err, f"{place} {result}")
    expect(len(cluster.pve.requests) == seen and not os.path.exists(world.at("out")), "the server was asked")


def second_factor_of_7_4(world):
    """That version asks for the second factor in another form unless it is told otherwise."""
    cluster = fresh(world, version="7.4")
    secret = "JBSWY3DPEHPK3PXP"
    cluster.pve.access.totp["root@pam"] = secret
    plan = world.export_of("p.yaml", cluster, ONE, server=with_password(cluster, secret))
    result = world.run("export", plan, "--output", world.at("out"),
                       env={"PVE_PASSWORD": cluster.pve.root_password, "PVE_TOTP": secret})
    expect(result.status == 0, f"{result.status} {result.err}")
    logins = len(cluster.requests("POST /api2/json/access/ticket"))
    expect(logins in (2, 4), f"{logins} calls to log in")
    expect(secret not in result.err and cluster.pve.root_password not in result.err, "a secret is told")
    expect(cluster.backups() == [], f"left: {cluster.backups()}")
    disks_equal(world, "out", cluster, {101: ["scsi0"]})


def second_factor(world):
    """A code counts once: one log-in serves a whole run, and the next run waits for the next code."""
    cluster = fresh(world)
    secret = "JBSWY3DPEHPK3PXP"
    cluster.pve.access.totp["root@pam"] = secret
    environment = {"PVE_PASSWORD": cluster.pve.root_password, "PVE_TOTP": secret}
    plan = world.export_of("p.yaml", cluster, ALL, server=with_password(cluster, secret))
    for command in (["plan", plan], ["export", plan, "--output", world.at("out")]):
        before = len(cluster.requests("POST /api2/json/access/ticket"))
        result = world.run(*command, env=environment)
        expect(result.status == 0, f"{command[0]}: {result.status} {result.err}")
        logins = len(cluster.requests("POST /api2/json/access/ticket")) - before
        expect(logins in (2, 4), f"{command[0]}: {logins} calls to log in")
    importing = world.import_to("i.yaml", cluster, IMPORT + cluster.directory(), server=with_password(cluster, secret))
    result = world.run("import", world.at("out"), importing, "--work", world.at("work"), env=environment, timeout=300)
    expect(result.status == 0, f"import: {result.status} {result.err} {result.out.decode()}")
    # A wrong secret stays wrong, and is not tried for ever.
    before = len(cluster.requests("POST /api2/json/access/ticket"))
    world.remove("out")
    result = world.run("export", plan, "--output", world.at("out"), env={**environment, "PVE_TOTP": "A" * 16})
    expect(result.status == 1 and "second factor" in result.err, f"{result.status} {result.err}")
    expect(len(cluster.requests("POST /api2/json/access/ticket")) - before == 4, "it was tried for ever")
    expect(secret not in result.err and "A" * 16 not in result.err, "the secret is told")


suite = ClusterSuite()
suite.case("wrong fingerprint", wrong_fingerprint)
suite.case("colons out of place", colons_out_of_place)
suite.case("through a proxy", through_a_proxy)
suite.case("expired token", expired_token)
suite.case("missing privilege", missing_privilege)
suite.case("with a ticket", ticket)
suite.case("with a ticket that runs out", ticket, 4)
suite.case("with a second factor", second_factor)
suite.case("with a second factor of 7.4", second_factor_of_7_4)
suite.finish()
