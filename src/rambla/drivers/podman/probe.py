"""With what flags does podman run a container on this host?

Found out by trying, strictest first: a user namespace, a bound on swap and the OCI runtimes that are installed, each of
which some hosts refuse (crun has no hybrid control groups; lowered limits stop either). The container of the trial has
the host's own programs and an image with nothing in it. Without bounds on memory and processes none is run at all.
"""

import io
import os
import secrets
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from rambla.domain.errors import EngineFailed
from rambla.drivers.podman.command import FIX, Podman
from rambla.drivers.podman.images import Means, Wish, run_options

_FIRST_ID = 1_879_048_192
"""Beyond what is given to users and to systemd's containers (systemd, UIDS-GIDS)."""
_RUNTIMES = ("runc", "crun")
_PROGRAMS = ("usr", "bin", "lib", "lib32", "lib64", "libx32")


class Found(msgspec.Struct, frozen=True):
    """`words` tell a person what works, and what is missing of the strictest."""

    means: Means
    words: str


async def probe(podman: Podman, wish: Wish) -> Found:
    """Raises EngineFailed with what podman said and the fix, if nothing works."""
    version = (await podman.ask("--version")).removeprefix("podman version ")
    program = shutil.which("true")
    if program is None:
        raise EngineFailed(detail="no program 'true' on PATH to try a container with")
    image = await podman.ask("import", "--quiet", "-", given=_skeleton())
    refusals: list[str] = []
    try:
        for means in _candidates():
            trial = msgspec.structs.replace(wish, name=f"{wish.name}-{secrets.token_hex(4)}")
            try:
                await podman.ask(*run_options(means, trial), *_host_programs(), image, program)
            except EngineFailed as error:
                refusals.append(f"{means.runtime or 'default'}: {error.facts['detail']}")
                continue
            finally:
                await podman.ask("rm", "--force", "--ignore", "--time=0", trial.name)
                _forget(trial)
            return Found(means, f"works (podman {version}, {_told(means)})")
    finally:
        await podman.ask("rmi", "--force", image)
    raise EngineFailed(detail=f"podman {version} runs no container: {'; '.join(dict.fromkeys(refusals))}. {FIX}")


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


def _skeleton() -> bytes:
    """An image without a file: the links to /usr that this host has at its root."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in _PROGRAMS:
            if (Path("/") / name).is_symlink():
                archive.add(Path("/") / name, name)
    return buffer.getvalue()


def _host_programs() -> list[str]:
    folders = [path for name in _PROGRAMS if (path := Path("/") / name).is_dir() and not path.is_symlink()]
    return [f"--volume={path}:{path}:ro" for path in folders]


def _forget(wish: Wish) -> None:
    for ending in ("pid", "id"):
        Path(wish.folder, f"{wish.name}.{ending}").unlink(missing_ok=True)
