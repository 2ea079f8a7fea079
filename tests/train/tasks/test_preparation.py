from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from torch_geometric.data import Data

import graphlab.data
from graphlab.models import MODELS, build
from graphlab.models.factory import learns
from graphlab.train.config import ConfigError, TrainConfig
from graphlab.train.tasks import NodeTask, make_task
from graphlab.train.tasks.preparation import prepare, sparse_features
from tests.train.small import Graphs, use

CPU = torch.device("cpu")
EDGES = torch.tensor([[0, 1, 1, 3], [1, 0, 2, 3]])
SPLITS = {"train": torch.tensor([0]), "valid": torch.tensor([1]), "test": torch.tensor([2, 3])}


def graph(**but: Any) -> Data:
    x = torch.tensor([[1.0, 3.0], [0.0, 0.0], [0.25, 0.25], [5.0, 0.0]])
    masks = torch.zeros(4, 10, dtype=torch.bool)
    kept = {"x": x, "edge_index": EDGES, "y": torch.tensor([0, 1, 0, 1]), "train_mask": masks} | but
    return Data(**kept)


class OneGraph(list):
    num_classes = 2
    card = SimpleNamespace(task="node-classification", metric="accuracy")


def edges(data: Data) -> set[tuple[int, int]]:
    return {(i, j) for i, j in data.edge_index.t().tolist()}  # pyright: ignore


def test_as_stored_is_as_stored():
    data = prepare(graph(), SPLITS, TrainConfig())
    assert torch.equal(data.edge_index, EDGES) and torch.equal(data.x, graph().x)  # pyright: ignore


def test_rows_sum_to_one_but_those_of_zeros_and_of_less():
    data = prepare(graph(), SPLITS, TrainConfig(features="row"))
    expected = torch.tensor([[0.25, 0.75], [0.0, 0.0], [0.25, 0.25], [1.0, 0.0]])
    torch.testing.assert_close(data.x, expected)


def test_directions():
    assert edges(prepare(graph(), SPLITS, TrainConfig(direction="reversed"))) == {(1, 0), (0, 1), (2, 1), (3, 3)}
    both = prepare(graph(), SPLITS, TrainConfig(direction="undirected"))
    assert edges(both) == {(0, 1), (1, 0), (1, 2), (2, 1), (3, 3)} and both.num_edges == 5


def test_the_data_set_is_not_changed():
    data = graph()
    prepare(data, SPLITS, TrainConfig(features="row", direction="reversed"))
    assert torch.equal(data.edge_index, EDGES) and torch.equal(data.x, graph().x)  # pyright: ignore
    assert data.train_mask.shape == (4, 10)


def test_the_advice_on_directions_sees_the_labels_of_the_split_s_training_nodes_alone():
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(2, (300,), generator=generator)
    ones, zeros = y.nonzero().view(-1), (1 - y).nonzero().view(-1)
    # Each node points to nodes of its class and is pointed to by any; both ends would tell less than the out-end.
    targets = torch.where(y == 1, ones[torch.arange(300) % ones.numel()], zeros[torch.arange(300) % zeros.numel()])
    edge_index = torch.stack([torch.arange(300), targets])
    splits = {"train": torch.arange(200), "valid": torch.arange(200, 250), "test": torch.arange(250, 300)}
    other = torch.where(torch.arange(300) < 200, y, 1 - y)
    config = TrainConfig(direction="adaptive")
    graphs = [graph(x=torch.eye(300), edge_index=edge_index, y=labels) for labels in (y, other)]
    one, same = (prepare(data, splits, config) for data in graphs)
    assert one.direction == same.direction  # pyright: ignore
    assert torch.equal(one.edge_index, same.edge_index)  # pyright: ignore


@pytest.mark.parametrize("setting", [{"features": "row"}, {"direction": "undirected"}, {"sparse": "never"}])
def test_sets_of_graphs_are_taken_as_they_are(setting, monkeypatch):
    use(monkeypatch, Graphs())
    (name,) = setting
    with pytest.raises(ConfigError, match=f"{name}: examples of 'mutag' are taken as they are stored; expected '"):
        make_task(TrainConfig(data="mutag", **setting), CPU)
    with pytest.raises(ConfigError, match=f"{name}: nodes of a store are taken as they are stored"):
        make_task(TrainConfig(disk="store", **setting), CPU)


def test_rows_that_sum_to_more_than_one_are_scaled_once_the_smallest_feature_is_zero():
    data = prepare(
        graph(x=torch.tensor([[-1.0, 2.0], [-1.0, -0.5], [-1.0, -1.0], [0.0, 0.0]])),
        SPLITS,
        TrainConfig(features="row"),
    )
    torch.testing.assert_close(data.x, torch.tensor([[0.0, 1.0], [0.0, 0.5], [0.0, 0.0], [0.5, 0.5]]))


def test_labels_that_give_no_advice_on_directions_are_refused_in_one_line(monkeypatch):
    alone = OneGraph([graph(y=torch.zeros(4, dtype=torch.long))])
    use(monkeypatch, alone)
    monkeypatch.setattr(graphlab.data, "splits", lambda dataset, *_: SPLITS)
    with pytest.raises(ConfigError, match="'y' must show at least 2 classes, got 1 among 1 known labels"):
        make_task(TrainConfig(data="x", direction="adaptive"), CPU)


def test_features_are_sparse_below_a_twentieth():
    x = torch.zeros(10, 10)
    x[0, :4] = 1
    found = sparse_features(x)
    assert found is not None and found.layout == torch.sparse_csr and torch.equal(found.to_dense(), x)
    x[1, 0] = 1
    assert sparse_features(x) is None
    assert sparse_features(torch.zeros(4, 0)) is None


class Remembers(nn.Module):
    def forward(self, x, edge_index):
        self.layout = x.layout
        return torch.zeros(x.size(0), 2)


class TakesSparse(Remembers):
    takes_sparse = True


@pytest.mark.parametrize(
    ("network", "setting", "layout"),
    [
        (TakesSparse, "auto", torch.sparse_csr),
        (TakesSparse, "never", torch.strided),
        (Remembers, "auto", torch.strided),
    ],
)
def test_sparse_features_go_to_networks_that_take_them(network, setting, layout):
    task = NodeTask(OneGraph([graph(x=torch.eye(4, 50))]), SPLITS, CPU, TrainConfig(sparse=setting))
    model = network()
    task.evaluate(model, 1)
    assert model.layout == layout


# Networks whose first layer would not gain by sparse features, or cannot take them.
TAKE_DENSE = {"node-spen"}
NODE_NETWORKS = sorted(name for name, config in MODELS.items() if "node-classification" in learns(config))


@pytest.mark.parametrize("name", NODE_NETWORKS)
def test_sparse_features_give_the_same_logits_and_gradients(name):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(4, 50, generator=generator) * (torch.rand(4, 50, generator=generator) < 0.04)
    gradients = []
    for sparse in ("auto", "never"):
        task = NodeTask(OneGraph([graph(x=x)]), SPLITS, CPU, TrainConfig(sparse=sparse))
        assert (task.sparse_x is not None) == (sparse == "auto")
        torch.manual_seed(0)
        model = build(MODELS[name](hidden_channels=8), task.problem).eval()
        assert getattr(model, "takes_sparse", False) == (name not in TAKE_DENSE)
        task.loss(model, (torch.tensor([0, 1]), 2.0)).backward()
        gradients.append({key: p.grad for key, p in model.named_parameters() if p.grad is not None})
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)
