"""What `wskdeploy` sends for a manifest: `deploy`, `undeploy`, `sync` and `export`, request by request."""

import http.client
import json
from typing import Any

import pytest

from compat.openwhisk.asking import ECHO, TEXT, Like, User, a_package, a_rule, a_trigger, an_action, base64_of, pairs
from compat.openwhisk.commands import Commands
from compat.openwhisk.publishing import Apis, document, operation, visit

NOT_FOUND = "The requested resource does not exist."
ALARM = "/whisk.system/alarms/alarm"
GREETING = "def main(args):\n    return {'greeting': 'Hello, ' + args.get('name', 'stranger') + '!'}\n"
ENABLED = {"status": "active", "trigger": None, "action": None}
CLIENTS_CONTENT_TYPE = "application/json; charset=UTF-8"
FLAG = Like("true or false", lambda it: isinstance(it, bool))


def managed(project: str = "project", version: str = "1", **more: Any) -> dict[str, Any]:
    """The annotation by which a project knows what is its own."""
    value = {"projectName": project, "projectHash": version, "file": "manifest.yaml", "projectDeps": [], **more}
    return {"key": "whisk-managed", "value": value}


def deploy_package(wskdeploy: Commands, name: str = "p", **more: Any) -> None:
    body = {"namespace": "_", "name": name, "version": "0.0.1", "publish": False, **more}
    answer = wskdeploy.ask("PUT", f"packages/{name}?overwrite=true", body)
    answer.gives(a_package(wskdeploy, name, **more))


def deploy_action(wskdeploy: Commands, name: str, code: str = ECHO, annotations: Any = (), **more: Any) -> None:
    """A body's `name` is the package's and the action's, as nowhere else."""
    body = {"name": name, "exec": {"kind": "python:3", "code": code}, "publish": False, **more}
    answer = wskdeploy.ask("PUT", f"actions/{name}?overwrite=true", {**body, "annotations": [*annotations]})
    shown = pairs({"provide-api-key": False, "exec": "python:3"})
    shown += annotations
    answer.gives(an_action(wskdeploy, name, code=code, annotations=shown, **more))


def deploy_rule(wskdeploy: Commands, name: str = "r", trigger: str = "t", action: str = "p/hello", **more: Any) -> None:
    """Made, and switched on, which it may have ceased to be when its trigger was made anew."""
    sides = {"trigger": f"/_/{trigger}", "action": f"/_/{action}"}
    body = {"name": name, "status": "", **sides, "publish": False, **more}
    wskdeploy.ask("PUT", f"rules/{name}?overwrite=true", body).gives(a_rule(wskdeploy, name, trigger, action, **more))
    wskdeploy.ask("POST", f"rules/{name}", ENABLED).is_empty(200)


def deploy_all(wskdeploy: Commands, *annotations: dict[str, Any]) -> None:
    """A package with an action and a sequence, a trigger and a rule."""
    given = {"annotations": pairs()} if not annotations else {"annotations": [*annotations]}
    deploy_package(wskdeploy, **given)
    deploy_action(wskdeploy, "p/hello", GREETING, annotations)
    body = {
        "name": "p/both",
        "publish": False,
        "exec": {"kind": "sequence", "components": ["/_/p/hello", "/_/p/hello"]},
    }
    assert wskdeploy.ask("PUT", "actions/p/both?overwrite=true", {**body, **given}).status == 200
    trigger = {"name": "t", "publish": False, **given}
    wskdeploy.ask("PUT", "triggers/t?overwrite=true", trigger).gives(a_trigger(wskdeploy, "t", **given))
    deploy_rule(wskdeploy, **given)


def take_away(wskdeploy: Commands, *paths: str) -> None:
    """What is there is looked at, then deleted; an action without its code."""
    for path in paths:
        query = "?code=false" if path.startswith("actions/") else ""
        assert wskdeploy.ask("GET", f"{path}{query}").status == 200
        assert wskdeploy.ask("DELETE", path).status == 200
        named = f" '{wskdeploy.namespace}/p'" if path == "packages/p" else ""
        wskdeploy.ask("GET", f"{path}{query}").refuses(404, f"The requested resource{named} does not exist.")


