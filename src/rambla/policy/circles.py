"""Which names lead back to themselves?

Names that lead nowhere are taken away, then those that led only to them, and so on, and the same backwards (Kahn 1962).
What remains lies on circles or between them. In time proportional to the size, without recursion.
"""

from collections.abc import Collection, Mapping

Edges = Mapping[str, Collection[str]]


def on_circles(edges: Edges) -> frozenset[str]:
    """The names that lie on a circle, or on a way from one circle to another. Empty if there is no circle."""
    remaining = _without_ends({name: {other for other in after if other in edges} for name, after in edges.items()})
    return frozenset(_without_ends(_backwards(remaining)))


def _without_ends(edges: dict[str, set[str]]) -> dict[str, set[str]]:
    left = {name: set(after) for name, after in edges.items()}
    before = _backwards(edges)
    ends = [name for name, after in left.items() if not after]
    while ends:
        end = ends.pop()
        del left[end]
        for name in before[end]:
            if name in left:
                left[name].discard(end)
                if not left[name]:
                    ends.append(name)
    return left


def _backwards(edges: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {name: set() for name in edges}
    for name, after in edges.items():
        for other in after:
            found[other].add(name)
    return found
