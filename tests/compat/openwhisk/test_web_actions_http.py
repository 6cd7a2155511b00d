"""Upstream's `WebActionsApiTests`, third part: what becomes of an action's result, and what browsers are told."""

import pytest

from compat.openwhisk.asking import base64_of
from compat.openwhisk.visiting import (
    ACTIVATED,
    CORS,
    METHODS,
    NO_CORS,
    PNG,
    PNG_BASE64,
    Visitor,
    make_answering,
    make_web,
)

HTML = "text/html; charset=UTF-8"
TEXT = "text/plain; charset=UTF-8"
JSON_PATCH = "application/json-patch+json"
FIELD = {"field": "value"}
COMPACT = '{"field":"value"}'
WRONG_TYPE = "Response type in header did not match generated content type."
EMPTY = {**ACTIVATED, **NO_CORS, "content-type": None}
LOCATED = {"headers": {"location": "http://openwhisk.org"}, "statusCode": 302}
NOT_PROCESSED = "There was an error processing your request."


@pytest.fixture
def visitor(visitor: Visitor) -> Visitor:
    """Who finds an action that answers whatever it is to answer."""
    make_answering(visitor.owner)
    return visitor


class TestWebActions:
    def test_respond_with_error_when_expected_text_property_does_not_exist(self, visitor: Visitor) -> None:
        for method in METHODS:
            answer = visitor.answered({"content": "?"}, "text", method)
            answer.refuses(404, "Response does not include requested property.", {**ACTIVATED, **NO_CORS})

    def test_use_action_status_code_and_headers_to_terminate_an_http_response(self, visitor: Visitor) -> None:
        for method in (*METHODS, "HEAD"):
            answer = visitor.answered(LOCATED, "http", method)
            answer.is_empty(302, {**EMPTY, "location": "http://openwhisk.org"})

    def test_use_non_standard_action_status_code_to_terminate_an_http_response(self, visitor: Visitor) -> None:
        for method in (*METHODS, "HEAD"):
            visitor.answered({"statusCode": 444}, "http", method).is_empty(444, EMPTY)

    def test_use_default_field_projection_for_extension(self, visitor: Visitor) -> None:
        html, svg = "<html>hi</htlml>", '<svg><circle cx="3" cy="3" r="3" fill="blue"/></svg>'
        for method in METHODS:
            visitor.answered(LOCATED, "http", method).is_empty(302, {"location": "http://openwhisk.org"})
            visitor.answered({"text": "default text"}, "text", method).is_text("default text", TEXT)
            visitor.answered({"html": html}, "html", method).is_text(html, HTML)
            visitor.answered({"svg": svg}, "svg", method).is_text(svg, "image/svg+xml")
            answer = visitor.answered({"foobar": "foobar"}, "json", method)
            answer.is_text('{\n  "foobar": "foobar"\n}', "application/json")

    @pytest.mark.parametrize("result", [{}, {"body": ""}, {"body": None}])
    def test_handle_http_web_action_and_provide_defaults(self, visitor: Visitor, result: object) -> None:
        for method in (*METHODS, "HEAD"):
            visitor.answered(result, "http", method).is_empty(204, EMPTY)
            json_only = {"accept": "application/json"}
            visitor.answered(result, "http", method, headers=json_only).is_empty(204, EMPTY)

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ({"a": "A"}, '{\n  "a": "A"\n}'),
            (["a"], '[\n  "a"\n]'),
            ("a", "a"),
            (True, "true"),
            (1, "1"),
            (None, "null"),
        ],
    )
    def test_handle_all_json_values_with_text_extension(self, visitor: Visitor, value: object, text: str) -> None:
        for method in METHODS:
            visitor.answered({"body": value}, "text", method).is_text(text, TEXT)

    @pytest.mark.parametrize("status", [200, 201])
    def test_handle_http_web_action_with_json_object_as_string_response(self, visitor: Visitor, status: int) -> None:
        result = {"headers": {"content-type": "application/json"}, "statusCode": status, "body": COMPACT}
        for method in METHODS:
            visitor.answered(result, "http", method).is_text(COMPACT, "application/json", status)

    def test_handle_http_web_action_with_partially_specified_result(self, visitor: Visitor) -> None:
        typed = {"Set-Cookie": "a=b", "content-type": "application/json"}
        for method in METHODS:
            answer = visitor.answered({"headers": {"content-type": "application/json"}, "body": FIELD}, "http", method)
            answer.gives(FIELD, headers={**ACTIVATED, **NO_CORS})
            visitor.answered({"body": COMPACT}, "http", method).is_text(COMPACT, HTML)
            visitor.answered({"statusCode": 201, "body": COMPACT}, "http", method).is_text(COMPACT, HTML, 201)
            for status in (200, 201, 204):
                visitor.answered({"statusCode": status}, "http", method).is_empty(status, EMPTY)
                answer = visitor.answered({"headers": typed, "statusCode": status}, "http", method)
                answer.is_empty(status, {**ACTIVATED, **NO_CORS, "set-cookie": "a=b"})

    @pytest.mark.parametrize("status", [200, 201, 204])
    def test_handle_http_web_action_with_no_body_when_status_code_is_set(self, visitor: Visitor, status: int) -> None:
        accept = {"accept": "application/json"}
        typed = {"Set-Cookie": "a=b", "content-type": "application/json"}
        for method in (*METHODS, "HEAD"):
            visitor.answered({"statusCode": status}, "http", method, headers=accept).is_empty(status, EMPTY)
            answer = visitor.answered({"headers": typed, "statusCode": status}, "http", method, headers=accept)
            answer.is_empty(status, {**ACTIVATED, **NO_CORS, "set-cookie": "a=b"})

    def test_handle_http_web_action_with_json_object_response(self, visitor: Visitor) -> None:
        for method in METHODS:
            for headers in ({"content-type": "application/json"}, {}):
                visitor.answered({"headers": headers, "statusCode": 200, "body": FIELD}, "http", method).gives(FIELD)
            result = {"headers": {"content-type": "text/html"}, "statusCode": 200, "body": FIELD}
            visitor.answered(result, "http", method).refuses(400, WRONG_TYPE, {**ACTIVATED, **NO_CORS})

    def test_handle_http_web_action_with_base64_encoded_known_json_response(self, visitor: Visitor) -> None:
        result = {"headers": {"content-type": JSON_PATCH}, "statusCode": 200, "body": base64_of(COMPACT.encode())}
        for method in METHODS:
            visitor.answered(result, "http", method).is_text(COMPACT, JSON_PATCH)

    @pytest.mark.parametrize("content_type", [JSON_PATCH, "text/html"])
    def test_handle_http_web_action_for_known_json_response(self, visitor: Visitor, content_type: str) -> None:
        self._is_json_or_refused(visitor, content_type)

    @pytest.mark.parametrize("content_type", ["application/hal+json", "text/html"])
    def test_handle_http_web_action_for_unknown_json_response(self, visitor: Visitor, content_type: str) -> None:
        self._is_json_or_refused(visitor, content_type)
        for method in METHODS:
            visitor.answered({"statusCode": 200, "body": 3}, "http", method).gives(3)

    def _is_json_or_refused(self, visitor: Visitor, content_type: str) -> None:
        for method in METHODS:
            result = {"headers": {"content-type": content_type}, "statusCode": 200, "body": FIELD}
            answer = visitor.answered(result, "http", method)
            if content_type == "text/html":
                answer.refuses(400, WRONG_TYPE)
            else:
                answer.is_text('{\n  "field": "value"\n}', content_type)

    def test_handle_http_web_action_with_base64_encoded_binary_response(self, visitor: Visitor) -> None:
        for method in METHODS:
            answer = visitor.answered({"headers": {"content-type": "image/png"}, "body": PNG_BASE64}, "http", method)
            assert (answer.status, answer.headers["content-type"], answer.content) == (200, "image/png", PNG)

    def test_handle_http_web_action_with_html_text_response(self, visitor: Visitor) -> None:
        for method in METHODS:
            visitor.answered({"statusCode": 200, "body": "hello world"}, "http", method).is_text("hello world", HTML)

    def test_allow_web_action_with_incorrect_application_json_header_and_text_response(self, visitor: Visitor) -> None:
        result = {"headers": {"content-type": "application/json"}, "statusCode": 200, "body": "hello world"}
        for method in METHODS:
            visitor.answered(result, "http", method).is_text("hello world", "application/json")

    def test_reject_http_web_action_with_invalid_content_type_header(self, visitor: Visitor) -> None:
        result = {"headers": {"content-type": "xyzbar"}, "statusCode": 200, "body": "hello world"}
        for method in METHODS:
            answer = visitor.answered(result, "http", method)
            answer.refuses(400, "Response did not specify a known content-type.", ACTIVATED)

    def test_handle_an_activation_that_results_in_application_error(self, visitor: Visitor) -> None:
        for status in (200, 418):
            result = {"error": {"statusCode": status, "body": "no hello for you"}}
            for method in METHODS:
                visitor.answered(result, "http", method).is_text("no hello for you", HTML, status)

    def test_handle_an_activation_that_results_in_application_error_that_does_not_match_json_extension(
        self, visitor: Visitor
    ) -> None:
        for method in METHODS:
            answer = visitor.answered({"error": "bad response type"}, "json", method)
            answer.refuses(400, "Response is not valid 'application/json'.", ACTIVATED)

    @pytest.mark.parametrize("extension", ["json", "text"])
    def test_handle_an_activation_that_results_in_developer_or_system_error(
        self, visitor: Visitor, extension: str
    ) -> None:
        make_web(visitor.owner, "wrong", "def main(args):\n    return 3\n", web_custom_options=True)
        for method in METHODS:
            visitor.send(method, f"default/wrong.{extension}").refuses(400, NOT_PROCESSED, ACTIVATED)

    def test_respond_with_custom_options(self, visitor: Visitor) -> None:
        allowed = {"Access-Control-Allow-Methods": "OPTIONS, GET, PATCH"}
        asked = {"Access-Control-Request-Headers": "x-custom-header"}
        answer = visitor.answered({"headers": allowed}, "http", "OPTIONS", headers=asked)
        answer.is_empty(204, {**EMPTY, "access-control-allow-methods": "OPTIONS, GET, PATCH"})
        assert "access-control-request-headers" not in answer.headers

    def test_respond_with_custom_options_even_when_authentication_is_required_but_missing(
        self, visitor: Visitor
    ) -> None:
        make_answering(visitor.owner, require_whisk_auth=True)
        result = {"headers": {"Access-Control-Allow-Methods": "OPTIONS, GET, PATCH"}}
        answer = visitor.answered(result, "http", "OPTIONS")
        answer.is_empty(204, {**EMPTY, "access-control-allow-methods": "OPTIONS, GET, PATCH"})

    def test_support_multiple_values_for_headers(self, visitor: Visitor) -> None:
        cookies = ["a=b", "c=d; Path = /"]
        answer = visitor.answered({"headers": {"Set-Cookie": cookies}}, "http", "OPTIONS")
        answer.is_empty(204, EMPTY)
        assert answer.headers.get_list("set-cookie") == cookies

    @pytest.mark.parametrize("asked", [{"Access-Control-Request-Headers": "x-custom-header"}, {"x-custom-header": "v"}])
    def test_invoke_action_and_respond_with_default_options_headers(
        self, visitor: Visitor, asked: dict[str, str]
    ) -> None:
        make_answering(visitor.owner, web_custom_options=False)
        told = {**CORS, "access-control-allow-headers": "x-custom-header"} if "x-custom-header" not in asked else CORS
        for extension in ("http", "json"):
            for method in METHODS:
                answer = visitor.answered({"body": FIELD}, extension, method, headers=asked)
                if method == "OPTIONS":
                    answer.is_empty(200, {**told, "x-openwhisk-activation-id": None})
                else:
                    answer.gives(FIELD if extension == "http" else {"body": FIELD}, headers={**told, **ACTIVATED})

    def test_invoke_action_with_head_verb(self, visitor: Visitor) -> None:
        result = {"headers": {"location": "http://openwhisk.org"}, "body": "not sent"}
        answer = visitor.answered(result, "http", "HEAD")
        sent = {"location": "http://openwhisk.org", "content-type": HTML, "content-length": "8"}
        answer.is_empty(200, {**ACTIVATED, **sent})

    @pytest.mark.parametrize(
        "text",
        ["<html><body>test</body></html>", '<?xml version="1.0" encoding="UTF-8"?><note><from>test</from></note>'],
    )
    def test_handle_html_web_action_with_text_xml_response(self, visitor: Visitor, text: str) -> None:
        visitor.answered({"html": text}, "html", headers={"accept": "text/html"}).is_text(text, HTML)

    def test_reject_invocation_of_web_action_with_invalid_accept_header(self, visitor: Visitor) -> None:
        text = "Resource representation is only available with these types:\ntext/html; charset=UTF-8"
        answer = visitor.answered({"body": "Plain text"}, "http", headers={"accept": "application/json"})
        answer.refuses(406, text, ACTIVATED)

    @pytest.mark.parametrize(("given", "status"), [("200", 200), ("444", 444), ("xyz", 400)])
    def test_allow_string_based_status_code(self, visitor: Visitor, given: str, status: int) -> None:
        sent = {"content-type": "application/json"} if status == 400 else EMPTY
        visitor.answered({"statusCode": given}, "http", "HEAD").is_empty(status, {**ACTIVATED, **sent})
        if status == 400:
            answer = visitor.answered({"statusCode": given})
            answer.refuses(400, "Response is not valid 'message/http'.", ACTIVATED)
