"""Choosing what runs the ops."""

import os
import subprocess
import sys

import pytest
import torch

from graphlab.ops import backends, gather_reduce, kernels, use_backend


def test_a_backend_holds_inside_its_block_and_is_put_back():
    before = kernels.backend()
    with use_backend("ref"):
        assert kernels.backend() == "ref" and kernels.namespace(torch.ones(1)) == "graphlab_ref"
        assert not kernels.native(torch.ones(1))
        with pytest.raises(KeyError), use_backend("auto"):
            assert kernels.backend() == "auto"
            raise KeyError
        assert kernels.backend() == "ref"
    assert kernels.backend() == before


def test_an_unknown_backend_is_refused():
    with pytest.raises(ValueError, match="'name' must be one of 'auto', 'ref'"), use_backend("fast"):
        pass
    assert kernels.backend() != "fast"


def test_types_without_kernels_take_the_reference():
    assert kernels.namespace(torch.ones(1)) == "graphlab"
    for dtype in (torch.float16, torch.int32, torch.int64, torch.complex64):
        assert kernels.namespace(torch.ones(1, dtype=dtype)) == "graphlab_ref"
    assert kernels.namespace(torch.ones(1, dtype=torch.int32), kernels.INDEX_DTYPES) == "graphlab"


def test_backends_tells_both_devices():
    said = backends()
    assert set(said) == {"cpu", "cuda"}
    assert said["cpu"].startswith("pure PyTorch: " if kernels.missing("_C") else "compiled kernels (")
    with use_backend("ref"):
        assert set(backends().values()) == {"pure PyTorch: GRAPHLAB_BACKEND=ref"}


def test_a_misspelt_environment_is_told():
    environment = os.environ | {"GRAPHLAB_BACKEND": "reference"}
    done = subprocess.run(
        [sys.executable, "-c", "import graphlab.ops"], env=environment, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "GRAPHLAB_BACKEND must be one of auto, ref, emulated, got 'reference'" in done.stderr


def test_deterministic_mode_changes_nothing():
    x, edge_index = torch.randn(50, 8, requires_grad=True), torch.randint(50, (2, 400))
    before = torch.are_deterministic_algorithms_enabled()
    results = []
    try:
        for mode in (False, True):
            torch.use_deterministic_algorithms(mode)
            out = gather_reduce(x, edge_index, reduce="max")
            results.append((out, *torch.autograd.grad(out.sum(), x)))
    finally:
        torch.use_deterministic_algorithms(before)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
