from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.utils import to_dense_adj

from graphlab.data import PNAMultitask
from graphlab.data.pna_multitask import EXTRAPOLATION, labels

SMALL = {"num_train": 6, "num_valid": 3, "num_test": 2}


@st.composite
def graphs(draw: st.DrawFn) -> nx.Graph:
    n = draw(st.integers(1, 9))
    pairs = [(i, j) for i in range(n) for j in range(i)]
    graph = nx.empty_graph(n)
    graph.add_edges_from(draw(st.lists(st.sampled_from(pairs))) if pairs else [])
    return graph


@given(graphs(), st.data())
def test_labels_are_networkx_s(graph: nx.Graph, data: st.DataObject) -> None:
    n = len(graph)
    source = data.draw(st.integers(0, n - 1))
    values = np.array(data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n)))
    found = labels(nx.to_numpy_array(graph), values, source)

    reach = nx.single_source_shortest_path_length(graph, source)
    assert found.node[:, 0].tolist() == [reach.get(node, 0) for node in graph]
    parts = [graph.subgraph(part) for part in nx.connected_components(graph)]
    eccentricity = {k: v for part in parts for k, v in nx.eccentricity(part).items()}
    assert found.node[:, 1].tolist() == [eccentricity[node] for node in graph]
    laplacian = nx.laplacian_matrix(graph, range(n)).toarray()
    np.testing.assert_allclose(found.node[:, 2], laplacian @ values, atol=1e-12)
    spectrum = np.abs(nx.adjacency_spectrum(graph))
    expected = [nx.is_connected(graph), max(map(nx.diameter, parts)), spectrum.max()]
    np.testing.assert_allclose(found.graph, expected, atol=1e-6)


def test_labels_of_a_path_by_hand() -> None:
    path = nx.to_numpy_array(nx.path_graph(4))
    found = labels(path, np.array([1.0, 0.0, 0.0, 2.0]), source=1)
    assert found.node.tolist() == [[1, 3, 1], [0, 2, -1], [1, 2, -2], [2, 3, 2]]
    golden = (1 + 5**0.5) / 2
    np.testing.assert_allclose(found.graph, [1, 3, golden])


def test_the_default_has_the_paper_s_sizes(shared_root: Path) -> None:
    data: Any = PNAMultitask(shared_root)
    sizes = data.slices["x"].diff()
    plan = {
        "train": (512, range(15, 25)),
        "valid": (128, range(15, 20)),
        "test": (256, range(15, 20)),
    }
    for split, index in data.get_idx_split().items():
        count, expected = plan[split]
        assert sizes[index].tolist() == [n for n in expected for _ in range(count)]
    train = data[data.get_idx_split()["train"]]
    assert torch.cat([item.y_node for item in train]).max(dim=0).values.tolist() == [1, 1, 1]
    assert torch.cat([item.y_graph for item in train]).max(dim=0).values.tolist() == [1, 1, 1]
    connected = torch.cat([item.y_graph for item in train])[:, 0]
    assert 0.5 < connected.mean() < 0.95  # both answers occur, or the task would be void


def test_items_carry_what_the_recipe_says(tmp_path: Path) -> None:
    data: Any = PNAMultitask(tmp_path, **SMALL)
    raw = []
    for item in data:
        adjacency = to_dense_adj(item.edge_index, max_num_nodes=item.num_nodes)[0].double().numpy()
        assert np.array_equal(adjacency, adjacency.T)
        assert adjacency.max() == 1
        assert adjacency.any(axis=0).all()
        one_hot, values = item.x.double().numpy().T
        assert sorted(one_hot)[-2:] == [0, 1]
        assert values.min() >= 0
        assert values.max() <= 1
        raw.append(labels(adjacency, values, int(one_hot.argmax())))
    train = data.get_idx_split()["train"].tolist()
    node_scale = np.concatenate([raw[i].node for i in train]).max(axis=0)
    graph_scale = np.stack([raw[i].graph for i in train]).max(axis=0)
    for item, found in zip(data, raw, strict=True):
        np.testing.assert_allclose(item.y_node, found.node / node_scale, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(item.y_graph[0], found.graph / graph_scale, rtol=1e-5)


def test_the_seed_decides_everything(tmp_path: Path) -> None:
    first, again, other = (
        PNAMultitask(tmp_path / folder, seed=seed, **SMALL) for folder, seed in (("a", 7), ("b", 7), ("c", 8))
    )
    for key in ("x", "edge_index", "y_node", "y_graph"):
        assert torch.equal(first._data[key], again._data[key])
    assert not torch.equal(first._data.x[:15], other._data.x[:15])


def test_extrapolation_sets_come_on_request_and_change_nothing(tmp_path: Path) -> None:
    plain: Any = PNAMultitask(tmp_path, **SMALL)
    more: Any = PNAMultitask(tmp_path, extrapolation=(20, 95), **SMALL)
    parts = more.get_idx_split()
    assert list(parts) == ["train", "valid", "test", "extrapolation-20", "extrapolation-95"]
    sizes = [more[int(i)].num_nodes for i in parts["extrapolation-95"]]
    assert sizes == [n for n in range(95, 100) for _ in range(2)]
    for i in range(len(plain)):
        assert torch.equal(plain[i].y_node, more[i].y_node)
    assert EXTRAPOLATION == (20, 25, 30, 35, 40, 45, 60, 75, 95)


def test_it_is_generated_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    PNAMultitask(tmp_path, **SMALL)
    monkeypatch.delattr("graphlab.data.pna_multitask._generate")
    PNAMultitask(tmp_path, **SMALL)
    with pytest.raises(NameError):
        PNAMultitask(tmp_path, **{**SMALL, "num_test": 3})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_train": 0}, "num_train must be a whole number"),
        ({"extrapolation": (5,)}, r"extrapolation must be sizes of 15 nodes or more, got \(5,\)"),
        ({"seed": 1.5}, "seed must be a whole number"),
    ],
)
def test_bad_arguments_are_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PNAMultitask(tmp_path, **{**SMALL, **options})
    assert list(tmp_path.iterdir()) == []
