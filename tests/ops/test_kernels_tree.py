"""The kernels of the tree and the recurrences against the PyTorch bodies and against the references."""

import os
import subprocess
import sys

import pytest
import torch

from graphlab.ops import (
    clear_cache,
    kernels,
    segment_gru,
    segment_gru_ref,
    segment_lstm,
    segment_lstm_ref,
    tree_reduce_lcm,
    tree_reduce_lcm_ref,
    use_backend,
)
from graphlab.ops.groups import make_groups
from graphlab.ops.recurrence import plan_of
from graphlab.ops.tree_plan import tree_plan
from tests.ops.ragged import elements, group_of, largest, pointer

pytestmark = pytest.mark.skipif(bool(kernels.missing("_C")), reason=f"no kernels: {kernels.missing('_C')}")

# Empty groups, single elements, a hub whose tail runs alone, and more groups than a tile holds.
SIZES = [0, 1, 2, 3, 70, 0, 0, 8, 5, *[4, 1, 7] * 40, 300]
OPS = {
    "lcm": (tree_reduce_lcm, tree_reduce_lcm_ref, 3, 1),
    "gru": (segment_gru, segment_gru_ref, 3, 1),
    "lstm": (segment_lstm, segment_lstm_ref, 4, 2),
}
kinds = pytest.mark.parametrize("kind", OPS)


def parameters(kind, d, in_channels, dtype=torch.float64):
    generator = torch.Generator().manual_seed(d)
    *_, gates, states = OPS[kind]
    wide = d if kind == "lcm" else in_channels
    shapes = [(gates * d, wide), (gates * d, d), (gates * d,), (gates * d,), *[(d,)] * states]
    scaled = [torch.randn(s, generator=generator, dtype=torch.float64) / s[-1] ** 0.5 for s in shapes]
    return [w.to(dtype).requires_grad_() for w in scaled]


def everything(kind, inputs, sizes, backend="auto", **options):
    """Results, states and all gradients, through the results and through the states."""
    groups = options if "index" in options else {"ptr": pointer(sizes), **options}
    generator = torch.Generator().manual_seed(1)
    with use_backend(backend):
        out = OPS[kind][0](*inputs, dim_size=len(sizes), **groups)
        weights = [torch.randn(o.shape, generator=generator, dtype=torch.float64).to(o.dtype) for o in out]
        one = torch.autograd.grad(out[0], inputs, weights[0], retain_graph=True)
        both = torch.autograd.grad(out, inputs, weights)
    return [*out, *one, *both]


def error(found, expected):
    return max(largest(a - b) / max(1.0, largest(b)) for a, b in zip(found, expected, strict=True))


@kinds
@pytest.mark.parametrize(("d", "in_channels"), [(1, 1), (3, 2), (16, 16), (64, 64), (70, 33), (128, 20)])
def test_kernel_body_and_reference_agree(kind, d, in_channels):
    width = d if kind == "lcm" else in_channels
    x, weights = elements(SIZES, width, 0).requires_grad_(), parameters(kind, d, in_channels)
    found = everything(kind, [x, *weights], SIZES)
    expected = everything(kind, [x, *weights], SIZES, "ref")
    assert error(found, expected) <= 1e-12
    assert error(found[:1], [OPS[kind][1](x, *weights, pointer(SIZES))]) <= 1e-12
    rounded = [t.detach().float().requires_grad_() for t in (x, *weights)]
    exact = everything(kind, [t.detach().double().requires_grad_() for t in rounded], SIZES)
    assert error(everything(kind, rounded, SIZES), exact) <= 2e-5
    assert error(everything(kind, rounded, SIZES)[:2], exact[:2]) <= 2e-6


@pytest.mark.parametrize("options", [{"tree": "halving"}, {"seed": torch.tensor([5])}], ids=["halving", "random"])
def test_every_shape_of_tree(options):
    x, weights = elements(SIZES, 6, 0).requires_grad_(), parameters("lcm", 6, 6)
    found, expected = (everything("lcm", [x, *weights], SIZES, backend, **options) for backend in ("auto", "ref"))
    assert error(found, expected) <= 1e-12


