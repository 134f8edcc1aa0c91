#!/usr/bin/env python3
"""Time-stamps that come later: requests that somebody else answers, logins, keys that have run out, plans that cannot work."""
import base64
import json
import os
import shutil
import time

import tsa_kit
from stamp_kit import authority, main, outcome, stamped
from support import *


def offline(desk):
    server = desk.server("later")
    with desk.cases.case("offline mode leaves requests, and says that there are no stamps yet"):
        bag, result, _ = desk.export("{ offline: true, hash: sha512 }")
        assert desk.proof(bag) == ["opening.tsq", "timestamped.txt", "timestamped.txt.tsq"], desk.proof(bag)
        assert result.json["timeStamps"]["requests"] == ["opening.tsq", "timestamped.txt.tsq"]
        result = desk.verify(bag)
        detail = next(c["detail"] for c in result.json["checks"] if c["name"] == "closing time stamp")
        assert "request" in detail and outcome(result, "closing time stamp") == "absent"
        assert desk.verify(bag, "--require-timestamp", status=3).json["failure"]["word"] == "time-stamp-missing"
    with desk.cases.case("VERIFY.txt takes an archive with requests, and says that it has no stamp"):
        result = run("sh", "VERIFY.txt", cwd=bag, environment={"TRUST": desk.trust}).expect(0)
        assert b"there is no time-stamp" in result.output
    answers = {}
    for kind in ("opening", "timestamped.txt"):
        answer = server.reply(desk.read(bag, "proof", kind + ".tsq"))
        answers[kind] = write(os.path.join(desk.work, kind + ".answer"), answer)
    with desk.cases.case("tokens that answer the requests are added, and verify"):
        result = exeat("attest", "timestamp", bag, "--token", answers["timestamped.txt"], "--token",
                       answers["opening"], "--tsa-ca", server.ca, "--json").expect(0)
        assert [a["file"] for a in result.json] == ["proof/opening.tsr", "proof/timestamped.txt.tsr"]
        desk.verify(bag, "--tsa-ca", server.ca, "--require-timestamp")
    with desk.cases.case("a token is not added twice"):
        result = exeat("attest", "timestamp", bag, "--token", answers["opening"]).expect(1)
        assert "already" in result.errors
    with desk.cases.case("a request that was exchanged is noticed"):
        copy = os.path.join(desk.work, "other-request")
        shutil.copytree(bag, copy)
        shutil.copy(os.path.join(copy, "proof/opening.tsq"), os.path.join(copy, "proof/timestamped.txt.tsq"))
        word = desk.verify(copy, "--tsa-ca", server.ca, status=3).json["failure"]["word"]
        assert word in ("time-stamp-imprint", "time-stamp-nonce"), word
    with desk.cases.case("a request of the archive's own that is not the one answered: wrong nonce"):
        again = run("openssl", "ts", "-query", "-data", os.path.join(bag, "proof/timestamped.txt"), "-sha512",
                    "-cert").expect(0).output
        write(os.path.join(copy, "proof/timestamped.txt.tsq"), again)
        assert desk.verify(copy, "--tsa-ca", server.ca, status=3).json["failure"]["word"] == "time-stamp-nonce"
    with desk.cases.case("a tar with requests verifies"):
        tar, _, _ = desk.export("{ offline: true }", output=os.path.join(desk.work, "offline.tar"))
        desk.verify(tar)
        assert "time-stamp-imprint" in exeat("attest", "timestamp", tar, "--token", answers["opening"]).expect(3).errors
        assert not os.path.exists(os.path.join(desk.work, "offline.proof"))


