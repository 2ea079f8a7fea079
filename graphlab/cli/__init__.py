"""The ``graphlab`` command: a file of this folder is a sub-command, imported when it is used."""

import ast
import difflib
import importlib
import sys
from pathlib import Path

from graphlab.version import __version__

_FOLDER = Path(__file__).parent


def main(argv: list[str] | None = None) -> int:
    """Run one sub-command.

    Args:
        argv: the words after ``graphlab``; those of this process by default.

    Returns:
        The exit code: 0 done, 1 failed, 2 not understood, 130 interrupted.
    """
    words = sys.argv[1:] if argv is None else argv
    if not words or words[0] in ("-h", "--help"):
        print(_overview())
        return 0
    if words[0] == "--version":
        print(f"graphlab {__version__}")
        return 0
    if words[0] not in commands():
        print(_unknown(words[0]), file=sys.stderr)
        return 2
    return importlib.import_module(f"graphlab.cli.{words[0]}").main(words[1:])


def commands() -> list[str]:
    """The names of the sub-commands, in alphabetical order."""
    return sorted(path.stem for path in _FOLDER.glob("[a-z]*.py"))


def summary(command: str) -> str:
    """The ``SUMMARY`` of a command, read from its source: importing it might import torch."""
    tree = ast.parse((_FOLDER / f"{command}.py").read_text(encoding="utf-8"))
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="SUMMARY")], value=ast.Constant(value=str(text))):
                return text
            case ast.AnnAssign(target=ast.Name(id="SUMMARY"), value=ast.Constant(value=str(text))):
                return text
    raise LookupError(f"graphlab/cli/{command}.py defines no SUMMARY")


def _overview() -> str:
    names = commands()
    width = max(map(len, names))
    listed = [f"  {name:{width}}  {summary(name)}" for name in names]
    return "\n".join(
        [
            "usage: graphlab COMMAND [OPTIONS]",
            "",
            "Graph learning on PyTorch and PyTorch Geometric.",
            "",
            *listed,
            "",
            "graphlab COMMAND --help tells what a command takes; graphlab --version the version.",
        ]
    )


def _unknown(word: str) -> str:
    near = difflib.get_close_matches(word, commands(), n=1)
    hint = f"perhaps you meant {near[0]}" if near else f"there are {', '.join(commands())}"
    return f"graphlab: no command is called '{word}'; {hint}"
