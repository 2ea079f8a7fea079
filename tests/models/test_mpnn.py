import torch

from graphlab.models import MpnnConfig, PairConv, Problem, build

PROBLEM = Problem("multitask-regression", in_channels=2, out_channels=3, node_channels=4)


def path(nodes: int) -> torch.Tensor:
    there = torch.stack([torch.arange(nodes - 1), torch.arange(1, nodes)])
    return torch.cat([there, there.flip(0)], dim=1)


def test_the_layer_is_its_equation():
    torch.manual_seed(0)
    conv, x = PairConv(2, 3, "sum"), torch.randn(3, 2)
    edges = torch.tensor([[0, 2], [1, 1]])
    message = conv.before(torch.cat([x[1], x[0]])) + conv.before(torch.cat([x[1], x[2]]))
    expected = conv.mix(conv.after(torch.cat([x[1], message])))
    torch.testing.assert_close(conv(x, edges)[1], expected)


def test_news_travels_half_the_number_of_nodes():
    torch.manual_seed(0)
    net = build(MpnnConfig(), PROBLEM).double().eval()
    for nodes in (6, 9):
        x = torch.randn(nodes, 2, dtype=torch.float64)
        changed = x.clone()
        changed[0] += 1
        batch, edges = torch.zeros(nodes, dtype=torch.long), path(nodes)
        moved = (net(x, edges, batch, 1)[0] - net(changed, edges, batch, 1)[0]).abs().sum(dim=1)
        reached = (moved > 0).nonzero().max().item()
        assert reached == nodes // 2


def test_both_read_outs_are_right_in_a_batch_of_graphs_of_one_size():
    torch.manual_seed(0)
    net = build(MpnnConfig(), PROBLEM).double().eval()
    x, one = torch.randn(16, 2, dtype=torch.float64), path(8)
    two = torch.cat([one, torch.tensor([[0, 7], [7, 0]])], dim=1)  # a cycle
    batch = torch.arange(2).repeat_interleave(8)
    nodes, graphs = net(x, torch.cat([one, two + 8], dim=1), batch, 2)
    for number, edges in enumerate((one, two)):
        alone = net(x[batch == number], edges, batch[:8] * 0, 1)
        torch.testing.assert_close(alone[0], nodes[batch == number])
        torch.testing.assert_close(alone[1][0], graphs[number])
    assert nodes.shape == (16, 4)
    assert graphs.shape == (2, 3)
