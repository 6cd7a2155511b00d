from pathlib import Path

import pytest

from rambla.app.settings import load
from rambla.domain.errors import BadSettings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAMBLA_RUNTIMES", "RAMBLA_DATA"):
        monkeypatch.delenv(name, raising=False)


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "rambla.toml"
    config.write_text('listen = "127.0.0.1:1"\ndrain_ms = 5\nidle_ms = 6\n')
    monkeypatch.setenv("RAMBLA_DRAIN_MS", "7")
    settings = load(config, listen="127.0.0.1:2", object_store=None)
    assert (settings.address, settings.drain_ms, settings.idle_ms) == (("127.0.0.1", 2), 7, 6)
    assert settings.object_store == "none"


def test_a_slip_is_seen_wherever_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "rambla.toml"
    config.write_text("listn = 'x'\n")
    with pytest.raises(BadSettings, match="listn"):
        load(config)
    monkeypatch.setenv("RAMBLA_REQUIRE_ISOLATON", "sandboxed")
    with pytest.raises(BadSettings, match="RAMBLA_REQUIRE_ISOLATON"):
        load(None)


@pytest.mark.parametrize("listen", ["", "3233", "host:", "host:http", "host:70000"])
def test_an_address_is_a_host_and_a_port(listen: str) -> None:
    with pytest.raises(BadSettings, match="HOST:PORT"):
        _ = load(None, listen=listen).address


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="No such file"):
        load(tmp_path / "absent.toml")
    (tmp_path / "broken.toml").write_text("a = ")
    with pytest.raises(BadSettings, match=r"broken\.toml"):
        load(tmp_path / "broken.toml")
