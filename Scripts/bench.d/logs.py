"""Scripts/bench logs: a journal of systemd, exported by journalctl into zstd and by Exeat."""
import os
import random
import subprocess
import sys

import measure
import units
from databases import DatabaseBench

PIPE = "journalctl -o export | zstd -3"
REMOTE = "/lib/systemd/systemd-journal-remote"
MEMORY = 200e6


def run(options):
    measure.need("/usr/bin/time", "zstd", "journalctl", REMOTE)
    LogsBench(options).run()


class LogsBench(DatabaseBench):
    kind = "logs"
    title = "Logs"

    def prepare(self):
        wanted = self.options.size or (40 << 20 if self.options.quick else 300 << 20)
        self.journal = self.folder / "journal"
        self.journal.mkdir()
        print(f"making a journal of {units.size(wanted)}", flush=True)
        self.entries = 0
        boot = 0
        while self.size() < wanted:
            self.entries += self.boot(boot, 40_000)
            boot += 1
        self.boots, self.bytes = boot, self.size()
        for path in self.journal.iterdir():
            measure.warm(path)

    def size(self):
        # What is allocated, not what the files are rounded up to.
        return sum(path.stat().st_blocks * 512 for path in self.journal.iterdir())

    def boot(self, number, count):
        """A boot as servers log it: units, processes, sessions, some binary fields and long messages."""
        source = random.Random(number)
        words = [source.randbytes(source.randrange(2, 6)).hex() for _ in range(3000)]
        boot, machine = f"{number + 1:032x}", "6d" * 16
        process = subprocess.Popen(
            [REMOTE, "--split-mode=none", f"--output={self.journal}/boot-{number}.journal", "-"],
            stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, "SYSTEMD_LOG_LEVEL": "err"})
        time = 1_767_225_600_000_000 + number * 10**12
        for entry in range(count):
            time += source.randrange(1, 4_000_000)
            unit = source.choice(("nginx", "sshd", "cron", "postgresql@15-main", "dbus", "slapd"))
            pid = source.randrange(300, 900)
            text = " ".join(source.choice(words) for _ in range(source.randrange(4, 24)))
            lines = (
                f"__REALTIME_TIMESTAMP={time}\n__MONOTONIC_TIMESTAMP={time % 10**12}\n_BOOT_ID={boot}\n"
                f"_MACHINE_ID={machine}\n_HOSTNAME=valmont\n_TRANSPORT=syslog\nPRIORITY={source.randrange(8)}\n"
                f"SYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER={unit}\nSYSLOG_PID={pid}\n_PID={pid}\n_UID=0\n_GID=0\n_COMM={unit}\n"
                f"_EXE=/usr/sbin/{unit}\n_CMDLINE=/usr/sbin/{unit} -D --config /etc/{unit}.conf\n"
                f"_CAP_EFFECTIVE=1ffffffffff\n_SELINUX_CONTEXT=unconfined\n_SYSTEMD_CGROUP=/system.slice/{unit}.service\n"
                f"_SYSTEMD_UNIT={unit}.service\n_SYSTEMD_SLICE=system.slice\n_SYSTEMD_INVOCATION_ID={pid:032x}\n"
                f"_SOURCE_REALTIME_TIMESTAMP={time - 17}\nMESSAGE={text}\n").encode()
            if entry % 40 == 0:
                value = source.randbytes(300)
                lines += b"PAYLOAD\n" + len(value).to_bytes(8, "little") + value + b"\n"
            if entry % 100 == 0:
                lines += b"TRACE\n" + (3000).to_bytes(8, "little") + (text + "\n").encode().ljust(3000, b".") + b"\n"
            process.stdin.write(lines + b"\n")
        process.stdin.close()
        if process.wait():
            sys.exit("systemd-journal-remote cannot make a journal")
        return count

    def round(self, work):
        self.export(work, PIPE, f"journalctl --directory={self.journal} -o export --quiet | zstd -q -3 -o pipe.zst; "
                    "sync -f .", "pipe.zst")
        measure.run(f"{self.binary} keys new bench", work)
        (work / "plan.yaml").write_text(
            "exeat: 1\nrun: { purpose: trial }\nsources:\n"
            f"  logs: {{ kind: logs, journald: {{ directory: {self.journal} }} }}\n"
            "archive: { name: bag, sign-with: bench, compression: { level: 3 } }\n")
        self.export(work, "exeat", f"{self.binary} export plan.yaml --output bag --progress none; sync -f .", "bag")
        (work / "import.yaml").write_text(
            "exeat: 1\ntrust: bench.trust.json\nsign-with: bench\nverify: digest\ntargets:\n"
            "  logs: { kind: logs, directory: out }\n")
        measure.settle()
        self.add("import", "zstd -dc | systemd-journal-remote", measure.run(
            f"zstd -q -dc pipe.zst | SYSTEMD_LOG_LEVEL=err {REMOTE} --split-mode=none --output=remote.journal -; sync -f .",
            work), 0)
        measure.settle()
        self.add("import", "exeat", measure.run(
            f"{self.binary} import bag import.yaml --work work --progress none; sync -f .", work), 0)
        found = subprocess.run(["sh", "-c", "journalctl --directory=out -o export --quiet | grep -ac ^__CURSOR="],
                               cwd=work, capture_output=True, text=True).stdout.strip()
        if found != str(self.entries):
            sys.exit(f"exeat: {found} of {self.entries} entries came back")

    def markdown(self):
        lines = [
            "# Logs: Exeat and its peers", "", "![Times of each tool](logs.svg)", "",
            "Made by `Scripts/bench logs`: everything in turn on the same journal, in one run, with a warm cache. Exeat's "
            "archive is sealed and every entry digested; its import writes through systemd-journal-remote too, and reads "
            "every entry again through journalctl.", ""]
        lines += [f"* {name}: {value}" for name, value in measure.machine()]
        lines += [f"* journal: {units.size(self.bytes)}, {units.number(self.entries)} entries in {self.boots} boots",
                  f"* {measure.version('journalctl', '--version')}; {measure.version(self.binary, '--version')}", "",
                  "| target | exeat |", "|---|---|"]
        ratio = self.wall("export", PIPE) / self.wall("export", "exeat")
        lines.append(f"| export faster than `{PIPE.replace('|', chr(92) + '|')}` | {ratio:.2f}× "
                     f"{'met' if ratio > 1 else '**not met**'} |")
        most = max(s.cost.rss for s in self.samples if s.tool == "exeat")
        lines.append(f"| peak memory under 200 MB | {most / 1e6:.0f} MB {'met' if most < MEMORY else '**not met**'} |")
        for step in dict.fromkeys(sample.step for sample in self.samples):
            lines += ["", f"## {step}", "", "| tool | best s | CPU s | peak MiB | stored MiB |", "|---|--:|--:|--:|--:|"]
            for tool in self.tools(step):
                best = self.best(step, tool)
                lines.append(f"| {tool.replace('|', chr(92) + '|')} | {best.cost.wall:.2f} | {best.cost.cpu:.2f} | "
                             f"{units.mebibytes(best.cost.rss)} | {units.mebibytes(best.stored) if best.stored else ''} |")
        return "\n".join(lines) + "\n"
