"""Threads for work that is split among them already."""

from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import torch


def worker_pool(num_threads: int, name: str = "graphlab") -> ThreadPoolExecutor:
    """Make a pool of threads each of which computes alone: torch splits nothing further that runs on them.

    Threads that wait for helpers of theirs stand still whenever there are more threads than cores, most of all while a
    model is trained; and each helper reserves a stack.

    Args:
        num_threads: How many threads.
        name: What their names begin with.

    Example:
        >>> import torch
        >>> from graphlab.ops.worker_pool import worker_pool
        >>> with worker_pool(2) as pool:
        ...     list(pool.map(lambda _: torch.get_num_threads(), range(2)))
        [1, 1]
    """
    return ThreadPoolExecutor(num_threads, name, _compute_alone, (torch.get_num_threads(),))


def _compute_alone(threads_of_others: int) -> None:
    # The number counts for the thread that sets it, and for each that asks torch for the first time after that: this
    # one must have asked before, and those to come must find what they would have found.
    torch.get_num_threads()
    torch.set_num_threads(1)
    other = Thread(target=torch.set_num_threads, args=(threads_of_others,))
    other.start()
    other.join()
