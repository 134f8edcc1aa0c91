#!/usr/bin/env python3
"""Time-stamps from a real authority (`openssl ts` behind HTTP): taken, checked, missing, asked for again."""
import json
import os
import shutil
import signal
import subprocess
import threading
import time

import tsa_kit
from stamp_kit import authority, main, outcome, sha256
from support import *
from tsa_kit import Authority, Server, openssl_verifies


def taken(desk):
    server = desk.server("tsa")
    with desk.cases.case("opening and closing tokens are taken, listed, and hold for OpenSSL too"):
        bag, result, _ = desk.export(authority(server))
        assert result.json["timeStamps"] == {"tokens": ["opening.tsr", "timestamped.txt.tsr"], "requests": [],
                                             "missing": []}, result.json["timeStamps"]
        assert desk.proof(bag) == ["opening.tsr", "timestamped.txt", "timestamped.txt.tsr"], desk.proof(bag)
        assert len(server.requests) == 2
        assert all(h["Content-Type"] == "application/timestamp-query" for h, _ in server.requests)
        line = desk.read(bag, "exeat/journal.jsonl").split(b"\n")[0]
        assert openssl_verifies(line, desk.read(bag, "proof/opening.tsr"), server.ca, desk.work)
        listed = desk.read(bag, "proof/timestamped.txt")
        assert openssl_verifies(listed, desk.read(bag, "proof/timestamped.txt.tsr"), server.ca, desk.work)
        assert subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "timestamped.txt"],
                              cwd=os.path.join(bag, "proof")).returncode == 0
        lines = [json.loads(l) for l in desk.read(bag, "exeat/journal.jsonl").splitlines()]
        seal = json.loads(desk.read(bag, "proof/seal.json"))["predicate"]
        token = sha256(desk.read(bag, "proof/opening.tsr"))
        assert lines[1]["ev"] == "run.stamped" and lines[1]["sha256"] == token
        assert seal["openings"] == [{"name": "opening.tsr", "sha256": token}] and seal["timestamps"] == 1
    with desk.cases.case("documents of a stamped archive keep to their schemas"):
        validate = os.path.join(ROOT, "Scripts/validate-schemas")
        run(validate, os.path.join(bag, "proof/seal.json"), "seal").expect(0)
        for number, line in enumerate(desk.read(bag, "exeat/journal.jsonl").splitlines()[:3]):
            path = write(os.path.join(desk.work, f"line{number}.json"), line)
            run(validate, path, "journal").expect(0)
    with desk.cases.case("verify tells the certified times, and that OpenSSL agrees"):
        result = desk.verify(bag, "--tsa-ca", server.ca)
        stamps = result.json["timeStamps"]
        assert [s["file"] for s in stamps] == ["opening.tsr", "timestamped.txt.tsr"]
        assert all(s["trusted"] and s["secondOpinion"] == "OpenSSL agrees" for s in stamps), stamps
        assert result.json["opened"] <= result.json["closed"]
        desk.verify(bag, "--tsa-ca", server.ca, "--require-timestamp", "--tsa-policy", tsa_kit.POLICY)
    with desk.cases.case("without an authority tokens are looked at, and not believed"):
        result = desk.verify(bag)
        assert outcome(result, "opening time stamp") == outcome(result, "closing time stamp") == "unchecked"
        assert "opened" not in result.json and result.json["good"]
        result = desk.verify(bag, "--require-timestamp", status=3)
        assert result.json["failure"]["word"] == "time-stamp-missing"
    with desk.cases.case("the trust file may name the authority, and demand its stamps"):
        document = {"exeat-trust": 1, "keys": [], "timestamps": {
            "certificates": desk.read(server.ca).decode(), "policies": [tsa_kit.POLICY], "required": True}}
        stamps = write(os.path.join(desk.work, "stamps.trust.json"), json.dumps(document))
        run(os.path.join(ROOT, "Scripts/validate-schemas"), stamps, "trust").expect(0)
        result = desk.verify(bag, "--trust", stamps)
        assert all(s["trusted"] for s in result.json["timeStamps"])
        plain, _, _ = desk.export("")
        assert desk.verify(plain, "--trust", stamps, status=3).json["failure"]["word"] == "time-stamp-missing"
        joined = write(os.path.join(desk.work, "joined.json"), desk.read(desk.trust) + desk.read(stamps))
        exeat("verify", bag, "--trust", joined).expect(0)
        run("sh", "VERIFY.txt", cwd=bag, environment={"TRUST": joined}).expect(0)
        document["timestamps"]["certificates"] = "nothing"
        write(stamps, json.dumps(document))
        exeat("verify", bag, "--trust", desk.trust, "--trust", stamps).expect(1)
    with desk.cases.case("OpenSSL that is not there is told; one that disagrees has the last word"):
        tools = os.path.join(desk.work, "tools")
        os.mkdir(tools)
        result = exeat("verify", bag, "--trust", desk.trust, "--tsa-ca", server.ca, "--json",
                       environment={"PATH": tools}).expect(0)
        assert all("not there" in s["secondOpinion"] for s in result.json["timeStamps"])
        liar = write(os.path.join(tools, "openssl"), "#!/bin/sh\necho 'Verification: FAILED'\nexit 1\n")
        os.chmod(liar, 0o755)
        result = exeat("verify", bag, "--trust", desk.trust, "--tsa-ca", server.ca, "--json",
                       environment={"PATH": tools + ":/usr/bin:/bin"}).expect(3)
        assert result.json["failure"]["word"] == "time-stamp-opinion"
        write(liar, "#!/bin/sh\nexit 1\n")
        exeat("verify", bag, "--trust", desk.trust, "--tsa-ca", server.ca,
              environment={"PATH": tools + ":/usr/bin:/bin"}).expect(0)
    with desk.cases.case("another policy and another root are refused"):
        result = desk.verify(bag, "--tsa-ca", server.ca, "--tsa-policy", "1.2.3.4.77", status=3)
        assert result.json["failure"]["word"] == "time-stamp-policy"
        other = desk.server("stranger")
        result = desk.verify(bag, "--tsa-ca", other.ca, status=3)
        assert result.json["failure"]["word"] == "time-stamp-untrusted"
        both = write(os.path.join(desk.work, "both.pem"), desk.read(other.ca) + desk.read(server.ca))
        desk.verify(bag, "--tsa-ca", both)
        desk.verify(bag, "--tsa-ca", other.ca, "--tsa-ca", server.ca)
    with desk.cases.case("VERIFY.txt checks the tokens with OpenSSL, and notices a wrong one"):
        environment = {"TRUST": desk.trust, "TSA_CA": server.ca}
        result = run("sh", "VERIFY.txt", cwd=bag, environment=environment).expect(0)
        assert result.output.count(b"Verification: OK") == 2 and b"complete and unchanged" in result.output
        result = run("sh", "VERIFY.txt", cwd=bag, environment={"TRUST": desk.trust}).expect(0)
        assert result.output.count(b"was not checked") == 2
        run("sh", "VERIFY.txt", cwd=bag, environment={**environment, "TSA_CA": desk.servers[-1].ca}).expect(1)
        copy = os.path.join(desk.work, "exchanged")
        shutil.copytree(bag, copy)
        shutil.copy(os.path.join(copy, "proof/opening.tsr"), os.path.join(copy, "proof/timestamped.txt.tsr"))
        run("sh", "VERIFY.txt", cwd=copy, environment=environment).expect(1)
        assert desk.verify(copy, "--tsa-ca", server.ca, status=3).json["failure"]["word"] == "time-stamp-imprint"
        remove(copy)
    with desk.cases.case("a tar carries the same files and verifies, through a pipe too"):
        tar, result, _ = desk.export(authority(server), output=os.path.join(desk.work, "stamped.tar"))
        result = desk.verify(tar, "--tsa-ca", server.ca, "--require-timestamp")
        assert len(result.json["timeStamps"]) == 2
        exeat("verify", "-", "--trust", desk.trust, "--tsa-ca", server.ca, "--require-timestamp",
              input=desk.read(tar)).expect(0)
    with desk.cases.case("an import takes the archive only with the stamps that its plan asks for"):
        plan = import_plan(desk.work, {"tree": os.path.join(desk.work, "out")}, file="in.yaml")
        text = desk.read(plan).decode()
        write(plan, text + f"timestamp: {{ ca: {desk.servers[-1].ca}, required: true }}\n")
        seen = os.path.join(desk.work, "seen.json")
        exeat("import", bag, plan, "--work", "w1", "--seen", seen, cwd=desk.work).expect(3)
        write(plan, text + f"timestamp: {{ ca: {server.ca}, required: true }}\n")
        exeat("import", bag, plan, "--work", "w1", "--seen", seen, cwd=desk.work).expect(0)


