"""How does a file change under a daemon that reads it at any time?

Written aside, synchronised, given a time later than any before, and renamed into place: whoever looks, at any time and
after any crash, sees the old content or the new. oslo.policy reads a file again only if its time is later than the one
it knows, and a directory if the latest time in it is.
"""

import contextlib
import os
import time
from pathlib import Path

ASIDE = ".rambla"
STEP_NS = 1_000_000
"""oslo.policy compares times as floating point, which tells a microsecond from the next and no less."""


def read(path: Path) -> bytes | None:
    """None if there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def put(path: Path, data: bytes, *, mode: int = 0o644, after_ns: int = 0) -> int:
    """Replace `path`; its time, later than the one before and than `after_ns`.

    Owner and mode stay as they are; a new file has `mode` and the group of its folder. Raises OSError, after which
    `path` is as it was.
    """
    fresh = path.with_name(f".{path.name}{ASIDE}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            moment = _dress(file.fileno(), path, mode, after_ns)
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    sync(path.parent)
    return moment


def clear(folder: Path) -> None:
    """Take away what a crash left aside."""
    for left in folder.glob(f".*{ASIDE}"):
        left.unlink(missing_ok=True)


def latest_ns(folder: Path) -> int:
    """The latest time of a folder and of all that is in it, as oslo.policy looks for it."""
    found = [folder.stat().st_mtime_ns]
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # it may go while we look
            found.append(path.stat().st_mtime_ns)
    return max(found)


def touch(folder: Path, after_ns: int) -> int:
    """Make a folder's own time the latest in it: what was taken away leaves no other trace."""
    moment = _later_than(max(latest_ns(folder), after_ns))
    os.utime(folder, ns=(moment, moment))
    sync(folder)
    return moment


def sync(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _dress(descriptor: int, path: Path, mode: int, after_ns: int) -> int:
    try:
        before = path.stat()
        mode, owner, group, after_ns = (
            before.st_mode & 0o777,
            before.st_uid,
            before.st_gid,
            max(after_ns, before.st_mtime_ns),
        )
    except FileNotFoundError:
        owner, group = -1, path.parent.stat().st_gid
    with contextlib.suppress(PermissionError):  # who is not root gives what they may
        os.fchown(descriptor, owner, group)
    os.fchmod(descriptor, mode)
    moment = _later_than(after_ns)
    os.utime(descriptor, ns=(moment, moment))
    return moment


def _later_than(moment_ns: int) -> int:
    return max(time.time_ns(), moment_ns + STEP_NS)
