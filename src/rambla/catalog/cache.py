"""Which entity was asked for a moment ago?

An EntityStore in front of another that remembers what was read, up to a number of bytes, and forgets a name when it is
written. Only right where this process is the only writer, as with the embedded database; what is absent is remembered
too, since a rule's package is asked for at every fire.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec

from rambla.catalog.ports import Collection, EntityStore
from rambla.domain.entities import Action, AnyEntity, Rule
from rambla.domain.names import FullName

ENTITIES_BYTES_MAX = 256 * 2**20
RULES_BYTES_MAX = 32 * 2**20
ENTRY_BYTES = 1024  # of memory for a name and what hangs on it; so it bounds the number of entries too
VALUE_BYTES = 120  # of memory for a value of JSON beside its text: an object, or a dict's or a list's share in one
WIDE_CHARACTER_BYTES = 4  # of memory for each character, if any of a text is not ASCII

Kept = TypeVar("Kept")


class CachedEntities:
    def __init__(
        self, store: EntityStore, bytes_max: int = ENTITIES_BYTES_MAX, rules_bytes_max: int = RULES_BYTES_MAX
    ) -> None:
        self._store = store
        self._entities: _Memory[AnyEntity | None] = _Memory(bytes_max)
        self._rules: _Memory[list[AnyEntity]] = _Memory(rules_bytes_max)
        self._writes = 0

    async def get(self, name: FullName) -> AnyEntity | None:
        if name in self._entities:
            return self._entities.get(name)
        writes = self._writes
        entity = await self._store.get(name)
        if writes == self._writes:  # else it may be old already
            self._entities.keep(name, entity, ENTRY_BYTES + (held_bytes(entity) if entity else 0))
        return entity

    async def put(self, entity: AnyEntity, *, expected_revision: int | None) -> AnyEntity:
        try:
            return await self._store.put(entity, expected_revision=expected_revision)
        finally:
            self._forget(entity.name)

    async def delete(self, name: FullName, *, expected_revision: int) -> None:
        try:
            await self._store.delete(name, expected_revision=expected_revision)
        finally:
            self._forget(name)

    async def find(
        self, collection: Collection, namespace: str, *, package: str | None, skip: int, limit: int
    ) -> list[AnyEntity]:
        return await self._store.find(collection, namespace, package=package, skip=skip, limit=limit)

    async def count(self, collection: Collection, namespace: str, *, package: str | None) -> int:
        return await self._store.count(collection, namespace, package=package)

    async def rules_of(self, trigger: FullName) -> list[AnyEntity]:
        if trigger in self._rules:
            return self._rules.get(trigger)
        writes = self._writes
        rules = await self._store.rules_of(trigger)
        if writes == self._writes:
            self._rules.keep(trigger, rules, ENTRY_BYTES + sum(ENTRY_BYTES + held_bytes(rule) for rule in rules))
        return rules

    def clear(self) -> None:
        """Forget everything: a whole namespace went."""
        self._writes += 1
        self._entities.clear()
        self._rules.clear()

    def _forget(self, name: FullName) -> None:
        self._writes += 1
        self._rules.clear()  # any rule may have moved to another trigger
        self._entities.drop(name)


class _Memory(Generic[Kept]):
    """What was read, up to `bytes_max`; what was not asked for the longest goes first."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._kept: OrderedDict[FullName, tuple[Kept, int]] = OrderedDict()

    def __contains__(self, name: FullName) -> bool:
        return name in self._kept

    def get(self, name: FullName) -> Kept:
        self._kept.move_to_end(name)
        return self._kept[name][0]

    def keep(self, name: FullName, what: Kept, size: int) -> None:
        """What alone is larger than all there is room for is not kept, and drives nothing else out."""
        self.drop(name)
        if size > self._bytes_max:
            return
        self._kept[name] = (what, size)
        self._bytes += size
        while self._bytes > self._bytes_max:
            self.drop(next(iter(self._kept)))

    def drop(self, name: FullName) -> None:
        self._bytes -= self._kept.pop(name, (None, 0))[1]

    def clear(self) -> None:
        self._kept.clear()
        self._bytes = 0


def held_bytes(entity: AnyEntity) -> int:
    """At most about how much memory what users can make large takes: code, parameters and annotations."""
    code = entity.exec.code if isinstance(entity, Action) else ""
    parameters: Sequence[Any] = () if isinstance(entity, Rule) else entity.parameters
    return len(code) * _character_bytes(code) + _json_bytes(entity.annotations) + _json_bytes(parameters)


def _json_bytes(value: Any) -> int:
    """From the encoded length, and the number of values: there are as many as brackets and commas, or fewer."""
    text = msgspec.json.encode(value)
    values = text.count(b",") + text.count(b"[") + text.count(b"{")
    return len(text) * _character_bytes(text) + values * VALUE_BYTES


def _character_bytes(text: str | bytes) -> int:
    return 1 if text.isascii() else WIDE_CHARACTER_BYTES
