"""What the tests of forged archives share: the desk that has them refused, an honest archive, and tars of it."""
import concurrent.futures
import os
import resource
import subprocess
import sys

import forge
from forge import Archive, Directory, Item, header, pad, pax, record, sha256
from support import *

GOOD = lambda: [Directory(""), Item("a", data=b"first"), Directory("d"), Item("d/f", data=b"inside"),
                Item("d/h", "hardlink", target="a"), Item("l", "symlink", target="d/f"),
                Item("p", "fifo")]

# What a refusal may say besides 3: the archive asks for something that this release does not do.
REFUSED = (1, 3)


def limits():
    """No process gets more memory or disk than a test of a bomb can spare."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))


class Desk:
    """One directory with keys, a place outside that must not change, and the cases."""

    def __init__(self, cases, work):
        self.cases, self.work = cases, work
        keys(work)
        self.key = forge.Key(os.path.join(work, "signer.key"))
        self.outside = os.path.join(work, "outside")
        os.mkdir(self.outside)
        write(os.path.join(self.outside, "kept"), b"kept")
        self.number = 0
        # Targets of links and hard links that lead outside exist.
        self.canaries = [self.outside, os.path.join(work, "target-parent-canary")]
        os.mkdir(self.canaries[1])

    def refuse(self, name, archive, statuses=(3,), verify=None, empty=True, key=None, before=None,
               existing=None):
        """The import of a forged archive is refused and nothing outside the target is written.

        `verify`: statuses that `verify` may give (it has no index to check unless it audits);
        `empty`: the target must hold nothing afterwards, for what is found before the replay.
        """
        with self.cases.case(name):
            self.number += 1
            bag = os.path.join(self.work, f"bag{self.number}")
            if isinstance(archive, str):
                bag = archive
            else:
                archive.write(bag, key or self.key)
            if before:
                before(bag)
            self.judge(bag, statuses, verify or statuses, empty, existing)
            remove(bag)

    def judge(self, bag, statuses, verify, empty, existing=None):
        outside = listing(self.outside)
        home = os.path.join(self.work, f"home{self.number}")
        target = os.path.join(home, "target")
        os.makedirs(target)
        write(os.path.join(home, "canary"), b"canary")
        around = {name for name in os.listdir(self.work)}
        trust = os.path.join(self.work, "signer.trust.json")
        plan = import_plan(self.work, {"s": [f"path: {target}"] + (
            [f"existing: {existing}"] if existing else [])}, file=f"plan{self.number}.yaml")
        # None of these commands knows of another: they may as well run at once.
        commands = [
            (["verify", bag, "--trust", trust, "--json"], verify, {}),
            (["import", bag, plan, "--work", os.path.join(home, "work")], statuses, {"cwd": self.work}),
            (["extract", bag, "--to", os.path.join(home, "x1"), "--unverified"], (0, 1, 3, 64), {}),
            (["extract", bag, "--to", os.path.join(home, "x2"), "--trust", trust], (0, 1, 3, 64), {}),
            (["inspect", bag, "s/d", "--json"], (0, 1, 3, 64), {}), (["inspect", bag], (0, 1, 3, 64), {})]
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            results = list(pool.map(lambda command: exeat(*command[0], limits=limits, **command[2]),
                                    commands))
        told = [(arguments[0], result.status, allowed, result)
                for (arguments, allowed, _), result in zip(commands, results)]
        left = os.listdir(target)
        assert listing(self.outside) == outside, "written outside the target"
        assert set(os.listdir(home)) <= {"target", "canary", "work", "x1", "x2"}, os.listdir(home)
        assert open(os.path.join(home, "canary")).read() == "canary"
        new = set(os.listdir(self.work)) - around - {os.path.basename(plan)}
        assert not new, f"new beside the target: {new}"
        for what, status, allowed, result in told:
            assert status in allowed, f"{what}: status {status}, not {allowed}: " \
                f"{result.errors[-500:]} {result.output[-300:].decode('utf-8', 'replace')}"
        if empty:
            assert not left, f"the target holds {left}"
        used = int(subprocess.run(["du", "-s", "-k", home], capture_output=True).stdout.split()[0])
        assert used < 200 << 10, f"{used} KiB were written"
        remove(home)


PARTS = ["data/", "exeat/manifest", "exeat/restore", "exeat/catalogue", "exeat/journal", "bagit.txt",
         "bag-info.txt", "RESTORE", "VERIFY", "manifest-", "tagmanifest-", "proof/seal.json",
         "proof/seal.json.sig", "proof/seal.json.mldsa65", "proof/keys", "proof/receipt"]


def tar_order(directory, ranks=True):
    paths = [os.path.relpath(os.path.join(folder, name), directory)
             for folder, _, names in os.walk(directory) for name in names]

    def rank(path):
        if path == "exeat/restore.txt":
            return 2
        order = [index for index, part in enumerate(PARTS) if path.startswith(part)]
        return order[-1] if order else 99
    # Payload comes as the journal has it: the tree, then its index.
    return sorted(paths, key=lambda path: (rank(path), path.replace("data/s/tree", "data/s/a")))


def tar_of(directory, name, order=None, change=lambda path, block: block, end=b"\0" * 1024):
    out = b""
    for path in order or tar_order(directory):
        data = open(os.path.join(directory, path), "rb").read()
        out += change(path, forge.tar_header(name, path, len(data))) + pad(data)
    return out + end


def with_items(*items, **options):
    archive = Archive(list(items))
    for key, value in options.items():
        setattr(archive, key, value)
    return archive


def good(desk):
    """The forge is good enough: what it makes, Exeat takes."""
    cases, work = desk.cases, desk.work
    with cases.case("an archive made from scratch is accepted, in both forms"):
        bag = os.path.join(work, "good")
        Archive(GOOD()).write(bag, desk.key)
        exeat("verify", bag, "--trust", os.path.join(work, "signer.trust.json")).expect(0)
        write(os.path.join(work, "good.tar"), tar_of(bag, "forged"))
        exeat("verify", os.path.join(work, "good.tar"), "--trust",
              os.path.join(work, "signer.trust.json")).expect(0)
    with cases.case("an archive made from scratch is imported"):
        plan = import_plan(work, {"s": os.path.join(work, "good-target")}, file="good.yaml")
        exeat("import", bag, plan, "--work", "good-work", cwd=work).expect(0)
        assert open(os.path.join(work, "good-target", "d", "f")).read() == "inside"
        assert os.path.samefile(os.path.join(work, "good-target", "a"),
                                os.path.join(work, "good-target", "d", "h"))
    with cases.case("inspect and extract take it"):
        exeat("inspect", bag, "s/d").expect(0)
        exeat("extract", bag, "--to", os.path.join(work, "good-x"), "--unverified").expect(0)


def run_parts(parts):
    """Runs the parts whose names are given, or all, after the proof that an honest archive is taken."""
    cases = Cases()
    with scratch() as work:
        desk = Desk(cases, work)
        good(desk)
        only = sys.argv[1:]
        for test in parts:
            if not only or test.__name__ in only:
                test(desk)
    cases.finish()
