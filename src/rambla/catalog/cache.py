"""Which entity was asked for a moment ago?

An EntityStore in front of another that remembers what was read, up to a number of bytes, and forgets a name when it is
written. Only right where this process is the only writer, as with the embedded database; what is absent is remembered
too, since a rule's package is asked for at every fire.
"""

from collections import OrderedDict
from typing import TypeVar

import msgspec

from rambla.catalog.ports import Collection, EntityStore
from rambla.domain.entities import AnyEntity
from rambla.domain.names import FullName

_ENTRY_BYTES = 1024
T = TypeVar("T")


class CachedEntities:
    """`bytes_held` counts what is remembered, never more than `bytes_max`."""

    def __init__(self, store: EntityStore, bytes_max: int = 256 * 2**20) -> None:
        self._store = store
        self._bytes_max = bytes_max
        self.bytes_held = 0
        self._entities: OrderedDict[FullName, tuple[AnyEntity | None, int]] = OrderedDict()
        self._rules: OrderedDict[FullName, tuple[list[AnyEntity], int]] = OrderedDict()
        self._writes = 0

    async def get(self, name: FullName) -> AnyEntity | None:
        if name in self._entities:
            self._entities.move_to_end(name)
            return self._entities[name][0]
        writes = self._writes
        entity = await self._store.get(name)
        if writes == self._writes:  # else it may be old already
            self._remember(self._entities, name, entity, _size(entity))
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
            return list(self._rules[trigger][0])
        writes = self._writes
        rules = await self._store.rules_of(trigger)
        if writes == self._writes:
            self._remember(self._rules, trigger, list(rules), _ENTRY_BYTES + sum(map(_size, rules)))
        return rules

    def clear(self) -> None:
        """Forget everything: a whole namespace went."""
        self._writes += 1
        self._entities.clear()
        self._rules.clear()
        self.bytes_held = 0

    def _remember(self, memory: OrderedDict[FullName, tuple[T, int]], name: FullName, what: T, size: int) -> None:
        """Rules give way first: every write makes them forgotten anyway."""
        if name in memory or size > self._bytes_max:
            return
        while self.bytes_held + size > self._bytes_max:
            _, given_way = (self._rules or self._entities).popitem(last=False)
            self.bytes_held -= given_way[1]
        memory[name] = what, size
        self.bytes_held += size

    def _forget(self, name: FullName) -> None:
        self._writes += 1
        self.bytes_held -= sum(size for _, size in self._rules.values())
        self._rules.clear()  # any rule may have moved to another trigger
        if name in self._entities:
            self.bytes_held -= self._entities.pop(name)[1]


def _size(entity: AnyEntity | None) -> int:
    return _ENTRY_BYTES + len(msgspec.msgpack.encode(entity))
