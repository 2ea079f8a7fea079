"""What to train, validate and test on, the same way for every data set."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold
from torch import Tensor
from torch_geometric.data import Dataset

from graphlab.data.card import Card
from graphlab.data.sources import not_found, obtain

_CROSS_VALIDATED = ("tu", "sat-pairs", "csl")


def splits(dataset: Dataset, split: int = 0, protocol: Literal["default", "gin"] = "default") -> dict[str, Any]:
    """The parts ``"train"``, ``"valid"`` and ``"test"`` of a data set.

    Node sets give node indices, from their masks; sets of graphs give graph indices. OGB's and the
    synthetic sets have one fixed split each. Masks of shape ``[n, num_splits]`` hold one split a
    column. TU sets, EXP and CEXP are cross-validated with ten folds and CSL with five:
    scikit-learn's ``StratifiedKFold(num_splits, shuffle=True, random_state=0)`` numbers the folds,
    ``split`` is the fold to test on, the next one validates, the others train.

    Args:
        dataset: What :func:`graphlab.data.load` returned, whole.
        split: Number of the split, below the card's ``num_splits``.
        protocol: ``"gin"`` takes the fixed folds that the card of a TU set lists, for the protocol
            of Xu et al. (2019, arXiv 1810.00826). It holds no validation graphs out but reports the
            epoch that is best on the tested folds, so ``"valid"`` equals ``"test"``, and its
            figures run higher.

    Returns:
        One index tensor ``[n]`` a part. For link prediction what OGB's ``get_edge_split`` gives: a
        part is a dict with ``"edge"`` ``[n, 2]`` and, but for training, ``"edge_neg"``.

    Raises:
        ValueError: If the data set has no card or is a subset, or has no labels, or no such split or
            protocol.
        FileNotFoundError: If the fixed folds are not here.

    Example:
        >>> from graphlab.data import load, splits
        >>> splits(load("karate"))["train"].numel()
        4
    """
    card = _card_of(dataset)
    if protocol not in ("default", "gin"):
        raise ValueError(f"protocol must be 'default' or 'gin', got {protocol!r}")
    if protocol == "gin":
        return _fixed_folds(dataset, card, split)
    _check_number(card, split)
    if card.reader in _CROSS_VALIDATED:
        return _cross_validation(dataset, card.num_splits, split)
    for method in ("get_edge_split", "get_idx_split"):
        if hasattr(dataset, method):
            return getattr(dataset, method)()
    return _from_masks(dataset, split)


def _card_of(dataset: Dataset) -> Card:
    card = getattr(dataset, "card", None)
    if not isinstance(card, Card):
        raise ValueError(f"dataset must come from graphlab.data.load, got {dataset!r} with no card")
    if dataset._indices is not None:
        raise ValueError(f"dataset must be whole, got a subset with {len(dataset)} items")
    return card


def _check_number(card: Card, split: int) -> None:
    if not card.num_splits:
        raise ValueError(f"data set '{card.name}' is {card.task} and has no splits")
    if not 0 <= split < card.num_splits:
        have = f"splits 0 to {card.num_splits - 1}" if card.num_splits > 1 else "one split, 0"
        raise ValueError(f"data set '{card.name}' has {have}; got split={split}")


def _from_masks(dataset: Dataset, split: int) -> dict[str, Tensor]:
    graph: Any = dataset[0]
    masks = {"train": graph.train_mask, "valid": graph.val_mask, "test": graph.test_mask}
    columns = {part: mask if mask.dim() == 1 else mask[:, split] for part, mask in masks.items()}
    return {part: column.nonzero().view(-1) for part, column in columns.items()}


def _cross_validation(dataset: Any, count: int, split: int) -> dict[str, Tensor]:
    y = dataset.y.numpy()
    folds = StratifiedKFold(count, shuffle=True, random_state=0).split(np.zeros(len(y)), y)
    held_out = [torch.from_numpy(test) for _, test in folds]
    test, valid = held_out[split], held_out[(split + 1) % count]
    return {"train": _others(len(y), test, valid), "valid": valid, "test": test}


def _others(count: int, *taken: Tensor) -> Tensor:
    free = torch.ones(count, dtype=torch.bool)
    free[torch.cat(taken)] = False
    return free.nonzero().view(-1)


def _fixed_folds(dataset: Dataset, card: Card, split: int) -> dict[str, Tensor]:
    files = [file for file in card.files if not file.needed]
    if not files:
        raise ValueError(f"data set '{card.name}' has no fixed folds: use protocol='default'")
    _check_number(card, split)
    root = Path(dataset.root)
    missing = obtain(card, files, root)
    if missing:
        raise not_found(card, missing, root)
    train, test = (_indices(root, card, f"{part}_idx-{split + 1}.txt") for part in ("train", "test"))
    return {"train": train, "valid": test, "test": test}


def _indices(root: Path, card: Card, name: str) -> Tensor:
    (path,) = (root / file.path for file in card.files if Path(file.path).name == name)
    return torch.from_numpy(np.loadtxt(path, dtype=np.int64))
