import os
import socket
from pathlib import Path

import pytest
import torch
import torch.multiprocessing
from torch import nn

from graphlab.models import GinConfig
from graphlab.train.config import TrainConfig
from graphlab.train.distributed import World, join_world
from graphlab.train.run import Run
from graphlab.train.tasks import GraphTask
from tests.train.small import Graphs, halves

CPU = torch.device("cpu")


def test_shares_are_even_disjoint_and_leave_out_only_the_rest():
    rows = torch.arange(11)
    shares = [World(rank, 3).share(rows) for rank in range(3)]
    assert [len(share) for share in shares] == [3, 3, 3]
    assert sorted(torch.cat(shares).tolist()) == list(range(9))
    assert torch.equal(World().share(rows), rows)


def test_one_process_is_left_alone():
    world, net = World(), nn.Linear(2, 1)
    assert world.leads
    assert world.from_leader("a") == "a"
    assert float(world.mean(torch.tensor(3.0))) == 3
    world.average_gradients(net.parameters())
    assert net.weight.grad is None


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("localhost", 0))
        return server.getsockname()[1]


def in_two_processes(function, folder: Path) -> None:
    torch.multiprocessing.spawn(enter, (function, free_port(), folder), nprocs=2)


def enter(rank: int, function, port: int, folder: Path) -> None:
    torch.set_num_threads(1)
    os.environ |= {
        "RANK": str(rank),
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": str(port),
    }
    with join_world(CPU) as world:
        torch.save(function(world), folder / f"{rank}.pt")


def collectives(world: World) -> dict:
    torch.manual_seed(world.rank)
    net = nn.ModuleList([nn.Linear(2, 1), nn.Linear(2, 1), nn.Linear(2, 1)])
    world.align(net)
    aligned = net[0].weight.detach().clone()
    net[0](torch.full((1, 2), 1.0 + world.rank)).sum().backward()
    if world.leads:
        net[1](torch.ones(1, 2)).sum().backward()
    world.average_gradients(net.parameters())
    return {
        "aligned": aligned,
        "both": net[0].weight.grad,
        "one": net[1].weight.grad,
        "none": net[2].weight.grad,
        "mean": world.mean(torch.tensor(float(world.rank))),
        "told": world.from_leader([world.rank]),
    }


def test_processes_agree_on_parameters_gradients_and_figures(tmp_path):
    in_two_processes(collectives, tmp_path)
    one, two = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    assert torch.equal(one["aligned"], two["aligned"])
    for got in (one, two):
        assert torch.equal(got["both"], torch.full((1, 2), 1.5))
        assert torch.equal(got["one"], torch.full((1, 2), 0.5))
        assert got["none"] is None
        assert float(got["mean"]) == 0.5
        assert got["told"] == [0]


def training(world: World) -> dict:
    dataset = Graphs()
    task = GraphTask(dataset, halves(dataset), CPU)
    # An odd batch size and dropout: shares differ in what they draw, and a last batch is cut.
    config = TrainConfig(model=GinConfig(hidden_channels=8, dropout=0.5), epochs=3, batch_size=7)
    run = Run(task, config, 0, CPU, world)
    while not run.done:
        run.train_epoch()
    return {"weights": dict(run.model.named_parameters()), "result": {**run.result(), "seconds": 0}}


def test_both_processes_end_with_the_same_bits(tmp_path):
    in_two_processes(training, tmp_path)
    one, two = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    assert one["result"] == two["result"]
    for name, weight in one["weights"].items():
        assert torch.equal(weight, two["weights"][name])


def test_too_few_examples_for_the_processes_are_refused(monkeypatch):
    from graphlab.train.config import ConfigError

    dataset = Graphs(6)
    task = GraphTask(dataset, halves(dataset), CPU)
    config = TrainConfig(model=GinConfig(hidden_channels=8), batch_size=2)
    run = Run(task, config, 0, CPU, World())
    run.world = World(0, 4)
    with pytest.raises(ConfigError, match="batch_size: no batch has a share for each of 4 processes"):
        run.train_epoch()
