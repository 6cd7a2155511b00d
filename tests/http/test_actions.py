import base64

import httpx
import pytest

from rambla.kit.clock import ManualClock

pytestmark = pytest.mark.anyio
ECHO = {"exec": {"kind": "nodejs:default", "code": "echo"}}
OVERWRITE = {"overwrite": "true"}


async def test_a_new_action_is_returned_whole_with_the_annotations_the_server_adds(guest: httpx.AsyncClient) -> None:
    answer = await guest.put("actions/hello", json=ECHO)
    assert answer.status_code == 200
    assert answer.json() == {
        "namespace": "guest",
        "name": "hello",
        "version": "0.0.1",
        "publish": False,
        "updated": 1_700_000_000_000,
        "annotations": [{"key": "provide-api-key", "value": False}, {"key": "exec", "value": "nodejs:20"}],
        "parameters": [],
        "limits": {"timeout": 60000, "memory": 256, "logs": 10, "concurrency": 1},
        "exec": {"kind": "nodejs:20", "binary": True, "code": "echo"},
    }


async def test_what_was_put_is_what_is_got(guest: httpx.AsyncClient) -> None:
    put = await guest.put("actions/hello", json=ECHO)
    got = await guest.get("actions/hello")
    assert (got.status_code, got.json()) == (200, put.json())


async def test_an_existing_action_is_not_overwritten_unasked(guest: httpx.AsyncClient) -> None:
    await guest.put("actions/hello", json=ECHO)
    answer = await guest.put("actions/hello", json=ECHO)
    assert answer.status_code == 409
    assert answer.json() == {"error": "resource already exists", "code": answer.headers["x-request-id"]}


async def test_an_update_merges_annotations_and_limits_and_keeps_the_rest(guest: httpx.AsyncClient) -> None:
    first = ECHO | {
        "annotations": [{"key": "a", "value": 1}, {"key": "b", "value": 2}],
        "parameters": [{"key": "p", "value": [1]}],
        "limits": {"timeout": 1000, "memory": 128},
    }
    await guest.put("actions/hello", json=first)
    second = {"annotations": [{"key": "c", "value": 3}], "delAnnotations": ["a"], "limits": {"memory": 512}}
    answer = await guest.put("actions/hello", json=second, params=OVERWRITE)
    updated = answer.json()
    assert updated["version"] == "0.0.2"
    assert {pair["key"]: pair["value"] for pair in updated["annotations"]} == {
        "provide-api-key": False,
        "exec": "nodejs:20",
        "b": 2,
        "c": 3,
    }
    assert updated["parameters"] == [{"key": "p", "value": [1]}]
    assert updated["limits"] == {"timeout": 1000, "memory": 512, "logs": 10, "concurrency": 1}
    assert updated["exec"]["code"] == "echo"


async def test_an_update_replaces_parameters_and_takes_a_given_version(guest: httpx.AsyncClient) -> None:
    await guest.put("actions/hello", json=ECHO | {"parameters": [{"key": "p", "value": 1}]})
    change = {"parameters": [{"key": "q", "value": 2, "init": True}], "version": "3.0.0", "publish": True}
    updated = (await guest.put("actions/hello", json=change, params=OVERWRITE)).json()
    assert updated["parameters"] == [{"key": "q", "value": 2, "init": True}]
    assert (updated["version"], updated["publish"]) == ("3.0.0", True)


async def test_nulls_and_unknown_fields_are_ignored(guest: httpx.AsyncClient) -> None:
    body = {"exec": {"kind": "python:3", "code": "echo", "main": None, "x": 1}, "limits": None, "publish": None, "y": 2}
    assert (await guest.put("actions/hello", json=body)).status_code == 200


async def test_empty_code_is_accepted(guest: httpx.AsyncClient) -> None:
    answer = await guest.put("actions/hello", json={"exec": {"kind": "nodejs:default", "code": ""}})
    assert (answer.status_code, answer.json()["exec"]["binary"]) == (200, False)


async def test_code_is_left_out_on_request(guest: httpx.AsyncClient) -> None:
    await guest.put("actions/hello", json={"exec": {"kind": "python:3", "code": "def f(a): ...", "main": "f"}})
    answer = await guest.get("actions/hello", params={"code": "false"})
    assert answer.json()["exec"] == {"kind": "python:3", "binary": False, "main": "f"}


