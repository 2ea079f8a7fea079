"""Where settings come from: a TOML file, or the words of a command line."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphlab.train.config import ConfigError
from graphlab.train.settings import Layer, Plan, plan

_COMMA = r",(?![^(]*\))"  # but not between an aggregator's arguments


def read_toml(path: Path) -> Layer:
    """Read a configuration file.

    ``[model]`` chooses the network by its ``name`` and sets its options; ``[sweep]`` holds lists of
    values to try.

    Raises:
        ConfigError: if the file cannot be read or is no TOML.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: is no TOML: {error}") from None
    sweep = _flatten(content.pop("sweep", {}))
    values = {key: _text(value) for key, value in _flatten(content).items()}
    if "model.name" in values:
        values["model"] = values.pop("model.name")
    return Layer(str(path), values, {key: _texts(path, key, sweep[key]) for key in sweep})


def read_plan(run_dir: Path) -> Plan:
    """The plan that a run directory was made for.

    Raises:
        ConfigError: if there is none in it.
    """
    path = run_dir / "config.toml"
    if not path.is_file():
        raise ConfigError(f"--resume: {run_dir} holds no config.toml; expected a directory that graphlab train made")
    return plan([read_toml(path)])


def _flatten(table: Any, prefix: str = "") -> dict[str, Any]:
    """Nested tables as one table with dotted keys."""
    if not isinstance(table, dict):
        return {prefix.removesuffix("."): table}
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= _flatten(value, f"{prefix}{key}.")
    return flat


def _text(value: Any) -> str:
    return ",".join(map(_text, value)) if isinstance(value, list) else str(value)


def _texts(path: Path, key: str, values: Any) -> list[str]:
    if not isinstance(values, list):
        raise ConfigError(f"{path}: sweep: {key} expected a list of values, got {values!r}")
    return [_text(value) for value in values]


@dataclass(frozen=True)
class CommandLine:
    """The words of one command line, sorted.

    Args:
        config: the configuration file named, if any.
        resume: the run directory to continue, if any.
        help: whether help was asked for.
        layer: everything else.
    """

    config: Path | None
    resume: Path | None
    help: bool
    layer: Layer


def read_flags(words: list[str]) -> CommandLine:
    """Sort ``[CONFIG] [--key value] [--key=value] [--sweep key=a,b] [--resume RUN_DIR] [--help]``.

    Every flag but ``--help`` takes one value. Dashes and underscores within a name are the same.

    Raises:
        ConfigError: if a flag lacks its value, or two configuration files are named.
    """
    files: list[Path] = []
    values: dict[str, str] = {}
    sweep: dict[str, list[str]] = {}
    asked = False
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in ("-h", "--help"):
            asked = True
        elif not word.startswith("-"):
            files.append(Path(word))
        else:
            key, value = _flag(word, rest)
            if key == "sweep":
                sweep |= _swept(value)
            else:
                values[key] = value
    if len(files) > 1:
        raise ConfigError(f"expected one configuration file, got {files[0]} and {files[1]}")
    resume = values.pop("resume", None)
    layer = Layer("", values, sweep)
    return CommandLine(files[0] if files else None, Path(resume) if resume else None, asked, layer)


def _flag(word: str, rest: list[str]) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        if not rest:
            raise ConfigError(f"{word}: expected a value after it, got nothing")
        value = rest.pop(0)
    return name.lstrip("-").replace("-", "_"), value


def _swept(text: str) -> dict[str, list[str]]:
    key, equals, values = text.partition("=")
    if not equals:
        raise ConfigError(f"--sweep: expected KEY=VALUE,VALUE,..., got '{text}'")
    return {key.strip().replace("-", "_"): [value.strip() for value in re.split(_COMMA, values)]}
