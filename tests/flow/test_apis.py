"""The management of APIs, as its actions do it: whose APIs, what is on record, and what two at once leave behind."""

from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from flowkit import add_action, full_disk, named
from rambla.app.system.seed import seed
from rambla.domain.access import Caller
from rambla.domain.activation import Activation
from rambla.domain.changes import PackageChange
from rambla.domain.errors import Conflict, NotFound, Refused, StorageFailed
from rambla.domain.names import SYSTEM_NAMESPACE, FullName
from rambla.domain.web import WebRequest
from rambla.drivers.memory.apis import MemoryApiStore
from rambla.flow import change, tend
from rambla.flow.apis import MANAGEMENT
from rambla.flow.invoke import invoke
from rambla.flow.platform import Op, Platform
from rambla.flow.web import invoke_web
from rambla.gateway.api import Api, gateway_id
from rambla.gateway.management import CREATE, DELETE, GET
from rooms import Rooms, World, op_of, open_rooms

pytestmark = pytest.mark.anyio
JSON = {"Content-Type": "application/json"}
ACTION = {
    "name": "a",
    "namespace": "_",
    "backendMethod": "GET",
    "backendUrl": "http://rambla/api/v1/web/_/default/a.http",
    "authkey": "uuid:secret",
}


def apidoc(base_path: str = "/base", path: str = "/path", method: str = "get", **action: Any) -> dict[str, Any]:
    """`api_name` is what a new API is called, everything else is the action's."""
    places = {"gatewayBasePath": base_path, "gatewayPath": path, "gatewayMethod": method}
    name = {"apiName": action.pop("api_name")} if "api_name" in action else {}
    return {"namespace": "_", **places, **name, "action": ACTION | action}


async def manage(platform: Platform, what: str, *, by: str = "guest", **arguments: Any) -> dict[str, Any]:
    """The builtin's result, as it is given to who invokes the action itself."""
    return await MANAGEMENT[what](platform, op_of(platform, by), arguments)


async def publish(platform: Platform, **wish: Any) -> dict[str, Any]:
    return await manage(platform, CREATE, apidoc=apidoc(**wish))


def decoded(document: msgspec.Raw) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(document)
    return found


async def paths(platform: Platform, base_path: str = "/base") -> dict[str, list[str]]:
    api = await platform.apis.get("guest", base_path)
    return (
        {} if api is None else {path: sorted(item) for path, item in msgspec.json.decode(api.document)["paths"].items()}
    )


@pytest.fixture
async def action(rooms: Rooms) -> FullName:
    return await add_action(rooms, "a", annotations={"web-export": True})


# --- what comes and goes ---


@pytest.mark.usefixtures("action")
async def test_an_api_is_made_shown_widened_narrowed_and_gone(platform: Platform) -> None:
    made = await publish(platform, api_name="My API")
    address = f"/api/{gateway_id('guest')}/base"
    assert (made["namespace"], made["tenantId"], made["gwApiActivated"]) == ("Not Used", "Not Used", True)
    assert made["gwApiUrl"].endswith(address)
    assert decoded(made["apidoc"])["info"]["title"] == "My API"
    assert decoded(made["apidoc"])["paths"]["/path"]["get"]["x-openwhisk"]["namespace"] == "guest"
    await publish(platform, path="/other", method="POST")
    for asked in ({}, {"basepath": "/base"}, {"basepath": "/base/"}, {"basepath": "My API"}):
        (found,) = (await manage(platform, GET, **asked))["apis"]
        assert (found["id"], found["key"], found["value"]["gwApiUrl"]) == ("Not Used", "Not Used", made["gwApiUrl"])
        assert set(decoded(found["value"]["apidoc"])["paths"]) == {"/path", "/other"}
    assert await manage(platform, DELETE, basepath="My API", relpath="/path", operation="GET") == {}
    assert await paths(platform) == {"/other": ["post"]}
    assert await manage(platform, DELETE, basepath="/base", relpath="/other") == {}
    assert await manage(platform, GET) == {"apis": []}


