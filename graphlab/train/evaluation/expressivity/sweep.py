"""Measure what a suite lacks, one cell after another: the part that needs torch."""

import functools
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from filelock import Timeout

import graphlab.data
from graphlab.data.sources import root_folder
from graphlab.train.config import ConfigError
from graphlab.train.distributed import World
from graphlab.train.environment import environment
from graphlab.train.evaluation.expressivity.cells import Cell, RpcCell, UntrainedCell
from graphlab.train.evaluation.expressivity.embedding import untrained
from graphlab.train.evaluation.expressivity.protocols import UNTRAINED
from graphlab.train.evaluation.expressivity.records import Records
from graphlab.train.evaluation.expressivity.rpc import PairResult, compare_pair, rpc_network
from graphlab.train.evaluation.expressivity.untrained import compare

Say = Callable[[str], None]


def sweep(cells: Sequence[Cell], records: Records, argv: list[str], say: Say) -> bool:
    """Measure the cells that have no figures, in order; those that another process measures are left to it.

    Args:
        cells: what to measure.
        records: what is measured, and where the rest goes.
        argv: the words of the command, for the record.
        say: takes a line about each cell.

    Returns:
        Whether every cell could be measured, here or elsewhere.
    """
    refused: set[str] = set()
    about = environment(argv, torch.device("cpu"), World())
    for number, cell in enumerate(cells, 1):
        try:
            figures = _fill(cell, records, about)
        except Timeout:
            say(f"[{number}/{len(cells)}] {cell.name}: left to another process")
            continue
        except ConfigError as error:
            if str(error) not in refused:
                say(f"{cell.name}: passed over: {error}")
            refused.add(str(error))
            continue
        if figures:
            say(f"[{number}/{len(cells)}] {cell.name}: {_told(cell, figures)}")
    return not refused


def measure(cell: Cell) -> dict[str, Any]:
    """The figures of one cell.

    Args:
        cell: what to measure.

    Raises:
        ConfigError: if the network or the graphs are not to be had, or do not fit.
    """
    start = time.perf_counter()
    figures = _untrained(cell) if isinstance(cell, UntrainedCell) else _rpc(cell)
    return figures | {"seconds": round(time.perf_counter() - start, 3)}


def _fill(cell: Cell, records: Records, about: dict[str, Any]) -> dict[str, Any] | None:
    """Measure a cell that has no figures yet; None if it has."""
    if records.read(cell):
        return None
    with records.lock(cell):
        if records.read(cell):  # another process was quicker
            return None
        figures = measure(cell)
        records.write(cell, figures, about | {"data": _places()})
    return figures


def _untrained(cell: UntrainedCell) -> dict[str, Any]:
    graphs = _graphs(cell.comparison.data)
    with cell.network.blamed("cannot be run"):
        embed = untrained(cell.network, graphs[0].x.size(1), cell.seed)
        found = compare(embed, cell.comparison, graphs, cell.seed, cell.network.tolerance)
    return {"separated": found.separated, "noise": found.noise}


def _rpc(cell: RpcCell) -> dict[str, Any]:
    if cell.network.refines:
        raise ConfigError(f"--protocol: '{cell.network.name}' has no weights to train by rpc; use untrained")
    first, second = _graphs("brec")[2 * cell.pair : 2 * cell.pair + 2]
    with cell.network.blamed("cannot be run"):
        found = compare_pair(rpc_network(cell.network, first.x.size(1)), first, second, cell.seed)
    return {
        "separated": found.is_separated,
        "reliable": found.is_reliable,
        "t_squared": _finite(found.t_squared),
        "t_squared_reliability": _finite(found.t_squared_reliability),
        "epochs": found.epochs,
    }


def _finite(value: float) -> float:
    return min(value, sys.float_info.max)  # JSON knows no infinity


@functools.lru_cache(maxsize=1)
def _graphs(data: str) -> list[Any]:
    try:
        return [*graphlab.data.load(data)]  # pyright: ignore[reportGeneralTypeIssues]
    except (OSError, ValueError) as error:
        raise ConfigError(f"--data: {error}") from error


def _places() -> dict[str, Any]:
    """Where graphs were looked for: the root, and the mirror that what it lacked was copied from."""
    mirror = os.environ.get("GRAPHLAB_DATA") or None
    found = mirror is not None and Path(mirror).expanduser().is_dir()
    return {"root": str(root_folder(None)), "mirror": mirror, "mirror_exists": found}


def _told(cell: Cell, figures: dict[str, Any]) -> str:
    seconds = f"{figures['seconds']:.1f} s"
    if isinstance(cell, UntrainedCell):
        counts = ", ".join(
            f"{part} {count:,} of {cell.comparison.totals[part]:,}" for part, count in figures["separated"].items()
        )
        most = cell.network.tolerance / UNTRAINED.times_noise
        warning = "" if figures["noise"] <= most else f" above {most:.0e}: only clearer differences count"
        return f"{counts} (noise {figures['noise']:.0e}{warning}; {seconds})"
    found = PairResult(figures["t_squared"], figures["t_squared_reliability"], figures["epochs"])
    verdict = "told apart" if found.is_separated else "not told apart"
    trust = "" if found.is_reliable else ", not reliable"
    statistics = f"T2 {found.t_squared:.3g}, of one graph and itself {found.t_squared_reliability:.3g}"
    return f"{verdict}{trust} ({statistics}; {found.epochs} epochs, {seconds})"
