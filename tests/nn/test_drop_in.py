"""Every layer gives what PyG's gives, whatever the edges come as, and lives where PyG's lives."""

import copy
import io
import warnings

import pytest
import torch
import torch_geometric.nn as pyg
from torch_geometric.explain import Explainer, GNNExplainer

from graphlab import nn
from graphlab.ops import Graph
from graphlab.testing import check_layer
from graphlab.testing.message_passing import adjacency_forms, quiet_about_sparse

from .twins import BIPARTITE, CHANNELS, LAYERS, NODES, compare, edge_index_of, edges, make, outcome, rows, twins

every_layer = pytest.mark.parametrize("build", LAYERS.values(), ids=LAYERS.keys())
every_bipartite = pytest.mark.parametrize("build", BIPARTITE.values(), ids=BIPARTITE.keys())


@every_layer
def test_laws(build):
    check_layer(lambda: build(nn), CHANNELS)


@every_layer
def test_unsorted_repeated_edges_loops_and_lonely_nodes(build):
    compare(build, rows(), edges())


@every_layer
def test_no_edges(build):
    compare(build, rows(), edges()[:, :0])


@every_layer
@pytest.mark.parametrize("form", ["COO", "CSR", "EdgeIndex"])
def test_forms_of_adjacency(build, form):
    edge_index = torch.unique(edges().flip(0), dim=1).flip(0).contiguous()
    for dtype in (torch.float32, torch.float64):
        forms = {name.upper(): adj for name, adj in adjacency_forms(edge_index, NODES, dtype).items()}
        adj = next(adj for name, adj in forms.items() if form.upper() in name)
        theirs, ours = twins(build, dtype)
        x = rows(dtype=dtype)
        with quiet_about_sparse():
            assert ours.fallback_reason(x, adj) == ""
            torch.testing.assert_close(ours(x, adj), theirs(x, adj))


@every_layer
def test_unsorted_edge_index_with_sizes(build):
    edge_index = edge_index_of(edges(), (NODES, NODES))
    compare(build, rows(), edge_index)


@every_layer
def test_graph(build):
    compare(build, rows(), Graph.from_edge_index(edges(), (NODES, NODES)), for_pyg=edges())


@every_bipartite
def test_bipartite(build):
    channels = CHANNELS if build is BIPARTITE["GINConv"] else 5
    x, edge_index = (rows(), rows(7, channels, seed=3)), edges(NODES, 7)
    compare(build, x, edge_index)
    compare(build, x, Graph.from_edge_index(edge_index, (NODES, 7)), for_pyg=edge_index)
    compare(build, list(x), edge_index)


@pytest.mark.parametrize("name", ["SAGEConv", "GINConv"])
def test_targets_without_features(name):
    build, edge_index = LAYERS[name], edges(NODES, 7)
    compare(build, (rows(), None), edge_index, (NODES, 7))
    compare(build, (rows(), None), edges())
    theirs, ours = twins(build)
    graph = Graph.from_edge_index(edge_index, (NODES, 7))
    torch.testing.assert_close(ours((rows(), None), graph), theirs((rows(), None), edge_index, (NODES, 7)))


@every_layer
def test_graph_goes_where_pyg_goes(build):
    theirs, ours = twins(build)
    ours.register_message_forward_hook(lambda *args: None)
    graph = Graph.from_edge_index(edges(), (NODES, NODES))
    assert ours.fallback_reason(rows(), graph) == "a hook watches the messages"
    torch.testing.assert_close(ours(rows(), graph), theirs(rows(), edges()))


@every_layer
def test_bfloat16(build):
    _, ours = twins(build)
    x = rows().bfloat16()
    expected = ours.bfloat16().float()(x.float(), edges())
    actual = ours.bfloat16()(x, edges())
    assert ours.fallback_reason(x, edges()) == "" and actual.dtype is torch.bfloat16
    assert float((actual.float() - expected).norm().detach() / expected.norm().detach()) < 0.02


@every_layer
def test_autocast_gives_the_precision_of_pyg(build):
    theirs, ours = twins(build)
    with torch.autocast("cpu", torch.bfloat16):
        expected, actual = theirs(rows(), edges()), ours(rows(), edges())
    assert actual.dtype is expected.dtype
    assert float((actual - expected).float().norm().detach() / expected.float().norm().detach()) < 0.02


