"""The index over the journal in dicts. (port: rambla.activations.ports.Index)"""

from collections.abc import Sequence

import msgspec

from rambla.activations.paging import fitting
from rambla.activations.ports import AuditEntry, Batch, Query, UsageRow
from rambla.activations.sums import HOUR_MS, Sums, sums_of
from rambla.domain.activation import Activation


class MemoryIndex:
    def __init__(self) -> None:
        self._cursor = 0
        self._activations: dict[str, Activation] = {}
        self._audits: dict[str, AuditEntry] = {}
        self._usage: dict[tuple[str, str, int], Sums] = {}

    async def cursor(self) -> int:
        return self._cursor

    async def apply(self, batch: Batch) -> None:
        new = {each.id: each for each in batch.activations if each.id not in self._activations}
        self._activations |= new
        for key, sums in sums_of(new.values()).items():
            self._usage[key] = self._usage.get(key, Sums()).plus(sums)
        for entry in batch.audits:
            self._audits.setdefault(entry.intent_id, entry)
        for intent_id, status in batch.outcomes:
            known = self._audits.get(intent_id)
            if known is not None and known.status == "":
                self._audits[intent_id] = msgspec.structs.replace(known, status=status)
        self._cursor = batch.cursor

    async def clear(self) -> None:
        self._activations.clear()
        self._audits.clear()
        self._usage.clear()
        self._cursor = 0

    async def get(self, activation_id: str) -> Activation | None:
        return self._activations.get(activation_id)

    async def find(self, query: Query) -> list[Activation]:
        found = sorted(self._matching(query), key=lambda each: (each.start_ms, each.id), reverse=True)
        return [each.summary() for each in found[query.skip : query.skip + query.limit]]

    async def whole(self, activation_ids: Sequence[str]) -> list[Activation]:
        found = [self._activations[each] for each in activation_ids if each in self._activations]
        return found[: fitting(each.output_bytes for each in found)]

    async def count(self, query: Query) -> int:
        return max(0, len(self._matching(query)) - query.skip)

    async def audits(self, namespace: str, *, since_ms: int, limit: int) -> list[AuditEntry]:
        found = [each for each in self._audits.values() if each.namespace == namespace and each.at_ms >= since_ms]
        return sorted(found, key=lambda each: (each.at_ms, each.intent_id), reverse=True)[:limit]

    async def usage(self, namespace: str, *, since_ms: int) -> list[UsageRow]:
        keys = [key for key in self._usage if key[0] == namespace and key[2] > since_ms - HOUR_MS]
        return [self._usage[key].row(*key) for key in sorted(keys, key=lambda key: (key[2], key[1]))]

    def _matching(self, query: Query) -> list[Activation]:
        return [each for each in self._activations.values() if query.matches(each)]
