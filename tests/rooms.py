"""A whole platform for tests: real rooms over a real journal, with stores and engine in memory and a clock by hand."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from rambla.activations.index import Activations
from rambla.activations.tailer import follow
from rambla.audit.ledger import Ledger
from rambla.audit.pending import Pending
from rambla.catalog.cache import CachedEntities
from rambla.dispatch.dispatcher import Dispatcher, DispatchLimits
from rambla.domain.access import Caller
from rambla.domain.records import Intent, Outcome, Record, decode_record
from rambla.drivers.ed25519.signer import FileSigner
from rambla.drivers.files.last_bundle import FileLastBundle
from rambla.drivers.memory.alarms import MemoryAlarmStore
from rambla.drivers.memory.apis import MemoryApiStore
from rambla.drivers.memory.bundles import MemoryBundleStore
from rambla.drivers.memory.catalog import MemoryEntityStore, MemoryNamespaceStore
from rambla.drivers.memory.engine import Crash, MemoryEngine, say
from rambla.drivers.memory.fleet import MemoryFleetStore
from rambla.drivers.memory.identity import MemoryAccountStore, MemoryLockStore, MemoryTokenStore
from rambla.drivers.memory.index import MemoryIndex
from rambla.enforcers.asking import Asking
from rambla.enforcers.panel import Panel
from rambla.engine.ports import Run
from rambla.fleet.fleet import Fleet
from rambla.flow.apis import MANAGEMENT
from rambla.flow.feeds import FEEDS
from rambla.flow.identify import Shown, caller
from rambla.flow.platform import Limits, Op, Platform
from rambla.flow.recover import read_back
from rambla.flow.tend import new_namespace
from rambla.gateway.apis import Apis
from rambla.gateway.limiter import Limiter
from rambla.identity.asking import Asking as SourceAsking
from rambla.identity.door import Door
from rambla.identity.keys import KeyRing
from rambla.identity.tokens import Tokens
from rambla.kit.clock import Clock, ManualClock
from rambla.kit.ids import IdSource
from rambla.kit.journal import Journal
from rambla.kit.tasks import Tasks
from rambla.objects.ports import ObjectStore
from rambla.policy import defaults
from rambla.policy.holder import Holder
from rambla.policy.policies import InForce, Policies
from rambla.schedule.alarms import Alarms

OPERATOR_TOKEN = "operator-token"
EVENTS_TOKEN = "events-token"
GUEST, OTHER = "guest", "other"


async def echo(arguments: dict[str, Any], run: Run) -> Any:
    say(f"ran {run.activation_id}")
    return arguments


async def fail(arguments: dict[str, Any], run: Run) -> Any:
    return {"error": "no luck"}


async def crash(arguments: dict[str, Any], run: Run) -> Any:
    raise Crash


async def listed(arguments: dict[str, Any], run: Run) -> Any:
    return sorted(arguments)


async def sleep(arguments: dict[str, Any], run: Run) -> Any:
    await anyio.sleep(3600)


async def answer(arguments: dict[str, Any], run: Run) -> Any:
    """Whatever the action's parameter `answer` says."""
    return arguments["answer"]


FUNCTIONS = {"echo": echo, "fail": fail, "crash": crash, "listed": listed, "sleep": sleep, "answer": answer}
"""What an action does whose code is that word."""


