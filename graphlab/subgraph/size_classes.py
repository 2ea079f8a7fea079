"""Which bags share weights: those of about the same size."""

import itertools
import operator
from collections.abc import Sequence

import torch
from torch import Tensor


def check_size_classes(size_classes: Sequence[int]) -> tuple[int, ...]:
    """Return the classes as a tuple.

    Args:
        size_classes: The smallest size of each class.

    Raises:
        ValueError: They are none, or not whole numbers from 1 that increase.
    """
    try:
        classes = tuple(map(operator.index, size_classes))
    except TypeError:
        classes = ()
    if not classes or classes[0] < 1 or any(a >= b for a, b in itertools.pairwise(classes)):
        raise ValueError(f"'size_classes' must be whole numbers from 1 that increase, got {tuple(size_classes)}")
    return classes


def class_of(size: Tensor, size_classes: Sequence[int]) -> Tensor:
    """Return the class of bags: the last whose size is not above theirs; the first for smaller ones.

    Args:
        size: The number of nodes of each bag.
        size_classes: The smallest size of each class, increasing.

    Shapes:
        - **size, output:** ``(num_bags,)``

    Example:
        >>> import torch
        >>> from graphlab.subgraph.size_classes import class_of
        >>> class_of(torch.tensor([1, 2, 3, 4, 9]), (2, 3, 5)).tolist()
        [0, 0, 1, 1, 2]
    """
    least = torch.tensor(size_classes, device=size.device)
    return (torch.bucketize(size, least, right=True) - 1).clamp_(min=0)
