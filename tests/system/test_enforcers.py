"""`rambla serve` with enforcers in its settings: told of by `rambla status`, refused with the name of what is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from system.running import Running, serving

pytestmark = pytest.mark.system
NO_STORE = ("--object-store", "none")


def test_the_status_tells_of_each_enforcer(tmp_path: Path) -> None:
    config = tmp_path / "rambla.toml"
    config.write_text('[enforcers.pdp]\nurl = "http://127.0.0.1:9/check"\n')
    with serving(tmp_path / "data", *NO_STORE, "--config", str(config)) as platform:
        shown = platform.status()["enforcers"]
        assert shown == {"pdp": {"state": "not asked yet", "asked": 0, "remembered": 0, "failed": 0}}
        command = [sys.executable, "-m", "rambla.cli", "status", "--data", str(tmp_path / "data")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert "enforcers.pdp.state" in done.stdout, done.stderr


def test_a_platform_does_not_start_with_an_enforcer_that_cannot_be_asked(tmp_path: Path) -> None:
    config = tmp_path / "rambla.toml"
    config.write_text('[enforcers.pdp]\nurl = "https://u:geheim@pdp.invalid/check"\n')
    with pytest.raises(AssertionError, match=r"enforcers\.pdp: no password in the url") as raised:
        Running(tmp_path / "data", *NO_STORE, "--config", str(config))
    assert "geheim" not in str(raised.value)
