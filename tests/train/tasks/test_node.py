import pytest
import torch

import graphlab.data
from graphlab.directed import DecoupledModel
from graphlab.models import SageConfig, build
from graphlab.train.distributed import World
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
