"""What must a store of entities be able to do?

All methods may be called at once from one event loop. Each is one transaction: durable on return, or it raised and
nothing was changed. StorageFailed means the database is gone or full; the caller may try again.
"""

from typing import Literal, Protocol

from rambla.domain.entities import AnyEntity
from rambla.domain.names import FullName

Collection = Literal["actions", "packages", "triggers", "rules"]


class EntityStore(Protocol):
    """Actions, packages, triggers and rules share one space of names within a namespace, as in OpenWhisk."""

    async def get(self, name: FullName) -> AnyEntity | None:
        """The entity of that name with its code, of whatever collection, or None."""
        ...

    async def put(self, entity: AnyEntity, *, expected_revision: int | None) -> AnyEntity:
        """Write and return it with its new revision. `expected_revision` None: it must not exist (AlreadyExists);
        otherwise it must be at that revision (ConcurrentChange)."""
        ...

    async def delete(self, name: FullName, *, expected_revision: int) -> None:
        """Remove it. ConcurrentChange if it is not at that revision any more (also when gone)."""
        ...

    async def find(
        self, collection: Collection, namespace: str, *, package: str | None, skip: int, limit: int
    ) -> list[AnyEntity]:
        """Newest `updated_ms` first, then by name; actions come with `exec.code` empty. `package` None lists all
        packages and none, a name only what lies in it."""
        ...

    async def count(self, collection: Collection, namespace: str, *, package: str | None) -> int: ...

    async def rules_of(self, trigger: FullName) -> list[AnyEntity]:
        """Every rule that names this trigger, by rule name."""
        ...
