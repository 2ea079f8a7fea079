"""Metrics by name: what each data set's card says its results are told in."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from sklearn.metrics import roc_auc_score
from torch import Tensor

from graphlab.train.config import ConfigError


@dataclass(frozen=True)
class Metric:
    """A function of all outputs and all targets of a split, and which way is better.

    Args:
        compute: takes outputs and targets, gives a number.
        higher_is_better: whether the larger of two values is the better one.
    """

    compute: Callable[[Tensor, Tensor], float]
    higher_is_better: bool


def accuracy(logits: Float[Tensor, "rows classes"], labels: Int[Tensor, " rows"]) -> float:
    """Fraction of rows whose largest logit is the label's."""
    return float((logits.argmax(dim=-1) == labels.view(-1)).double().mean())


def exact(logits: Float[Tensor, "sets bits"], bits: Tensor) -> float:
    """Fraction of rows all of whose bits are right; a positive logit says 1."""
    return float(((logits > 0) == bits.bool()).all(dim=-1).double().mean())


def rocauc(logits: Float[Tensor, "rows outputs"], labels: Tensor) -> float:
    r"""Area under the ROC curve: the chance that a positive outranks a negative.

    Of labels in a table, the average over the columns that have both classes; missing labels (not-a-number) are left
    out. Of class numbers in one column, the area of the second class against the first; of more classes, each one's
    area against all others, weighted by its share of the rows,

    .. math::
        \sum_c \frac{n_c}{n}\, P\left(p_c(x) > p_c(x') \mid y = c, y' \neq c\right).

    Args:
        logits: one score per column of a table, or per class; one column for two classes scores the second.
        labels: 0, 1 and missing, or class numbers.

    Shapes:
        - logits: ``[rows, columns]`` or ``[rows, classes]``
        - labels: ``[rows, columns]`` or ``[rows]``

    Raises:
        ConfigError: if no column has both classes, or a class has no score.
    """
    if not labels.numel():
        raise ConfigError("rocauc: expected both classes in a split, got no rows; use a larger split")
    scores, truth = logits.detach().double().cpu(), labels.cpu()
    areas = _areas_of_classes(scores, truth) if truth.dim() == 1 else _areas_of_columns(scores, truth)
    if not areas:
        raise ConfigError("rocauc: expected both classes in a split, got one; use a larger split")
    values, weights = zip(*areas, strict=True)
    return float(np.average(values, weights=weights))


def _areas_of_columns(scores: Tensor, truth: Tensor) -> list[tuple[float, float]]:
    """The area of each column that has both classes; all weigh the same."""
    areas = []
    for score, column in zip(scores.T, truth.double().T, strict=True):
        known = ~column.isnan()
        if column[known].unique().numel() == 2:
            areas.append((roc_auc_score(column[known], score[known]), 1.0))
    return areas


def _areas_of_classes(scores: Tensor, truth: Tensor) -> list[tuple[float, float]]:
    """The area of each class that occurs, and its share of the rows."""
    scores = scores.view(truth.numel(), -1)
    found, counts = truth.unique(return_counts=True)
    if found.numel() < 2:
        return []
    classes = max(2, scores.size(1))
    if int(found[0]) < 0 or int(found[-1]) >= classes:
        raise ConfigError(
            f"rocauc: expected class numbers from 0 to {classes - 1}, as there are {scores.size(1)} scores a row, "
            f"got {int(found[0])} to {int(found[-1])}"
        )
    if scores.size(1) <= 2:
        # The difference ranks as the probability does, and does not round two sure answers to one.
        score = scores[:, -1] - scores[:, 0] * (scores.size(1) - 1)
        return [(roc_auc_score(truth, score), 1.0)]
    chances = scores.softmax(dim=1)
    shares = (counts / truth.numel()).tolist()
    return [(roc_auc_score(truth == c, chances[:, c]), w) for c, w in zip(found.tolist(), shares, strict=True)]


def mae(outputs: Float[Tensor, "rows targets"], targets: Float[Tensor, "rows targets"]) -> float:
    """Mean absolute error."""
    return float((outputs - targets).double().abs().mean())


def rmse(outputs: Float[Tensor, "rows targets"], targets: Float[Tensor, "rows targets"]) -> float:
    """Root of the mean squared error."""
    return float((outputs - targets).double().square().mean().sqrt())


METRICS: dict[str, Metric] = {
    "accuracy": Metric(accuracy, higher_is_better=True),
    "exact": Metric(exact, higher_is_better=True),
    "rocauc": Metric(rocauc, higher_is_better=True),
    "mae": Metric(mae, higher_is_better=False),
    "rmse": Metric(rmse, higher_is_better=False),
}
"""Every metric of one output and one target by name."""
