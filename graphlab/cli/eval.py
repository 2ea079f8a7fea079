"""``graphlab eval``: train the networks of a suite by one protocol, and hold them against what is published."""

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

from graphlab.cli import _eval_expressivity as expressivity
from graphlab.cli._parser import OneLineParser
from graphlab.cli._words import names, numbers, say
from graphlab.train.config import ConfigError
from graphlab.train.evaluation import Cell, Results, directed, format_scores, scores

SUMMARY = "run a suite of networks and data sets, resumable, and print its table beside published results"

_DIRECTED = f"""{directed.SUMMARY.capitalize()}.

A cell is one recipe, examples/configs/directed/DATA_MODEL.toml, on one split. The epoch that validates best is tested,
the earliest of equals. What is trained is not trained again: interrupt it and give the same command to go on, or start
it twice to share the cells between two processes. A recipe that was changed is trained anew."""


def main(argv: list[str]) -> int:
    """Evaluate a suite.

    Args:
        argv: Words after ``graphlab eval``.

    Returns:
        0 done, 1 where a recipe was passed over or a result could not be written, 2 not understood, 130 interrupted.
    """
    try:
        args = _parser().parse_args(argv)
        return expressivity.run(args, argv) if args.suite == "expressivity" else _directed(args, argv)
    except ConfigError as error:
        return _fail(str(error), 2)
    except OSError as error:
        return _fail(f"{error}; {_way_on(argv)}", 1)
    except KeyboardInterrupt:
        return _fail(f"interrupted; finished cells are kept; {_way_on(argv)}", 130)


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="graphlab eval", description=f"{SUMMARY.capitalize()}.")
    suites = parser.add_subparsers(dest="suite", required=True, metavar="SUITE", parser_class=OneLineParser)
    suite = suites.add_parser(
        "directed",
        help=directed.SUMMARY,
        description=_DIRECTED,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    suite.add_argument("--configs", type=Path, nargs="+", default=[], metavar="PATH", help="recipes or folders")
    suite.add_argument("--data", type=names, default=[], metavar="A,B", help="data sets (default: all)")
    suite.add_argument("--model", type=names, default=[], metavar="X,Y", help="networks (default: all)")
    suite.add_argument("--splits", type=numbers, metavar="0-4,7", help="splits (default: all of each data set)")
    suite.add_argument("--out", type=Path, default=directed.OUT, help=f"results (default: {directed.OUT})")
    suite.add_argument("--format", choices=["text", "markdown", "csv"], default="text", help="of the table")
    suite.add_argument("--list", action="store_true", help="train nothing: print the table of what is there")
    expressivity.add(suites)
    return parser


def _directed(args: argparse.Namespace, argv: list[str]) -> int:
    recipes = directed.recipes(args.configs, args.data, args.model)
    cells = directed.cells(recipes, args.splits)
    results = Results(args.out)
    passed_over = 0 if args.list else _train(cells, results, argv)
    rows = scores(recipes, args.splits, results, others=not args.model)
    print(format_scores(rows, args.format))
    return 1 if passed_over else 0


def _train(cells: Sequence[Cell], results: Results, argv: list[str]) -> int:
    """Train what is not trained; the number of recipes that cannot be."""
    for name in dict.fromkeys(cell.recipe.name for cell in cells if results.is_outdated(cell)):
        say(f"{name}: changed since it was trained: its cells are trained anew")
    from graphlab.train.evaluation.sweep import sweep  # only now: it imports torch

    outcome = sweep(cells, results, ["graphlab", "eval", *argv], say)
    if outcome.elsewhere:
        say(f"{outcome.elsewhere} cells were left to another process; --list shows them once they are done")
    return len(outcome.refused)


def _fail(message: str, code: int) -> int:
    say(f"graphlab eval: {message}")
    return code


def _way_on(argv: list[str]) -> str:
    return f"go on with: graphlab eval {shlex.join(argv)}"
