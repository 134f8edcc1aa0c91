#!/usr/bin/env python3
"""The journal of systemd: what journalctl can read arrives, and what was selected, and nothing else."""
import contextlib
import os
import re
import shutil
import subprocess
import time

import journal_kit as kit
from journal_archives import plan, export, imports, manifest, plaintext, stored, held
from support import EXEAT, Cases, Skipped, exeat, keys, run, scratch, write

START = 1_767_225_600_000_000


def round_trips(cases):
    with cases.case("boots of several machines with binary, repeated and long fields come back the same"):
        os.makedirs("many")
        kit.make("many/a.journal", kit.sample(120, machine=1, boots=3))
        kit.make("many/b.journal", kit.sample(90, machine=2, boots=2, seed=5))
        export(["directory: many"], "many-bag").expect(0)
        held("many-bag", kit.parse(kit.control("--directory=many")))
        exeat("verify", "many-bag", "--trust", "signer.trust.json").expect(0)
        imports("many-bag", "many-out").expect(0)
        before = kit.streams(kit.parse(kit.control("--directory=many")))
        after = kit.streams(kit.parse(kit.control("--directory=many-out")))
        assert before.keys() == after.keys()
        for stream in before:
            assert kit.chain(before[stream]) == kit.chain(after[stream])

    with cases.case("an encrypted archive is verified entry by entry, and tells ranges and gaps to who has the key"):
        recipient = open("signer.agepub").read().strip()
        file = plan(["directory: many"], "secret-bag")
        text = open(file).read().replace("sign-with: signer", f"sign-with: signer, encrypt-to: {recipient}")
        exeat("export", write(file, text), "--output", "secret-bag", "--progress", "none").expect(0)
        key = ["--decrypt-with", "signer.agekey"]
        verified = exeat("verify", "secret-bag", "--trust", "signer.trust.json", *key).expect(0)
        assert b"entries" in exeat("verify", "secret-bag", "--trust", "signer.trust.json", "--json", *key).output, verified.output
        said = exeat("inspect", "secret-bag", *key).expect(0).output.decode()
        assert "journald.range.timezone" in said and "journald.gapCount: 0" in said, said

    with cases.case("what is stored is what journalctl writes, byte by byte, in every form of file"):
        entries = kit.sample(150, boots=1, seed=9)
        for number, (compact, keyed) in enumerate([("1", "1"), ("0", "1"), ("1", "0"), ("0", "0")]):
            folder = f"form{number}"
            os.makedirs(folder)
            kit.make(f"{folder}/x.journal", entries, SYSTEMD_JOURNAL_COMPACT=compact, SYSTEMD_JOURNAL_KEYED_HASH=keyed)
            export([f"directory: {folder}"], f"{folder}-bag").expect(0)
            (artifact,) = stored(f"{folder}-bag").values()
            assert plaintext(f"{folder}-bag", artifact) == kit.control(f"--file={folder}/x.journal"), folder

    with cases.case("a copy of a file in the same directory brings no entry twice"):
        shutil.copytree("many", "twice")
        shutil.copy("many/a.journal", "twice/a@copy.journal~")
        export(["directory: twice"], "twice-bag").expect(0)
        held("twice-bag", kit.parse(kit.control("--directory=many")))
        assert manifest("twice-bag")["facts"]["journald"]["duplicates"] == 360

    with cases.case("raw files are kept verbatim on request, and come back"):
        export(["directory: many", "verbatim: true"], "raw-bag").expect(0)
        imports("raw-bag", "raw-out").expect(0)
        for number, name in enumerate(["a.journal", "b.journal"]):
            assert open(f"raw-out/verbatim/{number}-{name}", "rb").read() == open(f"many/{name}", "rb").read()

    with cases.case("a field of 40 MB passes through bounded memory"):
        os.makedirs("large")
        blob = os.urandom(1 << 20) * 40
        boot = kit.identifier("large")
        kit.make("large/x.journal", [kit.entry(boot, boot, START, 1, [("MESSAGE", "core"), ("COREDUMP", blob)])])
        file = plan(["directory: large"], "large-bag")
        process = subprocess.Popen([EXEAT, "export", file, "--output", "large-bag", "--progress", "none"],
                                   stdout=subprocess.DEVNULL)
        most = 0
        while process.poll() is None:
            with contextlib.suppress(OSError, AttributeError):
                status = open(f"/proc/{process.pid}/status").read()
                if "exeat" in status[:30]:
                    most = max(most, int(re.search(r"VmHWM:\s+(\d+)", status).group(1)))
            time.sleep(0.01)
        assert process.returncode == 0
        assert 0 < most < 150_000, f"{most} KiB"
        held("large-bag", kit.parse(kit.control("--directory=large")))


