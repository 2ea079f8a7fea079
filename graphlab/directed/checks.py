"""Refusals that several networks of this room share."""

from collections.abc import Iterable


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


def check_dropout(dropout: float) -> float:
    """Return a fraction of units to drop if it is one.

    Args:
        dropout: The fraction.

    Raises:
        ValueError: It is not in [0, 1].
    """
    if not 0 <= dropout <= 1:
        raise ValueError(f"'dropout' must lie in [0, 1], got {dropout}")
    return dropout


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
