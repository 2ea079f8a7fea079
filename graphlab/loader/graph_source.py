"""What a sampler has to know of a graph, read alike off ``Data``, ``HeteroData`` and remote stores."""

import copy
from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor
from torch_geometric import EdgeIndex
from torch_geometric.data import Data, FeatureStore, GraphStore, HeteroData, remote_backend_utils
from torch_geometric.data.graph_store import EdgeLayout

#: A node type, a string; ``None`` in homogeneous graphs.
NodeType = Any
#: An edge type, (source, relation, target); ``None`` in homogeneous graphs.
EdgeType = Any
#: Graphs that PyG's samplers take.
Graph = Data | HeteroData | tuple[FeatureStore, GraphStore]


class GraphSource(ABC):
    """Types, sizes, edges and values of a graph, whatever class holds it.

    Attributes:
        node_types: The node types; ``[None]`` in homogeneous graphs.
        edge_types: The edge types, in the order that counts; ``[None]`` in homogeneous graphs.
    """

    node_types: list[NodeType]
    edge_types: list[EdgeType]

    @abstractmethod
    def num_nodes(self, node_type: NodeType) -> int:
        """Return the number of nodes of a type."""

    @abstractmethod
    def edges(self, edge_type: EdgeType) -> tuple[Tensor, Tensor]:
        """Return sources and targets of the edges of a type."""

    @abstractmethod
    def node_values(self, name: str) -> dict[NodeType, Tensor]:
        """Return the tensors of this name that have a row per node."""

    @abstractmethod
    def edge_values(self, name: str) -> dict[EdgeType, Tensor]:
        """Return the tensors of this name that have a row per edge."""

    def ends(self, edge_type: EdgeType) -> tuple[NodeType, NodeType]:
        """Return the node types of sources and targets.

        Args:
            edge_type: The edge type.
        """
        return (None, None) if edge_type is None else (edge_type[0], edge_type[2])


def source_of(data: Any) -> GraphSource:
    """Return the reader that fits.

    Args:
        data: A ``Data``, a ``HeteroData`` or a pair of a feature store and a graph store.

    Raises:
        ValueError: It is none of them.
    """
    if isinstance(data, Data):
        return DataSource(data)
    if isinstance(data, HeteroData):
        return HeteroSource(data)
    if isinstance(data, tuple | list) and len(data) == 2 and isinstance(data[0], FeatureStore):
        return RemoteSource(*data)
    raise ValueError(
        f"'data' must be a Data, a HeteroData or a pair (FeatureStore, GraphStore), got {type(data).__name__}"
    )


class DataSource(GraphSource):
    """Of a homogeneous graph in memory.

    Args:
        data: The graph.
    """

    def __init__(self, data: Data) -> None:
        self.data = data
        self.node_types, self.edge_types = [None], [None]

    def num_nodes(self, node_type: NodeType) -> int:
        """Return the number of nodes."""
        return int(self.data.num_nodes or 0)

    def edges(self, edge_type: EdgeType) -> tuple[Tensor, Tensor]:
        """Return sources and targets."""
        return _stored_edges(self.data._store, "data")

    def node_values(self, name: str) -> dict[NodeType, Tensor]:
        """Return the tensor, if it has a row per node."""
        return {None: self.data[name]} if name in self.data and self.data.is_node_attr(name) else {}

    def edge_values(self, name: str) -> dict[EdgeType, Tensor]:
        """Return the tensor, if it has a row per edge."""
        return {None: self.data[name]} if name in self.data and self.data.is_edge_attr(name) else {}


class HeteroSource(GraphSource):
    """Of a heterogeneous graph in memory.

    Args:
        data: The graph.
    """

    def __init__(self, data: HeteroData) -> None:
        self.data = data
        self.edge_types = list(data.edge_types)
        ends = [end for kind in self.edge_types for end in (kind[0], kind[2])]
        self.node_types = list(dict.fromkeys([*data.node_types, *ends]))

    def num_nodes(self, node_type: NodeType) -> int:
        """Return the number of nodes of a type."""
        number = self.data[node_type].num_nodes if node_type in self.data.node_types else None
        if number is None:
            raise ValueError(f"'data' does not tell how many nodes of type {node_type!r} there are; set num_nodes")
        return int(number)

    def edges(self, edge_type: EdgeType) -> tuple[Tensor, Tensor]:
        """Return sources and targets of the edges of a type."""
        return _stored_edges(self.data[edge_type], f"data[{edge_type}]")

    def node_values(self, name: str) -> dict[NodeType, Tensor]:
        """Return the tensors of this name, of the node types that have one."""
        return {kind: self.data[kind][name] for kind in self.data.node_types if name in self.data[kind]}

    def edge_values(self, name: str) -> dict[EdgeType, Tensor]:
        """Return the tensors of this name, of the edge types that have one."""
        return {kind: self.data[kind][name] for kind in self.data.edge_types if name in self.data[kind]}


