import torch

from graphlab.models import make_aggregation


def test_it_holds_the_four_statistics_at_three_scales():
    aggr = make_aggregation("pna(typical_size=3)", 1)
    x, index = torch.tensor([[1.0], [5.0], [6.0], [2.0]]), torch.tensor([0, 0, 0, 1])
    wide = aggr.aggr(x, index, dim_size=2)
    assert torch.allclose(wide[0, :3], torch.tensor([4.0, 1.0, 6.0]))
    assert torch.allclose(wide[0, 3], x[:3].std(unbiased=False), atol=1e-3)
    # A group of the typical size is at scale one.
    assert torch.allclose(wide[0, :4], wide[0, 4:8]) and torch.allclose(wide[0, :4], wide[0, 8:])
    scale = torch.log(torch.tensor(2.0)) / torch.log(torch.tensor(4.0))
    assert torch.allclose(wide[1, 4:7], wide[1, :3] * scale) and torch.allclose(wide[1, 8:11], wide[1, :3] / scale)


def test_its_normaliser_is_learned_and_its_size_kept():
    aggr = make_aggregation("pna", 4)
    out = aggr(torch.randn(5, 4), torch.tensor([0, 0, 1, 1, 1]), dim_size=2)
    out.sum().backward()
    assert out.shape == (2, 4) and aggr.aggr.avg_deg_log.grad.abs() > 0 and aggr.lin.weight.grad is not None
