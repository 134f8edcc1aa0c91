"""What the scripts about configurations share: machines made of files, plans, planted secrets."""
import json
import os
import subprocess

import jsonschema

from robustness_kit import *

# Values that must never be found in anything that is not encrypted.
PLANTED = {
    "hash": "$y$j9T$kZ3uRq7LxWvP0sTnB5yDe.$8mQ2hV6cJ4gF1aXoU9iKwE7rYtNzSbLpMdHqC3vGj5A",
    "password": "Kr0kodil-77-geheim",
    "token": "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "url": "s3hr-g3h31m",
    "key": "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW",
}
PRIVATE_KEY = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{PLANTED['key']}\n-----END OPENSSH PRIVATE KEY-----\n"
STATUS = """Package: {name}
Status: install ok installed
Architecture: amd64
Version: {version}
Description: a package

"""


def make_machine(root, *, hostname="alpha", packages=(("bash", "5.2-2"), ("nginx", "1.22-9"))):
    """The files of a small Debian machine below a directory."""
    def put(path, text, mode=0o644):
        path = os.path.join(root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        os.utime(path, (1_600_000_000, 1_600_000_000))

    put("etc/hostname", hostname + "\n")
    put("etc/hosts", "127.0.0.1 localhost\n192.0.2.7 db.example db\n")
    put("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nadm:x:1000:1000:Adm:/home/adm:/bin/bash\n")
    put("etc/group", "root:x:0:\nsudo:x:27:adm\nadm:x:1000:\n")
    put("etc/shadow", f"root:!:19700:0:99999:7:::\nadm:{PLANTED['hash']}:19700:0:99999:7:::\n", 0o640)
    put("etc/fstab", "UUID=1 / ext4 defaults 0 1\nUUID=2 none swap sw 0 0\n")
    put("etc/crontab", "SHELL=/bin/sh\n17 * * * * root run-parts /etc/cron.hourly\n")
    put("etc/cron.d/backup",
        f"5 1 * * * root PGPASSWORD={PLANTED['password']} pg_dump dpi > /srv/dpi.sql\n")
    put("etc/ssh/ssh_host_ed25519_key", PRIVATE_KEY, 0o600)
    put("etc/ssh/sshd_config", "Port 22\nPermitRootLogin no\nPasswordAuthentication no\n")
    put("etc/app/app.ini", f"[db]\nhost = db.example\nuser = app\npassword = {PLANTED['password']}\n")
    put("etc/app/app.env", f"GITHUB_TOKEN={PLANTED['token']}\nLEVEL=info\n")
    put("etc/app/plain.conf", "workers = 4\nlevel = info\n")
    put("etc/apt/sources.list", "deb http://deb.debian.org/debian bookworm main\n")
    put("etc/apt/sources.list.d/own.list",
        f"deb https://user:{PLANTED['url']}@apt.example/debian stable main\n")
    put("etc/systemd/system/app.service",
        "[Unit]\nDescription=App\n[Service]\nExecStart=/usr/bin/app\n"
        f"Environment=APP_PASSWORD={PLANTED['password']}\n[Install]\nWantedBy=multi-user.target\n")
    put("etc/systemd/system/nightly.timer",
        "[Timer]\nOnCalendar=*-*-* 03:00:00\n[Install]\nWantedBy=timers.target\n")
    for link, target in [("multi-user.target.wants/app.service", "/etc/systemd/system/app.service"),
                         ("noisy.service", "/dev/null")]:
        path = os.path.join(root, "etc/systemd/system", link)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)
    put("etc/sysctl.d/local.conf", "vm.swappiness = 10\n")
    put("etc/libvirt/qemu/web.xml",
        f"<domain type='kvm'>\n  <name>web</name>\n  <graphics type='vnc' passwd='{PLANTED['password']}'/>\n</domain>\n", 0o600)
    put("var/lib/dpkg/status", "".join(STATUS.format(name=n, version=v) for n, v in packages))
    put("srv/infra/site.yml", "- hosts: all\n")
    put("srv/infra/.git/HEAD", "ref: refs/heads/main\n")
    put("srv/infra/.git/refs/heads/main", "0123456789abcdef0123456789abcdef01234567\n")
    put("srv/infra/.git/config",
        f'[remote "origin"]\n\turl = https://bot:{PLANTED["token"]}@git.example/infra.git\n')
    return root


def plan(world, name, root="/", *, encrypt=True, archive="", **settings):
    words = "".join(f", {key.replace('_', '-')}: {value}" for key, value in settings.items())
    paths = "" if "paths" in settings else ", paths: [ /etc ]"
    seal = f', encrypt-to: ["{world.recipient}"]' if encrypt else ""
    return world.write(
        name, "exeat: 1\nrun: { purpose: trial }\nsources:\n"
        f"  systeme: {{ kind: configs{paths}, root: {root}{words} }}\n"
        f"archive: {{ name: trial, sign-with: {world.at('keys/ours')}{seal}{archive} }}\n")


def import_plan(world, name, directory, **settings):
    words = "".join(f", {key.replace('_', '-')}: {value}" for key, value in settings.items())
    return world.write(
        name, f"exeat: 1\ntrust: {world.trust}\ndecrypt-with: {world.identity}\n"
        f"sign-with: {world.at('keys/ours')}\n"
        f"targets:\n  systeme: {{ kind: configs, directory: {directory}{words} }}\n")


def exported(world, root, archive, status=0, **settings):
    world.remove(archive)
    result = world.run("export", plan(world, archive + ".yaml", root, **settings),
                       "--output", world.at(archive))
    expect(result.status == status, f"export ended with {result.status}: {result.err}")
    return result


def imported(world, archive, directory, status=0, keep=False, **settings):
    if not keep:
        world.remove(directory, directory + ".work")
    result = world.run(
        "import", world.at(archive), import_plan(world, directory + ".yaml", world.at(directory), **settings),
        "--work", world.at(directory + ".work"), "--json")
    expect(result.status == status, f"import ended with {result.status}: {result.err}{result.out.decode()}")
    return result


def differences(world, directory):
    with open(world.at(directory + "/differences.json")) as file:
        return json.load(file)


def facts(world, directory, family):
    with open(world.at(f"{directory}/facts/{family}.json")) as file:
        return json.load(file)


def machine(world, name, **settings):
    world.remove(name)
    return make_machine(world.at(name), **settings)


def contents(directory):
    """All bytes below a directory, those of frames of zstd as they are inside as well."""
    for folder, _, files in os.walk(directory):
        for name in files:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                continue
            with open(path, "rb") as file:
                content = file.read()
            yield path, content
            if name.endswith(".zst"):
                done = subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True)
                yield path, done.stdout


def expect_no_secret(where, content):
    content = content if isinstance(content, bytes) else content.encode()
    for name, value in PLANTED.items():
        expect(value.encode() not in content, f"the {name} is in {where}")


def valid(path, schema):
    with open(path) as file, open(f"{ROOT}/Manifests/schemas/v1/{schema}.schema.json") as rules:
        problems = list(jsonschema.Draft202012Validator(json.load(rules)).iter_errors(json.load(file)))
    expect(not problems, f"{path}: {problems[0].json_path if problems else ''} {problems[:1]}")


# --- what is exported
