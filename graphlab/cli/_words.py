"""What the words of ``graphlab eval`` mean, and how it speaks."""

import argparse
import sys

_MOST = 10_000  # far more than any data set has splits, or BREC pairs
_SEEDS = 1 << 63  # what fits a signed number of 64 bits


def names(text: str) -> list[str]:
    """Names as in ``A,B``.

    Args:
        text: what the user wrote.

    Raises:
        ArgumentTypeError: if a name is empty.
    """
    found = [name.strip() for name in text.split(",")]
    if not all(found):
        raise argparse.ArgumentTypeError(f"expected names as in A,B, got '{text}'; leave it out for all")
    return found


def numbers(text: str) -> list[int]:
    """Numbers and ranges as in ``0-4,7``, each once.

    Args:
        text: what the user wrote.

    Raises:
        ArgumentTypeError: if it is neither, or a range descends or reaches too far.
    """
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise argparse.ArgumentTypeError(f"expected numbers and ranges as in 0-4,7, got '{text}'")
        start, stop = int(first), int(last or first) + 1
        if not start < stop <= _MOST:
            raise argparse.ArgumentTypeError(f"expected ranges that ascend, of numbers below {_MOST}, got '{part}'")
        found += range(start, stop)
    return list(dict.fromkeys(found))


def seed(text: str) -> int:
    """A seed that generators take.

    Args:
        text: what the user wrote.

    Raises:
        ArgumentTypeError: if it is no whole number from 0 below 2 to the 63.
    """
    # The length first: Python refuses to read numbers of thousands of digits.
    if not text.isdecimal() or len(text) > len(str(_SEEDS)) or int(text) >= _SEEDS:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 to {_SEEDS - 1}, got '{text}'")
    return int(text)


def say(line: str) -> None:
    """Write one line to stderr.

    Args:
        line: the line; runs of spaces become one.
    """
    print(" ".join(line.split()), file=sys.stderr, flush=True)
