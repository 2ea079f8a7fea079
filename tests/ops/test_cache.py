import torch

from graphlab import ops
from graphlab.ops.cache import IndexCache


def test_content_and_key_decide():
    cache, built = IndexCache(), []

    def build():
        built.append(len(built))
        return built[-1]

    index = torch.tensor([0, 1, 2])
    assert cache.get(index, "a", build) == cache.get(index.clone(), "a", build) == 0
    assert cache.get(index, "b", build) == 1
    assert cache.get(index.int(), "a", build) == 2
    index[0] = 5
    assert cache.get(index, "a", build) == 3


def test_the_least_recently_used_goes_first_and_size_is_bounded():
    cache = IndexCache(max_entries=2)
    a, b, c = (torch.tensor([i]) for i in range(3))
    for index in (a, b, a, c):
        cache.get(index, "", lambda: object())
    kept = cache.get(a, "", lambda: "built again")
    assert kept != "built again" and cache.get(b, "", lambda: "built again") == "built again"
    small = IndexCache(max_bytes=100)
    for i in range(5):
        small.get(torch.full((10,), i), "", lambda: None)
    assert len(small) == 1


def test_the_size_may_be_told_of_the_value():
    cache = IndexCache(max_bytes=1000)
    for key in ("a", "b"):
        cache.get(torch.tensor([0]), key, lambda: [0] * 600, size=len)
    assert len(cache) == 1


def test_clear_cache_forgets_everything():
    ops.groups.make_groups(torch.tensor([1, 0]), None, 2, 2)
    ops.clear_cache()
    assert len(ops.groups._CACHE) == 0
