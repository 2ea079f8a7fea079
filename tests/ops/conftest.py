import pytest

from tests.ops import emulated as library


@pytest.fixture(scope="session")
def emulated():
    """The CUDA kernels on the host; ``use_backend("emulated")`` then runs them."""
    try:
        library.load()
    except library.CannotEmulate as error:
        pytest.skip(str(error))
    return library
