#!/usr/bin/env python3
"""Older archives replayed, archives that contradict each other, and archives whose date has passed: what an import remembers."""
import json
import os

import forge
from stamp_forger import main
from support import *


def series(desk, sequence, previous=None, first=None, **more):
    """An archive in a place of a series."""
    def edit(predicate):
        predicate["series"] = first or predicate["bag"]
        predicate["sequence"] = sequence
        if previous:
            predicate["previous"] = {"sha256": previous}
        predicate.update(more)
    return desk.write(edit_seal=edit)


def digest(bag):
    return forge.sha256(open(os.path.join(bag, "proof/seal.json"), "rb").read())


def identity(bag):
    return json.load(open(os.path.join(bag, "proof/seal.json")))["predicate"]["bag"]


def rollback(desk):
    work = desk.work
    seen = os.path.join(work, "seen.json")
    number = iter(range(1000))

    def bring(bag, status, *options, memory=seen):
        count = next(number)
        plan = import_plan(work, {"s": os.path.join(work, f"target{count}")}, file=f"in{count}.yaml")
        result = exeat("import", bag, plan, "--work", os.path.join(work, f"work{count}"), "--seen", memory, "--json",
                       *options, cwd=work)
        result.expect(status)
        return result, os.path.join(work, f"work{count}"), os.path.join(work, f"target{count}")

    first = series(desk, 1)
    second = series(desk, 2, digest(first), identity(first))
    third = series(desk, 3, digest(second), identity(first))
    with desk.cases.case("archives of a series are imported in their order, and again"):
        for bag in (first, second, second, third):
            bring(bag, 0)
    with desk.cases.case("an older archive is refused after a newer one, before anything is written"):
        for bag in (first, second):
            result, _, target = bring(bag, 3)
            assert "seal-replayed" in result.errors and not os.path.exists(target)
    with desk.cases.case("verify, which remembers nothing, takes it, and tells its place"):
        result = desk.verify(first).expect(0)
        assert result.json["series"] == {"id": identity(first), "sequence": 1, "previous": None}
    with desk.cases.case("one person alone, one person twice, and nobody's reason are not enough"):
        for options in [["--accept-older"], ["--accept-older", "--approved-by", "A", "--reason", "r"],
                        ["--accept-older", "--approved-by", "A", "--approved-by", "a", "--reason", "r"],
                        ["--accept-older", "--approved-by", "A", "--approved-by", "B"],
                        ["--approved-by", "A", "--approved-by", "B", "--reason", "r"]]:
            bring(second, 64, *options)
    with desk.cases.case("two people with a reason may, and the receipt says so"):
        two = ["--approved-by", "M. Durand", "--approved-by", "Mme Petit", "--reason", "the newer one is damaged"]
        result, folder, target = bring(second, 0, "--accept-older", *two)
        receipt = json.load(open(result.json["receipt"]))["predicate"]
        assert any("M. Durand and Mme Petit" in r and "damaged" in r and "number 2" in r
                   for r in receipt["reservations"]), receipt["reservations"]
        assert os.path.exists(target)
    with desk.cases.case("the memory still knows the newest"):
        assert "seal-replayed" in bring(second, 3)[0].errors
        assert json.load(open(seen))["series"][0]["sequence"] == 3
    with desk.cases.case("another archive in the same place is refused"):
        assert "seal-forked" in bring(series(desk, 3, digest(second), identity(first)), 3)[0].errors
    with desk.cases.case("an archive that does not follow the one seen is refused"):
        assert "seal-forked" in bring(series(desk, 4, "0" * 64, identity(first)), 3)[0].errors
    with desk.cases.case("one that comes after a gap is taken, for the one between may be lost"):
        bring(series(desk, 7, "0" * 64, identity(first)), 0)
    with desk.cases.case("the series of somebody else is another one"):
        bring(series(desk, 1), 0)
        bring(series(desk, 2, "1" * 64, "urn:uuid:00000000-0000-4000-8000-000000000001"), 0)
    with desk.cases.case("a memory that is damaged is not taken for an empty one"):
        broken = write(os.path.join(work, "broken.json"), "{")
        assert "damaged" in bring(third, 3, memory=broken)[0].errors
    for name, edit in [("a sequence of 0", {"sequence": 0}), ("a second archive without a first", {"sequence": 2}),
                       ("a first archive of another series", {"series": "urn:uuid:00000000-0000-4000-8000-000000000001"}),
                       ("a sequence alone", {"series": None}), ("a sequence that is a text", {"sequence": "1"})]:
        def change(predicate, edit=edit):
            predicate.update(series=predicate["bag"], sequence=1)
            for field, value in edit.items():
                predicate[field] = value
                if value is None:
                    del predicate[field]
        desk.refuse(f"a seal with {name}", desk.write(edit_seal=change), "seal-malformed")
    with desk.cases.case("an export takes its place behind the archive that its plan names"):
        source = os.path.join(work, "source")
        os.mkdir(source)
        write(os.path.join(source, "f"), "1")
        places = []
        previous = None
        for step, form in enumerate(["one", "two.tar", "three"]):
            extra = f"  previous: {previous}\n" if previous else ""
            plan = export_plan(work, {"s": source}, file=f"step{step}.yaml", extra=extra)
            output = os.path.join(work, form)
            exeat("export", plan, "--output", output).expect(0)
            result = exeat("verify", output, "--trust", desk.trust, "--json").expect(0)
            places.append(result.json["series"])
            previous = output if step else os.path.join(output, "proof/seal.json")
        assert [p["sequence"] for p in places] == [1, 2, 3] and len({p["id"] for p in places}) == 1, places
        assert places[1]["previous"] == digest(os.path.join(work, "one"))
        for bag, status in [("one", 0), ("three", 0), ("two.tar", 3), ("one", 3)]:
            bring(os.path.join(work, bag), status)
    with desk.cases.case("a previous archive that is none, or damaged, is refused before anything moves"):
        for path in ["nowhere", "source", os.path.join(work, "step0.yaml")]:
            plan = export_plan(work, {"s": source}, file="wrong.yaml", extra=f"  previous: {path}\n")
            for command in (["plan", plan], ["export", plan, "--output", os.path.join(work, "wrong")]):
                assert "seal-previous" in exeat(*command).expect(1).errors
        seal = os.path.join(work, "one/proof/seal.json")
        data = open(seal, "rb").read()
        write(seal, data.replace(b'"sequence":1', b'"sequence":9'))
        plan = export_plan(work, {"s": source}, file="wrong.yaml", extra=f"  previous: {seal}\n")
        assert "seal-previous" in exeat("export", plan, "--output", os.path.join(work, "wrong")).expect(1).errors


