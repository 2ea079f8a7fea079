"""The multitask benchmark of Principal Neighbourhood Aggregation, generated."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse.csgraph import shortest_path
from torch import Tensor

from graphlab.data.pna_graphs import Rng, random_graph
from graphlab.data.pyg import Transform
from graphlab.data.synthetic import SyntheticDataset, cached, check_counts, check_seed

_VERSION = 1
_TRAIN_NODES = range(15, 25)
_HELD_OUT_NODES = range(15, 20)
_EXTRAPOLATION_SPAN = 5
EXTRAPOLATION = (20, 25, 30, 35, 40, 45, 60, 75, 95)
"""Smallest sizes of the extrapolation sets of Corso et al. (2020)."""


class Labels(NamedTuple):
    """The six targets of a graph.

    Shapes:
        - node: ``[n, 3]``: distance from the source (0 where unreachable), eccentricity (largest
        finite distance),
          and the graph Laplacian ``D - A`` applied to the node values
        - graph: ``[3]``: connected or not (1 or 0), diameter (largest finite distance), spectral
        radius of ``A``
    """

    node: np.ndarray
    graph: np.ndarray


class PNAMultitask(SyntheticDataset):
    """Small random graphs with three targets a node and three a graph.

    The benchmark of Corso et al. (2020, Principal Neighbourhood Aggregation for Graph Nets, arXiv
    2004.05718): ten families of graphs, randomised (:func:`graphlab.data.pna_graphs.random_graph`),
    a random source node, and node values uniform on [0, 1). Each target is divided by its largest
    value in the training set. Sizes: 15 to 24 nodes to train, 15 to 19 to validate and test.

    Items are ``Data(x, edge_index, y_node, y_graph)``: ``x`` holds the one-hot source and the node
    value, ``edge_index`` both directions of every edge, ``y_node`` distance from the source,
    eccentricity and Laplacian feature, ``y_graph`` connectedness, diameter and spectral radius. The
    metric is the mean over the six targets of log10 of the mean squared error.

    The recipe leaves two things open: here a graph with an isolated node is drawn anew with its
    family, and the odd node of a ladder hangs on the last rung.

    Args:
        root: Folder to keep the generated tensors in; default as in :func:`graphlab.data.load`.
        num_train: Training graphs of each size.
        num_valid: Validation graphs of each size.
        num_test: Test graphs of each size, those of extrapolation sets too.
        extrapolation: Smallest sizes ``n`` of further test sets, 15 or more, each of graphs with
            ``n`` to ``n + 4`` nodes; they are the splits ``"extrapolation-n"``. The paper's are
            :data:`EXTRAPOLATION`.
        seed: Seed of all randomness, 0 or more.
        transform: Applied to an item at every access.

    Shapes:
        - x: ``[n, 2]``, edge_index: ``[2, e]``
        - y_node: ``[n, 3]``, y_graph: ``[1, 3]``

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> import tempfile
        >>> from graphlab.data import PNAMultitask
        >>> data = PNAMultitask(tempfile.mkdtemp(), num_train=2, num_valid=1, num_test=1)
        >>> data[0].y_node.shape, data[0].y_graph.shape
        (torch.Size([15, 3]), torch.Size([1, 3]))
    """

    def __init__(
        self,
        root: str | Path | None = None,
        num_train: int = 512,
        num_valid: int = 128,
        num_test: int = 256,
        extrapolation: Sequence[int] = (),
        seed: int = 1234,
        transform: Transform | None = None,
    ) -> None:
        check_counts(num_train=num_train, num_valid=num_valid, num_test=num_test)
        check_seed(seed)
        _check_extrapolation(extrapolation)
        plan = {
            "train": [num_train, *_TRAIN_NODES],
            "valid": [num_valid, *_HELD_OUT_NODES],
            "test": [num_test, *_HELD_OUT_NODES],
            **{f"extrapolation-{n}": [num_test, *_span(n)] for n in extrapolation},
        }
        arguments = {"version": _VERSION, "plan": plan, "seed": seed}
        tensors = cached(root, "pna-multitask", arguments, lambda: _generate(plan, seed))
        node_ptr, edge_ptr = tensors.pop("node_ptr"), tensors.pop("edge_ptr")
        slices = {
            **dict.fromkeys(("x", "y_node"), node_ptr),
            "edge_index": edge_ptr,
            "y_graph": torch.arange(node_ptr.numel()),
        }
        counts = {split: count * len(sizes) for split, (count, *sizes) in plan.items()}
        super().__init__(tensors, slices, counts, transform)


def labels(adjacency: np.ndarray, values: np.ndarray, source: int) -> Labels:
    """The six targets of a graph, as they are before division by the training maxima.

    Args:
        adjacency: The graph.
        values: A number for each node.
        source: The node that distances are measured from.

    Shapes:
        - adjacency: ``[n, n]``, symmetric, 0 or 1
        - values: ``[n]``
    """
    distance = shortest_path(adjacency, directed=False, unweighted=True)
    reached = np.isfinite(distance)
    distance = np.where(reached, distance, 0)
    eccentricity = distance.max(axis=1)
    laplacian = adjacency.sum(axis=1) * values - adjacency @ values
    radius = np.abs(np.linalg.eigvalsh(adjacency)).max()
    return Labels(
        np.stack([distance[source], eccentricity, laplacian], axis=1),
        np.array([reached.all(), eccentricity.max(), radius]),
    )


def _check_extrapolation(extrapolation: Sequence[int]) -> None:
    if any(type(n) is not int or n < _TRAIN_NODES.start for n in extrapolation):
        raise ValueError(f"extrapolation must be sizes of {_TRAIN_NODES.start} nodes or more, got {extrapolation!r}")


def _span(smallest: int) -> range:
    return range(smallest, smallest + _EXTRAPOLATION_SPAN)


class _Graph(NamedTuple):
    x: np.ndarray
    edge_index: np.ndarray
    labels: Labels


def _draw(n: int, rng: Rng) -> _Graph:
    adjacency = random_graph(n, rng)
    source, values = int(rng.integers(n)), rng.uniform(size=n)
    x = np.stack([np.arange(n) == source, values], axis=1)
    return _Graph(x, np.stack(adjacency.nonzero()), labels(adjacency, values, source))


def _draw_all(plan: dict[str, list[int]], seed: int) -> Iterator[_Graph]:
    for split, (count, *sizes) in enumerate(plan.values()):
        for n in sizes:
            # A stream for each kind and size: what else is asked for changes nothing.
            rng = np.random.default_rng((seed, min(split, 3), n))
            yield from (_draw(n, rng) for _ in range(count))


def _generate(plan: dict[str, list[int]], seed: int) -> dict[str, Tensor]:
    graphs = list(_draw_all(plan, seed))
    num_train = plan["train"][0] * len(_TRAIN_NODES)
    y_node = [graph.labels.node for graph in graphs]
    y_graph = np.stack([graph.labels.graph for graph in graphs])
    node_scale = np.concatenate(y_node[:num_train]).max(axis=0)
    return {
        "x": _float([graph.x for graph in graphs]),
        "edge_index": torch.from_numpy(np.concatenate([g.edge_index for g in graphs], axis=1)),
        "y_node": _float([y / node_scale for y in y_node]),
        "y_graph": _float([y_graph / y_graph[:num_train].max(axis=0)]),
        "node_ptr": _ptr(len(graph.x) for graph in graphs),
        "edge_ptr": _ptr(graph.edge_index.shape[1] for graph in graphs),
    }


def _float(arrays: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.concatenate(arrays)).float()


def _ptr(sizes: Iterable[int]) -> Tensor:
    return torch.tensor([0, *sizes]).cumsum(0)
