"""How does one speak with a directory?

One connection, encrypted and bound before it is used, for one search at a time. Whoever is cancelled in the middle
closes it. What goes wrong raises EnforcerAway, or NoAnswer where the question itself may be the cause.
"""

import itertools
import ssl
from collections.abc import Sequence

import anyio
import msgspec
from anyio.abc import ByteStream
from anyio.streams.tls import TLSStream

from rambla.domain.errors import EnforcerAway, NoAnswer
from rambla.drivers.ldap import messages
from rambla.drivers.ldap.messages import Elsewhere, Entry, Malformed, Message, Result

RECEIVE_BYTES = 65536
_AWAY = frozenset((1, 2, 51, 52))  # operationsError, protocolError, busy, unavailable (RFC 4511, appendix A)
_BROKEN = (OSError, ssl.SSLError, anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)


class Server(msgspec.Struct, frozen=True):
    """Where a directory is and how it is spoken to; `tls` as it begins, `start_tls` before anything else is said."""

    name: str
    host: str
    port: int
    tls: bool
    start_tls: bool
    bind_dn: str
    password: str
    context: ssl.SSLContext

    def __repr__(self) -> str:
        return f"Server({self.name!r})"  # not the password


class Connection:
    def __init__(self, server: Server, stream: ByteStream) -> None:
        self._server = server
        self._stream = stream
        self._received = b""
        self._numbers = itertools.count(1)

    async def search(
        self, base: str, conditions: Sequence[tuple[str, str]], attribute: str, entries_max: int
    ) -> list[Entry]:
        """What lies below `base` and fulfils any condition, at most `entries_max`."""
        number = next(self._numbers)
        await self._send(messages.search(number, base, conditions, attribute, entries_max))
        found: list[Entry] = []
        while not isinstance(message := await self._receive(number), Result):
            if isinstance(message, Elsewhere):
                raise self._no_answer("the directory refers to another one, which is not asked")
            found.append(message)
            if len(found) > entries_max:
                raise self._no_answer("more is found than was asked for")
        if message.code in _AWAY:
            raise self._away(f"the directory answered with code {message.code}")
        if message.code:
            raise self._no_answer(f"the directory answered with code {message.code}")
        return found

    async def close(self) -> None:
        await anyio.aclose_forcefully(self._stream)

    async def begin(self) -> None:
        """Encrypt and bind."""
        if self._server.start_tls:
            number = next(self._numbers)
            await self._send(messages.start_tls(number))
            await self._expect_success(number, "it does not begin TLS")
            if self._received:
                raise self._away("it says more before TLS begins")  # somebody else may have put it there
            await self._encrypt()
        elif self._server.tls:
            await self._encrypt()
        if self._server.bind_dn:
            number = next(self._numbers)
            await self._send(messages.bind(number, self._server.bind_dn, self._server.password))
            await self._expect_success(number, "it does not accept bind_dn and its password")

    async def _encrypt(self) -> None:
        try:
            self._stream = await TLSStream.wrap(
                self._stream, hostname=self._server.host, ssl_context=self._server.context, standard_compatible=False
            )
        except _BROKEN as error:
            raise self._away("no TLS with a certificate that is trusted") from error

    async def _expect_success(self, number: int, otherwise: str) -> None:
        message = await self._receive(number)
        if not isinstance(message, Result) or message.code:
            raise self._away(otherwise)

    async def _send(self, message: bytes) -> None:
        try:
            await self._stream.send(message)
        except _BROKEN as error:
            raise self._away("the connection is lost") from error

    async def _receive(self, number: int) -> Message:
        """The next message that answers this one."""
        try:
            while (length := messages.length_of(self._received)) is None or len(self._received) < length:
                self._received += await self._stream.receive(RECEIVE_BYTES)
            whole, self._received = self._received[:length], self._received[length:]
            message = messages.read(whole)
            if message.number != number:
                raise Malformed
            return message
        except Malformed as error:
            raise self._away("it says what is not understood") from error
        except _BROKEN as error:
            raise self._away("the connection is lost") from error

    def _away(self, detail: str) -> EnforcerAway:
        return EnforcerAway(enforcer=self._server.name, detail=detail)

    def _no_answer(self, detail: str) -> NoAnswer:
        return NoAnswer(enforcer=self._server.name, detail=detail)


async def open_connection(server: Server) -> Connection:
    """Raises EnforcerAway."""
    try:
        stream = await anyio.connect_tcp(server.host, server.port)
    except OSError as error:
        raise EnforcerAway(enforcer=server.name, detail="it cannot be reached") from error
    connection = Connection(server, stream)
    try:
        await connection.begin()
    except BaseException:
        await connection.close()
        raise
    return connection
