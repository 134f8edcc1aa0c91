#!/usr/bin/env python3
"""Archives of guests that lie, correctly sealed by a trusted key: refused before anything is written."""
import hashlib
import re
import shutil

from forge import Key, reseal
from proxmox_dumps import *
from proxmox_images import one_disk


def forged(world, name, edits=None, edit_manifest=None):
    """A copy of the honest archive; digests follow what `edits` change of small files."""
    plains = {}
    shutil.copytree(world.at("honest"), world.at(name), symlinks=True)

    def keeping(kind, edit):
        def edited(plain):
            plains[kind] = edit(plain)
            return plains[kind]
        return edited

    def follow(manifest):
        for record in artifacts(manifest):
            plain = plains.get(record["kind"])
            if plain is not None and "sha256" in record["digests"]:
                record["digests"]["sha256"] = hashlib.sha256(plain).hexdigest()
                record["counts"]["bytes"] = len(plain)
        if edit_manifest:
            edit_manifest(manifest)

    reseal(world.at(name), Key(world.at("keys/ours.key")),
           {kind: keeping(kind, edit) for kind, edit in (edits or {}).items()}, follow)


def artifacts(manifest):
    return manifest["sources"][0]["artifacts"]


def renamed(old, new):
    def edit(manifest):
        for record in artifacts(manifest):
            if record["name"] == old:
                record["name"] = new
    return edit


def disk(**changes):
    def edit(manifest):
        for record in artifacts(manifest):
            if record["kind"] == "disk":
                for key, value in changes.items():
                    record["counts" if key in record["counts"] else "digests"][key.replace("_", "-")] = value
    return edit


def described(**changes):
    def edit(plain):
        return json.dumps({**json.loads(plain), **changes}, separators=(",", ":"), sort_keys=True).encode()
    return {"guest": edit}


def importing(world, name, kind="directory", extra=""):
    plan = world.images_plan(name + ".yaml", name + ".target", kind, extra)
    # A forgery has the number of the honest one in its series, which alone would refuse it.
    return world.run("import", world.at(name), plan, "--work", world.at(name + ".work"),
                     "--seen", world.at(name + ".seen"))


def honest_is_taken(world):
    forged(world, "same")
    result = importing(world, "same")
    expect(result.status == 0, f"{result.status} {result.err}")


def refused(world, edits, edit_manifest, statuses=(3,)):
    name = f"refused-{len(os.listdir(world.path))}"
    forged(world, name, edits, edit_manifest)
    witness = tree_of(world.at("witness"))
    result = importing(world, name)
    expect(result.status in statuses, f"{result.status} {result.err}")
    expect("code:" in result.err, result.err)
    expect(not os.path.exists(world.at(name + ".target")), "something was written")
    expect(tree_of(world.at("witness")) == witness and not os.path.exists("/tmp/exeat-evil"), "written elsewhere")
    shutil.rmtree(world.at(name))


def names(world):
    """Names of artifacts that are no part of a guest."""
    for new in ["../../etc/scsi0", "100/../scsi0", "100/..", "/100/scsi0", "100/scsi0/x", "0100/scsi0", "-100/scsi0",
                "100/", "100", "100/SCSI0", "100/scsi 0", "100/scsi0\n", "100/" + "s" * 33, "9223372036854775808/scsi0",
                "100/scsi\u0661", "101/scsi0", "100/configuration", "100/guest"]:
        try:
            refused(world, None, renamed("100/scsi0", new))
        except AssertionError as error:
            raise AssertionError(f"{new!r}: {error}") from None


def descriptions(world):
    for changes in [{"id": 101}, {"id": "100"}, {"id": -100}, {"type": "lxc"}, {"type": "../x"}, {"type": None}, {"name": None},
                    {"name": 7}]:
        try:
            refused(world, described(**changes), None)
        except AssertionError as error:
            raise AssertionError(f"{str(changes)[:60]}: {error}") from None
    for text in [b"", b"{", b"[]", b"\xff", b"{}" * 2]:
        refused(world, {"guest": lambda plain: text}, None)
    # Of the right form, with a digest of another one.
    refused(world, None, lambda manifest: [record["digests"].update(sha256="0" * 64) for record in artifacts(manifest)
                                           if record["kind"] == "guest"])


def odd_names(world):
    """What no guest is called becomes a directory with a plain name, and is told without its codes."""
    for number, name in enumerate(["a\nb", "a\x1b[2Jb", "../../up", "/etc", "n" * 100000, ".", "\u202egpj", ""]):
        forged(world, f"odd-{number}", described(name=name))
        result = importing(world, f"odd-{number}")
        expect(result.status == 0, f"{name[:20]!r}: {result.status} {result.err[:2000]}")
        expect("\x1b" not in result.err and b"\x1b" not in result.out, "a control character is told")
        folders = os.listdir(world.at(f"odd-{number}.target"))
        expect(len(folders) == 1 and re.fullmatch("100(-[A-Za-z0-9-]{1,40})?", folders[0]), folders)
        shutil.rmtree(world.at(f"odd-{number}"))


def sizes(world):
    for changes in [{"bytes": 1 << 62}, {"bytes": -1}, {"bytes": "7"}, {"bytes": 512}, {"sha256-tree-1m": "00"},
                    {"sha256-tree-1m": 7}]:
        try:
            refused(world, None, disk(**changes))
        except AssertionError as error:
            raise AssertionError(f"{changes}: {error}") from None


