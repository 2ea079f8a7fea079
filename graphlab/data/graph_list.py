"""Data sets of many graphs that stand in memory."""

from collections.abc import Sequence

from torch_geometric.data import Data, InMemoryDataset

from graphlab.data.pyg import Transform


class GraphList(InMemoryDataset):
    """A data set of the graphs of a list.

    Args:
        graphs: The graphs, with the same attributes each.
        transform: Applied to a graph at every access.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Data
        >>> from graphlab.data.graph_list import GraphList
        >>> GraphList([Data(x=torch.zeros(n, 2)) for n in (3, 4)])[1].num_nodes
        4
    """

    def __init__(self, graphs: Sequence[Data], transform: Transform | None = None) -> None:
        super().__init__(transform=transform)
        self.data, self.slices = self.collate([*graphs])
