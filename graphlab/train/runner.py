"""From a plan to a run directory: every setting of a sweep, every run of a setting."""

import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from graphlab.disk.files import write_atomically
from graphlab.train.config import TrainConfig, to_toml
from graphlab.train.distributed import World, join_world
from graphlab.train.environment import environment
from graphlab.train.processor import set_up_processor
from graphlab.train.run import DivergedError, Run, build_for
from graphlab.train.rundir import RunDirectory, new_directory, write_json
from graphlab.train.settings import Plan
from graphlab.train.tasks import Task, make_task

_OF_THE_TASK = ("data", "split", "protocol", "root", "disk", "features", "direction", "sparse")


@dataclass(frozen=True)
class Place:
    """Where training happens.

    Args:
        device: what the network and the data lie on.
        world: the processes that train together.
    """

    device: torch.device
    world: World

    def say(self, line: str) -> None:
        """Print a line above the progress bar, from the leading process only."""
        if self.world.leads:
            tqdm.write(line)


class Training:
    """A plan and the directory it fills; what is there already is not done again.

    Args:
        todo: what to train.
        argv: the words of the command, for the record.
        path: the run directory to continue; a new one by default.

    Raises:
        ConfigError: if a setting cannot be trained; nothing is written then.
    """

    def __init__(self, todo: Plan, argv: list[str], path: Path | None = None) -> None:
        self.todo, self.argv, self.path = todo, argv, path
        self._loaded: tuple[Any, Task] | None = None

    def run(self) -> Path:
        """Train what is not trained yet.

        Returns:
            The run directory.

        Raises:
            ConfigError: if a setting cannot be trained.
            DivergedError: if a run leaves the finite numbers.
        """
        config = self.todo.config
        set_up_processor(config)
        device = pick_device(config.device)
        with join_world(device) as world:
            place = Place(device, world)
            for _, one in self.todo.configs:
                build_for(one, self._task(one, place))
            self.path = world.from_leader(self._prepare(place) if world.leads else self.path)
            assert self.path is not None
            for setting, one in self.todo.configs:
                self._train(setting, one, self.path, place)
        return self.path

    def _prepare(self, place: Place) -> Path:
        """Make the directory and write down what is asked, or take the one to continue."""
        here = environment(self.argv, place.device, place.world)
        if self.path is not None:
            _compare(self.path, here)
            return self.path
        path = new_directory(self.todo.config.out, _name(self.todo))
        write_json(path / "env.json", here)
        text = to_toml(self.todo.config, self.todo.sweep)
        write_atomically(path / "config.toml", text.encode())
        return path

    def _train(self, setting: dict[str, str], config: TrainConfig, top: Path, place: Place) -> None:
        label = _label(setting)
        directory = RunDirectory(top / label, config, setting)
        if label and place.world.leads:
            directory.begin(environment(self.argv, place.device, place.world))
        try:
            train_setting(self._task(config, place), directory, place)
        except DivergedError as error:
            raise DivergedError(f"{label}: {error}" if label else str(error)) from None

    def _task(self, config: TrainConfig, place: Place) -> Task:
        """The task of a setting; only the last one used is kept in memory."""
        seed = config.seed if config.protocol == "nested" else 0
        key = (seed, *(getattr(config, name) for name in _OF_THE_TASK))
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = (key, make_task(config, place.device))
        return self._loaded[1]


def train_setting(task: Task, directory: RunDirectory, place: Place) -> None:
    """Train all runs of one setting that are not finished, from where each was.

    Args:
        task: the data.
        directory: what is done so far, and where the rest goes.
        place: where to train.
    """
    finished = directory.finished()
    for number in range(len(finished), directory.config.runs):
        run = Run(task, directory.config, number, place.device, place.world)
        state = directory.load_state(number, place.device)
        if state is not None:
            run.load_state_dict(state)
        train_run(run, directory, place)
        finished.append(run.result())
        place.say(_told(run, directory))
        if place.world.leads:
            directory.save_weights(run.seed, run.best.weights)
            directory.save_result(finished, task.metric_name, run.num_params)
    if place.world.leads:
        directory.end()


def train_run(run: Run, directory: RunDirectory, place: Place) -> None:
    """Train one run to its end, logging every epoch and saving its state now and then."""
    leads = place.world.leads
    if leads:
        directory.forget_after(run.number, run.epoch)
    saved = time.monotonic()
    with tqdm(
        total=run.config.epochs,
        initial=run.epoch,
        desc=f"run {run.number + 1}/{run.config.runs}",
        unit="epoch",
        leave=False,
        disable=None if leads else True,  # None: off where stderr is no terminal
    ) as bar:
        while not run.done:
            record = run.train_epoch()
            if leads:
                directory.log(record)
                if time.monotonic() - saved >= run.config.save_every:
                    directory.save_state(run.state_dict())
                    saved = time.monotonic()
            bar.set_postfix(loss=f"{record['loss']:.4g}", refresh=False)
            bar.update()


def pick_device(wanted: str) -> torch.device:
    """The device that a configuration means; ``"auto"`` is this process's GPU if there is one."""
    if wanted == "auto" and torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
        return device
    return torch.device("cpu")


def _compare(path: Path, here: dict[str, Any]) -> None:
    """Say so where a training goes on under conditions that may change its last bits."""
    before = json.loads((path / "env.json").read_text(encoding="utf-8"))
    for key in ("threads", "processes", "device", "torch"):
        if before.get(key) != here[key]:
            tqdm.write(f"note: {key} was {before.get(key)} and is {here[key]}: bits may differ")


def _name(todo: Plan) -> str:
    config = todo.config
    data = config.data if config.disk is None else config.disk.resolve().name
    parts = [data, config.model.name, time.strftime("%Y%m%d-%H%M%S")]
    return config.name or "-".join(parts)


def _label(setting: dict[str, str]) -> str:
    """The name of a setting's folder, ``aggr=sum,lr=0.1``; nothing outside a sweep."""
    text = ",".join(f"{key.removeprefix('model.')}={value}" for key, value in setting.items())
    return re.sub(r"[^\w=,.+-]", "_", text)


def _told(run: Run, directory: RunDirectory) -> str:
    label = f"{directory.path.name}: " if directory.setting else ""
    done, metric = run.result(), run.task.metric_name
    return (
        f"{label}run {run.number + 1}/{run.config.runs}, seed {run.seed}: {metric} "
        f"valid {done['valid']:.4f}, test {done['test']:.4f} "
        f"(best epoch {done['best_epoch']} of {done['epochs']}, {done['seconds']:.1f} s)"
    )
