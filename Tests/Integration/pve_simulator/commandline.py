"""What root finds on a node's command line: `vzdump`, `qm`, `pct`, `pvesm`, `qmrestore`, `pvesh get`, …"""
import contextlib
import json
import os
import select
import shlex
import shutil
import subprocess
import threading

from . import backup
from .errors import Refused, TaskFailed


class Usage(Exception):
    pass


def run(simulator, line, stdin, stdout, stderr, link):
    """Runs one command line with the descriptors given; gives back its exit status."""
    def say(text):
        with contextlib.suppress(OSError):
            os.write(stderr, (text + "\n").encode())
    simulator.record("SSH " + line)
    try:
        simulator.faults.request("SSH " + line)
        words = shlex.split(line)
        name = os.path.basename(words[0]) if words else ""
        if name not in COMMANDS:
            say(f"bash: line 1: {name}: command not found")
            return 127
        return COMMANDS[name](Shell(simulator, stdin, stdout, say, link), words[1:]) or 0
    except Usage as error:
        say(str(error))
        return 255
    except (Refused, TaskFailed) as error:
        say(str(error))
        for key, text in (getattr(error, "errors", None) or {}).items():
            say(f"{key}: {text}")
        return 255
    except ValueError as error:
        say(str(error))
        return 2


class Shell:
    def __init__(self, simulator, stdin, stdout, say, link):
        self.simulator, self.stdin, self.stdout, self.say, self.link = simulator, stdin, stdout, say, link
        self.node = simulator.nodes[0]

    def print(self, text):
        os.write(self.stdout, text.encode())

    def watch(self, task):
        """Ends the task when the other side goes away."""
        def wait():
            while task.status == "running":
                ready, _, _ = select.select([self.link], [], [], 0.2)
                if ready:
                    task.end()
                    return
        threading.Thread(target=wait, daemon=True).start()


def options_of(words, flags=()):
    """(positional words, options); `--key value`, `--key=value`, `--flag`."""
    positional, options = [], {}
    words = list(words)
    while words:
        word = words.pop(0)
        if word.startswith("-") and len(word) > 1:
            key, equals, value = word.lstrip("-").partition("=")
            if not equals:
                value = words.pop(0) if words and not (
                    words[0].startswith("--") or key in flags and words[0] not in ("0", "1")) else "1"
            options[key] = value
        else:
            positional.append(word)
    return positional, options


def vzdump(shell, words):
    ids, options = options_of(words, flags=("stdout", "quiet", "all", "protected", "remove"))
    simulator = shell.simulator
    method, _ = simulator.schema.find("POST", f"/nodes/{shell.node}/vzdump")
    given = simulator.schema.verify(method, options)
    to_stdout = bool(given.pop("stdout", 0))
    if to_stdout and len(ids) != 1:
        raise Usage("400 Parameter verification failed.\nstdout: can only be used with a single VM")
    if to_stdout and ("storage" in given or "dumpdir" in given):
        raise Usage("400 Parameter verification failed.\nstdout: can not be used with --storage or --dumpdir")
    if not ids and not any(key in given for key in ("all", "pool", "exclude")):
        raise Usage("400 not enough arguments\nvzdump {<vmid>} [OPTIONS]")
    given["vmid"] = ",".join(ids)
    vmids = [int(one) for one in ids] or backup.selected(simulator, given)
    vmids = [vmid for vmid in vmids if vmid not in simulator.guests or simulator.guests[vmid].node == shell.node]
    task = simulator.tasks.start(
        shell.node, "vzdump", str(vmids[0]) if len(vmids) == 1 else "", "root@pam",
        lambda task: backup.run(task, vmids, given, shell.stdout if to_stdout else None),
        listener=lambda line: shell.say(line) if not line.startswith("TASK") else None)
    shell.watch(task)
    task.wait(86400)
    if task.exit == "OK" or task.exit.startswith("WARNINGS"):
        return 0
    shell.say(task.exit)
    return 255


def find(shell, vmid, kind):
    return shell.simulator.guest(int(vmid), shell.node, kind)


def guest_command(kind):
    def command(shell, words):
        if not words:
            raise Usage(f"ERROR: no command specified\nUSAGE: {'qm' if kind == 'qemu' else 'pct'} <COMMAND> [ARGS] [OPTIONS]")
        action, rest = words[0], words[1:]
        positional, options = options_of(rest, flags=("current", "purge"))
        if action == "list":
            shell.print("      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID\n")
            for guest in shell.simulator.guests.values():
                if guest.kind == kind and guest.node == shell.node:
                    shell.print(f"{guest.vmid:10} {guest.name:20} {'running' if guest.running else 'stopped'}\n")
            return 0
        guest = find(shell, positional[0], kind)
        if action == "config":
            values = guest.config()
            values.pending, values.snapshots = {}, {}
            if "cipassword" in values.values:
                values.values["cipassword"] = "**********"
            shell.print(values.text())
        elif action == "status":
            shell.print(f"status: {'running' if guest.running else 'stopped'}\n")
        elif action == "unlock":
            guest.change(lock=None)
        elif action in ("start", "stop", "shutdown"):
            guest.check_lock()
            guest.running = action == "start"
        elif action == "destroy":
            guest.check_lock()
            if guest.running:
                raise TaskFailed(f"VM {guest.vmid} is running - destroy failed")
            guest.destroy()
        elif action in ("importdisk", "disk") and kind == "qemu":
            words = positional[1:] if action == "importdisk" else positional[2:]
            raise Usage("the simulator does not import disks by `qm`: " + " ".join(words))
        else:
            raise Usage(f"ERROR: unknown command '{action}'")
        return 0
    return command


