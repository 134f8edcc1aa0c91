#!/usr/bin/env python3
"""The source `disks`: what comes back is the disk, and one that changes is never archived as if it had not."""
import json
import os
import pathlib
import shutil
import subprocess
import time

from support import EXEAT, Cases, Skipped, exeat, keys, run, scratch, write


def make(path, size, runs):
    with open(path, "wb") as file:
        file.truncate(size)
        for offset, length in runs:
            file.seek(offset)
            file.write(os.urandom(length))


def plan(images, name="bag", extra=""):
    lines = "".join(f"      {key}: {json.dumps(str(path))}\n" for key, path in images.items())
    return write(f"{name}.yaml", "exeat: 1\nrun: { purpose: trial }\nsources:\n  vm:\n    kind: disks\n    images:\n"
                 f"{lines}archive: {{ name: {name}, sign-with: signer }}\n{extra}")


def export(file, output, **options):
    return exeat("export", file, "--output", output, "--progress", "none", **options)


def imports(output, target, form, name="in"):
    write(f"{name}.yaml", "exeat: 1\ntrust: signer.trust.json\nsign-with: signer\ntargets:\n"
          f"  vm: {{ kind: directory, path: {target}, format: {form} }}\n")
    return exeat("import", output, f"{name}.yaml", "--work", f"{name}-work", "--progress", "none")


