import random

import pytest

from graphlab.disk import CorruptStoreError, DiskError, UnsealedStoreError
from graphlab.disk.manifest import load_manifest, save_manifest

BODY = {"a": [1, 2, {"b": "text", "c": None}], "d": 1.5, "e": True}


def test_what_is_saved_is_loaded(tmp_path):
    save_manifest(tmp_path, BODY, sealed=True)
    assert load_manifest(tmp_path) == BODY
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.json"]


def test_a_store_under_preparation_is_refused(tmp_path):
    save_manifest(tmp_path, BODY, sealed=False)
    with pytest.raises(UnsealedStoreError, match="run 'prepare' again"):
        load_manifest(tmp_path)
    assert load_manifest(tmp_path, unsealed=True) == BODY


def test_no_store_is_named(tmp_path):
    with pytest.raises(DiskError, match=r"'path' got .* holds no store"):
        load_manifest(tmp_path / "missing")


def test_every_flipped_bit_is_found_or_changes_nothing(tmp_path):
    save_manifest(tmp_path, BODY, sealed=True)
    file = tmp_path / "manifest.json"
    content = file.read_bytes()
    for bit in random.Random(0).sample(range(8 * len(content)), 600):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        file.write_bytes(flipped)
        with pytest.raises(CorruptStoreError):
            load_manifest(tmp_path)
