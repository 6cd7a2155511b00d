import httpx
import pytest

pytestmark = pytest.mark.anyio
ECHO = {"exec": {"kind": "nodejs:default", "code": "echo"}}


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
