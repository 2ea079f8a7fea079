"""How much memory a computation takes beside what it is given."""

from collections.abc import Callable, Iterator
from typing import Any

from torch.profiler import ProfilerActivity, profile


def taken(function: Callable[[], Any]) -> tuple[Any, int, int]:
    """Run a function; return its result, its largest allocation and the most that it held at once, in bytes.

    Args:
        function: What to run.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        result = function()
    tree = seen.profiler.kineto_results.experimental_event_tree()  # pyright: ignore
    held = peak = largest = 0
    for _, size in sorted(_allocations(tree)):
        held += size
        largest, peak = max(largest, size), max(peak, held)
    return result, largest, peak


def _allocations(events: list) -> Iterator[tuple[int, int]]:
    for event in events:
        if event.typed[0].name == "Allocation":
            yield event.start_time_ns, event.typed[1].alloc_size
        yield from _allocations(event.children)
