"""Makes and re-seals archives without Exeat: an independent writer of docs/FORMAT.md for tests.

What it makes from scratch, `exeat verify` accepts; from there a test changes what it wants, and has
a trusted key seal it again.
"""
import json
import os
import subprocess
import uuid

from forge_parts import *


class Archive:
    """The parts of an archive of one source of files; change any before `seal`."""

    def __init__(self, items, name="forged", kind="files"):
        self.name = name
        self.kind = kind
        self.items = items
        self.id = str(uuid.uuid4())
        self.segments = None        # plaintexts of the tree; made of the items unless given
        self.index = None
        self.plain_bytes = {}       # lies about lengths, by path
        self.stored = {}            # stored bytes instead of compressed plaintext, by path
        self.tree_counts = None
        self.digests = None
        self.edit_manifest = lambda manifest: manifest
        self.edit_catalogue = lambda catalogue: catalogue
        self.edit_journal = lambda lines: lines
        self.edit_seal = lambda seal: seal
        self.edit_files = lambda files: files      # after all tag files, before the tag manifest
        self.manifest_lines = None
        self.tag_lines = None
        self.edit_proof = lambda proof: proof
        self.seal_bytes = canonical
        self.manifest_bytes = canonical
        self.status = 0
        self.encrypt = None

    def payload(self):
        stream, offsets = b"", []
        for item in self.items:
            offsets.append(len(stream))
            block = item.block()
            # The position is that of the entry's own first block.
            stream += block
        stream += b"\0" * 1024
        segments = self.segments or [stream]
        index = self.index if self.index is not None else b"".join(
            item.index(0, offset) for item, offset in zip(self.items, offsets))
        folder = "s"
        plains = {f"data/{folder}/tree-00001/segment-{number:05d}.tar.zst": data
                  for number, data in enumerate(segments)}
        plains[f"data/{folder}/index-00002/segment-00000.jsonl.zst"] = index
        stored = {path: self.stored.get(path, compress(data)) for path, data in plains.items()}
        if self.encrypt:
            stored = {path + ".age": self.encrypt(data) for path, data in stored.items()}
            plains = {path + ".age": data for path, data in plains.items()}
        return plains, stored

    def write(self, directory, key):
        """Writes the sealed archive to a new directory."""
        plains, stored = self.payload()
        entries = len([item for item in self.items if item.line != b""])

        def segments(text):
            return [{"path": path, "bytes": len(stored[path]), "sha256": sha256(stored[path]),
                     "plainBytes": self.plain_bytes.get(path, len(plains[path]))}
                    for path in sorted(stored) if text in path]

        digests = self.digests or {
            "tree-content": merkle([item.content_leaf() for item in self.items]).hex(),
            "tree-metadata": merkle([item.metadata_leaf() for item in self.items]).hex()}
        artifacts = [
            {"name": "tree", "folder": "s/tree-00001", "kind": "file-tree", "legal": "exportable-data",
             "format": "tar", "segments": segments("tree-00001"), "digests": digests,
             "counts": self.tree_counts or {"entries": entries}},
            {"name": "index", "folder": "s/index-00002", "kind": "file-index",
             "legal": "exportable-data", "format": "jsonl", "segments": segments("index-00002"),
             "digests": {}, "counts": {"lines": entries}},
        ]
        now = "2026-11-23T12:00:00.000Z"
        bag = "urn:uuid:" + self.id
        manifest = {
            "exeat-manifest": 1, "bag": bag, "name": self.name, "createdAt": now,
            "run": {"purpose": "trial"},
            "sources": [{
                "name": "s", "kind": self.kind, "folder": "s",
                "moment": {"kind": "file-system-time", "value": now}, "facts": {"paths": ["/forged"]},
                "artifacts": artifacts, "omissions": {"total": 0, "counts": [], "lines": []}}]}
        catalogue = {
            "exeat-catalogue": 1, "bag": bag, "createdAt": now, "purpose": "trial",
            "expected": entries, "exported": entries, "omitted": 0,
            "sources": [{"folder": "s", "kind": self.kind, "expected": entries, "exported": entries,
                         "counts": {}, "omitted": [],
                         "artifacts": [{**{k: a[k] for k in ("folder", "kind", "legal", "format")},
                                        "segments": len(a["segments"]),
                                        "bytes": sum(s["bytes"] for s in a["segments"])}
                                       for a in artifacts]}]}
        events = [{"ev": "run.opened", "run": "export", "name": self.name, "purpose": "trial",
                   "plan": sha256(b"plan"), "encrypted": bool(self.encrypt), "tool": "forge 1",
                   "bag": bag},
                  {"ev": "source.inventoried", "s": 0, "artifacts": 2, "segments": len(stored),
                   "expected": entries, "bytes": 1}]
        end = 0
        for number, artifact in enumerate(artifacts):
            for place, segment in enumerate(artifact["segments"]):
                # Where the member ends in a tar that has the payload in this order.
                end += 512 + segment["bytes"] + -segment["bytes"] % 512
                events.append({"ev": "segment.committed", "s": 0, "a": number, "n": place,
                               **{k: segment[k] for k in ("path", "bytes", "sha256", "plainBytes")},
                               "exported": entries, "omitted": 0, "end": end})
            events.append({"ev": "artifact.completed", "s": 0, "a": number})
        events.append({"ev": "run.completed", "status": self.status, "expected": entries,
                       "exported": entries, "omitted": 0})
        files = dict(stored)
        manifest_name = "exeat/manifest.json"
        files[manifest_name] = self.manifest_bytes(self.edit_manifest(manifest))
        files["exeat/restore.txt"] = b"# restore\n"
        if self.encrypt:
            for path in [manifest_name, "exeat/restore.txt"]:
                files[path + ".age"] = self.encrypt(files.pop(path))
        files["exeat/catalogue.json"] = canonical(self.edit_catalogue(catalogue))
        files["exeat/journal.jsonl"], journal = chain(self.edit_journal(events))
        self.finish(directory, key, files, journal, now)

    def finish(self, directory, key, files, journal, now):
        payload = {path: data for path, data in files.items() if path.startswith("data/")}
        size = sum(map(len, payload.values()))
        files["bagit.txt"] = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
        files["bag-info.txt"] = (
            f"Bagging-Date: 2026-11-23\nExternal-Identifier: urn:uuid:{self.id}\n"
            f"Payload-Oxum: {size}.{len(payload)}\nBag-Software-Agent: forge 1\n"
            "BagIt-Profile-Identifier: urn:exeat:bag-profile:v1\n").encode()
        files["VERIFY.txt"] = files["RESTORE.txt"] = b"# by hand\n"
        lines = [f"{sha256(payload[path])}  {path}\n" for path in sorted(payload)]
        files["manifest-sha256.txt"] = "".join(
            self.manifest_lines(lines) if self.manifest_lines else lines).encode()
        files = self.edit_files(files)
        tags = [f"{sha256(files[path])}  {path}\n" for path in sorted(files)
                if not path.startswith("data/")]
        files["tagmanifest-sha256.txt"] = "".join(
            self.tag_lines(tags) if self.tag_lines else tags).encode()
        keys = {"keys/signer.allowed_signers": key.allowed_signers(),
                "keys/signer.mldsa65.pem": key.pem()}
        seal = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "tagmanifest-sha256.txt",
                         "digest": {"sha256": sha256(files["tagmanifest-sha256.txt"])}}],
            "predicateType": "urn:exeat:seal:v1",
            "predicate": {
                "bag": "urn:uuid:" + self.id, "name": self.name, "createdAt": now,
                "run": {"purpose": "trial", "id": self.id}, "journal": journal,
                "payload": {"files": len(payload), "bytes": size}, "signer": key.signer,
                "keys": [{"name": name, "sha256": sha256(data)} for name, data in sorted(keys.items())],
                "outcome": {"status": self.status, "expected": len(self.items),
                            "exported": len(self.items), "omitted": 0},
                "tool": {"name": "forge", "version": "1"}, "planSha256": sha256(b"plan")}}
        document = self.seal_bytes(self.edit_seal(seal))
        proof = {"proof/seal.json": document, "proof/seal.json.sig": key.sshsig(document),
                 "proof/seal.json.mldsa65": key.mldsa(document)}
        proof.update({"proof/" + name: data for name, data in keys.items()})
        files.update(self.edit_proof(proof))
        for path, data in files.items():
            place = os.path.join(directory, path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "wb") as file:
                file.write(data)


