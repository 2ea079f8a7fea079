import pytest
import torch
from torch import nn

from graphlab.data import SecondMinimum, card
from graphlab.train.distributed import World
from graphlab.train.tasks.sets import Sets, SetTask

CPU = torch.device("cpu")


@pytest.fixture
def dataset(tmp_path):
    data = SecondMinimum(tmp_path, num_train=37, num_valid=5, num_test=6, test_sizes=(3, 8))
    vars(data)["card"] = card("second-minimum")
    return data


def listed(sets: Sets) -> list[list[int]]:
    return [part.tolist() for part in sets.values.split(sets.ptr.diff().tolist())]


def answers(sets: Sets) -> list[int]:
    weights = 2 ** torch.arange(sets.bits.size(1) - 1, -1, -1)
    return (sets.bits.long() @ weights).tolist()


def test_taking_sets_takes_their_elements_and_answers(dataset):
    sets = SetTask(dataset, CPU).train
    rows = torch.tensor([30, 2, 2, 0])
    taken = sets.take(rows)
    assert listed(taken) == [listed(sets)[i] for i in rows.tolist()]
    assert answers(taken) == [answers(sets)[i] for i in rows.tolist()]


def test_an_epoch_deals_out_every_set_once_in_a_new_order_with_its_answer(dataset):
    task = SetTask(dataset, CPU)
    epochs = [list(task.batches(8, torch.Generator().manual_seed(seed), World())) for seed in (0, 1)]
    for batches in epochs:
        assert [len(batch.bits) for batch in batches] == [8, 8, 8, 8, 5]
        dealt = [sorted(one) for batch in batches for one in listed(batch)]
        assert sorted(dealt) == sorted(sorted(one) for one in listed(task.train))
        assert [one[1] for one in dealt] == [answer for batch in batches for answer in answers(batch)]
    assert listed(epochs[0][0]) != listed(epochs[1][0])


def test_elements_are_shuffled_within_their_set(dataset):
    sets = SetTask(dataset, CPU).train
    mixed = sets.shuffled_within(torch.Generator().manual_seed(0))
    before, after = listed(sets), listed(mixed)
    assert [sorted(one) for one in before] == [sorted(one) for one in after]
    assert before != after


class Oracle(nn.Module):
    """Knows the second minimum of sets of up to ``limit`` elements."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def forward(self, values, ptr):
        parts = values.split(ptr.diff().tolist())
        second = torch.stack([part.sort().values[1] * (len(part) <= self.limit) for part in parts])
        return (second[:, None] >> torch.arange(7, -1, -1) & 1).float() - 0.5


def test_every_size_is_judged_by_itself_and_all_together(dataset):
    metrics = SetTask(dataset, CPU).evaluate(Oracle(limit=100), 4)
    assert metrics == dict.fromkeys(["train", "valid", "test", "test n=3", "test n=8"], 1.0)
    metrics = SetTask(dataset, CPU).evaluate(Oracle(limit=5), 4)
    assert metrics["test n=3"] == 1.0
    assert metrics["test"] == pytest.approx((1 + metrics["test n=8"]) / 2)
    assert metrics["test n=8"] < 0.5


def test_shares_of_a_batch_are_even_and_disjoint(dataset):
    task = SetTask(dataset, CPU)
    ranks = [list(task.batches(8, torch.Generator().manual_seed(0), World(rank, 2))) for rank in (0, 1)]
    assert [[len(batch.bits) for batch in one] for one in ranks] == [[4, 4, 4, 4, 2]] * 2
    whole = list(task.batches(8, torch.Generator().manual_seed(0), World()))
    for one, two, both in zip(*ranks, whole, strict=True):
        assert len(listed(both)) - len(listed(one) + listed(two)) in (0, 1)
        assert all(part in listed(both) for part in listed(one) + listed(two))
