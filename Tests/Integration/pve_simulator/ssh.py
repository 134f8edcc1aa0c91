"""A real sshd on a loopback port: a read-only SFTP account, and a forced command that acts as the CLI.

Forced commands run in processes of their own. They hand their three descriptors to the simulator over a
socket, which runs the command with its state and writes to them, and end with the status that it gives.
"""
import array
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from . import commandline

CLIENT = '''#!{python}
import array, os, socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect({path!r})
command = ({given!r} or os.environ.get("SSH_ORIGINAL_COMMAND", "")).encode()
link.sendmsg([len(command).to_bytes(4, "big") + command],
             [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
# While the command runs, the descriptors belong to it alone.
null = os.open("/dev/null", os.O_RDWR)
for number in (0, 1, 2):
    os.dup2(null, number)
status = link.recv(1)
os._exit(status[0] if status else 255)
'''


class SSH:
    def __init__(self, simulator):
        self.simulator, self.directory = simulator, simulator.at("ssh")
        self.process, self.port, self.listener, self.running = None, None, None, set()
        os.makedirs(self.directory, mode=0o700, exist_ok=True)

    def start(self):
        for name in ("host_key", "sftp_key", "sftp_write_key", "root_key"):
            path = os.path.join(self.directory, name)
            if not os.path.exists(path):
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path], check=True)
        self._listen()
        self._configure()
        self.launch()

    def _listen(self):
        # The name of a socket must be short.
        self.folder = os.path.join("/tmp", f"pve-sim-{os.getpid()}-{id(self) & 0xFFFFFF:x}")
        os.makedirs(self.folder, mode=0o700)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(self.folder, "cli"))
        self.listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def _configure(self):
        at = lambda name: os.path.join(self.directory, name)
        with open(at("command"), "w") as file:
            file.write(CLIENT.format(python=sys.executable, path=os.path.join(self.folder, "cli"), given=""))
        os.chmod(at("command"), 0o700)
        keys = []
        for name, options in (("root_key", f'command="{at("command")}"'),
                              ("sftp_key", 'command="internal-sftp -R"'),
                              ("sftp_write_key", 'command="internal-sftp"')):
            with open(at(name + ".pub")) as file:
                keys.append(f"restrict,{options} {file.read()}")
        with open(at("authorized_keys"), "w") as file:
            file.write("".join(keys))
        os.chmod(at("authorized_keys"), 0o600)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with open(at("sshd_config"), "w") as file:
            file.write(f"""ListenAddress 127.0.0.1:{self.port}
HostKey {at('host_key')}
AuthorizedKeysFile {at('authorized_keys')}
PidFile {at('sshd.pid')}
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
LogLevel VERBOSE
""")
        with open(at("host_key.pub")) as file:
            kind, key = file.read().split()[:2]
        with open(at("known_hosts"), "w") as file:
            file.write(f"[127.0.0.1]:{self.port} {kind} {key}\n[localhost]:{self.port} {kind} {key}\n")

    def launch(self):
        """Starts sshd, also again after `kill`."""
        program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
        if os.geteuid() == 0:
            # Where sshd separates its privileges; Debian's service makes it.
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        with open(os.path.join(self.directory, "sshd.log"), "ab") as log:
            self.process = subprocess.Popen(
                [program, "-D", "-e", "-f", os.path.join(self.directory, "sshd_config")], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True)
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        with open(os.path.join(self.directory, "sshd.log")) as file:
            raise RuntimeError("sshd does not start: " + file.read()[-500:])

    def children(self, process):
        found = []
        with contextlib.suppress(OSError), open(f"/proc/{process}/task/{process}/children") as file:
            for child in map(int, file.read().split()):
                found += [child, *self.children(child)]
        return found

    def kill(self, listener=True):
        """Cuts every connection; with `listener` also the daemon, so that none can be made until `launch`."""
        for child in self.children(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        if listener and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        if self.process:
            self.kill()
        if self.listener:
            self.listener.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def description(self):
        at = lambda name: os.path.join(self.directory, name)
        return {"host": "127.0.0.1", "port": self.port, "user": pwd.getpwuid(os.geteuid()).pw_name, "known_hosts": at("known_hosts"),
                "sftp_key": at("sftp_key"), "sftp_write_key": at("sftp_write_key"), "root_key": at("root_key")}

    # Commands.

    def _accept(self):
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link):
        descriptors = []
        try:
            data, ancillary, _, _ = link.recvmsg(65536, socket.CMSG_SPACE(12))
            for level, kind, value in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    numbers = array.array("i")
                    numbers.frombytes(value[:len(value) - len(value) % numbers.itemsize])
                    descriptors += list(numbers)
            line = data[4:4 + int.from_bytes(data[:4], "big")].decode("utf-8", "replace")
            status = commandline.run(self.simulator, line, *descriptors, link)
        except Exception as error:
            status = 255
            with contextlib.suppress(OSError):
                os.write(descriptors[2], f"simulator: {error!r}\n".encode())
        for descriptor in descriptors:
            os.close(descriptor)
        with contextlib.suppress(OSError):
            link.send(bytes([status & 255]))
        link.close()