def freeze(desk):
    work = desk.work
    with desk.cases.case("an archive whose date has passed is refused, also by verify"):
        bag = desk.write(edit_seal=lambda p: p.update(restoreBefore="2026-11-24T00:00:00.000Z"))
        assert desk.verify(bag).expect(3).json["failure"]["word"] == "seal-expired"
        plan = import_plan(work, {"s": os.path.join(work, "late")}, file="late.yaml")
        options = ["--seen", os.path.join(work, "late.json"), "--work", os.path.join(work, "late-work")]
        assert "seal-expired" in exeat("import", bag, plan, *options, cwd=work).expect(3).errors
        assert not os.path.exists(os.path.join(work, "late"))
    with desk.cases.case("who accepts it is named in the receipt"):
        desk.verify(bag, "--accept-expired").expect(0)
        exeat("import", bag, plan, *options, "--accept-expired", cwd=work).expect(64)
        exeat("import", bag, plan, *options, "--accept-expired", "--approved-by", "A", "--approved-by", "B",
              "--reason", "crisis", cwd=work).expect(0)
        receipt = json.load(open(os.path.join(work, "late-work/receipt-1.json")))["predicate"]
        assert any("A and B" in r and "2026-11-24" in r for r in receipt["reservations"]), receipt["reservations"]
    with desk.cases.case("a date that has not passed is told"):
        source = os.path.join(work, "frozen")
        os.makedirs(source)
        plan = export_plan(work, {"s": source}, file="frozen.yaml", extra="  restore-before: 2999-01-01\n")
        exeat("export", plan, "--output", os.path.join(work, "frozen-bag")).expect(0)
        result = exeat("verify", os.path.join(work, "frozen-bag"), "--trust", desk.trust, "--json").expect(0)
        assert any(c["name"] == "date of expiry" and c["outcome"] == "passed" for c in result.json["checks"])


if __name__ == "__main__":
    main([rollback, freeze])
