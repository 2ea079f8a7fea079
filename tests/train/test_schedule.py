import math

import pytest
import torch

from graphlab.train.config import TrainConfig
from graphlab.train.distributed import World
from graphlab.train.run import Run
from graphlab.train.tasks import make_task

CPU = torch.device("cpu")


def rates(**options):
    config = TrainConfig(data="karate", epochs=4, lr=0.1, **options)
    run = Run(make_task(config, CPU), config, 0, CPU, World())
    seen = []
    while not run.done:
        run.train_epoch()
        seen.append(run.optimizer.param_groups[0]["lr"])
    return seen, run


def test_cosine_falls_to_zero_steps_fall_by_a_factor_and_constant_stays():
    assert rates()[0] == [0.1] * 4
    assert rates(schedule="step", step_size=2, gamma=0.1)[0] == pytest.approx([0.1, 0.1, 0.01, 0.01])
    assert rates(schedule="step", step_size=1)[0] == pytest.approx([0.1, 0.05, 0.025, 0.0125])
    assert rates(schedule="cosine")[0] == pytest.approx([0.05 * (1 + math.cos(math.pi * e / 4)) for e in range(4)])


def test_clip_bounds_the_step_of_plain_gradient_descent():
    def moved(clip):
        config = TrainConfig(data="karate", epochs=1, lr=1.0, optimizer="sgd", clip=clip)
        run = Run(make_task(config, CPU), config, 0, CPU, World())
        before = [p.detach().clone() for p in run.model.parameters()]
        run.train_epoch()
        parts = [(p.detach() - b).norm() for p, b in zip(run.model.parameters(), before, strict=True)]
        return float(torch.stack(parts).norm())

    assert moved(1e-3) == pytest.approx(1e-3, rel=1e-3) and moved(0.0) > 1e-2
