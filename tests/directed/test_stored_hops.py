import json

import numpy as np
import pytest
import torch

from graphlab.directed import ADPA, HopFeatures, StoredHops, hop_writer


def hops(dtype=torch.float32) -> HopFeatures:
    torch.manual_seed(0)
    words = torch.rand(50, 4, dtype=dtype) * (torch.rand(50, 4) < 0.4)
    return HopFeatures(torch.rand(50, 3, 4, dtype=dtype), {"x": words.to_sparse_csr()}, "a recipe")


def same(a: HopFeatures, b: HopFeatures) -> bool:
    sparse = all(a.sparse[name].to_dense().equal(b.sparse[name].to_dense()) for name in a.sparse | b.sparse)
    return a.dense.equal(b.dense) and sparse and a.recipe == b.recipe


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize(
    "rows", [slice(None), torch.tensor([7, 0, 49, 7]), torch.arange(50) % 3 == 0, torch.empty(0, dtype=torch.long)]
)
def test_rows_from_disk_are_those_from_memory(tmp_path, monkeypatch, dtype, rows):
    monkeypatch.setattr(hop_writer, "_CHUNK", 1000)
    hops(dtype).save(tmp_path / "hops")
    assert same(StoredHops(tmp_path / "hops")[rows], hops(dtype)[rows])


@pytest.mark.parametrize("sparse", [False, True])
def test_streaming_gives_the_bytes_and_logits_of_memory(tmp_path, monkeypatch, sparse):
    monkeypatch.setattr(hop_writer, "_CHUNK", 1000)
    torch.manual_seed(1)
    x, edge_index = torch.rand(50, 4) * (torch.rand(50, 4) < 0.5), torch.randint(50, (2, 120))
    x = x.to_sparse_csr() if sparse else x
    model = ADPA(4, 8, 3).eval()
    memory, stored = model.precompute(x, edge_index), model.precompute_to(tmp_path / "hops", x, edge_index)
    assert same(stored[:], memory)
    rows = torch.randperm(50)
    whole = model(x, edge_index)
    torch.testing.assert_close(model.classify(stored[rows]), whole[rows], rtol=0, atol=1e-6)
    torch.testing.assert_close(model.classify(memory[rows]), whole[rows], rtol=0, atol=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["hops"]


def test_graphs_without_nodes_are_kept(tmp_path):
    HopFeatures(torch.empty(0, 2, 3)).save(tmp_path / "hops")
    assert StoredHops(tmp_path / "hops")[:].dense.shape == (0, 2, 3)


def test_what_fails_half_way_leaves_nothing(tmp_path):
    x, edge_index = torch.rand(5, 4), torch.tensor([[0], [1]])

    class Failing(ADPA):
        def propagate(self, *args):
            yield from list(super().propagate(*args))[:2]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Failing(4, 8, 3).precompute_to(tmp_path / "hops", x, edge_index)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_is_not_touched(tmp_path):
    with pytest.raises(ValueError, match=r"'folder' must be new, but .* is there; open it with StoredHops, or remove"):
        hops().save(tmp_path)


def test_numbers_of_other_kinds_are_refused(tmp_path):
    with pytest.raises(ValueError, match="hops must be float16, float32 or float64 to be kept on disk, got"):
        HopFeatures(torch.rand(2, 1, 1).bfloat16()).save(tmp_path / "hops")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["../evil", "", "a b"])
def test_sparse_blocks_whose_names_are_no_names_of_files_are_not_written(tmp_path, name):
    with pytest.raises(ValueError, match="'sparse' must be named by identifiers, which become names of files, got"):
        HopFeatures(torch.rand(2, 1, 1), {name: torch.eye(2).to_sparse_csr()}).save(tmp_path / "in" / "hops")
    assert not list(tmp_path.iterdir())


def replace(folder, **parts):
    with np.load(folder / "x.npz") as arrays:
        kept = dict(arrays)
    np.savez(folder / "x.npz", **(kept | parts))


def cut(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes()[:-1])


def change(folder, **values):
    path = folder / "hops.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "hops.json").unlink(), "holds no hops: there is no hops.json"),
        (lambda f: (f / "hops.json").write_text("[]"), "must say .*, got "),
        (lambda f: cut(f, "hops.json") or cut(f, "hops.json"), "hops.json is not what was written"),
        (lambda f: change(f, version=2), "must say .*'version': 1.*, got .*'version': 2"),
        (
            lambda f: (f / "hops.json").write_text(json.dumps(hop_writer.FORMAT)),
            "written .recipe, shape, dtype, sparse.;",
        ),
        (lambda f: change(f, recipe=3), r"hops.json is not what was written \(recipe\)"),
        (lambda f: change(f, dtype="int32"), r"hops.json is not what was written \(dtype\)"),
        (lambda f: change(f, dtype=["float32"]), r"hops.json is not what was written \(dtype\)"),
        (lambda f: change(f, shape=[50, 12]), r"hops.json is not what was written \(shape\)"),
        (lambda f: change(f, shape=[50, -3, -4]), r"hops.json is not what was written \(shape\)"),
        (lambda f: change(f, shape=[50.0, 3, 4]), r"hops.json is not what was written \(shape\)"),
        (lambda f: change(f, shape=None), r"hops.json is not what was written \(shape\)"),
        (lambda f: change(f, sparse=["../hops/x"]), r"hops.json is not what was written \(sparse\)"),
        (lambda f: change(f, sparse=7), r"hops.json is not what was written \(sparse\)"),
        (lambda f: change(f, shape=[50, 3, 5]), "rows.bin must have 3000 bytes, got 2400"),
        (lambda f: replace(f, crow=np.arange(51)[::-1].copy()), "x.npz is not what was written"),
        (lambda f: replace(f, shape=np.array([50, 1])), "x.npz is not what was written"),
        (lambda f: replace(f, shape=np.array([49, 4])), "x.npz is not what was written"),
        (lambda f: replace(f, shape=np.array(50)), "x.npz is not what was written"),
        (lambda f: replace(f, shape=np.array([50.0, 4.0])), "x.npz is not what was written"),
        (lambda f: replace(f, value=np.array("x")), "x.npz is not what was written"),
        (lambda f: replace(f, crow=np.zeros(50, int), shape=np.array([49, 4])), "x.npz"),
        (lambda f: cut(f, "rows.bin"), "rows.bin must have 2400 bytes, got 2399; it was cut off or replaced"),
        (lambda f: (f / "rows.bin").unlink(), "rows.bin must have 2400 bytes, got None"),
        (lambda f: cut(f, "x.npz"), "x.npz is not what was written"),
        (lambda f: (f / "x.npz").unlink(), "x.npz is not what was written"),
        (lambda f: np.savez(f / "x.npz", crow=np.zeros(9)), "x.npz is not what was written"),
    ],
)
def test_damaged_and_foreign_folders_are_refused(tmp_path, damage, message):
    folder = tmp_path / "hops"
    hops().save(folder)
    damage(folder)
    with pytest.raises(ValueError, match=message):
        StoredHops(folder)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "hops").touch()
    with pytest.raises(ValueError, match="holds no hops"):
        StoredHops(tmp_path / "hops")
