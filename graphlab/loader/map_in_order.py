"""Work done ahead by threads, handed out in order."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from typing import TypeVar

from graphlab.ops.worker_pool import worker_pool

Item = TypeVar("Item")
Result = TypeVar("Result")

_THREADS = "graphlab-loader"


def map_in_order(
    function: Callable[[Item], Result], items: Iterable[Item], num_threads: int, ahead: int
) -> Generator[Result, None, None]:
    """Yield ``function(item)`` of each item in order, computed ahead by threads.

    An exception of the function reaches the caller in its place. When the generator ends, is closed or is thrown
    away, work that has not begun is dropped and its threads are joined; unless that happens in such a thread, for
    instance in a collection of garbage: it might wait for itself.

    Args:
        function: What to compute; it must be safe to call from several threads.
        items: What to compute it of; read by the caller's thread.
        num_threads: How many threads compute; 0 computes in the caller's thread when asked.
        ahead: How many results may be computed or waiting beyond the one that the caller has.

    Example:
        >>> from graphlab.loader.map_in_order import map_in_order
        >>> list(map_in_order(str, [3, 1, 2], num_threads=2, ahead=2))
        ['3', '1', '2']
    """
    if num_threads == 0:
        yield from map(function, items)
        return
    pending: deque[Future[Result]] = deque()
    pool = worker_pool(num_threads, _THREADS)
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=not threading.current_thread().name.startswith(_THREADS), cancel_futures=True)
