"""A visit of an API: which action it reaches, with what, and who is turned away before anything runs."""

from typing import Any

import msgspec
import pytest

from flowkit import add_action, named
from rambla.domain.access import Caller
from rambla.domain.activation import Activation
from rambla.domain.changes import PackageChange
from rambla.domain.errors import (
    ApiKeyRequired,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    RateLimited,
    Refused,
)
from rambla.flow import change
from rambla.flow.apis import MANAGEMENT
from rambla.flow.gateway import ApiAnswer, Asked, locate, visit_api
from rambla.flow.platform import Op
from rambla.gateway.api import gateway_id
from rambla.gateway.management import CREATE, DELETE
from rooms import Rooms, op_of

pytestmark = pytest.mark.anyio
ID = gateway_id("guest")
KEY = "k" * 32
LED = {"x-openwhisk": {"action": "a"}}
KEYS = {"x-rambla": {"apiKey": {"keys": [KEY], "header": "X-Key"}}}


async def publish(rooms: Rooms, paths: dict[str, Any], namespace: str = "guest", **fields: Any) -> None:
    document = {"swagger": "2.0", "basePath": "/base", "info": {"title": "x"}, "paths": paths} | fields
    arguments = {"apidoc": {"namespace": "_", "swagger": document}}
    made = await MANAGEMENT[CREATE](rooms.platform, op_of(rooms.platform, namespace), arguments)
    assert "error" not in made


async def asked(rooms: Rooms, path: str = "/base/path", method: str = "GET", user: str = "", **more: Any) -> ApiAnswer:
    visitor = Op(rooms.platform.ids.next(), Caller(subject=user, namespace=user, source="key"))
    place = await locate(rooms.platform, more.pop("identifier", ID), path)
    whole = {"origin": "http://gw", "query": "", "headers": {}, "body": b"", "user": user} | more
    return await visit_api(rooms.platform, visitor, place, Asked(method=method, path=path, **whole))


async def arguments(rooms: Rooms, path: str = "/base/path", **more: Any) -> dict[str, Any]:
    """What the action, which echoes them, was given."""
    ended = (await asked(rooms, path, **more)).answer.ended
    assert isinstance(ended, Activation)
    found: dict[str, Any] = msgspec.json.decode(ended.result)
    return found


@pytest.fixture
async def web_action(rooms: Rooms) -> None:
    await add_action(rooms, annotations={"web-export": True})


@pytest.mark.usefixtures("web_action")
async def test_the_action_is_told_the_path_and_gets_query_body_and_headers(rooms: Rooms) -> None:
    parameter = {"name": "id", "in": "path"}
    await publish(rooms, {"/books/{id}": {"post": LED | {"parameters": [parameter]}}})
    given = {"content-type": "application/json", "x-other": "y"}
    got = await arguments(
        rooms, "/base/books/a%20b%2Fc", method="POST", query="q=1&x=q", body=b'{"x":2}', headers=given, user="other"
    )
    assert got == {
        "q": "1",
        "x": 2,
        "__ow_method": "post",
        "__ow_path": "/base/books/a%20b%2Fc",
        "__ow_headers": given | {"x-forwarded-url": f"http://gw/api/{ID}/base/books/a%20b%2Fc?q=1&x=q"},
        "__ow_user": "other",
    }


@pytest.mark.usefixtures("web_action")
async def test_the_action_is_asked_by_the_verb_of_its_case(rooms: Rooms) -> None:
    invoked = {"target-url": "http://rambla/api/v1/web/_/default/a.http", "verb": "post"}
    configuration = {"assembly": {"execute": [{"invoke": invoked}]}}
    await publish(rooms, {"/path": {"get": {}}}, **{"x-ibm-configuration": configuration})
    assert (await arguments(rooms))["__ow_method"] == "post"


@pytest.mark.usefixtures("web_action")
async def test_by_other_extensions_than_http_the_path_is_not_told(rooms: Rooms) -> None:
    url = "http://rambla/api/v1/web/_/default/a.json"
    await publish(rooms, {"/path": {"get": {"x-openwhisk": {"action": "a", "url": url}}}})
    assert (await arguments(rooms))["__ow_path"] == ""
    request = (await asked(rooms)).request
    assert request is not None
    assert request.extension == "json"


@pytest.mark.usefixtures("web_action")
async def test_a_visit_is_the_same_sentence_as_any_of_a_web_action(rooms: Rooms) -> None:
    await publish(rooms, {"/path": {"get": LED}})
    await asked(rooms)
    intent = (await rooms.intents())[-1]
    assert (intent.permission, intent.rule, intent.source) == ("action:web", "defaults/web-export", "web")
    assert (intent.subject, intent.namespace, intent.target) == ("guest", "guest", "guest/a")


