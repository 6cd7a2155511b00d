"""Every way to break a policy file is told with its place and its fix, and leaves the last good policy in force."""

import pytest

from rambla.domain.errors import BrokenPolicy
from rambla.policy.credentials import prepare
from rambla.policy.holder import Holder
from rambla.policy.language.load import load
from rambla.policy.policies import InForce, Policies
from rambla.policy.policy import Policy
from rambla.policy.problems import problems_of

GOOD = "layer: site\nroles: {clerk: {may: file:read}}\nrules: {file:write: clerk of target.project}\n"

# What is wrong, the line and column that is told, and a part of the fix.
BROKEN = [
    ("", (0, 0), "layer: site"),
    ("# nothing but a comment", (0, 0), "layer: site"),
    ("- layer", (1, 1), "layer: site"),
    ("just text", (1, 1), "layer: site"),
    ("layer: site\nrules: {", (3, 1), "mend the text"),
    ("layer: site\nrules: [x", (3, 1), "mend the text"),
    ("layer: site\n\trules: {}", (2, 1), "mend the text"),
    ("layer: site\nrules: {x: 'admin}", (2, 19), "mend the text"),
    ("layer: \x01", (0, 0), "printable"),
    ("layer: site\n---\nlayer: site", (2, 1), "one document"),
    ("layer: site\nrules: *nothing", (2, 8), "write the anchor first"),
    ("layer: site\nroles: {clerk: {may: [*]}}", (2, 24), "mend the text"),
    ("layer: " + "[" * 60, (1, 57), "nest less"),
    ("rules: {}", (1, 1), "begin with 'layer: '"),
    ("layer: galaxy", (1, 8), "defaults, site, region"),
    ("layer: [site]", (1, 8), "defaults, site, region"),
    ("layer: site\nrulez: {}", (2, 8), "perhaps 'rules' is meant"),
    ("layer: site\nlayer: site", (2, 1), "keep one of them"),
    ("layer: site\nrules: [x]", (2, 8), "lines of the form"),
    ("layer: site\nrules: {x: {alow: admin}}", (2, 19), "perhaps 'allow' is meant"),
    ("layer: site\nrules: {x: {allow: admin, allow: admin}}", (2, 27), "keep one of them"),
    ("layer: site\nrules: {x: {allow: {a: b}}}", (2, 20), "in one line"),
    ("layer: site\nrules: {x: }", (2, 12), "in one line"),
    ("layer: site\nrules: {x: {allow: admin, mode: add}}", (2, 33), "extend, replace"),
    ("layer: site\nrules: {x: {allow: admin, mode: extend}}", (2, 12), "drop 'mode'"),
    ("layer: site\nrules: {x: {scope: world}}", (2, 20), "system, domain, project"),
    ("layer: site\nrules: {'a:*:b': admin}", (2, 18), "'resource:*'"),
    ("layer: site\nrules: {x: admn}", (2, 12), "perhaps 'admin' is meant"),
    ("layer: site\nrules: {x: stranger}", (2, 12), "declare it: 'roles: {stranger"),
    ("layer: site\nrules: {x: rule y}", (2, 17), "declare it: 'rules: {y"),
    ("layer: site\nrules: {xy: admin, x: rule yx}", (2, 28), "rule"),
    ("layer: site\nrules: {x: rule x}", (2, 12), "break the circle"),
    ("layer: site\nrules: {x: rule y, y: not rule x}", (2, 12), "break the circle"),
    ("layer: site\nroles: {a: {includes: b}, b: {includes: a}}", (2, 12), "break the circle"),
    ("layer: site\nroles: {a: {includes: b}}", (2, 23), "declare it"),
    ("layer: site\nroles: {a: {may: 'x*'}}", (2, 18), "'resource:*'"),
    ("layer: site\nroles: {a: admin}", (2, 12), "lines of the form"),
    ("layer: site\nrules: {x: caller.trust = 2}", (2, 25), "write ==, !="),
    ("layer: site\nrules: {x: trust >= 2}", (2, 18), "write caller."),
    ("layer: site\nrules: {x: caller.trust >= high}", (2, 28), "caller.high"),
    ("layer: site\nrules: {x: 'caller.trust'}", (2, 25), "compare it"),
    ("layer: site\nrules: {x: admin and}", (2, 21), "write caller."),
    ("layer: site\nrules: {x: (admin}", (2, 18), "write ')'"),
    ("layer: site\nrules: {x: admin member}", (2, 18), "'and' or 'or'"),
    ("layer: site\nrules: {x: member of caller.project}", (2, 36), "member of target.project"),
    ("layer: site\nrules: {x: target.a same as caller.a}", (2, 37), "same as"),
    ("layer: site\nrules: {x: 'check \"foo\"'}", (2, 20), "role:foo"),
    ("layer: site\nrules: {x: 'check \"rule:y\"'}", (2, 19), "rule NAME"),
    ("layer: site\nrules: {x: " + "not " * 55 + "admin}", (2, 212), "nest less"),
    ("layer: defaults\nrules: {x: admin}", (1, 8), "keep the order"),
]


