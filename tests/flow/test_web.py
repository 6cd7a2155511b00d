"""A visit of a web action: as whom it runs, who is let in, and what stands in the journal."""

from pathlib import Path

import anyio
import pytest

from flowkit import add_action, full_disk, named, quiet
from rambla.domain.access import Caller
from rambla.domain.activation import Activation
from rambla.domain.changes import PackageChange
from rambla.domain.entities import Parameter
from rambla.domain.errors import BadRequest, NotAuthenticated, NotFound, Refused, StorageFailed, TooManyConcurrent
from rambla.domain.web import WebRequest
from rambla.flow import change
from rambla.flow.platform import Limits, Op
from rambla.flow.web import WAIT_MS, invoke_web, visit
from rooms import Rooms, op_of, open_rooms

pytestmark = pytest.mark.anyio
EXPORTED = {"web-export": True}


def visitor(rooms: Rooms, namespace: str = "") -> Op:
    return Op(rooms.platform.ids.next(), Caller(subject=namespace, namespace=namespace, source="key"))


def request(name: str = "a", namespace: str = "guest", **more: object) -> WebRequest:
    return WebRequest(name=named(name, namespace), **({"method": "GET"} | more))


async def test_anybody_may_visit_and_the_owner_runs_it(rooms: Rooms) -> None:
    await add_action(rooms, annotations=EXPORTED)
    for who in (visitor(rooms), visitor(rooms, "other")):
        ended = await invoke_web(rooms.platform, who, request())
        assert isinstance(ended, Activation)
        assert (ended.namespace, ended.subject, ended.status) == ("guest", "guest", "success")


async def test_a_visit_is_on_record_with_the_rule_that_let_it_in_and_its_outcome(rooms: Rooms) -> None:
    await add_action(rooms, annotations=EXPORTED)
    ended = await invoke_web(rooms.platform, visitor(rooms), request())
    intent = (await rooms.intents())[-1]
    assert (intent.permission, intent.rule, intent.source) == ("action:web", "defaults/web-export", "web")
    assert (intent.subject, intent.namespace, intent.target) == ("guest", "guest", "guest/a")
    assert (await rooms.outcomes())[intent.id].activation == ended


@pytest.mark.parametrize("annotations", [{}, {"web-export": False}, {"web-export": "true"}, {"web-export": 1}])
async def test_what_is_not_exported_is_as_absent(rooms: Rooms, annotations: dict[str, object]) -> None:
    await add_action(rooms, annotations=annotations)
    for name in ("a", "absent", "p/a"):
        with pytest.raises(NotFound):
            await invoke_web(rooms.platform, op_of(rooms.platform), request(name))


async def test_what_is_no_action_is_as_absent(rooms: Rooms) -> None:
    await change.put_package(rooms.platform, op_of(rooms.platform), named("a"), PackageChange(), overwrite=True)
    with pytest.raises(NotFound):
        await invoke_web(rooms.platform, visitor(rooms), request())


@pytest.mark.parametrize(
    ("required", "header", "namespace", "let_in"),
    [
        (True, None, "", False),
        (True, "true", "", False),
        (True, None, "other", True),
        (False, None, "", True),
        ("secret", None, "guest", False),
        ("secret", "Secret", "", False),
        ("secret", "secret", "", True),
        (42, "42", "", True),
        (42, "43", "", False),
        (4.5, "4.5", "", True),
        (None, None, "guest", False),
        ([], "[]", "guest", False),
    ],
)
async def test_require_whisk_auth_lets_in_who_has_what_it_asks_for(
    rooms: Rooms, required: object, header: str | None, namespace: str, let_in: bool
) -> None:
    await add_action(rooms, annotations=EXPORTED | {"require-whisk-auth": required})
    headers = {} if header is None else {"x-require-whisk-auth": header}
    if let_in:
        await invoke_web(rooms.platform, visitor(rooms, namespace), request(headers=headers))
        return
    with pytest.raises(NotAuthenticated):
        await invoke_web(rooms.platform, visitor(rooms, namespace), request(headers=headers))
    assert not [intent for intent in await rooms.intents() if intent.work]


