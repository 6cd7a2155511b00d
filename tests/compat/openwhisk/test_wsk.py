"""What `wsk` sends for its commands, first part: actions and activations. Its exit code is the status of an answer."""

import pytest

from compat.openwhisk.asking import ECHO, ID, MS, NODE_ECHO, an_action, base64_of, matching, pairs
from compat.openwhisk.commands import Commands

NOT_FOUND = "The requested resource does not exist."
WEB = [
    {"key": "web-export", "value": True},
    {"key": "raw-http", "value": False},
    {"key": "final", "value": True},
]
FAILING = "def main(args):\n    return {'error': {'statusCode': 418, 'body': args}}\n"


def hello(**more: object) -> dict[str, object]:
    return {"namespace": "_", "name": "hello", "exec": {"kind": "python:default", "code": ECHO}, **more}


def record_of(wsk: Commands, name: str, result: object, **changed: object) -> dict[str, object]:
    """An activation as `wsk activation get` shows it; what cannot be known before is not compared closely."""
    response = {"status": "success", "success": True, "result": result, "size": changed.pop("size")}
    return {
        "namespace": wsk.namespace,
        "name": name,
        "version": "0.0.1",
        "subject": wsk.namespace,
        "activationId": ID,
        "start": MS,
        "end": MS,
        "duration": changed.pop("duration"),
        "response": response,
        "logs": [],
        "annotations": changed.pop("annotations"),
        "publish": False,
        **changed,
    }


