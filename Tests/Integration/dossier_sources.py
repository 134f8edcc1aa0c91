"""Sources of every kind with names of patients, people, hosts and tables planted where each kind can hold one.

Each function fills a place and gives back the lines of the export plan and of the import plan, and a function that changes what was
imported; or raises `Skipped` where what it needs is not there. What it started is closed by the `ExitStack` that it is given. `TARGET`
in what it gives back stands for the name of an import.
"""
import glob
import os
import pathlib
import shutil
import sys

from support import ROOT, Skipped, run, write

#: In names of objects and in contents, alone or as parts.
PLANTED = ["Zephirine", "Quatrebarbes", "kanotix-host", "patient_zzyzx", "vauquelin"]


def overwrites(target, pattern):
    """Changes the first file of such a name below a target, and not its length."""
    def spoil(name):
        found = sorted(glob.glob(f"{target.replace('TARGET', name)}/**/{pattern}", recursive=True))
        with open(found[0], "r+b") as file:
            file.write(b"otherwise")
    return spoil


def files(place, target, stack):
    tree = place("kanotix-host-share")
    os.makedirs(os.path.join(tree, "Quatrebarbes Zephirine"))
    write(os.path.join(tree, "Quatrebarbes Zephirine", "irm-patient_zzyzx.txt"), "Zephirine Quatrebarbes\n")
    os.mkfifo(os.path.join(tree, "vauquelin.pipe"))
    os.symlink("/srv/kanotix-host", os.path.join(tree, "link-vauquelin"))
    open(os.path.join(tree, "vauquelin.tmp"), "w").close()
    return (f"""{{ kind: files, path: {tree}, exclude: {{ paths: ["*.tmp"], reason: temporary }},
           declared: [ {{ category: shares, legal: exportable-data }},
                       {{ category: temporary files, objects: "*.tmp", exempt: {{ ground: internal, clause: "annex 1" }} }} ] }}""",
            f"{{ kind: files, path: {target} }}", overwrites(target, "irm-patient_zzyzx.txt"))


def postgresql(place, target, stack):
    if not shutil.which("setpriv") or not pathlib.Path("/usr/lib/postgresql").exists():
        raise Skipped("no PostgreSQL server is installed (Scripts/setup)")
    import postgresql_kit
    cluster = postgresql_kit.Cluster(place("pg"))
    stack.callback(cluster.close)
    for database, statement in [
            ("postgres", "CREATE ROLE patient_zzyzx"), ("postgres", "CREATE DATABASE vauquelin"),
            ("vauquelin", "CREATE SCHEMA quatrebarbes"), ("vauquelin", "CREATE TABLE \"patient_zzyzx\" (zephirine text)"),
            ("vauquelin", "INSERT INTO patient_zzyzx VALUES ('Zephirine Quatrebarbes')"),
            ("vauquelin", "CREATE MATERIALIZED VIEW quatrebarbes.zephirine AS SELECT 1 AS kanotix WITH NO DATA"),
            ("vauquelin", "ALTER TABLE patient_zzyzx OWNER TO patient_zzyzx")]:
        cluster.sql(database, statement)
    at = f"host={cluster.path} port={cluster.port} user=postgres"
    return (f'{{ kind: postgresql, connection: "{at} dbname=vauquelin" }}',
            f'{{ kind: postgresql, connection: "{at} dbname=quatrebarbes_TARGET", '
            f"map: {{ roles: {{ patient_zzyzx: zephirine }} }} }}",
            lambda name: cluster.sql(f"quatrebarbes_{name}", "DELETE FROM patient_zzyzx"))


def mariadb(place, target, stack):
    if not shutil.which("mariadbd"):
        raise Skipped("no MariaDB server is installed (Scripts/setup)")
    import mariadb_kit
    server = mariadb_kit.Server(place("mariadb"))
    stack.callback(server.close)
    server.sql("CREATE DATABASE vauquelin", "CREATE TABLE vauquelin.patient_zzyzx (zephirine VARCHAR(80) PRIMARY KEY)",
               "INSERT INTO vauquelin.patient_zzyzx VALUES ('Quatrebarbes')",
               "CREATE USER 'quatrebarbes'@'kanotix-host' IDENTIFIED BY 'x'",
               "GRANT SELECT ON vauquelin.patient_zzyzx TO 'quatrebarbes'@'kanotix-host'",
               "CREATE DEFINER='quatrebarbes'@'kanotix-host' SQL SECURITY INVOKER VIEW vauquelin.zephirine AS SELECT 1 AS one",
               "CREATE TABLE vauquelin.zephirine_archive (a INT) ENGINE=MEMORY")
    at = f"connection: {{ socket: {server.socket}, user: root }}"
    return (f"{{ kind: mariadb, {at}, databases: [ vauquelin ] }}",
            f"{{ kind: mariadb, {at}, map: {{ databases: {{ vauquelin: vauquelin_TARGET }}, "
            f"users: {{ \"quatrebarbes@kanotix-host\": \"zephirine@kanotix-host\" }} }} }}",
            lambda name: server.sql(f"DELETE FROM vauquelin_{name}.patient_zzyzx"))