@pytest.mark.usefixtures("action")
async def test_a_whole_document_replaces_what_was_there(platform: Platform) -> None:
    await publish(platform)
    document = {"swagger": "2.0", "basePath": "/base", "info": {"title": "New"}}
    operation = {"x-openwhisk": {"namespace": "_", "action": "a"}}
    swagger = document | {"paths": {"/new": {"get": operation}}}
    made = await manage(platform, CREATE, apidoc={"namespace": "_", "swagger": msgspec.json.encode(swagger).decode()})
    assert decoded(made["apidoc"]) == swagger
    assert await paths(platform) == {"/new": ["get"]}


@pytest.mark.usefixtures("action")
async def test_an_api_is_widened_by_its_name_too(platform: Platform) -> None:
    await publish(platform, api_name="My API")
    await publish(platform, base_path="My API", path="/other")
    assert await paths(platform) == {"/other": ["get"], "/path": ["get"]}


@pytest.mark.usefixtures("action")
async def test_a_page_ends_before_it_is_too_large_for_a_result(rooms: Rooms) -> None:
    filler = {f"x-filler-{number}": "x" * 60_000 for number in range(5)}
    for number in range(12):
        swagger = {"swagger": "2.0", "basePath": f"/{number:02}", "info": {"title": "x"}, "paths": {"/": {"get": {}}}}
        await manage(rooms.platform, CREATE, apidoc={"namespace": "_", "swagger": swagger | filler})
    seen: list[str] = []
    while page := (await manage(rooms.platform, GET, skip=len(seen), limit=0))["apis"]:
        assert len(page) == 3
        assert len(msgspec.json.encode({"apis": page})) <= rooms.platform.limits.result_bytes_max
        seen += [decoded(one["value"]["apidoc"])["basePath"] for one in page]
    assert seen == [f"/{number:02}" for number in range(12)]
    assert len((await manage(rooms.platform, GET, skip="1", limit="2"))["apis"]) == 2


