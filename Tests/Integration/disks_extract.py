#!/usr/bin/env python3
"""`exeat extract` of backups of Proxmox VE: what comes out, and that nothing is left of a bad one."""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time

from support import EXEAT, Cases, Skipped, scratch
from vma_writer import DEFECTS, write_vma

CONFIG = {"qemu-server.conf": b"memory: 2048\nscsi0: local:vm-100-disk-0\n", "qemu-server.fw": b""}


def exeat(*arguments, **options):
    return subprocess.run([EXEAT, "extract", *arguments, "--progress", "none"], capture_output=True,
                          text=True, timeout=300, **options)


def tree_digest(path):
    """sha256-tree-1m by its definition (docs/FORMAT.md)."""
    leaves = []
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            leaves.append(hashlib.sha256(b"\0" + piece).digest())

    def root(part):
        if not part:
            return hashlib.sha256(b"").digest()
        if len(part) == 1:
            return part[0]
        half = 1
        while half * 2 < len(part):
            half *= 2
        return hashlib.sha256(b"\1" + root(part[:half]) + root(part[half:])).digest()

    return root(leaves).hex()


def make_disk(path, size, runs):
    with open(path, "wb") as file:
        file.truncate(size)
        for offset, length in runs:
            file.seek(offset)
            file.write(os.urandom(length))


def same(one, other):
    return subprocess.run(["cmp", "-s", one, other]).returncode == 0


def main():
    cases = Cases()
    with scratch() as work:
        os.chdir(work)
        make_disk("scsi0.raw", 24 << 20, [(0, 3 << 20), (9 << 20, 70000), (23 << 20, 1 << 20)])
        make_disk("efi.raw", 540672, [(4096, 512)])
        disks = [("drive-scsi0", "scsi0.raw"), ("drive-efidisk0", "efi.raw")]
        write_vma("plain.vma", CONFIG, disks, shuffle=True, seed=2)

        for ending, program in [("", None), (".zst", "zstd"), (".gz", "gzip"), (".lzo", "lzop")]:
            with cases.case(f"every disk comes out of .vma{ending}, sparse and with its digest"):
                name = f"vzdump-qemu-100.vma{ending}"
                if program is None:
                    shutil.copy("plain.vma", name)
                elif shutil.which(program) is None:
                    raise Skipped(f"{program} is not installed")
                else:
                    with open(name, "wb") as out:
                        subprocess.run([program, "-c", "plain.vma"], stdout=out, check=True)
                result = exeat(name, "--to", f"out{ending}", "--json")
                assert result.returncode == 0, result.stderr
                report = json.loads(result.stdout)
                assert [disk["device"] for disk in report["disks"]] == [name for name, _ in disks]
                for disk, (_, source) in zip(report["disks"], disks):
                    assert same(disk["path"], source), disk["path"]
                    assert disk["sha256-tree-1m"] == tree_digest(source)
                    assert disk["bytes"] == os.stat(source).st_size
                    assert disk["allocated"] == os.stat(disk["path"]).st_blocks * 512
                assert report["disks"][0]["allocated"] < 6 << 20, "holes stay holes"
                for name, content in CONFIG.items():
                    with open(f"out{ending}/{name}", "rb") as file:
                        assert file.read() == content
                names = [*CONFIG, "drive-scsi0.raw", "drive-efidisk0.raw"]
                assert sorted(os.listdir(f"out{ending}")) == sorted(names)

        with cases.case("each defect ends with a failure and leaves nothing"):
            for number, defect in enumerate(DEFECTS):
                write_vma("bad.vma", CONFIG, disks, slots_per_extent=40, defect=defect)
                result = exeat("bad.vma", "--to", f"bad{number}")
                assert result.returncode in (1, 3), f"{defect}: {result.returncode}"
                assert "bad.vma" in result.stderr and "code:" in result.stderr, defect
                assert os.listdir(f"bad{number}") == [], f"{defect}: {os.listdir(f'bad{number}')}"
                assert not os.path.exists("passwd")

        with cases.case("damaged compression ends with a failure and leaves nothing"):
            for ending in (".zst", ".gz", ".lzo"):
                name = f"vzdump-qemu-100.vma{ending}"
                if not os.path.exists(name):
                    continue
                with open(name, "rb") as file:
                    whole = file.read()
                middle = len(whole) // 2
                for kind, damaged in [("cut", whole[:middle]), ("empty", b""),
                                      ("flipped", whole[:middle] + bytes([whole[middle] ^ 64]) + whole[middle + 1:])]:
                    with open(f"d.vma{ending}", "wb") as file:
                        file.write(damaged)
                    shutil.rmtree("damaged", ignore_errors=True)
                    result = exeat(f"d.vma{ending}", "--to", "damaged")
                    assert result.returncode == 3, f"{ending} {kind}: {result.returncode} {result.stderr}"
                    assert os.listdir("damaged") == [], f"{ending} {kind}"

        with cases.case("a directory that is not empty is refused, and options that mean nothing"):
            os.makedirs("full")
            open("full/mine", "w").close()
            result = exeat("plain.vma", "--to", "full")
            assert result.returncode == 1 and "not empty" in result.stderr, result.stderr
            assert os.listdir("full") == ["mine"]
            assert exeat("plain.vma", "--to", "x", "--trust", "t.json").returncode == 64
            assert exeat("missing.vma", "--to", "x").returncode == 1

        with cases.case("an interrupted extraction leaves nothing"):
            make_disk("large.raw", 1 << 30, [(index << 20, 1 << 20) for index in range(0, 1024, 3)])
            write_vma("large.vma", CONFIG, [("drive-scsi0", "large.raw")])
            # On a busy machine it may be over before it is told.
            for _ in range(10):
                shutil.rmtree("stopped", ignore_errors=True)
                process = subprocess.Popen([EXEAT, "extract", "large.vma", "--to", "stopped"],
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                while process.poll() is None and not os.path.exists("stopped/drive-scsi0.raw.partial"):
                    time.sleep(0.002)
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=300)
                if process.returncode != 0:
                    break
            assert process.returncode == 130, process.returncode
            assert os.listdir("stopped") == [], os.listdir("stopped")

        with cases.case("memory does not grow with the disk"):
            result = subprocess.run(
                ["python3", "-c", "import resource, subprocess, sys; "
                 "code = subprocess.run(sys.argv[1:], capture_output=True).returncode; "
                 "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)",
                 EXEAT, "extract", "large.vma", "--to", "flat"], capture_output=True, text=True)
            code, peak = map(int, result.stdout.split())
            assert code == 0
            assert peak < 64 << 10, f"{peak} KiB"
            assert same("flat/drive-scsi0.raw", "large.raw")

        with cases.case("a container gives its configuration"):
            os.makedirs("ct/etc/vzdump")
            for name, text in [("pct.conf", "hostname: ct1\n"), ("pct.fw", "[RULES]\n")]:
                with open(f"ct/etc/vzdump/{name}", "w") as file:
                    file.write(text)
            subprocess.run(["tar", "-C", "ct", "-czf", "vzdump-lxc-200.tar.gz", "./etc/vzdump/pct.conf",
                            "./etc/vzdump/pct.fw", "./etc"], check=True)
            result = exeat("vzdump-lxc-200.tar.gz", "--to", "container")
            assert result.returncode == 0, result.stderr
            with open("container/pct.conf") as file:
                assert file.read() == "hostname: ct1\n"
            with open("container/pct.fw") as file:
                assert file.read() == "[RULES]\n"
    cases.finish()


if __name__ == "__main__":
    main()
