import itertools
import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphlab.train.svg import DARK, LIGHT, WIDTH, Dot, Line, Panel, bar_panels, dot_chart, line_chart, shorten, spread

SVG = "{http://www.w3.org/2000/svg}"
any_float = st.floats(allow_nan=True, allow_infinity=True)


def line(name="a", ys=(1.0, 2.0, 3.0)):
    return Line(name, list(range(1, len(ys) + 1)), list(ys), list(ys), list(ys))


def points(element):
    return [tuple(map(float, pair.split(","))) for pair in element.get("points").split()]


def curves(root):
    """Lines of data, without the leaders from a line's end to its label."""
    return [p for p in root.iter(f"{SVG}polyline") if p.get("stroke-width") == "2"]


def assert_inside(root):
    width, height = map(float, root.get("viewBox").split()[2:])
    places = [p for e in root.iter() if e.get("points") for p in points(e)]
    places += [(float(c.get("cx")), float(c.get("cy"))) for c in root.iter(f"{SVG}circle")]
    places += [(float(t.get("x")), float(t.get("y"))) for t in root.iter(f"{SVG}text")]
    assert places
    assert all(0 <= x <= width and 0 <= y <= height for x, y in places)


@given(st.lists(st.lists(any_float, min_size=1, max_size=8), min_size=1, max_size=20))
def test_line_chart_is_valid_and_inside_for_any_numbers(columns):
    chart = line_chart([line(str(i), ys) for i, ys in enumerate(columns)], "t", "x", "y", False)
    root = ET.fromstring(chart)
    drawn = sum(len(points(p)) for p in curves(root))
    assert drawn == sum(math.isfinite(v) and abs(v) < 1e300 for ys in columns for v in ys)
    assert "nan" not in chart and "inf" not in chart
    assert_inside(root)


@given(st.lists(st.tuples(any_float, st.floats(0) | st.just(math.nan)), min_size=1, max_size=8))
def test_dot_chart_is_valid_and_inside_for_any_numbers(pairs):
    dots = [Dot(str(i), mean, std, [mean, 1.0], "x") for i, (mean, std) in enumerate(pairs)]
    chart = dot_chart(dots, "t", "x")
    assert "nan" not in chart and "inf" not in chart
    assert_inside(ET.fromstring(chart))


@given(st.lists(st.tuples(any_float, st.floats(0) | st.just(math.nan)), min_size=1, max_size=8))
def test_bar_panels_are_valid_and_inside_for_any_numbers(pairs):
    bars = [Dot(str(i), mean, std, (), "x") for i, (mean, std) in enumerate(pairs)]
    chart = bar_panels([Panel("one", bars), Panel("two", bars[:1], [0.5])], "t", ["said", "more"])
    assert "nan" not in chart and "inf" not in chart
    root = ET.fromstring(chart)
    assert_inside(root)
    for bar in root.iter(f"{SVG}rect"):
        x, width = float(bar.get("x")), float(bar.get("width"))
        assert 0 <= x <= x + width <= WIDTH


def test_bars_reach_from_zero_to_their_value():
    root = ET.fromstring(bar_panels([Panel("p", [Dot("a", 2.0, 0, (), ""), Dot("b", -1.0, 0, (), "")])], "t", []))
    (x0, w0), (x1, w1) = ((float(bar.get("x")), float(bar.get("width"))) for bar in root.iter(f"{SVG}rect"))
    assert x1 + w1 == pytest.approx(x0, abs=0.11) and w0 == pytest.approx(2 * w1, abs=0.2)


@given(st.text(), st.text(), st.text())
def test_any_text_stays_text(name, title, label):
    chart = line_chart([line(name)], title, label, label, False)
    root = ET.fromstring(chart.encode("utf-8", "replace"))
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {
        "svg",
        "title",
        "desc",
        "text",
        "path",
        "polyline",
        "polygon",
        "circle",
    }


def test_points_are_where_the_axis_says():
    chart = ET.fromstring(line_chart([line(ys=(0.0, 5.0, 10.0))], "t", "epoch", "loss", False))
    (first, middle, last) = points(curves(chart)[0])
    assert first[0] < middle[0] < last[0] and first[1] > middle[1] > last[1]
    assert middle[0] == pytest.approx((first[0] + last[0]) / 2, abs=0.1)
    assert middle[1] == pytest.approx((first[1] + last[1]) / 2, abs=0.1)


def test_band_goes_along_the_upper_edge_and_back_along_the_lower():
    band = Line("a", [1, 2, 3], [2.0, 3.0, 4.0], [1.0, 2.0, 3.0], [3.0, 4.0, 5.0])
    root = ET.fromstring(line_chart([band], "t", "x", "y", False))
    (polygon,) = root.iter(f"{SVG}polygon")
    (curve,) = curves(root)
    upper, lower = points(polygon)[:3], points(polygon)[:2:-1]
    for (x, y), (x_high, y_high), (x_low, y_low) in zip(points(curve), upper, lower, strict=True):
        assert x == x_high == x_low
        assert y_high < y < y_low
        assert y - y_high == pytest.approx(y_low - y, abs=0.11)


