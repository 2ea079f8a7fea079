"""Data sets by name."""

import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch_geometric.data import Dataset

from graphlab.data.card import Card, card
from graphlab.data.sources import root_folder

# A reader is named, not imported: ogb is optional and slow to import.
_READERS = {
    "planetoid": "graphlab.data.pyg:read_planetoid",
    "tu": "graphlab.data.pyg:read_tu",
    "karate": "graphlab.data.pyg:read_karate",
    "ogbg": "graphlab.data.ogb:read_graphs",
    "ogbl": "graphlab.data.ogb:read_links",
    "heterophilous": "graphlab.data.heterophilous:read_heterophilous",
    "csr-npz": "graphlab.data.csr_npz:read_csr_npz",
    "email-eu-core": "graphlab.data.email_eu_core:read_email_eu_core",
    "dsbm": "graphlab.data.dsbm:DSBM",
    "snap": "graphlab.data.snap:read_snap",
    "graph6": "graphlab.data.graph6:read_graph6",
    "brec": "graphlab.data.brec:read_brec",
    "csl": "graphlab.data.csl:read_csl",
    "graph8c": "graphlab.data.graph8c:read_graph8c",
    "sat-pairs": "graphlab.data.sat_pairs:read_sat_pairs",
    "digits": "graphlab.data.digits:Digits",
    "second-minimum": "graphlab.data.second_minimum:SecondMinimum",
    "pna-multitask": "graphlab.data.pna_multitask:PNAMultitask",
}
_OURS = ("card", "root")  # what a reader may take besides options


def load(name: str, root: str | Path | None = None, **options: Any) -> Dataset:
    """Load a data set; its ``card`` attribute tells what it is.

    Raw files are looked for in ``root``, then in the mirror folder named by ``GRAPHLAB_DATA`` (each
    file is checked against the card's sha256 and copied to the root), and are else downloaded by
    the class of PyG or OGB that parses them, if one does. Several processes may load the same set
    at once.

    Args:
        name: One of :func:`graphlab.data.names`; case does not matter.
        root: Folder that raw and processed files are kept in. Default: ``GRAPHLAB_ROOT``, or where
            that is unset ``~/.cache/graphlab``.
        options: What the reader takes: ``transform`` (all sets), ``k`` (digits), ``as_stored``
            (heterophilous sets: the edges of an undirected graph once, as in the file), ``features``
            (email-eu-core), ``num_nodes`` (graph8c), and the arguments of :class:`~graphlab.data.DSBM`,
            :class:`~graphlab.data.SecondMinimum` and :class:`~graphlab.data.PNAMultitask`.

    Raises:
        ValueError: If the name or an option is unknown, or a file of the mirror is corrupt.
        FileNotFoundError: If raw files are neither here nor to be downloaded.
        ImportError: If an OGB set is asked for and ogb is not installed.

    Example:
        >>> from graphlab.data import load
        >>> load("karate")[0].num_nodes
        34
    """
    found = card(name)
    reader = _reader(found)
    taken = list(inspect.signature(reader).parameters)
    _check_options(found, [option for option in taken if option not in _OURS], options)
    if "card" in taken:
        options["card"] = found
    if "root" in taken:
        options["root"] = root_folder(root)
    dataset = reader(**options)
    # Through vars(): the classes are PyG's and OGB's, and do not declare a card.
    vars(dataset)["card"] = found
    return dataset


def _reader(found: Card) -> Callable[..., Dataset]:
    module, function = _READERS[found.reader].split(":")
    return getattr(importlib.import_module(module), function)


def _check_options(found: Card, known: list[str], options: dict[str, Any]) -> None:
    for option in options:
        if option not in known:
            raise ValueError(f"data set '{found.name}' takes no option '{option}' (known: {', '.join(known)})")