class World:
    """What outlives a platform: its folder, the stores, the time, and from where a restart reads the journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.entities, self.index = MemoryEntityStore(), MemoryIndex()
        self.namespaces = MemoryNamespaceStore(self.entities)
        self.alarms = MemoryAlarmStore()
        self.apis = MemoryApiStore()
        self.bundles = MemoryBundleStore()
        self.fleet = MemoryFleetStore()
        self.accounts, self.tokens, self.locks = MemoryAccountStore(), MemoryTokenStore(), MemoryLockStore()
        self.settled = 0

    def journal(self) -> tuple[Journal, Ledger]:
        journal, pending = Journal.open(self.folder / "journal"), Pending()
        read_back(journal, self.settled, pending.track)
        return journal, Ledger(journal, pending)

    def door(self, sources: list[SourceAsking]) -> Door:
        tokens = Tokens(self.tokens, self.accounts, self.clock)
        keys = KeyRing(self.namespaces, TOKENS, self.clock)
        return Door(keys, sources, self.accounts, tokens, self.locks, self.clock)


@dataclass(frozen=True, slots=True)
class Rooms:
    platform: Platform
    journal: Journal
    world: World
    engine: MemoryEngine

    async def records(self) -> list[Record]:
        """All that was written so far, in order."""
        await self.journal.sync()
        return [decode_record(payload) for _, payload in self.journal.read(0, records_max=10_000, bytes_max=2**24)]

    async def intents(self) -> list[Intent]:
        return [record for record in await self.records() if isinstance(record, Intent)]

    async def outcomes(self) -> dict[str, Outcome]:
        """By the id of their intent, each of which has one at most."""
        found = [record for record in await self.records() if isinstance(record, Outcome)]
        assert len({outcome.intent_id for outcome in found}) == len(found)
        return {outcome.intent_id: outcome for outcome in found}


def nobody(clock: Clock, tasks: Tasks) -> Panel:
    """Nobody outside may be asked."""

    def no_origin(origin: str) -> Asking:
        raise AssertionError(f"nobody asks {origin}")

    return Panel({}, no_origin)


@asynccontextmanager
async def open_rooms(
    world: Path | World,
    *,
    limits: Limits | None = None,
    objects: ObjectStore | None = None,
    engine: MemoryEngine | None = None,
    enforcers: Callable[[Clock, Tasks], Panel] = nobody,
    sources: Callable[[Clock, Tasks], list[SourceAsking]] = lambda clock, tasks: [],
) -> AsyncIterator[Rooms]:
    """Namespaces `guest` and `other` exist. A world that had rooms before is as a killed platform left it: read back,
    and not settled. On leaving, what runs is broken off."""
    world = world if isinstance(world, World) else World(world)
    clock, index, namespaces = world.clock, world.index, world.namespaces
    limits, engine = limits or Limits(), engine or MemoryEngine(FUNCTIONS, clock)
    journal, ledger = world.journal()
    async with Tasks() as tasks:
        platform = Platform(
            clock=clock,
            ids=IdSource(clock),
            limits=limits,
            tasks=tasks,
            entities=CachedEntities(world.entities),
            namespaces=namespaces,
            alarms=Alarms(world.alarms),
            apis=Apis(world.apis),
            limiter=Limiter(clock),
            door=world.door(sources(clock, tasks)),
            accounts=world.accounts,
            policy=Holder(InForce(Policies(defaults.policy()))),
            bundles=world.bundles,
            last_bundle=FileLastBundle(world.folder),
            signer=FileSigner(world.folder),
            fleet=Fleet(world.fleet, clock),
            enforcers=enforcers(clock, tasks),
            ledger=ledger,
            activations=Activations(index),
            index=index,
            dispatcher=Dispatcher(engine, clock, tasks, DispatchLimits()),
            engine=engine,
            objects=objects,
            health=no_health,
            builtins={**FEEDS, **MANAGEMENT},
        )
        for name in (GUEST, OTHER) if not await namespaces.all() else ():
            await namespaces.put(new_namespace(name, clock.now_ms(), limits))
        tasks.start("tailer", follow, journal, index, platform.activations)
        yield Rooms(platform, journal, world, engine)
        tasks.stop()
    world.settled = platform.ledger.low_water()
    await journal.close()


TOKENS = {
    OPERATOR_TOKEN: Caller(subject="operator", namespace="", source="operator"),
    EVENTS_TOKEN: Caller(subject="events", namespace="", source="event-source"),
}


def let_in(platform: Platform, more: Mapping[str, Caller]) -> None:
    """These tokens are good from now on, besides those that always are."""
    keys = KeyRing(platform.namespaces, {**TOKENS, **more}, platform.clock)
    door = Door(keys, (), platform.accounts, platform.door.tokens, MemoryLockStore(), platform.clock)
    object.__setattr__(platform, "door", door)


async def who(platform: Platform, authorization: str | None) -> Caller:
    """Whom that header proves."""
    return await caller(platform, Shown((authorization or "").encode()), "")


async def no_health() -> dict[str, object]:
    return {}


def op_of(platform: Platform, namespace: str = GUEST) -> Op:
    return Op(platform.ids.next(), Caller(subject=namespace, namespace=namespace, source="key"))
