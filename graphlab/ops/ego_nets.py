"""Ego nets: around each node the subgraph of what is within some hops of it."""

from typing import NamedTuple

import torch
from torch import Tensor

from graphlab.ops.host_op import HostOp
from graphlab.ops.sample_checks import check_compressed, check_seed


class EgoNets(NamedTuple):
    """Subgraphs one after another: net ``i`` has nodes ``node_ptr[i]`` to ``node_ptr[i + 1] - 1``, and edges likewise.

    Args:
        node: The nodes, the root of each net first, then hop by hop in the order in which they are met.
        node_ptr: Where the nodes of each net begin, int64.
        hop: How many hops each node is away from its root.
        row: The node that each edge is stored with, as a place among its net's nodes, from 0.
        col: The other end of each edge, likewise.
        edge: Where each edge is stored in the graph.
        edge_ptr: Where the edges of each net begin, int64.
    """

    node: Tensor
    node_ptr: Tensor
    hop: Tensor
    row: Tensor
    col: Tensor
    edge: Tensor
    edge_ptr: Tensor


def ego_nets_ref(rowptr: Tensor, col: Tensor, num_hops: int, nodes: Tensor | None) -> tuple[Tensor, ...]:
    """The specification of :func:`ego_nets`.

    Args:
        rowptr: Where the edges of each node begin.
        col: The other end of each edge.
        num_hops: How far the nets reach.
        nodes: The roots, int64; ``None`` for all nodes.
    """
    _check_structure(rowptr, col)
    pointers, neighbors = rowptr.tolist(), col.tolist()
    node, hop, edges, node_ptr, edge_ptr = [], [], [], [0], [0]
    for root in range(len(pointers) - 1) if nodes is None else nodes.tolist():
        hops = _hops_from(root, pointers, neighbors, num_hops)
        place = {v: i for i, v in enumerate(hops)}
        node += hops.keys()
        hop += hops.values()
        for v in hops:
            inside = (e for e in range(pointers[v], pointers[v + 1]) if neighbors[e] in place)
            edges += [(place[v], place[neighbors[e]], e) for e in inside]
        node_ptr.append(len(node))
        edge_ptr.append(len(edges))
    row, local_col, edge = torch.tensor(edges, dtype=rowptr.dtype).view(-1, 3).T.contiguous()
    node, hop = (torch.tensor(values, dtype=rowptr.dtype) for values in (node, hop))
    return node, torch.tensor(node_ptr), hop, row, local_col, edge, torch.tensor(edge_ptr)


def _hops_from(root: int, pointers: list[int], neighbors: list[int], num_hops: int) -> dict[int, int]:
    """Return how far nodes are away, in the order in which a breadth-first search meets them."""
    hops, frontier = {root: 0}, [root]
    while frontier and hops[frontier[0]] < num_hops:
        met = [w for v in frontier for w in neighbors[pointers[v] : pointers[v + 1]]]
        far = hops[frontier[0]] + 1
        frontier = [w for w in dict.fromkeys(met) if w not in hops]
        hops |= dict.fromkeys(frontier, far)
    return hops


def _check_structure(rowptr: Tensor, col: Tensor) -> None:
    size = rowptr.numel() - 1
    if (rowptr.diff() < 0).any():
        raise ValueError("'rowptr' must not decrease")
    outside = ((col < 0) | (col >= size)).nonzero()
    if outside.numel():
        e = int(outside[0])
        raise ValueError(f"'col' must lie in [0, {size}), but col[{e}] is {int(col[e])}")


_ego_nets = HostOp("ego_nets", ego_nets_ref)


def ego_nets(rowptr: Tensor, col: Tensor, num_hops: int, nodes: Tensor | None = None) -> EgoNets:
    r"""Return the subgraph around each node: all that is within some hops of it, and all edges among that.

    .. math::
        V_r = \{v : d(r, v) \le k\}, \qquad E_r = \{e : \text{row}_e \in V_r, \text{col}_e \in V_r\}

    where :math:`d(r, v)` is the length of the shortest path from :math:`r` along stored edges, from the node that an
    edge is stored with to the one in ``col``: rows by source give what is reached from the root, rows by target what
    reaches it. Edges of a net come by node, in the order of ``node``, those of one node as they are stored; loops and
    equal edges are edges like others. The result does not depend on the number of threads.

    Args:
        rowptr: Where the edges of each node begin, int32 or int64.
        col: The other end of each edge, of the same type.
        num_hops: How far the nets reach, :math:`k`; 0 for the roots alone.
        nodes: The roots :math:`r`, in any order, also repeated; by default all nodes.

    Returns:
        The nets, of the type of ``rowptr``, with int64 boundaries. Memory is taken for them, and 4 bytes for each node
        of the graph and thread.

    Shapes:
        - **rowptr:** ``(num_nodes + 1,)``
        - **col:** ``(num_edges,)``
        - **nodes:** ``(num_nets,)``
        - **output:** boundaries ``(num_nets + 1,)``; ``node`` and ``hop`` ``(node_ptr[-1],)``; ``row``, ``col`` and
          ``edge`` ``(edge_ptr[-1],)``

    Raises:
        ValueError, RuntimeError: An argument is wrong, or the nets do not fit in memory.
        TypeError: An argument is of the wrong type.

    Example:
        >>> import torch
        >>> from graphlab.ops import ego_nets
        >>> rowptr, col = torch.tensor([0, 1, 2, 3, 4]), torch.tensor([1, 2, 3, 0])  # 0 -> 1 -> 2 -> 3 -> 0
        >>> nets = ego_nets(rowptr, col, num_hops=1, nodes=torch.tensor([3, 1]))
        >>> nets.node.tolist(), nets.hop.tolist(), nets.edge.tolist(), nets.edge_ptr.tolist()
        ([3, 0, 1, 2], [0, 1, 0, 1], [3, 1], [0, 1, 2])
    """
    check_compressed(rowptr, col, "rowptr", "col")
    size = rowptr.numel() - 1
    if num_hops < 0:
        raise ValueError(f"'num_hops' must not be negative, got {num_hops}")
    if nodes is not None:
        check_seed(nodes, "nodes", size)
        nodes = nodes.long()
    return EgoNets(*_ego_nets(rowptr, col, num_hops, nodes))
