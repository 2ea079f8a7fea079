"""Making a store: everything a training reads, laid out in the order it is read."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from errno import ENOTDIR
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from graphlab.disk import memory
from graphlab.disk.array_source import ArrayGiven, ArraySource
from graphlab.disk.build import SCRATCH, Build, Limits, Request
from graphlab.disk.errors import DiskError, UnsealedStoreError
from graphlab.disk.files import sync_directory
from graphlab.disk.graph_source import GraphFiles, GraphSource, graph_source, node_ids
from graphlab.disk.journal import NAME as JOURNAL
from graphlab.disk.journal import Journal
from graphlab.disk.manifest import NAME as MANIFEST
from graphlab.disk.manifest import load_manifest, save_manifest
from graphlab.disk.parts import lay_parts
from graphlab.disk.planner import Plan
from graphlab.disk.record import RecordLayout
from graphlab.disk.store_info import Sampling, StoreInfo
from graphlab.ops import crc32c
from graphlab.ops.sample_checks import check_num_neighbors

if TYPE_CHECKING:
    from torch_geometric.data import Data

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_logger = logging.getLogger("graphlab.disk")


def prepare(
    data: "Data | GraphFiles",
    out: str | os.PathLike[str],
    *,
    num_neighbors: Sequence[int],
    batch_size: int,
    input_nodes: ArrayGiven | None = None,
    epochs: int = 1,
    shuffle: bool = True,
    replace: bool = False,
    seed: int = 0,
    dtype: torch.dtype | str | None = None,
    mode: Literal["auto", "packed", "online"] = "auto",
    cache_bytes: int | None = None,
    memory_budget: int | None = None,
    disk_budget: int | None = None,
    planned_epochs: int = 50,
    shard_bytes: int = 4 << 30,
    rank: int = 0,
    world_size: int = 1,
    workers: int | None = None,
    progress: Callable[[str], None] = _logger.info,
) -> StoreInfo:
    r"""Sample all mini-batches of some epochs and lay out on disk what each of them needs, to be read in one piece.

    The rows of nodes that occur most often, the hot set, stay in memory while a model is trained. Those of the others
    are copied next to each batch that needs them, in one sequential scan of the features (Liu et al., `DiskGNN:
    bridging I/O efficiency and model accuracy for out-of-core GNN training`, 2024, arXiv 2405.05231). Neither features
    nor edges need to fit in memory. The batches are those of :class:`graphlab.loader.NeighborLoader` with the same
    seed, bit for bit. Nothing in a store depends on the number of threads, nor, with ``cache_bytes``, on the memory.

    What is cut off, by a crash or a full disk, goes on when ``prepare`` is called again with the same arguments. A
    store that is finished is returned at once, and never changed.

    Args:
        data: The graph: PyG's :class:`~torch_geometric.data.Data`, or :class:`graphlab.disk.GraphFiles` for files.
        out: The directory of the store; it is made, and must be empty or hold an unfinished store of the same
            arguments.
        num_neighbors: How many neighbours to pick in each hop; -1 for all.
        batch_size: Number of seeds of a batch.
        input_nodes: The seeds, as ids or as a mask. (default: those of ``data`` if it has any, else all nodes)
        epochs: How many epochs to sample; longer training takes them in turn.
        shuffle: Whether each epoch has the seeds in another order.
        replace: Whether to pick neighbours with replacement.
        seed: What all randomness derives from.
        dtype: The floating-point dtype of the features in batches. (default: their own)
        mode: ``"packed"`` to copy rows to batches, ``"online"`` to read them from the features during training, or
            ``"auto"`` for what a measurement of at most two seconds says is faster over ``planned_epochs``; what was
            measured and decided is told to ``progress`` and stands in the manifest.
        cache_bytes: Bytes of the hot set. (default: a tenth of the features, at most a quarter of the memory budget, or
            an eighth of the machine's memory without one; ranks on different machines should name it)
        memory_budget: Bytes of memory that the process may hold in all, itself included. (default: what
            it holds, and half of what is available)
        disk_budget: Bytes that the store may take while it is made. (default: what the disk has)
        planned_epochs: How many epochs of training the store is made for.
        shard_bytes: A shard is closed once it is longer than this.
        rank: The rank whose batches to store, those whose number leaves the remainder ``rank``.
        world_size: Number of ranks.
        workers: Number of threads. (default: one per core, at most 4)
        progress: Called with a line of text after each unit of work. (default: the logger ``graphlab.disk``)

    Returns:
        What the store holds.

    Raises:
        ValueError, TypeError: An argument is wrong; the message names it.
        DiskError: ``out`` holds something else, or another process is at work in it.
        MemoryBudgetError: The memory budget is too small; the message says what would do.
        DiskFullError: The store does not fit; the message says what it needs and what there is.

    Example:
        >>> import tempfile, torch
        >>> from torch_geometric.data import Data
        >>> from graphlab.disk import prepare
        >>> data = Data(x=torch.randn(50, 8), edge_index=torch.randint(50, (2, 200)))
        >>> with tempfile.TemporaryDirectory() as out:
        ...     info = prepare(data, out, num_neighbors=[5, 5], batch_size=16, mode="packed", cache_bytes=320)
        >>> info.hot_rows, info.sampling.batches_per_epoch
        (10, 4)
    """
    source = _with_seeds(graph_source(data), input_nodes)
    seeds = source.input_nodes
    request = Request(
        sampling=_sampling(
            source.num_nodes if seeds is None else len(seeds),
            num_neighbors=num_neighbors,
            batch_size=batch_size,
            replace=replace,
            shuffle=shuffle,
            seed=seed,
            epochs=epochs,
            rank=rank,
            world_size=world_size,
        ),
        dtype=_dtype(dtype, source),
        mode=_one_of("mode", mode, ("auto", "packed", "online")),
        cache_bytes=_optional("cache_bytes", cache_bytes, 0),
        memory=memory_budget or memory.installed() // 2,
        planned_epochs=_at_least("planned_epochs", planned_epochs, 1),
        shard_bytes=_at_least("shard_bytes", shard_bytes, 1),
    )
    limits = Limits(
        memory=_optional("memory_budget", memory_budget, 1) or memory.default_budget(),
        disk=_optional("disk_budget", disk_budget, 1),
        workers=_optional("workers", workers, 1) or min(memory.available_cores(), 4),
    )
    _check_names(source)
    _check_rows(source)
    path, arguments = Path(out), _arguments(source, request)
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(ENOTDIR, "'out' got a file, expected a new or empty directory", str(path))
    path.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        finished, plan = _existing(path, arguments)
        if finished is None:
            memory.room(limits.memory)
            if source.left_out:
                progress(f"batches will not have {', '.join(source.left_out)}: no row for each node or edge")
            fingerprint = sha256(dumps(arguments, sort_keys=True).encode()).hexdigest()
            with Journal(path, fingerprint) as journal:
                parts = lay_parts(path, journal, source, limits.memory, limits.disk, progress)
                build = Build(path, journal, parts, request, seeds, limits, arguments, progress)
                finished = build.run(plan)
        _clear(path)
    return finished


def _with_seeds(source: GraphSource, input_nodes: ArrayGiven | None) -> GraphSource:
    if input_nodes is not None:
        source = replace(source, input_nodes=node_ids("input_nodes", input_nodes, source.num_nodes))
    if not source.num_nodes or (source.input_nodes is not None and not len(source.input_nodes)):
        raise ValueError("'input_nodes' is empty; expected at least one node, or None for all")
    return source


def _sampling(num_input: int, *, num_neighbors: Sequence[int], seed: int, rank: int, **numbers: Any) -> Sampling:
    fanout = check_num_neighbors(num_neighbors, "num_neighbors")
    world_size = _at_least("world_size", numbers.pop("world_size"), 1)
    if not isinstance(rank, int) or not 0 <= rank < world_size:
        raise ValueError(f"'rank' must lie in [0, {world_size}), the number of ranks, got {rank!r}")
    if not isinstance(seed, int) or not -(2**63) <= seed < 2**63:
        raise ValueError(f"'seed' must be an integer of 64 bits, got {seed!r}")
    sampling = Sampling(
        num_neighbors=tuple(fanout),
        batch_size=_at_least("batch_size", numbers["batch_size"], 1),
        replace=bool(numbers["replace"]),
        shuffle=bool(numbers["shuffle"]),
        seed=seed,
        epochs=_at_least("epochs", numbers["epochs"], 1),
        num_input=num_input,
        rank=rank,
        world_size=world_size,
    )
    if rank >= sampling.batches_per_epoch:
        raise ValueError(
            f"'world_size' {world_size} is more than the {sampling.batches_per_epoch} batches of an epoch, so that "
            f"rank {rank} has none; lower 'batch_size' or 'world_size'"
        )
    return sampling


def _at_least(name: str, given: int, least: int) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or given < least:
        raise ValueError(f"'{name}' must be an integer from {least} on, got {given!r}")
    return given


def _optional(name: str, given: int | None, least: int) -> int | None:
    return None if given is None else _at_least(name, given, least)


def _one_of(name: str, given: str, known: tuple[str, ...]) -> str:
    if given not in known:
        raise ValueError(f"'{name}' must be one of {', '.join(map(repr, known))}, got {given!r}")
    return given


def _dtype(given: torch.dtype | str | None, source: GraphSource) -> torch.dtype | None:
    if given is None:
        return None
    dtype = getattr(torch, given, None) if isinstance(given, str) else given
    if dtype not in _FLOATS:
        known = ", ".join(str(d).removeprefix("torch.") for d in _FLOATS)
        raise ValueError(f"'dtype' must be one of {known}, got {given!r}")
    features = source.features
    own = features.dtype if isinstance(features, Tensor) else features.torch_dtype
    if dtype != own and own not in _FLOATS:
        raise ValueError(f"'dtype' got {dtype}, but the features are {own}, which is not converted; leave it out")
    return dtype


def _check_rows(source: GraphSource) -> None:
    shape = tuple(source.features.shape)
    if 0 in shape[1:]:
        raise ValueError(f"the features have shape {shape}, expected at least one entry per row")


def _check_names(source: GraphSource) -> None:
    taken = {f.name for f in RecordLayout.of(1, 1, e_id=True).fields}
    # Files of the store.
    taken |= {"features", "input_nodes", "rowptr", "col", "perm", "hot"}
    for name in (*source.node_attributes, *source.edge_attributes):
        if name in taken:
            raise ValueError(f"'data' has an attribute '{name}', a name that stores have a use for; rename it")


def _arguments(source: GraphSource, request: Request) -> dict[str, Any]:
    """Describe all that the bytes of a store depend on."""
    sampling, seeds = request.sampling, source.input_nodes
    arrays = {"features": source.features, **source.node_attributes, **source.edge_attributes}
    return {
        **{name: getattr(sampling, name) for name in ("batch_size", "replace", "shuffle", "seed", "epochs")},
        "num_neighbors": list(sampling.num_neighbors),
        "rank": sampling.rank,
        "world_size": sampling.world_size,
        "input_nodes": None if seeds is None else {"number": len(seeds), "crc32c": crc32c(seeds)},
        "dtype": request.dtype and str(request.dtype).removeprefix("torch."),
        **{name: getattr(request, name) for name in ("mode", "cache_bytes", "planned_epochs", "shard_bytes")},
        "data": {
            "edge_index": [_describe(part) for part in source.edges.origin],
            **{name: _describe(array) for name, array in arrays.items()},
        },
    }


def _describe(source: ArraySource) -> dict[str, Any]:
    """Describe an array such that another one is told from it: one in memory by its content, a file by its time."""
    if isinstance(source, Tensor):
        dtype = str(source.dtype).removeprefix("torch.")
        return {"dtype": dtype, "shape": list(source.shape), "crc32c": crc32c(source.contiguous())}
    described = asdict(source)
    return {**described, "shape": list(source.shape)}


def _existing(path: Path, arguments: dict[str, Any]) -> tuple[StoreInfo | None, Plan | None]:
    """Return the finished store in a directory, or the plan of an unfinished one; begin one where there is nothing."""
    if not (path / MANIFEST).exists():
        others = sorted(p.name for p in path.iterdir() if not p.name.startswith(f".{MANIFEST}"))
        if others:
            raise DiskError(
                f"'out' got {path}, which holds no store but other files ({', '.join(others[:3])}, ...); "
                "give a new or empty directory"
            )
        save_manifest(path, {"arguments": arguments, "plan": None}, sealed=False)
        sync_directory(path.absolute().parent)
        return None, None
    try:
        body, sealed = load_manifest(path), True
    except UnsealedStoreError:
        body, sealed = load_manifest(path, unsealed=True), False
    _compare(path, arguments, body["arguments"], sealed)
    if sealed:
        return StoreInfo.from_json(body), None
    return None, Plan.from_json(body["plan"]) if body["plan"] else None


def _compare(path: Path, given: dict[str, Any], stored: dict[str, Any], sealed: bool) -> None:
    """Refuse a directory whose store is of other arguments."""
    names = [name for name in given if given[name] != stored.get(name)]
    if not names:
        return
    if names[0] == "data":
        ours, theirs = given["data"], stored["data"]
        changed = [n for n in {**ours, **theirs} if ours.get(n) != theirs.get(n)]
        what = f"'data' has another {', '.join(map(repr, changed))}"
    else:
        what = ", ".join(f"'{name}' is {given[name]!r}, it was {stored.get(name)!r}" for name in names)
    kind = "a finished store" if sealed else "an unfinished store"
    raise DiskError(
        f"'out' got {path}, which holds {kind} of other arguments: {what}; give the same arguments, "
        "another 'out', or delete the directory"
    )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes out; the lock ends with the process, however that ends."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DiskError(f"another process prepares {path}; wait for it to end") from None
        yield
    finally:
        os.close(fd)


def _clear(path: Path) -> None:
    """Remove what a finished store does not need."""
    shutil.rmtree(path / SCRATCH, ignore_errors=True)
    (path / JOURNAL).unlink(missing_ok=True)
