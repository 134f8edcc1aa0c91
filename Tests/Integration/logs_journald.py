#!/usr/bin/env python3
"""The journal of systemd: what journalctl can read arrives, what it cannot is named, and what was imported is the same."""
import contextlib
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import time

import journal_kit as kit
from support import EXEAT, Cases, Skipped, exeat, keys, run, scratch, write

START = 1_767_225_600_000_000


def plan(settings, name, accept=None, extra=""):
    body = f"    accept: [ {accept} ]\n" if accept else ""
    lines = "".join(f"      {line}\n" for line in settings)
    return write(f"{name}.yaml", f"exeat: 1\nrun: {{ purpose: trial }}\nsources:\n  logs:\n    kind: logs\n{body}"
                 f"    journald:\n{lines}archive: {{ name: {name}, sign-with: signer }}\n{extra}")


def export(settings, name, accept=None, **options):
    return exeat("export", plan(settings, name, accept), "--output", name, "--progress", "none", **options)


def imports(bag, target, name=None, existing=None, **options):
    name = name or f"{bag}-in"
    more = f", existing: {existing}" if existing else ""
    write(f"{name}.yaml", "exeat: 1\ntrust: signer.trust.json\nsign-with: signer\ntargets:\n"
          f"  logs: {{ kind: logs, directory: {target}{more} }}\n")
    return exeat("import", bag, f"{name}.yaml", "--work", f"{name}-work", "--progress", "none", **options)


def manifest(bag):
    with open(f"{bag}/exeat/manifest.json") as file:
        return json.load(file)["sources"][0]


def plaintext(bag, artifact):
    """The stored stream of an artifact, by zstd."""
    paths = [os.path.join(bag, segment["path"]) for segment in artifact["segments"]]
    return b"".join(subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout for path in paths)


def stored(bag):
    return {artifact["name"]: artifact for artifact in manifest(bag)["artifacts"] if artifact["kind"] == "journal"}


def held(bag, expected):
    """The archive holds exactly these entries, by stream, with the counts and digests that another program takes."""
    artifacts = stored(bag)
    wanted = kit.streams(expected)
    assert {f"{m}/{b}" for m, b in wanted} == set(artifacts), (wanted.keys(), artifacts.keys())
    for (machine, boot), entries in wanted.items():
        artifact = artifacts[f"{machine}/{boot}"]
        times = [int(dict(fields)["__REALTIME_TIMESTAMP"]) for fields in entries]
        assert artifact["counts"] == {"entries": len(entries), "firstMicroseconds": times[0],
                                      "lastMicroseconds": times[-1]}, artifact["counts"]
        assert artifact["digests"]["journal-sha256-chain"] == kit.chain(entries)


def omissions(bag):
    return {count["reason"]: count["count"] for count in manifest(bag)["omissions"]["counts"]}


def damaged(name, source, change):
    os.makedirs(name)
    data = bytearray(open(source, "rb").read())
    data = change(data) or data
    write(f"{name}/system.journal", bytes(data))
    return name


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


