"""The manifest: what a store holds and how it was made."""

import json
import zlib
from pathlib import Path
from typing import Any

from graphlab.disk.errors import CorruptStoreError, DiskError, UnsealedStoreError
from graphlab.disk.files import write_atomically

NAME = "manifest.json"
VERSION = 1


def save_manifest(path: Path, body: dict[str, Any], *, sealed: bool) -> None:
    """Write the manifest as a whole.

    Args:
        path: The store.
        body: What to write: JSON.
        sealed: Whether everything the manifest names is on the disk.
    """
    text = _canonical(body)
    whole = {
        "format": "graphlab-disk",
        "version": VERSION,
        "state": "sealed" if sealed else "building",
        "checksum": zlib.crc32(text.encode()),
        "body": body,
    }
    write_atomically(path / NAME, (json.dumps(whole, indent=1, sort_keys=True) + "\n").encode())


def load_manifest(path: Path, *, unsealed: bool = False) -> dict[str, Any]:
    """Read the manifest and check it.

    Args:
        path: The store.
        unsealed: Whether a store under preparation will do.

    Returns:
        The body.

    Raises:
        DiskError: There is no store at ``path``.
        UnsealedStoreError: Its preparation has not ended.
        CorruptStoreError: The manifest is damaged or of another version.
    """
    file = Path(path) / NAME
    try:
        whole = json.loads(file.read_bytes())
        state, version, body, checksum = (whole[k] for k in ("state", "version", "body", "checksum"))
    except FileNotFoundError:
        raise DiskError(f"'path' got {path}, which holds no store; make one with graphlab.disk.prepare") from None
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptStoreError(
            f"{file} is damaged ({error!r}); delete the directory and prepare the store anew"
        ) from error
    if version != VERSION:
        raise CorruptStoreError(
            f"{file} has format version {version}, expected {VERSION}; delete the directory and prepare the store anew"
        )
    if whole.get("format") != "graphlab-disk" or state not in ("sealed", "building"):
        raise CorruptStoreError(
            f"{file} is not a manifest of graphlab.disk; delete the directory and prepare the store anew"
        )
    if zlib.crc32(_canonical(body).encode()) != checksum:
        raise CorruptStoreError(
            f"{file} is damaged: its checksum does not fit; delete the directory and prepare the store anew"
        )
    if state == "building" and not unsealed:
        raise UnsealedStoreError(f"the preparation of {path} has not ended; run 'prepare' again to go on")
    return body


def _canonical(body: dict[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, separators=(",", ":"))
