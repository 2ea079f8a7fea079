"""Line, dot and bar charts as SVG text: what a report needs, without a plotting library.

Colours are CSS variables (``--s0`` ... for series, ``--ink``, ``--grid``) with the light palette as
fallback, so that a page can offer a dark palette and a saved SVG still has colours. Both palettes
keep a contrast of 4.5:1 to their background and stay apart for colour-blind readers; every line is
labelled where it ends as well.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from graphlab.train.axis import Axis, tick_labels, widened

LIGHT = ("#265da6", "#c93600", "#02633b", "#8a106e", "#777319", "#311a7b", "#577169")
DARK = ("#99cdff", "#de6b2d", "#00a372", "#c971ac", "#f4d02e", "#988ef4", "#cecfc4")

WIDTH = 440
_FONT = 13
_CHAR = 0.62 * _FONT  # mean width of a letter of a sans-serif face
_ROW = 17  # smallest distance of two labels that do not touch
_DOT_ROW = 36
_BAR_ROW = 22
_LONGEST = 18  # letters of a label; the page's legend has the full name
_TOP = 26
_BOTTOM = 44
_HUGE = 1e300  # beyond it, differences overflow; a loss that large has diverged
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0


@dataclass(frozen=True)
class Line:
    """One curve with its band.

    Args:
        name: Label.
        x: Positions, ascending.
        y: Values, one per position; NaN and infinities leave a gap.
        low: Lower edge of the band, one per position.
        high: Upper edge of the band, one per position.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


@dataclass(frozen=True)
class Dot:
    """One row of a dot chart: a mean with its deviation and the values behind it.

    Args:
        name: Label at the left.
        mean: Place of the dot.
        std: Half length of the whisker; NaN for none.
        values: Single values, drawn small and hollow below it.
        text: Figure written at the right.
    """

    name: str
    mean: float
    std: float
    values: Sequence[float]
    text: str


@dataclass(frozen=True)
class Panel:
    """One of several bar charts under each other.

    Args:
        heading: Above the bars.
        bars: From top to bottom; each reaches from 0 to its mean.
        marks: Values with a dashed line through the panel.
    """

    heading: str
    bars: Sequence[Dot]
    marks: Sequence[float] = ()


def line_chart(lines: Sequence[Line], title: str, x_label: str, y_label: str, linear: bool) -> str:
    """Draw curves over a common x axis, each with its band, labelled where it ends.

    Args:
        lines: Curves, in the order of their colours.
        title: What the chart shows, for readers who do not see it.
        x_label: Below the x axis.
        y_label: Above the y axis.
        linear: Whether the y axis is linear in any case. Else it is logarithmic if all values are
            positive and span more than two decades.

    Example:
        >>> chart = line_chart([Line("a", [1, 2], [3, 5], [2, 4], [4, 6])], "t", "x", "y", True)
        >>> chart.count("<polygon")
        1
    """
    ys = [v for line in lines for v in (*line.y, *line.low, *line.high) if _usable(v)]
    if not ys:
        return _empty(title)
    height = max(270, _TOP + _BOTTOM + _ROW * len(lines))
    y = _y_axis(ys, linear, height - _BOTTOM, _TOP)
    left = 10 + _CHAR * max(len(t) for t in tick_labels(y.ticks()))
    right = WIDTH - 15 - _CHAR * max(len(shorten(line.name)) for line in lines)
    xs = [v for line in lines for v in line.x]
    x = Axis(*widened(min(xs), max(xs)), left + 4, right)
    order = sorted(range(len(lines)), key=lambda i: -len(lines[i].x))
    body = [
        *_grid(x, y, left, height),
        *(_band(lines[i], i, x, y) for i in order),
        *(_curve(lines[i], i, x, y) for i in order),
        *_end_labels(lines, x, y, height - _BOTTOM),
        _label((left + right) / 2, height - 8, x_label, "middle"),
        _label(0, 14, y_label + (" (log scale)" if y.log else ""), "start"),
    ]
    desc = f"{y_label} over {x_label} for " + ", ".join(line.name for line in lines)
    return _svg(body, height, title, desc)


