"""Many sources, one door: who is let in, as whom, by which source, and who has to wait for nobody else."""

import base64
from collections.abc import AsyncIterator, Mapping

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.domain.access import Caller
from rambla.domain.errors import BadCredentials, NotAuthenticated, SourceAway, StorageFailed, TooManyAttempts
from rambla.domain.proofs import KeystoneToken, Password, Proof, Shown
from rambla.drivers.memory.catalog import MemoryEntityStore, MemoryNamespaceStore
from rambla.drivers.memory.identity import MemoryAccountStore, MemoryLockStore, MemoryTokenStore
from rambla.drivers.memory.source import MemorySource, Person
from rambla.identity.asking import Asking, Terms
from rambla.identity.door import Door
from rambla.identity.keys import KeyRing
from rambla.identity.mapping import Translation, read
from rambla.identity.ports import Account, Standing
from rambla.identity.tokens import Tokens
from rambla.kit.clock import ManualClock
from rambla.kit.tasks import Tasks
from rambla.testing.namespace_store import namespace

pytestmark = pytest.mark.anyio
CACHE_MS, PAUSE_MS, LOCK_MS = 10_000, 5_000, 60_000
MAPPING = """
grants:
  - {if: {group: staff}, roles: [auditor], namespaces: {payroll: [developer], web: [reader]}}
"""
ADA = Person(password="north-word", groups=("staff",))


async def no_projects(proven: object, project: object) -> None:
    raise AssertionError("nobody comes for a project")


def basic(user: str, password: str) -> Shown:
    return Shown(b"Basic " + base64.b64encode(f"{user}:{password}".encode()))


class House:
    """A door with the sources `north` and `south`, asked in that order; both know an `ada`, and they are two people."""

    def __init__(self, tasks: Tasks) -> None:
        self.clock = ManualClock()
        self.tasks = tasks
        self.namespaces = MemoryNamespaceStore(MemoryEntityStore())
        self.accounts, self.locks = MemoryAccountStore(), MemoryLockStore()
        self.keys = KeyRing(self.namespaces, {"token": Caller("operator", "", "operator")}, self.clock)
        self.tokens = Tokens(MemoryTokenStore(), self.accounts, self.clock)
        self.north = MemorySource("north", {"ada": ADA, "nora": Person(password="nora-word")})
        self.south = MemorySource("south", {"ada": Person(password="south-word"), "sam": Person(password="sam-word")})
        self.door = self.open_door({})

    def open_door(self, changes: Mapping[str, object]) -> Door:
        self.door = Door(
            self.keys,
            [self._asking(self.north, changes, trust=3), self._asking(self.south, changes, trust=1)],
            self.accounts,
            self.tokens,
            self.locks,
            self.clock,
        )
        return self.door

    def _asking(self, source: MemorySource, changes: Mapping[str, object], *, trust: int) -> Asking:
        usual = {
            "timeout_ms": 20_000,
            "cache_ms": CACHE_MS,
            "pause_ms": PAUSE_MS,
            "lock_ms": LOCK_MS,
            "attempts_max": 3,
        }
        ceiling = {"roles": ("auditor", "developer", "reader"), "namespaces": ("payroll", "web")}
        terms = Terms(trust=trust, **{**usual, **ceiling, **changes})  # type: ignore[arg-type]  # as Terms has them
        translation = read(source.name, MAPPING, Terms(**ceiling).ceiling) if source is self.north else Translation()
        return Asking(source.name, source, terms, translation, self.clock, self.tasks)

    async def comes(self, shown: Shown, about: str = "") -> Caller:
        identity = self.door.recall(shown) or await self.door.identify(shown, no_projects)
        return identity.acting_in(about)

    async def subject(self, user: str, password: str) -> str:
        return (await self.comes(basic(user, password))).subject


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with Tasks() as tasks:
        yield House(tasks)
        tasks.stop()


async def test_a_name_of_one_source_is_not_that_name_of_another(house: House) -> None:
    north = await house.comes(basic("north/ada", "north-word"))
    south = await house.comes(basic("south/ada", "south-word"))
    assert (north.subject, north.source, north.trust) == ("north/ada", "north", 3)
    assert (south.subject, south.source, south.trust) == ("south/ada", "south", 1)
    for user, password in (("south/ada", "north-word"), ("north/ada", "south-word"), ("east/ada", "north-word")):
        with pytest.raises(BadCredentials):
            await house.comes(basic(user, password))


