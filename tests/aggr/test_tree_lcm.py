import copy
import math
import shutil

import pytest
import torch
from hypothesis import given, settings
from torch import nn
from torch_geometric.nn import GraphSAGE, HeteroConv, LCMAggregation, SAGEConv

import graphlab
from graphlab.aggr import TreeLCMAggregation, penalty
from graphlab.testing import check_aggregation, check_layer
from tests.ops.ragged import counts, elements, group_of, largest, pointer, seeds

D = 6


def double(**options):
    torch.manual_seed(0)
    return TreeLCMAggregation(D, D, **{"project": False, **options}).double()


@pytest.mark.parametrize("options", [{}, {"tree": "halving", "project": False}, {"random_pairing": True}], ids=str)
def test_laws(options):
    check_aggregation(lambda: TreeLCMAggregation(8, **options))


def test_a_layer_built_on_it_obeys_the_laws():
    check_layer(lambda: SAGEConv(8, 8, aggr=TreeLCMAggregation(8)), 8, permutation_bound=None)


@given(sizes=counts, seed=seeds)
def test_other_groups_change_nothing(sizes, seed):
    aggr, x = double(), elements(sizes, D, seed)
    alone = aggr(x, group_of(sizes), dim_size=len(sizes))
    hub = elements([500], D, seed)
    beside = aggr(torch.cat([x, hub]), group_of([*sizes, 500]), dim_size=len(sizes) + 1)
    assert largest(alone - beside[:-1]) <= 1e-12


def test_pyg_s_own_aggregator_is_moved_by_other_groups():
    """The defect that this class exists for; should PyG mend it, this test says so."""
    aggr = LCMAggregation(D, D, project=False).double()
    x, hub = elements([5], D, 0), elements([500], D, 1)
    alone = aggr(x, group_of([5]))
    beside = aggr(torch.cat([x, hub]), group_of([5, 500]))[:1]
    assert (alone - beside).norm() / alone.norm() > 0.2


@pytest.mark.parametrize("degree", [*range(1, 41), 63, 64, 65, 200])
def test_equal_degrees_give_pyg_s_result_and_gradient(degree):
    theirs = LCMAggregation(D, D).double()
    ours = double(project=True)
    ours.load_state_dict(theirs.state_dict(), strict=False)
    x, index = elements([degree] * 3, D, degree).requires_grad_(), group_of([degree] * 3)
    one, two = ours(x, index), theirs(x, index)
    assert largest(one - two) <= 1e-12
    weight = torch.randn_like(two)
    grads = [
        torch.autograd.grad(y, [x, m.lin.weight, m.gru_cell.weight_ih], weight, allow_unused=True)
        for y, m in ((one, ours), (two, theirs))
    ]
    for a, b in zip(*grads, strict=True):
        assert largest(a if b is None else a - b) <= 1e-10


@given(sizes=counts, seed=seeds)
@settings(max_examples=30)
def test_ragged_degrees_give_pyg_s_result_of_each_group_alone(sizes, seed):
    theirs, ours = LCMAggregation(D, D, project=False).double(), double()
    ours.load_state_dict(theirs.state_dict(), strict=False)
    x = elements(sizes, D, seed)
    out = ours(x, group_of(sizes), dim_size=len(sizes))
    for i, part in enumerate(x.split(sizes) if sizes else []):
        expected = theirs(part) if len(part) else ours.identity
        assert largest(out[i] - expected) <= 1e-12


def test_float32_is_near_float64():
    wide, narrow = double(), double().float()
    sizes = [1, 2, 31, 200]
    x, index = elements(sizes, D, 0), group_of(sizes)
    assert largest(wide(x, index) - narrow(x.float(), index)) <= 1e-6


def literal_fold(aggr, rows):
    """The tree of one group, node by node, as nested tuples (value, left, right)."""
    nodes = [(row, None, None) for row in rows]
    while len(nodes) > 1:
        odd = nodes[-1:] if len(nodes) % 2 else []
        pairs = zip(nodes[0::2], nodes[1::2], strict=False)
        nodes = [(aggr.combine(a[0], b[0]), a, b) for a, b in pairs] + odd
    return nodes[0]


def literal_losses(aggr, node):
    """Appendix E of the paper: associativity and commutativity losses of a tree's nodes."""
    value, left, right = node
    if left is None:
        return [], []
    below = [literal_losses(aggr, child) for child in (left, right)]
    assoc, comm = ([*below[0][i], *below[1][i]] for i in (0, 1))

    def gap(a, b, c):
        one = aggr.combine(aggr.combine(a, b), c)
        other = aggr.combine(a, aggr.combine(b, c))
        return (one - other).square().sum()

    if left[1] is not None:
        a, b = left[1][0], left[2][0]
        if right[1] is not None:
            c, d = right[1][0], right[2][0]
            assoc += [gap(a, b, c), gap(b, c, d)]
        else:
            assoc += [gap(a, b, right[0])]
    comm.append((value - aggr.combine(right[0], left[0])).square().sum())
    return assoc, comm


