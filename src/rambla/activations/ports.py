"""What must an index over the journal be able to do?

The index is derived: it may be thrown away and filled again from the journal. `apply` and the cursor move in one
transaction, so that no record is applied twice or left out, whatever crashes when.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from rambla.domain.activation import Activation


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """`since_ms` and `upto_ms` compare the start, inclusive; `name` is `[package/]name`; newest start first. What
    is not kept counts for usage and matches no query."""

    namespace: str
    name: str | None = None
    since_ms: int | None = None
    upto_ms: int | None = None
    skip: int = 0
    limit: int = 30

    def matches(self, activation: Activation) -> bool:
        """Whether it is one of those asked for, skip and limit aside."""
        return (
            activation.kept
            and activation.namespace == self.namespace
            and (self.name is None or activation.path == self.name)
            and (self.since_ms is None or activation.start_ms >= self.since_ms)
            and (self.upto_ms is None or activation.start_ms <= self.upto_ms)
        )


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One intent and what came of it; `status` is "" while unknown, "refused", "ok" or an error's code."""

    intent_id: str
    at_ms: int
    subject: str
    source: str
    permission: str
    namespace: str
    target: str
    rule: str
    status: str
    activation_id: str | None = None


class UsageRow(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over one hour, that in which the runs began: `gb_ms` is GiB x ms as billed."""

    namespace: str
    action: str
    hour_ms: int
    activations: int
    duration_ms: int
    gb_ms: float


class Batch(msgspec.Struct, kw_only=True):
    """What one read of the journal adds. `outcomes` are (intent id, status)."""

    cursor: int
    activations: list[Activation] = []
    audits: list[AuditEntry] = []
    outcomes: list[tuple[str, str]] = []


class Index(Protocol):
    async def cursor(self) -> int:
        """The sequence number of the first journal record not applied yet; 0 for an empty index."""
        ...

    async def apply(self, batch: Batch) -> None:
        """Add it and set the cursor, in one transaction; StorageFailed: nothing was changed, try again.

        What is there already is kept and counts once: an activation or audit entry by its id. An outcome sets the
        status of its intent, in this batch or an earlier one, if that is "" still: the first stays, and so does
        "refused".
        """
        ...

    async def clear(self) -> None:
        """Forget everything, cursor included."""
        ...

    async def get(self, activation_id: str) -> Activation | None: ...

    async def find(self, query: Query) -> list[Activation]:
        """Summaries (`Activation.summary`), however large the records are; `limit` 0 finds none."""
        ...

    async def whole(self, activation_ids: Sequence[str]) -> list[Activation]:
        """The records of those ids, in that order, without those that are not there: as many from the first on as
        `paging.fitting` lets into one page."""
        ...

    async def count(self, query: Query) -> int:
        """How many match, honouring skip but not limit."""
        ...

    async def audits(self, namespace: str, *, since_ms: int, limit: int) -> list[AuditEntry]:
        """Newest first."""
        ...

    async def usage(self, namespace: str, *, since_ms: int) -> list[UsageRow]:
        """The hours that ended after then, oldest first, then by action. Triggers cost nothing and are not counted."""
        ...
