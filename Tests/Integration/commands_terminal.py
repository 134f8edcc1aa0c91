#!/usr/bin/env python3
"""Key files with a passphrase, what reaches a terminal, and what a person is told."""
import json
import os
import pty
import resource
import select
import subprocess
import time

from robustness_kit import *


def typed(world, arguments, answers, timeout=60, env=None):
    """Runs a command on a terminal of its own, answers its questions, and gives back status and screen."""
    pid, screen = pty.fork()
    if pid == 0:
        os.chdir(world.path)
        for name in ("EXEAT_PASSPHRASE",):
            os.environ.pop(name, None)
        os.execvp(arguments[0], list(map(str, arguments)))
    seen, deadline = b"", time.time() + timeout
    answers = list(answers)
    while time.time() < deadline:
        ready, _, _ = select.select([screen], [], [], 0.2)
        if ready:
            try:
                data = os.read(screen, 65536)
            except OSError:
                break
            if not data:
                break
            seen += data
        if answers and answers[0][0] in seen:
            time.sleep(0.2)
            os.write(screen, answers.pop(0)[1])
    _, status = os.waitpid(pid, 0)
    os.close(screen)
    return os.waitstatus_to_exitcode(status), seen.decode(errors="replace")


def protected(world, name, *options):
    """The world's identity, encrypted by age itself."""
    path = world.at(name)
    status, screen = typed(world, ["age", "-p", *options, "-o", path, world.identity],
                           [(b"Enter passphrase", b"correct horse\n"), (b"Confirm passphrase", b"correct horse\n")])
    expect(status == 0 and os.path.exists(path), screen)
    return path


def passphrases_open_key_files(world):
    for name, options in (("armored.age", ["-a"]), ("binary.age", [])):
        path = protected(world, name, *options)
        expect(os.stat(path).st_mode & 0o077, "this key file is meant to be readable by others")
        command = ("inspect", world.at("out"), "--decrypt-with", path)
        result = world.run(*command, env={"EXEAT_PASSPHRASE": "correct horse"})
        expect(result.status == 0 and b"names are encrypted" not in result.out, result.err)
        word = world.write("word", "correct horse\n")
        result = world.run(*command, "--passphrase-file", word)
        expect(result.status == 0 and b"tree" in result.out, result.err)
        result = world.run("verify", world.at("out"), "--trust", world.trust, "--decrypt-with", path, "--passphrase-file", word)
        expect(result.status == 0, result.err)
        result = world.run("extract", world.at("out"), "--to", world.at("x-" + name), "--trust", world.trust,
                           "--decrypt-with", path, "--passphrase-file", word)
        expect(result.status == 0, result.err)
        for wrong in ("correct horsf", "correct horse "):
            result = world.run(*command, env={"EXEAT_PASSPHRASE": wrong})
            expect(result.status == 1 and "does not open the key file" in result.err and wrong not in result.err, result.err)
        result = world.run(*command, env={"EXEAT_PASSPHRASE": ""})
        expect(result.status == 1 and "empty" in result.err, result.err)
        # Without a terminal nobody can be asked.
        result = world.run(*command, prefix=("setsid", "-w"))
        expect(result.status == 1 and "--passphrase-file" in result.err, result.err)
    plan = world.import_plan("import.yaml", "target").replace(world.path + "/", "")
    text = open(world.at(plan)).read().replace(world.identity, world.at("armored.age"))
    world.write("import.yaml", text)
    result = world.run("import", world.at("out"), world.at("import.yaml"), "--work", world.at("work"), "--passphrase-file", word)
    expect(result.status == 0, result.err)


def a_passphrase_is_asked_for(world):
    path = protected(world, "asked.age")
    command = [EXEAT, "inspect", world.at("out"), "--decrypt-with", path]
    status, screen = typed(world, command, [(b"passphrase for", b"correct horse\n")])
    expect(status == 0 and "tree" in screen and "correct horse" not in screen, screen)
    status, screen = typed(world, command, [(b"passphrase for", b"wrong\n")])
    expect(status == 1 and "does not open" in screen and "wrong" not in screen, screen)
    status, screen = typed(world, command, [(b"passphrase for", b"\x03")])
    expect(status == 130, f"{status} {screen}")


def exposed_keys_are_refused_still(world):
    path = world.write("open.agekey", open(world.identity).read())
    os.chmod(path, 0o644)
    result = world.run("inspect", world.at("out"), "--decrypt-with", path)
    expect(result.status == 1 and "chmod 600" in result.err, result.err)
    other = world.at("to-key.age")
    subprocess.run(["age", "-r", world.recipient, "-o", other, world.identity], check=True)
    result = world.run("inspect", world.at("out"), "--decrypt-with", other, env={"EXEAT_PASSPHRASE": "x"})
    expect(result.status == 1 and "not with a passphrase" in result.err and "age -d" in result.err, result.err)


HOSTILE = ["a\u202etxt.exe", "b\u2066c\u2069", "d\u200be", "f\u2028g", "h\x1b[31mi", "j\u0085k", "l\U000e0041m", "n\u00ade", "o\x7fp", "q\nfile  0644  r"]


