#!/usr/bin/env python3
"""Text logs from end to end: bytes, order, ranges, rotation while they are read, and import in three forms."""
import base64
import bz2
import datetime
import gzip
import hashlib
import json
import lzma
import os
import resource
import signal
import subprocess
import time

from support import Cases, Skipped, equal, exeat, keys, run, scratch, write, EXEAT

cases = Cases()


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


def rotated(place):
    """One log in seven files, each packed in another way; oldest first."""
    days = [access(day, 400) for day in range(11, 18)]
    place.put("nginx/access.log.10.bz2", bz2.compress(days[0]))
    place.put("nginx/access.log.4.zst", zstd(days[1]))
    place.put("nginx/access.log.3.xz", lzma.compress(days[2]))
    place.put("nginx/access.log.2.gz", gzip.compress(days[3][:9000]) + gzip.compress(days[3][9000:]))
    place.put("nginx/access.log.1", days[4])
    place.put("nginx/access.log", days[5])
    dated = [access(day, 100) for day in (1, 2, 3)]
    place.put("nginx/other.log-20261002.gz", gzip.compress(dated[0]))
    place.put("nginx/other.log-20261003", dated[1])
    place.put("nginx/other.log", dated[2])
    return days[:6], dated


def mixed():
    return (b"2026-10-11 08:00:00,123 INFO started\n"
            b"2026-10-11 08:00:01,5 ERROR failed \xff\xfe in latin-1: caf\xe9\n"
            b"java.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)\n\n\tat a.B.d(B.java:2)\n"
            b"\x00\x00\x002026-10-11 08:00:02,000 WARN after zeros \x00 inside\r\n"
            b"2026-10-11 08:00:03,000 INFO trace_id=4bf92f3577b34da6a3ce929d0e0e4736 \xe2\x82\xac\n"
            b"2026-10-11 08:00:04,000 DEBUG the end has no LF")


