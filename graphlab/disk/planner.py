"""The plan of a store: which rows stay in memory, and whether packing the others is worth it."""

from dataclasses import asdict, dataclass
from typing import Any

from graphlab.disk.probe import Speed
from graphlab.disk.space import Space

#: The hot set takes at most this part of the features, and of the memory, where nobody says how much.
CACHE_OF_FEATURES = 0.1
CACHE_OF_MEMORY = 0.25
# Writing is taken to be this part of the speed of reading.
_WRITE_SPEED = 0.5
#: What makes a store smaller.
SMALLER = "give more 'cache_bytes', a narrower 'dtype' or fewer 'epochs'"


@dataclass(frozen=True)
class Volume:
    """How much there is to write and to read.

    Args:
        epochs: Number of sampled epochs.
        batches: Number of batches in them.
        record_bytes: Bytes of the batches' records.
        pack_bytes: Bytes of the cold rows of all batches.
        cold_rows: How many those are.
        all_rows: How many rows the batches need, hot ones included.
        hot_rows: Number of rows of the hot set.
        hot_bytes: Bytes of these.
        feature_bytes: Bytes of all features, as they are stored.
        other_bytes: Bytes of everything else that the store holds, or that is there while it is made.
    """

    epochs: int
    batches: int
    record_bytes: int
    pack_bytes: int
    cold_rows: int
    all_rows: int
    hot_rows: int
    hot_bytes: int
    feature_bytes: int
    other_bytes: int

    def needed(self, mode: str) -> int:
        """Return the bytes of the store while it is made.

        Args:
            mode: ``"packed"`` or ``"online"``.
        """
        packs = self.pack_bytes if mode == "packed" else 0
        return self.record_bytes + packs + self.hot_bytes + self.other_bytes


