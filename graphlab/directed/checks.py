"""Refusals that several networks of this room share."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn


def one_of(name: str, value: str, choices: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``choices``.

    Args:
        name: The argument that it came as.
        value: What came.
        choices: The strings that are allowed.

    Raises:
        ValueError: It is not.
    """
    allowed = tuple(choices)
    if value not in allowed:
        raise ValueError(f"'{name}' must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    return value


def at_least(name: str, value: int, least: int) -> int:
    """Return ``value`` if it is no smaller than ``least``.

    Args:
        name: The argument that it came as.
        value: What came.
        least: The smallest value allowed.

    Raises:
        ValueError: It is smaller.
    """
    if value < least:
        raise ValueError(f"'{name}' must be at least {least}, got {value}")
    return value


def finite(name: str, value: float) -> float:
    """Return ``value`` if it is a finite number.

    Args:
        name: The argument that it came as.
        value: What came.

    Raises:
        ValueError: It is not.
    """
    if not math.isfinite(value):
        raise ValueError(f"'{name}' must be a finite number, got {value}")
    return value


def share_to_drop(dropout: float) -> float:
    """Return ``dropout`` if it leaves something.

    Args:
        dropout: Fraction of hidden units dropped while training.

    Raises:
        ValueError: It is not in [0, 1).
    """
    if not 0 <= dropout < 1:
        raise ValueError(f"'dropout' must be in [0, 1), got {dropout}")
    return dropout


def hidden_widths(in_channels: int, hidden_channels: int, num_layers: int) -> list[int]:
    """Give the widths before, between and behind layers, the last as wide as the others.

    Args:
        in_channels: Width of ``x``.
        hidden_channels: Width of the layers.
        num_layers: Number of layers.

    Raises:
        ValueError: There is no layer, or a layer has no width.
    """
    at_least("num_layers", num_layers, 1)
    return [in_channels] + [at_least("hidden_channels", hidden_channels, 1)] * num_layers


def check_features(x: Tensor, channels: int, network: nn.Module) -> None:
    """Refuse node features of another width or type of number.

    Args:
        x: Node features.
        channels: The width expected.
        network: What is to read them.

    Raises:
        ValueError: ``x`` is no matrix of that width, or holds other numbers than the parameters do.
    """
    if x.dim() != 2 or x.size(1) != channels:
        raise ValueError(
            f"'x' must have shape (num_nodes, {channels}), got {tuple(x.shape)}; "
            f"build the layer with in_channels={x.size(-1) if x.dim() else 1}"
        )
    check_numbers("x", x, network)


def check_numbers(name: str, x: Tensor, network: nn.Module) -> None:
    """Refuse features of another type of number.

    Args:
        name: The argument that they came as.
        x: The features.
        network: What is to read them.

    Raises:
        ValueError: They are not what the parameters are.
    """
    expected = next((p.dtype for p in network.parameters()), x.dtype)
    # What is sparse is converted as it is read, and under autocast everything is.
    converted = x.layout != torch.strided or torch.is_autocast_enabled(x.device.type)
    if not x.is_floating_point() or not (converted or x.dtype == expected):
        raise ValueError(
            f"'{name}' must hold {expected} as the parameters do, got {x.dtype}; convert with .to({expected})"
        )


def check_heads(channels: int, heads: int) -> None:
    """Refuse a number of heads that does not divide the width.

    Args:
        channels: The width of all heads together.
        heads: How many there are.

    Raises:
        ValueError: The width cannot be shared out.
    """
    if heads < 1 or channels % heads:
        raise ValueError(f"'heads' must divide the width of {channels}, got {heads}; take another 'hidden_channels'")
