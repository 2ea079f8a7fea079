import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.ops import batch_key, kernels, neighbor_sample, use_backend
from tests.ops.sampling import BACKENDS, Compressed, compressed, cycle, fanouts, graphs, keys, same, star, uniformity

MODES = ("uniform", "replace", "weighted", "weighted replace", "labor")
TEMPORAL = ("node time", "edge time", "weighted node time", "replace edge time", "last node time", "last edge time")

backends = pytest.mark.parametrize("backend", BACKENDS)


def options_of(mode, graph, seed, draw):
    """The arguments that ask for a way of sampling, with values drawn for it."""

    def numbers(size, most):
        return torch.tensor(draw(st.lists(st.integers(0, most), min_size=size, max_size=size)), dtype=torch.int64)

    options = {"replace": "replace" in mode, "labor": mode == "labor"}
    if "weighted" in mode:
        scale = draw(st.sampled_from([1.0, 1e-300, 1e30]))
        weight = torch.rand(graph.edges, generator=torch.Generator().manual_seed(draw(st.integers(0, 99))))
        weight = (weight - 0.2).clamp(0).to(draw(st.sampled_from([torch.float32, torch.float64]))) * scale
        options["edge_weight"] = weight
    if "time" in mode:
        options["disjoint"] = True
        options["temporal_strategy"] = "last" if "last" in mode else "uniform"
        options["edge_time" if "edge" in mode else "node_time"] = numbers(
            graph.edges if "edge" in mode else graph.nodes, 9
        )
        if "edge" in mode or draw(st.booleans()):
            options["seed_time"] = numbers(seed.numel(), 9)
    return options


@st.composite
def tasks(draw, modes=MODES + TEMPORAL):
    graph, mode = draw(graphs()), draw(st.sampled_from(modes))
    seed = torch.tensor(draw(st.lists(st.integers(0, graph.nodes - 1), max_size=8)), dtype=graph.col.dtype)
    options = {"key": draw(keys), "csc": draw(st.booleans()), "disjoint": draw(st.booleans())}
    return graph, seed, draw(fanouts), options | options_of(mode, graph, seed, draw)


def sample(task, **more):
    graph, seed, num_neighbors, options = task
    return neighbor_sample(graph.rowptr, graph.col, seed, num_neighbors, **(options | more))


def ends(task, out):
    """(neighbour, the node it was sampled for) as places, whichever of row and col they are."""
    return (out[0], out[1]) if task[3]["csc"] else (out[1], out[0])


@given(tasks(), st.booleans(), st.booleans())
def test_kernel_and_reference_give_the_same_bits(task, directed, return_edge_id):
    got = sample(task, directed=directed, return_edge_id=return_edge_id)
    with use_backend("ref"):
        assert same(got, sample(task, directed=directed, return_edge_id=return_edge_id))
    assert (got[3] is not None) == return_edge_id and (got[5] is not None) == directed
    assert all(t.dtype == task[0].rowptr.dtype for t in got[:4] if t is not None)


@given(tasks())
def test_edges_are_stored_edges_between_their_places(task):
    graph, seed, num_neighbors, _ = task
    out = sample(task)
    neighbor, expanded = ends(task, out)
    disjoint = out[2].dim() == 2
    tree, node = out[2].T if disjoint else (torch.zeros_like(out[2]), out[2])
    edge = out[3].long()
    assert graph.col[edge].equal(node[neighbor])
    assert torch.searchsorted(graph.rowptr, edge, right=True).sub(1).equal(node[expanded].long())
    assert tree[neighbor].equal(tree[expanded])
    assert node[: len(seed)].equal(seed)
    if disjoint:
        assert tree[: len(seed)].tolist() == list(range(len(seed)))
    # Nodes are distinct but for the seeds, and come in the order in which their first edges do.
    later = [tuple(pair) for pair in torch.stack([tree, node], 1).tolist()[len(seed) :]]
    assert len(set(later)) == len(later) and not set(later) & set(zip(tree.tolist(), seed.tolist(), strict=False))
    firsts = [place for place in dict.fromkeys(neighbor.tolist()) if place >= len(seed)]
    assert firsts == list(range(len(seed), len(node)))
    # Hops follow each other, and edges come node by node.
    nodes_per_hop, edges_per_hop = out[4], out[5]
    assert len(nodes_per_hop) == len(num_neighbors) + 1 and len(edges_per_hop) == len(num_neighbors)
    assert sum(nodes_per_hop) == len(node) and sum(edges_per_hop) == len(edge) and nodes_per_hop[0] == len(seed)
    bounds = torch.tensor([0, *nodes_per_hop]).cumsum(0)
    hop = torch.repeat_interleave(torch.arange(len(edges_per_hop)), torch.tensor(edges_per_hop, dtype=torch.int64))
    assert (bounds[hop] <= expanded).all() and (expanded < bounds[hop + 1]).all() and (expanded.diff() >= 0).all()


