import html
import json
import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from graphlab.train.report import curve, write_report
from graphlab.train.saved_runs import read_sweep

from .fake_runs import unfinish, write_run, write_sweep

SVG = "{http://www.w3.org/2000/svg}"
EVIL = "<script>alert(1)</script>&\"'{{7*7}}</pre>"


@pytest.fixture
def sweep(tmp_path):
    write_sweep(tmp_path / "sweep")
    return tmp_path / "sweep"


def page(path):
    return write_report(path).read_text(encoding="utf-8")


class Reader(HTMLParser):
    """What a browser sees: the tags, and the text between them."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = set(), ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data


def rows(text):
    """The cells of each row of the result table."""
    body = text.split("<tbody>")[1].split("</tbody>")[0]
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in body.split("<tr>")[1:]]


def charts(text):
    return [ET.fromstring(chart) for chart in re.findall(r"<svg.*?</svg>", text, re.S)]


def data_lines(chart):
    lines = [p for p in chart.iter(f"{SVG}polyline") if p.get("stroke-width") == "2"]
    return [line.get("points").split() for line in lines]


def test_numbers_are_those_of_result_json(sweep):
    results = {path.name: json.loads((path / "result.json").read_text()) for path in sweep.iterdir()}
    shown = {row[0]: row for row in rows(page(sweep))}
    assert shown.keys() == results.keys()
    for name, result in results.items():
        test, valid, parameters, epochs, seconds = shown[name][1:]
        mean, std, n = map(float, re.fullmatch(r"(.+) ± (.+) \((\d+)\)", test).groups())
        assert mean == pytest.approx(100 * result["test_mean"], abs=0.005)
        assert std == pytest.approx(100 * result["test_std"], abs=0.005)
        assert n == len(result["seeds"]) == 3
        assert float(valid.split()[0]) == pytest.approx(100 * result["valid_mean"], abs=0.005)
        assert int(parameters.replace(",", "")) == result["num_params"]
        assert (epochs, seconds) == ("60", "78.0")


def test_headline_and_order_follow_the_best_test_mean(sweep):
    text = page(sweep)
    names = [row[0] for row in rows(text)]
    results = {path.name: json.loads((path / "result.json").read_text()) for path in sweep.iterdir() if path.is_dir()}
    assert names == sorted(results, key=lambda name: -results[name]["test_mean"])
    assert "<h1>set_model on second_minimum</h1>" in text
    best = rows(text)[0]
    figure = best[1].removesuffix(" (3)")
    assert f"Best of 5: {best[0]}, test exact {figure} % over 3 seeds" in text
    assert text.count('best">') == 1


def test_lower_errors_come_first(sweep):
    for path in sweep.iterdir():
        result = json.loads((path / "result.json").read_text())
        (path / "result.json").write_text(json.dumps(result | {"metric": "mae"}))
    assert rows(page(sweep))[0][0] == "sum"


def test_every_setting_has_its_curves_with_one_point_per_epoch(sweep):
    dots, valid, loss = charts(page(sweep))
    assert [len(points) for points in data_lines(valid)] == [60] * 5
    assert [len(points) for points in data_lines(loss)] == [60] * 5
    assert "".join(dots.itertext()).count("±") >= 5
    for chart in (dots, valid, loss):
        assert chart[0].tag == f"{SVG}title" and chart[1].tag == f"{SVG}desc"
        assert chart[0].text and chart[1].text


def test_curves_are_mean_and_range_over_seeds():
    records = [
        {"run": run, "epoch": epoch, "valid": value}
        for run, values in enumerate([[0.1, 0.4, 0.5], [0.3, 0.6], [0.2, math.nan, None]])
        for epoch, value in enumerate(values, start=1)
    ]
    line = curve("a", records, "valid", 100)
    assert line.x == [1, 2, 3]
    assert line.y == pytest.approx([20, 50, 50])
    assert line.low == pytest.approx([10, 40, 50])
    assert line.high == pytest.approx([30, 60, 50])


def test_long_curves_are_thinned_but_keep_their_ends():
    records = [{"run": 0, "epoch": epoch, "loss": 1 / epoch} for epoch in range(1, 5001)]
    line = curve("a", records, "loss", 1)
    assert 200 <= len(line.x) <= 301
    assert (line.x[0], line.x[-1], line.y[-1]) == (1, 5000, 1 / 5000)


def test_single_run_shows_training_validation_and_each_seed(tmp_path):
    result = write_run(tmp_path / "one", "lcm")
    text = page(tmp_path / "one")
    _, score, loss = charts(text)
    assert (len(data_lines(score)), len(data_lines(loss))) == (2, 1)
    for run in result["runs"]:
        assert f'<td class="number">{100 * run["test"]:.2f}</td>' in text
    assert f"test exact {100 * result['test_mean']:.2f}" in text.lower()


def test_page_fetches_nothing_and_runs_nothing(sweep):
    text = page(sweep).replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|//|url\(|@import|\bsrc=|\bhref=|<link|<script|\bon\w+=", text)
    assert "default-src 'none'" in text


def test_page_has_both_colour_schemes_and_fits_a_phone(sweep):
    text = page(sweep)
    assert "prefers-color-scheme: dark" in text
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text


def test_what_users_write_is_text_not_markup(tmp_path):
    path = tmp_path / "sweep" / "a<b>&\"'"
    result = write_run(path, "lcm")
    write_run(tmp_path / "sweep" / "plain", "gru")
    (path / "config.toml").write_text(EVIL)
    (path / "env.json").write_text(json.dumps({EVIL: EVIL, "argv": ["graphlab", EVIL]}))
    evil = {"data": EVIL, "model": EVIL, "aggr": EVIL, "metric": "x" + EVIL}
    (path / "result.json").write_text(json.dumps(result | evil))
    text = page(tmp_path / "sweep")
    reader = Reader()
    reader.feed(text)
    assert not {"script", "b"} & reader.tags
    assert reader.text.count(EVIL) >= 6  # data, model, metric, config, environment, command
    assert path.name in reader.text
    assert len(charts(text)) == 6


def test_unfinished_run_is_shown_as_such_with_its_curve(sweep):
    unfinish(sweep / "pna")
    text = page(sweep)
    assert rows(text)[-1][:2] == ["pna", "unfinished"]
    assert "unfinished: no result.json yet; last logged: run 1 (seed 1), epoch 40" in text
    assert "1 unreadable line(s) left out" in text
    dots, valid, _ = charts(text)
    assert "pna" not in "".join(dots.itertext())
    assert [len(points) for points in data_lines(valid)] == [60] * 5


def test_result_of_some_seeds_says_of_how_many_and_is_not_best(sweep):
    result = json.loads((sweep / "lcm" / "result.json").read_text())
    first = {"seeds": [0], "runs": result["runs"][:1], "test_std": None, "valid_std": None}
    (sweep / "lcm" / "result.json").write_text(json.dumps(result | first))
    text = page(sweep)
    names = [row[0] for row in rows(text)]
    assert names[0] == "gru" and names[-1] == "lcm" and "Best of 5: gru" in text
    assert rows(text)[-1][1] == f"{100 * result['test_mean']:.2f} (1 of 3)"
    assert "unfinished: 1 of 3 seeds are done; last logged: run 2 (seed 2), epoch 60" in text


def test_sweep_that_was_stopped_says_how_many_settings_are_missing(sweep):
    (sweep / "config.toml").write_text('[sweep]\n"model.aggr" = ["a", "b", "c"]\nlr = [1, 2]\n')
    assert "5 of 6 settings have begun" in page(sweep)
    (sweep / "config.toml").write_text('[sweep]\n"model.aggr" = ["a", "b", "c", "d", "e"]\n')
    assert "have begun" not in page(sweep)


def test_epochs_that_were_not_evaluated_leave_no_gap():
    records = [{"run": 0, "epoch": e, "loss": 1.0} for e in range(1, 11)]
    records[4]["valid"], records[9]["valid"] = 0.5, 0.75
    line = curve("a", records, "valid", 100)
    assert (line.x, line.y) == ([5, 10], [50.0, 75.0])


def test_run_that_has_just_started(tmp_path):
    (tmp_path / "config.toml").write_text("runs = 3\n")
    text = page(tmp_path)
    assert "No finished result yet." in text
    assert "no epoch logged" in text
    assert "No command was recorded" in text
    assert all("no data yet" in "".join(chart.itertext()) for chart in charts(text))


def test_diverged_run_is_last_never_best_and_named(tmp_path):
    write_sweep(tmp_path, ("sum", "lcm"))
    result = json.loads((tmp_path / "lcm" / "result.json").read_text())
    bad = {"test_mean": math.nan, "test_std": math.nan}
    (tmp_path / "lcm" / "result.json").write_text(json.dumps(result | bad))
    with (tmp_path / "lcm" / "metrics.jsonl").open("a") as file:
        file.write('{"run": 2, "seed": 2, "epoch": 61, "loss": NaN, "valid": NaN}\n')
    text = page(tmp_path)
    assert [row[:2] for row in rows(text)][1] == ["lcm", "nan (3)"]
    assert "diverged: the loss of run 2 (seed 2) is nan at epoch 61" in text
    assert "Best of 2: sum" in text
    assert "nan" not in "".join(re.findall(r'points="(.*?)"', text))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"metric": "exa', "cannot be read"),
        ("[1, 2]", "no usable &#39;metric&#39;"),
        ('{"metric": "exact", "test_mean": null}', "no usable &#39;test_mean&#39;"),
        ('{"metric": "exact", "test_mean": 0.5, "seeds": 3}', "no usable &#39;seeds&#39;"),
        ('{"metric": "a", "test_mean": 1, "seeds": [0], "runs": [1]}', "are no tables"),
    ],
)
def test_damaged_result_counts_as_unfinished_and_says_why(sweep, content, reason):
    (sweep / "gru" / "result.json").write_text(content)
    text = page(sweep)
    assert rows(text)[-1][:2] == ["gru", "unfinished"]
    assert reason in text


def test_damaged_lines_and_files_do_not_hide_the_rest(sweep):
    metrics = sweep / "lcm" / "metrics.jsonl"
    metrics.write_bytes(b'\xff\xfe\n[1]\nnull\n{"run": 0}\n{"epoch": Infinity, "run": 0}\n' + metrics.read_bytes())
    (sweep / "lcm" / "env.json").write_text("{")
    text = page(sweep)
    assert "5 unreadable line(s) left out" in text
    assert [len(points) for points in data_lines(charts(text)[1])] == [60] * 5


def test_epoch_logged_twice_counts_once(tmp_path):
    write_run(tmp_path / "a", "lcm", epochs=2, seeds=2)
    with (tmp_path / "a" / "metrics.jsonl").open("a") as file:
        file.write('{"run": 0, "seed": 0, "epoch": 2, "loss": 7.0}\n')
    (setting,) = read_sweep(tmp_path / "a").settings
    assert [record["epoch"] for record in setting.records] == [1, 2, 1, 2]
    assert setting.records[1]["loss"] == 7.0


def test_settings_with_different_metrics_get_charts_of_their_own(tmp_path):
    write_sweep(tmp_path, ("sum", "lcm"))
    result = json.loads((tmp_path / "sum" / "result.json").read_text())
    other = {"data": "zinc", "metric": "mae"}
    (tmp_path / "sum" / "result.json").write_text(json.dumps(result | other))
    text = page(tmp_path)
    assert "Charts · zinc · mae" in text and "Charts · second_minimum · exact" in text
    assert len(charts(text)) == 6


def test_commands_are_shown_once_and_quoted(sweep):
    argv = ["/usr/bin/graphlab", "train", "a b.toml", "--sweep.model.aggr", "lcm", "gru"]
    for path in (sweep, sweep / "lcm"):
        (path / "env.json").write_text(json.dumps({"argv": argv}))
    text = html.unescape(page(sweep))
    assert text.count("graphlab train 'a b.toml' --sweep.model.aggr lcm gru") == 1
    assert "/usr/bin" not in text


def test_surrogates_in_json_do_not_stop_the_report(tmp_path):
    write_run(tmp_path / "a", "lcm")
    (tmp_path / "a" / "env.json").write_text('{"host": "\\ud800"}')
    assert "<td>?</td>" in page(tmp_path / "a")


def test_report_replaces_the_old_one_and_leaves_nothing_else(sweep):
    before = sorted(p.name for p in sweep.iterdir())
    (sweep / "report.html").write_text("old")
    assert write_report(sweep) == sweep / "report.html"
    assert (sweep / "report.html").read_text() != "old"
    assert sorted(p.name for p in sweep.iterdir()) == sorted([*before, "report.html"])


def test_no_run_and_no_directory_are_errors_that_say_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no run: none of result"):
        write_report(tmp_path)
    with pytest.raises(FileNotFoundError, match="is no directory"):
        write_report(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_report_needs_no_torch():
    code = "import sys, graphlab.train.report; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path.cwd()).returncode == 0
