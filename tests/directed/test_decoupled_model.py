import copy

import pytest
import torch

from graphlab.directed import A2DUG, ADPA, FSGNN, LightDiC

MAKERS = {
    "adpa": lambda: ADPA(4, 5, 3),
    "lightdic": lambda: LightDiC(4, 5, 3),
    "fsgnn": lambda: FSGNN(4, 5, 3),
    "a2dug": lambda: A2DUG(4, 5, 3, num_nodes=6),
}
EDGES = torch.tensor([[0, 1, 2, 2, 4], [1, 2, 0, 3, 4]])


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_network_is_a_function_of_its_seed_and_state(make):
    x = torch.rand(6, 4)
    torch.manual_seed(0)
    model = make().eval()
    out = model(x, EDGES)
    torch.manual_seed(0)
    assert make().eval()(x, EDGES).equal(out) and copy.deepcopy(model)(x, EDGES).equal(out)
    other = make().eval()
    other.load_state_dict(model.state_dict())
    assert other(x, EDGES).equal(out)
    for net in (model, other):
        torch.manual_seed(1)
        net.reset_parameters()
    assert other(x, EDGES).equal(model(x, EDGES)) and not other(x, EDGES).equal(out)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_graph_without_edges_has_finite_logits_and_gradients(make):
    model = make()
    model(torch.rand(6, 4), EDGES[:, :0]).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize(
    ("x", "edge_index", "message"),
    [
        (torch.rand(6, 3), EDGES, r"'x' must hold floating-point numbers \(num_nodes, 4\), got .* of shape \(6, 3\)"),
        (torch.ones(6, 4, dtype=torch.long), EDGES, "'x' must hold floating-point numbers .*, got torch.int64"),
        (torch.full((6, 4), torch.nan), EDGES, "'x' must be finite, got NaN or infinity"),
        (torch.rand(6, 4), EDGES + 2, r"'edge_index' has .* to 6, expected \[0, 6\)"),
    ],
)
def test_wrong_graphs_are_refused(make, x, edge_index, message):
    with pytest.raises(ValueError, match=message):
        make()(x, edge_index)


def test_hops_of_another_network_are_refused():
    with pytest.raises(ValueError, match=r"'hops' must come from FSGNN\(.*\) on 4 features, got LightDiC\("):
        FSGNN(4, 5, 3).classify(LightDiC(4, 5, 3).precompute(torch.rand(6, 4), EDGES))
