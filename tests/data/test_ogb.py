import io
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch_geometric.data import Data

from graphlab.data import card, load, splits

pytest.importorskip("ogb")

from graphlab.data.ogb import compatible


@pytest.mark.usefixtures("mirror")
def test_molhiv_is_ogb_s(shared_root: Path) -> None:
    dataset: Any = load("ogbg-molhiv", shared_root)
    parts = splits(dataset)
    assert {key: len(part) for key, part in parts.items()} == {
        "train": 32_901,
        "valid": 4_113,
        "test": 4_113,
    }
    assert len(torch.cat(list(parts.values())).unique()) == 41_127
    assert dataset.y.sum() == 1_443  # the actives of MoleculeNet's HIV
    assert dataset[0].edge_attr.shape == (dataset[0].num_edges, 3)


@pytest.mark.usefixtures("mirror")
def test_common_neighbours_on_ddi_give_the_leaderboard_s_figure(shared_root: Path) -> None:
    dataset: Any = load("ogbl-ddi", shared_root)
    test = splits(dataset)["test"]
    adjacency = torch.zeros(dataset[0].num_nodes, dataset[0].num_nodes)
    adjacency[tuple(dataset[0].edge_index)] = 1
    common = adjacency @ adjacency
    positive, negative = (common[tuple(test[key].t())] for key in ("edge", "edge_neg"))
    hits = (positive > negative.topk(20).values[-1]).float().mean().item()
    published = {result.model: result.value for result in card("ogbl-ddi").published}
    assert round(hits, 4) == published["Common Neighbors"]


@pytest.mark.usefixtures("mirror")
def test_ogb_reads_again_what_it_processed_and_never_asks(
    shared_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load("ogbl-ddi", shared_root)
    capsys.readouterr()
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked on the terminal"))
    load("ogbl-ddi", shared_root)
    assert capsys.readouterr().out == ""


def test_nothing_stays_allowed_and_nothing_is_forgotten() -> None:
    before = set(torch.serialization.get_safe_globals())
    assert Data in before  # PyG's own doing: torch's context manager would take it away
    with compatible(), compatible():
        assert set(torch.serialization.get_safe_globals()) > before
    assert set(torch.serialization.get_safe_globals()) == before


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("true",)


def test_loading_stays_safe_inside() -> None:
    stream = io.BytesIO()
    torch.save(Evil(), stream)
    stream.seek(0)
    with compatible(), pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        torch.load(stream)


PHONE = """
import sys, threading, types
import packaging.version
asked = []
def watch(event, args):
    if event in ("socket.getaddrinfo", "socket.connect"):
        asked.append(event)
        raise OSError("blocked")
sys.addaudithook(watch)
# What "outdated" needs to get as far as asking; newer versions of setuptools lack it.
stub = types.ModuleType("pkg_resources")
stub.parse_version = packaging.version.parse
sys.modules["pkg_resources"] = stub
__import__(sys.argv[1])
for thread in threading.enumerate():
    if thread is not threading.main_thread() and not thread.daemon:
        thread.join()
print(len(asked))
"""


@pytest.mark.parametrize(("module", "quiet"), [("ogb", False), ("graphlab.data.ogb", True)])
def test_importing_asks_nobody_for_a_newer_version(module: str, quiet: bool, tmp_path: Path) -> None:
    pytest.importorskip("outdated")
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", PHONE, module]
    run = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert (int(run.stdout) == 0) is quiet, run.stderr


def test_without_ogb_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['ogb'] = None\n"
        "from graphlab.data import load\n"
        "try: load('ogbg-molhiv', '.')\n"
        "except ImportError as error: print(error)"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "pip install 'graphlab[ogb]'" in run.stdout
