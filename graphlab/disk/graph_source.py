"""Graphs as users have them: a PyG ``Data``, or files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from graphlab.disk.array_file import ArrayFile
from graphlab.disk.array_source import ArrayGiven, ArraySource, array_source
from graphlab.disk.edge_source import EdgesGiven, EdgeSource, edge_source

if TYPE_CHECKING:
    from torch_geometric.data import Data
# What a batch holds beside the attributes of the graph.
_TAKEN = frozenset(
    ("x", "edge_index", "num_nodes", "n_id", "e_id", "input_id", "batch_size", "num_sampled_nodes", "num_sampled_edges")
)


class GraphFiles:
    """A graph that need not fit in memory.

    Every array is a tensor, a NumPy array or memory map, the path of a ``.npy`` or ``.safetensors`` file, a
    :class:`RawFile` or a :class:`SafetensorsFile`. Files are read where they lie and never changed.

    Args:
        features: The features of the nodes; becomes ``x`` of a batch.
        edge_index: The edges: an array of shape ``(2, E)`` or ``(E, 2)``, a tuple of sources and targets, or the path
            of a text file ``source,target`` as OGB's ``edge.csv.gz`` is.
        num_nodes: Number of nodes; must be that of the features. (default: theirs)
        y: The labels of the nodes. (default: ``None``)
        edge_attr: The attributes of the edges, in the order of ``edge_index``. (default: ``None``)
        input_nodes: The nodes to make batches for: ids, or a mask. (default: all)
        **attributes: Further arrays: one whose name has ``edge`` in it has a row per edge, any other one per node.

    Example:
        >>> import torch
        >>> graph = GraphFiles(features=torch.rand(3, 8), edge_index=torch.tensor([[0, 1], [1, 2]]))
    """

    def __init__(
        self,
        features: ArrayGiven,
        edge_index: EdgesGiven,
        num_nodes: int | None = None,
        y: ArrayGiven | None = None,
        edge_attr: ArrayGiven | None = None,
        input_nodes: ArrayGiven | None = None,
        **attributes: ArrayGiven,
    ) -> None:
        self.features, self.edge_index, self.num_nodes, self.input_nodes = features, edge_index, num_nodes, input_nodes
        given = {"y": y, "edge_attr": edge_attr, **attributes}
        self.attributes = {name: array for name, array in given.items() if array is not None}

    def __repr__(self) -> str:
        names = ", ".join(["features", "edge_index", *self.attributes])
        return f"{type(self).__name__}({names})"


@dataclass(frozen=True)
class GraphSource:
    """A graph whose parts were checked, in memory or in files.

    Args:
        num_nodes: Number of nodes.
        features: The features of the nodes.
        edges: The edges.
        node_attributes: Arrays with a row per node.
        edge_attributes: Arrays with a row per edge, in the order of the edges.
        input_nodes: The nodes to make batches for, int64; ``None`` for all.
        left_out: Names of what a batch will not have: it has a row for neither nodes nor edges.
    """

    num_nodes: int
    features: ArraySource
    edges: EdgeSource
    node_attributes: dict[str, ArraySource]
    edge_attributes: dict[str, ArraySource]
    input_nodes: Tensor | None = None
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in (*self.node_attributes, *self.edge_attributes):
            if name in _TAKEN or not name.isidentifier():
                raise ValueError(f"an attribute is called '{name}', which a batch has another use for; rename it")
        for name, array in self.node_attributes.items():
            _check_rows(name, array, self.num_nodes, "nodes")
        if self.edges.num_edges is not None:
            self.check_edges(self.edges.num_edges)

    def check_edges(self, num_edges: int) -> None:
        """Check the edges' attributes, where only reading the edges tells how many there are.

        Args:
            num_edges: Number of edges.

        Raises:
            ValueError: An attribute has another number of rows.
        """
        for name, array in self.edge_attributes.items():
            _check_rows(name, array, num_edges, "edges")


def graph_source(graph: Data | GraphFiles) -> GraphSource:
    """Check a graph and return its parts; nothing is copied, and of files nothing but headers is read.

    Args:
        graph: A homogeneous PyG ``Data`` with ``x`` and ``edge_index``, or files.

    Raises:
        FileNotFoundError: A file does not exist.
        TypeError: ``graph`` or a part of it is of a type that can not be used.
        ValueError: Shapes or dtypes do not fit.
    """
    if isinstance(graph, GraphFiles):
        return _from_files(graph)
    # Only who has a Data needs PyG, which takes more memory than many a graph.
    from torch_geometric.data import Data

    if isinstance(graph, Data):
        return _from_data(graph)
    raise TypeError(
        f"'graph' got a {type(graph).__name__}, expected a homogeneous PyG Data or graphlab.disk.GraphFiles"
    )


def node_ids(name: str, given: ArrayGiven | None, num_nodes: int) -> Tensor | None:
    """Return ids of nodes, given as such or as a mask.

    Args:
        name: What the user calls them.
        given: Ids, in any order and as often as wanted, or a mask; ``None`` for all nodes.
        num_nodes: Number of nodes.

    Raises:
        ValueError: A mask of another length, or an id of no node; the first is named.

    Shapes:
        - **given:** ``(any,)`` integers, or ``(num_nodes,)`` bool
        - **output:** ``(any,)``, int64
    """
    if given is None:
        return None
    source = array_source(name, given)
    if not isinstance(source, Tensor):
        with ArrayFile(source, Path("/")) as array:
            source = array.read(0, len(array))
    if source.dtype == torch.bool and source.shape == (num_nodes,):
        return source.nonzero().view(-1)
    if source.ndim != 1 or source.dtype == torch.bool or source.is_floating_point() or source.is_complex():
        raise ValueError(
            f"'{name}' got {source.dtype} of shape {tuple(source.shape)}, "
            f"expected ids of one dimension, or a mask of the {num_nodes} nodes"
        )
    ids = source.long()
    if ids.numel() and (int(ids.min()) < 0 or int(ids.max()) >= num_nodes):
        at = int(((ids < 0) | (ids >= num_nodes)).nonzero()[0])
        raise ValueError(f"'{name}' has id {int(ids[at])} at place {at}, expected nodes in [0, {num_nodes})")
    return ids


def _from_files(graph: GraphFiles) -> GraphSource:
    features = array_source("features", graph.features)
    num_nodes = features.shape[0]
    if graph.num_nodes not in (None, num_nodes):
        raise ValueError(f"'num_nodes' got {graph.num_nodes}, but 'features' has {num_nodes} rows; correct one of them")
    arrays = {name: array_source(name, array) for name, array in graph.attributes.items()}
    return GraphSource(
        num_nodes,
        features,
        edge_source("edge_index", graph.edge_index),
        {name: array for name, array in arrays.items() if "edge" not in name},
        {name: array for name, array in arrays.items() if "edge" in name},
        node_ids("input_nodes", graph.input_nodes, num_nodes),
    )


def _from_data(graph: Data) -> GraphSource:
    if graph.get("x") is None or graph.get("edge_index") is None:
        hint = "; make 'edge_index' of 'adj_t'" if "adj_t" in graph else ""
        raise ValueError(f"'graph' got {graph}, expected a Data with 'x' and 'edge_index'{hint}")
    features = array_source("x", graph["x"])
    num_nodes = features.shape[0]
    if graph.num_nodes != num_nodes:
        raise ValueError(f"'graph' has {graph.num_nodes} nodes, but its 'x' has {num_nodes} rows; correct one of them")
    edges = edge_source("edge_index", graph["edge_index"])
    node, edge, left_out = {}, {}, []
    for name, value in graph.to_dict().items():
        if name in ("x", "edge_index"):
            continue
        rows = value.shape[0] if isinstance(value, Tensor | np.ndarray) and value.ndim else None
        if rows == num_nodes and graph.is_node_attr(name):
            node[name] = array_source(name, value)
        elif rows == edges.num_edges and graph.is_edge_attr(name):
            edge[name] = array_source(name, value)
        else:
            left_out.append(name)
    return GraphSource(num_nodes, features, edges, node, edge, left_out=tuple(left_out))


def _check_rows(name: str, array: ArraySource, count: int, what: str) -> None:
    if array.shape[0] != count:
        raise ValueError(
            f"'{name}' has {array.shape[0]:,} rows, but there are {count:,} {what}; "
            "arrays with 'edge' in their name have a row per edge, others per node"
        )
