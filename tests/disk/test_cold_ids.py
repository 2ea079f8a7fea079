import pytest
import torch

from graphlab.disk.cold_ids import ColdIds
from graphlab.disk.journal import Journal

IDS = [torch.tensor(i, dtype=torch.int32) for i in ([1, 4, 9], [], [0], [2, 3, 5, 7])]


@pytest.mark.parametrize("load", [False, True])
def test_ids_are_read_as_they_were_written(tmp_path, load):
    with Journal(tmp_path, "work") as journal:
        ids = ColdIds(tmp_path, journal, torch.int32)
        ids.append(IDS[:1])
        # What a crash left behind is written over.
        with (tmp_path / "cold-ids.bin").open("ab") as file:
            file.write(b"garbage that is longer than all the rest together")
        ids = ColdIds(tmp_path, journal, torch.int32)
        ids.append(iter(IDS[1:]))
        ids.open(load=load)
        assert ids.counts == [3, 0, 1, 4]
        assert ids.num_bytes == (tmp_path / "cold-ids.bin").stat().st_size == 32
        for batch, expected in enumerate(IDS):
            for start in range(len(expected) + 1):
                for stop in range(start, len(expected) + 1):
                    assert ids.read(batch, start, stop).tolist() == expected[start:stop].tolist()


def test_no_ids_need_no_file(tmp_path):
    with Journal(tmp_path, "work") as journal:
        ids = ColdIds(tmp_path, journal, torch.int64)
        ids.append([torch.empty(0, dtype=torch.int64)])
        ids.open(load=False)
        assert ids.read(0, 0, 0).tolist() == []
