#!/usr/bin/env python3
"""Ranges of time in text logs: exact at their edges, over changes of the clock and of the year."""
import gzip
import json
import lzma
import os

from logs_kit import Place, access, utc
from support import Cases, exeat, scratch

cases = Cases()

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

    with cases.case("a 29 February tells the year of a file whose own time is of a copy"):
        place.put("leap.log", b"Feb 28 23:59:00 h a: 1\nFeb 29 00:00:01 h a: 2\nMar  1 10:00:00 h a: 3\n",
                  mtime=1775001600)  # 2026-04-01
        place.export([{"paths": [place.log + "/leap.log"], "timezone": "UTC"}], output="bag-leap")
        log = place.streams("bag-leap")[place.log + "/leap.log"]
        assert log["first"] == utc("2024-02-28T23:59:00") and log["last"] == utc("2024-03-01T10:00:00"), log
        place.export([{"paths": [place.log + "/leap.log"], "timezone": "UTC", "since": "2024-02-29",
                       "until": "2024-02-29"}], output="bag-leap-day")
        log = place.streams("bag-leap-day")[place.log + "/leap.log"]
        assert log["first"] == utc("2024-02-29T00:00:01") and log["entries"] == 1, log

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

cases.finish()
