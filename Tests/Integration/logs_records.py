#!/usr/bin/env python3
"""The journal as records of JSON: every field comes back, ids stay, and what is changed is found."""
import base64
import glob
import json
import os
import shutil
import subprocess

from support import Cases, Skipped, exeat, keys, run, scratch, write

cases = Cases()
REMOTE = "/usr/lib/systemd/systemd-journal-remote"
MACHINE, BOOT = "1" * 32, "2" * 32


def entry(number, fields):
    """An entry in the journal export format."""
    data = (f"__REALTIME_TIMESTAMP={1_790_000_000_000_000 + number * 1_000_000}\n"
            f"__MONOTONIC_TIMESTAMP={number * 1_000_000}\n_BOOT_ID={BOOT}\n"
            f"_MACHINE_ID={MACHINE}\n_HOSTNAME=valmont\n").encode()
    for name, value in fields:
        data += name + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"
    return data + b"\n"


with scratch("logs-records-") as directory, cases.case("the journal becomes records, and comes back from them"):
    if not os.path.exists(REMOTE) or not shutil.which("journalctl"):
        raise Skipped("needs systemd-journal-remote and journalctl")
    at = lambda *names: os.path.join(directory, *names)
    keys(directory)
    os.makedirs(at("journal"))
    write(at("stream"), b"".join([
        entry(1, [(b"MESSAGE", b"plain"), (b"PRIORITY", b"3"), (b"SYSLOG_IDENTIFIER", b"a")]),
        entry(2, [(b"MESSAGE", b"caf\xe9"), (b"DATA", bytes(range(256)))]),
        entry(3, [(b"TWICE", b"one"), (b"TWICE", b"two")]),
        entry(4, [(b"MESSAGE", "two\nlines €".encode()), (b"PRIORITY", b"6")]),
    ]))
    run(REMOTE, "-o", at("journal/system.journal"), at("stream")).expect(0)
    write(at("export.yaml"), (
        "exeat: 1\nrun: { purpose: trial }\nsources:\n  logs:\n    kind: logs\n"
        f"    journald: {{ directory: {at('journal')} }}\n"
        "archive: { name: bag, sign-with: signer }\n"))
    exeat("export", "export.yaml", "--output", "bag", cwd=directory).expect(0)
    plan = ("exeat: 1\ntrust: signer.trust.json\nsign-with: signer\ntargets:\n  logs:\n    kind: logs\n"
            "    directory: TARGET\n    journald: { format: [ FORMS ], index: journal-x }\n")
    write(at("import.yaml"), plan.replace("TARGET", "target").replace("FORMS", "ndjson, bulk, files"))
    result = exeat("import", "bag", "import.yaml", "--work", "w", "--json", cwd=directory).expect(0)
    names = [c["name"] for c in result.json["sources"][0]["comparisons"]]
    assert any(n.startswith("ndjson") and n.endswith("chain") for n in names), names
    path = glob.glob(at("target/ndjson/journal/*/*.ndjson"))[0]
    lines = [json.loads(line) for line in open(path, "rb")]
    assert [d["Body"] for d in lines] == ["plain", "caf\ufffd", "", "two\nlines €"], lines
    assert [d.get("SeverityNumber") for d in lines] == [17, None, None, 9]
    assert lines[0]["Resource"]["host.name"] == "valmont"
    assert lines[0]["Timestamp"] == "2026-09-21T14:13:21.000000000Z", lines[0]["Timestamp"]
    assert base64.b64decode(lines[1]["Attributes"]["journald.DATA.base64"]) == bytes(range(256))
    assert lines[2]["Attributes"]["journald.TWICE"] and lines[2]["Attributes"]["exeat.body.absent"]
    bulk = [json.loads(line) for line in open(glob.glob(at("target/bulk/journal/*/*.ndjson"))[0], "rb")]
    assert len({a["create"]["_id"] for a in bulk[::2]}) == 4 and bulk[1]["@timestamp"]
    assert glob.glob(at("target", MACHINE, "*.journal"))
    data = open(path, "rb").read()
    write(path, data.replace(b"plain", b"plaid"))
    exeat("import", "bag", "import.yaml", "--work", "w", cwd=directory).expect(3)

cases.finish()
