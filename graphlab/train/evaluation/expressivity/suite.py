"""From names to cells, and from figures to rows. Imports no torch."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from graphlab.data.brec_categories import CATEGORIES
from graphlab.train.config import ConfigError
from graphlab.train.evaluation.expressivity.cells import NUM_PAIRS, Cell, RpcCell, UntrainedCell
from graphlab.train.evaluation.expressivity.comparisons import DEFAULT, Comparison, comparison
from graphlab.train.evaluation.expressivity.networks import NETWORKS, network
from graphlab.train.evaluation.expressivity.records import Records
from graphlab.train.evaluation.expressivity.references import HERE, Figure
from graphlab.train.evaluation.expressivity.table import Row, rpc_rows, untrained_rows

SUMMARY = "how many pairs of graphs a network tells apart that 1-WL or 3-WL do not"
OUT = Path("runs/eval-expressivity")
Warn = Callable[[str], None]
"""Takes a line about a file that is no result."""


def comparisons(data: Sequence[str]) -> list[Comparison]:
    """The comparisons of these names, each once.

    Args:
        data: names; none: those of the usual table.

    Raises:
        ConfigError: if a name stands for none.
    """
    return list({one.name: one for one in map(comparison, data or DEFAULT)}.values())


def untrained_cells(models: Sequence[str], compared: Sequence[Comparison], seed: int) -> list[UntrainedCell]:
    """Every comparison of every network.

    Args:
        models: names of networks; none: all.
        compared: the comparisons.
        seed: of weights and orders.

    Raises:
        ConfigError: if a name stands for none.
    """
    chosen = {one.name: one for one in map(network, models or NETWORKS)}
    return [UntrainedCell(one, comparison, seed) for one in chosen.values() for comparison in compared]


def rpc_cells(models: Sequence[str], pairs: Sequence[int] | None, seed: int) -> list[RpcCell]:
    """Every pair of BREC for every network.

    Args:
        models: names of networks; none: all that have weights.
        pairs: numbers of pairs; by default all.
        seed: of weights and orders.

    Raises:
        ConfigError: if a name stands for none, or there is no such pair.
    """
    beyond = [pair for pair in pairs or () if pair >= NUM_PAIRS]
    if beyond:
        raise ConfigError(f"--pairs: BREC has pairs 0 to {NUM_PAIRS - 1}, got {beyond[0]}")
    trained = [name for name, one in NETWORKS.items() if not one.refines]
    chosen = {one.name: one for one in map(network, models or trained)}
    return [
        RpcCell(one, pair, seed) for one in chosen.values() for pair in (range(NUM_PAIRS) if pairs is None else pairs)
    ]


def rows_of_untrained(cells: Sequence[UntrainedCell], records: Records, others: bool, warn: Warn) -> list[Row]:
    """The rows of the table without training.

    Args:
        cells: what was asked for.
        records: what is measured.
        others: whether networks that were not asked for get rows of what others found.
        warn: told of each file that is no result and counts as not run.
    """
    measured = {}
    for cell in cells:
        measured.setdefault(cell.network.name, []).append((cell.comparison, _kept(cell, records, warn)))
    return untrained_rows(measured, others)


def rows_of_rpc(cells: Sequence[RpcCell], records: Records, others: bool, warn: Warn) -> list[Row]:
    """The rows of the table of BREC's own protocol; only what is told apart reliably counts.

    Args:
        cells: what was asked for.
        records: what is measured.
        others: whether networks that were not asked for get rows of what others found.
        warn: told of each file that is no result and counts as not run.
    """
    by_network: dict[str, list[RpcCell]] = {}
    for cell in cells:
        by_network.setdefault(cell.network.name, []).append(cell)
    return rpc_rows({name: _rpc_row(name, found, records, warn) for name, found in by_network.items()}, others)


def _kept(cell: Cell, records: Records, warn: Warn) -> dict[str, Any] | None:
    try:
        return records.read(cell)
    except ConfigError as error:
        warn(str(error))
        return None


def _rpc_row(name: str, cells: Sequence[RpcCell], records: Records, warn: Warn) -> Row:
    found = {cell.pair: _kept(cell, records, warn) for cell in cells}
    done = {pair: result for pair, result in found.items() if result}
    good = {pair for pair, result in done.items() if result["separated"] and result["reliable"]}
    figures: dict[str, Figure] = {}
    for part, pairs in (CATEGORIES | {"brec": range(NUM_PAIRS)}).items():
        tried = sum(pair in pairs for pair in done)
        if tried:
            count = sum(pair in pairs for pair in good)
            figures[part] = count if tried == len(pairs) else (count, tried)
    failures = sum(not result["reliable"] for result in done.values())
    seconds = sum(result["seconds"] for result in done.values())
    more = {"unreliable": str(failures), "seconds": f"{seconds:,.1f}"} if done else {"unreliable": "not run"}
    return Row(name, HERE, figures, more)
