import contextlib
import copy
import ctypes
import gc
import mmap
import os
import pickle
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch_geometric.data import Data

from graphlab.disk.array_file import write_array
from graphlab.disk.disk_loader import DiskLoader
from graphlab.disk.errors import MemoryBudgetError
from graphlab.disk.files import BLOCK
from graphlab.disk.footprint import Footprint
from graphlab.disk.memory import resident
from graphlab.disk.store import Store
from graphlab.loader import NeighborLoader
from tests.disk.naive_store import write_store
from tests.disk.small_stores import BATCHES, SAMPLING, assert_same, expected, graph, inputs, stored

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def numbers(loader) -> list[int]:
    """Which batches an epoch gives, told from their first seeds."""
    first = {int(loader.batch(0, b).input_id[0]): b for b in loader.store.batches}
    return [first[int(batch.input_id[0])] for batch in loader]


# -- the batches ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [1, 7, 100, 128, 1000, 1025])
def test_batches_have_the_bits_of_the_graph_in_memory(tmp_path, width, dtype):
    data = graph(width, dtype)
    stored(tmp_path / "store", data)
    loader = DiskLoader(tmp_path / "store")
    for epoch, batch in BATCHES:
        assert_same(loader.batch(epoch, batch), expected(data, epoch, batch))


@pytest.mark.parametrize("mode", ["packed", "online"])
@pytest.mark.parametrize("hot_rows", [0, 10, 60])
def test_with_no_hot_rows_or_none_cold(tmp_path, hot_rows, mode):
    data = graph()
    stored(tmp_path / "store", data, hot_rows=hot_rows, mode=mode)
    loader = DiskLoader(tmp_path / "store")
    for epoch, batch in BATCHES:
        assert_same(loader.batch(epoch, batch), expected(data, epoch, batch))


