from pathlib import Path

import pytest
from filelock import Timeout

from graphlab.train.config import ConfigError
from graphlab.train.evaluation.expressivity import Records

KEY, SETTINGS = ("untrained", "my.nets:Net", "brec"), {"options": {"sizes": (1, 2)}}


def test_figures_count_while_their_settings_are_the_same(tmp_path: Path) -> None:
    records = Records(tmp_path / "out")
    assert records.read(KEY, SETTINGS) is None
    records.write(KEY, SETTINGS, {"noise": 0.0}, {"torch": "2"})
    assert records.path(KEY) == tmp_path / "out" / "untrained" / "my.nets-Net" / "brec.json"
    assert records.read(KEY, SETTINGS) == {"noise": 0.0}
    assert records.read(KEY, {"options": {"sizes": (1, 3)}}) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"settings": {}}', "\udcff"])
def test_a_file_that_is_no_result_is_not_guessed_at(tmp_path: Path, content: str) -> None:
    records = Records(tmp_path)
    records.path(KEY).parent.mkdir(parents=True)
    records.path(KEY).write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError, match=r"brec\.json: is no result of graphlab eval expressivity; remove it"):
        records.read(KEY, {})


def test_a_key_is_locked_by_one(tmp_path: Path) -> None:
    records = Records(tmp_path)
    with records.lock(KEY):
        with pytest.raises(Timeout), records.lock(KEY):
            pass
        with records.lock(("untrained", "gin", "brec")):
            pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"--out: .*/file/out cannot be made: Not a directory"):
        Records(tmp_path / "file" / "out").lock(KEY)
