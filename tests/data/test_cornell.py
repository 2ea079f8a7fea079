"""Cornell has its own words and classes here; what PyG's WebKB downloads under that name has those of Texas.

The folders ``new_data/cornell`` and ``new_data/texas`` of the repository that PyG downloads from hold the same file of
features and labels, byte by byte: git knows both by one id. The file can be written anew from our Texas, so the error
is shown without a network: Texas gives that id, and Cornell does not.
"""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch_geometric.datasets import WebKB
from torch_geometric.utils import degree

from graphlab.data import load

FOLDER = "https://raw.githubusercontent.com/graphdml-uiuc-jlu/geom-gcn/master"
UPSTREAM_ID = "b24f9e51"  # of new_data/cornell/out1_node_feature_label.txt at commit f1fc0d1


def git_id(graph: Any) -> str:
    """The first digits of the id that git gives the graph's features and labels in the format of Geom-GCN."""
    lines = ["node_id\tfeature\tlabel"]
    rows = zip(graph.x.long().tolist(), graph.y.tolist(), strict=True)
    lines += [f"{node}\t{','.join(map(str, words))}\t{label}" for node, (words, label) in enumerate(rows)]
    content = ("\n".join(lines) + "\n").encode()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()[: len(UPSTREAM_ID)]


@pytest.fixture
def cornell(mirror: Path, shared_root: Path) -> Any:
    return load("cornell", shared_root)[0]


@pytest.fixture
def texas(mirror: Path, shared_root: Path) -> Any:
    return load("texas", shared_root)[0]


def test_cornell_has_its_own_classes(cornell: Any) -> None:
    assert cornell.y.bincount().tolist() == [38, 16, 30, 82, 17]


def test_what_upstream_calls_cornell_is_texas(cornell: Any, texas: Any) -> None:
    assert git_id(texas) == UPSTREAM_ID
    assert git_id(cornell) != UPSTREAM_ID
    assert texas.y.bincount().tolist() == [33, 1, 18, 101, 30]


def test_the_two_share_neither_words_nor_graph(cornell: Any, texas: Any) -> None:
    assert cornell.x.shape == texas.x.shape
    assert not torch.equal(cornell.x.sum(1).sort().values, texas.x.sum(1).sort().values)
    degrees = [degree(graph.edge_index[0], graph.num_nodes).sort().values for graph in (cornell, texas)]
    assert not torch.equal(*degrees)


def test_pyg_still_downloads_from_that_folder() -> None:
    # Should this fail, PyG has changed its source: see whether its Cornell is right now, and correct our words on it.
    assert WebKB.url == FOLDER
