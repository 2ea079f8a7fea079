"""A linear layer on the rows of the adjacency: each node has a learned vector, and gathers its neighbours'."""

from typing import Any

import torch
from torch import Tensor, nn

from graphlab.directed.checked_edges import checked_edges
from graphlab.ops import gather_reduce


class AdjacencyLinear(nn.Module):
    r"""A linear map of the adjacency, as the sum of the neighbours' vectors.

    .. math::
        y_i = \sum_{e = (j \to i)} w_e W_j + b

    Costs :math:`O(|E| \cdot \text{out\_channels})`, and parameters for each node: it says nothing of other graphs.

    Args:
        num_nodes: The number of nodes.
        out_channels: Columns of the result.

    Shapes:
        - **edge_weight:** ``(num_edges,)``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: The edges are malformed or of another number of nodes.
    """

    def __init__(self, num_nodes: int, out_channels: int) -> None:
        super().__init__()
        self.num_nodes, self.out_channels = num_nodes, out_channels
        self.weight = nn.Parameter(torch.empty(num_nodes, out_channels))
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        bound = max(self.num_nodes, 1) ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, edge_index: Any, edge_weight: Tensor | None = None) -> Tensor:
        """Sum the vectors of the sources of each node's edges."""
        graph, edge_weight = checked_edges(edge_index, edge_weight, self.num_nodes)
        return gather_reduce(self.weight, graph, edge_weight) + self.bias

    def check_nodes(self, x: Tensor) -> None:
        """Refuse features of another number of nodes.

        Args:
            x: One row per node.

        Raises:
            ValueError: There are more rows or fewer.
        """
        if x.size(0) != self.num_nodes:
            raise ValueError(
                f"'x' has {x.size(0)} rows, but the network was built for a graph of {self.num_nodes} nodes; "
                f"build it with num_nodes={x.size(0)}"
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.num_nodes}, {self.out_channels})"
