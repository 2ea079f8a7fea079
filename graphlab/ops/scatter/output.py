"""Writing into tensors that the user gives."""

import torch
from torch import Tensor


def check_out(src: Tensor, out: Tensor, dim: int) -> int:
    """Return how many groups a given result has room for.

    Args:
        src: The elements.
        out: The given result.
        dim: The dimension along which elements are grouped.

    Raises:
        ValueError: ``out`` differs from ``src`` in type, or in shape outside of ``dim``.
    """
    dim %= max(src.dim(), 1)
    fits = out.dim() == src.dim() and all(out.size(i) == src.size(i) for i in range(src.dim()) if i != dim)
    if not fits or out.dtype != src.dtype:
        raise ValueError(
            f"'out' must be {src.dtype} of the shape of 'src', {tuple(src.shape)}, but for dim {dim}, got {out.dtype} "
            f"of shape {tuple(out.shape)}"
        )
    return out.size(dim)


def keep_better(out: Tensor, found: Tensor, arg: Tensor, reduce: str, nobody: int) -> tuple[Tensor, Tensor]:
    """Let extrema replace what is in ``out`` where they are better.

    Args:
        out: The given result; it is changed.
        found: The extrema of the groups.
        arg: Where they stand; ``nobody`` for empty groups.
        reduce: ``"min"`` or ``"max"``.
        nobody: Stands for what was in ``out`` already.
    """
    held = out.clone()
    worse = found <= held if reduce == "max" else found >= held
    wins = (arg != nobody) & ~worse & (held == held)
    out.copy_(torch.where(wins, found, held))
    return out, torch.where(wins, arg, nobody)
