"""Reads run and sweep directories back, also unfinished and damaged ones."""

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphlab.train.table import is_complete, lower_is_better, number

_FILES = ("result.json", "metrics.jsonl", "config.toml", "env.json")


@dataclass(frozen=True)
class Setting:
    """What one run directory holds.

    Args:
        name: Name of the directory.
        result: Content of ``result.json``; empty while the run is unfinished.
        records: Lines of ``metrics.jsonl``, one per run and epoch, in that order.
        config: Text of ``config.toml``.
        env: Content of ``env.json``.
        planned: How many seeds ``config.toml`` asks for; 0 where it does not say.
        notes: What a reader should know: unfinished, unreadable lines, diverged.
    """

    name: str
    result: dict[str, Any]
    records: list[dict[str, Any]]
    config: str
    env: dict[str, Any]
    planned: int
    notes: list[str]

    def row(self) -> dict[str, Any]:
        """Return the result as :func:`graphlab.train.table.format_table` takes it."""
        return {**self.result, "planned_runs": self.planned} if self.result else {}


@dataclass(frozen=True)
class Sweep:
    """Settings of one directory, best first, and what holds for all of them.

    Args:
        name: Name of the directory.
        settings: One for a run directory, one per sub-directory for a sweep.
        rows: ``result.json`` dicts for :func:`graphlab.train.table.format_table`, one per setting.
        config: Text of the directory's own ``config.toml``.
        env: Content of the directory's own ``env.json``.
        planned: How many settings ``config.toml`` asks for.
    """

    name: str
    settings: list[Setting]
    rows: list[dict[str, Any]]
    config: str
    env: dict[str, Any]
    planned: int


def read_sweep(run_dir: Path) -> Sweep:
    """Read a run directory, or all run directories of a sweep directory.

    Args:
        run_dir: See :func:`graphlab.train.report.write_report`.

    Raises:
        FileNotFoundError: There is no such directory, or it holds no run.
    """
    if not run_dir.is_dir():
        raise FileNotFoundError(f"run_dir: {run_dir} is no directory; graphlab train writes one")
    name, config, env = run_dir.resolve().name, _read_text(run_dir / "config.toml"), _env(run_dir)
    inner = [path for path in sorted(run_dir.iterdir()) if path.is_dir() and _is_run(path)]
    if any((run_dir / file).is_file() for file in ("result.json", "metrics.jsonl")) or (not inner and _is_run(run_dir)):
        setting = read_setting(run_dir)
        return Sweep(name, [setting], [setting.row()], config, env, planned=1)
    if not inner:
        raise FileNotFoundError(
            f"run_dir: {run_dir} holds no run: none of {', '.join(_FILES)} is in it or one level "
            f"below; name a directory that graphlab train wrote"
        )
    settings = sorted(map(read_setting, inner), key=_rank)
    rows = [{"setting": setting.name, **setting.row()} for setting in settings]
    return Sweep(name, settings, rows, config, env, _planned_settings(config, len(settings)))


def read_setting(path: Path) -> Setting:
    """Read one run directory; whatever is missing or damaged becomes a note.

    Args:
        path: Directory of one setting.
    """
    result, why_not = _read_result(path / "result.json")
    records, damaged = _read_records(path / "metrics.jsonl")
    config = _read_text(path / "config.toml")
    planned = _toml(config).get("runs")
    planned = planned if isinstance(planned, int) else 0
    if result and len(result["seeds"]) < planned:
        why_not = f"unfinished: {len(result['seeds'])} of {planned} seeds are done"
    notes = [*([why_not + _progress(records)] if why_not else []), *damaged, *_diverged(records)]
    return Setting(path.resolve().name, result, records, config, _env(path), planned, notes)


def _is_run(path: Path) -> bool:
    return any((path / file).is_file() for file in _FILES)


def _rank(setting: Setting) -> tuple[bool, bool, bool, float, str]:
    """Sort best first, then settings with seeds missing, diverged ones, those without a result."""
    test = number(setting.result.get("test_mean"))
    sign = 1 if lower_is_better(str(setting.result.get("metric"))) else -1
    known = math.isfinite(test)
    partial = not is_complete(setting.row())
    return not setting.result, not known, partial, sign * test if known else 0.0, setting.name


def _read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _env(path: Path) -> dict[str, Any]:
    try:
        env = json.loads(_read_text(path / "env.json") or "{}")
    except ValueError:
        return {"env.json": "not readable"}
    return env if isinstance(env, dict) else {"env.json": env}


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _planned_settings(config: str, found: int) -> int:
    """Return how many settings the table [sweep] makes; never fewer than were found."""
    sweep = _toml(config).get("sweep")
    values = sweep.values() if isinstance(sweep, dict) else ()
    return max(found, math.prod(len(v) for v in values if isinstance(v, list)))


def _read_result(path: Path) -> tuple[dict[str, Any], str]:
    """Return the result and an empty string, or an empty result and why there is none."""
    if not path.is_file():
        return {}, "unfinished: no result.json yet"
    try:
        result = json.loads(_read_text(path))
    except ValueError as error:
        return {}, f"unfinished: result.json cannot be read ({error})"
    wanted = {"metric": str, "test_mean": (int, float), "seeds": list, "runs": list}
    for key, kind in wanted.items():
        if not isinstance(result, dict) or not isinstance(result.get(key), kind):
            return {}, f"unfinished: result.json has no usable {key!r}"
    if not all(isinstance(run, dict) for run in result["runs"]):
        return {}, "unfinished: the entries of 'runs' in result.json are no tables"
    return result, ""


def _read_records(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the readable lines; of a run and epoch that were logged twice, the last."""
    records: dict[tuple[str, int], dict[str, Any]] = {}
    skipped = 0
    for line in _read_text(path).splitlines():
        try:
            record = json.loads(line)
            epoch = int(record["epoch"])
            records[str(record["run"]), epoch] = {**record, "epoch": epoch}
        except (ValueError, TypeError, KeyError, OverflowError):
            skipped += 1
    notes = [f"metrics.jsonl: {skipped} unreadable line(s) left out"] if skipped else []
    return list(records.values()), notes


def _progress(records: Sequence[Mapping[str, Any]]) -> str:
    if not records:
        return "; no epoch logged"
    last = records[-1]
    return f"; last logged: run {last['run']} (seed {last.get('seed')}), epoch {last['epoch']}"


def _diverged(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the first epoch of each run whose loss is no finite number."""
    first: dict[Any, Any] = {}
    for record in records:
        if "loss" in record and not math.isfinite(number(record["loss"])):
            first.setdefault(str(record["run"]), record)
    return [
        f"diverged: the loss of run {r['run']} (seed {r.get('seed')}) is {r['loss']} at epoch {r['epoch']}"
        for r in first.values()
    ]
