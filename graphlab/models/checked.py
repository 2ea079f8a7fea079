"""Dataclasses that refuse a value out of range: field, expectation and value are named."""

import math
from dataclasses import field, fields
from typing import Any


def number(
    default: float,
    *,
    at_least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> Any:
    """Declare a numeric dataclass field with its default and its range.

    Args:
        default: the value when none is given.
        at_least: the smallest value allowed.
        above: the value must be greater than this.
        below: the value must be smaller than this.
        at_most: the largest value allowed.
    """
    limits = {"at_least": at_least, "above": above, "below": below, "at_most": at_most}
    return field(default=default, metadata=limits)


class Checked:
    """Base of a dataclass whose :func:`number` fields are checked when an instance is made.

    Raises:
        ValueError: if a value is out of the range its field declares.
    """

    def __post_init__(self) -> None:
        """Check every field that declares a range."""
        for spec in fields(self):  # pyright: ignore[reportArgumentType]  # subclasses are dataclasses
            if spec.metadata:
                check_range(spec.name, getattr(self, spec.name), **spec.metadata)


def check_range(
    name: str,
    value: float,
    at_least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> None:
    """Refuse a number that is not finite or out of range; every bound is optional.

    Raises:
        ValueError: naming the field, what was expected and what came.
    """
    wanted = {"finite": math.isfinite(value)}
    if at_least is not None:
        wanted[f">= {at_least}"] = value >= at_least
    if above is not None:
        wanted[f"> {above}"] = value > above
    if below is not None:
        wanted[f"< {below}"] = value < below
    if at_most is not None:
        wanted[f"<= {at_most}"] = value <= at_most
    if not all(wanted.values()):
        expected = " and ".join(text for text, holds in wanted.items() if not holds)
        raise ValueError(f"{name}: expected a number {expected}, got {value}")