async def test_without_a_source_all_are_asked_in_their_order(house: House) -> None:
    assert await house.subject("ada", "north-word") == "north/ada"
    assert await house.subject("ada", "south-word") == "south/ada"
    assert (house.north.asked, house.south.asked) == (["ada", "ada"], ["ada"])
    house.north.people["ada"] = Person(password="south-word")
    house.door.forget()
    assert await house.subject("ada", "south-word") == "north/ada"


async def test_who_names_a_source_shows_the_password_to_no_other(house: House) -> None:
    with pytest.raises(BadCredentials):
        await house.comes(basic("south/ada", "wrong"))
    assert (house.north.asked, house.south.asked) == ([], ["ada"])


async def test_a_token_of_a_cloud_is_shown_to_the_one_that_is_named_alone(house: House) -> None:
    shown: list[str] = []

    class Cloud(MemorySource):
        def takes(self, proof: Proof) -> bool:
            return isinstance(proof, KeystoneToken)

        async def prove(self, proof: Proof) -> Account:
            assert isinstance(proof, KeystoneToken)
            shown.append(f"{self.name} {proof.token}")
            return Account(user="ada", method="token")

    house.north, house.south = Cloud("north", {}), Cloud("south", {})
    house.open_door({})
    for token, subject in ((b"south/gAAAA", "south/ada"), (b"gAAAA", "north/ada"), (b"east/gAAAA", "north/ada")):
        assert (await house.comes(Shown(b"", token))).subject == subject
    assert shown == ["south gAAAA", "north gAAAA", "north east/gAAAA"]


async def test_a_member_acts_in_the_namespace_they_ask_about_with_the_roles_held_there(house: House) -> None:
    shown = basic("north/ada", "north-word")
    held = {about: await house.comes(shown, about) for about in ("payroll", "web", "other", "_", "")}
    assert {about: (caller.namespace, caller.roles) for about, caller in held.items()} == {
        "payroll": ("payroll", ("developer", "auditor")),
        "web": ("web", ("reader", "auditor")),
        **dict.fromkeys(("other", "_", ""), ("payroll", ("developer", "auditor"))),
    }
    nobody = await house.comes(basic("south/ada", "south-word"), "payroll")
    assert (nobody.namespace, nobody.roles) == ("", ())


async def test_what_was_found_is_kept_for_a_while_and_what_was_not_is_asked_again(house: House) -> None:
    for _ in range(3):
        await house.subject("north/ada", "north-word")
    assert house.north.asked == ["ada"]
    house.clock.advance(CACHE_MS)
    await house.subject("north/ada", "north-word")
    assert house.north.asked == ["ada"] * 2
    for _ in range(2):
        with pytest.raises(BadCredentials):
            await house.comes(basic("south/sam", "wrong"))
    assert house.south.asked == ["sam"] * 2


async def test_many_who_show_the_same_at_once_are_asked_about_once(house: House) -> None:
    house.north.stop()
    found: list[str] = []

    async def come() -> None:
        found.append(await house.subject("north/ada", "north-word"))

    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(come)
        await anyio.wait_all_tasks_blocked()
        house.north.go_on()
    assert (found, house.north.asked) == (["north/ada"] * 50, ["ada"])


async def test_revoking_is_felt_at_once_and_blocking_keeps_out(house: House) -> None:
    shown = basic("north/ada", "north-word")
    await house.comes(shown)
    await house.accounts.put(Standing(account="north/ada", blocked=True))
    assert (await house.comes(shown)).subject == "north/ada"  # it is remembered
    house.door.forget()
    with pytest.raises(BadCredentials):
        await house.comes(shown)
    assert await house.subject("south/ada", "south-word") == "south/ada"


async def test_an_answer_that_was_on_its_way_while_somebody_was_revoked_is_not_kept(house: House) -> None:
    house.north.stop()
    async with anyio.create_task_group() as group:
        group.start_soon(house.subject, "north/ada", "north-word")
        await anyio.wait_all_tasks_blocked()
        house.door.forget()
        house.north.go_on()
    assert house.door.recall(basic("north/ada", "north-word")) is None


