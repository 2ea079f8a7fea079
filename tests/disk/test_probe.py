import os
import time

import pytest
import torch

import graphlab.disk.probe as probing
from graphlab.disk.array_file import ArrayFile, write_array
from graphlab.disk.probe import probe


@pytest.mark.parametrize("shape", [(1, 1), (1000, 3), (100_000, 128), (3, 1 << 20)])
def test_any_array_can_be_measured(tmp_path, shape):
    speed = probe(ArrayFile(write_array(tmp_path, "x.bin", torch.zeros(shape)), tmp_path))
    assert speed.bytes_per_second > 0
    assert speed.rows_per_second > 0


def test_a_slow_drive_is_not_measured_for_long(tmp_path, monkeypatch):
    array = ArrayFile(write_array(tmp_path, "x.bin", torch.zeros(100_000, 128)), tmp_path)
    monkeypatch.setattr(probing, "SECONDS", 0.05)
    monkeypatch.setattr(probing, "_STEP", 4096)
    preadv, count = os.preadv, [0]

    def slow(*args):
        count[0] += 1
        time.sleep(0.02)
        return preadv(*args)

    monkeypatch.setattr(os, "preadv", slow)
    probe(array)
    assert 4 <= count[0] < 40
