"""Archives of journals for tests: made, imported, and what is in them."""
import json
import os
import subprocess

import journal_kit as kit
from support import exeat, write


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
