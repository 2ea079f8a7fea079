"""Data sets of a single graph that stands in memory."""

from torch_geometric.data import Data, InMemoryDataset

from graphlab.data.pyg import Transform


class OneGraph(InMemoryDataset):
    """A data set of one graph.

    Args:
        graph: The graph.
        transform: Applied to the graph at every access.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Data
        >>> from graphlab.data.one_graph import OneGraph
        >>> OneGraph(Data(x=torch.zeros(3, 2)))[0].num_nodes
        3
    """

    def __init__(self, graph: Data, transform: Transform | None = None) -> None:
        super().__init__(transform=transform)
        self.data, self.slices = self.collate([graph])
