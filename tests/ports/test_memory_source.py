"""A source of identities in memory keeps the port's promises."""

import pytest

from rambla.domain.errors import BadCredentials
from rambla.domain.proofs import Password
from rambla.drivers.memory.source import MemorySource, Person
from rambla.testing.identity_source import SourceSuite, prove

WORD = "geheimes-wort"


class MemoryStage:
    user = "ada"
    proofs = (Password(user="ada", password=WORD),)
    wrong = (Password(user="ada", password="another-word"), Password(user="nobody", password=WORD))
    secrets = (WORD, "another-word")

    def __init__(self) -> None:
        bob = Person(password=WORD, code="123456", groups=("ops",), attributes={"mail": ("bob@example.org",)})
        self.source = MemorySource("named", {"ada": Person(password=WORD), "bob": bob})

    async def stop(self) -> None:
        self.source.stop()

    async def go_on(self) -> None:
        self.source.go_on()

    async def kill(self) -> None:
        self.source.away = True

    async def start(self) -> None:
        self.source.away = False


@pytest.fixture
def stage() -> MemoryStage:
    return MemoryStage()


class TestMemorySource(SourceSuite):
    pass


async def test_a_second_factor_is_asked_for_and_groups_are_told(stage: MemoryStage) -> None:
    bob = Password(user="bob", password=WORD, code="123456")
    found = await prove(stage, bob)
    assert (found.groups, found.attributes) == (("ops",), {"mail": ("bob@example.org",)})
    with pytest.raises(BadCredentials):
        await prove(stage, Password(user="bob", password=WORD))
