"""What the tests of time-stamps share: a source, its exports, and authorities (`openssl ts` behind HTTP) that end with the test."""
import hashlib
import os
import sys

from support import *
from tsa_kit import Authority, Server


class Desk:
    def __init__(self, cases, work):
        self.cases, self.work = cases, work
        keys(work)
        self.trust = os.path.join(work, "signer.trust.json")
        self.source = os.path.join(work, "tree")
        os.makedirs(self.source)
        for number in range(3):
            write(os.path.join(self.source, f"file{number}"), f"content {number}" * 100)
        self.number = 0
        self.servers = []

    def server(self, name, **options):
        kind = {key: options.pop(key) for key in ("kind", "intermediate", "purposes", "critical", "start", "end")
                if key in options}
        server = Server(self.work, Authority(name, **kind), **options)
        self.servers.append(server)
        return server

    def plan(self, timestamp, name="plan", archive=""):
        extra = f"  timestamp: {timestamp}\n" if timestamp else ""
        return export_plan(self.work, {"tree": self.source}, file=f"{name}.yaml", extra=extra + archive)

    def export(self, timestamp, status=0, name=None, archive="", output=None):
        self.number += 1
        output = output or os.path.join(self.work, f"bag{self.number}")
        plan = self.plan(timestamp, name or f"plan{self.number}", archive)
        result = exeat("export", plan, "--output", output, "--json").expect(status)
        return output, result, plan

    def verify(self, bag, *options, status=0):
        return exeat("verify", bag, "--trust", self.trust, "--json", *options).expect(status)

    def proof(self, bag):
        return sorted(name for name in os.listdir(os.path.join(bag, "proof")) if ".ts" in name or "stamped" in name)

    def read(self, *parts):
        with open(os.path.join(*parts), "rb") as file:
            return file.read()


def check(name):
    return lambda result, outcome: [c for c in result.json["checks"] if c["name"] == name][0]["outcome"] == outcome


def outcome(result, name):
    return next(c["outcome"] for c in result.json["checks"] if c["name"] == name)


def authority(server, **options):
    more = "".join(f", {key}: {value}" for key, value in options.items())
    return "{ url: \"%s\", ca: %s%s }" % (server.url, server.ca, more)


def stamped(desk, bag):
    return "".join(f"{sha256(desk.read(bag, 'proof', name))}  {name}\n"
                   for name in ("seal.json", "seal.json.mldsa65", "seal.json.sig")).encode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def main(tests):
    """Runs those whose names are given, or all."""
    cases = Cases()
    with scratch() as work:
        desk = Desk(cases, work)
        try:
            for test in tests:
                if not sys.argv[1:] or test.__name__ in sys.argv[1:]:
                    test(desk)
        finally:
            for server in desk.servers:
                server.close()
    cases.finish()