@every_layer
def test_state_dict_goes_both_ways(build):
    theirs, ours = build(pyg), build(nn)
    assert [(n, p.shape) for n, p in ours.state_dict().items()] == [
        (n, p.shape) for n, p in theirs.state_dict().items()
    ]
    theirs.load_state_dict(ours.state_dict())
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(rows(), edges()), theirs(rows(), edges()))


@every_layer
def test_starts_and_resets_like_pyg(build):
    torch.manual_seed(3)
    theirs = build(pyg)
    torch.manual_seed(3)
    ours = build(nn)
    assert repr(ours) == repr(theirs)
    for layer in (theirs, ours):
        torch.manual_seed(4)
        layer.reset_parameters()
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name


@every_layer
def test_copied_and_saved(build):
    _, ours = twins(build)
    file = io.BytesIO()
    torch.save(ours, file)
    file.seek(0)
    for twin in (copy.deepcopy(ours), torch.load(file, weights_only=False)):
        assert twin.fallback_reason(rows(), edges()) == ""
        assert torch.equal(twin(rows(), edges()), ours(rows(), edges()))


@every_layer
def test_explainer_sees_what_it_sees_in_pyg(build):
    masks = []
    for layer in twins(build):
        torch.manual_seed(5)
        explainer = Explainer(
            layer,
            algorithm=GNNExplainer(epochs=3),
            explanation_type="model",
            edge_mask_type="object",
            node_mask_type="attributes",
            model_config={"mode": "regression", "task_level": "node", "return_type": "raw"},
        )
        explanation = explainer(rows(), edges())
        masks.append((explanation.edge_mask, explanation.node_mask))
    torch.testing.assert_close(masks[1], masks[0])


@pytest.mark.parametrize("name", ["SAGEConv", "GINConv"])
def test_script_is_that_of_pyg(name):
    theirs, ours = twins(LAYERS[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = torch.jit.script(ours)
        out = script(rows(), edges())
    torch.testing.assert_close(out, theirs(rows(), edges()))


@pytest.mark.parametrize("name", BIPARTITE)
def test_lazy_layers_take_the_size_of_their_input(name):
    def lazy(package):
        return package.GINConv(pyg.Linear(-1, 4)) if name == "GINConv" else make(name, (-1, -1), 4)(package)

    x = (rows(), rows(7, CHANNELS if name == "GINConv" else 5))
    outs = []
    for package in (pyg, nn):
        torch.manual_seed(6)
        layer = lazy(package)
        outs.append(outcome(layer, x, edges(NODES, 7)))
    for key, value in outs[0].items():
        torch.testing.assert_close(outs[1][key], value)


@pytest.mark.parametrize("name", BIPARTITE)
def test_to_hetero(name):
    class Net(torch.nn.Module):
        def __init__(self, package):
            super().__init__()
            options = {"add_self_loops": False} if name == "GATv2Conv" else {}
            given = (pyg.Linear(-1, 4),) if name == "GINConv" else ((-1, -1), 4)
            self.conv = getattr(package, name)(*given, **options)

        def forward(self, x, edge_index):
            return self.conv(x, edge_index).relu()

    x = {"a": rows(), "b": rows(7)}
    edge_index = {("a", "to", "b"): edges(NODES, 7), ("b", "to", "a"): edges(7, NODES), ("a", "near", "a"): edges()}
    outs = []
    for package in (pyg, nn):
        torch.manual_seed(7)
        outs.append(pyg.to_hetero(Net(package), (list(x), list(edge_index)))(x, edge_index))
    torch.testing.assert_close(outs[1], outs[0])


@every_layer
def test_wrong_input_is_refused_like_by_pyg(build):
    theirs, ours = twins(build)
    for x, edge_index in (
        (rows(), edges().float()),
        (rows(), edges()[:1]),
        (rows(), edge_index_of(edges(), (NODES + 1, NODES + 1))),
    ):
        with pytest.raises(Exception) as expected:
            theirs(x, edge_index)
        with pytest.raises(expected.type):
            ours(x, edge_index)
