#!/usr/bin/env python3
"""Configurations out and in again: trees, facts, secrets, differences from a machine, parts applied."""
import glob
import json
import os
import shutil
import random
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

def the_real_etc_comes_back_and_is_the_same(world):
    families = "[ packages, units, accounts, crontabs, kernel, sysctl, certificates, network ]"
    exported(world, "/", "real", secrets="sealed", facts=families, accept="[ facts, secrets ]")
    result = world.run("verify", world.at("real"), "--trust", world.trust, "--decrypt-with", world.identity)
    expect(result.status == 0, result.err)
    imported(world, "real", "staged", root="/")
    here, there = tree_of(world.at("staged/tree/etc")), tree_of("/etc")
    expect(here == there, f"differ: {sorted(k for k in here.keys() | there.keys() if here.get(k) != there.get(k))[:9]}")
    counts = differences(world, "staged")["counts"]
    for word in ("files-differing", "files-only-here", "files-only-there", "facts-differing",
                 "facts-only-here", "facts-only-there"):
        expect(counts[word] == 0, f"{word}: {counts[word]}: "
               + open(world.at("staged/differences.txt")).read()[-2000:])
    expect(counts["files-same"] > 100 and counts["facts-same"] > 200, str(counts))


def facts_are_what_the_systems_own_tools_say(world):
    if not os.path.exists(world.at("staged/facts/packages.json")):
        raise Skip("the case before has not staged them")
    mine = {name[5:]: item["version"] for name, item in facts(world, "staged", "packages")["items"].items()
            if name.startswith("dpkg/")}
    lines = subprocess.run(["dpkg-query", "-W", "-f", "${Package}:${Architecture} ${Version}\\n"],
                           capture_output=True, text=True, check=True).stdout
    expect(mine == dict(line.split() for line in lines.splitlines()), "packages differ from dpkg-query")
    if shutil.which("systemctl"):
        lines = subprocess.run(["systemctl", "--root=/", "list-unit-files", "--no-legend", "--no-pager"],
                               capture_output=True, text=True).stdout
        units = facts(world, "staged", "units")["items"]
        wrong = []
        for name, state, *_ in map(str.split, lines.splitlines()):
            own = units.get("system/" + name, {}).get("state")
            # Generated and transient units have no file that stays.
            if state in ("enabled", "disabled", "masked", "static", "alias", "indirect") and own != state:
                wrong.append((name, state, own))
        expect(not wrong and len(units) > 20, f"states differ from systemctl: {wrong[:9]}")
    users = {name[5:]: item["uid"] for name, item in facts(world, "staged", "accounts")["items"].items()
             if name.startswith("user/")}
    with open("/etc/passwd") as file:
        expect(users == {line.split(":")[0]: line.split(":")[2] for line in file}, "users differ")


def documents_keep_their_schemas(world):
    root = machine(world, "alpha")
    exported(world, root, "schemas", encrypt=False, secrets="omit")
    imported(world, "schemas", "schemas.staged", root=root)
    for path in glob.glob(world.at("schemas.staged/facts/*.json")) + glob.glob(world.at("staged/facts/*.json")):
        valid(path, "facts-" + os.path.basename(path)[:-5])
    valid(world.at("schemas.staged/secrets.json"), "secrets")
    valid(world.at("schemas.staged/differences.json"), "differences")
    valid(world.at("schemas/exeat/manifest.json"), "manifest")
    valid(world.at("schemas/exeat/catalogue.json"), "catalogue")
    valid(world.at("schemas.staged.work/receipt-1.json"), "receipt")


def facts_of_a_mounted_machine_are_its_own(world):
    root = machine(world, "alpha")
    exported(world, root, "mounted", encrypt=False, secrets="omit")
    imported(world, "mounted", "mounted.staged", root=root)
    packages = facts(world, "mounted.staged", "packages")["items"]
    expect(packages["dpkg/nginx:amd64"]["version"] == "1.22-9", str(packages))
    units = facts(world, "mounted.staged", "units")["items"]
    expect(units["system/app.service"]["state"] == "enabled", str(units))
    expect(units["system/noisy.service"]["state"] == "masked", str(units))
    expect(units["system/nightly.timer"]["schedule"] == ["OnCalendar=*-*-* 03:00:00"], str(units))
    git = facts(world, "mounted.staged", "repositories")["items"]["git-elsewhere//srv/infra"]
    expect(git["revision"].startswith("0123") and git["kinds"] == ["ansible"], str(git))
    sockets = facts(world, "mounted.staged", "sockets")
    expect(all(s["state"] == "unread" for s in sockets["sources"].values()), str(sockets))
    text = world.run("inspect", world.at("mounted")).out.decode()
    expect("facts/sockets/tcp" in text, f"what needs the running machine is not named: {text}")


