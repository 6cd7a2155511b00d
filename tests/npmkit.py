"""npm's packages for tests, installed once for this environment, by one of the tests' processes."""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def installed(name: str, package: str) -> Path:
    """The folder `name` with the package in its `node_modules`; skips where there is no Node.js, or no registry."""
    for program in ("node", "npm"):
        if not shutil.which(program):
            pytest.skip(f"needs {program}: apt-get install nodejs npm")
    folder = Path(sys.prefix) / "share" / "rambla" / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), package]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"npm cannot install {package}: {done.stderr[-500:]}")
            (folder / "installed").touch()
    return folder
