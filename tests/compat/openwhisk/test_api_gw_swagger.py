"""Upstream's `ApiGwRestTests` and `ApiGwRestBasicTests`, second part: APIs from whole documents."""

import copy
import json
from typing import Any

import pytest

from compat.openwhisk.asking import User, differs
from compat.openwhisk.publishing import Apis, backend, document, fails, operation, visit

FAILED = "API creation failure: "
REFUSED = f"{FAILED}Unable to configure the API Gateway (status code 400): Error:"
PARAMETER = {"in": "path", "name": "name", "type": "string", "required": True}
SECRET = "my-secret"
PROVING = {"set-variable": {"actions": [{"set": "message.headers.X-Require-Whisk-Auth", "value": SECRET}]}}
AUTHORIZING = {"set-variable": {"actions": [{"set": "message.headers.Authorization", "value": "Basic c2VjcmV0"}]}}
VERBS = ("delete", "get", "head", "options", "patch", "post", "put")


@pytest.fixture
def apis(user: User) -> Apis:
    """Of somebody with a web action `echo`."""
    user.make_action("echo", web=True)
    return Apis(user)


def with_parameters(user: User, path: str = "/api2/greeting2/{name}", extension: str = "http") -> dict[str, Any]:
    """A document whose only path has parameters, of which `name` is described."""
    made = {**operation(user, "getApi2Greeting2Name", extension=extension), "parameters": [PARAMETER]}
    return document("/guest/v1", "/guest/v1", {path: {"get": made}})


def with_steps(of: dict[str, Any], *steps: dict[str, Any]) -> dict[str, Any]:
    """The document with steps before its own."""
    changed = copy.deepcopy(of)
    execute = changed["x-ibm-configuration"]["assembly"]["execute"]
    execute[:0] = steps
    return changed


def hidden(of: dict[str, Any]) -> dict[str, Any]:
    """The document as it is kept: no secret is."""
    text = json.dumps(of).replace(SECRET, "********").replace("Basic c2VjcmV0", "********")
    kept: dict[str, Any] = json.loads(text)
    return kept