def origins_of_a_mounted_machine_are_read_and_nothing_is_written_there(world):
    if not shutil.which("apt-cache"):
        raise Skip("apt-cache is not installed")
    root = machine(world, "apt")
    with open(root + "/etc/apt/sources.list", "w") as file:
        file.write("deb [trusted=yes] http://apt.example/d stable main\n")
    os.makedirs(root + "/var/lib/apt/lists")
    with open(root + "/var/lib/apt/lists/apt.example_d_dists_stable_main_binary-amd64_Packages", "w") as file:
        for version in ("1.22-9", "1.24-1"):
            file.write(f"Package: nginx\nArchitecture: amd64\nVersion: {version}\nFilename: x.deb\nSize: 1\n"
                       f"SHA256: {'0' * 64}\nDescription: a package\n\n")
    before = sorted(path for path, _ in contents(root))
    exported(world, root, "apt-bag", encrypt=False, secrets="omit")
    imported(world, "apt-bag", "apt.staged", root=root)
    items = facts(world, "apt.staged", "packages")["items"]
    expect(items.get("origin/nginx") == ["http://apt.example/d stable/main amd64"], str(items))
    expect(sorted(path for path, _ in contents(root)) == before, "apt-cache left something on the machine")


def rpms_of_a_mounted_machine_are_read_whatever_the_program_here_is_set_to(world):
    if not shutil.which("rpmbuild"):
        raise Skip("rpmbuild is not installed")
    root = world.at("rpms")
    os.makedirs(root + "/etc")
    with open(world.at("agent.spec"), "w") as file:
        file.write("Name: agent\nEpoch: 2\nVersion: 1.4\nRelease: 3\nSummary: x\nLicense: x\nVendor: CHU\nBuildArch: noarch\n"
                   "%description\nx\n%install\nmkdir -p %{buildroot}/etc/agent\necho 1 > %{buildroot}/etc/agent/a\n"
                   "echo 2 > %{buildroot}/etc/agent/b\n%files\n%config(noreplace) /etc/agent/a\n%config /etc/agent/b\n")
    subprocess.run(["rpmbuild", "--define", "_topdir " + world.at("top"), "-bb", world.at("agent.spec")],
                   check=True, capture_output=True)
    subprocess.run(["rpm", "--root", root, "--dbpath", "/var/lib/rpm", "--nodeps", "--noscripts", "-i",
                    *glob.glob(world.at("top/RPMS/noarch/*.rpm"))], check=True, capture_output=True)
    with open(root + "/etc/agent/a", "a") as file:
        file.write("changed\n")
    os.unlink(root + "/etc/agent/b")
    exported(world, root, "rpms-bag", encrypt=False, secrets="omit")
    imported(world, "rpms-bag", "rpms.staged", root=root)
    packages = facts(world, "rpms.staged", "packages")
    expect(packages["items"] == {
        "rpm/agent.noarch": {"origin": "CHU", "version": "2:1.4-3"},
        "rpm-conffile//etc/agent/a": {"state": "modified"}, "rpm-conffile//etc/agent/b": {"state": "missing"},
    }, str(packages))
    expect(not os.path.exists(root + "/root"), "reading made a database on the machine that is exported")


# --- secrets

