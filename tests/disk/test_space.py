import os

import pytest

from graphlab.disk import DiskFullError
from graphlab.disk.space import Space


def test_what_is_held_counts_as_free_to_the_store(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(bytes(1 << 20))
    space, stat = Space.of(tmp_path, None), os.statvfs(tmp_path)
    assert 1 << 20 <= space.held < 2 << 20
    assert space.free == pytest.approx(space.held + stat.f_bavail * stat.f_frsize, rel=0.1)
    assert not space.limited


def test_a_budget_is_a_limit_where_it_is_less(tmp_path):
    assert Space.of(tmp_path, 1000) == Space(tmp_path, 0, 1000, True)
    assert not Space.of(tmp_path, 1 << 60).limited


def test_what_does_not_fit_is_refused_with_the_way_out(tmp_path):
    Space(tmp_path, 0, 10, True).check(10, "shrink it")
    with pytest.raises(DiskFullError, match=r"needs 11 bytes, 10 bytes are free; raise 'disk_budget', or shrink it"):
        Space(tmp_path, 0, 10, True).check(11, "shrink it")
    with pytest.raises(DiskFullError, match=r"free some space, give another 'out', or shrink it"):
        Space(tmp_path, 0, 10, False).check(11, "shrink it")
