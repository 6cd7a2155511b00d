"""Whoever a caller is, they stay so in all that follows from what they do, and a token opens no more than it is for."""

from typing import Any

import msgspec
import pytest

from flowkit import add_action, add_rule, add_trigger, ended, named, quiet
from rambla.domain.access import Caller
from rambla.domain.activation import Activation
from rambla.domain.changes import ActionChange, ExecChange
from rambla.domain.entities import SEQUENCE
from rambla.domain.errors import Refused
from rambla.domain.names import FullName
from rambla.flow import change, read
from rambla.flow.fire import fire
from rambla.flow.invoke import invoke
from rambla.flow.platform import Op
from rambla.policy import defaults
from rambla.policy.language import layers
from rambla.policy.policies import InForce, Policies
from rooms import Rooms, op_of

pytestmark = pytest.mark.anyio
ADA = Caller(
    subject="corp/ada",
    namespace="guest",
    source="corp",
    roles=("developer",),
    trust=2,
    method="password",
    groups=("staff",),
    person="Ada",
    on_behalf_of="corp/bob",
)
TRUSTED = "layer: site\nrules: {action:invoke: {mode: extend, deny: not caller.trust >= 2}}"


def op(rooms: Rooms, caller: Caller = ADA, **changes: Any) -> Op:
    return Op(rooms.platform.ids.next(), msgspec.structs.replace(caller, **changes))


async def add_sequence(rooms: Rooms) -> FullName:
    await add_action(rooms)
    wish = ActionChange(exec=ExecChange(kind=SEQUENCE, components=(named("a"), named("a"))))
    await change.put_action(rooms.platform, op_of(rooms.platform), named("s"), wish, overwrite=True)
    return named("s")


def put_in_force(rooms: Rooms, text: str) -> None:
    policy = defaults.policy([layers.read(text, "site.yaml")])
    rooms.platform.policy.take(InForce(Policies(policy), 1))


async def test_all_that_is_known_of_a_caller_is_on_record(rooms: Rooms) -> None:
    name = await add_action(rooms)
    await invoke(rooms.platform, op(rooms), name, b"{}", blocking=True)
    asked = (await rooms.intents())[-1].asked
    assert asked is not None
    assert asked.caller == ADA


async def test_the_parts_of_a_composition_are_judged_as_whoever_invokes_it(rooms: Rooms) -> None:
    name = await add_sequence(rooms)
    put_in_force(rooms, TRUSTED)
    record = await invoke(rooms.platform, op(rooms), name, b"{}", blocking=True)
    assert isinstance(record, Activation)
    assert record.status == "success"
    parts = [intent for intent in await rooms.intents() if intent.work and intent.work.cause]
    assert [(part.subject, part.source, part.asked and part.asked.caller) for part in parts] == [
        ("corp/ada", "corp", ADA)
    ] * 2
    with pytest.raises(Refused):
        await invoke(rooms.platform, op(rooms, trust=1), name, b"{}", blocking=True)


async def test_a_token_is_good_for_its_permissions_alone(rooms: Rooms) -> None:
    name = await add_action(rooms)
    robot = op(rooms, only=("action:invoke", "trigger:*"))
    await invoke(rooms.platform, robot, name, b"{}", blocking=True)
    with pytest.raises(Refused) as caught:
        await read.action(rooms.platform, robot, name)
    assert caught.value.facts["rule"] == "token/scope"
    intent = (await rooms.intents())[-1]
    assert (intent.allowed, intent.permission, intent.rule) == (False, "action:read", "token/scope")


async def test_a_token_is_good_in_its_namespaces_alone(rooms: Rooms) -> None:
    name = await add_action(rooms)
    with pytest.raises(Refused) as caught:
        await invoke(rooms.platform, op(rooms, namespaces=("other",)), name, b"{}", blocking=True)
    assert caught.value.facts["rule"] == "token/scope"
    await invoke(rooms.platform, op(rooms, namespaces=("guest",)), name, b"{}", blocking=True)


async def test_a_token_for_firing_alone_has_the_rules_of_the_trigger_run(rooms: Rooms) -> None:
    await add_action(rooms)
    await add_trigger(rooms)
    await add_rule(rooms)
    robot = op(rooms, only=("trigger:fire",))
    assert await fire(rooms.platform, robot, named("t"), b"{}")
    await quiet(rooms)
    (intent,) = [each for each in await rooms.intents() if each.permission == "action:invoke"]
    assert (intent.subject, intent.allowed) == ("corp/ada", True)
    assert intent.activation_id
    assert (await ended(rooms, intent.activation_id)).status == "success"


async def test_who_is_no_member_is_nobody_in_a_namespace(rooms: Rooms) -> None:
    name = await add_action(rooms)
    for stranger in (op(rooms, namespace="other"), op(rooms, namespace=""), op(rooms, roles=())):
        with pytest.raises(Refused):
            await invoke(rooms.platform, stranger, name, b"{}", blocking=True)
