"""Every enforcer keeps the port's promises."""

import pytest

from rambla.drivers.memory.enforcer import MemoryEnforcer
from rambla.testing.enforcer import EnforcerSuite


class MemoryStage:
    secret = "nobody has one"
    argument = "ops"

    def __init__(self) -> None:
        self.enforcer = MemoryEnforcer("named", ["alice ops"])

    async def stop(self) -> None:
        self.enforcer.stop()

    async def go_on(self) -> None:
        self.enforcer.go_on()

    async def kill(self) -> None:
        self.enforcer.away = True

    async def start(self) -> None:
        self.enforcer.away = False


class TestMemoryEnforcer(EnforcerSuite):
    @pytest.fixture
    def stage(self) -> MemoryStage:
        return MemoryStage()
