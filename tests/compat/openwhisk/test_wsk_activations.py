"""Upstream's `WskActivationTests` and `WskActivationLogsTests`: what is told of an activation afterwards."""

from compat.openwhisk.asking import COUNT, User
from compat.openwhisk.programs import HELLO, NODE
from compat.openwhisk.records import a_record, printed

BOTH = "function main() { console.log('this is stdout'); console.error('this is stderr'); }"


class TestWskActivation:
    def test_fetch_result_using_activation_result_api(self, user: User) -> None:
        user.make_action("hello", HELLO, kind=NODE)
        result = {"payload": "hello, undefined!"}
        record = user.invoke("hello")
        shown = {"result": result, "success": True, "status": "success", "size": COUNT}
        user.until(lambda: user.get(f"activations/{record['activationId']}").status == 200)
        user.get(f"activations/{record['activationId']}/result").gives(shown)

    def test_invoke_a_shared_action_under_a_different_invocation_namespace(self, user: User, other: User) -> None:
        user.make_package("p", publish=True)
        user.make_action("p/a")
        path = f"/namespaces/{user.namespace}/actions/p/a"
        ran = {"path": f"{user.namespace}/p/a"}
        for asking in (user, other):
            answer = asking.post(path, {"x": 1}, blocking=True)
            record = answer.gives(a_record(asking, "p/a", {"x": 1}, ran=ran))
            assert asking.ended(record["activationId"]) == record
            assert len(asking.activations(1)) == 1


class TestWskActivationLogs:
    def test_fetch_logs_using_activation_logs_api(self, user: User) -> None:
        user.make_action("a", BOTH, kind=NODE)
        activation_id = user.ended(user.invoke("a")["activationId"])["activationId"]
        answer = user.get(f"activations/{activation_id}/logs")
        lines = answer.gives({"logs": answer.json["logs"]})["logs"]
        assert len(lines) == 2
        for expected in (printed("this is stdout"), printed("this is stderr", "stderr")):
            assert lines.count(expected) == 1
