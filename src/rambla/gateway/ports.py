"""What must a store of APIs be able to do?

All methods may be called at once from one event loop. Each is one transaction: durable on return, or it raised and
nothing was changed. StorageFailed means the database is gone or full; the caller may try again.
"""

from typing import Protocol

from rambla.gateway.api import Api


class ApiStore(Protocol):
    async def get(self, namespace: str, base_path: str) -> Api | None: ...

    async def put(self, api: Api, *, expected_revision: int | None) -> Api:
        """Write and return it with its new revision. `expected_revision` None: it must not exist (AlreadyExists);
        otherwise it must be at that revision (ConcurrentChange)."""
        ...

    async def delete(self, namespace: str, base_path: str, *, expected_revision: int) -> None:
        """Remove it. ConcurrentChange if it is not at that revision any more (also when gone)."""
        ...

    async def delete_all(self, namespace: str) -> None: ...

    async def find(self, namespace: str, *, name: str | None, skip: int, limit: int) -> list[Api]:
        """A namespace's APIs by base path; with `name` only those of that name."""
        ...

    async def routes(self, identifier: str) -> list[Api]:
        """All APIs that are visited under that id, by base path, without their documents."""
        ...
