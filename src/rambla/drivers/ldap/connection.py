"""How does one speak with a directory?

One connection, encrypted before it is used, for one operation at a time. Whoever is cancelled in the middle closes it.
What goes wrong raises Unreachable, or Unfinished where the question itself may be the cause.
"""

import itertools
import ssl

import anyio
from anyio.abc import ByteStream
from anyio.streams.tls import TLSStream

from rambla.drivers.ldap import messages
from rambla.drivers.ldap.messages import Elsewhere, Entry, Malformed, Message, Query, Result, TooLong
from rambla.drivers.ldap.server import Server

RECEIVE_BYTES = 65536
REFERENCES_MAX = 100
_BROKEN = (OSError, ssl.SSLError, anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)
# RFC 4511, appendix A
_SIZE_LIMIT_EXCEEDED = 4
_AWAY = frozenset((1, 2, 51, 52))  # operationsError, protocolError, busy, unavailable
_BINDS_NOBODY = frozenset((3, 7, 8, 13, 80))  # not in time, not by this method, not so weakly, not in the clear, other


class Unreachable(Exception):
    """The directory answers nobody; the text says why."""


class Unfinished(Exception):
    """The directory gave no whole answer to this question; the text says why."""


class TooMuch(Unfinished):
    """There is more of what was asked for than is read."""


class Connection:
    def __init__(self, server: Server, stream: ByteStream) -> None:
        self._server = server
        self._stream = stream
        self._received = b""
        self._numbers = itertools.count(1)

    async def search(self, query: Query, *, elsewhere: bool = False) -> list[Entry]:
        """What fulfils the query. What may lie in another directory is not asked for: without `elsewhere`, that there
        may be some is Unfinished."""
        number = next(self._numbers)
        await self._send(messages.search(number, query))
        found: list[Entry] = []
        references = 0
        while not isinstance(message := await self._receive(number), Result):
            if isinstance(message, Elsewhere):
                references += 1
                if not elsewhere:
                    raise Unfinished("the directory refers to another one, which is not asked")
            else:
                found.append(message)
            if len(found) > query.entries_max or references > REFERENCES_MAX:
                raise TooMuch("more is found than was asked for")
        if message.code in _AWAY:
            raise Unreachable(f"the directory answered with code {message.code}")
        if message.code:
            kind = TooMuch if message.code == _SIZE_LIMIT_EXCEEDED else Unfinished
            raise kind(f"the directory answered with code {message.code}")
        return found

    async def bind(self, dn: str, password: str) -> bool:
        """Whether that is the password of `dn`, and they may come in with it. Neither may be empty, as the directory
        would bind nobody in particular and say yes (RFC 4513, 5.1)."""
        if not dn or not password:
            return False
        number = next(self._numbers)
        await self._send(messages.bind(number, dn, password))
        message = await self._receive(number)
        if not isinstance(message, Result):
            raise Unreachable("it says what is not understood")
        if message.code in _AWAY | _BINDS_NOBODY:
            raise Unreachable(f"the directory answered with code {message.code}")
        return message.code == 0

    async def close(self) -> None:
        await anyio.aclose_forcefully(self._stream)

    async def encrypt(self) -> None:
        """As the settings say."""
        if self._server.start_tls:
            number = next(self._numbers)
            await self._send(messages.start_tls(number))
            message = await self._receive(number)
            if not isinstance(message, Result) or message.code:
                raise Unreachable("it does not begin TLS")
            if self._received:
                raise Unreachable("it says more before TLS begins")  # somebody else may have put it there
        if self._server.start_tls or self._server.tls:
            try:
                self._stream = await TLSStream.wrap(
                    self._stream,
                    hostname=self._server.host,
                    ssl_context=self._server.context,
                    standard_compatible=False,
                )
            except _BROKEN as error:
                raise Unreachable("no TLS with a certificate that is trusted") from error

    async def _send(self, message: bytes) -> None:
        try:
            await self._stream.send(message)
        except _BROKEN as error:
            raise Unreachable("the connection is lost") from error

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
        except TooLong as error:
            raise TooMuch(f"it says more than {messages.MESSAGE_BYTES_MAX} bytes at once") from error
        except Malformed as error:
            raise Unreachable("it says what is not understood") from error
        except _BROKEN as error:
            raise Unreachable("the connection is lost") from error


async def open_connection(server: Server, *, bound: bool = True) -> Connection:
    """One that is encrypted and, if `bound`, is whoever searches. Raises Unreachable."""
    try:
        stream = await anyio.connect_tcp(server.host, server.port)
    except OSError as error:
        raise Unreachable("it cannot be reached") from error
    connection = Connection(server, stream)
    try:
        await connection.encrypt()
        if bound and server.bind_dn and not await connection.bind(server.bind_dn, server.password):
            raise Unreachable("it does not accept bind_dn and its password")
    except BaseException:
        await connection.close()
        raise
    return connection
