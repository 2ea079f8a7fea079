"""``graphlab eval``: run a suite by one protocol, and hold it against what is published."""

import argparse
import shlex

from graphlab.cli import _eval_expressivity as expressivity
from graphlab.cli import _eval_recipes as recipes
from graphlab.cli._parser import OneLineParser
from graphlab.cli._words import say
from graphlab.train.config import ConfigError

SUMMARY = "run a suite of networks and data sets, resumable, and print its table beside published results"


def main(argv: list[str]) -> int:
    """Evaluate a suite.

    Args:
        argv: Words after ``graphlab eval``.

    Returns:
        0 done, 1 where a recipe was passed over or a result could not be written, 2 not understood, 130 interrupted.
    """
    try:
        args = _parser().parse_args(argv)
        return expressivity.run(args, argv) if args.suite == "expressivity" else recipes.run(args, argv)
    except ConfigError as error:
        return _fail(str(error), 2)
    except OSError as error:
        return _fail(f"{error}; {_way_on(argv)}", 1)
    except KeyboardInterrupt:
        return _fail(f"interrupted; finished cells are kept; {_way_on(argv)}", 130)


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="graphlab eval", description=f"{SUMMARY.capitalize()}.")
    suites = parser.add_subparsers(dest="suite", required=True, metavar="SUITE", parser_class=OneLineParser)
    recipes.add(suites)
    expressivity.add(suites)
    return parser


def _fail(message: str, code: int) -> int:
    say(f"graphlab eval: {message}")
    return code


def _way_on(argv: list[str]) -> str:
    return f"go on with: graphlab eval {shlex.join(argv)}"
