"""How does a test run by root do as an ordinary user does?"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
_ROOT = Path(__file__).parents[1]


def python_for_nobody() -> tuple[str, dict[str, str]]:
    """An interpreter and environment with which `nobody` can import what the tests need; skips if there is none."""
    paths = [str(_ROOT / "src"), str(_ROOT / "tests"), sysconfig.get_path("purelib")]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    # setpriv itself starts a program even in a folder closed to nobody; whether nobody could is seen one step later.
    question = (
        "import subprocess, sys, pytest, msgspec, h11, anyio, rambla.engine;"
        "subprocess.run([sys.executable, '-c', ''], check=True); print(sys.version_info[:2])"
    )
    for python in (sys.executable, "/usr/bin/python3"):
        command = [*AS_NOBODY, python, "-c", question]
        said = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=False)
        if said.stdout.strip() == str(tuple(sys.version_info[:2])):
            return python, environment
    pytest.skip("no Python of this version that user nobody may read (this one lies in a closed folder)")
