"""Terms, callers and targets for property tests: few names and values, so that they meet."""

from typing import Any

from hypothesis import strategies as st

from rambla.policy.terms import (
    SCOPES,
    All,
    Ask,
    Attribute,
    Broken,
    Constant,
    Contains,
    Either,
    Equal,
    InScope,
    Matches,
    Not,
    Order,
    Present,
    Reference,
    Role,
    Rules,
)

KEYS = ("project", "owner", "user.id", "level", "groups")
RULES = ("a", "b", "c", "undefined")
values = st.sampled_from(["p1", "p2", None, 0, 1, 2, 2.5, True, float("nan"), ["p1", 2], {"id": "p1"}, "None", ""])
keys = st.sampled_from(KEYS)

attributes = st.builds(Attribute, st.sampled_from(["caller", "target"]), keys.map(lambda key: tuple(key.split("."))))
scalars = st.sampled_from(["p1", "p2", 1, 2.5, True])
operands = attributes | scalars
kinds = st.sampled_from([*KEYS, "user", "user.id.x", "groups.id", "'p1'", "None", "True", "is", "1"])
matches = st.sampled_from(
    [*(f"%({key})s" for key in KEYS), "%(absent)s", "p1", "None", "100%", "%(project)s-%(owner)s"]
)

checks = (
    st.builds(Role, st.sampled_from(["admin", "Member", "%(project)s", "%(absent)s"]))
    | st.builds(InScope, st.sampled_from(SCOPES))
    | st.builds(Matches, kinds, matches)
)
comparisons = (
    st.builds(Equal, operands, operands)
    | st.builds(Order, attributes, st.sampled_from(["<", "<=", ">", ">="]), st.sampled_from([0, 1, 2, 2.5]))
    | st.builds(Contains, attributes, operands)
    | st.builds(Present, attributes, st.sampled_from(["any", "scalar", "number", "list"]))
)
leaves = (
    checks
    | comparisons
    | st.builds(Constant, st.booleans())
    | st.builds(Reference, st.sampled_from(RULES))
    | st.builds(Ask, st.sampled_from(["http://yes", "http://no", "http://%(absent)s", "http://fails"]))
    | st.just(Broken("it is"))
)


def _branches(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, max_size=4).map(tuple)
    return st.builds(Not, inner) | st.builds(All, several) | st.builds(Either, several)


terms = st.recursive(leaves, _branches, max_leaves=12)
rules = st.builds(Rules, st.dictionaries(st.sampled_from(RULES[:3]), terms), st.sampled_from(["", "a"]))
mappings = st.dictionaries(keys | st.just("user"), values, max_size=6)
roles = st.lists(st.sampled_from(["admin", "MEMBER", "p1", "reader"]), max_size=3) | st.sampled_from([None, 7, [None]])
scopes = st.sampled_from([{}, {"domain_id": "d"}, {"system_scope": "all"}, {"system": True}])


@st.composite
def callers(draw: st.DrawFn) -> dict[str, Any]:
    held = {} if draw(st.booleans()) else {"roles": draw(roles)}
    return {**draw(mappings), **draw(scopes), **held}
