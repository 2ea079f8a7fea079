import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from graphlab.models import MODELS, SageConfig
from graphlab.train.config import TrainConfig
from graphlab.train.distributed import World
from graphlab.train.run import DivergedError, Run, make_optimizer
from graphlab.train.tasks import GraphTask, Task
from tests.train.small import Graphs, halves

CPU = torch.device("cpu")


def graph_task() -> GraphTask:
    dataset = Graphs()
    return GraphTask(dataset, halves(dataset), CPU)


def new_run(task: Task | None = None, number: int = 0, terse: bool = False, **settings) -> Run:
    model = SageConfig(hidden_channels=8, aggr="sum", dropout=0.3)
    config = TrainConfig(**{"model": model, "epochs": 6, "batch_size": 8, **settings})
    return Run(task or graph_task(), config, number, CPU, World(), terse)


def trained(run: Run) -> Run:
    while not run.done:
        run.train_epoch()
    return run


def test_one_seed_gives_the_same_bits_and_another_seed_others():
    one, same, other = trained(new_run()), trained(new_run()), trained(new_run(number=1))
    for name, weight in one.model.state_dict().items():
        assert torch.equal(weight, same.model.state_dict()[name])
    assert not torch.equal(one.model.head.weight, other.model.head.weight)
    assert other.seed == 1


def test_a_run_goes_on_from_any_epoch_to_the_same_bits():
    whole = trained(new_run())
    for epochs in range(1, 6):
        first, second = new_run(), new_run()
        for _ in range(epochs):
            first.train_epoch()
        torch.rand(7)  # what happens to the generator between does not matter
        second.load_state_dict(first.state_dict())
        trained(second)
        for name, weight in whole.model.state_dict().items():
            assert torch.equal(weight, second.model.state_dict()[name])
        assert {**whole.result(), "seconds": 0} == {**second.result(), "seconds": 0}


class Scripted(GraphTask):
    """Answers evaluation from a list."""

    def __init__(self, values: list[float], higher_is_better: bool = True) -> None:
        dataset = Graphs(16)
        super().__init__(dataset, halves(dataset), CPU)
        self.values, self.higher_is_better = iter(values), higher_is_better

    def evaluate(self, model, size):
        value = next(self.values)
        return {"train": 0.0, "valid": value, "test": value / 10}


def test_the_test_metric_is_that_of_the_best_validated_epoch():
    done = trained(new_run(Scripted([0.1, 0.5, 0.3, 0.5, 0.2, 0.4]))).result()
    assert (done["best_epoch"], done["valid"], done["test"]) == (2, 0.5, 0.05)
    assert done["epochs"] == 6


def test_where_lower_is_better_the_lowest_wins():
    task = Scripted([0.4, 0.5, 0.3, 0.5, 0.2, 0.4], higher_is_better=False)
    assert trained(new_run(task)).result()["best_epoch"] == 5


def test_patience_counts_evaluations_without_a_better_one():
    run = trained(new_run(Scripted([0.5, 0.1, 0.6, 0.2, 0.6, 0.9]), patience=2))
    assert (run.epoch, run.best.epoch) == (5, 3)


class OnlyValid(Scripted):
    """Validates by the list, and evaluates by what was last taken from it."""

    def validate(self, model, size):
        self.value = next(self.values)
        return {"valid": self.value}

    def evaluate(self, model, size):
        return {"train": 0.0, "valid": self.value, "test": self.value / 10}


def test_a_terse_run_tests_where_it_validates_better_and_comes_to_the_same():
    values = [0.1, 0.5, 0.3, 0.5, 0.6, 0.4]
    run = new_run(OnlyValid(values), terse=True)
    assert ["test" in run.train_epoch() for _ in values] == [True, True, False, False, True, False]
    assert {**run.result(), "seconds": 0} == {**trained(new_run(Scripted(values))).result(), "seconds": 0}


