import httpx
import pytest

from rambla.activations.paging import PAGE_BYTES_MAX
from rambla.kit.clock import ManualClock
from rambla.testing.index import activation
from rooms import Rooms

pytestmark = pytest.mark.anyio
BLOCKING = {"blocking": "true"}
RESULT = {"blocking": "true", "result": "true"}


@pytest.fixture
async def actions(guest: httpx.AsyncClient) -> httpx.AsyncClient:
    await guest.put("packages/p", json={})
    for name, code in {"echo": "echo", "fail": "fail", "crash": "crash", "list": "listed", "p/echo": "echo"}.items():
        await guest.put(f"actions/{name}", json={"exec": {"kind": "python:3", "code": code}})
    sleep = {"exec": {"kind": "python:3", "code": "sleep"}, "limits": {"timeout": 300_000}}
    await guest.put("actions/sleep", json=sleep)
    return guest


async def test_a_blocking_invoke_gives_the_record(actions: httpx.AsyncClient) -> None:
    answer = await actions.post("actions/echo", json={"a": 1}, params=BLOCKING)
    record = answer.json()
    assert answer.status_code == 200
    assert answer.headers["x-openwhisk-activation-id"] == record["activationId"]
    assert record["response"] == {"status": "success", "success": True, "result": {"a": 1}, "size": 7}
    assert (record["namespace"], record["name"], record["version"]) == ("guest", "echo", "0.0.1")
    assert (record["subject"], record["publish"]) == ("guest", False)
    assert record["duration"] == record["end"] - record["start"]
    annotations = {pair["key"]: pair["value"] for pair in record["annotations"]}
    assert (annotations["path"], annotations["kind"]) == ("guest/echo", "python:3")


async def test_result_alone_is_given_on_request(actions: httpx.AsyncClient) -> None:
    answer = await actions.post("actions/echo", json={"a": 1}, params=RESULT)
    assert (answer.status_code, answer.json()) == (200, {"a": 1})


async def test_no_body_means_no_arguments(actions: httpx.AsyncClient) -> None:
    assert (await actions.post("actions/echo", params=RESULT)).json() == {}


async def test_an_array_is_always_given_alone(actions: httpx.AsyncClient) -> None:
    assert (await actions.post("actions/list", json={"b": 1, "a": 2}, params=BLOCKING)).json() == ["a", "b"]


async def test_an_application_error_is_502_without_an_envelope(actions: httpx.AsyncClient) -> None:
    answer = await actions.post("actions/fail", params=RESULT)
    assert (answer.status_code, answer.json()) == (502, {"error": "no luck"})
    record = (await actions.post("actions/fail", params=BLOCKING)).json()
    assert (record["response"]["status"], record["response"]["success"]) == ("application error", False)


async def test_a_crash_is_502_and_the_developers(actions: httpx.AsyncClient) -> None:
    answer = await actions.post("actions/crash", params=BLOCKING)
    assert answer.status_code == 502
    assert answer.json()["response"]["status"] == "action developer error"


async def test_without_blocking_an_invoke_is_202_with_the_id(actions: httpx.AsyncClient) -> None:
    answer = await actions.post("actions/echo", json={}, params={"result": "true"})
    assert answer.status_code == 202
    assert list(answer.json()) == ["activationId"]
    assert answer.headers["x-openwhisk-activation-id"] == answer.json()["activationId"]


async def test_a_call_that_takes_longer_than_its_patience_is_202(actions: httpx.AsyncClient) -> None:
    answer = await actions.post("actions/sleep", json={}, params=BLOCKING | {"timeout": "1"})
    assert answer.status_code == 202


@pytest.mark.parametrize("timeout", ["0", "-1", "60001", "soon", "9" * 30])
async def test_a_patience_out_of_range_is_refused(actions: httpx.AsyncClient, timeout: str) -> None:
    answer = await actions.post("actions/echo", json={}, params=BLOCKING | {"timeout": timeout})
    assert answer.status_code == 400
    assert "Timeout must be number of milliseconds up to 60000." in answer.json()["error"]


async def test_final_parameters_cannot_be_overridden(guest: httpx.AsyncClient) -> None:
    body = {
        "exec": {"kind": "python:3", "code": "echo"},
        "parameters": [{"key": "a", "value": 1}],
        "annotations": [{"key": "final", "value": True}],
    }
    await guest.put("actions/x", json=body)
    answer = await guest.post("actions/x", json={"a": 2}, params=BLOCKING)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("Request defines parameters that are not allowed")


