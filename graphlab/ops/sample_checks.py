"""Checks that the samplers of one and of several edge types share."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from graphlab.ops.counter_rng import MAX_HOPS
from graphlab.ops.kernels import INDEX_DTYPES


def check_vector(t: Tensor, name: str, dtypes: tuple[torch.dtype, ...], length: int | None = None) -> None:
    """Refuse what is not a vector on the host of one of some types.

    Args:
        t: The tensor.
        name: What the user calls it.
        dtypes: The types.
        length: The number of entries; ``None`` for any.
    """
    said = " or ".join(str(d).removeprefix("torch.") for d in dtypes)
    if not isinstance(t, Tensor):
        raise TypeError(f"'{name}' must be a tensor, got {type(t).__name__}")
    if t.dtype not in dtypes:
        raise ValueError(f"'{name}' must be {said}, got {str(t.dtype).removeprefix('torch.')}; convert it once")
    if t.device.type != "cpu":
        raise ValueError(f"'{name}' must lie in main memory, got {t.device}; move it there")
    if t.dim() != 1:
        raise ValueError(f"'{name}' must have 1 dimension, got shape {tuple(t.shape)}")
    if length is not None and t.numel() != length:
        raise ValueError(f"'{name}' must have {length} entries, got {t.numel()}")


def check_compressed(rowptr: Tensor, col: Tensor, rowptr_name: str, col_name: str) -> None:
    """Refuse pointers that do not end where the neighbours end; what lies between is checked where it is read.

    Args:
        rowptr: Where the edges of each node begin.
        col: The neighbour of each edge.
        rowptr_name: What the user calls ``rowptr``.
        col_name: What the user calls ``col``.
    """
    check_vector(rowptr, rowptr_name, INDEX_DTYPES)
    check_vector(col, col_name, (rowptr.dtype,))
    if not rowptr.numel():
        raise ValueError(f"'{rowptr_name}' must have one entry more than there are nodes, got none")
    first, last = int(rowptr[0]), int(rowptr[-1])
    if first != 0 or last != col.numel():
        raise ValueError(
            f"'{rowptr_name}' must run from 0 to the {col.numel()} entries of '{col_name}', got {first} to {last}"
        )


def check_seed(seed: Tensor, name: str, size: int) -> None:
    """Refuse seeds that are no nodes.

    Args:
        seed: Their ids.
        name: What the user calls them.
        size: The number of nodes.
    """
    check_vector(seed, name, INDEX_DTYPES)
    if not seed.numel():
        return
    low, high = (int(x) for x in torch.aminmax(seed))
    if low < 0 or high >= size:
        raise ValueError(f"'{name}' must lie in [0, {size}), got {low} to {high}")


def check_num_neighbors(num_neighbors: Sequence[int], name: str) -> list[int]:
    """Return the number of neighbours for each hop; refuse what is none.

    Args:
        num_neighbors: The numbers, of Python or NumPy.
        name: What the user calls them.
    """
    if not isinstance(num_neighbors, Sequence) or isinstance(num_neighbors, str):
        raise TypeError(f"'{name}' must be a list with a number for each hop, got {num_neighbors!r}")
    for k in num_neighbors:
        if not isinstance(k, Integral) or isinstance(k, bool) or not -1 <= int(k) < 2**31:
            raise ValueError(f"'{name}' must hold integers from -1 (all) on, got {k!r}")
    if len(num_neighbors) > MAX_HOPS:
        raise ValueError(f"'{name}' must have at most {MAX_HOPS} hops, got {len(num_neighbors)}")
    return [int(k) for k in num_neighbors]


def check_strategy(name: str) -> None:
    """Refuse unknown temporal strategies.

    Args:
        name: The strategy.
    """
    if name not in ("uniform", "last"):
        raise ValueError(f"'temporal_strategy' must be 'uniform' or 'last', got {name!r}")


def check_weight(weight: Tensor, name: str, edges: int) -> None:
    """Refuse what is not a weight of each edge; the values are checked where they are read.

    Args:
        weight: The weights.
        name: What the user calls them.
        edges: The number of edges.
    """
    check_vector(weight, name, (torch.float32, torch.float64), edges)


def is_temporal(node_time: Any, edge_time: Any, seed_time: Any, disjoint: bool, suffix: str = "") -> bool:
    """Tell whether neighbours have times; refuse what does not go together.

    Args:
        node_time: The times of nodes, if any.
        edge_time: The times of edges, if any.
        seed_time: The times of seeds, if any.
        disjoint: Whether each seed has a tree of its own.
        suffix: What the names of the arguments end with.
    """
    if node_time is not None and edge_time is not None:
        raise ValueError(f"'node_time{suffix}' and 'edge_time{suffix}' exclude each other; give one of them")
    if node_time is None and edge_time is None:
        if seed_time is not None:
            raise ValueError(f"'seed_time{suffix}' needs 'node_time{suffix}' or 'edge_time{suffix}'")
        return False
    if not disjoint:
        raise ValueError("'disjoint' must be True for temporal sampling, as every seed has its own time")
    return True


def seed_times(seed: Tensor, time: Tensor | None, node_time: Tensor | None, place: str, suffix: str = "") -> Tensor:
    """Return the time of each seed.

    Args:
        seed: The seeds.
        time: Their times, if they were given.
        node_time: The times of all nodes of their type, if there are any.
        place: How the user reaches the entry of a dictionary.
        suffix: What the names of the arguments end with.
    """
    if time is not None:
        check_vector(time, f"seed_time{suffix}{place}", (torch.int64,), seed.numel())
        return time
    if node_time is None:
        if seed.numel():
            raise ValueError(f"'seed_time{suffix}{place}' must be given, as the seeds' nodes have no time")
        return torch.empty(0, dtype=torch.int64)
    if seed.numel() and int(seed.max()) >= node_time.numel():
        raise ValueError(f"'seed{suffix}{place}' must lie in [0, {node_time.numel()}), got {int(seed.max())}")
    return node_time[seed.long()]


def check_last(last: bool, replace: bool, weighted: bool, timed: bool) -> None:
    """Refuse what does not go together with taking the most recent neighbours.

    Args:
        last: Whether those are taken.
        replace: Whether neighbours may be picked several times.
        weighted: Whether edges have weights.
        timed: Whether there are times.
    """
    if last and not timed:
        raise ValueError("'temporal_strategy' 'last' needs 'node_time' or 'edge_time'; without times take 'uniform'")
    if last and (replace or weighted):
        other = "replace" if replace else "edge_weight"
        raise ValueError(f"'temporal_strategy' 'last' draws nothing, so '{other}' has no meaning; take 'uniform'")


def check_labor(labor: bool, replace: bool, weighted: bool, timed: bool) -> None:
    """Refuse what LABOR-0 is not defined for.

    Args:
        labor: Whether it is asked for.
        replace: Whether neighbours may be picked several times.
        weighted: Whether edges have weights.
        timed: Whether there are times.
    """
    other = "replace" if replace else "edge_weight" if weighted else "node_time or edge_time" if timed else ""
    if labor and other:
        raise ValueError(f"'labor' samples uniformly without replacement, so it excludes '{other}'")


def check_ptr(ptr: Tensor, name: str, last: int) -> None:
    """Refuse boundaries that do not run from 0 to some number without decreasing.

    Args:
        ptr: The boundaries.
        name: What the user calls them.
        last: The number.
    """
    said = f"'{name}' must run from 0 to {last} without decreasing, but"
    falling = (ptr[1:] < ptr[:-1]).nonzero()
    if falling.numel():
        i = int(falling[0])
        raise ValueError(f"{said} {name}[{i + 1}] is {int(ptr[i + 1])} after {int(ptr[i])}")
    if int(ptr[0]) != 0 or int(ptr[-1]) != last:
        raise ValueError(f"{said} runs from {int(ptr[0])} to {int(ptr[-1])}")
