"""Files of OpenStack's services in a bundle: each service is judged by its own, as oslo.policy would."""

import pytest

from rambla.domain.errors import BrokenPolicy, NoSuchService
from rambla.policy import accept
from rambla.policy.bundle import File
from rambla.policy.credentials import prepare
from rambla.policy.oslo import registered
from rambla.policy.oslo.book import Deprecated, RuleDefault
from rambla.policy.policies import OWN, Policies
from rambla.policy.ports import NOBODY
from rambla.policy.problems import problems_of
from servicekit import DEFAULTS, FILES


def made(files: dict[str, str]) -> Policies:
    return accept.compiled([File(name, text) for name, text in files.items()], NOBODY)


def problems(files: dict[str, str]) -> list[str]:
    with pytest.raises(BrokenPolicy) as caught:
        made(files)
    return [f"{one.place.file}:{one.place.line}" for one in problems_of(caught.value)]


def test_each_service_has_a_policy_beside_the_platforms_own() -> None:
    policies = made(FILES)
    assert sorted(policies.services) == ["ironic.api", "keystone"]
    reader = prepare({"roles": ["reader"]})
    assert policies.of("ironic.api").decide(reader, "baremetal:node:get", {}).allowed
    assert not policies.of("keystone").decide(reader, "baremetal:node:get", {}).allowed
    assert not policies.of(OWN).decide(reader, "baremetal:node:get", {}).allowed
    with pytest.raises(NoSuchService, match="nova"):
        policies.of("nova")


def test_files_override_what_is_registered_and_those_of_the_directory_override_the_file() -> None:
    keystone = made(FILES).of("keystone")
    system = {"system_scope": "all"}
    assert keystone.decide(prepare({"roles": ["auditor"], **system}), "identity:list_users", {}).allowed
    assert not keystone.decide(prepare({"roles": ["reader"], **system}), "identity:list_users", {}).allowed
    denied = keystone.decide(prepare({"roles": ["auditor"]}), "identity:list_users", {})
    assert (denied.allowed, denied.layer, denied.line) == (False, "openstack/keystone/policy.d/10-auditors.yaml", 1)


def test_a_rule_without_files_is_decided_as_the_service_registers_it() -> None:
    keystone = made(FILES).of("keystone")
    about = {"target": {"user": {"id": "u1"}}, "target.user.id": "u1"}
    assert keystone.decide(prepare({"user_id": "u1", "roles": []}), "identity:get_user", about).allowed
    assert not keystone.decide(prepare({"user_id": "u2", "roles": []}), "identity:get_user", about).allowed


def test_files_of_the_directory_are_read_in_the_order_of_their_names() -> None:
    files = {
        **FILES,
        "openstack/keystone/policy.d/9.yaml": '"identity:list_users": "role:nine"\n',
        "openstack/keystone/policy.d/20.yaml": '"identity:list_users": "role:twenty"\n',
    }
    keystone = made(dict(reversed(files.items()))).of("keystone")
    assert keystone.decide(prepare({"roles": ["nine"], "system": "all"}), "identity:list_users", {}).allowed


def test_two_nulls_are_the_same_project_as_they_are_for_oslo_policy() -> None:
    rule = '- {name: "volume:get", check_str: "project_id:%(project_id)s"}\n'
    cinder = made({"openstack/cinder/defaults.yaml": rule}).of("cinder")
    assert cinder.decide(prepare({"project_id": None, "roles": []}), "volume:get", {"project_id": None}).allowed


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"openstack/keystone/policy.yaml": '"identity:list_usrs": "role:reader"\n'},
            ["openstack/keystone/policy.yaml:1"],
        ),
        ({"openstack/keystone/policy.yaml": "\n\n'a': ]"}, ["openstack/keystone/policy.yaml:3"]),
        (
            {"openstack/keystone/policy.d/x.yaml": '\n"identity:get_user": ""\n'},
            ["openstack/keystone/policy.d/x.yaml:2"],
        ),
        (
            {"openstack/keystone/policy.yaml": '"identity:get_user": "http://%(host)s/x"\n'},
            ["openstack/keystone/policy.yaml:1"],
        ),
        (
            {"openstack/keystone/policy.yaml": '"identity:get_user": "http://me:secret@pdp/x"\n'},
            ["openstack/keystone/policy.yaml:1"],
        ),
        ({"openstack/keystone/policy.yml": "{}"}, ["openstack/keystone/policy.yml:0"]),
        ({"openstack/Nova/defaults.yaml": "[]"}, ["openstack/Nova/defaults.yaml:0"]),
        ({"openstack/policy.yaml": "{}"}, ["openstack/policy.yaml:0"]),
        ({"openstack/nova/policy.d/a/b.yaml": "{}"}, ["openstack/nova/policy.d/a/b.yaml:0"]),
        ({"openstack/keystone/policy.d/.a.yaml": "{}"}, ["openstack/keystone/policy.d/.a.yaml:0"]),
        ({"openstack/nova/policy.yaml": "{}"}, ["openstack/nova/defaults.yaml:0"]),
    ],
    ids=str,
)
def test_a_trap_or_a_strange_name_refuses_the_whole_bundle_with_its_place(
    changes: dict[str, str], told: list[str]
) -> None:
    assert problems({**FILES, **changes}) == told


def test_what_is_wrong_in_layers_and_in_services_is_told_at_once() -> None:
    wrong = {
        "site.yaml": "layer: sight\n",
        "openstack/keystone/policy.yaml": "x: ''\n",
        "openstack/ironic.api/defaults.yaml": "{}",
    }
    assert {place.partition(":")[0] for place in problems({**FILES, **wrong})} == set(wrong)


def test_what_a_service_registers_is_read_whole() -> None:
    assert registered.read(DEFAULTS, "d") == [
        RuleDefault("admin_required", "role:admin"),
        RuleDefault("identity:get_user", "rule:admin_required or user_id:%(target.user.id)s"),
        RuleDefault("identity:list_users", "rule:admin_required", ("system",)),
        RuleDefault("identity:revoke_token", "role:manager", (), Deprecated("identity:revoke", "role:admin")),
    ]
    assert registered.read("[]", "d") == []


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", (0, 0)),
        ("{}", (1, 1)),
        ("text", (1, 1)),
        ("- text", (1, 3)),
        ("- {name: a}", (1, 3)),
        ("- {check_str: a}", (1, 3)),
        ("- {name: 1, check_str: a}", (1, 10)),
        ("- {name: a, check_str: true}", (1, 24)),
        ("- {name: a, check_str: [a]}", (1, 24)),
        ("- {name: a, check_str: b, scope_types: system}", (1, 40)),
        ("- {name: a, check_str: b, scope_types: [[]]}", (1, 41)),
        ("- {name: a, check_str: b, deprecated: b}", (1, 39)),
        ("- {name: a, check_str: b, deprecated: {name: a}}", (1, 39)),
        ("- {name: a, check_str: b, name: c}", (1, 27)),
        ("- {name: a, check_str: b, [1]: c}", (1, 27)),
        ("- {name: a, check_str: b}\n- {name: a, check_str: c}", (2, 3)),
    ],
)
def test_what_no_service_could_register_is_told_with_its_place(text: str, at: tuple[int, int]) -> None:
    with pytest.raises(BrokenPolicy) as caught:
        registered.read(text, "d")
    (problem,) = problems_of(caught.value)
    assert (problem.place.line, problem.place.column) == at
