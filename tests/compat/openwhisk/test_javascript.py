"""What OpenWhisk's library for JavaScript sends: a question mark with nothing after it, and headers of its own."""

import pytest

from compat.openwhisk.asking import NODE_ECHO, a_rule, a_trigger, an_action
from compat.openwhisk.commands import Commands


class TestJavaScriptClient:
    @pytest.mark.parametrize("code", ["", NODE_ECHO])
    def test_actions_create_get_and_delete(self, javascript: Commands, code: str) -> None:
        body = {"exec": {"kind": "nodejs:default", "code": code}}
        shown = an_action(javascript, "hello", kind="nodejs:20", code=code)
        path = f"/namespaces/{javascript.namespace}/actions/hello?"
        javascript.ask("PUT", path, body).gives(shown, headers={"x-request-id": "mine"})
        javascript.ask("PUT", path, body).refuses(409, "resource already exists")
        javascript.ask("GET", path).gives(shown)
        javascript.ask("DELETE", path).gives(shown)

    def test_actions_invoke_of_a_fully_qualified_name(self, javascript: Commands) -> None:
        path = "/namespaces/whisk.system/actions/utils/sort?blocking=true"
        told = javascript.ask("POST", path, {"lines": ["b", "a"]}).json
        assert (told["namespace"], told["response"]["result"]["lines"]) == (javascript.namespace, ["a", "b"])

    def test_rules_create_and_disable(self, javascript: Commands) -> None:
        javascript.make_action("a")
        javascript.ask("PUT", "triggers/t?", {}).gives(a_trigger(javascript, "t"))
        body = {"action": f"/{javascript.namespace}/a", "trigger": f"/{javascript.namespace}/t"}
        javascript.ask("PUT", "rules/r?", body).gives(a_rule(javascript, "r", "t", "a"))
        javascript.ask("POST", "rules/r?", {"status": "inactive"}).is_empty(200)
        javascript.ask("GET", "rules/r?").gives(a_rule(javascript, "r", "t", "a", status="inactive"))

    def test_namespaces_get(self, javascript: Commands) -> None:
        for collection in ("actions", "packages", "triggers", "rules"):
            javascript.ask("GET", f"{collection}?").gives([])
