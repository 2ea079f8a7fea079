"""Stand-in."""

from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from graphlab.disk.array_source import ArraySource, array_source
from graphlab.ops import crc32c


@dataclass(frozen=True)
class GraphSource:
    """A graph."""

    num_nodes: int
    edges: Any
    x: ArraySource
    node_attributes: dict[str, ArraySource]
    edge_attributes: dict[str, ArraySource]

    def fingerprint(self) -> dict[str, Any]:
        """Describe."""
        arrays = {"edge_index": self.edges, "x": self.x, **self.node_attributes, **self.edge_attributes}
        return {n: _describe(a) for n, a in arrays.items()}


def _describe(a: ArraySource) -> dict:
    if isinstance(a, Tensor):
        return {"dtype": str(a.dtype), "shape": list(a.shape), "crc32c": crc32c(a.contiguous())}
    return asdict(a) if not isinstance(a, tuple) else [_describe(x) for x in a]


def graph_source(data: Any) -> GraphSource:
    """Open."""
    if isinstance(data, GraphSource):
        return data
    node, edge = {}, {}
    for name, value in data:
        if name in ("x", "edge_index"):
            continue
        (node if data.is_node_attr(name) else edge)[name] = array_source(name, value)
    return GraphSource(data.num_nodes, data.edge_index, array_source("x", data.x), node, edge)
