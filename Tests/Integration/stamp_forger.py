"""Archives with time-stamps made by hand and sealed by a trusted key, for tests of what such a key could do wrong."""
import datetime
import os
import sys

import forge
from forge import Archive, Directory, Item
from support import *
from tsa_kit import UTC, Authority, token

GENESIS = datetime.datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
HOUR = datetime.timedelta(hours=1)
ITEMS = lambda: [Directory(""), Item("a", data=b"first"), Directory("d"), Item("d/f", data=b"inside")]


class Desk:
    def __init__(self, cases, work):
        self.cases, self.work = cases, work
        keys(work)
        self.key = forge.Key(os.path.join(work, "signer.key"))
        self.trust = os.path.join(work, "signer.trust.json")
        self.authority = Authority("tsa")
        self.ca = self.authority.write(work)
        self.number = 0

    def write(self, opening=None, closing=None, edit_seal=None, listed=True, noted=True, name="forged", key=None,
              change=None):
        """An archive with tokens; `opening` and `closing` make one of a message, None leaves it out."""
        self.number += 1
        bag = os.path.join(self.work, f"bag{self.number}")
        archive = Archive(ITEMS(), name=name)
        made = {}

        def journal(events):
            line = forge.chain(events[:1])[0].rstrip(b"\n")
            if opening:
                made["opening.tsr"] = opening(line)
                if noted:
                    event = {"ev": "run.stamped", "token": "opening.tsr", "sha256": forge.sha256(made["opening.tsr"])}
                    events = events[:1] + [event] + events[1:]
            return events

        def seal(statement):
            if opening and listed:
                statement["predicate"]["openings"] = [
                    {"name": "opening.tsr", "sha256": forge.sha256(made["opening.tsr"])}]
            if edit_seal:
                edit_seal(statement["predicate"])
            return statement

        def proof(files):
            if opening:
                files["proof/opening.tsr"] = made["opening.tsr"]
            if closing:
                listing = "".join(f"{forge.sha256(files['proof/' + n])}  {n}\n" for n in (
                    "seal.json", "seal.json.mldsa65", "seal.json.sig")).encode()
                files["proof/timestamped.txt"] = listing
                files["proof/timestamped.txt.tsr"] = closing(listing)
            if change:
                change(files)
            return files

        archive.edit_journal, archive.edit_seal, archive.edit_proof = journal, seal, proof
        archive.write(bag, key or self.key)
        return bag

    def stamp(self, authority=None, when=GENESIS, **options):
        return lambda message: token(message, authority or self.authority, when=when, **options)

    def verify(self, bag, *options, trust=None):
        return exeat("verify", bag, "--trust", trust or self.trust, "--tsa-ca", self.ca, "--json", *options)

    def refuse(self, name, bag, word, *options):
        with self.cases.case(name):
            result = self.verify(bag, *options).expect(3)
            words = {problem["word"] for problem in result.json["problems"]}
            assert result.json["failure"]["word"] == word or words == {word}, (word, words)
            remove(bag)

    def accept(self, name, bag, *options):
        with self.cases.case(name):
            result = self.verify(bag, *options)
            result.expect(0)
            return result


def main(tests):
    """Runs those whose names are given, or all."""
    cases = Cases()
    with scratch() as work:
        desk = Desk(cases, work)
        for test in tests:
            if not sys.argv[1:] or test.__name__ in sys.argv[1:]:
                test(desk)
    cases.finish()
