"""How are the parts put together?

Opens what the settings name, in the order in which one needs the other, and closes it in the opposite order: the
journal first and last, as everything else leaves its trace there.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio

from rambla.activations.index import Activations
from rambla.activations.ports import Index
from rambla.app.enforcers import open_panel
from rambla.app.folder import FIRST_NAMESPACE, DataFolder
from rambla.app.identity import open_sources
from rambla.app.registry import opener
from rambla.app.settings import Settings
from rambla.audit.ledger import Ledger
from rambla.audit.pending import Pending
from rambla.catalog.cache import CachedEntities
from rambla.dispatch.dispatcher import Dispatcher, DispatchLimits
from rambla.domain.access import HIGHEST_TRUST, Caller
from rambla.domain.entities import Namespace
from rambla.domain.errors import StorageFailed
from rambla.domain.names import SYSTEM_NAMESPACE
from rambla.enforcers.panel import Panel
from rambla.engine.ports import Engine
from rambla.fleet.fleet import Fleet
from rambla.fleet.ports import FleetStore
from rambla.flow.apis import MANAGEMENT
from rambla.flow.feeds import FEEDS
from rambla.flow.platform import Limits, Platform
from rambla.flow.recover import read_back
from rambla.flow.tend import new_namespace
from rambla.gateway.apis import Apis
from rambla.gateway.limiter import Limiter
from rambla.identity.door import Door
from rambla.identity.keys import KeyRing
from rambla.identity.ports import AccountStore, LockStore, NamespaceStore, TokenStore
from rambla.identity.tokens import Tokens
from rambla.kit.clock import Clock, SystemClock
from rambla.kit.ids import IdSource
from rambla.kit.journal import Cursor, Journal, JournalCorrupt, JournalFailed
from rambla.kit.tasks import Tasks
from rambla.objects.ports import ObjectStore
from rambla.policy import defaults
from rambla.policy.holder import Holder
from rambla.policy.policies import InForce, Policies
from rambla.policy.ports import BundleStore
from rambla.schedule.alarms import Alarms

if TYPE_CHECKING:
    from rambla.drivers.swift.embedded import EmbeddedSwift

log = logging.getLogger(__name__)
_MB = 2**20
_QUEUE_MB_MIN = 128
_CATALOG = "catalog.sqlite3"
OPERATOR = Caller(subject="operator", namespace="", source="operator", trust=HIGHEST_TRUST, method="token")
EVENTS = Caller(subject="events", namespace="", source="event-source")


@dataclass(frozen=True, slots=True)
class Stores:
    """What outlives the process. `cursor` is the journal's low-water mark as last saved."""

    journal: Journal
    cursor: Cursor
    entities: CachedEntities
    namespaces: NamespaceStore
    alarms: Alarms
    apis: Apis
    bundles: BundleStore
    accounts: AccountStore
    tokens: TokenStore
    fleet: FleetStore
    locks: LockStore
    index: Index
    catalog: Any


@asynccontextmanager
async def open_stores(settings: Settings, folder: DataFolder) -> AsyncIterator[Stores]:
    """Raises StorageFailed or BadSettings, with nothing left open."""
    async with AsyncExitStack() as stack:
        journal = _open_journal(settings, folder)
        stack.push_async_callback(journal.close)
        _refuse_lost_catalog(settings, folder, journal)
        catalog_url, index_url = _database_urls(settings, folder)
        catalog = await _open("catalog", catalog_url, stack)
        index = await _open("index", index_url, stack)
        yield Stores(
            journal=journal,
            cursor=Cursor(folder.path / "journal.settled"),
            entities=CachedEntities(catalog.entities),
            namespaces=catalog.namespaces,
            alarms=Alarms(catalog.alarms),
            apis=Apis(catalog.apis),
            bundles=catalog.bundles,
            accounts=catalog.accounts,
            tokens=catalog.tokens,
            fleet=catalog.fleet,
            locks=catalog.locks,
            index=index.index,
            catalog=catalog,
        )


async def _open(port: str, url: str, stack: AsyncExitStack) -> Any:
    kind = url.partition(":")[0].partition("+")[0]
    opened = await anyio.to_thread.run_sync(opener(port, kind), url)
    stack.push_async_callback(opened.close)
    return opened


def _open_journal(settings: Settings, folder: DataFolder) -> Journal:
    try:
        # The largest record is an activation with all that its limits allow.
        record_mb = settings.action_logs_mb_max + settings.result_mb_max + 2 * settings.payload_mb_max + 3
        journal = Journal.open(
            folder.journal,
            segment_bytes_max=settings.journal_segment_mb * _MB,
            record_bytes_max=record_mb * _MB,
            queue_bytes_max=max(_QUEUE_MB_MIN, 4 * record_mb) * _MB,
        )
        if journal.recovered:
            log.warning("journal %s: %s", folder.journal, journal.recovered)
        return journal
    except (JournalFailed, JournalCorrupt, OSError) as error:
        raise StorageFailed(detail=f"journal {folder.journal}: {error}") from error


def _database_urls(settings: Settings, folder: DataFolder) -> tuple[str, str]:
    if settings.database_url:
        return settings.database_url, settings.database_url
    return f"sqlite:///{folder.path / _CATALOG}", f"sqlite:///{folder.path / 'index.sqlite3'}"


def _refuse_lost_catalog(settings: Settings, folder: DataFolder, journal: Journal) -> None:
    """Where there are records there was a catalogue; an empty one in its place would hide the loss under new keys."""
    path = folder.path / _CATALOG
    if settings.database_url or not journal.durable_seq or (path.exists() and path.stat().st_size):
        return
    fix = "Fix: restore it from a backup, or begin anew with another --data"
    raise StorageFailed(detail=f"{path} is gone, but the journal has {journal.durable_seq} records. {fix}")