def nothing_leaks_when_secrets_are_omitted(world):
    root = machine(world, "alpha")
    result = exported(world, root, "omitted", encrypt=False, secrets="omit", paths="[ /etc, /srv ]")
    expect_no_secret("the output", result.out)
    expect_no_secret("the errors", result.err)
    for path, content in contents(world.at("omitted")):
        expect_no_secret(path, content)
    imported(world, "omitted", "omitted.staged", root=root)
    for path, content in contents(world.at("omitted.staged")):
        expect_no_secret(path, content)
    for path, content in contents(world.at("omitted.staged.work")):
        expect_no_secret(path, content)
    ini = open(world.at("omitted.staged/tree/etc/app/app.ini")).read()
    expect("host = db.example" in ini and "EXEAT-REDACTED-" in ini, ini)
    expect(open(world.at("omitted.staged/tree/etc/app/plain.conf")).read() == "workers = 4\nlevel = info\n",
           "a decoy was changed")
    with open(world.at("omitted.staged/secrets.json")) as file:
        places = json.load(file)["places"]
    for wanted in ("etc/shadow", "etc/app/app.ini", "etc/app/app.env", "etc/ssh/ssh_host_ed25519_key",
                   "etc/apt/sources.list.d/own.list", "etc/cron.d/backup", "srv/infra/.git/config"):
        expect(any(p.get("path") == wanted for p in places), f"no place of a secret in {wanted}")
    # The machine has the values: the same but for them.
    counts = differences(world, "omitted.staged")
    expect(not counts["files"]["differs"], str(counts["files"]["differs"]))
    expect(any(p["path"] == "etc/app/app.ini" for p in counts["files"]["same-but-for-secrets"]), str(counts))


def a_plan_that_says_nothing_about_secrets_is_incomplete(world):
    root = machine(world, "alpha")
    exported(world, root, "silent", status=2, encrypt=False)
    exported(world, root, "silent", encrypt=False, accept="[ secrets ]")
    looked = world.run("plan", plan(world, "silent.yaml", root, encrypt=False))
    expect(looked.status == 2 and b"secrets: omit, reference or sealed" in looked.out, looked.out.decode())


def sealed_needs_encryption(world):
    root = machine(world, "alpha")
    path = plan(world, "clear.yaml", root, encrypt=False, secrets="sealed")
    for words in (["plan", path], ["export", path, "--output", world.at("clear")]):
        result = world.run(*words)
        expect(result.status == 1 and "encrypt-to" in result.err, f"{result.status}: {result.err}")
        expect("clear.yaml:4:" in result.err, f"no place in the plan: {result.err}")
    expect(not os.path.exists(world.at("clear")), "something was begun")


def sealed_secrets_are_kept_and_nothing_else_has_them(world):
    root = machine(world, "alpha")
    result = exported(world, root, "sealed", secrets="sealed", paths="[ /etc, /srv ]")
    expect_no_secret("the errors", result.err)
    for path, content in contents(world.at("sealed")):
        expect_no_secret(path, content)
    imported(world, "sealed", "sealed.staged", root=root)
    expect(tree_of(world.at("sealed.staged/tree/etc")) == tree_of(os.path.join(root, "etc")), "trees differ")
    for path in glob.glob(world.at("sealed.staged/facts/*")) + glob.glob(world.at("sealed.staged/diff*")):
        expect_no_secret(path, open(path, "rb").read())
    expect(not differences(world, "sealed.staged")["secrets-to-enter"], "secrets to enter")


def a_sealed_run_that_lacks_secrets_of_facts_says_so(world):
    root = machine(world, "alpha")
    # The repository's address has a token, and lies outside the exported trees.
    exported(world, root, "outside", status=2, secrets="sealed")
    text = world.run("inspect", world.at("outside"), "--decrypt-with", world.identity).out.decode()
    expect("secrets-of-facts" in text and "infra/.git/config" in text, text)


def references_compare_with_the_same_key_alone(world):
    key = world.write("reference.key", "00112233445566778899aabbccddeeff" * 2)
    root = machine(world, "alpha")
    def placeholder(name, **settings):
        exported(world, root, name, encrypt=False, secrets="reference", **settings)
        imported(world, name, name + ".staged", root=root,
                 **({"reference_key": f'"${{file:{key}}}"'} if settings else {}))
        expect(not differences(world, name + ".staged")["files"]["differs"],
               str(differences(world, name + ".staged")["files"]))
        expect(differences(world, name + ".staged")["counts"]["facts-differing"] == 0, "facts differ")
        return open(world.at(name + ".staged/tree/etc/app/app.ini")).read().split("password = ")[1]
    shared = [placeholder(name, reference_key=f'"${{file:{key}}}"') for name in ("one", "two")]
    own = [placeholder(name) for name in ("three", "four")]
    expect(shared[0] == shared[1] and shared[0] != own[0] and own[0] != own[1], f"{shared} {own}")
    # The key is HMAC-SHA256's: whoever has both can check a value.
    code = subprocess.run(
        ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:" + "00112233445566778899aabbccddeeff" * 2],
        input=PLANTED["password"].encode(), capture_output=True, check=True).stdout.decode()
    expect(code.split("= ")[1][:32] in shared[0], f"{shared[0]} is not {code}")


