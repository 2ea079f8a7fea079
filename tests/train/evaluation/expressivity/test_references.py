from graphlab.train.evaluation.expressivity import COMPARISONS, NETWORKS
from graphlab.train.evaluation.expressivity.references import BREC_PAPER, REFERENCES, SOURCES, Figure

TOTALS = {part: (one, total) for one in COMPARISONS.values() for part, total in one.totals.items()}


def of(network: str, source: str = "prototype") -> dict[str, Figure]:
    (found,) = (one for one in REFERENCES if (one.network, one.source) == (network, source))
    return {**found.separated, **found.missed}


def test_every_figure_is_of_a_column_and_within_its_pairs() -> None:
    for one in REFERENCES:
        assert one.source in SOURCES and (one.network in NETWORKS or one.source == BREC_PAPER)
        for figures, missed in ((one.separated, False), (one.missed, True)):
            for part, figure in figures.items():
                comparison, total = TOTALS[part]
                count, tried = (figure, total) if isinstance(figure, int) else figure
                assert 0 <= count <= tried <= total and comparison.counts_missed is missed


def test_totals_are_sums() -> None:
    assert [of(name)["brec"] for name in ("wl", "fwl")] == [0, of("fwl", BREC_PAPER)["brec"]] == [0, 270]
    assert of("ppgn++", "bound")["brec"] == 320 and "brec" not in of("spen")
