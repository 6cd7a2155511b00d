"""What did a container answer, over HTTP that may be anything but that?

One POST on a connection of its own. Heads, bodies and the number of interim responses are bounded, redirects are not
followed, and what comes after the answer is never read. How long it takes is bounded by the caller's deadline.
"""

import asyncio
import socket
from dataclasses import dataclass

import h11

PORT = 8080
_HEAD_BYTES_MAX = 64 << 10
_PIECE_BYTES = 64 << 10
_BODY_BYTES_MAX = 64 << 20  # read of a body without a stated length, to tell how much it was
_PIECES_MAX = 16_384  # chunks can be a byte long, and each costs the platform more than the container
_INTERIM_MAX = 8


class BrokenAnswer(Exception):
    """The container hung up, or sent what is no answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`size` is how long the body was, or was said to be; `body` is as much of it as was to be kept."""

    status: int
    size: int
    body: bytes


async def post(connected: socket.socket, path: str, body: bytes, keep_bytes: int) -> Answer:
    """Send `body` as JSON and read the answer. `connected` becomes ours. Raises BrokenAnswer."""
    reader, writer = await asyncio.open_connection(sock=connected, limit=_PIECE_BYTES)
    try:
        state = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES_MAX)
        for event in _request(path, body):
            writer.write(state.send(event) or b"")
        await writer.drain()
        return await _answer(state, reader, keep_bytes)
    except (h11.RemoteProtocolError, OSError) as error:
        raise BrokenAnswer(str(error)) from error
    finally:
        writer.transport.abort()


def _request(path: str, body: bytes) -> list[h11.Event]:
    headers = [
        ("Host", f"127.0.0.1:{PORT}"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    return [h11.Request(method="POST", target=path, headers=headers), h11.Data(data=body), h11.EndOfMessage()]


async def _answer(state: h11.Connection, reader: asyncio.StreamReader, keep_bytes: int) -> Answer:
    for _ in range(_INTERIM_MAX):
        head = await _next(state, reader)
        if isinstance(head, h11.Response):
            return await _rest(head, state, reader, keep_bytes)
        if not isinstance(head, h11.InformationalResponse):
            break
    raise BrokenAnswer("no response")


async def _rest(head: h11.Response, state: h11.Connection, reader: asyncio.StreamReader, keep_bytes: int) -> Answer:
    stated = next((int(value) for name, value in head.headers if name == b"content-length"), None)
    kept, size = bytearray(), 0
    for _ in range(_PIECES_MAX):
        event = await _next(state, reader)
        if not isinstance(event, h11.Data) or size > _BODY_BYTES_MAX or (stated and size > keep_bytes):
            return Answer(head.status_code, max(size, stated or 0), bytes(kept))
        kept += event.data[: keep_bytes - len(kept)]
        size += len(event.data)
    raise BrokenAnswer(f"more than {_PIECES_MAX} pieces")


async def _next(state: h11.Connection, reader: asyncio.StreamReader) -> h11.Event | type[h11.PAUSED]:
    while (event := state.next_event()) is h11.NEED_DATA:
        state.receive_data(await reader.read(_PIECE_BYTES))
    return event  # type: ignore[return-value]  # NEED_DATA is excluded above
