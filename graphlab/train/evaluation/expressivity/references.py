"""What others, and a prototype of ours, found with the same graphs. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass

HERE, PROTOTYPE, BOUND, BREC_PAPER, FRAMES_PAPER = "here", "prototype", "bound", "BREC paper", "frames paper"
SOURCES = {
    PROTOTYPE: "measured with a prototype of ours by the same protocol; a/b: a of the b pairs that were tried",
    BOUND: "measured: the polynomial of degree 5 as the first colors of 2-FWL, which bounds the network",
    BREC_PAPER: "Wang and Zhang, 2023, arXiv 2304.07702, trained by the protocol rpc; from memory, not checked",
    FRAMES_PAPER: "Puny et al., 2022, arXiv 2110.03336, float32 with a tolerance of 1e-3; from memory, not checked",
}
"""What the short names of sources stand for."""

_BREC = ("basic", "simple_regular", "strongly_regular", "extension", "cfi", "four_vertex_condition")

Figure = int | tuple[int, int]
"""Pairs told apart, or how many of so many that were tried."""


@dataclass(frozen=True)
class Reference:
    """Figures of one network.

    Args:
        network: its name in :data:`NETWORKS`; a network that has none there is called as its source does.
        source: where the figures come from, as in :data:`SOURCES`.
        separated: pairs told apart, of parts of comparisons.
        missed: pairs not told apart, likewise.
    """

    network: str
    source: str
    separated: Mapping[str, Figure]
    missed: Mapping[str, Figure]


def _prototype(
    network: str, brec: tuple[Figure | None, ...] = (), missed: int | None = None, **more: Figure
) -> Reference:
    names = (*_BREC, "distance_regular")
    parts = {name: figure for name, figure in zip(names, brec, strict=False) if figure is not None}
    if len(parts) == len(names) and all(isinstance(figure, int) for figure in parts.values()):
        parts["brec"] = sum(figure for figure in parts.values() if isinstance(figure, int))
    return Reference(network, PROTOTYPE, parts | more, {} if missed is None else {"graph8c": missed})


def _published(network: str, brec: int) -> Reference:
    return Reference(network, BREC_PAPER, {"brec": brec}, {})


_CFI_FIFTH = (0, 20)  # every fifth pair was tried
REFERENCES = (
    _prototype("wl", (0, 0, 0, 0, 0, 0, 0), 312, sr25=0, csl=0, exp=0, cexp=300),
    _prototype("fwl", (60, 50, 0, 100, 60, 0, 0), 0, sr25=0, csl=45),
    _prototype("spen", (60, 50, 0, 95, _CFI_FIFTH, 0, 0), 2, sr25=0, csl=9, exp=(0, 100), cexp=(50, 100)),
    _prototype("spen-2", (19, 14, 0, 43, _CFI_FIFTH, None, 0), sr25=0, csl=45, exp=600),
    _prototype("spen-product", (60, 50, 50, 100, _CFI_FIFTH, 0, 0), 2, sr25=105, csl=9, exp=(0, 100), cexp=(50, 100)),
    _prototype("spen-2-product", (60, 50, 0, 99, _CFI_FIFTH, None, 1), csl=45, exp=600),
    _prototype("two-scale-spen", (60, 50, 50, 100), sr25=105, csl=45, exp=600),
    _prototype("ppgn", exp=(40, 40)),
    Reference(
        "ppgn++",
        BOUND,
        {
            "basic": 60,
            "simple_regular": 50,
            "strongly_regular": 50,
            "extension": 100,
            "cfi": 60,
            "four_vertex_condition": 0,
            "distance_regular": 0,
            "brec": 320,
            "sr16": 1,
            "sr25": 105,
            "sr26": 45,
            "sr28": 6,
            "sr29": 820,
            "csl": 45,
        },
        {"sr35": 0, "graph8c": 0},
    ),
    _published("fwl", 270),
    _published("ppgn", 233),
    _published("dss-gnn", 221),
    Reference("gin", FRAMES_PAPER, {"exp": 0}, {"graph8c": 386}),
    Reference("ppgn", FRAMES_PAPER, {"exp": 600}, {"graph8c": 0}),
    _published("I2-GNN", 281),
    _published("KP-GNN", 275),
    _published("GSN", 254),
    _published("SUN", 223),
    _published("DS-GNN", 222),
    _published("GNN-AK", 222),
    _published("NGNN", 166),
    _published("OSAN", 148),
    _published("Graphormer", 79),
)
"""Every reference, in the order of a table."""
