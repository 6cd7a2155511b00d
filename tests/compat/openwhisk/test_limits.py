"""Upstream's suites of limits: what a namespace may use, and how it is told that it may not."""

import json

import pytest

from compat.openwhisk.asking import ECHO, ID, MISSING, Answer, User, an_action, matching

DEFAULTS = {
    "invocationsPerMinute": 600_000,
    "concurrentInvocations": 10_000,
    "firesPerMinute": 600_000,
    "maxParameterSize": "1 MB",
    "minActionTimeout": 100,
    "maxActionTimeout": 300_000,
    "minActionMemory": 128,
    "maxActionMemory": 512,
    "minActionLogs": 0,
    "maxActionLogs": 10,
    "minActionConcurrency": 1,
    "maxActionConcurrency": 1,
}
TOO_MANY = r"Too many requests in the last minute \(count: {count}, allowed: {allowed}\)\."
BODY = {"exec": {"kind": "python:3", "code": ECHO}}


def limit(user: User, **limits: object) -> Answer:
    """What the operator does for somebody's namespace."""
    token = (user.server.data / "operator.token").read_text().strip()
    path = f"/platform/v1/namespaces/{user.namespace}/limits"
    headers = {"Authorization": f"Bearer {token}"}
    return user.send("PUT" if limits else "DELETE", path, headers=headers, auth=None, json=limits or None)


def too_many(count: int, allowed: int) -> object:
    return matching(TOO_MANY.format(count=count, allowed=allowed))


class TestLimits:
    def test_list_default_system_limits_if_no_namespace_limits_are_set(self, user: User) -> None:
        user.get("limits").gives(DEFAULTS)

    def test_list_set_limits_if_limits_have_been_set_for_the_namespace(self, user: User) -> None:
        given = {
            "invocationsPerMinute": 100,
            "concurrentInvocations": 2,
            "firesPerMinute": 3,
            "allowedKinds": ["nodejs:20", "blackbox"],
            "storeActivations": False,
            "maxActionTimeout": 1000,
            "maxActionMemory": 256,
            "maxActionLogs": 1,
        }
        limit(user, **given).gives({**DEFAULTS, **given})
        user.get("limits").gives({**DEFAULTS, **given})
        limit(user).is_empty(204)
        user.get("limits").gives(DEFAULTS)

    def test_reject_requests_for_unsupported_methods(self, user: User) -> None:
        for method in ("PUT", "POST", "DELETE"):
            answer = user.send(method, "limits")
            answer.refuses(405, "HTTP method not allowed, supported methods: GET")

    def test_reject_all_methods_for_entity_level_request(self, user: User) -> None:
        for method in ("GET", "PUT", "POST", "DELETE"):
            user.send(method, "limits/limitsEntity").refuses(404, "The requested resource could not be found.")

    def test_reject_who_is_not_the_owner(self, user: User, other: User) -> None:
        text = f"The supplied authentication is not authorized to access '{user.namespace}'."
        other.get(f"/namespaces/{user.namespace}/limits").refuses(403, text)
        other.put(f"/platform/v1/namespaces/{user.namespace}/limits", {"firesPerMinute": 1}).refuses(403, text)
        user.put(f"/platform/v1/namespaces/{user.namespace}/limits", {"firesPerMinute": 1}).refuses(403, text)
        user.get("limits").gives(DEFAULTS)

    @pytest.mark.parametrize(
        ("bound", "limits", "text"),
        [
            ({"maxActionMemory": 256}, {"memory": 257}, "memory size 257 MB exceeds allowed threshold of 256 MB"),
            ({"maxActionLogs": 1}, {"logs": 2}, "log size 2 MB exceeds allowed threshold of 1 MB"),
            (
                {"maxActionTimeout": 70_000},
                {"timeout": 70_001},
                "duration 70001 milliseconds exceeds allowed threshold of 70000 milliseconds",
            ),
        ],
    )
    def test_reject_create_when_a_limit_is_greater_than_maximum_allowed_namespace_limit(
        self, user: User, bound: dict[str, int], limits: dict[str, int], text: str
    ) -> None:
        limit(user, **{"maxActionLogs": 5, **bound})
        usual = {"timeout": 60_000, "memory": 256, "logs": 1, "concurrency": 1}
        user.put("actions/a", {**BODY, "limits": {**usual, **limits}}).refuses(400, text)
        user.put("actions/a", {**BODY, "limits": usual}).gives(an_action(user, "a", limits=usual))


