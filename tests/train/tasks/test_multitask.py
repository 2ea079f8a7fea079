import pytest
import torch

from graphlab.train.distributed import World
from graphlab.train.tasks import MultitaskTask
from tests.train.small import Multitask, halves

CPU = torch.device("cpu")


@pytest.fixture
def task() -> MultitaskTask:
    dataset = Multitask()
    return MultitaskTask(dataset, halves(dataset), CPU)


def off_by(errors_node, errors_graph):
    """A network that knows every target and is off by so much."""

    def forward(x, edge_index, batch, batch_size):
        total = x.new_zeros(batch_size, 2).index_add(0, batch, x)
        return x.flip(1) + torch.tensor(errors_node), total + torch.tensor(errors_graph)

    return forward


def test_the_metric_is_the_mean_over_targets_of_the_log_of_the_error(task):
    metrics = task.evaluate(off_by([0.1, 1.0], [0.01, 0.1]), 4)
    assert metrics["test"] == pytest.approx((-2 + 0 - 4 - 2) / 4, abs=1e-3)
    assert not task.higher_is_better


def test_the_loss_weighs_every_target_the_same(task):
    (first, *_) = task.batches(4, torch.Generator().manual_seed(0), World())
    loss = task.loss(off_by([0.1, 1.0], [0.01, 0.1]), first)
    assert float(loss) == pytest.approx((0.01 + 1 + 0.0001 + 0.01) / 4, rel=1e-4)


def test_batches_are_of_one_size_and_cover_the_training_graphs(task):
    batches = list(task.batches(4, torch.Generator().manual_seed(0), World()))
    assert all(len(batch.ptr.diff().unique()) == 1 for batch in batches)
    assert max(batch.num_graphs for batch in batches) == 4
    assert sum(batch.num_graphs for batch in batches) == 30
    sizes = [int(batch.ptr[1]) for batch in batches]
    assert sizes != sorted(sizes)
