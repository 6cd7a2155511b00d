"""How does a small file come to be on disk wholly or not at all, and how is it seen that it is another?

Write a neighbour, fsync it, rename it over the name, fsync the folder. Whoever looks, at any time and after any crash,
sees the old content or the new. Blocking: call it in a thread where that matters.
"""

import os
from pathlib import Path
from typing import TypeAlias

TEMPORARY_SUFFIX = ".new"
Stamp: TypeAlias = tuple[int, int, int] | None


def write_durably(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, readable for its owner only. Raises OSError, after which `path` is as it was.

    One writer per path at a time. A crash may leave `path` + TEMPORARY_SUFFIX behind; the next write replaces it.
    """
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable: after a create, a rename or a delete."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def stamp_of(path: Path) -> Stamp:
    """Another one when `path` was replaced or written; None if it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
