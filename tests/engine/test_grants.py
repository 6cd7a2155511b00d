"""Grants: a run reaches the addresses it was given, by plain HTTP, and no others; the next run has its own."""

import asyncio
import errno
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import h11
import pytest

from enginekit import a_program, a_run
from rambla.drivers.process.engine import ProcessEngine, ProcessSettings, open_engine
from rambla.drivers.process.grants import allows
from rambla.engine.ports import Grant

pytestmark = pytest.mark.anyio
FETCH = """
import urllib.request, urllib.error
def main(args):
    said = []
    for method, path, body in args["requests"]:
        request = urllib.request.Request("http://127.0.0.1:8081" + path, method=method, headers=args.get("headers", {}),
                                         data=body.encode() if body else None)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                said.append([answer.status, answer.read().decode()])
        except urllib.error.HTTPError as error:
            said.append([error.code, error.read().decode()])
        except OSError as error:
            said.append([0, repr(error)])
    return said
"""
GET = Grant("GET", "/v1/AUTH_a/in/cat.jpg", "temp_url_sig=s&temp_url_expires=9")
PUT = Grant("PUT", "/v1/AUTH_a/out/", "temp_url_sig=p", prefix=True)


class Store:
    """An object store that remembers what it was asked."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.address = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state = h11.Connection(h11.SERVER)
        request, body = None, b""
        while not isinstance(event := state.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                state.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
        assert request is not None
        headers = {name.decode(): value.decode() for name, value in request.headers}
        self.seen.append((request.method.decode(), request.target.decode(), headers, body))
        answer = b"x" * 300_000 if request.method == b"GET" else b"made"
        writer.write(state.send(h11.Response(status_code=201, headers=[("content-length", str(len(answer)))])))
        writer.write(state.send(h11.Data(data=answer)) + state.send(h11.EndOfMessage()))
        await writer.drain()
        writer.close()


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = Store()
    server = await asyncio.start_server(store.serve, "127.0.0.1", 0)
    store.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield store
    server.close()
    await server.wait_closed()


@asynccontextmanager
async def granting(store: Store) -> AsyncIterator[ProcessEngine]:
    engine = await open_engine(ProcessSettings(objects_upstream=store.address))
    try:
        if engine.level != "sandboxed":
            pytest.skip(f"grants need network namespaces: {engine.health().parts['namespaces']}")
        yield engine
    finally:
        await engine.close()


async def ask(sandbox: Any, *requests: tuple[str, str, str], grants: tuple[Grant, ...], **more: Any) -> Any:
    result = await sandbox.run(a_run({"requests": requests, **more}, grants=grants))
    assert result.status == "success", result
    return json.loads(result.result)


async def test_granted_addresses_are_reached_and_others_are_not(runtimes: None, store: Store) -> None:
    async with granting(store) as engine:
        sandbox = await engine.start("python:3", 128, grants=True)
        assert await sandbox.init(a_program(FETCH), a_run()) is None
        got, made, wrong_query, wrong_method, other = await ask(
            sandbox,
            ("GET", f"{GET.path}?{GET.query}", ""),
            ("PUT", f"{PUT.path}small%20cat.jpg?{PUT.query}", "pixels" * 50_000),
            ("GET", f"{GET.path}?temp_url_sig=other", ""),
            ("PUT", f"{GET.path}?{GET.query}", "x"),
            ("GET", "/v1/AUTH_b/in/secret", ""),
            grants=(GET, PUT),
            headers={"X-Copy-From": "/b/secret", "Content-Type": "image/jpeg"},
        )
        assert got == [201, "x" * 300_000]
        assert made == [201, "made"]
        assert [answer[0] for answer in (wrong_query, wrong_method, other)] == [403] * 3
        assert other[1] == "This run was not granted GET /v1/AUTH_b/in/secret.\n"
        assert [(method, target) for method, target, _, _ in store.seen] == [
            ("GET", f"{GET.path}?{GET.query}"),
            ("PUT", f"{PUT.path}small%20cat.jpg?{PUT.query}"),
        ]
        headers, body = store.seen[1][2:]
        assert body == b"pixels" * 50_000
        assert headers["content-type"] == "image/jpeg"
        assert "x-copy-from" not in headers
        await sandbox.close()


async def test_each_run_has_its_own_grants_and_none_afterwards(runtimes: None, store: Store) -> None:
    async with granting(store) as engine:
        sandbox = await engine.start("python:3", 128, grants=True)
        assert await sandbox.init(a_program(FETCH), a_run()) is None
        get, put = ("GET", f"{GET.path}?{GET.query}", ""), ("PUT", f"{PUT.path}a?{PUT.query}", "x")
        assert [code for code, _ in await ask(sandbox, get, put, grants=(GET,))] == [201, 403]
        assert [code for code, _ in await ask(sandbox, get, put, grants=(PUT,))] == [403, 201]
        assert [code for code, _ in await ask(sandbox, get, put, grants=())] == [403, 403]
        await sandbox.close()


HOARD = """
import array, socket
def main(args):
    global ends
    ends = socket.socketpair()
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 250))]
    for sent in range(100):
        try:
            ends[0].sendmsg([b"x"], rights)
        except OSError as error:
            return {"sent": sent * 250, "why": error.errno}