def files_too_large_to_be_searched_stay_behind_and_are_told(world):
    root = machine(world, "alpha")
    with open(os.path.join(root, "etc/huge.dat"), "wb") as file:
        file.write(f"password = {PLANTED['password']}\n".encode())
        file.truncate(17 << 20)
    with open(os.path.join(root, "etc/hollow.conf"), "wb") as file:
        file.truncate(1 << 20)
        file.seek(0, 2)
        file.write(f"\npassword = {PLANTED['password']}\n".encode())
    exported(world, root, "huge", status=2, encrypt=False, secrets="omit")
    text = world.run("inspect", world.at("huge")).out.decode()
    expect("etc/huge.dat (unsearched)" in text, text)
    for path, content in contents(world.at("huge")):
        expect_no_secret(path, content)
    exported(world, root, "huge", encrypt=False, secrets="omit", accept="[ unsearched ]")
    exported(world, root, "huge", secrets="sealed", paths="[ /etc, /srv ]")
    imported(world, "huge", "huge.staged", root=root)
    expect(not differences(world, "huge.staged")["files"]["differs"], "differs")
    expect(tree_of(world.at("huge.staged/tree/etc")) == tree_of(os.path.join(root, "etc")), "trees differ")


def what_the_plan_excludes_is_no_difference(world):
    root = machine(world, "alpha")
    os.symlink("app.ini", os.path.join(root, "etc/app/bad \udcff name"))
    exported(world, root, "excluded", encrypt=False, secrets="omit",
             exclude='{ paths: ["/etc/ssh/"], reason: "made anew" }')
    imported(world, "excluded", "excluded.staged", root=root)
    found = differences(world, "excluded.staged")["files"]
    expect(not found["only-there"] and not found["differs"] and not found["only-here"], str(found))
    expect([p["path"] for p in found["not-compared"]] == ["etc/ssh"], str(found["not-compared"]))
    expect(not os.path.exists(world.at("excluded.staged/tree/etc/ssh")), "it was exported")


# --- two machines

