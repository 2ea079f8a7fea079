"""Many graphs end to end in a few tensors, of which batches are cut without a step per graph."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch_geometric.data import InMemoryDataset


class GraphBatch(NamedTuple):
    """Several graphs as one, with the names that PyG's ``Batch`` has for the same.

    Args:
        x: node features, the graphs one after another.
        edge_index: edges between rows of ``x``.
        edge_attr: edge features, or none.
        y: labels or targets of the graphs.
        batch: number of each node's graph, ascending.
        ptr: where each graph's nodes begin, and the end.
    """

    x: Tensor
    edge_index: Tensor
    edge_attr: Tensor | None
    y: Tensor
    batch: Tensor
    ptr: Tensor

    @property
    def num_graphs(self) -> int:
        """Number of graphs."""
        return self.ptr.numel() - 1


class GraphStore:
    """The nodes, edges and labels of all graphs of a data set, on one device.

    A transform of the data set is applied once, when the store is made.

    Args:
        graphs: graphs with ``x``, ``edge_index``, ``y`` and maybe ``edge_attr``, alike in widths and types.
        device: where the tensors lie.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Data
        >>> from graphlab.train.tasks.graph_store import GraphStore
        >>> edge = torch.tensor([[0], [1]])
        >>> graphs = [Data(x=torch.ones(n, 1), edge_index=edge, y=torch.tensor([n])) for n in (2, 3, 4)]
        >>> batch = GraphStore(graphs, torch.device("cpu")).take(torch.tensor([2, 0]))
        >>> batch.edge_index.tolist(), batch.batch.tolist(), batch.y.tolist()
        ([[0, 4], [1, 5]], [0, 0, 0, 0, 1, 1], [4, 2])
    """

    def __init__(self, graphs: Sequence[Any], device: torch.device) -> None:
        # By number: a data set of PyG's is no Sequence and warns where it is iterated as one.
        listed = [graphs[i] for i in range(len(graphs))]
        whole: Any = InMemoryDataset.collate(listed)[0]
        self.x, self.edge_index, self.y = (whole[key].to(device) for key in ("x", "edge_index", "y"))
        self.edge_attr: Tensor | None = None if whole.edge_attr is None else whole.edge_attr.to(device)
        self.node_ptr = _ptr(torch.tensor([one.num_nodes for one in listed])).to(device)
        self.edge_ptr = _ptr(torch.tensor([one.num_edges for one in listed])).to(device)

    def take(self, rows: Tensor) -> GraphBatch:
        """The graphs of these numbers, in this order, as one.

        Args:
            rows: numbers of graphs.

        Shapes:
            - rows: ``[num_graphs]``
        """
        rows = rows.to(self.y.device)
        ptr, nodes, batch = _segments(self.node_ptr, rows)
        _, edges, owner = _segments(self.edge_ptr, rows)
        edge_index = self.edge_index[:, edges] + ptr[owner]
        attr = None if self.edge_attr is None else self.edge_attr[edges]
        return GraphBatch(self.x[nodes], edge_index, attr, self.y[rows], batch, ptr)


def _ptr(sizes: Tensor) -> Tensor:
    return torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])


def _segments(ptr: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where the chosen segments begin when laid end to end, what lies in them, and whose each element is."""
    sizes = ptr[rows + 1] - ptr[rows]
    starts = _ptr(sizes)
    owner = torch.arange(rows.numel(), device=ptr.device).repeat_interleave(sizes)
    elements = torch.arange(owner.numel(), device=ptr.device) + (ptr[rows] - starts[:-1])[owner]
    return starts, elements, owner
