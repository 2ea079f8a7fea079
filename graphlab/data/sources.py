"""Where raw files come from: the root folder, else a verified mirror, else a download."""

import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from filelock import FileLock

from graphlab.data.card import Card, File

T = TypeVar("T")

_CHUNK = 1 << 20


def root_folder(root: str | Path | None) -> Path:
    """The folder data sets are kept in, created where absent.

    Args:
        root: A folder, or None for ``GRAPHLAB_ROOT``, or where that is unset ``~/.cache/graphlab``.

    Raises:
        OSError: If the folder cannot be created.
    """
    folder = Path(root or os.environ.get("GRAPHLAB_ROOT") or "~/.cache/graphlab").expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"root {folder} cannot be created ({error.strerror}): pass root= or set GRAPHLAB_ROOT "
            "to a folder that can be written"
        ) from error
    return folder.absolute()


def read_through(card: Card, root: Path, processed: str, build: Callable[[Path], T]) -> T:
    """Build a data set of a library that reads raw files, fetching them first where they lack.

    The library works in a scratch folder, and its files are moved into the root when all are there:
    a process that dies leaves nothing half-written, and concurrent processes wait for one another.

    Args:
        card: The card; its needed files lie under one folder of the root.
        root: The root folder.
        processed: The file the library makes of the raw ones, relative to the root.
        build: The library's class with everything but the root given.

    Raises:
        FileNotFoundError: If raw files are missing and cannot be downloaded.
        ValueError: If a file of the mirror is not the one the card describes.
    """
    needed = [file for file in card.files if file.needed]
    wanted = [root / file.path for file in needed] + [root / processed]
    if not _all_exist(wanted):
        with FileLock(root / f".{card.name}.lock"):
            if not _all_exist(wanted):
                _make(card, needed, root, build)
    return build(root)


def read_files(card: Card, root: Path) -> list[Path]:
    """Where the needed files of a set lie that no library downloads, fetched from the mirror where they lack.

    Args:
        card: The card.
        root: The root folder.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If a file of the mirror is not the one the card describes.
    """
    needed = [file for file in card.files if file.needed]
    missing = obtain(card, needed, root)
    if missing:
        raise not_found(card, missing, root)
    return [root / file.path for file in needed]


def obtain(card: Card, files: Iterable[File], root: Path, *, also: Path | None = None) -> list[File]:
    """Copy files that ``root`` lacks out of the mirror, and say which are not to be had there.

    Args:
        card: The card, for messages.
        files: The files wanted.
        root: The folder to fill.
        also: A second folder to take files from, laid out like ``root``; not verified.

    Raises:
        ValueError: If a file of the mirror is not the one the card describes.
    """
    mirror = _mirror()
    missing = []
    for file in files:
        target = root / file.path
        if target.exists():
            continue
        if also and (also / file.path).exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(also / file.path, target)
        elif mirror and (mirror / file.mirror).exists():
            _copy_verified(card, file, mirror, root)
        else:
            missing.append(file)
    return missing


def not_found(card: Card, missing: list[File], root: Path, why: str = "") -> FileNotFoundError:
    """The error for files that are nowhere: names them, every place looked in, and the way out.

    Args:
        card: The card.
        missing: The files.
        root: The root folder that was searched.
        why: What became of the download; empty where no library downloads the files.
    """
    mirror = _mirror()
    place = f"GRAPHLAB_DATA ({mirror})" if mirror else "GRAPHLAB_DATA (unset)"
    last = f"or load it once with a network ({card.source})" if why else f"where they come from: {card.source}"
    return FileNotFoundError(
        f"data set '{card.name}' lacks {', '.join(file.path for file in missing)}; looked in the "
        f"root {root} and in {place}; {why or 'no library downloads them'}. Set GRAPHLAB_DATA to a mirror that holds "
        f"{missing[0].mirror}, or put the files into the root, {last}"
    )


def _mirror() -> Path | None:
    folder = os.environ.get("GRAPHLAB_DATA")
    return Path(folder).expanduser() if folder else None


def _all_exist(paths: Iterable[Path]) -> bool:
    return all(path.exists() for path in paths)


def _make(card: Card, needed: list[File], root: Path, build: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory(prefix=f".{card.name}-", dir=root) as name:
        scratch = Path(name) / "gathered"
        scratch.mkdir()
        missing = obtain(card, needed, scratch, also=root)
        if missing:
            # Libraries ask for a few of their files only, and would go on without the others: let
            # them fetch all.
            scratch = Path(name) / "downloaded"
            scratch.mkdir()
        _build_or_explain(card, missing, scratch, root, build)
        _publish(scratch, root)


def _build_or_explain(
    card: Card, missing: list[File], scratch: Path, root: Path, build: Callable[[Path], object]
) -> None:
    try:
        build(scratch)
    except Exception as error:
        # Libraries raise what their network layer raises; what tells a failed download is that no
        # files came.
        if missing and not _all_exist(scratch / file.path for file in missing):
            why = f"the download failed ({type(error).__name__}: {error})"
            raise not_found(card, missing, root, why) from error
        raise
    absent = [file for file in missing if not (scratch / file.path).exists()]
    if absent:
        raise not_found(card, absent, root, "the download did not bring them")


def _publish(scratch: Path, root: Path) -> None:
    for source in sorted(path for path in scratch.rglob("*") if path.is_file()):
        target = root / source.relative_to(scratch)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)


def _copy_verified(card: Card, file: File, mirror: Path, root: Path) -> None:
    """Copy, not link: whatever is later written to the root must never reach the mirror."""
    source, target = mirror / file.mirror, root / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}-{uuid.uuid4().hex}")
    try:
        found = _copy_and_hash(source, part)
        if found != file.sha256:
            raise ValueError(
                f"{source} is not the file that card '{card.name}' describes: expected sha256 "
                f"{file.sha256}, found {found}; fetch it again, or unset GRAPHLAB_DATA to "
                "download it"
            )
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _copy_and_hash(source: Path, target: Path) -> str:
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("xb") as write:
        while chunk := read.read(_CHUNK):
            digest.update(chunk)
            write.write(chunk)
    return digest.hexdigest()