async def test_the_platform_answers_options_unless_the_action_wants_to(rooms: Rooms) -> None:
    await add_action(rooms, "ours", annotations=EXPORTED | {"require-whisk-auth": True})
    await add_action(rooms, "own", annotations=EXPORTED | {"require-whisk-auth": True, "web-custom-options": True})
    assert await visit(rooms.platform, visitor(rooms), request("ours", method="OPTIONS")) == (None, False)
    answer = await visit(rooms.platform, visitor(rooms), request("own", method="OPTIONS"))
    assert isinstance(answer.ended, Activation)
    assert answer.custom_options
    with pytest.raises(NotFound):
        await visit(rooms.platform, visitor(rooms), request("absent", method="OPTIONS"))


async def bind(rooms: Rooms, *, publish: bool) -> None:
    """`guest/b` is bound to `other/p`, in which lies the web action `a`."""
    others, guests = op_of(rooms.platform, "other"), op_of(rooms.platform)
    package = PackageChange(publish=True)
    await change.put_package(rooms.platform, others, named("p", "other"), package, overwrite=True)
    await add_action(rooms, "p/a", namespace="other", annotations=EXPORTED)
    binding = PackageChange(
        binding=named("p", "other"), parameters=(Parameter("x", 1),), annotations={"web-export": False}
    )
    await change.put_package(rooms.platform, guests, named("b"), binding, overwrite=True)
    await change.put_package(
        rooms.platform, others, named("p", "other"), PackageChange(publish=publish), overwrite=True
    )


async def test_through_a_binding_whoever_bound_it_runs_it_and_the_action_says_what_is_exported(rooms: Rooms) -> None:
    await bind(rooms, publish=True)
    ended = await invoke_web(rooms.platform, visitor(rooms), request("b/a"))
    assert isinstance(ended, Activation)
    assert (ended.namespace, ended.subject, b'"x":1' in ended.result) == ("guest", "guest", True)


async def test_a_binding_of_what_is_no_longer_published_is_refused(rooms: Rooms) -> None:
    await bind(rooms, publish=False)
    with pytest.raises(Refused):
        await invoke_web(rooms.platform, visitor(rooms), request("b/a"))


async def test_a_reserved_argument_is_refused_before_anything_is_counted(rooms: Rooms) -> None:
    await add_action(rooms, annotations=EXPORTED)
    with pytest.raises(BadRequest):
        await invoke_web(rooms.platform, visitor(rooms), request(query="__ow_user=root"))
    assert rooms.platform.dispatcher.throttle.in_flight() == 0


async def test_it_is_the_owner_who_is_throttled(tmp_path: Path, anyio_backend: str) -> None:
    async with open_rooms(tmp_path, limits=Limits(concurrent_invocations=0)) as rooms:
        await add_action(rooms, annotations=EXPORTED)
        with pytest.raises(TooManyConcurrent):
            await invoke_web(rooms.platform, visitor(rooms, "other"), request())


async def test_without_a_durable_intent_nothing_runs(rooms: Rooms) -> None:
    await add_action(rooms, annotations=EXPORTED)
    with full_disk(), pytest.raises(StorageFailed):
        await invoke_web(rooms.platform, visitor(rooms), request())
    assert (rooms.engine.started, rooms.platform.dispatcher.throttle.in_flight()) == (0, 0)
    await quiet(rooms)


async def test_a_visitor_waits_for_a_minute_and_then_gets_the_id(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    assert WAIT_MS == 60_000
    monkeypatch.setattr("rambla.flow.web.WAIT_MS", 1)
    await add_action(rooms, annotations=EXPORTED, code="sleep")
    with anyio.fail_after(30):
        ended = await invoke_web(rooms.platform, visitor(rooms), request())
    assert isinstance(ended, str)
    assert (await rooms.intents())[-1].activation_id == ended