async def test_accounts_of_one_person_are_known_as_theirs_and_stay_two(house: House) -> None:
    for account in ("north/ada", "south/ada"):
        await house.accounts.put(Standing(account=account, person="Ada L."))
    one = await house.comes(basic("north/ada", "north-word"))
    other = await house.comes(basic("south/ada", "south-word"))
    assert one.person == other.person == "Ada L."
    assert one.subject != other.subject
    assert other.roles == ()


async def test_one_who_hangs_or_is_gone_keeps_nobody_of_another_out(house: House) -> None:
    house.open_door({"timeout_ms": 100})
    house.north.stop()
    assert await house.subject("south/sam", "sam-word") == "south/sam"
    assert house.north.asked == []
    assert await house.subject("sam", "sam-word") == "south/sam"  # passed over after its time
    for _ in range(5):
        assert await house.subject("ada", "south-word") == "south/ada"
    assert house.north.asked == ["sam"]  # and then left alone
    with pytest.raises(SourceAway) as caught:
        await house.comes(basic("north/nora", "nora-word"))
    assert caught.value.facts["source"] == "north"
    assert house.north.asked == ["sam"]
    house.north.go_on()
    house.clock.advance(PAUSE_MS)
    assert await house.subject("north/nora", "nora-word") == "north/nora"
    assert house.door.health()["north"] == {
        "state": "answers",
        "trust": 3,
        "asked": 2,
        "refused": 0,
        "failed": 1,
    }


async def test_who_is_unknown_where_all_answer_is_not_told_that_somebody_is_away(house: House) -> None:
    house.north.away = True
    with pytest.raises(SourceAway):
        await house.comes(basic("nobody", "word"))
    with pytest.raises(BadCredentials):
        await house.comes(basic("south/nobody", "word"))


async def test_too_many_wrong_passwords_lock_a_name_be_it_somebodys_or_nobodys(house: House) -> None:
    for user in ("ada", "nobody"):
        for attempt in range(3):
            with pytest.raises(BadCredentials):
                await house.comes(basic(f"north/{user}", f"wrong {attempt}"))
        asked = len(house.north.asked)
        with pytest.raises(TooManyAttempts):
            await house.comes(basic(f"north/{user}", "north-word"))
        assert len(house.north.asked) == asked
    assert await house.subject("south/ada", "south-word") == "south/ada"
    house.clock.advance(LOCK_MS)
    assert await house.subject("north/ada", "north-word") == "north/ada"


