"""Entities and namespaces in dicts. (ports: rambla.catalog.ports.EntityStore and NamespaceStore)"""

import msgspec

from rambla.catalog.ports import Collection
from rambla.domain.entities import Action, AnyEntity, Namespace, Package, Rule, Trigger
from rambla.domain.errors import AlreadyExists, ConcurrentChange, NamespaceDeleted
from rambla.domain.names import FullName

_TYPES: dict[Collection, type[AnyEntity]] = {
    "actions": Action,
    "packages": Package,
    "triggers": Trigger,
    "rules": Rule,
}


class MemoryEntityStore:
    def __init__(self) -> None:
        self._entities: dict[FullName, AnyEntity] = {}
        self._revisions: dict[FullName, int] = {}

    async def get(self, name: FullName) -> AnyEntity | None:
        return self._entities.get(name)

    async def put(self, entity: AnyEntity, *, expected_revision: int | None) -> AnyEntity:
        current = self._entities.get(entity.name)
        if expected_revision is None and current is not None:
            raise AlreadyExists()
        if expected_revision is not None and (current is None or current.revision != expected_revision):
            raise ConcurrentChange()
        self._revisions[entity.name] = self._revisions.get(entity.name, 0) + 1
        written = msgspec.structs.replace(entity, revision=self._revisions[entity.name])
        self._entities[entity.name] = written
        return written

    async def delete(self, name: FullName, *, expected_revision: int) -> None:
        current = self._entities.get(name)
        if current is None or current.revision != expected_revision:
            raise ConcurrentChange()
        del self._entities[name]

    async def find(
        self, collection: Collection, namespace: str, *, package: str | None, skip: int, limit: int
    ) -> list[AnyEntity]:
        found = self._listed(collection, namespace, package)
        found.sort(key=lambda each: (-each.updated_ms, each.name))
        return [_without_code(each) for each in found[skip : skip + limit]]

    async def count(self, collection: Collection, namespace: str, *, package: str | None) -> int:
        return len(self._listed(collection, namespace, package))

    async def rules_of(self, trigger: FullName) -> list[AnyEntity]:
        rules = [each for each in self._entities.values() if isinstance(each, Rule) and each.trigger == trigger]
        return [*sorted(rules, key=lambda rule: rule.name)]

    def forget_namespace(self, namespace: str) -> None:
        """Remove every entity in it; what the namespace store does on `delete`."""
        for name in [name for name in self._entities if name.namespace == namespace]:
            del self._entities[name]

    def _listed(self, collection: Collection, namespace: str, package: str | None) -> list[AnyEntity]:
        return [
            each
            for each in self._entities.values()
            if isinstance(each, _TYPES[collection])
            and each.name.namespace == namespace
            and package in (None, each.name.package)
        ]


class MemoryNamespaceStore:
    def __init__(self, entities: MemoryEntityStore) -> None:
        self._entities = entities
        self._namespaces: dict[str, Namespace] = {}
        self._deleted: set[str] = set()

    async def get(self, name: str) -> Namespace | None:
        return self._namespaces.get(name)

    async def was_deleted(self, name: str) -> bool:
        return name in self._deleted

    async def by_uuid(self, uuid: str) -> Namespace | None:
        return next((each for each in self._namespaces.values() if each.uuid == uuid), None)

    async def by_owner(self, owner: str) -> Namespace | None:
        return next((each for each in self._namespaces.values() if each.owner == owner), None)

    async def put(self, namespace: Namespace) -> None:
        if namespace.name in self._deleted:
            raise NamespaceDeleted()
        owned = await self.by_owner(namespace.owner) if namespace.owner else None
        for other in (await self.by_uuid(namespace.uuid), owned):
            if other is not None and other.name != namespace.name:
                raise AlreadyExists()
        self._namespaces[namespace.name] = namespace

    async def delete(self, name: str) -> bool:
        self._entities.forget_namespace(name)
        if self._namespaces.pop(name, None) is None:
            return False
        self._deleted.add(name)
        return True

    async def all(self) -> list[Namespace]:
        return [self._namespaces[name] for name in sorted(self._namespaces)]


def _without_code(entity: AnyEntity) -> AnyEntity:
    if not isinstance(entity, Action):
        return entity
    return msgspec.structs.replace(entity, exec=msgspec.structs.replace(entity.exec, code=""))
