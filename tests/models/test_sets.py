import torch

from graphlab.models import BitEmbedding, Problem, SetConfig, build


def test_the_embedding_sums_one_vector_per_bit():
    torch.manual_seed(0)
    embed = BitEmbedding(4, 3)
    bits = [1, 0, 1, 1]  # 11, the highest first
    expected = sum(embed.one[i] if bit else embed.zero[i] for i, bit in enumerate(bits))
    torch.testing.assert_close(embed(torch.tensor([11]))[0], expected)


def test_every_integer_has_its_own_embedding():
    torch.manual_seed(0)
    table = BitEmbedding(8, 16)(torch.arange(256))
    assert torch.cdist(table, table).add(torch.eye(256)).min() > 1e-3


def test_a_set_is_answered_alone_as_among_others_and_an_empty_one_too():
    torch.manual_seed(0)
    net = build(SetConfig(hidden_channels=16, aggr="max"), Problem("set", 8, 8))
    values, ptr = torch.tensor([7, 9, 200, 3, 3]), torch.tensor([0, 2, 2, 5])
    together = net(values, ptr)
    torch.testing.assert_close(net(values[2:], torch.tensor([0, 3]))[0], together[2])
    torch.testing.assert_close(net(values[:0], torch.tensor([0, 0]))[0], together[1])


def test_the_order_within_a_set_is_no_matter_to_a_commutative_aggregator():
    torch.manual_seed(0)
    net = build(SetConfig(hidden_channels=16, aggr="sum"), Problem("set", 8, 8))
    ptr = torch.tensor([0, 4])
    there, back = net(torch.tensor([1, 2, 3, 4]), ptr), net(torch.tensor([4, 3, 2, 1]), ptr)
    torch.testing.assert_close(there, back)
