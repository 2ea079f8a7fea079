"""What the drop-in layers share: to know when the fused ops give what PyG's layer gives."""

from typing import Any

import torch
from torch import Tensor
from torch_geometric import EdgeIndex
from torch_geometric.nn import MessagePassing, MultiAggregation
from torch_geometric.nn import aggr as pyg
from torch_geometric.nn.dense import Linear

from graphlab.ops import Graph, gather_reduce, multi_reduce
from graphlab.ops.kernels import DTYPES, INDEX_DTYPES

#: What a subclass, or a patched layer, may put its own in the place of.
STEPS = frozenset({"aggregate", "edge_update", "message", "message_and_aggregate", "update"})
_CLASS_STEPS = STEPS | {"edge_updater", "propagate"}
_REDUCES = {
    pyg.SumAggregation: "sum",
    pyg.MeanAggregation: "mean",
    pyg.MinAggregation: "min",
    pyg.MaxAggregation: "max",
    pyg.StdAggregation: "std",
    pyg.VarAggregation: "var",
}


class FusedConv(MessagePassing):
    """Base of the drop-in layers, in front of PyG's class among the bases.

    A layer asks :meth:`fallback_reason` at each call; where there is a reason, PyG's own ``forward`` runs.
    """

    aggr_module: Any

    # PyG keeps a class's first `propagate` for explainers. From PyG's class it would be the one that cannot explain.
    propagate = MessagePassing.propagate
    edge_updater = MessagePassing.edge_updater

    _changed_steps: frozenset[str] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        before = cls.__mro__[: cls.__mro__.index(FusedConv)]
        # PyG puts a `propagate` of its own into classes once they have instances: only a new class shows its author's.
        own = (vars(base).get("_changed_steps", _CLASS_STEPS & vars(base).keys()) for base in before)
        cls._changed_steps = frozenset().union(*own)

    def __prepare_scriptable__(self) -> MessagePassing:
        """Hand TorchScript, which knows no fallback, PyG's layer with these parameters."""
        pyg_class: Any = next(c for c in type(self).__mro__ if not issubclass(c, FusedConv))
        plain = pyg_class.__new__(pyg_class)
        plain.__setstate__(dict(self.__dict__))
        return plain

    def fallback_reason(self, *args: Any, **kwargs: Any) -> str:
        """Say why a call with these arguments would take PyG's own path; empty where it takes the fused ops.

        Args:
            *args: As for ``forward``.
            **kwargs: As for ``forward``.
        """
        raise NotImplementedError

    def _unfit(self, x_src: Any, x_dst: Any, edge_index: Any, size: Any = None) -> str:
        """Give the first reason that is common to all layers."""
        return self._unfit_layer() or _unfit_rows(x_src, x_dst) or _unfit_edges(edge_index, x_src, x_dst, size)

    def _unfit_layer(self) -> str:
        if self._explain:
            return "an explainer is at work"
        if _has_hooks(self):
            return "a hook watches the messages"
        changed = self._changed_steps | (STEPS & self.__dict__.keys())
        changed = changed | {step for step in ("propagate", "edge_updater") if _is_replaced(self, step)}
        if changed:
            return f"overridden: {', '.join(sorted(changed))}"
        if self.flow != "source_to_target":
            return f"flow is {self.flow!r}"
        if torch.jit.is_tracing():  # pyright: ignore[reportPrivateImportUsage]
            return "torch.jit is tracing"
        return ""


class ReducingConv(FusedConv):
    """Base of layers that reduce the rows of each node's sources."""

    aggr: Any

    def fallback_reason(self, x: Any, edge_index: Any, size: Any = None) -> str:
        """Say why a call with these arguments would take PyG's own path; empty where it takes the fused ops.

        Args:
            x: As for ``forward``.
            edge_index: As for ``forward``.
            size: As for ``forward``.
        """
        if not reduces_of(self.aggr_module):
            return f"the aggregation is {self.aggr}"
        x_src, x_dst = both(x)
        return self._unfit(x_src, x_dst, edge_index, size)


