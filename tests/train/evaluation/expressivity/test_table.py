from typing import Any

from graphlab.train.evaluation.expressivity import COMPARISONS, format_rows
from graphlab.train.evaluation.expressivity.references import HERE
from graphlab.train.evaluation.expressivity.table import Row, rpc_rows, untrained_rows

COLUMNS = [COMPARISONS[name] for name in ("sr25", "graph8c")]
SR25: dict[str, Any] = {"separated": {"sr25": 3}, "noise": 2e-15, "seconds": 1.25}
GRAPH8C: dict[str, Any] = {"separated": {"graph8c": 61_788_000}, "noise": 3e-16, "seconds": 1000.0}
MEASURED: Any = {"wl": [*zip(COLUMNS, [SR25, GRAPH8C], strict=True)]}


def test_a_network_is_followed_by_what_others_found() -> None:
    ours, theirs = untrained_rows(MEASURED, others=False)
    assert ours == Row("wl", HERE, {"sr25": 3, "graph8c": 286}, {"noise": "2e-15", "seconds": "1,001.2"})
    assert (theirs.network, theirs.source, theirs.figures["graph8c"]) == ("wl", "prototype", 312)


def test_others_have_rows_where_a_column_tells_of_them() -> None:
    names = [row.network for row in untrained_rows(MEASURED)]
    assert names[:2] == ["wl", "wl"] and "spen" in names and "SUN" not in names
    brec: Any = {"wl": [(COMPARISONS["brec"], None)]}
    rows = untrained_rows(brec)
    assert rows[0].more == {"noise": "not run", "seconds": ""} and "SUN" in [row.network for row in rows]


def test_text_ends_with_the_sources() -> None:
    lines = format_rows(untrained_rows(MEASURED, others=False), COLUMNS).splitlines()
    assert lines[0].split() == ["network", "figures", "sr25", "graph8c", "missed", "noise", "seconds"]
    assert lines[1].split() == ["pairs", "105", "61,788,286"]
    assert lines[2].split() == ["wl", "here", "3", "286", "2e-15", "1,001.2"]
    assert lines[3].split() == ["wl", "prototype", "0", "312"]
    assert lines[5].startswith("prototype: measured with a prototype of ours") and len(lines) == 6


def test_markdown_is_a_table_and_a_list() -> None:
    lines = format_rows(untrained_rows(MEASURED, others=False), COLUMNS, "markdown").splitlines()
    assert lines[1] == "| --- | --- | ---: | ---: | ---: | ---: |"
    assert lines[3] == "| wl | here | 3 | 286 | 2e-15 | 1,001.2 |" and lines[6].startswith("- prototype: ")


def test_csv_is_for_programs() -> None:
    lines = format_rows(untrained_rows(MEASURED, others=False), COLUMNS, "csv").splitlines()
    assert lines == [
        "network,figures,sr25,graph8c missed,noise,seconds",
        "pairs,,105,61788286,,",
        "wl,here,3,286,2e-15,1001.2",
        "wl,prototype,0,312,,",
    ]


def test_what_a_reader_must_know_of_a_network_is_told_below() -> None:
    measured: Any = {"ppgn++8": [(COLUMNS[0], SR25)]}
    assert "ppgn++8: ppgn++ with sharper sines (frequency 8)" in format_rows(untrained_rows(measured), COLUMNS[:1])
    assert "- ppgn++8: " in format_rows(untrained_rows({"ppgn++8": [(COLUMNS[0], None)]}), COLUMNS[:1], "markdown")
    assert "ppgn++8" not in format_rows(untrained_rows(MEASURED), COLUMNS)


def test_without_references_there_are_no_notes() -> None:
    assert format_rows([Row("net", HERE, {"sr25": (1, 2)})], COLUMNS[:1]).splitlines()[-1].split() == [
        "net",
        "here",
        "1/2",
    ]


def test_rpc_stands_beside_the_paper_alone() -> None:
    rows = rpc_rows({"fwl": Row("fwl", HERE, {"brec": 1})})
    assert [row.source for row in rows[:2]] == [HERE, "BREC paper"] and rows[1].figures == {"brec": 270}
    assert {row.source for row in rows[1:]} == {"BREC paper"} and len(rpc_rows({}, others=False)) == 0
