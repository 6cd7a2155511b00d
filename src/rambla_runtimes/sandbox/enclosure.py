"""How strongly can this host isolate, and how does the zygote get behind its walls?

`enclose` tries the whole way in a child that is thrown away, so that what fails is known with its reason before
anything depends on it; then it goes the same way itself. As root it first builds the walls with that right, then gives
it up for good; from there on both ways are the same.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from rambla_runtimes.sandbox import isolation, jail, landlock, linux, seccomp

_FIX_NAMESPACES = (
    "Fix: allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
    "kernel.apparmor_restrict_unprivileged_userns=0, user.max_user_namespaces>0), or run as root"
)
_FIX_LANDLOCK = "Fix: Linux 5.13 or newer with landlock among CONFIG_LSM or lsm="
_FIX_SECCOMP = "Fix: a kernel with CONFIG_SECCOMP_FILTER on x86-64 or arm64"
_ALL_NAMESPACES = linux.CLONE_NEWUSER | linux.CLONE_NEWPID | linux.CLONE_NEWNS
_ALL_NAMESPACES |= linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
Config = dict[str, Any]


def enclose(config: Config) -> tuple[str, dict[str, str]]:
    """Go behind the strongest walls this host and `config["level_max"]` allow. Returns in a new process.

    Gives the level and what became of each mechanism: "works" (and some detail), or why not with the fix. Raises
    OSError if this interpreter could not be used there.
    """
    highest = isolation.LEVELS.index(config["level_max"])
    parts = {
        "landlock": _probe(_try_landlock, _FIX_LANDLOCK) if highest >= 2 else "switched off",
        "seccomp": _probe(_try_seccomp, _FIX_SECCOMP) if highest >= 2 else "switched off",
        "namespaces": _probe(lambda: _try_namespaces(config), _FIX_NAMESPACES) if highest >= 3 else "switched off",
    }
    works = {name: text.startswith("works") for name, text in parts.items()}
    if works["namespaces"]:
        _enter(config)
    else:
        _become_unprivileged(config)
        linux.adopt_orphans()
        linux.die_with_parent(signal.SIGKILL)
    confined = works["landlock"] and works["seccomp"]
    level = "none" if highest == 0 else "limited"
    if confined:
        level = "sandboxed" if works["namespaces"] else "restricted"
    return level, parts


def plan_for(level: str, parts: dict[str, str], config: Config) -> isolation.Plan:
    works = {name: text.startswith("works") for name, text in parts.items()}
    return isolation.Plan(
        level="sandboxed" if works["namespaces"] else level,
        memory_bytes=0,
        tmp_bytes=config["tmp_bytes"],
        processes_max=config["processes_max"],
        folder=isolation.TMP if works["namespaces"] else tempfile.gettempdir(),
        readable=("/usr", "/bin", "/lib", "/lib64", "/etc/ssl", "/etc/ld.so.cache", "/etc/localtime", "/etc/passwd",
                  "/etc/nsswitch.conf", "/etc/hosts", "/dev/null", "/dev/urandom", "/dev/random", *config["paths"]),
        grants=False,
        kept=_below(isolation.TMP, config["paths"]) if works["namespaces"] else (),
        landlock=works["landlock"],
        seccomp=works["seccomp"],
    )  # fmt: skip


def _below(folder: str, paths: list[str]) -> tuple[str, ...]:
    """Those of `paths` that lie below `folder`, without what is part of another one."""
    below = sorted({path for path in paths if path.startswith(f"{folder}/")})
    return tuple(path for path in below if not any(path.startswith(f"{other}/") for other in below))


def _enter(config: Config) -> None:
    """Behind the walls; returns as process 1 of the zygote's own process namespace."""
    privileged = os.geteuid() == 0
    if privileged:  # what an interpreter beneath /root needs
        linux.unshare(linux.CLONE_NEWNS)
        jail.enter_root(config["paths"])
        _become_unprivileged(config)
    user, group = os.geteuid(), os.getegid()
    linux.unshare(_ALL_NAMESPACES)
    isolation.map_ids(user, user, group, group)
    if not privileged:
        jail.enter_root(config["paths"])
    _split()
    linux.mount("proc", "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    jail.seal()


def _split() -> None:
    """Continue in a child, the first process of the new process namespace; this one waits for it and ends with it."""
    linux.die_with_parent(signal.SIGKILL)
    child = os.fork()
    if child:
        os.closerange(0, 1024)
        _, status = os.waitpid(child, 0)
        os._exit(1 if status else 0)
    linux.die_with_parent(signal.SIGKILL)


def _become_unprivileged(config: Config) -> None:
    """Give up root for good: groups first, then the ids, which cannot be undone without capabilities."""
    if os.geteuid() == 0:
        try:
            os.setgroups([])
            os.setresgid(*[config["gid"]] * 3)
            os.setresuid(*[config["uid"]] * 3)
        except OSError as error:  # root of a user namespace without other users
            raise OSError(
                f"this root cannot become user {config['uid']}, as whom actions run: {error}. "
                "Fix: start it as an ordinary user, or in a container that has this one"
            ) from error
        linux.make_dumpable()
        if not os.access(os.__file__, os.R_OK):
            raise OSError(
                f"{os.path.dirname(os.__file__)} is closed to user {config['uid']}, as whom actions run. "
                "Fix: use a Python that everybody may read (not one below /root)"
            )


def _probe(attempt: Callable[[], str], fix: str) -> str:
    """Run `attempt` in a child that is thrown away; what it said, or why it failed and the `fix`."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            text = "works" + attempt()
        except Exception as error:
            text = f"{error}. {fix}"
        os.write(writer, text.encode()[:1000])
        os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as file:
        text = file.read()
    os.waitpid(child, 0)
    return text or f"ended without a word. {fix}"


def _try_landlock() -> str:
    linux.forbid_new_privileges()
    version = landlock.abi()
    landlock.restrict(["/usr"], [], [], network=False)
    return f" (ABI {version})"


def _try_seccomp() -> str:
    linux.forbid_new_privileges()
    linux.load_filter(seccomp.build_filter(network=False, groups=False))
    return ""


def _try_namespaces(config: Config) -> str:
    """All of it: the walls, and one sandbox in them, without the two mechanisms that are probed alone."""
    _enter(config)
    parts = {"namespaces": "works", "landlock": "", "seccomp": ""}
    linux.unshare(linux.CLONE_NEWPID)
    child = os.fork()
    if not child:
        try:
            isolation.isolate(plan_for("sandboxed", parts, config), lambda listener: listener.close())
        except OSError as error:
            sys.stderr.write(f"{error}\n")
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        raise OSError("a sandbox could not be made in them")
    return ""
