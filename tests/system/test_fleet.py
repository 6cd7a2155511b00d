"""Twenty hosts, one platform. `make fleet` does the same with two hundred."""

from collections.abc import Iterator

import pytest

from fleet.fleet import Fleet, running_fleet
from fleet.story import CHAPTERS

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with running_fleet(tmp_path_factory.mktemp("fleet"), 20) as fleet:
        yield fleet


def silently(line: str) -> None:
    """How long it took is for people who ask."""


def test_a_policy_comes_to_every_host_whatever_is_cut_off_or_killed(fleet: Fleet) -> None:
    for chapter in CHAPTERS:
        chapter(fleet, silently)
