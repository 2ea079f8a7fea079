"""The statistic by which BREC tells two sets of vectors apart."""

import torch
from torch import Tensor

_ROUNDING = 1e-5  # of the size of the vectors: a hundred times the rounding of float32


def t_squared(first: Tensor, second: Tensor) -> float:
    r"""Hotelling's statistic of paired vectors, without the factor :math:`q`, as BREC's own program computes it.

    .. math::
        T^2 = \bar d^\top S^+ \bar d, \qquad d_i = x_i - y_i, \qquad
        S = \frac{1}{q - 1} \sum_{i=1}^q (d_i - \bar d)(d_i - \bar d)^\top

    (Wang and Zhang, 2023, arXiv 2304.07702.) Where a channel's differences are all one number, beyond rounding, no
    variance stands against it and the pair is told apart for certain: infinity, where the pseudo-inverse would say 0.
    It is computed in float64.

    Args:
        first: vectors :math:`x` of one graph in :math:`q` orders of its nodes.
        second: vectors :math:`y` of the other.

    Shapes:
        - first, second: ``[q, channels]``, q at least 2

    Example:
        >>> import torch
        >>> t_squared(torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0], [0.0]]))
        2.0
    """
    apart = first.double() - second.double()
    mean = apart.mean(dim=0)
    size = torch.maximum(first.abs().amax(), second.abs().amax()).double()
    certain = (apart == apart[0]).all(dim=0) & (mean.abs() > _ROUNDING * size)
    if certain.any():
        return float("inf")
    covariance = torch.cov(apart.t()).view(mean.numel(), -1)
    return float(mean @ torch.linalg.pinv(covariance, hermitian=True) @ mean)
