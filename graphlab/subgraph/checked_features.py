"""Features of nodes, once they are found fit for a network."""

import torch
from torch import Tensor


def checked_features(x: Tensor, channels: int, dtype: torch.dtype) -> Tensor:
    """Return node features if they are what parameters can be applied to.

    Args:
        x: Node features.
        channels: The width expected.
        dtype: What the parameters hold.

    Shapes:
        - **x, output:** ``(num_nodes, channels)``

    Raises:
        ValueError: They have another shape or hold other numbers.
    """
    if x.dim() != 2 or x.size(1) != channels:
        raise ValueError(
            f"'x' must have shape (num_nodes, {channels}), got {tuple(x.shape)}; "
            f"build the network with in_channels={x.size(-1) if x.dim() else 1}"
        )
    if not x.is_floating_point() or not (x.dtype == dtype or torch.is_autocast_enabled(x.device.type)):
        raise ValueError(f"'x' must hold {dtype} as the parameters do, got {x.dtype}; convert with .to({dtype})")
    return x
