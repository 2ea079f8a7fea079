"""Argument parsing for the small commands."""

import argparse
import sys
from typing import NoReturn


class OneLineParser(argparse.ArgumentParser):
    """An argument parser that answers a mistake with one line, not with the whole usage."""

    def error(self, message: str) -> NoReturn:
        """Print the mistake and leave with exit code 2.

        Args:
            message: What was wrong.
        """
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)
