#!/usr/bin/env python3
"""A small HTTPS server, or an HTTP proxy, for the tests of the module HTTP.

    https_server.py server CERT KEY LOG     prints its port, and one line to LOG for each request
    https_server.py scripted CERT KEY RULES LOG
                                            answers as the first rule says that matches: JSON lines
                                            {match, status, reason, body, times, drop}; LOG gets
                                            {line, headers, body} for each request
    https_server.py proxy LOG               the same for CONNECT; "secret" as user and password
    https_server.py certificate NAME DAYS CERT KEY
                                            makes a certificate that signs itself
    https_server.py cutter PORT BYTES TIMES LOG
                                            passes connections on to PORT; cuts the first TIMES of
                                            them after that many bytes of answers
"""
import base64
import hashlib
import http.server
import json
import os
import select
import socket
import ssl
import sys
import threading
import time

mode = sys.argv[1]


def certificate(name, days, certificate_path, key_path):
    """OpenSSL's command makes none that has expired."""
    from datetime import datetime, timedelta, timezone
    from ipaddress import ip_address
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    other = x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    now = datetime.now(timezone.utc)
    made = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + timedelta(days=int(days)))
            .add_extension(x509.SubjectAlternativeName([other]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256()))
    with open(certificate_path, "wb") as file:
        file.write(made.public_bytes(serialization.Encoding.PEM))
    with open(key_path, "wb") as file:
        file.write(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))


if mode == "certificate":
    certificate(*sys.argv[2:])
    sys.exit()
log = open(sys.argv[-1], "a", buffering=1)


rules = []
if mode == "scripted":
    with open(sys.argv[4]) as file:
        rules = [json.loads(line) for line in file]
rules_lock = threading.Lock()


class Scripted(http.server.BaseHTTPRequestHandler):
    """Answers by rules; `match` is the start of "METHOD PATH"."""
    protocol_version = "HTTP/1.1"

    def setup(self):
        self.request.settimeout(60)
        self.request.do_handshake()
        super().setup()

    def log_message(self, *_):
        pass

    def serve(self):
        line = f"{self.command} {self.path}"
        with rules_lock:
            rule = next((r for r in rules if line.startswith(r["match"]) and r.get("times", 1) > 0),
                        {"status": 501, "reason": f"no rule for {line}"})
            if "times" in rule:
                rule["times"] -= 1
        drop = rule.get("drop")
        if drop == "early":
            self.rfile.read(100)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            log.write(json.dumps({"line": line, "headers": dict(self.headers),
                                  "body": body[:20000].decode("latin-1")}) + "\n")
        if drop:
            self.request.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        text = rule.get("body")
        data = b"" if text is None else (text if isinstance(text, str) else json.dumps(text)).encode()
        self.send_response(rule.get("status", 200), rule.get("reason"))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = serve


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        if mode == "server":
            self.request.settimeout(60)
            self.request.do_handshake()
        super().setup()

    def log_message(self, *_):
        log.write(self.requestline + "\n")

    def answer(self, status, body=b"", reason=None, headers=()):
        self.send_response(status, reason)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/hello":
            self.answer(200, b"hello")
        elif path == "/reason":
            self.answer(500, reason="Configuration file 'nodes/a/qemu-server/100.conf' does not exist")
        elif path == "/headers":
            self.answer(200, json.dumps(dict(self.headers)).encode())
        elif path == "/redirect":
            self.answer(302, headers=[("Location", "/hello")])
        elif path == "/big":
            size = int(query)
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            block = bytes(range(256)) * 256
            while size > 0:
                self.wfile.write(block[:size])
                size -= len(block)
        elif path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            self.wfile.write(b"x" * 5000)
            self.wfile.flush()
            self.request.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif path == "/stall":
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            self.wfile.write(b"x" * 5000)
            self.wfile.flush()
            time.sleep(30)
        elif path == "/drop":
            self.request.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        else:
            self.answer(404, b"nothing here")

    def do_POST(self):
        if self.path == "/drop":
            self.request.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        left = int(self.headers["Content-Length"])
        stop = 1 << 20 if self.path == "/cut" else None
        digest, start, end = hashlib.sha256(), b"", b""
        while left > 0:
            block = self.rfile.read(min(left, 65536))
            if not block:
                return
            if self.path == "/slow":
                time.sleep(0.05)
            digest.update(block)
            start = (start + block)[:1000]
            end = (end + block)[-200:]
            left -= len(block)
            if stop is not None:
                stop -= len(block)
                if stop <= 0:
                    self.request.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
        self.answer(200, json.dumps({
            "method": self.command, "digest": digest.hexdigest(),
            "length": int(self.headers["Content-Length"]), "headers": dict(self.headers),
            "start": start.decode("latin-1"), "end": end.decode("latin-1")}).encode())

    do_PUT = do_POST

    def do_DELETE(self):
        self.answer(200, b"gone")

    def do_CONNECT(self):
        expected = "Basic " + base64.b64encode(b"secret:secret").decode()
        if self.headers.get("Proxy-Authorization") != expected:
            self.answer(407, headers=[("Proxy-Authenticate", "Basic")])
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as other:
            self.send_response(200)
            self.end_headers()
            ends = [self.request, other]
            while True:
                for ready in select.select(ends, [], [])[0]:
                    block = ready.recv(65536)
                    if not block:
                        return
                    (other if ready is self.request else self.request).sendall(block)


def cutter():
    target, limit, times = int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)

    def forward(client, left):
        try:
            with client, socket.create_connection(("127.0.0.1", target)) as other:
                while True:
                    for ready in select.select([client, other], [], [])[0]:
                        block = ready.recv(65536)
                        if not block:
                            return
                        if ready is other and left is not None:
                            block = block[:left]
                        (other if ready is client else client).sendall(block)
                        if ready is other and left is not None:
                            left -= len(block)
                            if left <= 0:
                                log.write("cut\n")
                                return
        except OSError:
            pass

    while True:
        client, _ = listener.accept()
        log.write("connection\n")
        threading.Thread(
            target=forward, args=(client, limit if times > 0 else None), daemon=True).start()
        times -= 1


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


# Whoever started us holds the other end of standard input: without it we end, too.
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
if mode == "cutter":
    cutter()
server = Server(("127.0.0.1", 0), Scripted if mode == "scripted" else Handler)
if mode in ("server", "scripted"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
