import pytest

from rambla.catalog.bounds import check_limits, check_sizes, ranges
from rambla.domain.entities import Action, ActionLimits, Exec, Parameter, Rule
from rambla.domain.errors import BadRequest, TooLarge
from rambla.domain.names import FullName
from rambla.flow.platform import Limits

NAME = FullName("guest", "", "a")
MB = 2**20


@pytest.mark.parametrize(
    "limits",
    [
        ActionLimits(),
        ActionLimits(timeout_ms=100, memory_mb=128, logs_mb=0),
        ActionLimits(timeout_ms=300_000, memory_mb=512, logs_mb=10, concurrency=1),
    ],
)
def test_both_ends_of_each_range_are_allowed(limits: ActionLimits) -> None:
    check_limits(limits, ranges(Limits()))


@pytest.mark.parametrize(
    "limits",
    [
        ActionLimits(timeout_ms=99),
        ActionLimits(timeout_ms=300_001),
        ActionLimits(memory_mb=127),
        ActionLimits(memory_mb=513),
        ActionLimits(logs_mb=-1),
        ActionLimits(logs_mb=11),
        ActionLimits(concurrency=0),
        ActionLimits(concurrency=2),
        ActionLimits(timeout_ms=-(2**70)),
    ],
)
def test_what_is_beyond_is_refused(limits: ActionLimits) -> None:
    with pytest.raises(BadRequest):
        check_limits(limits, ranges(Limits()))


def test_each_part_has_its_own_limit_in_bytes() -> None:
    small = Action(name=NAME, exec=Exec(kind="python:3", code="é" * 5))
    check_sizes(small, Limits(code_bytes_max=10))
    with pytest.raises(TooLarge, match=r"exec larger than allowed: 10 > 9 bytes\."):
        check_sizes(small, Limits(code_bytes_max=9))
    with pytest.raises(TooLarge, match="parameters larger than allowed"):
        check_sizes(Action(name=NAME, exec=small.exec, parameters=(Parameter("k", "x" * MB),)), Limits())
    with pytest.raises(TooLarge, match="annotations larger than allowed"):
        check_sizes(Rule(name=NAME, trigger=NAME, action=NAME, annotations={"k": "x" * MB}), Limits())