@kinds
@pytest.mark.parametrize("seed", [None, torch.tensor([3])])
def test_unsorted_parts_and_strides(kind, seed):
    index = group_of(SIZES)
    index = index[torch.randperm(index.numel(), generator=torch.Generator().manual_seed(0))]
    wide, weights = elements(SIZES, 30, 0), parameters(kind, 5, 5)
    x = wide[:, ::2].requires_grad_()
    found, expected = (
        everything(kind, [x, *weights], SIZES, backend, index=index, seed=seed) for backend in ("auto", "ref")
    )
    assert error(found, expected) <= 1e-12
    parts = [OPS[kind][0](p, *weights, index=index, dim_size=len(SIZES), seed=seed)[0] for p in x.split(5, 1)]
    assert torch.equal(found[0], torch.cat(parts, 1))


@pytest.mark.parametrize("backend", ["auto", "ref"])
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("seed", [None, torch.tensor([3])])
def test_leaves_taken_from_rows(backend, dtype, sort, seed):
    generator, index = torch.Generator().manual_seed(0), group_of(SIZES)
    src = torch.randint(50, index.shape, generator=generator)
    src = (src.sort().values if sort else src).to(dtype)
    x, weights = elements([60], 8, 0).requires_grad_(), parameters("lcm", 4, 4)
    for shuffle in (False, True):
        at = torch.randperm(index.numel(), generator=generator) if shuffle else torch.arange(index.numel())
        found = everything("lcm", [x, *weights], SIZES, backend, index=index[at], seed=seed, src=src)
        made = x.index_select(0, src)
        with use_backend("ref"):
            out = tree_reduce_lcm(made, *weights, index=index[at], dim_size=len(SIZES), seed=seed)
        weight = torch.randn(out[0].shape, generator=torch.Generator().manual_seed(1), dtype=out[0].dtype)
        expected = [*out, *torch.autograd.grad(out[0], [x, *weights], weight)]
        assert error(found[: len(expected)], expected) <= 1e-12


def test_second_derivatives_with_leaves_taken_from_rows():
    src, inputs = torch.tensor([2, 0, 2, 1, 2, 0, 0]), [elements([3], 2, 3).requires_grad_(), *parameters("lcm", 2, 2)]

    def run(*tensors):
        return tree_reduce_lcm(*tensors, ptr=pointer([0, 1, 2, 4]), dim_size=4, src=src)

    assert torch.autograd.gradcheck(run, inputs)
    assert torch.autograd.gradgradcheck(run, inputs)
    torch.library.opcheck(
        torch.ops.graphlab.tree_reduce_lcm, (*inputs, pointer([0, 1, 2, 4]), True, 4, "carry", None, src)
    )


@pytest.mark.parametrize("backend", ["auto", "ref"])
@pytest.mark.parametrize(
    ("src", "match"),
    [
        (torch.tensor([0, 5]), r"'src' must lie in \[0, 5\), the rows of 'x', got 0 to 5"),
        (torch.tensor([-1, 0]), r"'src' must lie in \[0, 5\), the rows of 'x', got -1 to 0"),
        (torch.tensor([0.0, 1.0]), "'src' must be a vector of int64 or int32, got torch.float32"),
    ],
    ids=str,
)
def test_rows_that_are_not_there_are_refused(backend, src, match):
    with use_backend(backend), pytest.raises(ValueError, match=match):
        tree_reduce_lcm(torch.randn(5, 2), *parameters("lcm", 2, 2), ptr=pointer([2]), dim_size=1, src=src)


@kinds
@pytest.mark.parametrize("sizes", [[], [0, 0], [1, 1, 1], [1]], ids=str)
def test_little_or_nothing_to_do(kind, sizes):
    x, weights = elements(sizes, 4, 0).requires_grad_(), parameters(kind, 4, 4)
    found, expected = (everything(kind, [x, *weights], sizes, backend) for backend in ("auto", "ref"))
    assert error(found, expected) <= 1e-12