def later(desk):
    server = desk.server("late")
    bag, _, _ = desk.export("")
    requests = os.path.join(desk.work, "requests")
    with desk.cases.case("an archive whose plan asked for nothing can be stamped later"):
        exeat("attest", "timestamp", bag, "--request-to", requests).expect(0)
        answer = os.path.join(desk.work, "late.tsr")
        write(answer, server.reply(desk.read(requests, "timestamped.txt.tsq")))
        exeat("attest", "timestamp", bag, "--token", answer, "--tsa-ca", desk.servers[0].ca).expect(3)
        exeat("attest", "timestamp", bag, "--token", answer, "--tsa-ca", server.ca).expect(0)
        result = desk.verify(bag, "--tsa-ca", server.ca)
        assert "closed" in result.json and "opened" not in result.json
    with desk.cases.case("an opening stamped after the end is not added"):
        time.sleep(1.1)
        opening = os.path.join(desk.work, "late-opening.tsr")
        write(opening, server.reply(desk.read(requests, "opening.tsq")))
        result = exeat("attest", "timestamp", bag, "--token", opening, "--tsa-ca", server.ca).expect(3)
        assert "time-stamp-order" in result.errors, result.errors
        desk.verify(bag, "--tsa-ca", server.ca)
    with desk.cases.case("a token alone counts for a tar"):
        tar, _, _ = desk.export("", output=os.path.join(desk.work, "plain.tar"))
        requests = os.path.join(desk.work, "requests2")
        exeat("attest", "timestamp", tar, "--request-to", requests).expect(0)
        loose = [write(os.path.join(desk.work, kind + ".loose"), server.reply(desk.read(requests, kind + ".tsq")))
                 for kind in ("opening", "timestamped.txt")]
        desk.verify(tar, "--tsa-ca", server.ca, "--require-timestamp", "--token", loose[0], "--token", loose[1])
        assert desk.verify(tar, "--tsa-ca", server.ca, "--require-timestamp", "--token", loose[0],
                           status=3).json["failure"]["word"] == "time-stamp-missing"
        strange = write(os.path.join(desk.work, "strange.tsr"), tsa_kit.token(b"else", server.authority))
        result = desk.verify(tar, "--tsa-ca", server.ca, "--token", strange, status=3)
        assert result.json["problems"][0]["word"] == "time-stamp-imprint"
        assert result.json["problems"][0]["path"] == strange
    with desk.cases.case("tokens of a tar lie beside it, count, and travel with the copy of its proof"):
        before = desk.read(tar)
        result = exeat("attest", "timestamp", tar, "--token", loose[0], "--token", loose[1], "--tsa-ca", server.ca).expect(0)
        assert sorted(os.listdir(os.path.join(desk.work, "plain.proof"))) == ["opening.tsr", "timestamped.txt", "timestamped.txt.tsr"]
        assert desk.read(tar) == before
        desk.verify(tar, "--tsa-ca", server.ca, "--require-timestamp")
        exeat("attest", "timestamp", tar, "--token", loose[0], "--tsa-ca", server.ca).expect(1)
        proof = os.path.join(desk.work, "plain-proof")
        exeat("report", tar, "--proof-only", "--output", proof, "--trust", desk.trust).expect(0)
        assert os.path.exists(os.path.join(proof, "proof", "timestamped.txt.tsr"))
        desk.verify(proof, "--proof-only", "--tsa-ca", server.ca, "--require-timestamp")
        write(os.path.join(desk.work, "plain.proof", "opening.tsr"), tsa_kit.token(b"else", server.authority))
        assert desk.verify(tar, "--tsa-ca", server.ca, status=3).json["problems"][0]["word"] == "time-stamp-imprint"
    with desk.cases.case("what is no token, or one of another archive, is not added"):
        other, _, _ = desk.export("")
        for data, word in [(b"", "time-stamp-malformed"), (b"<html>", "time-stamp-malformed"),
                           (desk.read(answer)[:-1], "time-stamp-malformed"), (desk.read(answer), "time-stamp-imprint"),
                           (tsa_kit.rejection(), "time-stamp-refused")]:
            path = write(os.path.join(desk.work, "bad.tsr"), data)
            result = exeat("attest", "timestamp", other, "--token", path).expect(3)
            assert word in result.errors, (word, result.errors)
        assert desk.proof(other) == []
    if os.geteuid() == 0:
        with desk.cases.case("an archive that may not be written to stays as it is"):
            run("chown", "-R", "65534:65534", other).expect(0)
            run("chmod", "a-w", os.path.join(other, "proof")).expect(0)
            path = write(os.path.join(desk.work, "good.tsr"), server.reply(
                run("openssl", "ts", "-query", "-data", "/dev/stdin", "-sha256", "-cert",
                    input=stamped(desk, other)).output))
            os.chmod(desk.work, 0o755)
            result = run(EXEAT, "attest", "timestamp", other, "--token", path, user=1000)
            result.expect(1)
            assert desk.proof(other) == []


