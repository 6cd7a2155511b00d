"""A new platform has a namespace to begin with, and one whose owner deleted it still starts."""

from pathlib import Path

import pytest

from rambla.app.build import first_namespace
from rambla.app.folder import DataFolder
from rooms import GUEST, OTHER, Rooms, open_rooms

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("gone", [(GUEST,), (GUEST, OTHER)])
async def test_a_first_namespace_that_was_deleted_is_not_made_again(tmp_path: Path, gone: tuple[str, ...]) -> None:
    async with open_rooms(tmp_path) as rooms:
        for name in gone:
            await rooms.platform.namespaces.delete(name)
        with DataFolder(tmp_path / "data") as folder:
            await first_namespace(rooms.platform, folder, "http://rambla")
            assert not (folder.path / "wskprops").exists()
        assert await names(rooms) == sorted({GUEST, OTHER} - {*gone})


async def names(rooms: Rooms) -> list[str]:
    return [each.name for each in await rooms.platform.namespaces.all()]
