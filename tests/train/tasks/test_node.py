from collections import Counter

import pytest
import torch

import graphlab.data
from graphlab.directed import DecoupledModel, HopFeatures
from graphlab.models import SageConfig, build
from graphlab.models.decoupled_config import AdpaConfig
from graphlab.train.config import TrainConfig
from graphlab.train.distributed import World
from graphlab.train.run import Run
from graphlab.train.tasks import NodeTask

CPU = torch.device("cpu")


@pytest.fixture
def task() -> NodeTask:
    dataset = graphlab.data.load("digits")
    return NodeTask(dataset, graphlab.data.splits(dataset), CPU)


def test_accuracy_is_that_of_each_split(task):
    def answer_right_but_for_test(x, edge_index):
        logits = torch.nn.functional.one_hot(task.data.y, 10).float()
        logits[task.splits["test"][:97]] *= -1
        return logits

    metrics = task.evaluate(answer_right_but_for_test, 1)
    assert metrics == {"train": 1.0, "valid": 1.0, "test": pytest.approx(1000 / 1097)}


@pytest.mark.parametrize("size", [2, 3])
def test_the_loss_over_processes_is_that_of_all_training_nodes(task, size):
    torch.manual_seed(0)
    model = build(SageConfig(hidden_channels=8), task.problem).eval()

    def loss(world: World) -> float:
        (batch,) = task.batches(1, torch.Generator(), world)
        return float(task.loss(model, batch).detach())

    parts = [loss(World(rank, size)) for rank in range(size)]
    assert sum(parts) / size == pytest.approx(loss(World()))


def test_a_network_that_sees_one_row_at_a_time_is_validated_on_the_validation_nodes_alone(task):
    seen = []

    class Rows(DecoupledModel):
        num_blocks, recipe, propagate = 1, "", None

        def precompute(self, x, edge_index, edge_weight=None):
            return x

        def classify(self, hops):
            seen.append(len(hops))
            return hops[:, :10]

    model = Rows(64)
    whole = task.evaluate(model, 1)
    assert task.validate(model, 1) == {"valid": whole["valid"]}
    assert seen == [1797, 500]
    other = build(SageConfig(hidden_channels=8), task.problem).eval()
    assert task.validate(other, 1) == task.evaluate(other, 1)


@pytest.fixture
def work(monkeypatch) -> Counter:
    """How often hops are made, and rows of them copied."""
    counts = Counter()
    for owner, name in ((DecoupledModel, "precompute"), (HopFeatures, "__getitem__")):
        plain = getattr(owner, name)

        def counted(*given, plain=plain, name=name):
            counts[name] += 1
            return plain(*given)

        monkeypatch.setattr(owner, name, counted)
    return counts


def test_epochs_that_train_and_validate_by_turns_copy_each_part_once(task, work):
    run = Run(task, TrainConfig(epochs=5, model=AdpaConfig(hidden_channels=4)), 0, CPU, World(), terse=True)
    while not run.done:
        run.train_epoch()
    assert work == {"precompute": 1, "__getitem__": 2}


def test_networks_that_propagate_alike_share_their_hops(task, work):
    batch = next(iter(task.batches(1, torch.Generator(), World())))
    losses = {}
    for options in ({}, {"hidden_channels": 4}, {"num_hops": 1}, {"num_hops": 1, "dropout": 0.0}):
        torch.manual_seed(0)
        model = build(AdpaConfig(**options), task.problem).eval()
        losses[float(task.loss(model, batch).detach())] = model(task.data.x, task.data.edge_index).detach()
    assert work["precompute"] == 2 + 4
    for loss, logits in losses.items():
        rows = task.splits["train"]
        assert loss == pytest.approx(float(torch.nn.functional.cross_entropy(logits[rows], task.data.y[rows])))


def test_other_training_rows_are_copied_anew(task):
    torch.manual_seed(0)
    model = build(AdpaConfig(hidden_channels=4), task.problem).eval()
    whole = float(task.loss(model, next(iter(task.batches(1, torch.Generator(), World())))).detach())
    parts = [task.loss(model, next(iter(task.batches(1, torch.Generator(), World(rank, 2))))) for rank in (0, 1)]
    assert sum(float(part.detach()) for part in parts) / 2 == pytest.approx(whole)
