#!/usr/bin/env python3
"""Who may do what: certificates, tokens, privileges, log-ins."""
from proxmox_faults_kit import *


def wrong_fingerprint(world):
    cluster = fresh(world)
    server = [line if "fingerprint" not in line else "fingerprint: \"" + "AB:" * 31 + "AB\"" for line in cluster.server()]
    seen = len(cluster.pve.requests)
    refused(world, world.export_of("p.yaml", cluster, ONE, server=server), cluster, "fingerprint")
    expect(len(cluster.pve.requests) == seen, f"the server saw {cluster.pve.requests[seen:]}")
    goes_on(world, world.export_of("p.yaml", cluster, ONE), cluster, {101: ["scsi0"]})


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


def import_rights(world):
    """An account without any right learns in one go what an import takes, and with just that it ends well."""
    cluster = fresh(world)
    guest = cluster.pve.guests[100]
    guest.change(startup="order=2,up=30", hostpci0="mapping=gpu,pcie=1")
    archive(world, cluster)
    for separated in (1, 0):
        user = f"little{separated}@pve"
        cluster.pve.access.add_user(user)
        cluster.token = cluster.pve.access.add_token(user, "t", privsep=separated)
        world.remove("work")
        plan = world.import_to("i.yaml", cluster, IMPORT + cluster.directory())
        done = lambda: world.run("import", world.at("out"), plan, "--work", world.at("work"), env=cluster.environment, timeout=300)
        before = cluster.snapshot()
        result = done()
        lines = [line.strip() for line in result.err.splitlines() if line.strip().startswith("pveum")]
        expect(result.status == 1 and lines and before == cluster.snapshot(), f"{result.status} {result.err}")
        expect(any("--tokens" in line for line in lines) == bool(separated), lines)
        expect(any("--users" in line for line in lines), lines)
        apply_pveum(cluster, lines)
        token = cluster.token.split("=")[0]
        held = cluster.pve.access.privileges(token, "/")
        expect(set(held) == {"Sys.Modify"}, f"on /: {held}")
        expect("Mapping.Use" in cluster.pve.access.privileges(token, "/mapping/pci/gpu"), lines)
        # Uploads cannot be removed without Datastore.Allocate: they are left, and listed.
        result = done()
        expect(result.status == 2, f"import ended with {result.status}: {result.err} {result.out.decode()}")
        report = json.load(open(world.at("work/report.json")))["sources"][0]
        expect(all("upload that could not be removed" in one["what"] for one in report["shortfalls"]), report["shortfalls"])
        for vmid in (1100, 1101, 1200):
            cluster.pve.guests.pop(vmid).destroy()
        for folder in ("import", "template/cache"):
            shutil.rmtree(os.path.join(cluster.storage("local"), folder))


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
suite.case("expired token", expired_token)
suite.case("missing privilege", missing_privilege)
suite.case("rights of an import", import_rights)
suite.case("with a ticket", ticket)
suite.case("with a ticket that runs out", ticket, 4)
suite.case("with a second factor", second_factor)
suite.finish()
