"""With what virtual machine do Java actions run?

The `java` on PATH, and a launcher of ours that is compiled once, with Google's gson, when the runtime is installed.
Whoever has no compiler or no gson has no Java actions, and is told the fix.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rambla.domain.errors import EngineFailed
from rambla.drivers.process import environments

_SOURCE = environments.RUNTIMES / "java" / "Launcher.java"
_GSON = Path("/usr/share/java/gson.jar")
_STAMP = "rambla-stamp.txt"
_FIX = "Fix: apt-get install default-jdk-headless libgoogle-gson-java, then rambla runtime install"


@dataclass(frozen=True)
class JavaRuntime:
    """`path` is what it finds its classes by; `paths` are the places that must be seen inside a sandbox."""

    java: Path
    version: str
    path: str
    paths: tuple[str, ...]


def install(progress: Callable[[str], None], folder: Path | None = None) -> None:
    """Compile the launcher, unless that was done; without a compiler or gson, say so and do nothing."""
    target = _folder(folder)
    if _is_current(target):
        progress(f"the Java runtime is up to date: {target}")
        return
    compiler = shutil.which("javac")
    if compiler is None or not _GSON.exists():
        progress(f"no Java actions: {'gson' if compiler else 'javac'} is not installed. {_FIX}")
        return
    progress(f"making the Java runtime in {target}")
    target.mkdir(parents=True, exist_ok=True)
    gson = target / "gson.jar"
    shutil.copy(_GSON, gson)
    _run([compiler, "-nowarn", "-d", str(target), "-cp", str(gson), str(_SOURCE)])
    (target / _STAMP).write_text(_stamp())


def locate(folder: Path | None = None) -> JavaRuntime:
    """What `install` made, and the virtual machine. Raises EngineFailed with the fix."""
    found, target = shutil.which("java"), _folder(folder)
    if found is None:
        raise EngineFailed(detail=f"Java is not installed. {_FIX}")
    if not _is_current(target):
        raise EngineFailed(detail=f"no Java runtime in {target}. {_FIX}")
    java = Path(os.path.realpath(found))
    version = _run([str(java), "-version"]).splitlines()[0]
    home = java.parent.parent
    paths = (str(home), *_settings_of(home), str(target))
    return JavaRuntime(java, version, f"{target}:{target / 'gson.jar'}", paths)


def _settings_of(home: Path) -> tuple[str, ...]:
    """Where Debian keeps what is only linked to from the virtual machine's folder: `/etc/java-17-openjdk`."""
    links = [path.resolve() for path in (home / "conf").rglob("*") if path.is_symlink()]
    return tuple({str(Path(*link.parts[:3])) for link in links if link.parts[1] == "etc"})


def _folder(folder: Path | None) -> Path:
    return (folder or environments.default_folder()) / "java"


def _is_current(target: Path) -> bool:
    try:
        return (target / _STAMP).read_text() == _stamp()
    except OSError:
        return False


def _stamp() -> str:
    return hashlib.sha256(_SOURCE.read_bytes()).hexdigest()


def _run(command: list[str]) -> str:
    """What it said on both streams: `java -version` speaks on stderr."""
    try:
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stdout", "") or str(error)).strip()
        raise EngineFailed(detail=f"{command[0]} failed: {said[-2000:]}") from error
    return done.stdout