def chain(events):
    """The journal's bytes, and what a seal says of it."""
    previous, lines = "0" * 64, []
    for number, event in enumerate(events):
        if isinstance(event, bytes):
            line = event
        else:
            fields = {"seq": number, "t": "2026-11-23T12:00:00.000Z", "prev": previous}
            fields["ev"] = event["ev"]
            fields.update({key: value for key, value in event.items() if key != "ev"})
            line = json.dumps(fields, separators=(",", ":")).encode()
        lines.append(line)
        previous = sha256(line)
    data = b"".join(line + b"\n" for line in lines)
    return data, {"entries": len(lines), "bytes": len(data), "head": previous,
                  "root": merkle([leaf(line) for line in lines]).hex()}


# MARK: - Tar

def tar_header(name, path, size):
    """The one header that a bag's tar may have; see docs/FORMAT.md."""
    return header(path.encode(), b"0", size, 0o644, 0, 0, 0, prefix=name.encode())


# MARK: - Archives that Exeat wrote

def reseal(directory, key, edits, edit_manifest=None, edit_catalogue=None):
    """Changes the plaintext of segments of an unencrypted archive and has `key` seal it again, as an
    exporter that lies would. `edits` maps the kind of an artifact to a function over its plaintext;
    `edit_manifest` and `edit_catalogue` change those at last."""
    def read(path):
        with open(os.path.join(directory, path), "rb") as file:
            return file.read()

    def write(path, data):
        with open(os.path.join(directory, path), "wb") as file:
            file.write(data)

    manifest = json.loads(read("exeat/manifest.json"))
    catalogue = json.loads(read("exeat/catalogue.json"))
    changed = {}
    for source, listed in zip(manifest["sources"], catalogue["sources"]):
        for artifact, entry in zip(source["artifacts"], listed["artifacts"]):
            edit = edits.get(artifact["kind"])
            for segment in artifact["segments"] if edit else []:
                plain = edit(subprocess.run(["zstd", "-qdc"], input=read(segment["path"]), capture_output=True,
                                            check=True).stdout)
                stored = compress(plain)
                entry["bytes"] += len(stored) - segment["bytes"]
                segment.update(bytes=len(stored), sha256=sha256(stored), plainBytes=len(plain))
                changed[segment["path"]] = segment
                write(segment["path"], stored)
    if edit_manifest:
        edit_manifest(manifest)
    if edit_catalogue:
        edit_catalogue(catalogue)
    write("exeat/manifest.json", canonical(manifest))
    write("exeat/catalogue.json", canonical(catalogue))
    events = []
    for line in read("exeat/journal.jsonl").splitlines():
        event = {name: value for name, value in json.loads(line).items() if name not in ("seq", "t", "prev")}
        if event.get("path") in changed:
            event.update({name: changed[event["path"]][name] for name in ("bytes", "sha256", "plainBytes")})
        events.append(event)
    data, journal = chain(events)
    write("exeat/journal.jsonl", data)
    payload = [os.path.relpath(os.path.join(base, name), directory)
               for base, _, names in os.walk(os.path.join(directory, "data")) for name in names]
    size = sum(os.path.getsize(os.path.join(directory, path)) for path in payload)
    write("manifest-sha256.txt", "".join(f"{sha256(read(path))}  {path}\n" for path in sorted(payload)).encode())
    lines = read("bag-info.txt").decode().splitlines(keepends=True)
    write("bag-info.txt", "".join(f"Payload-Oxum: {size}.{len(payload)}\n" if line.startswith("Payload-Oxum") else line
                                  for line in lines).encode())
    tags = [line.split("  ", 1)[1] for line in read("tagmanifest-sha256.txt").decode().splitlines()]
    write("tagmanifest-sha256.txt", "".join(f"{sha256(read(path))}  {path}\n" for path in sorted(tags)).encode())
    seal = json.loads(read("proof/seal.json"))
    seal["subject"][0]["digest"]["sha256"] = sha256(read("tagmanifest-sha256.txt"))
    seal["predicate"].update(journal=journal, payload={"files": len(payload), "bytes": size})
    document = canonical(seal)
    write("proof/seal.json", document)
    write("proof/seal.json.sig", key.sshsig(document))
    write("proof/seal.json.mldsa65", key.mldsa(document))
