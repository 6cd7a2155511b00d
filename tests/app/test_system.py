"""The system's packages are on every platform, say what they do, and belong to nobody."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from flowkit import named
from rambla.app.build import first_namespace
from rambla.app.folder import DataFolder
from rambla.app.system.seed import brought, catalog, seed
from rambla.domain.access import Caller
from rambla.domain.entities import BUILTIN, Action, Package
from rambla.domain.errors import BadRequest, Refused
from rambla.flow import invoke, read, tend
from rambla.flow.apis import MANAGEMENT
from rambla.flow.feeds import FEEDS
from rambla.flow.platform import Limits, Op
from rambla.flow.tend import new_namespace
from rooms import OPERATOR_TOKEN, TOKENS, Rooms, World, op_of, open_rooms

pytestmark = pytest.mark.anyio
SYSTEM = "whisk.system"
ACTIONS = [entity for entity in brought(catalog(), 0) if isinstance(entity, Action)]
SAMPLED = [each for each in ACTIONS if {"sampleInput", "sampleOutput"} <= each.annotations.keys()]


@pytest.fixture
async def rooms(tmp_path: Path, anyio_backend: str):
    async with open_rooms(tmp_path) as rooms:
        await seed(rooms.platform)
        yield rooms


def operator(rooms: Rooms) -> Op:
    return Op(rooms.platform.ids.next(), TOKENS[OPERATOR_TOKEN])


async def test_everybody_may_read_the_packages_and_their_actions(rooms: Rooms) -> None:
    op = op_of(rooms.platform)
    for package, count in (("utils", 9), ("samples", 4), ("alarms", 3)):
        view = await read.package(rooms.platform, op, named(package, SYSTEM))
        assert view.package.publish
        assert len(view.actions) == count
        assert all(action.annotations["description"] for action in view.actions)
    echo = await read.action(rooms.platform, op, named("utils/echo", SYSTEM))
    assert echo.annotations["exec"] == echo.exec.kind == "python:3"


async def test_the_management_of_apis_is_for_the_web_only(rooms: Rooms) -> None:
    with pytest.raises(Refused):
        await read.package(rooms.platform, op_of(rooms.platform), named("apimgmt", SYSTEM))
    managing = {each.exec.code: each for each in ACTIONS if each.name.package == "apimgmt"}
    assert set(managing) == set(MANAGEMENT)
    for action in managing.values():
        assert {"web-export": True, "final": True}.items() <= action.annotations.items()


async def test_every_feed_is_one_and_is_built_in() -> None:
    feeds = [each for each in ACTIONS if each.annotations.get("feed")]
    assert {each.exec.code for each in feeds} == set(FEEDS)
    assert {each.exec.kind for each in feeds} == {BUILTIN}


@pytest.mark.parametrize("action", SAMPLED, ids=lambda action: str(action.name))
def test_what_an_action_shows_as_a_sample_is_what_it_does(action: Action, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("__OW_API_HOST", "http://127.0.0.1:3233")
    monkeypatch.setenv("__OW_NAMESPACE", "guest")
    assert main_of(action)(action.annotations["sampleInput"]) == action.annotations["sampleOutput"]


def main_of(action: Action) -> Any:
    module: dict[str, Any] = {}
    exec(action.exec.code, module)
    return module["main"]


def test_actions_of_text_do_as_openwhisks_do(monkeypatch: pytest.MonkeyPatch) -> None:
    mains = {each.name.name: main_of(each) for each in ACTIONS if each.exec.kind != BUILTIN}
    assert mains["sort"]({"lines": ["b", "a", 10, 9]})["lines"] == [10, 9, "a", "b"]
    assert mains["sort"]({}) == {"lines": [], "length": 0}
    assert mains["cat"]({"lines": ["a", None, True]})["payload"] == "a\nnull\ntrue"
    assert mains["split"]({"payload": "a\r\nb\nc"})["lines"] == ["a", "b", "c"]
    assert "error" in mains["split"]({})
    assert mains["head"]({"lines": [1, 2]}) == {"lines": [1], "num": 1}
    assert "error" in mains["smash"]({"a": 1})
    assert mains["date"]({})["date"].endswith("Z")
    monkeypatch.setenv("__OW_API_HOST", "http://h")
    monkeypatch.setenv("__OW_NAMESPACE", "guest")
    url = mains["hosturl"]
    assert url({"trigger": True, "path": "t"}) == {"url": "http://h/api/v1/namespaces/guest/triggers/t"}
    assert url({"web": True, "path": "a", "ext": ".json"}) == {"url": "http://h/api/v1/web/guest/default/a.json"}
    assert url({}) == {"url": "http://h/api/v1/namespaces/guest/actions"}
    for wrong in ({"web": True, "trigger": True}, {"web": True, "ext": ".exe"}, {"trigger": True, "path": "p/t"}):
        assert "error" in url(wrong)
    assert mains["namespace"]({}) == {"namespace": "guest"}


async def test_a_second_start_changes_nothing_and_mends_what_is_missing_or_old(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with open_rooms(world) as rooms:
        await seed(rooms.platform)
        key = (await rooms.platform.namespaces.get(SYSTEM)).key
        entities = rooms.platform.entities
        await entities.delete(named("utils/echo", SYSTEM), expected_revision=1)
        sort = await entities.get(named("utils/sort", SYSTEM))
        older = replace(sort, version="0.0.0", annotations={})
        await entities.put(older, expected_revision=1)
        newer = replace(await entities.get(named("utils/head", SYSTEM)), version="99.0.0", annotations={})
        await entities.put(newer, expected_revision=1)
    async with open_rooms(world) as rooms:
        await seed(rooms.platform)
        entities = rooms.platform.entities
        assert isinstance(await entities.get(named("utils/echo", SYSTEM)), Action)
        assert (await entities.get(named("utils/sort", SYSTEM))).annotations["description"]
        assert (await entities.get(named("utils/head", SYSTEM))).version == "99.0.0"
        package = await entities.get(named("utils", SYSTEM))
        assert isinstance(package, Package)
        assert package.revision == 1
        assert (await rooms.platform.namespaces.get(SYSTEM)).key == key


async def test_it_is_no_tenant_and_the_first_namespace_is_made_beside_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.namespaces.put(new_namespace(SYSTEM, 0, Limits()))
    async with open_rooms(world) as rooms:
        with DataFolder(tmp_path / "data") as folder:
            await first_namespace(rooms.platform, folder, "http://rambla")
            assert "NAMESPACE=guest" in (folder.path / "wskprops").read_text()


async def test_one_that_was_deleted_by_an_older_platform_stops_no_start(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as rooms:
        await seed(rooms.platform)
        await rooms.platform.namespaces.delete(SYSTEM)
        rooms.platform.entities.clear()
        await seed(rooms.platform)
        assert await rooms.platform.namespaces.get(SYSTEM) is None


async def test_not_even_the_operator_gets_its_key_or_deletes_it(rooms: Rooms) -> None:
    op = operator(rooms)
    with pytest.raises(Refused):
        await tend.namespace_key(rooms.platform, op, SYSTEM)
    with pytest.raises(Refused):
        await tend.namespace_key(rooms.platform, op, SYSTEM, rotate=True)
    with pytest.raises(Refused):
        await tend.delete_namespace(rooms.platform, op, SYSTEM)
    with pytest.raises(BadRequest):
        await tend.create_namespace(rooms.platform, op, SYSTEM)


async def test_a_feed_is_invoked_as_any_shared_action(rooms: Rooms) -> None:
    caller = Caller(subject="other", namespace="other", source="key")
    op = Op(rooms.platform.ids.next(), caller)
    payload = b'{"lifecycleEvent": "CREATE", "triggerName": "/_/absent", "cron": "* * * * *"}'
    ended = await invoke.invoke(rooms.platform, op, named("alarms/alarm", SYSTEM), payload, blocking=True)
    assert not isinstance(ended, str)
    assert (ended.status, ended.result) == (
        "application error",
        b'{"error":{"error":"Trigger authentication request failed."}}',
    )
