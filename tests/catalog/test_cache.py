"""The cache gives what the store has, and holds no more than it is allowed."""

import tracemalloc
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from rambla.catalog.cache import ENTRY_BYTES, CachedEntities, held_bytes
from rambla.domain.entities import Action, AnyEntity, Exec, Package, Parameter, Rule, Trigger
from rambla.domain.names import FullName
from rambla.drivers.memory.catalog import MemoryEntityStore

pytestmark = pytest.mark.anyio
KB = 1024


def named(name: str) -> FullName:
    return FullName("guest", "", name)


def action(name: str, **fields: Any) -> Action:
    return Action(name=named(name), exec=Exec(kind="python:3", code=fields.pop("code", "")), **fields)


def rule(name: str, trigger: str, **fields: Any) -> Rule:
    return Rule(name=named(name), trigger=named(trigger), action=named("a"), **fields)


async def remembered(entities: list[AnyEntity], bytes_max: int) -> list[str]:
    """The names that are answered from memory after all were read in order."""
    store = MemoryEntityStore()
    cache = CachedEntities(store, bytes_max)
    for entity in entities:
        await store.put(entity, expected_revision=None)
        await cache.get(entity.name)
    for entity in entities:  # behind its back: what it gives in the old revision it had remembered
        await store.put(entity, expected_revision=1)
    found = [await cache.get(entity.name) for entity in reversed(entities)]
    return [each.name.name for each in reversed(found) if each is not None and each.revision == 1]


@pytest.mark.parametrize(
    "large",
    [
        action("x", code="x" * 10 * KB),
        action("x", code="é" * 3 * KB),
        action("x", parameters=(Parameter("k", "x" * 10 * KB),)),
        action("x", annotations={"k": "x" * 10 * KB}),
        Package(name=named("x"), parameters=(Parameter("k", "x" * 10 * KB),)),
        Trigger(name=named("x"), parameters=(Parameter("k", [{}] * KB),)),
        rule("x", "t", annotations={"k": "x" * 10 * KB}),
    ],
    ids=["code", "wide code", "parameters", "annotations", "package", "many values", "rule"],
)
async def test_whatever_makes_an_entity_large_is_counted(large: AnyEntity) -> None:
    many = [replace(large, name=named(name)) for name in "abcd"]
    size = ENTRY_BYTES + held_bytes(large)
    assert size > 10 * KB
    assert await remembered(many, 2 * size) == ["c", "d"]


async def test_small_entities_are_bounded_in_number() -> None:
    assert await remembered([action(name) for name in "abcdefgh"], 4 * ENTRY_BYTES) == ["f", "g", "h"]


async def test_one_that_is_too_large_drives_no_other_out() -> None:
    entities = [action("a"), action("b", code="x" * 10 * KB), action("c")]
    assert await remembered(entities, 5 * KB) == ["a", "c"]


async def test_the_rules_of_triggers_are_bounded_and_the_longest_unused_go_first() -> None:
    store = MemoryEntityStore()
    cache = CachedEntities(store, rules_bytes_max=100 * KB)
    for trigger in "abc":
        await store.put(rule(f"of-{trigger}", trigger, annotations={"k": "x" * 40 * KB}), expected_revision=None)
    for trigger in "abac":
        await cache.rules_of(named(trigger))
    for trigger in "abc":
        await store.put(rule(f"of-{trigger}", trigger), expected_revision=1)
    revisions = {trigger: (await cache.rules_of(named(trigger)))[0].revision for trigger in "acb"}
    assert revisions == {"a": 1, "b": 2, "c": 1}


async def test_what_is_written_is_read_anew() -> None:
    cache = CachedEntities(MemoryEntityStore())
    assert await cache.get(named("a")) is None
    first = await cache.put(action("a"), expected_revision=None)
    assert await cache.get(named("a")) == first
    await cache.delete(named("a"), expected_revision=1)
    assert await cache.get(named("a")) is None


@pytest.mark.parametrize(
    "item",
    [
        "{}",
        "[]",
        '{"":0}',
        '{"a":{}}',
        "[[]]",
        "[[[[[[[[]]]]]]]]",
        "1.5",
        "123456",
        '"ab"',
        '"é"',
        '"a\U0001f600"',
        "null",
    ],
)
def test_no_shape_of_parameters_takes_more_memory_than_it_is_counted_for(item: str) -> None:
    text = '[{"key":"k","value":[' + ",".join([item] * 20_000) + "]}]"
    tracemalloc.start()
    try:
        parameters = msgspec.json.decode(text, type=tuple[Parameter, ...])
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    counted = held_bytes(Trigger(name=named("t"), parameters=parameters))
    assert held <= counted
