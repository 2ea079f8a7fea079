"""The CUDA library without a GPU: it compiles without spills, loads on any torch, and has the kernels it should."""

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from graphlab.ops import dot_attention, gat_attention, gatv2_attention, kernels, op, use_backend
from graphlab.ops.gather_reduce import gather_argreduce
from graphlab.ops.graph import Graph
from graphlab.ops.multi_reduce import multi_reduce

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "cuda"
TORCH = Path(torch.__file__).parent
MOST_REGISTERS = 128
# One generation takes minutes to compile; GRAPHLAB_CUDA_ARCH="80;90;100" tests all that are shipped.
GENERATIONS = os.environ.get("GRAPHLAB_CUDA_ARCH", "90")

no_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")


def nvcc_arguments():
    spec = importlib.util.spec_from_file_location("graphlab_setup", ROOT / "setup.py")
    setup = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(setup)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRAPHLAB_CUDA_ARCH", GENERATIONS)
        return setup.cuda_flags(TORCH)


@pytest.fixture(scope="module")
def built():
    """The library and what ptxas said about each kernel; compiled once for each state of the sources."""
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        pytest.skip("nvcc is not here: the CUDA sources are tested on the host alone")
    sources = sorted((ROOT / "cuda").glob("*.cu"))
    command = [nvcc, *nvcc_arguments(), "-Xptxas", "-v", *map(str, sources)]
    content = b"".join(p.read_bytes() for p in (*sources, *sorted((ROOT / "cuda").glob("*.h"))))
    key = hashlib.sha256(content + " ".join([torch.__version__, *command]).encode()).hexdigest()[:16]
    library, log = CACHE / f"{key}.so", CACHE / f"{key}.log"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not log.exists():
            done = subprocess.run([*command, "-o", str(library)], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            for old in CACHE.glob("*.*"):
                if old != library:
                    old.unlink()
            log.write_text(done.stdout + done.stderr)
    return library, log.read_text()


def symbols(library, *which):
    nm = shutil.which("nm")
    if nm is None:
        pytest.skip("nm is not here")
    listed = subprocess.run([nm, "-D", "-C", *which, str(library)], capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.timeout(1800)
class TestLibrary:
    def test_no_kernel_spills_registers(self, built):
        spilled = re.findall(r"(\d+) bytes spill stores, (\d+) bytes spill loads", built[1])
        assert spilled
        assert set(spilled) == {("0", "0")}

    def test_every_kernel_leaves_registers_for_two_blocks(self, built):
        used = [int(n) for n in re.findall(r"Used (\d+) registers", built[1])]
        assert used
        assert max(used) <= MOST_REGISTERS

    def test_there_is_code_for_each_generation(self, built):
        assert set(re.findall(r"for '(sm_\d+)'", built[1])) == {f"sm_{g}" for g in GENERATIONS.split(";")}

    def test_compilers_have_nothing_to_warn_about(self, built):
        assert not [line for line in built[1].splitlines() if re.search(r"\b(warning|Warning)\b", line)]

    def test_library_needs_no_cxx_symbol_of_torch(self, built):
        assert not [line for line in symbols(built[0], "--undefined-only") if re.search(r"\b(c10|at|torch)::", line)]

    def test_stream_symbol_is_weak(self, built):
        (line,) = (s for s in symbols(built[0]) if "aoti_torch_get_current_cuda_stream" in s)
        assert line.split()[0] == "w"

    def test_library_loads_where_every_symbol_must_resolve(self, built):
        ctypes.CDLL(str(built[0]))

    def test_ops_are_registered_for_cuda(self, built):
        if kernels.missing("_C"):
            pytest.skip(f"the schemas are in the CPU library, which is missing: {kernels.missing('_C')}")
        if kernels.missing("_CUDA"):
            # In a process of its own: this one would keep the library.
            script = (
                f"import torch; from graphlab import ops; torch.ops.load_library({str(built[0])!r})\n"
                "has = torch._C._dispatch_has_kernel_for_dispatch_key\n"
                "print(*(n for n in torch._C._dispatch_get_all_op_names() if n.startswith('graphlab::') "
                "and has(n, 'CUDA')))"
            )
            done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
            assert done.returncode == 0, done.stderr
            found = set(done.stdout.split())
        else:
            has = torch._C._dispatch_has_kernel_for_dispatch_key
            found = {f"graphlab::{o.name}" for o in op.registered() if has(f"graphlab::{o.name}", "CUDA")}
        assert "graphlab::gather_reduce" in found
        declared = {
            name for p in (ROOT / "cuda").glob("*.cu") for name in re.findall(r'm\.impl\("(\w+)"', p.read_text())
        }
        assert found == {f"graphlab::{name}" for name in declared}


def test_cpu_library_needs_no_cxx_symbol_of_torch():
    if kernels.missing("_C"):
        pytest.skip(f"there is no CPU library: {kernels.missing('_C')}")
    (library,) = (ROOT / "graphlab").glob("_C.*")
    assert not [line for line in symbols(library, "--undefined-only") if re.search(r"\b(c10|at|torch)::", line)]


def hub_graph(edges, index=torch.int32):
    """Edges of which three quarters enter one node and three quarters leave another."""
    drawn = torch.Generator().manual_seed(edges)
    source, target = torch.randint(0, 50, (edges,), generator=drawn), torch.randint(0, 60, (edges,), generator=drawn)
    target[: edges * 3 // 4], source[edges // 4 :] = 7, 3
    graph = Graph.from_edge_index(torch.stack([source, target]), (50, 60))
    return Graph(graph.rowptr.to(index), graph.col.to(index), graph.perm.to(index), 50)


def run(graph, x, weight, grad, reduce):
    x, weight = x.clone().requires_grad_(), weight.clone().requires_grad_()
    out, arg = gather_argreduce(x, graph, weight, reduce)
    out.backward(grad)
    return out.detach(), arg, x.grad, weight.grad


class TestEmulated:
    @pytest.mark.parametrize("reduce", ["sum", "mean", "min", "max"])
    @pytest.mark.parametrize("edges", [255, 256, 257, 342, 1024, 3000])
    def test_hubs_cut_in_pieces_give_what_the_reference_gives(self, emulated, edges, reduce):
        drawn = torch.Generator().manual_seed(0)
        x, weight, grad = (
            torch.randn(shape, dtype=torch.float64, generator=drawn) for shape in ((50, 6), (edges,), (60, 6))
        )
        results = {}
        for backend in ("emulated", "ref"):
            with use_backend(backend):
                results[backend] = run(hub_graph(edges), x, weight, grad, reduce)
        torch.testing.assert_close(results["emulated"], results["ref"], rtol=1e-11, atol=1e-11)

    @pytest.mark.parametrize("columns", [4, 5])
    @pytest.mark.parametrize("edges", [255, 257, 3000])
    def test_many_reductions_of_hubs_are_those_of_the_reference(self, emulated, edges, columns):
        drawn = torch.Generator().manual_seed(0)
        names = ("sum", "mean", "var", "std", "min", "max")
        # Far from zero, where squares would cancel.
        values = 1000 + torch.randn(50, columns, dtype=torch.float64, generator=drawn)
        grad = torch.randn(60, len(names), columns, dtype=torch.float64, generator=drawn)
        results = {}
        for backend in ("emulated", "ref"):
            with use_backend(backend):
                x = values.clone().requires_grad_()
                out = multi_reduce(x, hub_graph(edges), names)
                out.backward(grad)
                results[backend] = out.detach(), x.grad
        torch.testing.assert_close(results["emulated"], results["ref"], rtol=1e-9, atol=1e-8)

    @pytest.mark.parametrize("width", [3, 4, 70])
    @pytest.mark.parametrize("score", ["gat", "gatv2", "dot"])
    def test_attention_over_hubs_is_that_of_the_reference(self, emulated, score, width):
        drawn = torch.Generator().manual_seed(0)

        def random(*shape):
            return torch.randn(shape, dtype=torch.float64, generator=drawn)

        scored = (3,) if score == "gat" else (3, width)
        inputs = [random(50, *scored), random(60, *scored), random(3, width), random(50, 3, width)]
        inputs = inputs[:3] if score == "gatv2" else inputs[:2] + inputs[3:]
        function = {"gat": gat_attention, "gatv2": gatv2_attention, "dot": dot_attention}[score]
        # Keys and queries come the other way round in the formula of the scaled dot product.
        order = (1, 0) if score == "dot" else (0, 1)
        grad, seed = random(60, 3, width), torch.tensor([7])
        results = {}
        for backend in ("emulated", "ref"):
            with use_backend(backend):
                leaves = [t.clone().requires_grad_() for t in inputs]
                first, second, third = leaves[order[0]], leaves[order[1]], leaves[2]
                out = function(first, second, third, hub_graph(1500), dropout=0.3, seed=seed)
                results[backend] = out.detach(), *torch.autograd.grad(out, leaves, grad)
        torch.testing.assert_close(results["emulated"], results["ref"], rtol=1e-9, atol=1e-9)

    @pytest.mark.parametrize("perm", [False, True])
    @pytest.mark.parametrize("columns", [1, 4])
    @pytest.mark.parametrize("op", ["sum", "mean", "mul", "max", "softmax", "log_softmax", "logsumexp"])
    def test_long_segments_give_what_the_reference_gives(self, emulated, op, columns, perm):
        drawn = torch.Generator().manual_seed(0)
        ptr = torch.tensor([0, 0, 900, 902, 902, 1000])
        order = torch.randperm(1000, generator=drawn) if perm else None
        values = 0.5 + torch.rand(1000, columns, dtype=torch.float64, generator=drawn)
        results = {}
        for namespace in (torch.ops.graphlab_emulated, torch.ops.graphlab_ref):
            x = values.clone().requires_grad_()
            if op == "logsumexp":
                out = namespace.segment_logsumexp(ptr, order, x)
            elif op.endswith("softmax"):
                out = namespace.segment_softmax(ptr, order, x, op == "log_softmax")
            else:
                out = namespace.segment_reduce(ptr, order, x, op)[0]
            weights = torch.linspace(0.5, 2, out.numel(), dtype=out.dtype).view_as(out)
            out.nan_to_num(neginf=0.0).mul(weights).sum().backward()
            results[namespace] = out.detach(), x.grad
        torch.testing.assert_close(*results.values(), rtol=1e-9, atol=1e-9)

    @pytest.mark.parametrize("columns", [4, 5])
    def test_wide_loads_and_single_values_agree(self, emulated, columns):
        graph, drawn = hub_graph(600), torch.Generator().manual_seed(0)
        held = torch.randn(50, columns + 1, generator=drawn)
        grad = torch.randn(60, columns, generator=drawn)
        for x in (held[:, :columns], held.view(-1)[1 : 1 + 50 * columns].view(50, columns)):
            with use_backend("emulated"):
                ours = run(graph, x, torch.ones(600), grad, "sum")
            with use_backend("ref"):
                theirs = run(graph, x, torch.ones(600), grad, "sum")
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)

    @pytest.mark.parametrize("bad", [-1, 50, 2**31 - 1])
    @pytest.mark.parametrize("reduce", ["sum", "mean", "min", "max"])
    def test_an_index_outside_gives_nan_in_its_row_alone(self, emulated, bad, reduce):
        graph = hub_graph(600)
        col = graph.col.clone()
        row = 7
        col[int(graph.rowptr[row]) + 2] = bad
        with use_backend("emulated"):
            out = torch.ops.graphlab_emulated.gather_reduce(
                graph.rowptr, col, graph.perm, None, None, None, None, torch.randn(50, 8), reduce
            )[0]
        assert out[row].isnan().all()
        assert not out[torch.arange(60) != row].isnan().any()

    @pytest.mark.parametrize("at", [0, 5, 60])
    @pytest.mark.parametrize("bad", [-5, 10**6])
    def test_boundaries_outside_read_nothing_outside(self, emulated, at, bad):
        graph = hub_graph(600)
        ptr = graph.rowptr.clone()
        ptr[at] = bad
        out, _ = torch.ops.graphlab_emulated.gather_reduce(
            ptr, graph.col, graph.perm, None, None, None, None, torch.ones(50, 8), "sum"
        )
        assert out.shape == (60, 8)

    def test_values_of_another_precision_are_refused(self, emulated):
        graph = hub_graph(10)
        with pytest.raises(RuntimeError, match=r"'weight' must be of the same type"):
            torch.ops.graphlab_emulated.gather_reduce(
                graph.rowptr, graph.col, None, None, None, None, torch.ones(10).double(), torch.ones(50, 8), "sum"
            )


@no_gpu
class TestGpu:
    @pytest.mark.parametrize("reduce", ["sum", "mean", "min", "max"])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
    def test_gpu_equals_the_host(self, emulated, dtype, reduce):
        drawn = torch.Generator().manual_seed(0)
        x, weight, grad = (torch.randn(shape, generator=drawn).to(dtype) for shape in ((50, 24), (3000,), (60, 24)))
        graph = hub_graph(3000)
        with use_backend("emulated"):
            host = run(graph, x, weight, grad, reduce)
        device = run(graph.to("cuda"), x.cuda(), weight.cuda(), grad.cuda(), reduce)
        for ours, theirs in zip(device, host, strict=True):
            torch.testing.assert_close(ours.cpu(), theirs, rtol=2e-2 if dtype == torch.bfloat16 else 1e-4, atol=1e-3)

    def test_a_cuda_graph_captures_the_op(self):
        graph, x = hub_graph(3000).to("cuda"), torch.randn(50, 24, device="cuda")
        expected = gather_argreduce(x, graph, None, "max")[0]
        captured = torch.cuda.CUDAGraph()
        with torch.cuda.graph(captured):
            out = gather_argreduce(x, graph, None, "max")[0]
        out.zero_()
        captured.replay()
        assert torch.equal(out, expected)

    def test_repeats_have_the_same_bits(self):
        graph, x = hub_graph(3000).to("cuda"), torch.randn(50, 24, device="cuda")
        first = gather_argreduce(x, graph, None, "sum")[0]
        assert all(torch.equal(first, gather_argreduce(x, graph, None, "sum")[0]) for _ in range(9))