def expansions(task, out):
    """(k, tree, stored edges, picked edges) of every node that was expanded."""
    graph, _, num_neighbors, _ = task
    _, expanded = ends(task, out)
    pairs = out[2].tolist() if out[2].dim() == 2 else [(0, node) for node in out[2].tolist()]
    place = 0
    for k, number in zip(num_neighbors, out[4], strict=False):
        for tree, node in pairs[place : place + number]:
            stored = range(int(graph.rowptr[node]), int(graph.rowptr[node + 1]))
            yield k, tree, stored, out[3][expanded == place].tolist()
            place += 1


@given(tasks(("uniform", "labor", "weighted")))
def test_without_replacement_each_node_has_k_edges_or_all_in_stored_order(task):
    weight = task[3].get("edge_weight", torch.ones(task[0].edges))
    for k, _, stored, picked in expansions(task, sample(task)):
        possible = [e for e in stored if weight[e] > 0]
        assert picked == possible if k < 0 else len(picked) == min(k, len(possible))
        assert set(picked) <= set(possible) and picked == sorted(set(picked))


@given(tasks(("replace", "weighted replace")))
def test_with_replacement_each_node_has_exactly_k_edges_if_any(task):
    weight = task[3].get("edge_weight", torch.ones(task[0].edges))
    for k, _, stored, picked in expansions(task, sample(task)):
        possible = [e for e in stored if weight[e] > 0]
        assert picked == possible if k < 0 else len(picked) == (k if possible else 0)
        assert set(picked) <= set(possible) and picked == sorted(picked)


def times_of(task):
    """The times of all edges, and the limits of all trees."""
    graph, seed, _, options = task
    time = options["edge_time"] if "edge_time" in options else options["node_time"][graph.col.long()]
    return time, options["seed_time"] if "seed_time" in options else options["node_time"][seed.long()]


@given(tasks(TEMPORAL))
def test_the_future_is_never_seen(task):
    time, limit = times_of(task)
    for directed in (True, False):
        out = sample(task, directed=directed)
        tree = out[2][:, 0].long()[ends(task, out)[1].long()]
        assert (time[out[3].long()] <= limit[tree]).all()


@given(tasks(("last node time", "last edge time")))
def test_last_takes_the_most_recent(task):
    time, limit = times_of(task)
    for k, tree, stored, picked in expansions(task, sample(task)):
        past = [e for e in stored if time[e] <= limit[tree]]
        latest = sorted(past, key=lambda e: (time[e], e))[-k:] if k else []
        assert picked == sorted(past if k < 0 else latest)


