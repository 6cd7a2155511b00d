"""A document with one operation more or less is as OpenWhisk's routemgmt leaves it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import document, wish
from rambla.domain.errors import BadRequest
from rambla.gateway import assembly
from rambla.gateway.edit import new_document, operation_id, with_operation, without
from rambla.gateway.routes import api_of

NAME = {"name": "id", "in": "path", "required": True, "type": "string", "description": "Default description for 'id'"}


def test_a_first_operation_makes_the_document_that_clients_look_into() -> None:
    made = with_operation(new_document("/base", "My API"), wish("/books/{id}", "GET", "p/a", parameters=[NAME]))
    url = "http://rambla:3233/api/v1/web/guest/p/a.json"
    assert made == {
        "swagger": "2.0",
        "info": {"title": "My API", "version": "1.0.0"},
        "basePath": "/base",
        "paths": {
            "/books/{id}": {
                "get": {
                    "operationId": "getBooksId",
                    "parameters": [NAME],
                    "x-openwhisk": {"url": url, "namespace": "guest", "package": "p", "action": "a"},
                    "responses": {"default": {"description": "Default response"}},
                }
            }
        },
        "x-ibm-configuration": {
            "assembly": {
                "execute": [
                    {
                        "operation-switch": {
                            "case": [
                                {
                                    "operations": ["getBooksId"],
                                    "execute": [{"invoke": {"target-url": url, "verb": "keep"}}],
                                }
                            ]
                        }
                    }
                ]
            },
            "cors": {"enabled": True},
        },
    }


def test_without_a_name_the_base_path_is_the_title() -> None:
    assert new_document("/base", "")["info"]["title"] == "/base"


def test_only_the_extension_http_has_the_path_in_its_target() -> None:
    for extension, target in (("http", "a.http$(request.path)"), ("json", "a.json"), ("svg", "a.svg")):
        made = document(wish(extension=extension))
        assert assembly.read(made).targets["getPath"].url.endswith(f"/web/guest/default/{target}")
        assert made["paths"]["/path"]["get"]["x-openwhisk"]["url"].endswith(f"/a.{extension}")


def test_a_secure_key_is_said_to_be_sent_and_not_told() -> None:
    made = document(wish(secured=True), wish("/open"))
    case = made["x-ibm-configuration"]["assembly"]["execute"][0]["operation-switch"]["case"][0]
    sent = {"set": "message.headers.X-Require-Whisk-Auth", "value": assembly.HIDDEN}
    assert case["execute"][1] == {"set-variable": {"actions": [sent]}}
    assert assembly.read(made).secured == {"getPath"}


def test_an_operation_that_is_made_again_is_replaced_and_keeps_what_is_its_own() -> None:
    limit = {"rateLimit": {"requests": 1}}
    made = document(wish(secured=True, extension="http"), wish("/other"))
    made["paths"]["/path"]["get"]["x-rambla"] = limit
    again = with_operation(made, wish(action="b"))
    operation = again["paths"]["/path"]["get"]
    assert (operation["x-openwhisk"]["action"], operation["x-rambla"]) == ("b", limit)
    read = assembly.read(again)
    assert set(read.targets) == {"getPath", "getOther"}
    assert read.targets["getPath"].url.endswith("/b.json")
    assert read.secured == frozenset()


def test_the_document_that_went_in_is_not_changed() -> None:
    made = document(wish(), wish("/other"))
    before = json.dumps(made)
    with_operation(made, wish("/more"))
    without(made, "/path", "get")
    assert json.dumps(made) == before


def test_an_operation_is_added_to_a_document_that_has_other_steps() -> None:
    old = document()
    steps = old["x-ibm-configuration"]["assembly"]["execute"]
    old["x-ibm-configuration"]["assembly"]["execute"] = [{"set-variable": {"actions": []}}, *steps]
    made = with_operation(old, wish("/more"))
    assert len(made["x-ibm-configuration"]["assembly"]["execute"]) == 2
    assert set(assembly.read(made).targets) == {"getPath", "getMore"}


@pytest.mark.parametrize("configuration", [None, [], "x", {"assembly": 3}, {"assembly": {"execute": {"a": 1}}}])
def test_an_operation_is_added_whatever_the_configuration_was(configuration: object) -> None:
    made = with_operation(document() | {"x-ibm-configuration": configuration}, wish("/more"))
    assert assembly.read(made).targets.keys() == {"getMore"}


def test_in_openapi_3_a_parameters_type_is_in_its_schema() -> None:
    made = with_operation({"openapi": "3.0.3", "paths": {}}, wish("/{id}", parameters=[NAME]))
    (parameter,) = made["paths"]["/{id}"]["get"]["parameters"]
    assert parameter == {key: NAME[key] for key in NAME if key != "type"} | {"schema": {"type": "string"}}


# --- less ---


def test_an_operation_goes_and_its_path_with_the_last_one() -> None:
    made = document(wish(), wish(method="POST"), wish("/other"))
    first = without(made, "/path", "get")
    assert set(first["paths"]["/path"]) == {"post"}
    assert set(assembly.read(first).targets) == {"postPath", "getOther"}
    second = without(first, "/path", "post")
    assert set(second["paths"]) == {"/other"}
    assert set(assembly.read(second).targets) == {"getOther"}


def test_what_only_describes_operations_goes_with_the_last_one() -> None:
    made = document(wish(), wish("/other"))
    made["paths"]["/path"]["parameters"] = [NAME]
    assert set(without(made, "/path", "get")["paths"]) == {"/other"}


def test_a_path_goes_with_all_its_operations() -> None:
    made = without(document(wish(), wish(method="POST"), wish("/other")), "/path", "")
    assert set(made["paths"]) == {"/other"}
    assert set(assembly.read(made).targets) == {"getOther"}


@pytest.mark.parametrize(
    ("path", "verb", "text"),
    [
        ("/absent", "", "path '/absent' does not exist in the API"),
        ("/absent", "get", "path '/absent' with operation 'get' does not exist in the API"),
        ("/path", "put", "path '/path' with operation 'put' does not exist in the API"),
    ],
)
def test_what_is_not_there_cannot_go(path: str, verb: str, text: str) -> None:
    with pytest.raises(BadRequest) as error:
        without(document(), path, verb)
    assert str(error.value) == text


# --- operation ids ---


@pytest.mark.parametrize(
    ("path", "identifier"),
    [
        ("/", "get"),
        ("/path", "getPath"),
        ("/path/with/sub_paths/in/it", "getPathWithSub_pathsInIt"),
        ("/books/{isbn}", "getBooksIsbn"),
        ("/API2/my-Thing.v1", "getApi2My-thingV1"),
        ("/a~b!c d/ä", "getABCD"),
        ("/-x/_y", "get-X_y"),
    ],
)
def test_an_operation_id_is_made_of_the_paths_words(path: str, identifier: str) -> None:
    assert operation_id("get", path) == identifier


def test_two_paths_that_read_alike_lead_to_their_own_actions() -> None:
    made = document(wish("/a/b", action="first"), wish("/a.b", action="second"), wish("/a/b", "GET", "third"))
    routes = {one.path: one.target.name.name for one in api_of(made, "guest", 0).routes}
    assert routes == {"/a/b": "third", "/a.b": "second"}
    left = api_of(without(made, "/a/b", "get"), "guest", 0).routes
    assert [one.target.name.name for one in left] == ["second"]


STEP = st.tuples(st.sampled_from(["/a/b", "/a.b", "/c"]), st.sampled_from(["GET", "post"]), st.sampled_from("xyz"))


@given(st.lists(STEP | STEP.map(lambda step: (step[0], step[1], "")), max_size=12))
def test_whatever_comes_and_goes_each_operation_leads_where_it_was_last_led(steps: list[tuple[str, str, str]]) -> None:
    expected: dict[tuple[str, str], str] = {}
    made = new_document("/base", "")
    for path, method, action in steps:
        if action:
            expected[path, method.upper()] = action
            made = with_operation(made, wish(path, method, action))
        elif expected.pop((path, method.upper()), None):
            made = without(made, path, method.lower())
    if expected:
        routes = api_of(made, "guest", 0).routes
        assert {(one.path, one.method): one.target.name.name for one in routes} == expected
    assert len(assembly.read(made).targets) == len(expected)