async def test_a_record_its_logs_and_its_result_are_found(actions: httpx.AsyncClient) -> None:
    record = (await actions.post("actions/echo", json={"a": 1}, params=BLOCKING)).json()
    path = f"activations/{record['activationId']}"
    assert (await actions.get(path)).json() == record
    assert (await actions.get(f"{path}/logs")).json() == {"logs": record["logs"]}
    assert (await actions.get(f"{path}/result")).json() == record["response"]
    time, stream, text = record["logs"][0].split(maxsplit=2)
    assert (len(time), stream, text) == (24, "stdout:", f"ran {record['activationId']}")
    assert record["logs"][0].index("stdout") == 31


async def test_activations_are_listed_newest_first_and_filtered(actions: httpx.AsyncClient, clock: ManualClock) -> None:
    starts = []
    for name in ("echo", "p/echo", "fail"):
        clock.advance(1000)
        starts.append(clock.now_ms())
        await actions.post(f"actions/{name}", params=BLOCKING)
    listed = (await actions.get("activations")).json()
    assert [one["start"] for one in listed] == starts[::-1]
    assert listed[0]["statusCode"] == 1
    assert not {"response", "logs", "subject"} & set(listed[0])
    assert len((await actions.get("activations", params={"name": "echo"})).json()) == 1
    assert len((await actions.get("activations", params={"name": "p/echo"})).json()) == 1
    assert len((await actions.get("activations", params={"name": ""})).json()) == 3
    window = {"since": str(starts[1]), "upto": str(starts[1])}
    assert [one["start"] for one in (await actions.get("activations", params=window)).json()] == [starts[1]]
    assert (await actions.get("activations", params=window | {"count": "true"})).json() == {"activations": 1}
    (whole,) = (await actions.get("activations", params={"docs": "true", "limit": "1"})).json()
    assert whole["response"]["result"] == {"error": "no luck"}


async def test_a_page_of_whole_records_ends_before_it_is_too_large_and_skip_goes_on(
    rooms: Rooms, guest: httpx.AsyncClient
) -> None:
    two_thirds = b'"' + b"x" * (PAGE_BYTES_MAX * 2 // 3) + b'"'
    made = [activation(number, result=two_thirds) for number in range(2)]
    for one in made:
        rooms.platform.activations.remember(one)
    pages = [(await guest.get(f"activations?docs=true&skip={skip}")).json() for skip in (0, 1, 2)]
    assert [[one["activationId"] for one in page] for page in pages] == [[made[1].id], [made[0].id], []]
    assert len((await guest.get("activations")).json()) == 2


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("limit=500", "The value '500' is not in the range of 0 to 200 for activations."),
        ("limit=-1", "The value '-1' is not in the range of 0 to 200 for activations."),
        ("limit=x", "The value 'x' is not an integer for activations."),
        ("limit=", "The value '' is not an integer for activations."),
        ("skip=-1", "The value '-1' is not greater than or equal to 0 for activations."),
        ("skip=%D9%A1", "is not an integer for activations."),
        ("since=yesterday", "Parameter is not a valid value for epoch seconds: yesterday"),
        ("upto=1e3", "Parameter is not a valid value for epoch seconds: 1e3"),
        ("name=a/b/c", "Parameter may be a 'simple' name or 'package-name/simple' name: a/b/c"),
        ("name=$", "Parameter may be a 'simple' name or 'package-name/simple' name: $"),
        ("docs=true&count=true", "The parameter 'docs' is not permitted with 'count'."),
        ("count=maybe", "'maybe' is not a valid Boolean value"),
    ],
)
async def test_bad_queries_are_refused_with_the_reason(guest: httpx.AsyncClient, query: str, text: str) -> None:
    answer = await guest.get(f"activations?{query}")
    assert answer.status_code == 400
    assert text in answer.json()["error"]


@pytest.mark.parametrize(
    ("activation_id", "status", "text"),
    [
        ("abc", 400, "Activation id length is 3 but must be 32."),
        ("x" * 32, 400, "The activation id is not valid."),
        ("a" * 32, 404, "The requested resource does not exist."),
    ],
)
async def test_an_id_that_names_nothing_is_told_apart_from_one_that_cannot(
    guest: httpx.AsyncClient, activation_id: str, status: int, text: str
) -> None:
    answer = await guest.get(f"activations/{activation_id}")
    assert (answer.status_code, answer.json()["error"]) == (status, text)


async def test_anothers_activation_does_not_exist(
    actions: httpx.AsyncClient, web: httpx.AsyncClient, other_key: str
) -> None:
    made = (await actions.post("actions/echo", params=BLOCKING)).json()["activationId"]
    path = f"/api/v1/namespaces/_/activations/{made}"
    assert (await web.get(path, headers={"Authorization": other_key})).status_code == 404


async def test_records_cannot_be_changed(guest: httpx.AsyncClient) -> None:
    for method in ("PUT", "POST", "DELETE"):
        assert (await guest.request(method, f"activations/{'a' * 32}")).status_code == 405
