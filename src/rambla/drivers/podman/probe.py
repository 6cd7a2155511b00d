"""With what flags does podman run a container on this host?

Found out by trying, strictest first: a user namespace, a bound on swap and the OCI runtimes that are installed, each of
which some hosts refuse (crun has no hybrid control groups; lowered limits stop either). The container of the trial has
the host's own programs and an image with nothing in it. Without bounds on memory and processes none is run at all.
"""

import os
import secrets
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import anyio
import msgspec

from rambla.domain.errors import EngineFailed
from rambla.drivers.podman.command import FIX, Podman
from rambla.drivers.podman.images import Means, Wish, run_options

_FIRST_ID = 1_879_048_192
"""Beyond what is given to users and to systemd's containers (systemd, UIDS-GIDS)."""
_ASKED = "{{.Version.Version}} {{.Host.CgroupControllers}}"
_BOUNDED = ("memory", "pids")
_FIX_BOUNDS = "Fix: run as root, or delegate version 2 control groups to this user (systemd: Delegate=yes)"
_RUNTIMES = ("runc", "crun")
_PROGRAMS = ("usr", "bin", "lib", "lib32", "lib64", "libx32")


class Found(msgspec.Struct, frozen=True):
    """`words` tell a person what works, and what is missing of the strictest."""

    means: Means
    words: str


async def probe(podman: Podman, wish: Wish) -> Found:
    """Raises EngineFailed with what podman said and the fix, if nothing works."""
    version, _, controllers = (await podman.ask("info", f"--format={_ASKED}")).partition(" ")
    _check_bounds(controllers.strip("[]").split())
    image = await _empty_image(podman, wish)
    refusals: list[str] = []
    try:
        for means in _candidates():
            why_not = await _try(podman, means, wish, image)
            if not why_not:
                return Found(means, f"works (podman {version}, {_told(means)})")
            refusals.append(f"{means.runtime or 'default'}: {why_not}")
    finally:
        await podman.ask("rmi", "--force", image)
    raise EngineFailed(detail=f"podman {version} runs no container: {'; '.join(dict.fromkeys(refusals))}. {FIX}")


async def _try(podman: Podman, means: Means, wish: Wish, image: str) -> str:
    """Run the host's `true` in a container; why not, if that does not begin."""
    trial = msgspec.structs.replace(wish, name=f"{wish.name}-{secrets.token_hex(4)}")
    program = shutil.which("true") or "true"
    try:
        await podman.ask(*run_options(means, trial), *_host_programs(), image, program)
    except EngineFailed as error:
        return str(error.facts["detail"])
    finally:
        await podman.ask("rm", "--force", "--ignore", "--time=0", trial.name)
        for ending in ("pid", "id"):
            await anyio.Path(wish.folder, f"{trial.name}.{ending}").unlink(missing_ok=True)
    return ""


async def _empty_image(podman: Podman, wish: Wish) -> str:
    """One without a file: the links to /usr that this host has at its root, where its programs will be mounted."""
    file = anyio.Path(wish.folder, f"{wish.name}.tar")
    with tarfile.open(file, mode="w") as archive:
        for name in _PROGRAMS:
            if (Path("/") / name).is_symlink():
                archive.add(Path("/") / name, name)
    try:
        return await podman.ask("import", "--quiet", str(file))
    finally:
        await file.unlink(missing_ok=True)


def _check_bounds(controllers: list[str]) -> None:
    """Where podman may not bound a container it says so in a warning, and runs it. Raises EngineFailed."""
    if missing := [name for name in _BOUNDED if name not in controllers]:
        raise EngineFailed(detail=f"podman cannot bound {' and '.join(missing)} of a container here. {_FIX_BOUNDS}")


def _candidates() -> Iterator[Means]:
    runtimes = ["", *(name for name in _RUNTIMES if shutil.which(name))]
    for first_id in (_FIRST_ID, 0) if os.geteuid() == 0 else (0,):
        for swap_bounded in (True, False):
            for runtime in runtimes:
                yield Means(runtime=runtime, first_id=first_id, swap_bounded=swap_bounded)


def _told(means: Means) -> str:
    who = "a user namespace" if means.first_id or os.geteuid() else "no user namespace"
    swap = "" if means.swap_bounded else ", swap is not bounded"
    return f"{means.runtime or 'its default runtime'}, {who}{swap}"


def _host_programs() -> list[str]:
    folders = [path for name in _PROGRAMS if (path := Path("/") / name).is_dir() and not path.is_symlink()]
    return [f"--volume={path}:{path}:ro" for path in folders]
