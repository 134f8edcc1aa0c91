"""Scripts/bench files: exports and imports the trees with every tool."""
import dataclasses
import datetime
import pathlib
import statistics
import sys

import datasets
import measure
import plot
import table
import tools
import units


@dataclasses.dataclass
class Sample:
    dataset: str
    direction: str
    cache: str
    tool: str
    run: int
    cost: measure.Cost
    #: Bytes of the archive or repository.
    stored: int


class Results:
    """All samples of one run of the benchmark, and what they were taken on."""

    def __init__(self, chosen, sets, runs):
        self.samples = []
        self.tools = chosen
        self.datasets = sets
        self.runs = runs
        self.day = datetime.date.today().isoformat()

    def of(self, dataset, direction, cache, tool):
        return [sample for sample in self.samples
                if (sample.dataset, sample.direction, sample.cache, sample.tool)
                == (dataset, direction, cache, tool)]

    def walls(self, *key):
        return [sample.cost.wall for sample in self.of(*key)]

    def best(self, *key):
        return min(self.of(*key), key=lambda sample: sample.cost.wall, default=None)

    def median(self, *key):
        walls = self.walls(*key)
        return statistics.median(walls) if walls else None

    def conditions(self):
        """The pairs of dataset, direction and cache state that there are samples of, in order."""
        seen = dict.fromkeys(
            (sample.dataset, sample.direction, sample.cache) for sample in self.samples)
        order = {"export": 0, "import": 1, "warm": 0, "cold": 1}
        names = [dataset.name for dataset in self.datasets]
        return sorted(seen, key=lambda key: (names.index(key[0]), order[key[1]], order[key[2]]))


def run(options):
    chosen = _tools(options)
    names = [name for name in options.only.split(",") if name]
    for name in names:
        if name not in datasets.names:
            sys.exit(f"no tree \"{name}\"; there are {', '.join(datasets.names)}")
    size = options.size or (256 << 20 if options.quick else 2 << 30)
    count = options.files or (10_000 if options.quick else 100_000)
    runs = options.runs or (1 if options.quick else 3)
    caches = (options.caches or ("warm" if options.quick else "warm,cold")).split(",")
    if "cold" in caches and not measure.can_drop_caches():
        print("not root: no runs with a cold cache")
        caches.remove("cold")
    sets = [datasets.dataset(name, size, count) for name in names]
    results = Results(chosen, sets, runs)
    folder = datasets.directory() / "runs"
    measure.remove(folder)
    try:
        for dataset in sets:
            print(f"\n{dataset}", flush=True)
            for cache in caches:
                for number in range(1, runs + 1):
                    for tool in chosen:
                        _once(results, dataset, cache, number, tool, folder, options.steps)
    finally:
        measure.remove(folder)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "files.csv").write_text(table.csv(results))
    (options.out / "files.md").write_text(table.markdown(results))
    (options.out / "files.svg").write_text(plot.svg(results))
    print("\n" + table.markdown(results))
    print(f"written: {options.out}/files.md, files.csv, files.svg")


def _tools(options):
    names = options.tools.split(",") if options.tools else list(tools.kinds)
    for name in names:
        if name not in tools.kinds:
            sys.exit(f"no tool \"{name}\"; there are {', '.join(tools.kinds)}")
    chosen = [tools.kinds[name]() for name in names]
    measure.need("/usr/bin/time", *(program for tool in chosen for program in tool.programs))
    return chosen


def _once(results, dataset, cache, number, tool, parent, steps):
    """One export and, if among the steps, one import, each from the cache state asked for."""
    folder = measure.fresh(parent)
    tool.prepare(folder)
    script, environment = tool.pack(dataset.path, folder)
    _bring(cache, dataset.path)
    cost = measure.run(script, folder, environment)
    stored = measure.stored(tool.store(folder))
    _add(results, Sample(dataset.name, "export", cache, tool.name, number, cost, stored))
    if "import" not in steps:
        measure.remove(folder)
        return

    target = folder / "target"
    script, environment = tool.unpack(folder, target)
    _bring(cache, tool.store(folder))
    cost = measure.run(script, folder, environment)
    _add(results, Sample(dataset.name, "import", cache, tool.name, number, cost, stored))
    if number == 1:
        _check(dataset, tool.unpacked(target))
    measure.remove(folder)


def _bring(cache, path: pathlib.Path):
    measure.settle()
    if cache == "cold":
        measure.drop_caches()
    else:
        measure.warm(path)


def _check(dataset, path):
    """A tool that did not do the work is not compared."""
    found = datasets.measure(path)
    if (found["entries"], found["bytes"]) != (dataset.entries, dataset.bytes):
        sys.exit(f"{path} holds {found}, but the tree is {dataset}")


def _add(results, sample):
    results.samples.append(sample)
    cost = sample.cost
    print(f"{sample.dataset:6} {sample.direction:6} {sample.cache:4} {sample.run}  "
          f"{sample.tool:11} {cost.wall:8.2f} s  {cost.cpu:8.2f} s CPU  "
          f"{units.mebibytes(cost.rss):>6} MiB  {units.mebibytes(sample.stored):>6} MiB stored  others {cost.others:.0%}", flush=True)

