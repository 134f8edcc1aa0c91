#!/usr/bin/env python3
"""Legal dates and the lock of the erasure, reckoned twice: by exeat, and by VERIFY.txt with Python alone.

The two share rules and holidays, which are data under the seal, and no line of code.
"""
import datetime
import json
import os
import pathlib
import random
import time

import dossier_kit
from dossier_kit import Desk, FUTURE, PAST, valid
from support import Cases, ROOT, Skipped, exeat, run, scratch, write

cases = Cases()
EVENTS = ["notice-received", "notice-end", "infeasibility-notified", "transition-start", "transition-end", "alternative-end",
          "extension-end", "trial-copy", "retrieval-end", "contract-end", "formal-notice"]
PROFILES = ["data-act", "ccag-tic-2021", "clausier-securite-sante", "secnumcloud-3.2"]


class Reckoner:
    """The part of an archive's VERIFY.txt that reckons, run on catalogues of our own."""

    def __init__(self, work, archive):
        self.folder = os.path.join(work, "reckoned")
        text = pathlib.Path(archive, "VERIFY.txt").read_text()
        self.script = write(os.path.join(work, "dates.py"), text.split("<<'END'\n")[1].split("\nEND\n")[0])
        for name in ["exeat", "proof"]:
            os.makedirs(os.path.join(self.folder, name))
        write(os.path.join(self.folder, "proof/seal.json"), json.dumps({
            "predicate": {"createdAt": "2026-01-01T00:00:00.000Z"}, "subject": [{"name": "tagmanifest-sha256.txt"}]},
            separators=(",", ":")))

    def dates(self, dates, profiles, calendar):
        legal = ROOT / "Manifests" / "legal"
        read = lambda path: json.loads((legal / path).read_text())
        write(os.path.join(self.folder, "exeat/catalogue.json"), json.dumps({"contract": {"dates": dates, "legal": {
            "profiles": [read(f"{name}.json") for name in profiles], "calendar": read(f"calendars/{calendar}.json")}}}))
        done = run("python3", self.script, os.devnull, cwd=self.folder).expect(0)
        return {words[1]: words[4] for words in map(str.split, done.output.decode().splitlines()) if words[0] == "date:"}


def reckoned(work, dates, profiles, calendar):
    given = "".join(f"    {event}: {day}\n" for event, day in dates.items())
    plan = write(os.path.join(work, "dates.yaml"), f"""exeat: 1
run:
  purpose: end-of-contract
  legal: {{ profiles: [ {", ".join(profiles)} ], calendar: {calendar} }}
{"  dates:" if dates else ""}
{given}sources: {{ s: {{ kind: files, path: / }} }}
archive: {{ name: x, sign-with: k }}
""")
    # What is reckoned does not depend on today; only what was missed does.
    return exeat("deadlines", plan, "--today", "2026-01-01", "--json").expect(0).json["dates"]


def twice(work, archive):
    reckoner = Reckoner(work, archive)
    chance = random.Random(2027)
    with cases.case("VERIFY.txt reckons every rule as exeat does"):
        for _ in range(40):
            start = datetime.date(2026, 1, 1) + datetime.timedelta(days=chance.randrange(1200))
            dates = {event: (start + datetime.timedelta(days=chance.randrange(200))).isoformat()
                     for event in EVENTS if chance.random() < 0.4}
            profiles = chance.sample(PROFILES, chance.randint(1, 4))
            calendar = chance.choice(["fr", "fr-alsace-moselle"])
            wanted = {date["rule"]: date["day"] or "unknown" for date in reckoned(work, dates, profiles, calendar)
                      if date["kind"] not in ("times", "none-from") and date["state"] != "replaced"}
            assert reckoner.dates(dates, profiles, calendar) == wanted, (dates, profiles, calendar)
    with cases.case("… on leap days, ends of months, holidays and both sides of them"):
        for notice, calendar in [("2028-02-29", "fr"), ("2027-12-31", "fr"), ("2028-12-31", "fr"), ("2027-02-26", "fr"),
                                 ("2027-03-25", "fr-alsace-moselle"), ("2028-04-13", "fr-alsace-moselle"), ("2027-11-26", "fr")]:
            dates = {"notice-received": notice, "transition-start": notice, "contract-end": notice, "formal-notice": notice}
            wanted = {date["rule"]: date["day"] or "unknown" for date in reckoned(work, dates, PROFILES, calendar)
                      if date["kind"] not in ("times", "none-from") and date["state"] != "replaced"}
            assert reckoner.dates(dates, PROFILES, calendar) == wanted, (dates, calendar)
    with cases.case("days end when the time zone's own tables say so"):
        try:
            import zoneinfo
            paris = zoneinfo.ZoneInfo("Europe/Paris")
        except (ImportError, LookupError) as error:
            raise Skipped(f"no tables of time zones: {error}")
        for notice in ["2027-01-27", "2027-02-26", "2027-09-30", "2027-08-31", "2028-01-31", "2026-12-31"]:
            for date in reckoned(work, {"notice-received": notice}, ["data-act"], "fr"):
                if date["day"]:
                    over = datetime.datetime.combine(datetime.date.fromisoformat(date["day"]) + datetime.timedelta(1),
                                                     datetime.time(), paris).astimezone(datetime.timezone.utc)
                    assert date["moment"] == over.strftime("%Y-%m-%dT%H:%M:%S.000Z"), date


def by_hand(desk, archive, status):
    return run("sh", "VERIFY.txt", cwd=archive, environment={"TRUST": desk.at("trust.json")}).expect(status)


