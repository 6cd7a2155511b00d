"""What layers can do to each other, for any layers."""

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rambla.domain.errors import BrokenPolicy
from rambla.policy.credentials import prepare
from rambla.policy.language.conditions import parse
from rambla.policy.language.layers import LEVELS, Condition, Layer, Role, Rule, Word
from rambla.policy.language.stack import LayeredBook
from rambla.policy.policy import Policy
from rambla.policy.problems import Place

PLACE = Place("x.yaml", 1, 1)
ROLES = ("member", "reader", "clerk", "chief")
PERMISSIONS = ("a:x", "a:y", "b:x")
PATTERNS = (*PERMISSIONS, "a:*", "*")
CONDITIONS = (
    "member",
    "clerk of target.project",
    "not reader",
    "caller.trust >= 2",
    "not caller.trust >= 2",
    "caller.source in ['x', 'y']",
    "rule a:x",
    "not rule b:x and everybody",
    "chief or caller.project same as target.project",
    "everybody",
)
words = st.sampled_from(PATTERNS).map(lambda text: Word(text, PLACE))
patterns = st.lists(words, max_size=2).map(tuple)
included = st.lists(st.sampled_from(ROLES).map(lambda text: Word(text, PLACE)), max_size=1).map(tuple)
conditions = st.lists(st.sampled_from(CONDITIONS).map(lambda text: Condition(parse(text), text, PLACE)), max_size=2)
modes = st.sampled_from(["extend", "replace"])
scopes = st.sampled_from([(), (), ("project",), ("system", "domain")])
roles = st.builds(Role, st.just(PLACE), included, patterns, patterns, modes)
rules = st.builds(Rule, st.just(PLACE), conditions.map(tuple), conditions.map(tuple), scopes, modes)
layers = st.builds(
    Layer,
    st.just("site"),
    st.just(PLACE),
    st.dictionaries(st.sampled_from(ROLES), roles, max_size=3),
    st.dictionaries(st.sampled_from(PATTERNS), rules, max_size=4),
    st.lists(words, max_size=1).map(tuple),
)
unlocked = st.lists(layers.map(lambda layer: replace(layer, locks=())), min_size=1, max_size=3)
callers = st.fixed_dictionaries(
    {"roles": st.lists(st.sampled_from(ROLES), max_size=2)},
    optional={
        "trust": st.sampled_from([1, 2, None, "2"]),
        "project": st.sampled_from(["p1", "p2", None]),
        "source": st.sampled_from(["x", "z"]),
        "system_scope": st.just("all"),
    },
)
targets = st.fixed_dictionaries({}, optional={"project": st.sampled_from(["p1", None])})
BASE = Layer(
    "defaults",
    PLACE,
    {role: Role(PLACE) for role in ROLES},
    {pattern: Rule(PLACE) for pattern in PATTERNS},
)


def policy_of(*below: Layer) -> Policy:
    """Beneath a layer that has all roles and rules, so that `extend` and `replace` find them."""
    try:
        return Policy(LayeredBook([BASE, *below]))
    except BrokenPolicy:
        assume(False)
        raise


def answers(policy: Policy, caller: dict[str, Any], target: dict[str, Any]) -> dict[str, bool]:
    credentials = prepare(caller)
    return {name: policy.decide(credentials, name, target).allowed for name in (*PERMISSIONS, "c:z")}


@settings(max_examples=300)
@given(st.lists(layers, max_size=2), unlocked, callers, targets, st.sampled_from(PATTERNS))
def test_a_lock_only_ever_narrows(
    above: list[Layer], below: list[Layer], caller: dict[str, Any], target: dict[str, Any], locked: str
) -> None:
    at_the_lock = answers(policy_of(*above), caller, target)
    lock = Layer("site", PLACE, locks=(Word(locked, PLACE),))
    after = answers(policy_of(*above, lock, *below), caller, target)
    free = answers(policy_of(*above, *below), caller, target)
    for permission, allowed in after.items():
        means = locked in ("*", permission) or (locked == "a:*" and permission.startswith("a:"))
        assert allowed is (free[permission] and (at_the_lock[permission] or not means))


@settings(max_examples=300)
@given(st.lists(layers, max_size=3), callers, targets, st.sampled_from(PATTERNS), st.sampled_from(ROLES), st.data())
def test_a_never_only_ever_narrows_and_no_layer_takes_it_back(
    several: list[Layer],
    caller: dict[str, Any],
    target: dict[str, Any],
    pattern: str,
    role: str,
    data: st.DataObject,
) -> None:
    never = Layer("site", PLACE, {role: Role(PLACE, never=(Word(pattern, PLACE),), mode="extend")})
    at = data.draw(st.integers(0, len(several)))
    before = answers(policy_of(*several), caller, target)
    after = answers(policy_of(*several[:at], never, *several[at:]), caller, target)
    for permission, allowed in after.items():
        means = pattern in ("*", permission) or (pattern == "a:*" and permission.startswith("a:"))
        assert not (allowed and not before[permission])
        assert not (allowed and means and role in caller["roles"])


@settings(max_examples=200)
@given(layers, callers, targets, st.sampled_from(PERMISSIONS), st.sampled_from(CONDITIONS[:6]))
def test_a_deny_only_ever_narrows(
    layer: Layer, caller: dict[str, Any], target: dict[str, Any], permission: str, condition: str
) -> None:
    assume(not any("rule" in each.text for rule in layer.rules.values() for each in (*rule.allow, *rule.deny)))
    deny = Rule(PLACE, deny=(Condition(parse(condition), condition, PLACE),), mode="extend")
    before = answers(policy_of(layer), caller, target)
    after = answers(policy_of(layer, Layer("site", PLACE, rules={permission: deny})), caller, target)
    assert not [name for name, allowed in after.items() if allowed and not before[name]]


@settings(max_examples=200)
@given(st.lists(layers, max_size=4), callers, targets, st.data())
def test_layering_is_associative(
    several: list[Layer], caller: dict[str, Any], target: dict[str, Any], data: st.DataObject
) -> None:
    """However the layers are taken together, what they decide is the same."""
    wanted = answers(policy_of(*several), caller, target)
    first = data.draw(st.integers(0, len(several)))
    second = data.draw(st.integers(first, len(several)))
    try:
        book = LayeredBook([BASE, *several[:first]]).extended(several[first:second]).extended(several[second:])
    except BrokenPolicy:
        raise AssertionError("a part of the layers is refused where the whole is not") from None
    assert answers(Policy(book), caller, target) == wanted


def test_levels_are_in_the_order_of_the_house() -> None:
    several = [replace(BASE, level=level, roles={}, rules={}) for level in LEVELS]
    assert LayeredBook(several).permissions == ()
