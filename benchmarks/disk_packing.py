"""Making a store: what its phases take, and how often the features are read."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from disk_data import FANOUTS, Usage, World, cool
from measure import resident

from graphlab.disk import prepare

# What prepare tells of when a part of a phase is done. It tells of sorting when that begins, so that the first few
# batches count as sorting.
_PHASES = {"sampled": "sample", "mode": "plan", "wrote": "records", "packed": "pack"}


def packing(world: World, out: Path, batch_size: int, batches: int, memory_budget: int | None) -> dict[str, Any]:
    """Make a store from cold files."""
    cool(*world.inputs)
    marks: list[tuple[str, Usage]] = [("start", Usage.now())]

    def progress(line: str) -> None:
        last = line.splitlines()[-1].split()[0]
        if last in _PHASES:
            first = marks[-1][0] == "start"
            marks.append(("sort" if first else _PHASES[last], Usage.now()))

    info = prepare(
        world.files(),
        out,
        num_neighbors=FANOUTS,
        batch_size=batch_size,
        input_nodes=world.seeds(batch_size * batches),
        mode="packed",
        cache_bytes=world.feature_bytes // 10,
        memory_budget=memory_budget,
        progress=progress,
    )
    marks.append(("seal", Usage.now()))
    phases: dict[str, dict[str, float]] = {}
    for (_, before), (name, after) in pairwise(marks):
        total = phases.setdefault(name, {"seconds": 0.0, "cpu_seconds": 0.0, "read_bytes": 0})
        for key, value in vars(after - before).items():
            if key in total:
                total[key] += value
    whole = marks[-1][1] - marks[0][1]
    assert info.plan is not None
    volume = info.plan["volume"]
    return {
        "seconds": whole.seconds,
        "cpu_seconds": whole.cpu_seconds,
        "read_bytes": whole.read_bytes,
        "phases": phases,
        # With the cold ids, which the same phase reads.
        "feature_reads": phases["pack"]["read_bytes"] / world.feature_bytes,
        "blow_up": volume["pack_bytes"] / world.feature_bytes,
        "hot_share": 1 - volume["cold_rows"] / volume["all_rows"],
        "rows_per_batch": volume["all_rows"] / volume["batches"],
        "peak_bytes": resident("VmHWM"),
    }
