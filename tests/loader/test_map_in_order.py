"""Threads work ahead and hand out in order."""

import contextlib
import gc
import sys
import threading
import time

import pytest

from graphlab.loader.map_in_order import map_in_order


def ours() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("graphlab-loader")]


@pytest.mark.parametrize("num_threads", [0, 1, 4])
def test_results_come_in_order(num_threads):
    def slow_first(i: int) -> int:
        time.sleep(0.02 if i % 4 == 0 else 0.0)
        return i * i

    assert list(map_in_order(slow_first, range(12), num_threads, 8)) == [i * i for i in range(12)]
    assert not ours()


@pytest.mark.parametrize("num_threads", [0, 3])
def test_nothing_to_do(num_threads):
    assert list(map_in_order(str, [], num_threads, 2)) == []


def test_no_more_is_begun_than_is_asked_for():
    begun = []
    results = map_in_order(begun.append, range(20), 2, 3)
    next(results)
    time.sleep(0.05)
    assert len(begun) == 4
    results.close()


@pytest.mark.parametrize("num_threads", [0, 2])
def test_an_exception_comes_in_its_place(num_threads):
    def refuse_two(i: int) -> int:
        if i == 2:
            raise KeyError("two")
        return i

    got = []
    with pytest.raises(KeyError, match="two"):
        for i in map_in_order(refuse_two, range(50), num_threads, 4):
            got.append(i)
    assert got == [0, 1]
    assert not ours()


def test_leaving_early_ends_the_threads_and_what_waits():
    done = []

    def work(i: int) -> int:
        time.sleep(0.005)
        done.append(i)
        return i

    for i in map_in_order(work, range(1000), 2, 100):
        if i == 3:
            break
    assert not ours()
    assert len(done) < 100


@pytest.mark.parametrize("steps", [1, 2])
def test_an_iterator_may_be_collected_by_its_own_thread(monkeypatch, steps):
    class Circle:
        pass

    def collect(i: int) -> int:
        if i:
            let_go.wait(10)
            gc.collect()
        return i

    def results():
        made = map_in_order(collect, range(100), 1, 8)
        if steps == 2:  # threads that wait for the other ones
            with contextlib.closing(map_in_order(lambda _, first=made: next(first), range(100), 1, 8)) as made:
                yield from made
        yield from made

    lost, let_go, circle = [], threading.Event(), Circle()
    monkeypatch.setattr(sys, "unraisablehook", lambda report: lost.append(report.exc_value))
    gc.disable()
    try:
        circle.itself, circle.results = circle, results()
        next(circle.results)
        del circle
        let_go.set()
        threads = ours()
        for thread in threads:
            thread.join(10)
    finally:
        gc.enable()
    assert threads
    assert not lost
    assert not ours()
