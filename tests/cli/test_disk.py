import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from graphlab.cli.disk import main
from graphlab.disk import DiskLoader, Store
from tests.disk.small_stores import graph

SMALL = ["--num_neighbors", "3", "2", "--batch_size", "8", "--mode", "packed", "--cache_bytes", "1kB"]


@pytest.fixture
def files(tmp_path):
    """The flags that name the graph."""
    data = graph()
    for name in ("x", "edge_index", "y", "train_mask"):
        np.save(tmp_path / f"{name}.npy", data[name].numpy())
    paths = {name: str(tmp_path / f"{name}.npy") for name in ("x", "edge_index", "y", "train_mask")}
    return [
        *("--features", paths["x"], "--edge_index", paths["edge_index"], "--y", paths["y"]),
        *("--attribute", f"train_mask={paths['train_mask']}", "--input_nodes", paths["train_mask"]),
    ]


@pytest.fixture
def store(tmp_path, files):
    assert main(["prepare", str(tmp_path / "store"), *files, *SMALL]) == 0
    return tmp_path / "store"


def test_a_store_is_prepared_from_files(tmp_path, files, capsys):
    store = tmp_path / "store"
    assert main(["prepare", str(store), *files, *SMALL]) == 0
    out, err = capsys.readouterr()
    assert "sampled 4 of 4 batches" in err
    data, batch = graph(), DiskLoader(store).batch(0, 0)
    assert torch.equal(batch.x, data.x[batch.n_id])
    assert torch.equal(batch.y, data.y[batch.n_id])
    assert bool(data.train_mask[batch.n_id[: batch.batch_size]].all())
    assert "mode      packed" in out
    assert f"graphlab.disk.DiskLoader('{store}')" in out


def test_prepared_again_it_is_only_described(store, files, capsys):
    before = {file.name: file.stat().st_mtime_ns for file in store.iterdir()}
    capsys.readouterr()
    assert main(["prepare", str(store), *files, *SMALL]) == 0
    assert {file.name: file.stat().st_mtime_ns for file in store.iterdir()} == before
    assert "packed" in capsys.readouterr().out


def test_raw_features_and_a_pair_of_edge_files(tmp_path, capsys):
    data = graph()
    data.x.numpy().tofile(tmp_path / "x.bin")
    for name, ends in zip("st", data.edge_index, strict=True):
        np.save(tmp_path / f"{name}.npy", ends.numpy())
    edges = [str(tmp_path / "s.npy"), str(tmp_path / "t.npy")]
    words = ["prepare", str(tmp_path / "store"), "--features", str(tmp_path / "x.bin"), "--edge_index", *edges, *SMALL]
    assert main([*words, "--features_dtype", "float32"]) == 2
    assert "--features_dtype and --features_width go together" in capsys.readouterr().err
    assert main([*words, "--features_dtype", "float32", "--features_width", "7"]) == 0
    batch = DiskLoader(tmp_path / "store").batch(0, 0)
    assert torch.equal(batch.x, data.x[batch.n_id])


def test_damage_is_found_told_and_mended(store, capsys):
    assert main(["verify", str(store)]) == 0
    assert "intact" in capsys.readouterr().out
    entry = Store(store).shards[0].entries[1]
    shard = store / "shard-00000.gls"
    content = shard.read_bytes()
    with shard.open("r+b") as file:
        file.seek(entry.pack_offset)
        file.write(b"\xff\x00\xff")
    assert main(["verify", str(store), "--threads", "1"]) == 1
    said = capsys.readouterr()
    assert "shard-00000.gls: batch 1 of epoch 0: pack: CRC-32C" in said.out
    assert f"run 'graphlab disk repair {store}'" in said.err
    assert main(["repair", str(store), "--memory_budget", "4GB"]) == 0
    assert "1 parts repaired, 0 left" in capsys.readouterr().out
    assert shard.read_bytes() == content
    os.truncate(store / "col.bin", 3)
    assert main(["verify", str(store)]) == 1
    said = capsys.readouterr()
    assert "prepare the store anew" in said.out
    assert said.err == "graphlab disk verify: damaged, and nothing of it can be repaired\n"
    assert main(["repair", str(store)]) == 1
    assert "prepare the store anew" in capsys.readouterr().out


