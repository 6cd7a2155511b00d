"""What does a sentence of `flow` need?

`Platform` holds the opened ports of one running platform; `Op` is one request. Both are passed by argument: there are
no globals. `app/build.py` makes the platform, the edges make an op for each request.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio

from rambla.activations.index import Activations
from rambla.activations.ports import Index
from rambla.audit.ledger import Ledger
from rambla.catalog.cache import CachedEntities
from rambla.dispatch.dispatcher import Dispatcher
from rambla.domain.access import Caller
from rambla.enforcers.panel import Panel
from rambla.engine.ports import Engine
from rambla.fleet.fleet import Fleet
from rambla.gateway.apis import Apis
from rambla.gateway.limiter import Limiter
from rambla.identity.door import Door
from rambla.identity.keys import KeyRing
from rambla.identity.ports import AccountStore, NamespaceStore
from rambla.kit.bell import Bell
from rambla.kit.clock import Clock
from rambla.kit.ids import IdSource
from rambla.kit.tasks import Tasks
from rambla.objects.ports import ObjectStore
from rambla.policy.freshness import Freshness
from rambla.policy.holder import Holder
from rambla.policy.ports import BundleStore, LastBundle, Signer
from rambla.policy.tally import Tally
from rambla.schedule.alarms import Alarms


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may ask for, and what a new namespace gets; `settings.Settings` has the same names."""

    code_bytes_max: int = 48 * 2**20
    payload_bytes_max: int = 2**20
    result_bytes_max: int = 2**20
    timeout_ms_max: int = 300_000
    memory_mb_max: int = 512
    logs_mb_max: int = 10
    invocations_per_minute: int = 600_000
    concurrent_invocations: int = 10_000
    fires_per_minute: int = 600_000
    signed_address_ttl_ms: int = 60_000
    session_ms: int = 28_800_000


@dataclass(frozen=True, slots=True)
class Platform:
    """`health` describes parts that are no port (journal, tailer, children), for `status`. `builtins` are the actions
    that the platform does itself, by the code that names each. `api_host` is what actions are told of our address.

    `tending` is held while a namespace changes. `news` rings when another bundle is in force.
    """

    clock: Clock
    ids: IdSource
    limits: Limits
    tasks: Tasks
    entities: CachedEntities
    namespaces: NamespaceStore
    alarms: Alarms
    apis: Apis
    limiter: Limiter
    door: Door
    accounts: AccountStore
    policy: Holder
    bundles: BundleStore
    last_bundle: LastBundle
    signer: Signer
    fleet: Fleet
    enforcers: Panel
    ledger: Ledger
    activations: Activations
    index: Index
    dispatcher: Dispatcher
    engine: Engine
    objects: ObjectStore | None
    health: Callable[[], Awaitable[dict[str, object]]]
    api_host: str = ""
    builtins: "Mapping[str, Builtin]" = field(default_factory=dict)
    tending: anyio.Lock = field(default_factory=anyio.Lock)
    news: Bell = field(default_factory=Bell)
    freshness: Freshness = field(default_factory=Freshness)
    tally: Tally = field(default_factory=Tally)

    @property
    def keys(self) -> KeyRing:
        return self.door.keys


@dataclass(frozen=True, slots=True)
class Op:
    """One request: its id (OpenWhisk's transaction id) and who makes it."""

    id: str
    caller: Caller


Builtin = Callable[[Platform, Op, dict[str, Any]], Awaitable[dict[str, Any]]]
"""An action that the platform does itself: arguments in, result out, by whom the op says. A RamblaError that is the
caller's fault becomes the action's error."""
