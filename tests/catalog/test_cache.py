"""The cache is not to be seen: whoever asks through it hears what the store would say, whoever writes when."""

from typing import Any

import anyio
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rambla.catalog.cache import CachedEntities
from rambla.catalog.ports import EntityStore
from rambla.domain.entities import Action, AnyEntity, Exec, Parameter, Rule, Trigger
from rambla.domain.errors import AlreadyExists, ConcurrentChange
from rambla.domain.names import FullName
from rambla.drivers.memory.catalog import MemoryEntityStore
from rambla.testing.entity_store import EntityStoreSuite, action

ROOM_BYTES = 6000
NAMES = [FullName("guest", "", name) for name in "abc"]
TRIGGERS = [FullName("guest", "", name) for name in "tu"]


class SlowStore(MemoryEntityStore):
    """Reads take their answer at once and hand it over when told to, as they would over a network."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.gate: anyio.Event | None = None

    async def get(self, name: FullName) -> AnyEntity | None:
        return await self._late(await super().get(name))

    async def rules_of(self, trigger: FullName) -> list[AnyEntity]:
        return await self._late(await super().rules_of(trigger))

    async def _late(self, found: Any) -> Any:
        self.reads += 1
        if self.gate:
            await self.gate.wait()
        return found


class TestAsAnyStore(EntityStoreSuite):
    pytestmark = pytest.mark.anyio

    @pytest.fixture
    def store(self) -> EntityStore:
        return CachedEntities(MemoryEntityStore())


class Reading:
    """A read that has its answer and was not heard yet: the answer is what was true when it was asked."""

    def __init__(self, coroutine: Any) -> None:
        self._coroutine = coroutine
        coroutine.send(None)

    def finish(self) -> None:
        with pytest.raises(StopIteration):
            self._coroutine.send(None)


class Gate:
    """Suspends whoever awaits it until the test steps on."""

    def __await__(self) -> Any:
        yield


class GatedStore(MemoryEntityStore):
    gated = False

    async def get(self, name: FullName) -> AnyEntity | None:
        found = await super().get(name)
        if self.gated:
            await Gate()
        return found

    async def rules_of(self, trigger: FullName) -> list[AnyEntity]:
        found = await super().rules_of(trigger)
        if self.gated:
            await Gate()
        return found


def now(coroutine: Any) -> Any:
    """Run a coroutine that never has to wait."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        return ended.value
    raise AssertionError("it waited")