with scratch("logs-text-") as directory:
    place = Place(directory)
    days, dated = rotated(place)
    strange = os.fsencode(place.log) + b"/caf\xe9.log"
    with open(strange, "wb") as file:
        file.write(mixed())
    place.put("app/app.log", mixed(), mode=0o604)
    place.put("app/empty.log", b"")
    if os.geteuid() == 0:
        os.chown(os.path.join(place.log, "app/app.log"), 1234, 4321)
    patterns = [place.log + "/**/*.log*"]
    noise = place.put("app/debug.log", b"2026-10-11 08:00:00 noise\n")
    folder = os.stat(place.log + "/app")
    outcome = place.export(
        patterns, extra="    exclude: { paths: [ debug.log ], reason: noise }\n").json
    os.unlink(noise)
    os.utime(place.log + "/app", ns=(folder.st_atime_ns, folder.st_mtime_ns))

    with cases.case("all files are in a tar that standard tools restore, with owners, modes and times"):
        equal(place.log, place.tar())
        assert outcome["omissions"] == [{"reason": "excluded", "count": 1, "accepted": True}]

    with cases.case("rotated files of one name are one log, oldest first, packed ones read as they are"):
        streams = place.streams()
        log = streams[place.log + "/nginx/access.log"]
        names = [os.path.basename(m["path"]) for m in log["members"]]
        assert names == ["access.log.10.bz2", "access.log.4.zst", "access.log.3.xz",
                         "access.log.2.gz", "access.log.1", "access.log"], names
        assert log["chain"] == chain(days)
        assert log["entries"] == log["lines"] == 2400, log["entries"]
        assert log["first"] == utc("2026-10-10T22:00:00") and log["order"] == "rotation"
        other = streams[place.log + "/nginx/other.log"]
        assert other["chain"] == chain(dated) and len(other["members"]) == 3

    with cases.case("lines without a time belong to the entry before, NUL and other bytes stay"):
        log = streams[place.log + "/app/app.log"]
        assert (log["entries"], log["lines"], log["undated"]) == (5, 9, 4), log
        assert log["chain"] == chain([mixed()])
        assert streams[place.log + "/app/empty.log"]["lines"] == 0

    with cases.case("the import has the same bytes, owners, modes and times, and the same digests"):
        result = place.bring().json
        equal(place.log, place.at("target/text") + place.log)
        again = place.bring().json
        assert again is not None

    with cases.case("what is changed at the target is found"):
        victim = place.at("target/text") + place.log + "/nginx/access.log.1"
        status = os.stat(victim)
        with open(victim, "r+b") as file:
            file.write(b"9")
        os.utime(victim, ns=(status.st_atime_ns, status.st_mtime_ns))
        found = place.bring(status=3).json["sources"][0]
        names = [c["name"] for c in found["comparisons"] if not c["equal"]]
        assert f"text {place.log}/nginx/access.log" in names and "text-content" in names, names
        assert any(d["path"].endswith("access.log.1") for d in found["differences"])

    with cases.case("a target that holds something else is refused"):
        os.makedirs(place.at("full"))
        write(place.at("full/theirs"), "x")
        assert "not empty" in place.bring(target="full", work="w2", status=1).errors
        assert os.listdir(place.at("full")) == ["theirs"]

    def records(form, target):
        root = place.at(target, form)
        found = {}
        for folder, _, files in os.walk(os.fsencode(root)):
            for name in sorted(files):
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    lines = file.read().split(b"\n")
                assert lines.pop() == b""
                key = os.path.relpath(path, os.fsencode(root))
                found[key] = [json.loads(line) for line in lines]
        return found

    def text_of(documents):
        text = b""
        for document in documents:
            attributes = document["Attributes"]
            if "exeat.body.base64" in attributes:
                text += base64.b64decode(attributes["exeat.body.base64"])
            else:
                text += document["Body"].encode()
            text += b"" if attributes.get("exeat.log.unterminated") else b"\n"
        return text

    with cases.case("ndjson: one object for each entry, from which the text comes back byte by byte"):
        place.bring("{ format: ndjson }", target="t-ndjson", work="w3")
        found = records("ndjson", "t-ndjson")
        base = os.fsencode(place.log.lstrip("/"))
        assert text_of(found[base + b"/nginx/access.log.2.gz.ndjson"]) == days[3]
        app = found[base + b"/app/app.log.ndjson"]
        assert text_of(app) == mixed() and len(app) == 5
        assert text_of(found[base + b"/caf\xe9.log.ndjson"]) == mixed()
        assert app[0]["Timestamp"] == "2026-10-11T08:00:00.123000000Z", app[0]
        assert [d.get("SeverityNumber") for d in app] == [9, 17, 13, 9, 5], app
        assert app[3]["TraceId"] == "4bf92f3577b34da6a3ce929d0e0e4736"
        assert not os.path.exists(place.at("t-ndjson/text"))
        run("jq", "-e", ".Timestamp", place.at("t-ndjson/ndjson") + place.log
            + "/nginx/access.log.1.ndjson").expect(0)

    with cases.case("bulk: an action and a document by turns, ids that stay and are unique"):
        place.bring("{ format: [ bulk, files ], index: logs-valmont }", target="t-bulk", work="w4")
        found = records("bulk", "t-bulk")
        ids = []
        for lines in found.values():
            assert len(lines) % 2 == 0
            for action, document in zip(lines[::2], lines[1::2]):
                assert action["create"]["_index"] == "logs-valmont"
                assert document["@timestamp"] and document["Resource"]["exeat.source"] == "logs"
                ids.append(action["create"]["_id"])
        assert len(set(ids)) == len(ids) == 2400 + 300 + 10, len(ids)
        place.bring("{ format: bulk, index: logs-valmont }", target="t-bulk2", work="w5")
        assert records("bulk", "t-bulk2") == found
        equal(place.log, place.at("t-bulk/text") + place.log)

    with cases.case("a record that is changed at the target is found"):
        path = place.at("t-ndjson/ndjson") + place.log + "/nginx/access.log.1.ndjson"
        data = open(path, "rb").read()
        write(path, data.replace(b"GET /7 ", b"GET /8 ", 1))
        place.bring("{ format: ndjson }", target="t-ndjson", work="w3", status=3)

