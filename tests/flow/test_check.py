"""A decision that somebody else asks for: rules ask whom they ask, and one bundle decides all."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from rambla.domain.access import Caller, Decision
from rambla.domain.errors import NoSuchService, Refused
from rambla.drivers.memory.enforcer import MemoryEnforcer
from rambla.enforcers.asking import Asking, Terms
from rambla.enforcers.panel import Panel
from rambla.flow import bundles
from rambla.flow.check import OWN, Check, check
from rambla.flow.platform import Op
from rambla.kit.clock import Clock
from rambla.kit.tasks import Tasks
from rooms import Rooms, open_rooms
from servicekit import DEFAULTS, FILES

pytestmark = pytest.mark.anyio
PDP = "http://pdp.example"
OPERATOR = Caller("operator", "", "operator")
ENFORCER = Caller("keystone", "", "key", ("policy-enforcer",))
ASKING = {
    "site.yaml": 'layer: site\nrules: {"x:y": ask staff}\n',
    "openstack/keystone/defaults.yaml": DEFAULTS,
    "openstack/keystone/policy.yaml": f'"identity:get_user": "role:reader and {PDP}/%(place)s"\n',
}


class Outside:
    def __init__(self) -> None:
        self.pdp, self.staff = MemoryEnforcer(PDP), MemoryEnforcer("staff")
        self.rooms: Rooms

    def panel(self, clock: Clock, tasks: Tasks) -> Panel:
        terms = Terms(timeout_ms=5_000, yes_ms=0, no_ms=0, pause_ms=1)

        def open_origin(origin: str) -> Asking:
            assert origin == PDP
            return Asking(PDP, self.pdp, terms, clock, tasks)

        return Panel({"staff": Asking("staff", self.staff, terms, clock, tasks)}, open_origin)

    async def publish(self, files: dict[str, str]) -> None:
        await bundles.publish(self.rooms.platform, self.op(OPERATOR), bundles.draft(files, ""))

    async def check(self, *wanted: Check) -> tuple[int, list[Decision]]:
        return await check(self.rooms.platform, self.op(ENFORCER), wanted)

    def op(self, caller: Caller) -> Op:
        return Op(self.rooms.platform.ids.next(), caller)


@pytest.fixture
async def outside(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Outside]:
    made = Outside()
    async with open_rooms(tmp_path, enforcers=made.panel) as made.rooms:
        await made.publish(ASKING)
        yield made


def asked(service: str = "keystone", rule: str = "identity:get_user", **credentials: Any) -> Check:
    known = {"subject": "alice", "roles": ["reader"], **credentials}
    return Check(service, rule, {"place": "here"}, known)


async def test_a_services_rule_asks_an_address_and_the_platforms_an_enforcer(outside: Outside) -> None:
    _, (denied,) = await outside.check(asked())
    assert (denied.allowed, denied.layer) == (False, "openstack/keystone/policy.yaml")
    outside.pdp.yes = {f"alice {PDP}/here"}
    outside.staff.yes = {"alice"}
    _, decisions = await outside.check(asked(), asked(OWN, "x:y"), asked(roles=[]))
    assert [one.allowed for one in decisions] == [True, True, False]
    assert len(outside.pdp.asked) == 2, "who is not a reader is not asked about"


async def test_no_answer_is_a_no_that_says_who_gave_none(outside: Outside) -> None:
    outside.pdp.away = True
    _, (decision,) = await outside.check(asked())
    assert (decision.allowed, decision.rule, decision.reason) == (False, f"enforcer/{PDP}", "it is not there")


async def test_one_bundle_decides_all_though_another_takes_over_meanwhile(outside: Outside) -> None:
    outside.pdp.yes = {f"alice {PDP}/here"}
    outside.pdp.stop()
    given: list[tuple[int, list[Decision]]] = []

    async def ask() -> None:
        given.append(await outside.check(asked(), asked(rule="identity:revoke_token", roles=["manager"])))

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        await outside.publish({**FILES, "openstack/keystone/policy.yaml": '"identity:revoke_token": "!"\n'})
        outside.pdp.go_on()
    ((number, decisions),) = given
    assert (number, [one.allowed for one in decisions]) == (1, [True, True])
    number, (decision,) = await outside.check(asked(rule="identity:revoke_token", roles=["manager"]))
    assert (number, decision.allowed) == (2, False)


async def test_nothing_is_decided_if_one_service_is_not_there(outside: Outside) -> None:
    with pytest.raises(NoSuchService):
        await outside.check(asked(), asked("nova"))
    assert outside.pdp.asked == []


async def test_a_rule_of_the_site_may_let_somebody_ask_about_one_service_only(outside: Outside) -> None:
    site = 'layer: site\nrules: {policy:check: [rule operator, target.name == "policy/openstack/keystone"]}\n'
    await outside.publish({**FILES, "site.yaml": site})
    op = outside.op(Caller("eve", "", "key"))
    await check(outside.rooms.platform, op, [asked()])
    for service in ("ironic.api", OWN):
        with pytest.raises(Refused):
            await check(outside.rooms.platform, op, [asked(), asked(service)])


async def test_services_go_with_their_files_and_the_platforms_rules_stay(outside: Outside) -> None:
    await bundles.rollback(outside.rooms.platform, outside.op(OPERATOR), 0)
    with pytest.raises(NoSuchService):
        await outside.check(asked())
    assert (await outside.check(asked(OWN, "package:read")))[0] == 2