@kinds
def test_second_derivatives_through_the_kernels(kind):
    sizes = [0, 1, 2, 4]
    inputs = [elements(sizes, 2, 3).requires_grad_(), *parameters(kind, 2, 2)]

    def run(*tensors):
        return OPS[kind][0](*tensors, ptr=pointer(sizes), dim_size=4)

    assert torch.autograd.gradcheck(run, inputs)
    assert torch.autograd.gradgradcheck(run, inputs)


@kinds
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_same_bits_over_repeats_and_threads(kind, dtype):
    sizes = [*[5, 17, 0, 9, 1] * 120, 700]
    x = elements(sizes, 24, 0).to(dtype).requires_grad_()
    weights, before = parameters(kind, 24, 24, dtype), torch.get_num_threads()
    runs = []
    try:
        for threads in (1, 1, 2, 4):
            torch.set_num_threads(threads)
            runs.append(everything(kind, [x, *weights], sizes))
    finally:
        torch.set_num_threads(before)
    for run in runs[1:]:
        assert all(torch.equal(a, b) for a, b in zip(run, runs[0], strict=True))


@kinds
def test_a_group_does_not_feel_the_others(kind):
    x, weights = elements(SIZES, 16, 0).float(), [w.detach().float() for w in parameters(kind, 16, 16)]
    out = OPS[kind][0](x, *weights, ptr=pointer(SIZES), dim_size=len(SIZES))[0]
    start = pointer(SIZES)
    for group in (0, 1, 4, 8, len(SIZES) - 1):
        part = x[start[group] : start[group + 1]]
        assert torch.equal(OPS[kind][0](part, *weights, ptr=pointer([SIZES[group]]), dim_size=1)[0][0], out[group])


@kinds
def test_nan_stays_in_its_group_and_large_values_stay_finite(kind):
    x, weights = elements(SIZES, 16, 0).float(), [w.detach().float() for w in parameters(kind, 16, 16)]
    start = pointer(SIZES)
    x[start[7]] = float("nan")
    x[start[8] : start[9]] *= 1e30
    out = OPS[kind][0](x, *weights, ptr=start, dim_size=len(SIZES))[0]
    assert out[7].isnan().all()
    kept = torch.arange(len(SIZES)) != 7
    assert not out[kept].isnan().any()
    if kind != "lcm":
        assert out[8].abs().max() <= 1


@kinds
def test_other_precisions_take_the_pytorch_body(kind):
    sizes = [3, 0, 2]
    x, weights = elements(sizes, 4, 0).bfloat16(), [w.detach().bfloat16() for w in parameters(kind, 4, 4)]
    out = OPS[kind][0](x, *weights, ptr=pointer(sizes), dim_size=3)[0]
    with use_backend("ref"):
        assert torch.equal(out, OPS[kind][0](x, *weights, ptr=pointer(sizes), dim_size=3)[0])


def lcm_arguments():
    sizes = [3, 0, 4]
    plan = tree_plan(make_groups(None, pointer(sizes), 3, 7))
    named = dict(zip(("left", "right"), plan.pairs, strict=True), level_ptr=plan.level_ptr, root=plan.root)
    weights = [w.detach() for w in parameters("lcm", 2, 2)]
    return {"x": elements(sizes, 2, 0), "src": None, "leaves": None, **named}, weights


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"left": 99}, "slots that are filled"),
        ({"right": -1}, "slots that are filled"),
        ({"root": 50}, "slots that are filled"),
        ({"level_ptr": 3}, "'level_ptr' must"),
        ({"leaves": torch.full((7,), 7)}, r"'leaves' must lie in \[0, 7\)"),
        ({"leaves": torch.zeros(2, dtype=torch.long)}, "one entry for each of the 7 elements, got 2"),
        ({"src": torch.full((7,), 7)}, r"'src' must lie in \[0, 7\)"),
        ({"src": torch.zeros(2, dtype=torch.long)}, "fewer than there are elements"),
        ({"x": torch.zeros(7, 3, dtype=torch.double)}, "multiple of d = 2 columns, got 3"),
        ({"x": torch.zeros(7, 2)}, "'weight_ih' must be of the same type as 'x'"),
    ],
    ids=str,
)
def test_a_broken_tree_is_refused(change, match):
    arguments, weights = lcm_arguments()
    for name, value in change.items():
        if isinstance(value, int):
            arguments[name] = arguments[name].clone()
            arguments[name][0] = value
        else:
            arguments[name] = value
    with pytest.raises(RuntimeError, match=match):
        torch.ops.graphlab.lcm_forward(*arguments.values(), *weights)


