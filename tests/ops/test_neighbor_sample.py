import torch

from graphlab.ops import neighbor_sample


def cycle(size):
    node = torch.arange(size)
    return torch.arange(0, 2 * size + 1, 2), torch.stack([(node - 1) % size, (node + 1) % size], 1).view(-1)


def test_a_cycle_gives_the_contract_s_values():
    rowptr, col = cycle(6)
    row, col, node, edge, nodes_per_hop, edges_per_hop = neighbor_sample(rowptr, col, torch.tensor([2, 3]), [-1, -1])
    assert row.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert col.tolist() == [2, 1, 0, 3, 4, 0, 1, 5]
    assert node.tolist() == [2, 3, 1, 4, 0, 5]
    assert edge is not None and edge.tolist() == [4, 5, 6, 7, 2, 3, 8, 9]
    assert nodes_per_hop == [2, 2, 2] and edges_per_hop == [4, 4]
