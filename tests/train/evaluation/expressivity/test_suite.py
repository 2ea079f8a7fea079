from pathlib import Path
from typing import Any

import pytest

from graphlab.train.config import ConfigError
from graphlab.train.evaluation.expressivity import NETWORKS, Records, suite


def test_choices_become_cells_once_each() -> None:
    compared = suite.comparisons(["sr25", "sr251256", "csl"])
    assert [one.name for one in compared] == ["sr25", "csl"]
    cells = suite.untrained_cells(["gin", "GIN", "wl"], compared, 3)
    assert [(cell.name, cell.seed) for cell in cells] == [
        (f"{name} on {data}", 3) for name in ("gin", "wl") for data in ("sr25", "csl")
    ]
    assert len(suite.untrained_cells([], compared, 0)) == 2 * len(NETWORKS)
    assert [one.name for one in suite.comparisons([])] == ["brec", "sr25", "csl", "exp", "cexp", "graph8c"]


def test_pairs_become_cells_of_networks_with_weights() -> None:
    assert [cell.pair for cell in suite.rpc_cells(["gin"], [7, 2], 0)] == [7, 2]
    names = {cell.network.name for cell in suite.rpc_cells([], None, 0)}
    assert names == set(NETWORKS) - {"wl", "fwl"} and len(suite.rpc_cells(["gin"], None, 0)) == 400
    with pytest.raises(ConfigError, match="--pairs: BREC has pairs 0 to 399, got 400"):
        suite.rpc_cells([], [0, 400], 0)


def test_only_what_is_reliable_counts(tmp_path: Path) -> None:
    records, cells = Records(tmp_path), suite.rpc_cells(["gin"], None, 0)
    verdicts = {0: (True, True), 1: (True, False), 60: (False, True)}
    for pair, (separated, reliable) in verdicts.items():
        figures: dict[str, Any] = {"separated": separated, "reliable": reliable, "seconds": 2.0}
        records.write(cells[pair], figures, {})
    (row,) = suite.rows_of_rpc(cells, records, others=False, warn=pytest.fail)
    assert row.figures == {"basic": (1, 2), "simple_regular": (0, 1), "brec": (1, 3)}
    assert row.more == {"unreliable": "1", "seconds": "6.0"}


def test_a_category_that_is_whole_has_a_plain_count(tmp_path: Path) -> None:
    records, cells = Records(tmp_path), suite.rpc_cells(["gin"], range(360, 380), 0)
    for cell in cells:
        records.write(cell, {"separated": True, "reliable": True, "seconds": 1.0}, {})
    (row,) = suite.rows_of_rpc(cells, records, others=False, warn=pytest.fail)
    assert row.figures == {"four_vertex_condition": 20, "brec": (20, 20)}


def test_what_is_not_run_is_said(tmp_path: Path) -> None:
    (row,) = suite.rows_of_rpc(suite.rpc_cells(["spen"], None, 0), Records(tmp_path), others=False, warn=pytest.fail)
    assert row.figures == {} and row.more == {"unreliable": "not run"}


def test_a_file_that_is_no_result_counts_as_not_run_and_is_said(tmp_path: Path) -> None:
    records, lines = Records(tmp_path), list[str]()
    pairs, (table,) = suite.rpc_cells(["gin"], [0, 1], 0), suite.untrained_cells(["gin"], suite.comparisons(["csl"]), 0)
    records.write(pairs[0], {"separated": True, "reliable": True, "seconds": 1.0}, {})
    records.write(pairs[1], {"reliable": True}, {})
    records.write(table, {"noise": 0.0}, {})
    (row,) = suite.rows_of_rpc(pairs, records, others=False, warn=lines.append)
    assert row.figures == {"basic": (1, 1), "brec": (1, 1)}
    row = suite.rows_of_untrained([table], records, others=False, warn=lines.append)[0]
    assert row.more["noise"] == "not run"
    assert [line.endswith("is no result of graphlab eval expressivity; remove it") for line in lines] == [True, True]
