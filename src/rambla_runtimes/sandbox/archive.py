"""How is an action's zip unpacked?

Beneath one folder, bounded in size and number, with the right to execute kept; nothing in it may reach outside. Whoever
calls says in its own words what was wrong.
"""

import base64
import io
import os
import stat
import zipfile

_UNPACKED_BYTES_MAX = 512 << 20
_MEMBERS_MAX = 20_000


class BadArchive(Exception):
    """Why it cannot be unpacked, in words for its author."""


def unpack(code: str, folder: str) -> None:
    """Unpack the base64 of a zip beneath `folder`. Raises BadArchive."""
    try:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(code, validate=True))) as archive:
            _check_members(archive)
            for member in archive.infolist():
                path = archive.extract(member, folder)
                if member.external_attr >> 16 & stat.S_IXUSR and os.path.isfile(path):
                    os.chmod(path, 0o700)
    except BadArchive:
        raise
    except Exception as error:
        raise BadArchive(f"cannot unpack the zip file: {type(error).__name__}: {error}") from None


def _check_members(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    size = sum(member.file_size for member in members)
    if len(members) > _MEMBERS_MAX or size > _UNPACKED_BYTES_MAX:
        raise BadArchive("the zip file unpacks to too much.")
    for member in members:
        if member.filename.startswith("/") or ".." in member.filename.split("/"):
            raise BadArchive(f"the zip file reaches outside: {member.filename!r}")
