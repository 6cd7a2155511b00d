"""Upstream's `ActivationsApiTests`: how what was run is listed, filtered and read."""

import pytest

from compat.openwhisk import pages
from compat.openwhisk.asking import ID, MISSING, MS, Like, User, matching

PRINT = "import sys\ndef main(args):\n    print('out')\n    print('err', file=sys.stderr)\n    return args\n"
FAIL = "def main(args):\n    return {'error': 'no'}\n"
ANNOTATIONS = Like("annotations", lambda it: isinstance(it, list) and all(set(each) == {"key", "value"} for each in it))


def summary(user: User, name: str = "a", **changed: object) -> dict[str, object]:
    shown = {
        "namespace": user.namespace,
        "name": name,
        "version": "0.0.1",
        "activationId": ID,
        "start": MS,
        "end": MS,
        "duration": Like("ms", lambda it: isinstance(it, int) and 0 <= it < 60_000),
        "annotations": ANNOTATIONS,
        "publish": False,
        "statusCode": 0,
    }
    return {**shown, **changed}


def record(user: User, name: str = "a", **changed: object) -> dict[str, object]:
    shown = summary(user, name, subject=user.namespace, logs=[])
    del shown["statusCode"]
    return {**shown, "response": {"status": "success", "success": True, "result": {}, "size": 2}, **changed}


@pytest.fixture
def run(user: User) -> User:
    """Has run `a` three times, and `p/a` once before."""
    user.make_package("p")
    for name in ("a", "p/a"):
        user.make_action(name)
    for name in ("p/a", "a", "a", "a"):
        user.invoke(name)
    user.activations(4)
    return user


