"""What was derived from a graph is kept as long as the graph."""

from collections.abc import Callable, Hashable
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from graphlab.ops import Graph
from graphlab.ops.cache import IndexCache

# Equal edges share one Graph for as long as graphlab.ops remembers them; what hangs on it goes with it.
_OF_GRAPH: WeakKeyDictionary[Graph, IndexCache] = WeakKeyDictionary()


def remembered(graph: Graph, weight: Tensor | None, key: Hashable, build: Callable[[], Any]) -> Any:
    """Return what was built for the same graph, weights of the same content and the same key, or build it.

    Args:
        graph: The edges; the result must not refer to this object, or neither is ever freed.
        weight: One number per edge, compared by content; weights that want gradients are never remembered.
        key: Everything else that the result depends on.
        build: Makes the result.
    """
    if torch.compiler.is_compiling() or (weight is not None and weight.requires_grad):
        return build()
    known = _OF_GRAPH.setdefault(graph, IndexCache(max_entries=8))
    content = graph.col[:0] if weight is None else weight.detach()
    return known.get(content, key, build, 32 * graph.num_edges)
