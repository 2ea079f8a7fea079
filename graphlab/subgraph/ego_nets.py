"""A transform that extracts ego nets once, when a data set is loaded."""

from typing import Any

from torch_geometric.data import Batch, Data
from torch_geometric.transforms import BaseTransform

from graphlab.subgraph.bags import Bags
from graphlab.subgraph.ego_data import EgoData


class EgoNets(BaseTransform):
    r"""Add the ego nets of all nodes to a graph.

    .. math::
        S_v = \{u : d(u, v) \le k\}

    where :math:`d(u, v)` is the length of the shortest path from :math:`u` to :math:`v` along the edges. In a graph
    that holds each edge both ways this is the usual net; of a directed one a net holds what reaches its root. Apply it
    twice for two scales.

    Args:
        num_hops: How far the nets reach, :math:`k`. Default: 1.
        merge: Whether nodes whose nets are the same set of nodes share one bag, which counts as often. Default: yes.

    Raises:
        ValueError: ``num_hops`` is negative.
        TypeError: What is transformed is no graph of one kind of nodes.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Batch, Data
        >>> from graphlab.subgraph import EgoNets
        >>> path = Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3)
        >>> EgoNets(num_hops=1)(path).bags(1).node.tolist()
        [0, 1, 1, 0, 2, 2, 1]
    """

    def __init__(self, num_hops: int = 1, merge: bool = True) -> None:
        if not isinstance(num_hops, int) or num_hops < 0:
            raise ValueError(f"'num_hops' must be a whole number that is not negative, got {num_hops!r}")
        self.num_hops, self.merge = num_hops, merge

    def forward(self, data: Any) -> EgoData:
        """Return the graph with its ego nets.

        Args:
            data: A graph with ``edge_index``.
        """
        if not isinstance(data, Data) or isinstance(data, Batch) or data.edge_index is None:
            raise TypeError(f"EgoNets takes a Data with an edge_index, before it is batched, got {data}")
        nodes = int(data.num_nodes or 0)
        bags = Bags.from_edge_index(data.edge_index, nodes, self.num_hops, self.merge)
        out = data if isinstance(data, EgoData) else EgoData.from_dict(data.to_dict())
        return out.set_bags(bags)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_hops={self.num_hops}, merge={self.merge})"
