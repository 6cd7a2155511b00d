"""Stand-ins until drivers/memory arrives."""

from msgspec.structs import replace

from rambla.domain.entities import Action, Package, Rule, Trigger
from rambla.domain.errors import AlreadyExists, ConcurrentChange

KINDS = {"actions": Action, "packages": Package, "triggers": Trigger, "rules": Rule}


class MemoryEntities:
    def __init__(self):
        self.entities, self.revisions = {}, {}

    async def get(self, name):
        return self.entities.get(name)

    async def put(self, entity, *, expected_revision):
        old = self.entities.get(entity.name)
        if expected_revision is None and old:
            raise AlreadyExists()
        if expected_revision is not None and (old is None or old.revision != expected_revision):
            raise ConcurrentChange()
        self.revisions[entity.name] = self.revisions.get(entity.name, 0) + 1
        self.entities[entity.name] = replace(entity, revision=self.revisions[entity.name])
        return self.entities[entity.name]

    async def delete(self, name, *, expected_revision):
        if name not in self.entities or self.entities[name].revision != expected_revision:
            raise ConcurrentChange()
        del self.entities[name]

    def _all(self, collection, namespace, package):
        found = [
            e
            for e in self.entities.values()
            if isinstance(e, KINDS[collection])
            and e.name.namespace == namespace
            and package in (None, e.name.package)
        ]
        found.sort(key=lambda e: (-e.updated_ms, e.name))
        return [replace(e, exec=replace(e.exec, code="")) if isinstance(e, Action) else e for e in found]

    async def find(self, collection, namespace, *, package, skip, limit):
        return self._all(collection, namespace, package)[skip : skip + limit]

    async def count(self, collection, namespace, *, package):
        return len(self._all(collection, namespace, package))

    async def rules_of(self, trigger):
        rules = (e for e in self.entities.values() if isinstance(e, Rule) and e.trigger == trigger)
        return sorted(rules, key=lambda e: e.name)


class MemoryNamespaces:
    def __init__(self):
        self.namespaces = {}

    async def get(self, name):
        return self.namespaces.get(name)

    async def by_uuid(self, uuid):
        return next((n for n in self.namespaces.values() if n.uuid == uuid), None)

    async def put(self, namespace):
        self.namespaces[namespace.name] = namespace

    async def delete(self, name):
        return self.namespaces.pop(name, None) is not None

    async def all(self):
        return sorted(self.namespaces.values(), key=lambda n: n.name)


class MemoryIndex:
    async def audits(self, namespace, *, since_ms, limit):
        return []

    async def usage(self, namespace, *, since_ms):
        return []
