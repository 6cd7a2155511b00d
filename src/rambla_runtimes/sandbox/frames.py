"""In what form do the platform and a worker talk?

Frames on a stream socket: a header of 12 bytes, little-endian (body length u32, job u32, type u8, flags u8, reserved
u16), then the body. `worker.js` and `rambla.drivers.process.frames` are the other two readings of this format.
"""

import socket
import struct

HEADER = struct.Struct("<IIBBH")
INIT, RUN = 1, 2
HELLO, BROKEN, READY, RESULT, FAILED, LISTENER = 16, 17, 18, 19, 20, 21
FLAG_MEMORY = 1


def receive(stream: socket.socket, size: int) -> bytes | None:
    """Exactly `size` bytes, or None when the other side is gone."""
    buffer = bytearray(size)
    view = memoryview(buffer)
    while view:
        count = stream.recv_into(view)
        if not count:
            return None
        view = view[count:]
    return bytes(buffer)


def frame(kind: int, job: int, body: bytes, flags: int = 0) -> bytes:
    return HEADER.pack(len(body), job, kind, flags, 0) + body
