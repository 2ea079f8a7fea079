import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from graphlab.train.axis import Axis, log_ticks, nice_ticks, tick_labels, widened

values = st.floats(-1e290, 1e290)


@given(values, values)
def test_ticks_are_few_inside_round_and_labelled_apart(a, b):
    low, high = widened(min(a, b), max(a, b))
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 7
    assert all(low <= tick <= high for tick in ticks) and ticks == sorted(ticks)
    step = ticks[1] - ticks[0]
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-4)
    assert min(abs(mantissa - m) for m in (1, 2, 2.5, 5, 10)) < 1e-2
    labels = tick_labels(ticks)
    assert len(set(labels)) == len(labels)
    assert all(
        math.isclose(float(label), tick, rel_tol=1e-2, abs_tol=1e-2 * step)
        for label, tick in zip(labels, ticks, strict=True)
    )


@given(st.floats(1e-200, 1e200), st.floats(100, 1e80))
def test_log_ticks_are_powers_of_ten_inside(low, ratio):
    high = low * ratio
    assume(high < 1e290)
    ticks = log_ticks(low, high)
    assert 2 <= len(ticks) <= 7
    assert all(low <= tick <= high for tick in ticks)
    labels = tick_labels(ticks)
    assert all(float(t) == pytest.approx(10 ** round(math.log10(float(t)))) for t in labels)


def test_ticks_a_person_would_choose():
    assert nice_ticks(0, 1) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert nice_ticks(1, 1000) == [200, 400, 600, 800, 1000]
    assert tick_labels(nice_ticks(95.4, 97.1)) == ["95.5", "96.0", "96.5", "97.0"]
    assert tick_labels([-0.2, -0.0, 0.2]) == ["-0.2", "0.0", "0.2"]


@given(values, values, st.floats(0, 1))
def test_linear_axis_maps_ends_to_ends_and_keeps_order(a, b, part):
    low, high = widened(min(a, b), max(a, b))
    axis = Axis(low, high, 300, 20)
    assert axis.place(low) == 300 and axis.place(high) == 20
    assert 20 - 1e-9 <= axis.place(low + part * (high - low)) <= 300 + 1e-9


def test_log_axis_halves_two_decades_at_the_middle_one():
    assert Axis(0.01, 1.0, 0, 100, log=True).place(0.1) == pytest.approx(50)
