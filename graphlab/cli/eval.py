"""``graphlab eval``: train the networks of a suite by one protocol, and hold them against what is published."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphlab.cli._parser import OneLineParser
from graphlab.train.config import ConfigError
from graphlab.train.evaluation import (
    DIRECTED,
    GRAPHS,
    Cell,
    Results,
    Suite,
    fold_scores,
    format_fold_scores,
    format_scores,
    scores,
)

SUMMARY = "train a suite of networks and data sets, resumable, and print its table beside published results"

_MOST_SPLITS = 10_000  # far more than any data set has

_SHARED = """What is trained is not trained again: interrupt it and give the same command to go on, or start
it twice to share the cells between two processes. A recipe that was changed is trained anew."""
_DIRECTED = f"""{DIRECTED.summary.capitalize()}.

A cell is one recipe, examples/configs/directed/DATA_MODEL.toml, on one split. The epoch that validates best is tested,
the earliest of equals. {_SHARED}"""
_GRAPHS = f"""{GRAPHS.summary.capitalize()}.

A cell is one recipe, examples/configs/graphs/DATA_MODEL.toml, on one fold by one protocol. gin, of Xu et al. (2019),
validates on no graphs: it reports the one epoch whose mean over the tested folds is best, and so runs high; beside it
stands the mean of the last 10 epochs. nested tests each fold once, at the epoch that is best on a tenth of the other
graphs, for several seeds. Deviations are those of the population of folds (and seeds), as papers report them.
{_SHARED}"""


def main(argv: list[str]) -> int:
    """Evaluate a suite.

    Args:
        argv: Words after ``graphlab eval``.

    Returns:
        0 done, 1 where a recipe was passed over or a result could not be written, 2 not understood, 130 interrupted.
    """
    try:
        args = _parser().parse_args(argv)
        return args.run(args, argv)
    except ConfigError as error:
        return _fail(str(error), 2)
    except OSError as error:
        return _fail(f"{error}; {_way_on(argv)}", 1)
    except KeyboardInterrupt:
        return _fail(f"interrupted; finished cells are kept; {_way_on(argv)}", 130)


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="graphlab eval", description=f"{SUMMARY.capitalize()}.")
    suites = parser.add_subparsers(dest="suite", required=True, metavar="SUITE", parser_class=OneLineParser)
    _suite(suites, DIRECTED, _DIRECTED).set_defaults(run=_directed)
    graphs = _suite(suites, GRAPHS, _GRAPHS)
    graphs.add_argument(
        "--protocol", type=_protocols, default=(), metavar="gin,nested", help="one only (default: both)"
    )
    graphs.add_argument(
        "--seeds", type=_count, default=3, metavar="N", help="trainings of a fold by nested (default: 3)"
    )
    graphs.set_defaults(run=_graphs)
    return parser


def _suite(suites: Any, one: Suite, description: str) -> argparse.ArgumentParser:
    """The words that all suites know."""
    suite = suites.add_parser(
        one.name, help=one.summary, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    suite.add_argument("--configs", type=Path, nargs="+", default=[], metavar="PATH", help="recipes or folders")
    suite.add_argument("--data", type=_names, default=[], metavar="A,B", help="data sets (default: all)")
    suite.add_argument("--model", type=_names, default=[], metavar="X,Y", help="networks (default: all)")
    suite.add_argument("--splits", type=_numbers, metavar="0-4,7", help="splits (default: all of each data set)")
    suite.add_argument("--out", type=Path, default=one.out, help=f"results (default: {one.out})")
    suite.add_argument("--format", choices=["text", "markdown", "csv"], default="text", help="of the table")
    suite.add_argument("--list", action="store_true", help="train nothing: print the table of what is there")
    return suite


def _directed(args: argparse.Namespace, argv: list[str]) -> int:
    recipes = DIRECTED.recipes(args.configs, args.data, args.model)
    cells = DIRECTED.cells(recipes, args.splits)
    results = Results(args.out)
    passed_over = 0 if args.list else _train(cells, results, argv)
    rows = scores(recipes, args.splits, results, others=not args.model)
    print(format_scores(rows, args.format))
    return 1 if passed_over else 0


def _graphs(args: argparse.Namespace, argv: list[str]) -> int:
    recipes = GRAPHS.recipes(args.configs, args.data, args.model)
    cells = GRAPHS.cells(recipes, args.splits, args.protocol, args.seeds)
    results = Results(args.out)
    passed_over = 0 if args.list else _train(cells, results, argv)
    print(format_fold_scores(fold_scores(cells, results, others=not args.model), args.format))
    return 1 if passed_over else 0


def _train(cells: Sequence[Cell], results: Results, argv: list[str]) -> int:
    """Train what is not trained; the number of recipes that cannot be."""
    for name in dict.fromkeys(cell.recipe.name for cell in cells if results.is_outdated(cell)):
        _say(f"{name}: changed since it was trained: its cells are trained anew")
    from graphlab.train.evaluation.sweep import sweep  # only now: it imports torch

    outcome = sweep(cells, results, ["graphlab", "eval", *argv], _say)
    if outcome.elsewhere:
        _say(f"{outcome.elsewhere} cells were left to another process; --list shows them once they are done")
    return len(outcome.refused)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"expected names as in A,B, got '{text}'; leave it out for all")
    return names


def _protocols(text: str) -> list[str]:
    names = _names(text)
    if not set(names) <= set(GRAPHS.protocols):
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(GRAPHS.protocols)}, got '{text}'")
    return list(dict.fromkeys(names))


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_SPLITS:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to {_MOST_SPLITS}, got '{text}'")
    return int(text)


def _numbers(text: str) -> list[int]:
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise argparse.ArgumentTypeError(f"expected numbers and ranges as in 0-4,7, got '{text}'")
        start, stop = int(first), int(last or first) + 1
        if not start < stop <= _MOST_SPLITS:
            raise argparse.ArgumentTypeError(
                f"expected ranges that ascend, of numbers below {_MOST_SPLITS}, got '{part}'"
            )
        numbers += range(start, stop)
    return list(dict.fromkeys(numbers))


def _say(line: str) -> None:
    print(" ".join(line.split()), file=sys.stderr, flush=True)


def _fail(message: str, code: int) -> int:
    _say(f"graphlab eval: {message}")
    return code


def _way_on(argv: list[str]) -> str:
    return f"go on with: graphlab eval {shlex.join(argv)}"
