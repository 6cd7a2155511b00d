"""Sessions are kept by server, for their owner only, and come before a properties file and after a key."""

import os
import time
from pathlib import Path

import pytest

from rambla.cli import connection, session
from rambla.cli.errors import CliError
from rambla.cli.session import Session

HERE, THERE = "http://127.0.0.1:1", "http://127.0.0.1:2"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("WSK_CONFIG_FILE", "RAMBLA_DATA", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(subject: str = "corp/ada", *, left_ms: int = 60_000) -> Session:
    expires = time.time_ns() // 1_000_000 + left_ms
    return Session(token=f"token of {subject}", subject=subject, namespace="payroll", expires=expires)


def test_a_session_is_found_by_its_server_until_it_is_forgotten_or_over(home: Path) -> None:
    ada, bob = made(), made("corp/bob")
    session.keep(HERE, ada)
    session.keep(THERE, bob)
    assert (session.find(HERE), session.find(THERE), session.last()) == (ada, bob, THERE)
    path = home / ".config" / "rambla" / "session.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    session.forget(THERE)
    session.forget(THERE)
    assert (session.find(HERE), session.find(THERE), session.last()) == (ada, None, "")
    session.keep(HERE, made(left_ms=-1))
    assert (session.find(HERE), session.last()) == (None, "")
    assert "token of" not in repr(ada)


def test_it_lies_where_xdg_says(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "elsewhere"))
    session.keep(HERE, made())
    assert (home / "elsewhere" / "rambla" / "session.json").is_file()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"servers": 1}', b'{"servers": {"x": {}}}'])
def test_what_is_broken_is_said_to_be_so_with_the_fix(home: Path, content: bytes) -> None:
    path = session.path_of(os.environ)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(CliError, match="Fix: delete it"):
        session.find(HERE)


def test_a_key_comes_first_then_the_session_then_the_properties_file(home: Path) -> None:
    (home / ".wskprops").write_text(f"APIHOST={HERE}\nAUTH=u:s\nNAMESPACE=guest\n")
    assert connection.find(None, None, None) == connection.Connection(HERE, "u:s", "guest")
    session.keep(HERE, made())
    assert connection.find(None, None, None) == connection.Connection(HERE, "", "payroll", "token of corp/ada")
    assert connection.find(None, "a:b", None) == connection.Connection(HERE, "a:b", "guest")
    assert connection.find(THERE, None, None) == connection.Connection(THERE, "u:s", "guest")


def test_without_any_address_it_is_the_server_of_the_last_login(home: Path) -> None:
    with pytest.raises(CliError, match="--apihost is not known"):
        connection.address(None, None)
    session.keep(HERE, made())
    session.keep(THERE, made())
    assert connection.find(None, None, None).url == connection.address(None, None) == THERE
    assert connection.with_session(None).url == THERE
    assert connection.with_session(HERE).url == HERE
    with pytest.raises(CliError, match="nobody is logged in at"):
        connection.with_session("http://127.0.0.1:3")