class AttentiveConv(FusedConv):
    """Base of layers that weigh the rows of each node's sources by a softmax of scores."""

    aggr: Any

    def fallback_reason(
        self, x: Any, edge_index: Any, edge_attr: Any = None, return_attention_weights: Any = None
    ) -> str:
        """Say why a call with these arguments would take PyG's own path; empty where it takes the fused ops.

        Args:
            x: As for ``forward``.
            edge_index: As for ``forward``.
            edge_attr: As for ``forward``.
            return_attention_weights: As for ``forward``.
        """
        if return_attention_weights is not None:
            return "attention weights are asked for"
        if edge_attr is not None:
            return "there are edge attributes"
        if reduces_of(self.aggr_module) != ("sum",):
            return f"the aggregation is {self.aggr}"
        x_src, x_dst = both(x)
        if x_dst is None:
            return "the targets have no features"
        return self._unfit(x_src, x_dst, edge_index)


def _is_replaced(conv: MessagePassing, step: str) -> bool:
    """Tell whether a layer got a step of its own that is not the one which PyG itself puts back after explaining."""
    own = conv.__dict__.get(step)
    known = [getattr(type(conv), name, None) for name in (step, f"_orig_{step}", f"_jinja_{step}")]
    return own is not None and getattr(own, "__func__", own) not in known


def _has_hooks(conv: MessagePassing) -> bool:
    return bool(
        conv._propagate_forward_pre_hooks
        or conv._propagate_forward_hooks
        or conv._message_forward_pre_hooks
        or conv._message_forward_hooks
        or conv._aggregate_forward_pre_hooks
        or conv._aggregate_forward_hooks
        or conv._message_and_aggregate_forward_pre_hooks
        or conv._message_and_aggregate_forward_hooks
        or conv._edge_update_forward_pre_hooks
        or conv._edge_update_forward_hooks
    )


def _unfit_rows(x_src: Any, x_dst: Any) -> str:
    for x in (x_src, x_src if x_dst is None else x_dst):
        if not isinstance(x, Tensor) or x.layout is not torch.strided or x.dim() != 2:
            return "node features are not dense matrices"
        if x.dtype not in DTYPES:
            return f"node features are {x.dtype}"
    return ""


def _unfit_edges(edge_index: Any, x_src: Tensor, x_dst: Tensor | None, size: Any) -> str:
    if not isinstance(edge_index, (Graph, Tensor)):
        return f"edge_index is {type(edge_index).__name__}"
    if (edge_index.col if isinstance(edge_index, Graph) else edge_index).device != x_src.device:
        return "edges and features are on different devices"
    if isinstance(edge_index, Tensor):
        if edge_index.layout is not torch.strided:
            if edge_index.layout is torch.sparse_coo and not edge_index.is_coalesced():
                return "the adjacency is not coalesced"
            if edge_index.dense_dim() or edge_index.requires_grad:
                return "the adjacency has attributes or wants a gradient"
        elif edge_index.dim() != 2 or edge_index.size(0) != 2 or edge_index.dtype not in INDEX_DTYPES:
            return f"edge_index is {edge_index.dtype} of shape {tuple(edge_index.shape)}"
    sources, targets = _known_size(edge_index, size)
    if sources is not None and sources != x_src.size(0):
        return f"{x_src.size(0)} rows for {sources} sources"
    if x_dst is not None and targets is not None and targets != x_dst.size(0):
        return f"{x_dst.size(0)} rows for {targets} targets"
    return ""


def _known_size(edge_index: Any, size: Any) -> tuple[int | None, int | None]:
    if isinstance(edge_index, Graph):
        return edge_index.size
    if isinstance(edge_index, EdgeIndex):
        return edge_index.num_rows, edge_index.num_cols
    if edge_index.layout is not torch.strided:
        return edge_index.size(1), edge_index.size(0)
    return (None, None) if size is None else (size[0], size[1])


def both(x: Any) -> tuple[Any, Any]:
    """Split node features into those of sources and of targets; what is neither is left to PyG to refuse.

    Args:
        x: Node features, or a pair of them.
    """
    if isinstance(x, (tuple, list)) and len(x) == 2:
        return x[0], x[1]
    return x, x


