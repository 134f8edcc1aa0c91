#!/usr/bin/env python3
"""Forged seals, tars and receipts: each is refused."""
import os
import shutil

from forgery_kit import *


def seals(desk):
    work = desk.work

    def edited(name, edit, **options):
        archive = with_items(*GOOD())
        archive.edit_seal = lambda seal: edit(seal, seal["predicate"]) or seal
        desk.refuse("a seal " + name, archive, **options)

    edited("of another type", lambda s, p: s.update(predicateType="urn:exeat:seal:v2"))
    edited("of another statement", lambda s, p: s.update(_type="https://in-toto.io/Statement/v0.1"))
    edited("about another file", lambda s, p: s["subject"][0].update(name="manifest-sha256.txt"))
    edited("about another digest", lambda s, p: s["subject"][0]["digest"].update(sha256="0" * 64))
    edited("about two files", lambda s, p: s["subject"].append(s["subject"][0]))
    edited("about nothing", lambda s, p: s.update(subject=[]))
    edited("with an unknown field", lambda s, p: p.update(evil=1))
    edited("with an unknown field above", lambda s, p: s.update(evil=1))
    edited("with a policy", lambda s, p: p.update(policy="any"))
    edited("without a signer", lambda s, p: p.pop("signer") and None)
    edited("of another signer", lambda s, p: p["signer"].update(principal="someone"))
    edited("of another ML-DSA key", lambda s, p: p["signer"].update(mldsa65="0" * 64))
    edited("with another journal head", lambda s, p: p["journal"].update(head="0" * 64))
    edited("with another journal root", lambda s, p: p["journal"].update(root="0" * 64))
    edited("with fewer journal lines", lambda s, p: p["journal"].update(entries=1))
    edited("with another payload", lambda s, p: p["payload"].update(files=1))
    edited("with another bag", lambda s, p: p.update(bag="urn:uuid:00000000-0000-4000-8000-000000000000"))
    edited("with status 1", lambda s, p: p["outcome"].update(status=1))
    edited("that says 2 where the journal says 0", lambda s, p: p["outcome"].update(status=2))
    edited("that exported less than expected", lambda s, p: p["outcome"].update(expected=1000))
    edited("with another name", lambda s, p: p.update(name="other"))
    edited("with a bad date", lambda s, p: p.update(createdAt="yesterday"))
    edited("with a key that is not there", lambda s, p: p["keys"].append({"name": "keys/x", "sha256": "0" * 64}))
    edited("without its keys", lambda s, p: p.update(keys=[]))
    edited("with a key path outside", lambda s, p: p["keys"].append({"name": "../../x", "sha256": "0" * 64}))
    edited("with an opening token that is not there", lambda s, p: p.update(opening={"sha256": "0" * 64}))
    for name, change in [
            ("with a key twice", lambda d: d.replace(b'"predicateType"', b'"predicateType":"x","predicateType"')),
            ("with white space", lambda d: b" " + d), ("with bytes behind", lambda d: d + b"\n{}"),
            ("that is empty", lambda d: b""), ("of 2 MiB", lambda d: d + b" " * (2 << 20))]:
        archive = with_items(*GOOD())
        archive.seal_bytes = lambda seal, change=change: change(forge.canonical(seal))
        desk.refuse("a seal " + name, archive, statuses=(0, 3) if "space" in name else (3,),
                    empty="space" not in name)

    def proof(name, edit, **options):
        archive = with_items(*GOOD())
        archive.edit_proof = lambda files: edit(files, files["proof/seal.json"]) or files
        desk.refuse("a proof " + name, archive, **options)

    key = desk.key
    sig, ml = "proof/seal.json.sig", "proof/seal.json.mldsa65"
    proof("without the ML-DSA signature", lambda f, d: f.pop(ml) and None)
    proof("without the Ed25519 signature", lambda f, d: f.pop(sig) and None)
    proof("without a seal", lambda f, d: f.pop("proof/seal.json") and None)
    proof("with an empty ML-DSA signature", lambda f, d: f.update({ml: b""}))
    proof("with the context of a receipt", lambda f, d: f.update({ml: key.mldsa(d, "exeat/receipt/v1")}))
    proof("with no context", lambda f, d: f.update({ml: key.mldsa65.sign(d)}))
    proof("with the namespace of a receipt", lambda f, d: f.update({sig: key.sshsig(d, "exeat/receipt/v1")}))
    proof("with a namespace that was not signed", lambda f, d: f.update({sig: key.sshsig(d, signed_namespace="file")}))
    proof("with a signature of something else", lambda f, d: f.update({sig: key.sshsig(b"else")}))
    proof("with CR LF armor", lambda f, d: f.update({sig: f[sig].replace(b"\n", b"\r\n")}))
    proof("with armor and a line behind", lambda f, d: f.update({sig: f[sig] + b"\n"}))
    proof("with two signatures", lambda f, d: f.update({sig: f[sig] * 2}))
    proof("with an ML-DSA signature and a byte behind", lambda f, d: f.update({ml: f[ml] + b"\0"}))
    keys(work, "stranger")
    stranger = forge.Key(os.path.join(work, "stranger.key"))
    desk.refuse("an archive of a stranger whose keys are only in proof/keys", with_items(*GOOD()), key=stranger)
    proof("with a stranger's ML-DSA signature", lambda f, d: f.update({ml: stranger.mldsa(d)}))
    proof("with a stranger's Ed25519 signature", lambda f, d: f.update({sig: stranger.sshsig(d)}))
    keys(work, "receiver", "--role", "importer")
    with desk.cases.case("a key that may only sign receipts cannot seal"):
        bag = os.path.join(work, "roles")
        Archive(GOOD()).write(bag, forge.Key(os.path.join(work, "receiver.key")))
        result = exeat("verify", bag, "--trust", os.path.join(work, "receiver.trust.json"), "--json")
        result.expect(3)
        assert result.json["failure"]["word"] == "signer-role" or result.json["failure"]["code"] == 246
    with desk.cases.case("the Ed25519 key of one and the ML-DSA key of another, both trusted"):
        bag = os.path.join(work, "pairs")
        mixed = forge.Key(os.path.join(work, "signer.key"))
        mixed.mldsa65, mixed.ml_raw = stranger.mldsa65, stranger.ml_raw
        Archive(GOOD()).write(bag, mixed)
        result = exeat("verify", bag, "--trust", os.path.join(work, "signer.trust.json"), "--trust",
                       os.path.join(work, "stranger.trust.json"), "--json").expect(3)
    with desk.cases.case("the seal of one bag on the payload of another"):
        one, two = os.path.join(work, "mix1"), os.path.join(work, "mix2")
        Archive(GOOD()).write(one, desk.key)
        Archive([Directory(""), Item("other", data=b"2")]).write(two, desk.key)
        shutil.rmtree(os.path.join(one, "data"))
        shutil.copytree(os.path.join(two, "data"), os.path.join(one, "data"))
        trust = os.path.join(work, "signer.trust.json")
        exeat("verify", one, "--trust", trust).expect(3)
        shutil.copytree(os.path.join(two, "exeat"), os.path.join(one, "exeat"), dirs_exist_ok=True)
        exeat("verify", one, "--trust", trust).expect(3)
        shutil.copytree(os.path.join(two, "proof"), os.path.join(one, "proof"), dirs_exist_ok=True)
        exeat("verify", one, "--trust", trust).expect(3)


