"""What `wsk` sends for its commands, third part: packages, namespaces, properties and APIs."""

import pytest

from compat.openwhisk.asking import CORS, TEXT, User, a_package, a_rule, a_trigger, an_action, matching, pairs
from compat.openwhisk.commands import Commands
from compat.openwhisk.publishing import Apis, document, fails, operation

NOT_FOUND = "The requested resource does not exist."


class TestWskCliPackages:
    def test_wsk_package_create_p(self, wsk: Commands) -> None:
        body = {"namespace": "_", "name": "p"}
        wsk.ask("PUT", "packages/p?overwrite=false", body).gives(a_package(wsk, "p"))
        wsk.ask("PUT", "packages/p?overwrite=false", body).refuses(409, "resource already exists")

    def test_wsk_package_create_p_shared_yes(self, wsk: Commands) -> None:
        body = {"namespace": "_", "name": "p", "publish": True, "annotations": pairs(a=1), "parameters": pairs(b=[2])}
        expected = a_package(wsk, "p", publish=True, annotations=pairs(a=1), parameters=pairs(b=[2]))
        wsk.ask("PUT", "packages/p?overwrite=false", body).gives(expected)

    def test_wsk_package_update_p(self, wsk: Commands) -> None:
        body = {"namespace": "_", "name": "p", "parameters": pairs(b=2)}
        wsk.ask("PUT", "packages/p?overwrite=true", body).gives(a_package(wsk, "p", parameters=pairs(b=2)))
        shared = {"namespace": "_", "name": "p", "publish": True}
        expected = a_package(wsk, "p", version="0.0.2", publish=True, parameters=pairs(b=2))
        wsk.ask("PUT", "packages/p?overwrite=true", shared).gives(expected)

    @pytest.mark.parametrize("own", [True, False])
    def test_wsk_package_bind_p_bound(self, wsk: Commands, other: User, own: bool) -> None:
        owner: User = wsk if own else other
        owner.make_package("p", publish=True, parameters=pairs(a=1, b=2))
        owner.make_action("p/echo")
        named = {"namespace": "_" if own else owner.namespace, "name": "p"}
        answer = wsk.ask("PUT", "packages/bound?overwrite=false", {"parameters": pairs(b=3), "binding": named})
        binding = {"namespace": owner.namespace, "name": "p"}
        made = {"parameters": pairs(b=3), "binding": binding}
        answer.gives(a_package(wsk, "bound", **made))
        contents = {
            "name": "echo",
            "version": "0.0.1",
            "annotations": pairs({"provide-api-key": False, "exec": "python:3"}),
        }
        shown = {**made, "parameters": pairs(a=1, b=3), "actions": [contents], "feeds": []}
        wsk.ask("GET", "packages/bound").gives(a_package(wsk, "bound", **shown))
        wsk.ask("POST", "actions/bound/echo?blocking=true&result=true", {"c": 4}).gives({"a": 1, "b": 3, "c": 4})

    def test_wsk_package_bind_of_what_is_not_there(self, wsk: Commands) -> None:
        body = {"binding": {"namespace": "_", "name": "absent"}}
        text = "Binding references a package that does not exist."
        wsk.ask("PUT", "packages/bound?overwrite=false", body).refuses(400, text)

    def test_wsk_package_refresh(self, wsk: Commands) -> None:
        text = "HTTP method not allowed, supported methods: GET, PUT, DELETE"
        wsk.ask("POST", "packages/refresh").refuses(405, text)

    def test_wsk_package_get_p(self, wsk: Commands) -> None:
        wsk.make_package("p")
        wsk.ask("GET", "packages/p").gives(a_package(wsk, "p", actions=[], feeds=[]))
        text = f"The requested resource '{wsk.namespace}/absent' does not exist."
        wsk.ask("GET", "packages/absent").refuses(404, text)

    def test_wsk_package_list(self, wsk: Commands) -> None:
        wsk.make_package("p", parameters=pairs(a=1))
        wsk.make_binding("bound", wsk.namespace, "p")
        binding = {"namespace": wsk.namespace, "name": "p"}
        listed = [
            a_package(wsk, "bound", binding=binding),
            a_package(wsk, "p", binding=False),
        ]
        for one in listed:
            del one["parameters"]
        wsk.ask("GET", "packages?limit=30&skip=0").gives(listed)
        wsk.ask("GET", "packages?limit=1&public=true&skip=1").gives(listed[1:])

    def test_wsk_package_list_whisk_system(self, wsk: Commands) -> None:
        listed = wsk.ask("GET", "/namespaces/whisk.system/packages?limit=30&skip=0")
        assert listed.status == 200
        assert {"alarms", "utils", "samples"} <= {one["name"] for one in listed.json}
        assert all(one["publish"] and one["binding"] is False for one in listed.json)

    def test_wsk_package_delete_p(self, wsk: Commands) -> None:
        wsk.make_package("p")
        wsk.make_action("p/a")
        text = "Package not empty (contains 1 entity). Set force param or delete package contents."
        wsk.ask("DELETE", "packages/p").refuses(409, text)
        wsk.delete("actions/p/a")
        wsk.ask("DELETE", "packages/p").gives(a_package(wsk, "p"))


