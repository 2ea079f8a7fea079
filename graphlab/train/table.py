"""Result tables: mean ± standard deviation over seeds, as text, Markdown, LaTeX or CSV."""

import csv
import io
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from graphlab.train.grid import as_markdown, as_text

Style = Literal["text", "markdown", "latex", "csv"]
Result = Mapping[str, Any]

_IDENTITY = ("setting", "data", "model", "aggr")
_PERCENT = {"acc", "accuracy", "exact", "exactmatch", "rocauc"}
_LOWER_IS_BETTER = ("mae", "mse", "loss", "error", "nll")
_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    mark: "\\" + mark for mark in "&%$#_{}"
}


def is_percent(metric: str) -> bool:
    """Say whether papers print a metric in percent: accuracy, exact match, rocauc.

    Args:
        metric: Name as in ``result.json``; case, spaces, ``-`` and ``_`` do not matter.
    """
    return "".join(filter(str.isalnum, metric.lower())) in _PERCENT


def lower_is_better(metric: str) -> bool:
    """Say whether a smaller value of a metric is better (mae, mse, rmse, loss, error, nll).

    Args:
        metric: Name as in ``result.json``.
    """
    return any(name in metric.lower() for name in _LOWER_IS_BETTER)


def number(value: Any) -> float:
    """Return a figure of ``result.json`` as a float; NaN where it is absent or no finite number.

    Args:
        value: What the file held: a number, None (null), or anything else.
    """
    finite = isinstance(value, int | float) and abs(value) <= sys.float_info.max
    return float(value) if finite else math.nan


def decimals(results: Sequence[Result]) -> int:
    """Return how many decimals a metric's column needs.

    Percentages have two, as OGB's leaderboards do. Everything else has at least three and at most
    eight: as many as show two digits of the smallest deviation, but no more than four digits of the
    smallest mean.

    Args:
        results: ``result.json`` dicts that share one metric.
    """
    if all(is_percent(str(result.get("metric"))) for result in results):
        return 2
    wanted = [_places(results, "test_std", digits=2), _places(results, "test_mean", digits=4)]
    return max(3, min(8, *wanted))


def format_mean_std(mean: float, std: float, metric: str, places: int) -> str:
    """Format ``mean ± std``, in percent where the metric is one; an unknown deviation is left out.

    Args:
        mean: Mean over seeds, in the metric's own unit (a fraction for accuracy).
        std: Standard deviation over seeds, same unit; NaN where there is one seed only.
        metric: The metric's name.
        places: Decimals.

    Raises:
        ValueError: The metric is a percentage and the mean is no fraction.

    Example:
        >>> format_mean_std(0.7174, 0.0029, "accuracy", 2)
        '71.74 ± 0.29'
    """
    if is_percent(metric) and abs(mean) > 1 + 1e-6:
        raise ValueError(f"{metric} is a fraction between 0 and 1, got {mean:g}; store 0.717 for 71.7 %")
    scale = 100 if is_percent(metric) else 1
    text = f"{mean * scale:z.{places}f}"
    return text if math.isnan(std) else f"{text} ± {std * scale:.{places}f}"


def mean_over_runs(result: Result, key: str) -> float:
    """Return the mean of one figure (``epochs``, ``seconds``) over all runs; NaN without any.

    Args:
        result: A ``result.json`` dict.
        key: Key of each entry of ``result["runs"]``.
    """
    values = [number(run.get(key)) for run in result.get("runs") or ()]
    return sum(values) / len(values) if values else math.nan


def identity_columns(results: Sequence[Result]) -> list[str]:
    """Return the columns that name a row: the setting if there is one, and what else differs.

    A column that says the same as an earlier one, or is the same in all rows, only costs width.

    Args:
        results: ``result.json`` dicts; those of a sweep carry ``setting`` too.
    """
    chosen: list[str] = []
    for key in _IDENTITY:
        known = [result for result in results if result.get(key)]
        told = any(all(_tells(row, other, key) for row in known) for other in chosen)
        differs = len({str(row[key]) for row in known}) > 1
        if known and not told and (differs or "setting" not in chosen):
            chosen.append(key)
    return chosen


