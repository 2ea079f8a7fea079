"""What others report, found by the names of networks. Imports no torch."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from graphlab.data import Card
from graphlab.data.card import Metric, Result
from graphlab.train.evaluation.cell import Recipe
from graphlab.train.table import format_mean_std, is_percent

T = TypeVar("T")

_SAME = {"graphsage": "sage", "dirgcn": "dirgnn", "gin0": "gin"}


def published(card: Card, model: str) -> tuple[Result, ...]:
    """Results that the card lists for a network, by the card's metric.

    Args:
        card: the card of a data set.
        model: the network's name, however it is spelt.
    """
    wanted = _plain(model)
    return tuple(one for one in card.published if _plain(one.model) == wanted and one.metric == card.metric)


def rows_by_data(
    recipes: Sequence[Recipe],
    of_recipe: Callable[[Recipe], T],
    of_others: Callable[[Card, str], T] | None,
) -> list[T]:
    """Rows by data set: each recipe, then the networks that others alone report.

    Args:
        recipes: the recipes of a suite.
        of_recipe: makes the row of a recipe.
        of_others: makes the row of a network that has no recipe here, from the card and its name; none: no such rows.
    """
    rows: list[T] = []
    by_data: dict[str, list[Recipe]] = {}
    for recipe in recipes:
        by_data.setdefault(recipe.card.name, []).append(recipe)
    for group in by_data.values():
        card = group[0].card
        rows += map(of_recipe, group)
        if of_others is not None:
            told = {_plain(recipe.label) for recipe in group}
            more = dict.fromkeys(one.model for one in card.published if _plain(one.model) not in told)
            rows += [of_others(card, model) for model in more]
    return rows


def shown(mean: float, std: float, metric: Metric) -> str:
    """A mean and its deviation as the table shows them; nothing where the mean is not a number.

    Args:
        mean: the mean.
        std: the deviation; not-a-number where there is none.
        metric: what they are of; percentages are shown in percent.
    """
    return "" if math.isnan(mean) else format_mean_std(mean, std, metric, 2 if is_percent(metric) else 4)


def shown_result(one: Result) -> str:
    """A published result as the table shows it.

    Args:
        one: the result.
    """
    return shown(one.value, math.nan if one.std is None else one.std, one.metric)


def unit(metric: Metric) -> str:
    """What the table calls a metric.

    Args:
        metric: its name.
    """
    return f"{metric} (%)" if is_percent(metric) else metric


def _plain(model: str) -> str:
    """A network's name as all sources spell it: ``Dir-GNN`` and ``dir_gnn`` are ``dirgnn``."""
    letters = "".join(filter(str.isalnum, model.lower()))
    return _SAME.get(letters, letters)
