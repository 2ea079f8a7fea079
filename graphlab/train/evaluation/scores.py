"""The table of a suite: mean ± deviation over the splits, beside what others published. Imports no torch."""

import csv
import io
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from graphlab.data import Card
from graphlab.data.card import Result
from graphlab.train.evaluation.cell import Cell, Recipe
from graphlab.train.evaluation.published import published, rows_by_data, shown, shown_result, unit
from graphlab.train.evaluation.results import Results
from graphlab.train.grid import as_markdown, as_text

Style = Literal["text", "markdown", "csv"]

_HEADER = ("data", "model", "metric", "test", "splits", "valid", "published", "epochs", "seconds")
_WORDS = 3  # columns of words; figures follow


@dataclass(frozen=True)
class Score:
    """One row: a network on a data set.

    Args:
        card: the card of the data set.
        label: what the network is called.
        done: results of the splits that are trained, diverged ones included.
        planned: number of splits asked for; 0 for a network that only others report.
        published: what others report of it.
    """

    card: Card
    label: str
    done: tuple[dict[str, Any], ...] = ()
    planned: int = 0
    published: tuple[Result, ...] = ()

    def values(self, key: str) -> list[float]:
        """A figure of every split that did not diverge."""
        return [one[key] for one in self.done if "diverged" not in one]

    @property
    def diverged(self) -> int:
        """Number of splits that diverged."""
        return sum("diverged" in one for one in self.done)


def scores(
    recipes: Sequence[Recipe], splits: Sequence[int] | None, results: Results, others: bool = True
) -> list[Score]:
    """The rows of the table, by data set: each recipe, then what others alone report.

    Args:
        recipes: the recipes of the suite.
        splits: numbers of the splits asked for; by default all of each data set.
        results: what is trained.
        others: whether networks that have no recipe here, but a published result, get a row.

    Raises:
        ConfigError: if a file among the results is none.
    """

    def only_others(card: Card, model: str) -> Score:
        return Score(card, model, published=published(card, model))

    return rows_by_data(recipes, lambda recipe: _score(recipe, splits, results), only_others if others else None)


def format_scores(rows: Sequence[Score], style: Style = "text") -> str:
    """Format the table; percentages in percent, but in CSV, which is for programs, fractions and nothing rounded.

    Args:
        rows: what :func:`scores` gave.
        style: ``text`` (aligned for a terminal), ``markdown`` or ``csv``.
    """
    return _WRITERS[style](rows)


def _score(recipe: Recipe, splits: Sequence[int] | None, results: Results) -> Score:
    asked = recipe.splits if splits is None else splits
    found = [results.read(Cell(recipe, split)) for split in asked]
    done = tuple(one for one in found if one is not None)
    return Score(recipe.card, recipe.label, done, len(asked), published(recipe.card, recipe.label))


def _mean_std(values: Sequence[float]) -> tuple[float, float]:
    """Mean and unbiased standard deviation; not-a-number where there are too few values."""
    mean = statistics.fmean(values) if values else math.nan
    return mean, statistics.stdev(values) if len(values) > 1 else math.nan


def _cells(row: Score) -> list[str]:
    metric = row.card.metric
    others = " / ".join(map(shown_result, row.published))
    ours = [_test(row), _splits(row), shown(*_mean_std(row.values("valid")), metric)]
    costs = [_figure(row.values("epochs"), 0), _figure(row.values("seconds"), 1)]
    return [row.card.name, row.label, unit(metric), *ours, others, *costs]


def _test(row: Score) -> str:
    if not row.done:
        return "not run"
    return shown(*_mean_std(row.values("test")), row.card.metric) or "diverged"


def _splits(row: Score) -> str:
    if not row.planned:
        return ""
    count = len(row.values("test"))
    text = str(count) if count == row.planned else f"{count} of {row.planned}"
    return f"{text}, {row.diverged} diverged" if row.diverged else text


def _figure(values: Sequence[float], places: int) -> str:
    return f"{statistics.fmean(values):,.{places}f}" if values else ""


def _text(rows: Sequence[Score]) -> str:
    return as_text(_HEADER, [_cells(row) for row in rows], _WORDS)


def _markdown(rows: Sequence[Score]) -> str:
    return as_markdown(_HEADER, [_cells(row) for row in rows], _WORDS)


def _csv(rows: Sequence[Score]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    figures = ["test_mean", "test_std", "valid_mean", "valid_std", "n", "diverged", "planned", "epochs", "seconds"]
    writer.writerow(["data", "model", "metric", *figures, "published", "published_std", "source", "setting"])
    for row in rows:
        means = [*_mean_std(row.values("test")), *_mean_std(row.values("valid"))]
        costs = [_mean_std(row.values(key))[0] for key in ("epochs", "seconds")]
        counts = [len(row.values("test")), row.diverged, row.planned]
        ours = [None if math.isnan(value) else value for value in (*means, *counts, *costs)]
        for one in row.published or (None,):
            theirs = [one.value, one.std, one.source, one.setting] if one else [None] * 4
            writer.writerow([row.card.name, row.label, row.card.metric, *ours, *theirs])
    return out.getvalue().rstrip("\n")


_WRITERS: dict[Style, Callable[[Sequence[Score]], str]] = {"text": _text, "markdown": _markdown, "csv": _csv}