def tars(desk):
    work = desk.work
    bag = os.path.join(work, "tar-source")
    Archive(GOOD()).write(bag, desk.key)
    order = tar_order(bag)
    tree = "data/s/tree-00001/segment-00000.tar.zst"
    index = "data/s/index-00002/segment-00000.jsonl.zst"

    def refuse(name, data):
        place = os.path.join(work, f"forged-{desk.number}.tar")
        write(place, data)
        desk.refuse("a tar " + name, place)
        with desk.cases.case(f"a tar {name}, through a pipe"):
            exeat("verify", "-", "--trust", os.path.join(work, "signer.trust.json"), input=data).expect(3)

    whole = tar_of(bag, "forged")
    refuse("without its end", whole[:-1024])
    refuse("with one end block", whole[:-512])
    refuse("with three end blocks", whole + b"\0" * 512)
    refuse("filled up to a record", whole + b"\0" * (-len(whole) % 10240))
    refuse("with a byte behind", whole + b"\0")
    refuse("with a second archive behind", whole + whole)
    refuse("of nothing", b"")
    refuse("of end blocks", b"\0" * 1024)
    refuse("of another top folder", tar_of(bag, "other"))
    refuse("of two top folders", tar_of(bag, "forged", change=lambda p, b: forge.tar_header(
        "other", p, int(b[124:135], 8)) if p == "bagit.txt" else b))
    refuse("in another order", tar_of(bag, "forged", order[::-1]))
    refuse("with a file twice", tar_of(bag, "forged", [order[0]] + order))
    refuse("with the seal first", tar_of(bag, "forged", ["proof/seal.json"] + [p for p in order if p != "proof/seal.json"]))
    for name, path in [("a path up", "../escape"), ("an absolute path", "/tmp/escape"), ("an odd path", "Data/x"),
                       ("a dot", "./bagit.txt")]:
        refuse("with " + name, tar_of(bag, "forged", change=lambda p, b: forge.tar_header(
            "forged", path, int(b[124:135], 8)) if p == "bagit.txt" else b))
    for name, flag in [("a link", b"2"), ("a hard link", b"1"), ("a directory", b"5"), ("a device", b"3"),
                       ("an extended header", b"x"), ("a global header", b"g"), ("a long name", b"L"), ("a sparse file", b"S")]:
        refuse("with " + name, header(b"evil", flag, 0, prefix=b"forged", link=b"/etc/passwd") + whole)
    for name, options in [("a mode", {"mode": 0o755}), ("an owner", {"uid": 1}), ("a time", {"mtime": 5}),
                          ("a name of an owner", {"owner": b"root"}), ("a link name", {"link": b"x"}),
                          ("GNU magic", {"magic": b"ustar  \0"}), ("a wrong checksum", {"checksum": 77})]:
        refuse("with " + name + " that is not canonical", tar_of(
            bag, "forged", change=lambda p, b: header(p.encode(), size=int(b[124:135], 8),
                                                      prefix=b"forged", **{"mode": 0o644, "mtime": 0, **options})
            if p == "bagit.txt" else b))
    refuse("with the payload in another order", tar_of(
        bag, "forged", [index, tree] + [p for p in order if p not in (tree, index)]))
    refuse("with a size that lies", tar_of(bag, "forged", change=lambda p, b: forge.tar_header(
        "forged", p, (1 << 33) - 1) if p == tree else b))
    data = bytearray(whole)
    first = len(open(os.path.join(bag, tree), "rb").read())
    if first % 512:
        data[512 + first] = 1
        refuse("with padding that is not zeros", bytes(data))


