"""The precision in which values of low precision are added up."""

import torch
from torch import Tensor


def wide_dtype(x: Tensor) -> torch.dtype:
    """Name the precision of sums over values like these: float32 for half precision, their own otherwise.

    Args:
        x: The values.
    """
    return torch.float32 if x.dtype in (torch.bfloat16, torch.float16) else x.dtype


def widened(x: Tensor) -> Tensor:
    """Convert values to the precision of their sums.

    Args:
        x: The values.
    """
    return x.to(wide_dtype(x))
