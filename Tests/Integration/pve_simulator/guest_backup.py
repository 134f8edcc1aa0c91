"""The backup of one guest: a virtual machine as VMA, a container as GNU tar."""
import os
import re
import subprocess
import tempfile
import threading
import time
import uuid

from . import vma
from .errors import Refused, TaskFailed
from .formats import parse_properties
from .retention import clock, keep_options, prunable
from .tasks import Interrupted

COMPRESSORS = {"zstd": ("zst", ["zstd", "-q", "--rsyncable", "--threads=1"]), "gzip": ("gz", ["gzip", "--rsyncable"]),
               "1": ("lzo", ["lzop"]), "lzo": ("lzo", ["lzop"])}
SKIPPED_KEYS = re.compile(r"^(?:lock|parent|snaptime|vmstate|running.*|digest|pending|unused\d+)$")
PIECE = 1 << 20
STAMP = "%Y_%m_%d-%H_%M_%S"


class Backup:
    def __init__(self, task, vmid, given, stdout):
        self.task, self.vmid, self.given, self.stdout = task, vmid, given, stdout
        self.simulator, self.lines = task.tasks.simulator, []
        self.faults = self.simulator.faults

    def log(self, text):
        self.lines.append(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}")
        self.task.log(text)

    def run(self):
        what = self.simulator.guests.get(self.vmid)
        kind = what.kind if what else "qemu"
        began, locked = time.time(), False
        self.partial = self.target = self.base = None
        try:
            if what is None:
                raise TaskFailed(f"unable to find VM '{self.vmid}'")
            self.guest = what
            self.prepare()
            if self.stdout is None:
                self.base = self.free_name()
            self.log(f"INFO: Starting Backup of VM {self.vmid} ({kind})")
            began_at = time.strptime(self.base.split("-", 3)[3], STAMP) if self.base else time.localtime()
            self.log(f"INFO: Backup started at {time.strftime('%Y-%m-%d %H:%M:%S', began_at)}")
            try:
                self.guest.check_lock()
            except Refused as error:
                raise TaskFailed(str(error)) from None
            if self.given.get("mode") == "stop" and self.running and self.simulator.under_ha(what):
                raise TaskFailed("Cannot execute a backup with stop mode on a HA managed and enabled Service. "
                                 "Use snapshot mode or disable the Service.")
            config = self.guest.config()
            self.guest.change(lock="backup")
            locked = True
            self.archive(config)
            self.guest.change(lock=None)
            locked = False
            self.finish()
            self.log(f"INFO: Finished Backup of VM {self.vmid} ({clock(time.time() - began)})")
            self.log(f"INFO: Backup finished at {time.strftime('%Y-%m-%d %H:%M:%S')}")
            self.write_log()
            return True
        except Interrupted:
            if not self.task.killed:
                self.clean(locked)
                self.log(f"ERROR: Backup of VM {self.vmid} failed - interrupted by signal")
            raise
        except (TaskFailed, OSError, vma.Broken, subprocess.CalledProcessError) as error:
            self.clean(locked)
            self.log(f"ERROR: Backup of VM {self.vmid} failed - {error}")
            self.log(f"INFO: Failed at {time.strftime('%Y-%m-%d %H:%M:%S')}")
            self.write_log()
            return False

    def clean(self, locked):
        if locked and os.path.exists(self.guest.path):
            self.guest.change(lock=None)
        if self.partial and os.path.exists(self.partial):
            os.unlink(self.partial)

    def prepare(self):
        self.running = self.guest.running
        given, storage_id = self.given, self.given.get("storage", "local")
        if self.stdout is not None:
            return
        if "dumpdir" in given:
            self.folder, self.storage = self.simulator.inside(given["dumpdir"]), None
            if not os.path.isdir(self.folder):
                raise TaskFailed(f"dumpdir '{given['dumpdir']}' does not exist")
        else:
            self.storage = self.simulator.storage(storage_id, self.task.node)
            if "backup" not in self.storage.content or not self.storage.has_paths:
                raise TaskFailed(f"could not get storage information for '{storage_id}': storage "
                                 f"'{storage_id}' does not support backups")
            self.folder = self.storage.folder(self.task.node, "backup")
        self.keep = keep_options(given.get("prune-backups") or (
            self.storage and self.storage.values.get("prune-backups")) or "keep-all=1")
        if not given.get("remove", 1) and not self.keep.get("keep-all"):
            count, limit = len(self.existing()), sum(self.keep.values())
            if limit and count >= limit:
                raise TaskFailed(f"There is a max backup limit of {limit} enforced by the target storage or "
                                 "the vzdump parameters. Either increase the limit or delete old backups.")

    def existing(self):
        names = [name for name in os.listdir(self.folder)
                 if re.fullmatch(rf"vzdump-{self.guest.kind}-{self.vmid}-[\d_-]+\.(vma|tar)(\.\w+)?", name)
                 and not name.endswith((".notes", ".protected", ".dat", ".log"))
                 and not os.path.exists(os.path.join(self.folder, name + ".protected"))]
        return sorted(names)

    def archive(self, config):
        qemu = self.guest.kind == "qemu"
        self.log(f"INFO: status = {'running' if self.running else 'stopped'}")
        if self.given.get("mode", "snapshot") != "snapshot" or not self.running:
            self.log(f"INFO: backup mode: {self.given.get('mode', 'snapshot') if self.running else 'stop'}")
        self.log(f"INFO: {'VM Name' if qemu else 'CT Name'}: {self.guest.name}")
        parts = self.include(config)
        if self.running and self.given.get("mode", "snapshot") == "snapshot":
            self.log("INFO: backup mode: snapshot")
        self.log("INFO: ionice priority: 7")
        if qemu and not self.running:
            self.log("INFO: starting kvm to execute backup task")
        ending, compressor = COMPRESSORS.get(self.given.get("compress", "0"), ("", None))
        if self.stdout is None:
            suffix = (".vma" if qemu else ".tar") + ("." + ending if ending else "")
            self.target = os.path.join(self.folder, self.base + suffix)
            self.partial = os.path.join(self.folder, self.base + (".vma" if qemu else ".tar") + ".dat")
            self.log(f"INFO: creating vzdump archive '{self.target}'")
        else:
            self.log("INFO: sending archive to stdout")
        self.faults.happen("backup started", self.task)
        with tempfile.TemporaryDirectory(prefix="vzdump-", dir=self.simulator.at("tmp")) as scratch:
            source = self.machine(config, parts, scratch) if qemu else self.container(config, parts, scratch)
            self.pump(source, compressor)
        if self.stdout is None:
            keep = self.faults.truncate_backup
            os.chmod(self.partial, 0o644)
            os.rename(self.partial, self.target)
            self.log(f"INFO: archive file size: {os.stat(self.target).st_size // 1048576}MB")
            if keep is not None:
                self.faults.truncate_backup = None
                os.truncate(self.target, keep)
            self.faults.happen("backup renamed", self.task)

    def free_name(self):
        """Names have seconds; a second backup within one waits for the next."""
        while True:
            base = f"vzdump-{self.guest.kind}-{self.vmid}-{time.strftime(STAMP)}"
            if not any(name.startswith(base) for name in os.listdir(self.folder)):
                return base
            time.sleep(0.1)

    def include(self, config):
        parts = []
        for key, properties in self.guest.disks(config.values):
            volume, size = properties["file"], properties.get("size", "")
            if self.guest.kind == "qemu":
                if properties.get("media") == "cdrom" or "cloudinit" in volume:
                    continue
                if properties.get("backup", "1") in ("0", "no", "off"):
                    self.log(f"INFO: exclude disk '{key}' '{volume}' (backup=no)")
                elif key == "efidisk0" and config.values.get("bios") != "ovmf":
                    self.log("INFO: excluding 'efidisk0' (VM not configured with 'bios: ovmf')")
                else:
                    self.log(f"INFO: include disk '{key}' '{volume}' {size}".rstrip())
                    parts.append((key, properties))
            elif key == "rootfs":
                parts.append((key, properties))
            elif volume.startswith("/"):
                self.log(f"INFO: excluding {'bind' if not volume.startswith('/dev') else 'device'} mount point "
                         f"{key} ('{properties['mp']}') from backup (not a volume)")
            elif properties.get("backup") in ("1", "yes", "on"):
                self.log(f"INFO: including mount point {key} ('{properties['mp']}') in backup")
                parts.append((key, properties))
            else:
                self.log(f"INFO: excluding volume mount point {key} ('{properties['mp']}') from backup (disabled)")
        return parts

    def machine(self, config, parts, scratch):
        values = dict(config.values)
        devices, lines = [], []
        for key in list(values):
            if SKIPPED_KEYS.match(key):
                del values[key]
        plain = type(config)()
        plain.values = values
        text = plain.text()
        if config.snapshots:
            self.log("INFO: snapshots found (not included into backup)")
        if config.pending:
            self.log("INFO: pending configuration changes found (not included into backup)")
        for key, properties in parts:
            path = self.guest.resolve(properties["file"])
            name, form = f"drive-{key}" + ("-backup" if key == "tpmstate0" else ""), "raw"
            if not os.path.exists(path):
                raise TaskFailed(f"volume '{properties['file']}' does not exist")
            if path.endswith((".qcow2", ".vmdk")):
                form = path.rsplit(".", 1)[1]
                raw = os.path.join(scratch, key)
                self.task.command("qemu-img", "convert", "-U", "-O", "raw", path, raw)
                path = raw
            devices.append(vma.Device(name, path))
            storage = properties["file"].split(":")[0] if ":" in properties["file"] else ""
            lines.append(f"#qmdump#map:{key}:{name}:{storage}:{form}:\n")
        configs = [("qemu-server.conf", (text + "".join(lines)).encode())]
        if os.path.exists(self.guest.firewall_path):
            with open(self.guest.firewall_path, "rb") as file:
                configs.append(("qemu-server.fw", file.read()))
        self.freeze(config)
        self.log(f"INFO: started backup task '{uuid.uuid4()}'")
        if self.running:
            self.log("INFO: resuming VM again")
        return vma.write(configs, devices)

    def freeze(self, config):
        """Thaws in any case, also where freezing has failed."""
        agent = parse_properties(config.values.get("agent", "0"), "enabled").get("enabled")
        if agent not in ("1", "on", "yes") or not self.running or self.given.get("mode") == "stop":
            return
        if self.guest.agent.get("down"):
            self.log("INFO: skipping guest-agent 'fs-freeze', agent configured but not running?")
            return
        self.log("INFO: issuing guest-agent 'fs-freeze' command")
        if self.guest.agent.get("fails to freeze"):
            self.log(f"ERROR: VM {self.vmid} qmp command 'guest-fsfreeze-freeze' failed - got timeout")
        self.log("INFO: issuing guest-agent 'fs-thaw' command")

    def container(self, config, parts, scratch):
        plain = type(config)()
        plain.values = {key: value for key, value in config.values.items() if not SKIPPED_KEYS.match(key)}
        os.makedirs(os.path.join(scratch, "etc/vzdump"))
        with open(os.path.join(scratch, "etc/vzdump/pct.conf"), "w", encoding="utf-8") as file:
            file.write(plain.text())
        with open(os.path.join(scratch, "etc/vzdump/pct.fw"), "wb") as file:
            if os.path.exists(self.guest.firewall_path):
                with open(self.guest.firewall_path, "rb") as rules:
                    file.write(rules.read())
        root = self.guest.resolve(dict(parts)["rootfs"]["file"])
        excluded = [*self.given.get("exclude-path", []), *self.simulator.excluded_paths]
        if self.given.get("stdexcludes", 1):
            excluded += ["/tmp/?*", "/var/tmp/?*", "/var/run/?*.pid"]
        command = ["tar", "cpf", "-", "--totals", "--one-file-system", "-p", "--sparse", "--numeric-owner", "--acls",
                   "--xattrs", "--xattrs-include=user.*", "--xattrs-include=security.capability",
                   "--warning=no-file-ignored", "--warning=no-xattr-write",
                   f"--directory={scratch}", "./etc/vzdump/pct.conf", "./etc/vzdump/pct.fw",
                   f"--directory={root}", "--no-anchored", "--exclude=lost+found"]
        # Those without a slash in front match below each directory.
        command += [f"--exclude={one}" for one in excluded if not one.startswith("/")]
        command += ["--anchored", *(f"--exclude=.{one}" for one in excluded if one.startswith("/"))]
        command += ["./"]
        mounts = [(self.guest.resolve(one["file"]), one["mp"]) for key, one in parts if key != "rootfs"]
        # Mount points are further sources after the root, each under its own path.
        for number, (path, where) in enumerate(mounts):
            stage = os.path.join(scratch, f"mount-{number}")
            os.makedirs(os.path.join(stage, os.path.dirname(where.lstrip("/"))))
            subprocess.run(["cp", "-a", path, os.path.join(stage, where.lstrip("/"))], check=True)
            command += [f"--directory={stage}", f".{where}"]
        return self.tar(command)

    def tar(self, command):
        child = self.task.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while piece := child.stdout.read(PIECE):
            yield piece
        text = child.stderr.read().decode("utf-8", "replace")
        if child.wait():
            raise TaskFailed(f"command 'tar' failed: exit code {child.returncode}: {text.strip()}")
        self.log("INFO: " + text.strip())

    def pump(self, source, compressor):
        """Source → compressor → file or descriptor, with the faults that may strike there."""
        output = self.stdout if self.stdout is not None else os.open(
            self.partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            if compressor is None:
                for piece in source:
                    self.put(output, piece)
                return
            child = self.task.run(compressor, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            problem = []

            def drain():
                try:
                    while piece := child.stdout.read1(PIECE):
                        self.put(output, piece)
                except BaseException as error:
                    problem.append(error)
                    child.kill()
            thread = threading.Thread(target=drain)
            thread.start()
            try:
                for piece in source:
                    self.task.check()
                    child.stdin.write(piece)
                child.stdin.close()
            except BrokenPipeError:
                pass
            finally:
                if child.poll() is None and self.task.stop.is_set():
                    child.kill()
                try:
                    child.stdin.close()
                except OSError:
                    pass
                thread.join()
            if problem:
                raise problem[0]
            self.task.check()
            if child.wait():
                raise TaskFailed(f"command '{compressor[0]}' failed: exit code {child.returncode}")
        finally:
            if self.stdout is None:
                os.close(output)

    def put(self, output, piece):
        self.task.check()
        fits = len(piece)
        if self.stdout is None and self.storage:
            fits = self.faults.take_room(self.storage.id, len(piece))
        view = memoryview(piece)[:fits]
        while view:
            view = view[os.write(output, view):]
        if fits < len(piece):
            raise TaskFailed("vma_queue_write: write error - No space left on device")
        self.faults.happen("backup piece", self.task)
        if self.faults.backup_pause:
            self.task.stop.wait(self.faults.backup_pause)
        self.task.check()

    def finish(self):
        """Notes, protection, then pruning, in the order of the real one."""
        if self.stdout is not None:
            return
        notes = self.given.get("notes-template")
        if notes:
            names = {"cluster": self.simulator.cluster_name, "guestname": self.guest.name,
                     "node": self.task.node, "vmid": str(self.vmid)}
            text = re.sub(r"\{\{(\w+)\}\}", lambda found: names.get(found[1], found[0]),
                          notes.replace("\\n", "\n").replace("\\\\", "\\"))
            with open(self.target + ".notes", "w", encoding="utf-8") as file:
                file.write(text)
            self.log("INFO: adding notes to backup")
        if self.given.get("protected", self.simulator.vzdump_conf.get("protected", 0)):
            open(self.target + ".protected", "w").close()
            self.log("INFO: marking backup as protected")
        if self.given.get("remove", 1) and not self.keep.get("keep-all"):
            shown = ", ".join(f"{key}={value}" for key, value in self.keep.items())
            self.log(f"INFO: prune older backups with retention: {shown}")
            for name in prunable(self.existing(), self.keep):
                self.log(f"INFO: removing backup '{self.storage.id if self.storage else self.folder}:backup/{name}'")
                self.simulator.remove_backup(os.path.join(self.folder, name))

    def write_log(self):
        if self.stdout is None and self.base:
            with open(os.path.join(self.folder, self.base + ".log"), "w", encoding="utf-8") as file:
                file.write("\n".join(self.lines) + "\n")
