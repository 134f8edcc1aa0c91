#!/usr/bin/env python3
"""Hundreds of random damages to an archive, in directory and tar form: verify always says 3, with a
code of the class of file that was hit, and import writes nothing.

    forgery_bitflips.py [COUNT [SEED]]
"""
import glob
import os
import random
import re
import shutil
import sys

import fidelity_kit as trees
from support import *

# Codes of Manifests/failures.json that a damage to this class of file may be told by.
SIGNED = {240, 241, 242, 243, 244, 245, 246, 247, 250, 280, 350, 351}
TAR = {300, 310, 311, 313, 315, 330, 331, 332, 333, 334, 335}
CLASSES = [
    ("data/", {312, 313, 314}),
    ("exeat/journal", {260, 261, 262, 280, 312, 313, 314}),
    ("exeat/", {280, 312, 313, 314, 360, 361, 362}),
    ("manifest-", {304, 305, 306, 310, 311, 312, 313, 314}),
    ("tagmanifest-", {306, 308, 309, 310, 311, 312, 313, 314, 351}),
    ("bagit.txt", {301, 312, 313, 314, 318}),
    ("bag-info.txt", {302, 303, 312, 313, 314}),
    ("proof/seal", SIGNED | {312, 313, 320, 321}),
    ("proof/keys", {312, 313, 314, 321}),
    ("proof/receipt", SIGNED | {312, 313, 314, 321}),
    ("", {312, 313, 314}),
]


def allowed(path):
    return next(codes for prefix, codes in CLASSES if path.startswith(prefix))


