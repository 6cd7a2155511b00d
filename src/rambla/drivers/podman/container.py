"""What is one running container to the platform?

A name that podman knows it by, a descriptor of its first process that tells its end, two pipes of output and the
namespaces in which it is reached. It is not known here what is said to it.
"""

import asyncio
import logging
import os
import signal
from contextlib import suppress
from pathlib import Path

import anyio

from rambla.domain.errors import EngineFailed
from rambla.drivers.podman.command import Podman
from rambla.drivers.podman.entrance import Namespaces, namespaces_of
from rambla.drivers.podman.images import Wish
from rambla.drivers.podman.logs import SentinelBuffer
from rambla.drivers.process.cgroups import Group, folder_of
from rambla.drivers.process.logs import LogPipes
from rambla.kit.clock import Clock

_CLOSE_TIMEOUT_S = 30.0
_KILLED = str(128 + signal.SIGKILL)
_EARLY_LOG_BYTES_MAX = 1 << 20  # of what it prints before the first activation, whose logs it goes into
_log = logging.getLogger(__name__)


class Container:
    """Wants `start` once, then `close`. Its output is given to the host's user `owner_id`, the container's own root.

    `namespaces` is None before its start and after its end.
    """

    def __init__(self, podman: Podman, wish: Wish, owner_id: int, clock: Clock) -> None:
        self._podman, self._wish = podman, wish
        self._loop = asyncio.get_running_loop()
        self._pidfd: int | None = None
        self._group: Group | None = None
        self._exhausted: bool | None = False
        self.ended = asyncio.Event()
        self.buffer = SentinelBuffer(clock)
        self.namespaces: Namespaces | None = None
        stdout, self._far_stdout = os.pipe()
        stderr, self._far_stderr = os.pipe()
        self.buffer.begin(_EARLY_LOG_BYTES_MAX)
        self.pipes = LogPipes(stdout, stderr, self.buffer)
        if owner_id:  # or it could not open /dev/stdout, and give it to the user that it then becomes
            for descriptor in (self._far_stdout, self._far_stderr):
                os.fchown(descriptor, owner_id, owner_id)

    async def memory_exhausted(self) -> bool:
        """Whether the kernel ended a process in it for want of memory."""
        if self._group:
            return self._group.memory_exhausted()
        if self._exhausted is None:
            self._exhausted = await self._was_killed()
        return self._exhausted

    async def start(self, options: list[str], image: str) -> int:
        """0 if it began, else podman's status: why is in the buffer. Raises EngineFailed."""
        try:
            status = await self._podman.start([*options, image], self._far_stdout, self._far_stderr)
        finally:
            os.close(self._far_stdout)
            os.close(self._far_stderr)
        self.pipes.collect()
        if status:
            self.ended.set()
        else:
            self._find()
        return status

    async def close(self) -> None:
        """End it and take away what podman keeps of it."""
        self.kill()
        with anyio.CancelScope(shield=True):
            try:
                with anyio.fail_after(_CLOSE_TIMEOUT_S):
                    await self._podman.ask("rm", "--force", "--ignore", "--time=0", "--volumes", self._wish.name)
            except (EngineFailed, TimeoutError) as error:
                _log.warning("container %s could not be removed: %s", self._wish.name, error)
            self._on_end()
        for file in self._files():
            file.unlink(missing_ok=True)

    def kill(self) -> None:
        """With its first process everything in it ends, as the kernel has it in pid namespaces."""
        if self._pidfd is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _find(self) -> None:
        """Get hold of its first process. A number may have been given out again: its group must bear the name."""
        pid_file, id_file = self._files()
        try:
            pid, identity = pid_file.read_text().strip(), id_file.read_text().strip()
            self._pidfd = os.pidfd_open(int(pid))
            if identity not in Path(f"/proc/{pid}/cgroup").read_text():
                raise ProcessLookupError(pid)
            self.namespaces = namespaces_of(int(pid))
            memory = folder_of(pid, "memory")
        except (OSError, ValueError):
            self._on_end()
            return
        self._group = Group((memory,)) if memory else None
        self._loop.add_reader(self._pidfd, self._on_end)

    def _on_end(self) -> None:
        """Take what it left behind, at once: podman removes its group a moment later."""
        if self._pidfd is not None:
            self._exhausted = _exhausted(self._group)
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
        self._pidfd = self._group = None
        if self.namespaces:
            self.namespaces.close()
        self.namespaces = None
        self.pipes.collect()
        self.pipes.close()
        self.ended.set()

    async def _was_killed(self) -> bool:
        """Its group was gone before it could be read: who sent SIGKILL then, as it was not us, was the kernel."""
        try:
            return await self._podman.ask("inspect", "--format={{.State.ExitCode}}", self._wish.name) == _KILLED
        except EngineFailed:
            return False

    def _files(self) -> tuple[Path, Path]:
        base = Path(self._wish.folder)
        return base / f"{self._wish.name}.pid", base / f"{self._wish.name}.id"


def _exhausted(group: Group | None) -> bool | None:
    """None if that cannot be known, as podman has removed the group already."""
    if group is None:
        return False
    if group.memory_exhausted():
        return True
    return False if all(folder.exists() for folder in group.folders) else None
