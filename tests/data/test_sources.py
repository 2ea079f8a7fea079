import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from graphlab.data.card import Card, File
from graphlab.data.sources import read_files, read_through, root_folder

CONTENT = {"a": b"alpha", "b": b"beta" * 1_000_000}


def toy_card() -> Card:
    files = tuple(
        File(f"Toy/raw/{name}", f"toys/{name}.raw", hashlib.sha256(content).hexdigest())
        for name, content in CONTENT.items()
    )
    return Card(
        name="toy",
        title="A toy",
        licence="MIT",
        source="https://toys.example",
        task="set",
        metric="exact",
        split="none",
        reader="tu",
        files=files,
    )


def library(download: Callable[[Path], None]) -> Callable[[Path], bytes]:
    """A stand-in for a class of PyG: asks for its first file, downloads, processes, loads."""

    def build(root: Path) -> bytes:
        raw, processed = root / "Toy" / "raw", root / "Toy" / "processed" / "data.pt"
        if not (raw / "a").exists():
            raw.mkdir(parents=True, exist_ok=True)
            download(raw)
        if not processed.exists():
            processed.parent.mkdir(parents=True)
            parts = [path.read_bytes() for path in sorted(raw.iterdir())]
            processed.write_bytes(b"+".join(parts))
        return processed.read_bytes()

    return build


def offline(raw: Path) -> None:
    raise ConnectionError("no route to host")


def publisher(raw: Path) -> None:
    for name, content in CONTENT.items():
        (raw / name).write_bytes(content)


def read(root: Path, download: Callable[[Path], None] = offline) -> bytes:
    return read_through(toy_card(), root, "Toy/processed/data.pt", library(download))


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "mirror" / "toys"
    folder.mkdir(parents=True)
    for name, content in CONTENT.items():
        (folder / f"{name}.raw").write_bytes(content)
    monkeypatch.setenv("GRAPHLAB_DATA", str(folder.parent))
    return folder


@pytest.fixture
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return root_folder(tmp_path / "root")


def visible(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.suffix != ".lock")


WHOLE = ["Toy/processed/data.pt", "Toy/raw/a", "Toy/raw/b"]
ANSWER = CONTENT["a"] + b"+" + CONTENT["b"]


def test_mirror_files_are_copied_and_the_mirror_stays(toys: Path, root: Path) -> None:
    before = [(p.name, p.stat().st_mtime_ns, p.stat().st_nlink) for p in sorted(toys.iterdir())]
    assert read(root) == ANSWER
    assert visible(root) == WHOLE
    (root / "Toy/raw/a").write_bytes(b"scribble")
    assert (toys / "a.raw").read_bytes() == CONTENT["a"]
    after = [(p.name, p.stat().st_mtime_ns, p.stat().st_nlink) for p in sorted(toys.iterdir())]
    assert before == after


def test_what_is_processed_is_not_touched_again(toys: Path, root: Path) -> None:
    read(root)
    (root / "Toy/processed/data.pt").write_bytes(b"kept")
    for path in toys.iterdir():
        path.unlink()
    assert read(root) == b"kept"


def test_raw_files_of_the_root_come_first(toys: Path, root: Path) -> None:
    (root / "Toy/raw").mkdir(parents=True)
    (root / "Toy/raw/a").write_bytes(b"mine")
    assert read(root) == b"mine+" + CONTENT["b"]
    assert (root / "Toy/raw/a").read_bytes() == b"mine"


def test_a_corrupt_mirror_file_is_refused(toys: Path, root: Path) -> None:
    (toys / "b.raw").write_bytes(b"beta")
    found = hashlib.sha256(b"beta").hexdigest()
    expected = hashlib.sha256(CONTENT["b"]).hexdigest()
    with pytest.raises(ValueError, match=rf"b\.raw .*card 'toy'.*{expected}.*found {found}"):
        read(root)
    assert visible(root) == []