@pytest.mark.parametrize("mode", ["packed", "online"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_have_the_dtype_of_the_store(tmp_path, dtype, mode):
    data = graph(width=3, dtype=torch.float64)
    stored(tmp_path / "store", data, dtype=dtype, mode=mode, features=tmp_path / "x.bin")
    loader = DiskLoader(tmp_path / "store")
    for epoch, batch in BATCHES:
        assert_same(loader.batch(epoch, batch), expected(data, epoch, batch, dtype=dtype))


@pytest.mark.parametrize(
    "sampling",
    [
        replace(SAMPLING, shuffle=False),
        replace(SAMPLING, replace=True),
        replace(SAMPLING, num_neighbors=(-1,)),
        replace(SAMPLING, num_neighbors=(0, 2)),
        replace(SAMPLING, batch_size=1),
        replace(SAMPLING, batch_size=64),
    ],
    ids=str,
)
def test_batches_follow_the_sampling(tmp_path, sampling):
    data = graph()
    stored(tmp_path / "store", data, sampling)
    loader = DiskLoader(tmp_path / "store")
    for epoch in range(sampling.epochs):
        for batch in range(sampling.batches_per_epoch):
            assert_same(loader.batch(epoch, batch), expected(data, epoch, batch, sampling))


def test_nodes_without_edges_and_features_of_more_dimensions(tmp_path):
    data = Data(x=torch.randn(60, 2, 3), edge_index=torch.empty((2, 0), dtype=torch.long))
    stored(tmp_path / "store", data, hot_rows=4)
    loader = DiskLoader(tmp_path / "store")
    for epoch, batch in BATCHES:
        assert_same(loader.batch(epoch, batch), expected(data, epoch, batch))


def test_batches_are_those_of_the_loader_in_memory(store):
    data = graph()
    s = SAMPLING
    memory = NeighborLoader(
        data, list(s.num_neighbors), input_nodes=inputs(), batch_size=s.batch_size, shuffle=s.shuffle, seed=s.seed
    )
    loader = DiskLoader(store)
    for epoch, batch in BATCHES:
        assert_same(loader.batch(epoch, batch), memory.batch(epoch, batch))


# -- epochs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("queue_depth", [1, 2, 5])
@pytest.mark.parametrize("readers", [1, 2, 4])
def test_readers_change_nothing(store, readers, queue_depth):
    plain = DiskLoader(store)
    loader = DiskLoader(store, readers=readers, queue_depth=queue_depth)
    for _ in range(3):
        for a, b in zip(plain, loader, strict=True):
            assert_same(a, b)


def test_each_epoch_has_every_batch_once_in_its_own_order(store):
    loader = DiskLoader(store)
    orders = [numbers_of(loader, epoch) for epoch in range(4)]
    assert len(loader) == SAMPLING.batches_per_epoch
    assert all(sorted(order) == list(range(len(loader))) for order in orders)
    assert len({tuple(order) for order in orders}) > 1
    assert (
        numbers_of(DiskLoader(store, seed=6), 0) != orders[0] or numbers_of(DiskLoader(store, seed=7), 0) != orders[0]
    )
    assert numbers_of(DiskLoader(store, shuffle=False), 3) == list(range(len(loader)))


def numbers_of(loader, epoch):
    """Which batches a training epoch gives; each must come from the right sampled epoch."""
    loader.set_epoch(epoch)
    sampled = epoch % SAMPLING.epochs
    known = {tuple(loader.batch(sampled, b).input_id.tolist()): b for b in loader.store.batches}
    return [known[tuple(batch.input_id.tolist())] for batch in loader]


def test_iterations_are_epochs_that_follow_each_other(store):
    loader, other = DiskLoader(store), DiskLoader(store)
    for epoch in (0, 1, 2):
        other.set_epoch(epoch)
        for a, b in zip(loader, other, strict=True):
            assert_same(a, b)


@pytest.mark.parametrize("taken", [0, 1, 3, 4])
def test_a_position_is_resumed(store, taken):
    loader = DiskLoader(store, readers=2)
    loader.set_epoch(3)
    epoch = list(loader)
    loader.set_epoch(3)
    running = iter(loader)
    for _ in range(taken):
        next(running)
    state = loader.state_dict()
    other = DiskLoader(store)
    other.load_state_dict(state)
    assert other.state_dict() == state
    other.set_epoch(state["epoch"])  # as training loops do before each epoch
    rest = list(other)
    if taken == len(epoch):
        other.set_epoch(4)
        epoch, taken = list(other), 0
    for a, b in zip(rest, epoch[taken:], strict=True):
        assert_same(a, b)


def test_the_end_of_an_epoch_is_the_start_of_the_next(store):
    loader = DiskLoader(store)
    assert len(list(loader)) == len(loader)
    state = loader.state_dict()
    assert (state["epoch"], state["position"]) == (1, 0)
    loader.load_state_dict(state)
    assert len(list(loader)) == len(loader)


def test_a_state_of_another_order_is_refused(store):
    state = DiskLoader(store, seed=1).state_dict()
    with pytest.raises(ValueError, match="'state' is of a loader with seed 1, expected 5"):
        DiskLoader(store).load_state_dict(state)


@pytest.mark.parametrize(
    "other",
    [
        {"data": graph(width=8)},
        {"sampling": replace(SAMPLING, seed=6, shuffle=False)},
        {"sampling": replace(SAMPLING, num_neighbors=(3, 1))},
        {"dtype": torch.float16},
    ],
    ids=["graph", "seed", "neighbors", "dtype"],
)
def test_a_state_of_another_store_is_refused(store, tmp_path, other):
    stored(tmp_path / "other", **other)
    state = DiskLoader(tmp_path / "other", seed=5).state_dict()
    with pytest.raises(ValueError, match="'state' is of a loader of another store"):
        DiskLoader(store).load_state_dict(state)


def test_a_state_fits_every_store_of_the_same_batches(store, tmp_path):
    state = DiskLoader(store, world_size=2).state_dict()
    stored(tmp_path / "online", mode="online", hot_rows=3, shard_bytes=1 << 30, features=tmp_path / "x.bin")
    DiskLoader(tmp_path / "online", world_size=2).load_state_dict(state)
    stored(tmp_path / "rank", sampling=replace(SAMPLING, world_size=2))
    DiskLoader(tmp_path / "rank").load_state_dict(state)


def test_the_folder_may_change_while_a_loader_of_a_relative_path_runs(store, monkeypatch):
    monkeypatch.chdir(store.parent)
    loader = DiskLoader(store.name)
    monkeypatch.chdir("/")
    assert_same(loader.batch(0, 0), expected(graph(), 0, 0))


def test_a_transform_makes_the_batches(store):
    loader = DiskLoader(store, transform=lambda data: data.x.sum())
    assert torch.equal(loader.batch(0, 1), DiskLoader(store).batch(0, 1).x.sum())


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda loader: pickle.loads(pickle.dumps(loader))])
@pytest.mark.parametrize("taken", [0, 2])
@pytest.mark.parametrize("mode", ["packed", "online"])
def test_a_copy_gives_the_same_batches_when_the_loader_is_gone(tmp_path, mode, taken, copied):
    stored(tmp_path / "store", mode=mode)
    write_array(tmp_path, "other.bin", torch.zeros(60, 7))
    loader = DiskLoader(tmp_path / "store", shuffle=False)
    held = [batch for batch, _ in zip(loader, range(taken), strict=False)]
    other = copied(loader)
    del loader, held
    gc.collect()
    # Takes the number of the descriptor that was closed.
    with (tmp_path / "other.bin").open("rb"):
        for epoch, batch in BATCHES:
            assert_same(other.batch(epoch, batch), expected(graph(), epoch, batch))
    assert [batch.batch_size for batch in other] == [8, 8, 8, 6]


