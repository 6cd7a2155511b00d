"""How does a helper process begin, and how does it end with the one that started it?

Linux tells it by a signal (PR_SET_PDEATHSIG), even if the parent was killed. The request is lost if the parent died
before it was made, so the parent's id is compared afterwards.
"""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def keep_private() -> None:
    """What this process makes is for its own user only: objects, keys, names of objects."""
    os.umask(0o077)


def die_with_parent(parent_pid: int | None) -> None:
    """Get SIGTERM when the parent ends. With `parent_pid`, exit now if that parent is gone already."""
    if parent_pid is None:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent_pid:
        raise SystemExit("the parent process is gone")
