"""Scripts/bench memory: peak memory of export, verify and import for a small and a large input."""
import datetime

import datasets
import measure
import tools
import units


def run(options):
    sizes = [units.parse(text) for text in options.sizes.split(",")]
    measure.need("/usr/bin/time", "openssl")
    rows = []
    folder = datasets.directory() / "memory"
    try:
        for size in sizes:
            for kind in (tools.Exeat, tools.EncryptedExeat):
                rows += _measure(kind(), size, folder)
    finally:
        measure.remove(folder)
    text = _markdown(sizes, rows)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "memory.md").write_text(text)
    print("\n" + text)
    print(f"written: {options.out}/memory.md")


def _measure(tool, size, folder):
    tree = folder / "tree"
    if not tree.exists() or datasets.measure(tree)["bytes"] != size:
        measure.remove(folder)
        _make(tree, size)
    run = measure.fresh(folder / "runs")
    tool.prepare(run)
    rows = []
    for step in ("export", "verify", "import"):
        script, environment = {
            "export": lambda: tool.pack(tree, run), "verify": lambda: tool.verify(run),
            "import": lambda: tool.unpack(run, run / "target"),
        }[step]()
        cost = measure.run(script, run, environment)
        rows.append((size, tool.name, step, cost))
        print(f"{units.size(size):10} {tool.name:11} {step:7} {units.mebibytes(cost.rss):>5} MiB "
              f"{cost.wall:8.2f} s", flush=True)
    measure.remove(run)
    return rows


def _make(tree, size):
    """One file with half of the bytes, and the rest in files of 16 MiB; none can be compressed."""
    print(f"making {units.size(size)}", flush=True)
    tree.mkdir(parents=True)
    left, number = size, 0
    while left > 0:
        length = size // 2 if number == 0 else min(left, 16 << 20)
        script = (f"openssl enc -aes-128-ctr -nosalt -K {number + 1:032x} -iv {0:032x} "
                  f"-in /dev/zero 2>/dev/null | head -c {length} > tree/{number:05}.bin")
        measure.run(script, tree.parent)
        left -= length
        number += 1


def _markdown(sizes, rows):
    lines = [
        "# Memory", "",
        f"Made by `Scripts/bench memory` on {datetime.date.today().isoformat()}. Peak resident memory "
        "of one process. Half of the bytes are in one file, the rest in files of 16 MiB; none can be "
        "compressed.", ""]
    lines += [f"* {name}: {value}" for name, value in measure.machine()]
    lines += ["", "| tool | step | " + " | ".join(f"{units.size(size)}, MiB" for size in sizes)
              + " | growth |", "|---|---|" + "--:|" * (len(sizes) + 1)]
    for name in dict.fromkeys(row[1] for row in rows):
        for step in ("export", "verify", "import"):
            peaks = [row[3].rss for row in rows if row[1] == name and row[2] == step]
            lines.append(f"| {name} | {step} | " + " | ".join(units.mebibytes(peak) for peak in peaks)
                         + f" | {peaks[-1] / peaks[0]:.2f}× |")
    most = max(row[3].rss for row in rows)
    lines += ["", f"Target: under 200 MB whatever the size; the most was {most / 1e6:.0f} MB: "
              + ("met." if most < 200e6 else "**not met.**"), ""]
    return "\n".join(lines)
