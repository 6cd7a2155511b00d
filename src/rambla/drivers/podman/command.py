"""How is podman asked for something?

By its command line, a few at once, each with a deadline. What it says on failure becomes an EngineFailed.
"""

import os
import subprocess
from collections.abc import Sequence

import anyio

from rambla.domain.errors import EngineFailed

_AT_ONCE = 4
_TIMEOUT_S = 60.0
_WORDS_MAX = 500
FIX = "Fix: apt-get install podman runc, and start again"


class Podman:
    """The program `program`, on PATH if it names no folder."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._room = anyio.Semaphore(_AT_ONCE)

    async def ask(self, *arguments: str) -> str:
        """What it prints. Raises EngineFailed with its last words."""
        done = await self._run(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            raise EngineFailed(detail=f"podman: {last_words(done.stderr)}")
        return done.stdout.decode(errors="replace").strip()

    async def start(self, arguments: Sequence[str], stdout: int, stderr: int) -> int:
        """0, or podman's status if the container did not begin. `stdout` and `stderr` are both's, one after the other.

        Raises EngineFailed if podman did not.
        """
        return (await self._run(arguments, stdout=stdout, stderr=stderr)).returncode

    async def _run(self, arguments: Sequence[str], stdout: int, stderr: int) -> "subprocess.CompletedProcess[bytes]":
        try:
            async with self._room:
                with anyio.fail_after(_TIMEOUT_S):
                    return await anyio.run_process(
                        [self._program, *arguments],
                        stdin=subprocess.DEVNULL,
                        stdout=stdout,
                        stderr=stderr,
                        check=False,
                        cwd=os.sep,
                        start_new_session=True,
                    )
        except TimeoutError as error:
            raise EngineFailed(detail=f"podman took longer than {_TIMEOUT_S:.0f} s") from error
        except OSError as error:
            raise EngineFailed(detail=f"podman cannot be started: {error.strerror}. {FIX}") from error


def last_words(said: bytes) -> str:
    """The last line that podman said, which is the error."""
    lines = said.decode(errors="replace").strip().splitlines()
    return (lines[-1] if lines else "it said nothing")[-_WORDS_MAX:].removeprefix("Error: ")
