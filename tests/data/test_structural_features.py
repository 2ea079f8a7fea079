import pytest
import torch

from graphlab.data.structural_features import structural_features

EDGES = torch.tensor([[0, 0, 2, 2], [1, 2, 2, 0]])


def test_degrees_are_out_then_in() -> None:
    x = structural_features("degree", EDGES, 4)
    assert x.dtype == torch.float32
    torch.testing.assert_close(x.exp() - 1, torch.tensor([[2.0, 1], [0, 1], [2, 2], [0, 0]]))
    torch.testing.assert_close(structural_features("degree", EDGES.flip(0), 4), x.flip(1))


def test_random_numbers_are_always_the_same() -> None:
    x = structural_features("random", EDGES, 4)
    assert x.shape == (4, 1)
    torch.testing.assert_close(x.flatten(), torch.tensor([1.76405, 0.40016, 0.97874, 2.24089]), rtol=0, atol=1e-5)


def test_random_numbers_of_another_seed_are_others() -> None:
    assert not torch.equal(*(structural_features("random", EDGES, 4, seed=seed) for seed in (0, 1)))


def test_one_hot_is_the_identity_of_small_graphs() -> None:
    assert torch.equal(structural_features("onehot", EDGES, 4), torch.eye(4))
    with pytest.raises(ValueError, match="20,000 nodes or fewer, got 20,001; use 'degree'"):
        structural_features("onehot", EDGES, 20_001)


def test_others_are_refused() -> None:
    with pytest.raises(ValueError, match="features must be one of 'degree', 'random', 'onehot', got 'words'"):
        structural_features("words", EDGES, 4)  # pyright: ignore[reportArgumentType]