class TestActivations:
    def test_get_summary_activation_by_namespace(self, run: User, other: User) -> None:
        other.make_action("a")
        other.invoke("a")
        run.get("activations").gives([summary(run)] * 4)
        run.get("activations", count=True).gives({"activations": 4})

    def test_list_activations_with_explicit_namespace_owned_by_subject(self, run: User) -> None:
        run.get(f"/namespaces/{run.namespace}/activations").gives([summary(run)] * 4)

    def test_reject_list_activations_with_explicit_namespace_not_owned_by_subject(
        self, user: User, other: User
    ) -> None:
        text = f"The supplied authentication is not authorized to access '{other.namespace}'."
        user.get(f"/namespaces/{other.namespace}/activations").refuses(403, text)

    def test_return_empty_list_when_no_activations_exist(self, user: User) -> None:
        user.get("activations").gives([])
        user.get("activations", count=True).gives({"activations": 0})

    def test_get_full_activation_by_namespace(self, run: User) -> None:
        run.get("activations", docs=True).gives([record(run)] * 4)
        run.get("activations", docs=True, limit=1).gives([record(run)])

    def test_get_full_activation_by_namespace_within_a_date_range(self, run: User) -> None:
        starts = [one["start"] for one in run.get("activations").json]
        assert starts == sorted(starts, reverse=True)
        for query, expected in (
            ({"since": starts[2], "upto": starts[1]}, [s for s in starts if starts[2] <= s <= starts[1]]),
            ({"upto": starts[2]}, [s for s in starts if s <= starts[2]]),
            ({"since": starts[2]}, [s for s in starts if s >= starts[2]]),
            ({"since": starts[0] + 1}, []),
        ):
            assert [one["start"] for one in run.get("activations", docs=True, **query).json] == expected
            run.get("activations", count=True, **query).gives({"activations": len(expected)})

    @pytest.mark.parametrize("query", [{}, {"name": ""}, {"name": "abc"}, {"name": "abc/xyz"}])
    def test_accept_valid_name_parameters(self, user: User, query: dict[str, str]) -> None:
        user.get("activations", **query).gives([])

    @pytest.mark.parametrize("name", ["abc/xyz/123", "0 ", "/"])
    def test_reject_get_activation_by_namespace_and_action_name_when_action_name_is_not_a_valid_name(
        self, user: User, name: str
    ) -> None:
        text = f"Parameter may be a 'simple' name or 'package-name/simple' name: {name}"
        user.get("activations", name=name).refuses(400, f"The query parameter 'name' was malformed:\n{text}")

    def test_get_summary_activation_by_namespace_and_action_name(self, run: User) -> None:
        run.get("activations", name="a").gives([summary(run)] * 3)
        run.get("activations", name="a", count=True).gives({"activations": 3})
        run.get("activations", name="p/a").gives([summary(run)])
        run.get("activations", name="p/a", count=True).gives({"activations": 1})
        run.get("activations", name="p").gives([])

    def test_reject_invalid_query_parameter_combinations(self, user: User) -> None:
        text = "The parameter 'docs' is not permitted with 'count'."
        user.get("activations", docs=True, count=True).refuses(400, text)

    def test_reject_list_when_limit_is_greater_than_maximum_allowed_value(self, user: User) -> None:
        pages.refuses_a_limit_beyond_the_maximum(user, "activations")

    def test_reject_list_when_limit_is_not_an_integer(self, user: User) -> None:
        pages.refuses_a_limit_that_is_no_integer(user, "activations")

    def test_reject_list_when_skip_is_negative(self, user: User) -> None:
        pages.refuses_a_negative_skip(user, "activations")

    def test_reject_list_when_skip_is_not_an_integer(self, user: User) -> None:
        pages.refuses_a_skip_that_is_no_integer(user, "activations")

    @pytest.mark.parametrize("name", ["since", "upto"])
    def test_reject_get_activation_with_invalid_since_upto_value(self, user: User, name: str) -> None:
        text = "Parameter is not a valid value for epoch seconds: xxx"
        user.get("activations", **{name: "xxx"}).refuses(400, f"The query parameter '{name}' was malformed:\n{text}")

    def test_skip_activations_and_return_correct_ones(self, run: User) -> None:
        ids = [one["activationId"] for one in run.get("activations").json]
        assert [one["activationId"] for one in run.get("activations", skip=1).json] == ids[1:]
        assert [one["activationId"] for one in run.get("activations", skip=1, limit=2).json] == ids[1:3]
        run.get("activations", skip=4).gives([])
        run.get("activations", skip=3, count=True).gives({"activations": 1})

    def test_return_last_activation(self, run: User) -> None:
        last = run.invoke("a")["activationId"]
        assert [one["activationId"] for one in run.get("activations", limit=1).json] == [last]

    # --- one ---

    def test_get_activation_by_id(self, user: User) -> None:
        user.make_action("a", PRINT)
        invoked = user.invoke("a", {"x": 1})
        lines = [matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z +stdout: out"), matching(r".{31}stderr: err")]
        assert sorted(invoked["logs"], key=lambda line: line[31:]) == [lines[1], lines[0]]
        response = {"status": "success", "success": True, "result": {"x": 1}, "size": 7}
        shown = record(user, activationId=invoked["activationId"], logs=invoked["logs"], response=response)
        user.get(f"activations/{invoked['activationId']}").gives(shown)
        assert user.get(f"activations/{invoked['activationId']}").json == invoked

    def test_get_activation_by_name_in_explicit_namespace_owned_by_subject(self, user: User) -> None:
        user.make_action("a")
        activation_id = user.invoke("a")["activationId"]
        path = f"/namespaces/{user.namespace}/activations/{activation_id}"
        user.get(path).gives(record(user, activationId=activation_id))

    def test_reject_get_activation_by_name_in_explicit_namespace_not_owned_by_subject(
        self, user: User, other: User
    ) -> None:
        user.make_action("a")
        activation_id = user.invoke("a")["activationId"]
        text = f"The supplied authentication is not authorized to access '{user.namespace}/{activation_id}'."
        other.get(f"/namespaces/{user.namespace}/activations/{activation_id}").refuses(403, text)
        other.get(f"activations/{activation_id}").refuses(404, MISSING)

    def test_get_activation_result_by_id(self, user: User) -> None:
        user.make_action("a")
        activation_id = user.invoke("a", {"x": "y"})["activationId"]
        shown = {"status": "success", "success": True, "result": {"x": "y"}, "size": 9}
        user.get(f"activations/{activation_id}/result").gives(shown)

    def test_get_the_result_of_what_failed(self, user: User) -> None:
        user.make_action("a", FAIL)
        invoked = user.invoke("a")
        shown = {"status": "application error", "success": False, "result": {"error": "no"}, "size": 14}
        user.get(f"activations/{invoked['activationId']}/result").gives(shown)
        user.get("activations").gives([summary(user, statusCode=1)])

    def test_get_activation_logs_by_id(self, user: User) -> None:
        user.make_action("a", PRINT)
        invoked = user.invoke("a")
        user.get(f"activations/{invoked['activationId']}/logs").gives({"logs": invoked["logs"]})

    def test_reject_request_to_get_invalid_activation_resource(self, user: User) -> None:
        user.make_action("a")
        activation_id = user.invoke("a")["activationId"]
        text = "The requested resource could not be found."
        user.get(f"activations/{activation_id}/bogus").refuses(404, text)
        user.get(f"activations/{'0' * 32}").refuses(404, MISSING)

    def test_reject_get_requests_with_invalid_activation_ids(self, user: User) -> None:
        for given in ("abc", "1" * 33):
            text = f"Activation id length is {len(given)} but must be 32."
            user.get(f"activations/{given}").refuses(400, text)
        user.get(f"activations/{'z' * 32}").refuses(400, "The activation id is not valid.")

    @pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
    def test_reject_request_with_put_post_or_delete(self, user: User, method: str) -> None:
        for path in (f"activations/{'0' * 32}", "activations"):
            user.send(method, path).refuses(405, "HTTP method not allowed, supported methods: GET")
