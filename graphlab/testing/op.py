"""The laws of an op: a function of tensors with a slow, readable reference beside it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from graphlab.testing.compilation import COMPILED, quiet_tracer
from graphlab.testing.gradients import NOISE
from graphlab.testing.groups import seeded
from graphlab.testing.law import BOUND, Law, hold_all, relative_error
from graphlab.testing.precision import DTYPES, ROUNDING

Op = Callable[..., Tensor | tuple[Tensor, ...]]
Sample = Sequence[Any]

#: Names of the laws of an op, as `exclude` takes them.
OP_LAWS = ("reference", "dtypes", "inputs", "determinism", "gradients", "compile", "schema")


@dataclass(frozen=True)
class OpTrial:
    """An op before a law.

    Args:
        law: The law, for messages.
        op: The op.
        reference: What it must be equal to.
        samples: Positional arguments of calls; floating point tensors in float64.
    """

    law: Law
    op: Op
    reference: Op
    samples: Sequence[Sample]

    def run(self, fn: Op, given: str, args: Sample) -> list[Tensor]:
        """Call and give the results as a list; what the call raises breaks the law."""
        out = self.law.run(given, lambda: fn(*args))
        return [out] if isinstance(out, Tensor) else list(out)

    def differentiate(self, fn: Op, given: str, args: Sample) -> list[Tensor]:
        """Call and differentiate by all floating point inputs; give results, then gradients."""
        leaves = [a.detach().clone().requires_grad_() if _is_float(a) else a for a in args]
        out = self.run(fn, given, leaves)
        inputs = [leaf for leaf in leaves if _is_float(leaf)]
        return [o.detach() for o in out] + self.law.run(f"{given}, backward", lambda: _gradients(out, inputs))


def check_op(
    op: Op,
    reference: Op,
    samples: Sequence[Sample],
    *,
    schema: Any = None,
    dtypes: Sequence[torch.dtype] = DTYPES,
    bound: Mapping[torch.dtype, float] = BOUND,
    backend: str = "aot_eager",
    exclude: Collection[str] = frozenset(),
) -> None:
    """Hold an op against every law; the reference is the specification.

    The laws are the names in `OP_LAWS`:

    - reference: results and gradients are those of the reference;
    - dtypes: results in low precision keep the dtype, and are at most twice as far from the float64 reference as
      the reference itself is in that precision;
    - inputs: no input is changed;
    - determinism: two runs give the same bits, forward and backward;
    - gradients: first and second derivatives are right in float64;
    - compile: `torch.compile(fullgraph=True)` has no break and changes no number;
    - schema: `torch.library.opcheck` passes, if there is a `schema`.

    Args:
        op: The op, from tensors and other arguments to a tensor or a tuple of tensors.
        reference: The same function, slow and readable.
        samples: Positional arguments of calls to try, an empty input among them. Floating point tensors are in
            float64 on the device to test; they are cast to each precision.
        schema: The registered custom op that `torch.library.opcheck` takes, called with the samples.
        dtypes: Precisions that must work.
        bound: Largest relative error to the reference by precision.
        backend: Backend of `torch.compile`.
        exclude: Names of laws that are not asked of this op.

    Raises:
        AssertionError: At least one law is broken; the message tells every broken one.
        ValueError: `exclude` names something that is no law.

    Example:
        >>> def double_sum(x):
        ...     return 2 * x.sum(0)
        >>> def double_sum_ref(x):
        ...     return sum(2 * row for row in x)
        >>> check_op(double_sum, double_sum_ref, [(torch.ones(3, 2, dtype=torch.float64),)])
    """
    name = getattr(op, "__name__", repr(op))
    laws: dict[str, Callable[[OpTrial], None]] = {
        "reference": partial(_check_reference, bound=bound),
        "dtypes": partial(_check_dtypes, dtypes=dtypes),
        "inputs": _check_inputs,
        "determinism": _check_determinism,
        "gradients": _check_gradients,
        "compile": partial(_check_compile, backend=backend),
        "schema": partial(_check_schema, schema=schema),
    }
    held = {law: partial(check, OpTrial(Law(law, name), op, reference, samples)) for law, check in laws.items()}
    hold_all(held, exclude)


def _is_float(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def _cast(args: Sample, dtype: torch.dtype) -> list[Any]:
    return [a.to(dtype) if _is_float(a) else a for a in args]


def _tell(args: Sample) -> str:
    told = (f"{list(a.shape)} {a.dtype}" if isinstance(a, Tensor) else repr(a) for a in args)
    return f"({', '.join(told)})"


def _weighted(out: list[Tensor]) -> Tensor:
    """A loss in which no two entries have the same weight."""
    parts = [(o * torch.linspace(0.5, 1.5, o.numel()).to(o).view_as(o)).sum() for o in out]
    return torch.stack(parts).sum()


def _gradients(out: list[Tensor], inputs: list[Tensor]) -> list[Tensor]:
    differentiable = [o for o in out if o.requires_grad]
    if not differentiable:
        return []
    return list(torch.autograd.grad(_weighted(differentiable), inputs, allow_unused=True, materialize_grads=True))


def _close_all(trial: OpTrial, given: str, actual: list[Tensor], expected: list[Tensor], bound: float) -> None:
    number = f"{len(actual)} results and gradients", f"{len(expected)}"
    trial.law.holds(len(actual) == len(expected), given, *number)
    for i, (a, b) in enumerate(zip(actual, expected, strict=True)):
        trial.law.close(f"{given}; result or gradient {i}", a, b, bound)


def _check_reference(trial: OpTrial, bound: Mapping[torch.dtype, float]) -> None:
    for sample in trial.samples:
        for dtype, limit in bound.items():
            args = _cast(sample, dtype)
            expected = trial.differentiate(trial.reference, f"{_tell(args)}, the reference", args)
            _close_all(trial, _tell(args), trial.differentiate(trial.op, _tell(args), args), expected, limit)


def _check_dtypes(trial: OpTrial, dtypes: Sequence[torch.dtype]) -> None:
    for sample in trial.samples:
        for dtype in dtypes:
            args = _cast(sample, dtype)
            given = _tell(args)
            # The truth starts from the same rounded numbers.
            truth = trial.run(trial.reference, f"{given} in float64", _cast(args, torch.float64))
            naive = trial.run(trial.reference, f"{given}, the reference", args)
            for a, b, n in zip(trial.run(trial.op, given, args), truth, naive, strict=True):
                trial.law.holds(a.dtype == n.dtype, given, f"a result in {a.dtype}", f"{n.dtype}")
                limit = max(2 * relative_error(n, b), ROUNDING * torch.finfo(dtype).eps)
                trial.law.close(f"{given}; against float64", a, b.to(a.dtype) if not _is_float(a) else b, limit)


def _check_inputs(trial: OpTrial) -> None:
    for sample in trial.samples:
        tensors = [a for a in sample if isinstance(a, Tensor)]
        before = [a.clone() for a in tensors]
        trial.run(trial.op, _tell(sample), sample)
        same = all(torch.equal(a, b) for a, b in zip(tensors, before, strict=True))
        trial.law.holds(same, _tell(sample), "inputs were changed", "inputs as they were")


def _check_determinism(trial: OpTrial) -> None:
    for sample in trial.samples:
        given = f"{_tell(sample)}, two runs"
        first, second = (trial.differentiate(trial.op, given, sample) for _ in range(2))
        _close_all(trial, given, second, first, 0.0)


def _check_gradients(trial: OpTrial) -> None:
    for sample in trial.samples:
        places = [i for i, a in enumerate(sample) if _is_float(a)]

        def call(*leaves: Tensor, sample: Sample = sample, places: list[int] = places) -> Tensor:
            args = list(sample)
            for place, leaf in zip(places, leaves, strict=True):
                args[place] = leaf
            return _weighted([o for o in trial.run(trial.op, _tell(args), args) if _is_float(o)])

        leaves = tuple(sample[i].detach().clone().requires_grad_() for i in places)
        for order, check in (("first", gradcheck), ("second", gradgradcheck)):
            given = f"{_tell(sample)}; {order} derivatives"
            with seeded(0):  # the fast mode projects onto random vectors
                _derivatives_right(trial.law, given, check, call, leaves)


def _derivatives_right(law: Law, given: str, check: Callable[..., bool], call: Op, leaves: Sample) -> None:
    law.run(given, lambda: check(call, leaves, nondet_tol=NOISE, fast_mode=True))


def _check_compile(trial: OpTrial, backend: str) -> None:
    torch.compiler.reset()
    compiled = torch.compile(trial.op, fullgraph=True, backend=backend)
    for sample in trial.samples:
        given = f"{_tell(sample)}; torch.compile(fullgraph=True, backend='{backend}')"
        expected = trial.differentiate(trial.op, _tell(sample), sample)
        with quiet_tracer():
            actual = trial.differentiate(compiled, given, sample)
        _close_all(trial, given, actual, expected, COMPILED[torch.float64])
    torch.compiler.reset()


def _check_schema(trial: OpTrial, schema: Any) -> None:
    if schema is None:
        return
    for sample in trial.samples:
        args = tuple(a.detach().clone().requires_grad_() if _is_float(a) else a for a in sample)
        trial.law.run(f"{_tell(sample)}; opcheck", lambda args=args: torch.library.opcheck(schema, args))
