"""An enforcer that says yes to what it was told. (port: rambla.enforcers.ports.Enforcer)"""

from collections.abc import Hashable, Iterable

import anyio

from rambla.domain.access import Question
from rambla.domain.errors import EnforcerAway
from rambla.enforcers.words import word


class MemoryEnforcer:
    """Says yes to these callers; with an argument, to `CALLER argument`. `stop` makes it hang, `away` is as if it were
    not there. `asked` are all that it was asked about."""

    def __init__(self, name: str, yes: Iterable[str] = ()) -> None:
        self.name = name
        self.yes = set(yes)
        self.asked: list[Hashable] = []
        self.away = False
        self._goes = anyio.Event()
        self._goes.set()

    def stop(self) -> None:
        self._goes = anyio.Event()

    def go_on(self) -> None:
        self._goes.set()

    def wording(self, question: Question, argument: str) -> Hashable:
        return " ".join([word(self.name, question, argument, "subject"), *([argument] if argument else [])])

    async def says_yes(self, wording: Hashable) -> bool:
        self.asked.append(wording)
        await self._goes.wait()
        if self.away:
            raise EnforcerAway(enforcer=self.name, detail="it is not there")
        return wording in self.yes

    async def close(self) -> None:
        pass