def seeds_done(result: Result) -> str:
    """Return the number of finished seeds, ``3``, or ``1 of 3`` where more were asked for.

    Args:
        result: A ``result.json`` dict; ``planned_runs`` in it says how many were asked for.
    """
    done = len(result.get("seeds") or ())
    return str(done) if is_complete(result) else f"{done} of {result['planned_runs']}"


def is_complete(result: Result) -> bool:
    """Say whether a result covers all seeds that were asked for.

    Args:
        result: A ``result.json`` dict; without ``planned_runs`` its seeds are all there are.
    """
    return len(result.get("seeds") or ()) >= (result.get("planned_runs") or 0)


def best_rows(results: Sequence[Result]) -> set[int]:
    """Return the rows that are best on test within their data set and metric.

    Rows that look the same once rounded are all best: a reader cannot tell them apart.

    Args:
        results: ``result.json`` dicts; those unfinished, with seeds missing or NaN are never best.
    """
    best: set[int] = set()
    for rows in _comparable(results):
        finite = [i for i in rows if math.isfinite(number(results[i].get("test_mean")))]
        finite = [i for i in finite if is_complete(results[i])]
        if len(finite) < 2:
            continue
        pick = min if lower_is_better(str(results[finite[0]].get("metric"))) else max
        shown = {i: _rounded(results[i], [results[j] for j in rows]) for i in finite}
        best |= {i for i in finite if shown[i] == pick(shown.values())}
    return best


def format_table(results: list[dict[str, Any]], style: Style = "text") -> str:
    """Format results as a table: who, test mean ± std (n), valid, parameters, epochs, seconds.

    Accuracies are in percent. The best test result of each data set and metric is marked: ``*`` in
    text, bold in Markdown and LaTeX (booktabs). CSV is for programs: raw fractions, nothing
    rounded, ``best`` a column of 0 and 1.

    Args:
        results: ``result.json`` dicts, one row each. One without ``test_mean`` is shown as
            unfinished. Two keys may be added: ``setting`` names a row where several share data set
            and model; ``planned_runs`` says of how many seeds the row has some.
        style: ``text`` (aligned for a terminal), ``markdown``, ``latex`` or ``csv``.

    Raises:
        ValueError: There is no result, the style is unknown, or a percentage is stored as 71.7
            instead of 0.717.

    Example:
        >>> result = {"model": "gin", "metric": "mae", "num_params": 100_000, "seeds": [0, 1],
        ...           "test_mean": 0.34, "test_std": 0.003, "valid_mean": 0.35, "valid_std": 0.004,
        ...           "runs": [{"epochs": 9, "seconds": 1.0}]}
        >>> print(format_table([result]))
        model  test mae             valid mae        parameters  epochs  seconds
        gin    0.3400 ± 0.0030 (2)  0.3500 ± 0.0040     100,000       9      1.0
    """
    if not results:
        raise ValueError("results: got an empty list, expected one result.json dict or more")
    if style not in _WRITERS:
        raise ValueError(f"style: got {style!r}, expected one of {', '.join(_WRITERS)}")
    return _WRITERS[style](results)


