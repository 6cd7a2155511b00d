"""Where is an activation found, the moment after it ended and years later?

The newest are in memory until the tailer has put them into the index; a look-up sees both as one, each activation once.
It does not write the journal (`audit.ledger` does) nor read it (`tailer`), and does not decide who may look.
"""

from collections import OrderedDict
from itertools import takewhile

import anyio
import msgspec

from rambla.activations.paging import fitting
from rambla.activations.ports import Batch, Index, Query
from rambla.domain.activation import Activation

RECENT_MAX = 20_000
RECENT_BYTES_MAX = 64 * 1024 * 1024


class Activations:
    """For one event loop. What memory has no room for is found again as soon as the tailer has applied it."""

    def __init__(self, index: Index, *, recent_max: int = RECENT_MAX, recent_bytes_max: int = RECENT_BYTES_MAX) -> None:
        self._index = index
        self._recent: OrderedDict[str, Activation] = OrderedDict()
        self._recent_bytes = 0
        self._recent_max, self._recent_bytes_max = recent_max, recent_bytes_max
        self._applied: OrderedDict[str, None] = OrderedDict()
        self._merging = anyio.Lock()

    def remember(self, activation: Activation) -> None:
        """A new activation is in the journal. It may be told here before or after the tailer has seen it."""
        if not activation.kept or activation.id in self._applied or activation.id in self._recent:
            return
        self._recent[activation.id] = activation
        self._recent_bytes += activation.output_bytes
        while len(self._recent) > self._recent_max or self._recent_bytes > self._recent_bytes_max:
            self._drop(next(iter(self._recent)))

    async def apply(self, batch: Batch) -> None:
        """Put `batch` into the index and drop from memory what the index has now. Raises StorageFailed."""
        async with self._merging:
            await self._index.apply(batch)
            self.applied(batch)

    def applied(self, batch: Batch) -> None:
        """The index has `batch` now."""
        for activation in batch.activations:
            self._drop(activation.id)
            self._applied[activation.id] = None
        while len(self._applied) > self._recent_max:
            self._applied.popitem(last=False)

    async def get(self, namespace: str, activation_id: str) -> Activation | None:
        """The activation of that id if it is `namespace`'s; another's is as good as none. Raises StorageFailed."""
        found = self._recent.get(activation_id) or await self._index.get(activation_id)
        return found if found is not None and found.kept and found.namespace == namespace else None

    async def find(self, query: Query, *, whole: bool = False) -> list[Activation]:
        """Newest start first: summaries, or with `whole` the records, but no more of them than `paging.fitting` lets
        into one page. Raises StorageFailed."""
        async with self._merging:
            recent = self._matching(query)
            # the n newest in memory can push an indexed one at most n places down: begin that much earlier
            skip = max(0, query.skip - len(recent))
            limit = query.skip + query.limit - skip if query.limit else 0
            indexed = await self._index.find(msgspec.structs.replace(query, skip=skip, limit=limit))
        merged = sorted([*recent, *indexed], key=lambda each: (each.start_ms, each.id), reverse=True)
        page = merged[query.skip - skip :][: query.limit]
        return await self._whole(page, recent) if whole else [each.summary() for each in page]

    async def count(self, query: Query) -> int:
        """How many match, honouring skip but not limit. Raises StorageFailed."""
        async with self._merging:
            recent = len(self._matching(query))
            indexed = await self._index.count(msgspec.structs.replace(query, skip=0))
        return max(0, recent + indexed - query.skip)

    async def _whole(self, page: list[Activation], recent: list[Activation]) -> list[Activation]:
        known = {each.id: each for each in recent}
        indexed = await self._index.whole([each.id for each in page if each.id not in known])
        known |= {each.id: each for each in indexed}
        # the index may have left the last out: the page ends before the first of those
        records = [known[each.id] for each in takewhile(lambda each: each.id in known, page)]
        return records[: fitting(each.output_bytes for each in records)]

    def _matching(self, query: Query) -> list[Activation]:
        return [each for each in self._recent.values() if query.matches(each)]

    def _drop(self, activation_id: str) -> None:
        activation = self._recent.pop(activation_id, None)
        if activation is not None:
            self._recent_bytes -= activation.output_bytes
