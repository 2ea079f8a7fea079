"""Sampling mini-batches of neighbours from homogeneous graphs."""

from collections.abc import Sequence

import torch
from torch import Tensor

from graphlab.ops import sample_checks as checks
from graphlab.ops.counter_rng import signed
from graphlab.ops.hetero_neighbor_sample import sample_types


def neighbor_sample(
    rowptr: Tensor,
    col: Tensor,
    seed: Tensor,
    num_neighbors: Sequence[int],
    *,
    node_time: Tensor | None = None,
    edge_time: Tensor | None = None,
    seed_time: Tensor | None = None,
    edge_weight: Tensor | None = None,
    csc: bool = False,
    replace: bool = False,
    directed: bool = True,
    disjoint: bool = False,
    temporal_strategy: str = "uniform",
    return_edge_id: bool = True,
    labor: bool = False,
    key: int = 0,
) -> tuple[Tensor, Tensor, Tensor, Tensor | None, list[int], list[int] | None]:
    """Sample neighbours hop by hop, each set of k out of d equally likely, by default.

    Nodes are numbered as they come: the seeds first, equal ones apart; a neighbour that was met before keeps its
    number. Edges come in the order in which they are found, those of one node as they are stored. What is drawn for a
    node depends on ``key``, the hop and the node's id alone: not on other nodes, threads, or earlier calls.

    Other distributions: weighted sampling takes a neighbour first with a probability in proportion to its weight
    (Efraimidis & Spirakis, `Weighted random sampling with a reservoir`, 2006), and never one of weight 0. LABOR-0
    (Balin & Catalyurek, `Layer-neighbor sampling`, 2022, arXiv 2210.13339) picks each neighbour with the same
    probability as uniform sampling, but the nodes of a hop agree on whom they pick, so that there are fewer of them.

    Args:
        rowptr: Where the edges of each node begin, int32 or int64.
        col: The other end of each edge, of the same type.
        seed: The nodes to start from.
        num_neighbors: How many neighbours to pick in each hop; -1 for all. With ``replace`` exactly so many, otherwise
            at most.
        node_time: The time of each node, int64: only neighbours up to the seed's time are picked.
        edge_time: The time of each edge, instead.
        seed_time: The time of each seed; by default its node's.
        edge_weight: How likely each edge is to be picked, float32 or float64, not negative.
        csc: Whether edges are stored by target, and sampled against their direction; this says what is ``row`` and
            what is ``col`` in the result.
        replace: Whether an edge may be picked several times.
        directed: Whether to return the edges picked; else all edges among the nodes sampled.
        disjoint: Whether each seed grows a tree of its own, as temporal sampling needs.
        temporal_strategy: ``"uniform"``, or ``"last"`` for the most recent neighbours, of equal times those stored
            last.
        return_edge_id: Whether to return the edges' positions.
        labor: Whether to sample by LABOR-0.
        key: What all random numbers derive from, an integer of 64 bits: see :func:`batch_key`.

    Returns:
        ``row`` and ``col`` (ends of the sampled edges as places in ``node``), ``node``, ``edge`` (positions in ``col``,
        or ``None``), the number of nodes that came in each hop, and that of edges (``None`` for undirected sampling,
        whose edges belong to no hop).

    Shapes:
        - **rowptr:** ``(num_nodes + 1,)``
        - **col, edge_time, edge_weight:** ``(num_edges,)``
        - **seed, seed_time:** ``(num_seeds,)``
        - **output:** ``row``, ``col`` and ``edge`` ``(num_sampled_edges,)``; ``node`` ``(num_sampled_nodes,)``, or
          ``(num_sampled_nodes, 2)`` with (tree, id) for disjoint trees; one entry per hop, and one before for the seeds

    Raises:
        ValueError, RuntimeError: An argument is wrong; the message names it. Rows of ``rowptr``, ``col`` and
            ``edge_weight`` are checked where they are read.
        TypeError: An argument is of the wrong type.

    Example:
        >>> import torch
        >>> from graphlab.ops import neighbor_sample
        >>> rowptr, col = torch.tensor([0, 2, 4, 6]), torch.tensor([1, 2, 2, 0, 0, 1])  # a triangle
        >>> row, col, node, edge, nodes_per_hop, edges_per_hop = neighbor_sample(
        ...     rowptr, col, torch.tensor([1]), [1], csc=True, key=7
        ... )
        >>> node.tolist(), row.tolist(), col.tolist(), nodes_per_hop
        ([1, 0], [1], [0], [1, 1])
    """
    checks.check_compressed(rowptr, col, "rowptr", "col")
    nodes, edges = rowptr.numel() - 1, col.numel()
    checks.check_seed(seed, "seed", nodes)
    fanout = checks.check_num_neighbors(num_neighbors, "num_neighbors")
    checks.check_strategy(temporal_strategy)
    if node_time is not None:
        checks.check_vector(node_time, "node_time", (torch.int64,), nodes)
    if edge_time is not None:
        checks.check_vector(edge_time, "edge_time", (torch.int64,), edges)
    if edge_weight is not None:
        checks.check_weight(edge_weight, "edge_weight", edges)
    timed = checks.is_temporal(node_time, edge_time, seed_time, disjoint)
    last = temporal_strategy == "last"
    checks.check_last(last, replace, edge_weight is not None, timed)
    checks.check_labor(labor, replace, edge_weight is not None, timed)
    neighbor, expanded, edge, node, tree, nodes_per_hop, edges_per_hop = sample_types(
        [rowptr],
        [col],
        [0],
        [0],
        [seed.to(rowptr.dtype)],
        fanout,
        [node_time],
        [edge_time],
        [checks.seed_times(seed, seed_time, node_time, "") if timed else None],
        [None if edge_weight is None else edge_weight.detach()],
        replace,
        directed,
        disjoint,
        last,
        labor,
        signed(key),
    )
    row, col = (neighbor[0], expanded[0]) if csc else (expanded[0], neighbor[0])
    return (
        row,
        col,
        torch.stack([tree[0], node[0]], 1) if disjoint else node[0],
        edge[0] if return_edge_id else None,
        list(nodes_per_hop),
        list(edges_per_hop) if directed else None,
    )