@dataclass(frozen=True)
class Plan:
    """What was decided, and why; printed, it says so.

    Args:
        mode: ``"packed"`` or ``"online"``.
        reason: Why.
        volume: How much there is to write and to read.
        needed: Bytes of the store while it is made.
        planned_epochs: Epochs of training that the store is made for.
        speed: How fast the features are read, where that was measured.
        packed_seconds: Reading time of an epoch of training from packs.
        online_seconds: Reading time of an epoch of training without packs.
        packing_seconds: Time to write the packs.
        break_even_epochs: Epochs of training after which packing has paid; ``None`` for never.
        shard_bytes: A shard is closed once it is longer than this, where what was asked for makes too many files.
    """

    mode: str
    reason: str
    volume: Volume
    needed: int
    planned_epochs: int
    speed: Speed | None = None
    packed_seconds: float | None = None
    online_seconds: float | None = None
    packing_seconds: float | None = None
    break_even_epochs: float | None = None
    shard_bytes: int | None = None

    def __str__(self) -> str:
        volume, lines = self.volume, []
        share = volume.cold_rows / volume.all_rows if volume.all_rows else 0.0
        lines.append(
            f"{volume.batches:,} batches of {volume.epochs} epochs need {volume.all_rows:,} rows; {volume.hot_rows:,} "
            f"hot rows ({_size(volume.hot_bytes)}) leave {volume.cold_rows:,} of them ({share:.0%}) to the disk"
        )
        lines.append(
            f"records {_size(volume.record_bytes)}, packs {_size(volume.pack_bytes)} "
            f"({volume.pack_bytes / max(volume.feature_bytes, 1):.2f} x the features)"
        )
        if self.speed and self.packed_seconds is not None:
            lines.append(
                f"the drive reads {_size(self.speed.bytes_per_second)}/s in sequence and "
                f"{self.speed.rows_per_second:,.0f} rows/s at random: an epoch reads for {self.packed_seconds:.2f} s "
                f"from packs, {self.online_seconds:.2f} s without; packing takes {self.packing_seconds:.2f} s"
            )
        if self.shard_bytes is not None:
            lines.append(f"shards of {_size(self.shard_bytes)}, since smaller ones are too many files")
        lines.append(f"mode {self.mode!r}: {self.reason}; {_size(self.needed)} of disk")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Describe the plan for the manifest."""
        return asdict(self)

    @classmethod
    def from_json(cls, described: dict[str, Any]) -> "Plan":
        """Read what :meth:`to_json` wrote.

        Args:
            described: The description.
        """
        speed = described["speed"]
        return cls(**{**described, "volume": Volume(**described["volume"]), "speed": Speed(**speed) if speed else None})


def make_plan(volume: Volume, mode: str, *, planned_epochs: int, speed: Speed | None, space: Space) -> Plan:
    r"""Decide whether to pack.

    Per epoch of training, packs take :math:`(R + P) / b` seconds to read and rows at random places
    :math:`R / b + \min(c / r,\; n F / b)`, where :math:`R` and :math:`P` are the bytes of records and packs of an
    epoch, :math:`c` its cold rows, :math:`n` its batches, :math:`F` the bytes of the features, :math:`b` the drive's
    bytes per second in sequence and :math:`r` its rows per second at random. Packing pays where what it costs once is
    won back within the planned epochs.

    Args:
        volume: How much there is to write and to read.
        mode: ``"auto"``, or the mode that was asked for.
        planned_epochs: Epochs of training that the store is made for.
        speed: How fast the features are read; needed for ``"auto"``.
        space: What the store may take.

    Raises:
        DiskFullError: The store does not fit.
    """
    if mode == "auto" and volume.cold_rows == 0:
        mode, reason, times = "packed", "all rows are hot, there is nothing to pack", {}
    elif mode == "auto" and speed is not None:
        mode, reason, times = _decide(volume, planned_epochs, speed, space)
    else:
        reason, times = "asked for", {}
    plan = Plan(mode, reason, volume, volume.needed(mode), planned_epochs, speed, **times)
    space.check(plan.needed, f"{SMALLER}, or give mode='online'" if mode == "packed" else SMALLER)
    return plan


def _decide(volume: Volume, planned_epochs: int, speed: Speed, space: Space) -> tuple[str, str, dict]:
    rate, epochs = speed.bytes_per_second, max(volume.epochs, 1)
    records = volume.record_bytes / epochs / rate
    packed = records + volume.pack_bytes / epochs / rate
    scans = volume.batches / epochs * volume.feature_bytes / rate
    online = records + min(volume.cold_rows / epochs / speed.rows_per_second, scans)
    packing = volume.pack_bytes / (rate * _WRITE_SPEED)
    even = packing / (online - packed) if online > packed else None
    times = {
        "packed_seconds": packed,
        "online_seconds": online,
        "packing_seconds": packing,
        "break_even_epochs": even,
    }
    if even is None:
        return "online", "reading rows where they are is as fast as reading packs", times
    if even > planned_epochs:
        return "online", f"packing pays after {even:.1f} epochs only, {planned_epochs} are planned", times
    if volume.needed("packed") > space.free:
        limit = "'disk_budget' allows" if space.limited else "there are"
        return "online", f"packs need {volume.needed('packed'):,} bytes of disk, {limit} {space.free:,}", times
    return "packed", f"packing pays after {even:.1f} of the {planned_epochs} planned epochs", times


def default_cache_bytes(feature_bytes: int, memory: int) -> int:
    """Return the bytes of the hot set where nobody says how many.

    Args:
        feature_bytes: Bytes of all features, as batches have them.
        memory: Bytes of memory that training may hold.
    """
    return min(int(CACHE_OF_FEATURES * feature_bytes), int(CACHE_OF_MEMORY * memory))


def _size(number: float) -> str:
    power = 0
    while number >= 1000 and power < 4:
        number, power = number / 1000, power + 1
    return f"{number:.3g} {'kMGT'[power - 1]}B" if power else f"{number:,.0f} bytes"
