import pytest

from rambla.domain.access import Decision
from rambla.domain.errors import BrokenPolicy
from rambla.policy.credentials import prepare
from rambla.policy.language.load import load
from rambla.policy.policy import Policy

SITE = """\
layer: site
roles:
  operator:      {may: [action:*, trigger:*, rule:*, activation:read]}
  project-admin:
    may:   [project:create, project:list, project:delete]
    never: [action:code, object:read, activation:result]    # creates projects, sees nothing inside
rules:
  object:read:
    allow: member of target.project and caller.trust >= 2
    deny:  caller.source == "partner-ldap"
locks: [object:read]
"""
MEMBER = {"roles": ["member"], "project": "p1", "trust": 2, "source": "ldap"}
OWN = {"project": "p1"}


def decide(
    texts: str | list[str], permission: str, caller: dict[str, object], target: dict[str, object] | None = None
) -> Decision:
    layers = [texts] if isinstance(texts, str) else texts
    policy = Policy(load({f"{number}.yaml": text for number, text in enumerate(layers)}))
    return policy.decide(prepare(caller), permission, OWN if target is None else target)


def test_the_example_reads_as_it_is_written() -> None:
    assert decide(SITE, "object:read", MEMBER) == Decision(True, "object:read", "site", 9)
    assert decide(SITE, "object:read", {**MEMBER, "trust": 1}) == Decision(False, "deny", "defaults")
    assert decide(SITE, "object:read", {**MEMBER, "source": "partner-ldap"}) == Decision(
        False, "object:read", "site", 10
    )
    assert decide(SITE, "object:read", {**MEMBER, "roles": ["member", "project-admin"]}) == Decision(
        False, "role project-admin", "site", 6
    )
    assert decide(SITE, "project:create", {"roles": ["project-admin"]}) == Decision(
        True, "role project-admin", "site", 5
    )
    assert decide(SITE, "action:code", {"roles": ["Operator"]}).allowed
    assert not decide(SITE, "action:code", {"roles": ["operator", "project-admin"]}).allowed
    assert not decide(SITE, "activation:result", {"roles": ["operator"]}).allowed
    assert not decide(SITE, "unheard:of", {"roles": ["operator"]}).allowed


@pytest.mark.parametrize(
    ("missing", "permission"), [("trust", "object:read"), ("source", "object:read"), ("project", "object:read")]
)
def test_what_is_absent_or_null_opens_no_door(missing: str, permission: str) -> None:
    assert not decide(SITE, permission, {key: value for key, value in MEMBER.items() if key != missing}).allowed
    assert not decide(SITE, permission, {**MEMBER, missing: None}).allowed
    assert not decide(SITE, permission, {**MEMBER, "project": None}, {"project": None}).allowed


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ("everybody", True),
        ("nobody", False),
        ("member", True),
        ("MEMBER and not reader", True),
        ('role "member"', True),
        ("caller.trust > 1 and caller.trust < 3", True),
        ("3 > caller.trust", True),
        ("1 < caller.trust", True),
        ("2 < caller.trust", False),
        ("2 <= caller.trust", True),
        ("2 >= caller.trust", True),
        ("1 >= caller.trust", False),
        ("caller.trust >= 2.5", False),
        ("caller.trust == 2", True),
        ('caller.trust == "2"', False),
        ("caller.admin == true", True),
        ("caller.admin == 1", False),
        ("caller.trust != 3", True),
        ("caller.absent != 3", False),
        ("not caller.absent == 3", False),
        ("not caller.absent > 3", False),
        ("not (caller.trust > 3 or caller.absent == 1)", False),
        ("not caller.source > 3", False),
        ("not caller.strange > 3", False),
        ("caller.strange != 3", False),
        ("not caller.groups == 3", False),
        ("not caller.source == caller.groups", False),
        ("caller.absent == 3 or member", True),
        ('caller.source in ["ldap", "local"]', True),
        ('caller.source not in ["partner", "local"]', True),
        ('caller.absent not in ["partner"]', False),
        ('"staff" in caller.groups', True),
        ('"boss" not in caller.groups', True),
        ('"boss" not in caller.absent', False),
        ("target.project in caller.projects", True),
        ("target.absent not in caller.projects", False),
        ("caller.source exists", True),
        ("caller.absent exists", False),
        ("not caller.absent exists", True),
        ("caller.address.country == 'ch'", True),
        ("caller.address.city == 'Bern'", False),
        ("target.user.id == caller.user_id", True),
        ("member of target.project", True),
        ("reader of target.project", False),
        ("caller.nothing same as target.nothing", True),
        ("caller.trust same as '2'", True),
        ('"public" same as target.visibility', True),
        ('check "project:%(project)s and role:member"', True),
        ("rule helper", True),
        ("not rule helper", False),
        ("not rule unsure", False),
        ("member or reader and nobody", True),
        ("(member or reader) and nobody", False),
    ],
)
def test_a_condition_means_what_it_says(condition: str, allowed: bool) -> None:
    text = f"""\
layer: site
rules:
  helper: member
  unsure: caller.absent == 1
  x: |-
    {condition}
"""
    caller = {
        **MEMBER,
        "admin": True,
        "groups": ["staff", "all"],
        "projects": ["p1"],
        "address": {"country": "ch"},
        "user_id": "u1",
        "nothing": None,
        "strange": float("nan"),
    }
    target = {"project": "p1", "user.id": "u1", "visibility": "public", "nothing": None}
    assert decide(text, "x", caller, target).allowed is allowed


