import gzip

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch_geometric import EdgeIndex

from graphlab.disk import DiskFullError, RawFile, SafetensorsFile
from graphlab.disk.edge_source import TextEdges, check_ids, edge_source
from graphlab.disk.space import Space


def all_of(edges, size=7):
    blocks = [block.clone() for block in edges.blocks(size)]
    assert all(1 <= block.shape[1] <= size and block.dtype == torch.int64 for block in blocks)
    return torch.cat([torch.empty(2, 0, dtype=torch.int64), *blocks], 1)


def text_of(edge_index, end="\n"):
    return "".join(f"{u},{v}{end}" for u, v in edge_index.T.tolist())


@pytest.mark.parametrize("num_edges", [0, 1, 2, 7, 100])
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8])
def test_every_form_gives_the_same_edges(tmp_path, num_edges, dtype):
    edge_index = torch.randint(0, 100, (2, num_edges)).to(dtype)
    array, pairs = edge_index.numpy(), edge_index.T.clone(memory_format=torch.contiguous_format)
    raw, src, dst = (tmp_path / name for name in ("raw", "src", "dst"))
    array.tofile(raw)
    array[0].tofile(src)
    array[1].tofile(dst)
    save_file({"edge_index": edge_index, "pairs": pairs, "src": edge_index[0].clone()}, tmp_path / "e.safetensors")
    files = {
        "rows": array,
        "fortran": np.asfortranarray(array),
        "pairs": pairs.numpy(),
        "pairs_f": array.T,
        "dst": array[1],
    }
    for name, each in files.items():
        np.save(tmp_path / f"{name}.npy", each)
    (tmp_path / "e.csv").write_text(text_of(edge_index))
    (tmp_path / "e.csv.gz").write_bytes(gzip.compress(text_of(edge_index, "\r\n").encode()))
    forms = [
        edge_index,
        array,
        (edge_index[0], edge_index[1]),
        (RawFile(src, dtype, (-1,)), tmp_path / "dst.npy"),
        (SafetensorsFile(tmp_path / "e.safetensors", "src"), array[1]),
        RawFile(raw, dtype, (2, num_edges)),
        SafetensorsFile(tmp_path / "e.safetensors", "edge_index"),
        np.load(tmp_path / "rows.npy", mmap_mode="r") if num_edges else array,
        str(tmp_path / "rows.npy"),
        tmp_path / "fortran.npy",
        tmp_path / "e.csv",
        tmp_path / "e.csv.gz",
    ]
    if num_edges != 2:  # (2, 2) is read as (2, E)
        forms += [
            pairs,
            SafetensorsFile(tmp_path / "e.safetensors", "pairs"),
            tmp_path / "pairs.npy",
            tmp_path / "pairs_f.npy",
        ]
    for form in forms:
        edges = edge_source("edge_index", form)
        assert edges.num_edges in (num_edges, None)
        for _ in range(2):
            assert torch.equal(all_of(edges), edge_index.long())


def test_edge_index_of_pyg():
    edge_index = EdgeIndex([[0, 1, 1], [1, 0, 2]], sort_order="row")
    assert torch.equal(all_of(edge_source("edge_index", edge_index)), edge_index.as_tensor())


def test_text_in_pieces_of_any_size(tmp_path):
    edge_index = torch.randint(0, 10**9, (2, 300))
    (tmp_path / "e.csv").write_text(text_of(edge_index)[:-1])
    for size in (12, 13, 50, 1000):
        edges = edge_source("edge_index", tmp_path / "e.csv")
        assert torch.equal(all_of(edges, size), edge_index)
        stored = edges.store(tmp_path, "edges.bin", size, Space.of(tmp_path, None))
        assert stored.num_edges == 300 and torch.equal(all_of(stored, 64), edge_index)


