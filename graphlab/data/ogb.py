"""OGB's sets through its own classes, kept offline and made to load under torch >= 2.6."""

import contextlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Dataset
from torch_geometric.data.data import Data, DataEdgeAttr, DataTensorAttr
from torch_geometric.data.storage import GlobalStorage

from graphlab.data.card import Card
from graphlab.data.pyg import Transform
from graphlab.data.sources import read_through


@contextlib.contextmanager
def _without_update_check() -> Iterator[None]:
    """Hide the package ``outdated``, with which ``import ogb`` asks PyPI for a newer version."""
    kept = sys.modules.get("outdated")
    sys.modules["outdated"] = None  # pyright: ignore[reportArgumentType]  # None is how import is told to fail
    try:
        yield
    finally:
        del sys.modules["outdated"]
        if kept is not None:
            sys.modules["outdated"] = kept


with _without_update_check():
    try:
        from ogb.graphproppred import PygGraphPropPredDataset
        from ogb.linkproppred import PygLinkPropPredDataset
    except ImportError as error:
        raise ImportError(f"OGB's sets need ogb ({error}): pip install 'graphlab[ogb]'") from error


def _safe_globals() -> list[Any]:
    """What OGB's files hold beyond tensors: PyG's containers, arrays pickled by any numpy."""
    reconstruct: Any = np.empty(0).__reduce__()[0]
    return [
        *(Data, DataEdgeAttr, DataTensorAttr, GlobalStorage),
        # The unpickler looks names up as they are stored, and numpy 2 renamed the module.
        (reconstruct, "numpy.core.multiarray._reconstruct"),
        (reconstruct, "numpy._core.multiarray._reconstruct"),
        *(np.ndarray, np.dtype, type(np.dtype("int64"))),
    ]


@contextlib.contextmanager
def compatible() -> Iterator[None]:
    """Run OGB's code under today's torch and pandas, with its chatter on stderr.

    ``torch.load`` stays in its safe mode: the few classes that OGB's files need are allowed inside
    the context only.

    Example:
        >>> from graphlab.data.ogb import compatible
        >>> with compatible():
        ...     pass  # any class of ogb, such as ogb.nodeproppred.PygNodePropPredDataset(...)
    """
    # safe_globals forgets on leaving what it was given, even what others (PyG) had allowed before.
    allowed = torch.serialization.get_safe_globals()
    with (
        torch.serialization.safe_globals([it for it in _safe_globals() if it not in allowed]),
        contextlib.redirect_stdout(sys.stderr),
        warnings.catch_warnings(),
    ):
        # pandas >= 3 hands out read-only arrays; OGB only copies from them.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        yield


class GraphDataset(PygGraphPropPredDataset):
    """OGB's graph sets (Hu et al. 2020, arXiv 2005.00687), loadable under torch >= 2.6.

    Args:
        name: OGB's name, such as ``"ogbg-molhiv"``.
        root: Folder that holds the set's own folder.
        transform: Applied to a graph at every access.
    """

    def __init__(self, name: str, root: str, transform: Transform | None = None) -> None:
        with compatible():
            super().__init__(name, root, transform)

    def get_idx_split(self, split_type: str | None = None) -> dict[str, Tensor]:
        """Indices of the graphs to train, validate and test on.

        Args:
            split_type: A folder under ``split/``; OGB's standard split by default.
        """
        with compatible():
            return super().get_idx_split(split_type)


class LinkDataset(PygLinkPropPredDataset):
    """OGB's link sets (Hu et al. 2020, arXiv 2005.00687), loadable under torch >= 2.6.

    Args:
        name: OGB's name, such as ``"ogbl-ddi"``.
        root: Folder that holds the set's own folder.
        transform: Applied to the graph at every access.
    """

    def __init__(self, name: str, root: str, transform: Transform | None = None) -> None:
        with compatible():
            super().__init__(name, root, transform)

    def get_edge_split(self, split_type: str | None = None) -> dict[str, Any]:
        """Links (``edge``) of each part, and non-links (``edge_neg``) of those held out.

        Args:
            split_type: A folder under ``split/``; OGB's standard split by default.
        """
        with compatible():
            return super().get_edge_split(split_type)


def read_graphs(card: Card, root: Path, transform: Transform | None = None) -> Dataset:
    """A set of graphs of OGB.

    Args:
        card: The card.
        root: The root folder.
        transform: Applied to a graph at every access.

    Raises:
        FileNotFoundError: If raw files are missing.
        ValueError: If a file of the mirror is corrupt.
    """
    return _read(card, root, GraphDataset, transform)


def read_links(card: Card, root: Path, transform: Transform | None = None) -> Dataset:
    """A graph of OGB with links to predict.

    Args:
        card: The card.
        root: The root folder.
        transform: Applied to the graph at every access.

    Raises:
        FileNotFoundError: If raw files are missing.
        ValueError: If a file of the mirror is corrupt.
    """
    return _read(card, root, LinkDataset, transform)


def _read(card: Card, root: Path, kind: Any, transform: Transform | None) -> Dataset:
    name = card.original_name
    # OGB asks on the terminal whether to replace a folder that lacks its RELEASE file. That file is
    # on the card, and read_through hands OGB either a folder with all of the card's files or none,
    # so the question never comes up.
    return read_through(
        card,
        root,
        f"{name.replace('-', '_')}/processed/geometric_data_processed.pt",
        lambda folder: kind(name, str(folder), transform),
    )
