"""Whatever comes in, the stated error goes out, and nothing else is the worse for it."""

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from system.running import GUEST, Guest, Running, descendants_of, until

pytestmark = pytest.mark.system
MB = 2**20
SPARE_PROCESSES_MAX = 2 * 4  # an init and a worker for each blank sandbox that may be kept ready
NOT_AN_OBJECT = "The action did not return a dictionary or array."
NOT_JSON = "The action did not produce a valid JSON or JSON Array response: "
EXITED = "The action did not produce a valid response and exited unexpectedly."
OUT_OF_MEMORY = "The action exhausted its memory and was aborted."
NOT_STARTED = "Initialization has failed due to: "
OVERTIME = "The action exceeded its time limits of 300 milliseconds"
TRUNCATED = "Logs were truncated because the total bytes size exceeds the limit of 1048576 bytes."
APPLICATION, DEVELOPER = "application error", "action developer error"
MALFORMED = "The request content was malformed:\n"
NODE, PYTHON = "nodejs:20", "python:3"
Case = tuple[str, str, str, str]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for all of it; in the end nothing is open, lost or left running."""
    running = Running(tmp_path_factory.mktemp("hostile") / "data", "--object-store", "none")
    try:
        with running.client() as client:
            guest = Guest(client)
            guest.put("neighbour", "def main(args): return {'well': True}")
            guest.call("neighbour")
            before = len(descendants_of(running.process.pid))
            yield running
            assert guest.call("neighbour")["response"]["result"] == {"well": True}
            until("no open intents", lambda: running.open_intents() == 0)
            for action in client.get(f"{GUEST}/actions?limit=0").json():
                client.delete(f"{GUEST}/actions/{action['name']}").raise_for_status()
            until("no sandbox", lambda: running.status()["engine"]["sandboxes"] == 0)
            until(
                "no process is left over",
                lambda: len(descendants_of(running.process.pid)) <= before + SPARE_PROCESSES_MAX,
            )
    finally:
        assert running.stop() == 0


@pytest.fixture
def guest(platform: Running) -> Iterator[Guest]:
    with platform.client() as client:
        yield Guest(client)


def zipped(**files: str) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return base64.b64encode(buffer.getvalue()).decode()


NO_ZIP = base64.b64encode(b"this is not a zip").decode()
TYPES = {
    "exec": {"exec": 3},
    "kind": {"exec": {"kind": 3, "code": ""}},
    "code": {"exec": {"kind": PYTHON, "code": {"a": 1}}},
    "parameters": {"exec": {"kind": PYTHON, "code": "x"}, "parameters": {"a": 1}},
    "limits": {"exec": {"kind": PYTHON, "code": "x"}, "limits": {"timeout": "long"}},
    "annotations": {"exec": {"kind": PYTHON, "code": "x"}, "annotations": [1]},
}


@pytest.mark.parametrize("content", [b"{", b'{"exec":', b"\xff\xfe", b"[1, 2]", b"[" * 200_000])
def test_broken_json_is_malformed(guest: Guest, content: bytes) -> None:
    for method, path in (("PUT", "actions/broken"), ("POST", "actions/neighbour"), ("PUT", "triggers/broken")):
        headers = {"Content-Type": "application/json"}
        answer = guest.client.request(method, f"{GUEST}/{path}", content=content, headers=headers)
        assert (answer.status_code, answer.json()["error"][: len(MALFORMED)]) == (400, MALFORMED)
        assert answer.json()["code"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("body", TYPES.values(), ids=TYPES)
def test_wrong_types_are_malformed(guest: Guest, body: dict[str, Any]) -> None:
    answer = guest.client.put(f"{GUEST}/actions/wrong", json=body)
    assert (answer.status_code, answer.json()["error"][: len(MALFORMED)]) == (400, MALFORMED)


@pytest.mark.parametrize("collection", ["actions", "packages", "triggers", "rules"])
def test_a_name_that_is_too_long_is_told_its_length(guest: Guest, collection: str) -> None:
    body = {"exec": {"kind": PYTHON, "code": "x"}, "trigger": "/_/t", "action": "/_/a"}
    answer = guest.client.put(f"{GUEST}/{collection}/{'n' * 300}", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "Name segement longer than allowed: 300 > 256.")


def test_an_unknown_kind_is_told_which_there_are(guest: Guest) -> None:
    answer = guest.client.put(f"{GUEST}/actions/unknown", json={"exec": {"kind": "cobol:60", "code": "x"}})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert "The specified runtime 'cobol:60' is not supported by this platform. Valid values are: '" in error


@pytest.mark.parametrize("size", [49 * MB, 70 * MB])
def test_code_that_is_too_large_is_413_and_not_a_broken_connection(guest: Guest, size: int) -> None:
    body = b'{"exec":{"kind":"python:3","code":"' + b"x" * size + b'"}}'
    answer = guest.client.put(f"{GUEST}/actions/large", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert "larger than allowed: " in answer.json()["error"]
    assert guest.client.get(f"{GUEST}/actions/large").status_code == 404


def test_a_payload_of_2_mb_is_413(guest: Guest) -> None:
    answer = guest.client.post(f"{GUEST}/actions/neighbour", json={"a": "x" * 2 * MB})
    assert answer.status_code == 413
    assert answer.json()["error"] == f"Request larger than allowed: {len(answer.request.content)} > {MB} bytes."


PROGRAMS: dict[str, Case] = {
    "endless recursion": (PYTHON, "def main(a): return main(a)", APPLICATION, "maximum recursion depth exceeded"),
    "a result nested 10,000 deep": (
        PYTHON,
        "def main(a):\n deep = []\n for _ in range(10_000): deep = [deep]\n return {'deep': deep}",
        DEVELOPER,
        NOT_JSON,
    ),
    "a text for a result": (PYTHON, "def main(a): return 'text'", DEVELOPER, NOT_AN_OBJECT),
    "an endless loop": (PYTHON, "def main(a):\n while True: pass", DEVELOPER, OVERTIME + "."),
    "an endless loop at load": (PYTHON, "while True: pass", DEVELOPER, OVERTIME + " during initialization."),
    "a memory bomb": (
        PYTHON,
        "def main(a):\n hoard = []\n while True: hoard.append(bytearray(1 << 20))",
        DEVELOPER,
        OUT_OF_MEMORY,
    ),
    "an exit": (PYTHON, "import os\ndef main(a): os._exit(0)", DEVELOPER, EXITED),
    "an exit at load": (
        PYTHON,
        "import os\nos._exit(1)",
        DEVELOPER,
        "The action did not initialize and exited unexpectedly.",
    ),
    "no zip": (PYTHON, NO_ZIP, DEVELOPER, NOT_STARTED),
    "a zip that reaches outside": (PYTHON, zipped(**{"../../evil": "", "__main__.py": ""}), DEVELOPER, NOT_STARTED),
    "a zip without a main": (PYTHON, zipped(**{"other.py": ""}), DEVELOPER, NOT_STARTED + "Zip file does not"),
    "node: endless recursion": (
        NODE,
        "function main(a) { return main(a) }",
        DEVELOPER,
        "An error has occurred: RangeError: Maximum call stack size exceeded",
    ),
    "node: a result nested 10,000 deep": (
        NODE,
        "function main() { let deep = []; for (let n = 0; n < 10000; n++) deep = [deep]; return {deep} }",
        DEVELOPER,
        NOT_JSON,
    ),
    "node: a text for a result": (NODE, "function main() { return 'text' }", DEVELOPER, NOT_AN_OBJECT),
    "node: an endless loop": (NODE, "function main() { for (;;); }", DEVELOPER, OVERTIME + "."),
    "node: an exit": (NODE, "function main() { process.exit(0) }", DEVELOPER, EXITED),
    "node: no zip": (NODE, NO_ZIP, DEVELOPER, NOT_STARTED),
    "node: a zip that reaches outside": (
        NODE,
        zipped(**{"../../evil": "", "index.js": ""}),
        DEVELOPER,
        NOT_STARTED,
    ),
    "node: a memory bomb": (
        NODE,
        "function main() { const hoard = []; for (;;) hoard.push(Buffer.alloc(1 << 20, 1)) }",
        DEVELOPER,
        OUT_OF_MEMORY,
    ),
}


@pytest.mark.parametrize(("kind", "code", "status", "error"), PROGRAMS.values(), ids=PROGRAMS)
def test_what_a_program_does_to_itself_is_told_in_its_record(
    guest: Guest, kind: str, code: str, status: str, error: str
) -> None:
    loops = error.startswith(OVERTIME)
    guest.put("hostile", code, kind, memory=128, timeout=300 if loops else 30_000)
    record = guest.call("hostile")
    response = record["response"]
    assert (response["status"], response["result"]["error"][: len(error)]) == (status, error)
    assert {"key": "timeout", "value": loops} in record["annotations"]
    assert guest.ended(record["activationId"])["response"] == response


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (PYTHON, "def main(a): return {'a': 'x' * (2 << 20)}"),
        (NODE, "function main() { return {a: 'x'.repeat(2 << 20)} }"),
    ],
)
def test_a_result_of_2_mb_is_an_application_error_with_its_beginning(guest: Guest, kind: str, code: str) -> None:
    guest.put("generous", code, kind)
    response = guest.call("generous")["response"]
    assert response["status"] == APPLICATION
    start = f"The action produced a response that exceeded the allowed length: {2 * MB + 8} > {MB} bytes. "
    assert response["result"]["error"].startswith(start + 'The truncated response was: {"a":"xxx')


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (PYTHON, "def main(a):\n for n in range(1_000_000): print('line', n)\n return {'done': True}"),
        (NODE, "function main() { for (let n = 0; n < 1000000; n++) console.log('line', n); return {done: true} }"),
    ],
)
def test_a_million_log_lines_are_cut_within_the_limit(guest: Guest, kind: str, code: str) -> None:
    guest.put("loud", code, kind, logs=1, timeout=60_000)
    record = guest.call("loud")
    assert record["response"]["result"] == {"done": True}
    assert record["logs"][-1].endswith(f" stderr: {TRUNCATED}")
    assert len(json.dumps(record["logs"][:-1])) <= MB
    assert [line.split(": ", 1)[1] for line in record["logs"][:3]] == ["line 0", "line 1", "line 2"]


def test_logs_that_grow_when_they_are_decoded_leave_a_record_too(guest: Guest) -> None:
    guest.put(
        "binary", "import os\ndef main(a):\n for _ in range(160): os.write(1, b'\\xff' * 65536)\n return {}", logs=10
    )
    record = guest.call("binary")
    assert record["response"]["status"] == "success"
    assert sum(len(line.encode()) for line in record["logs"]) <= 11 * MB
    assert guest.ended(record["activationId"])["logs"] == record["logs"]
