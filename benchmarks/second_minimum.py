"""Tabulates trained 2nd-minimum runs: accuracy by size of the set, and how far each operation is from its laws.

Train with ``graphlab train examples/second_minimum.toml`` and the flags that the README names, then run
``python benchmarks/second_minimum.py runs/...`` on the run directories; the table goes to the terminal and the figures
to ``second_minimum.json`` beside this file. Errors are means over 1,024 sets of 16 elements, relative to the norm of
the result (see ``graphlab.testing.law_errors``).
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from graphlab.data import load
from graphlab.models import Problem, build
from graphlab.testing import law_errors
from graphlab.train.sources import read_plan

PAPER = {
    "GRU": (0.998, 0.912),
    "Binary-GRU, associativity 1": (0.997, 0.822),
    "PNA": (0.794, 0.110),
    "max": (0.723, 0.069),
    "sum": (0.261, 0.045),
}


def row(run_dir: Path) -> dict[str, Any]:
    """Accuracy and law errors of the first seed of one run directory."""
    config = read_plan(run_dir).config
    run = json.loads((run_dir / "result.json").read_text(encoding="utf-8"))["runs"][0]
    values, ptr, _ = next(one for one in load("second-minimum").multisets("test") if int(one[1][1]) == 16)
    model: Any = build(config.model, Problem("set", 8, 8))
    model.load_state_dict(load_file(run_dir / "checkpoints" / f"seed{run['seed']}.safetensors"))
    index = torch.arange(ptr.numel() - 1).repeat_interleave(ptr.diff())
    with torch.no_grad():
        errors = law_errors(model.aggregation, model.encoder(model.embedding(values)), index)
    accuracy = {key.removeprefix("test n="): value for key, value in run.items() if key.startswith("test n=")}
    known = {name: value if value == value else None for name, value in vars(errors).items()}
    return {
        "aggr": vars(config.model)["aggr"],
        "epochs": config.epochs,
        "batch_size": config.batch_size,
        "seconds": run["seconds"],
        "accuracy": accuracy,
        "associativity": known["associativity"],
        "permutation": known["permutation"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, help="run directories")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"), help="where the JSON goes")
    args = parser.parse_args()
    rows = [row(run_dir) for run_dir in args.runs]
    print("| aggregator | epochs | minutes | n=16 | n=32 | n=64 | n=100 | n=200 | permutation | associativity |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for one in rows:
        found = " | ".join(f"{one['accuracy'][n]:.3f}" for n in ("16", "32", "64", "100", "200"))
        errors = " | ".join("-" if one[k] is None else f"{one[k]:.2g}" for k in ("permutation", "associativity"))
        print(f"| `{one['aggr']}` | {one['epochs']} | {one['seconds'] / 60:.1f} | {found} | {errors} |")
    for name, (at_32, at_200) in PAPER.items():
        print(f"| *paper:* {name} | 1,000 | - | - | {at_32:.3f} | - | - | {at_200:.3f} | - | - |")
    args.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