def selections(cases):
    entries = kit.sample(60, boots=3, seed=21, step=1)
    os.makedirs("range")
    kit.make("range/x.journal", entries)
    everything = kit.parse(kit.control("--directory=range"))
    times = [int(dict(fields)["__REALTIME_TIMESTAMP"]) for fields in everything]

    def text(microseconds):
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(microseconds // 10**6)) + f".{microseconds % 10**6:06}Z"

    with cases.case("a range of time includes both ends, to the microsecond"):
        first, last = times[20], times[100]
        export(["directory: range", f'since: "{text(first)}"', f'until: "{text(last)}"'], "range-bag").expect(0)
        held("range-bag", [f for f, t in zip(everything, times) if first <= t <= last])
        said = manifest("range-bag")["facts"]["journald"]
        assert said["range"]["since"] == text(first) and said["range"]["until"] == text(last), said["range"]
        assert said["leftOut"] == len(times) - 81

    with cases.case("times without an offset are exact on the day that the clock is set back"):
        # 2026-10-25 01:00 UTC: Paris goes from 03:00 back to 02:00.
        change = 1_792_890_000_000_000
        machine, boot = kit.identifier("dst"), kit.identifier("dst boot")
        os.makedirs("dst")
        kit.make("dst/x.journal", [kit.entry(machine, boot, change + hour * 1_800_000_000, 10**12 + hour * 1_800_000_000,
                                             [("MESSAGE", str(hour))]) for hour in range(-4, 5)])
        zone = "timezone: Europe/Paris"
        for since, until, count in [("2026-10-25 01:00:00", "2026-10-25 03:00:00", 7),
                                    ("2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00", 3),
                                    ("2026-10-25", "2026-10-25 01:59:59.999999", 2)]:
            name = f"dst{count}"
            export(["directory: dst", f'since: "{since}"', f'until: "{until}"', zone], name).expect(0)
            assert sum(a["counts"]["entries"] for a in stored(name).values()) == count, (since, until)
            assert manifest(name)["facts"]["journald"]["range"]["timezone"] == "Europe/Paris"
        refused = export(["directory: dst", 'since: "2026-10-25 02:30:00"', zone], "dst-refused").expect(1)
        assert "comes twice" in refused.errors, refused.errors

    with cases.case("boots, units and priorities select what journalctl selects"):
        boots = list(dict.fromkeys(dict(f)["_BOOT_ID"].decode() for f in everything))
        for number, (line, match) in enumerate([
                ("boots: -1", [f"_BOOT_ID={boots[1]}"]), (f"boots: [ {boots[0]} ]", [f"_BOOT_ID={boots[0]}"]),
                ("units: sshd", ["--unit=sshd"]), ('units: [ "postgresql@*", cron ]', ["--unit=postgresql@*", "--unit=cron"]),
                ("priorities: warning", ["--priority=warning"]), ("priorities: 2..4", ["--priority=2..4"])]):
            name = f"select{number}"
            export(["directory: range", line], name).expect(0)
            held(name, kit.parse(kit.control("--directory=range", *match)))

    with cases.case("gaps in the sequence and steps of the clock are in the manifest"):
        machine, boot = kit.identifier("gap"), kit.identifier("gap boot")
        steps = [(0, 0), (1, 1), (3601, 2), (3602, 3), (3002, 4), (3003, 5)]
        os.makedirs("gaps")
        kit.make("gaps/x.journal", [kit.entry(machine, boot, START + r * 10**6, 10**9 + m * 10**6, [("MESSAGE", "x")])
                                    for r, m in steps])
        data = bytearray(open("gaps/x.journal", "rb").read())
        for _, offset, _ in [o for o in kit.objects(data) if o[0] == kit.ENTRY][3:]:
            data[offset + 16:offset + 24] = (kit.sequence(data, offset) + 5).to_bytes(8, "little")
        write("gaps/x.journal", bytes(data))
        export(["directory: gaps"], "gaps-bag").expect(0)
        said = manifest("gaps-bag")["facts"]["journald"]
        assert [gap["missing"] for gap in said["gaps"]] == [5], said["gaps"]
        assert [step["microseconds"] for step in said["clockSteps"]] == [3_599_000_000, -601_000_000], said["clockSteps"]


def running(cases):
    with cases.case("the journal of a journald that runs is exported up to the inventory"):
        script = """
mount -t tmpfs none /var/log/journal && mkdir /var/log/journal/$(cat /etc/machine-id) || exit 9
mkdir -p /run/systemd /run/log && mount -t tmpfs none /run/systemd && mount -t tmpfs none /run/log || exit 9
mkdir /run/systemd/journal /run/log/journal
/lib/systemd/systemd-journald & journald=$!
for _ in $(seq 600); do [ -S /run/systemd/journal/dev-log ] && break; sleep 0.1; done
logger -u /run/systemd/journal/dev-log before || exit 9
for _ in $(seq 600); do journalctl -q -o cat | grep -q before && break; sleep 0.1; done
"$EXEAT_BINARY" export live.yaml --output live-bag --progress none; status=$?
logger -u /run/systemd/journal/dev-log after
kill $journald
exit $status
"""
        plan(["live: true"], "live")
        made = run("unshare", "-m", "bash", "-c", script, environment={"EXEAT_BINARY": EXEAT}, timeout=300)
        if made.status in (9, 1) and not os.path.exists("live-bag"):
            raise Skipped(f"no journald in a namespace: {made.errors.strip()[-100:]}")
        made.expect(0)
        (artifact,) = stored("live-bag").values()
        entries = kit.parse(plaintext("live-bag", artifact))
        assert any(dict(fields).get("MESSAGE") == b"before" for fields in entries)
        facts = manifest("live-bag")["facts"]["journald"]
        assert facts["live"] and facts["files"][0]["state"] == "online", facts


def main():
    cases = Cases()
    if not kit.REMOTE or not shutil.which("journalctl"):
        with cases.case("the journal of systemd"):
            raise Skipped("systemd-journal-remote is not installed")
        cases.finish()
    with scratch() as work:
        os.chdir(work)
        keys(work)
        for part in (round_trips, selections, running):
            part(cases)
    cases.finish()


if __name__ == "__main__":
    main()
