"""How much was used: what do activations add to each hour's sums?

Pure. Used by every index, so that all of them bill alike: an activation counts in the hour in which it started, for
the namespace it ran in; a trigger's activation costs nothing.
"""

from collections.abc import Iterable
from typing import NamedTuple

from rambla.activations.ports import UsageRow
from rambla.domain.activation import Activation

HOUR_MS = 3_600_000
_MB_PER_GB = 1024


class Sums(NamedTuple):
    activations: int = 0
    duration_ms: int = 0
    mb_ms: int = 0

    def plus(self, other: "Sums") -> "Sums":
        return Sums(*map(sum, zip(self, other, strict=True)))

    def row(self, namespace: str, action: str, hour_ms: int) -> UsageRow:
        return UsageRow(
            namespace=namespace,
            action=action,
            hour_ms=hour_ms,
            activations=self.activations,
            duration_ms=self.duration_ms,
            gb_ms=self.mb_ms / _MB_PER_GB,
        )


def sums_of(activations: Iterable[Activation]) -> dict[tuple[str, str, int], Sums]:
    """Sums by (namespace, `[package/]action`, start of the hour in ms)."""
    sums: dict[tuple[str, str, int], Sums] = {}
    for each in activations:
        if not each.is_trigger:
            key = (each.namespace, each.path, each.start_ms - each.start_ms % HOUR_MS)
            one = Sums(1, each.duration_ms, each.billed_mb_ms)
            sums[key] = sums.get(key, Sums()).plus(one)
    return sums