def test_roles_include_others_and_pass_on_what_those_may_and_never_may() -> None:
    text = """\
layer: site
roles:
  viewer: {may: "thing:see", never: "thing:steal"}
  editor: {includes: viewer, may: thing:edit}
  chief: {includes: [editor], may: ["thing:*"]}
rules:
  report: viewer
"""
    for role in ("viewer", "editor", "chief"):
        assert decide(text, "thing:see", {"roles": [role]}).allowed
        assert decide(text, "report", {"roles": [role]}).allowed
        assert not decide(text, "thing:steal", {"roles": [role]}).allowed
    assert not decide(text, "thing:edit", {"roles": ["viewer"]}).allowed
    assert decide(text, "thing:edit", {"roles": ["chief"]}).allowed


def test_the_most_exact_rule_allows_and_all_rules_that_match_deny() -> None:
    text = """\
layer: site
rules:
  "*": {allow: admin, deny: caller.blocked == true}
  "thing:*": member
  thing:see: {allow: reader}
  thing:touch: {deny: manager}
"""
    free = {"blocked": False}
    assert decide(text, "other", {"roles": ["admin"], **free}).allowed
    assert not decide(text, "thing:see", {"roles": ["admin", "member"], **free}).allowed
    assert decide(text, "thing:see", {"roles": ["reader"], **free}).allowed
    assert not decide(text, "thing:see", {"roles": ["reader"], "blocked": True}).allowed
    assert not decide(text, "thing:see", {"roles": ["reader"]}).allowed, "unknown whether blocked"
    assert decide(text, "thing:touch", {"roles": ["member"], **free}).allowed
    assert not decide(text, "thing:touch", {"roles": ["member", "manager"], **free}).allowed


def test_a_rule_may_be_for_some_scopes_only() -> None:
    text = "layer: site\nrules: {x: {allow: everybody, scope: [system, domain]}}"
    assert decide(text, "x", {"system_scope": "all"}).allowed
    assert decide(text, "x", {"domain_id": "d"}).allowed
    assert decide(text, "x", {"project_id": "p"}) == Decision(False, "x", "site", 2)


def test_anchors_and_merges_spare_writing_things_twice() -> None:
    text = """\
layer: site
rules:
  object:read: &reading
    allow: &own member of target.project
    deny: caller.source == "partner-ldap"
  object:list: *reading
  object:head: {<<: *reading, allow: reader}
  object:stat: *own
"""
    assert decide(text, "object:list", MEMBER).allowed
    assert not decide(text, "object:head", MEMBER).allowed
    assert decide(text, "object:head", {**MEMBER, "roles": ["reader"]}).allowed
    assert not decide(text, "object:head", {"roles": ["reader"], "source": "partner-ldap"}).allowed
    assert decide(text, "object:stat", MEMBER).line == 4


def test_lower_layers_extend_or_replace_and_say_which() -> None:
    above = "layer: site\nroles: {clerk: {may: a}}\nrules: {x: {allow: admin, deny: manager}}"
    extending = "layer: domain\nroles: {clerk: {may: b, mode: extend}}\nrules: {x: {allow: member, mode: extend}}"
    replacing = "layer: domain\nroles: {clerk: {may: b, mode: replace}}\nrules: {x: {allow: member, mode: replace}}"
    assert decide([above, extending], "x", {"roles": ["admin"]}) == Decision(True, "x", "site", 3)
    assert decide([above, extending], "x", {"roles": ["member"]}) == Decision(True, "x", "domain", 3)
    assert not decide([above, extending], "x", {"roles": ["member", "manager"]}).allowed
    assert not decide([above, replacing], "x", {"roles": ["admin"]}).allowed
    assert decide([above, replacing], "x", {"roles": ["member", "manager"]}).allowed, "its deny is replaced too"
    assert decide([above, replacing], "x", {"roles": ["member", "manager"]}).allowed
    assert decide([above, extending], "a", {"roles": ["clerk"]}).allowed
    assert not decide([above, replacing], "a", {"roles": ["clerk"]}).allowed
    with pytest.raises(BrokenPolicy, match=r"1.yaml:2:12: the rule 'x' is there already, in 0.yaml. Fix: write 'mode"):
        decide([above, "layer: domain\nrules: {x: member}"], "x", {})
    with pytest.raises(BrokenPolicy, match="there is no rule 'y' above to extend"):
        decide([above, "layer: domain\nrules: {y: {allow: member, mode: extend}}"], "x", {})