class TestWskDeploy:
    def test_wskdeploy_reads_the_runtimes(self, wskdeploy: Commands) -> None:
        """It takes an answer whose Content-Type is not a part of its own for none, and then knows no kinds."""
        answer = wskdeploy.ask("GET", "/", auth=None, headers={"content-type": CLIENTS_CONTENT_TYPE})
        assert answer.status == 200
        assert answer.headers["content-type"] in CLIENTS_CONTENT_TYPE
        runtimes = answer.json["runtimes"]
        assert {"nodejs", "python", "java", "go", "rust"} <= runtimes.keys()
        flags = dict.fromkeys(("deprecated", "default", "attached", "requireMain"), FLAG)
        for kinds in runtimes.values():
            assert kinds == [{"kind": TEXT, "image": TEXT, **flags}] * len(kinds)
            assert sum(kind["default"] for kind in kinds) == 1

    def test_wskdeploy_of_a_package_an_action_a_sequence_a_trigger_and_a_rule(self, wskdeploy: Commands) -> None:
        deploy_all(wskdeploy)
        told = wskdeploy.ask("POST", "actions/p/hello?blocking=true&result=true", {"name": "World"})
        told.gives({"greeting": "Hello, World!"})
        assert wskdeploy.ask("POST", "triggers/t", {"name": "World"}).status == 202
        fired, invoked = wskdeploy.activations(2, name="p/hello")
        assert fired["response"]["result"] == invoked["response"]["result"] == {"greeting": "Hello, World!"}

    def test_wskdeploy_again(self, wskdeploy: Commands) -> None:
        deploy_package(wskdeploy)
        deploy_action(wskdeploy, "p/hello", version="1.0.0")
        deploy_package(wskdeploy)
        deploy_action(wskdeploy, "p/hello", GREETING, version="1.0.0")
        told = wskdeploy.ask("POST", "actions/p/hello?blocking=true&result=true", {})
        told.gives({"greeting": "Hello, stranger!"})

    def test_wskdeploy_undeploy(self, wskdeploy: Commands) -> None:
        deploy_all(wskdeploy)
        take_away(wskdeploy, "rules/r", "triggers/t", "actions/p/both", "actions/p/hello", "packages/p")
        for collection in ("rules", "triggers", "actions", "packages"):
            wskdeploy.ask("GET", f"{collection}?limit=0&skip=0").gives([])

    def test_wskdeploy_of_inputs_annotations_and_limits(self, wskdeploy: Commands) -> None:
        limits = {"timeout": 30_000, "memory": 128, "logs": 5}
        parameters = pairs(name="Sam", place={"city": "Barcelona", "numbers": [1, 2.5, None]}, empty="")
        body = {"name": "p/hello", "publish": False, "exec": {"kind": "python:3", "code": ECHO, "binary": False}}
        deploy_package(wskdeploy, parameters=pairs(of="package"))
        made = wskdeploy.ask(
            "PUT", "actions/p/hello?overwrite=true", {**body, "limits": limits, "parameters": parameters}
        )
        expected = {"limits": {**limits, "concurrency": 1}, "parameters": parameters}
        made.gives(an_action(wskdeploy, "p/hello", **expected))
        shown = pairs({"of": "package"})
        shown += parameters
        got = wskdeploy.ask("GET", "actions/p/hello?code=false")
        got.gives(an_action(wskdeploy, "p/hello", code=None, limits=expected["limits"], parameters=shown))

    def test_wskdeploy_of_the_default_package(self, wskdeploy: Commands) -> None:
        deploy_action(wskdeploy, "hello", GREETING)
        wskdeploy.ask("POST", "actions/hello?blocking=true&result=true", {}).gives({"greeting": "Hello, stranger!"})

    @pytest.mark.parametrize("secret", [None, "my-secret", True])
    def test_wskdeploy_of_a_web_action_that_requires_whisk_auth(self, wskdeploy: Commands, secret: object) -> None:
        exported = pairs({"web-export": True, "raw-http": False, "final": True})
        exported += pairs({"require-whisk-auth": secret}) if secret else []
        deploy_package(wskdeploy)
        deploy_action(wskdeploy, "p/hello", GREETING, exported)
        headers = {"x-require-whisk-auth": "my-secret"} if secret == "my-secret" else {}
        answer = wskdeploy.visit("p/hello.json", headers=headers)
        assert answer.status == (401 if secret is True else 200)
        assert wskdeploy.visit("p/hello.json").status == (401 if secret else 200)

    def test_wskdeploy_of_a_binding(self, wskdeploy: Commands) -> None:
        binding = {"namespace": "whisk.system", "name": "utils"}
        body = {"publish": False, "parameters": pairs(a=1), "binding": binding}
        made = wskdeploy.ask("PUT", "packages/tools?overwrite=true", body)
        made.gives(a_package(wskdeploy, "tools", parameters=pairs(a=1), binding=binding))
        told = wskdeploy.ask("POST", "actions/tools/echo?blocking=true&result=true", {"b": 2})
        told.gives({"a": 1, "b": 2})
        wskdeploy.ask("DELETE", "packages/tools").gives(
            a_package(wskdeploy, "tools", parameters=pairs(a=1), binding=binding)
        )

    def test_wskdeploy_of_a_trigger_with_a_feed(self, wskdeploy: Commands) -> None:
        self._deploy_feed(wskdeploy, cron="0 0 1 1 *")
        read = wskdeploy.configure(ALARM, "READ", "t").json["response"]["result"]
        assert read["config"]["cron"] == "0 0 1 1 *"

    def test_wskdeploy_of_a_trigger_with_a_feed_again(self, wskdeploy: Commands) -> None:
        """The feed is deleted, but not the trigger, which is made over the old one; a rule of it lives on."""
        self._deploy_feed(wskdeploy, cron="0 0 1 1 *")
        deploy_package(wskdeploy)
        deploy_action(wskdeploy, "p/hello")
        deploy_rule(wskdeploy)
        assert wskdeploy.ask("GET", "triggers/t").status == 200
        assert wskdeploy.configure(ALARM, "DELETE", "t").status == 200
        self._deploy_feed(wskdeploy, version="0.0.2", cron="0 0 2 1 *")
        read = wskdeploy.configure(ALARM, "READ", "t").json["response"]["result"]
        assert read["config"]["cron"] == "0 0 2 1 *"
        wskdeploy.ask("GET", "rules/r").gives(a_rule(wskdeploy, "r", "t", "p/hello"))

    def test_wskdeploy_of_a_trigger_with_a_feed_that_fails(self, wskdeploy: Commands) -> None:
        body = {"name": "t", "annotations": pairs(feed=ALARM), "publish": True}
        assert wskdeploy.ask("PUT", "triggers/t?overwrite=true", body).status == 200
        assert wskdeploy.configure(ALARM, "CREATE", "t", cron="wrong").status == 502
        assert wskdeploy.ask("DELETE", "triggers/t").status == 200
        wskdeploy.ask("DELETE", "triggers/t").refuses(404, NOT_FOUND)

    def test_wskdeploy_undeploy_of_a_trigger_with_a_feed(self, wskdeploy: Commands) -> None:
        self._deploy_feed(wskdeploy, cron="0 0 1 1 *")
        assert wskdeploy.ask("GET", "triggers/t").status == 200
        deleted = wskdeploy.configure(ALARM, "DELETE", "t")
        assert (deleted.status, deleted.json["response"]["result"]) == (200, {"status": "success"})
        take_away(wskdeploy, "triggers/t")

    def _deploy_feed(self, wskdeploy: Commands, version: str = "0.0.1", **parameters: Any) -> None:
        body = {"name": "t", "annotations": pairs(feed=ALARM), "publish": True}
        made = wskdeploy.ask("PUT", "triggers/t?overwrite=true", body)
        rules = made.json.get("rules")
        shown = {"annotations": pairs(feed=ALARM), "publish": True, "version": version}
        made.gives(a_trigger(wskdeploy, "t", **shown, **({"rules": rules} if rules else {})))
        told = wskdeploy.configure(ALARM, "CREATE", "t", **parameters)
        assert (told.status, told.json["response"]["result"]) == (200, {"status": "success"})

    def test_wskdeploy_of_an_api_and_undeploy(self, wskdeploy: Commands) -> None:
        """The address of the action has `https://` before whatever the host is set to, and `_` in it."""
        apis = Apis(wskdeploy)
        exported = pairs({"web-export": True, "raw-http": False, "final": True})
        deploy_package(wskdeploy)
        deploy_action(wskdeploy, "p/hello", "def main(args):\n    return {'body': 'hello'}\n", exported)
        place = {"gatewayBasePath": "/bp", "gatewayPath": "/path", "gatewayMethod": "GET", "apiName": "My API"}
        url = f"https://{wskdeploy.server.url}/api/v1/web/_/p/hello.http"
        about = {
            "name": "p/hello",
            "namespace": "_",
            "backendMethod": "get",
            "backendUrl": url,
            "authkey": wskdeploy.key,
        }
        made = apis.create({"namespace": "_", "id": "API:_:/path", **place, "action": about}, "http")
        assert made.status == 200
        visit(f"{made.json['gwApiUrl']}/path").is_text("hello", "text/html; charset=UTF-8")
        assert len(apis.get("/bp").json["apis"]) == 1
        apis.delete("/bp", relpath="/path", operation="GET").gives({})
        apis.get("/bp").gives({"apis": []})

    def test_wskdeploy_of_an_api_from_a_swagger_file_and_undeploy(self, wskdeploy: Commands) -> None:
        apis = Apis(wskdeploy)
        wskdeploy.make_action("echo", web=True)
        whole = document("/bp", "My API", {"/path": {"get": operation(wskdeploy, "getPath")}})
        apis.load(json.dumps(whole)).gives(apis.shown(whole))
        apis.delete("/bp").gives({})


