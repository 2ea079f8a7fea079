import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.ops import hetero_neighbor_sample, neighbor_sample, use_backend
from tests.ops.sampling import BACKENDS, compressed, cycle, graphs, keys, same

backends = pytest.mark.parametrize("backend", BACKENDS)
PAPER = ("paper", "to", "paper")


@st.composite
def tasks(draw):
    """Arguments by position and by name, of all kinds of sampling."""
    node_types = draw(st.permutations(["a", "b", "c"]))[: draw(st.integers(1, 3))]
    size = {t: draw(st.integers(1, 12)) for t in node_types}
    kinds = st.tuples(st.sampled_from(node_types), st.sampled_from(["r", "s"]), st.sampled_from(node_types))
    edge_types = draw(st.lists(kinds, max_size=4, unique=True))
    csc, dtype = draw(st.booleans()), draw(st.sampled_from([torch.int32, torch.int64]))
    rowptr, col = {}, {}
    for source, relation, target in edge_types:
        rows, columns = (target, source) if csc else (source, target)
        degrees = draw(st.lists(st.integers(0, 40), min_size=size[rows], max_size=size[rows]))
        name = f"{source}__{relation}__{target}"
        graph = compressed(degrees, size[columns], dtype, draw(st.integers(0, 99)))
        rowptr[name], col[name] = graph.rowptr, graph.col
    seed = {
        t: torch.tensor(draw(st.lists(st.integers(0, size[t] - 1), max_size=4)), dtype=dtype)
        for t in node_types
        if draw(st.booleans())
    }
    hops = draw(st.integers(0, 3))
    fanout = st.lists(st.sampled_from([-1, 0, 1, 2, 5, 33]), min_size=hops, max_size=hops)
    num_neighbors = {name: draw(fanout) for name in rowptr} if hops else {}
    options = {"csc": csc, "directed": draw(st.booleans()), "disjoint": draw(st.booleans()), "key": draw(keys)}
    generator = torch.Generator().manual_seed(draw(st.integers(0, 99)))

    def times(number):
        return torch.randint(0, 9, (number,), generator=generator)

    mode = draw(st.sampled_from(["uniform", "replace", "weighted", "node time", "edge time", "last"]))
    some = [name for name in rowptr if draw(st.booleans())]
    options["replace"] = mode == "replace"
    if mode == "weighted":
        options["edge_weight_dict"] = {name: torch.rand(len(col[name]), generator=generator) for name in some}
    if mode == "edge time":
        options["edge_time_dict"] = {name: times(len(col[name])) for name in some}
        options["seed_time_dict"] = {t: times(len(s)) for t, s in seed.items()}
    if mode in ("node time", "last"):
        options["node_time_dict"] = {t: times(size[t]) for t in node_types if t in seed or draw(st.booleans())}
    if "time" in mode or mode == "last":
        options["disjoint"] = True
        options["temporal_strategy"] = "last" if mode == "last" else "uniform"
    return (node_types, edge_types, rowptr, col, seed, num_neighbors), options


@given(tasks())
def test_kernel_and_reference_give_the_same_bits(task):
    args, options = task
    got = hetero_neighbor_sample(*args, **options)
    with use_backend("ref"):
        assert same(got, hetero_neighbor_sample(*args, **options))