def test_evaluation_is_due_every_few_epochs_and_at_the_end():
    run = new_run(eval_every=4)
    assert ["valid" in run.train_epoch() for _ in range(6)] == [False] * 3 + [True, False, True]


def test_the_best_weights_are_those_of_the_best_epoch():
    run = new_run(Scripted([0.1, 0.5, 0.3, 0.2, 0.2, 0.4]))
    run.train_epoch()
    run.train_epoch()
    then = run.model.head.weight.detach().clone()
    trained(run)
    assert torch.equal(run.best.weights["head.weight"], then)
    assert not torch.equal(run.model.head.weight, then)


class Nan(GraphTask):
    def __init__(self) -> None:
        dataset = Graphs(16)
        super().__init__(dataset, halves(dataset), CPU)
        self.calls = 0

    def loss(self, model, batch):
        self.calls += 1
        return super().loss(model, batch) * (math.nan if self.calls == 3 else 1)


def test_a_loss_that_is_no_number_stops_and_says_when_and_what_to_try():
    run = new_run(Nan(), number=1, lr=0.5)
    run.train_epoch()
    message = r"the loss is not finite in epoch 3 of run 2 \(seed 1\); .*smaller lr \(now 0.5\)"
    with pytest.raises(DivergedError, match=message):
        trained(run)
    assert run.result()["epochs"] == 2


@pytest.mark.parametrize(("model", "has_norm"), [("sage", True), ("classic", True), ("adpa", False), ("set", False)])
def test_the_advice_is_of_options_that_the_network_has(model, has_norm):
    run = new_run()
    run.config = replace(run.config, model=MODELS[model]())
    assert ("model.norm = layer" in run._advice(1, "the loss")) == has_norm


def test_outputs_that_are_no_numbers_are_not_judged():
    run = new_run()
    with torch.no_grad():
        run.model.head.bias.fill_(math.inf)
    with pytest.raises(DivergedError, match=r"output is not finite|the loss is not finite"):
        run.train_epoch()


def test_the_penalty_of_an_aggregator_is_learned_from_by_its_weight():
    def gradient(weight: float) -> torch.Tensor:
        run = new_run(model=SageConfig(hidden_channels=8, aggr=f"treelcm(associativity={weight})", dropout=0.0))
        (batch,) = run.task.batches(100, torch.Generator().manual_seed(0), World())
        run._step(batch)
        return run.model.layers[0].aggr_module.gru_cell.weight_hh.grad

    without = gradient(0.0)
    once, thrice = gradient(100.0) - without, gradient(300.0) - without
    assert once.abs().max() > 0.1 * without.abs().max()
    torch.testing.assert_close(thrice, 3 * once, rtol=1e-3, atol=1e-5)


def test_an_epoch_leaves_nothing_behind_and_draws_what_others_layers_draw(monkeypatch):
    drawn = []
    run = new_run()
    loss = run.task.loss
    monkeypatch.setattr(run.task, "loss", lambda *given: (drawn.append(np.random.rand()), loss(*given))[1])  # noqa: NPY002
    queued = len(torch.cuda._queued_calls)
    trained(run)
    assert len(torch.cuda._queued_calls) == queued
    first = drawn[:]
    again = new_run()
    monkeypatch.setattr(again, "task", run.task)
    drawn.clear()
    np.random.seed(7)  # noqa: NPY002
    trained(again)
    assert drawn == first and len(set(drawn)) == len(drawn)


def test_complex_parameters_are_optimised_too():
    run = new_run()
    parameters = [torch.nn.Parameter(torch.ones(2, dtype=torch.complex64))]
    for optimizer in ("adam", "adamw", "sgd"):
        step = make_optimizer(TrainConfig(optimizer=optimizer), parameters)
        parameters[0].grad = torch.ones_like(parameters[0])
        step.step()
        assert bool((parameters[0].real < 1).all())
    assert run.optimizer.defaults["fused"]