def two_machines_differ_exactly_where_they_were_made_to(world):
    one = machine(world, "alpha")
    two = machine(world, "beta", packages=(("bash", "5.2-3"), ("curl", "8.0-1"), ("nginx", "1.22-9")))
    def edit(path, old, new):
        path = os.path.join(two, path)
        text = open(path).read()
        expect(old in text, f"{old} is not in {path}")
        open(path, "w").write(text.replace(old, new))
    edit("etc/hosts", "192.0.2.7", "192.0.2.8")
    edit("etc/group", "sudo:x:27:adm", "sudo:x:27:")
    edit("etc/fstab", "defaults", "noatime")
    edit("etc/sysctl.d/local.conf", "10", "20")
    edit("srv/infra/.git/refs/heads/main", "0123", "4567")
    os.unlink(os.path.join(two, "etc/systemd/system/noisy.service"))
    os.chmod(os.path.join(two, "etc/app/plain.conf"), 0o600)
    open(os.path.join(two, "etc/app/new.conf"), "w").write("x = 1\n")
    expected = {
        "packages": ({"dpkg/bash:amd64"}, set(), {"dpkg/curl:amd64"}),
        "network": (set(), {"host/192.0.2.7"}, {"host/192.0.2.8"}),
        "accounts": ({"group/sudo"}, set(), set()), "mounts": ({"fstab//"}, set(), set()),
        "sysctl": ({"configured/vm.swappiness"}, set(), set()),
        "units": (set(), {"system/noisy.service"}, set()),
        "repositories": ({"git-elsewhere//srv/infra"}, set(), set()),
    }
    def check(families):
        found = {}
        for family in families:
            sets = tuple({item["item"] for item in family[word]} for word in ("differs", "only-here", "only-there"))
            if any(sets):
                found[family["family"]] = sets
        expect(found == expected, f"found {found}")
    exported(world, one, "first", encrypt=False, secrets="omit")
    exported(world, two, "second", encrypt=False, secrets="omit")
    result = world.run("inspect", world.at("first"), "--compare", world.at("second"), "--json")
    expect(result.status == 3, f"{result.status}: {result.err}")
    check(json.loads(result.out)["sources"][0]["facts"])
    same = world.run("inspect", world.at("first"), "--compare", world.at("first"))
    expect(same.status == 2 and b"nothing differs of what could be compared" in same.out, same.out.decode())
    # The import of the one tells the same of the other as a machine.
    imported(world, "first", "first.staged", root=two)
    found = differences(world, "first.staged")
    check(found["facts"])
    expect({p["path"] for p in found["files"]["only-there"]} == {"etc/app/new.conf"}, str(found["files"]))
    expect({p["path"] for p in found["files"]["only-here"]} == {"etc/systemd/system/noisy.service"},
           str(found["files"]))
    expect({p["path"]: p["attributes"] for p in found["files"]["differs"]} == {
        "etc/hosts": ["content"], "etc/group": ["content"], "etc/fstab": ["content"],
        "etc/sysctl.d/local.conf": ["content"], "etc/app/plain.conf": ["mode"]}, str(found["files"]["differs"]))
    page = open(world.at("first.staged/differences.html")).read()
    expect("only there" in page and "<script" not in page and "http" not in page.split("<body>")[0].replace(
        "http-equiv", ""), "the page needs others")
    # Plain diff of the stored documents shows the lines alone.
    world.remove("x1", "x2")
    for name in ("first", "second"):
        expect(world.run("extract", world.at(name), "systeme/facts-sysctl", "--to", world.at("x" + name),
                         "--unverified").status == 0, "extract")
    paths = [glob.glob(world.at("x" + name) + "/**/*.json", recursive=True)[0] for name in ("first", "second")]
    lines = subprocess.run(["diff", *paths], capture_output=True, text=True).stdout.splitlines()
    expect([l for l in lines if l[0] in "<>"] == [
        '<     "configured/vm.swappiness": "10"', '>     "configured/vm.swappiness": "20"'], str(lines))


# --- staging and applying

def nothing_is_staged_over_a_live_machine(world):
    root = machine(world, "alpha")
    exported(world, root, "place", encrypt=False, secrets="omit")
    before = tree_of(root)
    for directory in ("/", "/etc", "/etc/exeat-staged", root, os.path.join(root, "etc/sub")):
        result = world.run("import", world.at("place"), import_plan(world, "place.import.yaml", directory, root=root),
                           "--work", world.at("place.work"))
        expect(result.status == 1 and "own configuration" in result.err, f"{directory}: {result.status} {result.err}")
        world.remove("place.work")
    expect(tree_of(root) == before and not os.path.exists("/etc/exeat-staged"), "something was written")
    os.makedirs(world.at("full"))
    world.write("full/there", "x")
    result = world.run("import", world.at("place"), import_plan(world, "full.yaml", world.at("full"), root=root),
                       "--work", world.at("full.work"))
    expect(result.status == 1 and "not empty" in result.err, result.err)


