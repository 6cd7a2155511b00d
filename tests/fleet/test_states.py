"""How a daemon stands follows from its last report, the bundle in force, and the time."""

import pytest
from msgspec.structs import replace

from rambla.fleet.ports import Daemon, Host
from rambla.fleet.states import STATES, Wanted, counts, entries

WANTED = Wanted(number=7, hash="h7", silent_ms=60_000)
IN_FORCE = Daemon("api", "keystone", "plugin", 7, "in-force", "h7")
BEFORE = replace(IN_FORCE, number=6, hash="h6")


def state(daemon: Daemon, wanted: Wanted = WANTED, *, after_ms: int = 0) -> str:
    (entry,) = entries([Host("h1", "agent", 1000, (daemon,))], wanted, 1000 + after_ms)
    return entry.state


@pytest.mark.parametrize(
    ("daemon", "expected"),
    [
        (IN_FORCE, "current"),
        (BEFORE, "behind"),
        (replace(IN_FORCE, hash="other"), "behind"),
        (replace(IN_FORCE, number=8, hash="h8"), "current"),
        (replace(BEFORE, state="refused"), "refused"),
        (replace(IN_FORCE, state="failed"), "failed"),
    ],
)
def test_a_daemon_is_as_its_report_says_beside_the_bundle_in_force(daemon: Daemon, expected: str) -> None:
    assert state(daemon) == expected


def test_before_anything_is_published_nobody_is_behind() -> None:
    nothing = Wanted(number=0, hash="of no files", silent_ms=60_000)
    assert state(replace(IN_FORCE, number=0, hash=""), nothing) == "current"


@pytest.mark.parametrize("daemon", [IN_FORCE, BEFORE, replace(IN_FORCE, state="refused")])
def test_who_is_not_heard_of_for_long_is_silent_whatever_they_said(daemon: Daemon) -> None:
    assert state(daemon, after_ms=60_000) != "silent"
    assert state(daemon, after_ms=60_001) == "silent"


def test_every_state_is_counted_also_where_there_is_none() -> None:
    hosts = [Host("h1", "agent", 1000, (IN_FORCE, BEFORE)), Host("h2", "agent", 1000, (IN_FORCE,))]
    found = counts(entries(hosts, WANTED, 1000))
    assert found == {**dict.fromkeys(STATES, 0), "current": 2, "behind": 1}
