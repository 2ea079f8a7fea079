"""``graphlab amud``: should a data set be used directed or undirected?"""

import math
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.cli._parser import OneLineParser

if TYPE_CHECKING:
    from graphlab.directed import AmudReport

SUMMARY = "say whether the directions of a data set's edges help to tell the classes of its nodes"


def main(argv: list[str]) -> int:
    """Print correlations, direction gain and verdict, and draw them if asked to.

    Args:
        argv: Words after ``graphlab amud``.

    Returns:
        0, or 2 where the data set cannot be had or judged, or the picture not be written.
    """
    args = _parser().parse_args(argv)
    try:
        _run(args)
    except (ImportError, OSError, ValueError) as error:
        print(f"graphlab amud: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="graphlab amud", description=f"{SUMMARY.capitalize()}.")
    parser.add_argument("dataset", help="a data set of one graph, by name, such as squirrel-directed")
    parser.add_argument(
        "--all_labels",
        "--all-labels",
        action="store_true",
        help="look at the labels of all nodes, not only of those for training: to describe a data set, not to choose",
    )
    parser.add_argument("--split", type=int, default=0, help="whose training labels, of several splits (default: 0)")
    parser.add_argument("--picture", type=_svg_file, metavar="FILE.svg", help="draw correlations and gain to a file")
    return parser


def _svg_file(word: str) -> Path:
    if not word.endswith(".svg"):
        raise ValueError(word)
    return Path(word)


_svg_file.__name__ = "name of an .svg file"  # argparse says: invalid ... value


def _run(args: Any) -> None:
    from graphlab.data import load
    from graphlab.directed import amud

    dataset: Any = load(args.dataset)
    if len(dataset) != 1:
        raise ValueError(f"data set '{args.dataset}' holds {len(dataset)} graphs; name one of a single graph")
    data = dataset[0]
    report = amud(data, all_labels=args.all_labels, split=args.split)
    looked_at = "all labels" if args.all_labels else f"the training labels of split {args.split}"
    size = f"{data.num_nodes:,} nodes, {data.num_edges:,} edges; {looked_at}"
    print(f"{args.dataset}: {size}\n\n{report}")
    if args.picture:
        args.picture.write_text(_picture(args.dataset, size, report), encoding="utf-8")
        print(f"picture: {args.picture}", file=sys.stderr)


def _picture(name: str, size: str, report: "AmudReport") -> str:
    from graphlab.train.svg import Dot, Panel, bar_panels

    bars = [
        Dot(name, r, math.nan, (), f"{r:+.4f}" if math.isfinite(r) else "none")
        for name, r in report.correlation.items()
    ]
    panels = [Panel("Correlation of being linked with being of one class", bars)]
    if report.gain is not None and report.bounds is not None:
        gain = report.gain
        bar = Dot("gain", gain.mean, gain.std, (), f"{gain.mean:+.4f} ± {gain.std:.4f}")
        heading = "Gain in R² by directions ± 1 sigma; dashed: bounds"
        panels.append(Panel(heading, [bar], report.bounds))
    return bar_panels(panels, f"{name}: {report.verdict}", [*textwrap.wrap(report.reason, 60), size])
