"""The check language, side by side with oslo.policy's own parser where that is installed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.policy.oslo.checks import DEPTH_MAX, parse, parse_lists
from rambla.policy.terms import FALSE, TRUE, All, Ask, Either, Matches, Not, Reference, Role

A, B, C = Role("a"), Role("b"), Role("c")


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("", TRUE),
        ("@", TRUE),
        ("!", FALSE),
        ("role:a", A),
        ("rule:x:y", Reference("x:y")),
        ("field:rbac_policy:target=*", Matches("field", "rbac_policy:target=*")),
        ("http://h/%(name)s", Ask("http://h/%(name)s")),
        ("https://h", Ask("https://h")),
        ("'public':%(visibility)s", Matches("'public'", "%(visibility)s")),
        ("role:a and role:b or role:c", Either((All((A, B)), C))),
        ("role:a OR role:b And role:c", Either((A, All((B, C))))),
        ("not role:a and role:b", All((Not(A), B))),
        ("not not role:a", Not(Not(A))),
        ("(role:a or role:b) or role:c", Either((Either((A, B)), C))),
        ("(role:a and role:b) and role:c", All((All((A, B)), C))),
        ("role:c or (role:a and role:b) and role:c", Either((C, All((A, B, C))))),
        ("((role:a))", A),
    ],
)
def test_a_check_is_read_as_it_is_meant(text: str, term: object) -> None:
    check = parse(text)
    assert check.term == term
    assert check.flaws == ()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (" ", 1),
        ("foo", 0),
        ("role:a and foo", 11),
        ("role:a role:b", 7),
        ("(role:a", 7),
        ("role:a)", 6),
        ("and role:a", 0),
        ("role:a or", 9),
        ("'a b':%(n)s", 0),
        ("'a':'b'", 0),
        ("()", 1),
        ("not", 3),
    ],
)
def test_what_is_no_check_allows_nobody_and_says_where_it_went_wrong(text: str, at: int) -> None:
    check = parse(text)
    assert check.flaws[0].at == at
    assert check.term in (FALSE, All((A, FALSE)))


def test_hostile_nesting_is_a_flaw_and_no_crash() -> None:
    for text in ("(" * 100_000, "not " * 100_000 + "@", "(" * (DEPTH_MAX + 1) + "@" + ")" * (DEPTH_MAX + 1)):
        assert parse(text).term == FALSE
        assert parse(text).flaws


def test_the_old_form_of_lists_is_or_outside_and_and_inside() -> None:
    assert parse_lists([["role:a", "role:b"], "role:c"]).term == Either((All((A, B)), C))
    assert parse_lists([]).term == TRUE
    assert parse_lists([[]]).term == FALSE
    assert parse_lists([[7, "role:a"]]).term == All((FALSE, A))
    with pytest.raises(TypeError):
        parse_lists([7])


@given(st.text("abnotrd:()@! '\"%", max_size=40))
def test_any_text_is_a_check(text: str) -> None:
    parse(text)