def build_platform(
    settings: Settings,
    folder: DataFolder,
    stores: Stores,
    tasks: Tasks,
    engine: Engine,
    objects: "EmbeddedSwift | None",
) -> Platform:
    """The platform over opened parts, knowing what the last run left open; nothing is settled or served yet."""
    clock: Clock = SystemClock()
    pending = Pending()
    read_back(stores.journal, _settled(stores), pending.track)
    limits = limits_of(settings)
    enforcers = open_panel(settings, clock, tasks)
    door = _open_door(settings, folder, stores, clock, tasks)

    return Platform(
        clock=clock,
        ids=IdSource(clock),
        limits=limits,
        tasks=tasks,
        entities=stores.entities,
        namespaces=stores.namespaces,
        alarms=stores.alarms,
        apis=stores.apis,
        limiter=Limiter(clock),
        door=door,
        accounts=stores.accounts,
        bundles=stores.bundles,
        last_bundle=opener("last_bundle", "file")(folder.path),
        signer=opener("signer", "ed25519")(folder.path),
        fleet=Fleet(stores.fleet, clock, silent_ms=settings.fleet_silent_ms),
        policy=Holder(InForce(Policies(defaults.policy(enforcers=enforcers)))),
        enforcers=enforcers,
        ledger=Ledger(stores.journal, pending),
        activations=Activations(stores.index),
        index=stores.index,
        dispatcher=Dispatcher(engine, clock, tasks, _dispatch_limits(settings)),
        engine=engine,
        objects=objects.store if objects else None,
        health=_health(settings, stores, objects, enforcers, door),
        builtins={**FEEDS, **MANAGEMENT},
    )


def _open_door(settings: Settings, folder: DataFolder, stores: Stores, clock: Clock, tasks: Tasks) -> Door:
    """Raises BadSettings."""
    secrets = {folder.secret("operator.token"): OPERATOR, folder.secret("events.token"): EVENTS}
    keys = KeyRing(stores.namespaces, secrets, clock)
    tokens = Tokens(stores.tokens, stores.accounts, clock)
    sources = open_sources(settings, stores.catalog, clock, tasks)
    return Door(keys, sources, stores.accounts, tokens, stores.locks, clock)


def _settled(stores: Stores) -> int:
    try:
        return stores.cursor.load()
    except JournalCorrupt as error:
        log.warning("%s; the journal is read from its beginning", error)
        return 0


def _health(
    settings: Settings, stores: Stores, objects: "EmbeddedSwift | None", enforcers: Panel, door: Door
) -> Callable[[], Awaitable[dict[str, object]]]:
    async def health() -> dict[str, object]:
        written = stores.journal.durable_seq
        return {
            "journal": {"records": written, "recovered": stores.journal.recovered or "nothing to recover"},
            "index": await _index_health(stores.index, written),
            "object_store": {"kind": settings.object_store, **(await objects.health() if objects else {})},
            **({"enforcers": enforcers.health()} if settings.enforcers else {}),
            **({"identity": door.health()} if settings.identity else {}),
        }

    return health


async def _index_health(index: Index, written: int) -> dict[str, object]:
    try:
        applied = await index.cursor()
    except StorageFailed as error:
        return {"error": str(error)}
    return {"records": applied, "behind": written - applied}


def _dispatch_limits(settings: Settings) -> DispatchLimits:
    return DispatchLimits(
        memory_mb=settings.memory_mb,
        idle_ms=settings.idle_ms,
        queued_max=settings.queued_max,
        queued_bytes_max=settings.queued_mb_max * _MB,
    )


def limits_of(settings: Settings) -> Limits:
    return Limits(
        code_bytes_max=settings.code_mb_max * _MB,
        payload_bytes_max=settings.payload_mb_max * _MB,
        result_bytes_max=settings.result_mb_max * _MB,
        timeout_ms_max=settings.action_timeout_ms_max,
        memory_mb_max=settings.action_memory_mb_max,
        logs_mb_max=settings.action_logs_mb_max,
        invocations_per_minute=settings.invocations_per_minute,
        concurrent_invocations=settings.concurrent_invocations,
        fires_per_minute=settings.fires_per_minute,
        signed_address_ttl_ms=settings.signed_address_ttl_ms,
        session_ms=settings.session_ms,
    )


async def first_namespace(platform: Platform, folder: DataFolder, url: str) -> None:
    """See that there is a namespace to begin with, unless it was deleted, and that its key lies where clients look."""
    guest = await platform.namespaces.get(FIRST_NAMESPACE)
    deleted = await platform.namespaces.was_deleted(FIRST_NAMESPACE)
    if guest is None and not deleted and not await _tenants(platform):
        guest = new_namespace(FIRST_NAMESPACE, platform.clock.now_ms(), platform.limits)
        await platform.namespaces.put(guest)
    if guest is not None:
        folder.write_wskprops(url, guest)
    if platform.objects is not None:
        await _match_accounts(platform.objects, await _tenants(platform))


async def _tenants(platform: Platform) -> list[Namespace]:
    return [namespace for namespace in await platform.namespaces.all() if namespace.name != SYSTEM_NAMESPACE]


async def _match_accounts(objects: ObjectStore, namespaces: list[Namespace]) -> None:
    """Namespaces may have been made, deleted or given new keys while no object store ran."""
    for gone in set(await objects.open_accounts()) - {namespace.name for namespace in namespaces}:
        await objects.close_account(gone)
    for namespace in namespaces:
        await objects.open_account(namespace.name, namespace.uuid, namespace.secret)