class CacheMachine(RuleBasedStateMachine):
    """Any order of reads, writes, deletions and clears, with reads that began before a write and end after it."""

    @initialize()
    def begin(self) -> None:
        self.store = GatedStore()
        self.cached = CachedEntities(self.store, bytes_max=ROOM_BYTES)
        self.on_their_way: list[Reading] = []

    @rule(name=st.sampled_from(NAMES), size=st.sampled_from([0, 1000, 4000, 10_000]))
    def write_an_action(self, name: FullName, size: int) -> None:
        self._write(Action(name=name, exec=Exec(kind="python:3", code="x" * size)))

    @rule(name=st.sampled_from(NAMES), trigger=st.sampled_from(TRIGGERS))
    def write_a_rule(self, name: FullName, trigger: FullName) -> None:
        self._write(Rule(name=name, trigger=trigger, action=NAMES[0]))

    @rule(name=st.sampled_from(NAMES))
    def delete(self, name: FullName) -> None:
        current = now(self.store.get(name))
        if current is not None:
            now(self.cached.delete(name, expected_revision=current.revision))

    @rule(name=st.sampled_from(NAMES))
    def write_at_a_wrong_revision(self, name: FullName) -> None:
        with pytest.raises(ConcurrentChange):
            now(self.cached.put(action(name), expected_revision=999))
        with pytest.raises(ConcurrentChange):
            now(self.cached.delete(name, expected_revision=999))
        if now(self.store.get(name)) is not None:
            with pytest.raises(AlreadyExists):
                now(self.cached.put(action(name), expected_revision=None))

    @rule()
    def lose_the_namespace(self) -> None:
        self.store.forget_namespace("guest")
        self.cached.clear()

    @rule(name=st.sampled_from([*NAMES, *TRIGGERS]), of_rules=st.booleans())
    def begin_a_read(self, name: FullName, of_rules: bool) -> None:
        self.store.gated = True
        try:
            read = self.cached.rules_of(name) if of_rules else self.cached.get(name)
            self.on_their_way.append(Reading(read))
        except StopIteration:
            pass  # it was remembered, so nothing had to be waited for
        finally:
            self.store.gated = False

    @rule(which=st.integers(0, 9))
    def end_a_read(self, which: int) -> None:
        if self.on_their_way:
            self.on_their_way.pop(which % len(self.on_their_way)).finish()

    @rule(trigger=st.sampled_from(TRIGGERS))
    def spoil_what_was_returned(self, trigger: FullName) -> None:
        now(self.cached.rules_of(trigger)).clear()

    @invariant()
    def nobody_can_tell(self) -> None:
        for name in (*NAMES, *TRIGGERS):
            assert now(self.cached.get(name)) == now(self.store.get(name))
            assert now(self.cached.rules_of(name)) == now(self.store.rules_of(name))

    @invariant()
    def it_stays_within_its_room(self) -> None:
        assert 0 <= self.cached.bytes_held <= ROOM_BYTES

    def teardown(self) -> None:
        for read in self.on_their_way:
            read.finish()

    def _write(self, entity: AnyEntity) -> None:
        current = now(self.store.get(entity.name))
        now(self.cached.put(entity, expected_revision=current.revision if current else None))


TestCacheMachine = CacheMachine.TestCase
TestCacheMachine.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


@pytest.mark.anyio
async def test_what_was_read_is_not_read_again_until_it_is_written_also_if_it_is_not_there() -> None:
    store = SlowStore()
    cached = CachedEntities(store)
    for _ in range(3):
        assert await cached.get(NAMES[0]) is None
        assert await cached.rules_of(TRIGGERS[0]) == []
    assert store.reads == 2
    written = await cached.put(action(NAMES[0]), expected_revision=None)
    for _ in range(3):
        assert await cached.get(NAMES[0]) == written
    assert store.reads == 3


@pytest.mark.anyio
async def test_a_read_that_began_before_a_write_is_not_remembered_after_it() -> None:
    store = SlowStore()
    cached = CachedEntities(store)
    first = await cached.put(action(NAMES[0], "old"), expected_revision=None)
    store.gate = gate = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(cached.get, NAMES[0])
        await anyio.wait_all_tasks_blocked()
        store.gate = None
        second = await cached.put(action(NAMES[0], "new"), expected_revision=first.revision)
        gate.set()
    assert await cached.get(NAMES[0]) == second


@pytest.mark.anyio
@pytest.mark.parametrize("where", ["code", "parameters", "annotations", "rules"])
async def test_every_byte_of_an_entity_counts(where: str) -> None:
    store = MemoryEntityStore()
    cached = CachedEntities(store, bytes_max=100_000)
    big = "x" * 30_000
    for number in range(10):
        name = FullName("guest", "", f"e{number}")
        entity: AnyEntity = Trigger(name=name, annotations={"big": big})
        if where == "code":
            entity = action(name, big)
        elif where == "parameters":
            entity = Trigger(name=name, parameters=(Parameter("big", big),))
        elif where == "rules":
            entity = Rule(name=name, trigger=TRIGGERS[0], action=NAMES[0], annotations={"big": big})
        await store.put(entity, expected_revision=None)
        assert await cached.get(name) is not None
        await cached.rules_of(TRIGGERS[0])
        assert cached.bytes_held <= 100_000
    if where != "rules":
        assert cached.bytes_held > 60_000
