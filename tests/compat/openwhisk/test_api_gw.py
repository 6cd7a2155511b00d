"""Upstream's `ApiGwRestTests` and `ApiGwRestBasicTests`, first part: how APIs come, grow, are shown and go."""

import pytest

from compat.openwhisk.asking import User
from compat.openwhisk.publishing import Apis, document, fails, headers_through_gateway, operation, visit

REFUSED = "API creation failure: Unable to configure the API Gateway (status code 400): Error:"


@pytest.fixture
def apis(user: User) -> Apis:
    """Of somebody with a web action `echo`."""
    user.make_action("echo", web=True)
    return Apis(user)


class TestApiGwRest:
    def test_fail_to_create_an_api_if_the_base_path_contains_path_parameters(self, apis: Apis) -> None:
        base_path = "/bad/{path}/value"
        text = f"The base path ({base_path}) cannot have parameters. Only the relative path supports path parameters."
        fails(apis.add(base_path, "/good/path"), f"API creation failure: {text}")
        apis.get().gives({"apis": []})

    def test_reject_an_api_commands_with_an_invalid_path_parameter(self, apis: Apis) -> None:
        fails(apis.add("/basepath", "badpath"), f"{REFUSED} Resource path must begin with '/'.")
        answer = apis.delete("/basepath", relpath="badpath", operation="GET")
        fails(answer, "API deletion failure: API '/basepath' does not exist.")
        apis.get("/basepath", relpath="badpath", operation="GET").gives({"apis": []})

    def test_reject_an_api_commands_with_an_invalid_verb_parameter(self, apis: Apis) -> None:
        fails(apis.add("/basepath", verb="badverb"), f"{REFUSED} Resource verb 'badverb' not supported.")
        answer = apis.delete("/basepath", relpath="/path", operation="badverb")
        fails(answer, "API deletion failure: API '/basepath' does not exist.")
        apis.get("/basepath", relpath="/path", operation="badverb").gives({"apis": []})

    def test_verify_full_list_output(self, apis: Apis) -> None:
        expected = document("/bp", "My API", {"/path": {"get": operation(apis.user, "getPath")}})
        apis.add("/bp", api_name="My API").gives(apis.shown(expected))
        apis.get("/bp", relpath="/path", operation="get").gives(apis.listed(expected))
        apis.get("", limit="30", skip="0").gives(apis.listed(expected))

    def test_verify_successful_creation_and_deletion_of_a_new_api(self, apis: Apis) -> None:
        path = "/path/with/sub_paths/in/it"
        made = operation(apis.user, "getPathWithSub_pathsInIt")
        expected = document("/bp", "My API", {path: {"get": made}})
        apis.add("/bp", path, api_name="My API").gives(apis.shown(expected))
        apis.get("/bp", relpath=path, operation="get").gives(apis.listed(expected))
        apis.get("/bp").gives(apis.listed(expected))
        apis.delete("/bp").gives({})
        apis.get("/bp").gives({"apis": []})

    def test_verify_get_api_name(self, apis: Apis) -> None:
        expected = document("/bp", "My API", {"/path": {"get": operation(apis.user, "getPath")}})
        apis.add("/bp", api_name="My API").gives(apis.shown(expected))
        apis.get("My API").gives(apis.listed(expected))
        apis.get("No API").gives({"apis": []})

    def test_verify_delete_api_name(self, apis: Apis) -> None:
        apis.add("/bp", api_name="My API")
        apis.delete("My API").gives({})
        apis.get().gives({"apis": []})

    def test_verify_delete_api_basepath(self, apis: Apis) -> None:
        told = apis.add("/bp", api_name="My API").json
        assert visit(f"{told['gwApiUrl']}/path").status == 200
        apis.delete("/bp").gives({})
        apis.get().gives({"apis": []})
        visit(f"{told['gwApiUrl']}/path").refuses(404, "The requested resource does not exist.")

    def test_verify_adding_endpoints_to_existing_api(self, apis: Apis) -> None:
        first, second = operation(apis.user, "getPath2"), operation(apis.user, "getNewendpoint")
        apis.add("/bp", "/path2", api_name="My API")
        expected = document("/bp", "My API", {"/path2": {"get": first}, "/newEndpoint": {"get": second}})
        apis.add("/bp", "/newEndpoint", api_name="My API").gives(apis.shown(expected))
        apis.get("/bp").gives(apis.listed(expected))

    def test_verify_adding_endpoints_to_two_existing_apis(self, apis: Apis) -> None:
        first, second = operation(apis.user, "getPath2"), operation(apis.user, "getNewendpoint")
        for base_path in ("/bp", "/bp2"):
            apis.add(base_path, "/path2", api_name=f"API of {base_path}")
        for base_path in ("/bp", "/bp2"):
            apis.add(base_path, "/newEndpoint")
        for base_path in ("/bp", "/bp2"):
            paths = {"/path2": {"get": first}, "/newEndpoint": {"get": second}}
            apis.get(base_path).gives(apis.listed(document(base_path, f"API of {base_path}", paths)))

    def test_verify_successful_creation_of_a_new_api_using_an_action_name_using_all_allowed_characters(
        self, apis: Apis
    ) -> None:
        name = "a-c@t ion"
        apis.user.make_action(name, "def main(args):\n    return {'reached': True}\n", web=True)
        expected = document("/bp", "My API", {"/path": {"get": operation(apis.user, "getPath", name)}})
        told = apis.add("/bp", action=name, api_name="My API").gives(apis.shown(expected))
        apis.get("/bp", relpath="/path", operation="get").gives(apis.listed(expected))
        visit(f"{told['gwApiUrl']}/path").gives({"reached": True})
        apis.delete("/bp").gives({})

    def test_verify_delete_basepath_path(self, apis: Apis) -> None:
        apis.add("/bp", "/path", api_name="My API")
        apis.add("/bp", "/path_new", api_name="My API")
        apis.delete("/bp", relpath="/path").gives({})
        left = document("/bp", "My API", {"/path_new": {"get": operation(apis.user, "getPath_new")}})
        apis.get("/bp", relpath="/path_new").gives(apis.listed(left))

    def test_verify_delete_single_operation_from_existing_api_basepath_path_operations(self, apis: Apis) -> None:
        get, post = operation(apis.user, "getPath2"), operation(apis.user, "postPath2")
        apis.add("/bp", "/path2", "get", api_name="My API")
        apis.add("/bp", "/path2", "post", api_name="My API")
        both = document("/bp", "My API", {"/path2": {"get": get, "post": post}})
        apis.get("/bp").gives(apis.listed(both))
        apis.delete("/bp", relpath="/path2", operation="post").gives({})
        apis.get("/bp").gives(apis.listed(document("/bp", "My API", {"/path2": {"get": get}})))

    def test_verify_successful_creation_and_deletion_with_multiple_base_paths(self, apis: Apis) -> None:
        paths = {"/path": {"get": operation(apis.user, "getPath")}}
        first, second = document("/bp", "My API", paths), document("/bp2", "My API 2", paths)
        apis.add("/bp", api_name="My API").gives(apis.shown(first))
        apis.add("/bp2", api_name="My API 2").gives(apis.shown(second))
        apis.get().gives(apis.listed(first, second))
        apis.delete("/bp2").gives({})
        apis.get().gives(apis.listed(first))
        apis.delete("/bp").gives({})
        apis.get().gives({"apis": []})

    @pytest.mark.parametrize("extension", ["http", "json", "html", "svg", "text"])
    def test_verify_api_with_http_response_type(self, apis: Apis, extension: str) -> None:
        made = operation(apis.user, "getPath", extension=extension)
        expected = document("/bp", "My API", {"/path": {"get": made}})
        apis.add("/bp", api_name="My API", responsetype=extension).gives(apis.shown(expected))
        apis.get("My API").gives(apis.listed(expected))

    def test_reject_deletion_of_a_non_existent_api(self, apis: Apis) -> None:
        fails(apis.delete("/not-there"), "API deletion failure: API '/not-there' does not exist.")

    def test_reject_creation_of_an_api_with_invalid_auth_key(self, apis: Apis) -> None:
        nobody = Apis(apis.user, with_key=False)
        fails(nobody.add("/bp", api_name="My API"), "A valid auth key is required.")
        for answer in (nobody.get(), nobody.delete("/bp")):
            fails(answer, "Invalid authentication.")
        apis.get().gives({"apis": []})

    @pytest.mark.parametrize("extension", ["http", "json"])
    def test_create_an_api_and_successfully_invoke_that_api(self, apis: Apis, extension: str) -> None:
        code = "def main(args):\n    return {'statusCode': 200, 'body': args}\n"
        apis.user.make_action("web", code, web=True)
        apis.add("/bp", action="web", api_name="My API", responsetype=extension)
        kept = apis.get("/bp").json["apis"][0]["value"]["apidoc"]
        apis.delete("/bp").gives({})
        url = apis.load(kept).gives(apis.shown(kept))["gwApiUrl"]
        whole = f"{url}/path?name=APIGW_HEALTHTEST1&guid=1"
        seen = {
            "name": "APIGW_HEALTHTEST1",
            "guid": "1",
            "__ow_method": "get",
            "__ow_path": "/bp/path" if extension == "http" else "",
            "__ow_headers": headers_through_gateway(whole),
        }
        visit(whole).gives(seen if extension == "http" else {"statusCode": 200, "body": seen})


class TestApiGwRestRoutemgmtAction:
    def test_verify_successful_creation_of_a_new_api(self, apis: Apis) -> None:
        expected = document("/bp", "My API", {"/path": {"get": operation(apis.user, "getPath")}})
        apis.add("/bp", api_name="My API").gives(apis.shown(expected))
        apis.get("/bp", relpath="/path", operation="get").gives(apis.listed(expected))

    def test_verify_successful_api_deletion_using_basepath(self, apis: Apis) -> None:
        apis.add("/bp", api_name="My API")
        apis.delete("/bp").gives({})
        apis.get("/bp", relpath="/path", operation="get").gives({"apis": []})

    def test_verify_successful_addition_of_new_relative_path_to_existing_api(self, apis: Apis) -> None:
        apis.add("/bp", api_name="My API")
        apis.add("/bp", "/path_new", "delete", api_name="My API")
        get, delete = operation(apis.user, "getPath"), operation(apis.user, "deletePath_new")
        expected = document("/bp", "My API", {"/path": {"get": get}, "/path_new": {"delete": delete}})
        apis.get("/bp").gives(apis.listed(expected))