def table_cells(results: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the table as plain strings, before any markup.

    Args:
        results: ``result.json`` dicts, one row each.
    """
    names = identity_columns(results)
    metrics = {str(result.get("metric")) for result in results if result.get("metric")}
    one = metrics.pop() if len(metrics) == 1 else ""
    unit = f" {one} (%)" if is_percent(one) else f" {one}" if one else ""
    header = [*names, *([] if one else ["metric"]), f"test{unit}", f"valid{unit}"]
    rows = [_row(result, results, names, with_metric=not one) for result in results]
    return [*header, "parameters", "epochs", "seconds"], rows


def _tells(row: Result, other: str, key: str) -> bool:
    """Say whether a column holds another one's value, alone or as ``key=value`` among others."""
    said, value = str(row.get(other)), str(row[key])
    return said == value or f"{key}={value}" in said.split(",")


def _places(results: Sequence[Result], key: str, digits: int) -> int:
    """Return the decimals that show so many digits of the smallest non-zero value; 8 without."""
    sizes = [abs(number(result.get(key))) for result in results]
    sizes = [size for size in sizes if math.isfinite(size) and size > 0]
    return digits - 1 - math.floor(math.log10(min(sizes))) if sizes else 8


def _row(result: Result, all_: Sequence[Result], names: list[str], with_metric: bool) -> list[str]:
    metric = str(result.get("metric") or "")
    same = [other for other in all_ if other.get("metric") == metric]
    row = [" ".join(str(result.get(name) or "").split()) for name in names] + ([metric] if with_metric else [])
    if "test_mean" not in result:
        return [*row, "unfinished", "", _count(result.get("num_params")), "", ""]
    places = decimals(same)
    test, valid = (
        format_mean_std(number(result.get(f"{part}_mean")), number(result.get(f"{part}_std")), metric, places)
        for part in ("test", "valid")
    )
    test += f" ({seeds_done(result)})"
    epochs, seconds = mean_over_runs(result, "epochs"), mean_over_runs(result, "seconds")
    figures = [_count(result.get("num_params")), _plain(epochs, 0), _plain(seconds, 1)]
    return [*row, test, valid, *figures]


def _comparable(results: Sequence[Result]) -> list[list[int]]:
    """Group rows by data set and metric: only those can be better than one another."""
    groups: dict[tuple[Any, Any], list[int]] = {}
    for i, result in enumerate(results):
        groups.setdefault((result.get("data"), result.get("metric")), []).append(i)
    return list(groups.values())


def _rounded(result: Result, same: Sequence[Result]) -> float:
    metric = str(result.get("metric"))
    return float(format_mean_std(number(result["test_mean"]), math.nan, metric, decimals(same)))


def _count(value: Any) -> str:
    return _plain(number(value), 0)


def _plain(value: float, places: int) -> str:
    return f"{value:,.{places}f}" if math.isfinite(value) else ""


def _first_number(results: Sequence[Result]) -> int:
    """Return the index of the test column; it and all after it hold figures."""
    return next(i for i, name in enumerate(table_cells(results)[0]) if name.startswith("test"))


def _text(results: Sequence[Result]) -> str:
    header, rows = table_cells(results)
    test, best = _first_number(results), best_rows(results)
    for i, row in enumerate(rows):
        row[test] += " *" if i in best else ""
    return as_text(header, rows, left=test + 2)


def _markdown(results: Sequence[Result]) -> str:
    header, rows = table_cells(results)
    test, best = _first_number(results), best_rows(results)
    for i in best:
        rows[i][test] = f"**{rows[i][test]}**"
    return as_markdown(header, rows, left=test)


def _latex(results: Sequence[Result]) -> str:
    header, rows = table_cells(results)
    test, best = _first_number(results), best_rows(results)
    rows = [["".join(_LATEX.get(mark, mark) for mark in cell) for cell in row] for row in rows]
    for i in best:
        rows[i][test] = rf"\textbf{{{rows[i][test]}}}"
    rows = [row[:test] + [cell.replace("-", "$-$") for cell in row[test:]] for row in rows]
    body = [" & ".join(row).replace(" ± ", r" $\pm$ ") + r" \\" for row in rows]
    head = " & ".join("".join(_LATEX.get(mark, mark) for mark in cell) for cell in header) + r" \\"
    columns = "l" * test + "r" * (len(header) - test)
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", head, r"\midrule", *body]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _csv(results: Sequence[Result]) -> str:
    best = best_rows(results)
    stats = ["test_mean", "test_std", "valid_mean", "valid_std", "num_params"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_IDENTITY, "metric", *stats, "n", "epochs", "seconds", "best"])
    for i, result in enumerate(results):
        means = [mean_over_runs(result, "epochs"), mean_over_runs(result, "seconds")]
        given = [result.get(key) for key in (*_IDENTITY, "metric", *stats)]
        known = [mean if math.isfinite(mean) else None for mean in means]
        writer.writerow([*given, len(result.get("seeds") or ()), *known, int(i in best)])
    return out.getvalue().rstrip("\n")


_WRITERS: dict[str, Callable[[Sequence[Result]], str]] = {
    "text": _text,
    "markdown": _markdown,
    "latex": _latex,
    "csv": _csv,
}