class Trial:
    """One damage to a copy of the archive; says what was hit, and undoes itself."""

    def __init__(self, rng, bag):
        self.rng, self.bag = rng, bag
        self.paths = sorted(os.path.relpath(os.path.join(folder, name), bag)
                            for folder, _, names in os.walk(bag) for name in names)

    def pick(self):
        # Each class as often as any other, whatever the number of its files.
        classes = {}
        for path in self.paths:
            classes.setdefault(re.sub(r"\d+", "0", path), []).append(path)
        return self.rng.choice(classes[self.rng.choice(sorted(classes))])

    def run(self):
        kind = self.rng.choice(["flip"] * 8 + ["truncate"] * 3 + ["append", "insert", "swap", "extra", "missing",
                                                                 "rename", "zero", "copy", "blocks"])
        return getattr(self, kind)()

    def replaced(self, path, data, what, codes=None):
        place = os.path.join(self.bag, path)
        before = open(place, "rb").read()
        if data == before:
            return None
        write(place, data)
        return f"{what} of {path}", codes or allowed(path), lambda: write(place, before)

    def read(self, path):
        return bytearray(open(os.path.join(self.bag, path), "rb").read())

    def flip(self):
        path = self.pick()
        data = self.read(path)
        if not data:
            return None
        bit = self.rng.randrange(len(data) * 8)
        data[bit // 8] ^= 1 << bit % 8
        return self.replaced(path, bytes(data), f"bit {bit}")

    def truncate(self):
        path = self.pick()
        data = self.read(path)
        return self.replaced(path, bytes(data[:self.rng.choice(
            [0, len(data) // 2, max(0, len(data) - 1), self.rng.randrange(len(data) + 1)])]), "truncation")

    def append(self):
        path = self.pick()
        return self.replaced(path, bytes(self.read(path)) + self.rng.choice(
            [b"\0", b"\n", b" ", b"x", os.urandom(9)]), "bytes behind the end")

    def insert(self):
        path = self.pick()
        data = self.read(path)
        place = self.rng.randrange(len(data) + 1)
        return self.replaced(path, bytes(data[:place] + b"0" + data[place:]), "a byte inside")

    def zero(self):
        path = self.pick()
        data = self.read(path)
        start = self.rng.randrange(len(data) or 1)
        data[start:start + 64] = b"\0" * len(data[start:start + 64])
        return self.replaced(path, bytes(data), "zeros inside")

    def blocks(self):
        path = self.pick()
        data = self.read(path)
        if len(data) < 64:
            return None
        half = len(data) // 2
        return self.replaced(path, bytes(data[half:half * 2] + data[:half] + data[half * 2:]),
                             "halves exchanged")

    def swap(self):
        one, two = self.pick(), self.pick()
        first, second = bytes(self.read(one)), bytes(self.read(two))
        if first == second:
            return None
        places = [os.path.join(self.bag, path) for path in (one, two)]
        write(places[0], second)
        write(places[1], first)
        return f"swap of {one} and {two}", allowed(one) | allowed(two), lambda: (
            write(places[0], first), write(places[1], second))

    def copy(self):
        one, two = self.pick(), self.pick()
        return self.replaced(two, bytes(self.read(one)), f"a copy of {one} in the place",
                             allowed(one) | allowed(two)) if one != two else None

    def extra(self):
        folder = os.path.dirname(self.pick())
        path = os.path.join(folder, self.rng.choice(
            ["extra", "segment-99999.tar.zst", "x.txt", ".hidden", "A", "seal.json.bak", "é"]))
        place = os.path.join(self.bag, path)
        if os.path.exists(place):
            return None
        write(place, b"extra")
        return f"an extra {path}", {307, 310, 311, 313, 321, 315}, lambda: os.unlink(place)

    def missing(self):
        path = self.pick()
        place = os.path.join(self.bag, path)
        data = bytes(self.read(path))
        os.unlink(place)
        folder, emptied = os.path.dirname(place), []
        codes = allowed(path) | {303, 304, 308, 312, 316, 320, 351}
        def back():
            write(place, data)
        return f"{path} missing", codes, back

    def rename(self):
        path = self.pick()
        new = os.path.join(os.path.dirname(path), self.rng.choice(
            ["other", os.path.basename(path) + "x", os.path.basename(path).upper()]))
        here, there = os.path.join(self.bag, path), os.path.join(self.bag, new)
        if os.path.exists(there):
            return None
        os.rename(here, there)
        return f"{path} renamed to {new}", allowed(path) | {
            301, 304, 307, 308, 310, 312, 313, 320, 321, 243}, lambda: os.rename(there, here)


def code(result):
    try:
        return result.json["failure"]["code"]
    except (ValueError, KeyError, TypeError):
        return None


def judge(archive, trust, codes, environment, pipe=None):
    arguments = ["verify", pipe is not None and "-" or archive, "--trust", trust, "--json",
                 "--progress", "none"]
    result = exeat(*arguments, input=pipe or b"")
    assert result.status == 3, f"status {result.status}: {result.errors[-300:]}"
    assert codes is None or code(result) in codes, f"code {code(result)}, not one of {sorted(codes)}: " \
        f"{result.errors[-200:]}"
    # The same number is among the problems, and where people read.
    assert code(result) in [one["code"] for one in result.json["problems"]], result.json["problems"]
    assert f"\ncode: {code(result)} " in "\n" + result.errors, result.errors[-200:]


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20261123
    rng = random.Random(seed)
    cases = Cases()
    with scratch() as work:
        keys(work)
        trust = os.path.join(work, "signer.trust.json")
        tree = os.path.join(work, "tree")
        trees.small(tree)
        with open(os.path.join(tree, "more"), "wb") as file:
            file.write(random.Random(5).randbytes(300000))
        bags = {}
        recipient = open(os.path.join(work, "signer.agepub")).read().strip()
        for label, to in [("clear", None), ("encrypted", recipient)]:
            plan = export_plan(work, {"tree": tree}, to, name=label, file=label + ".yaml")
            bags[label] = os.path.join(work, label)
            exeat("export", plan, "--output", bags[label], cwd=work).expect(0)
            exeat("export", plan, "--output", label + ".tar", cwd=work).expect(0)
            # One with a receipt too.
            imports = import_plan(work, {"tree": os.path.join(work, label + "-first")},
                                  "signer.agekey" if to else None, file=label + "-first.yaml")
            exeat("import", label, imports, "--work", label + "-first-work", cwd=work).expect(0)
            exeat("verify", label, "--trust", trust, cwd=work).expect(0)
        tally = {}
        failures = 0
        imports = import_plan(work, {"tree": os.path.join(work, "never")}, "signer.agekey")

        def trial(name, archive, codes, pipe=None):
            nonlocal failures
            try:
                judge(archive, trust, codes, None, pipe)
                if rng.random() < 0.15 and pipe is None:
                    result = exeat("import", archive, imports, "--work", "never-work", cwd=work)
                    assert result.status == 3, f"import: status {result.status}: {result.errors[-200:]}"
                    assert "\ncode: " in result.errors, result.errors[-200:]
                    assert not os.path.exists(os.path.join(work, "never")), "import made the target"
                    text = exeat("verify", archive, "--trust", trust)
                    assert b"\nPROBLEM " in b"\n" + text.output and b"NOT GOOD" in text.output
            except (AssertionError, subprocess.TimeoutExpired) as error:
                failures += 1
                print(f"  {name}: {error}", flush=True)
                return False
            return True

        for label, bag in bags.items():
            with cases.case(f"{count // 3} damages to a directory, {label} (seed {seed})"):
                failures, done, target = 0, 0, count // 3
                while done < target:
                    damage = Trial(rng, bag).run()
                    if damage is None:
                        continue
                    what, codes, undo = damage
                    try:
                        trial(what, bag, codes)
                    finally:
                        undo()
                    done += 1
                assert failures == 0, f"{failures} of {done} were not told, or told wrongly"
                exeat("verify", bag, "--trust", trust).expect(0)
        whole = {label: open(os.path.join(work, label + ".tar"), "rb").read() for label in bags}
        for label, data in whole.items():
            with cases.case(f"{count // 6} damages to a tar, {label}, as a file and through a pipe"):
                failures = 0
                place = os.path.join(work, "damaged.tar")
                for number in range(count // 6):
                    what, changed = damaged_tar(rng, data, whole)
                    if changed == data:
                        continue
                    write(place, changed)
                    # A tar is one file: any code of what may be in it.
                    codes = TAR | SIGNED | {260, 261, 262, 301, 302, 303, 304, 305, 306, 307, 308, 309,
                                            312, 314, 317, 318, 320, 321, 360, 361, 362}
                    if trial(what, place, codes) and number % 3 == 0:
                        trial(what + ", piped", place, codes, changed)
                assert failures == 0, f"{failures} were not told, or told wrongly"
        with cases.case("a tar cut at each of its members' bounds"):
            failures = 0
            for bound in bounds(whole["clear"]):
                for cut in {bound, bound + 512, bound + 1, max(0, bound - 1)}:
                    if cut < len(whole["clear"]):
                        write(place, whole["clear"][:cut])
                        trial(f"cut at {cut}", place, None)
            assert failures == 0, f"{failures} were not told"
    cases.finish()


def bounds(data):
    """Where each member begins, and where the end blocks do."""
    places, position = [], 0
    while data[position:position + 1] != b"\0":
        places.append(position)
        size = int(data[position + 124:position + 135], 8)
        position += 512 + size + -size % 512
    return places + [position]


def damaged_tar(rng, data, others):
    kind = rng.choice(["bit"] * 4 + ["header bit"] * 3 + ["cut", "behind", "member gone", "member twice",
                                                        "members swapped", "padding", "foreign member"])
    places = bounds(data)
    members = [data[start:end] for start, end in zip(places, places[1:])]
    changed = bytearray(data)
    if kind == "bit":
        bit = rng.randrange(len(data) * 8)
        changed[bit // 8] ^= 1 << bit % 8
    elif kind == "header bit":
        bit = (rng.choice(places[:-1]) * 8) + rng.randrange(512 * 8)
        changed[bit // 8] ^= 1 << bit % 8
    elif kind == "cut":
        changed = changed[:rng.randrange(len(data))]
    elif kind == "behind":
        changed += rng.choice([b"\0", b"\0" * 512, b"x", data[:512]])
    elif kind == "padding":
        number = rng.randrange(len(members))
        size = int(members[number][124:135], 8)
        if size % 512:
            changed[places[number] + 512 + size + rng.randrange(512 - size % 512)] = 1
    else:
        number = rng.randrange(len(members))
        if kind == "member gone":
            del members[number]
        elif kind == "member twice":
            members.insert(rng.randrange(len(members)), members[number])
        elif kind == "members swapped":
            other = rng.randrange(len(members))
            members[number], members[other] = members[other], members[number]
        else:
            other = others["clear"] if data is others["encrypted"] else others["encrypted"]
            starts = bounds(other)
            pick = rng.randrange(len(starts) - 1)
            members[number] = other[starts[pick]:starts[pick + 1]]
        changed = b"".join(members) + data[places[-1]:]
    return kind, bytes(changed)


if __name__ == "__main__":
    main()