@pytest.mark.parametrize(
    "text,line,shown",
    [
        ("u,v\n0,1\n", 1, "u,v"),
        ("0,1\n2\n3,4,5\n", 2, "2"),
        ("0,1\n\n", 2, ""),
        ("0,1\n1.5,2\n", 2, "1.5,2"),
        ("0,1\n1,2,3\n", 2, "1,2,3"),
        ("0 1\n", 1, "0 1"),
        ("0,1\n" * 500 + "0,x", 501, "0,x"),
        ("0,1\n,5\n", 2, ",5"),
    ],
)
def test_the_first_bad_line_is_named(tmp_path, text, line, shown):
    (tmp_path / "e.csv").write_text(text)
    with pytest.raises(ValueError, match=rf"e\.csv with line {line} '{shown}', expected 'source,target'"):
        all_of(edge_source("edge_index", tmp_path / "e.csv"), 64)


def test_damaged_text(tmp_path):
    path = tmp_path / "e.csv.gz"
    data = gzip.compress(text_of(torch.randint(0, 10**9, (2, 3000))).encode())
    for damaged in (data[:-20], data[:500] + bytes(50) + data[550:], b"0,1\n"):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"e\.csv\.gz, which is damaged or cut short|with line"):
            all_of(edge_source("edge_index", path), 100)
    (tmp_path / "e.csv").write_text("1" * 1000)
    with pytest.raises(ValueError, match=r"e\.csv with a line of more than"):
        all_of(edge_source("edge_index", tmp_path / "e.csv"), 100)


@pytest.mark.parametrize("name", ["e.csv", "e.csv.gz"])
def test_text_leaves_the_page_cache_behind_what_is_read(tmp_path, monkeypatch, name):
    text, forgotten = text_of(torch.randint(0, 10**9, (2, 100_000))).encode(), []
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    monkeypatch.setattr("os.posix_fadvise", lambda fd, start, length, advice: forgotten.append((start, length)))
    all_of(edge_source("edge_index", tmp_path / name), 50_000)
    assert forgotten.pop() == (0, 0)
    ends = [length for start, length in forgotten if start == 0]
    assert len(ends) > 5 and ends == sorted(ends)
    assert ends[-1] >= 0.9 * (tmp_path / name).stat().st_size


def test_room_for_text_is_checked(tmp_path):
    (tmp_path / "e.csv").write_text("0,1\n" * 100)
    edges = edge_source("edge_index", tmp_path / "e.csv")
    assert isinstance(edges, TextEdges)
    with pytest.raises(DiskFullError, match="needs 1,600 bytes, 512 bytes are free"):
        edges.store(tmp_path, "edges.bin", 1000, Space(tmp_path, 0, 512, True))


def test_errors_name_what_came(tmp_path):
    for given, message in [
        (torch.zeros(2, 3), "'edge_index' got entries of torch.float32, expected integers"),
        (torch.zeros(2, 3, dtype=torch.bool), "entries of torch.bool, expected integers"),
        (torch.zeros(3, 3, dtype=torch.int64), r"got shape \(3, 3\), expected \(2, E\) or \(E, 2\)"),
        (torch.zeros(6, dtype=torch.int64), r"got shape \(6,\), expected"),
        ((torch.zeros(3).long(), torch.zeros(4).long()), r"sources of shape \(3,\) and targets of shape \(4,\)"),
        ((torch.zeros(3).long(),), r"a tuple of 1, expected \(sources, targets\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            edge_source("edge_index", given)
    with pytest.raises(FileNotFoundError, match="'edge_index' got a file that does not exist"):
        edge_source("edge_index", tmp_path / "e.csv.gz")


def test_ids_are_checked():
    block = torch.tensor([[0, 4, 5], [1, 0, -1]])
    check_ids("edge_index", block[:, :2], 0, 5)
    check_ids("edge_index", block[:, :0], 0, 0)
    with pytest.raises(
        ValueError, match=r"edge 1,002 from node 5 to node -1, expected nodes in \[0, 5\); correct it, or"
    ):
        check_ids("edge_index", block, 1000, 5)
    huge = torch.tensor([[1], [2**63 + 5]], dtype=torch.uint64)
    for blocks in edge_source("edge_index", huge).blocks(1):
        with pytest.raises(ValueError, match="from node 1 to node -9223372036854775803"):
            check_ids("edge_index", blocks, 0, 5)
