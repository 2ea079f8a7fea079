import pytest

from graphlab.train.config import ConfigError
from graphlab.train.evaluation.expressivity import NETWORKS, network


def test_names_are_read_leniently_and_paths_stand_for_themselves() -> None:
    assert network("Two_Scale_SPEN") is NETWORKS["two-scale-spen"] and NETWORKS["wl"].refines
    own = network("my.nets:Net")
    assert (own.name, own.path, own.has_width) == ("my.nets:Net", "my.nets:Net", False)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"no network is called 'spem'; perhaps you meant spen; there are wl, fwl, gin"
    ):
        network("spem")
    with pytest.raises(ConfigError, match=r"'no\.such:Net' is not to be had: No module named 'no'"):
        network("no.such:Net").make(1, 8, 16)


@pytest.mark.parametrize("name", ["gin", "dss-gnn", "dss-gnn+", "ign", *(name for name in NETWORKS if "spen" in name)])
def test_networks_are_made(name: str) -> None:
    module = NETWORKS[name].make(in_channels=2, hidden_channels=8, out_channels=16)
    norms = [type(part).__name__ for part in module.modules() if "Norm" in type(part).__name__]
    assert not {"BatchNorm", "BatchNorm1d", "GraphNorm"} & set(norms) and sum(
        parameter.numel() for parameter in module.parameters()
    )
