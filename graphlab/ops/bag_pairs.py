"""The pairs of nodes that share a bag, numbered once for all bags."""

from typing import NamedTuple

import torch
from torch import Tensor

from graphlab.ops.csr import rows_of
from graphlab.ops.host_op import HostOp
from graphlab.ops.kernels import INDEX_DTYPES
from graphlab.ops.sample_checks import check_ptr

_MAX_INT32 = torch.iinfo(torch.int32).max


class BagPairs(NamedTuple):
    """Ordered pairs of nodes that share a bag: each node with itself first, then the others by row and column.

    Args:
        row: The first node of each pair.
        col: The second node of each pair.
        pair: The pair at each two places of each bag, row by row: bag after bag, ``m * m`` of a bag of ``m`` nodes.
        transposed: For each pair the number of the pair of the same two nodes in the other order.
    """

    row: Tensor
    col: Tensor
    pair: Tensor
    transposed: Tensor


def bag_pairs_ref(node: Tensor, node_ptr: Tensor, num_nodes: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The specification of :func:`bag_pairs`.

    Args:
        node: The nodes of each bag.
        node_ptr: Where the nodes of each bag begin, int64.
        num_nodes: The number of nodes.
    """
    _check_nodes(node, node_ptr, num_nodes)
    size = node_ptr.diff()
    pair_ptr = torch.cat([size.new_zeros(1), (size * size).cumsum(0)])
    bag = rows_of(pair_ptr)
    place = torch.arange(bag.numel(), device=bag.device) - pair_ptr[bag]
    i, j = (node[node_ptr[bag] + at].long() for at in (place // size[bag], place % size[bag]))
    others, number = torch.unique((i * num_nodes + j)[i != j], return_inverse=True)
    pair = i.masked_scatter(i != j, num_nodes + number)
    row, col = others // max(num_nodes, 1), others % max(num_nodes, 1)
    transposed = num_nodes + torch.searchsorted(others, col * num_nodes + row)
    same = torch.arange(num_nodes, device=node.device)
    found = torch.cat([same, row]), torch.cat([same, col]), pair, torch.cat([same, transposed])
    row, col, pair, transposed = (t.to(node.dtype) for t in found)
    return row, col, pair, transposed


def _check_nodes(node: Tensor, node_ptr: Tensor, num_nodes: int) -> None:
    outside = ((node < 0) | (node >= num_nodes)).nonzero()
    if outside.numel():
        s = int(outside[0])
        raise ValueError(f"'node' must lie in [0, {num_nodes}), but node[{s}] is {int(node[s])}")
    held, times = torch.unique(rows_of(node_ptr) * num_nodes + node, return_counts=True)
    twice = held[times > 1]
    if twice.numel():
        bag, v = divmod(int(twice[0]), num_nodes)
        raise ValueError(f"'node' must name a node once in each bag, but bag {bag} holds node {v} twice")


_bag_pairs = HostOp("bag_pairs", bag_pairs_ref)


def bag_pairs(node: Tensor, node_ptr: Tensor, num_nodes: int) -> BagPairs:
    r"""Number the ordered pairs of nodes that share a bag.

    .. math::
        \{(v, v) : 0 \le v < n\} \cup \{(i, j) : i \ne j,\ \exists b : i, j \in S_b\}

    where :math:`S_b` are the bags. Pair :math:`v < n` is :math:`(v, v)`, also of a node in no bag; the others follow by
    row, and by column within a row. Takes :math:`O(\sum_b |S_b|^2)` time, beside sorting within each row. The result
    does not depend on the number of threads.

    Args:
        node: The nodes of each bag :math:`S_b`, bag after bag, int32 or int64; none of them twice in a bag.
        node_ptr: Where the nodes of each bag begin.
        num_nodes: The number of nodes :math:`n`.

    Returns:
        The pairs, int64 where ``node`` is, or where there may be more than 32 bits hold; else int32.

    Shapes:
        - **node:** ``(node_ptr[-1],)``
        - **node_ptr:** ``(num_bags + 1,)``
        - **output:** ``row``, ``col`` and ``transposed`` ``(num_pairs,)``; ``pair`` one entry for each two places of
          each bag

    Raises:
        ValueError, RuntimeError: An argument is wrong, or the pairs do not fit in memory.
        TypeError: An argument is of the wrong type.

    Example:
        >>> import torch
        >>> from graphlab.ops import bag_pairs
        >>> pairs = bag_pairs(torch.tensor([0, 1, 2, 1]), torch.tensor([0, 2, 4]), num_nodes=4)  # {0, 1} and {2, 1}
        >>> list(zip(pairs.row.tolist(), pairs.col.tolist()))
        [(0, 0), (1, 1), (2, 2), (3, 3), (0, 1), (1, 0), (1, 2), (2, 1)]
        >>> pairs.pair.tolist(), pairs.transposed.tolist()
        ([0, 4, 5, 1, 2, 7, 6, 1], [0, 1, 2, 3, 5, 4, 7, 6])
    """
    for t, name in ((node, "node"), (node_ptr, "node_ptr")):
        check_indices(t, name)
    if not node_ptr.numel():
        raise ValueError("'node_ptr' must have one entry more than there are bags, got none")
    if num_nodes < 0:
        raise ValueError(f"'num_nodes' must not be negative, got {num_nodes}")
    check_ptr(node_ptr, "node_ptr", node.numel())
    most = num_nodes + int(node_ptr.long().diff().square().sum())
    node = node.long() if most > _MAX_INT32 else node
    run = _bag_pairs if node.device.type == "cpu" else bag_pairs_ref
    return BagPairs(*run(node, node_ptr.long(), num_nodes))


def check_indices(t: Tensor, name: str) -> None:
    """Refuse what is not a vector of indices.

    Args:
        t: The tensor.
        name: What the user calls it.

    Raises:
        TypeError: It is no tensor.
        ValueError: It is of another type or shape.
    """
    if not isinstance(t, Tensor):
        raise TypeError(f"'{name}' must be a tensor, got {type(t).__name__}")
    if t.dtype not in INDEX_DTYPES:
        raise ValueError(f"'{name}' must be int64 or int32, got {str(t.dtype).removeprefix('torch.')}; convert it once")
    if t.dim() != 1:
        raise ValueError(f"'{name}' must have 1 dimension, got shape {tuple(t.shape)}")
