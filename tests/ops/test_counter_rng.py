import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.ops import batch_key, counter_rng

WORD = 2**64 - 1
integers = st.integers(0, WORD)


def plain_mix(z):
    z = (z + 0x9E3779B97F4A7C15) & WORD
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return z ^ (z >> 31)


def test_mix_gives_the_published_numbers_of_splitmix64():
    assert int(counter_rng.mix(0)) == 0xE220A8397B1DCDAF
    assert int(counter_rng.mix(0x9E3779B97F4A7C15)) == 0x6E789E6AA1B965F4


@given(integers, integers, integers)
def test_keys_are_those_of_plain_integers(seed, epoch, batch):
    key = batch_key(seed, epoch, batch)
    assert key == plain_mix(seed ^ plain_mix(epoch ^ plain_mix(batch)))
    assert int(counter_rng.tree_key(key, batch)) == plain_mix(key ^ plain_mix((batch + 1) & WORD))


@given(integers, st.integers(0, 9), st.integers(0, 63), st.integers(0, 2**62), st.integers(0, 2**62))
def test_draws_are_those_of_plain_integers(key, relation, hop, node, counter):
    place = (node * 64 + hop) & WORD
    stream = plain_mix(key ^ plain_mix(place ^ plain_mix(relation)))
    streams = counter_rng.stream(key, relation, hop, np.array([node]))
    assert streams.tolist() == [stream]
    drawn = plain_mix((stream + counter * 0xD1342543DE82EF95) & WORD)
    assert counter_rng.draw(streams, np.array([counter])).tolist() == [drawn]


@given(st.lists(st.tuples(integers, st.integers(1, 2**63 - 1)), min_size=1, max_size=9))
def test_bounded_draws_reject_what_would_favour_some(cases):
    streams = np.array([s for s, _ in cases], np.uint64)
    counter = np.zeros(len(cases), np.int64)
    got = counter_rng.below(streams, counter, np.array([bound for _, bound in cases]))
    for (stream, bound), result, used in zip(cases, got.tolist(), counter.tolist(), strict=True):
        for c in itertools.count():
            product = plain_mix((stream + c * 0xD1342543DE82EF95) & WORD) * bound
            if product & WORD >= 2**64 % bound:
                break
        assert (result, used) == (product >> 64, c + 1) and result < bound


def test_streams_do_not_meet():
    seen = {
        int(s)
        for relation, hop in itertools.product(range(5), range(8))
        for s in counter_rng.stream(batch_key(0, 0, 0), relation, hop, np.arange(100))
    }
    keys = {batch_key(*place) for place in itertools.product(range(8), repeat=3)}
    assert len(seen) == 5 * 8 * 100 and len(keys) == 512


@given(integers)
def test_uniform_numbers_and_their_logarithms(x):
    u = float(counter_rng.uniform(np.array([x], np.uint64))[0])
    assert 0 <= u < 1 and u == (x >> 11) / 2**53
    log = float(counter_rng.log_uniform(np.array([x], np.uint64))[0])
    assert abs(log - math.log(u + 2.0**-54)) <= 4 * math.ulp(abs(log)) and log <= 0


@pytest.mark.parametrize("x", [0, 1, 2**11, WORD >> 1, (WORD >> 1) + 1, WORD - 2**11, WORD])
def test_logarithms_at_the_ends(x):
    exact = math.log((x >> 11) / 2**53 + 2.0**-54)
    assert counter_rng.log_uniform(np.array([x], np.uint64))[0] == pytest.approx(exact, rel=1e-15, abs=0)


def test_integers_of_any_library_give_the_same_keys():
    for wrap in (np.int64, np.uint8, torch.tensor, np.array):
        assert batch_key(wrap(3), wrap(2), wrap(1)) == batch_key(3, 2, 1)
        assert counter_rng.signed(wrap(3)) == 3


@pytest.mark.parametrize("wrong", [1.5, 1.0, "1", None, np.float64(1), np.array([1, 2]), torch.tensor(1.0)])
def test_what_is_no_integer_is_told(wrong):
    for name in ("seed", "epoch", "batch"):
        with pytest.raises(TypeError, match=f"'{name}' must be an integer, got"):
            batch_key(**({"seed": 0, "epoch": 0, "batch": 0} | {name: wrong}))
    with pytest.raises(TypeError, match="'key' must be an integer, got"):
        counter_rng.signed(wrong)


@pytest.mark.parametrize("wrong", [1.5, np.float32(1), np.array([1.5])])
def test_words_are_integers(wrong):
    with pytest.raises(TypeError):
        counter_rng.words(wrong)


def test_keys_beyond_64_bits_are_told():
    assert counter_rng.signed(WORD) == -1 and counter_rng.signed(-(2**63)) == -(2**63) and counter_rng.signed(5) == 5
    for key in (2**64, -(2**63) - 1):
        with pytest.raises(ValueError, match="'key' must be an integer of 64 bits"):
            counter_rng.signed(key)
