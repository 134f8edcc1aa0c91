#!/usr/bin/env python3
"""What is found on machines: this one's /etc and facts, against the system's own tools; mounted machines;
two machines that differ."""
import glob
import json
import os
import shutil
import subprocess

from configs_kit import *


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


def a_repository_is_told_once_with_its_submodules_and_bare_ones(world):
    root = world.at("repositories")
    git = lambda *words: subprocess.run(  # noqa: E731
        ["git", "-c", "user.name=a", "-c", "user.email=a@example", "-c", "protocol.file.allow=always",
         "-c", "init.defaultBranch=main", *words], check=True, capture_output=True)
    for name in ("roles", "site"):
        git("init", f"{root}/etc/{name}")
        git("-C", f"{root}/etc/{name}", "commit", "--allow-empty", "-m", "x")
    git("-C", f"{root}/etc/site", "submodule", "add", f"{root}/etc/roles", "nginx")
    git("clone", "--bare", f"{root}/etc/site", f"{root}/etc/bare.git")
    exported(world, root, "repositories-bag", encrypt=False, secrets="omit", facts="[ repositories ]")
    imported(world, "repositories-bag", "repositories.staged", root=root)
    items = facts(world, "repositories.staged", "repositories")["items"]
    expect(set(items) == {f"git//etc/{name}" for name in ("roles", "site", "site/nginx", "bare.git")}, str(items))


# --- secrets


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


if __name__ == "__main__":
    suite = Suite()
    for body in [
        the_real_etc_comes_back_and_is_the_same,
        facts_are_what_the_systems_own_tools_say,
        documents_keep_their_schemas,
        facts_of_a_mounted_machine_are_its_own,
        origins_of_a_mounted_machine_are_read_and_nothing_is_written_there,
        rpms_of_a_mounted_machine_are_read_whatever_the_program_here_is_set_to,
        a_repository_is_told_once_with_its_submodules_and_bare_ones,
        what_the_plan_excludes_is_no_difference,
        two_machines_differ_exactly_where_they_were_made_to,
    ]:
        suite.case(body.__name__.replace("_", " "), body)
    suite.finish()
