import httpx
import pytest

from rambla.http.endpoints import ENDPOINTS

pytestmark = pytest.mark.anyio


async def test_the_root_tells_limits_and_runtimes_in_a_type_that_wsk_takes(web: httpx.AsyncClient) -> None:
    answer = await web.get("/")
    assert answer.headers["content-type"] in "application/json; charset=UTF-8"
    about = answer.json()
    assert (about["description"], about["api_paths"]) == ("OpenWhisk", ["/api/v1"])
    assert {
        family: [kind["kind"] for kind in kinds if kind["default"]] for family, kinds in about["runtimes"].items()
    } == {
        "go": ["go:1.20"],
        "java": ["java:17"],
        "native": ["native:1"],
        "nodejs": ["nodejs:20"],
        "python": ["python:3"],
        "rust": ["rust:1.34"],
    }
    assert [kind["requireMain"] for kind in about["runtimes"]["java"]] == [True]
    limits = about["limits"]
    assert (limits["min_action_duration"], limits["max_action_duration"]) == (100, 300_000)
    assert (limits["default_min_action_memory"], limits["default_max_action_memory"]) == (128 * 2**20, 512 * 2**20)
    assert limits["sequence_length"] == 50


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/"])
async def test_the_api_tells_its_version(web: httpx.AsyncClient, path: str) -> None:
    about = (await web.get(path)).json()
    assert about["description"] == "OpenWhisk API"
    assert (about["api_version"], about["api_version_path"]) == ("1.0.0", "v1")
    assert about["build"].startswith("20")
    assert about["swagger_paths"] == {"ui": "/docs", "api-docs": "/api-docs"}


async def test_ping_is_answered(web: httpx.AsyncClient) -> None:
    assert (await web.get("/ping")).text == "pong"


async def test_every_answer_carries_the_request_id(web: httpx.AsyncClient) -> None:
    assert (await web.get("/ping", headers={"X-Request-ID": "mine-1"})).headers["x-request-id"] == "mine-1"
    answer = await web.get("/nowhere", headers={"X-Request-ID": "mine-2"})
    assert answer.status_code == 404
    assert answer.json() == {"error": "The requested resource could not be found.", "code": "mine-2"}


async def test_options_needs_no_key_and_brings_the_headers_for_browsers(web: httpx.AsyncClient) -> None:
    answer = await web.options("/api/v1/bogus")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET, DELETE, POST, PUT, HEAD"
    expected = "Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent"
    assert answer.headers["access-control-allow-headers"] == expected


async def test_options_is_not_for_what_is_outside_the_api(web: httpx.AsyncClient) -> None:
    for path in ("/ping", "/api/v1x", "/nowhere"):
        answer = await web.options(path)
        assert answer.status_code in (404, 405)
        assert "access-control-allow-origin" not in answer.headers


async def test_a_method_that_is_not_there_is_405_with_those_that_are(
    web: httpx.AsyncClient, guest: httpx.AsyncClient
) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "HEAD"):
        for answer in (
            await web.request(method, "/api/v1"),
            await guest.request(method, "http://rambla/api/v1/namespaces"),
        ):
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


async def test_who_has_to_prove_who_they_are_does_so_before_the_method_is_looked_at(web: httpx.AsyncClient) -> None:
    for path in ("/api/v1/namespaces", "/api/v1/namespaces/_/packages/p", "/platform/v1/status"):
        answer = await web.patch(path)
        assert (answer.status_code, "allow" in answer.headers) == (401, False)


async def test_an_owner_has_one_namespace(guest: httpx.AsyncClient) -> None:
    for path in ("/api/v1/namespaces", "/api/v1/namespaces/"):
        assert (await guest.get(f"http://rambla{path}")).json() == ["guest"]


async def test_limits_are_those_of_the_namespace_and_of_its_actions(guest: httpx.AsyncClient) -> None:
    assert (await guest.get("limits")).json() == {
        "invocationsPerMinute": 600_000,
        "concurrentInvocations": 10_000,
        "firesPerMinute": 600_000,
        "maxParameterSize": "1 MB",
        "minActionTimeout": 100,
        "maxActionTimeout": 300_000,
        "minActionMemory": 128,
        "maxActionMemory": 512,
        "minActionLogs": 0,
        "maxActionLogs": 10,
        "minActionConcurrency": 1,
        "maxActionConcurrency": 1,
    }


async def test_the_description_has_every_endpoint_and_every_type_it_refers_to(web: httpx.AsyncClient) -> None:
    described = (await web.get("/api/v1/api-docs")).json()
    assert described["openapi"] == "3.1.0"
    assert {(path, method) for path, methods in described["paths"].items() for method in methods} == {
        (endpoint.path, endpoint.method.lower()) for endpoint in ENDPOINTS
    }
    put = described["paths"]["/api/v1/namespaces/{namespace}/actions/{name}"]["put"]
    assert put["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/ActionBody")
    assert "delAnnotations" in described["components"]["schemas"]["ActionBody"]["properties"]


async def test_the_description_says_which_doors_need_no_key(web: httpx.AsyncClient) -> None:
    described = (await web.get("/api/v1/api-docs")).json()
    visit = described["paths"]["/api/v1/web/{namespace}/{package}/{name}/{rest}"]["post"]
    assert (visit["security"], visit["x-permission"]) == ([{"key": []}, {}], "action:web")
    assert visit["requestBody"] == {"content": {"*/*": {}}}
    assert [one["name"] for one in visit["parameters"]] == ["namespace", "package", "name", "rest"]
