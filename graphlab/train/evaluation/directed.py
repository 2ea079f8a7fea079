"""The suite ``directed``: networks for directed and heterophilous graphs, on fixed splits. Imports no torch."""

from collections.abc import Callable, Sequence
from pathlib import Path

from graphlab.train.config import ConfigError
from graphlab.train.evaluation.cell import Cell, Recipe, read_recipes
from graphlab.train.settings import suggestion

SUMMARY = "networks for directed and heterophilous graphs, on the fixed splits of each data set"
OUT = Path("runs/eval-directed")

_CONFIGS = Path(__file__).parents[3] / "examples" / "configs" / "directed"


def recipes(paths: Sequence[Path], data: Sequence[str], models: Sequence[str]) -> list[Recipe]:
    """The recipes of the suite.

    Args:
        paths: configuration files or folders of them; none: those that come with the source of graphlab.
        data: names of data sets, to keep those only; none: all.
        models: labels of recipes or names of networks, to keep those only; none: all.

    Raises:
        ConfigError: if there are none, or a name stands for none.
    """
    if not paths and not _CONFIGS.is_dir():
        raise ConfigError("--configs: the recipes lie beside the source of graphlab, not in its wheel; name a folder")
    found = read_recipes(paths or [_CONFIGS])
    on_data = _named(found, "--data", data, lambda one: {one.card.name})
    of_model = _named(found, "--model", models, lambda one: {one.label.replace("_", "-"), one.config.model.name})
    kept = [one for one in on_data if one in of_model]
    if not kept:
        raise ConfigError(f"--model: no recipe for {' or '.join(models)} on {' or '.join(data)}")
    return kept


def cells(found: Sequence[Recipe], splits: Sequence[int] | None) -> list[Cell]:
    """Every split of every recipe, in order.

    Args:
        found: the recipes.
        splits: numbers of the splits; by default all of each data set.

    Raises:
        ConfigError: if a data set has no such split.
    """
    for recipe in found:
        beyond = [split for split in splits or () if split not in recipe.splits]
        if beyond:
            raise ConfigError(
                f"--splits: {recipe.card.name} has splits 0 to {len(recipe.splits) - 1}, got {beyond[0]}; "
                f"choose others with --data"
            )
    return [Cell(recipe, split) for recipe in found for split in (recipe.splits if splits is None else splits)]


def _named(
    found: list[Recipe], flag: str, wanted: Sequence[str], names_of: Callable[[Recipe], set[str]]
) -> list[Recipe]:
    known = sorted(set().union(*map(names_of, found)))
    plain = [name.lower().replace("_", "-") for name in wanted]
    for name in plain:
        if name not in known:
            raise ConfigError(f"{flag}: no recipe for '{name}'{suggestion(name, known)}; there are {', '.join(known)}")
    return [one for one in found if not wanted or names_of(one) & set(plain)]
