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
from rambla.drivers.process.zygote import Zygote
from rambla.kit.clock import Clock


@dataclass(frozen=True, slots=True)
class Birth:
    """What kind of sandbox is wanted."""

    number: int
    family: str
    memory_bytes: int
    grants: bool
    groups: Groups | None


async def give_birth(birth: Birth, zygote: Zygote, clock: Clock) -> tuple[ProcessSandbox, list[int]]:
    """A sandbox that has said it is isolated, and the descriptors it sent along. Raises EngineFailed."""
    try:
        group = birth.groups.make(birth.number, birth.memory_bytes) if birth.groups else None
    except OSError as error:
        raise EngineFailed(detail=f"no control group could be made: {error}") from error
    with ExitStack() as far_ends:
        stream, worker_end = socket.socketpair()
        far_ends.enter_context(worker_end)
        (stdout, stdout_far), (stderr, stderr_far) = os.pipe(), os.pipe()
        procs = group.open_procs() if group else []
        for descriptor in (stdout_far, stderr_far, *procs):
            far_ends.callback(os.close, descriptor)
        sandbox = ProcessSandbox(birth.number, zygote, clock, LogPipes(stdout, stderr, LogBuffer(clock)), group)
        sandbox.connect(Channel(stream, sandbox.on_frame, sandbox.on_channel_end))
        try:
            await zygote.start(
                birth.number,
                _request(birth, group),
                [worker_end.fileno(), stdout_far, stderr_far, *procs],
                sandbox.on_exit,
            )
        except BaseException:
            sandbox.on_exit(None)
            await sandbox.close()
            raise
    try:
        return sandbox, await sandbox.greeted()
    except BaseException:
        await sandbox.close()
        raise


def _request(birth: Birth, group: Group | None) -> dict[str, object]:
    return {
        "kind": birth.family,
        "memory_bytes": birth.memory_bytes,
        "grants": birth.grants,
        "grouped": group is not None,
    }
