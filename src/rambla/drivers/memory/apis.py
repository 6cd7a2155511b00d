"""APIs in a dict. (port: rambla.gateway.ports.ApiStore)"""

import itertools

import msgspec

from rambla.domain.errors import AlreadyExists, ConcurrentChange
from rambla.gateway.api import Api, gateway_id


class MemoryApiStore:
    def __init__(self) -> None:
        self._apis: dict[tuple[str, str], Api] = {}
        self._revisions = itertools.count(1)

    async def get(self, namespace: str, base_path: str) -> Api | None:
        return self._apis.get((namespace, base_path))

    async def put(self, api: Api, *, expected_revision: int | None) -> Api:
        current = self._apis.get((api.namespace, api.base_path))
        if expected_revision is None and current is not None:
            raise AlreadyExists()
        if expected_revision is not None and (current is None or current.revision != expected_revision):
            raise ConcurrentChange()
        written = msgspec.structs.replace(api, revision=next(self._revisions))
        self._apis[api.namespace, api.base_path] = written
        return written

    async def delete(self, namespace: str, base_path: str, *, expected_revision: int) -> None:
        current = self._apis.get((namespace, base_path))
        if current is None or current.revision != expected_revision:
            raise ConcurrentChange()
        del self._apis[namespace, base_path]

    async def delete_all(self, namespace: str) -> None:
        self._apis = {key: api for key, api in self._apis.items() if api.namespace != namespace}

    async def find(self, namespace: str, *, name: str | None, skip: int, limit: int) -> list[Api]:
        found = [api for api in self._sorted() if api.namespace == namespace and name in (None, api.name)]
        return found[skip : skip + limit]

    async def routes(self, identifier: str) -> list[Api]:
        found = [api for api in self._sorted() if gateway_id(api.namespace) == identifier]
        return [msgspec.structs.replace(api, document=b"") for api in found]

    def _sorted(self) -> list[Api]:
        return [self._apis[key] for key in sorted(self._apis)]
