"""Who may pass: whoever proves it, as long as it is true, and nobody learns anything else."""

import base64
import hmac
from contextlib import suppress

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.domain.access import Caller
from rambla.domain.entities import Namespace
from rambla.domain.errors import BadCredentials, NotAuthenticated, NotFound
from rambla.domain.proofs import Shown
from rambla.drivers.memory.catalog import MemoryEntityStore, MemoryNamespaceStore
from rambla.drivers.memory.identity import MemoryAccountStore, MemoryLockStore, MemoryTokenStore
from rambla.identity.door import Door
from rambla.identity.keys import BYTES_MAX, KeyRing
from rambla.identity.tokens import Tokens
from rambla.kit.clock import ManualClock
from rambla.testing.namespace_store import namespace

pytestmark = pytest.mark.anyio
OPERATOR = Caller(subject="operator", namespace="", source="operator")
GUEST = namespace("guest")
TTL_MS = 1000


class SlowStore(MemoryNamespaceStore):
    """As one behind a network: an answer may be old by the time it arrives. `asked` counts questions."""

    def __init__(self) -> None:
        super().__init__(MemoryEntityStore())
        self.asked = 0
        self.gate: anyio.Event | None = None

    async def by_uuid(self, uuid: str) -> Namespace | None:
        return await self._late(await super().by_uuid(uuid))

    async def get(self, name: str) -> Namespace | None:
        return await self._late(await super().get(name))

    async def _late(self, found: Namespace | None) -> Namespace | None:
        self.asked += 1
        if self.gate:
            await self.gate.wait()
        return found


class Ring(KeyRing):
    """A key ring behind a door with nobody else at it."""

    async def identify(self, header: str | None) -> Caller:
        shown = Shown((header or "").encode("latin-1", "replace"))
        identity = self.door.recall(shown) or await self.door.identify(shown, no_projects)
        return identity.caller


async def no_projects(proven: object, project: object) -> None:
    raise AssertionError("nobody comes for a project")


def ring_of(store: MemoryNamespaceStore, clock: ManualClock) -> Ring:
    ring = Ring(store, {"token": OPERATOR}, clock, ttl_ms=TTL_MS)
    accounts = MemoryAccountStore()
    ring.door = Door(ring, (), accounts, Tokens(MemoryTokenStore(), accounts, clock), MemoryLockStore(), clock)
    return ring


@pytest.fixture
def store() -> SlowStore:
    return SlowStore()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def ring(store: SlowStore, clock: ManualClock) -> Ring:
    for name in ("guest", "other"):
        await store.put(namespace(name))
    store.asked = 0
    return ring_of(store, clock)


def basic(text: str | bytes) -> str:
    return "Basic " + base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
@pytest.mark.parametrize("more", ["", ":anything", ":a:b"])
async def test_a_key_proves_its_namespace_whatever_third_part_a_client_appends(
    ring: Ring, scheme: str, more: str
) -> None:
    header = basic(GUEST.key + more).replace("Basic", scheme)
    assert await ring.identify(header) == Caller(subject="guest", namespace="guest", source="key", method="key")


async def test_a_token_proves_whom_it_was_given_for(ring: Ring, store: SlowStore) -> None:
    assert await ring.identify("Bearer token") == await ring.identify("bearer  token ") == OPERATOR
    assert store.asked == 0


@pytest.mark.parametrize("header", [None, ""])
async def test_no_header_is_not_a_wrong_one(ring: Ring, header: str | None) -> None:
    with pytest.raises(NotAuthenticated) as caught:
        await ring.identify(header)
    assert not isinstance(caught.value, BadCredentials)


