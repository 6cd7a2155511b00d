"""How does a sandbox without a network reach the objects that its run was granted?

It made a listening socket in its own network namespace before any user code was there; the platform accepts on it, so a
connection can only be from that sandbox. One request per connection is read, judged by `grants`, written anew (h11 on
both sides, so nothing is smuggled) and its answer streamed back. When the run ends its connections are cut.
"""

import asyncio
import socket
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from rambla.domain.errors import BadSettings, EngineFailed
from rambla.drivers.process.grants import allows
from rambla.engine.ports import Grant

_CONNECTIONS_MAX = 16
_HEAD_BYTES_MAX = 16 << 10
_BODY_BYTES_MAX = 1 << 30
_PIECE_BYTES = 64 << 10
_IDLE_TIMEOUT_S = 30.0
# Not a list of the forbidden: a header that makes a server do something else (X-Copy-From, X-HTTP-Method-Override)
# must not pass because nobody thought of it.
_REQUEST_HEADERS = {
    b"accept", b"accept-encoding", b"cache-control", b"content-disposition", b"content-encoding", b"content-language",
    b"content-length", b"content-md5", b"content-type", b"etag", b"if-match", b"if-modified-since", b"if-none-match",
    b"if-unmodified-since", b"range", b"transfer-encoding", b"user-agent",
}  # fmt: skip
_REQUEST_PREFIXES = (b"x-object-meta-", b"x-amz-meta-")
_HOP_BY_HOP = {
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-connection", b"te", b"trailer", b"transfer-encoding",
    b"upgrade",
}  # fmt: skip


class Refusal(Exception):
    """Answered to the sandbox as `status` with `text`."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


@dataclass(frozen=True)
class Upstream:
    """Where the objects are. Make it with `parse_upstream`."""

    host: str
    port: int
    authority: str


def parse_upstream(address: str) -> Upstream:
    """Raises BadSettings on anything but `http://HOST[:PORT]`."""
    parts = urlsplit(address)
    if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query:
        raise BadSettings(name="objects_upstream", detail=f"{address!r} is not http://HOST:PORT")
    return Upstream(parts.hostname, parts.port or 80, parts.netloc.rpartition("@")[2])


Role = type[h11.SERVER] | type[h11.CLIENT]


class Side:
    """One side of a forwarded request: a stream and the h11 state of it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, role: Role) -> None:
        self._reader, self._writer = reader, writer
        self.state = h11.Connection(role, max_incomplete_event_size=_HEAD_BYTES_MAX)

    async def next(self) -> h11.Event | type[h11.PAUSED]:
        """The next event. Raises h11.RemoteProtocolError, TimeoutError."""
        while (event := self.state.next_event()) is h11.NEED_DATA:
            async with asyncio.timeout(_IDLE_TIMEOUT_S):
                self.state.receive_data(await self._reader.read(_PIECE_BYTES))
        return event  # type: ignore[return-value]  # NEED_DATA is excluded above

    async def send(self, event: h11.Event) -> None:
        if data := self.state.send(event):
            self._writer.write(data)
            async with asyncio.timeout(_IDLE_TIMEOUT_S):
                await self._writer.drain()

    def abort(self) -> None:
        self._writer.transport.abort()


