import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import graphlab
from graphlab.data import Card, card, names
from graphlab.data.card import File, read_card

GOOD = """
name = "toy"
title = "A toy"
licence = "MIT"
source = "nowhere"
task = "set"
metric = "exact"
split = "none"
reader = "karate"
"""
SHA = "0" * 64
KINDS = ("", "-directed", "-filtered", "-filtered-directed")


def write(folder: Path, text: str) -> Path:
    path = folder / "toy.toml"
    path.write_text(text)
    return path


def test_every_set_has_its_card() -> None:
    assert names() == sorted(
        [
            "cora",
            "citeseer",
            "digits",
            "karate",
            "mutag",
            "proteins",
            "nci1",
            "ptc",
            "imdb-binary",
            "imdb-multi",
            "ogbg-molhiv",
            "ogbl-ddi",
            "second-minimum",
            "pna-multitask",
            "actor",
            *(f"{animal}{kind}" for animal in ("chameleon", "squirrel") for kind in KINDS),
            "cornell",
            "texas",
            "texas-4-classes",
            "wisconsin",
            "minesweeper",
            "cora-ml",
            "citeseer-directed",
            "cora-directed",
            "email-eu-core",
            "dsbm",
            "cit-hepph",
            "cit-hepth",
            "soc-slashdot0902",
            "ego-twitter",
            "ego-facebook",
            "brec",
            "exp",
            "cexp",
            "csl",
            "graph8c",
            *(f"sr{family}" for family in (16622, 251256, 261034, 281264, 291467, 351668)),
        ]
    )


@pytest.mark.parametrize("name", names())
def test_shipped_cards_are_well_formed(name: str) -> None:
    found = card(name)
    assert isinstance(found, Card)
    assert found.name == name
    assert len({file.path for file in found.files}) == len(found.files)
    assert (found.task == "unlabelled") == (found.metric == "none") == (found.num_splits == 0)
    assert found.num_splits in (0, 1, 5, 10)
    assert found.reader != "tu" or found.num_splits == 10
    for result in found.published:
        assert result.metric == found.metric
        assert result.metric == "log10mse" or 0 <= result.value <= 1


@pytest.mark.parametrize("name", names())
def test_checksums_are_those_of_the_mirror(name: str, mirror: Path) -> None:
    for file in card(name).files:
        assert hashlib.sha256((mirror / file.mirror).read_bytes()).hexdigest() == file.sha256


@pytest.mark.parametrize("spelling", ["OGBG-MolHIV", "ogbg_molhiv", "ogbg-molhiv"])
def test_names_are_read_leniently(spelling: str) -> None:
    assert card(spelling) is card("ogbg-molhiv")


def test_unknown_name_suggests_and_lists() -> None:
    with pytest.raises(ValueError, match=r"no data set is named 'coraa'; did you mean 'cora'\?.*second-minimum"):
        card("coraa")
    with pytest.raises(ValueError, match=r"no data set is named 'xyzzy' \(known: actor, brec"):
        card("xyzzy")
    with pytest.raises(ValueError, match=r"no data set is named '\.\./cora'"):
        card("../cora")


def test_a_minimal_card_is_enough(tmp_path: Path) -> None:
    found = read_card(write(tmp_path, GOOD))
    assert (found.num_nodes, found.files, found.published) == (None, (), ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "num_node = 3", "unknown key 'num_node' .known: num_nodes"),
        (GOOD.replace('licence = "MIT"', ""), "key 'licence' is missing"),
        (GOOD + 'num_nodes = "3"', "key 'num_nodes' must be int | None, got '3'"),
        (GOOD + "num_nodes = true", "key 'num_nodes' must be"),
        (GOOD.replace('"set"', '"sets"'), "key 'task' must be one of .*'set'.*, got 'sets'"),
        (GOOD.replace('"karate"', '"csv"'), "key 'reader' must be one of"),
        (GOOD.replace('"toy"', '"ball"', 1), "key 'name' is 'ball', the file says 'toy'"),
        (GOOD + "files = 3", "key 'files' must be a list of tables"),
        (
            GOOD + f'[[files]]\npath = "a"\nmirror = "b"\nsha256 = "{SHA}"\nsize = 1',
            r"in files\[0\]: unknown key 'size'",
        ),
        (GOOD + '[[files]]\npath = "a"\nmirror = "b"\nsha256 = "0F"', "sha256 is 64 lower-case"),
        (
            GOOD + f'[[files]]\npath = "../a"\nmirror = "b"\nsha256 = "{SHA}"',
            "path must stay inside",
        ),
        (
            GOOD + f'[[files]]\npath = "a"\nmirror = "/b"\nsha256 = "{SHA}"',
            "mirror must stay inside",
        ),
        (
            GOOD + '[[published]]\nmodel = "m"\nmetric = "exact"\nvalue = "1"\nsource = "s"',
            r"in published\[0\]: key 'value' must be float, got '1'",
        ),
        ("name = ", "Invalid value"),
    ],
)
def test_a_malformed_card_names_itself_and_the_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=rf"card 'toy' .*{message}"):
        read_card(write(tmp_path, text))


def test_a_file_is_checked_however_it_is_made() -> None:
    with pytest.raises(ValueError, match="sha256"):
        File("a", "b", "sha")


def run(code: str, cwd: Path) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=cwd, env={}, capture_output=True, text=True, check=True).stdout.strip()


def test_cards_need_no_torch() -> None:
    code = (
        "import sys, graphlab.data\n"
        "from graphlab.data.card import Card\n"
        "assert isinstance(graphlab.data.card('cora'), Card) and 'load' in dir(graphlab.data)\n"
        "print([m for m in ('torch', 'numpy', 'sklearn', 'ogb') if m in sys.modules])"
    )
    assert run(code, Path(graphlab.__file__).parents[1]) == "[]"


def test_an_installed_package_reads_the_cards_it_carries(tmp_path: Path) -> None:
    package = Path(graphlab.__file__).parent
    # As in site-packages, where a library named "datasets" may lie beside the package.
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "__init__.py").touch()
    shutil.copytree(package, tmp_path / "graphlab", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "graphlab" / "datasets").mkdir(exist_ok=True)
    write(tmp_path / "graphlab" / "datasets", GOOD)
    code = "import graphlab.data as d; print(d.__file__, d.names())"
    assert run(code, tmp_path).startswith(str(tmp_path))
    assert "'toy'" in run(code, tmp_path)


def test_a_package_without_cards_says_so(tmp_path: Path) -> None:
    package = Path(graphlab.__file__).parent
    ignore = shutil.ignore_patterns("__pycache__", "datasets")
    shutil.copytree(package, tmp_path / "graphlab", ignore=ignore)
    code = "import graphlab.data as d\ntry: d.names()\nexcept FileNotFoundError as e: print(e)"
    assert "reinstall graphlab" in run(code, tmp_path)


def test_the_room_is_lazy_and_says_what_it_has() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'lode'; it has DSBM, Card, PNAMultitask"):
        _ = graphlab.data.lode
