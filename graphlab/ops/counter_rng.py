"""Random numbers of samplers: functions of (seed, epoch, batch, relation, hop, node), of no state and no order.

All arithmetic is on 64 bits and wraps around. ``cuda/counter_rng.h`` gives the same bits.
"""

from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Numbers as this file computes with them.
Words = NDArray[np.uint64]

_WORD = 0xFFFFFFFFFFFFFFFF
_HALF = np.uint64(0xFFFFFFFF)
_HALF_BITS = np.uint64(32)
_DRAW_STEP = np.uint64(0xD1342543DE82EF95)
#: Hops that one node's streams are kept apart for.
MAX_HOPS = 64


def words(x: Any) -> Words:
    """Return integers modulo 2^64.

    Args:
        x: An integer, or an array of them.

    Raises:
        TypeError: They are no integers.
    """
    if not isinstance(x, np.ndarray | np.generic):
        return np.array(index(x) & _WORD, np.uint64)
    if x.dtype.kind not in "iub":
        raise TypeError(f"random numbers are drawn for integers, got {x.dtype}")
    return np.asarray(x).astype(np.uint64)


def signed(word: int) -> int:
    """Return the int64 that has the bits of a 64-bit key, as ops take it.

    Args:
        word: The key, in [-2^63, 2^64).

    Raises:
        TypeError: The key is no integer.
        ValueError: It needs more than 64 bits.
    """
    word = _integer("key", word)
    if not -(2**63) <= word < 2**64:
        raise ValueError(f"'key' must be an integer of 64 bits, got {word}; take batch_key(seed, epoch, batch)")
    return (word + 2**63) % 2**64 - 2**63


def mix(z: Any) -> Words:
    """Return the step of SplitMix64 (Steele et al., `Fast splittable pseudorandom number generators`, 2014).

    Args:
        z: Integers.
    """
    with np.errstate(over="ignore"):
        z = words(z) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def batch_key(seed: int, epoch: int, batch: int) -> int:
    """Return the key that all numbers of one mini-batch derive from.

    Args:
        seed: The loader's seed.
        epoch: The epoch.
        batch: The batch's position in the epoch.

    Raises:
        TypeError: One of them is no integer.

    Example:
        >>> from graphlab.ops import batch_key
        >>> hex(batch_key(seed=1, epoch=2, batch=3))
        '0xd62a7f6e291fef64'
    """
    seed, epoch, batch = _integer("seed", seed), _integer("epoch", epoch), _integer("batch", batch)
    return int(mix(words(seed) ^ mix(words(epoch) ^ mix(batch))))


def _integer(name: str, value: Any) -> int:
    try:
        return index(value)
    except TypeError:
        raise TypeError(f"'{name}' must be an integer, got {value!r}") from None


def tree_key(key: Any, tree: Any) -> Words:
    """Return the keys of single trees of a disjoint batch.

    Args:
        key: The batch's key.
        tree: Positions of the trees' seeds in the batch.
    """
    with np.errstate(over="ignore"):
        return mix(words(key) ^ mix(words(tree) + np.uint64(1)))


def stream(key: Any, relation: int, hop: int, node: Any) -> Words:
    """Return the streams that nodes draw from.

    Args:
        key: The batch's key, or one for each node.
        relation: The position of the edge type; 0 in homogeneous graphs.
        hop: The hop, below :data:`MAX_HOPS`.
        node: Ids of the nodes.
    """
    return mix(words(key) ^ mix(place(hop, node) ^ mix(relation)))


def place(hop: int, node: Any) -> Words:
    """Return the words that tell nodes in some hop apart.

    Args:
        hop: The hop, below :data:`MAX_HOPS`.
        node: Ids of the nodes.
    """
    with np.errstate(over="ignore"):
        return words(node) * np.uint64(MAX_HOPS) + np.uint64(hop)


def draw(streams: Words, counter: Any) -> Words:
    """Return the number at some place of each stream.

    Args:
        streams: The streams.
        counter: The places, from 0.
    """
    with np.errstate(over="ignore"):
        return mix(streams + words(counter) * _DRAW_STEP)


def below(streams: Words, counter: NDArray[np.int64], bound: NDArray[np.int64]) -> NDArray[np.int64]:
    """Draw integers below bounds, each equally likely (Lemire, `Fast random integer generation in an interval`, 2019).

    Args:
        streams: The streams.
        counter: The place of the first number not used yet; moved on to the next.
        bound: The bounds, at least 1.
    """
    result = np.zeros(len(streams), np.int64)
    limits = words(bound)
    waiting = np.arange(len(streams))
    while waiting.size:
        limit = limits[waiting]
        high, low = _multiply(draw(streams[waiting], counter[waiting]), limit)
        counter[waiting] += 1
        with np.errstate(over="ignore"):
            accepted = low >= (np.uint64(0) - limit) % limit
        result[waiting[accepted]] = high[accepted].astype(np.int64)
        waiting = waiting[~accepted]
    return result


def _multiply(a: Words, b: Words) -> tuple[Words, Words]:
    """Return the upper and the lower word of the products."""
    with np.errstate(over="ignore"):
        a1, a0, b1, b0 = a >> _HALF_BITS, a & _HALF, b >> _HALF_BITS, b & _HALF
        left = a1 * b0 + ((a0 * b0) >> _HALF_BITS)
        right = a0 * b1 + (left & _HALF)
        return a1 * b1 + (left >> _HALF_BITS) + (right >> _HALF_BITS), a * b


def uniform(x: Words) -> NDArray[np.float64]:
    """Map random words to numbers in [0, 1).

    Args:
        x: The words.
    """
    return (x >> np.uint64(11)).astype(np.float64) * 2.0**-53


def log_uniform(x: Words) -> NDArray[np.float64]:
    r"""Map random words to logarithms of numbers in (0, 1].

    .. math::
        \log u = e \log 2 + 2 \sum_{i=0}^{11} \frac{s^{2 i + 1}}{2 i + 1}, \qquad
        u = 2^e m, \quad s = \frac{m - 1}{m + 1}, \quad \sqrt{1/2} \le m < \sqrt 2

    Libraries round their logarithms in different ways; sums and products have the same bits everywhere.

    Args:
        x: The words.
    """
    m, e = np.frexp(uniform(x) + 2.0**-54)
    low = m < 0.7071067811865476
    m, e = np.where(low, m + m, m), np.where(low, e - 1, e)
    s = (m - 1) / (m + 1)
    square, series = s * s, np.zeros_like(s)
    for odd in range(23, 0, -2):
        series = series * square + 1.0 / odd
    return e * 0.6931471805599453 + (s + s) * series
