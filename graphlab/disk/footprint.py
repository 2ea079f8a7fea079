"""How much memory loading takes."""

from dataclasses import dataclass

from graphlab.disk.files import align
from graphlab.disk.store import Store
from graphlab.disk.store_info import StoreInfo

# What an entry of an index takes in memory, with what finds it.
_ENTRY_BYTES = 512
# What threads that gather rows read into.
_GATHER_BYTES = 32 << 18


@dataclass(frozen=True)
class Footprint:
    r"""The bytes of memory that loading from a store takes at most.

    .. math::
        \text{hot} + (\text{queue\_depth} + 2)(\text{rows} + \text{arrays})
        + (\text{readers} + 1)\,\text{extent} + \text{unpacked} + \text{index}

    where two batches more than are read ahead are the one in use, and one made before that is let go, and one extent
    more than there are readers is the one that a batch is made of.

    Args:
        hot: The rows that are kept in memory.
        rows: Rows of a batch.
        arrays: Other arrays of a batch.
        extent: What a batch takes on the disk.
        unpacked: Rows that a batch reads from the features instead.
        index: Where the batches lie.
    """

    hot: int
    rows: int
    arrays: int
    extent: int
    unpacked: int
    index: int

    @classmethod
    def of(cls, store: Store) -> "Footprint":
        """Return that of a store.

        Args:
            store: The store.
        """
        info, entries = store.info, [e for s in store.shards for e in s.entries]
        record = max((e.record_bytes for e in entries), default=0)
        nodes, unpacked = most_nodes(info, record), 0
        if info.mode == "online":  # as the rows lie in the file, and in the dtype of batches
            width = store.features.row_bytes + (info.row_bytes if info.features.dtype != info.dtype else 0)
            unpacked = nodes * width + _GATHER_BYTES
        return cls(
            hot=info.hot_rows * info.row_bytes,
            rows=align(nodes * info.row_bytes),
            arrays=2 * record,  # numbers of 4 bytes in a record have 8 in a batch
            extent=max((e.extent for e in entries), default=0),
            unpacked=unpacked,
            index=_ENTRY_BYTES * len(entries),
        )

    def total(self, readers: int, queue_depth: int) -> int:
        """Return the sum.

        Args:
            readers: How many threads read.
            queue_depth: How many batches are read ahead.
        """
        batches = (queue_depth + 2) * (self.rows + self.arrays)
        return self.hot + batches + (readers + 1) * self.extent + self.unpacked + self.index

    def terms(self, readers: int, queue_depth: int) -> str:
        """Return the sum, written out.

        Args:
            readers: How many threads read.
            queue_depth: How many batches are read ahead.
        """
        return (
            f"hot rows {self.hot:,} + (queue_depth {queue_depth} + 2) x batch {self.rows + self.arrays:,} + (readers "
            f"{readers} + 1) x extent {self.extent:,} + unpacked rows {self.unpacked:,} + index {self.index:,} = "
            f"{self.total(readers, queue_depth):,} bytes"
        )


def most_nodes(info: StoreInfo, record_bytes: int) -> int:
    """Return how many nodes a batch has at most: each but the seeds was found along an edge of its own.

    Args:
        info: The store's description.
        record_bytes: The bytes of the batch's record.
    """
    node, edge = (sum(f.row_bytes for f in info.layout.fields if f.per == per) for per in ("node", "edge"))
    seeds = info.sampling.batch_size
    return min((record_bytes + seeds * edge) // (node + edge), info.num_nodes + seeds)
