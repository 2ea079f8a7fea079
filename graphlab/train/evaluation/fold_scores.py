"""The table of a suite on folds: two protocols beside what others published. Imports no torch.

Both give the mean and the population standard deviation over folds, as papers on these sets do (NumPy's ``std``).

- ``gin`` (Xu et al., 2019, arXiv 1810.00826): no graph validates. The test curves of the folds are averaged, the one
  epoch with the best mean is chosen, the earliest of equals, and the folds are reported there. Beside it the means of
  each fold's last ten epochs, which choose nothing.
- ``nested``: each training is tested once, at the epoch that is best on validation graphs of its own.
"""

import csv
import io
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphlab.data import Card
from graphlab.data.card import Result
from graphlab.train.config import Protocol
from graphlab.train.evaluation.cell import Cell, Recipe
from graphlab.train.evaluation.published import published, rows_by_data, shown, shown_result, unit
from graphlab.train.evaluation.results import Results
from graphlab.train.evaluation.scores import Style
from graphlab.train.grid import as_markdown, as_text

LAST = 10
"""So many last epochs are averaged."""

_HEADER = (
    *("data", "model", "metric", "gin", "epoch", f"last {LAST}", "folds"),
    *("nested", "runs", "published", "CPU s gin", "CPU s nested"),
)
_WORDS = 3  # columns of words; figures follow
_DIGITS = 12  # means that agree in so many are equal


