from pathlib import Path

import pytest
import torch

import graphlab.data
from graphlab.disk.store_info import Sampling
from graphlab.models import MODELS, GinConfig, MlpConfig, SageConfig, build
from graphlab.train.config import ConfigError, TrainConfig
from graphlab.train.distributed import World
from graphlab.train.run import Run, build_for
from graphlab.train.tasks import DiskNodeTask, NodeTask, make_task
from tests.disk.naive_store import write_store

CPU = torch.device("cpu")


def write_digits(path: Path, **but) -> Path:
    data = graphlab.data.load("digits")[0]
    for name, value in but.items():
        data[name] = value
        if value is None:
            del data[name]
    train = data.train_mask.nonzero().view(-1) if "train_mask" in data else torch.arange(9)
    sampling = Sampling((5, 5), 32, replace=False, shuffle=True, seed=0, epochs=2, num_input=len(train))
    write_store(path, data, train, sampling, hot_rows=100)
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return write_digits(tmp_path_factory.mktemp("digits") / "store")


@pytest.mark.parametrize("config", [SageConfig(norm="batch"), GinConfig(), MlpConfig()])
def test_it_judges_as_the_task_in_memory_does(store, config):
    dataset = graphlab.data.load("digits")
    whole, task = NodeTask(dataset, graphlab.data.splits(dataset), CPU), DiskNodeTask(store, CPU, None)
    assert task.problem == whole.problem
    torch.manual_seed(0)
    model = build(config, task.problem).eval()
    with torch.no_grad():
        assert task.evaluate(model, 1) == pytest.approx(whole.evaluate(model, 1), abs=1e-9)
    assert not list(store.glob("evaluation-*"))


def test_layers_that_skip_what_nobody_needs_give_the_same_loss(store):
    task = DiskNodeTask(store, CPU, None)
    batch = next(iter(task.batches(1, torch.Generator().manual_seed(0), World())))
    torch.manual_seed(0)
    model = build(SageConfig(hidden_channels=8), task.problem).double().eval()
    batch.x = batch.x.double()
    logits = model(batch.x, batch.edge_index)[: batch.batch_size]
    expected = torch.nn.functional.cross_entropy(logits, batch.y[: batch.batch_size])
    sampled = {
        "num_sampled_nodes_per_hop": batch.num_sampled_nodes,
        "num_sampled_edges_per_hop": batch.num_sampled_edges,
    }
    trimmed = model(batch.x, batch.edge_index, **sampled)
    assert len(trimmed) < len(batch.x)
    torch.testing.assert_close(
        torch.nn.functional.cross_entropy(trimmed[: batch.batch_size], batch.y[: batch.batch_size]), expected
    )
    three = build(SageConfig(hidden_channels=8, num_layers=3), task.problem).eval()
    assert task.loss(three, batch.apply(lambda t: t, "x")).isfinite()


def test_it_learns(store):
    config = TrainConfig(disk=store, epochs=20, model=SageConfig(hidden_channels=32, dropout=0.0))
    run = Run(make_task(config, CPU), config, 0, CPU, World())
    while not run.done:
        run.train_epoch()
    assert run.result()["test"] > 0.9


@pytest.mark.parametrize("model", ["adpa", "a2dug", "linkx", "glognn", "set"])
def test_networks_that_are_no_stack_of_layers_are_refused(store, model):
    config = TrainConfig(disk=store, model=MODELS[model]())
    with pytest.raises(ConfigError, match=f"model: '{model}' does not learn from .*; expected sage or gin or mlp"):
        build_for(config, make_task(config, CPU))


def test_processes_share_an_epoch(store):
    def seeds(world: World) -> list[list[int]]:
        task = DiskNodeTask(store, CPU, None)
        batches = list(task.batches(1, torch.Generator().manual_seed(3), world))
        return [b.n_id[: b.batch_size].tolist() for b in batches]

    one, shares = seeds(World()), [seeds(World(rank, 2)) for rank in range(2)]
    assert len(shares[0]) == len(shares[1])
    assert {tuple(b) for share in shares for b in share} == {tuple(b) for b in one}


def test_a_store_without_labels_is_refused(tmp_path):
    path = write_digits(tmp_path / "store", y=None)
    with pytest.raises(ConfigError, match=r"disk: .* lacks y; expected a store prepared with labels and masks"):
        make_task(TrainConfig(disk=path), CPU)


def test_no_store_is_said(tmp_path):
    with pytest.raises(ConfigError, match="holds no store"):
        make_task(TrainConfig(disk=tmp_path), CPU)


def test_labels_in_floating_point_are_classes_and_nan_is_none(tmp_path, store):
    y = graphlab.data.load("digits")[0].y.float()
    masks = ("train_mask", "val_mask", "test_mask")
    unused = ~sum(graphlab.data.load("digits")[0][mask].long() for mask in masks).bool()
    unused[0] |= not bool(unused.any())
    y[unused] = torch.nan
    whole = graphlab.data.load("digits")[0]
    without = {mask: whole[mask] & ~unused for mask in masks}
    task = DiskNodeTask(write_digits(tmp_path / "store", y=y.view(-1, 1), **without), CPU, None)
    assert torch.equal(task.y[~unused], whole.y[~unused])
    assert bool((task.y[unused] == -1).all())
    assert task.problem.out_channels == 10


@pytest.mark.parametrize(
    ("but", "message"),
    [
        ({"y": torch.full((1797,), 0.5)}, "y of .* holds fractions"),
        ({"y": torch.zeros(1797, 2)}, r"y of .* has shape \(1797, 2\), expected one value per node"),
        ({"val_mask": torch.zeros(1797, 10, dtype=torch.bool)}, r"val_mask of .* has shape \(1797, 10\)"),
        ({"val_mask": torch.zeros(1797)}, "val_mask of .* holds torch.float32, expected bool"),
        ({"y": torch.full((1797,), torch.nan)}, "train_mask of .* holds nodes without a label"),
        ({"x": torch.zeros(1797, 2, 2)}, r"rows of shape \(2, 2\), expected rows of numbers"),
    ],
)
def test_attributes_that_do_not_fit_are_named(tmp_path, but, message):
    with pytest.raises(ConfigError, match=message):
        make_task(TrainConfig(disk=write_digits(tmp_path / "store", **but)), CPU)