def damages(cases):
    os.makedirs("whole")
    source = kit.make("whole/system.journal", kit.sample(400, boots=2, seed=3))
    data = open(source, "rb").read()
    found = list(kit.objects(data))
    entries = [offset for kind, offset, _ in found if kind == kit.ENTRY]
    all_entries = kit.parse(kit.control("--directory=whole"))
    assert len(entries) == len(all_entries) == 800 == kit.counted(data)

    def every_readable(folder):
        """Nothing that journalctl gives of the damaged file is missing from the archive."""
        given = {kit.canonical(fields) for fields in kit.parse_damaged(f"{folder}/system.journal")}
        kept = set()
        for artifact in stored(f"{folder}-bag").values():
            kept |= {kit.canonical(fields) for fields in kit.parse(plaintext(f"{folder}-bag", artifact))}
        assert given <= kept, f"{len(given - kept)} of {len(given)} entries are missing"
        return len(kept)

    with cases.case("a file that was cut off gives all entries before the cut, and the rest is named"):
        cut = entries[600] + 8
        damaged("cut", source, lambda data: data[:cut])
        export(["directory: cut"], "cut-bag").expect(2)
        assert every_readable("cut") == 600
        assert omissions("cut-bag") == {"entries-missing": 200}
        (line,) = manifest("cut-bag")["omissions"]["lines"]
        assert line["object"].endswith("cut/system.journal") and "200 of the 800" in line["detail"], line
        assert re.search(r"boot [0-9a-f]{32}", line["detail"])
        export(["directory: cut"], "cut-accepted", accept="entries-missing").expect(0)

    with cases.case("a zeroed tail costs the entries in it, and no others"):
        damaged("zeros", source, lambda data: data[:entries[500]] + bytes(len(data) - entries[500]))
        export(["directory: zeros"], "zeros-bag").expect(2)
        assert every_readable("zeros") == 500
        assert omissions("zeros-bag") == {"entries-missing": 300}

    with cases.case("entries that no array lists any more are found object by object"):
        array = [offset for kind, offset, _ in found if kind == kit.ARRAY and offset == int.from_bytes(data[176:184], "little")]

        def lose(data):
            data[array[0] + 16:array[0] + 24] = bytes(8)
        damaged("arrays", source, lose)
        assert len(kit.parse_damaged("arrays/system.journal")) < 800
        export(["directory: arrays"], "arrays-bag").expect(0)
        held("arrays-bag", all_entries)
        (file,) = manifest("arrays-bag")["facts"]["journald"]["files"]
        assert file["unlisted"] > 0 and file["found"] == 800, file
        assert omissions("arrays-bag") == {"files-damaged": 1}  # named, though nothing is missing

    with cases.case("damage in the middle is stepped over, and costs what lies in it"):
        def wreck(data):
            data[entries[300]:entries[304]] = b"\xa5" * (entries[304] - entries[300])
        damaged("middle", source, wreck)
        export(["directory: middle"], "middle-bag").expect(2)
        assert every_readable("middle") == 796
        assert omissions("middle-bag")["entries-missing"] == 4
        (file,) = manifest("middle-bag")["facts"]["journald"]["files"]
        assert file["unreadable"], file

    with cases.case("a flipped byte in a message is exported and named"):
        place = data.index(b"MESSAGE=nginx")

        def flip(data):
            data[place + 9] ^= 1
        damaged("flip", source, flip)
        export(["directory: flip"], "flip-bag").expect(2)
        assert every_readable("flip") == 800
        assert omissions("flip-bag") == {"fields-damaged": 1}

    with cases.case("a field that cannot be decompressed is left out of its entry, and named"):
        packed = next((offset, size) for kind, offset, size in found if kind == kit.DATA and data[offset + 1] & 4)

        def wreck(data):
            data[packed[0] + 90:packed[0] + 100] = b"\xff" * 10
        damaged("packed", source, wreck)
        export(["directory: packed"], "packed-bag").expect(2)
        assert sum(a["counts"]["entries"] for a in stored("packed-bag").values()) == 800
        assert set(omissions("packed-bag")) <= {"fields-unreadable", "fields-damaged"}

    with cases.case("a file that is open for writing gives all it holds"):
        def online(data):
            data[16] = 1
        damaged("online", source, online)
        export(["directory: online"], "online-bag").expect(0)
        held("online-bag", all_entries)
        assert manifest("online-bag")["facts"]["journald"]["files"][0]["state"] == "online"

    with cases.case("a file that is no journal is named beside good ones"):
        shutil.copytree("whole", "mixed")
        write("mixed/other.journal", b"not a journal")
        export(["directory: mixed"], "mixed-bag").expect(2)
        held("mixed-bag", all_entries)
        assert omissions("mixed-bag") == {"files-unreadable": 1}

    with cases.case("a directory without journal files is refused"):
        os.makedirs("empty")
        assert "no journal files" in export(["directory: empty"], "empty-bag").expect(1).errors


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


