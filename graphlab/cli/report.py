"""``graphlab report``: write the HTML report of a run or sweep and print its table."""

import sys
from pathlib import Path

from graphlab.cli._parser import OneLineParser
from graphlab.train.report import write_report
from graphlab.train.saved_runs import read_sweep
from graphlab.train.table import format_table

SUMMARY = "write report.html for a run or sweep directory and print its result table"


def main(argv: list[str]) -> int:
    """Write ``report.html`` and print the result table; the file's path goes to stderr.

    Args:
        argv: Words after ``graphlab report``.

    Returns:
        0, or 2 where the directory holds no run or cannot be read or written.
    """
    parser = OneLineParser(prog="graphlab report", description=f"{SUMMARY.capitalize()}.")
    parser.add_argument("run_dir", type=Path, help="a directory that graphlab train wrote")
    parser.add_argument(
        "--format",
        choices=["text", "markdown", "latex", "csv", "html"],
        default="text",
        help="of the printed table; html prints the path of report.html instead (default: text)",
    )
    args = parser.parse_args(argv)
    try:
        path = write_report(args.run_dir)
        if args.format == "html":
            print(path)
        else:
            print(format_table(read_sweep(args.run_dir).rows, args.format))
            print(f"report: {path}", file=sys.stderr)
    except (OSError, ValueError) as error:
        print(f"graphlab report: {error}", file=sys.stderr)
        return 2
    return 0
