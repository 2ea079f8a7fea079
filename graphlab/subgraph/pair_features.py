"""The features of pairs of nodes that SPEN starts from."""

import torch
from torch import Tensor

from graphlab.subgraph.pair_plan import PairPlan


def pair_features(
    x: Tensor, edge_index: Tensor, plan: PairPlan, edge_attr: Tensor | None = None, normalize: bool = True
) -> Tensor:
    r"""Return adjacency and edge features at :math:`(i, j)`, node features at :math:`(i, i)`.

    .. math::
        X_{ij} = \left[ \hat A_{ij} \,\Vert\, \textstyle\sum_{e : i \to j} a_e \,\Vert\, \delta_{ij} x_i \right], \qquad
        \hat A = D_\text{out}^{-1/2} A D_\text{in}^{-1/2}

    Args:
        x: Node features.
        edge_index: Sources and targets; equal edges add up.
        plan: The pairs of the graph.
        edge_attr: Features of the edges.
        normalize: Whether to normalise the adjacency by the degrees. Default: yes.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``
        - **edge_index:** ``(2, num_edges)``
        - **edge_attr:** ``(num_edges, edge_dim)``
        - **output:** ``(num_pairs, 1 + edge_dim + in_channels)``
    """
    pair = plan.edge_pairs(edge_index)
    value = _adjacency(edge_index, x, normalize).unsqueeze(1)
    if edge_attr is not None:
        value = torch.cat([value, edge_attr], dim=1)
    edges = value.new_zeros(plan.num_pairs, value.size(1)).index_add(0, pair, value)
    apart = x.new_zeros(plan.num_pairs - plan.num_nodes, x.size(1))
    return torch.cat([edges, torch.cat([x, apart])], dim=1)


def _adjacency(edge_index: Tensor, x: Tensor, normalize: bool) -> Tensor:
    one = x.new_ones(edge_index.size(1))
    if not normalize:
        return one
    source, target = edge_index
    # Products of degrees do not fit into half precision.
    out_degree, in_degree = (end.bincount(minlength=x.size(0)).double() for end in (source, target))
    return (out_degree[source] * in_degree[target]).rsqrt().to(x.dtype)
