"""All pairs of nodes of each graph of a batch, without padding."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from graphlab.subgraph.size_groups import SizeGroups


class DensePairs:
    """Where the pairs ``(i, j)`` of all graphs of a batch stand in one row of ``sum(n * n)`` places.

    Graphs of one size stand side by side: features ``(channels, num_pairs)`` hold a stack of square matrices for each
    size, which products of matrices read where it lies.

    Args:
        batch: The graph of each node, sorted.
        batch_size: The number of graphs.

    Shapes:
        - **batch:** ``(num_nodes,)``
    """

    def __init__(self, batch: Tensor, batch_size: int) -> None:
        self.batch, self.batch_size = batch, batch_size
        self._groups = SizeGroups(batch, batch_size)
        self.num_pairs = self._groups.num_pairs
        self._stacks = [(n, count) for n, count in self._groups.groups if n]
        order = self._groups.order
        self._graph_of_stacks = order[self._groups.size[order] > 0]
        node = torch.arange(batch.numel(), device=batch.device)
        self.diagonal = self._groups.places(node, node)

    @property
    def graph(self) -> Tensor:
        """The graph of each pair, ``(num_pairs,)``."""
        return self._groups.pair_graph

    def places(self, name: str, index: Tensor) -> Tensor:
        """Give the place of each listed pair.

        Args:
            name: The argument that they came as.
            index: Rows and columns.

        Shapes:
            - **index:** ``(2, num_listed)``
            - **output:** ``(num_listed,)``

        Raises:
            ValueError: These are not pairs of nodes of one graph each.
        """
        nodes = self.batch.numel()
        if index.dim() != 2 or index.size(0) != 2 or index.dtype != torch.int64:
            raise ValueError(f"'{name}' must be int64 (2, num_pairs), got {index.dtype} of shape {tuple(index.shape)}")
        if index.numel() and not 0 <= int(index.min()) <= int(index.max()) < nodes:
            raise ValueError(
                f"'{name}' must hold nodes in [0, {nodes}), got {int(index.min())} to {int(index.max())}; "
                f"check the node numbering"
            )
        return self._groups.places(index[0], index[1], name)

    def stacks(self, values: Tensor) -> Iterator[Tensor]:
        """View the matrices of graphs of one size, the smallest size first.

        Args:
            values: One row of values per channel.

        Shapes:
            - **values:** ``(channels, num_pairs)``
            - **output:** ``(channels, num_graphs, n, n)`` each
        """
        begin = 0
        for n, count in self._stacks:
            yield values[:, begin : begin + count * n * n].view(-1, count, n, n)
            begin += count * n * n

    def map(self, function: Callable[..., Tensor], *values: Tensor) -> Tensor:
        """Apply to the stacks what gives matrices of the same sizes, and put these in one row again.

        Args:
            function: Takes one stack of each, ``(channels, num_graphs, n, n)``.
            *values: What it is applied to.

        Shapes:
            - **values, output:** ``(channels, num_pairs)`` each
        """
        parts = [function(*stacks).flatten(1) for stacks in zip(*map(self.stacks, values), strict=True)]
        return torch.cat(parts, dim=1) if parts else values[0]

    def transpose(self, values: Tensor) -> Tensor:
        """Put ``(j, i)`` in the place of ``(i, j)``.

        Args:
            values: Features of all pairs.

        Shapes:
            - **values, output:** ``(channels, num_pairs)``
        """
        return self.map(lambda stack: stack.transpose(2, 3), values)

    def mean_diagonal(self, values: Tensor) -> Tensor:
        """Average the pairs ``(i, i)`` of each graph; 0 for a graph without nodes.

        Args:
            values: Features of all pairs.

        Shapes:
            - **values:** ``(channels, num_pairs)``
            - **output:** ``(batch_size, channels)``
        """
        parts = [stack.diagonal(dim1=2, dim2=3).mean(dim=2) for stack in self.stacks(values)]
        return self._by_graph(parts, values)

    def mean_off_diagonal(self, values: Tensor) -> Tensor:
        """Average the pairs of two different nodes of each graph; 0 for a graph without any.

        Args:
            values: Features of all pairs.

        Shapes:
            - **values:** ``(channels, num_pairs)``
            - **output:** ``(batch_size, channels)``
        """
        # Taking the diagonal off the whole sum would cancel digits.
        values = values.index_fill(1, self.diagonal, 0.0)
        parts = [stack.sum(dim=(2, 3)) / max(stack.size(2) * (stack.size(2) - 1), 1) for stack in self.stacks(values)]
        return self._by_graph(parts, values)

    def _by_graph(self, parts: list[Tensor], values: Tensor) -> Tensor:
        rows = values.new_zeros(self.batch_size, values.size(0))
        return rows.index_copy(0, self._graph_of_stacks, torch.cat(parts, dim=1).T) if parts else rows
