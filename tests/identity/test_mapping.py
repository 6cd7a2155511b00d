"""What a source says means what its mapping says, and never more than its ceiling lets it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.domain.errors import BadCredentials, BadSettings
from rambla.identity.mapping import Ceiling, Translation, meaning, read
from rambla.identity.ports import Account, Project

CEILING = Ceiling(("auditor", "dev*"), ("payroll", "team-*"))
TEXT = """
groups: memberOf
grants:
  - if: {group: [ops, admins]}
    roles: [auditor]
  - if: {department: payroll, title: "Head*"}
    namespaces: {payroll: [developer]}
  - namespaces: {team-all: [dev-reader]}
projects: {member: [developer]}
"""


def account(**more: object) -> Account:
    return Account(user="ada", method="password", **more)  # type: ignore[arg-type]  # what each test wants to say


def test_each_grant_gives_to_those_who_fulfil_all_its_conditions() -> None:
    mapping = read("corp", TEXT, CEILING)
    nobody = meaning(mapping, CEILING, account())
    assert (nobody.user, nobody.roles, nobody.namespaces) == ("ada", (), {"team-all": ("dev-reader",)})
    head = account(attributes={"memberOf": ("ops", "x"), "department": ("payroll",), "title": ("Head of it",)})
    found = meaning(mapping, CEILING, head)
    assert found.roles == ("auditor",)
    assert found.groups == ("ops", "x")
    assert found.namespaces == {"payroll": ("developer",), "team-all": ("dev-reader",)}
    half = meaning(mapping, CEILING, account(attributes={"department": ("payroll",), "title": ("head of it",)}))
    assert "payroll" not in half.namespaces


def test_groups_of_the_source_itself_count_too() -> None:
    assert meaning(read("corp", TEXT, CEILING), CEILING, account(groups=("admins",))).roles == ("auditor",)


def test_roles_in_a_project_are_called_otherwise_here_and_count_only_with_one() -> None:
    mapping = read("corp", TEXT, CEILING)
    assert meaning(mapping, CEILING, account(roles=("member", "admin"))).project_roles == ()
    held = account(roles=("member", "admin"), project=Project("1", "web"))
    assert meaning(mapping, CEILING, held).project_roles == ("developer",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("grants: [{roles: [operator]}]", "the role 'operator', which the source may not give"),
        ("projects: {member: [policy-admin]}", "the role 'policy-admin'"),
        ("grants: [{namespaces: {guest: [developer]}}]", "the namespace 'guest', which it may not"),
        ("grants: [{namespaces: {payroll: [admin]}}]", "the role 'admin'"),
        ("grants: [{role: [auditor]}]", "role"),
        ("grant: []", "grant"),
        ("[1]", "object"),
        ("{", "while"),
        ("grants: [{if: {group: 3}}]", "str"),
    ],
)
def test_a_mapping_that_is_broken_or_gives_too_much_is_refused(text: str, told: str) -> None:
    with pytest.raises(BadSettings) as caught:
        read("corp", text, CEILING)
    assert str(caught.value).startswith("Setting identity.corp.mapping: ")
    assert told in str(caught.value)


def test_a_ceiling_holds_whatever_a_mapping_says_and_of_nothing_is_nothing() -> None:
    wide = read("corp", TEXT, Ceiling(("*",), ("*",)))
    everything = account(groups=("ops",), roles=("member",), project=Project("1", "web"))
    found = meaning(wide, Ceiling(), everything)
    assert (found.roles, found.project_roles, found.namespaces["team-all"]) == ((), (), ())


@pytest.mark.parametrize("user", ["", "a\nb", "a\0b", "x" * 256, "\ud800", "\x1b[2J"])
def test_a_name_that_is_none_is_nobody(user: str) -> None:
    with pytest.raises(BadCredentials):
        meaning(Translation(), CEILING, Account(user=user, method="password"))


@pytest.mark.parametrize("values", [{}, {"uid": ()}, {"uid": ("a", "b")}])
def test_an_attribute_that_names_nobody_or_several_is_nobody(values: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(BadCredentials):
        meaning(Translation(user="uid"), CEILING, account(attributes=values))


@given(st.text(max_size=200))
def test_no_text_whatever_fails_otherwise(text: str) -> None:
    with suppress(BadSettings):
        read("corp", text, CEILING)