def graph_of(edge_index: Any, x_src: Tensor, x_dst: Tensor | None = None, size: Any = None) -> Graph:
    """Sort the edges, or find them sorted, where nothing speaks against the fused path.

    Args:
        edge_index: Edges, in any form that the layers take.
        x_src: Rows of the sources.
        x_dst: Rows of the targets, if they have any.
        size: Numbers of sources and targets, as PyG takes them.
    """
    targets = _known_size(edge_index, size)[1] if x_dst is None else x_dst.size(0)
    return Graph.from_edge_index(edge_index, (x_src.size(0), x_src.size(0) if targets is None else targets))


def pyg_edges(edge_index: Any) -> Any:
    """Turn a :class:`graphlab.ops.Graph` into what PyG knows; leave everything else as it is.

    Args:
        edge_index: Edges, in any form that the layers take.
    """
    return edge_index.edge_index() if isinstance(edge_index, Graph) else edge_index


def pyg_size(edge_index: Any, size: Any) -> Any:
    """Give the size that PyG cannot read off what :func:`pyg_edges` returns.

    Args:
        edge_index: Edges, in any form that the layers take.
        size: The size that the user gave.
    """
    return edge_index.size if size is None and isinstance(edge_index, Graph) else size


def is_plain(module: Any, kind: type) -> bool:
    """Tell whether a module is just of that class, with nothing attached: its work may be done in another way.

    Args:
        module: The module.
        kind: Its class; a subclass is not plain.
    """
    hooks = (
        module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks
        if type(module) is kind
        else True
    )
    return not hooks and "forward" not in module.__dict__


def is_plain_linear(module: Any) -> bool:
    """Tell whether a module is PyG's linear layer, initialised, with nothing attached.

    Args:
        module: The module.
    """
    return is_plain(module, Linear)


def reduces_of(aggr_module: Any) -> tuple[str, ...]:
    """Name the fused reductions that an aggregator stands for, in its order; none where there is no such thing.

    Args:
        aggr_module: The aggregator of a layer.
    """
    if is_plain(aggr_module, MultiAggregation) and aggr_module.mode == "cat":
        each = [reduces_of(aggr) for aggr in aggr_module.aggrs]
        return tuple(name for names in each for name in names) if all(each) else ()
    name = _REDUCES.get(type(aggr_module))
    if name is None or not is_plain(aggr_module, type(aggr_module)):
        return ()
    spread = aggr_module.var_aggr if name == "std" else aggr_module
    return () if getattr(spread, "semi_grad", False) else (name,)


def reduce_sources(conv: FusedConv, x_src: Tensor, graph: Graph, weight: Tensor | None = None) -> Tensor:
    """Aggregate the rows of the sources as the layer's aggregator would.

    Args:
        conv: The layer.
        x_src: Rows of the sources.
        graph: The edges.
        weight: One weight per edge.
    """
    reduces = reduces_of(conv.aggr_module)
    if len(reduces) == 1 and reduces[0] not in ("std", "var"):
        return gather_reduce(x_src, graph, weight, reduces[0])
    return reduce_each(x_src, graph, reduces).flatten(1)


def reduce_each(x: Tensor, graph: Graph, reduces: tuple[str, ...]) -> Tensor:
    """Run :func:`graphlab.ops.multi_reduce`, for names that may come more than once.

    Args:
        x: Rows of the sources.
        graph: The edges.
        reduces: The reductions.

    Shapes:
        - **x:** ``(num_sources, *)``
        - **output:** ``(num_targets, len(reduces), *)``
    """
    once = tuple(dict.fromkeys(reduces))
    out = multi_reduce(x, graph, once)
    return out if once == reduces else out[:, [once.index(name) for name in reduces]]


def sparse_weight(conv: FusedConv, edge_index: Any) -> Tensor | None:
    """Read the weights off a sparse adjacency where PyG's layer multiplies with it; ``None`` for 1.

    Args:
        conv: The layer.
        edge_index: Edges, in any form that the layers take.
    """
    if not isinstance(edge_index, Tensor) or edge_index.layout is torch.strided or not conv.fuse:
        return None
    values = edge_index.to_sparse_coo().coalesce().values()
    return None if bool((values == 1).all()) else values
