"""The same engine without root: the suite runs again as user `nobody`, with an interpreter that nobody may read."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nobody import AS_NOBODY, python_for_nobody

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_SUITES = ["test_python.py", "test_isolation.py", "test_grants.py", "test_life.py", "test_node.py", "test_cgroups.py"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that nobody may enter (pytest's own is closed to others)."""
    path = Path(tempfile.mkdtemp(prefix="rambla-nobody-"))
    os.chown(path, 65534, 65534)
    yield path
    shutil.rmtree(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="already running without root")
@pytest.mark.parametrize("suite", _SUITES)  # one by one, so that they are spread over the processors
def test_everything_holds_without_root_too(folder: Path, suite: str) -> None:
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is missing (util-linux)")
    python, environment = python_for_nobody()
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder / "python3")], check=True)
    command = [*AS_NOBODY, python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder}/tmp",
               "--rootdir", str(_ROOT), "-c", str(_ROOT / "pyproject.toml"), "-k", "not packages_can_be_imported",
               str(_HERE / suite)]  # fmt: skip
    environment |= {"RAMBLA_RUNTIMES": str(folder), "HOME": str(folder)}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=_ROOT, check=False)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
