"""Which APIs are visited under an id, ready to be searched?

An ApiStore in front of another that remembers the compiled routes, up to a number of them, and forgets a namespace's
when one of its APIs is written. Only right where this process is the only writer, as with the embedded database. Ids
without APIs are not remembered, so that guessing some drives nothing out.
"""

from collections import OrderedDict

from rambla.gateway.api import Api, gateway_id
from rambla.gateway.ports import ApiStore
from rambla.gateway.router import Router

ROUTES_HELD_MAX = 200_000


class Apis:
    """`routes_held` counts what is remembered, never more than `routes_max`."""

    def __init__(self, store: ApiStore, routes_max: int = ROUTES_HELD_MAX) -> None:
        self._store = store
        self._routes_max = routes_max
        self._routers: OrderedDict[str, Router] = OrderedDict()
        self._writes = 0
        self.routes_held = 0

    async def router(self, identifier: str) -> Router:
        """For the APIs under that id; one without routes if there are none."""
        if identifier in self._routers:
            self._routers.move_to_end(identifier)
            return self._routers[identifier]
        writes = self._writes
        router = Router(await self._store.routes(identifier))
        if router.routes and writes == self._writes:  # else it may be old already
            self._remember(identifier, router)
        return router

    async def get(self, namespace: str, base_path: str) -> Api | None:
        return await self._store.get(namespace, base_path)

    async def put(self, api: Api, *, expected_revision: int | None) -> Api:
        try:
            return await self._store.put(api, expected_revision=expected_revision)
        finally:
            self._forget(api.namespace)

    async def delete(self, namespace: str, base_path: str, *, expected_revision: int) -> None:
        try:
            await self._store.delete(namespace, base_path, expected_revision=expected_revision)
        finally:
            self._forget(namespace)

    async def delete_all(self, namespace: str) -> None:
        try:
            await self._store.delete_all(namespace)
        finally:
            self._forget(namespace)

    async def find(self, namespace: str, *, name: str | None, skip: int, limit: int) -> list[Api]:
        return await self._store.find(namespace, name=name, skip=skip, limit=limit)

    async def routes(self, identifier: str) -> list[Api]:
        return await self._store.routes(identifier)

    def _remember(self, identifier: str, router: Router) -> None:
        if identifier in self._routers or router.routes > self._routes_max:
            return
        while self.routes_held + router.routes > self._routes_max:
            self.routes_held -= self._routers.popitem(last=False)[1].routes
        self._routers[identifier] = router
        self.routes_held += router.routes

    def _forget(self, namespace: str) -> None:
        self._writes += 1
        router = self._routers.pop(gateway_id(namespace), None)
        self.routes_held -= router.routes if router else 0
