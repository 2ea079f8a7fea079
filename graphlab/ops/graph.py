"""The edges of a graph, sorted once and remembered: what every fused op reads."""

from typing import Any

import torch
from torch import Tensor

from graphlab.ops.cache import IndexCache
from graphlab.ops.csr import csr_from_coo, csr_transpose, rows_of
from graphlab.ops.sparse_checks import check_sparse

_CACHE = IndexCache(max_entries=16, max_bytes=1 << 30)
_LARGEST_INT32 = 2**31 - 1

Size = tuple[int | None, int | None]


class Graph:
    r"""Edges in CSR order by target, with the transposed order made when it is first asked for.

    .. math::
        \text{edges into } i = \{(\text{col}_e \to i) : \text{rowptr}_i \le e < \text{rowptr}_{i+1}\}

    Indices are int32 where everything fits, loops at all nodes included, which halves their traffic. A graph is shared
    by all who ask for the same edges: take its tensors as constants.

    Args:
        rowptr: The edges into target ``i`` are at positions ``rowptr[i]`` to ``rowptr[i + 1]``.
        col: The source at each position.
        perm: Where the user keeps each edge (for weights and attributes); ``None`` for the same order.
        num_sources: The number of source nodes.

    Shapes:
        - **rowptr:** ``(num_targets + 1,)``
        - **col, perm:** ``(num_edges,)``

    Example:
        >>> import torch
        >>> from graphlab.ops import Graph, gather_reduce
        >>> graph = Graph.from_edge_index(torch.tensor([[0, 1, 2], [2, 0, 2]]))
        >>> gather_reduce(torch.tensor([[1.0], [2.0], [4.0]]), graph).flatten().tolist()
        [2.0, 0.0, 5.0]
    """

    def __init__(self, rowptr: Tensor, col: Tensor, perm: Tensor | None, num_sources: int) -> None:
        self.rowptr, self.col, self.perm = rowptr, col, perm
        self.num_sources = num_sources
        self._transposed: tuple[Tensor, Tensor, Tensor] | None = None
        self._looped: Graph | None = None

    @classmethod
    def from_edge_index(cls, edge_index: Any, size: Size | None = None) -> "Graph":
        """Sort edges by target; the result is remembered for an ``edge_index`` with the same content.

        Args:
            edge_index: Sources and targets as ``(2, num_edges)``, or a PyG ``EdgeIndex``, or a transposed sparse
                adjacency (``adj_t``, rows are targets) as ``torch.sparse`` COO, CSR or CSC. A ``Graph`` is returned
                as it is.
            size: The number of sources and targets; what is ``None`` and not said by ``edge_index`` itself is read
                off the largest index.

        Raises:
            ValueError: ``edge_index`` has a wrong shape or type or leads out of its nodes, or does not agree with
                ``size``.
        """
        if isinstance(edge_index, Graph):
            _agreed(edge_index.size, size)
            return edge_index
        edge_index, size = _as_coo(edge_index, size)
        num_sources, num_targets = _sizes(edge_index, size)
        if torch.compiler.is_compiling():
            rowptr, col, perm = torch.ops.graphlab.graph_index(edge_index, num_sources, num_targets)
            return cls(rowptr, col, perm, num_sources)
        return _remembered_graph(edge_index, num_sources, num_targets)

    @property
    def num_targets(self) -> int:
        """The number of target nodes."""
        return self.rowptr.numel() - 1

    @property
    def num_edges(self) -> int:
        """The number of edges."""
        return self.col.numel()

    @property
    def size(self) -> tuple[int, int]:
        """The numbers of sources and targets."""
        return self.num_sources, self.num_targets

    @property
    def degree(self) -> Tensor:
        """The number of edges into each target."""
        return self.rowptr[1:] - self.rowptr[:-1]

    @property
    def transposed(self) -> tuple[Tensor, Tensor, Tensor]:
        """``(colptr, row, perm_t)``: the same edges by source, with the target and the user's place of each."""
        if self._transposed is not None:
            return self._transposed
        if torch.compiler.is_compiling():
            return csr_transpose(self.rowptr, self.col, self.perm, self.num_sources)
        # What is made in inference mode may serve training later.
        with torch.inference_mode(False):
            self._transposed = csr_transpose(self.rowptr, self.col, self.perm, self.num_sources)
        return self._transposed

    def reverse(self) -> "Graph":
        """Turn all edges round; weights and attributes stay where the user keeps them."""
        colptr, row, perm_t = self.transposed
        turned = Graph(colptr, row, perm_t, self.num_targets)
        # Transposing twice gives the first order back: both sorts keep rows in order.
        turned._transposed = (self.rowptr, self.col, _in_order(self.col) if self.perm is None else self.perm)
        return turned

    def with_self_loops(self) -> "Graph":
        """Give each node exactly one edge to itself, the last of its edges; the result is remembered.

        Loops that were there are dropped, as PyG's attention layers do it. Between two sets of nodes, those with the
        same number count as the same. The places of the edges are new: weights and attributes do not carry over.
        """
        if torch.compiler.is_compiling():
            rowptr, col = torch.ops.graphlab.looped_index(self.rowptr, self.col, self.num_sources)
            return Graph(rowptr, col, None, self.num_sources)
        if self._looped is None:
            with torch.inference_mode(False):
                self._looped = _build_looped(self)
        return self._looped

    def edge_index(self) -> Tensor:
        """Return sources and targets in the user's order.

        Shapes:
            - **output:** ``(2, num_edges)``
        """
        both = torch.stack([self.col.long(), rows_of(self.rowptr)])
        if self.perm is None:
            return both
        return torch.empty_like(both).index_copy_(1, self.perm.long(), both)

    def to_edge_index(self) -> Any:
        """Convert to PyG's ``EdgeIndex`` in the user's order, sorted by target where that order is."""
        from torch_geometric import EdgeIndex

        sort_order = "col" if self.perm is None else None
        return EdgeIndex(self.edge_index(), sparse_size=self.size, sort_order=sort_order)  # pyright: ignore

    def to(self, device: torch.device | str) -> "Graph":
        """Copy to a device.

        Args:
            device: Where to.
        """
        perm = None if self.perm is None else self.perm.to(device)
        return Graph(self.rowptr.to(device), self.col.to(device), perm, self.num_sources)

    def __repr__(self) -> str:
        return f"Graph(num_sources={self.num_sources}, num_targets={self.num_targets}, num_edges={self.num_edges})"