@given(tasks())
def test_edges_are_stored_edges_between_their_places(task):
    (node_types, edge_types, rowptr, col, seed, num_neighbors), options = task
    row_dict, col_dict, node_dict, edge_dict, nodes_per_hop, edges_per_hop = hetero_neighbor_sample(
        node_types, edge_types, rowptr, col, seed, num_neighbors, **options
    )
    assert list(node_dict) == list(node_types) and nodes_per_hop.keys() == node_dict.keys()
    assert list(row_dict) == list(col_dict) == list(edge_dict) == ["__".join(e) for e in edge_types]
    for source, relation, target in edge_types:
        name = f"{source}__{relation}__{target}"
        ends = (row_dict[name], source), (col_dict[name], target)
        (neighbor, near), (expanded, far) = ends if options["csc"] else reversed(ends)
        if options["disjoint"]:
            assert node_dict[near][neighbor, 0].equal(node_dict[far][expanded, 0])
        ids = {t: node_dict[t].view(len(node_dict[t]), 1 + options["disjoint"])[:, -1] for t in (near, far)}
        edge = edge_dict[name].long()
        assert col[name][edge].equal(ids[near][neighbor])
        assert torch.searchsorted(rowptr[name], edge, right=True).sub(1).equal(ids[far][expanded].long())
        if options["directed"]:
            assert sum(edges_per_hop[name]) == len(edge)
    for t in node_types:
        own = seed.get(t, torch.tensor([], dtype=torch.int64))
        nodes = node_dict[t].view(len(node_dict[t]), 1 + options["disjoint"])
        assert nodes[: len(own), -1].equal(own.to(nodes.dtype)) and nodes_per_hop[t][0] == len(own)
        assert sum(nodes_per_hop[t]) == len(nodes)
        assert len({tuple(n) for n in nodes[len(own) :].tolist()}) == len(nodes) - len(own)


@given(st.data(), graphs(), keys, st.booleans(), st.booleans())
def test_one_edge_type_samples_what_a_homogeneous_graph_does(data, graph, key, csc, disjoint):
    seed = torch.tensor(data.draw(st.lists(st.integers(0, graph.nodes - 1), max_size=5)), dtype=graph.col.dtype)
    name, num_neighbors = "__".join(PAPER), data.draw(st.lists(st.sampled_from([-1, 1, 3, 33]), min_size=1, max_size=3))
    options = {"key": key, "csc": csc, "disjoint": disjoint}
    row, col, node, edge, nodes_per_hop, edges_per_hop = hetero_neighbor_sample(
        ["paper"], [PAPER], {name: graph.rowptr}, {name: graph.col}, {"paper": seed}, {name: num_neighbors}, **options
    )
    got = row[name], col[name], node["paper"], edge[name], nodes_per_hop["paper"], edges_per_hop[name]
    assert same(got, neighbor_sample(graph.rowptr, graph.col, seed, num_neighbors, **options))


def two_types():
    """Two papers by three authors: (writes, cites), stored by target."""
    edge_types = [("author", "writes", "paper"), ("paper", "cites", "paper"), ("paper", "written", "author")]
    rowptr = {
        "author__writes__paper": [0, 2, 4],
        "paper__cites__paper": [0, 1, 2],
        "paper__written__author": [0, 1, 3, 4],
    }
    col = {"author__writes__paper": [2, 1, 1, 0], "paper__cites__paper": [1, 0], "paper__written__author": [1, 0, 1, 0]}
    tensors = [{name: torch.tensor(values) for name, values in given.items()} for given in (rowptr, col)]
    return [["paper", "author"], edge_types, *tensors]


@backends
def test_edge_types_take_turns_in_their_order(backend):
    graph = two_types()
    with use_backend(backend):
        row, col, node, edge, nodes_per_hop, edges_per_hop = hetero_neighbor_sample(
            *graph, {"paper": torch.tensor([0])}, {"__".join(e): [-1, -1] for e in graph[1]}, csc=True
        )
    # Hop 1: paper 0 has authors 2, 1 and paper 1. Hop 2: paper 1 has authors 1, 0 and paper 0; author 2 wrote paper 0,
    # author 1 papers 0 and 1.
    assert node["paper"].tolist() == [0, 1] and node["author"].tolist() == [2, 1, 0]
    assert row["author__writes__paper"].tolist() == [0, 1, 1, 2] and col["author__writes__paper"].tolist() == [
        0,
        0,
        1,
        1,
    ]
    assert row["paper__cites__paper"].tolist() == [1, 0] and col["paper__cites__paper"].tolist() == [0, 1]
    assert row["paper__written__author"].tolist() == [0, 0, 1] and col["paper__written__author"].tolist() == [0, 1, 1]
    assert edge["paper__written__author"].tolist() == [3, 1, 2]
    assert nodes_per_hop == {"paper": [1, 1, 0], "author": [0, 2, 1]}
    assert edges_per_hop == {
        "author__writes__paper": [2, 2],
        "paper__cites__paper": [1, 1],
        "paper__written__author": [0, 3],
    }


