"""What a document means, and what the gateway says of one that it cannot take."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import document, simple, wish
from rambla.domain.errors import BadRequest, CallerError, TooLarge
from rambla.domain.names import FullName
from rambla.gateway.api import DOCUMENT_BYTES_MAX, ROUTES_MAX, ActionTarget, Api
from rambla.gateway.document import imported
from rambla.gateway.edit import new_document, with_operation, without
from rambla.gateway.routes import api_of

CONFIGURED = "Unable to configure the API Gateway (status code 400): Error: "
PARAMETER = {"name": "id", "in": "path", "required": True, "type": "string"}
WEB = "https://172.17.0.1/api/v1/web"


def meant(given: Any) -> Api:
    return api_of(imported(given), "guest", 7)


def refusal(given: Any) -> str:
    with pytest.raises(BadRequest) as error:
        meant(given)
    return str(error.value)


def led(operation: dict[str, Any], **more: Any) -> ActionTarget:
    (route,) = meant(simple({"/path": {"get": operation}}, **more)).routes
    return route.target


def test_a_document_is_an_api() -> None:
    api = meant(document(wish("/b/{id}", "POST", "p/a", extension="http", parameters=[PARAMETER]), base_path="/base/"))
    assert (api.namespace, api.base_path, api.name, api.cors, api.updated_ms) == ("guest", "/base", "/base/", True, 7)
    (route,) = api.routes
    assert (route.method, route.path) == ("POST", "/b/{id}")
    assert route.target == ActionTarget(FullName("guest", "p", "a"), "http", tells_path=True)


def test_it_may_come_as_text() -> None:
    assert meant(json.dumps(simple())) == meant(simple())


def test_what_it_does_not_know_is_kept_as_it_came() -> None:
    given = simple(externalDocs={"url": "x"}, definitions={"A": {"$ref": "#/definitions/A"}})
    assert json.loads(meant(given).document) == given


# --- where an operation leads ---


def test_a_case_goes_before_x_openwhisk() -> None:
    case = {"operations": ["id"], "execute": [{"invoke": {"target-url": f"{WEB}/_/p/b.text", "verb": "keep"}}]}
    configuration = {"assembly": {"execute": [{"set-variable": {}}, {"operation-switch": {"case": [case]}}]}}
    operation = {"operationId": "id", "x-openwhisk": {"namespace": "other", "action": "a"}}
    target = led(operation, **{"x-ibm-configuration": configuration})
    assert target == ActionTarget(FullName("guest", "p", "b"), "text")
    assert led(operation).name == FullName("other", "", "a")
    assert led(operation, **{"x-gateway-configuration": configuration}).name.name == "b"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (f"{WEB}/other/default/a.v1.http", ActionTarget(FullName("other", "", "a.v1"), "http")),
        (f"{WEB}/_/default/a.http$(request.path)", ActionTarget(FullName("guest", "", "a"), "http", tells_path=True)),
        (f"{WEB}/_/default/a.http/$(request.path)", ActionTarget(FullName("guest", "", "a"), "http", tells_path=True)),
        (f"{WEB}/_/p/a%20b", ActionTarget(FullName("guest", "p", "a b"), "http")),
        ("http://host/prefix/api/v1/web/_/p/a.svg", ActionTarget(FullName("guest", "p", "a"), "svg")),
    ],
)
def test_of_a_url_the_name_and_the_extension_count(url: str, target: ActionTarget) -> None:
    configuration = {"assembly": {"execute": [{"invoke": {"target-url": url}}]}}
    assert led({}, **{"x-ibm-configuration": configuration}) == target


@pytest.mark.parametrize(
    ("given", "method"), [({}, ""), ({"verb": "keep"}, ""), ({"verb": "post"}, "POST"), ({"verb": "GET"}, "GET")]
)
def test_an_action_is_asked_by_the_verb_of_its_case(given: dict[str, str], method: str) -> None:
    invoked = {"target-url": f"{WEB}/_/default/a.http", **given}
    configuration = {"assembly": {"execute": [{"invoke": invoked}]}}
    assert led({}, **{"x-ibm-configuration": configuration}).method == method


def test_an_operation_that_leads_nowhere_is_no_route() -> None:
    given = simple({"/": {"get": {"operationId": "", "responses": {}}}}, **{"x-ibm-configuration": {"assembly": {}}})
    assert meant(given).routes == ()


def test_by_hand_an_action_is_named_and_that_is_enough() -> None:
    assert led({"x-openwhisk": {"action": "a"}}) == ActionTarget(FullName("guest", "", "a"), "http", tells_path=True)
    assert led({"x-openwhisk": {"action": "a", "url": f"{WEB}/_/default/a.json"}}).extension == "json"


def test_a_secret_in_the_document_is_neither_kept_nor_needed() -> None:
    secret = {"set": "message.headers.X-Require-Whisk-Auth", "value": "my-secret"}
    password = {"set": "message.headers.authorization", "value": "Basic bXktc2VjcmV0"}
    for step in ({"set-variable": {"actions": [secret]}}, {"set-variable": {"actions": [password, secret]}}):
        configuration = {"assembly": {"execute": [step]}, "cors": {"enabled": False}}
        api = meant(simple(**{"x-ibm-configuration": configuration}))
        assert b"secret" not in api.document
        assert b"bXktc2VjcmV0" not in api.document
        assert (api.routes[0].target.secured, api.cors) == (True, False)
        assert meant(json.loads(api.document)) == api


# --- OpenAPI 3 ---


@pytest.mark.parametrize(
    ("servers", "base_path"),
    [
        ([{"url": "https://example.com/v1"}, {"url": "/v2"}], "/v1"),
        ([{"url": "/v1/"}], "/v1"),
        ([{"url": "https://example.com"}], "/"),
        ([{"url": "//example.com/a/b?c"}], "/a/b"),
        ([], "/"),
        ([None], "/"),
        ({"url": "/x"}, "/"),
    ],
)
def test_the_base_path_of_openapi_3_is_that_of_its_first_server(servers: Any, base_path: str) -> None:
    given = {key: value for key, value in simple().items() if key not in ("swagger", "basePath")}
    assert meant(given | {"openapi": "3.1.0", "servers": servers}).base_path == base_path


# --- what it cannot take, in OpenWhisk's words ---


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"basePath": ""}, "swagger is missing the basePath field."),
        ({"basePath": 3}, "swagger is missing the basePath field."),
        ({"paths": None}, "swagger is missing the paths field."),
        ({"info": None}, "swagger is missing the info field."),
        (
            {"basePath": "/a/{b}"},
            "The base path (/a/{b}) cannot have parameters. Only the relative path supports path parameters.",
        ),
        (
            {
                "x-ibm-configuration": {
                    "assembly": {"execute": [{"invoke": {"target-url": f"{WEB}/_/p/a", "verb": "fetch"}}]}
                }
            },
            f"{CONFIGURED}backendMethod 'fetch' not supported.",
        ),
        ({"basePath": "base"}, f"{CONFIGURED}BasePath must begin with '/'."),
        ({"basePath": "/it's"}, f'{CONFIGURED}basePath contains illegal character "\'".'),
        ({"paths": {"p": {"get": {}}}}, f"{CONFIGURED}Resource path must begin with '/'."),
        ({"paths": {"/p?q": {"get": {}}}}, f"{CONFIGURED}resource path contains illegal character '?'."),
        ({"paths": {"/p": {"gett": {}}}}, f"{CONFIGURED}Resource verb 'gett' not supported."),
        ({"paths": {"/p": {"trace": {}}}}, f"{CONFIGURED}Resource verb 'trace' not supported."),
        ({"paths": {"/p": {"$ref": "#/x"}}}, f"{CONFIGURED}Resource verb '$ref' not supported."),
        ({"paths": {"/p": {"get": 3}}}, f"{CONFIGURED}the operation 'get' of '/p' is no object."),
        (
            {"paths": {"/p": {"parameters": []}}},
            f"{CONFIGURED}Missing or empty field 'operations' or in resource path object.",
        ),
        (
            {"paths": {"/a{b}": {"get": {}}}},
            f"{CONFIGURED}resource path has 'a{{b}}', where a parameter has to be all between two slashes.",
        ),
        ({"paths": {"/x" * 33: {"get": {}}}}, f"{CONFIGURED}resource path is longer than 256 bytes or 32 segments."),
        ({"info": {"title": "x" * 257}}, f"{CONFIGURED}the API's name is longer than 256 bytes."),
    ],
)
def test_a_document_that_is_none_is_refused(change: dict[str, Any], text: str) -> None:
    assert refusal(simple() | change) == text


def test_text_that_is_no_json_is_refused() -> None:
    for text in ("{", "swagger: '2.0'", "[" * 100_000):
        assert refusal(text) == "swagger field cannot be parsed. Ensure it is valid JSON."
    assert refusal(3) == "swagger field is number and should be an object or a JSON string."
    assert refusal("3") == refusal([]) == "swagger is missing the basePath field."


def test_a_path_with_parameters_needs_the_extension_http() -> None:
    made = document(wish("/{id}", parameters=[PARAMETER]))
    text = "The action must use a response type of '.http' in order to receive the path parameters."
    assert refusal(made) == text


def test_a_target_of_a_path_with_parameters_has_to_be_told_the_path() -> None:
    made = json.dumps(document(wish("/{id}", extension="http", parameters=[PARAMETER])))
    assert refusal(made.replace("$(request.path)", "")) == (
        "The target-url for operationId 'getId' must end in '$(request.path)' in order for actions to receive the path "
        "parameters."
    )


@pytest.mark.parametrize("parameters", [None, [], [PARAMETER | {"name": "x"}], [None, 3, {}], {"name": "id"}])
def test_each_parameter_of_a_path_has_to_be_described(parameters: Any) -> None:
    given = simple({"/p/{id}": {"get": {"x-openwhisk": {"action": "a"}, "parameters": parameters}}})
    assert refusal(given) == (
        "The parameter 'id' defined in path '/p/{id}' does not match any of the parameters defined for the path in the "
        "swagger file."
    )


def test_a_parameter_is_described_in_the_operation_in_its_path_or_where_a_reference_leads() -> None:
    operation = {"x-openwhisk": {"action": "a"}}
    reference = {"$ref": "#/parameters/a~1b"}
    for item, more in (
        ({"get": operation | {"parameters": [PARAMETER]}}, {}),
        ({"get": operation, "parameters": [PARAMETER]}, {}),
        ({"get": operation, "parameters": [reference]}, {"parameters": {"a/b": PARAMETER}}),
        ({"get": operation, "parameters": [reference]}, {"parameters": {"a/b": {"$ref": "#/x"}}, "x": PARAMETER}),
    ):
        assert meant(simple({"/{id}": item}, **more)).routes


@pytest.mark.parametrize(
    "reference", ["#/parameters/id", "#", "#/", "other.json#/id", "http://host/id", "#" + "/x" * 10_000]
)
def test_a_reference_that_leads_round_or_away_describes_nothing(reference: str) -> None:
    item = {"get": {"x-openwhisk": {"action": "a"}, "parameters": [{"$ref": "#/parameters/id"}]}}
    assert "does not match any" in refusal(simple({"/{id}": item}, parameters={"id": {"$ref": reference}}))


@pytest.mark.parametrize(
    "url", ["https://example.com/", "ftp:", f"{WEB}/a/b", f"{WEB}/a/b/c/d.http", f"{WEB}/a/b/c?d", "x" * 5000]
)
def test_a_target_that_is_no_web_action_is_refused(url: str) -> None:
    given = simple(**{"x-ibm-configuration": {"assembly": {"execute": [{"invoke": {"target-url": url}}]}}})
    assert refusal(given) == f"{CONFIGURED}the target-url '{url[:64]}' is not the URL of a web action."


@pytest.mark.parametrize("given", [{"action": "/"}, {"action": "a", "package": "/"}, {"action": "a", "namespace": " "}])
def test_an_action_that_can_bear_no_such_name_is_refused(given: dict[str, str]) -> None:
    assert "contains illegal characters." in refusal(simple({"/": {"get": {"x-openwhisk": given}}}))


# --- bounds ---


def test_an_api_has_so_many_operations_and_no_more() -> None:
    paths = {f"/{number}": {"get": {"x-openwhisk": {"action": "a"}}} for number in range(ROUTES_MAX)}
    assert len(meant(simple(paths)).routes) == ROUTES_MAX
    paths["/more"] = {"get": {}}
    assert refusal(simple(paths)) == f"{CONFIGURED}an API may have {ROUTES_MAX} operations."


def test_a_document_is_so_large_and_no_larger() -> None:
    with pytest.raises(TooLarge):
        meant(simple(description="x" * DOCUMENT_BYTES_MAX))


WORDS = [
    "get",
    "post",
    "parameters",
    "name",
    "$ref",
    "security",
    "operationId",
    "x-openwhisk",
    "action",
    "package",
    "namespace",
    "url",
    "x-rambla",
    "apiKey",
    "keys",
    "rateLimit",
    "requests",
    "assembly",
    "execute",
    "operation-switch",
    "case",
    "operations",
    "invoke",
    "target-url",
    "set-variable",
    "actions",
    "set",
    "value",
    "cors",
    "enabled",
    "/p",
    "/{id}",
]
FIELDS = [
    "paths",
    "x-ibm-configuration",
    "x-rambla",
    "x-ibm-rate-limit",
    "security",
    "securityDefinitions",
    "info",
    "basePath",
    "servers",
    "parameters",
]
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.sampled_from(["/a", "get", "#/x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(WORDS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
FIELDS = (
    "paths x-ibm-configuration x-rambla x-ibm-rate-limit security securityDefinitions info basePath servers parameters"
)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.booleans())
def test_of_whatever_is_sent_comes_an_api_or_a_refusal(fields: dict[str, Any], own_paths: bool) -> None:
    given = simple() | fields | ({"paths": simple()["paths"]} if own_paths else {})
    try:
        api = meant(given)
    except CallerError:
        return
    assert meant(json.loads(api.document)) == api
    changed = with_operation(json.loads(api.document), wish("/new"))
    assert without(changed, "/new", "get")["paths"].keys() == json.loads(api.document)["paths"].keys()


def test_many_additions_are_one_document() -> None:
    made = new_document("/base", "")
    for number in range(200):
        made = with_operation(made, wish(f"/r{number}"))
    assert len(meant(made).routes) == 200
