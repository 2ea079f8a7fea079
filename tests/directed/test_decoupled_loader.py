import pytest
import torch

from graphlab.directed import DecoupledLoader, HopFeatures, StoredHops


def hops() -> HopFeatures:
    return HopFeatures(torch.arange(60.0).view(10, 3, 2))


def test_an_epoch_is_each_node_once_with_its_hops_and_class():
    nodes, y = torch.tensor([1, 3, 5, 7, 9]), torch.arange(10) * 2
    loader = DecoupledLoader(hops(), nodes, y=y, batch_size=2, shuffle=True, seed=3)
    batches = list(loader)
    assert len(loader) == len(batches) == 3
    assert torch.cat([batch.rows for batch in batches]).sort().values.equal(nodes)
    for rows, some, classes in batches:
        assert some.dense.equal(hops().dense[rows]) and classes.equal(2 * rows)


def test_orders_are_those_of_seed_and_epoch(tmp_path):
    hops().save(tmp_path / "hops")

    def epochs(given, seed):
        loader = DecoupledLoader(given, batch_size=4, shuffle=True, seed=seed)
        return [torch.cat([batch.rows for batch in loader]).tolist() for _ in range(2)]

    first = epochs(hops(), 0)
    assert first == epochs(StoredHops(tmp_path / "hops"), 0)
    assert first[0] != first[1] and first != epochs(hops(), 1)
    loader = DecoupledLoader(hops(), batch_size=4, shuffle=True)
    assert loader.batch(1, 2).rows.tolist() == first[1][8:]
    loader.set_epoch(1)
    assert next(iter(loader)).rows.tolist() == first[1][:4]


def test_without_shuffling_nodes_keep_their_order():
    mask = torch.arange(10) % 2 == 0
    assert [batch.rows.tolist() for batch in DecoupledLoader(hops(), mask, batch_size=3)] == [[0, 2, 4], [6, 8]]
    assert not list(DecoupledLoader(hops(), mask & ~mask))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "'batch_size' must be at least 1, got 0"),
        ({"y": torch.arange(3)}, "'y' must hold a class for each of the 10 nodes, got 3"),
        ({"input_nodes": torch.tensor([10])}, r"rows must lie in \[0, 10\), got 10 to 10"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        DecoupledLoader(hops(), **options)


def test_batches_outside_the_epoch_are_refused():
    with pytest.raises(IndexError, match=r"'index' must lie in \[0, 1\), got 1"):
        DecoupledLoader(hops()).batch(0, 1)
