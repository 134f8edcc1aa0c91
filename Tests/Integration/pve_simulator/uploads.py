"""Uploads: the multipart body as strictly as pveproxy reads it, and the task that puts the file in place."""
import hashlib
import os
import re
import secrets
import shutil

from .errors import Refused, TaskFailed, refuse_parameter
from .routes import route
from .storages import image_info

ORDER = ["content", "checksum-algorithm", "checksum", "filename"]
DISPOSITION = re.compile(rb'Content-Disposition: form-data; name="([^"]*)"(?:; filename="([^"]*)")?', re.IGNORECASE)


class Received:
    def __init__(self, path, size):
        self.path, self.size = path, size


class Body:
    """The bytes of one request's body, taken line by line and then as a stream."""

    def __init__(self, file, length):
        self.file, self.left, self.held = file, length, b""

    def read(self, count):
        data = self.file.read1(min(count, self.left)) if self.left else b""
        if not data and self.left:
            raise ConnectionError("upload ended early")
        self.left -= len(data)
        return data

    def until(self, mark, limit=16384):
        while mark not in self.held:
            if len(self.held) > limit:
                raise Refused(501, "multipart header too large")
            more = self.read(16384)
            if not more:
                raise ConnectionError("the parser waits for a mark that never comes")
            self.held += more
        before, _, self.held = self.held.partition(mark)
        return before

    def drain(self):
        while self.left and self.read(1 << 20):
            pass


def read_upload(handler, values):
    """Reads the body. What it refuses leaves its file in /var/tmp behind, as the real one does."""
    length, kind = handler.headers.get("Content-Length"), handler.headers.get("Content-Type", "")
    found = re.match(r'multipart/form-data;.*boundary="?([^";]+)"?', kind, re.IGNORECASE)
    if not length or not length.isdigit():
        raise Refused(501, "upload without Content-Length header")
    if not found:
        body = Body(handler.rfile, int(length))
        body.drain()
        raise Refused(501, f"upload '{kind}' not allowed")
    body = Body(handler.rfile, int(length))
    boundary = b"--" + found[1].encode()
    position, received = 0, None
    if not body.until(b"\r\n") == boundary:
        body.drain()
        raise Refused(400, "invalid multipart body")
    while received is None:
        head = body.until(b"\r\n\r\n")
        part = DISPOSITION.match(head)
        if not part:
            body.drain()
            raise Refused(500, "wrong field name" if b"name=" in head else "missing Content-Disposition")
        name = part[1].decode()
        if part[2] is not None:
            if name != "filename":
                body.drain()
                raise Refused(500, f"wrong field name '{name}' for file upload, expected 'filename'")
            received = store(handler, body, boundary)
            values["filename"] = part[2].decode("utf-8", "replace")
            break
        if name not in ORDER[:3] or ORDER.index(name) < position:
            if name in ORDER[:3] and name != "content":
                raise ConnectionError("the parser stalls on the order of the fields")
            body.drain()
            raise Refused(400, "Parameter verification failed.", {
                name: "property is not defined in schema and the schema does not allow additional properties"})
        if name == "checksum" and "checksum-algorithm" not in values:
            # Waits for a field that has gone by: the connection dies without an answer.
            raise ConnectionError("the parser stalls on the order of the fields")
        if name == "checksum-algorithm" and "content" not in values:
            body.drain()
            refuse_parameter(content="property is missing and it is not optional")
        values[name] = body.until(b"\r\n" + boundary).decode("utf-8", "replace")
        position = ORDER.index(name)
        if body.until(b"\r\n"):
            raise Refused(400, "invalid multipart body")
    values["tmpfilename"] = "/var/tmp/" + os.path.basename(received.path)
    return values, received


