"""The HTTPS side: what pveproxy does before and after a method of the API runs."""
import http.server
import json
import re
import socket
import threading
import time
import traceback
import urllib.parse

from .collections_api import generic
from .errors import Refused
from .routes import ROUTES, Call
from .tasks import Download
from .uploads import read_upload


class Cut(Exception):
    """Ends the connection without an answer."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "pve-api-daemon/3.0", ""
    timeout = 120

    def log_message(self, *arguments):
        pass

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, OSError):
            pass

    def do_GET(self):
        self.serve()

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET

    @property
    def simulator(self):
        return self.server.simulator

    def serve(self):
        line = f"{self.command} {self.path}"
        if self.server.node in self.simulator.faults.down:
            self.close_connection = True
            return
        try:
            self.simulator.record(line)
            self.simulator.faults.request(line)
            answer, extra = self.answer()
            status, reason = 200, "OK"
            if isinstance(answer, Download):
                return self.send(200, "OK", answer.data, "text/plain; charset=UTF-8", line)
            body = {"data": answer, **extra}
        except Cut:
            self.close_connection = True
            return
        except Refused as refusal:
            if refusal.status == 401:
                time.sleep(self.simulator.delay)
            status, reason = refusal.status, refusal.reason
            body = {"data": None}
            if refusal.errors:
                body["errors"] = refusal.errors
            if not self.simulator.version.startswith("7"):
                body["message"] = reason + "\n"
        except (ConnectionError, TimeoutError):
            self.close_connection = True
            return
        except Exception as error:
            traceback.print_exc()
            status, reason, body = 500, f"simulator: {error!r}", {"data": None}
        # The body of a refused request is not read: the next request could not be told from it.
        if status != 200 and self.command != "GET" and not self.body_read:
            self.close_connection = True
        self.send(status, reason, json.dumps(body).encode(), "application/json;charset=UTF-8", line)

    def send(self, status, reason, data, kind, line):
        phrase = re.sub(r"[\r\n]+", " ", reason).strip().encode("utf-8", "replace").decode("latin-1")
        after = self.simulator.faults.cut_after(line)
        self.send_response_only(status, phrase)
        for key, value in (("Cache-Control", "max-age=0"), ("Connection", "close" if self.close_connection
                           else "Keep-Alive"), ("Date", self.date_time_string()), ("Pragma", "no-cache"),
                           ("Server", self.server_version), ("Content-Length", str(len(data))),
                           ("Content-Type", kind)):
            self.send_header(key, value)
        self.end_headers()
        if after is not None:
            self.wfile.write(data[:after])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.wfile.write(data)

    body_read = False

    def answer(self):
        self.body_read = self.command == "GET"
        url = urllib.parse.urlsplit(self.path)
        path = urllib.parse.unquote(url.path)
        if self.headers.get("Transfer-Encoding"):
            raise Refused(501, "chunked transfer encoding not supported")
        if not path.startswith("/api2/"):
            raise Refused(404 if path != "/" else 501, "no such file '%s'" % path)
        _, _, form, *rest = path.split("/")
        if form not in ("json", "extjs"):
            raise Refused(501, f"no such uri '{path}'" if form else "no such uri")
        path = "/" + "/".join(rest).strip("/")
        if self.command not in ("GET", "POST", "PUT", "DELETE"):
            raise Refused(501, f"method '{self.command}' not available")
        upload = self.command == "POST" and re.fullmatch(r"/nodes/[^/]+/storage/[^/]+/upload", path)
        world = self.is_world(path)
        who = "" if world else self.simulator.access.authenticate(self.headers, self.command, bool(upload))
        query = parse_form(url.query)
        if upload:
            return self.upload(who, path, query)
        values = {**query, **self.body(self.command)}
        return self.run(who, path, values)

    def is_world(self, path):
        try:
            method, _ = self.simulator.schema.find(self.command, path)
        except Refused:
            return False
        return (method.get("permissions") or {}).get("user") == "world"

    def body(self, verb):
        length = self.headers.get("Content-Length")
        if verb == "GET" or length in (None, "0"):
            self.body_read = True
            return {}
        if not length.isdigit():
            raise Refused(400, "invalid content length")
        limit = (64 if self.simulator.version.startswith("7") else 512) * 1024
        if int(length) > limit:
            raise Refused(501, "request body too large")
        data = self.rfile.read(int(length))
        self.body_read = True
        kind = self.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind == "application/json":
            try:
                values = json.loads(data or b"{}")
            except ValueError:
                raise Refused(400, "malformed JSON string") from None
            if not isinstance(values, dict):
                raise Refused(400, "JSON body is not an object")
            return values
        if kind in ("application/x-www-form-urlencoded", ""):
            return parse_form(data.decode("utf-8", "replace"))
        raise Refused(501, f"upload '{kind}' not allowed" if kind.startswith("multipart") else
                      f"unsupported content type '{kind}'")

    def upload(self, who, path, query):
        """pveproxy writes the file to /var/tmp of the node that received it; then the call runs."""
        self.close_connection = True
        # What a refusal leaves unread must not become a reset that hides the answer.
        try:
            values, received = read_upload(self, {**query})
            return self.run(who, path, values, received)
        finally:
            self.body_read = True

    def run(self, who, path, values, upload=None):
        simulator = self.simulator
        method, in_path = simulator.schema.find(self.command, path)
        if not method.get("allowtoken", 1) and "!" in who:
            raise Refused(403, "Permission denied - API tokens are not allowed to access this endpoint")
        for key in in_path:
            values.pop(key, None)
        parameters = simulator.schema.verify(method, {**values, **in_path})
        node = parameters.get("node") if path.startswith("/nodes/") else None
        if node is not None:
            if node not in simulator.nodes:
                raise Refused(500, f"hostname lookup '{node}' failed - failed to get address info for: {node}: "
                              "Name or service not known")
            if node in simulator.faults.down and node != self.server.node:
                raise Refused(595, "No route to host")
        simulator.access.check(who, method.get("permissions"), parameters)
        function = ROUTES.get((self.command, method["path"]))
        if function is None:
            function = generic(self.command, method["path"])
        if function is None:
            raise Refused(501, f"Method '{self.command} {method['path']}' is not part of the simulator")
        call = Call(simulator, who, self.server.node, self.command, path, parameters, upload)
        call.template, call.method = method["path"], method
        return function(call), call.extra


def parse_form(text):
    """A query or form; a name that comes again makes a list."""
    values = {}
    for name, value in urllib.parse.parse_qsl(text, keep_blank_values=True):
        if name in values:
            values[name] = (values[name] if isinstance(values[name], list) else [values[name]]) + [value]
        else:
            values[name] = value
    return values


class NodeServer(http.server.ThreadingHTTPServer):
    daemon_threads, allow_reuse_address = True, True
    request_queue_size = 64

    def __init__(self, simulator, node, address, context):
        self.simulator, self.node, self.context = simulator, node, context
        super().__init__(address, Handler)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    def finish_request(self, request, client_address):
        """The handshake happens on the connection's own thread."""
        try:
            request.settimeout(30)
            request = self.context.wrap_socket(request, server_side=True)
        except (OSError, ValueError):
            return
        try:
            super().finish_request(request, client_address)
        finally:
            try:
                request.shutdown(socket.SHUT_WR)
                request.settimeout(0.2)
                while request.recv(65536):
                    pass
            except (OSError, ValueError):
                pass
            request.close()

    def handle_error(self, request, client_address):
        pass
