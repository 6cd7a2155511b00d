"""Bundles of policies in a list. (port: rambla.policy.ports.BundleStore)"""

from rambla.domain.errors import ConcurrentChange
from rambla.policy.bundle import Bundle


class MemoryBundleStore:
    def __init__(self) -> None:
        self._bundles: list[Bundle] = []

    async def newest(self) -> int:
        return len(self._bundles)

    async def append(self, bundle: Bundle) -> None:
        if bundle.number != len(self._bundles) + 1:
            raise ConcurrentChange()
        self._bundles.append(bundle)

    async def get(self, number: int) -> Bundle | None:
        return self._bundles[number - 1] if 0 < number <= len(self._bundles) else None

    async def history(self, *, before: int, limit: int) -> list[Bundle]:
        found = [bundle.summary for bundle in reversed(self._bundles) if bundle.number < before]
        return found[:limit]
