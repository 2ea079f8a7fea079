"""The laws that both ragged recurrences share."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphlab.ops import (
    clear_cache,
    segment_gru,
    segment_gru_ref,
    segment_lstm,
    segment_lstm_ref,
    step_plan,
    use_backend,
)
from graphlab.ops.groups import make_groups
from tests.ops.ragged import counts, elements, group_of, largest, pointer, seeds

F, D = 3, 4
OPS = {"gru": (segment_gru, segment_gru_ref, 3, 1), "lstm": (segment_lstm, segment_lstm_ref, 4, 2)}
kinds = pytest.mark.parametrize("kind", sorted(OPS))


@pytest.fixture(params=["auto", "ref"], scope="module", autouse=True)
def backend(request):
    with use_backend(request.param):
        yield


def parameters(kind, seed=0):
    generator = torch.Generator().manual_seed(seed)
    _, _, gates, states = OPS[kind]
    shapes = [(gates * D, F), (gates * D, D), (gates * D,), (gates * D,), *[(D,)] * states]
    return [torch.randn(s, generator=generator, dtype=torch.float64).requires_grad_() for s in shapes]


@pytest.fixture(params=[(2048, 8192), (2, 4), (3, 1)], ids=str)
def tiling(request, monkeypatch):
    monkeypatch.setattr(step_plan, "TILE_GROUPS", request.param[0])
    monkeypatch.setattr(step_plan, "CHUNK_ELEMENTS", request.param[1])
    clear_cache()
    yield
    clear_cache()


def agree(kind, sizes, seed):
    run, ref, *_ = OPS[kind]
    x, weights = elements(sizes, F, seed).requires_grad_(), parameters(kind, seed)
    out = run(x, *weights, ptr=pointer(sizes), dim_size=len(sizes))[0]
    expected = ref(x, *weights, pointer(sizes))
    assert out.shape == expected.shape and largest(out - expected) <= 1e-12
    if not sizes:
        return
    weight = torch.randn(out.shape, dtype=out.dtype)
    grads = [torch.autograd.grad(y, [x, *weights], weight, allow_unused=True) for y in (out, expected)]
    for a, b in zip(*grads, strict=True):
        assert largest(a if b is None else a - b) <= 1e-10


@kinds
@given(sizes=counts, seed=seeds)
def test_forward_and_backward_equal_the_reference(kind, sizes, seed):
    agree(kind, sizes, seed)


@kinds
@pytest.mark.usefixtures("tiling")
def test_tiles_and_chunks_do_not_show(kind):
    agree(kind, [0, 1, 2, 3, 7, 0, 8, 5, 1, 23], 5)


@kinds
def test_one_sequence_is_torch_s_own_layer(kind):
    x, weights = elements([11], F, 2), parameters(kind)
    layer = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[kind](F, D, dtype=torch.float64)
    with torch.no_grad():
        for own, theirs in zip(weights, layer.parameters(), strict=False):
            theirs.copy_(own)
    start = [s.view(1, D) for s in weights[4:]]
    expected = layer(x, start[0] if kind == "gru" else tuple(start))[0]
    out, states, *_ = OPS[kind][0](x, *weights, ptr=pointer([11]), dim_size=1)
    assert largest(out - expected[-1:]) <= 1e-12
    assert largest(states - expected) <= 1e-12


@kinds
def test_derivatives_to_second_order_also_through_the_states(kind):
    sizes = [0, 1, 2, 4]
    index = group_of(sizes)[torch.tensor([6, 0, 3, 1, 2, 5, 4])]
    inputs = [elements(sizes, F, 3).requires_grad_(), *parameters(kind)]

    def run(*tensors):
        return OPS[kind][0](*tensors, index=index, dim_size=4)

    assert torch.autograd.gradcheck(run, inputs)
    assert torch.autograd.gradgradcheck(run, inputs)


@kinds
def test_parts_of_a_row_run_on_their_own(kind):
    sizes, weights = [3, 0, 4], parameters(kind)
    x = elements(sizes, 2 * F, 1).requires_grad_()
    out = OPS[kind][0](x, *weights, ptr=pointer(sizes), dim_size=3)[0]
    parts = torch.cat([OPS[kind][1](p, *weights, pointer(sizes)) for p in x.split(F, 1)], 1)
    assert largest(out - parts) <= 1e-12
    one, two = (torch.autograd.grad(y.square().sum(), [x, *weights]) for y in (out, parts))
    assert largest(*(a - b for a, b in zip(one, two, strict=True))) <= 1e-10


@kinds
def test_the_op_is_well_formed(kind):
    args = (elements([2, 0, 3], F, 0).requires_grad_(), *parameters(kind), pointer([2, 0, 3]), True, 3, None)
    torch.library.opcheck(getattr(torch.ops.graphlab, f"segment_{kind}"), args)


@kinds
@given(seed=st.integers(0, 2**62))
@settings(max_examples=20)
def test_a_seed_permutes_inside_the_groups_only(kind, seed):
    sizes = [4, 0, 1, 6]
    x, weights = elements(sizes, F, 0), parameters(kind)
    plan = step_plan.step_plan(make_groups(None, pointer(sizes), 4, 11), seed)
    order = plan.gather[plan.position].split(plan.size.tolist())
    start = pointer(sizes)
    rows = []
    for group, taken in zip(plan.order.tolist(), order, strict=True):
        assert sorted(taken.tolist()) == list(range(int(start[group]), int(start[group + 1])))
        rows.append(OPS[kind][1](x[taken], *weights, pointer([len(taken)])))
    out = OPS[kind][0](x, *weights, ptr=start, dim_size=4, seed=torch.tensor([seed]))[0]
    assert largest(out[plan.order] - torch.cat(rows)) <= 1e-12


@kinds
def test_a_width_that_holds_no_whole_parts_is_refused(kind):
    with pytest.raises(ValueError, match=r"'x' must be .* a multiple of in_channels=3 columns, got \(8, 7\)"):
        OPS[kind][0](torch.randn(8, 7), *parameters(kind), ptr=pointer([8]), dim_size=1)
