"""Settings in layers: flags win over the file, the file over the defaults.

A layer maps dotted keys to text, ``{"model.aggr": "sum", "lr": "1e-3"}``, whatever it was read
from; tyro turns the text into typed values. So a file, the flags and one setting of a sweep go one
way and give the same errors.
"""

import contextlib
import difflib
import io
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, make_dataclass, replace
from typing import Any, Literal, get_args, get_origin

from graphlab.models.config import DEFAULT_MODEL, MODELS, ModelConfig
from graphlab.train.config import ConfigError, Sweep, TrainConfig

_NEVER_SWEPT = ("out", "name", "root", "threads", "device", "save_every")
_EXPECTED = {int: "an integer", float: "a number"}


@dataclass(frozen=True)
class Layer:
    """What one source says.

    Args:
        source: where it was said, for messages (``"demo.toml"``); empty for flags.
        values: dotted keys to text.
        sweep: dotted keys to the texts they take in turn.
    """

    source: str = ""
    values: dict[str, str] = field(default_factory=dict)
    sweep: Sweep = field(default_factory=dict)

    def spell(self, key: str) -> str:
        """The key as this source writes it."""
        return f"{self.source}: {key}" if self.source else f"--{key.replace('_', '-')}"


@dataclass(frozen=True)
class Plan:
    """What to train.

    Args:
        config: the configuration that all settings share.
        sweep: the swept keys and their values; empty for a single setting.
        configs: the configuration of each setting, under what tells it from the others.
    """

    config: TrainConfig
    sweep: Sweep
    configs: list[tuple[dict[str, str], TrainConfig]]


def plan(layers: list[Layer]) -> Plan:
    """Resolve the layers and every setting of their sweep.

    A bad setting is so refused before any training.

    Raises:
        ConfigError: for an unknown key, or a value of the wrong type or out of range.
    """
    sweep: Sweep = {}
    for layer in layers:
        for key, values in layer.sweep.items():
            sweep[key] = _sweepable(layer, key, values)
    combinations = itertools.product(*sweep.values())
    settings = [dict(zip(sweep, values, strict=True)) for values in combinations]
    configs = [(one, resolve([*layers, Layer("sweep", one)])) for one in settings]
    return Plan(resolve(layers), sweep, configs)


def _sweepable(layer: Layer, key: str, values: list[str]) -> list[str]:
    if key in _NEVER_SWEPT:
        raise ConfigError(f"{layer.spell('sweep')}: {key} cannot be swept; give it once for all")
    if not values or len(set(values)) < len(values):
        raise ConfigError(f"{layer.spell('sweep')}: {key} expected different values, got {', '.join(values) or 'none'}")
    return values


def resolve(layers: list[Layer]) -> TrainConfig:
    """Lay the layers over the defaults, the last one on top.

    Where a layer chooses another network, what the layers below said about theirs holds for the
    keys both have.

    Raises:
        ConfigError: for an unknown key, or a value of the wrong type or out of range.
    """
    speaks_of = [DEFAULT_MODEL]
    for layer in layers:
        speaks_of.append(_network(layer, speaks_of[-1]))
    config = TrainConfig(model=MODELS[speaks_of[-1]]())
    for layer, name in zip(layers, speaks_of[1:], strict=True):
        check_known(layer, [*known_keys(MODELS[name]), "model"])
        for key in known_keys(type(config.model)):
            if key in layer.values:
                config = _assign(config, layer, key)
    return config


def _network(layer: Layer, default: str) -> str:
    name = layer.values.get("model", default)
    if name not in MODELS:
        raise ConfigError(
            f"{layer.spell('model')}: no network is called '{name}'{suggestion(name, MODELS)}; "
            f"there are {', '.join(MODELS)}"
        )
    return name


def known_keys(model: type[ModelConfig]) -> list[str]:
    """Every dotted key of a configuration with this network."""
    own = [spec.name for spec in fields(TrainConfig) if spec.name != "model"]
    return own + [f"model.{spec.name}" for spec in fields(model)]


def check_known(layer: Layer, known: list[str]) -> None:
    """Refuse a key that no option has.

    Raises:
        ConfigError: naming the nearest known key.
    """
    for key in layer.values:
        if key not in known:
            hint = suggestion(key, [*known, "sweep", "resume"], str if layer.source else layer.spell)
            raise ConfigError(f"{layer.spell(key)}: unknown option{hint}")


def suggestion(word: str, known: Iterable[str], spell: Callable[[str], str] = str) -> str:
    """``"; perhaps you meant lr"`` for the nearest known word, or nothing where none is near."""
    known = list(known)
    same_tail = [one for one in known if one.rpartition(".")[2] == word.rpartition(".")[2]]
    near = same_tail or difflib.get_close_matches(word, known, n=1)
    return f"; perhaps you meant {spell(near[0])}" if near else ""


def _assign(config: TrainConfig, layer: Layer, key: str) -> TrainConfig:
    table, _, name = key.rpartition(".")
    target = config.model if table else config
    try:
        changed: Any = replace(target, **{name: _typed(target, name, layer.values[key])})
    except ValueError as error:
        reason = str(error).removeprefix(f"{name}: ")
        raise ConfigError(f"{layer.spell(key)}: {reason}") from None
    return replace(config, model=changed) if table else changed


def _typed(target: Any, name: str, text: str) -> Any:
    """The text as a value of the type that the field ``name`` of ``target`` declares."""
    import tyro

    declared: Any = next(spec.type for spec in fields(target) if spec.name == name)
    one_field = make_dataclass("Value", [(name, declared)])
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            words = [f"--{name}", *text.split(",")] if get_origin(declared) is tuple else [f"--{name}={text}"]
            return getattr(tyro.cli(one_field, args=words), name)
    except SystemExit:
        raise ValueError(f"expected {_expectation(declared)}, got '{text}'") from None


def _expectation(declared: Any) -> str:
    if get_origin(declared) is Literal:
        return f"one of {', '.join(get_args(declared))}"
    if get_origin(declared) is tuple:
        return f"{_EXPECTED[get_args(declared)[0]]} or several separated by commas"
    return _EXPECTED.get(declared, str(declared))
