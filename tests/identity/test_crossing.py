"""What proves somebody to one source proves nobody to another, whichever way it is shown.

All of them at one door, with real servers: a directory, a RADIUS server, Keystone, two OpenID providers, two
authorities of certificates, and people of the platform's own. Where they can, all know somebody of the same name.
"""

import base64
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import anyio
import pytest

from authority import Authority
from keystone_cloud import Keystone
from outside_keystone import KeystoneStage, People
from outside_ldap import Directory, PeopleStage
from outside_oidc import OidcStage
from outside_radius import Radius, RadiusStage
from rambla.domain.access import Caller
from rambla.domain.errors import BadCredentials, NotAuthenticated, TooManyAttempts
from rambla.domain.proofs import ApplicationCredential, Certificate, KeystoneToken, Password, Proof, Shown, Token
from rambla.drivers.local.source import open_source as open_local
from rambla.drivers.memory.catalog import MemoryEntityStore, MemoryNamespaceStore
from rambla.drivers.memory.identity import MemoryAccountStore, MemoryLockStore, MemoryTokenStore, MemoryUserStore
from rambla.drivers.x509.source import open_source as open_certificates
from rambla.identity.asking import Asking, Terms
from rambla.identity.door import Door
from rambla.identity.keys import KeyRing
from rambla.identity.mapping import Translation
from rambla.identity.ports import Source
from rambla.identity.tokens import Tokens
from rambla.kit.clock import SystemClock
from rambla.kit.tasks import Tasks
from rambla.testing.namespace_store import namespace

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]
LOCAL_WORD, DIRECTORY_WORD = "words of somebody local", "words-of-the-directory"
TERMS = Terms(attempts_max=1000, timeout_ms=20_000)


class Guest(NamedTuple):
    """Somebody whom `source` knows, by any of these."""

    source: str
    proofs: Sequence[Proof]