class TestNamespaces:
    def test_list_namespaces_for_subject(self, user: User) -> None:
        for path in ("/namespaces", "/namespaces/"):
            user.get(path).gives([user.namespace])

    def test_reject_request_for_unsupported_method(self, user: User) -> None:
        for method in ("PUT", "POST", "DELETE"):
            user.send(method, "/namespaces").refuses(405, "HTTP method not allowed, supported methods: GET")


class TestKindRestrictor:
    def test_grant_subject_access_to_all_kinds_when_no_limits_exist_and_no_white_list_is_defined(
        self, user: User
    ) -> None:
        for kind in ("python:3", "nodejs:20", "java:17", "go:1.20"):
            body = {"exec": {"kind": kind, "code": "x", "main": "m"}}
            assert user.put(f"actions/{kind.partition(':')[0]}", body).status == 200

    def test_grant_subject_access_to_any_kinds_if_limit_is_the_empty_set(self, user: User) -> None:
        limit(user, allowedKinds=["nodejs:20"])
        limit(user, allowedKinds=[]).gives(DEFAULTS)
        user.put("actions/a", BODY).gives(an_action(user, "a"))

    def test_grant_subject_access_only_to_subject_limited_kinds(self, user: User) -> None:
        user.make_action("before")
        limit(user, allowedKinds=["nodejs:20"])
        text = "The supplied authentication is not authorized to access actions of kind 'python:3'."
        for kind in ("python:3", "python:default"):
            answer = user.put("actions/a", {"exec": {"kind": kind, "code": ECHO}})
            assert (answer.status, answer.json["error"]) == (403, text)
        invoked = user.post("actions/before", blocking=True)
        assert (invoked.status, invoked.json["error"]) == (403, text)
        user.get("activations").gives([])
        shown = an_action(user, "n", kind="nodejs:20", code="x")
        user.put("actions/n", {"exec": {"kind": "nodejs:default", "code": "x"}}).gives(shown)

    def test_reject_a_component_of_a_kind_that_the_subject_may_not_run(self, user: User) -> None:
        user.make_action("a")
        user.make_sequence("s", ["/_/a"])
        limit(user, allowedKinds=["sequence"])
        record = user.invoke("s")
        assert record["response"]["status"] == "application error"
        assert "kind 'python:3'" in record["response"]["result"]["error"]

    def test_not_fire_a_rule_whose_action_is_of_a_kind_that_the_subject_may_not_run(self, user: User) -> None:
        user.make_action("a")
        user.make_trigger("t")
        user.make_rule("r", "t", "a")
        limit(user, allowedKinds=["nodejs:20"])
        told = user.post("triggers/t")
        line = json.loads(user.ended(told.json["activationId"])["logs"][0])
        text = "The supplied authentication is not authorized to access actions of kind 'python:3'."
        assert (line["success"], line["error"]) == (False, text)


class TestRateThrottle:
    def test_throttle_when_rate_exceeds_allowed_threshold(self, user: User) -> None:
        user.make_action("a")
        limit(user, invocationsPerMinute=1)
        answers = [user.post("actions/a") for _ in range(4)]  # a minute may end among them
        assert answers[0].status == 202
        answers[-1].refuses(429, matching(TOO_MANY.format(count="[234]", allowed="1")))

    def test_check_against_an_alternative_limit_if_passed_in(self, user: User, other: User) -> None:
        for one in (user, other):
            one.make_action("a")
        limit(user, invocationsPerMinute=0)
        user.post("actions/a").refuses(429, too_many(1, 0))
        other.post("actions/a").gives({"activationId": ID}, 202)


