from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from graphlab.train.config import TrainConfig
from graphlab.train.distributed import World
from graphlab.train.tasks import GraphTask
from tests.train.small import Graphs, halves

CPU = torch.device("cpu")


class Count(nn.Module):
    """Says class 1 with the confidence that a graph has more than six nodes."""

    def forward(self, x, edge_index, batch, batch_size):
        over = torch.bincount(batch, minlength=batch_size).float() - 6.5
        return torch.stack([-over, over], dim=1)


class Relabelled(Graphs):
    """The same graphs with other labels."""

    def __init__(self, task: str, metric: str, label) -> None:
        super().__init__(40)
        self.card = SimpleNamespace(task=task, metric=metric)
        for data in self:
            data.y = label(data)


def graph_task(dataset: Graphs) -> GraphTask:
    return GraphTask(dataset, halves(dataset), CPU)


def test_a_network_that_knows_the_answer_is_always_right():
    task = graph_task(Graphs())
    assert task.evaluate(Count(), 7) == {"train": 1.0, "valid": 1.0, "test": 1.0}


def test_an_epoch_deals_out_every_training_graph_once():
    task = graph_task(Graphs())
    batches = list(task.batches(8, torch.Generator().manual_seed(0), World()))
    assert [batch.num_graphs for batch in batches] == [8, 8, 8, 6]
    dealt = [part.sum().item() for batch in batches for part in batch.x.split(batch.ptr.diff().tolist())]
    assert sorted(dealt) == sorted(graph.x.sum().item() for graph in Graphs()[:30])


def test_the_loss_over_processes_is_that_of_the_whole_batch():
    task, model = graph_task(Graphs()), Count()

    def losses(world: World) -> list[float]:
        generator = torch.Generator().manual_seed(0)
        return [float(task.loss(model, batch)) for batch in task.batches(6, generator, world)]

    halves = zip(losses(World(0, 2)), losses(World(1, 2)), strict=True)
    assert [sum(pair) / 2 for pair in halves] == pytest.approx(losses(World()))


def test_missing_labels_cost_nothing():
    nan = float("nan")

    def label(data):
        return torch.tensor([[float(data.num_nodes > 6), nan if data.num_nodes % 2 else 1.0]])

    task = graph_task(Relabelled("graph-classification", "rocauc", label))
    assert task.problem.out_channels == 2
    (batch,) = task.batches(100, torch.Generator().manual_seed(0), World())
    logits = Count()(batch.x, batch.edge_index, batch.batch, batch.num_graphs)
    known = ~batch.y.isnan()
    expected = F.binary_cross_entropy_with_logits(logits[known], batch.y[known])
    torch.testing.assert_close(task.loss(Count(), batch), expected)
    assert task.evaluate(lambda *args: Count()(*args).flip(1), 100)["test"] == 1.0


@pytest.mark.parametrize(("metric", "power"), [("mae", 1), ("rmse", 2)])
def test_numbers_are_learned_by_the_error_they_are_judged_by(metric, power):
    def label(data):
        return torch.tensor([[float(data.num_nodes), 0.0]])

    task = graph_task(Relabelled("graph-regression", metric, label))
    (batch,) = task.batches(100, torch.Generator().manual_seed(0), World())
    wrong = Count()(batch.x, batch.edge_index, batch.batch, batch.num_graphs) - batch.y
    expected = wrong.abs().pow(power).mean()
    torch.testing.assert_close(task.loss(Count(), batch), expected)
    assert not task.higher_is_better


def test_atoms_are_told_from_numbers():
    dataset = Graphs(8)
    for data in dataset:
        data.x = torch.zeros(data.num_nodes, 9, dtype=torch.long)
    assert graph_task(dataset).problem.atoms
    assert not graph_task(Graphs(8)).problem.atoms


class CountBonds(Count):
    """As :class:`Count`, but sure only where edge features are given."""

    def forward(self, x, edge_index, batch, batch_size, edge_attr=None):
        assert edge_attr is not None and edge_attr.size(0) == edge_index.size(1)
        return super().forward(x, edge_index, batch, batch_size)


def test_edge_features_go_to_networks_that_take_them():
    dataset = Graphs(20)
    for data in dataset:
        data.edge_attr = torch.ones(data.num_edges, 3)
    task = graph_task(dataset)
    assert task.problem.edge_channels == 3 and graph_task(Graphs(8)).problem.edge_channels == 0
    plain = GraphTask(dataset, halves(dataset), CPU, TrainConfig(edge_features="none"))
    assert plain.problem.edge_channels == 0 and plain.store.edge_attr is None
    assert task.evaluate(CountBonds(), 7)["test"] == task.evaluate(Count(), 7)["test"] == 1.0


def test_to_validate_looks_at_nothing_else():
    task = graph_task(Graphs())
    assert task.validate(Count(), 7) == {"valid": 1.0} and list(task.cached) == ["valid"]
