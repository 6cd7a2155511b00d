"""What a whole stack of layers means: what changes through patterns, what never decides, and cases that can be read."""

import pytest

from rambla.policy.analysis import equalities, queries, words
from rambla.policy.analysis.difference import ANY_OTHER, diff
from rambla.policy.analysis.examples import Impossible
from rambla.policy.analysis.idle import idle
from rambla.policy.credentials import prepare
from rambla.policy.language.load import load
from rambla.policy.language.stack import LayeredBook
from rambla.policy.terms import Attribute, Equal, Present

SOURCE, NAME = Attribute("caller", ("source",)), Attribute("caller", ("name",))


def book(rules: str) -> LayeredBook:
    return load({"x.yaml": f"layer: site\nrules:\n  '*': member\n{rules}"})


def test_a_change_of_what_only_a_pattern_means_is_a_change() -> None:
    changes = list(diff(book(""), book("  a:*: {deny: admin}\n")))
    assert [one.permission for one in changes] == [f"a:{ANY_OTHER}"]
    (case,) = changes[0].lost
    assert words.case(case.cube) == "member and admin"
    named = diff(book(""), book("  a:*: {deny: admin}\n"), ["a:read", "b:read"])
    assert [one.permission for one in named] == [f"a:{ANY_OTHER}", "a:read"]


def test_what_somebody_may_by_a_pattern_is_told() -> None:
    found = queries.what_can(book("  a:*: admin\n"), prepare({"roles": ["admin"]}), ["a:read"])
    assert {one.permission for one in found if one.always} == {f"a:{ANY_OTHER}", "a:read"}


def test_what_is_decided_before_never_decides() -> None:
    assert [one.line for one in idle(book("  x:y: {allow: admin, deny: admin}\n  x:z: admin\n"))] == [4]
    assert [one.line for one in idle(book("  x:y:\n  - admin\n  - admin and member\n"))] == [6]


def test_what_decides_for_one_permission_is_not_idle() -> None:
    assert idle(book("  x:*: admin\n  x:y: {deny: admin}\n")) == ()


def test_an_equality_makes_others_of_the_same_attribute_superfluous() -> None:
    cube = ((Equal(SOURCE, "a"), False), (Equal(SOURCE, "b"), True), (Present(SOURCE, "scalar"), True))
    assert equalities.simplified(cube) == ((Equal(SOURCE, "b"), True),)
    absent = ((Equal(SOURCE, "a"), False), (Equal(NAME, "a"), False), (Present(SOURCE, "scalar"), False))
    assert equalities.simplified(absent) == absent[1:]


@pytest.mark.parametrize(
    "cube",
    [
        ((Equal(SOURCE, "a"), True), (Equal(SOURCE, "b"), True)),
        ((Equal(SOURCE, 1), True), (Equal(SOURCE, 1.0), False)),
        ((Equal(SOURCE, 1), True), (Equal(SOURCE, True), True)),
        ((Equal(SOURCE, "a"), True), (Present(SOURCE, "scalar"), False)),
        ((Equal(SOURCE, NAME), True), (Present(NAME, "any"), False)),
    ],
)
def test_what_contradicts_itself_cannot_be(cube: equalities.Cube) -> None:
    with pytest.raises(Impossible):
        equalities.simplified(cube)