def test_nan_leaves_a_gap():
    root = ET.fromstring(line_chart([line(ys=(1, 2, math.nan, 4, 5, 6))], "t", "x", "y", False))
    assert [len(points(p)) for p in curves(root)] == [2, 3]


def test_two_decades_make_the_axis_logarithmic_and_less_or_zero_does_not():
    wide = line_chart([line(ys=(100.0, 10.0, 1.0, 0.1))], "t", "x", "loss", False)
    rows = [y for _, y in points(curves(ET.fromstring(wide))[0])]
    assert rows[1] - rows[0] == pytest.approx(rows[2] - rows[1], abs=0.11)
    assert "log scale" in wide
    assert "log scale" not in line_chart([line(ys=(100.0, 0.1))], "t", "x", "y", True)
    assert "log scale" not in line_chart([line(ys=(1.0, 50.0))], "t", "x", "y", False)
    assert "log scale" not in line_chart([line(ys=(0.0, 5000.0))], "t", "x", "y", False)


def test_labels_of_lines_that_end_together_do_not_touch():
    chart = line_chart([line(str(i), (0.0, 1.0)) for i in range(25)], "t", "x", "y", False)
    texts = [t for t in ET.fromstring(chart).iter(f"{SVG}text") if t.find(f"{SVG}title") is not None]
    rows = sorted(float(t.get("y")) for t in texts)
    assert len(rows) == 25
    assert min(b - a for a, b in itertools.pairwise(rows)) >= 16.9


@given(st.lists(st.floats(0, 100), min_size=1, max_size=10))
def test_spread_keeps_gap_range_and_order(wanted):
    placed = spread(wanted, 0, 100, 10)
    rows = sorted(placed)
    assert rows[0] >= -1e-9 and rows[-1] <= 100
    assert all(b - a >= 10 - 1e-9 for a, b in itertools.pairwise(rows))
    assert sorted(range(len(wanted)), key=lambda i: wanted[i]) == sorted(range(len(placed)), key=lambda i: placed[i])


def test_dots_whiskers_and_seeds_lie_on_one_scale():
    dots = [Dot("a", 2.0, 1.0, [1.0, 3.0], "2 ± 1"), Dot("b", 3.0, 0.0, [], "3")]
    root = ET.fromstring(dot_chart(dots, "t", "x"))
    circles = {(c.get("r"), i): float(c.get("cx")) for i, c in enumerate(root.iter(f"{SVG}circle"))}
    low, high, mean_a, mean_b = circles.values()
    assert mean_a == pytest.approx((low + high) / 2, abs=0.1)
    assert mean_b == pytest.approx(high, abs=0.1)
    whisker = next(p.get("d") for p in root.iter(f"{SVG}path") if p.get("stroke-width"))
    assert whisker.startswith(f"M{low:.1f} ") and f"H{high:.1f}M" in whisker


def test_chart_without_values_says_so():
    for chart in (line_chart([], "t", "x", "y", False), dot_chart([], "t", "x")):
        assert "no data yet" in "".join(ET.fromstring(chart).itertext())


def test_charts_name_themselves_for_readers_who_do_not_see_them():
    root = ET.fromstring(line_chart([line("lcm"), line("gru")], "Validation", "epoch", "exact", False))
    assert root.get("role") == "img"
    assert [root[0].tag, root[0].text] == [f"{SVG}title", "Validation"]
    assert [root[1].tag, root[1].text] == [f"{SVG}desc", "exact over epoch for lcm, gru"]


def test_long_names_keep_both_ends_and_fit():
    assert shorten("aggr=lcm,lr=0.001,seed=1") == "aggr=lcm,…1,seed=1"
    assert shorten("short") == "short"
    chart = line_chart([line("W" * 300)], "t", "x", "y", False)
    label = next(t for t in ET.fromstring(chart).iter(f"{SVG}text") if "…" in (t.text or ""))
    assert float(label.get("x")) < WIDTH - 18 * 8


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("palette", "paper"), [(LIGHT, "#f6f7f8"), (DARK, "#1d2126")])
def test_palettes_have_the_contrast_wcag_asks_of_graphics(palette, paper):
    for colour in palette:
        light, dark = sorted([luminance(colour), luminance(paper)], reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5  # lines need 3, their labels 4.5


# Machado, Oliveira & Fernandes (2009), full severity, on linear RGB.
BLINDNESS = {
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritan": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def lab(colour, matrix):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    rgb = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    rgb = [min(1, max(0, sum(m * v for m, v in zip(row, rgb, strict=True)))) for row in matrix]
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = [sum(m * v for m, v in zip(row, rgb, strict=True)) for row in to_xyz]
    scaled = [v / w for v, w in zip(xyz, (0.9505, 1.0, 1.089), strict=True)]
    f = [v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in scaled]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


@pytest.mark.parametrize("kind", BLINDNESS)
@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_colours_stay_apart_for_colour_blind_readers(palette, kind):
    seen = [lab(colour, BLINDNESS[kind]) for colour in palette]
    apart = [math.dist(a, b) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(apart) > 10  # a just noticeable difference is about 2.3