# -- ranks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world_size", [1, 2, 3, 4])
def test_ranks_share_the_batches_and_have_as_many(store, world_size):
    loaders = [DiskLoader(store, rank=rank, world_size=world_size) for rank in range(world_size)]
    shares = [numbers_of(loader, 1) for loader in loaders]
    assert {len(share) for share in shares} == {len(loader) for loader in loaders} == {-(-4 // world_size)}
    assert all(number % world_size == rank for rank, share in enumerate(shares) for number in share)
    assert sorted({number for share in shares for number in share}) == list(range(4))


def test_a_store_of_one_rank_gives_what_a_store_of_all_gives_it(tmp_path):
    data, sampling = graph(), replace(SAMPLING, batch_size=6)
    stored(tmp_path / "all", data, sampling)
    for rank in (0, 1):
        stored(tmp_path / f"{rank}", data, replace(sampling, rank=rank, world_size=2))
        mine = DiskLoader(tmp_path / f"{rank}", rank=rank, world_size=2)
        assert len(mine) == 3
        for a, b in zip(mine, DiskLoader(tmp_path / "all", rank=rank, world_size=2), strict=True):
            assert_same(a, b)
        assert numbers_of(DiskLoader(tmp_path / f"{rank}"), 0) == numbers_of(mine, 0)
    with pytest.raises(ValueError, match=r"prepared for rank 1 of 2"):
        DiskLoader(tmp_path / "1", rank=0, world_size=2)
    with pytest.raises(IndexError, match=r"batches 0 to 4 of rank 1 of 2"):
        mine.batch(0, 2)


def test_too_many_ranks_are_refused(store):
    with pytest.raises(ValueError, match="leaves rank 4 none of the 4 batches"):
        DiskLoader(store, rank=4, world_size=5)
    with pytest.raises(ValueError, match=r"'rank' must lie in \[0, 'world_size' 2\), got 2"):
        DiskLoader(store, rank=2, world_size=2)


# -- bytes and memory ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def big(tmp_path_factory) -> Store:
    """A store of batches of 1,024 seeds and rows of 512 bytes."""
    n, path = 20_000, tmp_path_factory.mktemp("big") / "store"
    g = torch.Generator().manual_seed(0)
    data = Data(x=torch.randn(n, 128, generator=g), edge_index=torch.randint(0, n, (2, 10 * n), generator=g))
    sampling = replace(SAMPLING, num_neighbors=(5, 3), batch_size=1024, num_input=4096, epochs=1)
    write_store(path, data, torch.arange(4096), sampling, hot_rows=n // 10)
    return Store(path)


def drop_cache(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def read_bytes() -> int:
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["read_bytes"])


def test_reads_are_at_most_a_percent_more_than_what_batches_are_made_of(big):
    loader = DiskLoader(big.path, shuffle=False)
    entries = [e for s in big.shards for e in s.entries]
    drop_cache(big.shard_path(0))
    before = read_bytes()
    rows = sum(batch.x.size(0) for batch in loader)
    read = read_bytes() - before
    useful = sum(e.record_bytes + e.pack_bytes for e in entries)
    asked = sum(e.extent for e in entries)
    assert rows > 10 * 4096
    assert asked <= 1.01 * useful
    # What the system counts as read from the drive; file systems in memory count nothing.
    assert read in (0, asked)


def test_the_page_cache_stays_as_it_was(big):
    path = big.shard_path(0)
    drop_cache(path)
    before = cached_pages(path)
    for _ in DiskLoader(big.path):
        pass
    # Opening a store reads header and index, and the kernel some blocks ahead of them.
    assert cached_pages(path) - before <= (256 << 10) // BLOCK


def cached_pages(path: Path) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as room:
        pages = -(-len(room) // BLOCK)
        present = (ctypes.c_ubyte * pages)()
        start = ctypes.c_char.from_buffer(room)
        done = libc.mincore(ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(len(room)), present)
        del start
        assert done == 0
        return sum(page & 1 for page in present)


def test_memory_does_not_grow_over_epochs(big):
    loader = DiskLoader(big.path)
    for _ in range(3):
        for batch in loader:
            assert batch.x[0, 0] == batch.x[0, 0]
    del batch
    before = resident()
    for _ in range(24):
        for _ in loader:
            pass
    # Buffers that there was no use for yet may come, for once; the arrays of 96 batches would be more than 50 MB.
    assert resident() - before < 32 << 20


def test_what_loading_takes_is_within_its_bound(big):
    before = resident()
    loader = DiskLoader(big.path, readers=2, queue_depth=3)
    peak = 0
    for _ in range(2):
        for _ in loader:
            peak = max(peak, resident())
    assert peak - before <= Footprint.of(loader.store).total(readers=2, queue_depth=3) + (16 << 20)


def test_too_small_a_budget_is_refused_with_the_sum_written_out(store):
    with pytest.raises(
        MemoryBudgetError,
        match=r"'memory_budget' is 1,000 bytes, .* the least that works is [\d,]+; loading takes hot rows 280 \+ "
        r"\(queue_depth 2 \+ 2\) x batch [\d,]+ \+ \(readers 2 \+ 1\) x extent [\d,]+ \+ unpacked rows [\d,]+ "
        r"\+ index [\d,]+ = [\d,]+ bytes; give",
    ):
        DiskLoader(store, memory_budget=1000)
    DiskLoader(store, memory_budget=resident() + (64 << 20))


@pytest.mark.parametrize("argument", ["readers", "queue_depth"])
def test_numbers_below_one_are_refused(store, argument):
    with pytest.raises(ValueError, match=f"'{argument}' must be at least 1, got 0"):
        DiskLoader(store, **{argument: 0})


# -- what is left behind -------------------------------------------------------------------------------------


def held() -> tuple[set[str], set[str]]:
    gc.collect()
    files = set()
    for fd in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            files.add(str(fd.readlink()))
    return {t.name for t in threading.enumerate()}, {f for f in files if "store" in f or f.endswith("x.bin")}


@pytest.mark.parametrize("mode", ["packed", "online"])
def test_neither_thread_nor_file_stays_open(tmp_path, mode):
    before = held()
    stored(tmp_path / "store", mode=mode)

    def leave_early() -> None:
        for _ in DiskLoader(tmp_path / "store", readers=2):
            break

    def forget() -> None:
        next(iter(DiskLoader(tmp_path / "store", readers=2)))

    def cycle() -> None:
        running: list[object] = [iter(DiskLoader(tmp_path / "store", readers=2))]
        next(running[0])  # pyright: ignore[reportArgumentType]
        running.append(running)

    def fail() -> None:
        with pytest.raises(ZeroDivisionError):
            for _ in DiskLoader(tmp_path / "store", transform=lambda data: 1 // 0):
                pass

    def finish() -> None:
        for _ in DiskLoader(tmp_path / "store"):
            pass

    for use in (leave_early, forget, cycle, fail, finish):
        use()
        assert held() == before, use.__name__


def test_a_loader_left_early_goes_on_with_the_next_epoch(store):
    loader, other = DiskLoader(store), DiskLoader(store)
    for _ in loader:
        break
    other.set_epoch(1)
    for a, b in zip(loader, other, strict=True):
        assert_same(a, b)
