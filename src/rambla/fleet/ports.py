"""What does a host report, and where is it kept?"""

from collections.abc import Mapping
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,252}"
Name = Annotated[str, Meta(pattern=f"^{NAME_PATTERN}$")]
Mode = Literal["files", "plugin", "ask"]


class Daemon(msgspec.Struct, frozen=True):
    """A daemon as the agent of its host knows it: bundle `number` with that `hash` is in force for it, or was refused
    by its own validator, or something failed, which `detail` tells. `mode` says how the policy gets to it."""

    daemon: Name
    service: Name
    mode: Mode
    number: Annotated[int, Meta(ge=0, le=10**18)]
    state: Literal["in-force", "refused", "failed"]
    hash: Annotated[str, Meta(max_length=64)] = ""
    detail: Annotated[str, Meta(max_length=2000)] = ""


class Host(msgspec.Struct, frozen=True):
    """The last report of a host, and `by` whom; `seen_ms` is when it was last heard of."""

    host: str
    by: str
    seen_ms: int
    daemons: tuple[Daemon, ...] = ()


class FleetStore(Protocol):
    """The last report of each host. Every method may raise StorageFailed."""

    async def get(self, host: str) -> Host | None: ...

    async def put(self, host: Host, *, hosts_max: int) -> None:
        """Keep it in place of the one before: durable on return, and found by every node from then on.

        Raises HostTaken if the one before is by somebody else, FleetFull if there are `hosts_max` others already.
        """
        ...

    async def see(self, seen_ms: Mapping[str, int]) -> set[str]:
        """These hosts were heard of at these times; a later one that is kept stays. Gives those that are not there."""
        ...

    async def delete(self, host: str) -> bool:
        """Whether it was there."""
        ...

    async def all(self) -> list[Host]:
        """By name."""
        ...
