import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data

from graphlab.train.tasks.graph_store import GraphStore

CPU = torch.device("cpu")


def graphs(sizes: list[tuple[int, int]], edge_channels: int = 0, targets: int = 0) -> list[Data]:
    """Random graphs of so many nodes and edges."""
    generator = torch.Generator().manual_seed(0)
    made = []
    for number, (nodes, edges) in enumerate(sizes):
        data = Data(
            x=torch.rand(nodes, 3, generator=generator), y=torch.full((1, targets) if targets else (1,), number)
        )
        data.edge_index = torch.randint(nodes, (2, edges), generator=generator)
        if edge_channels:
            data.edge_attr = torch.rand(edges, edge_channels, generator=generator)
        made.append(data)
    return made


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 6)), min_size=1, max_size=8),
    st.lists(st.integers(0, 1 << 16), min_size=1, max_size=10),
    st.sampled_from([0, 2]),
    st.sampled_from([0, 4]),
)
def test_a_batch_is_that_of_pyg(sizes, picks, edge_channels, targets):
    listed, rows = graphs(sizes, edge_channels, targets), torch.tensor([pick % len(sizes) for pick in picks])
    ours, theirs = GraphStore(listed, CPU).take(rows), Batch.from_data_list([listed[i] for i in rows.tolist()])
    for key in ("x", "edge_index", "y", "batch", "ptr"):
        torch.testing.assert_close(getattr(ours, key), theirs[key], rtol=0, atol=0)
    assert ours.num_graphs == theirs.num_graphs
    if edge_channels:
        torch.testing.assert_close(ours.edge_attr, theirs.edge_attr, rtol=0, atol=0)
    else:
        assert ours.edge_attr is None and theirs.edge_attr is None


def test_graphs_that_differ_in_what_they_have_are_refused():
    mixed = [*graphs([(3, 2)], edge_channels=2), *graphs([(3, 2)])]
    with pytest.raises(KeyError, match="edge_attr"):
        GraphStore(mixed, CPU)
