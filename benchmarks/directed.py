"""Networks and operators of directed graphs against plain formulations: processor time and memory, on the CPU.

Run ``python benchmarks/directed.py`` on an idle machine; it prints each section and writes ``directed.json`` beside
itself. All contenders of a section run by turns in one process, and each figure is the median of the thread's
processor time over turns. Sections: ``dirgcn`` (a training step of Dir-GCN against PyG's DirGNNConv(GCNConv)),
``adpa`` (a training step of ADPA against all hops concatenated), ``operators`` (DiGCN's and DGCN's operators against
their dense formulas) and ``memory`` (a graph of 1M nodes and 10M edges, in a process of its own).
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
SECTIONS = ("dirgcn", "adpa", "operators", "memory")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--rounds", type=int, default=20, help="turns, after two to warm up (default: 20)")
    parser.add_argument("--nodes", type=int, default=1_000_000, help="of the section memory (default: 1,000,000)")
    parser.add_argument("--dense_nodes", type=int, default=2995, help="of the section operators (default: 2995)")
    parser.add_argument("--out", type=Path, default=HERE / "directed.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "Sparse CSR tensor support")
    warnings.filterwarnings("ignore", "Sparse invariant checks")
    print(ops.backends()["cpu"])
    record = json.loads(args.out.read_text(encoding="utf-8")) if args.out.exists() else {}
    record["torch"] = torch.__version__
    record["machine"] = {"processor": platform.processor() or platform.machine(), "kernels": ops.backends()["cpu"]}
    for name in args.only:
        print(f"\n{name}")
        record[name] = importlib.import_module(f"directed_{name}").run(args)
        args.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