def seals(cases):
    with cases.case("sealed files are verified where the key is given, which nobody else sees"):
        script = """
mount -t tmpfs none /var/log/journal && mkdir /var/log/journal/$(cat /etc/machine-id) || exit 9
journalctl --setup-keys --interval=1s 2>/dev/null > key
python3 -c '
import sys, time
sys.path.insert(0, sys.argv[1])
import journal_kit as kit
import subprocess
p = subprocess.Popen([kit.REMOTE, "--split-mode=none", "--seal=yes", "--output=sealed/x.journal", "-"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
for number in range(30):
    now = time.time_ns() // 1000
    p.stdin.write(kit.entry(kit.identifier("s"), kit.identifier("sb"), now, now, [("MESSAGE", f"sealed {number}")]))
    p.stdin.flush()
    time.sleep(0.1)
p.stdin.close()
sys.exit(p.wait())' "$1" || exit 8
journalctl --verify --file=sealed/x.journal --verify-key=$(grep -o "[0-9a-f-]*/[0-9a-f-]*" key | head -n 1) || exit 7
"""
        os.makedirs("sealed")
        made = run("unshare", "-m", "bash", "-c", script, "bash", os.path.dirname(os.path.abspath(__file__)))
        if made.status in (1, 9):
            raise Skipped(f"no namespace for a sealed journal: {made.errors.strip()[-100:]}")
        made.expect(0)
        key = re.search(r"[0-9a-f-]+/[0-9a-f]+-[0-9a-f]+", open("key").read()).group()
        write("fss", key)
        settings = ["directory: sealed", 'verification-key: "${file:fss}"']
        export(settings, "sealed-bag").expect(0)
        (file,) = manifest("sealed-bag")["facts"]["journald"]["files"]
        assert file["seal"]["holds"] and file["seal"]["entriesSealed"] == 30, file["seal"]
        assert run("grep", "-rF", key, "sealed-bag").status == 1
        export(["directory: sealed"], "unchecked-bag").expect(0)
        assert manifest("unchecked-bag")["facts"]["journald"]["files"][0]["seal"]["checked"] is False

        write("fss", ("0" if key[0] != "0" else "1") + key[1:])
        export(settings, "wrong-bag").expect(2)
        assert omissions("wrong-bag") == {"seal-broken": 1}
        write("fss", key)
        data = bytearray(open("sealed/x.journal", "rb").read())
        place = data.index(b"MESSAGE=sealed 3") + 15
        data[place] ^= 1
        write("sealed/x.journal", bytes(data))
        export(settings, "forged-bag").expect(2)
        assert omissions("forged-bag")["seal-broken"] == 1


