"""Where the features of pairs of nodes are read and written by the bags that hold both."""

import os
from collections.abc import Sequence

import torch
from torch import Tensor

from graphlab.ops import Graph, bag_pairs, bag_spread, bag_sums, segment_reduce
from graphlab.ops.cache import remembered
from graphlab.subgraph.bags import Bags
from graphlab.subgraph.size_classes import class_of


class PairPlan:
    r"""The pairs :math:`(i, j)` of nodes that share a bag, and how bags and pairs meet.

    The ``num_nodes`` pairs :math:`(v, v)` stand first, in order; the others follow by row and column. A bag of
    :math:`m` nodes has :math:`m` *places* and holds :math:`m^2` pairs, :math:`(p, q)` in row-major order. Bags are
    ordered by their class, so that what shares weights lies together.

    Args:
        bags: The bags, of any order.
        size_classes: The smallest size of each class of bags, increasing.

    Raises:
        ValueError: The bags hold more pairs than fit into the memory of this machine.
    """

    def __init__(self, bags: Bags, size_classes: Sequence[int]) -> None:
        _check_memory(bags)
        kind = class_of(bags.size, size_classes)
        order = kind.argsort(stable=True)
        position = torch.empty_like(order).scatter_(0, order, torch.arange(order.numel(), device=order.device))
        self.bags = bags.take(order, position[bags.bag])
        self.num_classes = len(size_classes)
        self.kind = kind[order]
        node, ptr = self.bags.node, self.bags.node_ptr
        self.row, self.col, self.pair, self.transposed = bag_pairs(node, ptr, bags.num_nodes)
        size = self.bags.size
        bag = torch.arange(size.numel(), device=size.device)
        self.bag_of_place = bag.repeat_interleave(size)
        per_kind = self.kind.bincount(minlength=self.num_classes)
        self.bag_ptr = [0, *per_kind.cumsum(0).tolist()]
        self.place_ptr = ptr[self.bag_ptr].tolist()
        self.node_at_place = _chosen(node, bags.num_nodes)
        self.bag_at_place = _chosen(self.bag_of_place, size.numel())
        self.bag_of_node = _chosen(self.bags.bag, size.numel())

    @property
    def nbytes(self) -> int:
        """About how many bytes the plan comes to take."""
        return 64 * (self.pair.numel() + self.num_pairs)

    @property
    def num_nodes(self) -> int:
        """The number of nodes of the graph."""
        return self.bags.num_nodes

    @property
    def num_pairs(self) -> int:
        """The number of pairs."""
        return self.row.numel()

    @property
    def squares(self) -> tuple[Tensor, Tensor]:
        """Where the nodes of each bag begin, and the pair at each two places of each bag."""
        return self.bags.node_ptr, self.pair

    @remembered
    def weight(self) -> Tensor:
        """Of how many nodes each bag is the net, as float64."""
        return self.bags.weight.double()

    @remembered
    def mean_weight(self) -> Tensor:
        """What makes sums of each bag's rows and columns means, beside entries of the diagonal, as float64."""
        return torch.stack([torch.ones_like(self.weight), *[1 / self.bags.size.double()] * 2], 1)

    @remembered
    def pool_weight(self) -> Tensor:
        """The weight of each bag, for what it has for diagonals, rows and columns."""
        return self.weight.unsqueeze(1).expand(-1, 3)

    @remembered
    def pooled_nodes(self) -> Graph:
        """The places of each node."""
        return self.node_at_place.reverse()

    @remembered
    def count(self) -> Tensor:
        """Of how many nodes the nets hold each pair, as float64."""
        return self._sum_at_pairs(self.weight.unsqueeze(1)).view(-1)

    @remembered
    def inverse_count(self) -> Tensor:
        """What makes sums over all nets that hold a pair means."""
        return self.count.reciprocal()

    @remembered
    def node_share(self) -> Tensor:
        """The weight of each bag among all that hold a node, by place, as float64."""
        return self.weight[self.bag_of_place] / self.count[: self.num_nodes][self.bags.node]

    @remembered
    def kinds(self) -> tuple[Graph, list[int], Tensor]:
        """The pairs that bags of each class hold, class by class: the pairs, where classes begin, and shares."""
        one_hot = torch.nn.functional.one_hot(self.kind, self.num_classes) * self.weight.unsqueeze(1)
        share = self._sum_at_pairs(one_hot) / self.count.unsqueeze(1)
        kind, pair = share.T.nonzero(as_tuple=True)
        return (
            _chosen(pair, self.num_pairs),
            [0, *kind.bincount(minlength=self.num_classes).cumsum(0).tolist()],
            share[pair, kind],
        )

    @remembered
    def pooled_kinds(self) -> tuple[Graph, Tensor]:
        """Two rows of each entry of :attr:`kinds`, one for its pair, one for that turned round; and their shares."""
        pair = self.kinds[0].col.long()
        both = torch.stack([pair, self.transposed[pair]], 1).flatten()
        return _chosen(both, self.num_pairs).reverse(), self.kinds[2].repeat_interleave(2)

    def _sum_at_pairs(self, values: Tensor) -> Tensor:
        """Sum of what all bags have that hold a pair."""
        lines = values.new_zeros(self.bag_of_place.numel(), 3, values.size(1))
        lines[:, 1] = values[self.bag_of_place]
        return bag_spread(lines.flatten(1), *self.squares, self.num_pairs)

    def vectors(self, x: Tensor) -> Tensor:
        """Return the diagonal entry and the means of the row and the column, at each place.

        Args:
            x: Features of pairs.

        Shapes:
            - **x:** ``(num_pairs, channels)``
            - **output:** ``(num_places, 3 * channels)``
        """
        return bag_sums(x, *self.squares, self.mean_weight, num_places=self.bags.node.numel())

    def bag_means(self, rows: Tensor) -> Tensor:
        """Return the mean of each bag's places.

        Args:
            rows: A row of each place.

        Shapes:
            - **rows:** ``(num_places, channels)``
            - **output:** ``(num_bags, channels)``
        """
        return segment_reduce(rows, ptr=self.bags.node_ptr, reduce="mean")

    def edge_pairs(self, edge_index: Tensor) -> Tensor:
        """Return the pair of each edge's source and target.

        Args:
            edge_index: Edges of the graph that the bags were made of.

        Shapes:
            - **edge_index:** ``(2, num_edges)``
            - **output:** ``(num_edges,)``

        Raises:
            ValueError: The nodes of an edge share no bag: the bags are of another graph.
        """
        source, target = edge_index.long()
        n = self.num_nodes
        keys = (self.row.long() * n + self.col)[n:]
        found = (torch.searchsorted(keys, source * n + target) + n).clamp_(max=self.num_pairs - 1)
        pair = torch.where(source == target, source, found)
        if pair.numel() and not bool(((self.row[pair] == source) & (self.col[pair] == target)).all()):
            raise ValueError(
                "'bags' must hold both nodes of every edge, but do not; extract them from this 'edge_index'"
            )
        return pair


def _check_memory(bags: Bags) -> None:
    """Refuse before anything is asked for: a hub of 100,000 neighbours has ten billion pairs."""
    pairs, largest = float(bags.size.double().square().sum()), int(bags.size.max()) if bags.num_bags else 0
    needed, there = 24 * pairs, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > there:
        raise ValueError(
            f"'bags' hold {pairs:,.0f} pairs of nodes, the largest {largest:,} nodes, which take at least "
            f"{needed / 1e9:,.0f} GB where there are {there / 1e9:,.0f}; "
            f"take fewer hops, or sample the neighbours of hubs"
        )


def _chosen(source: Tensor, num_sources: int) -> Graph:
    """One edge into each target: a selection of rows whose derivative is a sum and scatters nothing."""
    # The narrowest type halves what is read.
    fits = max(2 * source.numel() + 1, num_sources) < 2**31
    dtype = torch.int32 if fits else torch.int64
    rowptr = torch.arange(source.numel() + 1, dtype=dtype, device=source.device)
    return Graph(rowptr, source.to(dtype), None, num_sources)