def kinds(desk):
    """Keys, digests and chains that real authorities use."""
    for name, options, plan in [
            ("an EC key of P-256", {"kind": "p256"}, {}), ("an EC key of P-384", {"kind": "p384"}, {"hash": "sha384"}),
            ("RSA 3072 and SHA-512", {"kind": "rsa3072", "digest": "sha512"}, {"hash": "sha512"}),
            ("an authority below one in between", {"kind": "rsa2048", "intermediate": True}, {}),
            ("certificates named by SHA-1, as RFC 3161 has it", {"ess": "sha1"}, {}),
            ("certificates named by SHA-512", {"ess": "sha512", "kind": "p256", "intermediate": True}, {}),
            ("a policy of the plan", {}, {"policy": "1.2.3.4.5"})]:
        with desk.cases.case(f"tokens of {name}"):
            server = desk.server("kind%d" % len(desk.servers), **options)
            bag, _, _ = desk.export(authority(server, required="true", **plan))
            result = desk.verify(bag, "--tsa-ca", server.ca, "--require-timestamp")
            assert all(s["secondOpinion"] == "OpenSSL agrees" for s in result.json["timeStamps"])
            if "policy" in plan:
                assert {s["policy"] for s in result.json["timeStamps"]} == {plan["policy"]}


def several(desk):
    one, two = desk.server("one"), desk.server("two", kind="p256")
    roots = ["--tsa-ca", one.ca, "--tsa-ca", two.ca]
    with desk.cases.case("two authorities each have their own tokens"):
        bag, result, plan = desk.export(f"[ {authority(one)}, {authority(two)} ]")
        assert desk.proof(bag) == ["opening-2.tsr", "opening.tsr", "timestamped.txt", "timestamped.txt-2.tsr",
                                   "timestamped.txt.tsr"], desk.proof(bag)
        result = desk.verify(bag, *roots, "--require-timestamp")
        assert len(result.json["timeStamps"]) == 4
        run("sh", "VERIFY.txt", cwd=bag, environment={
            "TRUST": desk.trust,
            "TSA_CA": write(os.path.join(desk.work, "roots.pem"), desk.read(one.ca) + desk.read(two.ca))}).expect(0)
    with desk.cases.case("one of two that is down leaves its place empty, and the run complete"):
        two.fault = "500"
        bag, result, plan = desk.export(f"[ {authority(two, timeout=2)}, {authority(one)} ]")
        assert desk.proof(bag) == ["opening-2.tsr", "timestamped.txt", "timestamped.txt-2.tsr"], desk.proof(bag)
        assert result.json["timeStamps"]["missing"] == ["opening.tsr", "timestamped.txt.tsr"]
        desk.verify(bag, *roots, "--require-timestamp")
        two.fault = None


