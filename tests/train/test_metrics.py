import math

import pytest
import torch

from graphlab.train.config import ConfigError
from graphlab.train.metrics import METRICS, accuracy, exact, rocauc


def test_accuracy_counts_the_largest_logit():
    logits = torch.tensor([[2.0, 1.0], [0.0, 3.0], [5.0, 4.0], [0.0, 1.0]])
    assert accuracy(logits, torch.tensor([0, 1, 1, 1])) == 0.75


def test_exact_wants_every_bit():
    logits = torch.tensor([[1.0, -1.0], [1.0, 1.0], [-2.0, 0.5]])
    assert exact(logits, torch.tensor([[1, 0], [1, 0], [0, 1]])) == pytest.approx(2 / 3)


def test_rocauc_is_the_chance_that_a_positive_outranks_a_negative():
    scores = torch.randn(40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    labels = (torch.arange(40) % 3 == 0).double()
    ranks = [float((column[labels == 1][:, None] > column[labels == 0][None]).double().mean()) for column in scores.T]
    assert rocauc(scores, torch.stack([labels, labels], dim=1)) == pytest.approx(sum(ranks) / 2)


def test_rocauc_leaves_out_missing_labels_and_tasks_of_one_class():
    scores = torch.tensor([[0.1, 0.9], [0.9, 0.1], [0.5, 0.5]])
    labels = torch.tensor([[0.0, 1.0], [1.0, 1.0], [math.nan, 1.0]])
    assert rocauc(scores, labels) == 1.0
    with pytest.raises(ConfigError, match="rocauc: expected both classes"):
        rocauc(scores, torch.ones(3, 2))


def test_every_metric_prefers_a_perfect_answer():
    labels = torch.tensor([0, 1, 1, 0])
    table = torch.stack([labels, 1 - labels], dim=1)
    for name, metric in METRICS.items():
        right, wrong = 9.0 * (2 * table - 1), 9.0 * (1 - 2 * table)
        targets = 1 - labels if name == "accuracy" else table.float()
        good, bad = metric.compute(right, targets), metric.compute(wrong, targets)
        assert (good > bad) == metric.higher_is_better, name
