"""One specimen per op: how to make its arguments, and what its results should be. Adding an op is adding one."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphlab.ops.op import Op, registered
from tests.ops.cases import Case, grid

Arguments = list[Any]


@dataclass(frozen=True)
class Specimen:
    """How to try an op.

    Args:
        op: Its name.
        arguments: Makes the arguments of the schema for a case.
        formula: The results in float64 from arguments in float64, written without the op; ``None`` for a result
            that is not checked. Plain torch, so that it can be differentiated.
        variants: What ``Case.variant`` goes through.
        placed: What ``Case.placed`` goes through.
        slack: How many times the usual bound a result in float32 may be off.
        low_slack: The same for bfloat16, where a result depends on rounded intermediate ones.
        integers: Whether the reference takes integer values too.
        differentiable: Positions of the arguments with derivatives; ``None`` for every tensor of reals.
        legal: Changes that the op takes, as ``argument: change`` of :mod:`tests.ops.nasty`.
        width: The ``d`` of cases where only the op's rules are checked, not its values.
        structure: The structure of those cases.
        plain_backward: Whether the backward pass is that of plain torch, which gathers, and traces each size anew.
    """

    op: str
    arguments: Callable[[Case], Arguments]
    formula: Callable[..., Any]
    variants: tuple[str, ...] = ("",)
    placed: tuple[bool, ...] = (False, True)
    slack: float = 1
    low_slack: float = 1
    integers: bool = True
    differentiable: tuple[int, ...] | None = None
    legal: frozenset[str] = frozenset()
    width: int = 3
    structure: str = "small"
    plain_backward: bool = False

    @property
    def grid(self) -> list[Case]:
        """The cases in which the op's values are checked."""
        return grid(self.variants, self.placed)

    @property
    def rules(self) -> list[Case]:
        """The cases in which the op's rules (derivatives, tracing, batching) are checked."""
        return [Case(variant, self.structure, d=self.width) for variant in self.variants]

    @property
    def registered(self) -> Op:
        """The op itself."""
        return next(op for op in registered() if op.name == self.op)

    def reals(self, args: Arguments) -> list[int]:
        """Return the positions of the arguments that have derivatives.

        Args:
            args: The arguments.
        """
        if self.registered.backward is None:
            return []
        at = range(len(args)) if self.differentiable is None else self.differentiable
        return [i for i in at if is_real(args[i])]

    def expected(self, args: Arguments) -> tuple:
        """Return the formula's results.

        Args:
            args: The arguments, in any precision.
        """
        return as_tuple(self.formula(*[a.double() if is_real(a) else a for a in args]))


def is_real(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def as_tuple(results: Any) -> tuple:
    return (results,) if isinstance(results, Tensor) else tuple(results)


def per_row(ptr: Tensor, row: Callable[[int, slice], Tensor], empty: Tensor) -> Tensor:
    """Stack a formula over rows.

    Args:
        ptr: The boundaries of the rows.
        row: Maps a row and its positions to a result.
        empty: The result without rows.
    """
    bounds = ptr.tolist()
    rows = [row(i, slice(bounds[i], bounds[i + 1])) for i in range(len(bounds) - 1)]
    return torch.stack(rows) if rows else empty


def gradients(formula: Callable[..., Tensor], inputs: list[Tensor], grad: Tensor) -> list[Tensor]:
    """Differentiate a formula of float64 tensors.

    Args:
        formula: Maps the inputs to one result.
        inputs: Where.
        grad: The gradient of the result.
    """
    own = [t.detach().clone().requires_grad_() for t in inputs]
    out = formula(*own)
    if not out.requires_grad:
        return [torch.zeros_like(t) for t in own]
    return list(torch.autograd.grad(out, own, grad, materialize_grads=True))


def _collect() -> dict[str, Specimen]:
    modules = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    return {specimen.op: specimen for module in modules for specimen in module.SPECIMENS}


SPECIMENS = _collect()
