"""What is compared: each tool packs a tree into a store and unpacks it again.

Every script ends with `sync -f`, because an archive that a power cut can take away is not there yet.
Exeat syncs by itself and pays for that call all the same. What is prepared (keys, repositories,
plans) is not in the times.
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys

import measure

root = pathlib.Path(__file__).resolve().parents[2]


class Tool:
    name = ""
    #: What is done with the bytes, for the table.
    settings = ""
    programs = ()

    def prepare(self, folder):
        """Makes what a first export finds in an empty folder; not timed."""

    def pack(self, tree, folder):
        """The script that exports `tree` into `folder`, and its environment."""
        raise NotImplementedError

    def unpack(self, folder, target):
        """The script that imports what lies in `folder` into `target`, which does not exist."""
        raise NotImplementedError

    def unpacked(self, target):
        """Where the tree lies then."""
        return target

    def store(self, folder):
        """What of `folder` is the result, for its size."""
        return folder / "store"

    def version(self):
        return measure.version(self.programs[0], "--version")


def quote(path):
    return shlex.quote(str(path))


class Tar(Tool):
    name = "tar | zstd"
    settings = "level 3, two threads, SHA-256 of the result; restoring checks no digest"
    programs = ("tar", "zstd", "sha256sum", "mkfifo")

    def prepare(self, folder):
        (folder / "store").mkdir()

    def pack(self, tree, folder):
        # As `| tee >(sha256sum)` of bash, but with a name to wait for.
        return (f"""
            mkfifo pipe
            sha256sum < pipe > store/out.sha256 &
            tar -C {quote(tree)} -cf - . | zstd -q -T2 -3 | tee pipe > store/out.tar.zst
            wait
            rm pipe
            sync -f store
            """, {})

    def unpack(self, folder, target):
        return (f"""
            mkdir {quote(target)}
            zstd -q -dc store/out.tar.zst | tar -C {quote(target)} -xf -
            sync -f {quote(target)}
            """, {})

    def version(self):
        zstd = re.search(r"v\d[\d.]+", measure.version("zstd", "--version"))
        return f"{measure.version('tar', '--version')}, zstd {zstd[0] if zstd else ''}"


class Restic(Tool):
    name = "restic"
    settings = "compression auto, always encrypted, cache in the folder of the run"
    programs = ("restic",)

    def environment(self, folder):
        return {
            "RESTIC_REPOSITORY": str(folder / "store"), "RESTIC_PASSWORD": "bench",
            "RESTIC_CACHE_DIR": str(folder / "cache"),
        }

    def prepare(self, folder):
        measure.run("restic init", folder, self.environment(folder))

    def pack(self, tree, folder):
        return (f"""
            cd {quote(tree)}
            restic backup --quiet .
            sync -f {quote(folder)}
            """, self.environment(folder))

    def unpack(self, folder, target):
        return (f"""
            mkdir {quote(target)}
            restic restore latest --quiet --target {quote(target)}
            sync -f {quote(target)}
            """, self.environment(folder))

    def version(self):
        return measure.version("restic", "version")


class Borg(Tool):
    name = "borg"
    settings = "zstd,3, no encryption"
    programs = ("borg",)

    def environment(self, folder):
        return {
            "BORG_REPO": str(folder / "store"), "BORG_BASE_DIR": str(folder / "base"),
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
            "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
        }

    def prepare(self, folder):
        (folder / "base").mkdir()
        measure.run("borg init -e none", folder, self.environment(folder))

    def pack(self, tree, folder):
        return (f"""
            cd {quote(tree)}
            borg create --compression zstd,3 ::tree .
            sync -f {quote(folder)}
            """, self.environment(folder))

    def unpack(self, folder, target):
        return (f"""
            mkdir {quote(target)}
            cd {quote(target)}
            borg extract --numeric-ids ::tree
            sync -f .
            """, self.environment(folder))


class Exeat(Tool):
    name = "exeat"
    settings = "level 3, sealed, in clear; restoring checks every digest and reads the target again"
    recipient = False
    level = "3"

    def __init__(self):
        self.binary = os.environ.get("EXEAT", str(root / ".build/release/exeat"))
        if not os.access(self.binary, os.X_OK):
            sys.exit(f"no {self.binary}; build it with: swift build -c release --product exeat")
        self.programs = (self.binary,)

    def prepare(self, folder):
        measure.run(f"{quote(self.binary)} keys new {quote(folder / 'bench')}", folder)

    def export_plan(self, tree, folder):
        plan = ["exeat: 1", "run: { purpose: trial }", "sources:",
                f"  tree: {{ kind: files, path: \"{tree}\" }}", "archive:", "  name: bench",
                f"  compression: {{ level: {self.level} }}", "  sign-with: bench"]
        if self.recipient:
            plan.append(f"  encrypt-to: [ {(folder / 'bench.agepub').read_text().strip()} ]")
        (folder / "export.yaml").write_text("\n".join(plan) + "\n")

    def pack(self, tree, folder):
        self.export_plan(tree, folder)
        return (f"""
            {quote(self.binary)} export export.yaml --output store --progress none
            sync -f store
            """, {})

    def unpack(self, folder, target):
        plan = ["exeat: 1", "trust: bench.trust.json", "sign-with: bench", "verify: digest",
                "targets:", f"  tree: {{ kind: files, path: \"{target}\" }}"]
        if self.recipient:
            plan.insert(2, "decrypt-with: bench.agekey")
        (folder / "import.yaml").write_text("\n".join(plan) + "\n")
        return (f"""
            rm -rf work
            {quote(self.binary)} import store import.yaml --work work --progress none
            sync -f {quote(target)}
            """, {})

    def verify(self, folder):
        keys = " --decrypt-with bench.agekey" if self.recipient else ""
        return (f"{quote(self.binary)} verify store --trust bench.trust.json{keys} --progress none",
                {})

    def version(self):
        commit = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty"],
            capture_output=True, text=True).stdout.strip()
        return f"{measure.version(self.binary, '--version')} ({commit})"


class EncryptedExeat(Exeat):
    name = "exeat, age"
    settings = "the same, each segment encrypted with age (X25519, ChaCha20-Poly1305)"
    recipient = True


class AdaptiveExeat(Exeat):
    name = "exeat, adaptive"
    settings = ("the same as exeat, with level: adaptive (1 to 9, by which of compressing and storing is "
                "slower; the stored bytes show what that costs)")
    level = "adaptive"


kinds = {"tar": Tar, "restic": Restic, "borg": Borg, "exeat": Exeat, "exeat-age": EncryptedExeat,
         "exeat-adaptive": AdaptiveExeat}
