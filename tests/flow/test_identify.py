"""A project of a cloud has one namespace, which is nobody else's, and gets it only if the policy says so."""

import anyio
import pytest

from rambla.drivers.memory.source import MemorySource
from rambla.flow.identify import find_project
from rambla.flow.platform import Platform
from rambla.flow.tend import delete_namespace
from rambla.identity.asking import Asking, Terms
from rambla.identity.identities import Proven
from rambla.identity.mapping import Meaning, Translation
from rambla.identity.ports import Account, Project
from rambla.policy import defaults
from rambla.policy.language import layers
from rambla.policy.policies import InForce, Policies
from rooms import OPERATOR_TOKEN, Rooms, World, op_of, open_rooms, who

pytestmark = pytest.mark.anyio
OPENS = 'layer: site\nrules: {project:open: caller.source == "cloud" and caller.trust >= 2}'
WEB = Project("5b1f0c3e9a7d4f21", "web", "Default")


def proven(project: Project, *, trust: int = 2) -> Proven:
    account = Account(user="ada", method="keystone-token", roles=("member",), project=project)
    return Proven("cloud", trust, account, Meaning("ada", (), (), {}, ("developer",)))


@pytest.fixture
async def rooms(tmp_path, store):
    def cloud(clock, tasks):
        terms = Terms(trust=2, roles=("developer",), namespaces=("*",))
        return [Asking("cloud", MemorySource("cloud", {}), terms, Translation(), clock, tasks)]

    async with open_rooms(World(tmp_path), sources=cloud, objects=store) as rooms:
        yield rooms


def let_open(platform: Platform) -> None:
    platform.policy.take(InForce(Policies(defaults.policy([layers.read(OPENS, "site.yaml")])), 1))


async def test_nobody_may_have_one_made_unless_a_rule_says_so(rooms: Rooms) -> None:
    assert await find_project(rooms.platform, proven(WEB), WEB) is None
    let_open(rooms.platform)
    assert await find_project(rooms.platform, proven(WEB, trust=1), WEB) is None
    assert [each.name for each in await rooms.platform.namespaces.all()] == ["guest", "other"]


async def test_the_first_member_has_it_made_on_record_and_all_others_find_it(rooms: Rooms, store) -> None:
    let_open(rooms.platform)
    found: list[str | None] = []

    async def come() -> None:
        found.append(await find_project(rooms.platform, proven(WEB), WEB))

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(come)
    assert found == ["web"] * 10
    made = await rooms.platform.namespaces.get("web")
    assert made is not None
    assert made.owner == f"cloud/{WEB.id}"
    opened = [each for each in await rooms.intents() if each.permission == "project:open"]
    assert [(each.subject, each.namespace, each.target) for each in opened] == [
        ("cloud/ada", "web", f"cloud/{WEB.id} web")
    ]
    assert (await rooms.outcomes())[opened[0].id].status == "ok"
    assert "web" in await store.open_accounts()
    assert await find_project(rooms.platform, proven(WEB, trust=1), WEB) == "web"  # to find it needs no right


async def test_no_name_of_a_project_gets_it_what_is_somebody_elses(rooms: Rooms) -> None:
    let_open(rooms.platform)
    guest = Project("aaaa1111bbbb2222", "guest")
    assert await find_project(rooms.platform, proven(guest), guest) == "guest-aaaa1111"
    again = Project("cccc3333dddd4444", "guest")
    assert await find_project(rooms.platform, proven(again), again) == "guest-cccc3333"
    for number, name in enumerate(("whisk.system", "../x", "a/b", "", "\0", "_", "é", "x" * 500, " guest")):
        strange = Project(f"{number:016x}", name)
        made = await find_project(rooms.platform, proven(strange), strange)
        assert made not in (None, "guest", "other", "whisk.system", "_")


async def test_a_project_whose_namespace_was_deleted_gets_another_one(rooms: Rooms) -> None:
    let_open(rooms.platform)
    assert await find_project(rooms.platform, proven(WEB), WEB) == "web"
    operator = await who(rooms.platform, f"Bearer {OPERATOR_TOKEN}")
    op = op_of(rooms.platform)
    await delete_namespace(rooms.platform, type(op)(op.id, operator), "web")
    assert await find_project(rooms.platform, proven(WEB), WEB) == "web-5b1f0c3e"


async def test_a_source_that_may_open_no_such_namespace_opens_none(tmp_path) -> None:
    def cloud(clock, tasks):
        terms = Terms(roles=("developer",), namespaces=("cloud-*",))
        return [Asking("cloud", MemorySource("cloud", {}), terms, Translation(), clock, tasks)]

    async with open_rooms(World(tmp_path), sources=cloud) as rooms:
        let_open(rooms.platform)
        assert await find_project(rooms.platform, proven(WEB), WEB) == "cloud-web"
