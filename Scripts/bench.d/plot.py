"""Draws the times as bars: one panel for each direction and tree, one bar for each tool.

The SVG is written here, without a library. It has no background; its colours are read on white and
on black alike.
"""
from xml.sax.saxutils import escape

TEXT = "#7d8590"
COLOURS = {"exeat": "#2f81f7", "exeat, age": "#8957e5", "exeat, adaptive": "#1b9e77"}
PEER = "#8b949e"
WIDTH, LABEL, VALUE = 860, 110, 150
BAR, GAP, HEAD = 16, 5, 30


def svg(results):
    panels = []
    for condition in results.conditions():
        rows = [(tool.name, results.best(*condition, tool.name)) for tool in results.tools]
        dataset, direction, cache = condition
        panels.append((f"{dataset}, {direction}, {cache} cache",
                       [(name, best.cost.wall) for name, best in rows if best]))
    return bars("Seconds until everything is on the disk (best run; shorter is better)", panels)


def bars(title, panels):
    """A picture of panels, each a heading and pairs of a name and seconds."""
    drawn, top = [], 34
    for heading, rows in panels:
        drawn.append(_panel(heading, rows, top))
        top += HEAD + len(rows) * (BAR + GAP) + 10
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top + 6}" '
        f'viewBox="0 0 {WIDTH} {top + 6}" font-family="sans-serif" font-size="12" fill="{TEXT}">',
        '<title>Best times of Exeat and its peers</title>',
        f'<text x="8" y="20" font-size="14" font-weight="bold">{escape(title)}</text>',
        *drawn, "</svg>", ""])


def _panel(heading, rows, top):
    longest = max(wall for _, wall in rows)
    ours = min((wall for name, wall in rows if name in COLOURS), default=None)
    lines = [f'<text x="8" y="{top + 18}" font-weight="bold">'
             f'{escape(heading)}</text>']
    for number, (name, wall) in enumerate(rows):
        y = top + HEAD + number * (BAR + GAP)
        width = max(1, (WIDTH - LABEL - VALUE) * wall / longest)
        text = f"{wall:.2f} s"
        if name not in COLOURS and ours:
            text += f"  ({wall / ours:.2f}×)"
        lines += [
            f'<text x="{LABEL - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2" '
            f'fill="{COLOURS.get(name, PEER)}"/>',
            f'<text x="{LABEL + width + 6:.1f}" y="{y + 12}">{text}</text>']
    return "\n".join(lines)
