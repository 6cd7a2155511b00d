"""What must a store of namespaces be able to do?

All methods may be called at once from one event loop. Each is one transaction: durable on return, or it raised and
nothing was changed. StorageFailed means the database is gone or full; the caller may try again.
"""

from typing import Protocol

from rambla.domain.entities import Namespace


class NamespaceStore(Protocol):
    """A name that was used once is never free again: records and objects remain, and its next owner would get them."""

    async def get(self, name: str) -> Namespace | None: ...

    async def was_deleted(self, name: str) -> bool:
        """Whether there was a namespace of that name, and is none any more."""
        ...

    async def by_uuid(self, uuid: str) -> Namespace | None:
        """The namespace whose key begins with `uuid`. The caller compares the secret, in constant time."""
        ...

    async def put(self, namespace: Namespace) -> None:
        """Create or replace it. AlreadyExists if another namespace has its uuid, NamespaceDeleted if one of its name
        was deleted."""
        ...

    async def delete(self, name: str) -> bool:
        """Remove the namespace and every entity in it; False if there was none. Its name stays taken, and revisions go
        on counting."""
        ...

    async def all(self) -> list[Namespace]:
        """All, by name."""
        ...