def safety(cases):
    with cases.case("an import refuses what is there, and takes an empty directory"):
        os.makedirs("busy")
        write("busy/something", "x")
        assert "not empty" in imports("many-bag", "busy", "busy-in").expect(1).errors
        imports("many-bag", "busy", "busy-add", existing="add").expect(0)
        assert open("busy/something").read() == "x"
        imports("many-bag", "busy", "busy-again", existing="add").expect(1)

    with cases.case("journal and text logs come side by side as records, are replaced, and are compared by counts"):
        write("beside.log", "2026-01-01T00:00:00Z a\n2026-01-01T00:00:01Z b\n")
        write("both.yaml", "exeat: 1\nrun: { purpose: trial }\nsources:\n  logs:\n    kind: logs\n    journald: { directory: many }\n"
              "    text: [ beside.log ]\narchive: { name: both, sign-with: signer }\n")
        exeat("export", "both.yaml", "--output", "both", "--progress", "none").expect(0)

        def brought(work, more="", verify="digest"):
            write("both-in.yaml", "exeat: 1\ntrust: signer.trust.json\nsign-with: signer\ntargets:\n  logs: { kind: logs, "
                  "directory: both-out, text: { format: [ files, ndjson, bulk ], index: x }, journald: { format: [ files, ndjson, "
                  f"bulk ], index: x }}{more} }}\nverify: {verify}\n")
            return exeat("import", "both", "both-in.yaml", "--work", work, "--json", "--progress", "none")

        brought("both-1").expect(0)
        log = "both-out/text" + os.path.abspath("beside.log")
        write(log, "changed")
        brought("both-2").expect(1)
        result = brought("both-3", ", existing: replace", "counts").expect(0)
        assert open(log).read() == open("beside.log").read()
        assert "counts only" in json.dumps(result.json), result.json
        assert kit.parse(kit.control("--directory=both-out")) != []

    with cases.case("an import that was killed again and again ends with the same journal"):
        name = "killed-in"
        write(f"{name}.yaml", "exeat: 1\ntrust: signer.trust.json\nsign-with: signer\ntargets:\n"
              "  logs: { kind: logs, directory: killed-out }\n")
        command = [EXEAT, "import", "many-bag", f"{name}.yaml", "--work", f"{name}-work", "--progress", "none"]
        kills = 0
        for pause in (0.1, 0.2, 0.3, 0.5, 0.8, 1.2):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(pause)
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
        assert kills
        run(*command).expect(0)
        assert not [n for n in os.listdir("killed-out") if n.startswith(".")]
        before = kit.streams(kit.parse(kit.control("--directory=many")))
        after = kit.streams(kit.parse(kit.control("--directory=killed-out")))
        assert {s: kit.chain(e) for s, e in before.items()} == {s: kit.chain(e) for s, e in after.items()}

    with cases.case("an export that was killed goes on with what the inventory fixed, though the journal grew"):
        shutil.copytree("many", "grow")
        before = kit.parse(kit.control("--directory=grow"))
        command = [EXEAT, "export", plan(["directory: grow"], "grow-bag"), "--output", "grow-bag", "--progress", "none"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not glob.glob("grow-bag/.exeat-run/*/journald/inventory"):
            time.sleep(0.001)
        process.kill()
        process.wait()
        if os.path.exists("grow-bag/proof"):
            raise Skipped("the export was over before it could be killed")
        kit.make("grow/c.journal", kit.sample(20, machine=3, seed=40))
        os.rename("grow/a.journal", "grow/a@archived.journal")
        run(*command).expect(0)
        held("grow-bag", before)

    with cases.case("who may not read the journal is told so, and nothing is called complete"):
        os.chmod("many/a.journal", 0o600)
        os.chmod(".", 0o755)
        os.makedirs("theirs", 0o777)
        os.chmod("theirs", 0o777)
        file = os.path.abspath(plan([f"directory: {os.path.abspath('many')}"], "rights"))
        exeat("keys", "new", "signer", cwd="theirs", user=65534).expect(0)
        shutil.copy(file, "theirs/plan.yaml")
        told = exeat("plan", "plan.yaml", cwd="theirs", user=65534)
        assert "systemd-journal" in told.output.decode() + told.errors, told.output
        exeat("export", "plan.yaml", "--output", "bag", "--progress", "none", cwd="theirs", user=65534).expect(2)
        assert omissions("theirs/bag")["files-unreadable"] == 2
        os.chmod("many/a.journal", 0o640)


def main():
    cases = Cases()
    if not kit.REMOTE or not shutil.which("journalctl"):
        with cases.case("the journal of systemd"):
            raise Skipped("systemd-journal-remote is not installed")
        cases.finish()
    with scratch() as work:
        os.chdir(work)
        keys(work)
        for part in (round_trips, damages, selections, running, seals, safety):
            part(cases)
    cases.finish()


if __name__ == "__main__":
    main()
