"""How does a daemon stand beside the bundle in force? Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, get_args

import msgspec

from rambla.fleet.ports import Daemon, Host

State = Literal["current", "behind", "refused", "failed", "silent"]
STATES: tuple[State, ...] = get_args(State)


class Wanted(msgspec.Struct, frozen=True):
    """The bundle that is in force here; who is not heard of for `silent_ms` is silent."""

    number: int
    hash: str
    silent_ms: int


class Entry(msgspec.Struct, frozen=True):
    """A daemon and how it stands."""

    host: str
    by: str
    seen_ms: int
    daemon: Daemon
    state: State


def entries(hosts: Iterable[Host], wanted: Wanted, now_ms: int) -> Iterator[Entry]:
    for host in hosts:
        for daemon in host.daemons:
            silent = now_ms - host.seen_ms > wanted.silent_ms
            yield Entry(host.host, host.by, host.seen_ms, daemon, "silent" if silent else _state(daemon, wanted))


def counts(found: Iterable[Entry]) -> dict[str, int]:
    """How many stand how, also where there are none."""
    return {**dict.fromkeys(STATES, 0), **Counter(entry.state for entry in found)}


def _state(daemon: Daemon, wanted: Wanted) -> State:
    """One that is ahead has heard of a bundle from another node before this one did."""
    if daemon.state != "in-force":
        return daemon.state
    same = daemon.number == wanted.number and (daemon.hash == wanted.hash or not wanted.number)
    return "current" if same or daemon.number > wanted.number else "behind"
