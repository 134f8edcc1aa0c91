"""Tables of the results: Markdown for people, CSV for everything else."""
import platform
import statistics

import measure
import units

OURS = ("exeat", "exeat, age", "exeat, adaptive")
MOST_RSS = 200 * 10**6


def csv(results):
    lines = ["dataset,direction,cache,tool,run,wall_s,user_s,system_s,peak_rss_bytes,"
             "stored_bytes,others"]
    for sample in results.samples:
        cost = sample.cost
        lines.append(
            f"{sample.dataset},{sample.direction},{sample.cache},\"{sample.tool}\",{sample.run},"
            f"{cost.wall:.3f},{cost.user:.2f},{cost.system:.2f},{cost.rss},{sample.stored},"
            f"{cost.others:.2f}")
    return "\n".join(lines) + "\n"


def markdown(results):
    parts = [_introduction(results), _targets(results)]
    parts += [_table(results, *condition) for condition in results.conditions()]
    return "\n".join(parts)


def _introduction(results):
    lines = [
        "# Files: Exeat and its peers", "",
        "![Times of each tool](files.svg)", "",
        f"Made by `Scripts/bench files` on {results.day}; each tool {results.runs} times, in turn, on "
        "the same trees. Times end when everything is on the disk (`sync -f`). A ratio above 1 means "
        "that Exeat is faster. CPU seconds and memory (the largest process) are those of the best "
        "run. A warm cache holds the whole tree, or for an import the whole archive.", ""]
    lines += [f"* {name}: {value}" for name, value in measure.machine()]
    lines += [f"* {dataset}" for dataset in results.datasets]
    lines += [f"* {tool.name} ({tool.version()}): {tool.settings}" for tool in results.tools]
    others = [sample.cost.others for sample in results.samples]
    lines += [
        f"* others on the machine: {statistics.median(others):.0%} of the processors in the median "
        f"run, {max(others):.0%} at most (the kernel's own writing included)",
        f"* Python {platform.python_version()} starts the tools and is in no number", ""]
    return "\n".join(lines)


def _table(results, dataset, direction, cache):
    lines = [
        f"## {dataset}, {direction}, {cache} cache", "",
        "| tool | best s | median s | user s | system s | peak MiB | stored MiB | "
        + " | ".join(f"{name} is faster" for name in _ours(results)) + " |",
        "|---|" + "--:|" * (6 + len(_ours(results)))]
    for tool in results.tools:
        key = (dataset, direction, cache, tool.name)
        best = results.best(*key)
        if best is None:
            continue
        ratios = [_text(_ratio(results, *key, name)) for name in _ours(results)]
        cost = best.cost
        lines.append(
            f"| {_cell(tool.name)} | {cost.wall:.2f} | {results.median(*key):.2f} | {cost.user:.2f} | "
            f"{cost.system:.2f} | {units.mebibytes(cost.rss)} | {units.mebibytes(best.stored)} | "
            + " | ".join(ratios) + " |")
    return "\n".join(lines) + "\n"


def _cell(text):
    return text.replace("|", "\\|")


def _ours(results):
    return [tool.name for tool in results.tools if tool.name in OURS]


def _ratio(results, dataset, direction, cache, peer, ours):
    """How many times faster we are, of best times; None for ourselves."""
    if peer in OURS:
        return None
    best = results.best(dataset, direction, cache, ours)
    other = results.best(dataset, direction, cache, peer)
    return other.cost.wall / best.cost.wall if best and other else None


def _text(ratio):
    return "" if ratio is None else f"{ratio:.2f}×"


def _targets(results):
    """The targets of the project, each for every tree and cache state, met or not."""
    wanted = [
        ("export", "tar | zstd", 1.3, "export at least 1.3× faster than tar \\| zstd"),
        ("export", "restic", 1.5, "export at least 1.5× faster than restic"),
        ("import", "restic", 1.0, "import faster than restic restore"),
        ("import", "tar | zstd", 1 / 1.2, "import within 1.2× of zstd \\| tar"),
    ]
    lines = ["## Targets", "", "| target | tree | cache | " + " | ".join(_ours(results)) + " |",
             "|---|---|---|" + "---|" * len(_ours(results))]
    for direction, peer, least, text in wanted:
        for dataset, where, cache in results.conditions():
            if where != direction:
                continue
            cells = []
            for name in _ours(results):
                ratio = _ratio(results, dataset, direction, cache, peer, name)
                cells.append("" if ratio is None else _verdict(ratio >= least, _text(ratio)))
            if any(cells):
                lines.append(f"| {text} | {dataset} | {cache} | " + " | ".join(cells) + " |")
    cells = []
    for name in _ours(results):
        most = max((sample.cost.rss for sample in results.samples if sample.tool == name), default=0)
        cells.append(_verdict(most < MOST_RSS, f"{units.mebibytes(most)} MiB"))
    lines.append("| peak memory under 200 MB | all | all | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _verdict(met, text):
    return f"{text} met" if met else f"**{text} not met**"
