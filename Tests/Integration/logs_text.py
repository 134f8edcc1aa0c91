#!/usr/bin/env python3
"""Text logs from end to end: bytes, order, and import in three forms."""
import base64
import bz2
import gzip
import json
import lzma
import os

from logs_kit import Place, access, chain, utc, zstd
from support import Cases, equal, run, scratch, write

cases = Cases()


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

cases.finish()
