"""Two nodes on one PostgreSQL: what one of them says of somebody, the other heeds a moment later; and `kill -9`, at any
time, takes back nothing that was answered."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from system.people import WORD, settings
from system.running import Running, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
IDENTITY = "/identity/v1"
USERS = f"{IDENTITY}/users/local"
ROUNDS = 2


@pytest.fixture
def nodes(postgresql_url: str, tmp_path: Path) -> Iterator[tuple[Running, Running]]:
    engine = create_engine(postgresql_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {tmp_path.name.lower()}"))
    engine.dispose()
    url = make_url(postgresql_url).set(database=tmp_path.name.lower()).render_as_string(hide_password=False)
    config = settings(tmp_path, f'database_url = "{url}"\nrevocations_ms = 200\n')
    options = ("--config", str(config), "--require-isolation", "none")
    one, other = (Running(tmp_path / name, *options) for name in ("one", "other"))
    yield one, other
    for node in (one, other):
        node.stop()


def log_in(node: Running, user: str = "ada", password: str = WORD) -> httpx.Response:
    body = {"method": "password", "user": user, "password": password}
    with httpx.Client(base_url=node.url, trust_env=False) as client:
        return client.post(f"{IDENTITY}/login", json=body)


def whoami(node: Running, token: str) -> int:
    with httpx.Client(base_url=node.url, trust_env=False) as client:
        return client.get(f"{IDENTITY}/whoami", headers={"Authorization": f"Bearer {token}"}).status_code


def make_user(node: Running, name: str = "ada") -> None:
    body = {"user": name, "password": WORD, "groups": ["developers"]}
    with node.operator() as operator:
        operator.post(USERS, json=body).raise_for_status()


def test_what_one_node_says_of_somebody_the_other_heeds(nodes: tuple[Running, Running]) -> None:
    one, other = nodes
    make_user(one)
    token = log_in(one).raise_for_status().json()["token"]
    assert whoami(one, token) == whoami(other, token) == 200
    with one.operator() as operator:
        operator.post(f"{IDENTITY}/accounts/local/ada/revoke").raise_for_status()
    assert whoami(one, token) == 401
    until("the other node heeds it", lambda: whoami(other, token) == 401, 30)
    again = log_in(other).raise_for_status().json()["token"]
    with other.operator() as operator:
        operator.post(f"{IDENTITY}/accounts/local/ada/block").raise_for_status()
    until("this node heeds it", lambda: whoami(one, again) == 401, 30)
    assert log_in(one).status_code == 401
    with one.operator() as operator:
        operator.post(f"{IDENTITY}/accounts/local/ada/unblock").raise_for_status()
    until("the other node heeds it", lambda: log_in(other).status_code == 200, 30)


def test_a_lock_of_one_node_holds_at_the_other_and_is_opened_at_either(nodes: tuple[Running, Running]) -> None:
    one, other = nodes
    make_user(one)
    assert [log_in(one, password="wrong").status_code for _ in range(3)] == [401] * 3
    assert log_in(other).status_code == log_in(one).status_code == 429
    with other.operator() as operator:
        operator.post(f"{IDENTITY}/accounts/local/ada/unlock").raise_for_status()
    assert log_in(one).status_code == log_in(other).status_code == 200


def test_what_was_answered_is_so_after_kill_9(nodes: tuple[Running, Running]) -> None:
    """Many log in and are revoked while the node is killed: a session that was answered is good unless its account was
    revoked later, and no session of a revocation that was answered is."""
    one, other = nodes
    names = [f"user{number}" for number in range(8)]
    for name in names:
        make_user(other, name)
    for _ in range(ROUNDS):
        _kill_amid(one, other, names)


def _kill_amid(one: Running, other: Running, names: list[str]) -> None:
    sessions: dict[str, list[str]] = {name: [] for name in names}
    revoked: dict[str, list[str]] = {name: [] for name in names}
    killed = threading.Event()

    def press(name: str) -> None:
        while not killed.is_set():
            try:
                given = log_in(one, name)
                if given.status_code != 200:
                    continue
                sessions[name].append(given.json()["token"])
                if len(sessions[name]) == 2:
                    with one.operator() as operator:
                        operator.post(f"{IDENTITY}/accounts/local/{name}/revoke").raise_for_status()
                    revoked[name], sessions[name] = revoked[name] + sessions[name], []
            except httpx.TransportError:
                return

    threads = [threading.Thread(target=press, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    until("some were revoked", lambda: sum(map(len, revoked.values())) > 12)
    killed.set()
    one.kill()
    for thread in threads:
        thread.join()
    one.start()
    for node in (one, other):
        assert [
            whoami(node, token) for found in revoked.values() for token in found if whoami(node, token) != 401
        ] == []
    unsure = {name for name in names if len(sessions[name]) == 2}  # whose revocation was on its way
    good = [token for name in names if name not in unsure for token in sessions[name]]
    assert [whoami(one, token) for token in good] == [200] * len(good)