@given(tasks())
def test_undirected_sampling_keeps_the_nodes_and_takes_all_edges_among_them(task):
    graph, _, _, options = task
    directed, out = sample(task), sample(task, directed=False)
    assert directed[2].equal(out[2]) and directed[4] == out[4]
    timed = "edge_time" in options or "node_time" in options
    time, limit = times_of(task) if timed else (torch.zeros(graph.edges), torch.zeros(len(task[1])))
    neighbor, expanded = ends(task, out)
    tree, node = out[2].T.tolist() if out[2].dim() == 2 else ([0] * len(out[2]), out[2].tolist())
    first = {}
    for place, member in enumerate(zip(tree, node, strict=True)):
        first.setdefault(member, place)
    expected = [
        (first[tree[place], other], place, edge)
        for place in range(len(node))
        for edge, other in enumerate(graph.row(node[place]), int(graph.rowptr[node[place]]))
        if (tree[place], other) in first and time[edge] <= limit[tree[place]]
    ]
    assert list(zip(neighbor.tolist(), expanded.tolist(), out[3].tolist(), strict=True)) == expected


@given(tasks(), st.randoms())
def test_disjoint_trees_do_not_know_of_each_other(task, random):
    graph, seed, _, options = task
    if not len(seed):
        return
    options["disjoint"] = True
    t = random.randrange(len(seed))
    others = torch.tensor([random.randrange(graph.nodes) for _ in seed], dtype=seed.dtype)
    others[t] = seed[t]
    if "node_time" in options:
        options.setdefault("seed_time", options["node_time"][seed.long()])

    def tree_of(seeds):
        out = sample((graph, seeds, task[2], options))
        mine = out[2][:, 0] == t
        place = mine.cumsum(0) - 1
        edges = mine[ends(task, out)[0].long()]
        return out[2][mine], place[out[0].long()][edges], place[out[1].long()][edges], out[3][edges]

    assert same(tree_of(seed), tree_of(others))


@given(tasks(MODES))
def test_equal_seeds_sample_the_same_and_the_first_is_found(task):
    graph, seed, num_neighbors, options = task
    if not len(seed) or options["disjoint"] or not num_neighbors:
        return
    out = sample((graph, torch.cat([seed[:1], seed[:1]]), num_neighbors, options))
    neighbor, expanded = ends(task, out)
    assert out[2][:2].tolist() == [seed[0]] * 2 and 1 not in neighbor.tolist()
    assert out[3][expanded == 0].equal(out[3][expanded == 1])


@pytest.mark.parametrize("integer", [np.int64, np.int32, np.uint8, torch.tensor])
def test_fanouts_may_be_numpy_s(integer):
    """Not a tensor's, which has no fixed type."""
    graph, seed = large(), torch.arange(9)
    if integer is torch.tensor:
        with pytest.raises(ValueError, match="'num_neighbors' must hold integers from -1"):
            neighbor_sample(graph.rowptr, graph.col, seed, [integer(3)])
        return
    got = neighbor_sample(graph.rowptr, graph.col, seed, [integer(3), integer(2)], key=np.int64(5))
    assert same(got, neighbor_sample(graph.rowptr, graph.col, seed, [3, 2], key=5))


def large():
    degrees = torch.randint(0, 40, (3000,), generator=torch.Generator().manual_seed(3))
    return compressed(degrees, 3000, torch.int64, 4)


def test_neither_threads_nor_earlier_calls_change_the_result():
    graph, seeds = large(), torch.arange(3000).view(20, 150)

    def one(b):
        return neighbor_sample(graph.rowptr, graph.col, seeds[b], [5, 5], key=batch_key(1, 2, b))

    in_order = [one(b) for b in range(20)]
    backwards = [one(b) for b in reversed(range(20))][::-1]
    with ThreadPoolExecutor(4) as pool:
        threads = list(pool.map(one, range(20)))
    assert all(same(a, b) and same(a, c) for a, b, c in zip(in_order, backwards, threads, strict=True))
    assert not same(one(0), neighbor_sample(graph.rowptr, graph.col, seeds[0], [5, 5], key=batch_key(1, 3, 0)))


