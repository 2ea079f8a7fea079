"""Build hook: ships the data-set cards of ``datasets/`` inside the wheel as ``graphlab/datasets/``."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithCards(build_py):
    """Copies the cards, which live beside the package so that a person finds them, into it."""

    def run(self) -> None:
        """Build the Python files, then add the cards (an editable install reads them in place)."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "graphlab" / "datasets"
        target.mkdir(parents=True, exist_ok=True)
        for card in Path("datasets").glob("*.toml"):
            shutil.copy2(card, target / card.name)


setup(cmdclass={"build_py": BuildWithCards})