def receipts(desk):
    work = desk.work
    trust = os.path.join(work, "signer.trust.json")
    bag = os.path.join(work, "receipt-bag")
    Archive(GOOD()).write(bag, desk.key)
    plan = import_plan(work, {"s": os.path.join(work, "receipt-target")}, file="receipt.yaml")
    exeat("import", bag, plan, "--work", "receipt-work", cwd=work)
    document = open(os.path.join(bag, "proof/receipt-1.json"), "rb").read()
    key = desk.key

    def refuse(name, change):
        with desk.cases.case("a receipt " + name):
            copy = os.path.join(work, "receipt-copy")
            remove(copy)
            shutil.copytree(bag, copy)
            change(lambda suffix, data: write(os.path.join(copy, "proof/receipt-1.json" + suffix), data), copy)
            exeat("verify", copy, "--trust", trust).expect(3)

    with desk.cases.case("a receipt that is good"):
        exeat("verify", bag, "--trust", trust).expect(0)
    refuse("with the seal's namespace", lambda put, c: put(".sig", key.sshsig(document)))
    refuse("with the seal's context", lambda put, c: put(".mldsa65", key.mldsa(document)))
    refuse("without its ML-DSA signature", lambda put, c: os.unlink(c + "/proof/receipt-1.json.mldsa65"))
    refuse("without its SSH signature", lambda put, c: os.unlink(c + "/proof/receipt-1.json.sig"))
    refuse("that was changed", lambda put, c: put("", document.replace(b'"status":0', b'"status":2')))
    refuse("without a document", lambda put, c: os.unlink(c + "/proof/receipt-1.json"))
    refuse("numbered 0", lambda put, c: os.rename(c + "/proof/receipt-1.json", c + "/proof/receipt-0.json"))
    def of_other(put, copy):
        other = document.replace(
            json.loads(document)["subject"][0]["digest"]["sha256"].encode(), b"0" * 64)
        put("", other)
        put(".sig", key.sshsig(other, "exeat/receipt/v1"))
        put(".mldsa65", key.mldsa(other, "exeat/receipt/v1"))
    refuse("of another archive, signed by a trusted key", of_other)
    def of_nothing(put, copy):
        put("", b"{}")
        put(".sig", key.sshsig(b"{}", "exeat/receipt/v1"))
        put(".mldsa65", key.mldsa(b"{}", "exeat/receipt/v1"))
    refuse("that says nothing, signed by a trusted key", of_nothing)
    remove(bag)


if __name__ == "__main__":
    run_parts([seals, tars, receipts])