def same(image, form, raw):
    result = subprocess.run(["qemu-img", "compare", "-f", form, "-F", "raw", image, raw], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def main():
    cases = Cases()
    if not shutil.which("qemu-img") or not shutil.which("qemu-nbd"):
        with cases.case("images of disks"):
            raise Skipped("qemu-utils is not installed")
        cases.finish()
    with scratch() as work:
        os.chdir(work)
        keys(work)
        make("one.raw", (700 << 20) + 512, [(0, 3 << 20), (260 << 20, 70000), (511 << 20, 3 << 20), ((700 << 20), 512)])
        make("two.raw", 5 << 20, [])
        make("three.raw", 24 << 20, [(4096, 9 << 20)])
        run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "three.raw", "three.qcow2").expect(0)
        images = {"one": "one.raw", "empty": "two.raw", "efidisk0": "three.qcow2"}

        with cases.case("raw, empty and qcow2 images come back in every format, with equal digests"):
            export(plan(images), "bag").expect(0)
            exeat("verify", "bag", "--trust", "signer.trust.json").expect(0)
            for form in ("qcow2", "raw", "vmdk"):
                imports("bag", f"out-{form}", form, f"in-{form}").expect(0)
                assert sorted(os.listdir(f"out-{form}")) == sorted(f"{name}.{form}" for name in images)
                for name, raw in (("one", "one.raw"), ("empty", "two.raw"), ("efidisk0", "three.raw")):
                    same(f"out-{form}/{name}.{form}", form, raw)
                receipt = json.load(open(next(pathlib.Path(f"in-{form}-work").glob("receipt*.json"))))
                assert "sha256-tree-1m" in json.dumps(receipt)
            for name in images:
                run("qemu-img", "check", "-f", "qcow2", f"out-qcow2/{name}.qcow2").expect(0)
            assert os.stat("out-raw/one.raw").st_blocks * 512 < 20 << 20, "holes stay holes"

        with cases.case("an archive that is altered reaches no target"):
            shutil.copytree("bag", "bad")
            segment = max(pathlib.Path("bad/data").rglob("*.zst"), key=lambda path: path.stat().st_size)
            data = bytearray(segment.read_bytes())
            data[len(data) // 2] ^= 1
            segment.write_bytes(data)
            imports("bad", "never", "qcow2", "bad-in").expect(3)
            assert not os.path.exists("never")

        with cases.case("nothing is overwritten"):
            os.makedirs("there")
            write("there/one.qcow2", "mine")
            result = imports("bag", "there", "qcow2", "there-in").expect(1)
            assert open("there/one.qcow2").read() == "mine", result.errors

        with cases.case("names, missing files, links and foreign formats are refused"):
            exeat("plan", plan({"A/b": "one.raw"}, "names")).expect(1, 64)
            assert export(plan({"gone": "gone.raw"}, "gone"), "gone").status == 1
            os.symlink("one.raw", "link.raw")
            assert export(plan({"link": "link.raw"}, "link"), "link").status == 1
            run("qemu-img", "create", "-f", "qcow2", "-b", f"{work}/one.raw", "-F", "raw", "onto.qcow2").expect(0)
            result = export(plan({"onto": "onto.qcow2"}, "onto"), "onto").expect(1)
            assert "stands on another image" in result.errors, result.errors
            shutil.copy("three.qcow2", "three.img")
            result = exeat("plan", plan({"x": "three.img"}, "looks"), "--json").expect(0)
            assert "begins like a qcow2" in result.output.decode(), result.output

        with cases.case("an image that is written to meanwhile fails the run, and the next begins it anew"):
            make("live.raw", 1 << 30, [(index << 20, 1 << 20) for index in range(0, 1024, 2)])
            file = plan({"still": "three.raw", "live": "live.raw"}, "live", "limits: { workers: 1, bandwidth: 150MiB/s }\n")
            process = subprocess.Popen([EXEAT, "export", file, "--output", "live", "--progress", "none"],
                                       stderr=subprocess.PIPE, text=True)
            while process.poll() is None and not list(pathlib.Path("live").glob("data/*/*/segment-00001*")):
                time.sleep(0.01)
            with open("live.raw", "r+b") as disk:
                disk.seek(5 << 20)
                disk.write(os.urandom(4096))
            errors = process.communicate(timeout=300)[1]
            assert process.returncode == 1 and "has changed since the inventory" in errors, (process.returncode, errors)
            export(file, "live").expect(0)
            imports("live", "live-out", "qcow2", "live-in").expect(0)
            same("live-out/live.qcow2", "qcow2", "live.raw")
            with open("three.raw", "r+b") as disk:
                disk.write(b"later")
            export(file, "live").expect(0)

        with cases.case("a killed import goes on, and its qcow2 is the disk"):
            write("kill.yaml", "exeat: 1\ntrust: signer.trust.json\nsign-with: signer\ntargets:\n"
                  "  vm: { kind: directory, path: killed, format: qcow2, limits: { bandwidth: 200MiB/s } }\n")
            command = [EXEAT, "import", "live", "kill.yaml", "--work", "kill-work", "--progress", "none"]
            for least in (0, 1, 2):
                process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
                while process.poll() is None:
                    notes = "".join(path.read_text() for path in pathlib.Path("kill-work").rglob("disk-*"))
                    if len(notes.split()) > least:
                        break
                    time.sleep(0.01)
                process.kill()
                process.wait()
            run(*command).expect(0)
            same("killed/live.qcow2", "qcow2", "live.raw")
            run("qemu-img", "check", "-f", "qcow2", "killed/live.qcow2").expect(0)

        with cases.case("a device in use is refused, and one at rest is exported"):
            device = subprocess.run(["losetup", "-f", "--show", "one.raw"], capture_output=True, text=True)
            if device.returncode:
                raise Skipped(f"no loop device: {device.stderr.strip()}")
            device = device.stdout.strip()
            try:
                export(plan({"loop": device}, "loop"), "loop").expect(0)
                imports("loop", "loop-out", "raw", "loop-in").expect(0)
                same("loop-out/loop.raw", "raw", "one.raw")
                with open(device, "rb") as _:
                    held = os.open(device, os.O_RDONLY | os.O_EXCL)
                    result = export(plan({"loop": device}, "held"), "held").expect(1)
                    assert "cannot be claimed" in result.errors, result.errors
                    os.close(held)
            finally:
                subprocess.run(["losetup", "-d", device])
    cases.finish()


if __name__ == "__main__":
    main()
