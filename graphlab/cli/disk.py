"""``graphlab disk``: make, check, mend and describe stores for training on graphs larger than memory."""

import argparse
import sys
from pathlib import Path
from typing import Any

from graphlab.cli._parser import OneLineParser

SUMMARY = "prepare, verify, repair or describe a store for training on a graph larger than memory"

# What GraphFiles takes by other flags.
_FLAGS = ("features", "edge_index", "num_nodes", "input_nodes")
_UNITS = {"": 1} | {f"{p}B": 1000**i for i, p in enumerate(("", "k", "M", "G", "T"))}
_UNITS |= {f"{p}iB": 1024**i for i, p in enumerate(("K", "M", "G", "T"), 1)}


def main(argv: list[str]) -> int:
    """Run ``prepare``, ``verify``, ``repair`` or ``info``.

    Args:
        argv: Words after ``graphlab disk``.

    Returns:
        0 done, or intact; 1 failed, or damaged; 2 arguments not understood or not usable; 130 interrupted.
    """
    args = _parser().parse_args(argv)
    try:
        return _RUN[args.action](args)
    except KeyboardInterrupt:
        return _fail(args.action, "interrupted; the same command goes on where it stood", 130)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError, TypeError, ValueError) as error:
        return _fail(args.action, str(error), 2)
    except (OSError, RuntimeError) as error:  # what graphlab.disk raises is one of these
        return _fail(args.action, str(error), 1)


def _fail(action: str, message: str, code: int) -> int:
    print(f"graphlab disk {action}: {' '.join(message.split())}", file=sys.stderr)
    return code


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="graphlab disk", description=f"{SUMMARY.capitalize()}.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="prepare|verify|repair|info")
    for name, text in (
        ("verify", "check every byte of a store; exit code 1 if one is damaged"),
        ("repair", "make again what is damaged, and nothing else; exit code 1 if something is left"),
        ("info", "say what a store holds and how to use it"),
    ):
        action = actions.add_parser(name, description=f"{text.capitalize()}.", help=text)
        action.add_argument("store", type=Path, help="the store's directory")
        if name != "info":
            action.add_argument("--threads", type=_count, default=2, help="how many threads read (default: 2)")
        if name == "repair":
            text = "bytes of memory that the process may hold (default: half of what is free); 512MiB, 4GB and so on"
            action.add_argument("--memory_budget", type=_bytes, metavar="BYTES", help=text)
    text = "sample all batches and lay out on disk what each needs; run again, it goes on where it was cut off"
    _add_prepare(actions.add_parser("prepare", description=f"{text.capitalize()}.", help=text))
    return parser


def _add_prepare(action: argparse.ArgumentParser) -> None:
    graph = action.add_argument_group("the graph")
    graph.add_argument("out", type=Path, help="the store's directory")
    graph.add_argument("--features", required=True, help="features of the nodes: .npy, .safetensors or a raw file")
    graph.add_argument("--features_dtype", help="dtype of a raw file of features, such as float32")
    graph.add_argument("--features_width", type=int, help="columns of a raw file of features")
    graph.add_argument(
        "--edge_index",
        required=True,
        nargs="+",
        metavar="FILE",
        help=".npy of shape (2, E) or (E, 2), text such as OGB's edge.csv.gz, or a file of sources and one of targets",
    )
    graph.add_argument("--y", help="labels of the nodes")
    graph.add_argument("--edge_attr", help="attributes of the edges")
    graph.add_argument("--input_nodes", help="the nodes to make batches for: ids or a mask (default: all)")
    graph.add_argument(
        "--attribute",
        action="append",
        default=[],
        type=_named_file,
        metavar="NAME=FILE",
        help="a further array, with a row per edge if its name has 'edge' in it, else one per node; may be repeated",
    )
    batches = action.add_argument_group("the batches")
    batches.add_argument("--num_neighbors", required=True, nargs="+", type=int, help="per hop; -1 for all")
    batches.add_argument("--batch_size", type=int, default=1024, help="seeds of a batch (default: 1024)")
    batches.add_argument("--epochs", type=int, default=1, help="how many epochs to sample (default: 1)")
    batches.add_argument("--seed", type=int, default=0, help="of all randomness (default: 0)")
    batches.add_argument("--no_shuffle", action="store_true", help="keep the order of the input nodes")
    batches.add_argument("--replace", action="store_true", help="pick neighbours with replacement")
    batches.add_argument("--dtype", help="dtype of the features in batches (default: their own)")
    batches.add_argument("--rank", type=int, default=0, help="store the batches of this rank only (default: 0)")
    batches.add_argument("--world_size", type=int, default=1, help="number of ranks (default: 1)")
    work = action.add_argument_group("the work")
    work.add_argument("--mode", choices=["auto", "packed", "online"], default="auto", help="(default: auto)")
    work.add_argument("--planned_epochs", type=int, default=50, help="epochs of training to come (default: 50)")
    for name, what in (
        ("cache_bytes", "of the rows that stay in memory (default: a tenth of the features)"),
        ("memory_budget", "of memory that the process may hold (default: half of what is free, beside itself)"),
        ("disk_budget", "of disk that the store may take (default: what is free)"),
        ("shard_bytes", "of a shard (default: 4GiB)"),
    ):
        work.add_argument(f"--{name}", type=_bytes, metavar="BYTES", help=f"bytes {what}; 512MiB, 4GB and so on")
    work.add_argument("--workers", type=int, help="number of threads (default: one per core, at most 4)")


