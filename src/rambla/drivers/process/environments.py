"""With what interpreter and which packages does user code run?

Python actions run in a virtual environment of their own, never the platform's: `install` makes it from
`rambla_runtimes/python/requirements.txt`, `locate` finds it. Node.js is the one on PATH.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rambla.domain.errors import EngineFailed

RUNTIMES = Path(__file__).parents[3] / "rambla_runtimes"
VARIABLE = "RAMBLA_RUNTIMES"
_REQUIREMENTS = RUNTIMES / "python" / "requirements.txt"
_STAMP = "rambla-stamp.json"
_NODE_MAJOR_MIN = 20
_FIX_PYTHON = "Fix: rambla runtime install"
_FIX_NODE = f"Fix: install Node.js {_NODE_MAJOR_MIN} or newer (apt-get install nodejs) and start again"


@dataclass(frozen=True)
class PythonRuntime:
    """`paths` are the folders that the interpreter needs to be seen inside a sandbox."""

    python: Path
    paths: tuple[str, ...]


@dataclass(frozen=True)
class NodeRuntime:
    node: Path
    version: str
    paths: tuple[str, ...]


def default_folder() -> Path:
    """Where the environments of all runtimes lie: RAMBLA_RUNTIMES, or beside the platform's own packages."""
    given = os.environ.get(VARIABLE)
    return Path(given) if given else Path(sys.prefix) / "share" / "rambla" / "runtimes"


def install(progress: Callable[[str], None], folder: Path | None = None) -> Path:
    """Make or renew the environment for Python actions; nothing to do if it is as `requirements.txt` wishes.

    Gives its folder. Raises EngineFailed if the packages cannot be installed; an older environment then stays in use.
    """
    target = (folder or default_folder()) / "python3"
    stamp = _wanted_stamp()
    if _read_stamp(target) == stamp:
        progress(f"the Python runtime is up to date: {target}")
        return target
    progress(f"making the Python runtime in {target}")
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and not _usable(target):
        shutil.rmtree(target)
    python = target / "bin" / "python"
    _run([sys.executable, "-m", "venv", str(target)])
    progress("installing the packages that actions may import")
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(_REQUIREMENTS)])
    (target / _STAMP).write_text(json.dumps(stamp))
    return target


def locate(folder: Path | None = None) -> PythonRuntime:
    """The environment that `install` made. Raises EngineFailed with the fix if there is none that starts."""
    target = (folder or default_folder()) / "python3"
    python = target / "bin" / "python"
    if not python.exists():
        raise EngineFailed(detail=f"no Python runtime in {target}. {_FIX_PYTHON}")
    question = "import json, sys; print(json.dumps([sys.prefix, sys.base_prefix, sys.base_exec_prefix]))"
    prefixes = json.loads(_run([str(python), "-I", "-S", "-c", question]))
    base = os.path.realpath(python)
    return PythonRuntime(python, tuple(dict.fromkeys([str(target), *prefixes, str(Path(base).parent)])))


def locate_node() -> NodeRuntime:
    """The Node.js on PATH. Raises EngineFailed with the fix if there is none, or one too old."""
    found = shutil.which("node")
    if not found:
        raise EngineFailed(detail=f"Node.js is not installed. {_FIX_NODE}")
    node = Path(os.path.realpath(found))
    version = _run([str(node), "--version"]).strip()
    if int(version.removeprefix("v").split(".")[0]) < _NODE_MAJOR_MIN:
        raise EngineFailed(detail=f"Node.js {version} is too old. {_FIX_NODE}")
    return NodeRuntime(node, version, (str(node),))


def _run(command: list[str]) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip()
        raise EngineFailed(detail=f"{command[0]} failed: {said[-2000:]}") from error


def _wanted_stamp() -> dict[str, str]:
    digest = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()
    return {"requirements": digest, "python": sys.version.split()[0], "base": os.path.realpath(sys.executable)}


def _read_stamp(target: Path) -> dict[str, str] | None:
    try:
        stamp: dict[str, str] = json.loads((target / _STAMP).read_text())
    except (OSError, ValueError):
        return None
    return stamp


def _usable(target: Path) -> bool:
    """Whether its interpreter is the one we would make it with; packages alone can be renewed in place."""
    stamp = _read_stamp(target)
    return bool(stamp and stamp["base"] == os.path.realpath(sys.executable) and (target / "bin" / "python").exists())