def names_cannot_steer_a_terminal(world):
    names = world.at("names")
    os.mkdir(names)
    for name in HOSTILE:
        open(os.path.join(names, name), "w").close()
    result = world.run("export", world.plan("names.yaml", "names", encrypt=False), "--output", world.at("named"))
    expect(result.status == 0, result.err)
    for arguments in (("named", "tree"), ("named", "tree", "--json")):
        result = world.run("inspect", world.at(arguments[0]), *arguments[1:])
        text = result.out.decode()
        expect(result.status == 0, result.err)
        bad = [character for name in HOSTILE for character in name if not character.isprintable() and character != "\n" and character in text]
        expect(not bad, f"{arguments}: {bad!r} reached the terminal")
        if "--json" in arguments:
            listed = {line["path"] for line in json.loads(text)["lines"]}
            expect(set(HOSTILE) <= listed, f"JSON lost names: {listed}")
        else:
            expect("a\\u{202e}txt.exe" in text, text)
            expect(len(text.splitlines()) == len(HOSTILE) + 1, text)
    result = world.run("inspect", world.at("named"), "tree/x\u202ey")
    expect(result.status == 1 and "\u202e" not in result.err and "\\u{202e}" in result.err, result.err)


def a_target_that_cannot_be_tried_out(world):
    """What has the name of the trial in a target whose import is resumed; those that add have names of their own."""
    plan = world.import_plan("probe.yaml", "held")
    command = ["import", world.at("out"), plan, "--work", world.at("work-held")]
    expect(world.run(*command).status == 0)
    os.unlink(world.at("work-held/source-0/finished"))
    world.write("held/.exeat-probe/mine")
    result = world.run(*command)
    expect(result.status == 1 and ".exeat-probe" in result.err and "move it away" in result.err, result.err)
    plan = world.import_plan("add.yaml", "held", ", existing: add")
    result = world.run("import", world.at("out"), plan, "--work", world.at("work-add"))
    expect(result.status == 2, f"{result.status} {result.err}")
    expect(os.path.exists(world.at("held/.exeat-probe/mine")), "what had the name is gone")


def merged_owners_are_told(world):
    if os.geteuid() != 0:
        raise Skip("needs root")
    tree = world.at("owned")
    os.mkdir(tree)
    for number in (2001, 2002, 2003):
        open(f"{tree}/{number}", "w").close()
        os.chown(f"{tree}/{number}", number, number)
    result = world.run("export", world.plan("owned.yaml", "owned", encrypt=False), "--output", world.at("owned-out"))
    expect(result.status == 0, result.err)
    for users, words in (('"2001": "3000", "2002": "3000", "2003": "3001"', "1 owner or group of the target stands for several"), ('"2001": "3000"', "")):
        world.remove("owned-target", "owned-work")
        plan = world.import_plan("owned-import.yaml", "owned-target", f", map: {{ users: {{ {users} }} }}")
        result = world.run("import", world.at("owned-out"), plan, "--work", world.at("owned-work"), "--json")
        expect(result.status == 0, result.err)
        reservations = " ".join(json.loads(result.out)["reservations"])
        expect(words in reservations if words else "for several of the source" not in reservations, reservations)


def an_index_is_listed_in_little_memory(world):
    many = world.at("many")
    for folder in range(150):
        os.makedirs(f"{many}/{folder}")
        for number in range(1000):
            open(f"{many}/{folder}/{number:0100d}", "w").close()
    result = world.run("export", world.plan("many.yaml", "many", encrypt=False), "--output", world.at("many-out"), timeout=300)
    expect(result.status == 0, result.err)
    sizes = []
    for path in ("tree/7", "tree"):
        with open(world.at("listed"), "wb") as file:
            process = subprocess.Popen([EXEAT, "inspect", world.at("many-out"), path, "--json"], stdout=file)
            _, status, usage = os.wait4(process.pid, 0)
        expect(status == 0, "inspect")
        sizes.append(usage.ru_maxrss)
    lines = json.load(open(world.at("listed")))["lines"]
    expect(len(lines) == 150 * 1001 + 1, len(lines))
    # In KiB; the list itself is some 50 MB.
    expect(sizes[1] < sizes[0] + 20_000, f"memory grows with the list: {sizes}")


def no_archive_on_a_terminal(world):
    plan = world.plan("screen.yaml", "tree")
    status, screen = typed(world, [EXEAT, "export", plan, "--output", "-"], [])
    expect(status == 64 and "not written to a terminal" in screen, f"{status} {screen}")
    expect("tree-00001" not in screen, "an archive was written there")


def main():
    suite = Suite()
    world = suite.world
    tree = world.at("tree")
    os.mkdir(tree)
    open(os.path.join(tree, "file"), "w").write("content")
    result = world.run("export", world.plan("plan.yaml", "tree"), "--output", world.at("out"))
    expect(result.status == 0, result.err)
    if subprocess.run(["which", "age"], capture_output=True).returncode == 0:
        suite.case("passphrases open key files", passphrases_open_key_files)
        suite.case("a passphrase is asked for", a_passphrase_is_asked_for)
        suite.case("exposed keys are refused still", exposed_keys_are_refused_still)
    suite.case("names cannot steer a terminal", names_cannot_steer_a_terminal)
    suite.case("a target that cannot be tried out", a_target_that_cannot_be_tried_out)
    suite.case("merged owners are told", merged_owners_are_told)
    suite.case("an index is listed in little memory", an_index_is_listed_in_little_memory)
    suite.case("no archive on a terminal", no_archive_on_a_terminal)
    suite.finish()


if __name__ == "__main__":
    main()
