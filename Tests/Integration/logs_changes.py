#!/usr/bin/env python3
"""Text logs that grow, rotate, shrink or cannot be read while they are exported."""
import gzip
import json
import os
import signal
import subprocess

from logs_kit import Place, access
from support import Cases, Skipped, exeat, run, scratch, write, EXEAT

cases = Cases()

with scratch("logs-change-") as directory:
    place = Place(directory)
    program = os.path.join(directory, "gdb")

    def interrupted(change, *, status, accept=""):
        """Exports, stops right after the inventory, changes what is there, and goes on."""
        for _ in range(20):
            subprocess.run(["rm", "-rf", place.at("bag"), place.log])
            os.makedirs(place.log)
            lines = access(20, 3000)
            place.put("a.log", lines)
            place.put("b.log", b"2026-10-20T00:00:00Z b\n")
            plan = place.plan([place.log + "/*.log"], extra=accept)
            process = subprocess.Popen([EXEAT, "export", plan, "--output", "bag", "--json"],
                                       cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            layout = place.at("bag/.exeat-run/source-0/text/layout")
            while not os.path.exists(layout) and process.poll() is None:
                pass
            process.send_signal(signal.SIGKILL)
            process.wait()
            # What is stored already is not read again.
            with open(place.at("bag/exeat/journal.jsonl")) as file:
                if os.path.exists(layout) and "segment.committed" not in file.read():
                    break
        else:
            raise AssertionError("the run was always faster than the signal")
        change(os.path.join(place.log, "a.log"))
        result = exeat("export", plan, "--output", "bag", "--json", cwd=directory).expect(status)
        return lines, result

    with cases.case("a file that grows is exported up to the end that the inventory saw"):
        def grow(path):
            with open(path, "ab") as file:
                file.write(b"later\n")
        lines, _ = interrupted(grow, status=0)
        subprocess.run(["rm", "-rf", place.at("untarred-bag")])
        assert open(place.tar() + "/a.log", "rb").read() == lines

    with cases.case("a file that is renamed and made anew is followed by its inode"):
        def rotate(path):
            os.rename(path, path + ".1")
            write(path, "new\n")
        lines, _ = interrupted(rotate, status=0)
        subprocess.run(["rm", "-rf", place.at("untarred-bag")])
        assert open(place.tar() + "/a.log", "rb").read() == lines

    with cases.case("a file that is cut short is an omission with a line, and what is left is kept"):
        lines, result = interrupted(lambda path: os.truncate(path, 1000), status=2)
        assert [o["reason"] for o in result.json["omissions"]] == ["shortened"]
        subprocess.run(["rm", "-rf", place.at("untarred-bag")])
        assert open(place.tar() + "/a.log", "rb").read() == lines[:1000]
        interrupted(lambda path: os.truncate(path, 0), status=0, accept="    accept: [ shortened ]\n")

    with cases.case("a file that was emptied and filled again, or written anew in its place, is an omission"):
        _, result = interrupted(lambda path: write(path, b"2026-10-21T00:00:00Z other\n" * 20000), status=2)
        assert [o["reason"] for o in result.json["omissions"]] == ["changed"], result.json["omissions"]

    with cases.case("bad blocks cost what lies in them, are named, and leave the rest in its place"):
        if run("sh", "-c", "command -v strace").status != 0:
            raise Skipped("needs strace")
        subprocess.run(["rm", "-rf", place.at("bag"), place.log])
        lines = access(20, 40000)
        path = place.put("bad.log", lines)
        place.put("good.log", b"2026-10-20T00:00:00Z good\n")
        plan = place.plan([place.log + "/*"], extra="limits: { workers: 1 }\n")
        # The inventory reads once; then the second and third reading of the file fail, in full and by the block.
        result = run("strace", "-f", "-qq", "-o", "/dev/null", "-P", path, "-e", "trace=pread64",
                     "-e", "inject=pread64:error=EIO:when=4..5", EXEAT, "export", plan, "--output", "bag", "--json",
                     cwd=directory)
        result.expect(2)
        said = json.loads(result.output)
        assert [o["reason"] for o in said["omissions"]] == ["unreadable"], said
        subprocess.run(["rm", "-rf", place.at("untarred-bag")])
        got = open(place.tar() + "/bad.log", "rb").read()
        assert len(got) == len(lines)
        lost = [n for n in range(0, len(lines), 4096) if got[n:n + 4096] != lines[n:n + 4096]]
        assert len(lost) == 1 and not got[lost[0]:lost[0] + 4096].strip(b"\0"), lost
        place.bring(target="t-bad", work="w-bad")

    with cases.case("what a pattern leads to and is no file is named"):
        subprocess.run(["rm", "-rf", place.at("bag"), place.log])
        place.put("a.log", b"x\n")
        place.put("covered/b.log", b"x\n")
        place.put("left/c.log", b"x\n")
        os.makedirs(place.log + "/empty")
        os.mkfifo(place.log + "/fifo")
        os.symlink("/nowhere", place.log + "/link")
        result = place.export([place.log + "/*", place.log + "/covered/*.log"], status=2)
        assert {o["reason"]: o["count"] for o in result.json["omissions"]} == {
            "directories": 1, "special-files": 2}, result.json["omissions"]
        subprocess.run(["rm", "-rf", place.at("bag")])
        place.export([place.log + "/**/*"], extra='    exclude: { paths: [ fifo, link ], reason: "no logs" }\n')

    with cases.case("a file that is gone is an omission"):
        _, result = interrupted(os.unlink, status=2)
        assert [o["reason"] for o in result.json["omissions"]] == ["vanished"]

    with cases.case("a damaged packed file is kept as it is, its readable part counted, and reported"):
        subprocess.run(["rm", "-rf", place.at("bag"), place.log])
        data = gzip.compress(os.urandom(20000).hex().encode().replace(b"a", b"\n") + access(1, 5000))
        place.put("d.log.1.gz", data[:-2000])
        result = place.export([place.log + "/*"], status=2)
        assert [o["reason"] for o in result.json["omissions"]] == ["damaged"]
        subprocess.run(["rm", "-rf", place.at("untarred-bag")])
        assert open(place.tar() + "/d.log.1.gz", "rb").read() == data[:-2000]
        assert place.streams()[place.log + "/d.log"]["lines"] > 100
        place.bring(target="t-damaged", work="wd")

    with cases.case("a file that may not be read is an omission, and a finding of the plan"):
        if os.geteuid() != 0:
            raise Skipped("needs root")
        secret = place.put("secret.log", b"x\n", mode=0o600)
        for path in (directory, place.log):
            os.chmod(path, 0o755)
        for name in os.listdir(directory):
            if name.startswith("signer"):
                os.chown(place.at(name), 65534, 65534)
        os.makedirs(place.at("out"), exist_ok=True)
        os.chown(place.at("out"), 65534, 65534)
        os.unlink(place.log + "/d.log.1.gz")
        plan = place.plan([place.log + "/*"])
        result = exeat("export", plan, "--output", "out/bag", "--json", cwd=directory, user=65534)
        result.expect(2)
        assert [o["reason"] for o in result.json["omissions"]] == ["unreadable"]

cases.finish()
