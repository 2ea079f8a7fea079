"""Shuffling without a memory: any stretch of an epoch's order is computed alone."""

import numpy as np
import torch
from torch import Tensor

from graphlab.ops.counter_rng import Words, batch_key, mix, signed, words
from graphlab.ops.host_op import HostOp

_ROUNDS = 6
# On fewer bits than these the permutations of a few items are not equally likely.
_MIN_BITS = 8
# No batch has this number: the order of an epoch is independent of what is drawn for its batches.
_NO_BATCH = -1


def seed_permutation_ref(n: int, key: int, start: int, stop: int) -> Tensor:
    """The specification of :func:`seed_permutation`.

    Args:
        n: The number of items.
        key: The key of the permutation, int64.
        start: The first position.
        stop: One past the last.
    """
    half = np.uint64((max(_MIN_BITS, (n - 1).bit_length() if n else 0) + 1) // 2)
    round_keys = [mix(words(key) ^ mix(i)) for i in range(_ROUNDS)]
    values = np.arange(start, stop).astype(np.uint64)
    walking = np.arange(stop - start)
    while walking.size:
        values[walking] = _scramble(values[walking], round_keys, half)
        walking = walking[values[walking] >= np.uint64(n)]
    return torch.from_numpy(values.astype(np.int64))


def _scramble(values: Words, round_keys: list[Words], half: np.uint64) -> Words:
    """Permute numbers of ``2 half`` bits."""
    mask = (np.uint64(1) << half) - np.uint64(1)
    left, right = values >> half, values & mask
    for key in round_keys:
        left, right = right, left ^ (mix(key ^ right) & mask)
    return (left << half) | right


_seed_permutation = HostOp("seed_permutation", seed_permutation_ref)


def seed_permutation(n: int, seed: int, epoch: int, start: int = 0, stop: int | None = None) -> Tensor:
    r"""Return a stretch of the permutation of ``range(n)`` that ``seed`` and ``epoch`` name.

    Each value is a function of its position, so whoever needs a batch of an epoch computes that alone. A position goes
    through a Feistel network (Luby & Rackoff, `How to construct pseudorandom permutations`, 1988), a permutation of
    :math:`2b` bits, until it comes out below ``n``:

    .. math::
        (l, r) \mapsto (r,\; l \oplus \operatorname{mix}(k_i \oplus r) \bmod 2^b), \quad i = 0, \dots, 5, \qquad
        2b = \max(8, \lceil \log_2 n \rceil) \text{ rounded up to even}

    where :math:`l` are the upper bits, :math:`\operatorname{mix}` is the step of SplitMix64, and
    :math:`k_i = \operatorname{mix}(k \oplus \operatorname{mix}(i))` for :math:`k` = ``batch_key(seed, epoch, -1)``. The
    values will not change in later versions.

    Args:
        n: The number of items.
        seed: The seed, an integer of 64 bits.
        epoch: The epoch.
        start: The first position wanted.
        stop: One past the last one; by default ``n``.

    Returns:
        Values ``start`` to ``stop - 1`` of the permutation, int64.

    Shapes:
        - **output:** ``(stop - start,)``

    Raises:
        ValueError: ``n`` is negative, or the stretch does not lie in it.

    Example:
        >>> from graphlab.ops import seed_permutation
        >>> seed_permutation(10, seed=0, epoch=0).tolist()
        [2, 9, 4, 3, 7, 1, 0, 5, 8, 6]
        >>> seed_permutation(10, seed=0, epoch=0, start=4, stop=7).tolist()
        [7, 1, 0]
    """
    stop = n if stop is None else stop
    if not 0 <= n < 2**63:
        raise ValueError(f"'n' must be a number of items, in [0, 2^63), got {n}")
    if not 0 <= start <= stop <= n:
        raise ValueError(f"'start' and 'stop' must be ordered in [0, {n}], got {start} and {stop}")
    return _seed_permutation(n, signed(batch_key(seed, epoch, _NO_BATCH)), start, stop)