async def test_a_deleted_action_is_returned_and_gone(guest: httpx.AsyncClient) -> None:
    put = await guest.put("actions/hello", json=ECHO)
    deleted = await guest.delete("actions/hello")
    assert (deleted.status_code, deleted.json()) == (200, put.json())
    for again in (await guest.get("actions/hello"), await guest.delete("actions/hello")):
        assert again.status_code == 404
        assert again.json()["error"] == "The requested resource does not exist."


async def test_names_may_have_spaces_and_signs_inside(guest: httpx.AsyncClient) -> None:
    answer = await guest.put("actions/a b@c.d&e-f", json=ECHO)
    assert (answer.status_code, answer.json()["name"]) == (200, "a b@c.d&e-f")
    assert (await guest.get("actions/a%20b%40c.d%26e-f?")).status_code == 200


async def test_an_action_of_a_package_inherits_its_parameters(guest: httpx.AsyncClient) -> None:
    await guest.put("packages/p", json={"parameters": [{"key": "a", "value": 1}, {"key": "b", "value": 1}]})
    put = await guest.put("actions/p/hello", json=ECHO | {"parameters": [{"key": "b", "value": 2}]})
    assert (put.json()["namespace"], put.json()["parameters"]) == ("guest/p", [{"key": "b", "value": 2}])
    got = (await guest.get("actions/p/hello")).json()
    assert got["parameters"] == [{"key": "a", "value": 1}, {"key": "b", "value": 2}]


async def test_an_action_needs_its_package(guest: httpx.AsyncClient) -> None:
    assert (await guest.put("actions/p/hello", json=ECHO)).status_code == 404
    assert (await guest.get("actions/p/")).status_code == 404


async def test_lists_are_summaries_newest_first(guest: httpx.AsyncClient, clock: ManualClock) -> None:
    await guest.put("packages/p", json={})
    for name in ("one", "p/two", "three"):
        clock.advance(1)
        await guest.put(f"actions/{name}", json=ECHO)
    listed = (await guest.get("actions")).json()
    assert [(one["namespace"], one["name"]) for one in listed] == [
        ("guest", "three"),
        ("guest/p", "two"),
        ("guest", "one"),
    ]
    assert set(listed[0]) == {"namespace", "name", "version", "publish", "annotations", "limits", "exec", "updated"}
    assert listed[0]["exec"] == {"binary": True}
    assert [one["name"] for one in (await guest.get("actions/p/")).json()] == ["two"]
    assert [one["name"] for one in (await guest.get("actions/?skip=1&limit=1")).json()] == ["two"]
    assert (await guest.get("actions?count=true")).json() == {"actions": 3}
    assert (await guest.get("actions?count=true&skip=2")).json() == {"actions": 1}
    assert (await guest.get("actions/p/?count=true")).json() == {"actions": 1}