def test_a_store_describes_itself(store, capsys):
    capsys.readouterr()
    assert main(["info", str(store)]) == 0
    out = capsys.readouterr().out
    for said in (
        "60 nodes, 240 edges",
        "7 float32, 28 bytes each",
        "[3, 2] neighbours without replacement, shuffled, seed 0",
        "1 epoch of 4 batches of 8 of 31 input nodes",
        "x, edge_index, y, train_mask",
        "hot set",
        "which must stay",
        "(queue_depth 2 + 2) x batch",
        "mode 'packed'",
    ):
        assert said in out, said


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["verify", "nowhere"], 1, "graphlab disk verify: 'path' got nowhere, which holds no store"),
        (["repair", "nowhere"], 1, "holds no store"),
        (["info", "nowhere"], 1, "holds no store"),
        (["prepare", "out", "--features", "no.npy", "--edge_index", "no.npy", *SMALL], 2, "no.npy"),
    ],
)
def test_what_went_wrong_is_told_in_one_line(tmp_path, monkeypatch, capsys, words, code, said):
    monkeypatch.chdir(tmp_path)
    assert main(words) == code
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "the following arguments are required: prepare|verify|repair|info"),
        (["mend"], "invalid choice: 'mend'"),
        (["prepare", "out"], "--features, --edge_index, --num_neighbors"),
        (["info"], "required: store"),
    ],
)
def test_mistakes_get_exit_code_2(words, said, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("2kB", 2000), ("1.5MiB", 3 << 19), ("4GB", 4 * 10**9)])
def test_bytes_have_units(tmp_path, files, text, number):
    words = ["prepare", str(tmp_path / "store"), *files, *SMALL, "--shard_bytes", text]
    assert main(words) == 0
    assert Store(tmp_path / "store").info.arguments["shard_bytes"] == number


@pytest.mark.parametrize(
    ("flag", "text", "said"),
    [
        ("--disk_budget", "4 pounds", "expected bytes such as"),
        ("--cache_bytes", "inf", "expected bytes such as"),
        ("--cache_bytes", "nan", "expected bytes such as"),
        ("--attribute", "x", "expected NAME=FILE"),
    ],
)
def test_words_that_say_nothing_are_refused(files, capsys, flag, text, said):
    with pytest.raises(SystemExit, match="2"):
        main(["prepare", "out", *files, *SMALL, flag, text])
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", ["y", "features", "train_mask", "num_nodes"])
def test_what_is_given_twice_is_refused(tmp_path, files, capsys, name):
    assert main(["prepare", str(tmp_path / "store"), *files, *SMALL, "--attribute", f"{name}=f.npy"]) == 2
    assert f"--attribute got '{name}' which is given already" in capsys.readouterr().err


def test_a_file_in_the_place_of_the_store_is_told(tmp_path, files, capsys):
    assert main(["prepare", str(tmp_path / "x.npy"), *files, *SMALL]) == 2
    assert "'out' got a file, expected a new or empty directory" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0", "-1", "two"])
def test_threads_are_counted_from_one(store, capsys, text):
    with pytest.raises(SystemExit, match="2"):
        main(["verify", str(store), "--threads", text])
    assert f"got '{text}', expected a number from 1 on" in capsys.readouterr().err


def test_a_damaged_manifest_tells_the_way_out(store, files, capsys):
    manifest = store / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"epochs": 1', '"epochs": 2'))
    assert main(["prepare", str(store), *files, *SMALL]) == 1
    assert "delete the directory and prepare the store anew" in capsys.readouterr().err


def test_help_imports_no_torch():
    code = "import sys; from graphlab.cli.disk import main; main(['--help'])"
    code = f"try:\n {code}\nexcept SystemExit: print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")
