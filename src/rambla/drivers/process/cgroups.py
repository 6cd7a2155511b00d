"""How are the memory of a sandbox and its share of the processors bounded as a whole?

By control groups of its own, where the platform may make them (as root, or delegated): version 1 (`memory` and `cpu`)
or 2, always beneath the platform's own group, so that its own limits hold. Elsewhere rlimits bound each process alone
and niceness keeps all of them behind the platform. The number of processes is bounded by an rlimit of the sandbox's
user namespace, which costs nothing to join.

Weights stay at the kernel's default, which is that of one process: each sandbox counts as much as the next, however
many processes it has, and the folder that holds all of them counts as much as the platform.
"""

import asyncio
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_FIX = "Fix: run as root, or delegate a control group (systemd: Delegate=yes, DelegateSubgroup=platform)"
_PREFIX = re.compile(r"rambla-(?P<pid>\d+)-(?P<start>\d+)-")
_PLATFORM = "platform"
_REMOVE_TRIES = 50
_REMOVE_PAUSE_S = 0.02


@dataclass(frozen=True)
class Group:
    """The groups of one sandbox, one in each hierarchy that is needed."""

    folders: tuple[Path, ...]

    def open_tasks(self) -> list[int]:
        """The descriptors by which a process that has one thread joins: it writes "0" to each. Raises OSError.

        In version 1 that is `tasks`: a thread that moves only itself need not wait for the kernel's lock of all
        threads (kernel/cgroup/cgroup.c, cgroup_procs_write_start), which takes 10 to 20 ms to get.
        """
        opened: list[int] = []
        try:
            for folder in self.folders:
                threads = folder / "tasks"
                file = threads if threads.exists() else folder / "cgroup.procs"
                opened.append(os.open(file, os.O_WRONLY | os.O_CLOEXEC))
        except OSError:
            for descriptor in opened:
                os.close(descriptor)
            raise
        return opened

    def limit_memory(self, memory_bytes: int) -> None:
        """Once, from no limit: version 1 wants the limit without swap before the one with it. Raises OSError."""
        v1 = {"memory.limit_in_bytes": memory_bytes, "memory.memsw.limit_in_bytes": memory_bytes}
        self.set(v1 | {"memory.max": memory_bytes, "memory.swap.max": 0})

    def set(self, values: dict[str, int]) -> None:
        """Write those of `values` that this version of control groups knows."""
        for folder in self.folders:
            for name, value in values.items():
                with suppress(FileNotFoundError), (folder / name).open("r+") as file:
                    file.write(str(value))

    def memory_exhausted(self) -> bool:
        """Whether the kernel ended a process here for want of memory."""
        for folder in self.folders:
            for name in ("memory.oom_control", "memory.events"):
                with suppress(OSError):
                    if re.search(r"^oom_kill [1-9]", (folder / name).read_text(), re.M):
                        return True
        return False

    def remove(self) -> bool:
        """Once its processes have ended. False if the kernel has not noticed yet: try again later."""
        return _remove_all(self.folders)


class Groups:
    """Makes groups for sandboxes in folders of this platform's own. Make it with `open_groups`."""

    def __init__(self, roots: tuple[Path, ...], processes_max: int, *, weighed: bool) -> None:
        self.weighed = weighed
        """Whether they bound the share of the processors too, and not memory alone."""
        self._roots, self._processes_max = roots, processes_max

    def make(self, number: int) -> Group:
        """A group without a limit yet. Raises OSError."""
        group = Group(tuple(root / str(number) for root in self._roots))
        try:
            for folder in group.folders:
                folder.mkdir()
            group.set({"pids.max": self._processes_max})
        except OSError:
            group.remove()
            raise
        return group

    async def close(self) -> None:
        """Remove everything, giving the kernel a moment to notice that the last processes have ended."""
        for _ in range(_REMOVE_TRIES):
            if all(_remove_tree(root) for root in self._roots):
                return
            await asyncio.sleep(_REMOVE_PAUSE_S)


def open_groups(processes_max: int) -> tuple[Groups | None, str]:
    """What can be made on this host, and a sentence on it with the fix."""
    memory, why_not = _open_root("memory")
    if not memory:
        return None, f"not available ({why_not}); rlimits bound each process instead. {_FIX}"
    if "cpu" in _controllers(memory):  # version 2 has one hierarchy for all of it
        return Groups((memory,), processes_max, weighed=True), "works (version 2)"
    cpu, why_not = _open_root("cpu")
    if cpu:
        return Groups((memory, cpu), processes_max, weighed=True), "works (version 1)"
    text = f"works for memory, not for processors ({why_not}); sandboxes are nice instead. {_FIX}"
    return Groups((memory,), processes_max, weighed=False), text


def _open_root(controller: str) -> tuple[Path | None, str]:
    """A new folder for the groups of this platform, or why there can be none."""
    try:
        base = _base(controller)
        return (_make_root(base), "") if base else (None, f"no {controller} controller here")
    except OSError as error:
        return None, error.strerror or str(error)


def folder_of(process: str, controller: str) -> Path | None:
    """The group that `process` is in, in the hierarchy of `controller` (cgroups(7)), if there is one."""
    groups: dict[str, str] = {}
    for line in Path(f"/proc/{process}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        groups |= dict.fromkeys(controllers.split(","), path.lstrip("/"))
    mounts: dict[str, str] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        kind, options = fields[fields.index("-") + 1], fields[-1].split(",")
        if kind == "cgroup" and controller in options:
            mounts[controller] = fields[4]
        elif kind == "cgroup2":
            mounts[""] = fields[4]
    hierarchy = controller if controller in mounts else ""
    if hierarchy not in mounts or hierarchy not in groups:
        return None
    return Path(mounts[hierarchy]) / groups[hierarchy]


def _base(controller: str) -> Path | None:
    """The folder that is ours to make groups in."""
    folder = folder_of("self", controller)
    if folder is None or not (folder / "cgroup.controllers").exists():
        return folder  # version 1
    # Version 2 lets no group have both processes and bounded groups: ours is the one above that of DelegateSubgroup.
    folder = folder.parent if folder.name == _PLATFORM else folder
    return folder if controller in _controllers(folder) else None


def _controllers(folder: Path) -> list[str]:
    """Those that version 2 can use in `folder`; none in version 1."""
    try:
        return (folder / "cgroup.controllers").read_text().split()
    except OSError:
        return []


def _make_root(base: Path) -> Path:
    _sweep(base)
    root = Path(tempfile.mkdtemp(prefix=f"rambla-{os.getpid()}-{_started(os.getpid())}-", dir=base))
    wanted = [f"+{name}" for name in ("memory", "pids", "cpu") if name in _controllers(base)]
    try:
        for folder in (base, root) if wanted else ():
            (folder / "cgroup.subtree_control").write_text(" ".join(wanted))
    except OSError:
        root.rmdir()
        raise
    return root


def _sweep(base: Path) -> None:
    """Remove what platforms that were killed have left behind."""
    for folder in base.glob("rambla-*"):
        made_by = _PREFIX.match(folder.name)
        if made_by and _started(int(made_by["pid"])) != made_by["start"]:
            _remove_tree(folder)


def _started(pid: int) -> str:
    """When process `pid` was started, in the kernel's ticks (proc_pid_stat(5)), as numbers of processes are given out
    again; "" if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _remove_tree(root: Path) -> bool:
    return _remove_all((*root.glob("[0-9]*"), root))


def _remove_all(folders: tuple[Path, ...]) -> bool:
    """Those that can be, whatever becomes of the others."""
    removed = [_remove(folder) for folder in folders]
    return all(removed)


def _remove(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
