"""The graphs of a batch by their number of nodes: those of one size are a dense batch, and nothing is padded."""

from collections.abc import Iterator

import torch
from torch import Tensor

from graphlab.subgraph.check_inside import check_inside


class SizeGroups:
    """Where the pairs of nodes of all graphs stand, those of the smallest graphs first.

    Args:
        batch: The graph of each node, ascending.
        batch_size: The number of graphs.

    Shapes:
        - **batch:** ``(num_nodes,)``
    """

    def __init__(self, batch: Tensor, batch_size: int) -> None:
        self.batch = batch
        self.size = batch.bincount(minlength=batch_size)
        self.first_node = self.size.cumsum(0) - self.size
        #: The graphs in the order in which they stand.
        self.order = self.size.argsort(stable=True)
        squares = self.size[self.order].square()
        self.first_pair = torch.empty_like(squares).index_copy_(0, self.order, squares.cumsum(0) - squares)
        sizes, counts = (found.tolist() for found in self.size.unique(return_counts=True))
        self.groups = list(zip(sizes, counts, strict=True)) or [(0, 0)]
        self.num_pairs = sum(count * n * n for n, count in self.groups)

    @property
    def pair_graph(self) -> Tensor:
        """The graph of each pair."""
        return self.order.repeat_interleave(self.size[self.order].square(), output_size=self.num_pairs)

    def places(self, row: Tensor, col: Tensor, name: str = "edge_index") -> Tensor:
        """Tell where pairs stand.

        Args:
            row: The first node of each.
            col: The second.
            name: The argument that they came as.

        Shapes:
            - **row, col, output:** ``(num_listed,)``

        Raises:
            ValueError: The nodes of a pair are of two graphs.
        """
        check_inside(name, row, col, self.batch)
        graph = self.batch[row]
        first = self.first_node[graph]
        return self.first_pair[graph] + (row - first) * self.size[graph] + (col - first)

    def zeros(self, x: Tensor, channels: int) -> Tensor:
        """Make features of all pairs.

        Args:
            x: What tells their type and device.
            channels: Their width.

        Shapes:
            - **output:** ``(num_pairs, channels)``

        Raises:
            RuntimeError: They do not fit in memory.
        """
        try:
            return x.new_zeros(self.num_pairs, channels)
        except RuntimeError as error:
            raise RuntimeError(
                f"all pairs of nodes of each graph are held, {self.num_pairs} here, the largest graph having "
                f"{self.groups[-1][0]} nodes: {self.num_pairs * channels * x.element_size()} bytes for {channels} "
                "channels could not be had; give smaller graphs or fewer at a time, or take SPEN, which holds the "
                "pairs inside ego nets alone"
            ) from error

    def dense(self, x: Tensor) -> Iterator[Tensor]:
        """View the pairs of graphs of one size as a dense batch, size by size.

        Args:
            x: Features of all pairs.

        Shapes:
            - **x:** ``(num_pairs, channels)``
            - **output:** ``(num_graphs, n, n, channels)`` each
        """
        begin = 0
        for n, count in self.groups:
            yield x[begin : begin + count * n * n].view(count, n, n, x.size(1))
            begin += count * n * n