FAULTS = {"500": 602, "html": 720, "empty": 720, "cut": None, "rejection": 721, "nonce": 723, "imprint": 722,
          "policy": 724, "other": 727, "bits": None, "replay": None, "yesterday": 730, "tomorrow": 730}


def faults(desk):
    """A run survives whatever an authority does, says so, and its status is 2."""
    other = Authority("liar")
    server = desk.server("faulty", other=other)
    import concurrent.futures

    def go(fault):
        mine = Server(desk.work, Authority("faulty-" + fault), other=other)
        try:
            mine.fault = fault
            plan = desk.plan(authority(mine, timeout=3, policy=tsa_kit.POLICY), f"fault-{fault}")
            bag = os.path.join(desk.work, "fault-" + fault)
            return bag, exeat("export", plan, "--output", bag, "--json"), mine
        finally:
            mine.close()

    del server
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = dict(zip(FAULTS, pool.map(go, FAULTS)))
    for fault, code in FAULTS.items():
        with desk.cases.case(f"an authority that goes wrong ({fault}) does not lose the run"):
            bag, result, server = done[fault]
            if fault == "replay":
                # The first answer is good, and the second is that again.
                assert result.json["timeStamps"]["tokens"] == ["opening.tsr"], result.json
            else:
                assert result.json["timeStamps"]["tokens"] == [], result.json
            result.expect(2)
            lines = [json.loads(l) for l in desk.read(bag, "exeat/journal.jsonl").splitlines()]
            noted = [l for l in lines if l["ev"] == "run.unstamped"]
            if code:
                assert noted and noted[0]["code"] == code, noted
            assert len(server.requests) >= 3, "not tried again"
            result = desk.verify(bag)
            assert outcome(result, "closing time stamp") == "absent"
    with desk.cases.case("a slow authority is waited for as long as the plan says, a dripping one too"):
        for fault in ("slow", "drip"):
            server = desk.server("tardy-" + fault)
            server.fault = fault
            start = time.time()
            desk.export(authority(server, timeout=1), status=2)
            assert time.time() - start < 25, time.time() - start
    with desk.cases.case("an authority that fails twice and then answers is good enough"):
        server = desk.server("flaky")
        server.failures = 2
        bag, _, _ = desk.export(authority(server, required="true"))
        desk.verify(bag, "--tsa-ca", server.ca, "--require-timestamp")
    with desk.cases.case("an authority that nobody listens at does not lose the run"):
        bag, result, _ = desk.export("{ url: \"http://127.0.0.1:1/tsr\", ca: %s }" % desk.servers[0].ca, status=2)
        assert "NO TIME-STAMP" in exeat("export", os.path.join(desk.work, f"plan{desk.number}.yaml"), "--output",
                                        bag).expect(2).output.decode()


