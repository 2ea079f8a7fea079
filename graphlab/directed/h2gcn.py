"""H2GCN: the node, its neighbours and theirs, each kept apart."""

from typing import Any

import torch
from scipy.sparse import csr_array, diags_array
from torch import Tensor, nn

from graphlab.directed.checks import at_least
from graphlab.directed.dropout import Dropout
from graphlab.directed.edges import unweighted_edges
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.node_network import NodeNetwork
from graphlab.directed.operator import Operator
from graphlab.directed.remember import remembered
from graphlab.directed.sparse import as_operator, inverse_degree, products_per_row, scaled, simple_adjacency
from graphlab.ops import Graph

_MOST_PRODUCTS = 1_000_000_000
_MOST_ENTRIES = 100_000_000


class H2GCN(NodeNetwork):
    r"""Ego, neighbours and second neighbours side by side (Zhu et al., 2020, arXiv 2006.11468).

    .. math::
        r_0 = \text{ReLU}(W_e X), \qquad r_k = [\bar A_1 r_{k-1} \| \bar A_2 r_{k-1}], \qquad
        Y = W_c [r_0 \| r_1 \| \dots \| r_K] + b, \qquad \bar A = D^{-1/2} A D^{-1/2}

    :math:`A_1` has the edges but no loops, :math:`A_2` the pairs that are two steps apart and no fewer; both count
    each pair once, and go along the edges. :math:`A_2` is a sparse product made once per graph: time
    :math:`\sum_j d^\text{in}_j d^\text{out}_j`, memory its entries, which hubs make many. The width of
    the last layer is ``hidden_channels * (2 ** (K + 1) - 1)``.

    Args:
        in_channels: Number of node features.
        hidden_channels: Width of :math:`r_0`.
        out_channels: Number of classes.
        num_hops: The number of rounds :math:`K`.
        dropout: Fraction of the last layer's input dropped while training.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or ``torch.sparse``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: The second neighbours take more than a billion products to find or may be more than a hundred
            million pairs, or there are edge weights, which are not read.

    Example:
        >>> import torch
        >>> from graphlab.directed import H2GCN
        >>> net = H2GCN(3, 8, 2, num_hops=1)
        >>> net(torch.rand(4, 3), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 2])
    """

    def __init__(
        self, in_channels: int, hidden_channels: int, out_channels: int, num_hops: int = 2, dropout: float = 0.5
    ) -> None:
        super().__init__(in_channels, hidden_channels, dropout)
        self.num_hops = at_least("num_hops", num_hops, 0)
        self.embed = FeatureLinear(in_channels, hidden_channels)
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(hidden_channels * (2 ** (num_hops + 1) - 1), out_channels)

    def logits(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None) -> Tensor:
        """Compute the logits of all nodes."""
        near, far = rings(unweighted_edges(x, edge_index, edge_weight, "H2GCN, which asks only who is how far"))
        rounds = [self.embed(x).relu()]
        for _ in range(self.num_hops):
            rounds.append(torch.cat([near @ rounds[-1], far @ rounds[-1]], 1))
        return self.head(self.dropout(torch.cat(rounds, 1)))


def rings(graph: Graph) -> tuple[Operator, Operator]:
    """The normalised adjacencies of neighbours and of second neighbours; remembered for equal edges.

    Args:
        graph: The edges.

    Raises:
        ValueError: The second neighbours take more than a billion products to find, or may be more than a hundred
            million pairs.
    """
    return remembered(graph, None, "rings", lambda: _find_rings(graph))


def _find_rings(graph: Graph) -> tuple[Operator, Operator]:
    one = simple_adjacency(graph, num_nodes=graph.num_targets)
    in_row = products_per_row(one, one)
    products, entries = int(in_row.sum()), int(in_row.clip(max=graph.num_targets).sum())
    if products > _MOST_PRODUCTS or entries > _MOST_ENTRIES:
        raise ValueError(
            f"'edge_index' has hubs: its second neighbours take {products:,} products to find and may be {entries:,} "
            f"pairs, expected no more than {_MOST_PRODUCTS:,} and {_MOST_ENTRIES:,}; drop edges at the hubs, or take a "
            f"network that stays with neighbours"
        )
    with torch.inference_mode(False):
        near, far = (as_operator(_normalized(ring), graph.col.device).T for ring in (one, _second_ring(one)))
        return near, far


def _second_ring(one: csr_array) -> csr_array:
    """Pairs that a path of two edges joins, but no single edge, and that are not one node."""
    two = csr_array(one @ one)
    two.data[:] = 1
    nearer = csr_array(one + diags_array(one.diagonal() * 0 + 1))
    two = csr_array(two - two.multiply(nearer))
    two.eliminate_zeros()
    return two


def _normalized(matrix: csr_array) -> csr_array:
    rows, columns = (inverse_degree(matrix.sum(axis=axis), 0.5) for axis in (1, 0))
    return scaled(matrix, rows, columns)
