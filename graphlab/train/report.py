"""The report of a run or a sweep: one HTML file that opens anywhere, without network or script."""

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from graphlab.train.saved_runs import Setting, Sweep, read_sweep
from graphlab.train.svg import DARK, LIGHT, Dot, Line, dot_chart, line_chart
from graphlab.train.table import (
    best_rows,
    decimals,
    format_mean_std,
    is_complete,
    is_percent,
    number,
    seeds_done,
    table_cells,
)
from graphlab.version import __version__

_SEED_COLUMNS = ("seed", "best_epoch", "valid", "test", "epochs", "seconds")
_POINTS = 300  # of a curve: more than a chart has pixels for would only make the file large


def write_report(run_dir: Path) -> Path:
    """Write ``report.html`` into a run or sweep directory and return its path.

    The file is self-contained: styles and charts are inline, nothing is fetched, no script runs.
    Runs that are unfinished or diverged are shown as such.

    Args:
        run_dir: A directory as ``graphlab train`` writes it (config.toml, env.json, metrics.jsonl,
            result.json), or one that holds such directories, one per setting.

    Raises:
        FileNotFoundError: There is no such directory, or it holds no run.
        ValueError: A result is stored in percent where a fraction is expected.
    """
    page = render_report(read_sweep(run_dir))
    target = run_dir / "report.html"
    unfinished = target.with_name("report.html.tmp")
    # File names and JSON may carry lone surrogates, which UTF-8 has no bytes for.
    unfinished.write_bytes(page.encode("utf-8", "replace"))
    return unfinished.replace(target)


def curve(name: str, records: Sequence[Mapping[str, Any]], key: str, scale: float) -> Line:
    """Return a figure by epoch: mean over the seeds still training, and its smallest and largest.

    Args:
        name: Label of the line.
        records: Lines of ``metrics.jsonl``.
        key: ``loss``, ``train``, ``valid`` or ``test``; epochs that were not evaluated lack it.
        scale: Factor of every value: 100 for percentages.
    """
    by_epoch: dict[int, list[float]] = {}
    for record in (record for record in records if key in record):
        values = by_epoch.setdefault(record["epoch"], [])
        value = number(record.get(key)) * scale
        values.extend([value] if math.isfinite(value) else [])
    epochs = _thinned(sorted(by_epoch))
    groups = [by_epoch[epoch] or [math.nan] for epoch in epochs]
    means = [sum(group) / len(group) for group in groups]
    return Line(name, epochs, means, [min(g) for g in groups], [max(g) for g in groups])


def render_report(sweep: Sweep) -> str:
    """Return the report as HTML.

    Args:
        sweep: What :func:`read_sweep` returned.

    Raises:
        ValueError: A result is stored in percent where a fraction is expected.
    """
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    header, cells = table_cells(sweep.rows)
    return templates.get_template("report.html").render(
        sweep=sweep,
        title=_title(sweep),
        headline=_headline(sweep),
        header=header,
        rows=list(zip(sweep.settings, cells, strict=True)),
        best=best_rows(sweep.rows),
        test_column=next(i for i, name in enumerate(header) if name.startswith("test")),
        groups=[_charts(group) for group in _groups(sweep.settings)],
        seed_header=[name.replace("_", " ") for name in _SEED_COLUMNS],
        seed_rows=_seed_rows,
        commands=_commands(sweep),
        env=_flat(sweep.env or sweep.settings[0].env),
        light=LIGHT,
        dark=DARK,
        version=__version__,
    )