class TestWskCliActions:
    def test_wsk_action_create_hello_hello_py(self, wsk: Commands) -> None:
        wsk.ask("PUT", "actions/hello?overwrite=false", hello()).gives(an_action(wsk, "hello"))
        wsk.ask("PUT", "actions/hello?overwrite=false", hello()).refuses(409, "resource already exists")

    @pytest.mark.parametrize(
        ("kind", "resolved"),
        [("nodejs:default", "nodejs:20"), ("python:default", "python:3"), ("go:default", "go:1.20")],
    )
    def test_wsk_action_create_of_a_kind_that_is_resolved(self, wsk: Commands, kind: str, resolved: str) -> None:
        executed = {"kind": kind, "code": "??"}
        expected = an_action(wsk, "hello", kind=resolved, code="??")
        wsk.ask("PUT", "actions/hello?overwrite=false", hello(exec=executed)).gives(expected)

    def test_wsk_action_create_hello_hello_py_with_an_empty_file(self, wsk: Commands) -> None:
        executed = {"kind": "nodejs:default", "code": ""}
        expected = an_action(wsk, "hello", kind="nodejs:20", code="")
        wsk.ask("PUT", "actions/hello?overwrite=false", hello(exec=executed)).gives(expected)
        failed = wsk.ask("POST", "actions/hello?blocking=true&result=true", {})
        failed.gives({"error": matching(".+")}, 502)

    def test_wsk_action_create_hello_with_parameters_annotations_limits_and_main(self, wsk: Commands) -> None:
        limits = {"timeout": 10_000, "memory": 128, "logs": 1}
        given = {"parameters": pairs(x="b"), "annotations": pairs(y={"z": [1]}), "limits": limits}
        executed = {"kind": "python:default", "code": ECHO, "main": "main"}
        expected = an_action(
            wsk,
            "hello",
            parameters=pairs(x="b"),
            annotations=pairs({"y": {"z": [1]}, "provide-api-key": False, "exec": "python:3"}),
            limits={**limits, "concurrency": 1},
            exec={"kind": "python:3", "code": ECHO, "binary": False, "main": "main"},
        )
        wsk.ask("PUT", "actions/hello?overwrite=false", hello(exec=executed, **given)).gives(expected)

    def test_wsk_action_create_hello_hello_zip_kind_nodejs_default(self, wsk: Commands) -> None:
        code = base64_of(b"PK\x03\x04zip!")
        executed = {"kind": "nodejs:default", "code": code}
        expected = an_action(wsk, "hello", kind="nodejs:20", code=code, binary=True)
        wsk.ask("PUT", "actions/hello?overwrite=false", hello(exec=executed)).gives(expected)

    def test_wsk_action_create_hello_hello_native(self, wsk: Commands) -> None:
        executed = {"kind": "blackbox", "code": "echo", "image": "openwhisk/dockerskeleton"}
        shown = {"kind": "blackbox", "image": "openwhisk/dockerskeleton", "code": "echo", "binary": True}
        expected = an_action(
            wsk, "hello", exec=shown, annotations=pairs({"provide-api-key": False, "exec": "blackbox"})
        )
        wsk.ask("PUT", "actions/hello?overwrite=false", hello(exec=executed)).gives(expected)

    def test_wsk_action_update_hello_hello_js_when_there_is_none(self, wsk: Commands) -> None:
        wsk.ask("GET", "actions/hello?code=false").refuses(404, NOT_FOUND)
        wsk.ask("PUT", "actions/hello?overwrite=true", hello()).gives(an_action(wsk, "hello"))

    def test_wsk_action_update_hello_hello_js_when_there_is_one(self, wsk: Commands) -> None:
        wsk.make_action("hello")
        wsk.ask("GET", "actions/hello?code=false").gives(an_action(wsk, "hello", code=None))
        executed = {"kind": "nodejs:default", "code": NODE_ECHO}
        expected = an_action(wsk, "hello", version="0.0.2", kind="nodejs:20", code=NODE_ECHO)
        wsk.ask("PUT", "actions/hello?overwrite=true", hello(exec=executed)).gives(expected)

    def test_wsk_action_update_hello_web_true(self, wsk: Commands) -> None:
        wsk.make_action("hello")
        shown = wsk.ask("GET", "actions/hello?code=false").json
        body = {"namespace": "_", "name": "hello", "annotations": [*shown["annotations"], *WEB]}
        annotations = pairs(
            {"provide-api-key": False, "exec": "python:3", "web-export": True, "raw-http": False, "final": True}
        )
        expected = an_action(wsk, "hello", version="0.0.2", annotations=annotations)
        wsk.ask("PUT", "actions/hello?overwrite=true", body).gives(expected)
        assert wsk.visit("default/hello.json").status == 200

    def test_wsk_action_update_hello_web_secure_false(self, wsk: Commands) -> None:
        wsk.make_action("hello", web=True, annotations=pairs({"require-whisk-auth": "secret"}))
        assert wsk.visit("default/hello.json").status == 401
        body = {"namespace": "_", "name": "hello", "annotations": WEB, "delAnnotations": ["require-whisk-auth"]}
        shown = wsk.ask("PUT", "actions/hello?overwrite=true", body).json["annotations"]
        assert [one["key"] for one in shown if one["key"] == "require-whisk-auth"] == []
        assert wsk.visit("default/hello.json").status == 200

    def test_wsk_action_create_copied_hello_copy(self, wsk: Commands) -> None:
        wsk.make_action("hello", NODE_ECHO, kind="nodejs:20", parameters=pairs(x="b"), annotations=pairs(y="z"))
        found = wsk.ask("GET", "actions/hello?code=true").json
        copied = {name: found[name] for name in ("exec", "parameters", "annotations")}
        answer = wsk.ask("PUT", "actions/copied?overwrite=false", {"namespace": "_", "name": "copied", **copied})
        annotations = pairs({"y": "z", "provide-api-key": False, "exec": "nodejs:20"})
        shown = {"kind": "nodejs:20", "code": NODE_ECHO, "parameters": pairs(x="b"), "annotations": annotations}
        answer.gives(an_action(wsk, "copied", **shown))
        wsk.ask("POST", "actions/copied?blocking=true&result=true", {"a": 1}).gives({"x": "b", "a": 1})

    def test_wsk_action_create_both_a_b_sequence(self, wsk: Commands) -> None:
        for name in ("a", "b"):
            wsk.make_action(name)
        body = {"namespace": "_", "name": "both", "exec": {"kind": "sequence", "components": ["/_/a", "/_/b"]}}
        components = [f"/{wsk.namespace}/{name}" for name in ("a", "b")]
        expected = an_action(
            wsk,
            "both",
            exec={"kind": "sequence", "components": components},
            parameters=pairs(_actions=components),
            annotations=pairs({"provide-api-key": False, "exec": "sequence"}),
        )
        wsk.ask("PUT", "actions/both?overwrite=false", body).gives(expected)

    def test_wsk_action_get_hello(self, wsk: Commands) -> None:
        wsk.make_action("hello")
        wsk.ask("GET", "actions/hello?code=false").gives(an_action(wsk, "hello", code=None))
        wsk.ask("GET", "actions/absent?code=false").refuses(404, NOT_FOUND)

    def test_wsk_action_get_hello_save(self, wsk: Commands) -> None:
        wsk.make_action("hello")
        wsk.ask("GET", "actions/hello?code=true").gives(an_action(wsk, "hello"))

    def test_wsk_action_delete_hello(self, wsk: Commands) -> None:
        wsk.make_action("hello")
        wsk.ask("DELETE", "actions/hello").gives(an_action(wsk, "hello"))
        wsk.ask("DELETE", "actions/hello").refuses(404, NOT_FOUND)

    def test_wsk_action_list(self, wsk: Commands) -> None:
        wsk.make_package("p")
        for name in ("a", "p/b"):
            wsk.make_action(name)
        listed = [an_action(wsk, name, exec={"binary": False}) for name in ("p/b", "a")]
        for one in listed:
            del one["parameters"]
        wsk.ask("GET", "actions?limit=30&skip=0").gives(listed)
        wsk.ask("GET", "actions/p/?limit=30&skip=0").gives(listed[:1])

    def test_wsk_action_invoke_hello(self, wsk: Commands) -> None:
        wsk.make_action("hello")
        told = wsk.ask("POST", "actions/hello?blocking=false&result=false", {})
        told.gives({"activationId": ID}, 202, {"x-openwhisk-activation-id": ID})

    def test_wsk_action_invoke_hello_blocking(self, wsk: Commands) -> None:
        wsk.make_action("hello")
        told = wsk.ask("POST", "actions/hello?blocking=true&result=false", {"name": "World"})
        known = {name: told.json[name] for name in ("duration", "annotations")}
        told.gives(record_of(wsk, "hello", {"name": "World"}, size=16, **known))

    def test_wsk_action_invoke_hello_result(self, wsk: Commands) -> None:
        wsk.make_action("hello")
        wsk.ask("POST", "actions/hello?blocking=true&result=true", {"name": "World"}).gives({"name": "World"})

    def test_wsk_action_invoke_hello_blocking_that_takes_too_long(self, wsk: Commands) -> None:
        wsk.make_action("hello", "import time\ndef main(args):\n    time.sleep(1)\n    return {}\n")
        told = wsk.ask("POST", "actions/hello?blocking=true&result=true&timeout=1", {})
        told.gives({"activationId": ID}, 202)

    def test_wsk_action_invoke_hello_that_fails(self, wsk: Commands) -> None:
        """A 502 without `code` is the action's own error to `wsk`; with one it would be the platform's."""
        wsk.make_action("hello", FAILING)
        error = {"error": {"statusCode": 418, "body": {"a": 1}}}
        wsk.ask("POST", "actions/hello?blocking=true&result=true", {"a": 1}).gives(error, 502)
        told = wsk.ask("POST", "actions/hello?blocking=true&result=false", {"a": 1})
        response = {"status": "application error", "success": False, "result": error, "size": 43}
        assert "code" not in told.json
        known = {name: told.json[name] for name in ("duration", "annotations")}
        told.gives(record_of(wsk, "hello", None, size=43, response=response, **known), 502)

    @pytest.mark.parametrize(
        ("status", "method", "path"),
        [
            (400, "GET", "actions?limit=x"),
            (400, "PUT", "actions/a?overwrite=false"),
            (403, "GET", "/namespaces/whisk.system/triggers"),
            (404, "GET", "actions/absent?code=false"),
            (404, "GET", "/bogus"),
            (405, "POST", "packages/refresh"),
            (409, "PUT", "actions/hello?overwrite=false"),
        ],
    )
    def test_an_error_has_a_text_and_a_code_that_are_not_null(
        self, wsk: Commands, status: int, method: str, path: str
    ) -> None:
        """Without both, `wsk` says that the connection failed."""
        wsk.make_action("hello")
        body = (hello() if "hello" in path else {}) if method == "PUT" else None
        wsk.ask(method, path, body).refuses(status, matching(".+"))
        wsk.ask(method, path, body, auth=None).refuses(404 if path == "/bogus" else 401, matching(".+"))


