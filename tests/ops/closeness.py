"""How far a result may be from its formula."""

import torch
from torch import Tensor

from tests.ops.cases import Case
from tests.ops.specimens import Specimen

#: Of one term of a sum of normal numbers; float32's own is 6e-8.
_PER_TERM = {torch.float64: 1e-10, torch.float32: 1e-6, torch.bfloat16: 1e-6}
#: Half the distance between neighbours in bfloat16 is 2 ** -9; a result may be rounded to the second nearest.
_ROUNDING = 2**-8


def check(results: tuple, expected: tuple, specimen: Specimen, case: Case) -> None:
    """Fail where a result is not what the formula says, in value, type or shape.

    Args:
        results: What the op gave.
        expected: What the formula gave; ``None`` for what it does not say.
        specimen: The op.
        case: The case.
    """
    assert len(results) == len(expected)
    for at, (got, want) in enumerate(zip(results, expected, strict=True)):
        if want is None:
            continue
        assert got.shape == want.shape, f"result {at} has shape {tuple(got.shape)}, not {tuple(want.shape)}"
        if not want.is_floating_point():
            assert got.dtype == want.dtype
            assert torch.equal(got, want), f"result {at} differs"
            continue
        assert got.is_floating_point()
        worst = float((excess(got, want, specimen, case)).max()) if got.numel() else 0.0
        assert worst <= 1, f"result {at} is off by {worst:.3g} times what it may be"


def excess(got: Tensor, want: Tensor, specimen: Specimen, case: Case) -> Tensor:
    """Return the error in units of what it may be.

    Args:
        got: A result.
        want: What the formula says.
        specimen: The op.
        case: The case.
    """
    # A sum of n random numbers is about sqrt(n) and has passed through n roundings of that size.
    terms = max(case.edges.largest_degree, case.d)
    bound = specimen.slack * _PER_TERM[case.dtype] * terms**0.5 * (1 + want.abs())
    if case.dtype == torch.bfloat16:
        bound = bound + specimen.low_slack * _ROUNDING * (want.abs() + (specimen.low_slack > 1))
    difference = (got.detach().double() - want.detach()).abs()
    # The same infinity, or nan twice, is no difference.
    same = (got.double() == want) | (got.isnan() & want.isnan())
    return torch.where(same, 0.0, torch.nan_to_num(difference / bound, nan=torch.inf, posinf=torch.inf))