async def test_a_lock_holds_on_all_nodes_and_after_a_restart_until_it_is_opened_on_any(house: House) -> None:
    here, there = house.door, house.open_door({})
    house.door = here
    for attempt in range(3):
        with pytest.raises(BadCredentials):
            await house.comes(basic("north/ada", f"wrong {attempt}"))
    for door in (there, here, house.open_door({})):
        house.door = door
        with pytest.raises(TooManyAttempts) as caught:
            await house.comes(basic("north/ada", "north-word"))
        assert caught.value.facts == {"retry_after_s": LOCK_MS // 1000}
    await there.unlock("north", " Ada")
    for door in (here, there):
        house.door = door
        assert await house.subject("north/ada", "north-word") == "north/ada"


async def test_a_lock_that_cannot_be_kept_is_told_as_a_failure_and_holds_here(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(source: str, user: str, until_ms: int) -> None:
        raise StorageFailed(detail="disk full")

    monkeypatch.setattr(house.locks, "lock", full)
    for attempt in range(2):
        with pytest.raises(BadCredentials):
            await house.comes(basic("north/ada", f"wrong {attempt}"))
    with pytest.raises(StorageFailed):
        await house.comes(basic("north/ada", "wrong 2"))
    with pytest.raises(TooManyAttempts):
        await house.comes(basic("north/ada", "north-word"))


async def test_many_guesses_at_once_are_no_more_than_one_after_the_other(house: House) -> None:
    async def guess(number: int) -> None:
        with pytest.raises((BadCredentials, TooManyAttempts)):
            await house.comes(basic("north/ada", f"guess {number}"))

    house.north.stop()
    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(guess, number)
        await anyio.wait_all_tasks_blocked()
        house.north.go_on()
    assert len(house.north.asked) == 3


async def test_a_lock_of_one_source_does_not_keep_out_who_is_known_to_another(house: House) -> None:
    for attempt in range(3):
        with pytest.raises(BadCredentials):
            await house.comes(basic("north/ada", f"wrong {attempt}"))
    assert await house.subject("ada", "south-word") == "south/ada"


async def test_more_than_a_source_can_bear_are_not_put_to_it(house: House) -> None:
    house.open_door({"asked_max": 5})
    house.north.stop()
    told: list[str] = []

    async def come(number: int) -> None:
        with pytest.raises((SourceAway, BadCredentials)) as caught:
            await house.comes(basic(f"north/somebody{number}", "word"))
        told.append(str(caught.value))

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(come, number)
        await anyio.wait_all_tasks_blocked()
        house.north.go_on()
    assert len(house.north.asked) == 5
    assert sum("5 others wait for it already" in each for each in told) == 15


async def test_keys_and_tokens_of_the_platform_need_no_source(house: House) -> None:
    await house.namespaces.put(namespace("guest"))
    house.north.stop()
    house.south.stop()
    key = namespace("guest").key
    assert (await house.comes(Shown(b"Basic " + base64.b64encode(key.encode())))).subject == "guest"
    assert (await house.comes(Shown(b"Bearer token"))).subject == "operator"
    text, _ = await house.tokens.issue(
        "north/ada", (Caller("north/ada", "", "north"),), kind="api", name="", lifetime_ms=9
    )
    for shown in (Shown(f"Bearer {text}".encode()), basic("anything", text)):
        assert (await house.comes(shown)).subject == "north/ada"
    assert house.north.asked + house.south.asked == []


async def test_a_token_is_good_for_no_more_than_its_source_may_give_now(house: House) -> None:
    made = [await house.comes(basic("north/ada", "north-word"), about) for about in ("payroll", "web")]
    text, _ = await house.tokens.issue("north/ada", tuple(made), kind="api", name="", lifetime_ms=9)
    shown = Shown(f"Bearer {text}".encode())
    assert (await house.comes(shown, "web")).roles == ("reader", "auditor")
    house.open_door({"roles": ("reader",), "trust_totp": 9})
    assert [(await house.comes(shown, about)).roles for about in ("payroll", "web")] == [(), ("reader",)]
    assert (await house.comes(shown)).trust == 3
    house.door = Door(house.keys, (), house.accounts, house.tokens, house.locks, house.clock)
    with pytest.raises(BadCredentials):
        await house.comes(shown)


async def test_a_login_names_its_source_or_all(house: House) -> None:
    proof = Password(user="ada", password="south-word")
    for source in ("", "south"):
        assert (await house.door.log_in(source, proof, no_projects)).caller.subject == "south/ada"
    for source in ("north", "east"):
        with pytest.raises(BadCredentials):
            await house.door.log_in(source, proof, no_projects)


async def test_who_shows_nothing_is_told_to(house: House) -> None:
    with pytest.raises(NotAuthenticated) as caught:
        await house.comes(Shown())
    assert not isinstance(caught.value, BadCredentials)


async def test_what_one_kind_of_proof_opened_another_does_not_though_it_is_the_same_text(house: House) -> None:
    shown = basic("north/ada", "north-word")
    await house.comes(shown)
    for other in (Shown(b"", shown.authorization), Shown(b"", b"", shown.authorization)):
        with pytest.raises(BadCredentials):
            await house.comes(other)


@given(st.binary(max_size=200), st.sampled_from([b"", b"Basic ", b"Bearer ", b"bearer rbl_"]))
async def test_no_bytes_whatever_prove_anybody(noise: bytes, scheme: bytes) -> None:
    async with Tasks() as tasks:
        house = House(tasks)
        for shown in (Shown(scheme + noise), Shown(b"", noise), Shown(b"", b"", noise)):
            with pytest.raises((NotAuthenticated, TooManyAttempts)):
                await house.comes(shown)
        with pytest.raises((NotAuthenticated, TooManyAttempts)):
            await house.comes(Shown(b"Basic " + base64.b64encode(noise)))
        tasks.stop()


async def test_nothing_that_was_shown_is_in_a_repr(house: House) -> None:
    shown = basic("north/ada", "north-word")
    assert "north-word" not in repr((shown, Password(user="ada", password="north-word")))
    assert base64.b64encode(b"north/ada:north-word").decode() not in repr((shown, house.door, vars(house.door)))
