"""Laws of the order of seeds."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from graphlab.ops import kernels, seed_permutation, use_backend

backends = pytest.mark.parametrize("backend", ["auto", "ref"])
SIZES = [0, 1, 2, 3, 4, 7, 255, 256, 257, 1000, 65535, 65536, 65537]
slow_ref = pytest.mark.skipif(bool(kernels.missing("_C")), reason="the reference gives the same values, but slowly")
#: A fair permutation fails one test in a million.
RARE = 1e-6


@backends
@pytest.mark.parametrize("n", SIZES)
def test_it_is_a_permutation(backend, n):
    with use_backend(backend):
        values = seed_permutation(n, seed=5, epoch=2)
    assert values.dtype == torch.int64 and torch.equal(values.sort().values, torch.arange(n))


WORDS = st.integers(-(2**63), 2**64 - 1)


@backends
@given(st.integers(0, 300), WORDS, st.integers(0, 2**63), st.data())
def test_a_stretch_is_that_of_the_whole(backend, n, seed, epoch, data):
    start = data.draw(st.integers(0, n))
    stop = data.draw(st.integers(start, n))
    with use_backend(backend):
        assert torch.equal(seed_permutation(n, seed, epoch, start, stop), seed_permutation(n, seed, epoch)[start:stop])
        assert torch.equal(seed_permutation(n, seed, epoch, start), seed_permutation(n, seed, epoch)[start:])


@given(st.integers(1, 2**63 - 1), WORDS, st.integers(0, 100), st.data())
def test_the_kernel_equals_the_reference_at_any_size(n, seed, epoch, data):
    start = data.draw(st.integers(0, n - 1))
    stretch = start, min(n, start + 20)
    with use_backend("ref"):
        wanted = seed_permutation(n, seed, epoch, *stretch)
    assert torch.equal(seed_permutation(n, seed, epoch, *stretch), wanted)
    assert (wanted >= 0).all() and (wanted < n).all()


@backends
def test_values_do_not_change(backend):
    with use_backend(backend):
        assert seed_permutation(7, seed=1, epoch=3).tolist() == [3, 6, 1, 5, 4, 2, 0]
        assert seed_permutation(10**12, seed=2**64 - 1, epoch=0, start=10**11, stop=10**11 + 2).tolist() == [
            142915052552,
            187592911936,
        ]


def written_out(n: int, seed: int, epoch: int, position: int) -> int:
    """The documented formula, in Python's integers."""
    word = 2**64 - 1

    def mix(z: int) -> int:
        z = (z + 0x9E3779B97F4A7C15) & word
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & word
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & word
        return z ^ z >> 31

    bits = max(8, math.ceil(math.log2(n)))
    half = (bits + bits % 2) // 2
    key = mix(seed ^ mix(epoch ^ mix(word)))
    while True:
        left, right = position >> half, position % 2**half
        for i in range(6):
            left, right = right, left ^ mix(mix(key ^ mix(i)) ^ right) % 2**half
        position = left << half | right
        if position < n:
            return position


@backends
@pytest.mark.parametrize("n", [1, 3, 256, 257, 1025, 10**6])
def test_values_are_those_of_the_formula(backend, n):
    with use_backend(backend):
        got = seed_permutation(n, seed=11, epoch=4, stop=min(n, 20)).tolist()
    assert got == [written_out(n, 11, 4, i) for i in range(len(got))]


def permutations(n: int, count: int) -> torch.Tensor:
    return torch.stack([seed_permutation(n, seed=9, epoch=e) for e in range(count)])


def unlikely(counts: torch.Tensor, freedom: int) -> float:
    expected = counts.double().mean()
    return float(chi2.sf(((counts - expected) ** 2 / expected).sum(), freedom))


@slow_ref
@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_all_permutations_of_a_few_items_are_equally_likely(n):
    codes = permutations(n, 20_000) @ n ** torch.arange(n)
    counts = codes.unique(return_counts=True)[1]
    assert len(counts) == math.factorial(n) and unlikely(counts, math.factorial(n) - 1) > RARE


@slow_ref
@pytest.mark.parametrize("n", [2, 3, 6, 7, 16, 17, 100])
def test_each_item_is_equally_likely_to_come_at_each_position(n):
    drawn = permutations(n, 10_000)
    counts = torch.stack([torch.bincount(column, minlength=n) for column in drawn.T])
    assert unlikely(counts, (n - 1) ** 2) > RARE


@slow_ref
@pytest.mark.parametrize("n", [5, 12, 40])
def test_pairs_of_neighbours_are_equally_likely(n):
    drawn = permutations(n, 20_000)
    counts = torch.bincount(drawn[:, 0] * n + drawn[:, 1], minlength=n * n).view(n, n)
    assert unlikely(counts[~torch.eye(n, dtype=torch.bool)], n * (n - 1) - 1) > RARE


def test_epochs_and_seeds_differ():
    orders = {tuple(seed_permutation(50, s, e).tolist()) for s in range(20) for e in range(20)}
    assert len(orders) == 400


def test_threads_change_nothing():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        many = seed_permutation(100_003, 1, 1)
        torch.set_num_threads(1)
        assert torch.equal(many, seed_permutation(100_003, 1, 1))
    finally:
        torch.set_num_threads(before)


@backends
def test_wrong_arguments_are_told(backend):
    with use_backend(backend):
        for n in (-1, 2**63):
            with pytest.raises(ValueError, match=rf"'n' must be a number of items, in \[0, 2\^63\), got {n}"):
                seed_permutation(n, 0, 0)
        for stretch in ((-1, 2), (2, 1), (0, 6)):
            with pytest.raises(ValueError, match=r"'start' and 'stop' must be ordered in \[0, 5\]"):
                seed_permutation(5, 0, 0, *stretch)