@dataclass(frozen=True)
class Trained:
    """What is trained of a row by one protocol.

    Args:
        done: results of its cells, diverged ones included.
        planned: number of cells asked for.
    """

    done: tuple[dict[str, Any], ...] = ()
    planned: int = 0

    @property
    def sound(self) -> list[dict[str, Any]]:
        """Results of the cells that did not diverge."""
        return [one for one in self.done if "diverged" not in one]

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all trainings together."""
        return sum(one.get("cpu_seconds", 0.0) for one in self.done)

    @property
    def count(self) -> str:
        """How many cells count, of how many, as the table shows it."""
        if not self.planned:
            return ""
        text = str(len(self.sound)) if len(self.sound) == self.planned else f"{len(self.sound)} of {self.planned}"
        diverged = len(self.done) - len(self.sound)
        return f"{text}, {diverged} diverged" if diverged else text


@dataclass(frozen=True)
class FoldScore:
    """One row: a network on a data set.

    Args:
        card: the card of the data set.
        label: what the network is called.
        gin: what is trained by the protocol ``gin``.
        nested: what is trained by the protocol ``nested``.
        published: what others report of it.
    """

    card: Card
    label: str
    gin: Trained = Trained()
    nested: Trained = Trained()
    published: tuple[Result, ...] = ()

    @property
    def chosen_epoch(self) -> int:
        """The epoch, from 1, with the best mean over the folds, the earliest of equals; 0 where nothing is trained."""
        means = [round(statistics.fmean(values), _DIGITS) for values in zip(*self._curves, strict=True)]
        return means.index(max(means)) + 1 if means else 0

    @property
    def at_chosen_epoch(self) -> list[float]:
        """The test metric of each fold at :attr:`chosen_epoch`."""
        return [curve[self.chosen_epoch - 1] for curve in self._curves]

    @property
    def at_last_epochs(self) -> list[float]:
        """The mean of the test metric of each fold over its last ten epochs."""
        return [statistics.fmean(curve[-LAST:]) for curve in self._curves]

    @property
    def tests(self) -> list[float]:
        """The test metric of each nested training."""
        return [one["test"] for one in self.nested.sound]

    @property
    def _curves(self) -> list[list[float]]:
        return [one["curve"] for one in self.gin.sound]


def fold_scores(cells: Sequence[Cell], results: Results, others: bool = True) -> list[FoldScore]:
    """The rows of the table, by data set: each recipe, then what others alone report.

    Args:
        cells: the cells asked for.
        results: what is trained.
        others: whether networks that have no recipe here, but a published result, get a row.

    Raises:
        ConfigError: if a file among the results is none.
    """

    def trained(recipe: Recipe, protocol: Protocol) -> Trained:
        asked = [cell for cell in cells if cell.recipe is recipe and cell.protocol == protocol]
        found = [results.read(cell) for cell in asked]
        return Trained(tuple(one for one in found if one is not None), len(asked))

    def of_recipe(recipe: Recipe) -> FoldScore:
        card, label = recipe.card, recipe.label
        return FoldScore(card, label, trained(recipe, "gin"), trained(recipe, "nested"), published(card, label))

    def of_others(card: Card, model: str) -> FoldScore:
        return FoldScore(card, model, published=published(card, model))

    recipes = list({id(cell.recipe): cell.recipe for cell in cells}.values())
    return rows_by_data(recipes, of_recipe, of_others if others else None)


def format_fold_scores(rows: Sequence[FoldScore], style: Style = "text") -> str:
    """Format the table; percentages in percent, but in CSV, which is for programs, fractions and nothing rounded.

    Args:
        rows: what :func:`fold_scores` gave.
        style: ``text`` (aligned for a terminal), ``markdown`` or ``csv``.
    """
    return _WRITERS[style](rows)


def _cells(row: FoldScore) -> list[str]:
    metric = row.card.metric
    gin = [
        _test(row.gin, row.at_chosen_epoch, row),
        str(row.chosen_epoch or ""),
        shown(*_mean_std(row.at_last_epochs), metric),
    ]
    nested = [_test(row.nested, row.tests, row), row.nested.count]
    costs = [f"{one.cpu_seconds:,.0f}" if one.done else "" for one in (row.gin, row.nested)]
    told = " / ".join(map(_told, row.published))
    return [row.card.name, row.label, unit(metric), *gin, row.gin.count, *nested, told, *costs]


def _test(trained: Trained, tests: Sequence[float], row: FoldScore) -> str:
    if not trained.done:
        return "not run"
    return shown(*_mean_std(tests), row.card.metric) or "diverged"


def _told(one: Result) -> str:
    """A published result, and what it holds for where that is not the protocol of the table."""
    alike = not one.setting or one.setting.startswith("protocol='gin'")
    return shown_result(one) + ("" if alike else f" ({one.setting})")


def _mean_std(values: Sequence[float]) -> tuple[float, float]:
    """Mean and population standard deviation; not-a-number where there are too few values."""
    mean = statistics.fmean(values) if values else math.nan
    return mean, statistics.pstdev(values) if len(values) > 1 else math.nan


def _text(rows: Sequence[FoldScore]) -> str:
    return as_text(_HEADER, [_cells(row) for row in rows], _WORDS)


def _markdown(rows: Sequence[FoldScore]) -> str:
    return as_markdown(_HEADER, [_cells(row) for row in rows], _WORDS)


def _csv(rows: Sequence[FoldScore]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    gin = ["gin_mean", "gin_std", "gin_epoch", "last_mean", "last_std", "gin_n", "gin_planned", "gin_cpu_seconds"]
    nested = ["nested_mean", "nested_std", "nested_n", "nested_planned", "nested_cpu_seconds"]
    writer.writerow(["data", "model", "metric", *gin, *nested, "published", "published_std", "source", "setting"])
    for row in rows:
        for one in row.published or (None,):
            theirs = [one.value, one.std, one.source, one.setting] if one else [None] * 4
            writer.writerow([row.card.name, row.label, row.card.metric, *_figures(row), *theirs])
    return out.getvalue().rstrip("\n")


def _figures(row: FoldScore) -> list[float | None]:
    counts = [[len(one.sound), one.planned, one.cpu_seconds] for one in (row.gin, row.nested)]
    best, last, tests = (_mean_std(values) for values in (row.at_chosen_epoch, row.at_last_epochs, row.tests))
    figures = [*best, row.chosen_epoch, *last, *counts[0], *tests, *counts[1]]
    return [None if math.isnan(value) else value for value in figures]


_WRITERS: dict[Style, Callable[[Sequence[FoldScore]], str]] = {"text": _text, "markdown": _markdown, "csv": _csv}
