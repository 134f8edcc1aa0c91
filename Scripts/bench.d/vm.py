"""Scripts/bench vm: exports and imports a disk of a virtual machine with every tool.

Everything runs in turn on the same disk in one go: what decompressing and compressing the bytes costs
alone, qemu-img, and Exeat from the raw disk and from a backup of vzdump. Every result is compared with the
disk by `qemu-img compare` once, outside of the times.
"""
import subprocess
import sys

import disk
import measure
import plot
import units
from databases import DatabaseBench

RAW, DUMP = "exeat, raw disk", "exeat, .vma.zst"
CONVERT = "qemu-img convert -c (zstd)"
PIPE = "zstd -dc | zstd -T2 -3"
COPY = "qemu-img convert"
UNPACK = "qemu-img convert of the image compressed with zstd"
COMPACT = "zstd -T2 -3, allocated bytes alone"
MEMORY = 200e6


def run(options):
    measure.need("/usr/bin/time", "zstd", "qemu-img", "qemu-nbd")
    VMBench(options).run()


class VMBench(DatabaseBench):
    kind = "vm"

    def prepare(self):
        self.bytes = self.options.size or (512 << 20 if self.options.quick else 4 << 30)
        print(f"making a disk of {units.size(self.bytes)}", flush=True)
        self.disk, self.dump = self.folder / "disk.raw", self.folder / "vzdump-qemu-100-2026_11_23-18_22_38.vma.zst"
        self.allocated = disk.make(self.disk, self.bytes)
        disk.backup(self.disk, self.dump)
        disk.allocated_only(self.disk, self.folder / "allocated")
        for path in (self.disk, self.dump, self.folder / "allocated"):
            measure.warm(path)

    def round(self, work):
        raw, dump = self.disk, self.dump
        self.export(work, "zstd -dc of the backup", f"zstd -q -dc {dump} > /dev/null", ".")
        self.export(work, PIPE, f"zstd -q -dc {dump} | zstd -q -T2 -3 -o pipe.zst; sync -f .", "pipe.zst")
        self.export(work, CONVERT, f"qemu-img convert -m 16 -W -c -O qcow2 -o compression_type=zstd {raw} c.qcow2; "
                    "sync -f .", "c.qcow2")
        self.export(work, "zstd -T2 -3, raw disk", f"zstd -q -T2 -3 {raw} -o raw.zst; sync -f .", "raw.zst")
        self.export(work, COMPACT, f"zstd -q -T2 -3 {self.folder}/allocated -o compact.zst; sync -f .", "compact.zst")
        measure.run("rm -f *.zst c.qcow2", work)
        measure.run(f"{self.binary} keys new bench", work)
        self.plan(work, "raw", f"{{ kind: disks, images: {{ disk: {raw} }} }}")
        self.plan(work, "dump", f"{{ kind: proxmox, dumps: [ {dump} ] }}")
        self.export(work, RAW, f"{self.binary} export raw.yaml --output raw --progress none; sync -f .", "raw")
        self.export(work, DUMP, f"{self.binary} export dump.yaml --output dump --progress none; sync -f .", "dump")
        packed = self.folder / "packed.qcow2"
        if not packed.exists():
            measure.run(f"qemu-img convert -m 16 -W -c -O qcow2 -o compression_type=zstd {raw} {packed}", work)
        for form in ("qcow2", "raw"):
            for peer, image in ((COPY, raw), (UNPACK, packed)):
                self.restore(work, f"import {form}", peer, f"qemu-img convert -m 16 -W -O {form} {image} out.{form}; "
                             "sync -f .", f"out.{form}", form)
            (work / f"{form}.yaml").write_text(
                "exeat: 1\ntrust: bench.trust.json\nsign-with: bench\nverify: digest\ntargets:\n"
                f"  vm: {{ kind: directory, path: out, format: {form} }}\n")
            for source, name, path in (("raw", RAW, f"out/disk.{form}"),
                                       ("dump", DUMP, f"out/100-bench/scsi0.{form}")):
                self.restore(work, f"import {form}", name, f"{self.binary} import {source} {form}.yaml --work work "
                             "--progress none; sync -f .", path, form)

    def plan(self, work, name, source):
        (work / f"{name}.yaml").write_text(
            f"exeat: 1\nrun: {{ purpose: trial }}\nsources:\n  vm: {source}\n"
            f"archive: {{ name: {name}, sign-with: bench, compression: {{ level: 3 }} }}\n")

    def restore(self, work, step, tool, script, path, form):
        measure.settle()
        cost = measure.run(script, work)
        result = subprocess.run(["qemu-img", "compare", "-f", form, "-F", "raw", work / path, self.disk],
                                capture_output=True, text=True)
        if result.returncode:
            sys.exit(f"{tool}: {path} is not the disk: {result.stdout}{result.stderr}")
        if form == "qcow2":
            subprocess.run(["qemu-img", "check", "-q", "-f", form, work / path], check=True)
        self.add(step, tool, cost, 0)
        measure.run("rm -rf out out.* work", work)

    def cpu(self, step, tool):
        return self.best(step, tool).cost.cpu

    def targets(self):
        """Name, step, Exeat's run, the peer's, how many times the peer's time it may take."""
        yield "raw disk → sealed archive within 1.1× of qemu-img convert -c", "export", RAW, CONVERT, 1.1
        yield "raw disk → sealed archive no slower than zstd -T2 -3 of the allocated bytes alone", "export", RAW, COMPACT, 1
        yield ".vma.zst → sealed archive within 1.2× of decompress and compress", "export", DUMP, PIPE, 1.2
        for form in ("qcow2", "raw"):
            for tool in (RAW, DUMP):
                for peer, words in ((UNPACK, "of the compressed image"), (COPY, "of the raw image")):
                    yield (f"import to {form} from the archive of {tool[7:]}, digests checked, within 1.3× of "
                           f"qemu-img convert {words}", f"import {form}", tool, peer, 1.3)

    def markdown(self):
        lines = [
            "# Virtual machines: Exeat and its peers", "", "![Times of each tool](vm.svg)", "",
            "Made by `Scripts/bench vm`: everything in turn on the same disk, in one run, with a warm cache. CPU "
            "seconds are those of all processes. Exeat's archive is sealed and digested, its import verifies the whole "
            "archive before the first byte is written and reads the image again where qemu-img finds its data; qemu-img does neither. "
            "An import has two peers: qemu-img decompressing an image as Exeat decompresses an archive, and qemu-img copying "
            "the raw disk out of the cache, which neither decompresses nor digests a byte. The digests of an import (of what "
            "is stored, twice, and of what was written) and zstd take longer by themselves than that copy. "
            "Every image was compared with the disk by `qemu-img compare`.", ""]
        lines += [f"* {name}: {value}" for name, value in measure.machine()]
        lines += [f"* disk: {units.size(self.bytes)}, {units.size(self.allocated)} of them allocated ({disk.FILL})",
                  f"* {measure.version('qemu-img', '--version')}; {measure.version('zstd', '--version').strip('* ')}; "
                  f"{measure.version(self.binary, '--version')}"]
        others = sorted(s.cost.others for s in self.samples)
        lines += [f"* others on the machine: {others[len(others) // 2]:.0%} of the processors in the median run, "
                  f"{others[-1]:.0%} at most (the kernel's own writing included)",
                  "", "| target | time | CPU |", "|---|---|---|"]
        for name, step, ours, peer, most in self.targets():
            wall = self.wall(step, ours) / self.wall(step, peer)
            cpu = self.cpu(step, ours) / self.cpu(step, peer)
            lines.append(f"| {name} | {wall:.2f}× {'met' if wall <= most else '**not met**'} | {cpu:.2f}× |")
        most = max(s.cost.rss for s in self.samples if s.tool in (RAW, DUMP))
        lines.append(f"| peak memory under 200 MB | {most / 1e6:.0f} MB {'met' if most < MEMORY else '**not met**'} | |")
        for step in dict.fromkeys(sample.step for sample in self.samples):
            lines += ["", f"## {step}", "", "| tool | best s | user s | system s | peak MiB | stored MiB |",
                      "|---|--:|--:|--:|--:|--:|"]
            for tool in self.tools(step):
                best = self.best(step, tool)
                lines.append(f"| {tool.replace('|', chr(92) + '|')} | {best.cost.wall:.2f} | {best.cost.user:.2f} | "
                             f"{best.cost.system:.2f} | {units.mebibytes(best.cost.rss)} | "
                             f"{units.mebibytes(best.stored) if best.stored else ''} |")
        return "\n".join(lines) + "\n"

    def panels(self):
        return [(step, [(tool, self.wall(step, tool)) for tool in self.tools(step)])
                for step in dict.fromkeys(sample.step for sample in self.samples)]
