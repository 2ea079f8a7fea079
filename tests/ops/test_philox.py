import pytest
import torch

from graphlab.ops.philox import keep_mask, philox

SEED = torch.tensor([1234567890123456789])


def test_philox_gives_the_published_words():
    zero, ones = torch.tensor(0), torch.tensor(0xFFFFFFFF)
    words = [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert [int(w) for w in philox([zero] * 4, [zero] * 2)] == words
    words = [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]
    assert [int(w) for w in philox([ones] * 4, [ones] * 2)] == words


@pytest.mark.parametrize("dropout", [0.1, 0.5, 0.9])
def test_the_mask_drops_as_often_as_it_is_told(dropout):
    count, heads = 20_000, 6
    mask = keep_mask(SEED, torch.arange(count), heads, dropout)
    share = (mask == 0).double()
    assert mask.unique().tolist() == [0.0, 1 / (1 - dropout)]
    sigma = (dropout * (1 - dropout)) ** 0.5
    assert (share.mean(0) - dropout).abs().max() <= 5 * sigma / count**0.5
    # Heads, neighbours in order and seeds do not know of each other.
    centred = (share - dropout) / sigma
    assert (centred.T @ centred / count - torch.eye(heads)).abs().max() <= 5 * 2**0.5 / count**0.5
    assert (centred[1:] * centred[:-1]).mean().abs() <= 5 / (count * heads) ** 0.5
    other = (keep_mask(SEED + 1, torch.arange(count), heads, dropout) == 0).double()
    assert ((other - dropout) / sigma * centred).mean().abs() <= 5 / (count * heads) ** 0.5


def test_places_past_32_bits_draw_masks_of_their_own():
    place = torch.arange(1000)
    assert not keep_mask(SEED, place, 4, 0.5).equal(keep_mask(SEED, place + 2**32, 4, 0.5))
