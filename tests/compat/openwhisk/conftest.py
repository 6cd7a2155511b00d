"""One server for each of the tests' processes, and for each case users who share nothing with another case's."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from compat.openwhisk.asking import User
from compat.openwhisk.commands import JAVASCRIPT, WSK, WSKDEPLOY, Commands
from compat.openwhisk.visiting import Visitor
from system.running import Running, serving

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("openwhisk")
    settings = folder / "rambla.toml"
    settings.write_text('web_domain = "web.example"\n')
    with serving(folder / "data", "--object-store", "none", "--config", str(settings)) as running:
        yield running


@pytest.fixture
def sandboxed(server: Running) -> None:
    """For what only holds where the host lets actions be shut in whole."""
    status = server.status()
    if status["isolation"] != "sandboxed":
        pytest.skip(f"this host isolates less: {status['engine']['parts']}")


@pytest.fixture
def newcomer(server: Running) -> Iterator[Callable[[], User]]:
    """Makes users, each with a namespace of their own, in which there is nothing."""
    made: list[User] = []

    def make() -> User:
        name = f"tenant{next(_NUMBERS)}"
        with server.operator() as operator:
            key = operator.put(f"/platform/v1/namespaces/{name}").raise_for_status().json()["key"]
        made.append(User(server, name, key))
        return made[-1]

    yield make
    for user in made:
        user.client.close()


@pytest.fixture
def user(newcomer: Callable[[], User]) -> User:
    return newcomer()


@pytest.fixture
def other(newcomer: Callable[[], User]) -> User:
    """Somebody else."""
    return newcomer()


@pytest.fixture(params=[False, True], ids=["unknown", "known"])
def visitor(request: pytest.FixtureRequest, user: User, newcomer: Callable[[], User]) -> Iterator[Visitor]:
    """Of web actions of `user`'s; without credentials, and with somebody else's."""
    visiting = Visitor(user, newcomer() if request.param else None)
    yield visiting
    visiting.client.close()


@pytest.fixture
def wsk(user: User) -> Iterator[Commands]:
    yield from _commands(user, WSK)


@pytest.fixture
def wskdeploy(user: User) -> Iterator[Commands]:
    yield from _commands(user, WSKDEPLOY)


@pytest.fixture
def javascript(user: User) -> Iterator[Commands]:
    yield from _commands(user, JAVASCRIPT)


def _commands(user: User, headers: dict[str, str]) -> Iterator[Commands]:
    commands = Commands(user, headers)
    yield commands
    commands.client.close()
