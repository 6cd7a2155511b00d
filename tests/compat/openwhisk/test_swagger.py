"""Upstream's `SwaggerTests` and `ActionSchemaTests`: the API describes itself, and does as it says."""

from typing import Any

from jsonschema import Draft202012Validator

from compat.openwhisk.asking import Answer, User, differs
from compat.openwhisk.programs import NODE, WORD_COUNT

NO_ROUTE = "The requested resource could not be found."
CONTENTS = "/api/v1/namespaces/{namespace}/actions/{package}/"


def description(user: User) -> dict[str, Any]:
    """Which is told to everybody."""
    answer = user.send("GET", "/api-docs", auth=None)
    told: dict[str, Any] = answer.gives(answer.json)
    return told


def is_as_described(answer: Answer, told: dict[str, Any], path: str) -> None:
    schema = told["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer.status == 200
    assert list(Draft202012Validator({**schema, "components": told["components"]}).iter_errors(answer.json)) == []


class TestSwagger:
    @differs("a page without scripts instead of Swagger UI: any viewer of OpenAPI shows what /api-docs describes")
    def test_respond_to_docs_with_swagger_ui(self, user: User) -> None:
        user.send("GET", "/docs", auth=None).is_empty(308, {"location": "/api/v1/docs/index.html"})
        shown = user.send("GET", "/docs/index.html", auth=None)
        assert (shown.status, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "/api/v1/namespaces/{namespace}/actions" in shown.content.decode()

    @differs("the description is OpenAPI 3.1, and made of the very table that answers")
    def test_respond_to_api_docs_with_swagger_xml(self, user: User) -> None:
        told = description(user)
        assert set(told) == {"openapi", "info", "paths", "components"}
        assert told["openapi"] == "3.1.0"
        for path in ("actions/{name}", "packages/{name}", "triggers/{name}", "rules/{name}", "activations"):
            assert "get" in told["paths"][f"/api/v1/namespaces/{{namespace}}/{path}"]

    @differs(
        "what lists show are schemas of their own too, named ActionSummary, ExecSummary, RuleSummary, TriggerSummary"
    )
    def test_respond_to_api_docs_including_actionmeta_actionexecmeta_rulemeta_triggermeta(self, user: User) -> None:
        told = description(user)
        for name in ("ActionSummary", "ExecSummary", "RuleSummary", "TriggerSummary"):
            assert told["components"]["schemas"][name]["type"] == "object"
        for name in ("Action", "Rule", "Trigger"):
            path = told["paths"][f"/api/v1/namespaces/{{namespace}}/{name.lower()}s"]
            listed = path["get"]["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"][0]
            assert listed == {"type": "array", "items": {"$ref": f"#/components/schemas/{name}Summary"}}

    def test_respond_to_invalid_uri_with_status_code_404(self, user: User) -> None:
        user.get("/docs/dummy").refuses(404, NO_ROUTE)


class TestActionSchema:
    def test_respond_to_get_actions_as_documented_in_swagger(self, user: User) -> None:
        told = description(user)
        user.make_package("samples", publish=True)
        user.get("actions/samples/").gives([])
        user.make_action("samples/wordCount", WORD_COUNT, kind=NODE)
        answer = user.get("actions/samples/")
        is_as_described(answer, told, CONTENTS)
        assert [one["name"] for one in answer.json] == ["wordCount"]

    def test_respond_to_get_actions_samples_wordcount_as_documented_in_swagger(self, user: User) -> None:
        user.make_package("samples", publish=True)
        user.make_action("samples/wordCount", WORD_COUNT, kind=NODE)
        answer = user.get("actions/samples/wordCount")
        is_as_described(answer, description(user), f"{CONTENTS}{{name}}")
        assert answer.json["exec"]["code"] == WORD_COUNT