@pytest.mark.usefixtures("web_action")
@pytest.mark.parametrize("path", ["/base", "/base/path/x", "/path", "/base/other", "/base/%ff", ""])
async def test_what_is_no_route_is_absent(rooms: Rooms, path: str) -> None:
    await publish(rooms, {"/path": {"get": LED}})
    with pytest.raises(NotFound):
        await asked(rooms, path)
    with pytest.raises(NotFound):
        await asked(rooms, identifier=gateway_id("other"))


@pytest.mark.usefixtures("web_action")
async def test_another_method_is_told_which_there_are(rooms: Rooms) -> None:
    await publish(rooms, {"/path": {"get": LED, "put": LED}})
    for method in ("POST", "HEAD", "OPTIONS"):
        with pytest.raises(MethodNotAllowed) as error:
            await asked(rooms, method=method)
        assert error.value.facts["methods"] == "GET, PUT"


async def test_an_action_that_is_not_exported_is_as_absent(rooms: Rooms) -> None:
    await add_action(rooms)
    await publish(rooms, {"/path": {"get": LED}})
    with pytest.raises(NotFound):
        await asked(rooms)


@pytest.mark.usefixtures("web_action")
async def test_a_change_of_the_api_is_seen_by_the_next_visit(rooms: Rooms) -> None:
    await publish(rooms, {"/path": {"get": LED}})
    await asked(rooms)
    await publish(rooms, {"/new": {"get": LED}})
    await asked(rooms, "/base/new")
    with pytest.raises(NotFound):
        await asked(rooms)
    await MANAGEMENT[DELETE](rooms.platform, op_of(rooms.platform), {"basepath": "/base"})
    with pytest.raises(NotFound):
        await asked(rooms, "/base/new")


@pytest.mark.usefixtures("web_action")
async def test_browsers_that_ask_beforehand_are_answered_by_the_gateway_if_the_api_says_so(rooms: Rooms) -> None:
    cors = {"x-ibm-configuration": {"cors": {"enabled": True}}}
    await publish(rooms, {"/path": {"get": LED}}, **cors, **KEYS)
    found = await asked(rooms, method="OPTIONS")
    assert (found.answer.ended, found.request) == (None, None)
    await publish(rooms, {"/path": {"options": LED}})
    found = await asked(rooms, method="OPTIONS")
    assert found.request is not None


@pytest.mark.usefixtures("web_action")
async def test_the_action_is_told_the_address_that_the_visitor_knows(rooms: Rooms) -> None:
    await publish(rooms, {"/path": {"get": LED}})
    for headers, address in (
        ({"host": "h:1"}, "http://h:1"),
        ({"host": "h", "x-forwarded-host": "public", "x-forwarded-proto": "https"}, "https://public"),
        ({"host": "a b", "x-forwarded-proto": "file"}, "http://gw"),
    ):
        got = await arguments(rooms, headers=headers)
        assert got["__ow_headers"]["x-forwarded-url"] == f"{address}/api/{ID}/base/path"


# --- keys and limits ---


@pytest.mark.usefixtures("web_action")
async def test_without_one_of_its_keys_an_api_runs_nothing(rooms: Rooms) -> None:
    await publish(rooms, {"/path": {"get": LED}}, **KEYS)
    before = len(await rooms.intents())
    for headers in ({}, {"x-key": ""}, {"x-key": KEY + "x"}, {"x-api-key": KEY}):
        with pytest.raises(ApiKeyRequired, match="This API asks for a key in the header x-key"):
            await asked(rooms, headers=headers)
    assert len(await rooms.intents()) == before
    got = await arguments(rooms, headers={"x-key": KEY, "other": "y"})
    assert got["__ow_headers"] == {"other": "y", "x-forwarded-url": f"http://gw/api/{ID}/base/path"}


@pytest.mark.usefixtures("web_action")
async def test_a_route_may_have_a_key_and_a_limit_of_its_own(rooms: Rooms) -> None:
    limit = {"rateLimit": {"requests": 1, "unit": "hour"}}
    own = {"x-rambla": {"apiKey": {"keys": ["o" * 32], "header": "X-Key"}} | limit}
    await publish(rooms, {"/path": {"get": LED | own}, "/other": {"get": LED}}, **KEYS)
    with pytest.raises(ApiKeyRequired):
        await asked(rooms, headers={"x-key": KEY})
    await asked(rooms, headers={"x-key": "o" * 32})
    with pytest.raises(RateLimited):
        await asked(rooms, headers={"x-key": "o" * 32})
    for _ in range(3):
        await asked(rooms, "/base/other", headers={"x-key": KEY})


