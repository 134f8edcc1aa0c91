#!/usr/bin/env python3
"""Long lines and large text logs: memory, parts, imports that were killed, a full disk."""
import os
import resource
import signal
import subprocess
import time

from logs_kit import Place, access
from support import Cases, Skipped, equal, run, scratch, EXEAT

cases = Cases()

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
