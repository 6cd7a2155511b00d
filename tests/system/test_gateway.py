"""Published APIs on a real server: from the command line, through `kill -9`, and with hostile documents."""

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from system.running import GUEST, Running, rambla

pytestmark = pytest.mark.system
APIMGMT = "/api/v1/web/whisk.system/apimgmt"
HELLO = "def main(args):\n    return {'body': args['__ow_path'] + ' ' + args.get('name', 'nobody')}\n"
Run = Callable[..., str]


@pytest.fixture
def run(server: Running) -> Run:
    def succeed(*arguments: str | Path) -> str:
        done = rambla(*arguments, "--data", server.data)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return succeed


@pytest.fixture
def name(run: Run, tmp_path: Path) -> str:
    """Of a web action that says which path it was visited by, and of an API's base path."""
    name = f"t{uuid.uuid4().hex[:12]}"
    (tmp_path / "hello.py").write_text(HELLO)
    run("action", "create", name, tmp_path / "hello.py", "-a", "web-export", "true")
    return name


@pytest.fixture
def visitor() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=60) as client:
        yield client


def test_an_api_is_published_visited_exported_withdrawn_and_imported(
    run: Run, server: Running, name: str, visitor: httpx.Client, tmp_path: Path
) -> None:
    told = run("api", "create", f"/{name}", "/hi/{who}", "get", name, "-n", "Hi", "--response-type", "http")
    first, url = told.splitlines()
    assert first == f"created API /hi/{{who}} GET for action /guest/{name}"
    assert url.startswith(f"{server.url}/api/")
    visited = visitor.get(url.replace("{who}", "me%20too"), params={"name": "you"})
    assert (visited.status_code, visited.text) == (200, f"/{name}/hi/me%20too you")
    assert visitor.post(url).status_code == 405
    listed = run("api", "list")
    assert all(part in listed for part in (f"/guest/{name}", "GET", "/hi/{who}", "Hi", url))
    assert run("api", "list", f"/{name}", "/other") == "no APIs\n"
    file = tmp_path / "api.json"
    run("api", "export", "Hi", file)
    assert json.loads(run("api", "get", f"/{name}")) == json.loads(file.read_text())
    assert run("api", "delete", f"/{name}", "/hi/{who}", "get") == f"deleted /hi/{{who}} GET from /{name}\n"
    assert visitor.get(url).status_code == 404
    assert url in run("api", "import", file)
    assert visitor.get(url).status_code == 200
    assert run("api", "delete", f"/{name}") == f"deleted API /{name}\n"
    done = rambla("api", "get", f"/{name}", "--data", server.data)
    assert (done.returncode, done.stderr) == (1, f"rambla: there is no API /{name}. See: rambla api list\n")


def test_a_secured_action_is_reached_by_its_api_only(
    run: Run, name: str, visitor: httpx.Client, server: Running
) -> None:
    run("action", "update", name, "-a", "require-whisk-auth", "s3cret")
    url = run("api", "create", f"/{name}", "/hi", "get", name, "--response-type", "http").splitlines()[1]
    assert visitor.get(f"{server.url}/api/v1/web/guest/default/{name}").status_code == 401
    assert visitor.get(url).status_code == 200
    assert "s3cret" not in run("api", "get", f"/{name}", "--full")


