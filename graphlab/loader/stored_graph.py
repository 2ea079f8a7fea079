"""A graph as samplers read it: the neighbourhoods one after the other."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from graphlab.loader.graph_source import EdgeType, GraphSource, NodeType
from graphlab.ops import csr_from_coo


@dataclass
class StoredGraph:
    """Neighbourhoods, times and weights of a graph, in stored order.

    The edges of a neighbourhood are stored in the order that the user gave them, with times by time.

    Attributes:
        num_nodes: The number of nodes of each type.
        ptr: The boundaries of the neighbourhoods of each edge type.
        neighbor: The neighbours.
        perm: Where the user has each stored edge; ``None`` if in the same place.
        node_time: Times of the nodes.
        edge_time: Times of the edges.
        edge_weight: Weights of the edges.
    """

    num_nodes: dict[NodeType, int] = field(default_factory=dict)
    ptr: dict[EdgeType, Tensor] = field(default_factory=dict)
    neighbor: dict[EdgeType, Tensor] = field(default_factory=dict)
    perm: dict[EdgeType, Tensor | None] = field(default_factory=dict)
    node_time: dict[NodeType, Tensor] = field(default_factory=dict)
    edge_time: dict[EdgeType, Tensor] = field(default_factory=dict)
    edge_weight: dict[EdgeType, Tensor] = field(default_factory=dict)

    def share_memory(self) -> None:
        """Move the tensors to memory that processes share."""
        for group in (self.ptr, self.neighbor, self.perm, self.node_time, self.edge_time, self.edge_weight):
            for tensor in group.values():
                if tensor is not None:
                    tensor.share_memory_()


def read_graph(
    source: GraphSource, *, time_attr: str | None, weight_attr: str | None, is_sorted: bool, backward: bool
) -> StoredGraph:
    """Store a graph for sampling.

    Args:
        source: The graph.
        time_attr: Name of the times.
        weight_attr: Name of the weights.
        is_sorted: Whether edges are sorted by target, and by time within neighbourhoods.
        backward: Store the edges that leave a node, not those that enter it.

    Raises:
        ValueError: The graph does not hold what it should; the message names it.
    """
    graph = StoredGraph(num_nodes={kind: source.num_nodes(kind) for kind in source.node_types})
    if time_attr is not None:
        graph.node_time, graph.edge_time = _times(source, time_attr, graph.num_nodes)
    if weight_attr is not None:
        graph.edge_weight = _weights(source, weight_attr)
    for kind in source.edge_types:
        ends, types = source.edges(kind), source.ends(kind)
        for index, end in zip(ends, types, strict=True):
            _check_range(kind, index, graph.num_nodes[end])
        time = graph.edge_time.get(kind)
        if time is None and types[0] in graph.node_time:
            time = graph.node_time[types[0]][ends[0]]
        neighbor, center = reversed(ends) if backward else ends
        ptr, perm = _neighborhoods(center, graph.num_nodes[types[0 if backward else 1]], time, is_sorted)
        graph.ptr[kind], graph.perm[kind] = ptr, perm
        graph.neighbor[kind] = neighbor.contiguous() if perm is None else neighbor[perm]
        for values in (graph.edge_time, graph.edge_weight):
            _check_rows(kind, values, center.numel(), time_attr if values is graph.edge_time else weight_attr)
            if kind in values and perm is not None:
                values[kind] = values[kind][perm]
    return graph


def _neighborhoods(center: Tensor, size: int, time: Tensor | None, is_sorted: bool) -> tuple[Tensor, Tensor | None]:
    """Group edges by the node that they are neighbours of, and by time; of equals the first one stays first."""
    if is_sorted:
        _check_sorted(center, time)
        ptr = center.new_zeros(size + 1)
        ptr[1:] = torch.bincount(center, minlength=size).cumsum(0)
        return ptr, None
    if time is None:
        return csr_from_coo(center, size)
    by_time = time.argsort(stable=True)
    ptr, perm = csr_from_coo(center[by_time], size)
    return ptr, by_time[perm]


def _check_sorted(center: Tensor, time: Tensor | None) -> None:
    step = center.diff()
    wrong = step < 0
    if time is not None:
        wrong |= (step == 0) & (time.diff() < 0)
    if wrong.any():
        order = "target" if time is None else "target, then by time"
        at = int(wrong.nonzero()[0])
        raise ValueError(f"'is_sorted' says that edges are sorted by {order}, but edges {at} and {at + 1} are not")


def _times(
    source: GraphSource, name: str, num_nodes: dict[NodeType, int]
) -> tuple[dict[NodeType, Tensor], dict[EdgeType, Tensor]]:
    of_nodes, of_edges = (_tensors(found) for found in (source.node_values(name), source.edge_values(name)))
    if bool(of_nodes) == bool(of_edges):
        found = "neither" if not of_nodes else "both"
        raise ValueError(f"'time_attr' must name times of nodes or of edges, got {name!r}, which {found} have")
    for kind, size in num_nodes.items():
        if kind in of_nodes and of_nodes[kind].shape != (size,):
            got = list(of_nodes[kind].shape)
            raise ValueError(f"'time_attr' must name a time for each of {size} nodes, got {name!r} of shape {got}")
    for kind, time in (of_nodes | of_edges).items():
        if time.is_floating_point() or time.is_complex() or time.dtype == torch.bool:
            where = "" if kind is None else f" of {kind}"
            raise ValueError(f"'time_attr' must name integers, got {name!r}{where} of {time.dtype}; convert to int64")
    return {k: v.long() for k, v in of_nodes.items()}, {k: v.long() for k, v in of_edges.items()}


def _weights(source: GraphSource, name: str) -> dict[EdgeType, Tensor]:
    found = _tensors(source.edge_values(name))
    if not found:
        raise ValueError(f"'weight_attr' must name weights of edges, got {name!r}, which the edges do not have")
    for weight in found.values():
        if not bool(torch.isfinite(weight).all()) or bool((weight < 0).any()):
            raise ValueError(f"'weight_attr' must name finite weights that are not negative, got others in {name!r}")
    exact = (torch.float32, torch.float64)
    return {kind: weight if weight.dtype in exact else weight.double() for kind, weight in found.items()}


def _tensors(found: dict[Any, Any]) -> dict[Any, Tensor]:
    return {kind: torch.as_tensor(values).detach().cpu() for kind, values in found.items()}


def _check_rows(kind: EdgeType, values: dict[EdgeType, Tensor], number: int, name: str | None) -> None:
    if kind in values and values[kind].shape != (number,):
        got, where = list(values[kind].shape), "" if kind is None else f" of {kind}"
        raise ValueError(f"'{name}'{where} must have one number for each of {number} edges, got shape {got}")


def _check_range(kind: EdgeType, index: Tensor, size: int) -> None:
    if index.numel() and (int(index.min()) < 0 or int(index.max()) >= size):
        where = "" if kind is None else f" of {kind}"
        seen = f"{int(index.min())} to {int(index.max())}"
        raise ValueError(f"'edge_index'{where} must name nodes in [0, {size}), got {seen}")
