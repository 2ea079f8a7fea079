"""A suite: recipes that belong together, and how their data are split. Imports no torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from graphlab.train.config import ConfigError, Protocol
from graphlab.train.evaluation.cell import Cell, Recipe, read_recipes
from graphlab.train.settings import suggestion

CONFIGS = Path(__file__).parents[3] / "examples" / "configs"
"""Where the recipes lie beside the source of graphlab, a folder for each suite."""


@dataclass(frozen=True)
class Suite:
    """Recipes and protocols.

    Args:
        name: what the command calls it.
        summary: one line for people.
        protocols: how data are split, one after another.
    """

    name: str
    summary: str
    protocols: tuple[Protocol, ...] = ("default",)

    @property
    def out(self) -> Path:
        """Where results go by default."""
        return Path(f"runs/eval-{self.name}")

    def recipes(self, paths: Sequence[Path], data: Sequence[str], models: Sequence[str]) -> list[Recipe]:
        """The recipes of the suite.

        Args:
            paths: configuration files or folders of them; none: those that come with the source of graphlab.
            data: names of data sets, to keep those only; none: all.
            models: labels of recipes or names of networks, to keep those only; none: all.

        Raises:
            ConfigError: if there are none, a name stands for none, or one cannot be trained by these protocols.
        """
        home = CONFIGS / self.name
        if not paths and not home.is_dir():
            raise ConfigError(
                "--configs: the recipes lie beside the source of graphlab, not in its wheel; name a folder"
            )
        found = read_recipes(paths or [home])
        on_data = _named(found, "--data", data, lambda one: {one.card.name})
        of_model = _named(found, "--model", models, lambda one: {one.label.replace("_", "-"), one.config.model.name})
        kept = [one for one in on_data if one in of_model]
        if not kept:
            raise ConfigError(f"--model: no recipe for {' or '.join(models)} on {' or '.join(data)}")
        if "gin" in self.protocols:
            _check_epochs(kept)
        return kept

    def cells(
        self,
        found: Sequence[Recipe],
        splits: Sequence[int] | None = None,
        protocols: Sequence[Protocol] = (),
        repeats: int = 1,
    ) -> list[Cell]:
        """Every split of every recipe by every protocol, in order.

        Args:
            found: the recipes.
            splits: numbers of the splits; by default all of each data set.
            protocols: some of those of the suite; none: all.
            repeats: how many times the protocol ``"nested"`` trains each split; others train it once.

        Raises:
            ConfigError: if a data set has no such split.
        """
        _check_splits(found, splits or ())
        return [
            Cell(recipe, split, protocol, repeat)
            for recipe in found
            for protocol in protocols or self.protocols
            for repeat in range(repeats if protocol == "nested" else 1)
            for split in (recipe.splits if splits is None else splits)
        ]


def _named(
    found: list[Recipe], flag: str, wanted: Sequence[str], names_of: Callable[[Recipe], set[str]]
) -> list[Recipe]:
    known = sorted(set().union(*map(names_of, found)))
    plain = [name.lower().replace("_", "-") for name in wanted]
    for name in plain:
        if name not in known:
            raise ConfigError(f"{flag}: no recipe for '{name}'{suggestion(name, known)}; there are {', '.join(known)}")
    return [one for one in found if not wanted or names_of(one) & set(plain)]


def _check_epochs(found: Sequence[Recipe]) -> None:
    for recipe in found:
        for key, wanted in (("patience", 0), ("eval_every", 1)):
            value = getattr(recipe.config, key)
            if value != wanted:
                raise ConfigError(
                    f"{recipe.name}: {key}: expected {wanted}, since one epoch is chosen over all splits, got {value}"
                )


def _check_splits(found: Sequence[Recipe], splits: Sequence[int]) -> None:
    for recipe in found:
        beyond = [split for split in splits if split not in recipe.splits]
        if beyond:
            raise ConfigError(
                f"--splits: {recipe.card.name} has splits 0 to {len(recipe.splits) - 1}, got {beyond[0]}; "
                f"choose others with --data"
            )
