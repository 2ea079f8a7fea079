"""How our ops behave under mixed precision."""

from typing import Any

import torch


def in_float32(op: Any) -> None:
    """Let an op compute in float32 under autocast: states are carried over many steps, where low precision adds up.

    Args:
        op: What ``torch.library.custom_op`` returned.
    """
    for device in ("cpu", "cuda"):
        op.register_autocast(device, torch.float32)
