"""The parts of which a forged archive is made: digests, keys and their signatures, entries of trees."""
import base64
import hashlib
import json
import struct
import subprocess

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def canonical(value):
    """RFC 8785, for the values that occur: no floats, keys in ASCII."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def compress(data, level=3):
    return subprocess.run(["zstd", "-q", f"-{level}", "-c"], input=data, capture_output=True,
                          check=True).stdout


def merkle(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + merkle(leaves[:split]) + merkle(leaves[split:])).digest()


def leaf(data):
    return hashlib.sha256(b"\x00" + data).digest()


class Key:
    """Both keys of a NAME.key."""

    def __init__(self, path):
        document = json.load(open(path))
        self.principal = document["principal"]
        self.ed25519 = Ed25519PrivateKey.from_private_bytes(base64.b64decode(document["ed25519"]))
        self.mldsa65 = MLDSA65PrivateKey.from_seed_bytes(base64.b64decode(document["mldsa65"]))
        self.ed_raw = self.ed25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.ml_raw = self.mldsa65.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def wire(self):
        return string(b"ssh-ed25519") + string(self.ed_raw)

    @property
    def signer(self):
        fingerprint = base64.b64encode(hashlib.sha256(self.wire).digest()).decode().rstrip("=")
        return {"principal": self.principal, "ed25519": "SHA256:" + fingerprint,
                "mldsa65": sha256(self.mldsa65.public_key().public_bytes(
                    Encoding.DER, PublicFormat.SubjectPublicKeyInfo))}

    def allowed_signers(self):
        key = base64.b64encode(self.wire).decode()
        return f"{self.principal} namespaces=\"exeat/seal/v1,exeat/receipt/v1\" ssh-ed25519 {key}\n".encode()

    def pem(self):
        return self.mldsa65.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sshsig(self, document, namespace="exeat/seal/v1", signed_namespace=None):
        inner = (signed_namespace or namespace).encode()
        signed = b"SSHSIG" + string(inner) + string(b"") + string(b"sha512") + string(
            hashlib.sha512(document).digest())
        signature = string(b"ssh-ed25519") + string(self.ed25519.sign(signed))
        blob = b"SSHSIG" + struct.pack(">I", 1) + string(self.wire) + string(namespace.encode()) \
            + string(b"") + string(b"sha512") + string(signature)
        text = base64.b64encode(blob).decode()
        lines = [text[start:start + 70] for start in range(0, len(text), 70)]
        return ("-----BEGIN SSH SIGNATURE-----\n" + "\n".join(lines)
                + "\n-----END SSH SIGNATURE-----\n").encode()

    def mldsa(self, document, context="exeat/seal/v1"):
        return self.mldsa65.sign(document, context=context.encode())


def string(data):
    return struct.pack(">I", len(data)) + data


# MARK: - Trees

def octal(value, width):
    return (b"%0*o" % (width - 1, value)) + b"\0"


def header(name, flag=b"0", size=0, mode=0o644, uid=0, gid=0, mtime=0, link=b"", owner=b"", group=b"",
           major=0, minor=0, magic=b"ustar\x0000", prefix=b"", checksum=None):
    block = name.ljust(100, b"\0")[:100] + octal(mode, 8) + octal(uid, 8) + octal(gid, 8) \
        + octal(size, 12) + octal(mtime, 12) + b" " * 8 + flag + link.ljust(100, b"\0")[:100] + magic \
        + owner.ljust(32, b"\0") + group.ljust(32, b"\0") + octal(major, 8) + octal(minor, 8) \
        + prefix.ljust(155, b"\0") + b"\0" * 12
    total = sum(block) if checksum is None else checksum
    return block[:148] + b"%06o\0 " % total + block[156:]


def record(key, value):
    body = key + b"=" + value + b"\n"
    length = len(body) + 2
    while len(b"%d " % length) + len(body) != length:
        length = len(b"%d " % length) + len(body)
    return b"%d " % length + body


def pax(records):
    """An extended header; `records` is a list of pairs, or the bytes themselves."""
    data = records if isinstance(records, bytes) else b"".join(record(*pair) for pair in records)
    return header(b"PaxHeaders/x", b"x", len(data)) + pad(data)


def pad(data):
    return data + b"\0" * (-len(data) % 512)


FLAGS = {"file": b"0", "hardlink": b"1", "symlink": b"2", "character": b"3", "block": b"4",
         "directory": b"5", "fifo": b"6"}


class Item:
    """One entry; `stream` and `line` may be replaced by lies."""

    def __init__(self, path, type="file", data=b"", mode=None, target=b"", mtime=1700000000, device=(0, 0),
                 uid=0, gid=0):
        self.path = path.encode() if isinstance(path, str) else path
        self.type = type
        self.data = data
        self.mode = mode if mode is not None else {"directory": 0o755, "symlink": 0o777}.get(type, 0o644)
        self.target = target.encode() if isinstance(target, str) else target
        self.mtime = mtime
        self.device = device
        self.uid, self.gid = uid, gid
        self.digest = None          # what the content leaf says instead of the data's SHA-256
        self.stream = None
        self.line = None

    def block(self):
        if self.stream is not None:
            return self.stream
        name = self.path + b"/" if self.type == "directory" else self.path
        if not self.path:
            name = b"./"
        before = b""
        if len(name) > 100 or len(self.target) > 100:
            before = pax([(b"path", name), (b"linkpath", self.target)] if self.target
                         else [(b"path", name)])
        mode = 0 if self.type == "hardlink" else self.mode
        return before + header(
            name, FLAGS[self.type], len(self.data), mode, self.uid, self.gid,
            0 if self.type == "hardlink" else self.mtime, self.target, major=self.device[0],
            minor=self.device[1]) + pad(self.data)

    def index(self, segment, offset):
        if self.line is not None:
            return self.line if isinstance(self.line, bytes) else self.line(segment, offset)
        text = lambda data: json.dumps(data.decode("utf-8", "surrogateescape"), ensure_ascii=False)
        line = '{"path":%s,"type":"%s"' % (text(self.path), self.type)
        if self.type == "hardlink":
            line += ',"link":' + text(self.target)
        else:
            line += ',"mode":"%04o","uid":%d,"gid":%d,"mtime":[%d,0]' % (
                self.mode, self.uid, self.gid, self.mtime)
            if self.type == "file":
                line += ',"size":%d,"sha256":"%s"' % (len(self.data), sha256(self.data))
            if self.type == "symlink":
                line += ',"link":' + text(self.target)
            if self.type in ("character", "block"):
                line += ',"device":[%d,%d]' % self.device
        return (line + ',"segment":%d,"offset":%d}\n' % (segment, offset)).encode(
            "utf-8", "surrogateescape")

    def content_leaf(self):
        payload = {"file": self.digest or b"sha256:" + sha256(self.data).encode(), "symlink": self.target,
                   "hardlink": self.target, "character": b"%d:%d" % self.device,
                   "block": b"%d:%d" % self.device}.get(self.type, b"")
        return leaf(self.path + b"\0" + self.type.encode() + b"\0" + payload + b"\0")

    def metadata_leaf(self):
        data = self.path + b"\0" + self.type.encode() + b"\0"
        if self.type != "hardlink":
            data += b"%04o\0%d\0%d\0\0\0%d.%09d\0" % (self.mode, self.uid, self.gid, self.mtime, 0)
        return leaf(data)


def Directory(path, **options):
    return Item(path, "directory", **options)
