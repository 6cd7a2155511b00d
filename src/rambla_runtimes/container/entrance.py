"""How does the platform get a socket in a container's network, and stay outside of it?

Started by the platform as `python -I entrance.py CONTROL_FD`. The control channel is a SOCK_SEQPACKET socket: a request
says how many sockets are wanted, or on which port one should listen, and brings the descriptors of the container's
network and user namespace. A child that lives for a millisecond enters them, makes the sockets and sends them back: a
socket stays in the namespace that it was made in, whoever uses it. Nothing else ever enters.
"""

import json
import os
import socket
import sys
from typing import Any, NoReturn

# With -I neither this folder nor the package is on the path.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from rambla_runtimes.sandbox import linux

_MESSAGE_BYTES_MAX = 4096
_SOCKETS_MAX = 16
_BACKLOG = 16


def serve(control: socket.socket) -> None:
    """Answer requests until the platform hangs up."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, _MESSAGE_BYTES_MAX, 2)
        if not message:
            return
        child = os.fork()
        if child == 0:
            _enter(control, json.loads(message), descriptors)
        os.waitpid(child, 0)
        for descriptor in descriptors:
            os.close(descriptor)


def _enter(control: socket.socket, request: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """In the child: enter, make what is wanted, send it or why not, and end."""
    network, user = descriptors
    try:
        try:
            linux.setns(network, linux.CLONE_NEWNET)
        except PermissionError:  # not root: in the container's user namespace we are
            linux.setns(user, linux.CLONE_NEWUSER)
            linux.setns(network, linux.CLONE_NEWNET)
        wanted = [_listener(request["port"])] if request["port"] else _fresh(request["count"])
        socket.send_fds(control, [b"{}"], [made.fileno() for made in wanted])
    except BaseException as error:  # a child must never go on as its parent would
        control.send(json.dumps({"why": str(error)}).encode())
    os._exit(0)


def _fresh(count: int) -> list[socket.socket]:
    return [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(min(count, _SOCKETS_MAX))]


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    listener.bind(("127.0.0.1", port))
    listener.listen(_BACKLOG)
    return listener


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
