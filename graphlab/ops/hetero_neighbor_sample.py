"""Sampling mini-batches of neighbours from graphs of several node and edge types."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from graphlab.ops import sample_checks as checks
from graphlab.ops.counter_rng import signed
from graphlab.ops.host_op import HostOp
from graphlab.ops.neighbor_sample_ref import hetero_neighbor_sample_ref

EdgeType = tuple[str, str, str]
Hops = dict[str, list[int]]

#: Sampling from numbered edge types, of which a homogeneous graph has one.
sample_types = HostOp("hetero_neighbor_sample", hetero_neighbor_sample_ref)

_UNBOUNDED = 2**63 - 1


def hetero_neighbor_sample(
    node_types: Sequence[str],
    edge_types: Sequence[EdgeType],
    rowptr_dict: Mapping[str, Tensor],
    col_dict: Mapping[str, Tensor],
    seed_dict: Mapping[str, Tensor],
    num_neighbors_dict: Mapping[str, Sequence[int]],
    *,
    node_time_dict: Mapping[str, Tensor] | None = None,
    edge_time_dict: Mapping[str, Tensor] | None = None,
    seed_time_dict: Mapping[str, Tensor] | None = None,
    edge_weight_dict: Mapping[str, Tensor] | None = None,
    csc: bool = False,
    replace: bool = False,
    directed: bool = True,
    disjoint: bool = False,
    temporal_strategy: str = "uniform",
    return_edge_id: bool = True,
    key: int = 0,
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor], dict[str, Tensor] | None, Hops, Hops | None]:
    """Sample neighbours hop by hop from a graph of several edge types; in each hop all edge types in their order.

    Everything is as in :func:`neighbor_sample`; edge types are keyed by their three names joined by ``"__"``.

    Args:
        node_types: The names of the node types.
        edge_types: The edge types as (source, relation, target). Their order is part of the result.
        rowptr_dict: Where the edges of each node begin: of each source node, or of each target node with ``csc``.
        col_dict: The other end of each edge.
        seed_dict: The nodes of each type to start from; types may be missing.
        num_neighbors_dict: How many neighbours to pick in each hop, -1 for all; empty for the seeds alone.
        node_time_dict: The time of each node, int64; types that are missing are of all times.
        edge_time_dict: The time of each edge, int64; types that are missing are of all times.
        seed_time_dict: The time of each seed; by default its node's.
        edge_weight_dict: How likely each edge is to be picked; types that are missing are picked from uniformly.
        csc: Whether edges are stored by target, and sampled against their direction.
        replace: Whether an edge may be picked several times.
        directed: Whether to return the edges picked; else all edges among the nodes sampled.
        disjoint: Whether each seed grows a tree of its own; trees are numbered in the order of ``seed_dict``.
        temporal_strategy: ``"uniform"``, or ``"last"`` for the most recent neighbours; types without times are picked
            from uniformly.
        return_edge_id: Whether to return the edges' positions.
        key: What all random numbers derive from, an integer of 64 bits: see :func:`batch_key`.

    Returns:
        Of each edge type ``row``, ``col`` and ``edge`` (or ``None``), with ``node`` of each node type between ``col``
        and ``edge``; then the number of nodes that came in each hop of each node type, and of edges of each edge type
        (``None`` for undirected sampling, whose edges belong to no hop).

    Raises:
        ValueError, RuntimeError: An argument is wrong; the message names it.
        TypeError: An argument is of the wrong type.

    Example:
        >>> import torch
        >>> from graphlab.ops import hetero_neighbor_sample
        >>> name, rowptr, col = "author__writes__paper", torch.tensor([0, 2]), torch.tensor([5, 3])
        >>> row, col, node, edge, _, _ = hetero_neighbor_sample(
        ...     ["paper", "author"], [("author", "writes", "paper")], {name: rowptr}, {name: col},
        ...     {"paper": torch.tensor([0])}, {name: [-1]}, csc=True,
        ... )
        >>> node["author"]
        tensor([5, 3])
    """
    checks.check_strategy(temporal_strategy)
    if not node_types:
        raise ValueError("'node_types' must not be empty")
    _check_names(seed_dict, "seed_dict", node_types, "node types")
    names = _names(edge_types)
    # Trees are counted in the order in which their seeds are given.
    in_order = [*seed_dict, *(name for name in node_types if name not in seed_dict)]
    numbers = {name: i for i, name in enumerate(in_order)}
    ends = [_ends(edge_type, numbers, csc) for edge_type in edge_types]
    _check_graph(names, rowptr_dict, col_dict, edge_weight_dict)
    fanouts = _fanouts(names, num_neighbors_dict)
    sizes = _sizes(names, ends, len(numbers), rowptr_dict)
    dtype = rowptr_dict[names[0]].dtype if names else torch.int64
    seeds = [seed_dict.get(t, torch.empty(0, dtype=dtype)) for t in in_order]
    for name, seed, size in zip(in_order, seeds, sizes, strict=True):
        checks.check_seed(seed, f"seed_dict['{name}']", min(size, torch.iinfo(dtype).max + 1))
    times = _times(in_order, names, sizes, seeds, node_time_dict, edge_time_dict, seed_time_dict, col_dict, disjoint)
    weights = [None if edge_weight_dict is None else _detached(edge_weight_dict.get(name)) for name in names]
    last = temporal_strategy == "last"
    checks.check_last(last, replace, edge_weight_dict is not None, timed=times[2] is not None)
    neighbor, expanded, edge, node, tree, nodes_per_hop, edges_per_hop = sample_types(
        [rowptr_dict[name] for name in names],
        [col_dict[name] for name in names],
        [target for target, _ in ends],
        [source for _, source in ends],
        [seed.to(dtype) for seed in seeds],
        [k for fanout in fanouts for k in fanout],
        times[0],
        times[1],
        times[2] or [None] * len(seeds),
        weights,
        replace,
        directed,
        disjoint,
        last,
        False,
        signed(key),
    )
    if disjoint:
        node = [torch.stack(pair, 1) for pair in zip(tree, node, strict=True)]
    rows, cols = (neighbor, expanded) if csc else (expanded, neighbor)
    return (
        dict(zip(names, rows, strict=True)),
        dict(zip(names, cols, strict=True)),
        {name: node[numbers[name]] for name in node_types},
        dict(zip(names, edge, strict=True)) if return_edge_id else None,
        _split(in_order, nodes_per_hop),
        _split(names, edges_per_hop) if directed else None,
    )


def _names(edge_types: Sequence[EdgeType]) -> list[str]:
    """Return the keys of edge types, which must differ."""
    known: dict[str, EdgeType] = {}
    for edge_type in edge_types:
        name = "__".join(edge_type)
        if name in known:
            raise ValueError(f"'edge_types' has {known[name]} and {edge_type}, both {name!r} for short; rename one")
        known[name] = edge_type
    return list(known)


def _ends(edge_type: EdgeType, numbers: dict[str, int], csc: bool) -> tuple[int, int]:
    """Return the types of the nodes whose edges are stored, and of their neighbours."""
    for name in (edge_type[0], edge_type[2]):
        if name not in numbers:
            raise ValueError(f"'edge_types' has {edge_type}, but 'node_types' {list(numbers)} has no {name!r}")
    source, target = numbers[edge_type[0]], numbers[edge_type[2]]
    return (target, source) if csc else (source, target)


def _check_names(given: Mapping[str, Any] | None, argument: str, known: Any, what: str) -> None:
    unknown = [name for name in given or () if name not in known]
    if unknown:
        raise ValueError(f"'{argument}' has {unknown[0]!r}, which is none of the {what} {list(known)}")


def _check_graph(
    names: list[str],
    rowptr: Mapping[str, Tensor],
    col: Mapping[str, Tensor],
    weight: Mapping[str, Tensor] | None,
) -> None:
    _check_names(weight, "edge_weight_dict", names, "edge types")
    for name in names:
        for argument, given in (("rowptr_dict", rowptr), ("col_dict", col)):
            if name not in given:
                raise ValueError(f"'{argument}' must have the edge type {name!r}, got {list(given)}")
        checks.check_compressed(rowptr[name], col[name], f"rowptr_dict['{name}']", f"col_dict['{name}']")
        checks.check_vector(rowptr[name], f"rowptr_dict['{name}']", (rowptr[names[0]].dtype,))
        if weight is not None and name in weight:
            checks.check_weight(weight[name], f"edge_weight_dict['{name}']", col[name].numel())


def _fanouts(names: list[str], num_neighbors: Mapping[str, Sequence[int]]) -> list[list[int]]:
    _check_names(num_neighbors, "num_neighbors_dict", names, "edge types")
    if not num_neighbors:
        return []
    fanouts = []
    for name in names:
        if name not in num_neighbors:
            raise ValueError(f"'num_neighbors_dict' must have the edge type {name!r}, got {list(num_neighbors)}")
        fanouts.append(checks.check_num_neighbors(num_neighbors[name], f"num_neighbors_dict['{name}']"))
    if len({len(fanout) for fanout in fanouts}) > 1:
        raise ValueError("'num_neighbors_dict' must have the same number of hops for every edge type")
    return fanouts


def _sizes(names: list[str], ends: list[tuple[int, int]], types: int, rowptr: Mapping[str, Tensor]) -> list[int]:
    """Return the number of nodes of each type; types whose edges nobody stores may have any ids."""
    sizes = [_UNBOUNDED] * types
    for name, (target, _) in zip(names, ends, strict=True):
        size = rowptr[name].numel() - 1
        if sizes[target] not in (size, _UNBOUNDED):
            raise ValueError(f"'rowptr_dict' has {size} nodes for {name!r}, but {sizes[target]} for another edge type")
        sizes[target] = size
    return sizes


def _times(
    node_types: Sequence[str],
    names: list[str],
    sizes: list[int],
    seeds: list[Tensor],
    node_time: Mapping[str, Tensor] | None,
    edge_time: Mapping[str, Tensor] | None,
    seed_time: Mapping[str, Tensor] | None,
    col: Mapping[str, Tensor],
    disjoint: bool,
) -> tuple[list[Tensor | None], list[Tensor | None], list[Tensor | None] | None]:
    """Return the times of nodes, edges and seeds, the last ``None`` where sampling is not temporal."""
    _check_names(node_time, "node_time_dict", node_types, "node types")
    _check_names(edge_time, "edge_time_dict", names, "edge types")
    _check_names(seed_time, "seed_time_dict", node_types, "node types")
    of_nodes = [None if node_time is None else node_time.get(name) for name in node_types]
    of_edges = [None if edge_time is None else edge_time.get(name) for name in names]
    for name, size, time in zip(node_types, sizes, of_nodes, strict=True):
        if time is not None:
            checks.check_vector(time, f"node_time_dict['{name}']", (torch.int64,), None if size == _UNBOUNDED else size)
    for name, time in zip(names, of_edges, strict=True):
        if time is not None:
            checks.check_vector(time, f"edge_time_dict['{name}']", (torch.int64,), col[name].numel())
    if not checks.is_temporal(node_time, edge_time, seed_time, disjoint, "_dict"):
        return of_nodes, of_edges, None
    of_seeds = [
        checks.seed_times(seed, (seed_time or {}).get(name), own, f"['{name}']", "_dict")
        for name, seed, own in zip(node_types, seeds, of_nodes, strict=True)
    ]
    return of_nodes, of_edges, list(of_seeds)


def _detached(t: Tensor | None) -> Tensor | None:
    return None if t is None else t.detach()


def _split(names: Sequence[str], counts: list[int]) -> Hops:
    each = len(counts) // len(names) if names else 0
    return {name: list(counts[i * each : (i + 1) * each]) for i, name in enumerate(names)}
