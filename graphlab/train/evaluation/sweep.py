"""Training the cells of a suite that are not trained yet, beside other processes that do the same."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from filelock import Timeout

from graphlab.train.config import ConfigError, TrainConfig
from graphlab.train.distributed import World
from graphlab.train.environment import environment
from graphlab.train.evaluation.cell import Cell
from graphlab.train.evaluation.results import Results
from graphlab.train.processor import set_up_processor
from graphlab.train.run import DivergedError, Run
from graphlab.train.runner import pick_device
from graphlab.train.tasks import make_task


@dataclass
class Outcome:
    """What a sweep did.

    Args:
        trained: cells that have a result now and had none before.
        elsewhere: cells that another process is training.
        refused: why recipes could not be trained, by their names.
    """

    trained: int = 0
    elsewhere: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def sweep(cells: Sequence[Cell], results: Results, argv: list[str], say: Callable[[str], None]) -> Outcome:
    """Train the cells that have no result, in order; those that another process trains are left to it.

    Args:
        cells: what to train.
        results: what is trained, and where the rest goes.
        argv: the words of the command, for the record.
        say: takes a line about each cell.

    Returns:
        What was done. A training that diverges is a result; a recipe whose data are missing is passed over.
    """
    outcome = Outcome()
    for number, cell in enumerate(cells, 1):
        if cell.recipe.name in outcome.refused or results.read(cell):
            continue
        try:
            with results.lock(cell):
                if results.read(cell):  # another process was quicker
                    continue
                found = train(cell.config, argv)
                results.write(cell, found)
        except Timeout:
            outcome.elsewhere += 1
            continue
        except ConfigError as error:
            outcome.refused[cell.recipe.name] = str(error)
            say(f"{cell.recipe.name}: passed over: {error}")
            continue
        outcome.trained += 1
        say(f"[{number}/{len(cells)}] {cell.name}: {_told(found)}")
    return outcome


def train(config: TrainConfig, argv: list[str]) -> dict[str, Any]:
    """Train one cell from its start; what came of it, a training that diverged included.

    Beside the figures of the best epoch, ``curve`` holds the validation metric of every evaluation, and
    ``cpu_seconds`` what the process took of its processor's time for the epochs.

    Args:
        config: the settings.
        argv: the words of the command, for the record.

    Raises:
        ConfigError: if the settings cannot be trained.
    """
    set_up_processor(config)
    device = pick_device(config.device)
    task = make_task(config, device)
    run = Run(task, config, 0, device, World(), terse=True)
    found: dict[str, Any] = {"metric": task.metric_name, "num_params": run.num_params}
    curve: list[float] = []
    started = time.process_time()
    try:
        while not run.done:
            record = run.train_epoch()
            curve += [record["valid"]] if "valid" in record else []
        found |= run.result() | {"curve": curve}
    except DivergedError as error:
        found |= {"diverged": str(error), "epochs": run.epoch, "seconds": round(run.seconds, 3)}
    found["cpu_seconds"] = round(time.process_time() - started, 3)
    return found | {"environment": environment(argv, device, World())}


def _told(found: dict[str, Any]) -> str:
    if "diverged" in found:
        return f"diverged: {found['diverged']}"
    return (
        f"{found['metric']} valid {found['valid']:.4f}, test {found['test']:.4f} "
        f"(best epoch {found['best_epoch']} of {found['epochs']}, {found['seconds']:.1f} s)"
    )
