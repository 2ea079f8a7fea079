import pytest

from graphlab.train.config import ConfigError
from graphlab.train.evaluation import Cell, read_recipes
from tests.train.evaluation.recipes import QUICK, recipe, with_splits, write


def test_a_cell_is_its_recipe_on_a_split_with_a_seed_of_its_own(tmp_path):
    text = f"seed = 7\n{QUICK.format(model='sage')}"
    config = Cell(recipe(tmp_path, text=text), 3).config
    assert (config.split, config.seed, config.epochs, config.model.name) == (3, 10, 4, "sage")


def test_protocols_and_repeats_have_names_and_seeds_of_their_own(tmp_path, monkeypatch):
    with_splits(monkeypatch, 10)
    one = recipe(tmp_path)
    cells = [Cell(one, 3), Cell(one, 3, "gin"), Cell(one, 3, "nested"), Cell(one, 3, "nested", 2)]
    assert [cell.key for cell in cells] == ["3", "gin-3", "nested-3-0", "nested-3-2"]
    assert [cell.config.protocol for cell in cells] == ["default", "gin", "nested", "nested"]
    assert [cell.config.seed for cell in cells] == [3, 3, 3, 23]
    assert [cell.name for cell in cells[1:]] == [
        "karate_sage gin split 3",
        "karate_sage nested split 3",
        "karate_sage nested split 3 repeat 2",
    ]


def test_folders_are_read_in_the_order_of_names(tmp_path):
    folder = write(tmp_path, karate_sage="", karate_mlp="")
    (folder / "notes.txt").touch()
    assert [one.name for one in read_recipes([folder])] == ["karate_mlp", "karate_sage"]
    assert [one.label for one in read_recipes([folder / "karate_sage.toml", folder / "karate_mlp.toml"])] == [
        "sage",
        "mlp",
    ]


def test_a_label_is_the_name_without_the_data(tmp_path, monkeypatch):
    assert recipe(tmp_path, "karate_gat_sep", QUICK.format(model="sage")).label == "gat_sep"
    assert recipe(tmp_path, "karate", QUICK.format(model="sage")).label == "sage"
    assert recipe(tmp_path, "mine", QUICK.format(model="sage")).label == "mine"
    with_splits(monkeypatch, 10)
    assert recipe(tmp_path, "mine", QUICK.format(model="sage")).splits == range(10)


def test_the_fingerprint_is_of_what_the_file_says_and_a_result_depends_on(tmp_path):
    text = QUICK.format(model="sage")
    first = recipe(tmp_path, text=text).fingerprint
    same = [
        text.replace("0.05", "5e-2"),
        text.replace("karate", "Karate"),
        "# said otherwise\nthreads = 3\nout = 'elsewhere'\nsave_every = 3\n" + text,
    ]
    other = [
        text.replace("0.05", "0.06"),
        text.replace("sage", "mlp"),
        text.replace("karate", "digits"),
        text + "dropout = 0.1\n",
        "seed = 1\n" + text,
    ]
    assert {recipe(tmp_path, text=one).fingerprint for one in same} == {first}
    assert len({first, *(recipe(tmp_path, text=one).fingerprint for one in other)}) == 1 + len(other)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("runs = 3\n", "karate_sage.toml: runs: expected 1, since each split is one run, got 3"),
        ("split = 4\n", "karate_sage.toml: split: expected none, since every split is trained; choose some with --spl"),
        (
            'protocol = "gin"\n',
            "karate_sage.toml: protocol: expected none, since the suite says how its data are split",
        ),
        (
            'data = "cit-hepth"\n',
            "karate_sage.toml: data: 'cit-hepth' has no splits to train; expected a data set",
        ),
        ('disk = "store"\n', "karate_sage.toml: disk: expected a data set by name"),
        ('[sweep]\nlr = ["1", "2"]\n', "karate_sage.toml: sweep: expected one setting per file, got a sweep of lr"),
        ("epoks = 3\n", "karate_sage.toml: epoks: unknown option; perhaps you meant epochs$"),
        ('data = "karat"\n', "karate_sage.toml: data: no data set is named 'karat'; did you mean 'karate'"),
        ("epochs =", "karate_sage.toml: is no TOML"),
        ('model.name = "sagee"\n', "no network is called 'sagee'; perhaps you meant sage"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused_by_name(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        recipe(tmp_path, text=text)


def test_folders_without_recipes_files_that_are_not_there_and_equal_names_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"--configs: .* holds no \*.toml"):
        read_recipes([tmp_path])
    with pytest.raises(ConfigError, match=r"gone\.toml: cannot be read: No such file"):
        read_recipes([tmp_path / "gone.toml"])
    folders = [write(tmp_path / name, karate_sage="") for name in "ab"]
    with pytest.raises(ConfigError, match=r"two files are called karate_sage\.toml"):
        read_recipes(folders)