def dot_chart(dots: Sequence[Dot], title: str, x_label: str) -> str:
    """Draw one row per dot: mean, whisker of one deviation to each side, single values, figure.

    Args:
        dots: Rows from top to bottom, in the order of their colours.
        title: What the chart shows, for readers who do not see it.
        x_label: Below the axis.
    """
    ends = [v for d in dots for v in (d.mean, *_whisker(d), *d.values) if _usable(v)]
    if not ends:
        return _empty(title)
    height = _BOTTOM + _DOT_ROW * len(dots)
    left = 14 + _CHAR * max(len(shorten(dot.name)) for dot in dots)
    right = WIDTH - 14 - _CHAR * max(len(dot.text) for dot in dots)
    low, high = widened(min(ends), max(ends))
    pad = 0.04 * (high - low)
    x = Axis(low - pad, high + pad, left, right)
    body = _ticks_below(x, 0, height - _BOTTOM)
    for i, dot in enumerate(dots):
        body += _dot_row(dot, i, x, _DOT_ROW * i + 14)
    body.append(_label((left + right) / 2, height - 8, x_label, "middle"))
    desc = "; ".join(f"{dot.name}: {dot.text}" for dot in dots)
    return _svg(body, height, title, desc)


def bar_panels(panels: Sequence[Panel], title: str, notes: Sequence[str]) -> str:
    """Draw bar charts under each other, each with an axis of its own, below some lines of text.

    Args:
        panels: Charts from top to bottom; values that are no numbers get a name and a text, but no bar.
        title: The first line, in bold.
        notes: The lines below it.

    Example:
        >>> chart = bar_panels([Panel("r", [Dot("A", 0.2, 0.1, (), "+0.20")], [0.1])], "t", ["said"])
        >>> chart.count("<rect"), chart.count("stroke-dasharray")
        (1, 1)
    """
    lines = [title, *notes]
    body = [_label(0, 16 + _ROW * i, line, "start") for i, line in enumerate(lines)]
    body[0] = f'<g font-weight="bold">{body[0]}</g>'
    height = 16.0 + _ROW * len(lines)
    for panel in panels:
        body += [f'<g transform="translate(0 {height:g})">', *_panel(panel), "</g>"]
        height += _panel_height(panel)
    desc = "; ".join(f"{panel.heading}: " + ", ".join(f"{b.name} {b.text}" for b in panel.bars) for panel in panels)
    return _svg(body, height, title, desc)


def shorten(name: str) -> str:
    """Cut the middle out of a long name: both ends tell settings of a sweep apart.

    Args:
        name: A label of any length.
    """
    half = _LONGEST // 2
    return name if len(name) <= _LONGEST else f"{name[:half]}…{name[-half + 1 :]}"


