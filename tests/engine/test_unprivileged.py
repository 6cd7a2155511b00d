"""The same engine without root: the suite runs again as user `nobody`, with an interpreter that nobody may read."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
_SUITES = ["test_python.py", "test_isolation.py", "test_grants.py", "test_life.py", "test_node.py"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that nobody may enter (pytest's own is closed to others)."""
    path = Path(tempfile.mkdtemp(prefix="rambla-nobody-"))
    os.chown(path, 65534, 65534)
    yield path
    shutil.rmtree(path)


def _python_for_nobody() -> tuple[str, dict[str, str]]:
    """An interpreter and environment with which `nobody` can import what the tests need; skips if there is none."""
    paths = [str(_ROOT / "src"), str(_ROOT / "tests"), sysconfig.get_path("purelib")]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    # setpriv itself starts a program even in a folder closed to nobody; whether nobody could is seen one step later.
    question = (
        "import subprocess, sys, pytest, msgspec, h11, anyio, rambla.engine;"
        "subprocess.run([sys.executable, '-c', ''], check=True); print(sys.version_info[:2])"
    )
    for python in (sys.executable, "/usr/bin/python3"):
        command = [*_AS_NOBODY, python, "-c", question]
        said = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=False)
        if said.stdout.strip() == str(tuple(sys.version_info[:2])):
            return python, environment
    pytest.skip("no Python of this version that user nobody may read (this one lies in a closed folder)")


@pytest.mark.skipif(os.geteuid() != 0, reason="already running without root")
@pytest.mark.timeout(170)
def test_everything_holds_without_root_too(folder: Path) -> None:
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is missing (util-linux)")
    python, environment = _python_for_nobody()
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder / "python3")], check=True)
    command = [*_AS_NOBODY, python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder}/tmp",
               "--rootdir", str(_ROOT), "-c", str(_ROOT / "pyproject.toml"), "-k", "not packages_can_be_imported",
               *(str(_HERE / suite) for suite in _SUITES)]  # fmt: skip
    environment |= {"RAMBLA_RUNTIMES": str(folder), "HOME": str(folder)}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=_ROOT, check=False)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
