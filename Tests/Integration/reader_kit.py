"""A second reader of archives, written from docs/FORMAT.md alone; numbers of sections are those of that page. This part
verifies a bag and opens its segments, second_reader.py reads what is in them."""
import base64
import hashlib
import hmac
import json
import os
import re
import stat
import struct
import subprocess

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa, x25519
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import forge

MIB = 1 << 20


class Refused(Exception):
    pass


def need(holds, word):
    if not holds:
        raise Refused(word)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# MARK: - JSON (2), Merkle trees (RFC 6962)

def parse(data, word):
    def pairs(members):
        need(len(dict(members)) == len(members), word)
        return dict(members)

    def refuse(_):
        raise Refused(word)
    try:
        return json.loads(data.decode(), object_pairs_hook=pairs, parse_float=refuse, parse_constant=refuse)
    except ValueError:
        raise Refused(word) from None


def line(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def canonical(value):
    def ordered(value):
        if isinstance(value, dict):
            return {key: ordered(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
        return [ordered(element) for element in value] if isinstance(value, list) else value
    return line(ordered(value))


def leaf(data):
    return hashlib.sha256(b"\0" + data).digest()


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(leaves[:left]) + root(leaves[left:])).digest()


# MARK: - The bag (1)

STAMPS = {f"{name}{number}{end}" for name in ("opening", "timestamped.txt") for end in (".tsr", ".tsq")
          for number in ("", *(f"-{place}" for place in range(2, 10)))}
DOCUMENT = re.compile(r"(plan|(receipt|override)-[1-9]\d{0,3}|acceptance|erasure-request|erasure)\.json(\.sig|\.mldsa65)?\Z", re.A)
ORDER = ["exeat/manifest.json", "exeat/manifest.json.age", "exeat/restore.txt", "exeat/restore.txt.age", "exeat/catalogue.json",
         "exeat/journal.jsonl", "bagit.txt", "bag-info.txt", "RESTORE.txt", "VERIFY.txt", "manifest-sha256.txt",
         "manifest-sha512.txt", "tagmanifest-sha256.txt", "tagmanifest-sha512.txt", "proof/seal.json", "proof/seal.json.sig",
         "proof/seal.json.mldsa65", "proof/timestamped.txt"]


def check_path(path):
    parts = path.split("/")
    need(len(path) <= 100, "bag-path-too-long")
    need(path in ("VERIFY.txt", "RESTORE.txt") or re.fullmatch(r"[a-z0-9._/-]+", path)
         and all(part and part[0] not in ".-" for part in parts), "bag-path-unsafe")
    if parts[0] == "data":
        return need(len(parts) == 4, "bag-path-unsafe")
    if parts[0] == "proof" and path not in ORDER:
        return need(parts[1] == "keys" and len(parts) == 3 or path[6:] in STAMPS or DOCUMENT.match(path[6:]),
                    "bag-proof-unexpected")
    return need(path in ORDER, "bag-file-unexpected")


class Bag:
    """Files by path: the file of the system that holds it, its offset there, its length."""

    def __init__(self, path):
        self.path, self.files, self.name = path, {}, None
        self.tar() if os.path.isfile(path) else self.directory("")

    def directory(self, inner):
        names = os.listdir(os.path.join(self.path, inner))
        need(names or inner in ("", "data"), "bag-directory-empty")
        for name in sorted(names):
            path = os.path.join(inner, name)
            full = os.path.join(self.path, path)
            if stat.S_ISDIR(os.lstat(full).st_mode):
                self.directory(path)
                continue
            check_path(path)
            need(stat.S_ISREG(os.lstat(full).st_mode), "bag-file-kind")
            self.files[path] = full, 0, os.lstat(full).st_size

    def tar(self):
        with open(self.path, "rb") as file:
            while (block := file.read(512)) != bytes(512):
                need(len(block) == 512, "tar-truncated")
                path, name, size = block[:100].rstrip(b"\0"), block[345:500].rstrip(b"\0"), int(block[124:135], 8)
                need(forge.header(path, b"0", size, 0o644, 0, 0, 0, prefix=name) == block, "tar-header")
                need(self.name in (None, name.decode()), "tar-header")
                self.name, path = name.decode(), path.decode()
                check_path(path)
                need(path not in self.files, "tar-duplicate")
                self.files[path] = self.path, file.tell(), size
                file.seek(size, 1)
                need(file.read(-size % 512) == bytes(-size % 512), "tar-padding")
            need(file.read(512) == bytes(512), "tar-truncated")
            need(not file.read(1), "tar-trailing")

    def chunks(self, path):
        need(path in self.files, "signature-missing" if "seal.json." in path else "bag-file-missing")
        full, offset, left = self.files[path]
        with open(full, "rb") as file:
            file.seek(offset)
            while left:
                chunk = file.read(min(left, MIB))
                left -= len(chunk)
                yield chunk

    def read(self, path):
        return b"".join(self.chunks(path))

    def digest(self, path):
        digest = hashlib.sha256()
        for chunk in self.chunks(path):
            digest.update(chunk)
        return digest.hexdigest()

    def end(self, path):
        _, offset, size = self.files[path]
        return offset + size + -size % 512

    def listed(self, path, word):
        text = self.read(path)
        lines = re.findall(rb"([0-9a-f]{64})  ([^\n]+)\n", text)
        need(b"".join(digest + b"  " + name + b"\n" for digest, name in lines) == text, word)
        names = [name for _, name in lines]
        need(names == sorted(set(names)), word)
        return {name.decode(): digest.decode() for digest, name in lines}

    def compare(self, listed, files):
        for path, digest in listed.items():
            need(path in files, "bag-file-missing")
            need(self.digest(path) == digest, "bag-file-changed")
        need(set(files) == set(listed), "bag-file-unexpected")


# MARK: - Signatures (8.2, 8.3)

def fields(blob):
    found = []
    while blob:
        size = struct.unpack(">I", blob[:4])[0]
        found.append(blob[4:4 + size])
        need(len(found[-1]) == size, "signature-malformed")
        blob = blob[4 + size:]
    return found


def signed(document, ssh, ml, namespace, role, trust):
    """The entry of the trust file that signed, by both keys."""
    body = "".join(ssh.decode().split("\n")[1:-2])
    armored = "\n".join(["-----BEGIN SSH SIGNATURE-----", *(body[at:at + 70] for at in range(0, len(body), 70)),
                         "-----END SSH SIGNATURE-----", ""])
    need(armored.encode() == ssh, "signature-malformed")
    blob = base64.b64decode(body)
    need(blob.startswith(b"SSHSIG\0\0\0\1"), "signature-malformed")
    key, space, reserved, algorithm, signature = fields(blob[10:])
    need((space, reserved, algorithm) == (namespace, b"", b"sha512"), "signature-invalid")
    raw = fields(key)[1]
    message = b"SSHSIG" + b"".join(
        forge.string(part) for part in (namespace, b"", b"sha512", hashlib.sha512(document).digest()))
    entry = next((entry for entry in trust if base64.b64decode(entry["ed25519"].split()[1]) == key), None)
    need(entry, "signer-unknown")
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(raw).verify(fields(signature)[1], message)
        mldsa.MLDSA65PublicKey.from_public_bytes(base64.b64decode(entry["mldsa65"])).verify(ml, document, namespace)
    except Exception:
        raise Refused("signature-invalid") from None
    need(role in entry["roles"], "signer-role")
    return entry


# MARK: - Verification (9, steps 1 to 4)

def check_journal(data):
    lines, previous, events = data.split(b"\n"), "0" * 64, []
    need(lines.pop() == b"", "journal-malformed")
    for number, text in enumerate(lines):
        event = parse(text, "journal-malformed")
        need(line(event) == text and list(event)[:4] == ["seq", "t", "prev", "ev"], "journal-malformed")
        need((event["seq"], event["prev"]) == (number, previous), "journal-broken")
        need((event["ev"] == "run.opened") == (number == 0), "journal-malformed")
        for value in event.values():
            need(all(isinstance(one, (int, str)) for one in (value if isinstance(value, list) else [value])),
                 "journal-malformed")
        previous = sha256(text)
        events.append(event)
    need(events and events[-1]["ev"] == "run.completed", "journal-malformed")
    return events, {"entries": len(lines), "bytes": len(data), "head": previous,
                    "root": root([leaf(text) for text in lines]).hex()}


def verify(path, trust, key=None):
    """The bag and its manifest (None without the key to it), if everything holds."""
    bag = Bag(path)
    seal_text = bag.read("proof/seal.json")
    entry = signed(seal_text, bag.read("proof/seal.json.sig"), bag.read("proof/seal.json.mldsa65"), b"exeat/seal/v1",
                   "exporter", trust)
    statement = parse(seal_text, "seal-malformed")
    need(canonical(statement) == seal_text, "seal-malformed")
    seal = statement["predicate"]
    need(seal["signer"]["principal"] == entry["principal"], "signer-pair-mismatch")
    need(statement["subject"][0]["digest"]["sha256"] == bag.digest("tagmanifest-sha256.txt"), "seal-subject-mismatch")
    need(bag.name in (None, seal["name"]), "seal-subject-mismatch")
    need((seal["sequence"] == 1) == (seal["series"] == seal["bag"]) == ("previous" not in seal), "seal-malformed")
    bag.compare(bag.listed("tagmanifest-sha256.txt", "bag-tag-manifest-malformed"),
                [name for name in bag.files if not name.startswith(("data/", "proof/", "tagmanifest"))])
    events, journal = check_journal(bag.read("exeat/journal.jsonl"))
    need(journal == seal["journal"], "journal-mismatch")
    need([events[0][name] for name in ("bag", "name", "purpose", "plan")]
         == [seal["bag"], seal["name"], seal["run"]["purpose"], seal["planSha256"]], "journal-mismatch")
    need({name: events[-1][name] for name in seal["outcome"]} == seal["outcome"], "journal-mismatch")
    committed = {}
    for event in events:
        if event["ev"] == "segment.committed":
            committed[event["path"]] = event
        elif event["ev"] == "segment.voided":
            committed.pop(event["path"], None)
    payload = [name for name in bag.files if name.startswith("data/")]
    if bag.name:
        ranks = [ORDER.index(name) if name in ORDER else -1 if name in payload else len(ORDER) for name in bag.files]
        need(ranks == sorted(ranks), "tar-order")
        need(all(bag.end(name) == committed[name]["end"] for name in payload), "tar-order")
    listed = bag.listed("manifest-sha256.txt", "bag-manifest-malformed")
    bag.compare(listed, payload)
    need({name: event["sha256"] for name, event in committed.items()} == listed, "journal-mismatch")
    keys = [name for name in bag.files if name.startswith("proof/keys/")]
    bag.compare({"proof/" + one["name"]: one["sha256"] for one in seal["keys"]}, keys)
    catalogue = parse(bag.read("exeat/catalogue.json"), "coverage-mismatch")
    omitted = [one for source in catalogue["sources"] for one in source["omitted"]]
    need(catalogue["exeat-catalogue"] == 1 and catalogue["bag"] == seal["bag"], "coverage-mismatch")
    need(sum(one["count"] for one in omitted) == catalogue["omitted"] == seal["outcome"]["omitted"], "coverage-mismatch")
    for name in ("expected", "exported"):
        parts = [source.get(name) for source in catalogue["sources"]]
        if any(part is not None for part in parts):
            need(all(type(part) is int and part >= 0 for part in parts), "coverage-mismatch")
            need(sum(parts) == seal["outcome"][name], "coverage-mismatch")
    need(any(not one["accepted"] for one in omitted) == (seal["outcome"]["status"] == 2), "coverage-mismatch")
    for name in bag.files:
        if DOCUMENT.match(name[6:]) and name.endswith(".json"):
            receipt = bag.read(name)
            signed(receipt, bag.read(name + ".sig"), bag.read(name + ".mldsa65"), b"exeat/receipt/v1", "importer", trust)
            need(json.loads(receipt)["subject"][0]["digest"]["sha256"] == sha256(seal_text), "document-foreign")
    bag.open = key if "exeat/manifest.json.age" in bag.files else lambda data: data
    if not bag.open:
        return bag, None
    text = bag.open(bag.read("exeat/manifest.json" + (".age" if key else "")))
    manifest = parse(text, "manifest-malformed")
    segments = {segment["path"]: segment["sha256"] for source in manifest["sources"] for artifact in source["artifacts"]
                for segment in artifact["segments"]}
    need(manifest["bag"] == seal["bag"] and segments == listed, "manifest-mismatch")
    need([source["omissions"]["counts"] for source in manifest["sources"]]
         == [source["omitted"] for source in catalogue["sources"]], "coverage-mismatch")
    return bag, manifest


# MARK: - Segments (6)

def age_opener(path):
    """Opens files of age with the X25519 identity of a file."""
    text = re.search(r"^AGE-SECRET-KEY-1(\S+)$", open(path).read(), re.M)[1].lower()
    bits = "".join(f"{'qpzry9x8gf2tvdw0s3jn54khce6mua7l'.index(letter):05b}" for letter in text[:-6])
    secret = x25519.X25519PrivateKey.from_private_bytes(int(bits[:256], 2).to_bytes(32, "big"))

    def derive(key, salt, info):
        return HKDF(hashes.SHA256(), 32, salt, info).derive(key)

    def unpadded(text):
        return base64.b64decode(text + b"=" * (-len(text) % 4))

    def opened(data):
        end = data.index(b"\n---") + 4
        mac, payload = data[end + 1:].split(b"\n", 1)
        _, share, body = re.search(rb"-> (X25519) (\S+)\n(\S+)\n", data[:end]).groups()
        shared = secret.exchange(x25519.X25519PublicKey.from_public_bytes(unpadded(share)))
        wrap = derive(shared, unpadded(share) + secret.public_key().public_bytes_raw(), b"age-encryption.org/v1/X25519")
        key = ChaCha20Poly1305(wrap).decrypt(bytes(12), unpadded(body), None)
        need(hmac.digest(derive(key, None, b"header"), data[:end], "sha256") == unpadded(mac), "age-header-mac")
        stream, plain = ChaCha20Poly1305(derive(key, payload[:16], b"payload")), []
        for number, at in enumerate(range(16, len(payload), 65552)):
            nonce = number.to_bytes(11, "big") + bytes([at + 65552 >= len(payload)])
            plain.append(stream.decrypt(nonce, payload[at:at + 65552], None))
        return b"".join(plain)
    return opened


def plain(bag, segment):
    done = subprocess.run(["zstd", "-qdc"], input=bag.open(bag.read(segment["path"])), capture_output=True)
    need(done.returncode == 0, "zstd-corrupt")
    need(len(done.stdout) <= segment["plainBytes"], "plaintext-too-long")
    need(len(done.stdout) >= segment["plainBytes"], "plaintext-too-short")
    return done.stdout