class TestWskCliNamespaces:
    def test_wsk_namespace_list(self, wsk: Commands) -> None:
        wsk.ask("GET", "/namespaces").gives([wsk.namespace])

    def test_wsk_namespace_get(self, wsk: Commands) -> None:
        wsk.make_package("p")
        wsk.make_action("a")
        wsk.make_trigger("t")
        wsk.make_rule("r", "t", "a")
        expected = {
            "actions": an_action(wsk, "a", exec={"binary": False}),
            "packages": a_package(wsk, "p", binding=False),
            "triggers": a_trigger(wsk, "t"),
            "rules": a_rule(wsk, "r", "t", "a"),
        }
        for collection, entity in expected.items():
            shown = {name: value for name, value in entity.items() if name not in ("parameters", "status")}
            if collection == "triggers":
                del shown["limits"]
            wsk.ask("GET", f"{collection}?limit=0&skip=0").gives([shown])
        wsk.ask("GET", "rules/r").gives(expected["rules"])

    def test_wsk_property_get_all(self, wsk: Commands) -> None:
        """Without a key; the library wants a build that begins with the century."""
        told = wsk.ask("GET", "/api/v1", auth=None)
        told.gives(
            {
                "description": "OpenWhisk API",
                "api_version": "1.0.0",
                "api_version_path": "v1",
                "build": matching("20.+"),
                "buildno": TEXT,
                "swagger_paths": {"ui": "/docs", "api-docs": "/api-docs"},
            },
            headers=CORS,
        )
        wsk.ask("GET", "/namespaces").gives([wsk.namespace])

    def test_wsk_property_get_with_a_wrong_key(self, wsk: Commands) -> None:
        wrong = wsk.ask("GET", "/namespaces", auth=("x", "y"))
        wrong.refuses(401, "The supplied authentication is invalid")


class TestWskCliApis:
    def test_wsk_api_create_bp_path_get_echo(self, wsk: Commands) -> None:
        apis = Apis(wsk)
        wsk.make_action("echo", web=True)
        shown = wsk.ask("GET", "actions/echo?code=false").json
        assert {"key": "web-export", "value": True} in shown["annotations"]
        expected = document("/bp", "/bp", {"/path": {"get": operation(wsk, "getPath")}})
        apis.add("/bp").gives(apis.shown(expected))

    def test_wsk_api_create_of_an_action_that_is_not_there(self, wsk: Commands) -> None:
        wsk.ask("GET", "actions/echo?code=false").refuses(404, NOT_FOUND)
        text = f"API creation failure: action /{wsk.namespace}/echo does not exist"
        fails(Apis(wsk).add("/bp"), text)

    def test_wsk_api_create_of_an_action_with_a_secret(self, wsk: Commands) -> None:
        wsk.make_action("echo", web=True, annotations=pairs({"require-whisk-auth": "my-secret"}))
        apis = Apis(wsk)
        answer = apis.add("/bp", secure_key="my-secret")
        document_shown = answer.json["apidoc"]
        assert "my-secret" not in answer.content.decode()
        answer.gives(apis.shown(document_shown))
        cases = document_shown["x-ibm-configuration"]["assembly"]["execute"][0]["operation-switch"]["case"]
        proof = {"set": "message.headers.X-Require-Whisk-Auth", "value": "********"}
        assert cases[0]["execute"][1] == {"set-variable": {"actions": [proof]}}

    def test_wsk_api_list_get_and_delete(self, wsk: Commands) -> None:
        apis = Apis(wsk)
        wsk.make_action("echo", web=True)
        apis.add("/bp", api_name="My API")
        expected = document("/bp", "My API", {"/path": {"get": operation(wsk, "getPath")}})
        apis.get(limit="30", skip="0").gives(apis.listed(expected))
        apis.get("My API").gives(apis.listed(expected))
        apis.get("/bp").gives(apis.listed(expected))
        apis.delete("/bp").gives({})
        apis.get(limit="30", skip="0").gives({"apis": []})
