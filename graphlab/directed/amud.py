"""Should a graph be used directed or undirected? A judgement from its edges and labels, before any training."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from graphlab.directed.direction_gain import DirectionGain, direction_gain
from graphlab.directed.is_direction_genuine import directions_of
from graphlab.directed.known_labels import known_labels
from graphlab.directed.pattern_correlation import pattern_correlation
from graphlab.ops import Graph

Verdict = Literal["directed", "undirected", "undecided"]

_LEAST_GAIN, _LEAST_LOSS = 0.005, 0.02
_REFUSALS: dict[str, tuple[Verdict, str]] = {
    "none": ("undecided", "there are no edges between different nodes"),
    "too few": ("undecided", "there are too few labels to judge by: no random half of them shows two classes"),
    "both ways": ("undirected", "every edge is stored in both directions, so there are no directions to use"),
    "one way": (
        "undecided",
        "not judged, as the directions are not genuine: every edge goes from a lower to a higher node number (or every "
        "one the other way), as where an undirected graph is stored with each edge once; use the graph undirected",
    ),
}


@dataclass(frozen=True)
class AmudReport:
    """What :func:`amud` found."""

    correlation: dict[str, float]
    """By pattern, the correlation between being linked and being of one class."""

    gain: DirectionGain | None
    """How much more directed neighbourhoods tell; ``None`` where directions are not genuine or labels too few."""

    bounds: tuple[float, float] | None
    """Below the first a gain speaks for undirected, above the second for directed."""

    verdict: Verdict
    """Whether to use the directions."""

    reason: str
    """Why, in words."""

    num_labels: int
    """How many labels were looked at."""

    @property
    def determination(self) -> dict[str, float]:
        """By pattern, the share of variance (R²) that being linked explains of being of one class."""
        return {name: r * r for name, r in self.correlation.items()}

    def __str__(self) -> str:
        rows = [f"{name:<8}{_figure(r, '+')}{_figure(r * r)}" for name, r in self.correlation.items()]
        lines = [f"{'pattern':<8}{'r':>12}{'R²':>12}", *rows, ""]
        if self.gain is not None and self.bounds is not None:
            lines.append(f"direction gain  {self.gain.mean:+.4f} ± {self.gain.std:.4f} (1 sigma)")
            lines.append(f"bounds          {self.bounds[0]:+.4f} undirected, {self.bounds[1]:+.4f} directed (2+)")
            lines.append(f"R²              {self.gain.directed:.4f} directed, {self.gain.undirected:.4f} undirected")
        lines += [f"labels          {self.num_labels}", f"verdict         {self.verdict}: {self.reason}"]
        return "\n".join(lines)


def amud(data: Any, *, all_labels: bool = False, split: int = 0) -> AmudReport:
    r"""Judge whether the directions of a graph help to tell the classes of its nodes.

    .. math::
        \text{directed: } g > \max(0.005,\ 2 \sigma), \qquad
        \text{undirected: } -g > \max(0.02,\ 2 \sigma + c), \qquad
        c = (1 - R^2_U) \cdot 4 C / n_\text{half}

    and undecided otherwise, where :math:`g \pm \sigma` is the mean and standard deviation of
    :func:`~graphlab.directed.direction_gain` over ten random halves and :math:`c` what its :math:`4 C` more columns
    would cost if they were noise. The report also holds :func:`~graphlab.directed.pattern_correlation` of each
    pattern, which does not enter the verdict. Directions that are visibly an artefact are not judged
    (:func:`~graphlab.directed.is_direction_genuine`).

    The question is that of AMUD (Sun et al. 2023, arXiv 2312.04111); the answer is ours. The paper's score and
    its threshold are in no published code and could not be verified, so neither is computed here.

    Args:
        data: A PyG ``Data`` with ``edge_index`` (or ``adj_t``), ``y`` and, unless all labels are used,
            ``train_mask``. Weights and features are not looked at.
        all_labels: Whether to look at the labels of all nodes. That describes a data set; to choose a model by it
            would let test labels in.
        split: The column of ``train_mask`` where that has several.

    Raises:
        ValueError: Something is missing or malformed, or fewer than two classes are known.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Data
        >>> from graphlab.directed import amud
        >>> generator = torch.Generator().manual_seed(0)
        >>> y = torch.randint(2, (300,), generator=generator)
        >>> pairs = torch.randint(300, (2, 3000), generator=generator)
        >>> edge_index = torch.where(y[pairs[0]] <= y[pairs[1]], pairs, pairs.flip(0))  # none leads back to class 0
        >>> amud(Data(edge_index=edge_index, y=y), all_labels=True).verdict
        'directed'
    """
    edge_index, y = _edges(data), _labels(data)
    graph = Graph.from_edge_index(edge_index, (y.size(0), y.size(0)))
    mask = None if all_labels else _train_mask(data, split)
    correlation = pattern_correlation(graph, y, mask)
    num_labels = known_labels(y, mask).nodes.size
    directions = directions_of(graph.edge_index())
    if directions != "genuine":
        return AmudReport(correlation, None, None, *_REFUSALS[directions], num_labels)
    gain = direction_gain(graph, y, mask)
    if math.isnan(gain.mean):
        return AmudReport(correlation, None, None, *_REFUSALS["too few"], num_labels)
    bounds = _bounds(gain)
    return AmudReport(correlation, gain, bounds, *_judged(gain, bounds), num_labels)


def _figure(value: float, sign: str = "") -> str:
    return f"{'none':>12}" if math.isnan(value) else f"{value:>{sign}12.6f}"


def _bounds(gain: DirectionGain) -> tuple[float, float]:
    noise = (1 - gain.undirected) * 4 * gain.num_classes / (gain.num_labels // 2)
    return -max(_LEAST_LOSS, 2 * gain.std + noise), max(_LEAST_GAIN, 2 * gain.std)


def _judged(gain: DirectionGain, bounds: tuple[float, float]) -> tuple[Verdict, str]:
    if gain.mean > bounds[1]:
        return "directed", "directed neighbourhoods tell more about the classes than undirected ones"
    if gain.mean < bounds[0]:
        return "undirected", "undirected neighbourhoods tell more about the classes than directed ones"
    return "undecided", (
        "directed and undirected neighbourhoods tell about the same of the classes, as far as "
        f"{gain.num_labels} labels show"
    )


def _edges(data: Any) -> Any:
    for name in ("edge_index", "adj_t"):
        if getattr(data, name, None) is not None:
            return getattr(data, name)
    raise ValueError(f"'data' must have an 'edge_index', got {data}; of several graphs or edge types take one")


def _labels(data: Any) -> Tensor:
    y = getattr(data, "y", None)
    if not isinstance(y, Tensor) or y.dim() == 0:
        raise ValueError(f"'data.y' must hold the class of each node, got {data}")
    return y


def _train_mask(data: Any, split: int) -> Tensor:
    mask = getattr(data, "train_mask", None)
    if mask is None:
        raise ValueError(f"'data' must have a 'train_mask', got {data}; all_labels=True looks at all labels instead")
    columns = mask if mask.dim() == 2 else mask.reshape(-1, 1)
    if not 0 <= split < columns.size(1):
        raise ValueError(f"'split' must be one of the {columns.size(1)} columns of 'data.train_mask', got {split}")
    return columns[:, split]
