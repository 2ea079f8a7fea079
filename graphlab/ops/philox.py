"""Random numbers that depend on a counter and a seed alone: the same on every backend, in every pass and order."""

import torch
from torch import Tensor

_WORD = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10


def philox(counter: list[Tensor], key: list[Tensor]) -> list[Tensor]:
    """Philox4x32-10 (Salmon et al., `Parallel random numbers: as easy as 1, 2, 3`, 2011) in 64-bit integers.

    Args:
        counter: Four words of 32 bits each, of shapes that broadcast.
        key: Two words of 32 bits.

    Returns:
        Four random words of 32 bits, as int64.
    """
    c0, c1, c2, c3 = counter
    key0, key1 = key
    for _ in range(_ROUNDS):
        # A product may reach the sign bit; its halves are right all the same.
        a, b = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1 = ((b >> 32) & _WORD) ^ c1 ^ key0, b & _WORD
        c2, c3 = ((a >> 32) & _WORD) ^ c3 ^ key1, a & _WORD
        key0, key1 = (key0 + _KEY_STEPS[0]) & _WORD, (key1 + _KEY_STEPS[1]) & _WORD
    return list(torch.broadcast_tensors(c0, c1, c2, c3))


def keep_mask(seed: Tensor, place: Tensor, heads: int, dropout: float) -> Tensor:
    r"""Draw which attention weights stay, and what they are multiplied by.

    .. math::
        m_{e,h} = \frac{[\,u_{e,h} \ge p\,]}{1 - p}, \qquad
        u_{e,h} = 2^{-32} \, \text{philox}(e, \lfloor h / 4 \rfloor)_{h \bmod 4}

    Args:
        seed: One integer.
        place: A number of its own for each edge.
        heads: The number of weights per edge.
        dropout: The probability of 0.

    Shapes:
        - **seed:** one element
        - **place:** ``(num_edges,)``
        - **output:** ``(num_edges, heads)``, float64
    """
    place, seed = place.long().unsqueeze(1), seed.reshape(())
    groups = torch.arange((heads + 3) // 4, device=place.device)
    words = philox([place & _WORD, place >> 32, groups, torch.zeros_like(groups)], [seed & _WORD, (seed >> 32) & _WORD])
    word = torch.stack(words, 2).view(place.size(0), 4 * groups.numel())[:, :heads]
    scale = 1 / (1 - dropout) if dropout < 1 else 0.0
    return (word >= int(dropout * 2**32)) * torch.tensor(scale, dtype=torch.float64, device=place.device)
