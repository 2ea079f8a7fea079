"""``graphlab train``: train a network from a configuration file, from flags, or both."""

import contextlib
import os
import shlex
import sys
from pathlib import Path

from graphlab.models.config import DEFAULT_MODEL, MODELS
from graphlab.train.config import ConfigError, TrainConfig
from graphlab.train.settings import Layer, plan
from graphlab.train.sources import CommandLine, read_flags, read_plan, read_toml

SUMMARY = "train a network on a data set; results, checkpoints and a report go to a run directory"

_HELP = f"""Train a network on a data set.

graphlab train [CONFIG.toml] [--model NAME] [--sweep KEY=A,B] [OPTIONS]
graphlab train --resume RUN_DIR

CONFIG.toml holds options by name, those of the network in a table [model] whose key `name` chooses
it, values to compare in a table [sweep]. Flags win over the file, the file over the defaults.

Networks: {", ".join(MODELS)}; --model NAME --help shows the options of one.
--sweep KEY=A,B trains every value of KEY (may be repeated: every combination).
--resume RUN_DIR continues an interrupted training to the results it would have had."""


def main(argv: list[str]) -> int:
    """Train, and print the results as a table.

    Args:
        argv: Words after ``graphlab train``.

    Returns:
        0 done, 1 diverged or not writable, 2 settings not understood or not usable, 130
        interrupted.
    """
    try:
        line = read_flags(argv)
        if line.help:
            return _help(line)
        return _train(line, argv)
    except ConfigError as error:
        return _fail(str(error), 2)
    except KeyboardInterrupt:
        return _fail("interrupted before anything was trained", 130)


def _fail(message: str, code: int) -> int:
    """Tell what went wrong in one line, from one process."""
    if _leads():
        print(f"graphlab train: {' '.join(message.split())}", file=sys.stderr)
    return code


def _help(line: CommandLine) -> int:
    import tyro

    name = line.layer.values.get("model", DEFAULT_MODEL)
    shown = TrainConfig(model=MODELS.get(name, MODELS[DEFAULT_MODEL])())
    with contextlib.suppress(SystemExit):  # how tyro ends its help
        tyro.cli(TrainConfig, prog="graphlab train", description=_HELP, default=shown, args=["--help"])
    return 0


def _train(line: CommandLine, argv: list[str]) -> int:
    layers = [read_toml(line.config)] if line.config else []
    if line.resume and (layers or line.layer != Layer()):
        raise ConfigError("--resume: goes on with the run's own settings; expected no other option")
    todo = read_plan(line.resume) if line.resume else plan([*layers, line.layer])
    from graphlab.train.run import DivergedError  # only now: these import torch
    from graphlab.train.runner import Training

    training = Training(todo, ["graphlab", "train", *argv], line.resume)
    try:
        _show(training.run())
    except DivergedError as error:
        return _fail(f"{error}; what was logged is in {training.path}", 1)
    except KeyboardInterrupt:
        if training.path is None:
            raise
        return _fail(f"interrupted; {_way_on(training.path)}", 130)
    except OSError as error:
        if training.path is None:
            raise ConfigError(str(error)) from error
        return _fail(f"{error}; {_way_on(training.path)}", 1)
    return 0


def _way_on(path: Path) -> str:
    return f"continue with: graphlab train --resume {shlex.quote(str(path))}"


def _show(path: Path) -> None:
    from graphlab.train.report import write_report
    from graphlab.train.saved_runs import read_sweep
    from graphlab.train.table import format_table

    if _leads():
        report = write_report(path)
        print(format_table(read_sweep(path).rows))
        print(f"report: {report}")


def _leads() -> bool:
    """Whether this is the only process or the first that torchrun started."""
    return os.environ.get("RANK", "0") == "0"
