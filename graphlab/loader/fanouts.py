"""How many neighbours each hop keeps, of each edge type."""

from numbers import Integral
from typing import Any

from torch_geometric.sampler.base import NumNeighbors

from graphlab.loader.graph_source import EdgeType

#: What PyG takes for ``num_neighbors``.
Fanouts = NumNeighbors | list[int] | dict[tuple[str, str, str], list[int]]


def fanouts_of(num_neighbors: Fanouts, edge_types: list[EdgeType]) -> dict[EdgeType, list[int]]:
    """Return the numbers of each edge type.

    Args:
        num_neighbors: A list for all edge types, a dictionary, or a ``NumNeighbors`` with a default.
        edge_types: The edge types; ``[None]`` in homogeneous graphs.

    Raises:
        ValueError: They do not fit the graph, or are no numbers from -1 on.

    Example:
        >>> fanouts_of([10, 5], [("a", "to", "b")])
        {('a', 'to', 'b'): [10, 5]}
    """
    values: Any = num_neighbors
    default = None
    if isinstance(num_neighbors, NumNeighbors):
        values, default = num_neighbors.get_values(), num_neighbors.default
    if not isinstance(values, dict):
        return {kind: _checked(values) for kind in edge_types}
    if edge_types == [None]:
        raise ValueError(f"'num_neighbors' must be a list for a graph without edge types, got {values!r}")
    values = {tuple(kind.split("__")) if isinstance(kind, str) else tuple(kind): k for kind, k in values.items()}
    unknown = [kind for kind in values if kind not in edge_types]
    if unknown:
        raise ValueError(f"'num_neighbors' names {unknown[0]}, which is none of the edge types {edge_types}")
    missing = [kind for kind in edge_types if kind not in values]
    if values and missing and default is None:
        raise ValueError(f"'num_neighbors' must have all edge types, got none for {missing[0]}; 0 leaves one out")
    found = {kind: _checked(values.get(kind, default or [])) for kind in edge_types}
    lengths = {len(k) for k in found.values()}
    if len(lengths) > 1:
        raise ValueError(f"'num_neighbors' must have as many hops for each edge type, got {sorted(lengths)}")
    return found


def _checked(values: Any) -> list[int]:
    if not isinstance(values, list | tuple):
        raise ValueError(f"'num_neighbors' must be a list with a number for each hop, got {values!r}")
    for k in values:
        if isinstance(k, bool) or not isinstance(k, Integral) or k < -1:
            raise ValueError(f"'num_neighbors' must hold integers from -1 (all) on, got {k!r}")
    return [int(k) for k in values]