def store(handler, body, boundary):
    simulator = handler.simulator
    folder = simulator.at("var-tmp", handler.server.node)
    path = os.path.join(folder, f"pveupload-{secrets.token_hex(16)}")
    mark, size = b"\r\n" + boundary, 0
    with open(path, "wb") as file:
        held = body.held
        while True:
            place = held.find(mark)
            if place >= 0:
                file.write(held[:place])
                size += place
                break
            keep = len(mark) - 1
            if len(held) > keep:
                file.write(held[:-keep])
                size += len(held) - keep
                held = held[-keep:]
            more = body.read(1 << 20)
            if not more:
                raise ConnectionError("no closing boundary")
            fits = simulator.faults.take_room("var-tmp", len(more))
            if fits < len(more):
                body.drain()
                raise Refused(500, "unable to write to temporary file: No space left on device")
            held += more
    body.drain()
    return Received(path, size)


def normalised(name):
    """The last component, with `_` for each character that is not plain."""
    name = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[^a-zA-Z0-9_.-]", "_", name)


def allowed_name(simulator, content, name):
    """Whether the name's ending is one that the content takes in this version."""
    version = simulator.version
    endings = {
        "iso": r"\.(?:iso|img)",
        "vztmpl": r"\.tar\.(?:gz|xz|zst)" if version.startswith("7") else r"\.tar\.(?:gz|xz|zst|bz2)"
        if version.startswith("8") else r"\.tar(?:\.(?:gz|xz|zst|bz2))?",
        "import": r"\.ova" if version == "8.3" else r"\.(?:ova|qcow2|raw|vmdk)"}
    kinds = {"iso": "wrong file extension", "vztmpl": "wrong file extension", "import": "wrong file extension"}
    found = re.fullmatch(r"[^/]+" + endings[content], name, re.IGNORECASE if content == "iso" else 0)
    if not found:
        refuse_parameter(filename=kinds[content])


@route("POST", "/nodes/{node}/storage/{storage}/upload")
def upload(call):
    simulator, storage, content = call.simulator, call.storage(), call["content"]
    if call.upload is None:
        refuse_parameter(tmpfilename="missing temporary file name")
    name = normalised(call["filename"])
    if not storage.has_paths:
        raise Refused(500, f"can't upload to storage type '{storage.kind}'")
    allowed_name(simulator, content, name)
    if content not in storage.content:
        raise Refused(500, f"storage '{storage.id}' does not support '{content}' content")
    if bool(call.get("checksum")) != bool(call.get("checksum-algorithm")):
        refuse_parameter(checksum="missing property - 'checksum-algorithm' requires this property")
    received = call.upload

    def work(task):
        task.log(f"starting file import from: {received.path}")
        target = os.path.join(storage.folder(call.node, content), name)
        task.log(f"target node: {call.node}")
        task.log(f"target file: {target}")
        task.log(f"file size is: {received.size}")
        if call.get("checksum"):
            digest = hashlib.new(call["checksum-algorithm"])
            with open(received.path, "rb") as file:
                while piece := file.read(1 << 20):
                    digest.update(piece)
            task.log(f"calculating checksum...{digest.hexdigest()}")
            if digest.hexdigest() != call["checksum"].lower():
                os.unlink(received.path)
                raise TaskFailed(f"checksum mismatch: got '{digest.hexdigest()}' != expect '{call['checksum']}'")
        if content == "import":
            try:
                check_image(received.path, name)
            except TaskFailed:
                os.unlink(received.path)
                raise
        if simulator.faults.take_room(storage.id, received.size) < received.size:
            os.unlink(received.path)
            raise TaskFailed("import failed: No space left on device")
        task.log(f"command: cp -- {received.path} {target}")
        shutil.copyfile(received.path, target)
        os.unlink(received.path)
        task.log("finished file import successfully")
    return call.task("imgcopy", "", work)


def check_image(path, name):
    form = name.rsplit(".", 1)[-1]
    if form == "ova":
        return
    if form == "raw":
        return
    try:
        info = image_info(path)
    except ValueError as error:
        raise TaskFailed(f"could not get info of image: {error}") from None
    if info["format"] != form:
        raise TaskFailed(f"{path} is not in {form} format - got {info['format']}")
    if info.get("backing-filename") or "data-file" in str(info.get("format-specific", {})):
        raise TaskFailed("image has a backing file, which is not allowed for imports")
