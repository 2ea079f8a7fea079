"""What the documentation says is run: docstring examples, the Python of every page with its output, and links."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [path for name in ("README.md", "CONTRIBUTING.md", "docs/*.md") for path in sorted(ROOT.glob(name))]
WITH_EXAMPLES = [path for path in sorted((ROOT / "graphlab").rglob("*.py")) if ">>> " in path.read_text("utf-8")]
# A block of Python, and the output that is printed right below it.
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:```text\n(?P<output>.*?)^```)?", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]\d+)?")
END = "<end of block>"
# PyG generates the code of SAGEConv for its first instance; the example of a name of ours must not be that one.
DOCTESTS = """
import doctest, importlib
from torch_geometric.nn import SAGEConv
SAGEConv(1, 1)
for name in {modules}:
    result = doctest.testmod(importlib.import_module(name))
    print(name, "passed" if result.attempted and not result.failed else "failed", sep="=")
"""


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[tuple[str, str]]:
    return [(found["code"], found["output"] or "") for found in BLOCK.finditer(page.read_text("utf-8"))]


def python(code: str, folder: Path) -> str:
    """Run code in a process of its own, where nothing was imported or registered before; what it prints."""
    script = folder / "script.py"
    script.write_text(code, "utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "GRAPHLAB_ROOT": str(folder)}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(page: Path, folder: Path) -> list[str]:
    """Run a page from top to bottom as a reader would; the output of each block."""
    code = "".join(f"{code}\nprint({END!r})\n" for code, _ in blocks(page))
    return python(code, folder).split(f"{END}\n")[:-1]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def same(printed: str, written: str) -> bool:
    """Whether two texts differ in decimals only, and those by no more than other versions and processors may."""
    words = [NUMBER.sub("#", text).split() for text in (printed, written)]
    numbers = [[float(number) for number in NUMBER.findall(text)] for text in (printed, written)]
    return words[0] == words[1] and numbers[0] == pytest.approx(numbers[1], rel=0.1, abs=1e-6)


def test_there_is_something_to_run():
    assert len(WITH_EXAMPLES) > 10
    assert {"README.md", "docs/aggregators.md", "docs/data.md", "docs/laws.md"} <= set(map(named, PAGES))


def test_docstring_examples(tmp_path):
    lines = python(DOCTESTS.format(modules=list(map(module_of, WITH_EXAMPLES))), tmp_path).splitlines()
    results = dict(line.split("=") for line in lines if line.startswith("graphlab."))
    assert results == dict.fromkeys(map(module_of, WITH_EXAMPLES), "passed"), "\n".join(lines)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=named)
def test_pages_run_and_print_what_they_say(page, tmp_path):
    for (code, written), printed in zip(blocks(page), run(page, tmp_path), strict=True):
        assert same(printed, written) or not written, f"{code}\nprinted:\n{printed}\nthe page says:\n{written}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_point_to_files(page):
    targets = [target for target in LINK.findall(page.read_text("utf-8")) if "://" not in target]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize(
    ("printed", "alike"),
    [
        ("moved by 0.57 in 3", True),
        ("moved by 0.58 in 3", True),
        ("moved by 0.77 in 3", False),
        ("moved by 0.57 in 4", False),
    ],
)
def test_outputs_are_compared_by_words_and_numbers(printed, alike):
    assert same(printed, "moved by 0.57 in 3") == alike