class TestWskDeployManaged:
    def test_wskdeploy_sync_keeps_what_the_manifest_has(self, wskdeploy: Commands) -> None:
        deploy_all(wskdeploy, managed())
        for path in ("packages", "triggers", "rules", "actions/p/"):
            for entity in wskdeploy.ask("GET", f"{path}?limit=0&skip=0").json:
                assert managed() in entity["annotations"]

    def test_wskdeploy_sync_takes_away_what_the_manifest_has_no_more(self, wskdeploy: Commands, other: User) -> None:
        """What has the project's name and another hash is found in the lists, by its annotation."""
        deploy_all(wskdeploy, managed())
        deploy_package(wskdeploy, "q", annotations=[managed(version="2")])
        gone = []
        for collection in ("triggers", "rules", "packages"):
            for entity in wskdeploy.ask("GET", f"{collection}?limit=0&skip=0").json:
                if self._is_old(entity):
                    gone.append(f"{collection}/{entity['name']}")
        assert gone == ["triggers/t", "rules/r", "packages/p"]
        for path in gone[:2]:
            assert wskdeploy.ask("DELETE", path).status == 200
        for entity in wskdeploy.ask("GET", "actions/p/?limit=0&skip=0").json:
            assert self._is_old(entity)
            assert wskdeploy.ask("DELETE", f"actions/p/{entity['name']}").status == 200
        assert wskdeploy.ask("DELETE", "packages/p").status == 200
        updated = managed(version="2", projectDeps=[managed("other")])
        body = {"namespace": "_", "name": "q", "version": "0.0.1", "publish": False, "annotations": [updated]}
        wskdeploy.ask("PUT", "packages/q?overwrite=true", body).gives(a_package(wskdeploy, "q", annotations=[updated]))

    def _is_old(self, entity: dict[str, Any]) -> bool:
        values = [one["value"] for one in entity["annotations"] if one["key"] == "whisk-managed"]
        return any((value["projectName"], value["projectHash"]) == ("project", "1") for value in values)

    def test_wskdeploy_undeploy_projectname(self, wskdeploy: Commands) -> None:
        deploy_all(wskdeploy, managed())
        wskdeploy.ask("GET", "packages?limit=0&skip=0")
        got = wskdeploy.ask("GET", "packages/p").json
        assert got["annotations"] == [managed()]
        kinds = {}
        for entity in wskdeploy.ask("GET", "actions/p/?limit=0&skip=0").json:
            one = wskdeploy.ask("GET", f"actions/p/{entity['name']}?code=false").json
            kinds[one["name"]] = one["exec"]["kind"]
        assert kinds == {"hello": "python:3", "both": "sequence"}
        take_away(wskdeploy, "rules/r", "triggers/t", "actions/p/both", "actions/p/hello", "packages/p")

    def test_wskdeploy_export(self, wskdeploy: Commands) -> None:
        deploy_all(wskdeploy, managed())
        (listed,) = wskdeploy.ask("GET", "packages?limit=0&skip=0").json
        assert (listed["name"], listed["binding"]) == ("p", False)
        for entity in wskdeploy.ask("GET", "actions/p/?limit=0&skip=0").json:
            one = wskdeploy.ask("GET", f"actions/p/{entity['name']}?code=true").json
            if one["exec"]["kind"] == "sequence":
                assert one["exec"]["components"] == [f"/{wskdeploy.namespace}/p/hello"] * 2
            else:
                assert (one["exec"]["code"], one["exec"]["binary"]) == (GREETING, False)
        (trigger,) = wskdeploy.ask("GET", "triggers?limit=0&skip=0").json
        assert trigger["annotations"] == [managed()]
        (rule,) = wskdeploy.ask("GET", "rules?limit=0&skip=0").json
        wskdeploy.ask("GET", f"rules/{rule['name']}").gives(
            a_rule(wskdeploy, "r", "t", "p/hello", annotations=[managed()])
        )
        Apis(wskdeploy).get(limit="0", skip="0").gives({"apis": []})

    def test_wskdeploy_export_of_bindings(self, wskdeploy: Commands) -> None:
        """Which of the packages are bindings is told by their annotation of that name."""
        wskdeploy.make_binding("tools", "whisk.system", "utils", annotations=[managed()])
        binding = {"namespace": "whisk.system", "name": "utils"}
        (listed,) = wskdeploy.ask("GET", "packages?limit=0&skip=0").json
        assert {"key": "binding", "value": binding} in listed["annotations"]
        assert listed["binding"] == binding

    def test_wskdeploy_export_of_a_trigger_with_a_feed(self, wskdeploy: Commands) -> None:
        """Another namespace is reached from one's own by dots, which no library but Go's lets pass."""
        wskdeploy.make_trigger("t", annotations=pairs(feed=ALARM))
        wskdeploy.configure(ALARM, "CREATE", "t", cron="0 0 1 1 *")
        path = "/api/v1/namespaces/_/actions/../../whisk.system/actions/alarms/alarm?blocking=true&result=true"
        body = {"authKey": wskdeploy.key, "lifecycleEvent": "READ", "triggerName": "/_/t"}
        status, told = _send_as_it_is(wskdeploy, path, body)
        assert (status, told["config"]["cron"]) == (200, "0 0 1 1 *")


def _send_as_it_is(user: User, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(user.server.url.removeprefix("http://"), timeout=30)
    headers = {"Authorization": f"Basic {base64_of(user.key.encode())}", "Content-Type": "application/json"}
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, told