class Lopsided(nn.Module):
    """A cell that does not commute."""

    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(2 * D, D).double()

    def forward(self, a, b):
        return self.lin(torch.cat([a, b], -1)).tanh()


@pytest.mark.parametrize("cell", [None, Lopsided()], ids=["binary-gru", "lopsided"])
def test_losses_equal_the_paper_s_literally(cell):
    aggr = double(cell=cell)
    sizes = [0, 1, 2, 3, 4, 5, 7, 12]
    x, index = elements(sizes, D, 0).requires_grad_(), group_of(sizes)
    found = [literal_losses(aggr, literal_fold(aggr, part)) for part in x.split(sizes) if len(part)]
    for i, loss in enumerate((aggr.associativity_loss(x, index), aggr.commutativity_loss(x, index))):
        expected = torch.stack([one for group in found for one in group[i]]).mean()
        assert abs(float(loss.detach()) - float(expected.detach())) <= 1e-12
        if expected > 1e-20:
            grads = [torch.autograd.grad(y, x, retain_graph=True)[0] for y in (loss, expected)]
            assert largest(grads[0] - grads[1]) <= 1e-11


def test_a_group_of_three_by_hand():
    """With halved weights of zero the cell is a mean: a o b = (a + b) / 4 + ..., worked out on paper."""
    aggr = double()
    for parameter in aggr.gru_cell.parameters():
        nn.init.zeros_(parameter)
    # All gates 1/2, new state 0: GRUCell(x, h) = h / 2, so a o b = (a + b) / 4.
    x = torch.zeros(3, D, dtype=torch.float64)
    x[0, 0], x[1, 0], x[2, 0] = 1.0, 2.0, 4.0
    index = torch.zeros(3, dtype=torch.long)
    assert aggr(x, index)[0, 0] == ((1 + 2) / 4 + 4) / 4
    # (a o b) o c - a o (b o c) = 3/16 + 1 - 1/4 - 6/16 = 9/16
    assert float(aggr.associativity_loss(x, index).detach()) == pytest.approx((9 / 16) ** 2, abs=1e-15)


def test_sampled_triples_estimate_the_loss():
    aggr = double()
    sizes = [40, 40]
    x, index = elements(sizes, D, 0), group_of(sizes)
    torch.manual_seed(0)
    exact = float(aggr.associativity_loss(x, index).detach())
    drawn = [float(aggr.associativity_loss(x, index, max_triples=10).detach()) for _ in range(300)]
    mean, spread = sum(drawn) / 300, torch.tensor(drawn).std() / math.sqrt(300)
    assert abs(mean - exact) <= 4 * spread


def test_penalty_collects_what_training_left_and_does_not_stop_a_copy():
    model = nn.Sequential(double(associativity=0.5), nn.Linear(D, 1).double())
    x, index = elements([5, 3], D, 0), group_of([5, 3])
    model[0](x, index)
    expected = 0.5 * model[0].associativity_loss(x, index)
    assert float(penalty(model).detach()) == pytest.approx(float(expected.detach()), abs=1e-13)
    penalty(model).backward()
    assert model[0].gru_cell.weight_ih.grad.abs().max() > 0
    copy.deepcopy(model)
    model.eval()
    assert penalty(nn.Linear(1, 1)) == 0.0


def test_random_pairing_draws_in_training_only_and_from_the_global_seed():
    aggr = double(random_pairing=True)
    x, index = elements([9, 6], D, 0), group_of([9, 6])
    torch.manual_seed(1)
    one, two = aggr(x, index), aggr(x, index)
    torch.manual_seed(1)
    assert aggr(x, index).equal(one) and largest(one - two) > 1e-6
    assert aggr.eval()(x, index).equal(aggr(x, index))
    assert aggr(x, index).equal(double()(x, index))


def test_gradients_of_a_random_tree_use_the_tree_of_the_forward_pass():
    aggr = double(random_pairing=True)
    index = group_of([5, 0, 3])

    def run(x):
        torch.manual_seed(3)
        return aggr(x, index, dim_size=3)

    assert torch.autograd.gradcheck(run, elements([5, 0, 3], D, 0).requires_grad_())


@pytest.mark.parametrize("batch", [(), (3,)], ids=str)
def test_a_user_s_cell_is_folded(batch):
    aggr = double(cell=lambda a, b: a * b)
    sizes = [3, 0, 1, 6]
    x = torch.randn(*batch, sum(sizes), D, dtype=torch.float64)
    out = aggr(x, group_of(sizes), dim_size=4)
    for i, part in enumerate(x.split(sizes, -2)):
        assert largest(out[..., i, :] - (part.prod(-2) if sizes[i] else 0.0)) <= 1e-12


def test_the_identity_is_learned():
    aggr = double()
    aggr(elements([2, 0], D, 0), group_of([2, 0]), dim_size=2)[1].sum().backward()
    assert aggr.identity.grad.equal(torch.ones(D, dtype=torch.float64))


