"""What has to be made for a sandbox before it can be born?

A socket pair, two pipes, a control group: the far ends travel to the zygote and are closed here, the near ends become
the sandbox. If anything fails on the way, all of it is undone.
"""

import os
import socket
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
    """A sandbox that is on its way: `greeted` waits until it is isolated. Raises EngineFailed."""
    with ExitStack() as far_ends:
        try:
            group = birth.groups.make(birth.number) if birth.groups else None
            stream, worker_end = socket.socketpair()
            far_ends.enter_context(worker_end)
            (stdout, stdout_far), (stderr, stderr_far) = os.pipe(), os.pipe()
            far = [worker_end.fileno(), stdout_far, stderr_far, *(group.open_tasks() if group else [])]
        except OSError as error:
            raise EngineFailed(detail=f"no room for another sandbox: {error}") from error
        for descriptor in far[1:]:
            far_ends.callback(os.close, descriptor)
        sandbox = ProcessSandbox(birth.number, zygote, clock, LogPipes(stdout, stderr, LogBuffer(clock)), group)
        sandbox.connect(Channel(stream, sandbox.on_frame, sandbox.on_channel_end))
        try:
            zygote.start(birth.number, _request(birth, group), far, sandbox.on_exit)
        except EngineFailed:
            sandbox.on_exit(LOST)
            raise
    return sandbox


def _request(birth: Birth, group: Group | None) -> dict[str, object]:
    return {
        "kind": birth.family,
        "memory_bytes": birth.memory_bytes,
        "grants": birth.grants,
        "grouped": group is not None,
        "weighed": birth.groups is not None and birth.groups.weighed,
    }
