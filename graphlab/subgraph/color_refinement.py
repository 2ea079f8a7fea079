"""The Weisfeiler-Leman test of many graphs at once."""

from typing import Any

import torch
from torch import Tensor

from graphlab.ops import Graph
from graphlab.ops.csr import rows_of
from graphlab.subgraph.check_inside import check_inside
from graphlab.subgraph.multiset_names import joint_names, multiset_names
from graphlab.subgraph.node_batch import checked_batch


def color_refinement(
    edge_index: Any, batch: Tensor, batch_size: int | None = None, node_color: Tensor | None = None
) -> Tensor:
    r"""Color graphs by 1-WL: two graphs get one color exactly when color refinement does not tell them apart.

    .. math::
        c_i \leftarrow \bigl(c_i, \{\!\{ c_j : j \to i \}\!\}\bigr) \text{ until no class splits}, \qquad
        C_G = \{\!\{ c_i : i \in G \}\!\}

    The test of `A reduction of a graph to a canonical form` (Weisfeiler and Leman, 1968), which bounds message passing
    (`How Powerful are Graph Neural Networks? <https://arxiv.org/abs/1810.00826>`_, Xu et al., 2018). All graphs share
    their colors. Nothing is hashed: rows of whole numbers are sorted and compared.

    Args:
        edge_index: Edges as a tensor, an ``EdgeIndex``, a transposed sparse adjacency, or a ``Graph``; an edge listed
            twice counts twice.
        batch: The graph of each node, sorted.
        batch_size: The number of graphs; ``None`` for one more than the largest in ``batch``.
        node_color: The color of each node to begin with, int64; ``None`` for one color.

    Shapes:
        - **edge_index:** ``(2, num_edges)``
        - **batch, node_color:** ``(num_nodes,)``
        - **output:** ``(batch_size,)``

    Raises:
        ValueError: Edges lead out of the nodes or out of their graph, ``batch`` is not sorted, or the colors are not
            one int64 number per node.

    Example:
        >>> import torch
        >>> from graphlab.subgraph import color_refinement
        >>> hexagon = [(i, (i + 1) % 6) for i in range(6)]
        >>> triangles = [(6, 7), (7, 8), (8, 6), (9, 10), (10, 11), (11, 9)]
        >>> one_way = torch.tensor(hexagon + triangles).T
        >>> batch = torch.tensor([0] * 6 + [1] * 6)
        >>> color_refinement(torch.cat([one_way, one_way.flip(0)], dim=1), batch).tolist()
        [0, 0]
    """
    batch, batch_size = checked_batch(batch, batch.numel(), batch_size)
    graph = Graph.from_edge_index(edge_index, (batch.numel(), batch.numel()))
    source, target = graph.col.long(), rows_of(graph.rowptr)
    check_inside("edge_index", source, target, batch)
    color = first_colors(node_color, batch)
    count = 0
    while (found := int(color.max()) + 1 if color.numel() else 0) > count:
        count = found
        color = joint_names(color, multiset_names(color[source], target, batch.numel()))
    return joint_names(multiset_names(color, batch, batch_size))


def first_colors(node_color: Tensor | None, batch: Tensor) -> Tensor:
    """Give the colors that nodes begin with as small whole numbers.

    Args:
        node_color: The color of each node; ``None`` for one color.
        batch: The graph of each node.

    Shapes:
        - **node_color, batch, output:** ``(num_nodes,)``

    Raises:
        ValueError: The colors are not one int64 number per node.
    """
    if node_color is None:
        return torch.zeros_like(batch)
    if node_color.dtype != torch.int64 or node_color.shape != batch.shape:
        raise ValueError(
            f"'node_color' must hold one int64 number for each of the {batch.numel()} nodes, got {node_color.dtype} of "
            f"shape {tuple(node_color.shape)}; number rows of features by torch.unique(x, dim=0, return_inverse=True)"
        )
    return joint_names(node_color)