@pytest.mark.parametrize("labor", [False, True])
@pytest.mark.parametrize("disjoint", [False, True])
def test_large_batches_have_the_bits_of_the_reference_and_leave_nothing_behind(disjoint, labor):
    graph, small, options = large(), torch.tensor([5]), {"disjoint": disjoint, "labor": labor, "key": 3}
    for seed in (torch.arange(3000), small, torch.arange(0, 3000, 7)):
        got = neighbor_sample(graph.rowptr, graph.col, seed, [4, 3], **options)
        with use_backend("ref"):
            assert same(got, neighbor_sample(graph.rowptr, graph.col, seed, [4, 3], **options))


def test_labor_needs_fewer_nodes_and_picks_with_the_same_probability():
    graph = compressed(torch.full((400,), 50), 400, torch.int64, 5)
    seed, trials = torch.arange(64), 300
    sizes, counts = {True: 0, False: 0}, torch.zeros(graph.edges)
    for labor in (True, False):
        for key in range(trials):
            out = neighbor_sample(graph.rowptr, graph.col, seed, [5], labor=labor, key=key)
            sizes[labor] += out[2].numel()
            assert out[5] == [5 * 64]
            counts[out[3]] += labor
    assert sizes[True] < 0.7 * sizes[False]
    # Of neighbours that are stored twice, both are picked or none: look at rows without them.
    rows = [v for v in range(64) if len(set(graph.row(v))) == 50]
    for v in rows:
        assert uniformity(counts[50 * v : 50 * v + 50], trials / 10, 0.1) > 1e-4
    assert rows


def test_labor_draws_anew_in_each_hop():
    """Who was picked is no more likely to be picked again, as it is here by itself."""
    rows = [range(1, 21), *([v, *range(20 * v + 1, 20 * v + 20)] for v in range(1, 21))]
    graph = Compressed(torch.arange(0, 421 * 20 + 1, 20).clamp(max=420), torch.tensor([i for row in rows for i in row]))
    trials, loops = 2000, 0
    for key in range(trials):
        out = neighbor_sample(graph.rowptr, graph.col, torch.tensor([0]), [2, 2], labor=True, key=key)
        assert out[5] == [2, 4]
        loops += int((out[3][2:] % 20 == 0).sum())
    assert abs(loops - 2 * trials / 10) < 5 * (2 * trials * 0.1 * 0.9) ** 0.5


def anonymous_memory():
    """Bytes that this process uses and that are no files'."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) * 1024


HUB = 6_000_000
HUB_OPTIONS = {
    "all": lambda: {},
    "weighted": lambda: {"edge_weight": torch.ones(HUB)},
    "weighted replace": lambda: {"edge_weight": torch.ones(HUB), "replace": True},
    "labor": lambda: {"labor": True},
    "last": lambda: {
        "edge_time": torch.zeros(HUB, dtype=torch.int64),
        "seed_time": torch.tensor([1]),
        "temporal_strategy": "last",
        "disjoint": True,
    },
}


@pytest.mark.skipif(bool(kernels.missing("_C")), reason="the reference keeps nothing")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs a system that tells of memory")
@pytest.mark.parametrize("name", HUB_OPTIONS)
@pytest.mark.parametrize("fails", [False, True])
def test_threads_do_not_keep_the_scratch_of_hubs(name, fails):
    graph, options = star(HUB), HUB_OPTIONS[name]()
    num_neighbors = [-1 if name == "all" else 5] + [1] * fails
    if fails:
        graph.rowptr[1:-1] = -1
        graph.rowptr[1] = HUB
    before = anonymous_memory()
    with pytest.raises(RuntimeError, match="'rowptr' must not decrease") if fails else nullcontext():
        neighbor_sample(graph.rowptr, graph.col, torch.tensor([0]), num_neighbors, **options)
    # Not even one of its vectors, of at least 48 MB; the C library may keep some that were outgrown.
    assert anonymous_memory() - before < 40 << 20


@pytest.mark.skipif(bool(kernels.missing("_C")), reason="the reference would take hours to get there")
def test_too_little_memory_is_an_exception():
    code = """
