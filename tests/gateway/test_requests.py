"""What clients send to the management of APIs, and OpenWhisk's words for what is missing."""

import json
from typing import Any

import pytest

from gateway.documents import simple
from rambla.domain.errors import BadRequest
from rambla.domain.names import FullName
from rambla.gateway.edit import OperationWish
from rambla.gateway.requests import CreateApi, DeleteApi, GetApi, create_api, delete_api, get_api

ACTION = {
    "name": "p/a",
    "namespace": "_",
    "backendMethod": "GET",
    "backendUrl": "http://127.0.0.1:3233/api/v1/web/_/p/a.http",
    "authkey": "uuid:secret",
}
APIDOC = {
    "namespace": "_",
    "gatewayBasePath": "/base",
    "gatewayPath": "/path",
    "gatewayMethod": "GET",
    "id": "API:_:/base",
    "action": ACTION,
}


def created(apidoc: Any = APIDOC, **more: Any) -> CreateApi:
    return create_api({"apidoc": apidoc, **more}, "guest")


def changed(**fields: Any) -> dict[str, Any]:
    return APIDOC | {"action": ACTION | fields}


def refusal(apidoc: Any, **more: Any) -> str:
    with pytest.raises(BadRequest) as error:
        created(apidoc, **more)
    return str(error.value)


def test_an_operation_is_asked_for_as_wsk_does() -> None:
    parameters = [{"name": "id", "in": "path"}]
    apidoc = changed(secureKey="s") | {"apiName": "My API", "pathParameters": parameters}
    wish = OperationWish(
        method="GET",
        path="/path",
        action=FullName("guest", "p", "a"),
        backend="http://127.0.0.1:3233",
        extension="http",
        parameters=parameters,
        secured=True,
    )
    assert created(apidoc, responsetype="http", accesstoken="x", spaceguid="y") == CreateApi(
        None, wish, "/base", "My API"
    )


def test_left_to_itself_the_answer_is_json_and_the_backend_keeps_its_path() -> None:
    url = "https://host.example/my/whisk/api/v1/web/guest/default/a.http"
    operation = created(changed(name="/guest/a", namespace="other", backendUrl=url)).operation
    assert operation is not None
    assert (operation.extension, operation.backend) == ("json", "https://host.example/my/whisk")
    assert operation.action == FullName("other", "", "a")
    assert (operation.parameters, operation.secured) == (None, False)


def test_a_whole_document_is_an_object_or_text() -> None:
    for given in (simple(), json.dumps(simple())):
        apidoc = {"namespace": "_", "swagger": given}
        assert created(apidoc) == created(json.dumps(apidoc)) == CreateApi(simple(), None, "/base")


@pytest.mark.parametrize(
    ("apidoc", "text"),
    [
        (None, "apidoc is required."),
        ({}, "apidoc is required."),
        ("{", "apidoc field cannot be parsed. Ensure it is valid JSON."),
        (3, "apidoc field is of type number and should be a JSON object or a JSON string."),
        (True, "apidoc field is of type boolean and should be a JSON object or a JSON string."),
        ([1], "apidoc is missing the namespace field"),
        ({"a": 1}, "apidoc is missing the namespace field"),
        (
            APIDOC | {"swagger": {"a": 1}},
            "swagger and gatewayBasePath are mutually exclusive and cannot be specified together.",
        ),
        ({"namespace": "_", "swagger": {"a": 1}}, "swagger is missing the basePath field."),
        ({"namespace": "_", "swagger": "{"}, "swagger field cannot be parsed. Ensure it is valid JSON."),
        ({"namespace": "_", "swagger": 3}, "swagger field is number and should be an object or a JSON string."),
        *(
            (APIDOC | {field: None}, f"apidoc is missing the {field} field")
            for field in ("gatewayBasePath", "gatewayPath", "gatewayMethod")
        ),
        (APIDOC | {"action": None}, "apidoc is missing the action field."),
        *(
            (changed(**{field: ""}), f"action is missing the {field} field.")
            for field in ("backendMethod", "backendUrl", "namespace", "name", "authkey")
        ),
    ],
)
def test_what_is_missing_is_told(apidoc: Any, text: str) -> None:
    assert refusal(apidoc) == text


def test_what_is_wrong_about_the_action_is_told() -> None:
    generation = "API creation failure: API swagger generation error: "
    assert refusal(changed(backendUrl="http://x")).startswith(generation)
    assert refusal(changed(name="a/b/c/d")).startswith(generation)
    assert refusal(APIDOC, responsetype="xml").startswith("Invalid responsetype value. Valid values are: http, json")


def test_apis_are_asked_for_by_base_path_or_name_a_page_at_a_time() -> None:
    assert get_api({}) == GetApi("", 0, 30)
    assert get_api({"basepath": "/b", "limit": "0", "skip": "5", "relpath": "/x"}) == GetApi("/b", 5, 200)
    assert get_api({"basepath": "My API", "limit": 7, "outputFormat": "Swagger"}) == GetApi("My API", 0, 7)
    for wrong in (
        {"limit": "x"},
        {"limit": "201"},
        {"limit": -1},
        {"skip": True},
        {"skip": "9" * 5000},
        {"limit": "²"},
    ):
        with pytest.raises(BadRequest, match="is not a number from 0 to"):
            get_api(wrong)
    with pytest.raises(BadRequest, match="Invalid outputFormat value"):
        get_api({"outputFormat": "xml"})


def test_what_is_to_be_deleted_is_named() -> None:
    assert delete_api({"basepath": "/b", "force": True}) == DeleteApi("/b", "", "")
    assert delete_api({"basepath": "/b", "relpath": "/p", "operation": "GET"}) == DeleteApi("/b", "/p", "get")
    for wrong, text in (
        ({}, "basepath is required."),
        ({"basepath": 3}, "basepath is required."),
        ({"basepath": "/b", "operation": "get"}, "When specifying an operation, the path is required."),
    ):
        with pytest.raises(BadRequest, match=text):
            delete_api(wrong)