"""


async def test_descriptors_that_one_sandbox_keeps_on_their_way_hinder_no_other(runtimes: None, store: Store) -> None:
    """The kernel counts them for all sandboxes together, as all are one user's."""
    async with granting(store) as engine:
        hoarder = await engine.start("python:3", 128, grants=False)
        assert await hoarder.init(a_program(HOARD), a_run()) is None
        hoarded = json.loads((await hoarder.run(a_run())).result)
        assert hoarded["why"] == errno.ETOOMANYREFS
        assert hoarded["sent"] > 1000
        sandbox = await engine.start("python:3", 128, grants=True)
        assert await sandbox.init(a_program(FETCH), a_run()) is None
        assert [code for code, _ in await ask(sandbox, ("GET", f"{GET.path}?{GET.query}", ""), grants=(GET,))] == [201]
        await sandbox.close()
        await hoarder.close()


async def test_a_store_that_is_away_is_told_as_such(runtimes: None, store: Store) -> None:
    away = Store()
    away.address = "http://127.0.0.1:1"
    async with granting(away) as engine:
        sandbox = await engine.start("python:3", 128, grants=True)
        assert await sandbox.init(a_program(FETCH), a_run()) is None
        assert await ask(sandbox, ("GET", f"{GET.path}?{GET.query}", ""), grants=(GET,)) == [
            [502, "The object store cannot be reached.\n"]
        ]
        await sandbox.close()


async def test_a_smuggled_second_request_is_never_forwarded(runtimes: None, store: Store) -> None:
    code = """
import socket
def main(args):
    said = []
    for text in args["texts"]:
        with socket.create_connection(("127.0.0.1", 8081), 10) as connection:
            connection.sendall(text.encode("latin-1"))
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(65536): answer += piece
            said.append(answer.split(b"\\r\\n")[0].decode())
    return said
"""
    put = f"PUT {PUT.path}a?{PUT.query} HTTP/1.1\r\nHost: x\r\n"
    evil = "GET /v1/AUTH_b/secret HTTP/1.1\r\nHost: x\r\n\r\n"
    texts = [
        f"{put}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{evil}",
        f"{put}Content-Length: 1\r\nContent-Length: {len(evil)}\r\n\r\n{evil}",
        f"{put}Content-Length: 1\r\n\r\nx{evil}",
        f"{put}Content-Length : 1\r\n\r\nx{evil}",
        f"GET http://other{GET.path}?{GET.query} HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET " + "/" * 100_000,
        "\x16\x03\x01garbage\r\n\r\n",
    ]
    async with granting(store) as engine:
        sandbox = await engine.start("python:3", 128, grants=True)
        assert await sandbox.init(a_program(code), a_run()) is None
        result = await sandbox.run(a_run({"texts": texts}, grants=(GET, PUT)))
        said = [line[9:12] for line in json.loads(result.result)]
        assert all(target.startswith(PUT.path) for _, target, _, _ in store.seen), store.seen
        assert said[1:2] + said[3:] == ["400", "400", "403", "400", "400"], said
        await sandbox.close()


@pytest.mark.parametrize("name", ["a", "a/b.jpg", "a%20b", "gr%C3%BC%C3%9Fe", "a..b", "~x!$&'()*+,;=:@"])
def test_a_prefix_covers_plain_object_names(name: str) -> None:
    assert allows((PUT,), "PUT", f"{PUT.path}{name}?{PUT.query}")


@pytest.mark.parametrize(
    "name",
    ["", "../x", "a/../x", "a/./b", ".", "..", "%2e%2e/x", "a//b", "a/", "/a", "a%2Fb", "a%2fb", "a%00", "a%0d%0a",
     "a%5cb", "a%252fb", "a b", "a\\b", "a#b", "gr\xfc", "a%zz", "a%", "%ff", "a%3fb", "x" * 1025],
)  # fmt: skip
def test_a_prefix_covers_nothing_that_another_server_might_read_differently(name: str) -> None:
    assert not allows((PUT,), "PUT", f"{PUT.path}{name}?{PUT.query}")
