#!/usr/bin/env python3
"""Legal dates: those of a plan, texts that contradict each other, profiles and calendars as data."""
import json
import pathlib

from dossier_kit import Desk, valid
from support import Cases, ROOT, exeat, scratch, write

cases = Cases()


def plans(desk):
    with cases.case("the dates of a plan are reckoned without asking a source"):
        plan = desk.at("whole.yaml")
        result = exeat("deadlines", plan, "--today", "2026-11-27", "--json").expect(0).json
        found = {d["rule"]: d for d in result["dates"]}
        assert found["data-act/25-2-h"]["day"] == "2026-10-01", found["data-act/25-2-h"]
        assert found["data-act/25-2-d"]["state"] == "met"
        assert b"only after 2026-10-05" in exeat("deadlines", plan).expect(0).output
    with cases.case("texts that contradict each other are named"):
        plan = write(desk.at("conflict.yaml"), pathlib.Path(desk.at("whole.yaml")).read_text().replace(
            "  dates:", "  legal: { profiles: [ data-act, clausier-securite-sante ] }\n  dates:"))
        result = exeat("deadlines", plan, "--json").expect(0).json
        assert len(result["conflicts"]) == 1, result["conflicts"]
        assert "O-12.3.14" in result["conflicts"][0]["what"]
    with cases.case("profiles of one's own, and what is none"):
        text = pathlib.Path(desk.at("whole.yaml")).read_text()
        own = json.loads((ROOT / "Manifests/legal/data-act.json").read_text())
        own["id"] = "house-rules"
        write(desk.at("house.json"), json.dumps(own))
        plan = write(desk.at("own.yaml"), text.replace("  dates:", "  legal: { profiles: ./house.json, calendar: fr-alsace-moselle }\n  dates:"))
        assert exeat("deadlines", plan, "--json").expect(0).json["dates"][0]["rule"].startswith("house-rules/")
        for wrong in ["data-act-2", "./nothing.json", "./whole.yaml"]:
            plan = write(desk.at("wrong.yaml"), text.replace("  dates:", f"  legal: {{ profiles: {wrong} }}\n  dates:"))
            exeat("deadlines", plan).expect(1)
        plan = write(desk.at("wrong.yaml"), text.replace("2026-10-05", "2026-02-30"))
        assert "104" in exeat("deadlines", plan).expect(1).errors
    with cases.case("the legal files keep to their schemas"):
        for path in sorted((ROOT / "Manifests/legal").glob("*.json")):
            valid(path, "legal-profile")
        for path in sorted((ROOT / "Manifests/legal/calendars").glob("*.json")):
            valid(path, "calendar")


with scratch("exeat-dates-") as work:
    desk = Desk(work)
    desk.export("whole")
    plans(desk)
cases.finish()
