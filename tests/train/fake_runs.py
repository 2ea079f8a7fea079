"""Run directories with made-up but plausible figures, as the trainer would write them."""

import json
import math
import random
from pathlib import Path
from statistics import fmean, stdev

# What one aggregator reaches, how fast, and how far its seeds are apart.
CURVES = {
    "lcm": (0.985, 12, 0.012),
    "gru": (0.93, 16, 0.02),
    "pna": (0.80, 8, 0.03),
    "max": (0.72, 5, 0.04),
    "sum": (0.26, 10, 0.02),
}


def _run(name: str, run: int, epochs: int, rng: random.Random) -> list[dict]:
    top, pace, wide = CURVES[name]
    shift = rng.gauss(0, wide)
    rows = []
    for epoch in range(1, epochs + 1):
        grown = 1 - math.exp(-epoch / pace)
        valid = min(1.0, max(0.0, top * grown + shift * grown + rng.gauss(0, wide / 3)))
        row = {"loss": 0.7 * math.exp(-epoch / pace / 2) + 0.69 * (1.002 - top) + rng.random() * 0.01}
        row |= {"train": min(1.0, valid + 0.01), "valid": valid, "test": max(0.0, valid - 0.015)}
        rows.append({"run": run, "seed": run, "epoch": epoch, **row, "seconds": 1.3})
    return rows


def write_run(path: Path, name: str, epochs: int = 60, seeds: int = 3) -> dict:
    """Write one finished run directory and return its result."""
    path.mkdir(parents=True)
    rng = random.Random(name)
    rows = [row for run in range(seeds) for row in _run(name, run, epochs, rng)]
    runs = []
    for run in range(seeds):
        best = max((r for r in rows if r["run"] == run), key=lambda r: r["valid"])
        runs.append({"seed": run, "best_epoch": best["epoch"], "valid": best["valid"]})
        runs[-1] |= {"test": best["test"], "epochs": epochs, "seconds": 1.3 * epochs}
    result = {"data": "second_minimum", "model": "set_model", "aggr": name, "metric": "exact"}
    for part in ("test", "valid"):
        values = [run[part] for run in runs]
        result |= {f"{part}_mean": fmean(values), f"{part}_std": stdev(values)}
    result |= {"num_params": 150_000 + 137 * len(name), "seeds": list(range(seeds)), "runs": runs}
    env = {
        "versions": {"python": "3.11.4", "torch": "2.13.0+cpu", "torch_geometric": "2.8.1"},
        "cpu": "AMD EPYC",
        "threads": 2,
        "git": "f0aedd1",
        "argv": ["/usr/bin/graphlab", "train", "examples/demo.toml", "--model.aggr", name],
    }
    (path / "config.toml").write_text(f'runs = {seeds}\n\n[model]\nname = "set_model"\naggr = "{name}"\n')
    (path / "env.json").write_text(json.dumps(env))
    (path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (path / "result.json").write_text(json.dumps(result))
    return result


def write_sweep(path: Path, names: tuple[str, ...] = tuple(CURVES)) -> dict[str, dict]:
    """Write one run directory per aggregator and return their results by name."""
    return {name: write_run(path / name, name) for name in names}


def unfinish(path: Path) -> None:
    """Turn a finished run into one that was killed while it wrote a line."""
    (path / "result.json").unlink()
    metrics = path / "metrics.jsonl"
    lines = metrics.read_text().splitlines(keepends=True)
    metrics.write_text("".join(lines[:100]) + lines[100][:30])
