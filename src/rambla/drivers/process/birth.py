"""What has to be made for a sandbox before it can be born?

A socket pair, two pipes, a control group: the far ends travel to the zygote and are closed here, the near ends become
the sandbox. If anything fails on the way, all of it is undone.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from rambla.domain.errors import EngineFailed
from rambla.drivers.process.cgroups import Group, Groups
from rambla.drivers.process.frames import Channel
from rambla.drivers.process.logs import LogBuffer, LogPipes
from rambla.drivers.process.sandbox import ProcessSandbox
from rambla.drivers.process.zygote import LOST, Zygote
from rambla.kit.clock import Clock


@dataclass(frozen=True, slots=True)
class Birth:
    """What kind of sandbox is wanted."""

    number: int
    family: str
    memory_bytes: int
    grants: bool
    groups: Groups | None


def give_birth(birth: Birth, zygote: Zygote, clock: Clock) -> ProcessSandbox:
    """A sandbox that is on its way: `greeted` waits until it is isolated. Raises EngineFailed and leaves nothing."""
    with ExitStack() as far_ends, ExitStack() as near_ends:
        try:
            group = birth.groups.make(birth.number) if birth.groups else None
            if group:
                near_ends.callback(group.remove)
            stream, worker_end = socket.socketpair()
            far_ends.callback(worker_end.close)
            near_ends.callback(_close, stream.fileno(), stream.close)
            stdout, stdout_far = _pipe(near_ends, far_ends)
            stderr, stderr_far = _pipe(near_ends, far_ends)
            tasks = group.open_tasks() if group else []
            for descriptor in tasks:
                far_ends.callback(os.close, descriptor)
            sandbox = ProcessSandbox(birth.number, zygote, clock, LogPipes(stdout, stderr, LogBuffer(clock)), group)
            sandbox.connect(Channel(stream, sandbox.on_frame, sandbox.on_channel_end))
        except OSError as error:
            raise EngineFailed(detail=f"no room for another sandbox: {error}") from error
        near_ends.pop_all()  # they are the sandbox's from here on
        try:
            far = [worker_end.fileno(), stdout_far, stderr_far, *tasks]
            zygote.start(birth.number, _request(birth, group), far, sandbox.on_exit)
        except EngineFailed:
            sandbox.on_exit(LOST)
            raise
    return sandbox


def _pipe(near_ends: ExitStack, far_ends: ExitStack) -> tuple[int, int]:
    near, far = os.pipe()
    near_ends.callback(_close, near, lambda: os.close(near))
    far_ends.callback(os.close, far)
    return near, far


def _close(descriptor: int, close: Callable[[], None]) -> None:
    """Close what the event loop may watch already."""
    asyncio.get_running_loop().remove_reader(descriptor)
    close()


def _request(birth: Birth, group: Group | None) -> dict[str, object]:
    return {
        "kind": birth.family,
        "memory_bytes": birth.memory_bytes,
        "grants": birth.grants,
        "grouped": group is not None,
        "weighed": birth.groups is not None and birth.groups.weighed,
    }
