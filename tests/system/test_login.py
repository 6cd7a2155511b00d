"""People at the command line of a real server: they log in, work, make tokens, and are revoked; nothing tells their
secrets."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyotp
import pytest

from system.people import FROM_STDIN, WORD, Person, Somebody, settings
from system.running import Running

pytestmark = pytest.mark.system
SECRET_FILES = ("operator.token", "events.token", "wskprops", "policy.key", "identity.key")
"""Those that hold secrets because that is what they are for."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with opened(tmp_path_factory.mktemp("people")) as running:
        yield running


@contextmanager
def opened(folder: Path) -> Iterator[Running]:
    running = Running(folder / "data", "--config", str(settings(folder)), "--require-isolation", "none")
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def operator(server: Running, tmp_path: Path) -> Somebody:
    return Somebody(tmp_path / "operator", RAMBLA_DATA=str(server.data))


@pytest.fixture
def ada(server: Running, operator: Somebody, tmp_path: Path) -> Person:
    """A developer in `guest`, logged in."""
    return Person(server, operator, tmp_path, "developers")


def test_who_logged_in_works_in_their_namespace_until_they_log_out(server: Running, ada: Person) -> None:
    ada.does("package", "create", "p")
    assert "p" in ada.does("package", "list")
    told = ada.tells("whoami")
    assert (told["subject"], told["namespace"], told["trust"]) == (ada.account, "guest", 1)
    assert ada.account in ada.does("whoami")
    assert "logged out" in ada.does("logout")
    assert "Fix:" in ada.fails("package", "list")
    assert "nobody is logged in" in ada.fails("logout", "--apihost", server.url)


def test_a_token_works_as_a_key_does_and_ends_when_it_is_deleted(server: Running, ada: Person, tmp_path: Path) -> None:
    made = ada.tells("token", "create", "robot", "--only", "package:*", "--days", "0.5")
    robot = Somebody(tmp_path / "robot")
    come = ("--apihost", server.url, "--auth", f"any:{made['token']}")
    assert robot.tells("whoami", *come)["only"] == ["package:*"]
    robot.does("package", "create", "q", *come)
    assert "not authorized" in robot.fails("trigger", "list", *come)
    rotated = ada.does("token", "rotate", made["id"]).strip()
    assert "invalid" in robot.fails("package", "list", *come)
    come = ("--apihost", server.url, "--auth", f"any:{rotated}")
    robot.does("package", "list", *come)
    assert made["id"] in ada.does("token", "list")
    ada.does("token", "delete", made["id"])
    assert "invalid" in robot.fails("package", "list", *come)


def test_the_operator_revokes_blocks_joins_and_lists(server: Running, operator: Somebody, ada: Person) -> None:
    assert ada.account in operator.does("identity", "tokens")
    operator.does("identity", "alias", ada.account, "Ada L.")
    assert ada.tells("whoami")["person"] == "Ada L."
    operator.does("identity", "revoke", ada.account)
    assert "invalid. Fix: log in again: rambla login" in ada.fails("whoami")
    ada.logs_in()
    operator.does("identity", "block", ada.account)
    assert "invalid" in ada.fails("whoami")
    found = operator.tells("identity", "accounts")
    assert (ada.account, "Ada L.", True) in [(one["account"], one["person"], one["blocked"]) for one in found]
    operator.does("identity", "unblock", ada.account)
    ada.does("whoami")
    for _ in range(3):
        assert "invalid" in ada.does_not_log_in("wrong word")
    assert "too many" in ada.does_not_log_in()
    operator.does("identity", "unlock", ada.account)
    ada.logs_in()
    assert "Fix: write SOURCE/USER" in operator.fails("identity", "revoke", "ada")


def test_who_keeps_accounts_does_so_with_their_session(server: Running, operator: Somebody, tmp_path: Path) -> None:
    kim = Person(server, operator, tmp_path, "keepers")
    name = f"{kim.name}-bob"
    kim.does("identity", "user", "create", name, "--expires", "2999-01-01", *FROM_STDIN, types="another long word")
    assert name in kim.does("identity", "user", "list")
    for command in ("disable", "enable", "delete"):
        kim.does("identity", "user", command, name)
    assert "not authorized" in kim.fails("identity", "program", "agent", "--role", "policy-agent")
    assert "not authorized" in kim.fails("package", "list")


def test_a_program_has_its_roles_and_nobody_behind_it(server: Running, operator: Somebody, tmp_path: Path) -> None:
    token = operator.does(
        "identity", "program", "agent", "--role", "policy-agent", "--role-in", "guest", "reader"
    ).strip()
    told = Somebody(tmp_path / "agent").tells("whoami", "--apihost", server.url, "--auth", f"any:{token}")
    assert (told["subject"], told["roles"]) == ("token/agent", ["reader", "policy-agent"])


def test_a_second_factor_is_asked_for_and_trusted(server: Running, operator: Somebody, ada: Person) -> None:
    address = operator.does("identity", "user", "totp", ada.name).strip()
    assert "invalid" in ada.does_not_log_in()
    ada.logs_in(code=pyotp.parse_uri(address).now())
    assert ada.tells("whoami")["trust"] == 5
    operator.does("identity", "user", "totp", ada.name, "--off")
    ada.logs_in()


def test_no_password_is_an_argument_or_taken_from_nowhere(operator: Somebody) -> None:
    assert "no terminal" in operator.fails("identity", "user", "create", "bob")
    assert "no secret in stdin" in operator.fails("identity", "user", "create", "bob", *FROM_STDIN)


def test_no_secret_is_in_anything_that_was_written(tmp_path: Path) -> None:
    with opened(tmp_path) as server:
        operator = Somebody(tmp_path / "operator", RAMBLA_DATA=str(server.data))
        ada = Person(server, operator, tmp_path, "developers")
        token = ada.does("token", "create", "robot").strip()
        ada.does_not_log_in("marked-wrong-word")
        secret = pyotp.parse_uri(operator.does("identity", "user", "totp", ada.name).strip()).secret
        operator.does("identity", "user", "password", ada.name, *FROM_STDIN, types="marked-second-word")
        server.stop()
        told = "".join(server.stderr).encode()
    secrets = [
        WORD,
        "marked-wrong-word",
        "marked-second-word",
        secret,
        *(each[-43:] for each in (token, ada.session())),
    ]
    written = [path for path in server.data.rglob("*") if path.is_file() and path.name not in SECRET_FILES]
    assert any("journal" in str(path) for path in written)
    assert any(path.suffix == ".sqlite3" for path in written)
    texts = [told, *(path.read_bytes() for path in written)]
    assert [each for each in secrets if any(each.encode() in text for text in texts)] == []


def test_what_was_said_of_an_account_and_a_lock_survive_kill_9(tmp_path: Path) -> None:
    with opened(tmp_path) as server:
        operator = Somebody(tmp_path / "operator", RAMBLA_DATA=str(server.data))
        ada, kim = (Person(server, operator, tmp_path, group) for group in ("developers", "keepers"))
        for _ in range(3):
            ada.does_not_log_in("wrong word")
        operator.does("identity", "revoke", kim.account)
        server.kill()
        server.start()
        assert "too many" in ada.does_not_log_in()
        come = ("--apihost", server.url, "--auth")
        assert "invalid" in kim.fails("whoami", *come, f"any:{kim.session()}")
        ada.does("whoami", *come, f"any:{ada.session()}")
