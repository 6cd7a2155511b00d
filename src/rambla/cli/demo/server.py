"""How is a platform started beside this process, and surely ended?

The demo and the system tests use a real server: `rambla serve` as a child process, which says where it listens. What
it has to say besides is kept in a file, and its last line is the reason if it does not start.
"""

import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from rambla.cli.errors import CliError

READY = b"ready "
START_SECONDS = 60
DRAIN_SECONDS = 20
LINE_BYTES_MAX = 4096
_ENDED = (anyio.EndOfStream, anyio.IncompleteRead, anyio.DelimiterNotFound)


def command(data: Path, listen: str, *options: str) -> list[str]:
    """The command line of `rambla serve`, by the Python that runs this."""
    return [sys.executable, "-m", "rambla.cli", "serve", "--data", str(data), "--listen", listen, *options]


@asynccontextmanager
async def running(arguments: Sequence[str], log: Path) -> AsyncIterator[tuple[str, Process]]:
    """The address of a server that is ready, and its process; when left, it has drained and ended.

    Raises CliError if it is not ready in time, with the last line of `log`.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stderr:
        # A session of its own: Ctrl-C in the terminal is for us, and we end the server in good order.
        process = await anyio.open_process(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True
        )
    async with process:
        try:
            yield await wait_ready(process, log), process
        finally:
            await stop(process)


async def wait_ready(process: Process, log: Path) -> str:
    assert process.stdout is not None
    lines = BufferedByteReceiveStream(process.stdout)
    try:
        with anyio.fail_after(START_SECONDS):
            while True:
                line = await lines.receive_until(b"\n", LINE_BYTES_MAX)
                if line.startswith(READY):
                    return line.removeprefix(READY).decode().strip()
    except TimeoutError as error:
        raise CliError(f"the platform was not ready within {START_SECONDS} s. Its log: {log}") from error
    except _ENDED as error:
        raise CliError(f"the platform did not start: {last_line(log)}") from error


def last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), f"it left nothing in {log}").removeprefix(
        "rambla: "
    )


async def stop(process: Process) -> None:
    """SIGTERM, and SIGKILL to the whole session of a server that does not end by it. Also while being cancelled."""
    with anyio.CancelScope(shield=True):
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            with anyio.move_on_after(DRAIN_SECONDS):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
