import xml.etree.ElementTree as ET

import pytest
import torch
from torch_geometric.data import Data

import graphlab.data
from graphlab.cli.amud import main
from graphlab.directed import amud
from tests.directed.test_amud import one_way


@pytest.fixture
def graph(monkeypatch) -> Data:
    """A small directed graph that any name loads."""
    data = one_way()
    monkeypatch.setattr(graphlab.data, "load", lambda name: [data], raising=False)
    return data


def test_it_prints_what_amud_finds_with_training_labels(graph, capsys):
    assert main(["some", "--split", "0"]) == 0
    printed = capsys.readouterr().out
    assert printed == f"some: 400 nodes, 3,200 edges; the training labels of split 0\n\n{amud(graph)}\n"
    assert "verdict         directed" in printed


@pytest.mark.parametrize("flag", ["--all_labels", "--all-labels"])
def test_it_may_look_at_all_labels(graph, capsys, flag):
    assert main(["some", flag]) == 0
    printed = capsys.readouterr().out
    assert "; all labels\n" in printed and str(amud(graph, all_labels=True)) in printed


def test_the_picture_shows_each_correlation_the_gain_and_the_verdict(graph, capsys, tmp_path):
    path = tmp_path / "a.svg"
    assert main(["some", "--picture", str(path)]) == 0
    assert str(path) in capsys.readouterr().err
    root = ET.fromstring(path.read_text(encoding="utf-8"))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any("± 1 sigma" in (text or "") for text in texts)
    assert "some: directed" in texts and {"A", "AA", "AAT", "ATA", "U", "UU", "gain"} <= set(texts)
    assert len(list(root.iter("{http://www.w3.org/2000/svg}rect"))) == 7


def test_without_a_judgement_the_picture_has_no_gain(graph, tmp_path):
    graph.edge_index = graph.edge_index.sort(0).values
    path = tmp_path / "a.svg"
    assert main(["some", "--picture", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    assert ">gain<" not in text and "not genuine" in text


def test_correlations_that_do_not_exist_are_called_none(capsys, tmp_path):
    # One training label per class: no pair of them is of one class.
    assert main(["karate", "--picture", str(tmp_path / "a.svg")]) == 0
    printed = capsys.readouterr().out
    assert "nan" not in printed and "none" in printed and "undirected: every edge is stored in both" in printed


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["some", "--split", "7"], "'split' must be one of the 2 columns"),
        (["some", "--picture", "no/such/folder.svg"], "No such file"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(graph, capsys, argv, said):
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("graphlab amud: ") and said in error and error.count("\n") == 1


def test_a_data_set_that_is_unknown_or_of_many_graphs_is_refused(capsys, monkeypatch):
    assert main(["no-such-set"]) == 2
    assert "no-such-set" in capsys.readouterr().err
    graphs = [Data(edge_index=torch.empty(2, 0, dtype=torch.long), num_nodes=1)] * 3
    monkeypatch.setattr(graphlab.data, "load", lambda name: graphs, raising=False)
    assert main(["some"]) == 2
    assert "holds 3 graphs; name one of a single graph" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [[], ["a", "b"], ["a", "--picture", "a.png"], ["a", "--split", "x"]])
def test_wrong_words_get_one_line_and_exit_code_2(argv, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(argv)
    assert exit_.value.code == 2 and capsys.readouterr().err.count("\n") == 1