def test_what_is_refused_is_one_line(server: Running, name: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("swagger: '2.0'\nbasePath: /x\n")
    for arguments, text in (
        (("create", f"/{name}", "/p", "get", "absent"), "The requested resource does not exist."),
        (("delete", "/absent"), "API deletion failure: API '/absent' does not exist."),
        (("import", tmp_path / "bad.yaml"), "swagger is missing the paths field."),
    ):
        done = rambla("api", *arguments, "--data", server.data)
        assert (done.returncode, done.stderr) == (1, f"rambla: {text}\n")


def test_an_action_that_is_no_web_action_is_told_with_the_fix(server: Running, run: Run, name: str) -> None:
    run("action", "update", name, "-a", "web-export", "false")
    done = rambla("api", "create", "/p", "get", name, "--data", server.data)
    fix = f"Fix: rambla action update {name} -a web-export true"
    assert done.stderr == f"rambla: {name} is no web action. {fix}\n"


# --- crashes ---


def operation(path: str) -> dict[str, Any]:
    backend = {"backendMethod": "GET", "backendUrl": "http://h/api/v1/web/_/default/a.http", "authkey": "u:s"}
    places = {"gatewayBasePath": "/base", "gatewayPath": path, "gatewayMethod": "GET"}
    return {"apidoc": {"namespace": "_", **places, "action": {"name": "a", "namespace": "_", **backend}}}


def test_what_was_acknowledged_is_there_after_a_kill_and_nothing_is_half_done(tmp_path: Path) -> None:
    platform = Running(tmp_path / "data", "--object-store", "none")
    acknowledged: list[str] = []
    try:
        with platform.client() as client:
            body = {"exec": {"kind": "python:3", "code": HELLO}, "annotations": [{"key": "web-export", "value": True}]}
            client.put(f"{GUEST}/actions/a", json=body).raise_for_status()
            for round_ in range(3):
                for number in range(5):
                    path = f"/{round_}/{number}"
                    made = client.post(f"{APIMGMT}/createApi.http?responsetype=http", json=operation(path))
                    assert made.status_code == 200, made.text
                    acknowledged.append(path)
                platform.kill()
                platform.start()
                client.base_url = httpx.URL(platform.url)
                (found,) = client.get(f"{APIMGMT}/getApi.http").json()["apis"]
                assert sorted(found["value"]["apidoc"]["paths"]) == sorted(acknowledged)
                url = found["value"]["gwApiUrl"]
                assert url.startswith(platform.url)
                for path in acknowledged:
                    assert client.get(f"{url}{path}").text == f"/base{path} nobody"
        assert platform.open_intents() == 0
    finally:
        platform.stop()


def test_of_many_who_publish_at_once_nobodys_operation_is_lost(server: Running) -> None:
    body = {"exec": {"kind": "python:3", "code": HELLO}}
    with server.client() as client, ThreadPoolExecutor(8) as threads:
        client.put(f"{GUEST}/actions/a?overwrite=true", json=body).raise_for_status()
        create = partial(client.post, f"{APIMGMT}/createApi.http?responsetype=http")
        made = list(threads.map(lambda number: create(json=operation(f"/{number}")), range(16)))
        assert [answer.status_code for answer in made] == [200] * 16
        (found,) = client.get(f"{APIMGMT}/getApi.http?basepath=/base").json()["apis"]
        assert sorted(found["value"]["apidoc"]["paths"]) == sorted(f"/{number}" for number in range(16))
        client.delete(f"{APIMGMT}/deleteApi.http?basepath=/base").raise_for_status()


# --- hostile documents ---


def deep(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize(
    ("swagger", "text"),
    [
        ("[" * 100_000, "swagger field cannot be parsed. Ensure it is valid JSON."),
        (deep(1000), "swagger field cannot be parsed. Ensure it is valid JSON."),
        ('{"swagger":"2.0","basePath":"/x","info":{"title":"x"},"paths":{"/{a}":{"get":{"parameters":[{"$ref":"#/x"}]}}},'
         '"x":{"$ref":"#/x"}}', "API creation failure: The parameter 'a' defined in path '/{a}' does not match any"),
        ('{"swagger":"2.0","basePath":"/x","info":{"title":"x"},"paths":' + '{"/' + "y" * 300 + '":{"get":{}}}}',
         "API creation failure: Unable to configure the API Gateway (status code 400): Error: resource path is longer"),
    ],
    ids=["brackets", "deep", "cyclic", "long"],
)  # fmt: skip
def test_a_hostile_document_is_refused_and_the_server_lives(server: Running, swagger: str, text: str) -> None:
    with server.client() as client:
        answer = client.post(f"{APIMGMT}/createApi.http", json={"apidoc": {"namespace": "_", "swagger": swagger}})
        assert answer.status_code == 502
        assert answer.json()["error"].startswith(text)
        assert client.get("/ping").text == "pong"


def test_ten_thousand_routes_are_published_at_once_and_each_is_found(server: Running, visitor: httpx.Client) -> None:
    led = {"get": {"x-openwhisk": {"action": "many"}}}
    paths = {f"/r{number}": led for number in range(10_000)}
    document = {"swagger": "2.0", "basePath": "/many", "info": {"title": "many"}, "paths": paths}
    with server.client() as client:
        body = {"exec": {"kind": "python:3", "code": HELLO}, "annotations": [{"key": "web-export", "value": True}]}
        client.put(f"{GUEST}/actions/many", json=body).raise_for_status()
        made = client.post(f"{APIMGMT}/createApi.http", json={"apidoc": {"namespace": "_", "swagger": document}})
        assert made.status_code == 200, made.text
        url = made.json()["gwApiUrl"]
        for number in (0, 4_999, 9_999):
            assert visitor.get(f"{url}/r{number}").text == f"/many/r{number} nobody"
        assert visitor.get(f"{url}/r10000").status_code == 404
        client.delete(f"{APIMGMT}/deleteApi.http?basepath=/many").raise_for_status()