import resource, torch
from graphlab.ops import neighbor_sample, neighbor_sample_batches
rowptr, col = torch.tensor([0, 0, 2]), torch.tensor([1, 0])
resource.setrlimit(resource.RLIMIT_DATA, (2 << 30, 2 << 30))
for call in (
    lambda: neighbor_sample(rowptr, col, torch.tensor([1]), [2**31 - 1], replace=True),
    lambda: neighbor_sample_batches(
        rowptr, col, torch.tensor([0, 1, 1]), torch.tensor([0, 1, 3]), [2**31 - 1], [1, 2], replace=True
    ),
):
    try:
        call()
    except RuntimeError as error:
        print(error)
print(neighbor_sample(rowptr, col, torch.tensor([1]), [-1])[2].tolist())
"""
    environment = {**os.environ, "GRAPHLAB_BACKEND": "auto"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    said = "'seed' and 'num_neighbors' ask for more than there is memory for; take fewer"
    one, many, after = done.stdout.splitlines()
    assert one.endswith(said) and "batch 1: " in many and many.endswith(said) and after == "[1, 0]"


@pytest.mark.skipif(bool(kernels.missing("_C")), reason="the reference says it in its own way")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs a system that tells of memory")
def test_wherever_memory_ends_the_arguments_are_named():
    """Be it that scratch, or that the result finds no room."""
    code = """
import resource, torch
from graphlab.ops import neighbor_sample, neighbor_sample_batches
col = torch.zeros(4_000_000, dtype=torch.int64)
lines = open("/proc/self/status").readlines()
reserved = next(int(line.split()[1]) for line in lines if line.startswith("VmData")) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (reserved + (128 << 20),) * 2)
seed, ptr, says = torch.tensor([0]), torch.tensor([0, 1]), set()
for edges in range(1_000_000, 4_000_000, 100_000):
    graph = torch.tensor([0, edges]), col[:edges]
    for call in (
        lambda: neighbor_sample(*graph, seed, [-1]),
        lambda: neighbor_sample_batches(*graph, seed, ptr, [-1], [1]),
    ):
        try:
            call()
            says.add("done")
        except RuntimeError as error:
            says.add(str(error)[-76:])