def credentials(desk):
    server = desk.server("closed")
    for name, extra, header in [
            ("a user and a password", {"user": "hosp", "password": "\"${env:TSA}\""}, "Basic "),
            ("a bearer token", {"token": "\"${env:TSA}\""}, "Bearer ")]:
        with desk.cases.case(f"{name} do not go out over plain HTTP"):
            plan = desk.plan(authority(server, **extra), "credentials")
            result = exeat("plan", plan, environment={"TSA": "geheim"}).expect(1)
            assert "readable" in result.errors and "geheim" not in result.errors + result.output.decode()
    tls = desk.server("locked", tls=True)
    for name, extra, header in [
            ("user and password", {"user": "hosp", "password": "\"${env:TSA}\""},
             "Basic " + base64.b64encode(b"hosp:geheim").decode()),
            ("a bearer token", {"token": "\"${env:TSA}\""}, "Bearer geheim")]:
        with desk.cases.case(f"{name} reach an authority over HTTPS, and nothing else"):
            output = os.path.join(desk.work, "locked-" + header[:5])
            plan = desk.plan(authority(tls, required="true", **{"tls-ca": tls.tls_ca}, **extra), "locked")
            result = exeat("export", plan, "--output", output, environment={"TSA": "geheim"}).expect(0)
            assert all(h["Authorization"] == header for h, _ in tls.requests[-2:]), tls.requests[-1][0]
            desk.verify(output, "--tsa-ca", tls.ca, "--require-timestamp")
            told = result.errors + result.output.decode()
            for folder, _, names in os.walk(output):
                told += "".join(desk.read(folder, n).decode("latin-1") for n in names)
            assert "geheim" not in told and header[6:] not in told
    with desk.cases.case("a server whose certificate nobody trusts is not asked"):
        before = len(tls.requests)
        _, result, _ = desk.export(authority(tls), status=2)
        assert len(tls.requests) == before
    with desk.cases.case("an authority that refuses the login is not asked again and again"):
        server.fault = "401"
        before = len(server.requests)
        desk.export(authority(server), status=2)
        assert len(server.requests) - before == 2, len(server.requests) - before


def dates(desk):
    """The seal is judged at the date of its stamp, by VERIFY.txt as well."""
    def by_hand(bag, trust, status, **more):
        told = run("sh", "VERIFY.txt", cwd=bag, environment={"TRUST": trust, **more}).expect(status)
        assert status == 0 or "was not valid at" in told.errors, told.errors

    server = desk.server("dated")
    bag, _, _ = desk.export(authority(server))
    plain, _, _ = desk.export("")
    time.sleep(1.2)
    document = json.load(open(desk.trust))
    document["keys"][0]["notAfter"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1))
    ended = write(os.path.join(desk.work, "ended.trust.json"), json.dumps(document))
    with desk.cases.case("a key that has run out since is good for a seal of before, if a stamp says so"):
        exeat("verify", bag, "--trust", ended, "--tsa-ca", server.ca).expect(0)
        by_hand(bag, ended, 0, TSA_CA=server.ca)
    with desk.cases.case("without a trusted stamp, the present counts"):
        for archive, options in [(bag, []), (plain, []), (plain, ["--tsa-ca", server.ca])]:
            result = exeat("verify", archive, "--trust", ended, *options, "--json").expect(3)
            assert result.json["failure"]["word"] == "signer-out-of-date"
            by_hand(archive, ended, 1, **({"TSA_CA": server.ca} if options else {}))
    with desk.cases.case("a key that began only after the stamp is refused"):
        document["keys"][0]["notAfter"] = None
        document["keys"][0]["notBefore"] = time.strftime("%Y-%m-%dT%H:%M:%SZ")
        begun = write(os.path.join(desk.work, "begun.trust.json"), json.dumps(document))
        exeat("verify", plain, "--trust", begun).expect(0)
        result = exeat("verify", bag, "--trust", begun, "--tsa-ca", server.ca, "--json").expect(3)
        assert result.json["failure"]["word"] == "signer-out-of-date"
        by_hand(plain, begun, 0)
        by_hand(bag, begun, 1, TSA_CA=server.ca)


def plans(desk):
    server = desk.servers[0] if desk.servers else desk.server("tsa")
    for name, timestamp, word in [
            ("no such file", "{ url: \"%s\", ca: nowhere.pem }" % server.url, "nowhere.pem"),
            ("a file without a root", "{ url: \"%s\", ca: %s }" % (
                server.url, server.base + ".cert.pem"), "root"),
            ("a key in place of a certificate", "{ url: \"%s\", ca: %s }" % (
                server.url, server.base + ".key.pem"), "certificate"),
            ("a word twice as long", "{ urls: x, ca: y }", "unknown key")]:
        with desk.cases.case(f"a plan with {name} is refused before anything moves"):
            plan = desk.plan(timestamp, "refused")
            for command in (["plan", plan], ["export", plan, "--output", os.path.join(desk.work, "refused")]):
                result = exeat(*command).expect(1)
                assert word in result.errors, result.errors
            assert not os.path.exists(os.path.join(desk.work, "refused"))


if __name__ == "__main__":
    main([offline, later, credentials, dates, plans])
