"""The protocol for networks with random weights: how many pairs get vectors that differ by more than rounding."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch_geometric.data import Data

from graphlab.train.evaluation.expressivity.comparisons import Comparison
from graphlab.train.evaluation.expressivity.embedding import Embed, relabelled
from graphlab.train.evaluation.expressivity.protocols import TOLERANCE, UNTRAINED
from graphlab.train.evaluation.expressivity.separation import (
    count_separated,
    count_unseparated_among_all,
    relative_difference,
)


@dataclass(frozen=True)
class Separation:
    """What a comparison found.

    Args:
        separated: the number of pairs told apart, of each part and, where there are several, of all.
        noise: the largest relative difference between the vectors of one graph in two orders of its nodes.
    """

    separated: dict[str, int]
    noise: float


def compare(
    embed: Embed, comparison: Comparison, graphs: Sequence[Data], seed: int = 0, tolerance: float = TOLERANCE
) -> Separation:
    """Count the pairs that are told apart.

    Every graph is embedded twice, the second time with its nodes in random order and among other graphs: what the two
    vectors differ by is noise. A pair is told apart where the relative difference of its vectors exceeds the
    tolerance and ten times the largest noise.

    Args:
        embed: what makes vectors of graphs.
        comparison: which pairs.
        graphs: the graphs of the data set, in its order.
        seed: of the random orders.
        tolerance: a fraction. Default: 1e-12.

    Raises:
        ConfigError: if vectors are not finite.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Data
        >>> graphs = [Data(x=torch.ones(n, 1), edge_index=torch.zeros(2, 0, dtype=torch.long)) for n in (2, 3, 3)]
        >>> sizes = lambda graphs: torch.tensor([[float(graph.num_nodes)] for graph in graphs])
        >>> compare(sizes, Comparison("sizes", "none"), graphs)
        Separation(separated={'sizes': 2}, noise=0.0)
    """
    graphs = graphs[:: comparison.step]
    generator = torch.Generator().manual_seed(seed)
    copies = [relabelled(graph, generator) for graph in reversed(graphs)]
    vectors, again = embed([*graphs, *copies]).split(len(graphs))
    noise = float(relative_difference(vectors, again.flip(0)).max())
    return Separation(_counts(vectors, comparison, max(tolerance, UNTRAINED.times_noise * noise)), noise)


def _counts(vectors: Tensor, comparison: Comparison, tolerance: float) -> dict[str, int]:
    if not comparison.parts:
        graphs = len(vectors)
        missed = count_unseparated_among_all(vectors, tolerance)
        return {comparison.name: graphs * (graphs - 1) // 2 - missed}
    first, second = vectors[::2], vectors[1::2]
    counts = {
        part: count_separated(first[pairs.start : pairs.stop], second[pairs.start : pairs.stop], tolerance)
        for part, pairs in comparison.parts.items()
    }
    return counts if comparison.name in counts else counts | {comparison.name: sum(counts.values())}