@pytest.mark.usefixtures("no_mirror")
def test_missing_everywhere_names_files_places_and_the_way_out(root: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        read(root)
    message = str(caught.value)
    for part in (
        "'toy'",
        "Toy/raw/a, Toy/raw/b",
        str(root),
        "GRAPHLAB_DATA (unset)",
        "ConnectionError: no route to host",
        "toys/a.raw",
        "https://toys.example",
    ):
        assert part in message
    assert "\n" not in message
    assert visible(root) == []


def test_a_mirror_without_the_file_is_named(toys: Path, root: Path) -> None:
    (toys / "b.raw").unlink()
    with pytest.raises(FileNotFoundError, match=rf"lacks Toy/raw/b;.*\({toys.parent}\)"):
        read(root)


@pytest.mark.usefixtures("no_mirror")
def test_the_library_downloads_what_is_nowhere(root: Path) -> None:
    assert read(root, publisher) == ANSWER
    assert visible(root) == WHOLE


@pytest.mark.usefixtures("no_mirror")
def test_a_partial_root_does_not_keep_the_library_from_downloading(root: Path) -> None:
    # The library asks for its first file only; finding that one it would go on without the other.
    (root / "Toy/raw").mkdir(parents=True)
    (root / "Toy/raw/a").write_bytes(CONTENT["a"])
    assert read(root, publisher) == ANSWER
    assert visible(root) == WHOLE


@pytest.mark.usefixtures("no_mirror")
def test_an_incomplete_download_is_an_error(root: Path) -> None:
    def half(raw: Path) -> None:
        (raw / "a").write_bytes(CONTENT["a"])

    with pytest.raises(FileNotFoundError, match=r"lacks Toy/raw/b;.*did not bring them"):
        read(root, half)
    assert visible(root) == []


def test_an_error_of_the_parser_is_not_called_a_missing_file(toys: Path, root: Path) -> None:
    def broken(folder: Path) -> None:
        raise RuntimeError("cannot parse")

    with pytest.raises(RuntimeError, match="cannot parse"):
        read_through(toy_card(), root, "Toy/processed/data.pt", broken)
    assert visible(root) == []


def test_a_process_that_dies_leaves_nothing_half_written(toys: Path, root: Path) -> None:
    code = (
        "import os, sys, pathlib\n"
        "from data.test_sources import read_through, toy_card\n"
        "def dies(folder):\n"
        "    processed = folder / 'Toy' / 'processed'\n"
        "    processed.mkdir()\n"
        "    (processed / 'data.pt').write_bytes(b'half')\n"
        "    os._exit(9)\n"
        "root = pathlib.Path(sys.argv[1])\n"
        "read_through(toy_card(), root, 'Toy/processed/data.pt', dies)\n"
    )
    here = Path(__file__)
    paths = os.pathsep.join([str(here.parents[1]), str(here.parents[2])])
    env = {**os.environ, "PYTHONPATH": paths}
    died = subprocess.run([sys.executable, "-c", code, str(root)], env=env, check=False)
    assert died.returncode == 9
    assert not (root / "Toy").exists()
    assert read(root) == ANSWER


def test_root_comes_from_argument_environment_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GRAPHLAB_ROOT", str(tmp_path / "env"))
    assert root_folder(tmp_path / "arg") == tmp_path / "arg"
    assert root_folder(None) == tmp_path / "env"
    monkeypatch.delenv("GRAPHLAB_ROOT")
    assert root_folder(None) == tmp_path / "home" / ".cache" / "graphlab"
    assert (tmp_path / "home" / ".cache" / "graphlab").is_dir()


def test_a_root_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"file/root cannot be created .*GRAPHLAB_ROOT"):
        root_folder(tmp_path / "file" / "root")


def test_files_without_a_library_come_from_the_mirror_or_are_missed(toys: Path, root: Path) -> None:
    assert read_files(toy_card(), root) == [root / "Toy/raw/a", root / "Toy/raw/b"]
    assert (root / "Toy/raw/b").read_bytes() == CONTENT["b"]
    (root / "Toy/raw/b").unlink()
    (toys / "b.raw").unlink()
    message = r"lacks Toy/raw/b;.*no library downloads them.*where they come from: https://toys\.example"
    with pytest.raises(FileNotFoundError, match=message):
        read_files(toy_card(), root)