class TestApiGwRest:
    def test_create_the_api_when_swagger_file_contains_path_parameters(self, apis: Apis) -> None:
        expected = with_parameters(apis.user)
        told = apis.load(expected).gives(apis.shown(expected))
        apis.user.make_action("echo", "def main(args):\n    return {'body': {'path': args['__ow_path']}}\n", web=True)
        seen = {"path": "/guest/v1/api2/greeting2/World"}
        visit(f"{told['gwApiUrl']}/api2/greeting2/World").gives(seen)
        visit(f"{told['gwApiUrl']}/api2/greeting2").refuses(404, "The requested resource does not exist.")

    def test_fail_to_create_api_when_swagger_file_contains_invalid_action_response_type(self, apis: Apis) -> None:
        text = "The action must use a response type of '.http' in order to receive the path parameters."
        fails(apis.load(with_parameters(apis.user, extension="json")), f"{FAILED}{text}")

    @pytest.mark.parametrize(
        ("path", "described", "missing"),
        [("/api2/greeting2/{name}", "names", "name"), ("/api2/greeting2/{name}/{id}", "name", "id")],
    )
    def test_fail_to_create_api_when_swagger_file_contains_invalid_parameter_names(
        self, apis: Apis, path: str, described: str, missing: str
    ) -> None:
        wrong = with_parameters(apis.user, path)
        wrong["paths"][path]["get"]["parameters"] = [{**PARAMETER, "name": described}]
        text = f"The parameter '{missing}' defined in path '{path}' does not match any of the parameters defined for"
        fails(apis.load(wrong), f"{FAILED}{text} the path in the swagger file.")

    def test_fail_to_create_api_when_swagger_file_contains_an_invalid_target_url(self, apis: Apis) -> None:
        wrong = with_parameters(apis.user)
        (case,) = wrong["x-ibm-configuration"]["assembly"]["execute"][0]["operation-switch"]["case"]
        case["execute"] = [{"invoke": {"target-url": backend(apis.user, "echo", "http"), "verb": "keep"}}]
        text = "The target-url for operationId 'getApi2Greeting2Name' must end in '$(request.path)'"
        fails(apis.load(wrong), f"{FAILED}{text} in order for actions to receive the path parameters.")

    def test_reject_an_api_create_command_specifying_a_non_json_configuration_file(self, apis: Apis) -> None:
        fails(apis.load("a=A"), "swagger field cannot be parsed. Ensure it is valid JSON.")

    @pytest.mark.parametrize("missing", ["basePath", "paths", "info"])
    def test_reject_an_api_create_command_specifying_a_non_swagger_json_configuration_file(
        self, apis: Apis, missing: str
    ) -> None:
        info = {"title": "My API", "version": "1.0.0"}
        whole = {"swagger": "2.0", "info": info, "basePath": "/bp", "paths": {"/rp": {"get": {}}}}
        wrong = {f"BAD{name}" if name == missing else name: value for name, value in whole.items()}
        fails(apis.load(json.dumps(wrong)), f"swagger is missing the {missing} field.")

    @pytest.mark.parametrize(
        ("paths", "text"),
        [
            ({}, "swagger is missing the paths field."),
            ({"/bad": {}}, f"{REFUSED} Missing or empty field 'operations' or in resource path object."),
            ({"/bad": {"badverb": {}}}, f"{REFUSED} Resource verb 'badverb' not supported."),
            ({"bad": {"get": {}}}, f"{REFUSED} Resource path must begin with '/'."),
        ],
    )
    def test_verify_failed_creation_with_invalid_swagger_doc_as_input(
        self, apis: Apis, paths: dict[str, Any], text: str
    ) -> None:
        info = {"title": "My API", "version": "1.0.0"}
        fails(apis.load({"swagger": "2.0", "basePath": "/bp", "info": info, "paths": paths}), text)
        apis.get().gives({"apis": []})

    @differs("the action of each operation has to exist and its author to be allowed to read it; secrets are not kept")
    def test_verify_successful_creation_with_swagger_doc_as_input(self, apis: Apis) -> None:
        names = {f"/path{each}": operation(apis.user, f"get_/path{each}") for each in ("", "Secure1", "Secure2")}
        whole = document("/bp", "My API", {path: {"get": one} for path, one in names.items()})
        whole = with_steps(whole, AUTHORIZING)
        cases = whole["x-ibm-configuration"]["assembly"]["execute"][1]["operation-switch"]["case"]
        cases[1]["execute"].append(PROVING)
        cases[2]["execute"].insert(0, PROVING)
        apis.user.delete("actions/echo")
        fails(apis.load(whole), f"{FAILED}action /{apis.user.namespace}/echo does not exist")
        require = [{"key": "require-whisk-auth", "value": SECRET}]
        apis.user.make_action("echo", "def main(args):\n    return {'in': True}\n", web=True, annotations=require)
        told = apis.load(whole).gives(apis.shown(hidden(whole)))
        apis.get("/bp").gives(apis.listed(hidden(whole)))
        assert visit(f"{told['gwApiUrl']}/path").status == 401
        for path in ("/pathSecure1", "/pathSecure2"):
            visit(f"{told['gwApiUrl']}{path}").gives({"in": True})

    def test_verify_successful_creation_with_complex_swagger_doc_as_input(self, apis: Apis) -> None:
        echoed, split = "/whisk_system/utils/echo", "/whisk_system/utils/split"
        echo = {verb: operation(apis.user, f"{verb}_{echoed}") for verb in ("get", "post")}
        paths = {echoed: echo, split: {"post": operation(apis.user, f"post_{split}")}}
        whole = with_steps(document("/test1/v1", "My API", paths), AUTHORIZING)
        for case in whole["x-ibm-configuration"]["assembly"]["execute"][1]["operation-switch"]["case"]:
            case["execute"][0]["invoke"]["verb"] = "post"
        apis.user.make_action("echo", "def main(args):\n    return {'told': args['__ow_method']}\n", web=True)
        told = apis.load(json.dumps(whole)).gives(apis.shown(hidden(whole)))
        apis.get("/test1/v1").gives(apis.listed(hidden(whole)))
        for verb, path in (("GET", echoed), ("POST", echoed), ("POST", split)):
            visit(f"{told['gwApiUrl']}{path}", verb).gives({"told": "post"})

    def test_successfully_list_an_api_whose_endpoints_are_not_mapped_to_actions(self, apis: Apis) -> None:
        responses = {"200": {"description": "A successful invocation response"}}
        item = {verb: {"operationId": "", "responses": responses} for verb in VERBS}
        info = {"title": "A descriptive name", "version": "1.0"}
        whole: dict[str, Any] = {"swagger": "2.0", "basePath": "/NoActions", "info": info, "paths": {"/": item}}
        whole["x-ibm-configuration"] = {"assembly": {"execute": []}, "cors": {"enabled": True}}
        told = apis.load(whole).gives(apis.shown(whole))
        apis.get("/NoActions").gives(apis.listed(whole))
        visit(told["gwApiUrl"]).refuses(404, "The requested resource does not exist.")
