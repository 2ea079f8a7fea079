"""Build dataclasses from TOML tables; an unknown, missing or mistyped key is an error."""

import difflib
import inspect
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def from_table(kind: type[T], table: Mapping[str, Any]) -> T:
    """An instance of ``kind`` with the values of ``table``.

    Args:
        kind: A dataclass whose fields are plain values, optional plain values, literals, or
            tuples of further dataclasses.
        table: One value a field; fields with a default may be absent.

    Raises:
        ValueError: Naming the key, if it is unknown, missing, or its value does not fit.
    """
    hints = get_type_hints(kind)
    parameters = inspect.signature(kind).parameters.values()
    required = [p.name for p in parameters if p.default is inspect.Parameter.empty]
    for key in table:
        if key not in hints:
            near = difflib.get_close_matches(key, hints, n=1)
            raise ValueError(f"unknown key '{key}' (known: {', '.join(near or hints)})")
    for key in required:
        if key not in table:
            raise ValueError(f"key '{key}' is missing")
    return kind(**{key: _convert(key, value, hints[key]) for key, value in table.items()})


def _convert(key: str, value: Any, hint: Any) -> Any:
    if get_origin(hint) is tuple:
        return _records(key, value, get_args(hint)[0])
    if not _fits(value, hint):
        raise ValueError(f"key '{key}' must be {_words(hint)}, got {value!r}")
    return value


def _records(key: str, tables: Any, kind: type) -> tuple[Any, ...]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ValueError(f"key '{key}' must be a list of tables, got {tables!r}")
    records = []
    for position, table in enumerate(tables):
        try:
            records.append(from_table(kind, table))
        except ValueError as error:
            raise ValueError(f"in {key}[{position}]: {error}") from error
    return tuple(records)


def _fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        return any(_fits(value, option) for option in get_args(hint))
    if hint is float:
        return type(value) in (int, float)
    return type(value) is hint


def _words(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(repr(option) for option in get_args(hint))
    return getattr(hint, "__name__", str(hint))
