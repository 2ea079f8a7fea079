import sys
from pathlib import Path
from typing import Any

import pytest

from graphlab.train.config import ConfigError
from graphlab.train.evaluation.expressivity import NETWORKS, Network, network


def test_names_are_read_leniently_and_paths_stand_for_themselves() -> None:
    assert network("Two_Scale_SPEN") is NETWORKS["two-scale-spen"] and NETWORKS["wl"].refines
    own = network("my.nets:Net")
    assert (own.name, own.path, own.has_width) == ("my.nets:Net", "my.nets:Net", False)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"no network is called 'spem'; perhaps you meant spen; there are wl, fwl, gin"
    ):
        network("spem")
    with pytest.raises(
        ConfigError, match=r"'no\.such:Net' is not to be had: ModuleNotFoundError: No module named 'no'"
    ):
        network("no.such:Net").make(1, 8, 16)


@pytest.mark.parametrize(
    "name",
    ["gin", "ppgn", "ppgn++", "ppgn++8", "dss-gnn", "dss-gnn+", "ign", *(name for name in NETWORKS if "spen" in name)],
)
def test_networks_are_made(name: str) -> None:
    module = NETWORKS[name].make(in_channels=2, hidden_channels=8, out_channels=16)
    norms = [type(part).__name__ for part in module.modules() if "Norm" in type(part).__name__]
    assert not {"BatchNorm", "BatchNorm1d", "GraphNorm"} & set(norms) and sum(
        parameter.numel() for parameter in module.parameters()
    )


@pytest.mark.parametrize(("name", "frequency"), [("ppgn", 1), ("ppgn++", 1), ("ppgn++8", 8)])
def test_networks_on_pairs_choose_their_width_and_depth(name: str, frequency: int) -> None:
    module = NETWORKS[name].make(in_channels=2, hidden_channels=8, out_channels=16)
    assert len(module.blocks) == 5 and module.last.weight.size(0) == 16 and module.frequency == frequency


def test_only_sharper_sines_have_a_tolerance_of_their_own_and_say_so() -> None:
    assert {name: one.tolerance for name, one in NETWORKS.items() if one.tolerance != 1e-12} == {"ppgn++8": 1e-6}
    assert [name for name, one in NETWORKS.items() if one.note] == ["ppgn++8"]
    assert "frequency 8" in NETWORKS["ppgn++8"].note and "above 1e-06, not 1e-12" in NETWORKS["ppgn++8"].note


def test_ign_is_as_plain_as_spen() -> None:
    head = NETWORKS["ign"].make(in_channels=2, hidden_channels=8, out_channels=16).head
    assert head.channel_list == [8, 16] and set(head.dropout) == {0.0}


@pytest.mark.parametrize("path", ["a:", ":b", ".a:b", "raises:Net", "broken:Net"])
def test_whatever_a_module_raises_is_of_its_network(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "raises.py").write_text("raise LookupError('not today')")
    (tmp_path / "broken.py").write_text("def")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=r"^--model: '.*' is not to be had: \w+Error: ") as caught:
        network(path).load()
    assert path != "raises:Net" or str(caught.value).endswith("LookupError: not today (raises.py:1)")


@pytest.mark.parametrize("error", [RuntimeError("boom"), AssertionError(), ConfigError("--model: said already")])
def test_a_network_that_is_not_made_is_said_once(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def boom(**given: Any) -> None:
        raise error

    monkeypatch.setattr(sys.modules[__name__], "boom", boom, raising=False)
    with pytest.raises(ConfigError) as caught:
        Network("boom", f"{__name__}:boom").make(1, 8, 16)
    text = str(caught.value)
    assert text.count("--model") == 1 and ("said already" in text or "'boom' cannot be made: " in text)


def test_a_network_that_is_not_to_be_had_is_said_once() -> None:
    with pytest.raises(ConfigError) as caught:
        network("no.such:Net").make(1, 8, 16)
    assert str(caught.value).count("--model") == 1
