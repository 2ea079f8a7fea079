"""Stores written straight from their definition, in memory: what ``prepare`` must write and loaders must read."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch_geometric.data import Data

from graphlab.disk.files import align
from graphlab.disk.manifest import save_manifest
from graphlab.disk.record import Counts, Field, RecordLayout
from graphlab.disk.shard import plan_shards, seal_shard
from graphlab.disk.store_info import ArrayInfo, FileInfo, Sampling, StoreInfo
from graphlab.ops import batch_key, crc32c, neighbor_sample, seed_permutation


@dataclass(frozen=True)
class Sample:
    """A batch as it was sampled."""

    epoch: int
    batch: int
    n_id: Tensor
    row: Tensor
    col: Tensor
    e_id: Tensor
    input_id: Tensor
    num_sampled_nodes: list[int]
    num_sampled_edges: list[int]


def in_csc(data: Data) -> tuple[Tensor, Tensor, Tensor]:
    """Edges by target: where those of each begin, their sources, and which of the user's edges they are."""
    source, target = data.edge_index
    perm = target.argsort(stable=True)
    rowptr = torch.zeros(data.num_nodes + 1, dtype=torch.long)
    rowptr[1:] = torch.bincount(target, minlength=data.num_nodes).cumsum(0)
    return rowptr, source[perm], perm


def sample(data: Data, input_nodes: Tensor, sampling: Sampling, epoch: int, batch: int) -> Sample:
    """Sample one batch."""
    rowptr, col, perm = in_csc(data)
    n, size = input_nodes.numel(), sampling.batch_size
    start, stop = batch * size, min((batch + 1) * size, n)
    input_id = torch.arange(start, stop)
    if sampling.shuffle:
        input_id = seed_permutation(n, sampling.seed, epoch, start, stop)
    row, into, node, edge, nodes_per_hop, edges_per_hop = neighbor_sample(
        rowptr,
        col,
        input_nodes[input_id],
        list(sampling.num_neighbors),
        replace=sampling.replace,
        csc=True,
        key=batch_key(sampling.seed, epoch, batch),
    )
    return Sample(epoch, batch, node, row, into, perm[edge], input_id, nodes_per_hop, edges_per_hop)


def batch_of(data: Data, sampled: Sample, dtype: torch.dtype) -> Data:
    """The batch that a loader must give, from the graph in memory."""
    batch = Data()
    for name, value in data:
        if name == "x":
            batch.x = value.to(dtype)[sampled.n_id]
        elif name == "edge_index":
            batch.edge_index = torch.stack([sampled.row, sampled.col])
        elif data.is_node_attr(name):
            batch[name] = value[sampled.n_id]
        elif data.is_edge_attr(name):
            batch[name] = value[sampled.e_id]
    batch.n_id, batch.e_id, batch.input_id = sampled.n_id, sampled.e_id, sampled.input_id
    batch.num_sampled_nodes, batch.num_sampled_edges = sampled.num_sampled_nodes, sampled.num_sampled_edges
    batch.batch_size = sampled.input_id.numel()
    return batch


def hot_nodes(samples: list[Sample], num_nodes: int, hot_rows: int) -> Tensor:
    """The nodes that batches hold most often; of equals those of smaller id. In ascending order."""
    times = sum(torch.bincount(s.n_id, minlength=num_nodes) for s in samples)
    return torch.as_tensor(times).argsort(descending=True, stable=True)[:hot_rows].sort().values