def _bytes(text: str) -> int:
    number = text.rstrip("kKMGTiB")
    try:
        return int(float(number) * _UNITS[text[len(number) :]])
    except (ValueError, KeyError, OverflowError):
        raise argparse.ArgumentTypeError(f"got {text!r}, expected bytes such as 536870912, 512MiB or 4GB") from None


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number from 1 on")
    return int(text)


def _named_file(text: str) -> tuple[str, str]:
    name, _, file = text.partition("=")
    if not name.isidentifier() or not file:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected NAME=FILE")
    return name, file


def _prepare(args: argparse.Namespace) -> int:
    from graphlab import disk  # only now: it imports torch

    given = {name: getattr(args, name) for name in ("y", "edge_attr", "input_nodes") if getattr(args, name)}
    for name, _ in args.attribute:
        if name in (*_FLAGS, *given) or sum(name == other for other, _ in args.attribute) > 1:
            raise ValueError(f"--attribute got {name!r} which is given already, or has a flag of its own; give it once")
    edges = args.edge_index[0] if len(args.edge_index) == 1 else tuple(args.edge_index)
    graph = disk.GraphFiles(_features(args), edges, **given, **dict(args.attribute))
    limits = ("cache_bytes", "memory_budget", "disk_budget", "shard_bytes", "workers")
    options = {name: getattr(args, name) for name in limits if getattr(args, name) is not None}
    disk.prepare(
        graph,
        args.out,
        num_neighbors=args.num_neighbors,
        batch_size=args.batch_size,
        epochs=args.epochs,
        seed=args.seed,
        shuffle=not args.no_shuffle,
        replace=args.replace,
        dtype=args.dtype,
        mode=args.mode,
        planned_epochs=args.planned_epochs,
        rank=args.rank,
        world_size=args.world_size,
        progress=lambda line: print(line, file=sys.stderr, flush=True),
        **options,
    )
    print(disk.info(args.out))
    return 0


def _features(args: argparse.Namespace) -> Any:
    from graphlab import disk

    if args.features_dtype is None and args.features_width is None:
        return args.features
    if args.features_dtype is None or args.features_width is None:
        raise ValueError("--features_dtype and --features_width go together; give both for a raw file, none for others")
    return disk.RawFile(args.features, args.features_dtype, (-1, args.features_width))


def _verify(args: argparse.Namespace) -> int:
    from graphlab import disk

    report = disk.verify(args.store, threads=args.threads)
    print(report)
    if not report.ok:
        hint = (
            f"; run 'graphlab disk repair {args.store}'" if report.repairable else ", and nothing of it can be repaired"
        )
        print(f"graphlab disk verify: damaged{hint}", file=sys.stderr)
    return 0 if report.ok else 1


def _repair(args: argparse.Namespace) -> int:
    from graphlab import disk

    result = disk.repair(args.store, threads=args.threads, memory_budget=args.memory_budget)
    print(result)
    return 0 if result.ok else 1


def _info(args: argparse.Namespace) -> int:
    from graphlab import disk

    print(disk.info(args.store))
    return 0


_RUN = {"prepare": _prepare, "verify": _verify, "repair": _repair, "info": _info}