WRONG = [
    "Basic", "Basic ", "Basic !!!", "Basic é", "Basic \xff", "Basic ====", basic(""), basic(":"), basic("guest"),
    basic(b"\xff\xfe:\xff"), basic(GUEST.uuid), basic(f"{GUEST.uuid}:"), basic(f"{GUEST.uuid}:{'S' * 64}"),
    basic(f"{GUEST.uuid}:{GUEST.secret[:-1]}"), basic(f":{GUEST.secret}"), basic(f"uuid-of-other2:{GUEST.secret}"),
    basic(f"unknown:{'-' * 64}"), basic("\0:\0"), basic(f"{GUEST.uuid}:é"), basic("é:é"),
    "Bearer", "Bearer ", "Bearer no", f"Bearer {GUEST.key}", "Basic token", "Digest x", "token", " ", GUEST.key,
    "Basic " + "A" * BYTES_MAX, "Bearer " + "token" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("header", WRONG, ids=range(len(WRONG)))
async def test_what_proves_nobody_is_refused_and_never_repeated(ring: Ring, header: str) -> None:
    for _ in range(2):
        with pytest.raises(BadCredentials) as caught:
            await ring.identify(header)
        assert str(caught.value) == "The supplied authentication is invalid"
        assert caught.value.facts == {}


async def test_a_header_that_is_too_long_is_not_even_looked_at(ring: Ring, store: SlowStore) -> None:
    with pytest.raises(BadCredentials):
        await ring.identify(basic(f"{GUEST.key}:{'x' * BYTES_MAX}"))
    assert store.asked == 0


@given(header=st.text(alphabet=st.characters(max_codepoint=255), max_size=300))
async def test_no_header_whatever_ends_in_a_fault_of_ours(header: str) -> None:
    ring = ring_of(SlowStore(), ManualClock())
    for text in (header, f"Basic {header}", f"Bearer {header}", basic(header)):
        with suppress(NotAuthenticated):
            assert await ring.identify(text) == OPERATOR


async def test_an_unknown_uuid_is_compared_like_a_known_one(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    for uuid in (GUEST.uuid, "unknown"):
        with pytest.raises(BadCredentials):
            await ring.identify(basic(f"{uuid}:{'x' * 64}"))
    assert compared == [(64, 64), (64, 64)]


async def test_success_is_remembered_for_a_while_and_failure_never(
    ring: Ring, store: SlowStore, clock: ManualClock
) -> None:
    for _ in range(3):
        await ring.identify(basic(GUEST.key))
        await ring.namespace("guest")
    assert store.asked == 2
    clock.advance(TTL_MS)
    await ring.identify(basic(GUEST.key))
    await ring.namespace("guest")
    assert store.asked == 4
    late = namespace("late")
    for _ in range(2):
        with pytest.raises(BadCredentials):
            await ring.identify(basic(late.key))
        with pytest.raises(NotFound):
            await ring.namespace("late")
    await store.put(late)
    assert (await ring.identify(basic(late.key))).namespace == "late"
    assert await ring.namespace("late") == late


async def test_what_was_forgotten_is_asked_again(ring: Ring, store: SlowStore) -> None:
    await ring.identify(basic(GUEST.key))
    await ring.namespace("guest")
    await store.delete("guest")
    assert (await ring.identify(basic(GUEST.key))).namespace == "guest"
    ring.forget()
    with pytest.raises(BadCredentials):
        await ring.identify(basic(GUEST.key))
    with pytest.raises(NotFound):
        await ring.namespace("guest")
    assert await ring.identify("Bearer token") == OPERATOR


async def test_an_answer_that_was_on_its_way_while_all_was_forgotten_is_not_remembered(
    ring: Ring, store: SlowStore
) -> None:
    store.gate = gate = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(ring.identify, basic(GUEST.key))
        group.start_soon(ring.namespace, "guest")
        await anyio.wait_all_tasks_blocked()
        store.gate = None
        await store.delete("guest")
        ring.forget()
        gate.set()
    with pytest.raises(BadCredentials):
        await ring.identify(basic(GUEST.key))
    with pytest.raises(NotFound):
        await ring.namespace("guest")