@backends
def test_seeds_alone_and_types_that_nobody_meets(backend):
    graph = two_types()
    with use_backend(backend):
        row, _, node, edge, nodes_per_hop, edges_per_hop = hetero_neighbor_sample(
            *graph, {"paper": torch.tensor([1, 1])}, {}, return_edge_id=False, csc=True
        )
        no_edges = hetero_neighbor_sample(["paper"], [], {}, {}, {"paper": torch.tensor([7])}, {})
    assert node["paper"].tolist() == [1, 1] and node["author"].tolist() == [] and edge is None
    assert row["paper__cites__paper"].tolist() == [] and nodes_per_hop == {"paper": [2], "author": [0]}
    assert edges_per_hop == {name: [] for name in graph[2]}
    assert no_edges[2]["paper"].tolist() == [7] and no_edges[4] == {"paper": [1]}


@backends
def test_trees_are_numbered_in_the_order_of_the_seeds(backend):
    seeds = {"author": torch.tensor([2]), "paper": torch.tensor([1, 0])}
    with use_backend(backend):
        node = hetero_neighbor_sample(*two_types(), seeds, {}, csc=True, disjoint=True)[2]
    assert node["author"].tolist() == [[0, 2]] and node["paper"].tolist() == [[1, 1], [2, 0]]


@backends
def test_types_without_time_are_of_all_times(backend):
    graph = two_types()
    with use_backend(backend):
        _, _, node, edge, *_ = hetero_neighbor_sample(
            *graph, {"paper": torch.tensor([0])}, {"__".join(e): [-1] for e in graph[1]}, csc=True, disjoint=True,
            node_time_dict={"paper": torch.tensor([3, 4])}, seed_time_dict={"paper": torch.tensor([3])},
        )  # fmt: skip
    assert node["paper"].tolist() == [[0, 0]] and node["author"].tolist() == [[0, 2], [0, 1]]
    assert edge["paper__cites__paper"].tolist() == []


def with_key(given, name, value):
    return given | {name: value}


def call(**changes):
    node_types, edge_types, rowptr, col = two_types()
    arguments = {"node_types": node_types, "edge_types": edge_types, "rowptr_dict": rowptr, "col_dict": col}
    arguments |= {"seed_dict": {"paper": torch.tensor([0])}, "num_neighbors_dict": {name: [1] for name in rowptr}}
    return hetero_neighbor_sample(**(arguments | {"csc": True} | changes))


