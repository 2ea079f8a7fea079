import pytest
import torch
from torch_geometric import nn as pyg
from torch_geometric.utils import degree

from graphlab.testing import LAYER_LAWS, check_layer

from .specimens import HealthyConv, WrongFirst, WrongSecond, broken_layer_laws


def in_degree(x, edge_index):
    return degrees(x, edge_index)[1]


def degrees(x, edge_index):
    """Out-degree and in-degree of every node, whatever the form of the adjacency."""
    if edge_index.layout != torch.strided:
        edge_index = edge_index.to_sparse_coo().indices().flip(0)
    return [degree(end, x.size(0), x.dtype).unsqueeze(-1) for end in edge_index]


class KnowsItsNumber(HealthyConv):
    def forward(self, x, edge_index):
        number = torch.arange(x.size(0), dtype=x.dtype).unsqueeze(-1)
        return super().forward(x, edge_index) * (1 + 1e-3 * number * in_degree(x, edge_index))


class FirstEdgeCountsMore(HealthyConv):
    def message(self, x_j, edge_index_i):
        order = edge_index_i.argsort(stable=True)
        target = edge_index_i[order]
        first = torch.ones_like(target, dtype=x_j.dtype)
        first[1:] = (target[1:] != target[:-1]).to(x_j.dtype)
        return x_j * (1 + 1e-3 * torch.empty_like(first).scatter(0, order, first)).unsqueeze(-1)


class CountsIsolated(HealthyConv):
    def forward(self, x, edge_index):
        leaving, count = degrees(x, edge_index)
        isolated = (leaving + count == 0).to(x.dtype).sum()
        return super().forward(x, edge_index) * (1 + 1e-3 * isolated * count)


class SeesHub(HealthyConv):
    def forward(self, x, edge_index):
        count = in_degree(x, edge_index)
        largest = torch.cat([count, count.new_zeros(1, 1)]).max()
        return super().forward(x, edge_index) * (1 + 1e-3 * largest * (count > 0))


class NoEdgesCrash(HealthyConv):
    def forward(self, x, edge_index):
        return super().forward(x, edge_index) + 0 * in_degree(x, edge_index)[in_degree(x, edge_index) > 0].max()


class CountsNodesWithoutEdges(HealthyConv):
    """Right as long as there is one edge."""

    def forward(self, x, edge_index):
        none = (in_degree(x, edge_index).sum() == 0).to(x.dtype)
        return super().forward(x, edge_index) + none * 1e-3 * x.size(0)


class TensorOnly(HealthyConv):
    def forward(self, x, edge_index):
        if edge_index.layout != torch.strided:
            raise TypeError("no sparse matrices")
        return super().forward(x, edge_index)


class Transposed(HealthyConv):
    """Takes the sparse matrix for the adjacency, not its transpose."""

    def forward(self, x, edge_index):
        return super().forward(x, edge_index if edge_index.layout == torch.strided else edge_index.t().coalesce())


class Noisy(HealthyConv):
    def forward(self, x, edge_index):
        return super().forward(x, edge_index) * (1 + 1e-14 * torch.rand(1, dtype=torch.float64).to(x.dtype))


class FirstIsWrong(HealthyConv):
    def lift(self, x):
        return WrongFirst.apply(super().lift(x))


class SecondIsWrong(HealthyConv):
    def lift(self, x):
        return WrongSecond.apply(super().lift(x))


class Breaks(HealthyConv):
    def lift(self, x):
        return super().lift(x) if x.sum().item() < 1e30 else x


class DiffersCompiled(HealthyConv):
    def lift(self, x):
        return super().lift(x) * (1.001 if torch.compiler.is_compiling() else 1.0)


BROKEN = [
    ("node_permutation", KnowsItsNumber),
    ("edge_permutation", FirstEdgeCountsMore),
    ("isolated_nodes", CountsIsolated),
    ("batch_independence", SeesHub),
    ("no_edges", NoEdgesCrash),
    ("no_edges", CountsNodesWithoutEdges),
    ("edge_index_forms", TensorOnly),
    ("edge_index_forms", Transposed),
    ("determinism", Noisy),
    ("gradients", FirstIsWrong),
    ("gradients", SecondIsWrong),
    ("compile", Breaks),
    ("compile", DiffersCompiled),
]


class MeanSAGE(pyg.SAGEConv):
    """A class of its own: PyG generates the code of a class for its first instance only."""


def test_healthy_layer_passes_every_law():
    check_layer(HealthyConv, 4)


@pytest.mark.parametrize(("law", "make"), BROKEN, ids=[make.__name__ for _, make in BROKEN])
def test_only_this_law_is_broken(law, make):
    assert broken_layer_laws(make) == {law}


def test_every_law_can_fail():
    assert {law for law, _ in BROKEN} == set(LAYER_LAWS)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MeanSAGE(4, 8),
        lambda: pyg.SAGEConv((-1, -1), 8, aggr=["max", "std"]),
        lambda: pyg.GCNConv(4, 8),
        lambda: pyg.GATv2Conv(4, 8, heads=2),
        lambda: pyg.GINConv(torch.nn.Linear(4, 8)),
    ],
    ids=["sage", "lazy", "gcn", "gatv2", "gin"],
)
def test_pyg_layers_pass(make):
    check_layer(make, 4)


def test_padded_aggregation_breaks_a_layer():
    broken = broken_layer_laws(lambda: pyg.SAGEConv(4, 8, aggr="lstm"), permutation_bound=None)
    assert broken == {"node_permutation", "edge_permutation", "batch_independence", "no_edges", "compile"}


def test_order_of_incoming_edges_may_matter():
    assert broken_layer_laws(FirstEdgeCountsMore, permutation_bound=None) == set()


def test_exclude():
    assert broken_layer_laws(TensorOnly, exclude={"edge_index_forms"}) == set()
    with pytest.raises(ValueError, match=r"'exclude' got \['batched'\], which are no laws"):
        check_layer(HealthyConv, 4, exclude={"batched"})


def test_message_names_law_input_and_seed():
    message = (
        r"SeesHub\(\) breaks the law 'batch_independence'\. Input: x \[9, 4\] torch\.float64, \d+ edges, seed 2; "
        r"with a further graph: a hub with 200 incoming edges\. Saw: error 0\.\d+\. Expected: error <= bound 1e-12"
    )
    with pytest.raises(AssertionError, match=message):
        check_layer(SeesHub, 4, seed=2)