def clear_cache() -> None:
    """Forget all remembered graphs."""
    _CACHE.clear()


def _in_order(col: Tensor) -> Tensor:
    return torch.arange(col.numel(), dtype=col.dtype, device=col.device)


def _as_coo(edge_index: Any, size: Size | None) -> tuple[Tensor, Size]:
    from torch_geometric import EdgeIndex

    if isinstance(edge_index, EdgeIndex):
        return edge_index.as_tensor(), _agreed(edge_index.sparse_size(), size)
    if not isinstance(edge_index, Tensor):
        raise ValueError(
            f"'edge_index' must be a tensor (2, num_edges), an EdgeIndex, a sparse adjacency or a Graph, "
            f"got {type(edge_index).__name__}"
        )
    if edge_index.layout != torch.strided:
        adj_t = check_sparse("edge_index", edge_index).to_sparse_coo().coalesce()
        return adj_t.indices().flip(0), _agreed((adj_t.size(1), adj_t.size(0)), size)
    if edge_index.dim() != 2 or edge_index.size(0) != 2 or edge_index.dtype not in (torch.int64, torch.int32):
        raise ValueError(
            f"'edge_index' must be int64 or int32 of shape (2, num_edges), got {edge_index.dtype} of shape "
            f"{tuple(edge_index.shape)}; sources stand in row 0, targets in row 1"
        )
    return edge_index, size or (None, None)


def _agreed(own: Size, asked: Size | None) -> Size:
    """Take what a structure knows of its size, and what it does not know from the caller."""
    asked = asked or (None, None)
    for name, has, wants in zip(("source", "target"), own, asked, strict=True):
        if has is not None and wants is not None and has != wants:
            raise ValueError(
                f"'edge_index' has {has} {name} nodes by its own account, but {wants} are asked for by 'x', 'size' or "
                f"'dim_size'; give as many, or leave them out, or make 'edge_index' anew from a tensor"
            )
    return tuple(w if h is None else h for h, w in zip(own, asked, strict=True))  # pyright: ignore