def _thinned(epochs: list[int]) -> list[int]:
    """Keep every k-th epoch and the last."""
    every = -(-len(epochs) // _POINTS) or 1
    return sorted({*epochs[::every], *epochs[-1:]})


def _groups(settings: Sequence[Setting]) -> list[list[Setting]]:
    """Group settings whose figures compare; unfinished ones join when there is one group only."""
    groups: dict[tuple[Any, Any], list[Setting]] = {}
    for setting in settings:
        key = setting.result.get("data"), setting.result.get("metric")
        groups.setdefault(key, []).append(setting)
    unfinished = groups.pop((None, None), [])
    if len(groups) == 1:
        next(iter(groups.values())).extend(unfinished)
        return list(groups.values())
    return [*groups.values(), *([unfinished] if unfinished else [])]


def _charts(group: Sequence[Setting]) -> dict[str, Any]:
    """Return title, legend and charts of settings that share data set and metric."""
    metric = str(group[0].result.get("metric") or "metric")
    scale = 100.0 if is_percent(metric) else 1.0
    label = f"{metric} (%)" if is_percent(metric) else metric
    if len(group) == 1:
        valid = [curve(part, group[0].records, part, scale) for part in ("train", "valid")]
        what = f"Training and validation {metric} by epoch"
    else:
        valid = [curve(s.name, s.records, "valid", scale) for s in group]
        what = f"Validation {metric} by epoch"
    losses = [curve(s.name, s.records, "loss", 1.0) for s in group]
    loss = "Training loss by epoch"
    charts = {
        what: line_chart(valid, what, "epoch", label, linear=is_percent(metric)),
        loss: line_chart(losses, loss, "epoch", "loss", linear=False),
    }
    dots = _dots(group, metric, scale)
    chart = dot_chart(dots, f"Test {metric} of each setting", f"test {label}") if dots else ""
    return {
        "title": " · ".join(str(group[0].result.get(key) or "") for key in ("data", "metric")),
        "metric": metric,
        "names": [setting.name for setting in group],
        "dots": Markup(chart),
        "charts": {caption: Markup(chart) for caption, chart in charts.items()},
    }


def _dots(group: Sequence[Setting], metric: str, scale: float) -> list[Dot]:
    results = [setting.result for setting in group if setting.result]
    dots = []
    for setting in group:
        if not setting.result:
            continue
        mean, std = (number(setting.result.get(key)) for key in ("test_mean", "test_std"))
        text = format_mean_std(mean, std, metric, decimals(results))
        values = [number(run.get("test")) * scale for run in setting.result["runs"]]
        dots.append(Dot(setting.name, mean * scale, std * scale, values, text))
    return dots


def _title(sweep: Sweep) -> str:
    """Name model and data set where all settings share them, else the directory."""
    done = [row for row in sweep.rows if "test_mean" in row]
    parts = [{str(row.get(key) or "") for row in done} for key in ("model", "data")]
    shared = [part.pop() for part in parts if len(part) == 1]
    return " on ".join(filter(None, shared)) or sweep.name


def _headline(sweep: Sweep) -> str:
    """State the best test result in one sentence."""
    done = [row for row in sweep.rows if math.isfinite(number(row.get("test_mean")))]
    done = [row for row in done if is_complete(row)] or done
    if not done:
        return "No finished result yet."
    top, metric = done[0], str(done[0]["metric"])
    figure = format_mean_std(top["test_mean"], number(top.get("test_std")), metric, decimals(done))
    unit = " %" if is_percent(metric) else ""
    who = f"Best of {len(sweep.rows)}: {top['setting']}, test" if "setting" in top else "Test"
    seeds = seeds_done(top)
    return f"{who} {metric} {figure}{unit} over {seeds} seed{'' if seeds == '1' else 's'}"


def _seed_rows(setting: Setting) -> list[list[str]]:
    """Return one row per seed, the metric as the result table writes it."""
    metric, places = str(setting.result["metric"]), decimals([setting.result])
    rows = []
    for run in setting.result["runs"]:
        row = [_written(run.get(key)) for key in _SEED_COLUMNS]
        for i, key in enumerate(_SEED_COLUMNS):
            if key in ("valid", "test"):
                row[i] = format_mean_std(number(run.get(key)), math.nan, metric, places)
        rows.append(row)
    return rows


def _written(value: Any) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _commands(sweep: Sweep) -> list[str]:
    """Return the commands that made these results, each once."""
    argvs = [env.get("argv") for env in (sweep.env, *(s.env for s in sweep.settings))]
    lines = [
        shlex.join([Path(str(argv[0])).name, *map(str, argv[1:])]) for argv in argvs if isinstance(argv, list) and argv
    ]
    return list(dict.fromkeys(lines))


def _flat(env: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment as text by dotted key; the command has its own place."""
    flat: dict[str, str] = {}
    for key, value in env.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{inner}": text for inner, text in _flat(value).items()}
        elif key != "argv":
            flat[key] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return flat
