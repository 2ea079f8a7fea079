"""Subgraph networks against plain formulations: processor time and memory, on the CPU.

Run ``python benchmarks/subgraph.py`` on an idle machine; it prints each section and writes ``subgraph.json`` beside
itself. Each figure is processor time of one thread; what takes milliseconds runs by turns, and the median counts.
Sections: ``extraction`` (ego nets against the loops and dense masks of PyG and networkx), ``maps`` (the equivariant map
of order 2 against its 15 operations stacked) and ``memory`` (SPEN's layer against the global one, and bags merged).
"""

import argparse
import importlib
import json
import platform
import warnings
from pathlib import Path

import torch

from graphlab import ops

HERE = Path(__file__).parent
SECTIONS = ("extraction", "maps", "memory")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--rounds", type=int, default=20, help="turns, after two to warm up (default: 20)")
    parser.add_argument("--out", type=Path, default=HERE / "subgraph.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "Sparse")
    print(ops.backends()["cpu"])
    record = json.loads(args.out.read_text(encoding="utf-8")) if args.out.exists() else {}
    record["torch"] = torch.__version__
    record["machine"] = {"processor": platform.processor() or platform.machine(), "kernels": ops.backends()["cpu"]}
    for name in args.only:
        print(f"\n{name}")
        record[name] = importlib.import_module(f"subgraph_{name}").run(args)
        args.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
