from pathlib import Path
from typing import Any

import pytest
import torch

from graphlab.data import load, splits


@pytest.mark.usefixtures("mirror")
def test_the_graph_is_that_of_the_file(shared_root: Path) -> None:
    graph: Any = load("email-eu-core", shared_root)[0]
    source, target = graph.edge_index
    stored = source * 1005 + target
    assert graph.num_nodes == 1005 and stored.unique().numel() == graph.num_edges == 25571
    assert int((source == target).sum()) == 642
    assert float(torch.isin(target * 1005 + source, stored).double().mean()) == pytest.approx(0.7185, abs=5e-5)
    assert graph.y.unique().tolist() == [*range(42)] and graph.y.bincount()[:4].tolist() == [49, 65, 10, 12]
    assert graph.is_direction_genuine is True


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize(("options", "width"), [({}, 2), ({"features": "random"}, 1), ({"features": "onehot"}, 1005)])
def test_features_are_chosen(options: dict[str, Any], width: int, shared_root: Path) -> None:
    assert load("email-eu-core", shared_root, **options)._data.x.shape == (1005, width)


@pytest.mark.usefixtures("mirror")
def test_every_department_trains_in_every_split(shared_root: Path) -> None:
    dataset: Any = load("email-eu-core", shared_root)
    for split in range(10):
        parts = splits(dataset, split)
        assert [len(part) for part in parts.values()] == [619, 203, 183]
        assert torch.equal(torch.cat([*parts.values()]).sort().values, torch.arange(1005))
        assert dataset[0].y[parts["train"]].unique().numel() == 42


def test_without_the_files_the_error_names_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match=r"core\.txt, snap/email-Eu-core-department-labels\.txt; looked in"):
        load("email-eu-core", tmp_path)
