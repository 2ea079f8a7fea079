from dataclasses import fields, replace
from typing import Any

import pytest

from graphlab.train.evaluation.expressivity import COMPARISONS, RpcCell, UntrainedCell, cells, network
from graphlab.train.evaluation.expressivity.protocols import RPC, UNTRAINED

GIN = network("gin")
UNTRAINED_CELL, PAIR = UntrainedCell(GIN, COMPARISONS["csl"]), RpcCell(GIN, 3)


@pytest.mark.parametrize(("cell", "name"), [(UNTRAINED_CELL, "UNTRAINED"), (PAIR, "RPC")])
def test_settings_hold_every_number_of_the_protocol(cell: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, protocol = cell.settings, {"UNTRAINED": UNTRAINED, "RPC": RPC}[name]
    for one in fields(protocol):
        monkeypatch.setattr(cells, name, replace(protocol, **{one.name: 99}))
        assert cell.settings != before


@pytest.mark.parametrize("cell", [UNTRAINED_CELL, PAIR])
def test_results_of_another_revision_or_version_do_not_count(cell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cell.settings
    monkeypatch.setattr(cells, "_REVISION", -1)
    assert cell.settings != before
    monkeypatch.undo()
    monkeypatch.setattr(cells, "__version__", "0")
    assert cell.settings != before


def test_the_tolerance_of_a_network_counts_where_it_is_used() -> None:
    other = replace(GIN, tolerance=1e-6)
    assert replace(UNTRAINED_CELL, network=other).settings != UNTRAINED_CELL.settings
    assert replace(PAIR, network=other).settings == PAIR.settings
