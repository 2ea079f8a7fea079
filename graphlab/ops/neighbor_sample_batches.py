"""Sampling many mini-batches at once, in parallel."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from graphlab.ops import sample_checks as checks
from graphlab.ops.counter_rng import signed
from graphlab.ops.host_op import HostOp
from graphlab.ops.neighbor_sample_ref import hetero_neighbor_sample_ref
from graphlab.ops.pick import pointers


class SampledBatches(NamedTuple):
    """Mini-batches one after the other: that of number b has nodes from ``node_ptr[b]``, edges from ``edge_ptr[b]`` on.

    Shapes:
        - **node:** ``(num_sampled_nodes,)``
        - **node_ptr, edge_ptr:** ``(num_batches + 1,)``
        - **row, col, edge:** ``(num_sampled_edges,)``; ``row`` and ``col`` are places in the batch's part of ``node``
        - **num_nodes_per_hop:** ``(num_batches, num_hops + 1)``
        - **num_edges_per_hop:** ``(num_batches, num_hops)``
    """

    node: Tensor
    node_ptr: Tensor
    row: Tensor
    col: Tensor
    edge: Tensor
    edge_ptr: Tensor
    num_nodes_per_hop: Tensor
    num_edges_per_hop: Tensor


def neighbor_sample_batches_ref(
    rowptr: Tensor,
    col: Tensor,
    seed: Tensor,
    seed_ptr: Tensor,
    num_neighbors: list[int],
    keys: Tensor,
    edge_weight: Tensor | None,
    replace: bool,
    labor: bool,
) -> tuple[Tensor, ...]:
    """Sample one mini-batch after the other."""
    parts = []
    for begin, end, key in zip(seed_ptr[:-1].tolist(), seed_ptr[1:].tolist(), keys.tolist(), strict=True):
        given = [rowptr], [col], [0], [0], [seed[begin:end]], num_neighbors, [None], [None], [None], [edge_weight]
        parts.append(hetero_neighbor_sample_ref(*given, replace, True, False, False, labor, key))
    neighbor, expanded = [part[0][0] for part in parts], [part[1][0] for part in parts]
    edge, node = [part[2][0] for part in parts], [part[3][0] for part in parts]
    node_ptr, edge_ptr = (torch.from_numpy(pointers([len(p) for p in which])) for which in (node, edge))
    empty, hops = seed.new_empty(0), len(num_neighbors)
    return (
        torch.cat([empty, *node]),
        node_ptr,
        torch.cat([empty, *neighbor]),
        torch.cat([empty, *expanded]),
        torch.cat([empty, *edge]),
        edge_ptr,
        torch.tensor([part[5] for part in parts], dtype=torch.int64).view(len(parts), hops + 1),
        torch.tensor([part[6] for part in parts], dtype=torch.int64).view(len(parts), hops),
    )


_sample_batches = HostOp("neighbor_sample_batches", neighbor_sample_batches_ref)


def neighbor_sample_batches(
    rowptr: Tensor,
    col: Tensor,
    seed: Tensor,
    seed_ptr: Tensor,
    num_neighbors: Sequence[int],
    keys: Sequence[int],
    *,
    edge_weight: Tensor | None = None,
    csc: bool = False,
    replace: bool = False,
    labor: bool = False,
) -> SampledBatches:
    """Sample many mini-batches, each with the same bits as :func:`neighbor_sample` gives with its key.

    Args:
        rowptr: Where the edges of each node begin, int32 or int64.
        col: The other end of each edge, of the same type.
        seed: The nodes to start from, those of the first batch first.
        seed_ptr: Where the seeds of each batch begin, and where those of the last one end; int64.
        num_neighbors: How many neighbours to pick in each hop; -1 for all.
        keys: The key of each batch: see :func:`batch_key`.
        edge_weight: How likely each edge is to be picked, float32 or float64, not negative.
        csc: Whether edges are stored by target; this says what is ``row`` and what is ``col`` in the result.
        replace: Whether an edge may be picked several times.
        labor: Whether to sample by LABOR-0.

    Shapes:
        - **rowptr:** ``(num_nodes + 1,)``
        - **col, edge_weight:** ``(num_edges,)``
        - **seed:** ``(num_seeds,)``
        - **seed_ptr:** ``(num_batches + 1,)``

    Raises:
        ValueError, RuntimeError: An argument is wrong; the message names it.
        TypeError: An argument is of the wrong type.

    Example:
        >>> import torch
        >>> from graphlab.ops import batch_key, neighbor_sample_batches
        >>> rowptr, col = torch.tensor([0, 2, 4, 6]), torch.tensor([1, 2, 2, 0, 0, 1])  # a triangle
        >>> keys = [batch_key(seed=0, epoch=0, batch=b) for b in range(2)]
        >>> batches = neighbor_sample_batches(rowptr, col, torch.tensor([0, 1]), torch.tensor([0, 1, 2]), [-1], keys)
        >>> batches.node.tolist(), batches.node_ptr.tolist()
        ([0, 1, 2, 1, 2, 0], [0, 3, 6])
    """
    checks.check_compressed(rowptr, col, "rowptr", "col")
    checks.check_seed(seed, "seed", rowptr.numel() - 1)
    fanout = checks.check_num_neighbors(num_neighbors, "num_neighbors")
    checks.check_vector(seed_ptr, "seed_ptr", (torch.int64,), len(keys) + 1)
    checks.check_ptr(seed_ptr, "seed_ptr", seed.numel())
    if edge_weight is not None:
        checks.check_weight(edge_weight, "edge_weight", col.numel())
    checks.check_labor(labor, replace, edge_weight is not None, timed=False)
    node, node_ptr, neighbor, expanded, edge, edge_ptr, nodes_per_hop, edges_per_hop = _sample_batches(
        rowptr,
        col,
        seed.to(rowptr.dtype),
        seed_ptr,
        fanout,
        torch.tensor([signed(key) for key in keys], dtype=torch.int64),
        None if edge_weight is None else edge_weight.detach(),
        replace,
        labor,
    )
    row, col = (neighbor, expanded) if csc else (expanded, neighbor)
    return SampledBatches(node, node_ptr, row, col, edge, edge_ptr, nodes_per_hop, edges_per_hop)
