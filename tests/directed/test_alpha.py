import pytest
import torch

from graphlab.directed.alpha import Alpha


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_value_outside_its_range_is_refused(value):
    with pytest.raises(ValueError, match="'alpha' must be between 0"):
        Alpha(value)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_end_of_the_range_cannot_be_learned(value):
    with pytest.raises(ValueError, match="'alpha' must start between 0 and 1 to be learned"):
        Alpha(value, learn=True)


def test_learned_and_fixed_start_alike():
    out, into = torch.rand(2, 3, 4, dtype=torch.float64)
    fixed, learned = Alpha(0.3).mix(out, into), Alpha(0.3, learn=True).double().mix(out, into)
    torch.testing.assert_close(fixed, 0.3 * out + 0.7 * into)
    torch.testing.assert_close(learned, fixed, rtol=1e-6, atol=1e-6)


def test_the_learned_weight_stays_between_0_and_1_and_starts_again():
    alpha = Alpha(0.25, learn=True)
    assert alpha.logit is not None
    with torch.no_grad():
        alpha.logit += 5
    assert 0.9 < float(alpha.current().detach()) < 1
    alpha.reset_parameters()
    assert float(alpha.current().detach()) == pytest.approx(0.25)


def test_repr_says_what_it_is():
    assert repr(Alpha(0.5)) == "Alpha(0.5)"
    assert repr(Alpha(0.5, learn=True)) == "Alpha(0.5, learned)"
