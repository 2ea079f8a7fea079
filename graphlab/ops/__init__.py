"""Ground floor: message passing, grouped and tree reductions, recurrence, sampling, each with a readable reference."""

import torch

from graphlab.ops import graph, groups, kernels, tree_plan
from graphlab.ops.assemble_rows import assemble_rows
from graphlab.ops.bag_pairs import BagPairs, bag_pairs
from graphlab.ops.bag_product import bag_product
from graphlab.ops.binary_gru import binary_gru
from graphlab.ops.counter_rng import batch_key
from graphlab.ops.crc32c import crc32c, crc32c_combine
from graphlab.ops.csr import csr_from_coo, csr_transpose
from graphlab.ops.edge_attention import dot_attention, edge_attention_weights, gat_attention, gatv2_attention
from graphlab.ops.ego_nets import EgoNets, ego_nets
from graphlab.ops.extend_nodes import extend_nodes
from graphlab.ops.gather_reduce import gather_argreduce, gather_reduce
from graphlab.ops.graph import Graph
from graphlab.ops.hetero_neighbor_sample import hetero_neighbor_sample
from graphlab.ops.kernels import use_backend
from graphlab.ops.multi_reduce import multi_reduce
from graphlab.ops.neighbor_sample import neighbor_sample
from graphlab.ops.neighbor_sample_batches import SampledBatches, neighbor_sample_batches
from graphlab.ops.pick_positions import pick_positions
from graphlab.ops.read_rows import read_rows
from graphlab.ops.seed_permutation import seed_permutation
from graphlab.ops.segment import segment_max, segment_sum, segment_topk
from graphlab.ops.segment_gru import segment_gru, segment_gru_ref
from graphlab.ops.segment_lstm import segment_lstm, segment_lstm_ref
from graphlab.ops.segment_reduce import segment_argreduce, segment_reduce
from graphlab.ops.segment_softmax import segment_log_softmax, segment_logsumexp, segment_softmax
from graphlab.ops.tree_reduce import tree_reduce
from graphlab.ops.tree_reduce_lcm import tree_reduce_lcm, tree_reduce_lcm_ref

__all__ = [
    "BagPairs",
    "EgoNets",
    "Graph",
    "SampledBatches",
    "assemble_rows",
    "backends",
    "bag_pairs",
    "bag_product",
    "batch_key",
    "binary_gru",
    "clear_cache",
    "crc32c",
    "crc32c_combine",
    "csr_from_coo",
    "csr_transpose",
    "dot_attention",
    "edge_attention_weights",
    "ego_nets",
    "extend_nodes",
    "gat_attention",
    "gather_argreduce",
    "gather_reduce",
    "gatv2_attention",
    "hetero_neighbor_sample",
    "multi_reduce",
    "neighbor_sample",
    "neighbor_sample_batches",
    "pick_positions",
    "read_rows",
    "seed_permutation",
    "segment_argreduce",
    "segment_gru",
    "segment_gru_ref",
    "segment_log_softmax",
    "segment_logsumexp",
    "segment_lstm",
    "segment_lstm_ref",
    "segment_max",
    "segment_reduce",
    "segment_softmax",
    "segment_sum",
    "segment_topk",
    "tree_reduce",
    "tree_reduce_lcm",
    "tree_reduce_lcm_ref",
    "use_backend",
]


def backends() -> dict[str, str]:
    """Return what runs the ops on each kind of device, and why."""
    if kernels.backend() != "auto":
        return dict.fromkeys(("cpu", "cuda"), f"pure PyTorch: GRAPHLAB_BACKEND={kernels.backend()}")
    said = {}
    for device, library in (("cpu", "_C"), ("cuda", "_CUDA")):
        reason = kernels.missing(library)
        said[device] = f"pure PyTorch: {reason}" if reason else "compiled kernels"
    if not kernels.missing("_C"):
        said["cpu"] += f" ({torch.ops.graphlab.cpu_isa()})"
    return said


def clear_cache() -> None:
    """Free the remembered sort orders and schedules of graphs seen so far."""
    graph.clear_cache()
    groups.clear_cache()
    tree_plan.clear_cache()