def test_open_sizes_come_from_the_first_input_or_a_checkpoint():
    aggr = TreeLCMAggregation()
    optimizer = torch.optim.SGD(aggr.parameters(), lr=1.0)
    out = aggr(torch.randn(4, 7), torch.zeros(4, dtype=torch.long))
    assert out.shape == (1, 7)
    before = aggr.gru_cell.weight_ih.detach().clone()
    out.sum().backward()
    optimizer.step()
    assert largest(aggr.gru_cell.weight_ih - before) > 0, "an optimizer made before the first input trains nothing"
    twin = TreeLCMAggregation().double()
    twin.load_state_dict(aggr.state_dict())
    assert twin.in_channels == twin.out_channels == 7 and twin.identity.dtype == torch.float64


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"in_channels": 0}, "'in_channels' must be a positive integer, or -1 .* got 0"),
        ({"out_channels": -2}, "'out_channels' must be a positive integer, got -2"),
        ({"tree": "oak"}, "'tree' must be one of 'carry', 'halving', got 'oak'"),
        ({"associativity": -1.0}, "'associativity' must be a weight >= 0, got -1.0"),
        ({"commutativity": float("nan")}, "'commutativity' must be a weight >= 0, got nan"),
        ({"in_channels": 3, "out_channels": 4, "project": False}, "use 'project=True'"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        TreeLCMAggregation(**options)


def test_bad_input_is_named():
    aggr = TreeLCMAggregation(4)
    index = torch.zeros(3, dtype=torch.long)
    with pytest.raises(ValueError, match="must have in_channels=4 channels in its last dimension, got 5"):
        aggr(torch.randn(3, 5), index)
    with pytest.raises(ValueError, match=r"'x' must hold floating point numbers, got torch.int64"):
        aggr(torch.ones(3, 4, dtype=torch.long), index)
    with pytest.raises(ValueError, match="'dim_size' is 1; expected >= 4"):
        aggr(torch.randn(3, 4), torch.tensor([0, 3, 0]), dim_size=1)


EDGES = torch.tensor([[0, 1, 2, 3, 4, 0, 1], [1, 0, 1, 2, 0, 3, 3]])


# Where there is a compiler, all the way down; else as far as tracing goes, which is where graphs break.
BACKEND = "inductor" if any(map(shutil.which, ("c++", "g++", "clang++"))) else "aot_eager"


def compiled_equals_eager(model, *args):
    torch._dynamo.reset()
    eager = model(*args)
    compiled = torch.compile(model, fullgraph=True, backend=BACKEND)(*args)
    if isinstance(eager, dict):
        eager, compiled = (torch.cat([out[k] for k in sorted(out)]) for out in (eager, compiled))
    assert largest(eager - compiled) <= 1e-5
    parameters = list(model.parameters())
    one, two = (torch.autograd.grad(y.square().sum(), parameters, allow_unused=True) for y in (eager, compiled))
    assert largest(*(a - b for a, b in zip(one, two, strict=True) if a is not None)) <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("aggr", ["treelcm", "segmentgru", "segmentlstm", "quasiarithmetic", "productmonoid"])
def test_pyg_s_layers_compile_without_a_break(aggr):
    torch.manual_seed(0)
    x = torch.randn(5, 8)
    with graphlab.register_aggregations():
        conv = SAGEConv(8, 8, aggr=aggr)
        net = GraphSAGE(8, 8, num_layers=2, aggr=aggr)
        hetero = HeteroConv({("a", "to", "b"): SAGEConv((8, 8), 4, aggr=aggr), ("b", "of", "a"): SAGEConv(8, 4)})
    conv(x, EDGES), net(x, EDGES)
    compiled_equals_eager(conv, x, EDGES)
    compiled_equals_eager(net, x, EDGES)
    both = {"a": x, "b": x + 1}
    edges = {("a", "to", "b"): EDGES, ("b", "of", "a"): EDGES.flip(0)}
    hetero(both, edges)
    compiled_equals_eager(hetero, both, edges)


def test_states_of_a_tree_are_its_subtrees():
    aggr = double()
    x = elements([4], D, 0)
    a, b, c = aggr.triples(x, ptr=pointer([4]))
    assert a.equal(x[[0, 1]]) and b.equal(x[[1, 2]]) and c.equal(x[[2, 3]])
    a, b, c = aggr.triples(elements([1, 2], D, 0), ptr=pointer([1, 2]))
    assert a.shape == b.shape == c.shape == (0, D)


def test_law_errors_speak_of_this_aggregator():
    sizes = [16] * 20
    errors = graphlab.testing.law_errors(double(), elements(sizes, D, 0), group_of(sizes))
    assert errors.associativity > 0 and errors.permutation > 0 and errors.tree_shape == 0.0
    sizes = [11] * 20
    assert graphlab.testing.law_errors(double(), elements(sizes, D, 0), group_of(sizes)).tree_shape > 0
