#!/usr/bin/env python3
"""The attacks of the threat model that concern time and stripping, sealed by a trusted key: each has its own failure."""
import datetime
import json
import os
import shutil

import forge
import tsa_kit
from cryptography.x509.oid import ExtendedKeyUsageOID
from stamp_forger import GENESIS, HOUR, main
from support import *
from tsa_kit import DAY, Authority, openssl_verifies, token


def good(desk):
    """The forger is good enough: what it makes without a fault, Exeat and OpenSSL take."""
    for name, options in [("RSA", {}), ("RSA-PSS", {"pss": True}), ("SHA-384", {"digest": "sha384"}),
                          ("SHA-512 over SHA-256", {"signer_digest": "sha512"}), ("SHA-1 as a name only", {"ess": "v1"}),
                          ("a token without a status", {"response": False}),
                          ("lengths left open (BER)", {"ber": True})]:
        with desk.cases.case(f"tokens made by hand with {name} are good"):
            bag = desk.write(desk.stamp(**options), desk.stamp(when=GENESIS + HOUR, **options))
            result = desk.verify(bag, "--require-timestamp").expect(0)
            assert all(s["secondOpinion"] == "OpenSSL agrees" for s in result.json["timeStamps"]), result.json
            remove(bag)
    with desk.cases.case("VERIFY.txt judges them, too, and tells bad ones"):
        tree = os.path.join(desk.work, "tree")
        os.makedirs(tree)
        export_plan(desk.work, {"tree": tree})
        exeat("export", "export.yaml", "--output", "real", cwd=desk.work).expect(0)
        script = os.path.join(desk.work, "real", "VERIFY.txt")
        for name, good, options in [
                ("RSA", True, {}), ("RSA-PSS", True, {"pss": True}), ("RSA-PSS with SHA-512", True, {"pss": True, "digest": "sha512"}),
                ("a token without a status", True, {"response": False}),
                ("RSA-PSS without a status", True, {"pss": True, "response": False}),
                ("RSA-PSS that does not hold", False, {"pss": True, "signed": False}),
                ("RSA-PSS over something else", False, {"pss": True, "imprint": b"\1" * 32}),
                ("RSA-PSS of another certificate", False, {"pss": True, "of": Authority("another").certificate})]:
            bag = desk.write(desk.stamp(), desk.stamp(when=GENESIS + HOUR, **options))
            done = run("sh", script, cwd=bag, environment={"TRUST": desk.trust, "TSA_CA": desk.ca})
            assert (done.status == 0) == good, (name, done.errors[-500:], done.output[-500:])
            assert good or "proof/timestamped.txt.tsr" in done.errors, (name, done.errors)
            remove(bag)
    with desk.cases.case("a token of a P-384 key and one in between is good"):
        other = Authority("curve", kind="p384", intermediate=True)
        bag = desk.write(desk.stamp(), desk.stamp(other, digest="sha384"))
        exeat("verify", bag, "--trust", desk.trust, "--tsa-ca", desk.ca, "--tsa-ca", other.write(desk.work),
              "--require-timestamp").expect(0)
        remove(bag)


