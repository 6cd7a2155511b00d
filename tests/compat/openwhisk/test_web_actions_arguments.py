"""Upstream's `WebActionsApiTests`, second part: what an action sees of the request."""

import json

import pytest

from compat.openwhisk.asking import base64_of
from compat.openwhisk.visiting import (
    ACTIVATED,
    CORS,
    METHODS,
    NOT_ALLOWED,
    PNG,
    PNG_BASE64,
    PROXY,
    Visitor,
    make_answering,
    make_proxy,
    make_web,
)

MB = 2**20
JSON = {"content-type": "application/json"}
CONTENT = {"extra": "read all about it", "yummy": True}


@pytest.fixture
def visitor(visitor: Visitor) -> Visitor:
    """Who finds upstream's package."""
    make_proxy(visitor.owner)
    return visitor


class TestWebActions:
    def test_invoke_action_and_merge_query_parameters(self, visitor: Visitor) -> None:
        for method in METHODS:
            answer = visitor.send(method, "proxy/export_c.json?a=b&c=d")
            answer.gives(visitor.seen(method, a="b", c="d", **PROXY), headers=ACTIVATED)

    def test_invoke_action_and_merge_body_parameters(self, visitor: Visitor) -> None:
        for method in METHODS:
            for path in ("", "/"):
                answer = visitor.send(method, f"proxy/export_c.json{path}", json=CONTENT)
                answer.gives(visitor.seen(method, "application/json", path, **CONTENT, **PROXY))

    @pytest.mark.parametrize(
        ("sent", "fields"), [("", {}), ("[]", {"__ow_body": []}), ("{}", {}), ("null", {"__ow_body": None})]
    )
    def test_invoke_action_which_receives_an_empty_entity(
        self, visitor: Visitor, sent: str, fields: dict[str, object]
    ) -> None:
        for method in METHODS:
            answer = visitor.send(method, "proxy/export_c.json", content=sent, headers=JSON)
            answer.gives(visitor.seen(method, "application/json", **fields, **PROXY))

    def test_invoke_action_and_merge_query_and_body_parameters(self, visitor: Visitor) -> None:
        for method in METHODS:
            answer = visitor.send(method, "proxy/export_c.json?a=b&c=d&extra=query", json=CONTENT)
            answer.gives(visitor.seen(method, "application/json", a="b", c="d", **CONTENT, **PROXY))

    def test_pass_the_unmatched_segment_to_the_action(self, visitor: Visitor) -> None:
        for method in METHODS:
            answer = visitor.send(method, "proxy/export_c.json/content")
            answer.gives(visitor.seen(method, path="/content", **PROXY))

    def test_support_formdata(self, visitor: Visitor) -> None:
        answer = visitor.post("proxy/export_c.json", data={"field1": "value1", "field2": "value2"})
        seen = visitor.seen("POST", "application/x-www-form-urlencoded", field1="value1", field2="value2", **PROXY)
        answer.gives(seen)

    def test_reject_requests_when_entity_size_exceeds_allowed_system_limit(self, visitor: Visitor) -> None:
        letters = "a" * (MB + 1)
        content = json.dumps({"a": letters}, separators=(",", ":"))
        sent = visitor.post("proxy/export_c.json", content=content, headers=JSON)
        sent.refuses(413, f"Request larger than allowed: {len(content)} > {MB} bytes.", CORS)
        sent = visitor.post("proxy/export_c.json", data={"a": letters})
        sent.refuses(413, f"Request larger than allowed: {len(letters) + 2} > {MB} bytes.", CORS)

    def test_allow_requests_when_entity_size_does_not_exceed_allowed_namespace_limit(self, visitor: Visitor) -> None:
        make_web(visitor.owner, "size", "def main(args):\n    return {'size': len(args['a'])}\n")
        size = MB - 2000
        visitor.post("default/size.json", {"a": "a" * size}).gives({"size": size})
        visitor.post("default/size.json", data={"a": "a" * size}).gives({"size": size})

    @pytest.mark.parametrize("name", ["method", "headers", "path", "user", "query", "body"])
    def test_reject_request_that_tries_to_override_reserved_properties(self, visitor: Visitor, name: str) -> None:
        for method in METHODS:
            visitor.send(method, f"proxy/export_c.json?__ow_{name}=YYY").refuses(400, NOT_ALLOWED)
            sent = visitor.send(method, "proxy/export_c.json", json={f"__ow_{name}": "YYY"})
            sent.refuses(400, NOT_ALLOWED)

    def test_reject_request_that_tries_to_override_final_parameters(self, visitor: Visitor) -> None:
        path = "proxy/export_c.json"
        for method in METHODS:
            visitor.send(method, f"{path}?x=overridden").refuses(400, NOT_ALLOWED)
            visitor.send(method, f"{path}?y=overridden").refuses(400, NOT_ALLOWED)
            visitor.send(method, path, json={"x": "overridden"}).refuses(400, NOT_ALLOWED)
            visitor.send(method, f"{path}?y=overridden", json={"z": "overridden"}).refuses(400, NOT_ALLOWED)
            seen = visitor.seen(method, **{**PROXY, "empty": "overridden"})
            visitor.send(method, f"{path}?empty=overridden").gives(seen)

    def test_inline_body_when_receiving_entity_that_is_not_a_js_object(self, visitor: Visitor) -> None:
        html = {"content-type": "text/html; charset=UTF-8"}
        answer = visitor.post("proxy/export_c.json", content="1,2,3", headers=html)
        answer.gives(visitor.seen("POST", html["content-type"], __ow_body="1,2,3", **PROXY))
        visitor.post("proxy/export_c.json?a=b&c=d").gives(visitor.seen("POST", a="b", c="d", **PROXY))
        answer = visitor.post("proxy/export_c.json?a=b&c=d", {})
        answer.gives(visitor.seen("POST", "application/json", a="b", c="d", **PROXY))

    def test_not_fail_a_raw_http_action_when_query_or_body_parameters_overlap_with_final_action_parameters(
        self, visitor: Visitor
    ) -> None:
        query = "x=overridden&key2=value2"
        answer = visitor.post(f"proxy/raw_export_c.json?{query}")
        answer.gives(visitor.seen("POST", __ow_query=query, __ow_body="", **PROXY))
        content = b'{"x":"overridden","key2":"value2"}'
        answer = visitor.post("proxy/raw_export_c.json", content=content, headers=JSON)
        answer.gives(visitor.seen("POST", "application/json", __ow_query="", __ow_body=base64_of(content), **PROXY))

    @pytest.mark.parametrize("content", [b"1,2,3", b'{\n  "a": "A",\n  "b": "B"\n}', b'{"a":"A","b":"B"}'])
    def test_invoke_raw_action_ensuring_body_and_query_arguments_are_set_properly(
        self, visitor: Visitor, content: bytes
    ) -> None:
        query = "key1=value1&key2=value2"
        answer = visitor.post(f"proxy/raw_export_c.json?{query}", content=content, headers=JSON)
        answer.gives(visitor.seen("POST", "application/json", __ow_query=query, __ow_body=base64_of(content), **PROXY))

    def test_invoke_raw_action_ensuring_body_and_query_arguments_are_empty_strings_when_not_specified_in_request(
        self, visitor: Visitor
    ) -> None:
        visitor.post("proxy/raw_export_c.json").gives(visitor.seen("POST", __ow_query="", __ow_body="", **PROXY))

    @pytest.mark.parametrize("value", ["this is a string", [1, "str str", False], True, 99])
    def test_invoke_web_action_ensuring_json_value_body_arguments_are_received_as_is(
        self, visitor: Visitor, value: object
    ) -> None:
        answer = visitor.post("proxy/export_c.json", content=json.dumps(value), headers=JSON)
        answer.gives(visitor.seen("POST", "application/json", __ow_body=value, **PROXY))

    def test_invoke_web_action_ensuring_binary_body_is_base64_encoded(self, visitor: Visitor) -> None:
        answer = visitor.post("proxy/export_c.json", content=PNG, headers={"content-type": "image/png"})
        answer.gives(visitor.seen("POST", "image/png", __ow_body=PNG_BASE64, **PROXY))

    @pytest.mark.parametrize("content_type", ["application/json", "application/cloudevents+json; charset=UTF-8"])
    def test_support_json_including_json_subtypes(self, visitor: Visitor, content_type: str) -> None:
        answer = visitor.post(
            "proxy/export_c.json", content=b'{"field1":"value1"}', headers={"content-type": content_type}
        )
        answer.gives(visitor.seen("POST", content_type, field1="value1", **PROXY))

    def test_not_invoke_an_action_more_than_once_when_determining_entity_type(self, visitor: Visitor) -> None:
        make_answering(visitor.owner)
        text = "Resource representation is only available with these types:\ntext/html; charset=UTF-8"
        answer = visitor.answered({"html": "<note/>"}, "html", headers={"accept": "text/xml"})
        answer.refuses(406, text)
        visitor.owner.activations(1)
        assert len(visitor.owner.get("activations").json) == 1
