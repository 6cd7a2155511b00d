"""How is one sandbox shut in, between its fork and the first byte it reads?

`isolate` runs in a freshly forked child of the zygote and either returns a process that can do nothing but compute,
use its /tmp and answer, or raises. The order is forced: mounts and network first (they need the right to make them),
then a user namespace of its own in which it has no rights over any of these, then Landlock, then seccomp.
"""

import os
import resource
import socket
from collections.abc import Callable
from dataclasses import dataclass

from rambla_runtimes.sandbox import landlock, linux, seccomp

TMP = "/tmp"
INSIDE_ID = 1000
OBJECTS_PORT = 8081  # not 8080, which is a container image's own: both are told one address
_DEVICES = ["/dev/null", "/dev/zero", "/dev/full"]
_FILES_MAX = 1024
_NICENESS = 10
LEVELS = ("none", "limited", "restricted", "sandboxed")


@dataclass(frozen=True)
class Plan:
    """What to do to each sandbox. `memory_bytes` is 0 where a control group bounds memory instead; `nice` is false
    where one bounds its share of the processors.

    `kept` is what of the host lies below /tmp and stays to be seen there, as a runtime installed there must.
    """

    level: str
    memory_bytes: int
    tmp_bytes: int
    processes_max: int
    folder: str
    readable: tuple[str, ...]
    grants: bool
    nice: bool = True
    kept: tuple[str, ...] = ()
    landlock: bool = True
    seccomp: bool = True

    @property
    def namespaces(self) -> bool:
        return self.level == "sandboxed"


def isolate(plan: Plan, hand_over: Callable[[socket.socket], None]) -> None:
    """Shut this process in. On the way, if `plan.grants`, `hand_over` is given the socket on which to serve them.

    Raises OSError naming the step that failed; the caller must then end without running anything.
    """
    if plan.namespaces:
        _own_world(plan)
        if plan.grants:
            hand_over(_listen())  # before there is a limit to how many files are open
        _own_user()
    os.chdir(plan.folder)
    if plan.level != "none":
        _limit(plan)
    linux.forbid_new_privileges()
    if plan.landlock:
        readable = ["/"] if plan.namespaces else list(plan.readable)
        landlock.restrict(readable, [plan.folder], _DEVICES, network=plan.namespaces)
    linux.drop_capabilities()
    if plan.seccomp:
        linux.load_filter(seccomp.build_filter(network=plan.namespaces, groups=plan.namespaces))


def _own_world(plan: Plan) -> None:
    """Own mounts, network, IPC and host name. They belong to the zygote's user namespace, where it has no rights."""
    linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS)
    flags = linux.MS_NOSUID | linux.MS_NODEV
    kept = {path: os.open(path, os.O_PATH) for path in plan.kept}
    linux.mount("tmpfs", TMP, "tmpfs", flags, f"size={plan.tmp_bytes},nr_inodes=16384,mode=1777")
    for path, descriptor in kept.items():
        linux.bind(f"/proc/self/fd/{descriptor}", path)
        os.close(descriptor)
    linux.mount("proc", "/proc", "proc", flags | linux.MS_NOEXEC)
    socket.sethostname("sandbox")
    linux.raise_loopback()


def _listen() -> socket.socket:
    """A socket stays in the network namespace where it was made, whoever accepts on it."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    listener.bind(("127.0.0.1", OBJECTS_PORT))
    listener.listen(16)
    return listener


def _own_user() -> None:
    user, group = os.geteuid(), os.getegid()
    linux.unshare(linux.CLONE_NEWUSER)
    map_ids(INSIDE_ID, user, INSIDE_ID, group)


def map_ids(inside_user: int, user: int, inside_group: int, group: int) -> None:
    """Write the id maps of the user namespace just made; without them nothing can be created on its mounts."""
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{inside_user} {user} 1")
    _write("/proc/self/gid_map", f"{inside_group} {group} 1")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _limit(plan: Plan) -> None:
    """RLIMIT_DATA and not RLIMIT_AS: what is only reserved (V8, thread arenas) is not memory."""
    limits = {
        resource.RLIMIT_CORE: 0,
        # As many descriptors it may have on their way; less than what stops the platform, which is the hard limit.
        resource.RLIMIT_NOFILE: min(_FILES_MAX, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2),
        resource.RLIMIT_FSIZE: plan.tmp_bytes,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    if plan.namespaces:
        limits[resource.RLIMIT_NPROC] = plan.processes_max  # counted per user namespace, so per sandbox
    if plan.memory_bytes:
        limits[resource.RLIMIT_DATA] = plan.memory_bytes
    for which, value in limits.items():
        hard = resource.getrlimit(which)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))
    if plan.nice:
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
