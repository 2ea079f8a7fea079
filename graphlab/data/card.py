"""Cards: what a data set is, where it comes from, and what others reached on it. Needs no torch."""

import difflib
import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from graphlab.data.record import from_table

Task = Literal[
    "node-classification",
    "graph-classification",
    "graph-regression",
    "multitask-regression",
    "set",
    "link-prediction",
    "unlabelled",
]
Metric = Literal["accuracy", "rocauc", "exact", "log10mse", "hits@20", "none"]
Reader = Literal[
    "planetoid",
    "tu",
    "ogbg",
    "ogbl",
    "digits",
    "karate",
    "second-minimum",
    "pna-multitask",
    "heterophilous",
    "csr-npz",
    "email-eu-core",
    "dsbm",
    "snap",
    "graph6",
    "brec",
    "csl",
    "graph8c",
    "sat-pairs",
]

_SHA256_LENGTH = 64


@dataclass(frozen=True)
class File:
    """One raw file of a data set.

    Args:
        path: Where it belongs, relative to the root folder.
        mirror: Where a mirror keeps it, relative to ``GRAPHLAB_DATA``.
        sha256: Its checksum in the mirror, 64 lower-case hexadecimal digits.
        needed: False for a file that loading does without (fixed folds, for instance).
    """

    path: str
    mirror: str
    sha256: str
    needed: bool = True

    def __post_init__(self) -> None:
        if len(self.sha256) != _SHA256_LENGTH or set(self.sha256) - set("0123456789abcdef"):
            raise ValueError(f"sha256 is 64 lower-case hexadecimal digits, got {self.sha256!r}")
        for key in ("path", "mirror"):
            inside = Path(getattr(self, key))
            if inside.is_absolute() or ".." in inside.parts:
                raise ValueError(f"{key} must stay inside its folder, got {str(inside)!r}")


@dataclass(frozen=True)
class Result:
    """A published result.

    Args:
        model: The model's name in the source.
        metric: As in :class:`Card`.
        value: The mean; accuracies, areas under curves and hits are fractions in [0, 1].
        source: Authors, year and where to find it.
        std: The standard deviation over runs, where published.
        setting: What the value holds for, where a source reports several (``"n=32"``).
    """

    model: str
    metric: Metric
    value: float
    source: str
    std: float | None = None
    setting: str = ""


@dataclass(frozen=True)
class Card:
    """All that is known of a data set before a byte of it is read.

    Args:
        name: The name :func:`graphlab.data.load` takes.
        title: One line for people.
        licence: The publisher's licence, as an SPDX id where there is one.
        source: Paper and address.
        task: What is predicted; ``"unlabelled"`` where there are graphs and nothing else.
        metric: How a prediction is scored; ``"none"`` without labels.
        split: The split protocol in words.
        reader: Which reader of :mod:`graphlab.data` parses it.
        num_splits: Splits that :func:`graphlab.data.splits` knows, numbered from 0; none without labels.
        original_name: The name its library knows it by (``"MUTAG"``); empty for our own sets.
        num_nodes: Nodes in all graphs together.
        num_edges: Edges as PyG stores them (an undirected edge counts twice) in all graphs
            together; for link prediction the published number of links over all splits.
        num_graphs: Graphs, or sets.
        num_features: Features of a node.
        num_classes: Classes.
        files: Raw files.
        published: Results that ours are held against.

    Example:
        >>> from graphlab.data import card
        >>> card("cora").num_nodes
        2708
    """

    name: str
    title: str
    licence: str
    source: str
    task: Task
    metric: Metric
    split: str
    reader: Reader
    num_splits: int = 1
    original_name: str = ""
    num_nodes: int | None = None
    num_edges: int | None = None
    num_graphs: int | None = None
    num_features: int | None = None
    num_classes: int | None = None
    files: tuple[File, ...] = ()
    published: tuple[Result, ...] = ()


def names() -> list[str]:
    """Names of all data sets, sorted.

    Raises:
        FileNotFoundError: If graphlab was installed without its cards.

    Example:
        >>> from graphlab.data import names
        >>> "cora" in names()
        True
    """
    return sorted(path.stem for path in _folder().glob("*.toml"))


def card(name: str) -> Card:
    """The card of a data set.

    Args:
        name: Its name; case does not matter, and ``_`` reads as ``-`` (``"ogbg_molhiv"``).

    Raises:
        ValueError: If there is no such data set, or its card is malformed.

    Example:
        >>> from graphlab.data import card
        >>> card("MUTAG").num_graphs
        188
    """
    known = names()
    wanted = name.lower().replace("_", "-")
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise ValueError(f"no data set is named '{name}'{hint} (known: {', '.join(known)})")
    return read_card(_folder() / f"{wanted}.toml")


@functools.cache
def read_card(path: Path) -> Card:
    """Read and check one card.

    Args:
        path: A TOML file whose stem is the name of the data set.

    Raises:
        ValueError: If the file is not TOML, or a key is unknown, missing or of the wrong kind.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        found = from_table(Card, table)
        if found.name != path.stem:
            raise ValueError(f"key 'name' is '{found.name}', the file says '{path.stem}'")
    except ValueError as error:
        raise ValueError(f"card '{path.stem}' ({path}): {error}") from error
    return found


@functools.cache
def _folder() -> Path:
    package = Path(__file__).parents[1]
    # A wheel carries the cards inside the package; in a checkout they lie beside it. A folder that
    # merely has the right name is not enough: beside an installed package it may be the Hugging
    # Face library of that name.
    for folder in (package / "datasets", package.parent / "datasets"):
        if any(folder.glob("*.toml")):
            return folder
    raise FileNotFoundError(
        f"no data set cards in {package / 'datasets'} or {package.parent / 'datasets'}: reinstall graphlab"
    )
