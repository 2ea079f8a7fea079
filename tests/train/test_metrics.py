import math

import pytest
import torch
from sklearn.metrics import roc_auc_score

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


def test_rocauc_of_two_classes_ranks_by_the_chance_of_the_second():
    labels = torch.tensor([0, 0, 1, 1])
    logits = torch.tensor([[0.0, 0.0], [5.0, 7.0], [1.0, 2.0], [-3.0, 9.0]])  # margins 0, 2, 1, 12
    assert rocauc(logits, labels) == 0.75
    assert rocauc(logits[:, 1:] - logits[:, :1], labels) == 0.75
    assert rocauc(logits[:, 1] - logits[:, 0], labels) == 0.75
    assert rocauc(-logits, labels) == 0.25
    assert rocauc(torch.zeros(4, 2), labels) == 0.5


def test_rocauc_does_not_round_sure_answers_to_one():
    assert rocauc(torch.tensor([[0.0, 100.0], [0.0, 200.0]]), torch.tensor([0, 1])) == 1.0


def test_rocauc_of_more_classes_weighs_each_by_its_rows():
    labels = torch.tensor([0, 0, 1, 2])
    chances = torch.tensor([[0.6, 0.1, 0.3], [0.2, 0.5, 0.3], [0.3, 0.3, 0.4], [0.1, 0.4, 0.5]])
    # Class 0: 0.6 outranks both others, 0.2 one: 3 of 4. Class 1: 0.3 outranks 0.1 alone: 1 of 3. Class 2: all.
    assert rocauc(chances.log() + 7, labels) == pytest.approx((2 * 3 / 4 + 1 / 3 + 1) / 4)


def test_rocauc_of_more_classes_is_scikit_learn_s():
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(60, 4, generator=generator), torch.randint(4, (60,), generator=generator)
    chances = logits.double().softmax(dim=1)
    theirs = roc_auc_score(labels, chances, multi_class="ovr", average="weighted")
    assert rocauc(logits, labels) == pytest.approx(theirs)


def test_rocauc_leaves_out_classes_that_do_not_occur():
    logits = torch.tensor([[3.0, 0.0, 9.0], [0.0, 3.0, 9.0], [0.0, 4.0, 9.0]])
    assert rocauc(logits, torch.tensor([0, 1, 1])) == 1.0
    with pytest.raises(ConfigError, match="expected both classes"):
        rocauc(logits, torch.tensor([1, 1, 1]))


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (
            torch.rand(3, 2),
            torch.tensor([0, 1, 2]),
            "from 0 to 1, as there are 2 scores a row, got 0 to 2",
        ),
        (
            torch.rand(3, 1),
            torch.tensor([1, 2, 1]),
            "from 0 to 1, as there are 1 scores a row, got 1 to 2",
        ),
        (
            torch.rand(3, 3),
            torch.tensor([0, 1, 3]),
            "from 0 to 2, as there are 3 scores a row, got 0 to 3",
        ),
        (torch.rand(3, 3), torch.tensor([0, 1, -1]), "from 0 to 2, .*got -1 to 1"),
        (torch.empty(0, 3), torch.empty(0, dtype=torch.long), "both classes in a split, got no rows"),
        (torch.empty(0, 3), torch.empty(0, 3), "both classes in a split, got no rows"),
    ],
)
def test_rocauc_of_labels_without_scores_is_refused(logits, labels, message):
    with pytest.raises(ConfigError, match=f"rocauc: expected .*{message}"):
        rocauc(logits, labels)


def test_every_metric_prefers_a_perfect_answer():
    labels = torch.tensor([0, 1, 1, 0])
    table = torch.stack([labels, 1 - labels], dim=1)
    for name, metric in METRICS.items():
        right, wrong = 9.0 * (2 * table - 1), 9.0 * (1 - 2 * table)
        targets = 1 - labels if name == "accuracy" else table.float()
        good, bad = metric.compute(right, targets), metric.compute(wrong, targets)
        assert (good > bad) == metric.higher_is_better, name
