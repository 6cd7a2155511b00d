import pytest

from rambla.catalog.bounds import check_limits, ranges, ranges_in
from rambla.catalog.tenancy import changed
from rambla.domain.changes import NamespaceChange
from rambla.domain.entities import ActionLimits
from rambla.domain.errors import BadRequest
from rambla.flow.platform import Limits
from rambla.testing.namespace_store import namespace

PLATFORM = ranges(Limits())


def test_what_is_not_given_stays_and_kinds_become_concrete() -> None:
    old = namespace("guest")
    new = changed(old, NamespaceChange(fires_per_minute=0, allowed_kinds=("python:default", "python:3")), PLATFORM)
    assert (new.fires_per_minute, new.allowed_kinds) == (0, ("python:3",))
    assert (new.invocations_per_minute, new.keeps_activations) == (old.invocations_per_minute, True)
    assert changed(new, NamespaceChange(), PLATFORM) == new
    assert changed(new, NamespaceChange(allowed_kinds=()), PLATFORM).may_run("nodejs:20")


@pytest.mark.parametrize(
    "change",
    [
        NamespaceChange(invocations_per_minute=-1),
        NamespaceChange(concurrent_invocations=2**70),
        NamespaceChange(fires_per_minute=-1),
        NamespaceChange(timeout_ms_max=99),
        NamespaceChange(timeout_ms_max=300_001),
        NamespaceChange(memory_mb_max=1024),
        NamespaceChange(logs_mb_max=-1),
        NamespaceChange(allowed_kinds=("perl:5",)),
    ],
)
def test_what_cannot_be_is_refused(change: NamespaceChange) -> None:
    with pytest.raises(BadRequest):
        changed(namespace("guest"), change, PLATFORM)


def test_an_action_may_ask_for_what_both_its_namespace_and_the_platform_allow() -> None:
    small = changed(namespace("guest"), NamespaceChange(memory_mb_max=256, timeout_ms_max=1000), PLATFORM)
    check_limits(ActionLimits(memory_mb=256, timeout_ms=1000), ranges_in(small, Limits()))
    with pytest.raises(BadRequest, match="memory size 257 MB exceeds allowed threshold of 256 MB"):
        check_limits(ActionLimits(memory_mb=257, timeout_ms=1000), ranges_in(small, Limits()))
    check_limits(ActionLimits(memory_mb=200, timeout_ms=1000), ranges_in(small, Limits(memory_mb_max=200)))
    with pytest.raises(BadRequest):  # the platform has less since
        check_limits(ActionLimits(memory_mb=256, timeout_ms=1000), ranges_in(small, Limits(memory_mb_max=200)))
