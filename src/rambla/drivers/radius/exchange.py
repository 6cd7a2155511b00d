"""How is one server asked, and which of several?

A request is sent anew until its answer comes, from a socket of its own, so that whoever cannot see it would have to
guess the port too. What is no answer to it is passed over. The servers are asked in their order; one that was silent
comes last for a while.
"""

import secrets
from collections.abc import Iterator, Sequence

import anyio
import msgspec

from rambla.drivers.radius.packets import AUTHENTICATOR_BYTES, Answer, NotOurs, Request, access_request, read_answer
from rambla.kit.breaker import Breaker
from rambla.kit.clock import Clock

PAUSE_MS = 10_000
PASSED_OVER_MAX = 100
_BROKEN = (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError)


class Unreachable(Exception):
    """No server answers; the text says why."""


class Server(msgspec.Struct, frozen=True):
    """Each request is sent `tries` times, `try_ms` apart."""

    host: str
    port: int
    secret: bytes
    tries: int
    try_ms: int

    def __repr__(self) -> str:
        return f"Server({self.host!r})"  # not the secret

    async def ask(self, password: bytes, attributes: Sequence[tuple[int, bytes]]) -> Answer:
        """Raises Unreachable."""
        authenticator, identifier = secrets.token_bytes(AUTHENTICATOR_BYTES), secrets.randbelow(256)
        request = access_request(identifier, authenticator, self.secret, password, attributes)
        exchange = _Exchange(request)
        try:
            async with await anyio.create_connected_udp_socket(self.host, self.port) as socket:
                for _ in range(self.tries):
                    await socket.send(request.packet)
                    with anyio.move_on_after(self.try_ms / 1000):
                        return await exchange.answer_from(socket)
        except _BROKEN as error:
            raise Unreachable("it cannot be reached") from error
        raise Unreachable(f"no answer within {self.tries * self.try_ms} ms{exchange.but}")


class _Exchange:
    def __init__(self, request: Request) -> None:
        self.but = ""
        self._request = request
        self._passed_over = 0

    async def answer_from(self, socket: anyio.abc.ConnectedUDPSocket) -> Answer:
        async for received in socket:
            try:
                return read_answer(received, self._request)
            except NotOurs as error:
                self.but = f" but one that is not believed: {error}"
                self._passed_over += 1
                if self._passed_over > PASSED_OVER_MAX:
                    break
        raise Unreachable("it says too much that is no answer")


class Servers:
    def __init__(self, servers: Sequence[Server], clock: Clock) -> None:
        self._clock = clock
        self._servers = [(each, Breaker(pause_ms=PAUSE_MS, probe_ms=each.tries * each.try_ms)) for each in servers]

    async def ask(self, password: bytes, attributes: Sequence[tuple[int, bytes]]) -> tuple[Server, Answer]:
        """The first that answers. Raises Unreachable, which names no host, as everybody is told."""
        silent: dict[int, str] = {}
        for server, breaker in self._in_order():
            try:
                answer = await self._ask(server, breaker, password, attributes)
            except Unreachable as error:
                silent[self._servers.index((server, breaker)) + 1] = str(error)
            else:
                return server, answer
        raise Unreachable("; ".join(f"server {number}: {reason}" for number, reason in sorted(silent.items())))

    def _in_order(self) -> Iterator[tuple[Server, Breaker]]:
        later = []
        for server, breaker in self._servers:
            if breaker.may_ask(self._clock.monotonic_ns()):
                yield server, breaker
            else:
                later.append((server, breaker))
        yield from later

    async def _ask(
        self, server: Server, breaker: Breaker, password: bytes, attributes: Sequence[tuple[int, bytes]]
    ) -> Answer:
        answer = None
        try:
            answer = await server.ask(password, attributes)
        finally:  # whoever is no longer waited for was silent too
            if answer is None:
                breaker.failed("silent", self._clock.monotonic_ns())
        breaker.answered()
        return answer