def tokens(desk):
    good = desk.stamp()
    flipped = lambda at: lambda message: (lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])(good(message))
    for name, make, word in [
            ("over another message", lambda m: token(b"other", desk.authority, when=GENESIS), "time-stamp-imprint"),
            ("that is cut", lambda m: good(m)[:-1], "time-stamp-malformed"),
            ("cut in the middle", lambda m: good(m)[:400], "time-stamp-malformed"),
            ("with a byte behind", lambda m: good(m) + b"\0", "time-stamp-malformed"),
            ("of nothing", lambda m: b"", "time-stamp-malformed"),
            ("that is a page of a proxy", lambda m: b"<html>no</html>", "time-stamp-malformed"),
            ("with a bit turned over in its signature", flipped(-9), "time-stamp-signature"),
            ("that was not signed by that key", desk.stamp(signed=False), "time-stamp-signature"),
            ("that signs something else", desk.stamp(content_type="1.2.840.113549.1.7.1"), "time-stamp-signature"),
            ("that is a rejection", lambda m: tsa_kit.rejection(), "time-stamp-refused"),
            ("that names no certificate", desk.stamp(ess=None), "time-stamp-certificate"),
            ("by SHA-1", desk.stamp(digest="sha1"), "time-stamp-algorithm"),
            ("over SHA-256 signed by SHA-1", desk.stamp(signer_digest="sha1"), "time-stamp-algorithm")]:
        desk.refuse(f"a closing token {name}", desk.write(closing=make), word)
        desk.refuse(f"an opening token {name}", desk.write(make, listed=True), word)
    desk.refuse("a token under another policy", desk.write(desk.stamp(policy="1.2.3.9")), "time-stamp-policy",
                "--tsa-policy", tsa_kit.POLICY)
    with desk.cases.case("tokens of two archives exchanged are refused"):
        one, two = desk.write(good, good), desk.write(good, good)
        for kind, word in [("timestamped.txt.tsr", "time-stamp-imprint"), ("opening.tsr", "bag-file-changed")]:
            copy = os.path.join(desk.work, "exchange")
            shutil.copytree(one, copy)
            shutil.copy(os.path.join(two, "proof", kind), os.path.join(copy, "proof", kind))
            result = desk.verify(copy).expect(3)
            assert word in {p["word"] for p in result.json["problems"]}, result.json["problems"]
            remove(copy)
        shutil.copy(os.path.join(two, "proof/timestamped.txt"), os.path.join(one, "proof/timestamped.txt"))
        shutil.copy(os.path.join(two, "proof/timestamped.txt.tsr"), os.path.join(one, "proof/timestamped.txt.tsr"))
        desk.verify(one).expect(3)
        remove(one), remove(two)
    with desk.cases.case("no part of a token may be turned over in secret: OpenSSL and we notice the same"):
        message = b"what is stamped"
        data = token(message, desk.authority, when=GENESIS)
        bag = desk.write(closing=lambda m: data)
        remove(bag)
        bag = desk.write(closing=good)
        path = os.path.join(bag, "proof/timestamped.txt.tsr")
        whole = open(path, "rb").read()
        wrong = []
        for at in range(0, len(whole), 61):
            write(path, whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:])
            result = desk.verify(bag)
            theirs = openssl_verifies(open(os.path.join(bag, "proof/timestamped.txt"), "rb").read(),
                                      open(path, "rb").read(), desk.ca, desk.work, at=GENESIS)
            # We may be the stricter one, never the other way round.
            if result.status == 0 and not theirs or result.status not in (0, 3):
                wrong.append((at, result.status, theirs))
        assert not wrong, wrong
        remove(bag)


def certificates(desk):
    def other(name, word, options=None, stricter=False, **authority):
        made = Authority("odd%d" % desk.number, **authority)
        bag = desk.write(closing=desk.stamp(made, **(options or {})))
        ca = made.write(desk.work)
        with desk.cases.case(f"an authority {name}"):
            result = exeat("verify", bag, "--trust", desk.trust, "--tsa-ca", ca, "--json").expect(3)
            assert result.json["failure"]["word"] == word, result.json["problems"]
            listing = open(os.path.join(bag, "proof/timestamped.txt"), "rb").read()
            answer = open(os.path.join(bag, "proof/timestamped.txt.tsr"), "rb").read()
            assert stricter or not openssl_verifies(listing, answer, ca, desk.work, at=GENESIS), "OpenSSL takes it"
            remove(bag)
    other("whose certificate had run out", "time-stamp-expired", end=GENESIS - DAY)
    other("whose certificate was not valid yet", "time-stamp-expired", start=GENESIS + DAY)
    other("whose issuer had run out", "time-stamp-expired", intermediate=True, intermediate_end=GENESIS - DAY)
    other("whose purpose is not critical", "time-stamp-certificate", critical=False)
    other("of another purpose", "time-stamp-certificate", purposes=(ExtendedKeyUsageOID.CODE_SIGNING,))
    other("of two purposes", "time-stamp-certificate",
          purposes=(ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING))
    other("of no purpose", "time-stamp-certificate", purposes=())
    other("with a key of 1024 bits", "time-stamp-algorithm", stricter=True, kind="rsa1024")
    other("whose certificate is missing", "time-stamp-certificate", {"certificates": []})
    stranger = Authority("stranger")
    desk.refuse("an authority nobody trusts, with its root in the token", desk.write(closing=desk.stamp(
        stranger, certificates=[stranger.certificate, stranger.root])), "time-stamp-untrusted")
    twin = Authority("tsa")
    desk.refuse("an authority of the trusted one's name", desk.write(closing=desk.stamp(twin)), "time-stamp-untrusted")
    desk.refuse("a token that names another certificate than it carries", desk.write(
        closing=desk.stamp(of=stranger.certificate)), "time-stamp-certificate")
    with desk.cases.case("a certificate that a token lacks may come with the root"):
        bag = desk.write(closing=desk.stamp(certificates=[]))
        both = write(os.path.join(desk.work, "both.pem"), tsa_kit.pem(desk.authority.root, desk.authority.certificate))
        exeat("verify", bag, "--trust", desk.trust, "--tsa-ca", both).expect(0)
        remove(bag)
    with desk.cases.case("a leaf that issues certificates is no authority"):
        fake = Authority("fake")
        fake.certificate = tsa_kit.issue("fake", fake.key, desk.authority.certificate, desk.authority.key,
                                         purposes=[ExtendedKeyUsageOID.TIME_STAMPING])
        fake.between = [desk.authority.certificate]
        bag = desk.write(closing=desk.stamp(fake))
        result = desk.verify(bag).expect(3)
        assert result.json["failure"]["word"] == "time-stamp-certificate", result.json["problems"]
        remove(bag)