def pvesm(shell, words):
    positional, options = options_of(words)
    action = positional[0] if positional else ""
    simulator = shell.simulator
    if action == "path":
        storage, _, volume = positional[1].partition(":")
        shell.print(simulator.storage(storage, shell.node).locate(shell.node, volume) + "\n")
    elif action == "status":
        shell.print("Name             Type     Status           Total            Used       Available        %\n")
        for storage in simulator.storages.values():
            known = storage.status(shell.node)
            shell.print(f"{storage.id:16} {storage.kind:8} active {known['total'] // 1024:16} {known['used'] // 1024:15} "
                        f"{known['avail'] // 1024:15} {100 * known['used'] / known['total']:8.2f}%\n")
    elif action == "list":
        storage = simulator.storage(positional[1], shell.node)
        shell.print("Volid Format  Type            Size VMID\n")
        for entry in storage.volumes(shell.node, options.get("content")):
            shell.print(f"{entry['volid']} {entry['format']} {entry['content']} {entry['size']} {entry.get('vmid', '')}\n")
    elif action == "export":
        storage, _, volume = positional[1].partition(":")
        if positional[2] != "raw+size":
            raise TaskFailed(f"unsupported format '{positional[2]}'")
        path = simulator.storage(storage, shell.node).locate(shell.node, volume)
        scratch = None
        if path.endswith((".qcow2", ".vmdk")):
            scratch = simulator.at("tmp", f"export-{threading.get_ident()}")
            subprocess.run(["qemu-img", "convert", "-O", "raw", path, scratch], check=True)
            path = scratch
        try:
            with open(path, "rb") as source, os.fdopen(os.dup(shell.stdout), "wb") as target:
                target.write(os.fstat(source.fileno()).st_size.to_bytes(8, "little"))
                shutil.copyfileobj(source, target, 1 << 20)
        finally:
            if scratch:
                os.unlink(scratch)
    else:
        raise Usage(f"ERROR: unknown command 'pvesm {action}'")
    return 0


def qmrestore(shell, words):
    """From a file, or from `-`: then standard input is an archive without compression."""
    from . import machines_api
    positional, options = options_of(words, flags=("unique", "force", "start"))
    archive, vmid = positional[0], int(positional[1])
    task = shell.simulator.tasks.start(
        shell.node, "qmrestore", str(vmid), "root@pam",
        lambda task: machines_api.restore_machine(task, shell.node, vmid, archive, options, descriptor=shell.stdin),
        listener=shell.say)
    shell.watch(task)
    return 0 if task.wait(86400) == "OK" else 255


def pveversion(shell, words):
    shell.print(f"pve-manager/{shell.simulator.release}/f0a1b2c3 (running kernel: 6.8.12-9-pve)\n")


def pvesh(shell, words):
    """`pvesh get PATH [--key value] --output-format json`, as root@pam."""
    from .routes import ROUTES, Call
    verbs = {"get": "GET", "create": "POST", "set": "PUT", "delete": "DELETE"}
    positional, options = options_of(words)
    options.pop("output-format", None)
    verb, path = verbs[positional[0]], "/" + positional[1].strip("/")
    method, in_path = shell.simulator.schema.find(verb, path)
    parameters = shell.simulator.schema.verify(method, {**options, **in_path})
    call = Call(shell.simulator, "root@pam", shell.node, verb, path, parameters)
    shell.print(json.dumps(ROUTES[verb, method["path"]](call)) + "\n")


def cat(shell, words):
    """Reads below /etc/pve and the storages only."""
    for word in words:
        path = shell.simulator.at("etc-pve", word[len("/etc/pve/"):]) if word.startswith("/etc/pve/") else \
            shell.simulator.inside(word)
        try:
            with open(path, "rb") as file, os.fdopen(os.dup(shell.stdout), "wb") as target:
                shutil.copyfileobj(file, target)
        except OSError as error:
            shell.say(f"cat: {word}: {error.strerror}")
            return 1


COMMANDS = {"vzdump": vzdump, "qm": guest_command("qemu"), "pct": guest_command("lxc"), "pvesm": pvesm,
            "qmrestore": qmrestore, "pveversion": pveversion, "pvesh": pvesh, "cat": cat,
            "true": lambda shell, words: 0, "hostname": lambda shell, words: shell.print(shell.node + "\n")}
