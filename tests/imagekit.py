"""What do tests of container images stand on? A store of podman's own for this process, with an image made here.

The program in it (`engine/image/main.go`) is compiled once for this environment, by one of the tests' processes.
"""

import fcntl
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from rambla.domain.errors import EngineFailed
from rambla.drivers.podman.engine import PodmanSettings, open_engine

SOURCE = Path(__file__).parent / "engine" / "image" / "main.go"
NAME = "localhost/rambla/acts"
KIND = f"blackbox:{NAME}"
"""The image whose actions are named in their code; other tags of it are odd."""
KEPT = b"the image's own"
COMMANDS = {
    "latest": ["/act"],
    "plain": ["/act", "plain"],
    "deaf": ["/act", "deaf"],
    "gone": ["/act", "gone"],
    "empty": ["/nothing"],
}


def program() -> Path:
    folder = Path(sys.prefix) / "share" / "rambla" / "image"
    folder.mkdir(parents=True, exist_ok=True)
    built = folder / hashlib.sha256(SOURCE.read_bytes()).hexdigest()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOCACHE": str(folder / "cache")}
            command = ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", str(built), str(SOURCE)]
            subprocess.run(command, cwd=folder, check=True, env=environment)
            shutil.rmtree(folder / "cache")
    return built


@contextmanager
def image_store(folder: Path) -> Iterator[None]:
    """Podman's store in `folder`, with the image; podman uses it in here, and no other."""
    for name, package in (("podman", "podman"), ("go", "golang-go")):
        if not shutil.which(name):
            pytest.skip(f"needs {name}: apt-get install {package}")
    settings = folder / "storage.conf"
    places = f'graphroot = "{folder / "graph"}"\nrunroot = "{folder / "run"}"\n'
    settings.write_text(f'[storage]\ndriver = "overlay"\n{places}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_STORAGE_CONF", str(settings))
        archive = folder / "image.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add(program(), "act", filter=_as_roots)
            kept = tarfile.TarInfo("action/kept")
            kept.size = len(KEPT)
            tar.addfile(kept, io.BytesIO(KEPT))
        for tag, command in COMMANDS.items():
            changes = ("--change", f"CMD {json.dumps(command)}", "--change", "VOLUME /data")
            podman("import", "--quiet", *changes, str(archive), f"{NAME}:{tag}")
        try:
            anyio.run(_try, folder / "trial")
            yield
        finally:
            podman("rm", "--all", "--force", "--time=0")
            podman("rmi", "--all", "--force")
            if (folder / "graph" / "overlay").is_mount():  # on itself, by podman
                subprocess.run(["umount", folder / "graph" / "overlay"], check=True)


async def _try(folder: Path) -> None:
    try:
        await (await open_engine(PodmanSettings(folder=folder))).close()
    except EngineFailed as error:
        pytest.skip(str(error))


def podman(*arguments: str) -> str:
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout.strip()


def _as_roots(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.mode = 0o755
    return entry
