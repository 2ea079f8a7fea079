"""A graph together with its ego nets, batched as PyG batches graphs."""

import re
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Data

from graphlab.subgraph.bags import Bags

_KEY = re.compile(r"ego(\d+)_(root|node|size|hop|edge_index|edge_id|num_edges|bag|graph)")


class EgoData(Data):
    """A :class:`torch_geometric.data.Data` that also holds ego nets, ``ego<num_hops>_*``.

    A batch of such graphs holds the nets of all, since numbers of nodes, edges and bags are shifted as PyG shifts
    ``edge_index``. :meth:`bags` gives them back.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Batch, Data
        >>> from graphlab.subgraph import EgoNets
        >>> path = Data(edge_index=torch.tensor([[0, 1], [1, 0]]), num_nodes=2)
        >>> batch = Batch.from_data_list([EgoNets(1)(path), EgoNets(1)(path)])
        >>> batch.bags(1).root.tolist()
        [0, 2]
    """

    def set_bags(self, bags: Bags) -> "EgoData":
        """Keep ego nets.

        Args:
            bags: The nets of all nodes of this graph.
        """
        parts = {name: getattr(bags, name) for name in ("root", "node", "hop", "edge_index", "edge_id", "bag")}
        graph = torch.tensor([[bags.num_nodes, self.num_edges]])
        for name, part in (parts | {"size": bags.size, "num_edges": bags.edge_ptr.diff(), "graph": graph}).items():
            self[f"ego{bags.num_hops}_{name}"] = part
        # Else PyG would take the length of what is called a node here for the number of nodes.
        self.num_nodes = bags.num_nodes
        return self

    def bags(self, num_hops: int) -> Bags:
        """Return the ego nets that were kept, of one graph or of a batch.

        Args:
            num_hops: How far they reach.

        Raises:
            ValueError: There are none that reach so far, or nodes or edges were added or removed since.
        """
        prefix = f"ego{num_hops}_"
        if f"{prefix}node" not in self:
            kept = sorted({int(found[1]) for key in self.keys() if (found := _KEY.fullmatch(key))})
            raise ValueError(
                f"'num_hops' must be one of the ego nets kept here, {kept}, got {num_hops}; "
                f"apply EgoNets({num_hops}) to the graphs"
            )
        nodes, edges = self[f"{prefix}graph"].sum(0).tolist()
        if (nodes, edges) != (self.num_nodes, self.num_edges):
            raise ValueError(
                f"the ego nets kept here are of {nodes} nodes and {edges} edges, but there are {self.num_nodes} and "
                f"{self.num_edges} now; apply EgoNets({num_hops}) after what changes the graph"
            )
        names = ("root", "node", "hop", "edge_index", "edge_id", "bag")
        parts = {name: self[f"{prefix}{name}"] for name in names}
        ptrs = {"node_ptr": _ptr(self[f"{prefix}size"]), "edge_ptr": _ptr(self[f"{prefix}num_edges"])}
        return Bags(**parts, **ptrs, num_hops=num_hops)

    def is_node_attr(self, key: str) -> bool:
        """Whether an attribute has a row per node; what belongs to ego nets has not, however long it is."""
        return _KEY.fullmatch(key) is None and super().is_node_attr(key)

    def is_edge_attr(self, key: str) -> bool:
        """Whether an attribute has a row per edge; what belongs to ego nets has not, however long it is."""
        return _KEY.fullmatch(key) is None and super().is_edge_attr(key)

    def __inc__(self, key: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        """How much the numbers in an attribute grow from this graph to the next of a batch."""
        found = _KEY.fullmatch(key)
        if found is None:
            return super().__inc__(key, value, *args, **kwargs)
        if found[2] in ("root", "node"):
            return self.num_nodes
        if found[2] == "edge_id":
            return self.num_edges
        counted = {"edge_index": "node", "bag": "size"}.get(found[2])
        return self[f"ego{found[1]}_{counted}"].numel() if counted else 0

    def __cat_dim__(self, key: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Along which dimension an attribute is put together."""
        found = _KEY.fullmatch(key)
        if found is None:
            return super().__cat_dim__(key, value, *args, **kwargs)
        return -1 if found[2] == "edge_index" else 0


def _ptr(size: Tensor) -> Tensor:
    return torch.cat([size.new_zeros(1), size.cumsum(0)])
