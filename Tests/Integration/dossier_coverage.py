#!/usr/bin/env python3
"""Declared, found, exported: each of the three explains the others, or the run ends with status 2."""
import json
import os
import pathlib
import shutil

from dossier_kit import Desk, valid
from support import Cases, ROOT, exeat, run, scratch, write

cases = Cases()


def coverage(desk):
    """Declared against found against exported."""
    number = iter(range(100))

    def export(declared, status, gaps, exclude=""):
        name = f"covered{next(number)}"
        plan = write(desk.at(name + ".yaml"), f"""exeat: 1
run: {{ purpose: trial }}
sources:
  alpha: {{ kind: files, path: {desk.at("alpha")}, declared: {declared}{exclude} }}
  beta: {{ kind: files, path: {desk.at("beta")} }}
archive: {{ name: {name}, sign-with: hoster }}
""")
        run("python3", ROOT / "Scripts" / "validate-schemas", plan, "plan-export").expect(0)
        result = exeat("export", plan, "--output", name, "--json", cwd=desk.work).expect(status).json
        valid(desk.at(name, "exeat/catalogue.json"), "catalogue")
        sources = json.loads(pathlib.Path(desk.at(name, "exeat/catalogue.json")).read_text())["sources"]
        assert sources[0]["coverage"]["gaps"] == gaps, sources[0]["coverage"]
        assert "coverage" not in sources[1]
        assert len(result["unexplained"]) == sum(gaps.values())
        desk.verify(desk.at(name)).expect(0)
        return sources[0]["coverage"], desk.at(name)

    files = '{ category: shares, legal: exportable-data, count: 1 }'
    left = ', exclude: { paths: [ "b.txt" ], reason: "annex 3" }'
    with cases.case("what is declared, found and exported explains each other"):
        export(f"[ {files} ]", 0, {})
        found, _ = export(f'[ {files}, {{ category: engine, objects: "b.*", exempt: {{ ground: trade-secret, clause: "3.2" }} }} ]',
                          0, {}, left)
        exempt = found["declared"][1]
        assert exempt["ground"] == "trade-secret" and exempt["clause"] == "3.2" and exempt["omitted"] == 1
    with cases.case("what nobody has declared, or nobody has found, is status 2"):
        export('{ category: nothing, objects: "nothing*" }', 2, {"undeclared": 1, "not-found": 1})
        export(f'[ {files}, {{ category: more, objects: "more*" }} ]', 2, {"not-found": 1})
        export('{ category: shares, count: 2 }', 2, {"count": 1})
        export('{ category: shares, legal: digital-asset }', 2, {"category": 1})
    with cases.case("what must leave and was left out, or is exempt and was exported, is status 2"):
        export(f'[ {files}, {{ category: reports, objects: "b.txt", count: 0 }} ]', 2, {"left-out": 1}, left)
        export('{ category: secrets, objects: tree, exempt: { ground: trade-secret, clause: "3.2" } }', 2,
               {"exempt-exported": 1})
    with cases.case("what was left out beyond the list of the manifest is a gap that says so"):
        many = desk.at("alpha", "many")
        os.makedirs(many)
        for name in range(1005):
            write(os.path.join(many, f"{name}.tmp"), "")
        engine = '{ category: engine, objects: "*.tmp", exempt: { ground: trade-secret, clause: "3.2" } }'
        out = ', exclude: { paths: [ "*.tmp" ], reason: "annex 3" }'
        found, _ = export(f"[ {files}, {engine} ]", 0, {}, out)
        assert "omitted" not in found["declared"][1], "only the first thousand were counted"
        found, bag = export(f'[ {files}, {{ category: reports, objects: "b.txt", count: 0 }}, {engine} ]', 2, {"unlisted": 1}, out)
        page = exeat("report", bag, "--trust", desk.at("trust.json")).expect(0).output.decode()
        assert "omissions non énumérées" in page and "1 écart entre ce qui était déclaré" in page.replace("\xa0", " ")
        shutil.rmtree(many)
    with cases.case("a catalogue whose gaps were taken away is refused"):
        _, bag = export('{ category: shares, count: 2 }', 2, {"count": 1})
        path = os.path.join(bag, "exeat/catalogue.json")
        write(path, pathlib.Path(path).read_text().replace('"unexplained":1', '"unexplained":0'))
        desk.verify(bag).expect(3)
    with cases.case("what is wrong with a declaration is told at its place"):
        for wrong in ['{ objects: "*" }', '{ category: x, legal: exempt }', '{ category: x, exempt: { ground: y } }',
                      '{ category: x, legal: digital-asset, exempt: { ground: y, clause: z } }', '{ category: x, count: -1 }', '[ ]']:
            plan = write(desk.at("wrong.yaml"), f"""exeat: 1
run: {{ purpose: trial }}
sources: {{ alpha: {{ kind: files, path: {desk.at("alpha")}, declared: {wrong} }} }}
archive: {{ name: x, sign-with: hoster }}
""")
            exeat("plan", plan, cwd=desk.work).expect(1)


def declared(desk):
    with cases.case("what the contract names and no source holds is a gap, and so is a source that it does not name"):
        systems = ("  declared:\n    - { category: records, sources: [ alpha, beta ] }\n"
                   "    - { category: rules, exempt: { ground: trade-secret, clause: annex 3 } }\n")
        whole = desk.export("named", extra="\n" + systems.rstrip())
        valid(os.path.join(whole, "exeat/catalogue.json"), "catalogue")
        report = exeat("report", whole, "--trust", desk.at("trust.json"), "--json").expect(0).json
        assert report["coverage"]["unexplained"] == 0 and len(report["coverage"]["declared"]) == 2
        open_ = systems.replace(", beta", "") + "    - { category: imaging }\n"
        plan = write(desk.at("open.yaml"), pathlib.Path(desk.at("named.yaml")).read_text().replace(systems.rstrip(), open_.rstrip()))
        result = exeat("export", plan, "--output", desk.at("open"), "--json", cwd=desk.work).expect(2).json
        assert len(result["unexplained"]) == 2 and "imaging" in result["unexplained"][0], result
        assert "\"beta\"" in result["unexplained"][1], result
        desk.verify(desk.at("open")).expect(0)
        catalogue = json.loads(pathlib.Path(desk.at("open"), "exeat/catalogue.json").read_text())
        assert catalogue["coverage"]["gaps"] == {"not-found": 1, "undeclared": 1}, catalogue["coverage"]
        report = exeat("report", desk.at("open"), "--trust", desk.at("trust.json"), "--json").expect(0).json
        assert report["outcome"]["unexplained"] == 2 and report["verdict"]["word"] == "reservations", report["verdict"]
        write(plan, pathlib.Path(plan).read_text().replace("[ alpha ]", "[ alhpa ]"))
        assert "did you mean \"alpha\"" in exeat("export", plan, "--output", desk.at("typo"), cwd=desk.work).expect(1).errors


with scratch("exeat-coverage-") as work:
    desk = Desk(work)
    coverage(desk)
    declared(desk)
cases.finish()
