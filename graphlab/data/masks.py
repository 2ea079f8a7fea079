"""Fixed node masks."""

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import Tensor


def stratified_masks(y: Tensor, nodes: Tensor, sizes: Sequence[int]) -> list[Tensor]:
    """Split ``nodes`` into parts of given sizes and a remainder, each with the same class shares.

    The parts come from scikit-learn's ``train_test_split(stratify=..., random_state=0)``, one after
    another: the same nodes in every run and on every machine.

    Args:
        y: Class of each node of the graph.
        nodes: Indices of the nodes to split.
        sizes: Number of nodes of each part but the last, which takes what remains.

    Shapes:
        - y: ``[N]``, nodes: ``[n]``
        - each mask: ``[N]``

    Raises:
        ValueError: If the sizes leave no node for the last part.
    """
    labels, rest = y.numpy(), nodes.numpy()
    masks = []
    for size in sizes:
        part, rest = train_test_split(rest, train_size=size, stratify=labels[rest], random_state=0)
        masks.append(_mask(np.asarray(part), y.numel()))
    return [*masks, _mask(np.asarray(rest), y.numel())]


def class_balanced_masks(y: Tensor, per_class: int, num_valid: int, num_splits: int) -> tuple[Tensor, Tensor, Tensor]:
    """Masks with equally many training nodes a class, for several seeds.

    Split ``s`` puts the nodes in the order of NumPy's ``RandomState(s).permutation(N)``, whose stream NumPy keeps as
    it is for ever: the first ``per_class`` nodes of each class train, of the others the first ``num_valid`` validate,
    the rest tests. This is the protocol of Kipf and Welling (2017, arXiv 1609.02907) with random nodes.

    Args:
        y: Class of each node.
        per_class: Training nodes of a class.
        num_valid: Validation nodes.
        num_splits: Number of splits, seeds ``0`` to ``num_splits - 1``.

    Shapes:
        - y: ``[N]``
        - each mask (to train, validate, test): ``[N, num_splits]``

    Raises:
        ValueError: If a class has fewer than ``per_class`` nodes, or no node is left to test on.
    """
    smallest = int(y.bincount().min())
    if smallest < per_class or y.numel() <= per_class * len(y.unique()) + num_valid:
        raise ValueError(
            f"{per_class} training nodes a class and {num_valid} to validate must leave nodes to test on, "
            f"got {y.numel()} nodes, {smallest} of them in the smallest class"
        )
    return _columns([_class_balanced(y, per_class, num_valid, seed) for seed in range(num_splits)])


def _class_balanced(y: Tensor, per_class: int, num_valid: int, seed: int) -> list[Tensor]:
    order = np.random.RandomState(seed).permutation(y.numel())
    labels = y.numpy()[order]
    train = np.concatenate([order[labels == label][:per_class] for label in np.unique(labels)])
    rest = order[~np.isin(order, train)]
    return [_mask(nodes, y.numel()) for nodes in (train, rest[:num_valid], rest[num_valid:])]


def proportional_masks(y: Tensor, num_splits: int) -> tuple[Tensor, Tensor, Tensor]:
    """Masks of 60 % of each class to train, 20 % to validate and 20 % to test, for several seeds.

    Split ``s`` puts the nodes in the order of NumPy's ``RandomState(s).permutation(N)``. Of a class of ``n`` nodes the
    first ``ceil(0.6 n)`` train and those up to ``ceil(0.8 n)`` validate, so every class is trained on, and one of
    fewer than five nodes may be tested on in no split.

    Args:
        y: Class of each node.
        num_splits: Number of splits, seeds ``0`` to ``num_splits - 1``.

    Shapes:
        - y: ``[N]``
        - each mask (to train, validate, test): ``[N, num_splits]``
    """
    return _columns([_proportional(y, seed) for seed in range(num_splits)])


def _proportional(y: Tensor, seed: int) -> list[Tensor]:
    order = np.random.RandomState(seed).permutation(y.numel())
    labels = y.numpy()[order]
    parts: list[list[np.ndarray]] = [[], [], []]
    for label in np.unique(labels):
        nodes = order[labels == label]
        ends = [-(-6 * len(nodes) // 10), -(-8 * len(nodes) // 10)]
        for part, chosen in zip(parts, np.split(nodes, ends), strict=True):
            part.append(chosen)
    return [_mask(np.concatenate(part), y.numel()) for part in parts]


def _columns(splits: list[list[Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    train, valid, test = (torch.stack(part, dim=1) for part in zip(*splits, strict=True))
    return train, valid, test


def _mask(nodes: np.ndarray, num_nodes: int) -> Tensor:
    mask = torch.zeros(num_nodes, dtype=torch.bool)
    mask[torch.from_numpy(nodes)] = True
    return mask
