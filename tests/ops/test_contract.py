"""What every op keeps, on whatever runs it: values, derivatives, batching, tracing, determinism, memory, errors."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch._dynamo.testing
from torch import Tensor

from graphlab.ops import host_op
from graphlab.ops.op import registered
from tests.ops import elsewhere, nasty
from tests.ops.backends import BACKENDS, active, at_home, need, raw, run
from tests.ops.cases import FLOATS, GRID, INDICES, STRUCTURES, WIDTHS, Case
from tests.ops.closeness import check, excess
from tests.ops.memory import taken
from tests.ops.specimens import SPECIMENS, Arguments, Specimen, as_tuple, is_real

NATIVE = ("cpu", "emulated")

GRID_CASES = [pytest.param(s, c, id=f"{s.op}-{c}") for s in SPECIMENS.values() for c in s.grid]
RULE_CASES = [pytest.param(s, c, id=f"{s.op}-{c.variant or 'plain'}") for s in SPECIMENS.values() for c in s.rules]
OPS = [pytest.param(s, id=s.op) for s in SPECIMENS.values()]

on_grid = pytest.mark.parametrize(("specimen", "case"), GRID_CASES)
on_rules = pytest.mark.parametrize(("specimen", "case"), RULE_CASES)
on_ops = pytest.mark.parametrize("specimen", OPS)


@pytest.fixture
def backend(request: Any) -> Iterator[str]:
    need(request.param, request.node.callspec.params.get("specimen"))
    with active(request.param):
        yield request.param


def on(*backends: str) -> Any:
    present = [backend for backend in backends if backend in BACKENDS]
    return pytest.mark.parametrize("backend", present, indirect=True)


def _spare(backend: str, specimen: Specimen, case: Case) -> None:
    if backend != "cpu" and case not in (specimen.rules[0], specimen.rules[-1]):
        pytest.skip("rules are those of the other backends; the first and the last variant stand for all")


def differentiable(specimen: Specimen, case: Case, backend: str) -> tuple[Arguments, list[int]]:
    args = at_home(backend, specimen.arguments(case))
    at = specimen.reals(args)
    for i in at:
        args[i] = args[i].detach().clone().requires_grad_()
    return args, at


def weighted_sum(results: tuple) -> Tensor:
    """One number that depends on every real result, and on each of its entries in another way."""
    return sum((p * _different(p)).sum() for p in results if is_real(p) and p.requires_grad)  # pyright: ignore


def _different(t: Tensor) -> Tensor:
    return torch.linspace(0.5, 2, t.numel(), dtype=t.dtype, device=t.device).view(t.shape)


def gradients_of(results: tuple, reals: list[Tensor]) -> tuple:
    return torch.autograd.grad(weighted_sum(results), reals, materialize_grads=True)


def of_reals(specimen: Specimen, args: Arguments, at: list[int]) -> Any:
    """The op as a function of its real arguments, giving its real results."""

    def function(*reals: Tensor) -> tuple:
        given = list(args)
        for i, value in zip(at, reals, strict=True):
            given[i] = value
        return tuple(r for r in as_tuple(specimen.registered(*given)) if r.is_floating_point())

    return function


def test_every_op_has_a_specimen_and_every_specimen_an_op():
    assert {op.name for op in registered()} == set(SPECIMENS)


@on_ops
def test_the_grid_holds_every_listed_value(specimen):
    grid = specimen.grid
    assert {c.dtype for c in grid} == set(FLOATS) and {c.index for c in grid} == set(INDICES)
    assert {c.d for c in grid} == set(WIDTHS) and {c.structure for c in grid} == set(GRID)
    assert {c.variant for c in grid} == set(specimen.variants)


@on(*BACKENDS)
@on_grid
def test_values_are_those_of_the_formula(backend, specimen, case):
    args = specimen.arguments(case)
    check(run(specimen, backend, args), specimen.expected(args), specimen, case)


@on(*BACKENDS)
@on_rules
def test_inputs_may_be_strided_and_stay_as_they_are(backend, specimen, case):
    args = specimen.arguments(case.but(structure="empty rows", d=17))
    strided = [_strided(a) if isinstance(a, Tensor) and a.numel() > 1 else a for a in args]
    assert any(isinstance(a, Tensor) and not a.is_contiguous() for a in strided)
    for got, want in zip(run(specimen, backend, strided), run(specimen, backend, args), strict=True):
        assert torch.equal(got, want)
    for mine, other in zip(strided, specimen.arguments(case.but(structure="empty rows", d=17)), strict=True):
        assert torch.equal(mine, other) if isinstance(mine, Tensor) else mine == other


def _strided(t: Tensor) -> Tensor:
    # Every second number of rows laid out column by column.
    wide = t.new_zeros(*[2 * n for n in reversed(t.shape)])
    view = wide.permute(*reversed(range(t.dim())))[tuple(slice(None, None, 2) for _ in t.shape)]
    view.copy_(t)
    return view


@on("ref", "cpu", "emulated")
@on_rules
def test_opcheck(backend, specimen, case):
    _spare(backend, specimen, case)
    args, _ = differentiable(specimen, case, backend)
    torch.library.opcheck(raw(specimen, backend), tuple(args))


@on(*BACKENDS)
@on_rules
def test_first_and_second_derivatives(backend, specimen, case):
    args, at = differentiable(specimen, case.but(d=min(2, specimen.width)), backend)
    if not at:
        pytest.skip("there are none")
    function, reals = of_reals(specimen, args, at), [args[i] for i in at]
    torch.autograd.gradcheck(function, reals)
    torch.autograd.gradgradcheck(function, reals, fast_mode=True)


@on(*BACKENDS)
@on_rules
def test_only_what_is_asked_for_is_differentiated(backend, specimen, case):
    args, at = differentiable(specimen, case, backend)
    if not at:
        pytest.skip("there are no derivatives")
    function = of_reals(specimen, args, at)
    full = gradients_of(function(*[args[i] for i in at]), [args[i] for i in at])
    for wanted, value in zip(at, full, strict=True):
        alone = [args[i] if i == wanted else args[i].detach() for i in at]
        (only,) = gradients_of(function(*alone), [args[wanted]])
        torch.testing.assert_close(only, value, rtol=1e-12, atol=1e-12)


@on(*BACKENDS)
@on_rules
def test_transforms_equal_autograd(backend, specimen, case):
    args, at = differentiable(specimen, case, backend)
    if not at:
        pytest.skip("there are no derivatives")
    function, reals = of_reals(specimen, args, at), [args[i] for i in at]
    want = gradients_of(function(*reals), reals)
    held = [r.detach() for r in reals]
    scales = [_different(r) for r in function(*held)]

    def loss(*reals: Tensor) -> Tensor:
        return sum((r * s).sum() for r, s in zip(function(*reals), scales, strict=True))  # pyright: ignore

    for got, value in zip(torch.func.grad(loss, tuple(range(len(at))))(*held), want, strict=True):
        torch.testing.assert_close(got, value, rtol=1e-12, atol=1e-12)
    each = torch.func.vmap(torch.func.grad(loss, tuple(range(len(at)))))(*[torch.stack([r, 2 * r]) for r in held])
    for got, value in zip(each, want, strict=True):
        torch.testing.assert_close(got[0], value, rtol=1e-12, atol=1e-12)


@on(*BACKENDS)
@on_rules
def test_forward_mode_is_refused_not_ignored(backend, specimen, case):
    args = at_home(backend, specimen.arguments(case))
    at = specimen.reals(args)
    if not at:
        pytest.skip("there are no derivatives")
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(args[at[-1]], torch.ones_like(args[at[-1]]))
        with pytest.raises(NotImplementedError, match="forward-mode"):
            specimen.registered(*[dual if i == at[-1] else a for i, a in enumerate(args)])


@on(*BACKENDS)
@on_rules
@pytest.mark.parametrize("direct", [False, True], ids=["op", "torch.ops"])
def test_vmap_is_a_loop(backend, specimen, case, direct):
    args = at_home(backend, specimen.arguments(case))
    reals = [i for i, a in enumerate(args) if is_real(a)] or [i for i, a in enumerate(args) if isinstance(a, Tensor)]
    call = raw(specimen, backend) if direct else specimen.registered
    for batched in [*[(i,) for i in reals], tuple(reals)]:
        for dim in (0, -1):
            members = [[_scaled(a, n) if i in batched else a for i, a in enumerate(args)] for n in range(3)]
            stacked = [torch.stack([m[i] for m in members], dim) if i in batched else a for i, a in enumerate(args)]
            in_dims = tuple(dim if i in batched else None for i in range(len(args)))
            got = as_tuple(torch.vmap(call, in_dims=in_dims)(*stacked))
            for n, member in enumerate(members):
                for part, want in zip(got, as_tuple(call(*member)), strict=True):
                    torch.testing.assert_close(part[n], want, rtol=1e-12, atol=1e-12)


def _scaled(t: Tensor, n: int) -> Tensor:
    return t * (1 + n) if t.is_floating_point() else t.clone()


def _compiled(specimen: Specimen, case: Case, backend: str, compiler: str) -> None:
    torch._dynamo.reset()
    counter = torch._dynamo.testing.CompileCounterWithBackend(compiler)
    function = torch.compile(specimen.registered.__call__, fullgraph=True, dynamic=True, backend=counter)
    # The first has no two sizes in common: the compiler would take them for the same one ever after.
    compiled = []
    for structure in ("empty rows", case.structure):
        args, at = differentiable(specimen, case.but(structure=structure), backend)
        got, want = as_tuple(function(*args)), as_tuple(specimen.registered(*args))
        for a, b in zip(got, want, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)
        if at:
            reals = [args[i] for i in at]
            found = [gradients_of(r, reals) for r in (got, want)]
            for a, b in zip(*found, strict=True):
                torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)
        compiled.append(counter.frame_count)
    # One graph serves every size: none of them is a constant of the schema.
    assert compiled[0] == compiled[1] or specimen.plain_backward


@on("ref", "cpu", "cuda")
@on_rules
def test_compiled_code_does_the_same(backend, specimen, case):
    _spare(backend, specimen, case)
    _compiled(specimen, case, backend, "aot_eager")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="inductor needs a compiler")
@on_ops
def test_inductor_does_the_same(specimen):
    _compiled(specimen, specimen.rules[-1], "cpu", "inductor")


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@on("cpu", "cuda")
@on_rules
@pytest.mark.parametrize("d", [16, 70], ids="d={}".format)
def test_same_bits_over_repeats_and_threads(backend, specimen, case, d, threads):
    args = specimen.arguments(case.but(structure="large", d=d, dtype=torch.float32))
    first = run(specimen, backend, args)
    for count in (1, 2, 4, 4):
        torch.set_num_threads(count)
        for got, want in zip(run(specimen, backend, args), first, strict=True):
            assert torch.equal(got, want)


@on("cpu", "cuda")
@on_rules
def test_large_results_are_those_of_the_formula(backend, specimen, case, threads):
    torch.set_num_threads(4)
    case = case.but(structure="large", d=70)
    args = specimen.arguments(case)
    with active("ref"):
        want = as_tuple(specimen.registered(*args))
    for got, other in zip(run(specimen, backend, args), want, strict=True):
        torch.testing.assert_close(got, other, rtol=1e-9, atol=1e-9)


@on("cpu", "emulated")
@on_rules
def test_no_row_per_edge_is_ever_made(backend, specimen, case):
    case = case.but(structure="many edges", d=128, dtype=torch.float32, index=torch.int32)
    args, at = differentiable(specimen, case, backend)
    edges = case.edges
    nodes, message = edges.num_targets + edges.num_sources, edges.count * case.d * 4
    assert message > 10 * nodes * case.d * 4
    # What the caller gets he must hold, and what there is per edge may be held a few times.
    room = 8 * nodes * case.d * 4 + 48 * edges.count
    assert room < message / 2
    results, _, peak = taken(lambda: as_tuple(specimen.registered(*args)))
    assert peak <= room + _bytes(results)
    if at and not specimen.plain_backward:
        grads, _, peak = taken(lambda: gradients_of(results, [args[i] for i in at]))
        assert peak <= room + 2 * _bytes(results) + 2 * _bytes(grads)


def _bytes(tensors: tuple) -> int:
    return sum(t.numel() * t.element_size() for t in tensors)


@on_rules
def test_fake_and_meta_tensors_have_the_right_shapes(specimen, case):
    for given in (case, case.but(structure="no edges"), case.but(structure="no rows")):
        args = specimen.arguments(given)
        want = as_tuple(specimen.registered(*args))
        for got in (_on_meta(specimen, args), _faked(specimen, args)):
            assert [(g.shape, g.dtype) for g in got] == [(w.shape, w.dtype) for w in want]


def _on_meta(specimen: Specimen, args: Arguments) -> tuple:
    return as_tuple(specimen.registered(*[a.to("meta") if isinstance(a, Tensor) else a for a in args]))


def _faked(specimen: Specimen, args: Arguments) -> tuple:
    with torch._subclasses.FakeTensorMode() as mode:
        faked = [mode.from_tensor(a) if isinstance(a, Tensor) else a for a in args]
        return as_tuple(specimen.registered(*faked))


@on_rules
@pytest.mark.parametrize("dtype", [torch.float16, torch.int64, torch.int32], ids=str)
def test_other_types_take_the_reference(specimen, case, dtype):
    args = specimen.arguments(case)
    if not is_real(args[specimen.registered.values]) or (not dtype.is_floating_point and not specimen.integers):
        pytest.skip("the op has no such values")
    args = [(4 * a).round().to(dtype) if is_real(a) else a for a in args]
    got = as_tuple(specimen.registered(*args))
    with active("ref"):
        want = as_tuple(
            specimen.registered(
                *[
                    a.double() if isinstance(a, Tensor) and a.dtype == dtype and is_real(b) else a
                    for a, b in zip(args, specimen.arguments(case), strict=True)
                ]
            )
        )
    for a, b in zip(got, want, strict=True):
        if not b.is_floating_point():
            assert torch.equal(a, b)
            continue
        # What is kept for the backward pass may be in float32.
        assert a.dtype in (dtype, torch.float32)
        # A quotient that is an integer can come out of float64 a hair below it.
        exact = b if dtype.is_floating_point else (b + 1e-9 * b.sign()).trunc()
        torch.testing.assert_close(a.double(), exact, rtol=2e-3, atol=2e-3)


@pytest.fixture(scope="module")
def blamed() -> dict[str, dict[str, dict[str, str]]]:
    return {}


@on(*NATIVE)
@on_ops
def test_wrong_arguments_raise_an_error_that_names_them(backend, specimen, blamed):
    if backend not in blamed:
        blamed[backend] = nasty.blame(backend)
    assert blamed[backend][specimen.op] == {}


@on("cpu")
@on_ops
def test_python_and_the_library_say_the_same_schema(backend, specimen):
    written = torch._C.parse_schema(f"graphlab::{specimen.op}{specimen.registered.schema}")
    assert str(torch._C._get_schema(f"graphlab::{specimen.op}", "")) == str(written)
    for namespace in ("graphlab", "graphlab_ref"):
        assert torch._C._dispatch_has_kernel_for_dispatch_key(
            f"{namespace}::{specimen.op}", "CompositeExplicitAutograd"
        )


#: Kernels behind ops that are registered with their own rules, and tested where those are.
INNER = {"lcm_forward", "lcm_backward", "recurrence_forward", "recurrence_backward"}


@on("cpu")
def test_the_library_has_every_op_and_no_other(backend):
    compiled = {
        name.removeprefix("graphlab::")
        for name in torch._C._dispatch_get_registrations_for_dispatch_key("CPU")
        if name.startswith("graphlab::")
    }
    # Host ops have neither derivatives nor batches to keep rules about; their tests compare them with references.
    assert compiled - {op.name for op in host_op.registered()} == {op.name for op in registered()} | INNER


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("elsewhere")
    processes = {name: elsewhere.start(name, folder / f"{name}.pt") for name in elsewhere.ENVIRONMENTS}
    errors = {name: process.communicate()[1] for name, process in processes.items()}
    assert all(process.returncode == 0 for process in processes.values()), errors
    return {name: torch.load(folder / f"{name}.pt") for name in processes}


@pytest.mark.parametrize("environment", elsewhere.ENVIRONMENTS)
@on_ops
def test_other_environments_give_the_same_values(environment, specimen, others):
    for case in elsewhere.cases(specimen):
        got = others[environment]["results"][f"{specimen.op} {case}"]
        check(got, specimen.expected(specimen.arguments(case)), specimen, case)


def test_backends_tells_what_runs_the_ops(others):
    said = {name: other["backends"]["cpu"] for name, other in others.items()}
    assert said["reference"] == "pure PyTorch: GRAPHLAB_BACKEND=ref"
    assert said["no library"] == "pure PyTorch: switched off by GRAPHLAB_EXT=0"
    assert not others["no library"]["loaded"]
    for isa in ("base", "avx2"):
        missing = others[isa]["missing"]["_C"]
        assert missing or others[isa]["loaded"]
        assert said[isa] == (f"pure PyTorch: {missing}" if missing else f"compiled kernels ({isa})")


def test_closeness_is_not_blind():
    specimen, case = SPECIMENS["gather_reduce"], Case("sum", d=2, dtype=torch.float32)
    right = torch.tensor([1.0, -2.0, torch.inf, torch.nan], dtype=torch.float64)
    assert float(excess(right.float(), right, specimen, case).max()) == 0
    for wrong in ([1.001, -2, torch.inf, torch.nan], [1, -2, 5, torch.nan], [1, torch.nan, torch.inf, torch.nan]):
        assert float(excess(torch.tensor(wrong), right, specimen, case).max()) > 1


def test_memory_sees_every_allocation():
    def work() -> Tensor:
        return (torch.zeros(1000) + torch.zeros(1000)).sum()

    assert taken(work)[1:] == (4000, 12000)


def test_the_large_structure_is_cut_among_threads():
    degrees, _ = STRUCTURES["large"]
    assert (sum(degrees) + len(degrees)) * 16 > 32768