def write_store(
    path: Path,
    data: Data,
    input_nodes: Tensor,
    sampling: Sampling,
    *,
    hot_rows: int = 0,
    dtype: torch.dtype | None = None,
    mode: str = "packed",
    features: Path | None = None,
    shard_bytes: int = 1 << 30,
) -> StoreInfo:
    """Write a sealed store; ``features`` is where those lie, outside of the store, if not in it."""
    path.mkdir(parents=True)
    assert data.x is not None
    dtype = dtype or data.x.dtype
    x = data.x.to(dtype)
    num_nodes, num_edges = data.x.size(0), data.edge_index.size(1)
    everyone = [
        sample(data, input_nodes, sampling, epoch, batch)
        for epoch in range(sampling.epochs)
        for batch in range(sampling.batches_per_epoch)
    ]
    hot = hot_nodes(everyone, num_nodes, hot_rows)
    samples = [s for s in everyone if s.batch % sampling.world_size == sampling.rank]

    fields, attributes = [], {"input_nodes": write_array(path, "input_nodes.bin", input_nodes)}
    for name, value in data:
        if name not in ("x", "edge_index"):
            per = "node" if data.is_node_attr(name) else "edge"
            fields.append(Field(name, per, str(value.dtype).removeprefix("torch."), tuple(value.shape[1:])))
            attributes[name] = write_array(path, f"{name}.bin", value)
    layout = RecordLayout.of(num_nodes, num_edges, e_id=True, attributes=tuple(fields))

    parts = [encode(data, layout, s, hot, x, mode) for s in samples]
    sizes = [(s.epoch, s.batch, len(r), len(p)) for s, (r, p) in zip(samples, parts, strict=True)]
    content = {(s.epoch, s.batch): part for s, part in zip(samples, parts, strict=True)}
    shards = []
    for shard in plan_shards(sizes, shard_bytes):
        with (path / shard.name).open("w+b") as file:
            entries = []
            for entry in shard.entries:
                record, pack = content[entry.epoch, entry.batch]
                record = pad(record, align(len(record), 64))
                pack = pad(pack, entry.extent - len(record))
                file.seek(entry.offset)
                file.write(record + pack)
                entries.append(replace(entry, record_crc=crc(record), pack_crc=crc(pack)))
            file.flush()
            index_crc = seal_shard(file.fileno(), shard.number, entries)
        shards.append(FileInfo(shard.name, shard.size, index_crc))

    rowptr, col, perm = in_csc(data)
    graph = {"rowptr": write_array(path, "rowptr.bin", rowptr)}
    graph["col"] = write_array(path, "col.bin", col.to(torch.int32))
    if not torch.equal(perm, torch.arange(num_edges)):
        graph["perm"] = write_array(path, "perm.bin", perm.to(torch.int32))
    outside = features is not None
    described = write_array(features.parent if outside else path, features.name if outside else "features.bin", data.x)
    if outside:
        described = replace(described, path=str(features.absolute()))
    table = raw(x[hot])
    (path / "hot.bin").write_bytes(table)
    info = StoreInfo(
        num_nodes=num_nodes,
        num_edges=num_edges,
        sampling=sampling,
        mode=mode,
        dtype=str(dtype).removeprefix("torch."),
        row_shape=tuple(data.x.shape[1:]),
        hot_rows=hot_rows,
        hot=FileInfo("hot.bin", len(table), crc(table)) if hot_rows else None,
        layout=layout,
        shards=tuple(shards),
        features=described,
        graph=graph,
        attributes=attributes,
    )
    if not hot_rows:
        (path / "hot.bin").unlink()
    save_manifest(path, info.to_json(), sealed=True)
    return info


def encode(data: Data, layout: RecordLayout, s: Sample, hot: Tensor, x: Tensor, mode: str) -> tuple[bytes, bytes]:
    """The record and the pack of a batch."""
    is_hot = torch.isin(s.n_id, hot)
    cold = s.n_id[~is_hot].unique()
    place = torch.where(is_hot, torch.searchsorted(hot, s.n_id) - 2**31, torch.searchsorted(cold, s.n_id))
    arrays = {
        "n_id": s.n_id,
        "place": place,
        "row": s.row,
        "col": s.col,
        "e_id": s.e_id,
        "input_id": s.input_id,
        "num_sampled_nodes": torch.tensor(s.num_sampled_nodes),
        "num_sampled_edges": torch.tensor(s.num_sampled_edges),
    }
    for field in layout.fields:
        if field.name not in arrays:
            arrays[field.name] = data[field.name][s.n_id if field.per == "node" else s.e_id]
    counts = Counts(s.epoch, s.batch, len(s.n_id), len(s.row), len(s.input_id), len(s.num_sampled_edges), cold.numel())
    return raw(layout.encode(counts, arrays)), raw(x[cold]) if mode == "packed" else b""


def write_array(root: Path, name: str, value: Tensor) -> ArrayInfo:
    """Write an array as it lies in memory."""
    content = raw(value)
    (root / name).write_bytes(content)
    stat = (root / name).stat()
    dtype = str(value.dtype).removeprefix("torch.")
    return ArrayInfo(name, 0, dtype, tuple(value.shape), stat.st_size, stat.st_mtime_ns, crc(content))


def raw(t: Tensor) -> bytes:
    """The bytes of a tensor."""
    return bytes(t.contiguous().view(-1).view(torch.uint8).numpy()) if t.numel() else b""


def pad(content: bytes, size: int) -> bytes:
    """Zeros at the end, up to a size."""
    return content + bytes(size - len(content))


def crc(content: bytes) -> int:
    """The checksum that the format uses."""
    return crc32c(torch.frombuffer(bytearray(content), dtype=torch.uint8)) if content else 0
