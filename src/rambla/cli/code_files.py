"""What code does a file, a folder or a zip hold, and of which kind?

A folder is zipped in memory, the same bytes every time for the same files. Nothing outside of it gets in: links that
lead out are refused. What comes after: `actions` sends it.
"""

import base64
import io
import os
import stat
import zipfile
from pathlib import Path

import msgspec

from rambla.cli.errors import CliError

CODE_BYTES_MAX = 48 * 1024 * 1024
"""OpenWhisk's limit for code as it is sent: base64 for a zip."""
SOURCE_BYTES_MAX = 512 * 1024 * 1024
SKIPPED_FOLDERS = frozenset({"__pycache__", ".git", ".hg", ".svn", ".venv", ".mypy_cache", ".pytest_cache"})
PYTHON, NODE, JAVA, NATIVE = "python:default", "nodejs:default", "java:default", "native:default"
_ENDINGS = {".py": PYTHON, ".js": NODE, ".mjs": NODE, ".cjs": NODE, ".sh": NATIVE}
_LANDMARKS = {
    "__main__.py": PYTHON,
    "package.json": NODE,
    "index.js": NODE,
    "META-INF/MANIFEST.MF": JAVA,
    "exec": NATIVE,
}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest moment a zip can state


class Code(msgspec.Struct, frozen=True):
    """`text` is source code, or base64 of a zip. `kind` is what the names of the files suggest, None if nothing."""

    text: str
    kind: str | None


def read(path: Path) -> Code:
    """The code at `path`. CliError if it is too large, not UTF-8 text, not a zip, or leads out of its folder."""
    if path.is_dir():
        return _binary(zip_folder(path))
    size = path.stat().st_size
    if size > CODE_BYTES_MAX:
        raise _too_large(size)
    content = path.read_bytes()
    if path.suffix.lower() in (".zip", ".jar"):
        return _binary(content)
    try:
        return Code(content.decode("utf-8"), _ENDINGS.get(path.suffix.lower()))
    except UnicodeDecodeError as error:
        raise CliError(f"{path} is neither UTF-8 text nor a .zip") from error


def _binary(archive: bytes) -> Code:
    text = base64.b64encode(archive).decode("ascii")
    if len(text) > CODE_BYTES_MAX:
        raise _too_large(len(text))
    return Code(text, kind_of_zip(archive))


def _too_large(size: int) -> CliError:
    return CliError(f"code larger than allowed: {size} > {CODE_BYTES_MAX} bytes")


def kind_of_zip(archive: bytes) -> str | None:
    """By the file at its root that a runtime would start with. CliError if it is no zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            names = set(opened.namelist())
    except zipfile.BadZipFile as error:
        raise CliError("the archive is not a valid zip") from error
    return next((kind for name, kind in _LANDMARKS.items() if name in names), None)


def zip_folder(folder: Path) -> bytes:
    """Every file below `folder` but caches and version control; equal for equal files, whenever and wherever made."""
    files = sorted(_files(folder), key=lambda file: file.relative_to(folder).as_posix())
    if not files:
        raise CliError(f"{folder} holds no files")
    size = sum(file.stat().st_size for file in files)
    if size > SOURCE_BYTES_MAX:
        raise CliError(f"{folder} holds {size} bytes; at most {SOURCE_BYTES_MAX} are packed")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(_entry(folder, file), file.read_bytes())
    return buffer.getvalue()


def _entry(folder: Path, file: Path) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    executable = file.stat().st_mode & stat.S_IXUSR
    entry.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
    return entry


def _files(folder: Path) -> list[Path]:
    found = []
    for place, folders, names in os.walk(folder):
        for name in folders:
            if (Path(place) / name).is_symlink():
                raise CliError(f"{Path(place) / name} is a link to a folder: replace it by the folder itself")
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
        found += [_inside(folder, Path(place) / name) for name in names if not name.endswith(".pyc")]
    return found


def _inside(folder: Path, file: Path) -> Path:
    if not file.resolve().is_relative_to(folder.resolve()):
        raise CliError(f"{file} is a link that leads out of {folder}")
    if not file.is_file():
        raise CliError(f"{file} is not a regular file")
    return file
