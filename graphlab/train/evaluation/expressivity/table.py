"""The table of the suite: pairs told apart, beside what others found. Imports no torch."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from graphlab.train.evaluation.expressivity.comparisons import Comparison
from graphlab.train.evaluation.expressivity.networks import NETWORKS
from graphlab.train.evaluation.expressivity.references import BREC_PAPER, HERE, REFERENCES, SOURCES, Figure, Reference
from graphlab.train.grid import as_markdown, as_text

Style = Literal["text", "markdown", "csv"]

_SHORT = {
    "simple_regular": "regular",
    "strongly_regular": "str. reg.",
    "four_vertex_condition": "4-vertex",
    "distance_regular": "dist. reg.",
}


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        network: what is measured.
        source: who measured it.
        figures: pairs told apart, or not told apart, by column.
        more: what else is told of it, by column.
        note: what a reader must know, told below the table.
    """

    network: str
    source: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
    more: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def untrained_rows(
    measured: Mapping[str, Sequence[tuple[Comparison, dict[str, Any] | None]]], others: bool = True
) -> list[Row]:
    """The rows of the protocol without training: each network, then its references.

    Args:
        measured: by network, the figures of each comparison; None where it was not made.
        others: whether networks that are not measured here get their rows.
    """
    rows = []
    for name, found in measured.items():
        rows += [_measured(name, found), *_referred([one for one in REFERENCES if one.network == name])]
    if others:
        rows += _referred([one for one in REFERENCES if one.network not in measured])
    return _with_figures(rows, [comparison for found in measured.values() for comparison, _ in found])


def rpc_rows(measured: Mapping[str, Row], others: bool = True) -> list[Row]:
    """The rows of BREC's own protocol: each network, then what its paper reports.

    Args:
        measured: the row of each network.
        others: whether networks that are not measured here get their rows.
    """
    told = [one for one in REFERENCES if one.source == BREC_PAPER]
    rows = []
    for name, row in measured.items():
        rows += [row, *_referred([one for one in told if one.network == name])]
    return rows + (_referred([one for one in told if one.network not in measured]) if others else [])


def format_rows(rows: Sequence[Row], comparisons: Sequence[Comparison], style: Style = "text") -> str:
    """Format the table; its first row tells how many pairs there are.

    Args:
        rows: the rows.
        comparisons: what the columns are.
        style: ``text`` (aligned for a terminal), ``markdown`` or ``csv``.
    """
    columns = [part for comparison in comparisons for part in comparison.totals]
    more = list(dict.fromkeys(key for row in rows for key in row.more))
    pairs = Row("pairs", "", {part: count for one in comparisons for part, count in one.totals.items()})
    missed = {part for one in comparisons if one.counts_missed for part in one.totals}
    heads = [_SHORT.get(part, part) + (" missed" if part in missed else "") for part in columns]
    header = ["network", "figures", *heads, *more]
    cells = [
        [
            row.network,
            row.source,
            *(_shown(row.figures.get(part)) for part in columns),
            *(row.more.get(key, "") for key in more),
        ]
        for row in [pairs, *rows]
    ]
    if style == "csv":
        return _csv(header, cells)
    table = as_text(header, cells, 2) if style == "text" else as_markdown(header, cells, 2)
    notes = [f"{row.network}: {row.note}" for row in rows if row.note]
    notes += [f"{name}: {SOURCES[name]}" for name in SOURCES if any(row.source == name for row in rows)]
    mark = "" if style == "text" else "- "
    return "\n".join([table, "", *(mark + note for note in notes)]).rstrip()


def _measured(name: str, found: Sequence[tuple[Comparison, dict[str, Any] | None]]) -> Row:
    figures: dict[str, Figure] = {}
    done = [(comparison, result) for comparison, result in found if result]
    for comparison, result in done:
        counts = result["separated"]
        totals = comparison.totals
        figures |= {part: totals[part] - n for part, n in counts.items()} if comparison.counts_missed else counts
    note = NETWORKS[name].note if name in NETWORKS else ""
    if not done:
        return Row(name, HERE, more={"noise": "not run", "seconds": ""}, note=note)
    noise = max(result["noise"] for _, result in done)
    seconds = sum(result["seconds"] for _, result in done)
    return Row(name, HERE, figures, {"noise": f"{noise:.0e}", "seconds": f"{seconds:,.1f}"}, note)


def _referred(references: Sequence[Reference]) -> list[Row]:
    return [Row(one.network, one.source, {**one.separated, **one.missed}) for one in references]


def _with_figures(rows: Sequence[Row], comparisons: Sequence[Comparison]) -> list[Row]:
    columns = {part for comparison in comparisons for part in comparison.totals}
    return [row for row in rows if row.more or columns & set(row.figures)]


def _shown(figure: Figure | None) -> str:
    if figure is None:
        return ""
    return f"{figure:,}" if isinstance(figure, int) else "/".join(map(str, figure))


def _csv(header: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([cell.replace(",", "") if c > 1 else cell for c, cell in enumerate(line)] for line in cells)
    return out.getvalue().rstrip("\n")