def parts_are_applied_only_when_told_to_and_what_they_replace_is_kept(world):
    source = machine(world, "alpha")
    target = machine(world, "gamma")
    exported(world, source, "parts", encrypt=False, secrets="omit")
    open(os.path.join(target, "etc/app/plain.conf"), "w").write("workers = 9\n")
    open(os.path.join(target, "etc/app/app.env"), "w").write("GITHUB_TOKEN=mine-alone\nLEVEL=debug\n")
    os.unlink(os.path.join(target, "etc/ssh/sshd_config"))
    before = tree_of(target)
    settings = {"root": target, "apply": "[ /etc/app, /etc/ssh/sshd_config ]"}
    imported(world, "parts", "dry", **settings)
    expect(tree_of(target) == before, "a dry run changed the machine")
    steps = {s["path"]: s["action"] for s in json.load(open(world.at("dry/applied.json")))["steps"]}
    expect(steps == {"etc/app": "same", "etc/app/app.env": "refuse", "etc/app/app.ini": "same",
                     "etc/app/plain.conf": "replace", "etc/ssh/sshd_config": "create"}, str(steps))
    for _ in range(2):
        # What was refused is not done: the status says so, and the second time changes nothing more.
        imported(world, "parts", "wet", status=2, dry_run="false", **settings)
        expect(open(os.path.join(target, "etc/app/plain.conf")).read() == "workers = 4\nlevel = info\n", "not replaced")
        expect("PermitRootLogin no" in open(os.path.join(target, "etc/ssh/sshd_config")).read(), "not created")
        expect("mine-alone" in open(os.path.join(target, "etc/app/app.env")).read(), "a secret was lost")
        expect(PLANTED["password"] in open(os.path.join(target, "etc/app/app.ini")).read(), "a secret was lost")
        if _ == 0:
            expect(open(world.at("wet/replaced/etc/app/plain.conf")).read() == "workers = 9\n", "no backup")
    status = os.stat(os.path.join(target, "etc/app/plain.conf"))
    expect(status.st_mode & 0o7777 == 0o644 and status.st_mtime == 1_600_000_000, "metadata")
    left = [p for p in glob.glob(target + "/**/*", recursive=True) if "exeat-new" in p]
    expect(not left, f"left behind: {left}")
    for text, line in [("apply: [ /etc/app ]", "root"), ("root: /x, apply: [ etc ]", "begin with"),
                       ("dry-run: false", "apply")]:
        path = world.write("bad.yaml", open(import_plan(world, "good.yaml", world.at("x"))).read().replace(
            "directory:", text + ", directory:"))
        result = world.run("import", world.at("parts"), path, "--work", world.at("bad.work"))
        expect(result.status == 1 and line in result.err, f"{text}: {result.err}")


def a_link_on_the_machine_leads_nothing_elsewhere(world):
    source = machine(world, "alpha")
    target = machine(world, "delta")
    exported(world, source, "links", encrypt=False, secrets="omit")
    world.remove("elsewhere")
    os.makedirs(world.at("elsewhere"))
    shutil.rmtree(os.path.join(target, "etc/app"))
    os.symlink(world.at("elsewhere"), os.path.join(target, "etc/app"))
    imported(world, "links", "links.staged", status=2, root=target, apply="[ /etc/app ]", dry_run="false")
    expect(not os.listdir(world.at("elsewhere")), "it was followed")


# --- faults

def runs_that_are_killed_end_well_the_next_time(world):
    root = machine(world, "alpha")
    path = plan(world, "killed.yaml", root, encrypt=False, secrets="reference")
    world.remove("killed")
    for delay in (0.03, 0.06, 0.1, 0.15, 0.2, 0.3):
        status = kill_after(world.start("export", path, "--output", world.at("killed")), delay)
        for where, content in contents(world.at("killed")) if os.path.exists(world.at("killed")) else []:
            expect_no_secret(where, content)
        if status == 0:
            break
    result = world.run("export", path, "--output", world.at("killed"))
    expect(result.status == 0, result.err)
    expect(world.verify("killed").status == 0, "verify")
    into = import_plan(world, "killed.import.yaml", world.at("killed.staged"), root=root)
    world.remove("killed.staged", "killed.work")
    words = ("import", world.at("killed"), into, "--work", world.at("killed.work"))
    for delay in (0.05, 0.1, 0.15, 0.2, 0.3):
        if kill_after(world.start(*words), delay) == 0:
            break
    result = world.run(*words)
    expect(result.status == 0, result.err)
    expect(not differences(world, "killed.staged")["files"]["differs"], "differs")


def what_is_changed_after_staging_is_found(world):
    root = machine(world, "alpha")
    exported(world, root, "changed", encrypt=False, secrets="omit")
    imported(world, "changed", "changed.staged", root=root)
    path = world.at("changed.staged/facts/mounts.json")
    open(path, "a").write("\n")
    result = imported(world, "changed", "changed.staged", status=3, keep=True, root=root)
    expect(b"mounts" in result.out, result.out.decode())


