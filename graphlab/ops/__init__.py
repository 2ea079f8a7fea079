"""Ground floor: grouped reductions, tree reduction and ragged recurrence, each with a slow readable reference."""

from graphlab.ops import groups, tree_plan
from graphlab.ops.binary_gru import binary_gru
from graphlab.ops.segment import segment_logsumexp, segment_max, segment_sum, segment_topk
from graphlab.ops.segment_gru import segment_gru, segment_gru_ref
from graphlab.ops.segment_lstm import segment_lstm, segment_lstm_ref
from graphlab.ops.tree_reduce import tree_reduce
from graphlab.ops.tree_reduce_lcm import tree_reduce_lcm, tree_reduce_lcm_ref

__all__ = [
    "backends",
    "binary_gru",
    "clear_cache",
    "segment_gru",
    "segment_gru_ref",
    "segment_logsumexp",
    "segment_lstm",
    "segment_lstm_ref",
    "segment_max",
    "segment_sum",
    "segment_topk",
    "tree_reduce",
    "tree_reduce_lcm",
    "tree_reduce_lcm_ref",
]


def backends() -> dict[str, str]:
    """Return what runs each op, and why."""
    reason = "pure PyTorch: this version ships no compiled kernels"
    return dict.fromkeys(("segment_gru", "segment_lstm", "tree_reduce", "tree_reduce_lcm"), reason)


def clear_cache() -> None:
    """Free the remembered sort orders and schedules of graphs seen so far."""
    groups.clear_cache()
    tree_plan.clear_cache()
