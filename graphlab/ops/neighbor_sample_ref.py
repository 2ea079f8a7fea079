"""The specification of neighbour sampling, of one or several edge types: slow and readable."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphlab.ops import counter_rng, pick
from graphlab.ops.counter_rng import Words
from graphlab.ops.pick import Integers, Ragged


@dataclass
class Relation:
    """One edge type: the neighbours of each node of type ``target``, which are of type ``source``."""

    number: int
    rowptr: Integers
    col: Integers
    target: int
    source: int
    edge_time: Integers | None
    edge_weight: NDArray[np.float64] | None
    neighbor: list[int] = field(default_factory=list)
    expanded: list[int] = field(default_factory=list)
    edge: list[int] = field(default_factory=list)
    per_hop: list[int] = field(default_factory=list)

    def row(self, node: Integers) -> tuple[Integers, Integers]:
        """Return where the edges of nodes begin, and how many there are."""
        begin, end = self.rowptr[node], self.rowptr[node + 1]
        bad = (begin < 0) | (begin > end) | (end > len(self.col))
        if bad.any():
            i = int(np.argmax(bad))
            raise ValueError(
                f"'rowptr' must not decrease nor leave [0, {len(self.col)}], but the edges of node {node[i]} run from "
                f"{begin[i]} to {end[i]}"
            )
        return begin, end - begin


@dataclass
class Members:
    """The nodes of one type that a batch holds, in the order they came, as (tree, id)."""

    size: int
    time: Integers | None
    node: list[tuple[int, int]] = field(default_factory=list)
    local: dict[tuple[int, int], int] = field(default_factory=dict)
    begin: int = 0
    per_hop: list[int] = field(default_factory=list)

    def add_seeds(self, tree: Sequence[int], seed: Sequence[int]) -> None:
        """Append seeds, equal ones too; neighbours will find the first."""
        for member in zip(tree, seed, strict=True):
            self.local.setdefault(member, len(self.node))
            self.node.append(member)

    def add(self, tree: Sequence[int], node: Sequence[int]) -> list[int]:
        """Append nodes that are new; return the place of each."""
        places = []
        for member in zip(tree, node, strict=True):
            place = self.local.setdefault(member, len(self.node))
            if place == len(self.node):
                self.node.append(member)
            places.append(place)
        return places

    def frontier(self) -> tuple[Integers, Integers]:
        """Return (tree, id) of the nodes that came in the last hop."""
        part = np.array(self.node[self.begin : sum(self.per_hop)], np.int64).reshape(-1, 2)
        return part[:, 0], part[:, 1]

    def close_hop(self) -> None:
        """Count what has come since the last hop was closed; that is the next frontier."""
        self.begin = sum(self.per_hop)
        self.per_hop.append(len(self.node) - self.begin)


@dataclass
class Rules:
    """How a sampler picks."""

    replace: bool
    last: bool
    labor: bool
    disjoint: bool
    key: Words

    def keys(self, tree: Integers) -> Words:
        """Return the keys that nodes of some trees draw with."""
        return counter_rng.tree_key(self.key, tree) if self.disjoint else np.broadcast_to(self.key, tree.shape)


def hetero_neighbor_sample_ref(
    rowptr: Sequence[Tensor],
    col: Sequence[Tensor],
    target: Sequence[int],
    source: Sequence[int],
    seed: Sequence[Tensor],
    num_neighbors: Sequence[int],
    node_time: Sequence[Tensor | None],
    edge_time: Sequence[Tensor | None],
    seed_time: Sequence[Tensor | None],
    edge_weight: Sequence[Tensor | None],
    replace: bool,
    directed: bool,
    disjoint: bool,
    last: bool,
    labor: bool,
    key: int,
) -> tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor], list[Tensor], list[int], list[int]]:
    """Sample hop by hop from one or several edge types.

    Node types are numbers. ``target``, ``rowptr`` and the like have one entry for each edge type, ``seed``,
    ``node_time`` and ``seed_time`` one for each node type; ``num_neighbors`` has the hops of each edge type one after
    the other.

    Returns:
        Of each edge type ``neighbor``, ``expanded`` and ``edge``; of each node type ``node`` and ``tree``; then the
        numbers of nodes per hop of each node type and of edges per hop of each edge type, one after the other.
    """
    relations = [
        Relation(i, _integers(rowptr[i]), _integers(col[i]), target[i], source[i], _optional(edge_time[i]), _real(w))
        for i, w in enumerate(edge_weight)
    ]
    members = [Members(_size(t, relations, node_time[t]), _optional(node_time[t])) for t in range(len(seed))]
    rules = Rules(replace, last, labor, disjoint, counter_rng.words(key))
    limits = _add_seeds(members, seed, seed_time, disjoint)
    hops = len(num_neighbors) // len(relations) if relations else 0
    for hop in range(hops):
        for relation in relations:
            k = num_neighbors[relation.number * hops + hop]
            _expand(relation, members, rules, limits, hop, k)
        for each in members:
            each.close_hop()
    if not directed:
        _induce(relations, members, limits)
    dtype = seed[0].dtype if seed else torch.int64
    return (
        [torch.tensor(r.neighbor, dtype=dtype) for r in relations],
        [torch.tensor(r.expanded, dtype=dtype) for r in relations],
        [torch.tensor(r.edge, dtype=dtype) for r in relations],
        [torch.tensor([i for _, i in m.node], dtype=dtype) for m in members],
        [torch.tensor([t for t, _ in m.node] if disjoint else [], dtype=dtype) for m in members],
        [count for m in members for count in m.per_hop],
        [count for r in relations for count in r.per_hop],
    )


def _integers(t: Tensor) -> Integers:
    return t.numpy().astype(np.int64, copy=False)


def _optional(t: Tensor | None) -> Integers | None:
    return None if t is None else _integers(t)


def _real(t: Tensor | None) -> NDArray[np.float64] | None:
    return None if t is None else t.numpy().astype(np.float64, copy=False)


def _size(kind: int, relations: list[Relation], time: Tensor | None) -> int:
    """Return the number of nodes of a type; one whose number nobody tells may have any ids."""
    sizes = [len(r.rowptr) - 1 for r in relations if r.target == kind]
    if time is not None:
        sizes.append(time.numel())
    return min(sizes, default=2**63 - 1)


def _add_seeds(
    members: list[Members], seed: Sequence[Tensor], seed_time: Sequence[Tensor | None], disjoint: bool
) -> Integers | None:
    """Plant the trees; return the time of each, if there are any times."""
    trees, limits = 0, []
    for each, nodes, times in zip(members, seed, seed_time, strict=True):
        ids = nodes.tolist()
        tree = range(trees, trees + len(ids)) if disjoint else [0] * len(ids)
        each.add_seeds(tree, ids)
        each.close_hop()
        trees += len(ids)
        if times is not None:
            limits.append(_integers(times))
    return np.concatenate(limits) if limits else None


def _expand(
    relation: Relation, members: list[Members], rules: Rules, limits: Integers | None, hop: int, k: int
) -> None:
    target, source = members[relation.target], members[relation.source]
    tree, node = target.frontier()
    begin, count = relation.row(node)
    position, ptr = _pick(relation, source, rules, limits, hop, k, tree, node, begin, count)
    neighbor, row = relation.col[position], pick.rows_of(ptr)
    check_neighbors(neighbor, source.size)
    relation.neighbor += source.add(tree[row].tolist(), neighbor.tolist())
    relation.expanded += (target.begin + row).tolist()
    relation.edge += position.tolist()
    relation.per_hop.append(len(position))


def check_neighbors(neighbor: Integers, size: int) -> None:
    """Refuse neighbours that are no nodes.

    Args:
        neighbor: Their ids.
        size: The number of nodes.
    """
    bad = (neighbor < 0) | (neighbor >= size)
    if bad.any():
        raise ValueError(f"'col' must lie in [0, {size}), got {neighbor[bad][0]}")


def _pick(
    relation: Relation,
    source: Members,
    rules: Rules,
    limits: Integers | None,
    hop: int,
    k: int,
    tree: Integers,
    node: Integers,
    begin: Integers,
    count: Integers,
) -> Ragged:
    """Return the stored positions of the edges picked for each node."""
    if k == 0:
        return np.zeros(0, np.int64), pick.pointers(np.zeros_like(count))
    key = rules.keys(tree)
    streams = counter_rng.stream(key, relation.number, hop, node)
    plain = relation.edge_weight is None and limits is None and not rules.labor
    if plain:
        offset, ptr = (pick.repeated_offsets if rules.replace else pick.uniform_offsets)(streams, count, k)
        return begin[pick.rows_of(ptr)] + offset, ptr
    position, first = _candidates(relation, source, limits, tree, node, begin, count)
    row = pick.rows_of(first)
    time = _times(relation, source, position) if rules.last else None
    if time is not None:
        offset, ptr = pick.largest_offsets(_ranks(time), first, k)
    elif rules.labor:
        check_neighbors(relation.col[position], source.size)
        offset, ptr = pick.largest_offsets(pick.labor_keys(key[row], hop, relation.col[position]), first, k)
    elif relation.edge_weight is None:
        offset, ptr = (pick.repeated_offsets if rules.replace else pick.uniform_offsets)(streams, np.diff(first), k)
    elif rules.replace:
        _check_sums(relation.edge_weight[position], first, node)
        offset, ptr = pick.repeated_weighted_offsets(streams, relation.edge_weight[position], first, k)
    else:
        keys = pick.weighted_keys(streams, position - begin[row], relation.edge_weight[position], first)
        offset, ptr = pick.largest_offsets(keys, first, k)
    return position[first[pick.rows_of(ptr)] + offset], ptr


def _candidates(
    relation: Relation,
    source: Members,
    limits: Integers | None,
    tree: Integers,
    node: Integers,
    begin: Integers,
    count: Integers,
) -> Ragged:
    """Return the positions of the edges that may be picked: not of the future, of positive weight."""
    position, ptr = pick.spans(begin, count)
    row = pick.rows_of(ptr)
    time = _times(relation, source, position) if limits is not None else None
    keep = np.ones(len(position), bool) if time is None or limits is None else time <= limits[tree[row]]
    if relation.edge_weight is not None:
        weight = relation.edge_weight[position]
        _check_weights(weight, position, node[row])
        keep &= weight > 0
    return position[keep], pick.pointers(np.bincount(row[keep], minlength=len(node)))


def _check_weights(weight: NDArray[np.float64], position: Integers, node: Integers) -> None:
    bad = ~(weight >= 0) | np.isinf(weight)
    if bad.any():
        i = int(np.argmax(bad))
        raise ValueError(f"'edge_weight' must be finite and not negative, but edge {position[i]} has {weight[i]}")


def _check_sums(weight: NDArray[np.float64], ptr: Integers, node: Integers) -> None:
    for i, (begin, end) in enumerate(pairwise(ptr)):
        with np.errstate(over="ignore"):
            infinite = end > begin and np.isinf(np.cumsum(weight[begin:end])[-1])
        if infinite:
            raise ValueError(
                f"'edge_weight' of the edges of node {node[i]} adds up to infinity; divide all by a constant"
            )


def _times(relation: Relation, source: Members, position: Integers) -> Integers | None:
    if relation.edge_time is not None:
        return relation.edge_time[position]
    if source.time is None:
        return None
    neighbor = relation.col[position]
    check_neighbors(neighbor, source.size)
    return source.time[neighbor]


def _ranks(time: Integers) -> Integers:
    """Return the places in the order of time; of equal times those stored last are the latest."""
    rank = np.arange(len(time))
    rank[np.lexsort((np.arange(len(time)), time))] = np.arange(len(time))
    return rank


def _induce(relations: list[Relation], members: list[Members], limits: Integers | None) -> None:
    """Take all edges among the sampled nodes in place of those that were sampled."""
    for relation in relations:
        target, source = members[relation.target], members[relation.source]
        tree, node = np.array(target.node, np.int64).reshape(-1, 2).T
        begin, count = relation.row(node)
        position, ptr = pick.spans(begin, count)
        row = pick.rows_of(ptr)
        if limits is not None and (time := _times(relation, source, position)) is not None:
            keep = time <= limits[tree[row]]
            position, row = position[keep], row[keep]
        check_neighbors(relation.col[position], source.size)
        places = [source.local.get(m) for m in zip(tree[row].tolist(), relation.col[position].tolist(), strict=True)]
        found = [(p, r, e) for p, r, e in zip(places, row.tolist(), position.tolist(), strict=True) if p is not None]
        relation.neighbor, relation.expanded, relation.edge = (
            map(list, zip(*found, strict=True)) if found else ([],) * 3
        )
        relation.per_hop = []