class TestThrottle:
    def test_throttle_multiple_activations_of_one_action(self, user: User) -> None:
        user.make_action("a")
        limit(user, invocationsPerMinute=3)
        statuses = [user.post("actions/a").status for _ in range(8)]
        assert statuses[:3] == [202] * 3
        assert 429 in statuses

    def test_throttle_multiple_activations_of_one_trigger(self, user: User) -> None:
        user.make_action("a")
        user.make_trigger("t")
        user.make_rule("r", "t", "a")
        limit(user, firesPerMinute=2)
        answers = [user.post("triggers/t") for _ in range(6)]
        assert [answer.status for answer in answers[:2]] == [202] * 2
        answers[-1].refuses(429, matching(TOO_MANY.format(count="[3456]", allowed="2")))

    def test_respect_overridden_rate_throttles_of_0(self, user: User) -> None:
        user.make_action("a")
        user.make_trigger("t")
        user.make_rule("r", "t", "a")
        limit(user, invocationsPerMinute=0, firesPerMinute=0)
        user.post("actions/a").refuses(429, too_many(1, 0))
        user.post("triggers/t").refuses(429, too_many(1, 0))

    def test_respect_overridden_concurrent_throttles_of_0(self, user: User) -> None:
        user.make_action("a")
        limit(user, concurrentInvocations=0)
        text = "Too many concurrent requests in flight (count: 0, allowed: 0)."
        user.post("actions/a").refuses(429, text)

    def test_respect_overridden_rate_throttles_of_1_for_sequences(self, user: User) -> None:
        """A sequence counts once, whatever it is made of."""
        user.make_action("a")
        user.make_sequence("s", ["/_/a", "/_/a", "/_/a"])
        limit(user, invocationsPerMinute=1)
        assert user.result("s", {"x": 1}) == {"x": 1}

    def test_throttle_web_actions_as_their_owner(self, user: User, other: User) -> None:
        user.make_action("a", web=True)
        limit(user, invocationsPerMinute=0)
        user.visit("default/a.json").refuses(429, too_many(1, 0))

    def test_not_store_an_activation_if_disabled_for_this_namespace(self, user: User) -> None:
        user.make_action("a")
        user.make_sequence("s", ["/_/a", "/_/a"])
        user.make_trigger("t")
        user.make_rule("r", "t", "a")
        limit(user, storeActivations=False)
        for name in ("a", "s"):
            told = user.post(f"actions/{name}", {"x": 1}, blocking=True)
            assert (told.status, told.json["response"]["result"]) == (200, {"x": 1})
            user.get(f"activations/{told.json['activationId']}").refuses(404, MISSING)
        user.post("triggers/t").gives({"activationId": ID}, 202)
        limit(user, storeActivations=True)
        kept = user.post("actions/a", blocking=True).json
        assert [one["activationId"] for one in user.activations(1)] == [kept["activationId"]]
        user.get("activations", count=True).gives({"activations": 1})
        usage = user.until(lambda: _runs(user, 5))
        assert usage >= 5

    def test_tell_what_is_wrong_with_a_limit(self, user: User) -> None:
        limit(user, maxActionMemory=1024).refuses(400, "maxActionMemory must be in the range of 128 to 512.")
        limit(user, firesPerMinute=-1).refuses(400, "firesPerMinute must be in the range of 0 to 1000000000.")
        limit(user, allowedKinds=["perl:5"]).refuses(400, matching(r".*The specified runtime 'perl:5' is not supp.*"))
        user.get("limits").gives(DEFAULTS)


def _runs(user: User, at_least: int) -> int:
    """How many runs were charged, as soon as there are so many."""
    rows = user.get(f"/platform/v1/namespaces/{user.namespace}/usage").json
    runs = sum(row["activations"] for row in rows)
    return runs if runs >= at_least else 0