def overlapping(world):
    """Segments that begin where no leaf does, or that come twice."""
    def shifted(manifest):
        for record in artifacts(manifest):
            if record["kind"] == "disk" and len(record["segments"]) > 1:
                record["segments"][0]["plainBytes"] -= 4096
                record["segments"][1]["plainBytes"] += 4096
    refused(world, None, shifted)

    def huge(manifest):
        for record in artifacts(manifest):
            if record["kind"] == "disk":
                record["segments"][0]["plainBytes"] += 1 << 60
                record["counts"]["bytes"] += 1 << 60
    refused(world, None, huge)

    def overflowing(manifest):
        for record in artifacts(manifest):
            if record["kind"] == "disk":
                for segment in record["segments"]:
                    segment["plainBytes"] = (1 << 63) - (1 << 20)
    refused(world, None, overflowing)


def wrong_bytes(world):
    """Bytes that are not those of the digest: the target is not taken for good, and verify tells."""
    def flipped(plain):
        return bytes([plain[0] ^ 1]) + plain[1:]
    forged(world, "flipped", {"disk": flipped})
    result = importing(world, "flipped")
    expect(result.status == 3 and b"DIFFERENT" in result.out, f"{result.status} {result.err}")
    result = world.run("verify", world.at("flipped"), "--trust", world.trust)
    expect(result.status == 3, f"verify: {result.status} {result.err} {result.out.decode()}")


def configurations(world):
    """What a configuration says becomes text of descriptions, nothing else."""
    for number, line in enumerate(['name: a"><evil/>', "name: $(touch /tmp/exeat-evil)", "name: ../../../tmp/exeat-evil",
                                   "args: -drive file=/etc/shadow", "scsi0: /etc/shadow,size=1G", "scsi0: ../../x:y,size=1G",
                                   "net0: virtio=BC:24:11:00:11:22,bridge=../x\"'<>", "bios: ovmf\nefidisk0: /etc/shadow",
                                   "machine: ../../evil", "cpu: <x>", "hookscript: local:snippets/evil", "ide2: /etc/shadow,media=cdrom",
                                   "description: %0a</domain>"]):
        name = f"configured-{number}"
        key = line.split(":")[0]
        forged(world, name, {"guest-configuration": lambda plain: b"\n".join(
            old for old in plain.splitlines() if not old.startswith(key.encode() + b":")) + b"\n" + line.encode() + b"\n"})
        result = importing(world, name, "libvirt")
        expect(result.status in (0, 3), f"{line}: {result.status} {result.err}")
        expect(not os.path.exists("/tmp/exeat-evil"), line)
        if result.status == 0:
            files = [os.path.join(base, file) for base, _, found in os.walk(world.at(name + ".target")) for file in found]
            for file in files:
                expect(os.path.dirname(os.path.dirname(file)) == world.at(name + ".target"), file)
                if file.endswith((".xml", ".ovf")):
                    subprocess.run(["xmllint", "--noout", file], check=True)
                    text = open(file).read()
                    expect("<evil" not in text, f"{line} became an element")
                    if file.endswith("domain.xml"):
                        expect('"/etc/' not in text and "-drive" not in text, f"{line}: {text}")
        shutil.rmtree(world.at(name))


def hand_commands(world):
    """A guest whose name is a command: RESTORE.txt has it as text."""
    evil = "x'; touch /tmp/exeat-evil; echo \"$(touch /tmp/exeat-evil)`touch /tmp/exeat-evil`"
    machine(world.at("evil-dump"), 100, [("drive-scsi0", world.at("disk.raw"))], name=evil,
            configuration=one_disk(), program=None)
    plan = world.dumps_plan("evil.yaml", ["evil-dump"], encrypt=False)
    result = world.run("export", plan, "--output", world.at("evil"))
    expect(result.status == 0, result.err)
    os.makedirs(world.at("evil.to"))
    done = subprocess.run(["sh", world.at("evil/RESTORE.txt")], cwd=world.at("evil"), capture_output=True,
                          env={"PATH": os.environ["PATH"], "TO": world.at("evil.to")})
    expect(done.returncode == 0, done.stderr.decode())
    second = world.at("evil.to/restore.txt")
    if os.path.exists(second):
        done = subprocess.run(["sh", second], cwd=world.at("evil.to"), capture_output=True,
                              env={"PATH": os.environ["PATH"], "TO": world.at("evil.to")})
        expect(done.returncode == 0, done.stderr.decode())
    expect(not os.path.exists("/tmp/exeat-evil"), "a command ran")
    result = world.imported_to("evil", "evil.imported", work="evil.work")
    expect(not os.path.exists("/tmp/exeat-evil"), "a command ran")


def main():
    suite = DumpSuite()
    world = suite.world
    sparse(world.at("disk.raw"), 300 << 20, [(0, 1 << 20), (299 << 20, 4096)])
    world.write("witness/file", "x")
    machine(world.at("dump"), 100, [("drive-scsi0", world.at("disk.raw"))], name="web", configuration=one_disk(),
            program=None)
    world.exported(["dump"], "honest", encrypt=False)
    suite.case("an honest one is taken", honest_is_taken)
    suite.case("names", names)
    suite.case("descriptions", descriptions)
    suite.case("odd names", odd_names)
    suite.case("sizes", sizes)
    suite.case("segments", overlapping)
    suite.case("wrong bytes", wrong_bytes)
    suite.case("configurations", configurations)
    suite.case("commands by hand", hand_commands)
    suite.finish()


if __name__ == "__main__":
    main()