class TestWskCliActivations:
    def test_wsk_activation_list(self, wsk: Commands) -> None:
        wsk.make_action("hello")
        ids = [wsk.invoke("hello")["activationId"] for _ in range(3)]
        wsk.activations(3)
        listed = wsk.ask("GET", "activations?limit=30&skip=0").json
        assert [one["activationId"] for one in listed] == ids[::-1]
        whole = wsk.ended(ids[0])
        summary = {name: whole[name] for name in whole if name not in ("response", "logs", "subject")}
        wsk.ask("GET", "activations?limit=1&skip=2").gives([{**summary, "statusCode": 0}])
        wsk.ask("GET", "activations?limit=30&name=hello&skip=1").gives(listed[1:])
        wsk.ask("GET", "activations?limit=30&name=other&skip=0").gives([])

    def test_wsk_activation_list_since_upto_full(self, wsk: Commands) -> None:
        wsk.make_action("hello")
        ids = [wsk.invoke("hello")["activationId"] for _ in range(2)]
        first, second = (wsk.ended(one) for one in ids)
        since = f"docs=true&limit=30&since={second['start']}&skip=0"
        wsk.ask("GET", f"activations?{since}").gives([second] if first["start"] < second["start"] else [second, first])
        upto = f"docs=true&limit=30&skip=0&upto={first['start'] - 1}"
        wsk.ask("GET", f"activations?{upto}").gives([])

    def test_wsk_activation_get_logs_and_result(self, wsk: Commands) -> None:
        wsk.make_action("hello", "def main(args):\n    print('stdout of hello')\n    return args\n")
        identifier = wsk.invoke("hello", {"a": 1})["activationId"]
        whole = wsk.ended(identifier)
        line = matching(r"\d{4}-\d\d-\d\dT[0-9:.]+Z +stdout: stdout of hello")
        assert whole["logs"] == [line]
        wsk.ask("GET", f"activations/{identifier}").gives(whole)
        wsk.ask("GET", f"activations/{identifier}/logs").gives({"logs": [line]})
        wsk.ask("GET", f"activations/{identifier}/result").gives(whole["response"])
        wsk.ask("GET", "activations/1234").refuses(400, "Activation id length is 4 but must be 32.")
        wsk.ask("GET", f"activations/{'0' * 32}").refuses(404, NOT_FOUND)

    def test_wsk_activation_poll(self, wsk: Commands) -> None:
        wsk.ask("GET", "activations?docs=true&limit=1&skip=0").gives([])
        wsk.make_action("hello")
        first = wsk.ended(wsk.invoke("hello")["activationId"])
        wsk.ask("GET", "activations?docs=true&limit=1&skip=0").gives([first])
        since = first["start"] + 1
        wsk.ask("GET", f"activations?docs=true&limit=0&since={since}&skip=0").gives([])
        second = wsk.ended(wsk.invoke("hello")["activationId"])
        wsk.ask("GET", f"activations?docs=true&limit=0&since={since}&skip=0").gives([second])
