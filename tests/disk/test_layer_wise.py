import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data

from graphlab.disk.errors import CorruptStoreError, MemoryBudgetError
from graphlab.disk.layer_wise import Neighbors, Rows, layer_wise
from graphlab.disk.store import Store
from graphlab.disk.store_info import Sampling
from graphlab.nn import GATv2Conv, GINConv, SAGEConv
from tests.disk.naive_store import write_store

module = sys.modules["graphlab.disk.layer_wise"]

SAMPLING = Sampling((2,), 4, replace=False, shuffle=True, seed=0, epochs=1, num_input=5)


def graph(num_nodes=60, num_edges=400, width=5, seed=0):
    draw = torch.Generator().manual_seed(seed)
    edge_index = torch.randint(0, max(num_nodes, 1), (2, num_edges if num_nodes else 0), generator=draw)
    # The last fifth has no edges at all.
    edge_index = edge_index[:, (edge_index < max(1, num_nodes * 4 // 5)).all(0)]
    return Data(x=torch.randn(num_nodes, width, dtype=torch.float64, generator=draw), edge_index=edge_index)


def store_of(data, path):
    seeds = torch.arange(min(5, data.num_nodes))
    write_store(path, data, seeds, replace(SAMPLING, num_input=len(seeds)))
    return Store(path)


def network(width=5):
    torch.manual_seed(0)
    convs = [SAGEConv(width, 7), GINConv(torch.nn.Linear(7, 6)), GATv2Conv(6, 4, add_self_loops=False)]
    return torch.nn.ModuleList(convs).double().eval()


def stages_of(convs):
    first, second, third = convs
    return [Neighbors(first), Rows(torch.relu), Neighbors(second), Rows(torch.relu), Neighbors(third)]


def whole(convs, data):
    first, second, third = convs
    with torch.no_grad():
        x = second(first(data.x, data.edge_index).relu(), data.edge_index).relu()
        return third((x, x), data.edge_index)


@pytest.fixture
def little_room(monkeypatch):
    def give(size):
        monkeypatch.setattr(module, "room", lambda budget: size)
        # Packing counts the buffers of its threads, which alone are larger than this.
        monkeypatch.setattr(module, "partition_rows", lambda room, *rest: max(1, room // 100))

    return give


@pytest.mark.parametrize("size", [6000, 20_000, 1 << 30])
@pytest.mark.parametrize("scratch_bytes", [None, 1, 8192])
def test_it_gives_what_the_network_gives_on_the_whole_graph(tmp_path, little_room, size, scratch_bytes):
    data, convs = graph(), network()
    little_room(size)
    out = layer_wise(
        store_of(data, tmp_path / "store"), stages_of(convs), tmp_path / "out", scratch_bytes=scratch_bytes
    )
    torch.testing.assert_close(out.read(0, len(out)), whole(convs, data), rtol=1e-12, atol=1e-12)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["rows.bin"]


@settings(max_examples=20)
@given(st.integers(1, 30), st.integers(0, 90), st.integers(1, 9), st.integers(0, 5))
def test_any_graph(tmp_path_factory, num_nodes, num_edges, width, seed):
    path = tmp_path_factory.mktemp("any")
    data, convs = graph(num_nodes, num_edges, width, seed), network(width)
    out = layer_wise(store_of(data, path / "store"), stages_of(convs), path / "out")
    torch.testing.assert_close(out.read(0, len(out)), whole(convs, data), rtol=1e-12, atol=1e-12)


def test_rows_alone(tmp_path, little_room):
    data = graph()
    little_room(1000)
    out = layer_wise(store_of(data, tmp_path / "store"), [Rows(torch.sin)], tmp_path / "out")
    assert torch.equal(out.gather(torch.tensor([59, 0, 0])), data.x[[59, 0, 0]].sin())


def test_no_gradients_are_kept(tmp_path):
    data, convs = graph(), network()
    seen = []
    stages = [Neighbors(convs[0]), Rows(lambda x: seen.append(x.requires_grad) or x)]
    layer_wise(store_of(data, tmp_path / "store"), stages, tmp_path / "out")
    assert not any(seen)


def test_a_node_that_does_not_fit_is_named(tmp_path, little_room):
    little_room(500)
    with pytest.raises(MemoryBudgetError, match=r"node \d+ with its \d+ neighbours takes [\d,]+ bytes, 500 are left"):
        layer_wise(store_of(graph(), tmp_path / "store"), stages_of(network()), tmp_path / "out")


def test_a_stage_with_too_few_rows_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'stages' gave 1 rows for 60 nodes"):
        layer_wise(store_of(graph(), tmp_path / "store"), [Rows(lambda x: x[:1])], tmp_path / "out")


def test_no_stage_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'stages' got none"):
        layer_wise(store_of(graph(), tmp_path / "store"), [], tmp_path / "out")


def test_a_stage_that_fails_leaves_nothing(tmp_path, little_room):
    little_room(6000)

    def fail(x):
        if len(x) > 1:
            raise ArithmeticError("no")
        return x

    with pytest.raises(ArithmeticError):
        layer_wise(store_of(graph(), tmp_path / "store"), [Rows(torch.sin), Rows(fail)], tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_files_of_the_store_are_not_overwritten(tmp_path):
    data = graph()
    store = store_of(data, tmp_path / "store")
    with pytest.raises(ValueError, match=r"'out' got .* holds files of the store"):
        layer_wise(store, [Rows(torch.sin)], tmp_path / "store")
    assert torch.equal(store.features.read(), data.x)


@pytest.mark.parametrize("name", ["rowptr", "col"])
def test_a_damaged_graph_is_refused(tmp_path, name):
    store = store_of(graph(), tmp_path / "store")
    path = tmp_path / "store" / f"{name}.bin"
    content = bytearray(path.read_bytes())
    content[8] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptStoreError, match=f"{name}.bin has other rows"):
        layer_wise(store, [Rows(torch.sin)], tmp_path / "out")


def test_stages_get_features_in_the_precision_of_batches(tmp_path):
    write_store(tmp_path / "store", graph(), torch.arange(5), SAMPLING, dtype=torch.bfloat16)
    conv = SAGEConv(5, 3).bfloat16()
    for stage in (Neighbors(conv), Rows(conv.lin_r)):
        assert layer_wise(tmp_path / "store", [stage], tmp_path / "out").dtype == torch.bfloat16


CAPPED = """
import sys
import torch
from graphlab.disk import Neighbors, Rows, layer_wise
from graphlab.disk.memory import resident
from pathlib import Path
from torch_geometric.nn import SAGEConv

def peak():
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10

torch.set_num_threads(1)
stage = Rows(torch.nn.Linear(16, 512)) if sys.argv[2] == "rows" else Neighbors(SAGEConv(16, 16))
with torch.no_grad():
    x = torch.zeros(2, 16)
    stage.function(x) if sys.argv[2] == "rows" else stage.function((x, x), torch.zeros(2, 1, dtype=torch.long))
budget = resident() + (60 << 20)
layer_wise(sys.argv[1], [stage], sys.argv[1] + "/out", memory_budget=budget)
print(peak() - budget)
"""


@pytest.mark.parametrize("kind", ["rows", "neighbours"])
def test_wide_results_and_messages_fit_in_memory(tmp_path, kind):
    draw = torch.Generator().manual_seed(0)
    num_nodes, num_edges = (100_000, 10) if kind == "rows" else (5_000, 2_000_000)
    edge_index = torch.randint(num_nodes, (2, num_edges), generator=draw)
    write_store(
        tmp_path / "store", Data(x=torch.randn(num_nodes, 16), edge_index=edge_index), torch.arange(5), SAMPLING
    )
    done = subprocess.run(
        [sys.executable, "-c", CAPPED, tmp_path / "store", kind], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) <= 64 << 20