class Egress:
    """The way out of one sandbox. Make it with `serve_grants`."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._grants: tuple[Grant, ...] = ()
        self._sides: set[Side] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, listener: socket.socket) -> None:
        self._server = await asyncio.start_server(self._serve, sock=listener, limit=_PIECE_BYTES)

    def grant(self, grants: tuple[Grant, ...]) -> None:
        """From now on `grants` and nothing else; connections made under others are cut."""
        for side in list(self._sides):
            side.abort()
        self._grants = grants

    def close(self) -> None:
        self.grant(())
        if self._server:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside = Side(reader, writer, h11.SERVER)
        if len(self._sides) >= 2 * _CONNECTIONS_MAX:  # each has two
            inside.abort()
            return
        self._sides.add(inside)
        try:
            with suppress(h11.LocalProtocolError, OSError, TimeoutError):
                await self._answer(inside)
                writer.close()
        finally:
            self._sides.discard(inside)
            if not writer.is_closing():
                inside.abort()

    async def _answer(self, inside: Side) -> None:
        try:
            request = await inside.next()
            if not isinstance(request, h11.Request):
                return
            self._judge(request)
            await self._forward(inside, request)
        except h11.RemoteProtocolError as error:
            await _refuse(inside, Refusal(400, f"Not understood: {error}"))
        except Refusal as refusal:
            await _refuse(inside, refusal)

    def _judge(self, request: h11.Request) -> None:
        method, target = request.method.decode("ascii"), request.target.decode("latin-1")
        if not allows(self._grants, method, target):
            path = target.partition("?")[0]
            raise Refusal(403, f"This run was not granted {method} {path[:200]}")

    async def _forward(self, inside: Side, request: h11.Request) -> None:
        try:
            async with asyncio.timeout(_IDLE_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(
                    self._upstream.host, self._upstream.port, limit=_PIECE_BYTES
                )
        except (OSError, TimeoutError):
            raise Refusal(502, "The object store cannot be reached") from None
        outside = Side(reader, writer, h11.CLIENT)
        self._sides.add(outside)
        try:
            await outside.send(_rewritten(request, self._upstream.authority))
            await _send_body(inside, outside)
            await _send_answer(outside, inside)
        finally:
            self._sides.discard(outside)
            outside.abort()


def _rewritten(request: h11.Request, authority: str) -> h11.Request:
    kept = [
        (name, value)
        for name, value in request.headers
        if name in _REQUEST_HEADERS or name.startswith(_REQUEST_PREFIXES)
    ]
    headers = [(b"host", authority.encode()), *kept, (b"connection", b"close")]
    return h11.Request(method=request.method, target=request.target, headers=headers)


async def _send_body(inside: Side, outside: Side) -> None:
    room = _BODY_BYTES_MAX
    if inside.state.they_are_waiting_for_100_continue:
        await inside.send(h11.InformationalResponse(status_code=100, headers=[]))
    while isinstance(event := await inside.next(), h11.Data):
        room -= len(event.data)
        if room < 0:
            raise Refusal(413, f"More than {_BODY_BYTES_MAX} bytes")
        await outside.send(h11.Data(data=bytes(event.data)))
    await outside.send(h11.EndOfMessage())


async def _send_answer(outside: Side, inside: Side) -> None:
    """From the first event of the answer on, whatever goes wrong can only be told by cutting the connection."""
    try:
        while isinstance(event := await outside.next(), h11.InformationalResponse):
            pass
    except (h11.RemoteProtocolError, OSError, TimeoutError):
        raise Refusal(502, "The object store did not answer") from None
    if not isinstance(event, h11.Response):
        raise Refusal(502, "The object store did not answer")
    headers = [(name, value) for name, value in event.headers if name not in _HOP_BY_HOP]
    await inside.send(h11.Response(status_code=event.status_code, headers=[*headers, (b"connection", b"close")]))
    try:
        while isinstance(piece := await outside.next(), h11.Data):
            await inside.send(h11.Data(data=bytes(piece.data)))
    except h11.RemoteProtocolError:
        return
    await inside.send(h11.EndOfMessage())


async def _refuse(inside: Side, refusal: Refusal) -> None:
    if inside.state.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
        return
    body = f"{refusal.text}.\n".encode()
    headers = [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", str(len(body))),
        ("connection", "close"),
    ]
    await inside.send(h11.Response(status_code=refusal.status, headers=headers))
    await inside.send(h11.Data(data=body))
    await inside.send(h11.EndOfMessage())


async def serve_grants(listener: int, upstream: Upstream) -> Egress:
    """Serve on `listener`, a descriptor that becomes ours. Raises EngineFailed."""
    egress = Egress(upstream)
    sock = socket.socket(fileno=listener)
    try:
        await egress.listen(sock)
    except OSError as error:
        sock.close()
        raise EngineFailed(detail=f"grants cannot be served: {error}") from error
    return egress
