"""The build hook: what is built, what is said where it cannot be, and what is shipped."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Stands for the kernels, which take a minute: what is tried here is the way to them.
SOURCE = 'extern "C" int graphlab_answer() { return 42; }\n'
# Hides every torch from the build hook, as an isolated build without one does.
NO_TORCH = """
import runpy, site, sys, sysconfig, setuptools
sys.path = [p for p in sys.path if "-packages" not in p]
sysconfig.get_path = site.getusersitepackages = lambda *_: ""
runpy.run_path("setup.py", run_name="__main__")
"""
COPIED = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "CHANGELOG.md", "LICENSE", "constraints.txt")

pytestmark = pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="there is no source tree")
compiled = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("gcc") is None or shutil.which("g++") is None,
    reason="the kernels' compiler is not here",
)


@pytest.fixture
def project(tmp_path):
    """A copy of the project with next to nothing to compile."""
    for name in (
        "setup.py",
        "pyproject.toml",
        "MANIFEST.in",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "constraints.txt",
    ):
        shutil.copy2(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "datasets", tmp_path / "datasets")
    (tmp_path / "graphlab").mkdir()
    (tmp_path / "cuda").mkdir()
    for name in ("__init__.py", "version.py", "py.typed"):
        shutil.copy2(ROOT / "graphlab" / name, tmp_path / "graphlab" / name)
    shutil.copy2(ROOT / "cuda" / "module.c", tmp_path / "cuda" / "module.c")
    (tmp_path / "cuda" / "answer.cpp").write_text(SOURCE)
    return tmp_path


def setup(project: Path, *command: str, code: str = "", **environment: str) -> subprocess.CompletedProcess:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GRAPHLAB_")}
    start = ["-c", code] if code else ["setup.py"]
    return subprocess.run(
        [sys.executable, *start, "-q", *command],
        cwd=project,
        env=kept | {"GRAPHLAB_CUDA": "0"} | environment,
        capture_output=True,
        text=True,
    )


def status(project: Path) -> dict[str, str]:
    return json.loads((project / "graphlab" / "_build.json").read_text())


def libraries(project: Path) -> list[str]:
    return sorted(p.name for p in (project / "graphlab").glob("_C*"))


@compiled
def test_what_is_built_is_said_and_what_is_switched_off_is_gone(project):
    done = setup(project, "build_ext", "--inplace", GRAPHLAB_EXT="1")
    assert done.returncode == 0, done.stderr
    assert libraries(project) == ["_C.abi3.so"]
    assert status(project) == {"_C": "built", "_CUDA": "off: GRAPHLAB_CUDA=0"}
    assert setup(project, "build_ext", "--inplace", GRAPHLAB_EXT="0").returncode == 0
    assert libraries(project) == []
    assert status(project) == {"_C": "off: GRAPHLAB_EXT=0", "_CUDA": "off: GRAPHLAB_EXT=0"}


@compiled
def test_source_that_does_not_compile_is_no_obstacle_unless_kernels_are_demanded(project):
    assert setup(project, "build_ext", "--inplace").returncode == 0
    (project / "cuda" / "answer.cpp").write_text("this is no C++")
    done = setup(project, "build_ext", "--inplace")
    assert done.returncode == 0 and "graphlab kernels _C: not built: " in done.stderr
    assert libraries(project) == [] and status(project)["_C"].startswith("not built: ")
    assert setup(project, "build_ext", "--inplace", GRAPHLAB_EXT="1").returncode != 0


def test_no_compiler_is_no_obstacle_unless_kernels_are_demanded(project):
    bare = {"PATH": str(project / "nothing")}
    done = setup(project, "build_ext", "--inplace", **bare)
    assert done.returncode == 0 and status(project)["_C"].startswith("not built: ")
    assert setup(project, "build_ext", "--inplace", GRAPHLAB_EXT="1", **bare).returncode != 0


def test_no_torch_is_no_obstacle_unless_kernels_are_demanded(project):
    done = setup(project, "build_ext", "--inplace", code=NO_TORCH)
    assert done.returncode == 0, done.stderr
    assert status(project)["_C"] == (
        "not built: no torch was found at build time; install torch >= 2.11 first, then graphlab again"
    )
    assert setup(project, "build_ext", "--inplace", code=NO_TORCH, GRAPHLAB_EXT="1").returncode != 0


@pytest.mark.parametrize("name", ["GRAPHLAB_EXT", "GRAPHLAB_CUDA"])
def test_a_misspelt_switch_ends_the_build(project, name):
    if name == "GRAPHLAB_CUDA" and shutil.which("nvcc") is None:
        pytest.skip("without nvcc it is not read")
    done = setup(project, "build_ext", "--inplace", **{name: "yes"})
    assert done.returncode != 0 and f"{name} must be 0, 1 or auto, got 'yes'" in done.stderr


@compiled
@pytest.mark.parametrize("switch", ["0", "1"])
def test_the_wheel_holds_library_status_and_cards(project, switch):
    setup(project, "build_ext", GRAPHLAB_EXT="1")
    done = setup(project, "bdist_wheel", GRAPHLAB_EXT=switch)
    assert done.returncode == 0, done.stderr
    (wheel,) = (project / "dist").glob("*.whl")
    assert "cp311-abi3" in wheel.name
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"graphlab/_build.json", "graphlab/py.typed", "graphlab/datasets/cora.toml"} <= names
    assert ("graphlab/_C.abi3.so" in names) == (switch == "1")
    assert not any(name.startswith(("cuda", "tests", "datasets")) for name in names)


def test_the_sdist_holds_every_source(project):
    shutil.rmtree(project / "cuda")
    shutil.copytree(ROOT / "cuda", project / "cuda")
    done = setup(project, "sdist")
    assert done.returncode == 0, done.stderr
    (archive,) = (project / "dist").glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    wanted = {str(p.relative_to(ROOT)) for folder in ("cuda", "datasets") for p in (ROOT / folder).glob("*.*")}
    assert wanted | {"setup.py", "pyproject.toml", "constraints.txt"} <= names