def offer(holder: Holder, files: dict[str, str]) -> None:
    """Bundle 2, to whoever has bundle 1 in force."""
    try:
        holder.take(InForce(Policies(Policy(load(files))), 2))
    except BrokenPolicy as error:
        holder.refuse(2, problems_of(error))


@pytest.mark.parametrize(("text", "at", "fix"), BROKEN, ids=[text for text, _, _ in BROKEN])
def test_a_broken_file_is_told_with_its_place_and_fix_and_the_last_good_stays(
    text: str, at: tuple[int, int], fix: str
) -> None:
    holder = Holder(InForce(Policies(Policy(load({"good.yaml": GOOD}))), 1))
    files = {"good.yaml": GOOD, "x.yaml": text} if "galaxy" not in text and "defaults" in text else {"x.yaml": text}
    offer(holder, files)
    (problem, *_) = holder.problems
    assert (problem.place.file, problem.place.line, problem.place.column) == ("x.yaml", *at)
    assert fix in problem.fix
    assert holder.policy.decide(prepare({"roles": ["clerk"]}), "file:read", {}).allowed
    assert holder.number == 1


def test_all_problems_of_all_files_are_told_at_once() -> None:
    with pytest.raises(BrokenPolicy) as raised:
        load({"a.yaml": "layer: site\nrules: {x: '(', y: 'a b', z: '='}", "b.yaml": "layer: x\nrulez: {}"})
    told = [(problem.place.file, problem.place.line, problem.place.column) for problem in problems_of(raised.value)]
    assert told == [("a.yaml", 2, 14), ("a.yaml", 2, 23), ("a.yaml", 2, 31), ("b.yaml", 1, 8), ("b.yaml", 2, 8)]


def test_aliases_cannot_make_a_small_file_large() -> None:
    lines = ["layer: site", "a: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"b{n}: &a{n + 1} [{','.join([f'*a{n}'] * 10)}]" for n in range(8)]
    with pytest.raises(BrokenPolicy, match="with its aliases the file has more than 100000 nodes"):
        load({"x.yaml": "\n".join(lines)})


def test_a_file_of_more_than_a_mebibyte_is_not_read() -> None:
    with pytest.raises(BrokenPolicy, match="larger than 1048576 bytes"):
        load({"x.yaml": "layer: site\n#" + "ü" * (1 << 20)})


def test_a_good_policy_takes_over_at_once_and_clears_the_problems() -> None:
    holder = Holder(InForce(Policies(Policy(load({"good.yaml": GOOD}))), 1))
    before = holder.policy
    offer(holder, {"x.yaml": "["})
    assert holder.problems
    assert holder.policy is before
    offer(holder, {"x.yaml": "layer: site"})
    assert holder.problems == ()
    assert holder.number == 2
    assert not holder.policy.decide(prepare({"roles": ["clerk"]}), "file:read", {}).allowed
    assert before.decide(prepare({"roles": ["clerk"]}), "file:read", {}).allowed, (
        "a request keeps the policy it began with"
    )


def test_an_older_policy_never_takes_over_from_a_newer_one() -> None:
    newer, older = Policy(load({"x.yaml": "layer: site"})), Policy(load({"good.yaml": GOOD}))
    holder = Holder(InForce(Policies(older)))
    holder.take(InForce(Policies(newer), 3))
    holder.take(InForce(Policies(older), 2))
    assert (holder.policy, holder.number, holder.seen) == (newer, 3, 3)
