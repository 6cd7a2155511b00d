"""What a container may reach: the addresses that its run was granted, and nothing else of this world."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from enginekit import a_program, a_run
from imagekit import KIND
from rambla.domain.errors import EngineFailed
from rambla.drivers.podman.engine import PodmanEngine, PodmanSettings, open_engine
from rambla.engine.ports import Grant, Sandbox

pytestmark = pytest.mark.anyio
GET = Grant("GET", "/v1/AUTH_a/in/cat.jpg", "sig=s")


async def store(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmeow")
    await writer.drain()
    writer.close()


async def loaded(engine: PodmanEngine, what: str = "fetch", *, grants: bool) -> Sandbox:
    sandbox = await engine.start(KIND, 128, grants=grants)
    assert await sandbox.init(a_program(what, KIND), a_run()) is None
    return sandbox


async def fetched(sandbox: Sandbox, url: str, *grants: Grant) -> dict[str, Any]:
    result = await sandbox.run(a_run({"url": url}, grants=grants))
    assert result.status == "success", result
    answer: dict[str, Any] = msgspec.json.decode(result.result)
    return answer


async def test_a_container_reaches_what_its_run_was_granted(images: None, tmp_path: Path) -> None:
    server = await asyncio.start_server(store, "127.0.0.1", 0)
    upstream = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    engine = await open_engine(PodmanSettings(folder=tmp_path / "containers", objects_upstream=upstream))
    sandbox = await loaded(engine, grants=True)
    granted = engine.objects_address + "/v1/AUTH_a/in/cat.jpg?sig=s"
    assert (await fetched(sandbox, granted, GET))["answer"].endswith("meow")
    for url, grants in ((granted, ()), (granted + "x", (GET,)), (engine.objects_address + "/", (GET,))):
        assert (await fetched(sandbox, url, *grants))["answer"].startswith("HTTP/1.1 403")
    assert "refused" in (await fetched(sandbox, upstream, GET))["refused"]
    await engine.close()
    server.close()


async def test_without_an_object_store_no_container_is_given_a_way_to_it(containers: PodmanEngine) -> None:
    with pytest.raises(EngineFailed, match="no object store is configured"):
        await containers.start(KIND, 128, grants=True)
    sandbox = await loaded(containers, grants=False)
    assert "refused" in (await fetched(sandbox, containers.objects_address))["refused"]
    await sandbox.close()
