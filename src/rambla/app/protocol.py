"""What may a connection cost before it has asked for anything?

uvicorn's HTTP protocol with two bounds that it lacks: how many bytes the head of a request may have (it is gathered
before the application sees any of it), and how long a connection may take to send one. An address that is longer than
its parser can read is told so, rather than called no HTTP. A certificate that the client proved to have goes with each
of its requests, in `scope["extensions"]`.
"""

import asyncio
from hashlib import sha256
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 128 * 2**10
HEAD_TIMEOUT_S = 30.0
URL_BYTES_MAX = 2**16 - 1
_PIECE_BYTES = 16 * 2**10
_REFUSED = b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large" + _REFUSED
_URL_TOO_LONG = b"HTTP/1.1 414 URI Too Long" + _REFUSED


class BoundedHttp(HttpToolsProtocol):
    """Counts in pieces, so the bound is exact to within one piece, also for pipelined requests."""

    url = b""
    _in_head = True
    _head_bytes = 0
    _timer: asyncio.TimerHandle | None = None
    _shown: dict[str, Any] | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._shown = _certificate_of(transport)
        self._timer = self.loop.call_later(HEAD_TIMEOUT_S, transport.close)

    def shutdown(self) -> None:
        """The server stops. A client that waits to be asked something does not hear that the encryption ends, and would
        be waited for."""
        is_idle = self.cycle is None or self.cycle.response_complete
        if is_idle and self.transport.get_extra_info("ssl_object") is not None:
            self.transport.abort()
        else:
            super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        for begin in range(0, len(data), _PIECE_BYTES):
            piece = data[begin : begin + _PIECE_BYTES]
            if self._in_head:
                self._head_bytes += len(piece)
                if self._head_bytes > HEAD_BYTES_MAX:
                    self._refuse(_HEAD_TOO_LARGE)
                    return
            super().data_received(piece)
            if self.transport.is_closing():
                return

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()
        if self._shown is not None:
            self.scope["extensions"] = self._shown

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_timer()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if len(self.url) > URL_BYTES_MAX:
            self._refuse(_URL_TOO_LONG)
        else:
            super().send_400_response(msg)

    def _refuse(self, answer: bytes) -> None:
        self.transport.write(answer)
        self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _certificate_of(transport: Any) -> dict[str, Any] | None:
    """In DER; None for a client that showed none, and where nothing is encrypted."""
    encrypted = transport.get_extra_info("ssl_object")
    shown = encrypted.getpeercert(binary_form=True) if encrypted else None
    return {"tls": {"client_cert_der": shown, "client_cert_sha256": sha256(shown).digest()}} if shown else None
