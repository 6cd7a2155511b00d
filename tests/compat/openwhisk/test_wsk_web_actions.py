"""Upstream's `WskWebActionsTests`: web actions, from outside."""

import http.client

import pytest

from compat.openwhisk.asking import differs
from compat.openwhisk.visiting import ACTIVATED, CORS, DEFAULTS, NO_CORS, PNG, PNG_BASE64, Visitor, make_web

HEADERS = {
    "Access-Control-Allow-Origin": "Origin set from Web Action",
    "Access-Control-Allow-Methods": "Methods set from Web Action",
    "Access-Control-Allow-Headers": "Headers set from Web Action",
    "Location": "openwhisk.org",
    "Set-Cookie": "cookie-cookie-cookie",
}
URL_BYTES = 8192
URL_BYTES_MAX = 65_535
NO_KEY = "The resource requires authentication, which was not supplied with the request"


def returning(value: object) -> str:
    return f"def main(args):\n    return {value!r}\n"


class TestWskWebActions:
    def test_ensure_ow_headers_contains_the_proper_content_type(self, visitor: Visitor) -> None:
        make_web(visitor.owner, "webContenttype")
        answer = visitor.post("default/webContenttype.json", {"key": "value"})
        answer.gives(visitor.seen("POST", "application/json", key="value"))
        visitor.get("default/webContenttype.json").gives(visitor.seen())

    @differs("an address may have 65,535 bytes instead of 8,192, and beyond that it is a 414 without a body")
    def test_create_a_web_action_accessible_via_https(self, visitor: Visitor) -> None:
        make_web(visitor.owner, "webaction")
        path = f"/api/v1/web/{visitor.owner.namespace}/default/webaction.json/a?a="
        for count in (1, URL_BYTES - len(visitor.owner.server.url + path), URL_BYTES + 100):
            answer = visitor.get(f"default/webaction.json/a?a={'A' * count}")
            answer.gives(visitor.seen(path="/a", a="A" * count))
        connection = http.client.HTTPConnection(visitor.owner.server.url.removeprefix("http://"), timeout=30)
        connection.request("GET", path + "A" * URL_BYTES_MAX)
        assert connection.getresponse().status == 414
        connection.close()

    def test_create_a_web_action_requiring_authentication_accessible_via_https(self, visitor: Visitor) -> None:
        make_web(visitor.owner, "webaction", require_whisk_auth=True)
        answer = visitor.get("default/webaction.json")
        if visitor.known:
            assert answer.gives(visitor.seen())["__ow_user"] == visitor.known.namespace
        else:
            answer.refuses(401, NO_KEY, CORS)

    def test_create_a_web_action_not_requiring_authentication_accessible_via_https(self, visitor: Visitor) -> None:
        make_web(visitor.owner, "webaction", require_whisk_auth=False)
        visitor.get("default/webaction.json").gives(visitor.seen())

    def test_ensure_that_cors_header_is_preserved_for_custom_options(self, visitor: Visitor) -> None:
        code = returning({"headers": HEADERS, "statusCode": 200})
        make_web(visitor.owner, "webaction", code, web_custom_options=True)
        visitor.send("OPTIONS", "default/webaction.http").is_empty(200, {**HEADERS, **ACTIVATED})

    @pytest.mark.parametrize("asked", [{"Access-Control-Request-Headers": "x-custom-header"}, {}])
    def test_ensure_that_default_cors_header_is_preserved(self, visitor: Visitor, asked: dict[str, str]) -> None:
        result = {"headers": HEADERS, "statusCode": 200}
        make_web(visitor.owner, "webaction", returning(result))
        told = {**CORS, **({"access-control-allow-headers": "x-custom-header"} if asked else {})}
        told |= {"location": None, "set-cookie": None}
        visitor.send("OPTIONS", "default/webaction.http", headers=asked).is_empty(200, told)
        visitor.get("default/webaction.json", headers=asked).gives(result, headers=told)

    def test_invoke_web_action_to_ensure_the_returned_body_argument_is_correct(self, visitor: Visitor) -> None:
        make_web(visitor.owner, "webaction")
        for content in ("key=value", "This is the body"):
            answer = visitor.post("default/webaction.json", content=content, headers={"content-type": "text/html"})
            answer.gives(visitor.seen("POST", "text/html", __ow_body=content))

    def test_reject_invocation_of_web_action_with_invalid_accept_header(self, visitor: Visitor) -> None:
        make_web(visitor.owner, "webaction", returning({"body": "hello"}))
        answer = visitor.get("default/webaction.http", headers={"accept": "application/json"})
        text = "Resource representation is only available with these types:\ntext/html; charset=UTF-8"
        answer.refuses(406, text, {**CORS, **ACTIVATED})

    def test_support_multiple_response_header_values(self, visitor: Visitor) -> None:
        code = returning({"headers": {"Set-Cookie": ["a=b", "c=d"]}, "statusCode": 200})
        make_web(visitor.owner, "webaction", code, web_custom_options=True)
        answer = visitor.send("OPTIONS", "default/webaction.http")
        answer.is_empty(200, {**NO_CORS, **ACTIVATED})
        assert answer.headers.get_list("set-cookie") == ["a=b", "c=d"]

    def test_handle_http_web_action_returning_json_as_string(self, visitor: Visitor) -> None:
        result = {"headers": {"content-type": "application/json"}, "body": '{"status":"success"}', "statusCode": 200}
        make_web(visitor.owner, "jsonStringWebAction", returning(result), raw_http=True)
        visitor.get("default/jsonStringWebAction.http").gives({"status": "success"}, headers=ACTIVATED)

    def test_handle_http_web_action_with_base64_encoded_binary_response(self, visitor: Visitor) -> None:
        result = {"headers": {"Content-Type": "image/png"}, "statusCode": 200, "body": PNG_BASE64}
        make_web(visitor.owner, "binaryWeb", returning(result))
        answer = visitor.get("default/binaryWeb.http")
        assert (answer.status, answer.headers["content-type"], answer.content) == (200, "image/png", PNG)

    def test_create_a_web_action_making_a_head_request(self, visitor: Visitor) -> None:
        code = "def main(args):\n    return {'statusCode': 200, 'headers': {'Request-type': args['__ow_method']}}\n"
        make_web(visitor.owner, "webactionHead", code)
        answer = visitor.send("HEAD", "default/webactionHead")
        answer.is_empty(200, {"request-type": "head", "content-type": None, **CORS, **ACTIVATED})

    def test_access_a_web_action_via_namespace_subdomain(self, visitor: Visitor) -> None:
        make_web(visitor.owner, "webaction", parameters=DEFAULTS)
        host = f"{visitor.owner.namespace}.web.example"
        root = visitor.owner.server.url
        answer = visitor.get(f"{root}/default/webaction.json/a?a=A", headers={"host": host})
        told = answer.gives(visitor.seen(path="/a", a="A", **DEFAULTS), headers=ACTIVATED)
        assert told["__ow_headers"]["host"] == host

    def test_access_the_index_of_a_namespace_by_its_subdomain(self, visitor: Visitor) -> None:
        visitor.owner.make_package("public")
        make_web(visitor.owner, "public/index", returning({"html": "<p>welcome</p>"}))
        host = f"{visitor.owner.namespace}.web.example"
        answer = visitor.get(f"{visitor.owner.server.url}/", headers={"host": host})
        answer.is_text("<p>welcome</p>", "text/html; charset=UTF-8")
