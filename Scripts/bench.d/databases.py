"""What the benchmarks of databases share: samples, tables of results, ratios."""
import dataclasses
import datetime
import os
import pathlib
import statistics

import datasets
import measure
import plot
import units

root = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Sample:
    step: str
    tool: str
    cost: measure.Cost
    stored: int


class DatabaseBench:
    """A source and a target, filled once; every tool exports and imports in turn, round by round.

    A kind of database says what it is called, makes its servers in `prepare`, runs its tools in
    `round`, and names in `targets` what is compared.
    """
    kind = ""
    title = ""

    def __init__(self, options):
        self.options = options
        self.binary = os.environ.get("EXEAT", str(root / ".build/release/exeat"))
        self.folder = datasets.directory() / self.kind
        self.samples = []
        self.servers = []
        self.limits = []
        self.notes = []

    def run(self):
        try:
            measure.remove(self.folder)
            self.folder.mkdir(parents=True)
            self.folder.chmod(0o755)
            self.prepare()
            for number in range(self.options.runs or 2):
                work = self.folder / f"run-{number}"
                work.mkdir()
                self.round(work)
                measure.remove(work)
        finally:
            for server in self.servers:
                server.close()
            measure.remove(self.folder)
        out = self.options.out
        out.mkdir(parents=True, exist_ok=True)
        text = self.markdown()
        (out / f"{self.kind}.md").write_text(text)
        (out / f"{self.kind}.csv").write_text(self.csv())
        (out / f"{self.kind}.svg").write_text(plot.bars(
            "Seconds for a database (best run; shorter is better)", self.panels()))
        print("\n" + text)

    def export(self, work, tool, script, result):
        measure.settle()
        cost = measure.run(script, work)
        self.add("export", tool, cost, measure.stored(work / result))

    def add(self, step, tool, cost, stored):
        self.samples.append(Sample(step, tool, cost, stored))
        print(f"{step:7} {tool:16} {cost.wall:8.2f} s {cost.cpu:8.2f} s CPU of the client "
              f"{units.mebibytes(cost.rss):>6} MiB {units.mebibytes(stored):>6} MiB stored", flush=True)

    def best(self, step, tool):
        return min((s for s in self.samples if (s.step, s.tool) == (step, tool)),
                   key=lambda sample: sample.cost.wall, default=None)

    def tools(self, step):
        return list(dict.fromkeys(s.tool for s in self.samples if s.step == step))

    def wall(self, step, tool):
        best = self.best(step, tool)
        return best.cost.wall if best else None

    def ratio(self, step, tool):
        return self.wall(step, tool) / self.wall(step, "exeat")

    def verdicts(self):
        rss = max(s.cost.rss for s in self.samples if s.tool == "exeat")
        lines = [f"| {name} | {ratio:.2f}× {'met' if ratio >= least else '**not met**'} |"
                 for name, ratio, least in self.targets()]
        return lines + [f"| peak memory under 200 MB | {rss / 1e6:.0f} MB {'met' if rss < 200e6 else '**not met**'} |"]

    def markdown(self):
        lines = [
            f"# {self.title}: Exeat and its peers", "", f"![Times of each tool]({self.kind}.svg)", "",
            f"Made by `Scripts/bench {self.kind}` on {datetime.date.today().isoformat()}. Server and client "
            "share the machine. CPU seconds are the client's. A ratio above 1 means that Exeat is faster; "
            "its export is sealed and digested row by row, its import reads every row again.", ""]
        lines += [f"* {name}: {value}" for name, value in measure.machine()]
        lines += [f"* database: {units.size(self.bytes)} in tables, {units.number(self.rows)} rows, one table with most",
                  f"* server and tools: {self.versions()}; {measure.version(self.binary, '--version')}"]
        lines += [f"* limit: {name}, {rate / 1e6:.0f} MB of text a second" for name, rate in self.limits]
        lines += [f"* {note}" for note in self.notes]
        lines += ["", "| target | exeat |", "|---|---|", *self.verdicts()]
        for step in dict.fromkeys(sample.step for sample in self.samples):
            lines += ["", f"## {step}", "", "| tool | best s | median s | CPU s | peak MiB | stored MiB | exeat is faster |",
                      "|---|--:|--:|--:|--:|--:|--:|"]
            ours = self.wall(step, "exeat")
            for tool in self.tools(step):
                best = self.best(step, tool)
                median = statistics.median(s.cost.wall for s in self.samples if (s.step, s.tool) == (step, tool))
                ratio = f"{best.cost.wall / ours:.2f}×" if ours and tool != "exeat" else ""
                lines.append(f"| {tool.replace('|', chr(92) + '|')} | {best.cost.wall:.2f} | {median:.2f} | {best.cost.cpu:.2f} | "
                             f"{units.mebibytes(best.cost.rss)} | {units.mebibytes(best.stored) if best.stored else ''} | {ratio} |")
        return "\n".join(lines) + "\n"

    def csv(self):
        return "step,tool,wall_s,user_s,system_s,peak_rss_bytes,stored_bytes\n" + "".join(
            f"{s.step},\"{s.tool}\",{s.cost.wall:.3f},{s.cost.user:.2f},{s.cost.system:.2f},{s.cost.rss},{s.stored}\n"
            for s in self.samples)

    def panels(self):
        return [(step, [(tool, self.wall(step, tool)) for tool in self.tools(step)])
                for step in ("export", "import")]