with scratch("logs-range-") as directory:
    place = Place(directory)

    with cases.case("a range is exact at both ends over the change to winter time, and says so"):
        # 02:30 comes twice: at 00:30 and at 01:30 UTC.
        lines = [b"2026-10-25 %s line %d\n" % (clock, n) for n, clock in enumerate(
            [b"01:30:00", b"02:00:00", b"02:30:00", b"02:59:59", b"02:00:00", b"02:30:00",
             b"02:59:59", b"03:00:00"])]
        lines[5] += b"  continued\n"
        place.put("dst.log", b"".join(lines))
        place.export([{"paths": [place.log + "/dst.log"], "timezone": "Europe/Paris",
                       "since": "2026-10-25T01:00:00Z", "until": "2026-10-25T01:30:00Z"}])
        log = place.streams()[place.log + "/dst.log"]
        got = open(place.tar() + "/dst.log", "rb").read()
        assert got == lines[4] + lines[5], got
        assert log["zone"] == {"name": "Europe/Paris", "given": True}
        assert log["outsideRange"] == 6 and log["first"] == utc("2026-10-25T01:00:00")
        place.bring()

    with cases.case("a range over the change to summer time, in the plan's own zone"):
        lines = [b"2026-03-29T%s spring\n" % c for c in (b"01:59:59", b"03:00:00", b"03:00:01")]
        place.put("spring.log", b"".join(lines))
        text = {"paths": [place.log + "/spring.log"], "timezone": "Europe/Paris",
                "since": "2026-03-29 03:00:00"}
        place.export([text], output="bag2")
        assert open(place.tar("bag2") + "/spring.log", "rb").read() == lines[1] + lines[2]
        text["since"] = "2026-03-29 02:30:00"
        assert "no clock shows" in place.export([text], output="no", status=1).errors

    with cases.case("a day alone is all of it, also one of 25 hours, and files without times stay whole and are named"):
        place.put("day.log", b"".join(b"%s day\n" % time for time in (
            b"2026-10-24T21:59:59.999999999Z", b"2026-10-24T22:00:00Z", b"2026-10-25T22:59:59.999999999Z",
            b"2026-10-25T23:00:00Z")))
        place.put("day-none.log", b"no time\n")
        group = {"paths": [place.log + "/day*.log"], "timezone": "Europe/Paris", "since": "2026-10-25",
                 "until": "2026-10-25"}
        place.export([group], output="bag-day")
        tree = place.tar("bag-day")
        assert [line[:19] for line in open(tree + "/day.log")] == ["2026-10-24T22:00:00", "2026-10-25T22:59:59"]
        assert open(tree + "/day-none.log").read() == "no time\n"
        plan = exeat("plan", place.plan([group]), "--json", cwd=directory).expect(0)
        assert "day-none.log" in json.dumps([f for s in plan.json["sources"] for f in s["findings"]
                                             if f["code"] == "log-undated"]), plan.json
        assert "from 2026-10-24T22:00:00.000000000Z to 2026-10-25T22:59:59.999999999Z, both included" in json.dumps(
            plan.json), plan.json

    with cases.case("days before months are read where a format or a month's name tells so"):
        for name, lines in (("tomcat", "27-Nov-2026 10:00:00.123 INFO a\n28-Nov-2026 10:00:00.123 INFO b\n"),
                            ("redis", "12:M 27 Nov 2026 10:00:00.123 * a\n12:M 28 Nov 2026 10:00:00.123 * b\n"),
                            ("dots", "27.11.2026 10:00:00 a\n28.11.2026 10:00:00 b\n"),
                            ("slashes", "27/11/2026 10:00:00 a\n28/11/2026 10:00:00 b\n")):
            place.put(f"first-{name}.log", lines)
        place.export([{"paths": [place.log + "/first-*.log"], "timezone": "UTC", "until": "2026-11-27"}],
                     output="bag-auto")
        tree = place.tar("bag-auto")
        kept = {name: len(open(f"{tree}/first-{name}.log").readlines()) for name in
                ("tomcat", "redis", "dots", "slashes")}
        assert kept == {"tomcat": 1, "redis": 1, "dots": 1, "slashes": 2}, kept
        place.export([{"paths": [place.log + "/first-slashes.log"], "timezone": "UTC", "until": "2026-11-27",
                       "format": "day-first"}], output="bag-first")
        assert len(open(place.tar("bag-first") + "/first-slashes.log").readlines()) == 1

    with cases.case("years that lines do not name are inferred over New Year"):
        old = b"Dec 30 23:00:00 h a: 1\nDec 31 23:59:59 h a: 2\nJan  1 00:00:00 h a: 3\n"
        new = b"Jan  5 10:00:00 h a: 4\nJan  6 10:00:00 h a: 5\n"
        place.put("sys.1", old, mtime=1767571200)  # 2026-01-05
        place.put("sys", new, mtime=1767700000)
        place.export([{"paths": [place.log + "/sys*"], "timezone": "UTC",
                       "since": "2025-12-31", "until": "2026-01-05T23:59:59Z"}], output="bag3")
        log = place.streams("bag3")[place.log + "/sys"]
        assert log["first"] == utc("2025-12-31T23:59:59"), log["first"]
        assert log["last"] == utc("2026-01-05T10:00:00") and log["entries"] == 3

    with cases.case("years come from the order of rotation where all files have the time of a copy"):
        place.put("copy.log.2", b"Nov  3 08:00:00 h a: 1\nDec 20 08:00:00 h a: 2\n", mtime=1795392000)
        place.put("copy.log.1", b"Dec 24 08:00:00 h a: 3\nJan  2 08:00:00 h a: 4\n", mtime=1795392000)
        place.put("copy.log", b"Jan  3 08:00:00 h a: 5\n", mtime=1795392000)  # 2026-11-23
        place.export([{"paths": [place.log + "/copy.log*"], "timezone": "UTC"}], output="bag5")
        log = place.streams("bag5")[place.log + "/copy.log"]
        assert [m["facts"]["first"][:10] for m in log["members"]] == [
            "2025-11-03", "2025-12-24", "2026-01-03"], log

    with cases.case("packed files give their selected lines as plain text, the others stay out"):
        place.put("p.log.2.gz", gzip.compress(access(10, 50, "+0000")))
        place.put("p.log.1.xz", lzma.compress(access(11, 50, "+0000")))
        place.put("p.log", access(12, 50, "+0000"))
        place.export([{"paths": [place.log + "/p.log*"], "since": "2026-10-11T12:00:00Z",
                       "until": "2026-10-12T01:00:00Z", "timezone": "UTC"}], output="bag4")
        log = place.streams("bag4")[place.log + "/p.log"]
        assert [os.path.basename(m["path"]) for m in log["members"]] == ["p.log.1", "p.log"]
        assert all(m["selected"] for m in log["members"]) and log["membersOutsideRange"] == 1
        whole = access(11, 50, "+0000").splitlines(True) + access(12, 50, "+0000").splitlines(True)
        wanted = [line for line in whole if b"11/Oct/2026:12" <= line.split(b"[")[1][:14]
                  and line.split(b"[")[1][:20] <= b"12/Oct/2026:01:00:00"]
        tree = place.tar("bag4")
        got = b"".join(open(tree + "/" + name, "rb").read() for name in ("p.log.1", "p.log"))
        assert got == b"".join(wanted), (len(got), len(b"".join(wanted)))

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

