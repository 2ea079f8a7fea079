import pytest

from graphlab.disk import CorruptStoreError
from graphlab.disk.journal import Journal
from graphlab.disk.noted_file import load_noted, save_noted


def test_the_last_file_is_read_and_older_ones_go(tmp_path):
    with Journal(tmp_path, "work") as journal:
        assert load_noted(tmp_path, journal, "state") is None
        for content in (b"one", b"", b"three"):
            save_noted(tmp_path, journal, "state", content)
            assert load_noted(tmp_path, journal, "state") == content
        save_noted(tmp_path, journal, "other", b"else")
    with Journal(tmp_path, "work") as journal:
        assert load_noted(tmp_path, journal, "state") == b"three"
    assert sorted(p.name for p in tmp_path.glob("*.bin")) == ["other-0.bin", "state-2.bin"]


def test_a_file_that_was_not_noted_does_not_count(tmp_path):
    with Journal(tmp_path, "work") as journal:
        save_noted(tmp_path, journal, "state", b"one")
        (tmp_path / "state-1.bin").write_bytes(b"what a crash left behind")
        assert load_noted(tmp_path, journal, "state") == b"one"
        save_noted(tmp_path, journal, "state", b"two")
        assert load_noted(tmp_path, journal, "state") == b"two"


def test_damage_is_noticed(tmp_path):
    with Journal(tmp_path, "work") as journal:
        save_noted(tmp_path, journal, "state", b"one")
        for content in (b"onf", b"on", b"ones", None):
            file = tmp_path / "state-0.bin"
            file.unlink() if content is None else file.write_bytes(content)
            with pytest.raises(CorruptStoreError, match=r"state-0\.bin is damaged"):
                load_noted(tmp_path, journal, "state")
