#!/usr/bin/env python3
"""Imports of the journal: what is there is safe, and what was killed ends well."""
import glob
import json
import os
import shutil
import signal
import subprocess
import time

import journal_kit as kit
from journal_archives import export, plan, imports, held, omissions
from support import EXEAT, Cases, Skipped, exeat, keys, run, scratch, write


def safety(cases):
    os.makedirs("many")
    kit.make("many/a.journal", kit.sample(120, machine=1, boots=3))
    kit.make("many/b.journal", kit.sample(90, machine=2, boots=2, seed=5))
    export(["directory: many"], "many-bag").expect(0)

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


def sharing(cases):
    def bring(existing):
        write("into.yaml", "exeat: 1\ntrust: signer.trust.json\nsign-with: signer\ntargets:\n" + "".join(
            f"  {name}: {{ kind: logs, directory: shared, text: {{ format: [ ndjson ] }}, existing: {existing} }}\n"
            for name in ("first", "second")))
        return exeat("import", "shared-bag", "into.yaml", "--work", "shared-work")

    with cases.case("a second source comes into a directory only where something may be in it"):
        for name in ("first", "second"):
            os.makedirs(name)
            write(f"{name}/{name}.log", "2026-01-01T00:00:00Z x\n")
        write("shared.yaml", "exeat: 1\nrun: { purpose: trial }\nsources:\n" + "".join(
            f"  {name}: {{ kind: logs, text: [ {os.getcwd()}/{name}/*.log ] }}\n" for name in ("first", "second"))
            + "archive: { name: shared, sign-with: signer }\n")
        exeat("export", "shared.yaml", "--output", "shared-bag").expect(0)
        refused = bring("refuse").expect(1)
        assert "another import is writing" in refused.errors, refused.errors
        assert not [name for _, _, names in os.walk("shared") for name in names], "something was written"
        bring("add").expect(0)
        assert len(glob.glob("shared/ndjson/**/*.ndjson", recursive=True)) == 2


def main():
    cases = Cases()
    if not kit.REMOTE or not shutil.which("journalctl"):
        with cases.case("the journal of systemd"):
            raise Skipped("systemd-journal-remote is not installed")
        cases.finish()
    with scratch() as work:
        os.chdir(work)
        keys(work)
        for part in (safety, sharing):
            part(cases)
    cases.finish()


if __name__ == "__main__":
    main()
