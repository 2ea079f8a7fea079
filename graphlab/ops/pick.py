"""Picking k of each node's stored neighbours: the reference of the rules that ``cuda/pick.h`` follows."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphlab.ops import counter_rng
from graphlab.ops.counter_rng import Words

Integers = NDArray[np.int64]
#: Candidates of all rows one after the other, and where each row's begin.
Ragged = tuple[Integers, Integers]


def pointers(counts: ArrayLike) -> Integers:
    """Return where rows of given lengths begin, and where the last one ends.

    Args:
        counts: The lengths.
    """
    return np.concatenate([[0], np.cumsum(np.asarray(counts, np.int64))])


def rows_of(ptr: Integers) -> Integers:
    """Return the row of each candidate.

    Args:
        ptr: Where each row's candidates begin.
    """
    return np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))


def spans(begin: Integers, counts: Integers) -> Ragged:
    """Return all positions of rows that are stored as ranges.

    Args:
        begin: Where each row's range begins.
        counts: How long it is.
    """
    ptr = pointers(counts)
    return np.repeat(begin - ptr[:-1], counts) + np.arange(ptr[-1]), ptr


def uniform_offsets(streams: Words, counts: Integers, k: int) -> Ragged:
    """Pick k of each row's candidates without replacement, every subset equally likely, in ascending order.

    Floyd's method: for j = count - k .. count - 1 draw t <= j and take it, or j if t was taken before.

    Args:
        streams: One stream for each row.
        counts: The number of candidates of each row.
        k: How many to pick; all of a row that has no more, or if k is negative.
    """
    number = counts if k < 0 else np.minimum(counts, k)
    offset, ptr = spans(np.zeros_like(counts), number)
    (large,) = np.nonzero(number < counts)
    picked = np.zeros((len(large), max(k, 0)), np.int64)
    counter = np.zeros(len(large), np.int64)
    for step in range(max(k, 0) if len(large) else 0):
        j = counts[large] - k + step
        t = counter_rng.below(streams[large], counter, j + 1)
        taken = (picked[:, :step] == t[:, None]).any(1)
        picked[:, step] = np.where(taken, j, t)
    offset[(ptr[large, None] + np.arange(max(k, 0))).ravel()] = np.sort(picked, axis=1).ravel()
    return offset, ptr


def repeated_offsets(streams: Words, counts: Integers, k: int) -> Ragged:
    """Pick k of each row's candidates with replacement, in ascending order; all once if k is negative.

    Args:
        streams: One stream for each row.
        counts: The number of candidates of each row; rows without any stay empty.
        k: How many to pick.
    """
    if k < 0:
        return spans(np.zeros_like(counts), counts)
    (rows,) = np.nonzero(counts)
    picked = np.zeros((len(rows), k), np.int64)
    counter = np.zeros(len(rows), np.int64)
    for step in range(k):
        picked[:, step] = counter_rng.below(streams[rows], counter, counts[rows])
    return np.sort(picked, axis=1).ravel(), pointers(np.where(counts > 0, k, 0))


def largest_offsets(value: NDArray, ptr: Integers, k: int) -> Ragged:
    """Pick the k candidates of largest value of each row, in ascending order; of equal ones those stored first.

    Args:
        value: What to compare.
        ptr: Where each row's candidates begin.
        k: How many to pick; all of a row that has no more, or if k is negative.
    """
    rows = rows_of(ptr)
    offset = np.arange(len(rows)) - ptr[rows]
    order = np.lexsort((offset, -value, rows))
    rank = np.empty_like(offset)
    rank[order] = offset
    keep = (rank < k) | (k < 0)
    return offset[keep], pointers(np.bincount(rows[keep], minlength=len(ptr) - 1))


def weighted_keys(streams: Words, place: Integers, weight: NDArray[np.float64], ptr: Integers) -> NDArray[np.float64]:
    r"""Return the keys whose k largest are a weighted sample without replacement.

    .. math:: \frac{\log u_i}{w_i}

    (Efraimidis & Spirakis, `Weighted random sampling with a reservoir`, 2006.)

    Args:
        streams: One stream for each row.
        place: The place of each candidate in its row as it is stored, which says which draw is its own.
        weight: The weights, positive.
        ptr: Where each row's candidates begin.
    """
    x = counter_rng.draw(streams[rows_of(ptr)], place)
    with np.errstate(over="ignore"):  # an infinite key of a tiny weight comes last, as it should
        return counter_rng.log_uniform(x) / weight


def repeated_weighted_offsets(streams: Words, weight: NDArray[np.float64], ptr: Integers, k: int) -> Ragged:
    """Pick k of each row's candidates with replacement by weight, in ascending order; all once if k is negative.

    Args:
        streams: One stream for each row.
        weight: The weights, positive.
        ptr: Where each row's candidates begin; rows without any stay empty.
        k: How many to pick.
    """
    counts = np.diff(ptr)
    if k < 0:
        return spans(np.zeros_like(counts), counts)
    picked = [np.zeros(0, np.int64)]
    for row in np.nonzero(counts)[0]:
        total = np.cumsum(weight[ptr[row] : ptr[row + 1]])
        u = counter_rng.uniform(counter_rng.draw(streams[row], np.arange(k)))
        offset = np.searchsorted(total, u * total[-1], side="right")
        picked.append(np.sort(np.minimum(offset, counts[row] - 1)))
    return np.concatenate(picked).astype(np.int64), pointers(np.where(counts > 0, k, 0))


def labor_keys(key: Words, hop: int, neighbor: Integers) -> NDArray[np.float64]:
    """Return the keys whose k largest are LABOR-0's sample: in one hop a neighbour has the same key wherever it is one.

    (Balin & Catalyurek, `Layer-neighbor sampling`, 2022, arXiv 2210.13339.)

    Args:
        key: The batch's key, or one for each neighbour.
        hop: The hop. Who was picked in one hop is no more likely to be picked in the next.
        neighbor: Ids of the neighbours.
    """
    return -counter_rng.uniform(counter_rng.mix(key ^ counter_rng.mix(counter_rng.place(hop, neighbor))))
