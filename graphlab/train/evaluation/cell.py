"""What a suite trains: a recipe for each row of its table, a cell for each training of a row. Imports no torch."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from graphlab.data import Card, card
from graphlab.train.config import ConfigError, Protocol, TrainConfig
from graphlab.train.settings import resolve
from graphlab.train.sources import read_toml

_OF_CELLS = {
    "split": "every split is trained; choose some with --splits",
    "protocol": "the suite says how its data are split",
}
_NO_MATTER = ("root", "out", "name", "threads", "device", "save_every", "memory_budget")


@dataclass(frozen=True)
class Recipe:
    """A configuration file: one network on one data set, to be trained on every split.

    Args:
        name: the file's, without its ending.
        config: its settings.
        said: the keys that it sets; others are the defaults.
    """

    name: str
    config: TrainConfig
    said: frozenset[str]

    @property
    def card(self) -> Card:
        """The card of its data set."""
        return card(self.config.data)

    @property
    def label(self) -> str:
        """What tells it from others on the same data: its name without that of the data set."""
        return self.name.removeprefix(self.card.name.replace("-", "_")).strip("_") or self.config.model.name

    @property
    def splits(self) -> range:
        """The numbers of its data set's splits."""
        return range(self.card.num_splits)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What the file says that a result may depend on; values that are written differently are the same."""
        keys = sorted(self.said.difference(_NO_MATTER) - {"model", "data"})
        told = {key: _value(self.config, key) for key in keys}
        return {"data": self.card.name, "model": self.config.model.name} | told

    @cached_property
    def fingerprint(self) -> str:
        """A hash of :attr:`settings`: not of defaults, so that an option new to graphlab leaves results valid."""
        return hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Cell:
    """One training: a recipe on one split.

    Args:
        recipe: what to train.
        split: number of the split.
        protocol: how the data are split.
        repeat: which of several trainings that differ in their seed.
    """

    recipe: Recipe
    split: int
    protocol: Protocol = "default"
    repeat: int = 0

    @property
    def config(self) -> TrainConfig:
        """The settings of this training; each split and each repeat has a seed of its own."""
        seed = self.recipe.config.seed + self.split + self.repeat * len(self.recipe.splits)
        return replace(self.recipe.config, split=self.split, protocol=self.protocol, seed=seed)

    @property
    def key(self) -> str:
        """What tells it from others of its recipe: ``"3"``, ``"gin-3"``, ``"nested-3-1"`` with its repeat."""
        if self.protocol == "default":
            return str(self.split)
        repeat = f"-{self.repeat}" if self.protocol == "nested" else ""
        return f"{self.protocol}-{self.split}{repeat}"

    @property
    def name(self) -> str:
        """What messages call it."""
        which = "" if self.protocol == "default" else f" {self.protocol}"
        return f"{self.recipe.name}{which} split {self.split}" + (f" repeat {self.repeat}" if self.repeat else "")


def read_recipes(paths: Iterable[Path]) -> list[Recipe]:
    """Read configuration files, and all ``*.toml`` of folders in the order of their names.

    Args:
        paths: files and folders.

    Raises:
        ConfigError: if a path holds none, or a file is no configuration of one training.
    """
    recipes: dict[str, Recipe] = {}
    for path in _files(paths):
        recipe = _read(path)
        if recipe.name in recipes:
            raise ConfigError(f"--configs: two files are called {path.name}; results are kept by that name: rename one")
        recipes[recipe.name] = recipe
    return list(recipes.values())


def _files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        found = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        if not found:
            raise ConfigError(f"--configs: {path} holds no *.toml; expected files as graphlab train takes them")
        files += found
    return files


def _read(path: Path) -> Recipe:
    layer = read_toml(path)
    if layer.sweep:
        raise ConfigError(f"{path}: sweep: expected one setting per file, got a sweep of {', '.join(layer.sweep)}")
    config = resolve([layer])
    if config.runs != 1:
        raise ConfigError(f"{path}: runs: expected 1, since each split is one run, got {config.runs}")
    for key, why in _OF_CELLS.items():
        if key in layer.values:
            raise ConfigError(f"{path}: {key}: expected none, since {why}")
    if config.disk is not None:
        raise ConfigError(f"{path}: disk: expected a data set by name in data, got a store")
    try:
        splits = card(config.data).num_splits
    except ValueError as error:
        raise ConfigError(f"{path}: data: {error}") from None
    if not splits:
        raise ConfigError(f"{path}: data: '{config.data}' has no splits to train; expected a data set with labels")
    return Recipe(path.stem, config, frozenset(layer.values))


def _value(config: TrainConfig, key: str) -> Any:
    table, _, name = key.rpartition(".")
    value = getattr(config.model if table else config, name)
    return value if isinstance(value, int | float | str) else str(value)
