"""How is the memory of a sandbox bounded as a whole?

By a control group of its own, where the platform may make one (as root, or delegated): version 1 (`memory`) or 2,
always beneath the platform's own group, so that its own limits hold. Elsewhere rlimits bound each process alone. The
number of processes is bounded by an rlimit of the sandbox's user namespace, which costs nothing to join.
"""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_FIX = "Fix: run as root, or delegate a control group (systemd: Delegate=yes, DelegateSubgroup=platform)"


@dataclass(frozen=True)
class Group:
    """The group of one sandbox."""

    folder: Path

    def open_procs(self) -> int:
        """The descriptor by which a process that has one thread joins: it writes "0".

        In version 1 that is `tasks`: a thread that moves only itself need not wait for the kernel's lock of all
        threads (kernel/cgroup/cgroup.c, cgroup_procs_write_start), which takes 10 to 20 ms to get.
        """
        threads = self.folder / "tasks"
        file = threads if threads.exists() else self.folder / "cgroup.procs"
        return os.open(file, os.O_WRONLY | os.O_CLOEXEC)

    def limit_memory(self, memory_bytes: int) -> None:
        """Once, from no limit: version 1 wants the limit without swap before the one with it. Raises OSError."""
        v1 = {"memory.limit_in_bytes": memory_bytes, "memory.memsw.limit_in_bytes": memory_bytes}
        self.set(v1 | {"memory.max": memory_bytes, "memory.swap.max": 0})

    def set(self, values: dict[str, int]) -> None:
        """Write those of `values` that this version of control groups knows."""
        for name, value in values.items():
            with suppress(FileNotFoundError), (self.folder / name).open("r+") as file:
                file.write(str(value))

    def memory_exhausted(self) -> bool:
        """Whether the kernel ended a process here for want of memory."""
        for name in ("memory.oom_control", "memory.events"):
            with suppress(OSError):
                if re.search(r"^oom_kill [1-9]", (self.folder / name).read_text(), re.M):
                    return True
        return False

    def remove(self) -> bool:
        """Once its processes have ended. False if the kernel has not noticed yet: try again later."""
        return _remove(self.folder)


class Groups:
    """Makes groups for sandboxes in a folder named after this process. Make it with `open_groups`."""

    def __init__(self, root: Path, processes_max: int) -> None:
        self._root, self._processes_max = root, processes_max

    def make(self, number: int) -> Group:
        """A group without a limit yet. Raises OSError."""
        group = Group(self._root / str(number))
        group.folder.mkdir()
        group.set({"pids.max": self._processes_max})
        return group

    def close(self) -> None:
        for folder in (*self._root.glob("[0-9]*"), self._root):
            _remove(folder)


def open_groups(processes_max: int) -> tuple[Groups | None, str]:
    """What can be made on this host, and a sentence on it with the fix."""
    try:
        own = _own_folder()
        if own:
            root = _make_root(own)
            version = 2 if (root / "cgroup.controllers").exists() else 1
            return Groups(root, processes_max), f"works (version {version})"
        reason = "no memory controller here"
    except OSError as error:
        reason = error.strerror or str(error)
    return None, f"not available ({reason}); rlimits bound each process instead. {_FIX}"


def _own_folder() -> Path | None:
    """This process's own folder in the hierarchy that bounds memory (cgroups(7)), if there is one."""
    own: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        own |= dict.fromkeys(controllers.split(","), path.lstrip("/"))
    mounts: dict[str, str] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        kind, options = fields[fields.index("-") + 1], fields[-1].split(",")
        if kind == "cgroup" and "memory" in options:
            mounts["memory"] = fields[4]
        elif kind == "cgroup2":
            mounts[""] = fields[4]
    hierarchy = "memory" if "memory" in mounts else ""
    if hierarchy not in mounts or hierarchy not in own:
        return None
    folder = Path(mounts[hierarchy]) / own[hierarchy]
    return folder if hierarchy or "memory" in (folder / "cgroup.controllers").read_text().split() else None


def _make_root(own: Path) -> Path:
    for stale in own.glob("rambla-*"):
        if not Path(f"/proc/{stale.name.removeprefix('rambla-')}").exists():
            for folder in (*stale.glob("[0-9]*"), stale):
                _remove(folder)
    root = own / f"rambla-{os.getpid()}"
    root.mkdir(exist_ok=True)
    try:
        if (own / "cgroup.subtree_control").exists():
            for folder in (own, root):
                (folder / "cgroup.subtree_control").write_text("+memory +pids")
    except OSError:
        root.rmdir()
        raise
    return root


def _remove(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
