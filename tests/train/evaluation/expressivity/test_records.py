import json
from pathlib import Path
from typing import Any

import pytest
from filelock import Timeout
from hypothesis import given
from hypothesis import strategies as st

from graphlab.train.config import ConfigError
from graphlab.train.evaluation.expressivity import Comparison, Network, Records, RpcCell, UntrainedCell

NET = Network("my.nets:Net", "my.nets:Net", {"sizes": (1, 2)})
TOYS = Comparison("toys", "none", {"toys": range(2)})
CELL, PAIR = UntrainedCell(NET, TOYS), RpcCell(NET, 7)
FIGURES: dict[str, Any] = {"separated": {"toys": 1}, "noise": 0.0, "seconds": 1.5}
VERDICT: dict[str, Any] = {"separated": True, "reliable": False, "seconds": 1.5}


def test_figures_count_while_their_settings_are_the_same(tmp_path: Path) -> None:
    records = Records(tmp_path / "out")
    assert records.read(CELL) is None
    records.write(CELL, FIGURES, {"torch": "2"})
    assert records.path(CELL) == tmp_path / "out" / "untrained" / "my.nets%3ANet" / "seed-0" / "toys.json"
    assert records.read(CELL) == FIGURES
    assert records.read(UntrainedCell(Network(NET.name, NET.path, {"sizes": (1, 3)}), TOYS)) is None


def test_figures_of_each_seed_are_kept(tmp_path: Path) -> None:
    records = Records(tmp_path)
    for kind in (lambda seed: UntrainedCell(NET, TOYS, seed), lambda seed: RpcCell(NET, 7, seed)):
        figures = VERDICT if isinstance(kind(0), RpcCell) else FIGURES
        for seed in (0, 1):
            records.write(kind(seed), figures | {"seconds": seed}, {})
        assert [(records.read(kind(seed)) or {})["seconds"] for seed in (0, 1)] == [0, 1]


@given(st.lists(st.text("ab:/-%. A", min_size=1, max_size=4), min_size=2, max_size=2, unique=True))
def test_two_networks_never_share_a_file(names: list[str]) -> None:
    nets = [Network(f"my:{name}", f"my:{name}") for name in names]
    first, second = (Records(Path("out")).path(RpcCell(net, 0)) for net in nets)
    assert first != second and len(first.parts) == len(second.parts) == 5


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"settings": {}', '{"settings": 1, "figures"', "\udcff"])
def test_a_file_that_is_no_result_is_not_guessed_at(tmp_path: Path, content: str) -> None:
    records = Records(tmp_path)
    records.path(CELL).parent.mkdir(parents=True)
    records.path(CELL).write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError, match=r"toys\.json: is no result of graphlab eval expressivity; remove it"):
        records.read(CELL)


@pytest.mark.parametrize(
    "damage",
    [
        {"separated": None},
        {"separated": {"other": 1}},
        {"separated": {"toys": "1"}},
        {"separated": {"toys": -1}},
        {"noise": None},
        {"noise": float("nan")},
        {"seconds": True},
    ],
)
@pytest.mark.parametrize("cell", [CELL, PAIR])
def test_figures_that_no_table_reads_are_no_result(cell: Any, damage: dict[str, Any], tmp_path: Path) -> None:
    records = Records(tmp_path)
    good = VERDICT if cell is PAIR else FIGURES
    if not set(damage) <= set(good):
        return
    records.write(cell, good, {})
    content = json.loads(records.path(cell).read_text()) | {"figures": good | damage}
    records.path(cell).write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="is no result"):
        records.read(cell)


@pytest.mark.parametrize("figures", [None, [], "figures", {}])
def test_figures_that_are_none_are_no_result(figures: Any, tmp_path: Path) -> None:
    Records(tmp_path).write(CELL, figures, {})
    with pytest.raises(ConfigError, match="is no result"):
        Records(tmp_path).read(CELL)


def test_a_cell_is_locked_by_one(tmp_path: Path) -> None:
    records = Records(tmp_path)
    with records.lock(CELL):
        with pytest.raises(Timeout), records.lock(CELL):
            pass
        with records.lock(UntrainedCell(NET, TOYS, 1)):
            pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"--out: .*/file/out cannot be made: Not a directory"):
        Records(tmp_path / "file" / "out").lock(CELL)
