"""A directory of text logs for tests: plans, exports and imports of it, and what the archive says of each log."""
import datetime
import hashlib
import json
import os
import subprocess

from support import exeat, keys, run, write


class Place:
    """A directory with keys, logs below `log`, plans, and what became of them."""

    def __init__(self, directory):
        self.directory = directory
        self.log = self.at("log")
        os.makedirs(self.log)
        keys(directory)

    def at(self, *names):
        return os.path.join(self.directory, *names)

    def put(self, name, content, mtime=None, mode=0o640):
        path = os.path.join(self.log, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write(path, content)
        os.chmod(path, mode)
        if mtime is not None:
            os.utime(path, (mtime, mtime))
        return path

    def plan(self, text, extra="", name="export.yaml"):
        return write(self.at(name), (
            "exeat: 1\nrun: { purpose: trial }\nsources:\n  logs:\n    kind: logs\n"
            f"    text: {json.dumps(text)}\n{extra}"
            "archive: { name: bag, sign-with: signer }\n"))

    def import_plan(self, text="", target="target", existing="", verify="digest"):
        options = f", text: {text}" if text else ""
        return write(self.at("import.yaml"), (
            "exeat: 1\ntrust: signer.trust.json\nsign-with: signer\ntargets:\n"
            f"  logs: {{ kind: logs, directory: {target}{options}{existing} }}\nverify: {verify}\n"))

    def export(self, text, *, status=0, extra="", output="bag", **options):
        plan = self.plan(text, extra)
        return exeat("export", plan, "--output", output, "--json", cwd=self.directory, **options
                     ).expect(status)

    def bring(self, text="", *, status=0, archive="bag", work="work", **options):
        plan = self.import_plan(text, **options)
        return exeat("import", archive, plan, "--work", work, "--json", cwd=self.directory
                     ).expect(status)

    def streams(self, archive="bag"):
        """What the archive says of each log, by its name."""
        found = {}
        for folder in os.listdir(self.at(archive, "data/logs")):
            if folder.startswith("text-streams"):
                for file in sorted(os.listdir(self.at(archive, "data/logs", folder))):
                    text = run("zstd", "-dcq", self.at(archive, "data/logs", folder, file)).output
                    for line in text.splitlines():
                        record = json.loads(line)
                        found[record.get("log", "")] = record
        return found

    def tar(self, archive="bag"):
        """The tar of the archive, unpacked by the standard tools."""
        out = self.at("untarred-" + archive)
        os.makedirs(out)
        folder = next(f for f in os.listdir(self.at(archive, "data/logs")) if f.startswith("text-0"))
        subprocess.run(
            f"cat {self.at(archive, 'data/logs', folder)}/*.zst | zstd -dq | tar -xpf - -C {out}",
            shell=True, check=True)
        return out + self.log


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE, check=True).stdout


def access(day, count, zone="+0200"):
    start = datetime.datetime(2026, 10, day)
    return b"".join(
        b'10.0.0.%d - - [%s %s] "GET /%d HTTP/1.1" 200 5\n' % (
            n % 250, (start + datetime.timedelta(seconds=n * 80000 // count))
            .strftime("%d/%b/%Y:%H:%M:%S").encode(), zone.encode(), n)
        for n in range(count))


def chain(texts):
    value = bytes(32)
    for text in texts:
        value = hashlib.sha256(value + hashlib.sha256(text).digest()).digest()
    return value.hex()


def utc(text):
    return text + ".000000000Z"
