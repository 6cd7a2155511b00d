"""What `wsk` sends for its commands, second part: triggers, feeds and rules."""

from typing import Any

import pytest

from compat.openwhisk.asking import COUNT, ECHO, ID, Answer, a_rule, a_trigger, pairs
from compat.openwhisk.commands import Commands

NOT_FOUND = "The requested resource does not exist."
ALARM = "/whisk.system/alarms/alarm"
FED = [{"key": "feed", "value": ALARM}]
SUCCESS = {"status": "success"}
FEED = (
    "def main(args):\n    return {'error': 'no ' + args['lifecycleEvent']} if args.get('fail') else {'asked': args}\n"
)


def result_of(answer: Answer) -> Any:
    """What a feed gave, from the record of its activation."""
    return answer.json["response"]["result"]


class TestWskCliTriggers:
    def test_wsk_trigger_create_t(self, wsk: Commands) -> None:
        wsk.ask("PUT", "triggers/t?overwrite=false", {"name": "t"}).gives(a_trigger(wsk, "t"))
        wsk.ask("PUT", "triggers/t?overwrite=false", {"name": "t"}).refuses(409, "resource already exists")

    def test_wsk_trigger_create_t_with_parameters_and_annotations(self, wsk: Commands) -> None:
        body = {"name": "t", "annotations": pairs(a=1), "parameters": pairs(b={"c": "d"})}
        expected = a_trigger(wsk, "t", annotations=pairs(a=1), parameters=pairs(b={"c": "d"}))
        wsk.ask("PUT", "triggers/t?overwrite=false", body).gives(expected)

    def test_wsk_trigger_update_t(self, wsk: Commands) -> None:
        wsk.ask("GET", "triggers/t").refuses(404, NOT_FOUND)
        wsk.ask("PUT", "triggers/t?overwrite=false", {"name": "t"}).gives(a_trigger(wsk, "t"))
        wsk.ask("GET", "triggers/t").gives(a_trigger(wsk, "t"))
        body = {"name": "t", "parameters": pairs(b="c")}
        expected = a_trigger(wsk, "t", version="0.0.2", parameters=pairs(b="c"))
        wsk.ask("PUT", "triggers/t?overwrite=true", body).gives(expected)

    def test_wsk_trigger_list(self, wsk: Commands) -> None:
        for name in ("t", "u"):
            wsk.make_trigger(name, parameters=pairs(a=1))
        listed = [a_trigger(wsk, name) for name in ("u", "t")]
        for one in listed:
            del one["parameters"], one["limits"]
        wsk.ask("GET", "triggers?limit=30&skip=0").gives(listed)
        wsk.ask("GET", "triggers?limit=1&skip=1").gives(listed[1:])

    def test_wsk_trigger_fire_t(self, wsk: Commands) -> None:
        wsk.make_trigger("t")
        wsk.ask("POST", "triggers/t", {}).is_empty(204)
        wsk.make_action("a")
        wsk.make_rule("r", "t", "a")
        told = wsk.ask("POST", "triggers/t", {"payload": "x"})
        told.gives({"activationId": ID}, 202, {"x-openwhisk-activation-id": ID})
        (ran,) = wsk.activations(1, name="a")
        assert ran["response"]["result"]["payload"] == "x"

    def test_wsk_trigger_delete_t(self, wsk: Commands) -> None:
        wsk.make_trigger("t")
        wsk.ask("GET", "triggers/t").gives(a_trigger(wsk, "t"))
        wsk.ask("DELETE", "triggers/t").gives(a_trigger(wsk, "t"))
        wsk.ask("GET", "triggers/t").refuses(404, NOT_FOUND)