def times(desk):
    good = desk.stamp()
    desk.refuse("an opening token a day older than the journal", desk.write(desk.stamp(when=GENESIS - DAY)),
                "time-stamp-backdated")
    desk.refuse("a closing token a day older than the seal", desk.write(closing=desk.stamp(when=GENESIS - DAY)),
                "time-stamp-backdated")
    desk.refuse("a journal that claims to be older than the token it holds",
                desk.write(desk.stamp(when=GENESIS + 2 * HOUR)), "time-stamp-backdated")
    desk.refuse("an opening token later than the closing one", desk.write(
        desk.stamp(when=GENESIS + datetime.timedelta(seconds=200)),
        desk.stamp(when=GENESIS + datetime.timedelta(seconds=190))), "time-stamp-order")
    desk.refuse("a token of the future", desk.write(closing=desk.stamp(when=tsa_kit.now() + HOUR)),
                "time-stamp-backdated")
    desk.accept("a closing token of a day later is good", desk.write(good, desk.stamp(when=GENESIS + DAY)))
    desk.accept("clocks that differ by four minutes are honest", desk.write(
        desk.stamp(when=GENESIS - datetime.timedelta(minutes=4)), good))
    with desk.cases.case("a seal is judged at the date of its stamp, not at the date it claims"):
        document = json.load(open(desk.trust))
        document["keys"][0]["notAfter"] = "2026-11-24T00:00:00Z"
        trust = write(os.path.join(desk.work, "ended.json"), json.dumps(document))
        inside, after = desk.write(good, good), desk.write(good, desk.stamp(when=GENESIS + 2 * DAY))
        desk.verify(inside, trust=trust).expect(0)
        result = desk.verify(after, trust=trust).expect(3)
        assert result.json["failure"]["word"] == "signer-out-of-date"
        stranger = Authority("liar")
        lie = desk.write(good, desk.stamp(stranger))
        exeat("verify", lie, "--trust", trust, "--json").expect(3)


def stripping(desk):
    good = desk.stamp()
    both = lambda: desk.write(good, good)
    def without(*names):
        bag = both()
        for name in names:
            os.unlink(os.path.join(bag, "proof", name))
        return bag
    desk.refuse("an opening token taken away", without("opening.tsr"), "bag-file-missing")
    desk.refuse("a closing token taken away", without("timestamped.txt.tsr"), "bag-file-missing")
    desk.refuse("the list taken away", without("timestamped.txt"), "bag-file-missing")
    desk.refuse("list and closing token taken away from who asks for them", without(
        "timestamped.txt", "timestamped.txt.tsr"), "time-stamp-missing", "--require-timestamp")
    with desk.cases.case("who does not ask is told"):
        bag = desk.write(good, edit_seal=lambda p: p.update(timestamps=1))
        result = desk.verify(bag).expect(0)
        check = next(c for c in result.json["checks"] if c["name"] == "closing time stamp")
        assert check["outcome"] == "absent" and "one authority" in check["detail"], check
        remove(bag)
    desk.refuse("an opening token that the seal does not list", desk.write(good, listed=False), "journal-mismatch")
    desk.refuse("an opening token that the journal does not know", desk.write(good, noted=False), "journal-mismatch")
    desk.accept("an opening token added later", desk.write(good, good, listed=False, noted=False))
    for name in ["opening-1.tsr", "opening-10.tsr", "opening.tsr.sig", "timestamped.tsr", "timestamped.txt-0.tsr",
                 "opening-2.tsr.tsr", "x.tsr", "seal.json.tsr", "seal.json.p7s"]:
        desk.refuse(f"a token named {name}", desk.write(good, change=lambda files: files.update(
            {"proof/" + name: files["proof/opening.tsr"]})), "bag-proof-unexpected")
    for name, data in [("opening.tsq", b""), ("opening-3.tsq", b"x" * 9), ("timestamped.txt.tsq", b"\x30\x00")]:
        desk.refuse(f"a request that is none: {name}", desk.write(good, good, change=lambda files: files.update(
            {"proof/" + name: data})), "time-stamp-malformed")
    desk.refuse("a token of a mebibyte", desk.write(good, good, change=lambda files: files.update(
        {"proof/timestamped.txt-2.tsr": b"\x30\x84\x00\x10\x00\x00" + bytes(1 << 20)})), "time-stamp-malformed")
    desk.refuse("a token nested without end", desk.write(good, good, change=lambda files: files.update(
        {"proof/timestamped.txt-2.tsr": b"\x30\x80" * 100_000})), "time-stamp-malformed")
    desk.refuse("a list of other files", desk.write(good, good, change=lambda files: files.update(
        {"proof/timestamped.txt": files["proof/timestamped.txt"] + b"0" * 64 + b"  x\n"})), "bag-file-changed")


