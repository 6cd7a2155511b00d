"""A source of identities that knows whom it was told, for tests. (port: rambla.identity.ports.Source)"""

from collections.abc import Mapping

import anyio
import msgspec

from rambla.domain.errors import BadCredentials, SourceAway
from rambla.domain.proofs import Password, Proof
from rambla.identity.ports import Account


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """`code` is that of their second factor, "" if they have none."""

    password: str
    code: str = ""
    groups: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = {}


class MemorySource:
    """`people` may be changed at any time. `stop` makes it hang, `away` is as if it were not there. `asked` are all
    whose passwords came."""

    def __init__(self, name: str, people: Mapping[str, Person]) -> None:
        self.name = name
        self.people = dict(people)
        self.asked: list[str] = []
        self.away = False
        self._goes = anyio.Event()
        self._goes.set()

    def stop(self) -> None:
        self._goes = anyio.Event()

    def go_on(self) -> None:
        self._goes.set()

    def takes(self, proof: Proof) -> bool:
        return isinstance(proof, Password) and not proof.domain and not proof.project

    async def prove(self, proof: Proof) -> Account:
        if not isinstance(proof, Password):
            raise BadCredentials()
        self.asked.append(proof.user)
        await self._goes.wait()
        if self.away:
            raise SourceAway(source=self.name, detail="it is not there")
        person = self.people.get(proof.user)
        if person is None or (person.password, person.code) != (proof.password, proof.code):
            raise BadCredentials()
        return Account(user=proof.user, method="password", groups=person.groups, attributes=person.attributes)

    async def close(self) -> None:
        pass