async def test_a_package_is_no_action(guest: httpx.AsyncClient) -> None:
    await guest.put("packages/p", json={})
    for answer in (
        await guest.get("actions/p"),
        await guest.delete("actions/p"),
        await guest.put("actions/p", json=ECHO),
        await guest.put("actions/p", json=ECHO, params=OVERWRITE),
    ):
        assert answer.status_code == 409
        assert answer.json()["error"] == "Resource by this name exists but is not in this collection."


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "exec undefined"),
        ({"exec": {"code": "x"}}, "The request content was malformed:\n'kind' must be a string defined in 'exec'"),
        (
            {"exec": {"kind": "python:3"}},
            "The request content was malformed:\n'code' must be a string or attachment object defined in 'exec' "
            "for 'python:3' actions",
        ),
        (
            {"exec": {"kind": "cobol:60", "code": "x"}},
            "The request content was malformed:\nThe specified runtime 'cobol:60' is not supported by this platform. "
            "Valid values are: 'java:17', 'go:1.20', 'rust:1.34', 'native:1', 'nodejs:20', 'python:3'",
        ),
        (
            {"exec": {"kind": "python:3", "code": "not base64!", "binary": True}},
            "The request content was malformed:\n'code' is not base64 although 'binary' says so",
        ),
        (
            {"exec": {"kind": 3, "code": "x"}},
            "The request content was malformed:\nExpected `str | null`, got `int` - at `$.exec.kind`",
        ),
        (
            ECHO | {"annotations": {"a": 1}},
            "The request content was malformed:\nExpected `array | null`, got `object` - at `$.annotations`",
        ),
        (
            ECHO | {"version": "1.0"},
            "The request content was malformed:\n'version' must be three numbers with dots between them",
        ),
        (ECHO | {"limits": {"memory": 1024}}, "memory size 1024 MB exceeds allowed threshold of 512 MB"),
        (ECHO | {"limits": {"memory": 1}}, "memory size 1 MB below allowed threshold of 128 MB"),
        (ECHO | {"limits": {"logs": 11}}, "log size 11 MB exceeds allowed threshold of 10 MB"),
        (
            ECHO | {"limits": {"timeout": 700_000}},
            "duration 700000 milliseconds exceeds allowed threshold of 300000 milliseconds",
        ),
        (ECHO | {"limits": {"concurrency": 10}}, "concurrency 10 exceeds allowed threshold of 1"),
    ],
)
async def test_a_wrong_action_is_refused_with_the_reason(guest: httpx.AsyncClient, body: object, text: str) -> None:
    answer = await guest.put("actions/hello", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, text)
    assert (await guest.get("actions/hello")).status_code == 404


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ({"kind": "blackbox"}, "'image' must be a string defined in 'exec' for 'blackbox' actions"),
        ({"kind": "java:8", "jar": "UEsDBA=="}, "'main' must be a string defined in 'exec' for 'java:17' actions"),
    ],
)
async def test_what_a_kind_cannot_do_without_is_asked_for(guest: httpx.AsyncClient, program: object, text: str) -> None:
    answer = await guest.put("actions/hello", json={"exec": program})
    assert (answer.status_code, answer.json()["error"]) == (400, f"The request content was malformed:\n{text}")


async def test_an_image_is_shown_and_needs_no_code(guest: httpx.AsyncClient) -> None:
    program = {"kind": "blackbox", "image": "openwhisk/dockerskeleton"}
    made = (await guest.put("actions/hello", json={"exec": program})).json()
    assert made["exec"] == {**program, "binary": False}


async def test_a_sequence_shows_what_it_is_made_of(guest: httpx.AsyncClient) -> None:
    await guest.put("actions/a", json=ECHO)
    made = (
        await guest.put("actions/s", json={"exec": {"kind": "sequence", "components": ["/_/a", "/guest/a"]}})
    ).json()
    assert made["exec"] == {"kind": "sequence", "components": ["/guest/a", "/guest/a"]}
    assert made["parameters"] == [{"key": "_actions", "value": ["/guest/a", "/guest/a"]}]
    assert {"key": "exec", "value": "sequence"} in made["annotations"]
    answer = await guest.post("actions/s?blocking=true", json={"n": 1})
    record = answer.json()
    assert (answer.status_code, record["response"]["result"], len(record["logs"])) == (200, {"n": 1}, 2)
    assert (await guest.get("actions/s")).json()["parameters"] == made["parameters"]
    refused = await guest.put("actions/t", json={"exec": {"kind": "sequence"}})
    assert (
        refused.json()["error"] == "The request content was malformed:\n'components' must be defined for sequence kind"
    )


async def test_what_is_too_large_is_refused_by_its_name(guest: httpx.AsyncClient) -> None:
    large = "x" * 2**20
    for field in ("parameters", "annotations"):
        answer = await guest.put("actions/hello", json=ECHO | {field: [{"key": "k", "value": large}]})
        assert answer.status_code == 413
        assert answer.json()["error"].startswith(f"{field} larger than allowed: ")


async def test_code_of_49_mb_is_refused_and_of_48_mb_taken(guest: httpx.AsyncClient) -> None:
    limit = 48 * 2**20
    fits = {"exec": {"kind": "python:3", "code": "#" * limit}}
    assert (await guest.put("actions/fits", json=fits)).status_code == 200
    zipped = {"exec": {"kind": "python:3", "code": base64.b64encode(b"x" * (limit * 3 // 4 + 3)).decode()}}
    answer = await guest.put("actions/zipped", json=zipped)
    assert answer.status_code == 413
    assert answer.json()["error"] == f"exec larger than allowed: {limit + 4} > {limit} bytes."