class RemoteSource(GraphSource):
    """Of a graph behind PyG's store interfaces; types are sorted, since stores list them in any order.

    Args:
        features: Where the values are.
        graph: Where the edges are.
    """

    def __init__(self, features: FeatureStore, graph: GraphStore) -> None:
        self.features, self.graph = features, graph
        self.attributes: dict[EdgeType, Any] = {}
        for attribute in graph.get_all_edge_attrs():
            self.attributes.setdefault(attribute.edge_type, attribute)
        if list(self.attributes) == [None]:
            self.node_types, self.edge_types = [None], [None]
            return
        kinds = {end for kind in self.attributes if kind for end in (kind[0], kind[2])}
        kinds |= {attr.group_name for attr in features.get_all_tensor_attrs() if isinstance(attr.group_name, str)}
        self.node_types = sorted(kinds)
        self.edge_types = sorted(kind for kind in self.attributes if kind)

    def num_nodes(self, node_type: NodeType) -> int:
        """Return the number of nodes of a type."""
        if node_type is None:
            row, col = self.edges(None)  # some stores know the size only after this
            known = [number for number in self.attributes[None].size or () if number is not None]
            return max(known or self._rows(row.numel()) or [_length(row), _length(col)])
        return remote_backend_utils.num_nodes(self.features, self.graph, node_type)

    def edges(self, edge_type: EdgeType) -> tuple[Tensor, Tensor]:
        """Return sources and targets of the edges of a type."""
        attribute = self.attributes[edge_type]
        row, col = self.graph.get_edge_index(attribute)
        if attribute.layout == EdgeLayout.CSR:
            row = _rows(row)
        elif attribute.layout == EdgeLayout.CSC:
            col = _rows(col)
        return row.cpu().long(), col.cpu().long()

    def node_values(self, name: str) -> dict[NodeType, Tensor]:
        """Return the tensors of this name, of the node types that have one."""
        found = self._values(name)
        # Where there is one type, PyG takes the name "time" for the nodes' and any other for the edges'.
        return {kind: found[kind] for kind in found if isinstance(kind, str) or (kind is None and name == "time")}

    def edge_values(self, name: str) -> dict[EdgeType, Tensor]:
        """Return the tensors of this name, of the edge types that have one."""
        found = self._values(name)
        return {kind: found[kind] for kind in found if isinstance(kind, tuple) or (kind is None and name != "time")}

    def _rows(self, num_edges: int) -> list[int]:
        """Return how many nodes have values; what has a row per edge does not tell unless there is nothing else."""
        sizes = (self.features.get_tensor_size(copy.copy(attr)) for attr in self.features.get_all_tensor_attrs())
        rows = [size[0] for size in sizes if size]
        return [number for number in rows if number != num_edges] or rows

    def _values(self, name: str) -> dict[Any, Tensor]:
        found = {}
        for attribute in self.features.get_all_tensor_attrs():
            if attribute.attr_name == name:
                attribute = copy.copy(attribute)
                attribute.index = None  # all rows
                if not isinstance(attribute.group_name, str | tuple):
                    attribute.group_name = None  # some stores of one node type leave it out
                found[attribute.group_name] = self.features.get_tensor(attribute)
        return found


def _length(index: Tensor) -> int:
    return int(index.max()) + 1 if index.numel() else 0


def _rows(ptr: Tensor) -> Tensor:
    return torch.arange(ptr.numel() - 1, device=ptr.device).repeat_interleave((ptr[1:] - ptr[:-1]).long())


def _stored_edges(store: Any, name: str) -> tuple[Tensor, Tensor]:
    edge_index = store.get("edge_index")
    if edge_index is None:
        if "adj_t" in store or "adj" in store:
            raise ValueError(f"'{name}' must hold its edges as edge_index, got a sparse adjacency matrix")
        return torch.empty(0, dtype=torch.long), torch.empty(0, dtype=torch.long)
    edge_index = edge_index.as_tensor() if isinstance(edge_index, EdgeIndex) else edge_index
    if edge_index.dim() != 2 or edge_index.size(0) != 2:
        raise ValueError(f"'{name}.edge_index' must be [2, num_edges], got {list(edge_index.shape)}")
    row, col = edge_index.cpu().long()
    return row, col
