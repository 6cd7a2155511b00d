"""Upstream's `WskRuleTests` and `WskRestRuleTests`: which actions a fire begins."""

import pytest

from compat.openwhisk.asking import User, a_rule
from compat.openwhisk.programs import HELLO, NODE, WORD_COUNT
from compat.openwhisk.records import a_fire, a_record, fire, invoked, printed, runs_of

THREE, FOUR = "got three words", "got four words, period"


def counting(user: User, *names: str) -> None:
    for name in names:
        user.make_action(name, WORD_COUNT, kind=NODE)


def counted(user: User, name: str, text: str, **changed: object) -> dict[str, object]:
    """The record of a run that counted the words of `text`; that a trigger was the reason is said nowhere in it."""
    count = len(text.split(" "))
    logs = [printed(f"The message '{text}' has {count} words")]
    return a_record(user, name, {"count": count}, kind=NODE, logs=logs, **changed)


def greeted(user: User, name: str, text: str) -> dict[str, object]:
    logs = [printed(f"hello, {text}!")]
    return a_record(user, name, {"payload": f"hello, {text}!"}, kind=NODE, logs=logs)


class TestWskRule:
    def test_invoke_the_action_attached_on_trigger_fire_creating_an_activation_for_each_entity_including_the_cause(
        self, user: User
    ) -> None:
        counting(user, "a1 to 1")
        user.make_trigger("t")
        user.make_rule("r", "t", "a1 to 1")
        fired = fire(user, "t", {"payload": THREE})
        assert fired == a_fire(user, "t", {"payload": THREE}, [invoked(user, "r", "a1 to 1")])
        assert runs_of(user, fired) == [counted(user, "a1 to 1", THREE)]

    def test_invoke_the_action_from_a_package_attached_on_trigger_fire_creating_an_activation_for_each_entity_including_the_cause(  # noqa: E501 - upstream's words
        self, user: User
    ) -> None:
        user.make_package("rule pkg")
        counting(user, "rule pkg/a1 to 1")
        user.make_trigger("t")
        user.make_rule("r", "t", "rule pkg/a1 to 1")
        fired = fire(user, "t", {"payload": THREE})
        assert fired == a_fire(user, "t", {"payload": THREE}, [invoked(user, "r", "rule pkg/a1 to 1")])
        assert runs_of(user, fired) == [counted(user, "rule pkg/a1 to 1", THREE)]

    def test_invoke_the_action_from_a_package_binding_attached_on_trigger_fire_creating_an_activation_for_each_entity_including_the_cause(  # noqa: E501 - upstream's words
        self, user: User
    ) -> None:
        user.make_package("rule pkg")
        user.make_binding("bound pkg", user.namespace, "rule pkg")
        counting(user, "rule pkg/a1 to 1")
        user.make_trigger("t")
        user.make_rule("r", "t", "bound pkg/a1 to 1")
        fired = fire(user, "t", {"payload": THREE})
        assert fired == a_fire(user, "t", {"payload": THREE}, [invoked(user, "r", "bound pkg/a1 to 1")])
        bound = {"binding": f"{user.namespace}/bound pkg"}
        assert runs_of(user, fired) == [counted(user, "rule pkg/a1 to 1", THREE, ran=bound)]

    def test_not_activate_an_action_if_the_rule_is_deleted_when_the_trigger_is_fired(self, user: User) -> None:
        counting(user, "a")
        user.make_trigger("t")
        user.make_rule("r", "t", "a")
        assert fire(user, "t", {"payload": "bogus"})["logs"] == [invoked(user, "r", "a")]
        user.delete("rules/r").gives(a_rule(user, "r", "t", "a", status="inactive"))
        user.post("triggers/t", {"payload": "bogus2"}).is_empty(204)
        assert [run["name"] for run in user.activations(2)] == ["a", "t"]

    def test_enable_and_disable_a_rule_and_check_action_is_activated_only_when_rule_is_enabled(
        self, user: User
    ) -> None:
        counting(user, "a")
        user.make_trigger("t")
        user.make_rule("r", "t", "a")
        first = fire(user, "t", {"payload": THREE})
        user.post("rules/r", {"status": "inactive"}).is_empty(200)
        user.post("triggers/t", {"payload": "with added words"}).is_empty(204)
        user.post("rules/r", {"status": "active"}).is_empty(200)
        third = fire(user, "t", {"payload": FOUR})
        assert runs_of(user, first) == [counted(user, "a", THREE)]
        assert runs_of(user, third) == [counted(user, "a", FOUR)]
        assert len(user.activations(4)) == 4

    def test_be_able_to_recreate_a_rule_with_the_same_name_and_match_it_successfully(self, user: User) -> None:
        counting(user, "a")
        user.make_trigger("t1")
        user.make_rule("r", "t1", "a")
        assert user.delete("rules/r").status == 200
        user.make_trigger("t2")
        user.make_rule("r", "t2", "a")
        fired = fire(user, "t2", {"payload": THREE})
        assert fired == a_fire(user, "t2", {"payload": THREE}, [invoked(user, "r", "a")])
        assert runs_of(user, fired) == [counted(user, "a", THREE)]
        user.post("triggers/t1", {"payload": THREE}).is_empty(204)

    def test_connect_two_triggers_via_rules_to_one_action_and_activate_it_accordingly(self, user: User) -> None:
        counting(user, "a")
        for number, text in (("1", THREE), ("2", FOUR)):
            user.make_trigger(f"t{number}")
            user.make_rule(f"r{number}", f"t{number}", "a")
            fired = fire(user, f"t{number}", {"payload": text})
            assert fired == a_fire(user, f"t{number}", {"payload": text}, [invoked(user, f"r{number}", "a")])
            assert runs_of(user, fired) == [counted(user, "a", text)]

    def test_connect_one_trigger_to_two_different_actions_invoking_them_both_eventually(self, user: User) -> None:
        counting(user, "a")
        user.make_action("b", HELLO, kind=NODE)
        user.make_trigger("t")
        user.make_rule("ra", "t", "a")
        user.make_rule("rb", "t", "b")
        fired = fire(user, "t", {"payload": THREE})
        assert fired == a_fire(user, "t", {"payload": THREE}, [invoked(user, "ra", "a"), invoked(user, "rb", "b")])
        assert runs_of(user, fired) == [counted(user, "a", THREE), greeted(user, "b", THREE)]

    def test_connect_two_triggers_to_two_different_actions_invoking_them_both_eventually(self, user: User) -> None:
        counting(user, "a")
        user.make_action("b", HELLO, kind=NODE)
        for trigger in ("t1", "t2"):
            user.make_trigger(trigger)
            user.make_rule(f"{trigger} to a", trigger, "a")
            user.make_rule(f"{trigger} to b", trigger, "b")
        for trigger, text in (("t1", THREE), ("t2", FOUR)):
            fired = fire(user, trigger, {"payload": text})
            lines = [invoked(user, f"{trigger} to {action}", action) for action in ("a", "b")]
            assert fired == a_fire(user, trigger, {"payload": text}, lines)
            assert runs_of(user, fired) == [counted(user, "a", text), greeted(user, "b", text)]

    def test_disable_a_rule_and_check_its_status_is_displayed_when_listed(self, user: User) -> None:
        user.make_trigger("t")
        user.make_action("a")
        user.make_rule("disabled", "t", "a")
        user.make_rule("enabled", "t", "a")
        user.post("rules/disabled", {"status": "inactive"}).is_empty(200)
        user.get("rules/enabled").gives(a_rule(user, "enabled", "t", "a"))
        user.get("rules/disabled").gives(a_rule(user, "disabled", "t", "a", status="inactive"))
        listed = [a_rule(user, name, "t", "a") for name in ("disabled", "enabled")]
        for rule in listed:
            del rule["status"]
        assert sorted(user.get("rules").json, key=lambda rule: str(rule["name"])) == listed

    @pytest.mark.parametrize("trigger", ["t1", "t2"])
    @pytest.mark.parametrize("status", ["active", "inactive"])
    def test_preserve_rule_status_when_a_rule_is_updated(self, user: User, trigger: str, status: str) -> None:
        user.make_trigger("t1")
        user.make_trigger("t2")
        user.make_action("a1 to 1")
        user.make_rule("r", "t1", "a1 to 1")
        user.post("rules/r", {"status": status}).is_empty(200)
        shown = a_rule(user, "r", trigger, "a1 to 1", version="0.0.2", status=status)
        body = {"trigger": f"/_/{trigger}", "action": "/_/a1 to 1"}
        user.put("rules/r", body, overwrite=True).gives(shown)
        user.get("rules/r").gives(shown)
        if status == "inactive":
            user.post(f"triggers/{trigger}").is_empty(204)
        else:
            assert fire(user, trigger)["logs"] == [invoked(user, "r", "a1 to 1")]
