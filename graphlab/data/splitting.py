"""What to train, validate and test on, the same way for every data set."""

from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold, train_test_split
from torch import Tensor
from torch_geometric.data import Dataset

from graphlab.data.card import Card
from graphlab.data.sources import not_found, obtain

Protocol = Literal["default", "gin", "nested"]

_CROSS_VALIDATED = ("tu", "sat-pairs", "csl")


def splits(dataset: Dataset, split: int = 0, protocol: Protocol = "default", seed: int = 0) -> dict[str, Any]:
    """The parts ``"train"``, ``"valid"`` and ``"test"`` of a data set.

    Node sets give node indices, from their masks; sets of graphs give graph indices. OGB's and the
    synthetic sets have one fixed split each. Masks of shape ``[n, num_splits]`` hold one split a
    column. TU sets, EXP and CEXP are cross-validated with ten folds and CSL with five:
    scikit-learn's ``StratifiedKFold(num_splits, shuffle=True, random_state=0)`` numbers the folds,
    ``split`` is the fold to test on, the next one validates, the others train.

    Args:
        dataset: What :func:`graphlab.data.load` returned, whole.
        split: Number of the split, below the card's ``num_splits``.
        protocol: How a TU set is split; other sets have ``"default"`` alone. ``"gin"`` is the protocol of Xu et al.
            (2019, arXiv 1810.00826) on the fixed folds that the card lists, or where it lists none on those of
            ``"default"``. It holds no validation graphs out but reports the epoch that is best on the tested folds,
            so ``"valid"`` equals ``"test"``, and its figures run higher. ``"nested"`` tests on the same folds as
            ``"gin"``; of the other graphs a tenth, stratified by class, validates and the rest trains.
        seed: With the split's number it seeds which graphs validate under ``"nested"``.

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
    if protocol not in get_args(Protocol):
        raise ValueError(f"protocol must be one of {', '.join(map(repr, get_args(Protocol)))}, got {protocol!r}")
    if protocol != "default" and card.reader != "tu":
        raise ValueError(f"data set '{card.name}' has no folds for protocol='{protocol}': use protocol='default'")
    _check_number(card, split)
    if protocol == "gin":
        return _all_but_tested(dataset, card, split)
    if protocol == "nested":
        return _nested(dataset, card, split, seed)
    if card.reader in _CROSS_VALIDATED:
        return _cross_validation(dataset, card, split)
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


def _cross_validation(dataset: Any, card: Card, split: int) -> dict[str, Tensor]:
    held_out = _folds(dataset, card)
    test, valid = held_out[split], held_out[(split + 1) % len(held_out)]
    return {"train": _others(len(dataset), test, valid), "valid": valid, "test": test}


def _folds(dataset: Any, card: Card) -> list[Tensor]:
    y = dataset.y.numpy()
    folds = StratifiedKFold(card.num_splits, shuffle=True, random_state=0).split(np.zeros(len(y)), y)
    return [torch.from_numpy(test) for _, test in folds]


def _others(count: int, *taken: Tensor) -> Tensor:
    free = torch.ones(count, dtype=torch.bool)
    free[torch.cat(taken)] = False
    return free.nonzero().view(-1)


def _all_but_tested(dataset: Any, card: Card, split: int) -> dict[str, Tensor]:
    files = [file for file in card.files if not file.needed]
    if not files:
        test = _folds(dataset, card)[split]
        return {"train": _others(len(dataset), test), "valid": test, "test": test}
    root = Path(dataset.root)
    missing = obtain(card, files, root)
    if missing:
        raise not_found(card, missing, root)
    train, test = (_indices(root, card, f"{part}_idx-{split + 1}.txt") for part in ("train", "test"))
    return {"train": train, "valid": test, "test": test}


def _indices(root: Path, card: Card, name: str) -> Tensor:
    (path,) = (root / file.path for file in card.files if Path(file.path).name == name)
    return torch.from_numpy(np.loadtxt(path, dtype=np.int64))


def _nested(dataset: Any, card: Card, split: int, seed: int) -> dict[str, Tensor]:
    parts = _all_but_tested(dataset, card, split)
    rows = parts["train"].numpy()
    entropy = int(np.random.SeedSequence((split, seed)).generate_state(1)[0])
    train, valid = train_test_split(rows, test_size=0.1, stratify=dataset.y.numpy()[rows], random_state=entropy)
    return {"train": torch.from_numpy(train), "valid": torch.from_numpy(valid), "test": parts["test"]}
