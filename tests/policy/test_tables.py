"""Tables beside a policy say who may what; what is not so is told with its place and what decided."""

import pytest

from rambla.domain.errors import BrokenPolicy
from rambla.policy import accept, tables
from rambla.policy.bundle import File
from rambla.policy.policy import Policy
from rambla.policy.ports import NOBODY
from rambla.policy.problems import problems_of

TABLE = """\
people:
  ada: {roles: [helper]}
  owner: {namespace: guest}
targets:
  shared: {namespace: other, shared: true}
tests:
  - [ada, may, action:invoke, guest/a]
  - [ada, may not, action:read, guest/a]
  - [owner, may, action:read, shared]
  - [owner, may not, action:read, other/a]
"""


@pytest.fixture
def policy() -> Policy:
    return accept.compiled([File("site.yaml", "layer: site\nroles:\n  helper: {may: [action:invoke]}\n")], NOBODY).own


def test_what_is_as_the_tables_say_passes(policy: Policy) -> None:
    table = tables.read(TABLE, "t.yaml")
    assert len(table.rows) == 4
    assert tables.failures(policy, table.rows) == []


def test_what_is_not_so_is_told_with_its_place_and_what_decided(policy: Policy) -> None:
    rows = tables.read(TABLE.replace("ada, may,", "ada, may not,"), "t.yaml").rows
    assert [str(one).partition(". Fix")[0] for one in tables.failures(policy, rows)] == [
        "t.yaml:7:5: 'ada may not action:invoke guest/a' is not so: allowed by site/role helper, line 3"
    ]


def test_people_and_targets_that_nobody_wrote_down_are_as_the_platform_tells_them() -> None:
    assert tables.person("ada", {"roles": ["x"]}) == {
        "subject": "ada",
        "namespace": "",
        "source": "key",
        "roles": ["x"],
    }
    assert tables.target("guest/p/a", {})["namespace"] == "guest"


@pytest.mark.parametrize(
    ("text", "at", "fix"),
    [
        ("", (0, 0), "write 'people:'"),
        ("[]", (1, 1), "write 'people:'"),
        ("test: []", (1, 1), "'tests' is meant"),
        ("people: [ada]", (1, 9), "attribute: value"),
        ("people: {ada: reader}", (1, 9), "attribute: value"),
        ("tests: ada", (1, 8), "begin each with"),
        ("tests: [[ada, may, x:y]]", (1, 9), "[person, may, permission, target]"),
        ("tests: [[ada, may, x:y, [t]]]", (1, 9), "[person, may, permission, target]"),
        ("people: {ada: }\ntests: [[ada, can, x:y, a/b]]", (2, 9), "'may not'"),
        ("people: {ada: }\ntests: [[adda, may, x:y, a/b]]", (2, 9), "'ada' is meant"),
        ("people: {ada: }\ntargets: {here: }\ntests: [[ada, may, x:y, her]]", (3, 9), "'here' is meant"),
        ("people: {ada: {born: 2001-99-99}}", (1, 9), "numbers, lists"),
        ("people: {ada: *x}", (1, 15), "anchor"),
        ("people: {[a]: {}}", (1, 9), "numbers, lists"),
    ],
)
def test_a_broken_table_is_told_with_its_place_and_fix(text: str, at: tuple[int, int], fix: str) -> None:
    with pytest.raises(BrokenPolicy) as caught:
        tables.read(text, "t.yaml")
    problem = problems_of(caught.value)[0]
    assert (problem.place.file, problem.place.line, problem.place.column) == ("t.yaml", *at)
    assert fix in problem.fix


def test_all_problems_of_all_tables_are_told_at_once() -> None:
    with pytest.raises(BrokenPolicy) as caught:
        tables.read_all({"a.yaml": "x: 1", "b.yaml": "tests: 1"})
    assert [one.place.file for one in problems_of(caught.value)] == ["a.yaml", "b.yaml"]
