#!/usr/bin/env python3
"""Configurations out and in again: trees, secrets, differences from a machine, parts applied."""
import glob
import json
import os
import random
import shutil
import subprocess

from configs_kit import *


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
        wrong_settings_are_told_with_their_place,
        sealed_needs_encryption,
        nothing_leaks_when_secrets_are_omitted,
        a_plan_that_says_nothing_about_secrets_is_incomplete,
        sealed_secrets_are_kept_and_nothing_else_has_them,
        a_sealed_run_that_lacks_secrets_of_facts_says_so,
        references_compare_with_the_same_key_alone,
        files_too_large_to_be_searched_stay_behind_and_are_told,
        nothing_is_staged_over_a_live_machine,
        parts_are_applied_only_when_told_to_and_what_they_replace_is_kept,
        a_link_on_the_machine_leads_nothing_elsewhere,
        runs_that_are_killed_end_well_the_next_time,
        what_is_changed_after_staging_is_found,
        whoever_may_not_read_it_is_told,
        a_full_disk_ends_the_run_and_not_the_truth,
    ]:
        suite.case(body.__name__.replace("_", " "), body)
    suite.finish()
