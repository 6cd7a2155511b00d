"""Which entity was asked for a moment ago?

An EntityStore in front of another that remembers what was read, up to a number of bytes, and forgets a name when it is
written. Only right where this process is the only writer, as with the embedded database; what is absent is remembered
too, since a rule's package is asked for at every fire.
"""

from collections import OrderedDict

from rambla.catalog.ports import Collection, EntityStore
from rambla.domain.entities import Action, AnyEntity
from rambla.domain.names import FullName

_ENTRY_BYTES = 1024


class CachedEntities:
    def __init__(self, store: EntityStore, bytes_max: int = 256 * 2**20) -> None:
        self._store = store
        self._bytes_max = bytes_max
        self._bytes = 0
        self._entities: OrderedDict[FullName, AnyEntity | None] = OrderedDict()
        self._rules: dict[FullName, list[AnyEntity]] = {}
        self._writes = 0

    async def get(self, name: FullName) -> AnyEntity | None:
        if name in self._entities:
            self._entities.move_to_end(name)
            return self._entities[name]
        writes = self._writes
        entity = await self._store.get(name)
        if writes == self._writes:  # else it may be old already
            self._remember(name, entity)
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
            return self._rules[trigger]
        writes = self._writes
        rules = await self._store.rules_of(trigger)
        if writes == self._writes:
            self._rules[trigger] = rules
        return rules

    def clear(self) -> None:
        """Forget everything: a whole namespace went."""
        self._writes += 1
        self._entities.clear()
        self._rules.clear()
        self._bytes = 0

    def _remember(self, name: FullName, entity: AnyEntity | None) -> None:
        if name in self._entities:
            return
        self._entities[name] = entity
        self._bytes += _size(entity)
        while self._bytes > self._bytes_max:
            self._bytes -= _size(self._entities.popitem(last=False)[1])

    def _forget(self, name: FullName) -> None:
        self._writes += 1
        self._rules.clear()  # any rule may have moved to another trigger
        if name in self._entities:
            self._bytes -= _size(self._entities.pop(name))


def _size(entity: AnyEntity | None) -> int:
    return _ENTRY_BYTES + (len(entity.exec.code) if isinstance(entity, Action) else 0)
