"""What did a worker say, and may it?

The platform's reading of the frames of `rambla_runtimes.sandbox.frames`, over a non-blocking socket and without
trusting a byte: lengths are bounded before anything is kept, and whatever does not fit raises Hostile, after which the
sandbox is ended. `FrameParser` is pure; `Channel` moves the bytes.
"""

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_HEADER = struct.Struct("<IIBBH")
INIT, RUN = 1, 2
HELLO, BROKEN, READY, RESULT, FAILED, LISTENER = 16, 17, 18, 19, 20, 21
FLAG_MEMORY = 1
FRAME_BYTES_MAX = 64 << 20
_RECEIVE_BYTES = 256 << 10
_RIGHTS_MAX = 4


class Hostile(Exception):
    """A worker sent what no worker of ours sends."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`size` is how long the body was; `body` is as much of it as was to be kept."""

    kind: int
    job: int
    flags: int
    size: int
    body: bytes


def encode(kind: int, job: int, body: bytes) -> bytes:
    return _HEADER.pack(len(body), job, kind, 0, 0) + body


class FrameParser:
    """Cuts a stream of bytes into frames, keeping at most `keep_bytes` of each body."""

    def __init__(self, keep_bytes: int) -> None:
        self.keep_bytes = keep_bytes
        self._header = b""
        self._body = bytearray()
        self._missing = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that `data` completes. Raises Hostile."""
        while data or (len(self._header) == _HEADER.size and not self._missing):
            if len(self._header) < _HEADER.size:
                data = self._feed_header(data)
                continue
            piece = data[: self._missing]
            self._body += piece[: self.keep_bytes - len(self._body)]
            self._missing -= len(piece)
            data = data[len(piece) :]
            if not self._missing:
                yield self._complete()

    def _feed_header(self, data: bytes) -> bytes:
        wanted = _HEADER.size - len(self._header)
        self._header += data[:wanted]
        if len(self._header) == _HEADER.size:
            self._missing = _HEADER.unpack(self._header)[0]
            if self._missing > FRAME_BYTES_MAX:
                raise Hostile(f"a frame of {self._missing} bytes")
        return data[wanted:]

    def _complete(self) -> Frame:
        size, job, kind, flags, _ = _HEADER.unpack(self._header)
        frame = Frame(kind, job, flags, size, bytes(self._body))
        self._header, self._body = b"", bytearray()
        return frame


class Channel:
    """The platform's end of a worker's stream. `on_frame` may raise Hostile; `on_end` is told if that was the end."""

    def __init__(
        self, stream: socket.socket, on_frame: Callable[[Frame], None], on_end: Callable[[bool], None]
    ) -> None:
        stream.setblocking(False)
        self._stream, self._on_frame, self._on_end = stream, on_frame, on_end
        self._loop = asyncio.get_running_loop()
        self.parser = FrameParser(FRAME_BYTES_MAX)
        self._rights: list[int] = []
        self._begun = False
        self._unsent = memoryview(b"")
        self._loop.add_reader(stream, self._readable)

    def send(self, data: bytes) -> None:
        """Send all of `data`, as fast as the worker reads. Once the channel has ended, nothing happens."""
        if self._stream.fileno() < 0:
            return
        self._unsent = memoryview(data)
        self._push()
        if self._unsent:
            self._loop.add_writer(self._stream, self._writable)

    def pump(self) -> None:
        """Take what has arrived already, after the other side is known to have ended."""
        while self._stream.fileno() >= 0 and self._readable():
            pass

    def close(self) -> None:
        if self._stream.fileno() >= 0:
            self._loop.remove_reader(self._stream)
            self._loop.remove_writer(self._stream)
            self._stream.close()
        for descriptor in self.take_rights():
            os.close(descriptor)

    def take_rights(self) -> list[int]:
        """The descriptors that came with the first frame; from now on the caller's."""
        rights, self._rights = self._rights, []
        return rights

    def _writable(self) -> None:
        self._push()
        if not self._unsent:
            self._loop.remove_writer(self._stream)

    def _push(self) -> None:
        try:
            self._unsent = self._unsent[self._stream.send(self._unsent) :]
        except BlockingIOError:
            return
        except OSError:
            self._unsent = memoryview(b"")  # the reading side tells the end

    def _readable(self) -> bool:
        try:
            data = self._receive()
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._end(hostile=False)
            return False
        try:
            for frame in self.parser.feed(data):
                self._on_frame(frame)
        except Hostile:
            self._end(hostile=True)
            return False
        return True

    def _receive(self) -> bytes:
        """Descriptors are taken with the first frame only, which is sent before any user code is loaded."""
        if self._begun:
            return self._stream.recv(_RECEIVE_BYTES)
        data, rights, _, _ = socket.recv_fds(self._stream, _HEADER.size, _RIGHTS_MAX)
        self._rights += rights
        self._begun = True
        return data

    def _end(self, *, hostile: bool) -> None:
        self.close()
        self._on_end(hostile)
