import copy
import gc
import pickle
import resource
import threading

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.disk.buffers import BufferPool
from graphlab.disk.files import BLOCK


def test_buffers_start_at_pages_and_have_whole_blocks():
    pool = BufferPool(BLOCK + 1, keep=2)
    assert pool.size == 2 * BLOCK
    for buffer in (pool.take(), pool.take()):
        assert buffer.shape == (2 * BLOCK,)
        assert buffer.data_ptr() % BLOCK == 0
    assert BufferPool(0, keep=1).take().numel() == BLOCK


def test_a_buffer_comes_back_with_the_last_view_of_it():
    pool = BufferPool(BLOCK, keep=4)
    buffer = pool.take()
    address, view = buffer.data_ptr(), buffer.view(torch.bfloat16).view(8, -1)[2:, 3]
    array = view.view(torch.int16).numpy()
    del buffer, view
    assert (pool.out_bytes, pool.kept_bytes) == (BLOCK, 0)
    other = pool.take()
    assert other.data_ptr() != address
    del array
    assert (pool.out_bytes, pool.kept_bytes) == (BLOCK, BLOCK)
    assert pool.take().data_ptr() == address


def test_a_buffer_in_a_cycle_comes_back_with_the_collector():
    pool = BufferPool(BLOCK, keep=4)
    cycle: list[object] = [pool.take()]
    cycle.append(cycle)
    del cycle
    gc.collect()
    assert (pool.out_bytes, pool.kept_bytes) == (0, BLOCK)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda pool: pickle.loads(pickle.dumps(pool))])
def test_a_copy_has_buffers_of_its_own(copied):
    pool = BufferPool(BLOCK + 1, keep=1)
    buffer, waits = pool.take(), pool.take()
    del waits
    other = copied(pool)
    assert (other.size, other.out_bytes, other.kept_bytes) == (2 * BLOCK, 0, 0)
    first, second = other.take(), other.take()
    assert len({t.data_ptr() for t in (buffer, first, second)}) == 3
    del first, second
    assert (other.out_bytes, other.kept_bytes, pool.kept_bytes) == (0, 2 * BLOCK, 2 * BLOCK)


def test_buffers_outlive_their_pool():
    buffer = BufferPool(BLOCK, keep=4).take()
    gc.collect()
    assert int(buffer.fill_(7).sum()) == 7 * BLOCK


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 3))
def test_what_is_kept_is_bounded_and_what_is_out_is_known(steps, keep):
    pool, held = BufferPool(BLOCK, keep), []
    for take in steps:
        if take:
            held.append(pool.take())
        elif held:
            held.pop()
        assert pool.out_bytes == len(held) * BLOCK
        assert pool.kept_bytes <= keep * BLOCK
        assert len({b.data_ptr() for b in held}) == len(held)


def test_threads_never_share_a_buffer():
    pool, wrong = BufferPool(BLOCK, keep=2), []

    def work(number: int) -> None:
        for _ in range(300):
            buffer = pool.take().fill_(number)
            if not bool((buffer == number).all()):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert (pool.out_bytes, pool.kept_bytes <= 2 * BLOCK) == (0, True)


@pytest.mark.parametrize("size", [BLOCK, 4 << 20])
def test_a_buffer_used_again_costs_no_page_faults(size):
    pool = BufferPool(size, keep=1)
    pool.take().fill_(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        pool.take().fill_(2)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 20 * size // BLOCK // 10 + 20
