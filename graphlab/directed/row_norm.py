"""Means over neighbours as an operator."""

import torch

from graphlab.directed.normalization import inverse_power
from graphlab.directed.operator import Operator


def row_norm(adjacency: Operator) -> Operator:
    r"""Divide each row by its sum: a node's mean over its out-neighbours.

    .. math::
        \hat A = D_\text{out}^{-1} A, \qquad d_\text{out} = A 1, \quad 0^{-1} := 0

    Args:
        adjacency: The matrix :math:`A`, its entries 0 or more.
    """
    index, weight = adjacency.entries()
    # Half precision counts neither far nor finely enough.
    counted = torch.promote_types(weight.dtype, torch.float32)
    degree = (
        Operator(adjacency.graph, weight) @ weight.new_ones(adjacency.graph.num_sources, 1, dtype=counted)
    ).squeeze(1)
    return Operator(adjacency.graph, inverse_power(degree, 1.0)[index[0]] * weight)
