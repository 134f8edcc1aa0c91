"""A certificate authority like a cluster's own, and a certificate for each node."""
import datetime
import ipaddress
import os
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def name(**values):
    oids = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME}
    return x509.Name([x509.NameAttribute(oids[key], value) for key, value in values.items()])


class Authority:
    def __init__(self, directory):
        self.directory = directory
        os.makedirs(os.path.join(directory, "priv"), exist_ok=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = name(CN="Proxmox Virtual Environment", OU="simulator", O="PVE Cluster Manager CA")
        self.certificate = self._sign(self.name, self.key.public_key(), authority=True)
        self.path = os.path.join(directory, "pve-root-ca.pem")
        with open(self.path, "wb") as file:
            file.write(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, subject, public_key, authority=False, names=()):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
                   .public_key(public_key).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=3650 if authority else 730))
                   .add_extension(x509.BasicConstraints(authority, None), critical=True)
                   .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                                  critical=False))
        if authority:
            builder = builder.add_extension(x509.KeyUsage(
                False, False, False, False, False, True, True, False, False), critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, node):
        """A new certificate of a node under its directory; gives back certificate and context."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(
            name(CN=f"{node}.example.test", OU="PVE Cluster Node", O="Proxmox Virtual Environment"),
            key.public_key(), names=[x509.DNSName("localhost"), x509.DNSName(node),
                                     x509.DNSName(f"{node}.example.test"),
                                     x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                                     x509.IPAddress(ipaddress.ip_address("::1"))])
        folder = os.path.join(self.directory, "nodes", node)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "pve-ssl.pem"), "wb") as file:
            file.write(certificate.public_bytes(serialization.Encoding.PEM))
        key_path = os.path.join(folder, "pve-ssl.key")
        with open(os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(folder, "pve-ssl.pem"), key_path)
        return certificate, context


def fingerprint(certificate):
    digest = certificate.fingerprint(hashes.SHA256()).hex().upper()
    return ":".join(digest[place:place + 2] for place in range(0, 64, 2))
