from dataclasses import dataclass

import pytest

from graphlab.models.checked import Checked, number


@dataclass(frozen=True)
class Box(Checked):
    width: int = number(3, at_least=1)
    ratio: float = number(0.5, above=0, below=1)
    share: float = number(0.5, at_most=1)
    label: str = "any"


def test_values_inside_the_range_are_taken():
    assert Box(width=1, ratio=0.999).ratio == 0.999


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 0}, "width: expected a number >= 1, got 0"),
        ({"ratio": 0.0}, "ratio: expected a number > 0, got 0.0"),
        ({"ratio": 1.0}, "ratio: expected a number < 1, got 1.0"),
        ({"share": 1.5}, r"share: expected a number <= 1, got 1\.5"),
        ({"ratio": float("inf")}, "ratio: expected a number finite and < 1, got inf"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(values, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Box(**values)


def test_not_a_number_is_in_no_range():
    with pytest.raises(ValueError, match="ratio: expected a number finite"):
        Box(ratio=float("nan"))
