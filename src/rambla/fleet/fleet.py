"""What was last heard of each host?

A report is kept durably when it tells something new. That a host is there still is remembered, and written down now and
then: who loses it in a crash hears of it again with the next heartbeat.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from rambla.domain.errors import BadRequest
from rambla.fleet.ports import Daemon, FleetStore, Host
from rambla.kit.clock import Clock

HOSTS_MAX = 10_000
DAEMONS_MAX = 100


class Fleet:
    def __init__(self, store: FleetStore, clock: Clock, *, silent_ms: int = 60_000) -> None:
        self.silent_ms = silent_ms
        self._store = store
        self._clock = clock
        self._known: dict[str, Host] = {}
        self._seen_ms: dict[str, int] = {}

    async def is_known(self, host: Host) -> bool:
        """Whether it reported the same before, by the same; that it did so again is remembered."""
        known = self._known.get(host.host) or await self._store.get(host.host)
        if known is None or replace(known, seen_ms=host.seen_ms) != host:
            return False
        self._remember(host)
        self._seen_ms[host.host] = host.seen_ms
        return True

    async def put(self, host: Host) -> None:
        """Raises HostTaken or FleetFull."""
        await self._store.put(host, hosts_max=HOSTS_MAX)
        self._remember(host)

    async def forget(self, host: str) -> bool:
        """Whether it was known."""
        self._drop(host)
        return await self._store.delete(host)

    async def hosts(self) -> list[Host]:
        """All, by name, as last heard of here or at another node."""
        found = await self._store.all()
        return [replace(host, seen_ms=max(host.seen_ms, self._seen_ms.get(host.host, 0))) for host in found]

    async def save_seen(self) -> None:
        """What was only remembered so far, for other nodes and the next start."""
        seen_ms = self._seen_ms.copy()
        if seen_ms:
            for host in await self._store.see(seen_ms):
                self._drop(host)  # another node was told to forget it; if it is there, its next report is news
        for host, at_ms in seen_ms.items():
            if self._seen_ms.get(host) == at_ms:
                del self._seen_ms[host]

    def report(self, host: str, by: str, daemons: Sequence[Daemon]) -> Host:
        """Raises BadRequest if a daemon is in it twice."""
        if len({daemon.daemon for daemon in daemons}) < len(daemons):
            raise BadRequest(detail="A daemon is in the report twice.")
        return Host(host, by, self._clock.now_ms(), tuple(daemons))

    def _remember(self, host: Host) -> None:
        if host.host in self._known or len(self._known) < HOSTS_MAX:
            self._known[host.host] = host

    def _drop(self, host: str) -> None:
        self._known.pop(host, None)
        self._seen_ms.pop(host, None)
