"""Recipes on data sets that come with the package, in folders of their own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import graphlab.data
import graphlab.train.evaluation.cell as cell_module
from graphlab.data.card import Result
from graphlab.train.evaluation import Recipe, read_recipes
from tests.train.small import halves

QUICK = 'data = "karate"\nepochs = 4\nlr = 0.05\n[model]\nname = "{model}"\nhidden_channels = 4\n'


def write(folder: Path, **texts: str) -> Path:
    """Files of these names; ``karate_sage=""`` holds a quick recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text or QUICK.format(model=name.rpartition("_")[2]))
    return folder


def recipe(folder: Path, name: str = "karate_sage", text: str = "") -> Recipe:
    return read_recipes([write(folder, **{name: text}) / f"{name}.toml"])[0]


def rotated(dataset: Any, split: int = 0, *_: Any) -> dict[str, Any]:
    """Halves of the nodes, turned on by three for each split."""
    rows = halves(range(dataset[0].num_nodes))
    return {part: (nodes + 3 * split) % dataset[0].num_nodes for part, nodes in rows.items()}


def with_splits(monkeypatch: Any, count: int, *published: Result) -> None:
    """Give every data set so many splits, and its card these results."""
    card = graphlab.data.card
    monkeypatch.setattr(cell_module, "card", lambda name: replace(card(name), num_splits=count, published=published))
    monkeypatch.setattr(graphlab.data, "splits", rotated, raising=False)