async def test_a_namespace_has_so_many_apis_and_no_more(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rambla.flow.apis.APIS_MAX", 2)
    await add_action(rooms, "a")
    for base_path in ("/1", "/2", "/2"):
        assert "error" not in await publish(rooms.platform, base_path=base_path)
    text = "API creation failure: A namespace may have 2 APIs, and there are so many."
    assert await publish(rooms.platform, base_path="/3") == {"error": text}


# --- what is refused, in OpenWhisk's words ---


@pytest.mark.usefixtures("action")
@pytest.mark.parametrize(
    ("wish", "text"),
    [
        (
            {"path": "path"},
            "Unable to configure the API Gateway (status code 400): Error: Resource path must begin with '/'.",
        ),
        (
            {"method": "bad"},
            "Unable to configure the API Gateway (status code 400): Error: Resource verb 'bad' not supported.",
        ),
        (
            {"base_path": "/{a}"},
            "The base path (/{a}) cannot have parameters. Only the relative path supports path parameters.",
        ),
        (
            {"base_path": "No such API"},
            "Unable to configure the API Gateway (status code 400): Error: BasePath must begin with '/'.",
        ),
        ({"name": "absent"}, "action /guest/absent does not exist"),
        ({"name": "absent/a"}, "action /guest/absent/a does not exist"),
        ({"namespace": "other"}, "The supplied authentication is not authorized to access 'other/a'."),
    ],
)
async def test_what_cannot_be_made_is_told_and_leaves_nothing(
    platform: Platform, wish: dict[str, str], text: str
) -> None:
    assert await publish(platform, **wish) == {"error": f"API creation failure: {text}"}
    assert await manage(platform, GET) == {"apis": []}


@pytest.mark.usefixtures("action")
async def test_what_is_not_there_cannot_be_deleted(platform: Platform) -> None:
    await publish(platform)
    for asked, text in (
        ({"basepath": "/absent"}, "API deletion failure: API '/absent' does not exist."),
        ({"basepath": "Absent"}, "API deletion failure: API 'Absent' does not exist."),
        ({"basepath": "/base", "relpath": "/x"}, "API deletion failure: path '/x' does not exist in the API"),
        (
            {"basepath": "/base", "relpath": "/path", "operation": "PUT"},
            "API deletion failure: path '/path' with operation 'put' does not exist in the API",
        ),
        ({}, "basepath is required."),
    ):
        assert await manage(platform, DELETE, **asked) == {"error": text}
    assert await paths(platform) == {"/path": ["get"]}


async def test_an_api_leads_only_to_what_its_author_may_read(rooms: Rooms) -> None:
    platform, other = rooms.platform, op_of(rooms.platform, "other")
    shared, private = PackageChange(publish=True), PackageChange(publish=False)
    await change.put_package(platform, other, named("p", "other"), shared, overwrite=False)
    await add_action(rooms, "p/a", namespace="other")
    binding = PackageChange(binding=named("p", "other"))
    await change.put_package(platform, op_of(platform), named("b"), binding, overwrite=False)
    wishes = ({"name": "p/a", "namespace": "other"}, {"name": "b/a", "path": "/bound"})
    for wish in wishes:
        assert "error" not in await publish(platform, **wish)
    await change.put_package(platform, other, named("p", "other"), private, overwrite=True)
    text = "API creation failure: The supplied authentication is not authorized to access 'other/p/a'."
    for wish in wishes:
        assert await publish(platform, **wish) == {"error": text}


@pytest.mark.usefixtures("action")
async def test_a_document_leads_only_to_what_its_author_may_read(platform: Platform) -> None:
    operations = {"/1": {"get": {"x-openwhisk": {"action": "a"}}}}
    swagger = {"swagger": "2.0", "basePath": "/base", "info": {"title": "x"}, "paths": operations}
    for given, text in (
        ({"action": "absent"}, "action /guest/absent does not exist"),
        ({"action": "a", "namespace": "other"}, "The supplied authentication is not authorized to access 'other/a'."),
    ):
        operations["/2"] = {"get": {"x-openwhisk": given}}
        refused = {"error": f"API creation failure: {text}"}
        assert await manage(platform, CREATE, apidoc={"namespace": "_", "swagger": swagger}) == refused


# --- whose APIs ---


@pytest.mark.usefixtures("action")
async def test_nobody_acts_in_anothers_namespace_whatever_they_say(platform: Platform) -> None:
    await publish(platform)
    claims = {"__ow_user": "guest", "namespace": "guest", "__ow_method": "get", "spaceguid": "guest"}
    found = await manage(platform, GET, by="other", **claims)
    assert found == {"statusCode": 200, "headers": JSON, "body": {"apis": []}}
    gone = await manage(platform, DELETE, by="other", basepath="/base", **claims)
    text = "API deletion failure: API '/base' does not exist."
    assert gone == {"error": {"statusCode": 502, "headers": JSON, "body": {"error": text}}}
    await manage(platform, CREATE, by="other", apidoc=apidoc(path="/theirs") | {"namespace": "guest"}, **claims)
    assert await paths(platform) == {"/path": ["get"]}


async def test_a_web_action_of_anothers_acts_in_its_owners_namespace(rooms: Rooms) -> None:
    """Such as a sequence, whose first part may make up any argument."""
    op = Op("x", Caller(subject="other", namespace="other", source="web"))
    await MANAGEMENT[GET](rooms.platform, op, {"__ow_user": "guest"})
    (intent,) = [one for one in await rooms.intents() if one.permission == "api:read"]
    assert (intent.subject, intent.namespace) == ("other", "other")


async def visit(rooms: Rooms, what: str, user: str = "", **more: Any) -> Activation:
    """The record of a visit to the web action, by whoever has the key of `user`."""
    visitor = Op(rooms.platform.ids.next(), Caller(subject=user, namespace=user, source="key"))
    package, name = what.split("/")
    request = WebRequest(name=FullName(SYSTEM_NAMESPACE, package, name), user=user, **{"method": "GET"} | more)
    ended = await invoke_web(rooms.platform, visitor, request)
    assert isinstance(ended, Activation)
    return ended


@pytest.mark.usefixtures("action")
async def test_by_the_web_the_visitors_key_says_whose_apis_are_meant(rooms: Rooms) -> None:
    await seed(rooms.platform)
    await publish(rooms.platform)
    for user, count in (("guest", 1), ("other", 0)):
        record = await visit(rooms, GET, user, headers={"host": "gw.example:8443", "x-forwarded-proto": "https"})
        body = msgspec.json.decode(record.result)["body"]
        assert (record.namespace, record.status, len(body["apis"])) == (SYSTEM_NAMESPACE, "success", count)
        urls = [one["value"]["gwApiUrl"] for one in body["apis"]]
        assert urls == [f"https://gw.example:8443/api/{gateway_id('guest')}/base"] * count


async def test_without_a_key_nobody_manages_anything(rooms: Rooms) -> None:
    await seed(rooms.platform)
    for what, text in (
        (CREATE, "A valid auth key is required."),
        (GET, "Invalid authentication."),
        (DELETE, "Invalid authentication."),
    ):
        record = await visit(rooms, what, query="namespace=guest&basepath=/base")
        failure = {"error": {"statusCode": 502, "headers": JSON, "body": {"error": text}}}
        assert (record.status, msgspec.json.decode(record.result)) == ("application error", failure)


async def test_the_actions_are_reached_by_the_web_only(rooms: Rooms) -> None:
    await seed(rooms.platform)
    for what in (CREATE, GET, DELETE):
        name = FullName(SYSTEM_NAMESPACE, *what.split("/"))
        with pytest.raises(Refused):
            await invoke(rooms.platform, op_of(rooms.platform), name, b"{}", blocking=True)


# --- what is on record, and what two at once leave behind ---


@pytest.mark.usefixtures("action")
async def test_each_change_is_on_record_with_its_outcome_and_without_secrets(rooms: Rooms) -> None:
    platform = rooms.platform
    await publish(platform, secureKey="my-secret-key", authkey="my-secret-key")
    await manage(platform, GET)
    await manage(platform, DELETE, basepath="/absent")
    intents = [one for one in await rooms.intents() if one.permission.startswith("api:")]
    outcomes = await rooms.outcomes()
    told = [(one.permission, one.target, one.subject, one.rule, outcomes[one.id].status) for one in intents]
    assert told == [
        ("api:write", "guest/base", "guest", "defaults/owner", "ok"),
        ("api:read", "guest", "guest", "defaults/owner", "ok"),
        ("api:delete", "guest/absent", "guest", "defaults/owner", "bad_request"),
    ]
    await rooms.journal.sync()
    assert b"my-secret-key" not in b"".join(
        path.read_bytes() for path in rooms.world.folder.rglob("*") if path.is_file()
    )


class Interleaving(MemoryApiStore):
    """Lets everybody else go on between a look and the write that follows it. `late` counts who wrote too late."""

    late = 0

    async def get(self, namespace: str, base_path: str) -> Api | None:
        found = await super().get(namespace, base_path)
        await anyio.sleep(0.001)
        return found

    async def put(self, api: Api, *, expected_revision: int | None) -> Api:
        try:
            return await super().put(api, expected_revision=expected_revision)
        except Conflict:
            self.late += 1
            raise


async def test_of_several_who_add_at_once_nobodys_operation_is_lost(tmp_path: Path) -> None:
    world, store = World(tmp_path), Interleaving()
    world.apis = store
    async with open_rooms(world) as rooms:
        await add_action(rooms, "a")

        async def add(number: int) -> None:
            assert "error" not in await publish(rooms.platform, path=f"/{number}")

        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(add, number)
        assert sorted(await paths(rooms.platform)) == [f"/{number}" for number in range(10)]
    assert store.late > 9


@pytest.mark.usefixtures("action")
async def test_nothing_is_changed_while_the_disk_is_full(rooms: Rooms) -> None:
    await publish(rooms.platform)
    with full_disk():
        for what, more in ((CREATE, {"apidoc": apidoc(path="/other")}), (DELETE, {"basepath": "/base"})):
            with pytest.raises(StorageFailed):
                await manage(rooms.platform, what, **more)
    assert await paths(rooms.platform) == {"/path": ["get"]}


async def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with open_rooms(world) as rooms:
        await add_action(rooms, "a")
        await publish(rooms.platform)
    async with open_rooms(world) as rooms:
        assert await paths(rooms.platform) == {"/path": ["get"]}
        assert (await rooms.platform.apis.router(gateway_id("guest"))).find(("base", "path")) is not None


@pytest.mark.usefixtures("action")
async def test_a_namespaces_apis_go_with_it(platform: Platform) -> None:
    await publish(platform)
    operator = Op("x", Caller(subject="operator", namespace="", source="operator"))
    await tend.delete_namespace(platform, operator, "guest")
    assert await paths(platform) == {}
    assert (await platform.apis.router(gateway_id("guest"))).routes == 0
    with pytest.raises(NotFound):
        await tend.delete_namespace(platform, operator, "guest")
