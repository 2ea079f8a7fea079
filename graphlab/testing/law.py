"""What all laws share: how a breach is measured and how it is told."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")

#: Largest relative error, by precision, where a law says that nothing changes.
BOUND: Mapping[torch.dtype, float] = MappingProxyType({torch.float64: 1e-12, torch.float32: 1e-6})


@dataclass(frozen=True)
class Law:
    """One law held against one module or op; every message it raises names both.

    Args:
        name: Name of the law, as `exclude` takes it.
        subject: The module or op, as its `repr` prints it.
    """

    name: str
    subject: str

    def run(self, given: str, call: Callable[[], T]) -> T:
        """Return `call()`; an error it raises breaks the law.

        Raises:
            AssertionError: The call raised.
        """
        try:
            return call()
        except Exception as error:
            saw = f"it raised {headline(error)}"
            raise AssertionError(self._tell(given, saw, "it works")) from error

    def holds(self, condition: bool, given: str, saw: str, expected: str) -> None:
        """Check a yes-or-no statement.

        Raises:
            AssertionError: The condition is false.
        """
        if not condition:
            raise AssertionError(self._tell(given, saw, expected))

    def close(self, given: str, actual: Tensor, expected: Tensor, bound: float) -> None:
        """Check that two results are equal up to a relative error.

        Raises:
            AssertionError: The shapes differ, or :func:`relative_error` is above the bound.
        """
        shapes = f"a result of shape {list(actual.shape)}", f"shape {list(expected.shape)}"
        self.holds(actual.shape == expected.shape, given, *shapes)
        error = relative_error(actual, expected)
        self.holds(error <= bound, given, f"error {error:.3g}", f"error <= bound {bound:.3g}")

    def _tell(self, given: str, saw: str, expected: str) -> str:
        return f"{self.subject} breaks the law '{self.name}'. Input: {given}. Saw: {saw}. Expected: {expected}."


def headline(error: Exception) -> str:
    """Give type and first line of an error; torch.compile's run to a hundred lines.

    Args:
        error: The error.
    """
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"


def relative_error(actual: Tensor, expected: Tensor) -> float:
    r"""Largest relative error of a row, without a scale to choose.

    .. math::
        \max_i \frac{\|a_i - b_i\|}{\max(\|b_i\|,\; \mathrm{rms}_j \|b_j\|)}

    A row that is small or zero is held against the typical row. Equal infinities are no error; a
    NaN on either side is an infinite one.

    Args:
        actual: The result to judge.
        expected: The result to judge it by.

    Shapes:
        actual: `(*, F)`; expected: the same.

    Returns:
        The error; 0 for empty tensors.
    """
    if expected.numel() == 0:
        return 0.0
    a, b = _rows(actual), _rows(expected)
    difference = torch.where(a == b, torch.zeros_like(b), a - b).norm(dim=-1)
    size = torch.where(b.isfinite(), b, torch.zeros_like(b)).norm(dim=-1)
    scale = size.maximum(size.square().mean().sqrt())
    error = torch.where(difference == 0, difference, difference / scale)
    return error.nan_to_num(nan=torch.inf, posinf=torch.inf).max().item()


def _rows(x: Tensor) -> Tensor:
    x = x.detach().to("cpu", torch.float64)
    return x.reshape(-1, x.size(-1)) if x.dim() > 0 else x.reshape(1, 1)


def hold_all(laws: Mapping[str, Callable[[], None]], exclude: Collection[str]) -> None:
    """Run every law that is not excluded, and tell all the broken ones at once.

    Args:
        laws: The laws by name.
        exclude: Names of laws that are not asked.

    Raises:
        AssertionError: At least one law is broken.
        ValueError: `exclude` names something that is no law.
    """
    unknown = sorted(set(exclude) - laws.keys())
    if unknown:
        raise ValueError(f"'exclude' got {unknown}, which are no laws; laws are {', '.join(laws)}")
    asked = [name for name in laws if name not in exclude]
    broken = []
    for name in asked:
        try:
            laws[name]()
        except AssertionError as error:
            broken.append(error)
    if broken:
        told = "\n".join(f"- {error}" for error in broken)
        raise AssertionError(f"{len(broken)} of {len(asked)} laws are broken:\n{told}") from broken[0]
