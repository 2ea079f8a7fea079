"""``graphlab eval directed`` and ``graphlab eval graphs``: train recipes on the splits of their data sets."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphlab.cli._words import names, numbers, say
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

_MOST_SEEDS = 1000
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


def add(suites: Any) -> None:
    """Add the suites to the parser of ``graphlab eval``.

    Args:
        suites: its sub-parsers.
    """
    _add(suites, DIRECTED, _DIRECTED)
    graphs = _add(suites, GRAPHS, _GRAPHS)
    graphs.add_argument("--protocol", type=_protocols, default=(), metavar="gin,nested", help="(default: both)")
    graphs.add_argument("--seeds", type=_count, default=3, metavar="N", help="of each nested fold (default: 3)")


def _add(suites: Any, one: Suite, description: str) -> argparse.ArgumentParser:
    parser = suites.add_parser(
        one.name, help=one.summary, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--configs", type=Path, nargs="+", default=[], metavar="PATH", help="recipes or folders")
    parser.add_argument("--data", type=names, default=[], metavar="A,B", help="data sets (default: all)")
    parser.add_argument("--model", type=names, default=[], metavar="X,Y", help="networks (default: all)")
    parser.add_argument("--splits", type=numbers, metavar="0-4,7", help="splits (default: all of each data set)")
    parser.add_argument("--out", type=Path, default=one.out, help=f"results (default: {one.out})")
    parser.add_argument("--format", choices=["text", "markdown", "csv"], default="text", help="of the table")
    parser.add_argument("--list", action="store_true", help="train nothing: print the table of what is there")
    return parser


def run(args: argparse.Namespace, argv: list[str]) -> int:
    """Train what is not trained, and print the table.

    Args:
        args: what the parser made of the words.
        argv: the words after ``graphlab eval``.

    Returns:
        0 done, 1 where a recipe was passed over.

    Raises:
        ConfigError: if what was asked for cannot be done.
    """
    return _graphs(args, argv) if args.suite == GRAPHS.name else _directed(args, argv)


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
        say(f"{name}: changed since it was trained: its cells are trained anew")
    from graphlab.train.evaluation.sweep import sweep  # only now: it imports torch

    outcome = sweep(cells, results, ["graphlab", "eval", *argv], say)
    if outcome.elsewhere:
        say(f"{outcome.elsewhere} cells were left to another process; --list shows them once they are done")
    return len(outcome.refused)


def _protocols(text: str) -> list[str]:
    found = names(text)
    if not set(found) <= set(GRAPHS.protocols):
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(GRAPHS.protocols)}, got '{text}'")
    return list(dict.fromkeys(found))


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_SEEDS:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to {_MOST_SEEDS}, got '{text}'")
    return int(text)
