"""How is the memory of a sandbox bounded as a whole?

By a control group of its own, where the platform may make one (as root, or delegated): version 1 (`memory`, `pids`) or
2, always beneath the platform's own group, so that its own limits hold. Elsewhere rlimits bound each process alone.
"""

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_FIX = "Fix: run as root, or delegate a control group (systemd: Delegate=yes, DelegateSubgroup=platform)"
_REMOVE_ATTEMPTS, _REMOVE_PAUSE_S = 50, 0.002


@dataclass(frozen=True)
class Group:
    """The groups of one sandbox: one folder per version 1 hierarchy, or one in all."""

    folders: tuple[Path, ...]

    def open_procs(self) -> list[int]:
        """Descriptors by which a process joins: it writes "0" to each."""
        return [os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC) for folder in self.folders]

    def memory_exhausted(self) -> bool:
        """Whether the kernel ended a process here for want of memory."""
        for folder in self.folders:
            for name in ("memory.oom_control", "memory.events"):
                with suppress(OSError):
                    if re.search(r"^oom_kill [1-9]", (folder / name).read_text(), re.M):
                        return True
        return False

    def remove(self) -> None:
        """Once its processes have ended; the kernel may need a moment to notice."""
        for folder in self.folders:
            _remove(folder)


class Groups:
    """Makes groups for sandboxes in a folder named after this process. Make it with `open_groups`."""

    def __init__(self, roots: tuple[Path, ...], processes_max: int) -> None:
        self._roots, self._processes_max = roots, processes_max

    def make(self, number: int, memory_bytes: int) -> Group:
        """Raises OSError."""
        folders = tuple(root / str(number) for root in self._roots)
        for folder in folders:
            folder.mkdir()
            for name, value in self._limits(memory_bytes).items():
                if (folder / name).exists():
                    (folder / name).write_text(str(value))
        return Group(folders)

    def close(self) -> None:
        for root in self._roots:
            for folder in root.glob("[0-9]*"):
                _remove(folder)
            _remove(root)

    def _limits(self, memory_bytes: int) -> dict[str, int]:
        return {
            "memory.limit_in_bytes": memory_bytes,
            "memory.memsw.limit_in_bytes": memory_bytes,
            "memory.max": memory_bytes,
            "memory.swap.max": 0,
            "pids.max": self._processes_max,
        }


def open_groups(processes_max: int) -> tuple[Groups | None, str]:
    """What can be made on this host, and a sentence on it with the fix."""
    try:
        roots = tuple(_make_root(folder) for folder in _own_folders())
    except OSError as error:
        return None, f"not available ({error.strerror or error}); rlimits bound each process instead. {_FIX}"
    if not roots:
        return None, f"not available (no memory controller here); rlimits bound each process instead. {_FIX}"
    return Groups(roots, processes_max), f"works (version {2 if len(roots) == 1 else 1})"


def _own_folders() -> list[Path]:
    """This process's own folder in the hierarchies that bound memory and pids (cgroups(7))."""
    own = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        own[controllers] = path.lstrip("/")
    mounts: dict[str, str] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        kind, options = fields[fields.index("-") + 1], fields[-1].split(",")
        if kind == "cgroup":
            mounts |= {name: fields[4] for name in ("memory", "pids") if name in options}
        elif kind == "cgroup2":
            mounts["unified"] = fields[4]
    if "memory" in mounts:
        found = [(name, path) for name in ("memory", "pids") for names, path in own.items() if name in names.split(",")]
        return [Path(mounts[name]) / path for name, path in found if name in mounts]
    unified = Path(mounts["unified"]) / own.get("", "") if "unified" in mounts else None
    return [unified] if unified and "memory" in (unified / "cgroup.controllers").read_text() else []


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


def _remove(folder: Path) -> None:
    for _ in range(_REMOVE_ATTEMPTS):
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(_REMOVE_PAUSE_S)
        else:
            return
