import inspect
from typing import Any

import pytest
import torch

from graphlab.models import MODELS, Problem, build
from graphlab.models.config import GraphNetConfig
from graphlab.models.subgraph_config import SUBGRAPH, NodeSpenConfig, SpenConfig
from graphlab.train.config import ConfigError, TrainConfig, to_toml
from graphlab.train.settings import Layer, resolve
from graphlab.train.sources import read_toml

TWO_TRIANGLES = torch.tensor([[0, 1, 1, 2, 2, 0, 3, 4, 4, 5, 5, 3], [1, 0, 2, 1, 0, 2, 4, 3, 5, 4, 3, 5]])
GRAPHS = torch.tensor([0, 0, 0, 1, 1, 1])


OF_GRAPHS = [name for name, config in SUBGRAPH.items() if issubclass(config, GraphNetConfig)]


@pytest.mark.parametrize("name", OF_GRAPHS)
@pytest.mark.parametrize("edge_channels", [0, 2])
def test_a_network_of_graphs_is_built_from_its_configuration(name: str, edge_channels: int):
    config: Any = MODELS[name](hidden_channels=4)
    net = build(config, Problem("graph-classification", 3, 2, edge_channels=edge_channels)).eval()
    takes_bonds = edge_channels and "edge_attr" in inspect.signature(net.forward).parameters
    bonds = {"edge_attr": torch.ones(12, 2)} if takes_bonds else {}
    logits = net(torch.ones(6, 3), TWO_TRIANGLES, GRAPHS, 2, **bonds)
    assert logits.shape == (2, 2)
    torch.testing.assert_close(logits[0], logits[1])


def test_a_network_of_nodes_is_built_from_its_configuration():
    net = build(NodeSpenConfig(hidden_channels=4), Problem("node-classification", 3, 2)).eval()
    assert net(torch.rand(6, 3), TWO_TRIANGLES).shape == (6, 2)


def test_a_network_of_graphs_refuses_nodes_and_atoms():
    with pytest.raises(ValueError, match="'spen' does not learn the task 'node-classification'; expected sage or"):
        build(SpenConfig(), Problem("node-classification", 3, 2))
    with pytest.raises(ValueError, match="'spen' multiplies node features and these are atom categories; take 'gin'"):
        build(SpenConfig(), Problem("graph-classification", 9, 2, atoms=True))


def test_several_numbers_come_from_a_list_or_separated_by_commas(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('[model]\nname = "spen"\nsize_classes = [1, 4]\nhead_channels = [8]\n')
    flags = Layer("", {"model.head_channels": "16,8"})
    config: Any = resolve([read_toml(path), flags]).model
    assert (config.size_classes, config.head_channels) == ((1, 4), (16, 8))
    path.write_text(to_toml(TrainConfig(model=config)))
    assert resolve([read_toml(path)]).model == config
    with pytest.raises(
        ConfigError, match=r"--model\.head-channels: expected an integer or several separated by commas"
    ):
        resolve([read_toml(path), Layer("", {"model.head_channels": "16,wide"})])