def confusion(desk):
    """Algorithms and roles are fixed by the kind of document; each mistake has its failure."""
    key = desk.key
    keys(desk.work, "receiver", "--role", "importer")
    receiver = forge.Key(os.path.join(desk.work, "receiver.key"))
    trusts = ["--trust", os.path.join(desk.work, "receiver.trust.json")]
    keys(desk.work, "stranger")
    stranger = forge.Key(os.path.join(desk.work, "stranger.key"))
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA87PrivateKey
    larger = MLDSA87PrivateKey.generate()
    sig, ml = "proof/seal.json.sig", "proof/seal.json.mldsa65"

    def proof(name, word, change, *options, **more):
        desk.refuse(f"a seal {name}", desk.write(
            change=lambda files: change(files, files["proof/seal.json"]), **more), word, *options)
    proof("without its ML-DSA signature", "signature-missing", lambda f, d: f.pop(ml))
    proof("without its Ed25519 signature", "signature-missing", lambda f, d: f.pop(sig))
    proof("signed by ML-DSA-87", "signature-malformed",
          lambda f, d: f.update({ml: larger.sign(d, context=b"exeat/seal/v1")}))
    proof("with the context of a receipt", "signature-invalid",
          lambda f, d: f.update({ml: key.mldsa(d, "exeat/receipt/v1")}))
    proof("with the namespace of a receipt", "signature-invalid",
          lambda f, d: f.update({sig: key.sshsig(d, "exeat/receipt/v1")}))
    proof("with the other algorithm's signature in each place", "signature-malformed",
          lambda f, d: f.update({sig: f[ml], ml: f[sig]}))
    proof("with the ML-DSA signature of another trusted key", "signer-pair-mismatch",
          lambda f, d: f.update({ml: receiver.mldsa(d)}), *trusts)
    proof("with a stranger's Ed25519 signature", "signer-unknown", lambda f, d: f.update({sig: stranger.sshsig(d)}))
    desk.refuse("a seal by a key that may only sign receipts", desk.write(key=receiver), "signer-role", *trusts)
    desk.refuse("a seal by a key that is only in proof/keys", desk.write(key=stranger), "signer-unknown")
    desk.refuse("a seal that says one signature is enough", desk.write(
        edit_seal=lambda p: p.update(policy="any")), "seal-malformed")
    with desk.cases.case("journal, payload or proof of one run in another: each is noticed"):
        one, two = desk.write(), desk.write()
        for parts, words in [
                (["exeat/journal.jsonl"], {"bag-file-changed", "journal-mismatch"}),
                (["exeat/manifest.json"], {"bag-file-changed"}),
                (["exeat/catalogue.json"], {"bag-file-changed"}),
                (["proof"], {"seal-subject-mismatch", "bag-info-mismatch", "journal-mismatch"}),
                (["exeat", "proof"], {"seal-subject-mismatch", "bag-info-mismatch"}),
                (["tagmanifest-sha256.txt"], {"seal-subject-mismatch", "bag-file-changed"})]:
            copy = os.path.join(desk.work, "mixed")
            shutil.copytree(one, copy)
            for part in parts:
                place = os.path.join(copy, part)
                if os.path.isdir(place):
                    shutil.rmtree(place)
                    shutil.copytree(os.path.join(two, part), place)
                else:
                    shutil.copy(os.path.join(two, part), place)
            found = {p["word"] for p in desk.verify(copy).expect(3).json["problems"]}
            assert found & words, (parts, found)
            remove(copy)


if __name__ == "__main__":
    main([good, tokens, certificates, times, stripping, confusion])
