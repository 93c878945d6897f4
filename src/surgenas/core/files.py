"""Files that are either the old ones or the new ones, never half of each."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from surgenas.core.errors import EnvironmentFault


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file so that after a crash it holds either its old or its new content, never a part.

    Raises EnvironmentFault naming the path and the number of bytes if it cannot be written.
    """
    beside = path.with_name(path.name + ".part")
    try:
        with open(beside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):  # whatever was wrong with the place may be wrong with this too
            beside.unlink(missing_ok=True)
        raise cannot_write(path, len(content), error) from error


def make_folder(path: Path) -> None:
    """Create a folder and its parents, if they are not there; raises EnvironmentFault if that is not possible."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"cannot create {path}: {error.strerror}; choose another --out") from error


def sync_folder(folder: Path) -> None:
    """Flush a folder to the disk, so that a rename inside it survives a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def cannot_write(path: Path, size: int, error: OSError) -> EnvironmentFault:
    """The error to raise when `size` bytes could not be written to a path."""
    if isinstance(error, FileNotFoundError):
        return EnvironmentFault(f"cannot write {path}: there is no folder {path.parent}")
    return EnvironmentFault(
        f"cannot write {path} ({size} bytes): {error.strerror or error}; free the disk or write elsewhere; "
        "a search goes on with `surgenas resume`"
    )