class House:
    """`sources` by name, and whoever each of them knows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = SystemClock()
        self.sources: dict[str, Source] = {}
        self.guests: list[Guest] = []
        self.servers: list[Any] = []

    def add(self, name: str, source: Source, *proofs: Proof) -> None:
        self.sources[name] = source
        self.guests.append(Guest(name, proofs))

    async def fill(self, people: People) -> None:
        directory, radius = Directory(self._room("ldap")), Radius(self._room("radius"))
        self.servers = [directory, radius]
        for server in self.servers:
            await server.start()
        entry = ("dn: uid=alice,ou=people,dc=example,dc=org", "changetype: modify", "replace: userPassword")
        directory.change(*entry, f"userPassword: {DIRECTORY_WORD}")  # else it is that of the other server
        self.add("ldap", PeopleStage(directory).source, Password(user="alice", password=DIRECTORY_WORD))
        asked = RadiusStage(radius)
        self.add("radius", asked.source, *asked.proofs)
        cloud = KeystoneStage(people, self._room("keystone"))
        self.add("keystone", cloud.source, *cloud.proofs)
        await self._add_providers()
        self._add_certificates()
        local = open_local(
            "local",
            {"key_file": str(self.folder / "key"), "memory_kib": 64, "passes": 1, "lanes": 1},
            SimpleNamespace(users=MemoryUserStore()),
            self.clock,
        )
        await local.create("alice", LOCAL_WORD, (), None)
        self.add("local", local, Password(user="alice", password=LOCAL_WORD))

    async def _add_providers(self) -> None:
        for name in ("oidc-a", "oidc-b"):
            stage = OidcStage(self._room(name))
            await stage.start()
            self.servers.append(stage)
            source = stage.open(self.clock, fetch_ms=20_000)
            self.add(name, source, Token(token=stage.key.sign(stage.claims(sub="alice"))))

    def _add_certificates(self) -> None:
        for name in ("certificate-a", "certificate-b"):
            authority, room = Authority(name), self._room(name)
            (room / "ca.pem").write_bytes(authority.pem)
            source = open_certificates(name, {"ca_file": str(room / "ca.pem")}, None, self.clock)
            self.add(name, source, Certificate(der=authority.certify(("CN", "alice")).der))

    def _room(self, name: str) -> Path:
        room = self.folder / name
        room.mkdir()
        return room

    async def close(self) -> None:
        for source in self.sources.values():
            await source.close()
        for server in self.servers:
            await server.kill()


@pytest.fixture
async def house(keystone: Keystone, tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path)
    try:
        await house.fill(People(keystone))
        yield house
    finally:
        await house.close()


async def known(source: Source, proof: Proof) -> str:
    """ "" for nobody."""
    if not source.takes(proof):
        return ""
    try:
        with anyio.fail_after(60):
            return (await source.prove(proof)).user
    except BadCredentials:
        return ""


async def test_each_proof_proves_somebody_to_its_own_source_and_nobody_to_any_other(house: House) -> None:
    own, crossed = [], []
    for guest in house.guests:
        for proof in guest.proofs:
            for name, source in house.sources.items():
                user = await known(source, proof)
                if name == guest.source:
                    own.append(user)
                elif user:
                    crossed.append((type(proof).__name__, guest.source, name, user))
    assert crossed == []
    assert all(own)


def texts_of(proof: Proof) -> Iterator[str]:
    """What is secret in it, as text."""
    match proof:
        case Password(password=text) | Token(token=text) | KeystoneToken(token=text):
            yield text
        case ApplicationCredential(id=id_, secret=secret):
            yield from (id_, secret)
        case Certificate(der=der):
            yield base64.b64encode(der).decode()


def ways(house: House, text: str) -> Iterator[tuple[str, Shown]]:
    """Every place of a request in which a secret could stand, with the names that all know."""
    yield "bearer", Shown(f"Bearer {text}".encode())
    yield "x-auth-token", Shown(b"", text.encode())
    yield "certificate", Shown(b"", b"", text.encode())
    for name in house.sources:
        yield f"basic {name}", Shown(b"Basic " + base64.b64encode(f"{name}/alice:{text}".encode()))
    yield "basic", Shown(b"Basic " + base64.b64encode(f"alice:{text}".encode()))
    yield "basic key", Shown(b"Basic " + base64.b64encode(f"uuid-of-guest:{text}".encode()))


async def no_projects(proven: object, project: object) -> None:
    return None


async def test_at_the_door_a_secret_opens_what_is_its_own_in_its_own_place(house: House) -> None:
    namespaces, accounts = MemoryNamespaceStore(MemoryEntityStore()), MemoryAccountStore()
    await namespaces.put(namespace("guest"))
    keys = KeyRing(namespaces, {"operators-token": Caller("operator", "", "operator")}, house.clock)
    tokens = Tokens(MemoryTokenStore(), accounts, house.clock)
    async with Tasks() as tasks:
        asked = [
            Asking(name, source, TERMS, Translation(), house.clock, tasks) for name, source in house.sources.items()
        ]
        door = Door(keys, asked, accounts, tokens, MemoryLockStore(), house.clock)
        opened: dict[str, set[str]] = {}
        for guest in house.guests:
            for text in (each for proof in guest.proofs for each in texts_of(proof)):
                for way, shown in ways(house, text):
                    try:
                        caller = (await door.identify(shown, no_projects)).caller
                    except (NotAuthenticated, TooManyAttempts):
                        continue
                    opened.setdefault(guest.source, set()).add(f"{way}: {caller.source}")
        tasks.stop()
    passwords = {name: {f"basic {name}: {name}", f"basic: {name}"} for name in ("ldap", "radius", "local")}
    bearers = {name: {f"bearer: {name}"} for name in ("oidc-a", "oidc-b")}
    assert opened == {**passwords, **bearers, "keystone": {"x-auth-token: keystone"}}
