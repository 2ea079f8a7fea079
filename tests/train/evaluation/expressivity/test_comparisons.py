import subprocess
import sys

import pytest

from graphlab.train.config import ConfigError
from graphlab.train.evaluation.expressivity import COMPARISONS, comparison

PAIRS = {"sr16": 1, "sr25": 105, "sr26": 45, "sr28": 6, "sr29": 820, "sr35": 7_424_731, "csl": 45}


def test_pairs_are_as_many_as_published() -> None:
    totals = {name: one.totals for name, one in COMPARISONS.items()}
    assert totals.pop("brec") == {
        "basic": 60,
        "simple_regular": 50,
        "strongly_regular": 50,
        "extension": 100,
        "cfi": 100,
        "four_vertex_condition": 20,
        "distance_regular": 20,
        "brec": 400,
    }
    expected = PAIRS | {"exp": 600, "cexp": 600, "graph8c": 61_788_286}
    assert totals == {name: {name: count} for name, count in expected.items()}


def test_comparisons_have_the_names_of_their_data_too() -> None:
    assert comparison("SR25") is comparison("sr251256") is COMPARISONS["sr25"]
    with pytest.raises(
        ConfigError, match=r"nothing to compare is called 'brek'; perhaps you meant brec; there are brec"
    ):
        comparison("brek")


def test_the_suite_is_chosen_without_torch() -> None:
    code = "import sys, graphlab.train.evaluation.expressivity.suite; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
