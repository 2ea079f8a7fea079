"""The two-dimensional folklore Weisfeiler-Leman test of many graphs at once."""

from typing import Any

import torch
from torch import Tensor

from graphlab.ops import Graph
from graphlab.ops.csr import rows_of
from graphlab.subgraph.color_refinement import first_colors
from graphlab.subgraph.dense_pairs import DensePairs
from graphlab.subgraph.multiset_names import joint_names, multiset_names
from graphlab.subgraph.node_batch import checked_batch

# The largest prime below 2^21: a sum of 2^11 products of residues is below 2^53, so that float64 holds it exactly.
_PRIME = 2097143
_EXACT_TERMS = 2**11
_DRAWS = 6


def folklore_refinement(
    edge_index: Any,
    batch: Tensor,
    batch_size: int | None = None,
    node_color: Tensor | None = None,
    pair_index: Tensor | None = None,
    pair_color: Tensor | None = None,
) -> Tensor:
    r"""Color graphs by 2-FWL, which is as strong as 3-WL: graphs of two colors are told apart.

    .. math::
        c_{ij} \leftarrow \bigl(c_{ij}, \{\!\{ (c_{iw}, c_{wj}) : w \in G \}\!\}\bigr) \text{ until no class splits},
        \qquad C_G = \{\!\{ c_{ij} : i, j \in G \}\!\}

    Of `An optimal lower bound on the number of variables for graph identification` (Cai, Fürer and Immerman, 1992), the
    bound of `PPGN <https://arxiv.org/abs/1905.11136>`_ (Maron et al., 2019). All graphs share their colors.

    A multiset of pairs is told by the sums :math:`\sum_w r(c_{iw}) s(c_{wj}) \bmod p` for six draws of residues
    :math:`r, s` of the colors and :math:`p = 2097143`: products of matrices of whole numbers below :math:`2^{53}`,
    exact in float64. Equal multisets have equal sums always, so two colors are a proof that 2-FWL separates. Two
    multisets that differ have equal sums with a probability of at most :math:`(2/p)^6 < 2^{-119}` (Schwartz-Zippel), so
    that :math:`N` pairs of nodes in all and :math:`R` rounds bring any error with at most :math:`R N^2 2^{-120}`:
    below :math:`10^{-20}` for ten million pairs. The draws are always the same.

    Args:
        edge_index: Edges as a tensor, an ``EdgeIndex``, a transposed sparse adjacency, or a ``Graph``; an edge listed
            twice counts twice.
        batch: The graph of each node, sorted.
        batch_size: The number of graphs; ``None`` for one more than the largest in ``batch``.
        node_color: The color of each node to begin with, int64; ``None`` for one color.
        pair_index: Pairs of nodes with a color of their own, each at most once, such as those of
            :func:`equivariant_polynomials`.
        pair_color: The color of each of these, int64; all other pairs have 0.

    Shapes:
        - **edge_index:** ``(2, num_edges)``
        - **batch, node_color:** ``(num_nodes,)``
        - **pair_index:** ``(2, num_listed)``
        - **pair_color:** ``(num_listed,)``
        - **output:** ``(batch_size,)``

    Raises:
        ValueError: Edges or pairs lead out of the nodes or out of their graph, ``batch`` is not sorted, colors are not
            one int64 number each, or a pair is listed twice.

    Example:
        >>> import torch
        >>> from graphlab.subgraph import folklore_refinement
        >>> hexagon = [(i, (i + 1) % 6) for i in range(6)]
        >>> triangles = [(6, 7), (7, 8), (8, 6), (9, 10), (10, 11), (11, 9)]
        >>> one_way = torch.tensor(hexagon + triangles).T
        >>> batch = torch.tensor([0] * 6 + [1] * 6)
        >>> folklore_refinement(torch.cat([one_way, one_way.flip(0)], dim=1), batch).unique().numel()
        2
    """
    batch, batch_size = checked_batch(batch, batch.numel(), batch_size)
    pairs = DensePairs(batch, batch_size)
    color = joint_names(
        *_edge_counts(edge_index, pairs),
        _node_part(first_colors(node_color, batch), pairs),
        _pair_part(pair_index, pair_color, pairs),
    )
    generator, count = torch.Generator().manual_seed(0), 0
    while (found := int(color.max()) + 1 if color.numel() else 0) > count:
        count = found
        color = joint_names(color, *_path_words(color, count, pairs, generator))
    return joint_names(multiset_names(color, pairs.graph, batch_size))


def _edge_counts(edge_index: Any, pairs: DensePairs) -> tuple[Tensor, Tensor]:
    """How often each pair is an edge, and turned round."""
    nodes = pairs.batch.numel()
    graph = Graph.from_edge_index(edge_index, (nodes, nodes))
    index = torch.stack([graph.col.long(), rows_of(graph.rowptr)])
    counts = torch.bincount(pairs.places("edge_index", index), minlength=pairs.num_pairs)
    return counts, pairs.transpose(counts[None])[0]


def _node_part(node_color: Tensor, pairs: DensePairs) -> Tensor:
    """The color of the node for a pair of one node, and another for pairs of two."""
    color = torch.zeros(pairs.num_pairs, dtype=torch.int64, device=pairs.batch.device)
    color[pairs.diagonal] = node_color + 1
    return color


def _pair_part(index: Tensor | None, color: Tensor | None, pairs: DensePairs) -> Tensor:
    colors = torch.zeros(pairs.num_pairs, dtype=torch.int64, device=pairs.batch.device)
    if index is None and color is None:
        return colors
    if index is None or color is None or color.dtype != torch.int64 or color.shape != index.shape[1:]:
        came = "None" if color is None else f"{color.dtype} of shape {tuple(color.shape)}"
        raise ValueError(f"'pair_color' must be int64, one for each column of 'pair_index', got {came}; give both")
    places = pairs.places("pair_index", index)
    if torch.unique(places).numel() < places.numel():
        raise ValueError("'pair_index' must hold each pair once, got some twice; add up or join their colors")
    colors[places] = color
    return colors


def _path_words(color: Tensor, count: int, pairs: DensePairs, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Six residues of the multiset of each pair, three to a word of 63 bits."""
    words = torch.zeros(2, pairs.num_pairs, dtype=torch.int64, device=color.device)
    for draw in range(_DRAWS):
        left, right = torch.randint(_PRIME, (2, count), generator=generator).double().to(color.device)
        residue = pairs.map(_residues, left[color][None], right[color][None])[0]
        words[draw % 2] = words[draw % 2] * _PRIME + residue
    return words[0], words[1]


def _residues(left: Tensor, right: Tensor) -> Tensor:
    """The product of matrices of residues, so many terms at a time as a float64 holds exactly."""
    terms = zip(left.split(_EXACT_TERMS, dim=3), right.split(_EXACT_TERMS, dim=2), strict=True)
    return torch.stack([(a @ b).long() % _PRIME for a, b in terms]).sum(dim=0) % _PRIME
