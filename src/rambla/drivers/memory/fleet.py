"""Reports of hosts in a dict. (port: rambla.fleet.ports.FleetStore)"""

from collections.abc import Mapping

from msgspec.structs import replace

from rambla.domain.errors import FleetFull, HostTaken
from rambla.fleet.ports import Host


class MemoryFleetStore:
    def __init__(self) -> None:
        self._hosts: dict[str, Host] = {}

    async def get(self, host: str) -> Host | None:
        return self._hosts.get(host)

    async def put(self, host: Host, *, hosts_max: int) -> None:
        before = self._hosts.get(host.host)
        if before is None and len(self._hosts) >= hosts_max:
            raise FleetFull(hosts_max=hosts_max)
        if before is not None and before.by != host.by:
            raise HostTaken(host=host.host, by=before.by)
        self._hosts[host.host] = host

    async def see(self, seen_ms: Mapping[str, int]) -> set[str]:
        for name, at_ms in seen_ms.items():
            if name in self._hosts:
                host = self._hosts[name]
                self._hosts[name] = replace(host, seen_ms=max(host.seen_ms, at_ms))
        return seen_ms.keys() - self._hosts.keys()

    async def delete(self, host: str) -> bool:
        return self._hosts.pop(host, None) is not None

    async def all(self) -> list[Host]:
        return [self._hosts[name] for name in sorted(self._hosts)]
