"""Degrees on both sides of a directed adjacency."""

import torch
from torch import Tensor

from graphlab.directed.operator import Operator


def dir_norm(adjacency: Operator, power: float = 0.5) -> Operator:
    r"""Divide each edge by powers of its source's out-degree and its target's in-degree.

    .. math::
        \hat A = D_{out}^{-p} A D_{in}^{-p}, \qquad d_{out} = A 1, \quad d_{in} = A^\top 1

    Of `Edge Directionality Improves Learning on Heterophilic Graphs <https://arxiv.org/abs/2305.10498>`_ (Rossi et
    al., 2023), where :math:`p = 1/2`, and of `HoloNets <https://arxiv.org/abs/2310.02232>`_ (Koke and Cremers, 2024),
    where :math:`p = 1/4`. No loops are added; a node without edges keeps a row of zeros.

    Args:
        adjacency: The matrix :math:`A`, its entries 0 or more.
        power: The exponent :math:`p`.
    """
    index, weight = _entries(adjacency)
    out_degree, in_degree = _degree(adjacency, weight), _degree(adjacency.T, weight)
    scale = _inverse_power(out_degree, power)[index[0]] * _inverse_power(in_degree, power)[index[1]]
    return Operator(adjacency.graph, scale if weight is None else scale * weight)


def row_norm(adjacency: Operator) -> Operator:
    r"""Divide each row by its sum, :math:`D_{out}^{-1} A`: a node's mean over its out-neighbours.

    Args:
        adjacency: The matrix :math:`A`, its entries 0 or more.
    """
    index, weight = _entries(adjacency)
    scale = _inverse_power(_degree(adjacency, weight), 1.0)[index[0]]
    return Operator(adjacency.graph, scale if weight is None else scale * weight)


def _entries(adjacency: Operator) -> tuple[Tensor, Tensor | None]:
    index, weight = adjacency.entries()
    return index, None if adjacency.weight is None else weight.double()


def _degree(adjacency: Operator, weight: Tensor | None) -> Tensor:
    if weight is None:
        return adjacency.graph.degree.double()
    ones = weight.new_ones(adjacency.graph.num_sources, 1)
    return (Operator(adjacency.graph, weight) @ ones).squeeze(1)


def _inverse_power(degree: Tensor, power: float) -> Tensor:
    # A degree of 0 must give neither inf nor, in the backward pass, NaN.
    some = degree > 0
    return torch.where(some, torch.where(some, degree, 1).pow(-power), 0)
