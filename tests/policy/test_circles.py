from hypothesis import given
from hypothesis import strategies as st

from rambla.policy.circles import on_circles

names = st.sampled_from("abcdefg")
graphs = st.dictionaries(names, st.frozensets(names, max_size=3))


def reachable(edges: dict[str, frozenset[str]], start: str) -> set[str]:
    todo, seen = [start], set[str]()
    while todo:
        for other in edges.get(todo.pop(), ()):
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return seen


@given(graphs)
def test_what_is_found_lies_on_a_circle_or_between_two(edges: dict[str, frozenset[str]]) -> None:
    circles = {name for name in edges if name in reachable(edges, name)}
    between = {
        name
        for name in edges
        if circles & reachable(edges, name) and any(name in reachable(edges, circle) for circle in circles)
    }
    assert on_circles(edges) == circles | between


def test_a_long_chain_takes_no_recursion() -> None:
    chain = {str(number): {str(number + 1)} for number in range(100_000)}
    assert on_circles(chain) == frozenset()
    assert len(on_circles({**chain, "100000": {"0"}})) == 100_001
