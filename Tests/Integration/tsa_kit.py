"""Time-stamping authorities for tests: a real one (`openssl ts` behind HTTP), and a forger that writes tokens by hand.

Keys and certificates are made on the spot. What the forger makes without a fault, OpenSSL takes.
"""
import base64
import contextlib
import datetime
import hashlib
import http.server
import ipaddress
import os
import ssl
import subprocess
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

UTC = datetime.timezone.utc
DAY = datetime.timedelta(days=1)
POLICY = "1.2.3.4.1"


def now():
    return datetime.datetime.now(UTC)


# MARK: - Certificates

def new_key(kind):
    if kind == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "p384":
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(65537, int(kind.removeprefix("rsa") or 2048))


def issue(name, key, issuer=None, issuer_key=None, authority=False, purposes=None, critical=True, start=None,
          end=None, digest=None, alternative=None):
    """A certificate; without an issuer it signs itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (x509.CertificateBuilder().subject_name(subject)
            .issuer_name(issuer.subject if issuer else subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start or now() - 400 * DAY).not_valid_after(end or now() + 400 * DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.KeyUsage(
                digital_signature=not authority or alternative is not None, key_cert_sign=authority, crl_sign=authority,
                content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
                encipher_only=False, decipher_only=False), critical=True))
    if alternative:
        made = made.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
    if purposes:
        made = made.add_extension(x509.ExtendedKeyUsage(purposes), critical=critical)
    return made.sign(issuer_key or key, digest or hashes.SHA256())


def pem(*certificates):
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)


class Authority:
    """A root, perhaps one in between, and the certificate that signs tokens."""

    def __init__(self, name, kind="rsa2048", intermediate=False, purposes=(ExtendedKeyUsageOID.TIME_STAMPING,),
                 critical=True, start=None, end=None, intermediate_end=None):
        self.name = name
        root_key = new_key("p384" if kind.startswith("p") else "rsa2048")
        self.root = issue(name + " root", root_key, authority=True)
        self.between = []
        issuer, issuer_key = self.root, root_key
        if intermediate:
            key = new_key("p256")
            between = issue(name + " between", key, issuer, issuer_key, authority=True, end=intermediate_end)
            self.between = [between]
            issuer, issuer_key = between, key
        self.key = new_key(kind)
        self.certificate = issue(name, self.key, issuer, issuer_key, purposes=list(purposes), critical=critical,
                                 start=start, end=end)

    def write(self, directory):
        """Files for OpenSSL and for plans: NAME.ca.pem is the root alone."""
        base = os.path.join(directory, self.name)
        for suffix, data in [
                (".ca.pem", pem(self.root)), (".cert.pem", pem(self.certificate)),
                (".chain.pem", pem(*self.between, self.root)),
                (".key.pem", self.key.private_bytes(serialization.Encoding.PEM,
                                                    serialization.PrivateFormat.PKCS8,
                                                    serialization.NoEncryption()))]:
            with open(base + suffix, "wb") as file:
                file.write(data)
        return base + ".ca.pem"


# MARK: - Tokens by hand

def tlv(tag, *parts):
    content = b"".join(parts)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    size = (len(content).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(content).to_bytes(size, "big") + content


def sequence(*parts):
    return tlv(0x30, *parts)


def endless(tag, *parts):
    """BER: a value that does not say how long it is."""
    return bytes([tag, 0x80]) + b"".join(parts) + b"\0\0"


def integer(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = b""
    for number in [first * 40 + second] + rest:
        digits = [number & 0x7f]
        while number := number >> 7:
            digits.insert(0, 0x80 | number & 0x7f)
        out += bytes(digits)
    return tlv(6, out)


DIGESTS = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2",
           "sha512": "2.16.840.1.101.3.4.2.3"}
HASHES = {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}
STAMP = "1.2.840.113549.1.9.16.1.4"


def algorithm(digest):
    return sequence(oid(DIGESTS[digest]), b"\x05\x00")


def attribute(kind, value):
    return sequence(oid(kind), tlv(0x31, value))


def token(message, authority, when=None, nonce=None, policy=POLICY, digest="sha256", imprint=None, ess="v2",
          certificates=None, pss=False, signed=True, content_type=STAMP, of=None, accuracy=1, response=True,
          signer_digest=None, ber=False):
    """A TimeStampResp over `message`, good unless an argument says otherwise.

    `of`: the certificate that the token claims to be signed by; `signed`: whether the signature holds.
    """
    when = when or now()
    certificate = authority.certificate
    signer_digest = signer_digest or digest
    imprint = imprint if imprint is not None else hashlib.new(digest, message).digest()
    info = sequence(
        integer(1), oid(policy), sequence(algorithm(digest), tlv(4, imprint)),
        integer(int.from_bytes(os.urandom(8), "big")),
        tlv(0x18, when.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode()),
        sequence(integer(accuracy)) if accuracy else b"", b"" if nonce is None else integer(nonce))
    named = of or certificate
    der = named.public_bytes(serialization.Encoding.DER)
    attributes = [attribute("1.2.840.113549.1.9.3", oid(content_type)),
                  attribute("1.2.840.113549.1.9.4", tlv(4, hashlib.new(signer_digest, info).digest()))]
    if ess == "v1":
        attributes.append(attribute("1.2.840.113549.1.9.16.2.12",
                                    sequence(sequence(sequence(tlv(4, hashlib.sha1(der).digest()))))))
    elif ess == "v2":
        attributes.append(attribute("1.2.840.113549.1.9.16.2.47",
                                    sequence(sequence(sequence(tlv(4, hashlib.sha256(der).digest()))))))
    attributes.sort()
    data = tlv(0x31, *attributes)
    chosen = HASHES[signer_digest]()
    if isinstance(authority.key, ec.EllipticCurvePrivateKey):
        signature = authority.key.sign(data if signed else data + b"x", ec.ECDSA(chosen))
        kind = {"sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3",
                "sha512": "1.2.840.10045.4.3.4"}.get(signer_digest, "1.2.840.10045.4.1")
        method = sequence(oid(kind))
    elif pss:
        size = chosen.digest_size
        signature = authority.key.sign(data if signed else data + b"x",
                                       padding.PSS(padding.MGF1(chosen), size), chosen)
        method = sequence(oid("1.2.840.113549.1.1.10"), sequence(
            tlv(0xa0, algorithm(signer_digest)),
            tlv(0xa1, sequence(oid("1.2.840.113549.1.1.8"), algorithm(signer_digest))), tlv(0xa2, integer(size))))
    else:
        signature = authority.key.sign(data if signed else data + b"x", padding.PKCS1v15(), chosen)
        method = sequence(oid("1.2.840.113549.1.1.1"), b"\x05\x00")
    issuer = certificate.issuer.public_bytes()
    carried = [certificate, *authority.between] if certificates is None else certificates
    inner = sequence(oid(STAMP), tlv(0xa0, tlv(4, info)))
    if ber:
        inner = endless(0x30, oid(STAMP), endless(0xa0, endless(0x24, tlv(4, info[:20]), tlv(4, info[20:]))))
    content = (endless if ber else tlv)(
        0x30, integer(3), tlv(0x31, algorithm(signer_digest)), inner,
        tlv(0xa0, *[c.public_bytes(serialization.Encoding.DER) for c in carried]) if carried else b"",
        tlv(0x31, sequence(integer(1), sequence(issuer, integer(certificate.serial_number)),
                           algorithm(signer_digest), tlv(0xa0, *attributes), method, tlv(4, signature))))
    bare = (endless if ber else tlv)(0x30, oid("1.2.840.113549.1.7.2"), tlv(0xa0, content))
    return sequence(sequence(integer(0)), bare) if response else bare


def rejection():
    return sequence(sequence(integer(2), sequence(tlv(12, b"the clock is being repaired")), tlv(3, b"\x02\x00\x02")))


def fields_of(query):
    """The nonce of a request made by OpenSSL or by us, and its policy."""
    shown = subprocess.run(["openssl", "ts", "-query", "-in", "/dev/stdin", "-text"], input=query,
                           capture_output=True).stdout.decode()
    values = dict(line.split(": ", 1) for line in shown.splitlines() if ": " in line)
    nonce = values.get("Nonce", "unspecified")
    return None if nonce == "unspecified" else int(nonce, 16)


# MARK: - The real one

CONFIG = """
oid_section = oids
[oids]
tsa_policy = {policy}
[tsa]
default_tsa = this
[this]
serial = {base}.serial
signer_digest = {digest}
default_policy = tsa_policy
other_policies = 1.2.3.4.5
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = {ess}
"""


class Server:
    """`openssl ts` behind HTTP on a port of its own; `fault` says how it goes wrong."""

    def __init__(self, directory, authority, digest="sha256", ess="sha256", other=None, tls=False):
        self.authority, self.directory, self.other = authority, directory, other
        self.ca = authority.write(directory)
        self.base = os.path.join(directory, authority.name)
        with open(self.base + ".serial", "w") as file:
            file.write("01")
        with open(self.base + ".cnf", "w") as file:
            file.write(CONFIG.format(policy=POLICY, base=self.base, digest=digest, ess=ess))
        self.fault = None
        self.failures = 0           # how many requests fail before one succeeds
        self.requests = []          # headers and body of each
        self.last = None            # the answer given last
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.requests.append((dict(self.headers), body))
                with contextlib.suppress(ConnectionError):
                    outer.answer(self, body)

            def do_GET(self):
                self.send_error(405)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            self.tls_ca = self.encrypt()
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server.server_address[1]}/tsr"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def encrypt(self):
        """Speaks TLS with a certificate of its own; the file to trust."""
        key = new_key("p256")
        certificate = issue("tls", key, alternative=x509.IPAddress(ipaddress.ip_address("127.0.0.1")), authority=True)
        path = self.base + ".tls.pem"
        with open(path, "wb") as file:
            file.write(pem(certificate))
        with open(path + ".key", "wb") as file:
            file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path, path + ".key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        return path

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def reply(self, query):
        with self.lock:
            path = self.base + ".query"
            with open(path, "wb") as file:
                file.write(query)
            return subprocess.run(
                ["openssl", "ts", "-reply", "-queryfile", path, "-config", self.base + ".cnf",
                 "-signer", self.base + ".cert.pem", "-inkey", self.base + ".key.pem",
                 *(["-chain", self.base + ".chain.pem"])], capture_output=True, check=True).stdout

    def answer(self, handler, query):
        fault = self.fault
        if self.failures > 0:
            self.failures -= 1
            fault = "500"
        if fault == "500":
            return handler.send_error(500, "out of order")
        if fault == "401":
            return handler.send_error(401, "who are you")
        if fault == "slow":
            return time.sleep(20)
        data = self.reply(query)
        if fault == "html":
            data = b"<html><body>Welcome to the proxy. Please log in.</body></html>"
        elif fault == "empty":
            data = b""
        elif fault == "rejection":
            data = rejection()
        elif fault == "replay" and self.last:
            data = self.last
        elif fault == "bits":
            data = data[:-20] + bytes([data[-20] ^ 1]) + data[-19:]
        elif fault == "nonce":
            data = self.forged(query, nonce=fields_of(query) + 1)
        elif fault == "imprint":
            data = self.forged(query, imprint=bytes(32))
        elif fault == "policy":
            data = self.forged(query, policy="1.2.3.4.99")
        elif fault == "other":
            data = self.forged(query, authority=self.other)
        elif fault == "yesterday":
            data = self.forged(query, when=now() - DAY)
        elif fault == "tomorrow":
            data = self.forged(query, when=now() + DAY)
        self.last = data
        handler.send_response(200)
        handler.send_header("Content-Type", "application/timestamp-reply")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        if fault == "cut":
            handler.wfile.write(data[:len(data) // 2])
            handler.wfile.flush()
            return handler.connection.close()
        if fault == "drip":
            for byte in data[:200]:
                handler.wfile.write(bytes([byte]))
                handler.wfile.flush()
                time.sleep(0.3)
            return None
        handler.wfile.write(data)
        return None

    def forged(self, query, authority=None, **changes):
        # The imprint of a request by SHA-256 are the 32 bytes behind its only OCTET STRING of that length.
        at = query.index(b"\x04\x20") + 2
        options = {"nonce": fields_of(query), "imprint": query[at:at + 32], **changes}
        return token(b"", authority or self.authority, **options)


def openssl_verifies(data, answer, ca, directory, at=None):
    """What OpenSSL says of an answer."""
    paths = [os.path.join(directory, name) for name in ("opinion.data", "opinion.tsr")]
    for path, content in zip(paths, (data, answer)):
        with open(path, "wb") as file:
            file.write(content)
    done = subprocess.run(["openssl", "ts", "-verify", "-data", paths[0], "-in", paths[1], "-CAfile", ca,
                           *(["-attime", str(int(at.timestamp()))] if at else [])], capture_output=True)
    return b"Verification: OK" in done.stdout