def whoever_may_not_read_it_is_told(world):
    root = machine(world, "alpha")
    os.makedirs(world.at("theirs"), exist_ok=True)
    path = plan(world, "rights.yaml", root, encrypt=False, secrets="omit")
    for name in ("ours.key", "ours.trust.json"):
        shutil.copy(world.at("keys/" + name), world.at("theirs/" + name))
        os.chmod(world.at("theirs/" + name), 0o600)
    text = open(path).read().replace(world.at("keys/ours"), world.at("theirs/ours"))
    path = world.write("rights.yaml", text)
    subprocess.run(["chown", "-R", "65534", world.at("theirs")], check=True)
    world.remove("theirs/rights")
    result = world.run("export", path, "--output", world.at("theirs/rights"), user=65534)
    expect(result.status == 2, f"{result.status}: {result.err}")
    text = world.run("inspect", world.at("theirs/rights")).out.decode()
    for line in ("etc/shadow (unreadable)", "facts/accounts/shadow (facts)", "facts/guests/libvirt (facts)"):
        expect(line in text, f"{line} is not in {text}")
    looked = world.run("plan", path, user=65534)
    expect(looked.status == 2 and b"accounts/shadow cannot be read" in looked.out, looked.out.decode())


def a_full_disk_ends_the_run_and_not_the_truth(world):
    root = machine(world, "alpha")
    chance = random.Random(7)
    for number in range(6):
        with open(os.path.join(root, f"etc/noise-{number}.conf"), "w") as file:
            file.write("".join(f"size {chance.randrange(10**6)} {chance.randrange(10**6)}\n"
                               for _ in range(4000)))
    os.makedirs(world.at("small"), exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", world.at("small")],
                      capture_output=True).returncode:
        raise Skip("no right to mount")
    try:
        path = plan(world, "small.yaml", root, encrypt=False, secrets="omit")
        result = world.run("export", path, "--output", world.at("small/archive"))
        expect(result.status == 1 and "space" in result.err, f"{result.status}: {result.err}")
        subprocess.run(["mount", "-o", "remount,size=60m", world.at("small")], check=True)
        result = world.run("export", path, "--output", world.at("small/archive"))
        expect(result.status == 0, result.err)
        expect(world.verify("small/archive").status == 0, "verify")
    finally:
        subprocess.run(["umount", "-l", world.at("small")], check=True)


def wrong_settings_are_told_with_their_place(world):
    for text, message in [("paths: [ etc ]", "begin with"), ("paths: [ /etc ], facts: [ package ]", "packages"),
                          ("paths: [ /etc ], secrets: hide", "omit"),
                          ("paths: [ /etc ], secrets: omit, reference-key: \"${file:x}\"", "reference"),
                          ("path: /etc", "paths"), ("paths: [ /etc ], accept: [ nothing ]", "accept")]:
        path = world.write(
            "wrong.yaml", "exeat: 1\nrun: { purpose: trial }\nsources:\n"
            f"  systeme: {{ kind: configs, {text} }}\n"
            f"archive: {{ name: trial, sign-with: {world.at('keys/ours')} }}\n")
        result = world.run("plan", path)
        expect(result.status == 1 and message in result.err and "wrong.yaml:4:" in result.err,
               f"{text}: {result.status} {result.err}")


if __name__ == "__main__":
    suite = Suite()
    for body in [
        wrong_settings_are_told_with_their_place, sealed_needs_encryption,
        the_real_etc_comes_back_and_is_the_same, facts_are_what_the_systems_own_tools_say,
        documents_keep_their_schemas, facts_of_a_mounted_machine_are_its_own,
        nothing_leaks_when_secrets_are_omitted, a_plan_that_says_nothing_about_secrets_is_incomplete,
        sealed_secrets_are_kept_and_nothing_else_has_them, a_sealed_run_that_lacks_secrets_of_facts_says_so,
        origins_of_a_mounted_machine_are_read_and_nothing_is_written_there,
        rpms_of_a_mounted_machine_are_read_whatever_the_program_here_is_set_to,
        references_compare_with_the_same_key_alone,
        files_too_large_to_be_searched_stay_behind_and_are_told, what_the_plan_excludes_is_no_difference,
        two_machines_differ_exactly_where_they_were_made_to,
        nothing_is_staged_over_a_live_machine,
        parts_are_applied_only_when_told_to_and_what_they_replace_is_kept,
        a_link_on_the_machine_leads_nothing_elsewhere, runs_that_are_killed_end_well_the_next_time,
        what_is_changed_after_staging_is_found, whoever_may_not_read_it_is_told,
        a_full_disk_ends_the_run_and_not_the_truth,
    ]:
        suite.case(body.__name__.replace("_", " "), body)
    suite.finish()
