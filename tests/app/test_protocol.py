"""A real uvicorn with our protocol, spoken to over raw sockets."""

import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
import uvicorn
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rambla.app.protocol import HEAD_BYTES_MAX, URL_BYTES_MAX, BoundedHttp

pytestmark = pytest.mark.anyio


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await Response("hello")(scope, receive, send)


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(hello, http=BoundedHttp, lifespan="off", log_config=None))
        async with anyio.create_task_group() as group:
            group.start_soon(server.serve, [listener])
            yield listener.getsockname()[1]
            server.should_exit = True


async def exchange(port: int, pieces: list[bytes], answers: int = 1) -> bytes:
    """What comes back until so many answers are there or the server hangs up."""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        received = b""
        with contextlib.suppress(anyio.BrokenResourceError, anyio.EndOfStream), anyio.fail_after(20):
            for piece in pieces:
                await stream.send(piece)
            while received.count(b"hello") < answers:
                received += await stream.receive()
        return received


async def test_an_ordinary_request_passes_also_in_small_pieces_and_pipelined() -> None:
    request = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
    async with serving() as port:
        assert (await exchange(port, [request[:9], request[9:]])).endswith(b"hello")
        assert (await exchange(port, [request * 3], 3)).count(b"hello") == 3


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\n", b"GET /"], ids=["headers", "address"])
async def test_a_head_without_end_is_refused_before_it_is_gathered(start: bytes) -> None:
    line = b"x-filler: " + b"y" * 1000 + b"\r\n" if start.endswith(b"\n") else b"z" * 1000
    async with serving() as port:
        answer = await exchange(port, [start, *[line] * (2 * HEAD_BYTES_MAX // 1000)])
        assert b"hello" not in answer
        assert answer == b"" or b" 431 " in answer
        assert (await exchange(port, [b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"])).endswith(b"hello")


async def test_an_address_that_is_too_long_is_told_so() -> None:
    async with serving() as port:
        for size, answered in ((URL_BYTES_MAX, b"HTTP/1.1 200 "), (URL_BYTES_MAX + 1, b"HTTP/1.1 414 ")):
            request = b"GET /" + b"a" * (size - 1) + b" HTTP/1.1\r\nhost: x\r\n\r\n"
            assert (await exchange(port, [request])).startswith(answered)
        for nonsense in (b"no HTTP\r\n\r\n", b"\x16\x03\x01\r\n\r\n"):
            assert (await exchange(port, [nonsense])).startswith(b"HTTP/1.1 400 ")


async def test_a_large_body_is_no_head() -> None:
    body = b"b" * (4 * HEAD_BYTES_MAX)
    head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
    async with serving() as port:
        assert (await exchange(port, [head + body])).endswith(b"hello")
