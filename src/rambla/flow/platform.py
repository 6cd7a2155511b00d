"""What does a sentence of `flow` need?

`Platform` holds the opened ports of one running platform; `Op` is one request. Both are passed by argument: there are
no globals. `app/build.py` makes the platform, the edges make an op for each request.
"""

from dataclasses import dataclass

from rambla.activations.index import Activations
from rambla.audit.ledger import Ledger
from rambla.catalog.ports import EntityStore, NamespaceStore
from rambla.dispatch.dispatcher import Dispatcher
from rambla.domain.access import Caller
from rambla.engine.ports import Engine
from rambla.identity.keys import KeyRing
from rambla.kit.clock import Clock
from rambla.kit.ids import IdSource
from rambla.objects.ports import ObjectStore


@dataclass(frozen=True, slots=True)
class Platform:
    clock: Clock
    ids: IdSource
    entities: EntityStore
    namespaces: NamespaceStore
    keys: KeyRing
    ledger: Ledger
    activations: Activations
    dispatcher: Dispatcher
    engine: Engine
    objects: ObjectStore | None


@dataclass(frozen=True, slots=True)
class Op:
    """One request: its id (OpenWhisk's transaction id) and who makes it."""

    id: str
    caller: Caller
