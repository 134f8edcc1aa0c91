#!/usr/bin/env python3
"""Damaged, open and sealed files of the journal: what can be read arrives, and what cannot is named."""
import os
import re
import shutil

import journal_kit as kit
from journal_archives import export, imports, manifest, plaintext, stored, held, omissions, damaged
from support import Cases, Skipped, exeat, keys, run, scratch, write


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

    with cases.case("an entry whose size is damaged hides none of those behind it, listed or not"):
        def grow(data):
            # It covers twenty that follow, and no array names the third of these.
            data[entries[300] + 8:entries[300] + 16] = (entries[320] - entries[300]).to_bytes(8, "little")
            name = entries[303].to_bytes(4, "little")
            for kind, offset, size in found:
                for place in range(offset + 24, offset + size - 3, 4) if kind == kit.ARRAY else ():
                    if data[place:place + 4] == name:
                        data[place:place + 4] = bytes(4)
        damaged("grown", source, grow)
        export(["directory: grown"], "grown-bag")
        assert every_readable("grown") >= 799
        assert "entries-missing" not in omissions("grown-bag"), omissions("grown-bag")

    with cases.case("times that damage has moved by centuries are exported, and imported as they are"):
        def age(data):
            for entry, field in ((100, 24), (200, 32), (799, 24)):
                data[entries[entry] + field + 6] |= 0x40
        damaged("aged", source, age)
        assert export(["directory: aged"], "aged-bag").status in (0, 2)
        assert every_readable("aged") == 800
        exeat("verify", "aged-bag", "--trust", "signer.trust.json").expect(0)
        assert imports("aged-bag", "aged-target").status in (0, 3)

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


def main():
    cases = Cases()
    if not kit.REMOTE or not shutil.which("journalctl"):
        with cases.case("the journal of systemd"):
            raise Skipped("systemd-journal-remote is not installed")
        cases.finish()
    with scratch() as work:
        os.chdir(work)
        keys(work)
        for part in (damages, seals):
            part(cases)
    cases.finish()


if __name__ == "__main__":
    main()
