#!/usr/bin/env python3
"""How reports look: three hundred sources, valid HTML, every width, by day and night, on paper. Needs tidy and Chromium for the last."""
import json
import os
import re
import shutil

from report_kit import World, first_segment, flip
from support import Cases, Skipped, run, scratch, write

MEASURE = """<!DOCTYPE html><meta charset="utf-8"><body><iframe id="f" style="border:0" width="%d" height="900"
src="report.html"></iframe><script>
const rgb = text => { const p = text.match(/[\\d.]+/g).map(Number); return p.length > 3 ? p : [...p, 1]; };
const light = c => { const f = c.slice(0, 3).map(v => { v /= 255;
  return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2]; };
onload = () => { const d = document.getElementById("f").contentDocument, w = d.defaultView;
  const found = {width: d.documentElement.scrollWidth, low: [], words: 0, wide: []};
  for (const e of d.querySelectorAll("*")) {
    const own = [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim());
    if (!own || !e.getClientRects().length) continue;
    let back = null;
    for (let b = e; b && !back; b = b.parentElement) {
      const c = rgb(w.getComputedStyle(b).backgroundColor); if (c[3] > 0) back = c; }
    const l = [light(rgb(w.getComputedStyle(e).color)), light(back || [255, 255, 255])];
    const ratio = (Math.max(...l) + 0.05) / (Math.min(...l) + 0.05);
    found.words++;
    if (ratio < 4.5) found.low.push(e.tagName + "." + e.className + " " + ratio.toFixed(2)); }
  for (const frame of d.querySelectorAll(".scroll")) {
    if (!frame.getClientRects().length) continue;
    const seen = frame.getBoundingClientRect();
    for (const place of [0, 1e6]) {
      frame.scrollLeft = place;
      const caption = frame.querySelector("caption span").getBoundingClientRect();
      if (caption.left < seen.left - 1 || caption.right > seen.right + 1)
        found.wide.push(frame.querySelector("caption").textContent + " at " + place); } }
  document.title = JSON.stringify(found); };
</script>"""


def many(world):
    sources = [f"service-{number:03}" for number in range(300)]
    for source in sources:
        os.makedirs(world.at("srv/" + source))
        write(world.at(f"srv/{source}/f"), source)
    world.export("many", sources=sources)
    page = world.page("many", trust="hoster.trust.json")
    assert all(source in page.all for source in sources)
    assert len(page.raw) < 4 << 20
    assert "277 autres sources" in page.all.replace("\u202f", " ")


def valid(world):
    if not shutil.which("tidy"):
        raise Skipped("tidy is not installed (Scripts/setup)")
    for archive, options in (("sealed", ["--names", "--decrypt-with", "hospital.agekey"]), ("many", [])):
        world.page(archive, *options, "--lang", "en", trust="both.json")
        done = run("tidy", "-q", "-e", "--drop-empty-elements", "no", world.at("report.html"))
        # This tidy knows no svg attributes of HTML 5, and calls spans that hold nothing empty.
        complaints = [line for line in done.errors.splitlines() if "Error" in line or (
            "Warning" in line and not re.search(r"proprietary attribute|empty <|is not approved", line))]
        assert not complaints, complaints[:5]


def rendered(world):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        raise Skipped("chromium is not installed")
    common = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
              "--allow-file-access-from-files", f"--user-data-dir={world.at('browser')}"]
    flip(first_segment(world.at(world.copy("sealed", "damaged"))))
    # Neither screen scrolls sideways, text has the contrast of WCAG AA by day and by night, and the captions
    # of tables that are wider than a screen stay in sight.
    for archive, options, status in [("damaged", ["--lang", "en"], 3), ("sealed", ["--decrypt-with", "hospital.agekey"], 0)]:
        world.page(archive, "--names", *options, status=status)
        for width in (390, 1280):
            for scheme in ("1", "0"):
                write(world.at("measure.html"), MEASURE % width)
                done = run(*common, f"--blink-settings=preferredColorScheme={scheme}", "--dump-dom",
                           "file://" + world.at("measure.html"), timeout=120)
                title = re.search(r"<title>(.*?)</title>", done.output.decode()).group(1)
                found = json.loads(title.replace("&quot;", '"').replace("&amp;", "&"))
                assert found["words"] > 300, found
                assert found["width"] <= width, found["width"]
                assert not found["low"], found["low"][:5]
                assert not found["wide"], found["wide"][:5]
    done = run(*common, "--no-pdf-header-footer", f"--print-to-pdf={world.at('report.pdf')}",
               "file://" + world.at("report.html"), timeout=300)
    with open(world.at("report.pdf"), "rb") as file:
        pdf = file.read()
    assert pdf.startswith(b"%PDF") and 5 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type/Page\n") <= 40


with scratch() as path:
    cases = Cases()
    world = World(path)
    for name, case in [
        ("three hundred sources", many),
        ("the page is valid HTML", valid),
        ("browsers show it at every width, by day and night, and print it", rendered),
    ]:
        with cases.case(name):
            case(world)
cases.finish()