def test_a_slot_with_two_readers_has_no_gradient():
    arguments, weights = lcm_arguments()
    made = torch.ops.graphlab.lcm_forward(*arguments.values(), *weights)[1]
    x = arguments.pop("x")
    for name, value in {"left": 1, "leaves": torch.tensor([0, 1, 2, 3, 4, 5, 5])}.items():
        broken = {k: t if t is None else t.clone() for k, t in arguments.items()}
        if name == "left":
            broken[name][0] = value
        else:
            broken[name] = value
        with pytest.raises(RuntimeError, match=r"read once|permutation"):
            torch.ops.graphlab.lcm_backward(torch.zeros(3, 2).double(), None, x, made, *broken.values(), *weights[:4])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"gather": 9}, r"'gather' must lie in \[0, 7\)"),
        ({"gather": 1}, "'gather' must name no place twice"),
        ({"position": -1}, r"'position' must lie in \[0, 7\)"),
        ({"begin": 1}, "'begin' must be the sum"),
        ({"size": 2}, "'size' must be positive, never increase"),
        ({"size": 2**62}, "'size' must be positive, never increase"),
        ({"order": 3}, r"'order' must lie in \[0, 3\)"),
    ],
    ids=str,
)
def test_a_broken_schedule_is_refused(change, match):
    plan = plan_of(7, (pointer([3, 0, 4]), True, 3, None))
    arguments = dict(zip(("gather", "position", "begin", "size", "order"), plan.tensors, strict=True))
    for name, value in change.items():
        arguments[name] = arguments[name].clone()
        arguments[name][0] = value
    weights = [w.detach() for w in parameters("gru", 2, 2)]
    with pytest.raises(RuntimeError, match=match):
        torch.ops.graphlab.recurrence_forward(elements([7], 2, 0), *arguments.values(), 3, *weights, None)


SCRIPT = """
import sys, torch
from graphlab.ops import kernels
from tests.ops.test_kernels_tree import SIZES, elements, everything, parameters
assert torch.ops.graphlab.cpu_isa() == sys.argv[1]
for kind in ("lcm", "gru", "lstm"):
    for d in (3, 70):
        inputs = [elements(SIZES, d, 0).requires_grad_(), *parameters(kind, d, d)]
        found, expected = (everything(kind, inputs, SIZES, backend) for backend in ("auto", "ref"))
        for a, b in zip(found, expected, strict=True):
            assert (a - b).abs().max() <= 1e-11 * max(1, b.abs().max()), (kind, d)
"""


@pytest.mark.parametrize("isa", ["base", "avx2"])
def test_lesser_processors_get_the_same_results(isa):
    order = ["base", "avx2", "avx512"]
    if order.index(torch.ops.graphlab.cpu_isa()) < order.index(isa):
        pytest.skip(f"this processor has no {isa}")
    environment = {**os.environ, "GRAPHLAB_ISA": isa}
    subprocess.run([sys.executable, "-c", SCRIPT, isa], check=True, env=environment)


def test_schedules_survive_a_cleared_cache():
    x, weights = elements([3, 2], 4, 0).requires_grad_(), parameters("lcm", 4, 4)
    out = tree_reduce_lcm(x, *weights, ptr=pointer([3, 2]), dim_size=2)[0]
    clear_cache()
    out.sum().backward()
    assert x.grad is not None and x.grad.isfinite().all()