def lock(desk):
    with cases.case("by hand: when the source may be erased, and that it was in time"):
        whole = desk.whole("whole")
        told = by_hand(desk, whole, 0).output.decode()
        assert "date: data-act/25-2-h erasure after 2026-10-01" in told and "erasure: in time" in told, told
    with cases.case("by hand: a certificate of before the request is not good"):
        early = dossier_kit.copy(whole, "early")
        desk.forge(early, "erasure.json", lambda s: s["predicate"].update(startedAt="2026-11-01T00:00:00.000Z"),
                   "cleaner", "exeat/erasure/v1")
        assert desk.verify(early).expect(3).json["failure"]["code"] == 752
        assert "the source was erased at 2026-11-01" in by_hand(desk, early, 1).errors
    with cases.case("by hand: keys out of their dates or of their roles are refused, as exeat refuses them"):
        trust = json.loads(pathlib.Path(desk.at("trust.json")).read_text())
        moment = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
        for who in ("hoster", "hospital", "cleaner"):
            for bound, seconds, status in [("notAfter", -60, 3), ("notAfter", 3600, 0), ("notBefore", 3600, 3), ("notBefore", -3600, 0)]:
                keys = [dict(key, **{bound: moment(seconds)}) if key["principal"] == who else key for key in trust["keys"]]
                file = write(desk.at("dated.json"), json.dumps({"exeat-trust": 1, "keys": keys}))
                desk.verify(whole, trust="dated.json").expect(status)
                told = run("sh", "VERIFY.txt", cwd=whole, environment={"TRUST": file}).expect(1 if status else 0)
                assert not status or f"the key of {who} was not valid" in told.errors, told.errors
        bag = dossier_kit.copy(whole, "role")
        desk.forge(bag, "erasure.json", lambda s: None, "hospital", "exeat/erasure/v1")
        assert desk.verify(bag).expect(3).json["failure"]["code"] == 246
        assert "hospital, who is no eraser" in by_hand(desk, bag, 1).errors
    with cases.case("the date that the customer asks for is not laid at the door of a law"):
        waiting = desk.export("waiting")
        desk.take_in(waiting)
        desk.attest("accept", waiting, "hospital").expect(0)
        desk.attest("request-erasure", waiting, "director", "--not-before", "2999-03-01").expect(0)
        found = desk.status(waiting).expect(0).json["lock"]
        assert found["rule"] is None and found["lastDay"] == "2999-02-28", found
        assert "erasure-request.json" in found["reasons"][0]["what"] and "25(2)" not in found["reasons"][0]["what"], found
        page = exeat("report", waiting, "--trust", desk.at("trust.json"), "--lang", "en").expect(0).output.decode()
        assert "by the signed documents of the customer" in page
        assert "erasure: not before 2999-02-28T23:00:00Z (erasure-request.json, 2999-02-28 is over)" in \
            by_hand(desk, waiting, 0).output.decode()
    with cases.case("by hand: what is locked is said to be, with the rule"):
        locked = desk.export("locked", dates=FUTURE)
        assert "erasure: locked, the customer has not accepted" in by_hand(desk, locked, 0).output.decode()
        desk.take_in(locked)
        desk.attest("accept", locked, "hospital").expect(0)
        desk.attest("request-erasure", locked, "director").expect(0)
        told = by_hand(desk, locked, 0).output.decode()
        notBefore = desk.status(locked).expect(0).json["lock"]["notBefore"].replace(".000Z", "Z")
        assert f"erasure: not before {notBefore} (data-act/25-2-h-agreed, 2999-01-04 is over)" in told, (notBefore, told)
    with cases.case("by hand: an erasure against the lock needs two people, one of them of the customer"):
        for key, name in [("officer", "Paul Petit"), ("cleaner", "Anne Roux"), ("director", "Jeanne Martin")]:
            desk.attest("override", locked, key, "--name", name, "--reason", "closes").expect(0)
        desk.erase(locked).expect(0)
        assert "erasure: against the lock, approved by" in by_hand(desk, locked, 0).output.decode()
        for name, change, code, said in [
                ("open", lambda lock: lock.update(open=True, overridden=False, overrides=[]), 752, "was erased at"),
                ("alone", lambda lock: lock.update(overrides=lock["overrides"][:1]), 748, "without two people"),
                ("own", lambda lock: lock.update(overrides=lock["overrides"][:2]), 748, "nobody of the customer")]:
            bag = dossier_kit.copy(locked, "locked-" + name)
            desk.forge(bag, "erasure.json", lambda s: change(s["predicate"]["lock"]), "cleaner", "exeat/erasure/v1")
            assert desk.verify(bag).expect(3).json["failure"]["code"] == code, name
            assert said in by_hand(desk, bag, 1).errors, name
    with cases.case("by hand: nothing can be reckoned from a date that nobody gave"):
        unknown = desk.export("unknown", dates=PAST + "  legal: { profiles: [ data-act, secnumcloud-3.2 ] }\n")
        assert "secnumcloud-3.2/19.4.a counts from formal-notice, which is not known" in by_hand(desk, unknown, 0).output.decode()


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
    if run("python3", "-c", "import bagit, cryptography").status:
        with cases.case("dates by hand"):
            raise Skipped("bagit and cryptography are not installed")
    else:
        desk = Desk(work)
        lock(desk)
        plans(desk)
        twice(work, desk.at("whole"))
cases.finish()