CITES = "paper__cites__paper"
ROWPTR, COL = two_types()[2:]
FANOUT = {name: [1] for name in ROWPTR}
TIMED = dict(node_time_dict={"paper": torch.arange(2)}, disjoint=True)
WRONG = {
    "seed outside": (dict(seed_dict={"paper": torch.tensor([2])}), r"'seed_dict\['paper'\]' must lie in \[0, 2\)"),
    "unknown seeds": (dict(seed_dict={"venue": torch.tensor([0])}), "'seed_dict' has 'venue'"),
    "unknown ends": (dict(edge_types=[("venue", "of", "paper")]), "'node_types' .* has no 'venue'"),
    "no rowptr": (dict(rowptr_dict={}), "'rowptr_dict' must have the edge type 'author__writes__paper'"),
    "no col": (dict(col_dict={}), "'col_dict' must have the edge type 'author__writes__paper'"),
    "rowptr and col": (
        dict(col_dict=with_key(COL, CITES, torch.tensor([0]))),
        r"'rowptr_dict\['paper__cites__paper'\]' must run from 0 to the 1 entries of 'col_dict",
    ),
    "types of integers": (
        dict(
            rowptr_dict=with_key(ROWPTR, CITES, torch.tensor([0, 1, 2]).int()),
            col_dict=with_key(COL, CITES, torch.tensor([1, 0]).int()),
        ),
        r"'rowptr_dict\['paper__cites__paper'\]' must be int64, got int32",
    ),
    "sizes": (
        dict(rowptr_dict=with_key(ROWPTR, CITES, torch.tensor([0, 1, 1, 2]))),
        "'rowptr_dict' has 3 nodes for 'paper__cites__paper', but 2",
    ),
    "neighbour outside": (
        dict(col_dict=with_key(COL, CITES, torch.tensor([5, 5]))),
        r"'col' must lie in \[0, 2\), got 5",
    ),
    "fanout missing": (dict(num_neighbors_dict={CITES: [1]}), "'num_neighbors_dict' must have the edge type"),
    "fanout unknown": (dict(num_neighbors_dict=FANOUT | {"x": [1]}), "'num_neighbors_dict' has 'x'"),
    "fanouts differ": (dict(num_neighbors_dict=FANOUT | {CITES: [1, 2]}), "must have the same number of hops"),
    "fanout": (dict(num_neighbors_dict=FANOUT | {CITES: [-3]}), r"'num_neighbors_dict\['paper__cites__paper'\]' must"),
    "weight": (
        dict(edge_weight_dict={CITES: torch.ones(3)}),
        r"'edge_weight_dict\['paper__cites__paper'\]' must have 2",
    ),
    "weight unknown": (dict(edge_weight_dict={"x": torch.ones(3)}), "'edge_weight_dict' has 'x'"),
    "bad weight": (dict(edge_weight_dict={CITES: torch.tensor([-1.0, -1.0])}), "'edge_weight' must be finite and not"),
    "not disjoint": (TIMED | dict(disjoint=False), "'disjoint' must be True for temporal sampling"),
    "two times": (TIMED | dict(edge_time_dict={}), "'node_time_dict' and 'edge_time_dict' exclude each other"),
    "time too short": (
        TIMED | dict(node_time_dict={"paper": torch.arange(1)}),
        r"'node_time_dict\['paper'\]' must have 2 entries, got 1",
    ),
    "seeds without time": (
        TIMED | dict(seed_dict={"author": torch.tensor([0])}),
        r"'seed_time_dict\['author'\]' must be given",
    ),
    "strategy": (dict(temporal_strategy="best"), "'temporal_strategy' must be 'uniform' or 'last', got 'best'"),
    "last without times": (dict(temporal_strategy="last"), "'temporal_strategy' 'last' needs"),
    "equal names": (
        dict(edge_types=[("paper", "a__paper", "paper"), ("paper__a", "paper", "paper")]),
        r"'edge_types' has \('paper', 'a__paper', 'paper'\) and \('paper__a', 'paper', 'paper'\), both "
        "'paper__a__paper__paper' for short",
    ),
    "nothing": (dict(node_types=[], edge_types=[], seed_dict={}), "'node_types' must not be empty"),
}


@backends
@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(backend, name):
    arguments, message = WRONG[name]
    with use_backend(backend), pytest.raises((ValueError, RuntimeError), match=message):
        call(**arguments)
    call()  # and nothing is broken


@backends
@pytest.mark.parametrize("bad", [2**31, 2**32 + 3])
def test_seeds_that_int32_does_not_hold_are_refused(backend, bad):
    """Also of types whose number of nodes nobody tells."""
    name, rowptr, col = "a__to__b", torch.tensor([0, 1]).int(), torch.tensor([3]).int()
    with use_backend(backend):
        for seed in (torch.tensor([2**31 - 1]), torch.tensor([7])):
            node = hetero_neighbor_sample(
                ["a", "b"], [("a", "to", "b")], {name: rowptr}, {name: col}, {"a": seed}, {name: [1]}, csc=True
            )[2]
            assert node["a"].tolist() == seed.tolist()
        with pytest.raises(ValueError, match=rf"'seed_dict\['a'\]' must lie in \[0, 2147483648\), got {bad}"):
            hetero_neighbor_sample(
                ["a", "b"], [("a", "to", "b")], {name: rowptr}, {name: col}, {"a": torch.tensor([bad])}, {name: [1]},
                csc=True,
            )  # fmt: skip


def test_a_cycle_is_the_contract_s():
    graph, name = cycle(6), "__".join(PAPER)
    _, _, node, _, nodes_per_hop, _ = hetero_neighbor_sample(
        ["paper"], [PAPER], {name: graph.rowptr}, {name: graph.col}, {"paper": torch.tensor([2, 3])}, {name: [-1, -1]}
    )
    assert node["paper"].tolist() == [2, 3, 1, 4, 0, 5] and nodes_per_hop == {"paper": [2, 2, 2]}
