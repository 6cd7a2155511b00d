"""Where the server is, and with which key."""

import fcntl
from pathlib import Path

import pytest

from rambla.cli import connection
from rambla.cli.errors import CliError


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WSK_CONFIG_FILE", "RAMBLA_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def properties(path: Path, host: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# mine\n\nAPIHOST={host}\nAUTH = u:s=t\nNAMESPACE=guest\n")
    return path


def test_a_properties_file_is_read_as_wsk_reads_it() -> None:
    text = "# c\nAPIHOST=http://h:1\nauth = u:s=t \nnonsense\n"
    assert connection.parse_properties(text) == {"APIHOST": "http://h:1", "AUTH": "u:s=t"}


@pytest.mark.parametrize(
    ("host", "url"), [("h:443", "https://h:443"), ("http://h:1/", "http://h:1"), ("https://h", "https://h")]
)
def test_a_host_without_scheme_is_asked_by_https(host: str, url: str) -> None:
    assert connection.base_url(host) == url


def test_the_nearest_word_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    properties(tmp_path / "home" / ".wskprops", "http://home")
    assert connection.find(None, None, None).url == "http://home"
    monkeypatch.setenv("RAMBLA_DATA", str(properties(tmp_path / "env" / "wskprops", "http://env").parent))
    assert connection.find(None, None, None).url == "http://env"
    monkeypatch.setenv("WSK_CONFIG_FILE", str(properties(tmp_path / "wsk", "http://wsk")))
    assert connection.find(None, None, None).url == "http://wsk"
    data = properties(tmp_path / "data" / "wskprops", "http://data").parent
    assert connection.find(None, None, data).url == "http://data"
    assert connection.find("http://option", "a:b", data) == connection.Connection("http://option", "a:b", "guest")


def test_what_is_missing_is_named_with_the_fix() -> None:
    with pytest.raises(CliError, match=r"--apihost is not known.*--data DIR"):
        connection.find(None, "a:b", None)
    with pytest.raises(CliError, match="--auth is not known"):
        connection.find("h", None, None)


def test_a_folder_without_a_platform_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="no platform was started"):
        connection.operator_token(tmp_path)


def test_only_a_locked_folder_counts_as_served(tmp_path: Path) -> None:
    assert not connection.is_served(tmp_path)
    with (tmp_path / "lock").open("wb") as lock:
        assert not connection.is_served(tmp_path)
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert connection.is_served(tmp_path)
    assert not connection.is_served(tmp_path)
