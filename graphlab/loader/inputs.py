"""Inputs of loaders, checked and in one form."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphlab.loader.fanouts import Fanouts
from graphlab.loader.graph_source import Graph
from graphlab.loader.neighbor_sampler import NeighborSampler


def sampler_for(neighbor_sampler: Any, data: Graph, num_neighbors: Fanouts, **options: Any) -> NeighborSampler:
    """Return the sampler of a loader, which can be told the key of a batch: the one given, or a new one.

    Args:
        neighbor_sampler: The sampler, or ``None``.
        data: The graph of a new one.
        num_neighbors: How many neighbours a new one picks per hop.
        **options: Further arguments of a new one.

    Raises:
        TypeError: The sampler given is another one.
    """
    if neighbor_sampler is None:
        return NeighborSampler(data, num_neighbors, **options)
    if not isinstance(neighbor_sampler, NeighborSampler):
        got = type(neighbor_sampler).__name__
        raise TypeError(
            f"'neighbor_sampler' must be a graphlab.loader.NeighborSampler, got {got}; PyG's loaders take any"
        )
    return neighbor_sampler


def checked_nodes(input_nodes: Any, sampler: NeighborSampler) -> Any:
    """Return input nodes as PyG takes them: an index or a mask, with the node type before it where there are types.

    Args:
        input_nodes: Nodes as a tensor, an array, a list or a mask, or ``None`` for all; where there are node types,
            the type or a pair of the type and its nodes.
        sampler: The sampler.

    Raises:
        ValueError: They are not nodes of the graph.
    """
    if not sampler.is_hetero:
        return _nodes(input_nodes, sampler.num_nodes)
    node_type, nodes = input_nodes, None
    if isinstance(input_nodes, tuple | list) and len(input_nodes) == 2 and isinstance(input_nodes[0], str):
        node_type, nodes = input_nodes
    if not isinstance(node_type, str) or node_type not in sampler.node_types:
        known = ", ".join(map(repr, sampler.node_types))
        raise ValueError(f"'input_nodes' must name one of the node types {known}, got {_said(node_type)}")
    return node_type, _nodes(nodes, sampler.num_nodes[node_type])


def checked_edges(edge_label_index: Any, sampler: NeighborSampler) -> Any:
    """Return input edges as PyG takes them, with the edge type before them where there are types.

    Args:
        edge_label_index: Edges ``[2, num_edges]``, or ``None`` for all; where there are edge types, the type or a pair
            of the type and its edges.
        sampler: The sampler.

    Raises:
        ValueError: They are not pairs of nodes of the graph.
    """
    if not sampler.is_hetero:
        return None if edge_label_index is None else _edges(edge_label_index)
    edge_type, edges = edge_label_index, None
    if isinstance(edge_label_index, tuple | list) and len(edge_label_index) == 2 and not isinstance(edge_type[0], str):
        edge_type, edges = edge_label_index
    if not isinstance(edge_type, tuple | list) or not all(isinstance(name, str) for name in edge_type):
        known = ", ".join(map(str, sampler.edge_types))
        raise ValueError(f"'edge_label_index' must name an edge type such as {known}, got {_said(edge_label_index)}")
    return tuple(edge_type) if edges is None else (tuple(edge_type), _edges(edges))


def check_range(name: str, index: Tensor, size: int) -> None:
    """Refuse what lies outside of a graph.

    Args:
        name: What the user calls the index.
        index: The index.
        size: The number of nodes.
    """
    if not index.numel():
        return
    low, high = (int(x) for x in torch.aminmax(index))
    if low < 0 or high >= size:
        raise ValueError(f"'{name}' must lie in [0, {size}), got {low} to {high}")


def checked_times(name: str, time: Tensor | None, number: int) -> Tensor | None:
    """Return the times of inputs as int64.

    Args:
        name: What the user calls them.
        time: The times, if there are any.
        number: The number of inputs.

    Raises:
        ValueError: They are no integers, or not one for each input.
    """
    if time is None:
        return None
    if time.is_floating_point() or time.dtype == torch.bool or time.shape != (number,):
        raise ValueError(f"'{name}' must have {number} integers, got {time.dtype} of shape {list(time.shape)}")
    return time.long()


def _nodes(nodes: Any, size: int) -> Tensor:
    if nodes is None:
        return torch.arange(size)
    index = nodes if isinstance(nodes, Tensor) else torch.as_tensor(np.asarray(nodes))
    if index.dim() != 1 or (index.numel() and (index.is_floating_point() or index.is_complex())):
        raise ValueError(f"'input_nodes' must be a list of nodes or a mask, got {_said(index)}")
    if index.dtype != torch.bool:
        index = index.long()
        check_range("input_nodes", index, size)
    elif index.numel() != size:
        raise ValueError(f"'input_nodes' must be a mask of {size} nodes, got one of {index.numel()}")
    return index


def _edges(edges: Any) -> Tensor:
    if not isinstance(edges, Tensor) or edges.dim() != 2 or edges.size(0) != 2 or edges.is_floating_point():
        raise ValueError(f"'edge_label_index' must be integers [2, num_edges], got {_said(edges)}")
    return edges.long()


def _said(value: Any) -> str:
    return f"{value.dtype} of shape {list(value.shape)}" if isinstance(value, Tensor) else repr(value)