def logs(place, target, stack):
    import journal_kit
    folder = place("logs-kanotix-host")
    os.makedirs(folder)
    write(os.path.join(folder, "vauquelin.log"), "2026-01-02T03:04:05Z kanotix-host Zephirine Quatrebarbes opened patient_zzyzx\n")
    write(os.path.join(folder, "Quatrebarbes.bin"), bytes(range(256)) * 8)
    journald = ""
    if journal_kit.REMOTE:
        machine, boot = journal_kit.identifier("m"), journal_kit.identifier("b")
        fields = [("MESSAGE", "Zephirine"), ("_HOSTNAME", "kanotix-host"), ("_SYSTEMD_UNIT", "vauquelin.service"),
                  ("SYSLOG_IDENTIFIER", "Quatrebarbes")]
        os.makedirs(place("journal", machine))
        journal_kit.make(place("journal", machine, "system.journal"),
                         [journal_kit.entry(machine, boot, 1_767_225_600_000_000 + n, 1000 + n, fields) for n in range(3)])
        write(place("journal", machine, "user-vauquelin.journal"), b"broken")
        journald = f", journald: {{ directory: {place('journal')} }}"
    return (f"{{ kind: logs, text: [ {folder}/* ]{journald} }}", f"{{ kind: logs, directory: {target} }}",
            overwrites(target, "vauquelin.log"))


def configs(place, target, stack):
    etc = place("etc-kanotix-host")
    os.makedirs(os.path.join(etc, "vauquelin.d"))
    write(os.path.join(etc, "hostname"), "kanotix-host\n")
    write(os.path.join(etc, "vauquelin.d", "Zephirine.conf"), "user = Quatrebarbes\npassword = patient_zzyzx-Zephirine\n")
    write(os.path.join(etc, "vauquelin.d", "Quatrebarbes.key"),
          "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHZhdXF1ZWxpbg==\n-----END PRIVATE KEY-----\n")
    return (f"{{ kind: configs, paths: [ {etc} ], secrets: omit }}", f"{{ kind: configs, directory: {target} }}",
            overwrites(target, "Zephirine.conf"))


def disks(place, target, stack):
    if not shutil.which("qemu-img") or not shutil.which("qemu-nbd"):
        raise Skipped("qemu-utils is not installed")
    with open(place("Zephirine-kanotix-host.raw"), "wb") as file:
        file.write(b"Quatrebarbes" * 1000)
        file.truncate(1 << 20)
    return (f"{{ kind: disks, images: {{ vauquelin: {place('Zephirine-kanotix-host.raw')} }} }}",
            f"{{ kind: directory, path: {target}, format: raw }}", overwrites(target, "*.raw"))


def proxmox(place, target, stack):
    for program in ("qemu-img", "zstd", "tar"):
        if not shutil.which(program):
            raise Skipped(f"{program} is not installed")
    sys.path.insert(0, str(ROOT / "Tests" / "Integration"))
    from pve_simulator import SchemaMissing, Simulator
    from pve_simulator.schema import find_schema
    try:
        find_schema("8.4")
    except SchemaMissing as missing:
        raise Skipped(f"the API schemas of Proxmox VE are not there: {missing}")
    pve = Simulator(place("pve"), "8.4", ("kanotix-host",), delay=0.1)
    pve.__enter__()
    stack.callback(pve.close)
    pve.access.groups["quatrebarbes"] = {"comment": "Zephirine"}
    pve.access.add_user("vauquelin@pve", "secret", groups=["quatrebarbes"], firstname="Zephirine", comment="Quatrebarbes")
    pve.access.grant("/pool/vauquelin", "@quatrebarbes", "PVEVMUser")
    pve.make_vm(100, name="zephirine-irm", pool="vauquelin", tags="quatrebarbes", description="patient_zzyzx",
                ciuser="vauquelin", cipassword="Quatrebarbes-Zephirine",
                disks={"scsi0": {"size": 1 << 20, "data": b"Quatrebarbes" * 9},
                       "scsi1": {"size": 1 << 20, "options": "backup=0"}})
    pve.make_container(200, name="vauquelin", files={"srv/Zephirine": b"Quatrebarbes"})
    token = pve.add_token()
    pve.state.write_files()
    os.environ["PVE_TOKEN"] = token
    mount = pve.storages["export"].path(pve.nodes[0])
    return (f"""{{ kind: proxmox, url: "{pve.url}", fingerprint: "{pve.fingerprint}", token: "${{env:PVE_TOKEN}}", guests: [ all ],
           transport: {{ directory: {{ storage: export, mount: {mount} }} }} }}""",
            f"{{ kind: directory, path: {target}, format: raw }}", overwrites(target, "*.raw"))


KINDS = {"share": files, "base": postgresql, "portail": mariadb, "journaux": logs, "systeme": configs, "images": disks,
         "hyperviseur": proxmox}
