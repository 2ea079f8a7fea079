import pytest
import torch

from graphlab.disk import MemoryBudgetError
from graphlab.disk.sampling import Batches, Cost, MemorySampler
from graphlab.disk.store_info import Sampling

SAMPLING = Sampling(
    num_neighbors=(2,), batch_size=4, replace=False, shuffle=True, seed=1, epochs=3, num_input=10, rank=1, world_size=2
)


def test_every_epoch_has_every_seed_once_in_another_order():
    batches, nodes = Batches(SAMPLING, torch.arange(100, 110)), []
    assert len(batches) == 9
    assert [batches.number(i) for i in (0, 2, 3, 8)] == [(0, 0), (0, 2), (1, 0), (2, 2)]
    for epoch in range(3):
        nodes.append(torch.cat([batches.seeds(3 * epoch + b) for b in range(3)]).tolist())
        assert sorted(nodes[-1]) == list(range(100, 110))
    assert nodes[0] != nodes[1] != nodes[2]
    assert len(batches.seeds(2)) == 2


def test_ranks_have_every_other_batch_of_each_epoch():
    assert Batches(SAMPLING, None).own() == [1, 4, 7]


def test_keys_are_those_of_the_loaders():
    batches = Batches(SAMPLING, None)
    assert len({batches.key(i) for i in range(9)}) == 9


def test_groups_are_as_large_as_the_room():
    rowptr, col = torch.arange(0, 2001, 2), torch.randint(1000, (2000,))
    sampling = Sampling((2,), 10, False, False, 0, 1, 1000)
    batches, cost = Batches(sampling, None), Cost(100, 100)
    sampler = MemorySampler(rowptr, col, sampling, cost, first=3)
    assert len(sampler.sample(batches, 0, 10**9)) == 3
    few = len(sampler.sample(batches, 3, 10 * cost.of(30, 20)))
    assert 10 <= few < 15
    assert len(sampler.sample(batches, 3, 1)) == 1
    assert len(sampler.sample(batches, 3, 10**9)) == 97


def test_the_first_group_is_one_batch_that_fits():
    rowptr, col = torch.arange(0, 2001, 2), torch.randint(1000, (2000,))
    sampling, cost = Sampling((2, -1), 10, False, False, 0, 1, 1000), Cost(100, 100)
    batches, needed = Batches(sampling, None), cost.of(10 + 20 + 40, 20 + 40)
    assert len(MemorySampler(rowptr, col, sampling, cost).sample(batches, 0, needed)) == 1
    with pytest.raises(MemoryBudgetError, match=r"a batch of about 60 edges takes .* raise 'memory_budget' by"):
        MemorySampler(rowptr, col, sampling, cost).sample(batches, 0, needed - 1)
