"""The bags of DSS-GNN: for each node a copy of its whole graph that keeps only the edges near that node."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphlab.ops import Graph, csr_from_coo, ego_nets, gather_reduce
from graphlab.subgraph.check_inside import check_inside

_LARGEST_INT32 = 2**31 - 1


@dataclass(frozen=True)
class DSSBags:
    r"""One copy of a graph's nodes for each of them, with the edges of that node's ego net.

    .. math::
        E_r = \{(u, v) \in E : d(u, r) \le k, \; d(v, r) \le k\}, \qquad \text{row}(r, v) = p_r + v - s_r

    A row is a pair of a root :math:`r` and a node :math:`v` of its graph, whose first node is :math:`s_r`; a root's
    rows begin at :math:`p_r`, so a graph of :math:`n` nodes has :math:`n^2` of them: the policy EGO of Bevilacqua et
    al. (2022, arXiv 2110.02910). On directed edges, :math:`d(v, r)` is the way from :math:`v` to :math:`r`.

    Args:
        graph: The edges of the graphs.
        edges: The edges of all bags, between rows.
        rows: An edge from each row to its node.
        roots: The row of each node in its own bag, :math:`\text{row}(r, r)`.
        ptr: Where the nodes of each graph begin.

    Shapes:
        - **roots:** ``(num_nodes,)``
        - **ptr:** ``(batch_size + 1,)``

    Example:
        >>> import torch
        >>> from graphlab.subgraph import DSSBags
        >>> bags = DSSBags.of(torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), torch.tensor([0, 0, 0, 1]), 2, num_hops=1)
        >>> bags.edges, bags.roots.tolist()
        (Graph(num_sources=10, num_targets=10, num_edges=8), [0, 4, 8, 9])
    """

    graph: Graph
    edges: Graph
    rows: Graph
    roots: Tensor
    ptr: Tensor

    @classmethod
    def of(cls, edge_index: Any, batch: Tensor, batch_size: int, num_hops: int) -> "DSSBags":
        """Cut out all bags of all graphs at once.

        Args:
            edge_index: Edges as a tensor, an ``EdgeIndex``, a ``Graph`` or a transposed sparse adjacency.
            batch: The graph of each node, ascending.
            batch_size: The number of graphs.
            num_hops: How far the nets reach, :math:`k`.

        Shapes:
            - **edge_index:** ``(2, num_edges)``
            - **batch:** ``(num_nodes,)``

        Raises:
            ValueError: An edge joins two graphs or leads out of them, or ``num_hops`` is negative.
        """
        graph = Graph.from_edge_index(edge_index, (batch.numel(), batch.numel()))
        sizes = torch.bincount(batch, minlength=batch_size)
        ptr, begins = _boundaries(sizes), _boundaries(sizes[batch])
        first = begins[:-1] - ptr[batch]  # row(r, v) - v
        edges = _edges_of_bags(graph, batch, first, int(begins[-1]), num_hops)
        nodes = torch.arange(batch.numel(), device=batch.device)
        return cls(graph, edges, _rows_of_nodes(begins, first), first + nodes, ptr)

    def mean(self, x: Tensor) -> Tensor:
        """Average the rows of each node over the bags of its graph.

        Args:
            x: A row for each node of each bag.

        Shapes:
            - **x:** ``(num_rows, channels)``
            - **output:** ``(num_nodes, channels)``
        """
        return gather_reduce(x, self.rows, reduce="mean")

    def spread(self, x: Tensor) -> Tensor:
        """Give each row what stands at its node.

        Args:
            x: A row for each node.

        Shapes:
            - **x:** ``(num_nodes, channels)``
            - **output:** ``(num_rows, channels)``
        """
        return gather_reduce(x, self.rows.reverse())


def _boundaries(sizes: Tensor) -> Tensor:
    return torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])


def _edges_of_bags(graph: Graph, batch: Tensor, first: Tensor, num_rows: int, num_hops: int) -> Graph:
    """The edges of all nets, between rows."""
    nets = ego_nets(graph.rowptr.cpu(), graph.col.cpu(), num_hops)
    root = torch.repeat_interleave(first.cpu(), nets.edge_ptr.diff()).to(first.device)
    degree = graph.degree.long()
    target = torch.repeat_interleave(torch.arange(degree.numel(), device=degree.device), degree)
    check_inside("edge_index", graph.col.long(), target, batch)
    edge = nets.edge.to(first.device).long()
    source, target = root + graph.col[edge], root + target[edge]
    if edge.numel() + num_rows <= _LARGEST_INT32:
        source, target = source.int(), target.int()
    rowptr, perm = csr_from_coo(target, num_rows)
    return Graph(rowptr, source[perm], None, num_rows)


def _rows_of_nodes(begins: Tensor, first: Tensor) -> Graph:
    """Edges into each node from its rows, one in each bag of its graph: as many as its own bag has rows."""
    num_rows = int(begins[-1])
    row = torch.arange(num_rows, device=first.device)
    node = torch.repeat_interleave(row[: first.numel()], begins.diff(), output_size=num_rows)
    col = first[row - first[node]] + node
    if 2 * num_rows <= _LARGEST_INT32:
        begins, col = begins.int(), col.int()
    return Graph(begins, col, None, num_rows)
