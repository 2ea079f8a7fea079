"""What a store holds, in words."""

import os

from graphlab.disk.footprint import Footprint
from graphlab.disk.planner import Plan
from graphlab.disk.store import Store
from graphlab.disk.store_info import ArrayInfo, Sampling, StoreInfo

_MODES = {
    "packed": "each batch has the rows that are not in the hot set beside it",
    "online": "rows that are not in the hot set are read from the features when they are wanted",
}


def info(path: str | os.PathLike[str]) -> str:
    """Describe a store: what it holds, how large it is, how it was planned, and how to use it.

    Args:
        path: The store.

    Raises:
        DiskError: The store can not be used; see :class:`~graphlab.disk.Store`.

    Example:
        >>> import tempfile, torch
        >>> from torch_geometric.data import Data
        >>> from graphlab.disk import info, prepare
        >>> data = Data(x=torch.randn(50, 8), edge_index=torch.randint(50, (2, 200)))
        >>> with tempfile.TemporaryDirectory() as out:
        ...     _ = prepare(data, out, num_neighbors=[5, 5], batch_size=16, mode="packed")
        ...     print(info(out).splitlines()[1])
        graph     50 nodes, 200 edges
    """
    store = Store(path)
    about = store.info
    lines = {
        "store": str(store.path),
        "graph": f"{about.num_nodes:,} nodes, {about.num_edges:,} edges",
        "rows": f"{_shape(about.row_shape)} {about.dtype}, {about.row_bytes:,} bytes each",
        "sampling": _sampling(about.sampling),
        "batches": _batches(about.sampling),
        "fields": ", ".join(["x", "edge_index", *(f.name for f in about.layout.fields if f.name in about.attributes)]),
        "mode": f"{about.mode}: {_MODES[about.mode]}",
        "hot set": f"{about.hot_rows:,} rows, {about.hot_rows * about.row_bytes:,} bytes",
        "disk": _sizes(about),
        "features": _features(about.features),
        "memory": Footprint.of(store).terms(readers=2, queue_depth=2),
    }
    if about.plan:
        lines["plan"] = str(Plan.from_json(about.plan))
    lines["use"] = f"for batch in graphlab.disk.DiskLoader({str(store.path)!r}): ..."
    width = max(map(len, lines))
    return "\n".join(f"{name:{width}}  {text}".replace("\n", "\n" + " " * (width + 2)) for name, text in lines.items())


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "1"


def _sampling(s: Sampling) -> str:
    hops = ", ".join("all" if k < 0 else str(k) for k in s.num_neighbors)
    drawn = "with" if s.replace else "without"
    return f"[{hops}] neighbours {drawn} replacement, {'shuffled' if s.shuffle else 'in order'}, seed {s.seed}"


def _batches(s: Sampling) -> str:
    epochs = "1 epoch" if s.epochs == 1 else f"{s.epochs:,} epochs"
    text = f"{epochs} of {s.batches_per_epoch:,} batches of {s.batch_size:,} of {s.num_input:,} input nodes"
    return text + (f"; of these the ones of rank {s.rank} of {s.world_size}" if s.world_size > 1 else "")


def _sizes(about: StoreInfo) -> str:
    shards = sum(s.bytes for s in about.shards)
    arrays = [*about.graph.values(), *about.attributes.values(), about.features]
    others = sum(a.size for a in arrays if not a.path.startswith("/")) + (about.hot.bytes if about.hot else 0)
    return f"{shards + others:,} bytes: {shards:,} in {len(about.shards)} shards of batches, {others:,} in other files"


def _features(array: ArrayInfo) -> str:
    where = f"in {array.path}, which must stay" if array.path.startswith("/") else f"in the store, {array.path}"
    return f"{_shape(array.shape)} {array.dtype}, {array.size:,} bytes {where}"