def _sizes(edge_index: Tensor, size: Size) -> tuple[int, int]:
    num_sources, num_targets = size
    if num_sources is None or num_targets is None:
        # One set of nodes where nothing else is said, as PyG has it.
        largest = int(edge_index.max()) + 1 if edge_index.numel() else 0
        known = num_sources if num_targets is None else num_targets
        nodes = largest if known is None else known
        num_sources = nodes if num_sources is None else num_sources
        num_targets = nodes if num_targets is None else num_targets
    return num_sources, num_targets


def _remembered_graph(edge_index: Tensor, num_sources: int, num_targets: int) -> Graph:
    key = ("graph", num_sources, num_targets)
    size = 24 * edge_index.size(1) + 8 * (num_sources + num_targets)
    return _CACHE.get(edge_index, key, lambda: _build(edge_index, num_sources, num_targets), size)


def _build(edge_index: Tensor, num_sources: int, num_targets: int) -> Graph:
    for name, row, nodes in (("sources", edge_index[0], num_sources), ("targets", edge_index[1], num_targets)):
        if row.numel() and (int(row.min()) < 0 or int(row.max()) >= nodes):
            raise ValueError(
                f"'edge_index' has {name} from {int(row.min())} to {int(row.max())}, expected [0, {nodes}); "
                f"check 'size' and the node numbering"
            )
    fits = edge_index.size(1) + max(num_sources, num_targets) <= _LARGEST_INT32
    source, target = edge_index.to(torch.int32 if fits else torch.int64)
    is_sorted = bool((target[1:] >= target[:-1]).all())
    rowptr, perm = csr_from_coo(target, num_targets)
    col = source.clone() if is_sorted else source.index_select(0, perm)
    return Graph(rowptr, col, None if is_sorted else perm, num_sources)


def _build_looped(graph: Graph) -> Graph:
    col = graph.col
    nodes = torch.arange(max(graph.size), dtype=col.dtype, device=col.device)
    target = rows_of(graph.rowptr).to(col.dtype)
    kept, loops = col != target, nodes[: min(graph.size)]
    rowptr, perm = csr_from_coo(torch.cat([target[kept], loops]), graph.num_targets)
    return Graph(rowptr, torch.cat([col[kept], loops]).index_select(0, perm), None, graph.num_sources)


@torch.library.custom_op("graphlab::looped_index", mutates_args=())
def _looped_index(rowptr: Tensor, col: Tensor, num_sources: int) -> tuple[Tensor, Tensor]:
    key = ("looped", num_sources, rowptr.numel())

    def build() -> Graph:
        return _build_looped(Graph(rowptr, col, None, num_sources))

    looped = _CACHE.get(torch.cat([rowptr, col]), key, build, 8 * (rowptr.numel() + col.numel()))
    return looped.rowptr.clone(), looped.col.clone()


@_looped_index.register_fake
def _(rowptr: Tensor, col: Tensor, num_sources: int) -> tuple[Tensor, Tensor]:
    num_edges = torch.library.get_ctx().new_dynamic_size()
    return torch.empty_like(rowptr), col.new_empty(num_edges)


@torch.library.custom_op("graphlab::graph_index", mutates_args=())
def _graph_index(edge_index: Tensor, num_sources: int, num_targets: int) -> tuple[Tensor, Tensor, Tensor]:
    graph = _remembered_graph(edge_index, num_sources, num_targets)
    perm = _in_order(graph.col) if graph.perm is None else graph.perm
    # An op must not hand out what it keeps: compiled code may overwrite it.
    return graph.rowptr.clone(), graph.col.clone(), perm.clone()


@_graph_index.register_fake
def _(edge_index: Tensor, num_sources: int, num_targets: int) -> tuple[Tensor, Tensor, Tensor]:
    fits = edge_index.size(1) + max(num_sources, num_targets) <= _LARGEST_INT32
    index = edge_index.new_empty(edge_index.size(1), dtype=torch.int32 if fits else torch.int64)
    return index.new_empty(num_targets + 1), index, torch.empty_like(index)