with scratch("logs-large-") as directory:
    place = Place(directory)

    with cases.case("a line of 100 MB needs no more memory than others, and comes in parts as records"):
        line = b"2026-10-20T00:00:00Z " + b"x" * (100 << 20) + b"\n"
        place.put("long.log", b"\x00" * (3 << 20) + line + b"2026-10-20T00:00:01Z end\n")

        def little():
            resource.setrlimit(resource.RLIMIT_DATA, (700 << 20, 700 << 20))

        place.export([place.log + "/long.log"], extra="limits: { workers: 2 }\n", limits=little)
        log = place.streams()[place.log + "/long.log"]
        assert (log["entries"], log["lines"]) == (2, 2)
        place.bring()

    with cases.case("a long entry comes in parts as records, and bulk files stay below what a server takes"):
        subprocess.run(["rm", "-rf", place.at("bag"), place.at("target"), place.at("work"), place.log])
        line = b"2026-10-20T00:00:00Z " + b"\x01\x02" * (9 << 20) + b"\n at x\n"
        place.put("long.log", b"\x00" * (3 << 20) + line + b"2026-10-20T00:00:01Z end\n")
        place.export([place.log + "/long.log"])
        place.bring("{ format: bulk, index: x }")
        sizes = [os.path.getsize(os.path.join(f, n)) for f, _, ns in os.walk(place.at("target/bulk"))
                 for n in ns]
        assert len(sizes) == 2 and max(sizes) < 100_000_000, sizes

    def killed(text, delays):
        plan = place.import_plan(text)
        for delay in delays:
            process = subprocess.Popen([EXEAT, "import", "bag", plan, "--work", "work"],
                                       cwd=directory, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            process.wait()

    with cases.case("a log of 300 MB is cut into parts, and an import killed at any time is gone on with"):
        subprocess.run(["rm", "-rf", place.at("bag"), place.at("target"), place.at("work"), place.log])
        block = access(20, 40000)
        place.put("big.log", block * (300_000_000 // len(block)))
        place.put("small.log", block)
        place.export([place.log + "/*"])
        assert len(os.listdir(place.at("bag/data/logs/text-00001"))) >= 3
        killed("", (0.6, 1.5, 3))
        place.bring()
        equal(place.log, place.at("target/text") + place.log)
        left = [n for _, _, names in os.walk(place.at("target")) for n in names]
        assert not [n for n in left if "partial" in n], left

    with cases.case("records that were half written when the import was killed are written again"):
        subprocess.run(["rm", "-rf", place.at("bag"), place.at("target"), place.at("work"), place.log])
        for number in range(3):
            place.put(f"r{number}.log", access(20, 20000))
        place.export([place.log + "/*"])
        killed("{ format: [ ndjson, bulk ], index: x }", (0.4, 0.8, 1.6))
        place.bring("{ format: [ ndjson, bulk ], index: x }")
        left = [n for _, _, names in os.walk(place.at("target")) for n in names]
        assert not [n for n in left if "partial" in n], left

    with cases.case("a full disk ends the import with a message, and it goes on when there is room"):
        if os.geteuid() != 0:
            raise Skipped("needs root")
        disk = place.at("disk")
        os.makedirs(disk)
        if run("mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", disk).status != 0:
            raise Skipped("cannot mount a tmpfs")
        subprocess.run(["rm", "-rf", place.at("bag"), place.log])
        place.put("big.log", b"2026-10-20T00:00:00Z line\n" * 5_000_000)
        place.export([place.log + "/*"])
        try:
            result = place.bring(target="disk/t", work="w-disk", status=1)
            assert "no space" in result.errors.lower(), result.errors
            run("mount", "-o", "remount,size=600m", disk).expect(0)
            place.bring(target="disk/t", work="w-disk")
        finally:
            run("umount", disk)

cases.finish()
