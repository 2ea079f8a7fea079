"""The house holds: `import graphlab` is cheap, and imports run downwards only."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import graphlab

ROOT = Path(graphlab.__file__).parent
FLOORS = {
    "ops": 0,
    "aggr": 1,
    "nn": 1,
    "subgraph": 1,
    "directed": 1,
    "forward": 1,
    "loader": 1,
    "models": 2,
    "data": 2,
    "disk": 2,
    "train": 3,
    "cli": 4,
}
# Beside the house: these stand on nothing, and `testing` carries nothing.
BESIDE = {"typing", "version", "testing"}
# The doors name rooms of every floor, and open none until asked.
DOORS = {"__init__", "__main__"}
MODULES = sorted(ROOT.rglob("*.py"))


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


def package_of(path: Path) -> list[str]:
    return ["graphlab", *path.relative_to(ROOT).parent.parts]


def imported(path: Path) -> Iterator[str]:
    """Full names of what a file imports, wherever in the file it does."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package_of(path)[: len(package_of(path)) + 1 - node.level] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant))


def imported_rooms(path: Path) -> set[str]:
    parts = [name.split(".") for name in imported(path)]
    names = {p[1] for p in parts if p[0] == "graphlab" and len(p) > 1}
    return names - {room_of(path), "__version__"}


def test_import_brings_no_torch():
    heavy = "torch", "torch_geometric", "numpy", "networkx", "tyro"
    loaded = run(f"import sys, graphlab; print([m for m in {heavy} if m in sys.modules])")
    assert loaded == "[]"


def test_stores_are_made_without_pyg():
    assert run("import sys, graphlab.disk; print('torch_geometric' in sys.modules)") == "False"


def test_import_takes_at_most_300_ms():
    code = "import time; t = time.perf_counter(); import graphlab; print(time.perf_counter() - t)"
    assert min(float(run(code)) for _ in range(3)) <= 0.3


def test_dir_lists_every_room():
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"cli"}
    assert rooms <= set(dir(graphlab))


@pytest.mark.parametrize("name", dir(graphlab))
def test_every_listed_name_is_there(name):
    assert getattr(graphlab, name) is not None


def test_unknown_name_is_told():
    with pytest.raises(AttributeError, match=r"no attribute 'agr'; it has .*aggr"):
        graphlab.__getattr__("agr")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_downwards_only(path):
    room = room_of(path)
    if room in DOORS:
        return
    below = {"typing", "version"} | {name for name, floor in FLOORS.items() if floor < FLOORS.get(room, 0)}
    if room == "ops":
        below.add("_C")  # the compiled kernels lie below the ground floor
    assert imported_rooms(path) <= below


def test_house_has_no_other_rooms():
    rooms = {room_of(path) for path in MODULES} - DOORS
    assert rooms <= FLOORS.keys() | BESIDE


@pytest.mark.parametrize(
    ("text", "room"),
    [
        ("from graphlab.train import loop", "train"),
        ("from graphlab import cli", "cli"),
        ("import graphlab.data.card as card", "data"),
        ("def f():\n    from ..models import sage", "models"),
        ("if TYPE_CHECKING:\n    from graphlab.aggr.lcm import x", "aggr"),
        ("importlib.import_module('graphlab.data')", "data"),
    ],
)
def test_walk_sees_every_way_to_import(tmp_path, monkeypatch, text, room):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    path = tmp_path / "ops" / "x.py"
    path.parent.mkdir()
    path.write_text(text)
    assert imported_rooms(path) == {room}
