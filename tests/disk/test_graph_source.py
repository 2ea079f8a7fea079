import numpy as np
import pytest
import torch
from torch_geometric.data import Data, HeteroData

from graphlab.disk import GraphFiles
from graphlab.disk.graph_source import graph_source, node_ids


@pytest.fixture
def data():
    return Data(
        x=torch.rand(5, 3),
        edge_index=torch.tensor([[0, 1, 4], [1, 2, 0]]),
        y=torch.arange(5),
        train_mask=torch.ones(5, dtype=torch.bool),
        edge_attr=torch.rand(3, 4),
        edge_weight=torch.rand(3),
        name="graph",
        scale=torch.tensor(2.0),
        words=list("abcde"),
    )


def test_data_and_files_become_the_same(tmp_path, data):
    of_data = graph_source(data)
    names = ["x", "edge_index", "y", "edge_attr", "train_mask", "edge_weight"]
    for name in names:
        np.save(tmp_path / f"{name}.npy", data[name].numpy())
    paths = {name: tmp_path / f"{name}.npy" for name in names[1:]}
    files = GraphFiles(tmp_path / "x.npy", num_nodes=5, input_nodes=torch.tensor([3, 1]), **paths)
    assert repr(files) == "GraphFiles(features, edge_index, y, edge_attr, train_mask, edge_weight)"
    of_files = graph_source(files)
    for source in (of_data, of_files):
        assert source.num_nodes == 5 and source.edges.num_edges == 3
        assert set(source.node_attributes) == {"y", "train_mask"}
        assert set(source.edge_attributes) == {"edge_attr", "edge_weight"}
        assert torch.equal(next(source.edges.blocks(9)), data.edge_index)
    assert of_data.left_out == ("name", "scale", "words") and of_data.input_nodes is None
    assert of_files.left_out == () and of_files.input_nodes.tolist() == [3, 1]
    assert of_data.features is not None and of_files.features.path == str(tmp_path / "x.npy")


def test_what_batches_will_not_have_is_named(data):
    data.num_nodes = 5
    assert set(graph_source(data).left_out) == {"name", "scale", "words", "num_nodes"}


def test_as_many_edges_as_nodes():
    data = Data(
        x=torch.rand(3, 1), edge_index=torch.tensor([[0, 1, 2], [1, 2, 0]]), y=torch.rand(3), edge_y=torch.rand(3)
    )
    source = graph_source(data)
    assert set(source.node_attributes) == {"y"} and set(source.edge_attributes) == {"edge_y"}


def test_nodes_by_id_and_by_mask(tmp_path):
    assert node_ids("input_nodes", None, 5) is None
    mask = torch.tensor([True, False, True, False, False])
    np.save(tmp_path / "mask.npy", mask.numpy())
    for given, expected in [
        (mask, [0, 2]),
        (tmp_path / "mask.npy", [0, 2]),
        (torch.tensor([4, 4, 0], dtype=torch.int32), [4, 4, 0]),
        (np.array([], np.int64), []),
    ]:
        ids = node_ids("input_nodes", given, 5)
        assert ids.dtype == torch.int64 and ids.tolist() == expected
    for given, message in [
        (
            torch.ones(4, dtype=torch.bool),
            r"torch.bool of shape \(4,\), expected ids of one dimension, or a mask of the 5",
        ),
        (torch.rand(4), "torch.float32"),
        (torch.ones(4, 1, dtype=torch.int64), r"shape \(4, 1\)"),
        (torch.tensor([0, 5, -1]), r"'input_nodes' has id 5 at place 1, expected nodes in \[0, 5\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            node_ids("input_nodes", given, 5)


def test_what_does_not_fit_is_named(tmp_path, data):
    x, edge_index = data.x, data.edge_index
    for files, message in [
        (GraphFiles(x, edge_index, num_nodes=6), "'num_nodes' got 6, but 'features' has 5 rows"),
        (GraphFiles(x, edge_index, y=torch.rand(4)), "'y' has 4 rows, but there are 5 nodes"),
        (GraphFiles(x, edge_index, edge_attr=torch.rand(5)), "'edge_attr' has 5 rows, but there are 3 edges"),
        (
            GraphFiles(x, edge_index, n_id=torch.rand(5)),
            "an attribute is called 'n_id', which a batch has another use for",
        ),
        (GraphFiles(x, edge_index, **{"../y": torch.rand(5)}), "an attribute is called '../y'"),
        (Data(x=x), "expected a Data with 'x' and 'edge_index'"),
        (Data(edge_index=edge_index), "expected a Data with 'x' and 'edge_index'"),
        (Data(x=x, adj_t=torch.eye(5).to_sparse_csr()), "make 'edge_index' of 'adj_t'"),
        (Data(x=x, edge_index=edge_index, num_nodes=7), "'graph' has 7 nodes, but its 'x' has 5 rows"),
    ]:
        with pytest.raises(ValueError, match=message):
            graph_source(files)
    for given in (HeteroData(), x):
        with pytest.raises(TypeError, match=r"expected a homogeneous PyG Data or graphlab\.disk\.GraphFiles"):
            graph_source(given)


def test_edge_attributes_wait_for_edges_that_text_does_not_count(tmp_path, data):
    (tmp_path / "e.csv").write_text("0,1\n1,2\n4,0\n")
    source = graph_source(GraphFiles(data.x, tmp_path / "e.csv", edge_attr=torch.rand(4, 2)))
    assert source.edges.num_edges is None
    with pytest.raises(ValueError, match="'edge_attr' has 4 rows, but there are 3 edges"):
        source.check_edges(3)
