"""How many pairs of vectors differ."""

import torch
from torch import Tensor


def relative_difference(first: Tensor, second: Tensor) -> Tensor:
    r"""How far vectors lie apart, relative to their size.

    .. math::
        \frac{\max_c |a_c - b_c|}{\max(\max_c |a_c|, \max_c |b_c|)}

    Args:
        first: vectors :math:`a`.
        second: vectors :math:`b`.

    Shapes:
        - first, second: ``[n, channels]``
        - output: ``[n]``, 0 where both are 0

    Example:
        >>> import torch
        >>> relative_difference(torch.tensor([[4.0, 1.0]]), torch.tensor([[3.0, 1.0]]))
        tensor([0.2500])
    """
    apart = (first - second).abs().amax(dim=1)
    size = torch.maximum(first.abs().amax(dim=1), second.abs().amax(dim=1))
    return torch.where(apart > 0, apart / size, 0.0)


def count_separated(first: Tensor, second: Tensor, tolerance: float) -> int:
    """The number of rows whose relative difference exceeds the tolerance.

    Args:
        first: vectors.
        second: vectors.
        tolerance: a fraction.

    Shapes:
        - first, second: ``[n, channels]``
    """
    return int((relative_difference(first, second) > tolerance).sum())


def count_unseparated_among_all(vectors: Tensor, tolerance: float) -> int:
    """The number of pairs of rows whose relative difference does not exceed the tolerance.

    Rows are sorted by the mean of their channels. Rows that are close have close means, so that only neighbours in
    that order are compared: no :math:`n^2`, unless as many pairs are close.

    Args:
        vectors: all vectors.
        tolerance: a fraction.

    Shapes:
        - vectors: ``[n, channels]``
    """
    mean, order = vectors.mean(dim=1).sort()
    vectors = vectors[order]
    # Twice over: the mean of channels rounds.
    reach = 2 * (tolerance + torch.finfo(vectors.dtype).eps) * float(vectors.abs().max()) if vectors.numel() else 0.0
    count, place = 0, torch.arange(len(vectors))
    for step in range(1, len(vectors)):
        place = place[place + step < len(vectors)]
        place = place[mean[place + step] - mean[place] <= reach]
        if not place.numel():
            break
        count += place.numel() - count_separated(vectors[place], vectors[place + step], tolerance)
    return count