@pytest.mark.usefixtures("web_action")
async def test_a_limit_is_of_each_route_and_key_or_of_all_routes_together(rooms: Rooms) -> None:
    paths = {"/path": {"get": LED}, "/other": {"get": LED}}
    keys = {"apiKey": {"keys": [KEY, "o" * 32], "header": "X-Key"}}
    await publish(rooms, paths, **{"x-rambla": keys | {"rateLimit": {"requests": 1}}})
    for path in ("/base/path", "/base/other"):
        for key in (KEY, "o" * 32):
            await asked(rooms, path, headers={"x-key": key})
            with pytest.raises(RateLimited):
                await asked(rooms, path, headers={"x-key": key})
    await publish(rooms, paths, **{"x-ibm-rate-limit": [{"unit": "minute", "units": 1, "rate": 1}]})
    await asked(rooms)
    with pytest.raises(RateLimited) as error:
        await asked(rooms, "/base/other")
    assert error.value.facts["retry_after_s"] == 60
    rooms.world.clock.advance(60_000)
    await asked(rooms, "/base/other")


@pytest.mark.usefixtures("web_action")
async def test_one_namespaces_limits_are_nothing_to_another(rooms: Rooms) -> None:
    await add_action(rooms, namespace="other", annotations={"web-export": True})
    for namespace in ("guest", "other"):
        await publish(rooms, {"/path": {"get": LED}}, namespace, **{"x-rambla": {"rateLimit": {"requests": 1}}})
        await asked(rooms, identifier=gateway_id(namespace))


# --- the secrets of actions ---


SECURED = {
    "x-ibm-configuration": {
        "assembly": {
            "execute": [{"set-variable": {"actions": [{"set": "message.headers.X-Require-Whisk-Auth", "value": "x"}]}}]
        }
    }
}


@pytest.mark.parametrize(("secret", "sent"), [("s3cret", "s3cret"), (42, "42"), (4.5, "4.5")])
async def test_an_action_is_sent_the_secret_that_it_asks_for(rooms: Rooms, secret: object, sent: str) -> None:
    await add_action(rooms, annotations={"web-export": True, "require-whisk-auth": secret})
    await publish(rooms, {"/path": {"get": LED}})
    with pytest.raises(NotAuthenticated):
        await asked(rooms)
    await publish(rooms, {"/path": {"get": LED}}, **SECURED)
    got = await arguments(rooms, headers={"x-require-whisk-auth": "wrong"})
    assert got["__ow_headers"]["x-require-whisk-auth"] == sent


async def test_a_key_may_come_in_the_header_of_the_secret(rooms: Rooms) -> None:
    await add_action(rooms, annotations={"web-export": True, "require-whisk-auth": "s3cret"})
    keys = {"x-rambla": {"apiKey": {"keys": [KEY], "header": "X-Require-Whisk-Auth"}}}
    await publish(rooms, {"/path": {"get": LED}}, **keys, **SECURED)
    got = await arguments(rooms, headers={"x-require-whisk-auth": KEY})
    assert got["__ow_headers"]["x-require-whisk-auth"] == "s3cret"


async def test_a_secret_that_is_changed_is_sent_as_it_is_now(rooms: Rooms) -> None:
    for secret in ("one", "two"):
        await add_action(rooms, annotations={"web-export": True, "require-whisk-auth": secret})
        await publish(rooms, {"/path": {"get": LED}}, **SECURED)
    assert (await arguments(rooms))["__ow_headers"]["x-require-whisk-auth"] == "two"


async def test_an_action_that_asks_for_a_key_of_a_namespace_gets_it_from_the_visitor_only(rooms: Rooms) -> None:
    await add_action(rooms, annotations={"web-export": True, "require-whisk-auth": True})
    await publish(rooms, {"/path": {"get": LED}}, **SECURED)
    with pytest.raises(NotAuthenticated):
        await asked(rooms)
    assert (await arguments(rooms, user="other"))["__ow_user"] == "other"


async def test_a_secret_is_sent_only_while_the_apis_owner_may_read_it(rooms: Rooms) -> None:
    platform, other = rooms.platform, op_of(rooms.platform, "other")
    await change.put_package(platform, other, named("p", "other"), PackageChange(publish=True), overwrite=False)
    annotations = {"web-export": True, "require-whisk-auth": "s3cret"}
    await add_action(rooms, "p/a", namespace="other", annotations=annotations)
    led = {"x-openwhisk": {"namespace": "other", "package": "p", "action": "a"}}
    await publish(rooms, {"/path": {"get": led}}, **SECURED)
    await asked(rooms)
    await change.put_package(platform, other, named("p", "other"), PackageChange(publish=False), overwrite=True)
    with pytest.raises(Refused):
        await asked(rooms)
