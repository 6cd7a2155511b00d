"""Where is an activation found again?

Stand-in until the real index arrives: keeps everything in memory.
"""

from rambla.activations.ports import Index, Query
from rambla.domain.activation import Activation


class Activations:
    def __init__(self, index: Index) -> None:
        self._records: dict[str, Activation] = {}

    def remember(self, activation: Activation) -> None:
        self._records[activation.id] = activation

    async def get(self, activation_id: str) -> Activation | None:
        return self._records.get(activation_id)

    async def find(self, query: Query) -> list[Activation]:
        return self._matching(query)[query.skip : query.skip + query.limit]

    async def count(self, query: Query) -> int:
        return len(self._matching(query)[query.skip :])

    def _matching(self, query: Query) -> list[Activation]:
        return sorted(
            (
                one
                for one in self._records.values()
                if one.namespace == query.namespace
                and query.name in (None, one.path)
                and (query.since_ms is None or one.start_ms >= query.since_ms)
                and (query.upto_ms is None or one.start_ms <= query.upto_ms)
            ),
            key=lambda one: (-one.start_ms, one.id),
        )
