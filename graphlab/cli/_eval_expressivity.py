"""``graphlab eval expressivity``: how many pairs of graphs a network tells apart."""

import argparse
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graphlab.cli._words import names, numbers, say, seed
from graphlab.train.config import ConfigError
from graphlab.train.evaluation.expressivity import COMPARISONS, NETWORKS, Comparison, Records, Row, format_rows, suite
from graphlab.train.evaluation.expressivity.cells import RpcCell, UntrainedCell

_NETWORKS = "\n".join(
    textwrap.fill(line, 120, break_on_hyphens=False)
    for line in (
        f"Networks: {', '.join(NETWORKS)}; or package.module:name of a class or function of your own, installed or in "
        "the current folder, that takes in_channels and out_channels by keyword and returns a module of x, edge_index, "
        "batch, batch_size.",
        *(f"{one.name}: {one.note}." for one in NETWORKS.values() if one.note),
    )
)
_PROTOCOLS = f"""{suite.SUMMARY[0].upper()}{suite.SUMMARY[1:]}.

Two protocols:
  untrained  random weights, float64. A pair is told apart where the relative difference of its vectors exceeds 1e-12
             and ten times the noise: the largest difference between the vectors of one graph in two orders of its
             nodes. wl and fwl compare exact colors.
  rpc        BREC's own: a network is trained on every pair to tell it apart, in float32, and tested on 32 orders of the
             nodes of each graph; what tells a graph from itself does not count.

{_NETWORKS}
Data: {", ".join(COMPARISONS)}.

What is measured is not measured again: interrupt it and give the same command to go on, or start it twice to share the
work between two processes. Remove a result, or name another --out, after you changed the code of a network."""


def add(suites: Any) -> None:
    """Add the suite to the parser of ``graphlab eval``.

    Args:
        suites: its sub-parsers.
    """
    parser = suites.add_parser(
        "expressivity",
        help=suite.SUMMARY,
        description=_PROTOCOLS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--protocol", choices=["untrained", "rpc"], default="untrained", help="(default: untrained)")
    parser.add_argument("--model", type=names, default=[], metavar="X,Y", help="networks (default: all)")
    parser.add_argument("--data", type=names, default=[], metavar="A,B", help="data sets (default: the usual table)")
    parser.add_argument("--pairs", type=numbers, metavar="0-59,70", help="pairs of BREC, for rpc (default: all)")
    parser.add_argument("--seed", type=seed, default=0, help="of weights and orders of nodes (default: 0)")
    parser.add_argument("--out", type=Path, default=suite.OUT, help=f"results (default: {suite.OUT})")
    parser.add_argument("--format", choices=["text", "markdown", "csv"], default="text", help="of the table")
    parser.add_argument("--list", action="store_true", help="measure nothing: print the table of what is there")


def run(args: argparse.Namespace, argv: list[str]) -> int:
    """Measure what is not measured, and print the table.

    Args:
        args: what the parser made of the words.
        argv: the words after ``graphlab eval``.

    Returns:
        0 done, 1 where something could not be measured.

    Raises:
        ConfigError: if a choice stands for nothing.
    """
    records = Records(args.out)
    return _rpc(args, records, argv) if args.protocol == "rpc" else _untrained(args, records, argv)


def _untrained(args: argparse.Namespace, records: Records, argv: list[str]) -> int:
    if args.pairs is not None:
        raise ConfigError("--pairs: chooses what rpc trains; expected --protocol rpc beside it")
    compared = suite.comparisons(args.data)
    cells = suite.untrained_cells(args.model, compared, args.seed)
    done = args.list or _measure(cells, records, argv)
    _print(suite.rows_of_untrained(cells, records, not args.model, _warn(args)), compared, args)
    return 0 if done else 1


def _rpc(args: argparse.Namespace, records: Records, argv: list[str]) -> int:
    compared = suite.comparisons(args.data or ["brec"])
    if [one.name for one in compared] != ["brec"]:
        raise ConfigError(f"--data: rpc is the protocol of brec alone, got {', '.join(args.data)}")
    cells = suite.rpc_cells(args.model, args.pairs, args.seed)
    done = args.list or _measure(cells, records, argv)
    _print(suite.rows_of_rpc(cells, records, not args.model, _warn(args)), compared, args)
    return 0 if done else 1


def _measure(cells: Sequence[UntrainedCell | RpcCell], records: Records, argv: list[str]) -> bool:
    from graphlab.train.evaluation.expressivity.sweep import sweep  # only now: it imports torch

    with _current_folder():
        return sweep(cells, records, ["graphlab", "eval", *argv], say)


@contextmanager
def _current_folder() -> Iterator[None]:
    """Modules of the current folder are found, as by ``python -m graphlab``: the console script alone does not."""
    before, folder = [*sys.path], str(Path.cwd())
    sys.path += [] if folder in sys.path else [folder]
    try:
        yield
    finally:
        sys.path[:] = before


def _warn(args: argparse.Namespace) -> suite.Warn:
    return say if args.list else lambda line: None  # what is measured is read before, and the sweep has said it


def _print(rows: list[Row], compared: list[Comparison], args: argparse.Namespace) -> None:
    print(format_rows(rows, compared, args.format))
