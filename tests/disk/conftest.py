"""What several tests of stores start from."""

import pytest

from tests.disk.small_stores import stored


@pytest.fixture
def store(tmp_path):
    stored(tmp_path / "store")
    return tmp_path / "store"