class TestWskCliFeeds:
    def test_wsk_trigger_create_t_feed(self, wsk: Commands) -> None:
        body = {"name": "t", "annotations": FED}
        wsk.ask("PUT", "triggers/t?overwrite=false", body).gives(a_trigger(wsk, "t", annotations=FED))
        made = wsk.configure(ALARM, "CREATE", "t", cron="0 0 1 1 *", trigger_payload={"a": 1})
        assert (made.status, result_of(made)) == (200, SUCCESS)

    def test_wsk_trigger_get_update_and_delete_of_a_trigger_with_a_feed(self, wsk: Commands) -> None:
        self.test_wsk_trigger_create_t_feed(wsk)
        wsk.ask("GET", "triggers/t").gives(a_trigger(wsk, "t", annotations=FED))
        told = result_of(wsk.configure(ALARM, "READ", "t"))
        assert told["config"] == {
            "name": "t",
            "namespace": wsk.namespace,
            "payload": {"a": 1},
            "cron": "0 0 1 1 *",
            "strict": False,
        }
        wsk.ask("GET", "triggers/t")
        assert result_of(wsk.configure(ALARM, "UPDATE", "t", cron="0 0 2 1 *")) == SUCCESS
        assert result_of(wsk.configure(ALARM, "READ", "t"))["config"]["cron"] == "0 0 2 1 *"
        wsk.ask("GET", "triggers/t")
        assert result_of(wsk.configure(ALARM, "DELETE", "t")) == SUCCESS
        wsk.ask("DELETE", "triggers/t").gives(a_trigger(wsk, "t", annotations=FED))

    def test_wsk_trigger_create_t_feed_that_fails(self, wsk: Commands) -> None:
        """`wsk` takes the trigger away again, having asked the feed to."""
        wsk.ask("PUT", "triggers/t?overwrite=false", {"name": "t", "annotations": FED})
        failed = wsk.configure(ALARM, "CREATE", "t")
        assert failed.status == 502
        assert "code" not in failed.json
        error = {"error": "alarms trigger feed is missing the cron parameter"}
        assert failed.json["response"] == {
            "status": "application error",
            "success": False,
            "result": {"error": error},
            "size": COUNT,
        }
        wsk.ask("GET", "triggers/t").gives(a_trigger(wsk, "t", annotations=FED))
        assert wsk.configure(ALARM, "DELETE", "t").status == 502
        wsk.ask("DELETE", "triggers/t").gives(a_trigger(wsk, "t", annotations=FED))
        wsk.ask("GET", "triggers/t").refuses(404, NOT_FOUND)

    def test_wsk_trigger_create_t_feed_that_is_not_there(self, wsk: Commands) -> None:
        absent = "/whisk.system/alarms/absent"
        body = {"name": "t", "annotations": [{"key": "feed", "value": absent}]}
        wsk.ask("PUT", "triggers/t?overwrite=false", body)
        wsk.configure(absent, "CREATE", "t").refuses(404, NOT_FOUND)
        wsk.ask("DELETE", "triggers/t").gives(a_trigger(wsk, "t", annotations=body["annotations"]))

    def test_wsk_trigger_create_t_feed_of_ones_own(self, wsk: Commands) -> None:
        wsk.make_action("feed", FEED, annotations=pairs(feed=True))
        wsk.ask("PUT", "triggers/t?overwrite=false", {"name": "t", "annotations": pairs(feed="/_/feed")})
        told = result_of(wsk.configure("/_/feed", "CREATE", "t", x=1))
        asked = {"lifecycleEvent": "CREATE", "triggerName": "/_/t", "authKey": wsk.key, "x": 1}
        assert told == {"asked": asked}
        failed = wsk.configure("/_/feed", "UPDATE", "t", fail=True)
        assert (failed.status, result_of(failed)) == (502, {"error": "no UPDATE"})

    @pytest.mark.parametrize("feed", ["", "/", "/a/,", 1])
    def test_wsk_trigger_create_t_feed_whose_name_is_none(self, wsk: Commands, feed: object) -> None:
        body = {"name": "t", "annotations": pairs(feed=feed)}
        wsk.ask("PUT", "triggers/t?overwrite=false", body).refuses(400, "Feed name is not valid")


@pytest.fixture
def ready(wsk: Commands) -> Commands:
    """With a trigger `t` and an action `a`."""
    wsk.make_trigger("t")
    wsk.make_action("a", ECHO)
    return wsk


def rule(**more: object) -> dict[str, object]:
    return {"name": "r", "status": "", "trigger": "/_/t", "action": "/_/a", **more}


class TestWskCliRules:
    def test_wsk_rule_create_r_t_a(self, ready: Commands) -> None:
        ready.ask("PUT", "rules/r?overwrite=false", rule()).gives(a_rule(ready, "r", "t", "a"))
        ready.ask("PUT", "rules/r?overwrite=false", rule()).refuses(409, "resource already exists")

    def test_wsk_rule_create_of_what_is_not_there(self, ready: Commands) -> None:
        missing = ready.ask("PUT", "rules/r?overwrite=false", rule(trigger="/_/absent"))
        missing.refuses(400, f"trigger /{ready.namespace}/absent does not exist")
        missing = ready.ask("PUT", "rules/r?overwrite=false", rule(action="/_/absent"))
        missing.refuses(400, f"action /{ready.namespace}/absent does not exist")

    def test_wsk_rule_update_r_t_a(self, ready: Commands) -> None:
        ready.ask("PUT", "rules/r?overwrite=true", rule()).gives(a_rule(ready, "r", "t", "a"))
        ready.make_trigger("u")
        moved = ready.ask("PUT", "rules/r?overwrite=true", rule(trigger="/_/u"))
        moved.gives(a_rule(ready, "r", "u", "a", version="0.0.2"))

    def test_wsk_rule_disable_enable_and_status_r(self, ready: Commands) -> None:
        ready.make_rule("r", "t", "a")
        for status in ("inactive", "inactive", "active", "active"):
            body = {"status": status, "trigger": None, "action": None}
            ready.ask("POST", "rules/r", body).is_empty(200)
            ready.ask("GET", "rules/r").gives(a_rule(ready, "r", "t", "a", status=status))

    def test_wsk_rule_enable_of_what_is_not_there(self, wsk: Commands) -> None:
        body = {"status": "active", "trigger": None, "action": None}
        wsk.ask("POST", "rules/r", body).refuses(404, NOT_FOUND)

    def test_wsk_rule_list(self, ready: Commands) -> None:
        for name in ("r", "s"):
            ready.make_rule(name, "t", "a")
        listed = [a_rule(ready, name, "t", "a") for name in ("s", "r")]
        for one in listed:
            del one["status"]
        ready.ask("GET", "rules?limit=30&skip=0").gives(listed)

    def test_wsk_rule_get_r(self, ready: Commands) -> None:
        ready.make_rule("r", "t", "a")
        ready.ask("GET", "rules/r").gives(a_rule(ready, "r", "t", "a"))
        ready.ask("GET", "rules/absent").refuses(404, NOT_FOUND)

    def test_wsk_rule_delete_r_disable(self, ready: Commands) -> None:
        ready.make_rule("r", "t", "a")
        ready.ask("POST", "rules/r", {"status": "inactive", "trigger": None, "action": None}).is_empty(200)
        ready.ask("DELETE", "rules/r").gives(a_rule(ready, "r", "t", "a", status="inactive"))
        ready.ask("GET", "triggers/t").gives(a_trigger(ready, "t"))
