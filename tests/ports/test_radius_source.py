"""A RADIUS server as a source of identities: a real FreeRADIUS, stopped in the middle, killed, and started again."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from outside_radius import SECRET, Radius, RadiusStage, answer_to, free_udp_port
from rambla.domain.errors import BadCredentials, BadSettings, SourceAway
from rambla.domain.proofs import Password
from rambla.drivers.radius.exchange import PASSED_OVER_MAX, PAUSE_MS
from rambla.drivers.radius.packets import ACCESS_ACCEPT, ACCESS_CHALLENGE, STATE
from rambla.drivers.radius.source import RadiusSource, open_source
from rambla.identity.ports import Account
from rambla.kit.clock import ManualClock
from rambla.testing.identity_source import SourceSuite


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Radius]:
    found = Radius(tmp_path)
    await found.start()
    yield found
    await found.kill()


async def known(source: RadiusSource, user: str, password: str = "", code: str = "") -> Account:
    with anyio.fail_after(30):
        return await source.prove(Password(user=user, password=password or f"word-of-{user}", code=code))


async def is_known(source: RadiusSource, user: str, password: str = "", code: str = "") -> bool:
    try:
        return bool(await known(source, user, password, code))
    except BadCredentials:
        return False


class TestRadiusSource(SourceSuite):
    @pytest.fixture
    def stage(self, server: Radius) -> RadiusStage:
        return RadiusStage(server)


async def test_the_server_says_what_is_known_of_a_person(server: Radius) -> None:
    found = await known(server.open_source(), "alice")
    assert (found.user, found.method, found.groups, found.expires_ms) == ("alice", "password", (), None)
    assert found.attributes == {"Class": ("staff",), "Filter-Id": ("ops", "oncall"), "Reply-Message": ("welcome",)}
    for name in ("Class", "Filter-Id"):
        assert (await known(server.open_source(groups=name), "alice")).groups == found.attributes[name]


async def test_a_session_ends_when_the_server_says(server: Radius) -> None:
    clock = ManualClock()
    assert (await known(server.open_source(clock=clock), "bob")).expires_ms == clock.now_ms() + 3_600_000


@pytest.mark.parametrize("user", ["expired", "nobody", "Alice", "alice ", "ALICE", "\uff41lice", "alice@north"])
async def test_who_expired_or_is_spelled_in_another_way_is_nobody(server: Radius, user: str) -> None:
    for source in (server.open_source(), server.open_source(plain_names=False)):
        for password in ("word-of-alice", f"word-of-{user}"):
            assert not await is_known(source, user, password)


async def test_names_may_have_a_realm_that_is_written_or_left_out(server: Radius) -> None:
    exact = server.open_source(plain_names=False)
    assert (await known(exact, "Ada@north", "word-of-ada")).user == "Ada@north"
    assert not await is_known(server.open_source(), "Ada@north", "word-of-ada")
    source = server.open_source(prefix="A", suffix="@north")
    assert (await known(source, "da", "word-of-ada")).user == "da"


@pytest.mark.parametrize(
    ("user", "code", "is_let_in"),
    [
        ("otto", "123456", True),
        ("otto", "123457", False),
        ("otto", "", False),
        ("otto", "x" * 129, False),
        ("otto", "123456\0", False),
        ("alice", "123456", False),
    ],
)
async def test_a_challenge_is_answered_with_the_code_of_the_second_factor(
    server: Radius, user: str, code: str, is_let_in: bool
) -> None:
    source = server.open_source()
    assert await is_known(source, user, code=code) is is_let_in
    assert not await is_known(source, user, "another-word", code=code)
    if is_let_in:
        assert (await known(source, user, code=code)).method == "password+code"


async def test_a_code_may_stand_behind_the_password(server: Radius) -> None:
    source = server.open_source(code="append")
    assert (await known(source, "appended", code="123456")).method == "password+code"
    assert [await is_known(source, "appended", code=code) for code in ("", "123457")] == [False, False]
    assert await is_known(source, "alice")


async def test_an_empty_or_very_long_password_is_nobodys_and_never_sent(server: Radius) -> None:
    await server.kill()
    source = server.open_source()
    for password in ("x" * 129, "\xe4" * 65, "word\0", "\0"):
        assert not await is_known(source, "alice", password)
    with pytest.raises(BadCredentials):
        await source.prove(Password(user="alice", password=""))


async def test_a_server_that_shares_no_secret_says_nothing_and_is_away(server: Radius, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("another-secret-of-theirs")
    source = server.open_source(secret_file=str(tmp_path / "other"))
    with pytest.raises(SourceAway, match="no answer"):
        await known(source, "alice")


async def test_an_answer_without_its_signature_is_not_believed(tmp_path: Path) -> None:
    server = Radius(tmp_path, signs=False)
    await server.start()
    try:
        for user in ("alice", "nobody"):
            with pytest.raises(SourceAway, match="no Message-Authenticator"):
                await known(server.open_source(), user)
    finally:
        await server.kill()


async def test_the_next_server_is_asked_when_one_is_silent_and_comes_first_for_a_while(
    server: Radius, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Radius(tmp_path_factory.mktemp("other"))
    (other.folder / "users").write_text('alice Cleartext-Password := "other-word"\n')
    await other.start()
    clock = ManualClock()
    source = server.open_source(servers=[server.address, other.address], clock=clock, tries=1, try_ms=1000)

    async def who_answers() -> list[bool]:
        return [await is_known(source, "alice", word) for word in ("word-of-alice", "other-word")]

    try:
        assert await who_answers() == [True, False]
        await server.stop()
        assert await who_answers() == [False, True]
        await server.go_on()
        assert await who_answers() == [False, True], "it was silent a moment ago"
        clock.advance(PAUSE_MS)
        assert await who_answers() == [True, False]
        for each in (server, other):
            await each.kill()
        with pytest.raises(SourceAway) as raised:
            await known(source, "alice")
        for number in (1, 2):
            assert f"server {number}: no answer within 1000 ms" in str(raised.value)
        assert "127.0.0.1" not in str(raised.value)
        await other.start()
        assert await who_answers() == [False, True], "both were silent, and both are asked"
    finally:
        await other.kill()


async def test_who_waits_no_longer_for_one_is_sent_to_the_next(server: Radius) -> None:
    source = server.open_source(servers=[f"127.0.0.1:{free_udp_port()}", server.address], try_ms=60_000)
    with anyio.move_on_after(0.05) as scope:
        await known(source, "alice")
    assert scope.cancelled_caught
    assert await is_known(source, "alice")


Answers = Callable[[bytes, Callable[[bytes], Awaitable[None]]], Awaitable[None]]


@asynccontextmanager
async def answered_by(answers: Answers, folder: Path, **settings: Any) -> AsyncIterator[RadiusSource]:
    """A source whose server is `answers`: what it gives back for a request, to be sent by what it is given."""
    async with await anyio.create_udp_socket(local_host="127.0.0.1") as socket, anyio.create_task_group() as group:

        async def serve() -> None:
            async for request, address in socket:
                await answers(request, lambda packet, to=address: socket.sendto(packet, *to))

        group.start_soon(serve)
        (folder / "secret").write_text(SECRET)
        address = socket.extra(anyio.abc.SocketAttribute.local_address)
        given = {"servers": [f"{address[0]}:{address[1]}"], "secret_file": str(folder / "secret"), "try_ms": 500}
        yield open_source("net", {**given, **settings}, None, ManualClock())
        group.cancel_scope.cancel()


async def test_a_server_that_lets_everybody_in_knows_each_by_one_spelling_only(tmp_path: Path) -> None:
    async def answers(request: bytes, send: Callable[[bytes], Awaitable[None]]) -> None:
        await send(answer_to(request, ACCESS_ACCEPT, [], SECRET.encode()))

    spellings = (
        "Ada",
        "ADA",
        "ada@north",
        "north\\ada",
        "north/ada",
        " ada",
        "ada ",
        "\uff41da",
        "a\u00adda",
        "\u212bda",
    )
    async with answered_by(answers, tmp_path) as source:
        for name in ("ada", "ada.lovelace", "ada-2", "\xe5da"):
            assert (await known(source, name)).user == name
        for name in (*spellings, "x" * 254):
            assert not await is_known(source, name), ascii(name)
    async with answered_by(answers, tmp_path, plain_names=False) as source:
        for name in spellings:
            assert (await known(source, name)).user == name
        for name in ("x" * 254, "\xe5" * 127, "a\tb", "a\0"):
            assert not await is_known(source, name), ascii(name)


async def test_a_request_is_sent_again_until_it_is_answered_and_noise_is_passed_over(tmp_path: Path) -> None:
    requests: list[bytes] = []

    async def answers(request: bytes, send: Callable[[bytes], Awaitable[None]]) -> None:
        requests.append(request)
        yes = answer_to(request, ACCESS_ACCEPT, [], SECRET.encode())
        for noise in (b"", b"\x02", yes[:-1], bytes((yes[0], yes[1] ^ 1)) + yes[2:], bytes(4096)):
            await send(noise)
        if len(requests) == 3:
            await send(yes)

    async with answered_by(answers, tmp_path, tries=3, try_ms=200) as source:
        assert await is_known(source, "alice")
    assert len(requests) == 3
    assert len(set(requests)) == 1, "the server can tell that it is the same"


async def test_whoever_floods_with_noise_is_left(tmp_path: Path) -> None:
    async def answers(request: bytes, send: Callable[[bytes], Awaitable[None]]) -> None:
        while True:
            await send(b"noise")
            await anyio.sleep(0)

    async with answered_by(answers, tmp_path, try_ms=60_000) as source:
        with pytest.raises(SourceAway, match="says too much"):
            await known(source, "alice")
    assert PASSED_OVER_MAX < 1000


async def test_a_second_challenge_is_not_answered(tmp_path: Path) -> None:
    requests: list[bytes] = []

    async def answers(request: bytes, send: Callable[[bytes], Awaitable[None]]) -> None:
        requests.append(request)
        await send(answer_to(request, ACCESS_CHALLENGE, [(STATE, b"more")], SECRET.encode()))

    async with answered_by(answers, tmp_path) as source:
        assert not await is_known(source, "alice", code="123456")
    assert len(requests) == 2
    assert requests[1].count(b"\x18\x06more") == 1


async def test_no_two_requests_are_alike(tmp_path: Path) -> None:
    authenticators: list[bytes] = []

    async def answers(request: bytes, send: Callable[[bytes], Awaitable[None]]) -> None:
        authenticators.append(request[4:20])
        await send(answer_to(request, ACCESS_ACCEPT, [], SECRET.encode()))

    async with answered_by(answers, tmp_path) as source:
        for _ in range(20):
            assert await is_known(source, "alice")
    assert len(set(authenticators)) == 20


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "servers"),
        ({"servers": []}, "servers"),
        ({"servers": ["h"], "secret_file": ""}, "secret_file"),
        ({"servers": ["h"], "secret_file": "/absent"}, "secret_file"),
        ({"servers": ["h:port"]}, "HOST"),
        ({"servers": ["u:p@h"]}, "HOST"),
        ({"servers": ["h/path"]}, "HOST"),
        ({"servers": ["h"], "nas_identifier": "\xe4" * 200}, "nas_identifier"),
        ({"servers": ["h"], "groups": "Reply-Message"}, "groups"),
        ({"servers": ["h"], "code": "both"}, "code"),
        ({"servers": ["h"], "secret": "x"}, "secret"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given: dict[str, Any], words: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    with pytest.raises(BadSettings, match=words) as raised:
        open_source("net", {"secret_file": str(tmp_path / "secret"), **given}, None, ManualClock())
    assert "identity.net" in str(raised.value)
    assert SECRET not in str(raised.value)