def test_a_never_stays_when_its_role_is_replaced_and_what_it_included_does_not() -> None:
    above = "layer: site\nroles: {boss: {may: c}, clerk: {includes: boss, may: b, never: a}}"
    below = "layer: domain\nroles: {clerk: {may: ['*'], mode: replace}, temp: {may: b}}\nrules: {d: boss}"
    clerk = {"roles": ["clerk"]}
    assert decide([above], "c", clerk).allowed
    assert decide([above, below], "b", clerk).allowed
    assert decide([above, below], "a", clerk) == Decision(False, "role clerk", "site", 2)
    narrow = "layer: domain\nroles: {clerk: {may: e, mode: replace}}\nrules: {d: boss}"
    for permission in ("b", "c", "d"):
        assert not decide([above, narrow], permission, clerk).allowed
    assert decide([above, narrow], "e", clerk).allowed


@pytest.mark.parametrize(
    "loosening",
    [
        "rules: {object:read: {allow: everybody, mode: replace}}",
        "rules: {object:read: {allow: everybody, mode: extend}}",
        'roles: {auditor: {may: ["*"]}}',
        "roles: {auditor: {includes: [member]}}",
        'roles: {member: {may: ["object:*"]}, auditor: {includes: member}}',
        "rules: {trusted: {allow: everybody, mode: replace}}",
    ],
)
def test_a_lock_stays_shut_whatever_lower_layers_try(loosening: str) -> None:
    locked = SITE.replace("caller.trust >= 2", "rule trusted") + "  \n"
    locked = locked.replace("rules:\n", "rules:\n  trusted: caller.trust >= 2\n", 1)
    below = f"layer: project\n{loosening}\n"
    for trust in (1, 2):
        caller = {**MEMBER, "roles": ["auditor"], "trust": trust}
        refused = decide([locked, below], "object:read", caller)
        assert (refused.allowed, refused.rule, refused.layer) == (False, "lock object:read", "site")
    assert not decide([locked, below], "object:read", {**MEMBER, "trust": 1}).allowed
    still = decide([locked, below], "object:read", MEMBER)
    assert still.allowed or "replace" in loosening


def test_a_lock_may_be_narrowed() -> None:
    below = "layer: domain\nrules: {object:read: {allow: caller.trust >= 3, mode: replace}}\nlocks: ['object:*']"
    lowest = "layer: project\nrules: {object:read: {allow: everybody, mode: extend}}"
    assert not decide([SITE, below], "object:read", MEMBER).allowed
    assert decide([SITE, below], "object:read", {**MEMBER, "trust": 3}).allowed
    assert not decide([SITE, below], "object:read", {"trust": 3, "source": "ldap"}).allowed
    assert decide([SITE, below, lowest], "object:read", {**MEMBER, "trust": 3}).allowed
    assert not decide([SITE, below, lowest], "object:read", MEMBER).allowed


def test_what_is_narrowed_below_a_lock_may_be_widened_again_up_to_the_lock() -> None:
    narrow = "layer: domain\nrules: {object:read: {allow: nobody, mode: replace}}"
    wide = "layer: project\nrules: {object:read: {allow: everybody, mode: replace}}"
    assert not decide([SITE, narrow], "object:read", MEMBER).allowed
    assert decide([SITE, narrow, wide], "object:read", MEMBER).allowed
    assert not decide([SITE, narrow, wide], "object:read", {**MEMBER, "trust": 1}).allowed


def test_no_layers_allow_nothing() -> None:
    assert not decide([], "x", {"roles": ["admin"]}).allowed


def test_a_name_with_a_star_in_it_can_be_said_outright() -> None:
    text = "layer: site\nrules: {'=type:*': admin, 'type:*': member, 'x': 'rule \"=type:*\"'}"
    assert decide(text, "type:*", {"roles": ["admin"]}).allowed
    assert not decide(text, "type:*", {"roles": ["member"]}).allowed
    assert decide(text, "type:a", {"roles": ["member"]}).allowed
    assert decide(text, "x", {"roles": ["admin"]}).allowed