def required(desk):
    server = desk.server("needed")
    with desk.cases.case("a required authority that is down ends a new run, and leaves nothing behind"):
        server.fault = "500"
        bag, result, plan = desk.export(authority(server, required="true", timeout=2), status=1)
        assert "time-stamp-unavailable" in result.errors, result.errors
        assert not os.path.exists(bag)
    with desk.cases.case("one that goes down before the seal keeps what is stored; the same command seals it"):
        server.fault = None
        done = len(server.requests)
        original = server.answer

        def once(handler, query):
            if len(server.requests) > done + 1:
                return handler.send_error(503, "gone")
            return original(handler, query)
        server.answer = once
        result = exeat("export", plan, "--output", bag, "--json").expect(1)
        assert "time-stamp-unavailable" in result.errors, result.errors
        assert os.path.exists(os.path.join(bag, ".exeat-run")) and not os.path.exists(os.path.join(bag, "proof"))
        desk.verify(bag, status=3)
        server.answer = original
        exeat("export", plan, "--output", bag, "--json").expect(0)
        desk.verify(bag, "--tsa-ca", server.ca, "--require-timestamp")
        exeat("export", plan, "--output", bag, "--json").expect(0)
    with desk.cases.case("the same for a tar"):
        server.fault = "500"
        tar = os.path.join(desk.work, "needed.tar")
        plan = desk.plan(authority(server, required="true", timeout=2), "needed")
        exeat("export", plan, "--output", tar).expect(1)
        server.fault = None
        exeat("export", plan, "--output", tar).expect(0)
        desk.verify(tar, "--tsa-ca", server.ca, "--require-timestamp")


def killed(desk):
    """A run that is killed while it waits for an authority goes on as if nothing had been."""
    server = desk.server("patient")
    plan = desk.plan(authority(server, required="true"), "killed")
    original = server.answer
    for form in ("killed", "killed.tar"):
        output = os.path.join(desk.work, form)
        for moment in (0, 1):
            with desk.cases.case(f"{form}: killed while the {'closing' if moment else 'opening'} token is waited for"):
                reached = threading.Event()
                count = len(server.requests)

                def wait(handler, query):
                    if len(server.requests) > count + moment:
                        reached.set()
                        return time.sleep(5)
                    return original(handler, query)
                server.answer = wait
                process = subprocess.Popen([EXEAT, "export", plan, "--output", output], stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL)
                try:
                    assert reached.wait(60), "the authority was not asked"
                finally:
                    process.kill()
                    process.wait()
                    server.answer = original
                desk.verify(output, status=3)
                if moment == 1:
                    exeat("export", plan, "--output", output).expect(0)
                    result = desk.verify(output, "--tsa-ca", server.ca, "--require-timestamp")
                    assert len(result.json["timeStamps"]) == 2
                    remove(output)
                else:
                    # The next case resumes it, with an opening token at last.
                    pass
    with desk.cases.case("an interruption while an authority is waited for ends the run at once"):
        server.answer = lambda handler, query: time.sleep(8)
        output = os.path.join(desk.work, "interrupted")
        process = subprocess.Popen([EXEAT, "export", plan, "--output", output], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        count = len(server.requests)
        while len(server.requests) == count and process.poll() is None:
            time.sleep(0.05)
        start = time.time()
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=20)[1]
        assert process.returncode == 130 and time.time() - start < 4, (process.returncode, errors)
        server.answer = original
        exeat("export", plan, "--output", output).expect(0)


def again(desk):
    server = desk.server("back")
    with desk.cases.case("the same command asks again for tokens that a sealed archive lacks"):
        server.fault = "500"
        bag, result, plan = desk.export(authority(server, timeout=2), status=2)
        exeat("export", plan, "--output", bag).expect(2)
        assert desk.proof(bag) == []
        server.fault = None
        result = exeat("export", plan, "--output", bag, "--json").expect(0)
        assert result.json["timeStamps"]["missing"] == [], result.json
        desk.verify(bag, "--tsa-ca", server.ca, "--require-timestamp")
        exeat("export", plan, "--output", bag).expect(0)
    with desk.cases.case("a tar that lacks them says so each time"):
        server.fault = "500"
        tar, _, plan = desk.export(authority(server, timeout=2), status=2, output=os.path.join(desk.work, "back.tar"))
        server.fault = None
        exeat("export", plan, "--output", tar).expect(2)
        desk.verify(tar)


if __name__ == "__main__":
    main([taken, kinds, several, faults, required, killed, again])
