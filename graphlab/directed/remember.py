"""What was derived from a graph is kept as long as the graph."""

from collections.abc import Callable, Hashable, Iterator
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
    return known.get(content, key, build, bytes_of)


def bytes_of(value: Any) -> int:
    """How many bytes operators come to take at most: the transposed order, made when asked for, is no larger.

    Args:
        value: Operators, or tuples of them.
    """
    return 2 * sum({tensor.data_ptr(): tensor.nbytes for tensor in _tensors(value)}.values())


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    else:
        parts = value if isinstance(value, list | tuple) else getattr(value, "__dict__", {}).values()
        for part in parts:
            yield from _tensors(part)
