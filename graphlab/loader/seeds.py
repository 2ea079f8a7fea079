"""Seeds of loaders, and keys of batches that know no number of their own."""

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphlab.ops import counter_rng


def drawn_seed(seed: int | None, generator: torch.Generator | None = None) -> int:
    """Return the seed that was asked for, or draw one.

    Args:
        seed: The seed; ``None`` to draw it.
        generator: What to draw from; torch's own by default.

    Raises:
        ValueError: The seed is no integer of 64 bits.
    """
    if seed is None:
        return int(torch.randint(2**63 - 1, (), generator=generator))
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not -(2**63) <= int(seed) < 2**64:
        raise ValueError(f"'seed' must be an integer of 64 bits or None, got {seed!r}")
    return int(seed)


def seed_hash(seed: Tensor | Mapping[str, Tensor]) -> int:
    r"""Return a number of 64 bits for the seed nodes of a batch, in their order.

    .. math::
        h(s) = m\Big(n \oplus \sum_{i < n} m(s_i \oplus m(i))\Big)

    where m is the step of SplitMix64; hashes of several node types are chained.

    Args:
        seed: The seed nodes, or those of each node type.

    Example:
        >>> import torch
        >>> seed_hash(torch.tensor([1, 2])) == seed_hash(torch.tensor([2, 1]))
        False
    """
    value = np.zeros(1, np.uint64)
    for nodes in seed.values() if isinstance(seed, Mapping) else (seed,):
        ids = nodes.numpy()
        places = counter_rng.mix(np.arange(len(ids)))
        total = counter_rng.mix(counter_rng.words(ids) ^ places).sum(keepdims=True, dtype=np.uint64)
        value = counter_rng.mix(value ^ counter_rng.mix(total ^ counter_rng.words(len(ids))))
    return int(value[0])


def loader_seed(seed: int | None, sampler: Any, options: Mapping[str, Any]) -> int:
    """Return the seed of a loader: as asked for, its sampler's, or drawn.

    Args:
        seed: The seed that was asked for.
        sampler: The sampler, if one was given.
        options: The loader's further arguments.

    Raises:
        ValueError: Several ranks share no seed.
    """
    if seed is None and options.get("world_size", 1) != 1:
        raise ValueError("'seed' must be given, the same one on all ranks, where 'world_size' is not 1, got None")
    return drawn_seed(getattr(sampler, "seed", None) if seed is None else seed, options.get("generator"))
