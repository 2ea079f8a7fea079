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


def rocauc(logits: Float[Tensor, "rows tasks"], labels: Tensor) -> float:
    """Area under the ROC curve, averaged over the tasks that have both classes.

    Missing labels (not-a-number) are left out.

    Raises:
        ConfigError: if no task has both classes.
    """
    scores, truth = logits.double().cpu().numpy(), labels.double().cpu().numpy()
    areas = []
    for task in range(truth.shape[1]):
        known = ~np.isnan(truth[:, task])
        if len(np.unique(truth[known, task])) == 2:
            areas.append(roc_auc_score(truth[known, task], scores[known, task]))
    if not areas:
        raise ConfigError("rocauc: expected both classes in a split, got one; use a larger split")
    return float(np.mean(areas))


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
