import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The mirror of raw files, without which tests on real data cannot run."""
    folder = os.environ.get("GRAPHLAB_DATA")
    if not folder:
        pytest.skip("GRAPHLAB_DATA is unset: there are no raw files to read")
    return Path(folder)


@pytest.fixture(scope="session")
def shared_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One root for all tests that only read data sets: each is processed once."""
    return tmp_path_factory.mktemp("root")
