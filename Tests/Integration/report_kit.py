"""What the tests of reports share: a page as assistive software reads it, archives with planted names, their reports."""
import contextlib
import html.parser
import os
import re
import shutil

from support import ROOT, exeat, keys, run, write

# Planted: what must never leave without --names. The last two would break a page that does not escape.
NAMES = ["dupont-jeanne-1954.txt", "srv-secret-host", "<img src=x onerror=alert(1)>.txt",
         "\u202egnp.exe", "l" * 250, "\"'&.txt"]
VOID = {"meta", "br", "wbr"}


class Page(html.parser.HTMLParser):
    """What the tests ask of a page: balance, references, headings, text."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.uses, self.faults = [], [], [], [], []
        self.tags, self.text, self.commands, self.levels = {}, [], [], []
        self.language = None
        self.feed(text)
        self.close()
        if self.open:
            self.faults.append(f"open at the end: {self.open}")

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags[tag] = self.tags.get(tag, 0) + 1
        if tag == "html":
            self.language = attributes.get("lang")
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.uses += attributes.get("aria-labelledby", "").split()
        if "href" in attributes:
            self.links.append(attributes["href"])
        for name in attributes:
            if name in ("src", "srcset", "action", "poster", "data", "xlink:href") or name.startswith("on"):
                self.faults.append(f"<{tag} {name}>")
        if tag in ("script", "iframe", "img", "object", "embed", "link", "form", "input", "base"):
            self.faults.append(f"<{tag}>")
        if tag == "th" and "scope" not in attributes:
            self.faults.append("a header of a table without scope")
        if tag == "svg" and "aria-hidden" not in attributes and not (
                attributes.get("aria-label") or attributes.get("aria-labelledby")):
            self.faults.append("a drawing without a label")
        if "url(" in attributes.get("style", ""):
            self.faults.append("a style that loads something")
        if tag not in VOID:
            self.open.append(tag)
        if tag == "pre" and attributes.get("class") == "commands":
            self.commands.append("")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        if "style" in self.open:
            if re.search(r"url\(|@import|https?:", data):
                self.faults.append("the style sheet loads something")
            return
        self.text.append(data)
        if "pre" in self.open and self.commands:
            self.commands[-1] += data


def judged(path):
    """A page that stands by itself and is built as assistive software expects."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    page = Page(text)
    assert not page.faults, page.faults[:5]
    assert len(page.ids) == len(set(page.ids)), "an id comes twice"
    targets = set(page.ids)
    assert all(link.startswith("#") and link[1:] in targets for link in page.links), page.links
    assert set(page.uses) <= targets, set(page.uses) - targets
    assert page.levels.count(1) == 1
    assert all(b <= a + 1 for a, b in zip(page.levels, page.levels[1:])), page.levels
    assert page.tags.get("main") == 1 and page.tags.get("nav") == 1 and page.tags.get("header") == 1
    page.all = "".join(page.text)
    page.raw = text
    return page


class World:
    """Two parties, an encrypted archive in clear and in tar form, an import."""

    def __init__(self, path):
        self.path = path
        keys(path, "hoster", "--role", "exporter")
        keys(path, "hospital", "--role", "importer", "--role", "controller")
        with open(self.at("both.json"), "w") as file:
            file.write(open(self.at("hoster.trust.json")).read() + open(self.at("hospital.trust.json")).read())
        for source, names in (("partage", NAMES), ("dpi", ["a", "b"]), ("journaux", ["c"])):
            os.makedirs(self.at("srv/" + source))
            for name in names:
                write(self.at(f"srv/{source}/{name}"), name * 3)
        os.mkfifo(self.at("srv/partage/dupont-fifo"))
        write(self.at("srv/partage/martin-paul.tmp"), "x")
        self.export("sealed", recipient=open(self.at("hospital.agepub")).read().strip())
        self.export("clear")
        self.import_("sealed", "new")

    def at(self, name):
        return os.path.join(self.path, name)

    def export(self, name, recipient=None, output=None, status=0, purpose="end-of-contract", sources=None,
               names="public"):
        lines = ["exeat: 1", "run:", f"  purpose: {purpose}", f"  names: {names}", "  contract: E26-01/0042",
                 "  provider: { name: \"Hébergeur SA\" }", "  customer: { name: \"CH de Valmont\" }", "sources:"]
        for source in sources or ["partage", "dpi", "journaux"]:
            lines += [f"  {source}:", "    kind: files", f"    path: {self.at('srv/' + source)}"]
            if source == "partage":
                lines += ["    exclude: { paths: [ \"*.tmp\" ], reason: temporary }"]
        lines += ["archive:", f"  name: {name}", "  sign-with: hoster"]
        if recipient:
            lines.append(f"  encrypt-to: [ {recipient} ]")
        write(self.at(name + ".yaml"), "\n".join(lines) + "\n")
        # Three hundred sources take their time on a machine that does other things.
        exeat("export", name + ".yaml", "--output", output or name, cwd=self.path, timeout=900).expect(status)

    def import_(self, archive, target, status=0):
        lines = ["exeat: 1", "trust: hoster.trust.json", "decrypt-with: hospital.agekey", "sign-with: hospital",
                 "targets:"]
        for source in ("partage", "dpi", "journaux"):
            lines.append(f"  {source}: {{ kind: files, path: {self.at(target)}-{source} }}")
        write(self.at("import.yaml"), "\n".join(lines) + "\n")
        return exeat("import", archive, "import.yaml", "--work", target + ".work", cwd=self.path).expect(status)

    def copy(self, archive, name):
        shutil.copytree(self.at(archive), self.at(name))
        return name

    def report(self, archive, *options, status=0, trust="both.json", output="report.html"):
        words = ["report", archive, *options]
        if trust:
            words += ["--trust", trust]
        if output:
            words += ["--output", output]
        return exeat(*words, cwd=self.path).expect(status)

    def page(self, archive, *options, **more):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.at("report.html"))
        self.report(archive, *options, **more)
        return judged(self.at("report.html"))

    def json(self, archive, *options, **more):
        result = self.report(archive, *options, "--json", output=None, **more)
        write(self.at("report.json"), result.output)
        check = run(ROOT / "Scripts" / "validate-schemas", self.at("report.json"), "report")
        assert check.status == 0, check.output[-1500:] + check.errors[-500:].encode()
        return result.json


def planted(text):
    """Names of the sources that a text shows, whole or escaped."""
    marks = ["dupont", "srv-secret", "onerror", "gnp.exe", "l" * 60, "martin-paul"]
    return [mark for mark in marks if mark in text]


def flip(path, offset=100):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))


def first_segment(bag):
    for folder, _, files in sorted(os.walk(os.path.join(bag, "data"))):
        for name in sorted(files):
            return os.path.join(folder, name)