print(*sorted(says), sep="; ")
"""
    environment = {**os.environ, "GRAPHLAB_BACKEND": "auto"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    said = "'seed' and 'num_neighbors' ask for more than there is memory for; take fewer"
    assert done.stdout.strip() == f"{said}; done"


@backends
class TestExactValues:
    def test_a_cycle_gives_the_contract_s_values(self, backend):
        graph = cycle(6)
        with use_backend(backend):
            out = neighbor_sample(graph.rowptr, graph.col, torch.tensor([2, 3]), [-1, -1])
            swapped = neighbor_sample(graph.rowptr, graph.col, torch.tensor([2, 3]), [-1, -1], csc=True)
        assert out[0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
        assert out[1].tolist() == [2, 1, 0, 3, 4, 0, 1, 5]
        assert out[2].tolist() == [2, 3, 1, 4, 0, 5]
        assert out[3].tolist() == [4, 5, 6, 7, 2, 3, 8, 9]
        assert out[4:] == ([2, 2, 2], [4, 4])
        assert same((swapped[1], swapped[0], *swapped[2:]), out)

    def test_disjoint_trees_of_a_cycle(self, backend):
        graph = cycle(6)
        with use_backend(backend):
            out = neighbor_sample(graph.rowptr, graph.col, torch.tensor([2, 3]), [2, 2], disjoint=True)
        assert out[0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
        assert out[1].tolist() == [2, 3, 4, 5, 6, 0, 0, 7, 8, 1, 1, 9]
        trees = [[0, 2], [1, 3], [0, 1], [0, 3], [1, 2], [1, 4], [0, 0], [0, 4], [1, 1], [1, 5]]
        assert out[2].tolist() == trees
        assert out[3].tolist() == [4, 5, 6, 7, 2, 3, 6, 7, 4, 5, 8, 9]
        assert out[4:] == ([2, 4, 4], [4, 8])

    @pytest.mark.parametrize("strategy", ["uniform", "last"])
    def test_time_on_a_cycle(self, backend, strategy):
        graph, seed = cycle(6), torch.tensor([2, 3])
        options = {"disjoint": True, "node_time": torch.arange(6), "temporal_strategy": strategy}
        with use_backend(backend):
            out = neighbor_sample(graph.rowptr, graph.col, seed, [-1, -1], **options)
            past = neighbor_sample(graph.rowptr, graph.col, seed, [-1, -1], seed_time=torch.tensor([1, 0]), **options)
            one = neighbor_sample(graph.rowptr, graph.col, seed, [1], seed_time=torch.tensor([9, 9]), **options)
        # 2 sees 1, then 1 sees 0 and 2; 3 sees 2, then 2 sees 1 and 3.
        assert out[2].tolist() == [[0, 2], [1, 3], [0, 1], [1, 2], [0, 0], [1, 1]]
        assert out[0].tolist() == [0, 1, 2, 2, 3, 3] and out[1].tolist() == [2, 3, 4, 0, 5, 1]
        assert out[3].tolist() == [4, 6, 2, 3, 4, 5] and out[4:] == ([2, 2, 2], [2, 4])
        assert past[2].tolist() == [[0, 2], [1, 3], [0, 1], [0, 0]] and past[3].tolist() == [4, 2]
        if strategy == "last":
            assert one[3].tolist() == [5, 7]

    def test_edges_among_the_nodes_of_a_cycle(self, backend):
        graph = cycle(6)
        with use_backend(backend):
            out = neighbor_sample(graph.rowptr, graph.col, torch.tensor([2, 3]), [-1], directed=False)
        assert out[2].tolist() == [2, 3, 1, 4]
        assert out[0].tolist() == [0, 0, 1, 1, 2, 3] and out[1].tolist() == [2, 1, 0, 3, 0, 1]
        assert out[3].tolist() == [4, 5, 6, 7, 3, 8] and out[4:] == ([2, 2], None)

    def test_nothing_to_sample(self, backend):
        graph = Compressed(torch.tensor([0, 0]), torch.tensor([], dtype=torch.int64))
        with use_backend(backend):
            none = neighbor_sample(graph.rowptr, graph.col, torch.tensor([], dtype=torch.int64), [3, 3])
            alone = neighbor_sample(graph.rowptr, graph.col, torch.tensor([0]), [3, -1])
            no_hops = neighbor_sample(graph.rowptr, graph.col, torch.tensor([0]), [])
        assert [t.numel() for t in none[:4]] == [0] * 4 and none[4:] == ([0, 0, 0], [0, 0])
        assert alone[2].tolist() == [0] and alone[4:] == ([1, 0, 0], [0, 0])
        assert no_hops[2].tolist() == [0] and no_hops[4:] == ([1], [])

    def test_values_are_pinned_for_ever(self, backend):
        """A data set on disk holds samples: the numbers must never change."""
        graph = compressed([30, 5, 70, 12] * 5, 20, torch.int64, 1)
        weight = (torch.arange(graph.edges) % 7).double()
        seed = torch.tensor([3, 2])
        with use_backend(backend):
            edges = {
                "uniform": neighbor_sample(graph.rowptr, graph.col, seed, [3], key=1)[3],
                "replace": neighbor_sample(graph.rowptr, graph.col, seed, [3], key=1, replace=True)[3],
                "weighted": neighbor_sample(graph.rowptr, graph.col, seed, [3], key=1, edge_weight=weight)[3],
                "disjoint": neighbor_sample(graph.rowptr, graph.col, seed, [3], key=1, disjoint=True)[3],
            }
        assert {name: edge.tolist() for name, edge in edges.items()} == PINNED


PINNED = {
    "uniform": [105, 114, 116, 39, 48, 102],
    "replace": [105, 116, 116, 39, 48, 102],
    "weighted": [107, 110, 116, 96, 101, 103],
    "disjoint": [108, 111, 116, 35, 58, 77],
}
