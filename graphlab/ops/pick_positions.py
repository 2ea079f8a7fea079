"""Which stored edges a sampler picks, known before the edges are read."""

import numpy as np
import torch
from torch import Tensor

from graphlab.ops import counter_rng, pick
from graphlab.ops import sample_checks as checks
from graphlab.ops.host_op import HostOp
from graphlab.ops.kernels import INDEX_DTYPES


def pick_positions_ref(
    rowptr: Tensor, node: Tensor, key: Tensor, hop: int, num_neighbors: int, replace: bool
) -> tuple[Tensor, Tensor]:
    """Pick from each node's range of positions, all nodes at once."""
    ids = node.numpy().astype(np.int64)
    begin, end = (rowptr.numpy()[ids + i].astype(np.int64) for i in (0, 1))
    bad = (begin < 0) | (begin > end)
    if bad.any():
        i = int(np.argmax(bad))
        raise ValueError(
            f"'rowptr' must not decrease nor be negative, but the edges of node {ids[i]} run from {begin[i]} to "
            f"{end[i]}"
        )
    degree = end - begin
    picked = (
        degree if num_neighbors < 0 else (degree > 0) * num_neighbors if replace else degree.clip(max=num_neighbors)
    )
    # In floating point, which does not wrap around.
    if picked.sum(dtype=np.float64) * rowptr.element_size() > 2**60:
        i = int(np.argmax(degree))
        raise ValueError(
            f"'rowptr' and 'num_neighbors' ask for too many picks: node {ids[i]} has {degree[i]} edges; look whether "
            "'rowptr' is damaged"
        )
    streams = counter_rng.stream(key.numpy(), 0, hop, ids)
    offset, ptr = (pick.repeated_offsets if replace else pick.uniform_offsets)(streams, degree, num_neighbors)
    return torch.from_numpy(begin[pick.rows_of(ptr)] + offset).to(rowptr.dtype), torch.from_numpy(ptr)


_pick_positions = HostOp("pick_positions", pick_positions_ref)


def pick_positions(
    rowptr: Tensor, node: Tensor, key: Tensor, hop: int, num_neighbors: int, *, replace: bool = False
) -> tuple[Tensor, Tensor]:
    """Return the stored positions of the edges that :func:`neighbor_sample` picks for nodes in some hop.

    This samples from a topology that is too large to be held: pick for the frontiers of many batches, read the edges
    in the order of their positions, and go on with :func:`extend_nodes`. Of ``rowptr``, which may be a memory-mapped
    file, only the rows of ``node`` are read.

    Args:
        rowptr: Where the edges of each node begin, int32 or int64.
        node: The nodes.
        key: The key of the batch that each node is in, as int64.
        hop: The hop, from 0.
        num_neighbors: How many neighbours to pick; -1 for all.
        replace: Whether an edge may be picked several times.

    Returns:
        ``position`` and ``ptr``: what is picked for ``node[i]`` are the positions from ``ptr[i]`` on.

    Shapes:
        - **rowptr:** ``(num_nodes + 1,)``
        - **node, key:** ``(num_picking,)``
        - **output:** ``(num_picked,)`` and ``(num_picking + 1,)``

    Raises:
        ValueError, RuntimeError: An argument is wrong; the message names it.
        TypeError: An argument is of the wrong type.

    Example:
        >>> import torch
        >>> from graphlab.ops import pick_positions
        >>> rowptr = torch.tensor([0, 100, 103])
        >>> position, ptr = pick_positions(rowptr, torch.tensor([1, 0]), torch.tensor([7, 7]), 0, 5)
        >>> position.tolist(), ptr.tolist()
        ([100, 101, 102, 33, 37, 40, 70, 97], [0, 3, 8])
    """
    checks.check_vector(rowptr, "rowptr", INDEX_DTYPES)
    checks.check_seed(node, "node", rowptr.numel() - 1)
    checks.check_vector(key, "key", (torch.int64,), node.numel())
    (k,) = checks.check_num_neighbors([num_neighbors], "num_neighbors")
    if not 0 <= hop < counter_rng.MAX_HOPS:
        raise ValueError(f"'hop' must lie in [0, {counter_rng.MAX_HOPS}), got {hop}")
    return _pick_positions(rowptr, node.to(rowptr.dtype), key, hop, k, replace)