def spread(wanted: Sequence[float], low: float, high: float, gap: float) -> list[float]:
    """Move label positions apart until none is closer than ``gap`` to another, as little as needed.

    Args:
        wanted: Where the labels would like to be.
        low: Smallest position.
        high: Largest position; ``high - low`` has room for all labels.
        gap: Smallest distance.

    Example:
        >>> spread([10, 11, 50], 0, 100, 5)
        [10, 15, 50]
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = list(wanted)
    floor = low
    for i in order:
        placed[i] = max(placed[i], floor)
        floor = placed[i] + gap
    ceiling = high
    for i in reversed(order):
        placed[i] = min(placed[i], ceiling)
        ceiling = placed[i] - gap
    return placed


def _usable(value: float) -> bool:
    return math.isfinite(value) and abs(value) < _HUGE


def _y_axis(values: Sequence[float], linear: bool, start: float, end: float) -> Axis:
    low, high = min(values), max(values)
    if not linear and low > 0 and high > 100 * low:
        return Axis(low / 1.2, high * 1.2, start, end, log=True)
    low, high = widened(low, high)
    pad = 0.04 * (high - low)
    return Axis(low - pad, high + pad, start, end)


def _whisker(dot: Dot) -> tuple[float, ...]:
    return (dot.mean - dot.std, dot.mean + dot.std) if _usable(dot.mean + dot.std) else ()


def _runs(line: Line) -> list[list[int]]:
    """Return the stretches of a line without a gap, as lists of positions."""
    stretches: list[list[int]] = [[]]
    for i, values in enumerate(zip(line.y, line.low, line.high, strict=True)):
        if all(map(_usable, values)):
            stretches[-1].append(i)
        elif stretches[-1]:
            stretches.append([])
    return [stretch for stretch in stretches if stretch]


def _points(xs: Sequence[float], ys: Sequence[float]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))


def _curve(line: Line, i: int, x: Axis, y: Axis) -> str:
    parts = []
    for run in _runs(line):
        points = _points([x.place(line.x[k]) for k in run], [y.place(line.y[k]) for k in run])
        parts.append(
            f'<polyline points="{points}" fill="none" stroke-width="2" '
            f'stroke-linejoin="round"{_dash(i)} style="stroke:{_colour(i)}"/>'
        )
    return "".join(parts)


def _band(line: Line, i: int, x: Axis, y: Axis) -> str:
    parts = []
    for run in _runs(line):
        forth = [x.place(line.x[k]) for k in run]
        edges = [y.place(line.high[k]) for k in run], [y.place(line.low[k]) for k in run]
        points = f"{_points(forth, edges[0])} {_points(forth[::-1], edges[1][::-1])}"
        parts.append(f'<polygon points="{points}" opacity="0.14" style="fill:{_colour(i)}"/>')
    return "".join(parts)


def _end_labels(lines: Sequence[Line], x: Axis, y: Axis, bottom: float) -> list[str]:
    last = [(i, _runs(line)[-1][-1]) for i, line in enumerate(lines) if _runs(line)]
    ends = [(i, x.place(lines[i].x[k]), y.place(lines[i].y[k])) for i, k in last]
    rows = spread([end[2] for end in ends], _TOP, bottom, _ROW)
    parts = []
    for (i, at_x, at_y), row in zip(ends, rows, strict=True):
        colour = _colour(i)
        parts += [
            f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="3" style="fill:{colour}"/>',
            f'<polyline points="{at_x:.1f},{at_y:.1f} {x.end:.1f},{at_y:.1f} '
            f'{x.end + 10:.1f},{row:.1f}" fill="none" opacity="0.5" style="stroke:{colour}"/>',
        ]
        parts.append(_name(x.end + 13, row + 4, lines[i].name, colour))
    return parts


def _dot_row(dot: Dot, i: int, x: Axis, row: float) -> list[str]:
    colour = _colour(i)
    parts = [
        _name(0, row + 4, dot.name, "var(--ink,#222)"),
        _label(WIDTH, row + 4, dot.text, "end"),
    ]
    if _whisker(dot):
        low, high = (x.place(v) for v in _whisker(dot))
        path = f"M{low:.1f} {row - 5}v10M{low:.1f} {row}H{high:.1f}M{high:.1f} {row - 5}v10"
        parts.append(f'<path d="{path}" fill="none" stroke-width="2" style="stroke:{colour}"/>')
    parts += [
        f'<circle cx="{x.place(v):.1f}" cy="{row + 11}" r="3" fill="none" style="stroke:{colour}"/>'
        for v in dot.values
        if _usable(v)
    ]
    if _usable(dot.mean):
        at = x.place(dot.mean)
        parts.append(f'<circle cx="{at:.1f}" cy="{row}" r="5" style="fill:{colour}"/>')
    return parts


def _panel_height(panel: Panel) -> float:
    return _TOP + _BAR_ROW * len(panel.bars) + _BOTTOM


def _panel(panel: Panel) -> list[str]:
    left = 14 + _CHAR * max(len(shorten(bar.name)) for bar in panel.bars)
    right = WIDTH - 14 - _CHAR * max(len(bar.text) for bar in panel.bars)
    ends = [v for bar in panel.bars for v in (bar.mean, *_whisker(bar)) if _usable(v)]
    low, high = widened(min([0.0, *ends, *panel.marks]), max([0.0, *ends, *panel.marks]))
    x = Axis(low - 0.04 * (high - low), high + 0.04 * (high - low), left, right)
    bottom = _panel_height(panel) - _BOTTOM + 6
    parts = [_label(0, 14, panel.heading, "start"), *_ticks_below(x, _TOP - 4, bottom)]
    for i, bar in enumerate(panel.bars):
        parts += _bar_row(bar, x, _TOP + _BAR_ROW * (i + 0.5))
    line = f'<path d="M{{:.1f}} {_TOP - 4}V{bottom:g}" style="stroke:var(--ink,#222)"{{}}/>'
    parts.append(line.format(x.place(0), ""))
    return parts + [line.format(x.place(mark), ' stroke-dasharray="4 3"') for mark in panel.marks]


def _bar_row(bar: Dot, x: Axis, row: float) -> list[str]:
    parts = [_name(0, row + 4, bar.name, "var(--ink,#222)"), _label(WIDTH, row + 4, bar.text, "end")]
    if _usable(bar.mean):
        start, end = sorted((x.place(0), x.place(bar.mean)))
        size = f'x="{start:.1f}" y="{row - 6:g}" width="{end - start:.1f}" height="12"'
        parts.append(f'<rect {size} style="fill:{_colour(0)}"/>')
    if _whisker(bar):
        low, high = (x.place(v) for v in _whisker(bar))
        path = f"M{low:.1f} {row - 4:g}v8M{low:.1f} {row:g}H{high:.1f}M{high:.1f} {row - 4:g}v8"
        parts.append(f'<path d="{path}" fill="none" stroke-width="2" style="stroke:var(--ink,#222)"/>')
    return parts


def _grid(x: Axis, y: Axis, left: float, height: float) -> list[str]:
    parts = _ticks_below(x, _TOP, height - _BOTTOM)
    for tick, text in zip(y.ticks(), tick_labels(y.ticks()), strict=True):
        row = y.place(tick)
        parts.append(f'<path d="M{left:.1f} {row:.1f}H{x.end:.1f}" style="stroke:var(--grid,#ddd)"/>')
        parts.append(_label(left - 5, row + 4, text, "end"))
    return parts


def _ticks_below(x: Axis, top: float, bottom: float) -> list[str]:
    parts = []
    for tick, text in zip(x.ticks(), tick_labels(x.ticks()), strict=True):
        at = x.place(tick)
        parts.append(f'<path d="M{at:.1f} {top}V{bottom}" style="stroke:var(--grid,#ddd)"/>')
        parts.append(_label(at, bottom + 16, text, "middle"))
    return parts


def _colour(i: int) -> str:
    return f"var(--s{i % len(LIGHT)},{LIGHT[i % len(LIGHT)]})"


def _dash(i: int) -> str:
    """Return dashes for the second and third round through the palette."""
    pattern = ("", "7 3", "2 3")[i // len(LIGHT) % 3]
    return f' stroke-dasharray="{pattern}"' if pattern else ""


def _text(value: str) -> str:
    return escape(_ILLEGAL.sub("\ufffd", value))


def _label(x: float, y: float, text: str, anchor: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} style="fill:var(--ink,#222)">{_text(text)}</text>'


def _name(x: float, y: float, name: str, colour: str) -> str:
    """Label a series; the full name shows when pointed at."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" style="fill:{colour}">{_text(shorten(name))}<title>{_text(name)}</title></text>'
    )


def _empty(title: str) -> str:
    return _svg([_label(WIDTH / 2, 50, "no data yet", "middle")], 90, title, "No data yet.")


def _svg(body: Sequence[str], height: float, title: str, desc: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img" '
        f'font-size="{_FONT}" font-family="system-ui, sans-serif">'
        f"<title>{_text(title)}</title><desc>{_text(desc)}</desc>{''.join(body)}</svg>"
    )
