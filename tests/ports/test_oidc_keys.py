"""The keys of a real OpenID provider that changes them, is killed, hangs, and comes back."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from outside_oidc import OidcStage, SigningKey, prove, refuse
from rambla.domain.errors import SourceAway, SourceKnowsOthers
from rambla.domain.proofs import Token
from rambla.drivers.oidc.keys import KEYS_MAX, read_keys
from rambla.drivers.oidc.source import OidcSource
from rambla.kit.clock import SystemClock
from rambla.testing.checks import raises
from rambla.testing.identity_source import SourceSuite

pytestmark = pytest.mark.anyio
KEYS_MS, AWAY_MS, PAUSE_MS = 300_000, 3_600_000, 10_000


class ShiftedClock(SystemClock):
    """It goes by itself, and a test may move it on besides."""

    def __init__(self) -> None:
        self.shift_ms = 0

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self.shift_ms * 1_000_000


class Provided(OidcStage):
    """Whoever goes is away for so long that nothing counts any more that was remembered."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.shifted = ShiftedClock()
        self.source = self.open(clock=self.shifted, keys_pause_ms=1)
        self.user = "ada"
        good = self.key.sign(self.claims())
        self.proofs = [Token(token=good)]
        forged = [SigningKey("first").sign(self.claims()), self.key.sign(self.claims(aud="other"))]
        self.wrong = [Token(token=each) for each in forged]
        self.secrets = [good, *forged]

    async def stop(self) -> None:
        await super().stop()
        self.shifted.shift_ms += AWAY_MS

    async def kill(self) -> None:
        await super().kill()
        self.shifted.shift_ms += AWAY_MS


class TestOidcSource(SourceSuite):
    @pytest.fixture
    async def stage(self, tmp_path: Path) -> AsyncIterator[Provided]:
        stage = Provided(tmp_path)
        await stage.start()
        yield stage
        await stage.source.close()
        await stage.kill()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[OidcStage]:
    stage = OidcStage(tmp_path)
    await stage.start()
    yield stage
    await stage.kill()


@pytest.fixture
async def source(stage: OidcStage) -> AsyncIterator[OidcSource]:
    source = stage.open()
    yield source
    await source.close()


async def test_a_token_without_a_key_id_is_known_while_there_is_one_key(stage: OidcStage, source: OidcSource) -> None:
    token = stage.key.sign(stage.claims(), kid=None)
    assert (await prove(source, token)).user == "ada"
    await stage.rotate(stage.key, SigningKey("second"))
    stage.clock.advance(KEYS_MS)
    await refuse(source, token)


async def test_a_new_key_is_found_and_a_removed_one_stops_counting(stage: OidcStage, source: OidcSource) -> None:
    first, second = stage.key, SigningKey("second")
    assert (await prove(source, first.sign(stage.claims()))).user == "ada"
    await stage.rotate(second, first)
    await refuse(source, second.sign(stage.claims()))
    stage.clock.advance(PAUSE_MS)
    assert (await prove(source, second.sign(stage.claims()))).user == "ada"
    await stage.rotate(second)
    assert (await prove(source, first.sign(stage.claims()))).user == "ada", "it counts for KEYS_MS at most"
    stage.clock.advance(KEYS_MS)
    await refuse(source, first.sign(stage.claims()))
    assert (await prove(source, (await stage.log_in("ada"))["id_token"])).user == "ada"


async def test_strangers_make_nobody_ask_the_provider_more_often(stage: OidcStage, source: OidcSource) -> None:
    unknown = SigningKey("unknown")
    await refuse(source, unknown.sign(stage.claims()))
    await stage.kill()
    for number in range(50):
        await refuse(source, unknown.sign(stage.claims(), kid=f"unknown {number}"))
    stage.clock.advance(PAUSE_MS)
    with raises(SourceKnowsOthers):
        await prove(source, unknown.sign(stage.claims()))


@pytest.mark.parametrize("how", ["killed", "stopped"])
async def test_while_the_provider_is_away_known_keys_count_for_a_time(stage: OidcStage, how: str) -> None:
    source = stage.open(fetch_ms=300)
    assert (await prove(source, stage.key.sign(stage.claims()))).user == "ada"
    await (stage.kill() if how == "killed" else stage.stop())
    stage.clock.advance(AWAY_MS - 1)
    assert (await prove(source, stage.key.sign(stage.claims()))).user == "ada"
    with raises(SourceKnowsOthers):
        await prove(source, SigningKey("new").sign(stage.claims()))
    stage.clock.advance(1)
    for _ in range(2):
        with raises(SourceAway):
            await prove(source, stage.key.sign(stage.claims()))
    await (stage.start() if how == "killed" else stage.go_on())
    stage.clock.advance(PAUSE_MS)
    with anyio.fail_after(60):
        while True:
            try:
                assert (await prove(source, stage.key.sign(stage.claims()))).user == "ada"
                break
            except SourceAway:
                stage.clock.advance(PAUSE_MS)
    await source.close()


async def test_nobody_with_a_known_key_waits_behind_one_with_an_unknown_one(stage: OidcStage) -> None:
    source = stage.open(fetch_ms=60_000)
    assert (await prove(source, stage.key.sign(stage.claims()))).user == "ada"
    await stage.stop()
    stage.clock.advance(KEYS_MS)
    async with anyio.create_task_group() as group:
        group.start_soon(prove, source, SigningKey("new").sign(stage.claims()))
        await anyio.wait_all_tasks_blocked()
        for _ in range(20):
            assert (await prove(source, stage.key.sign(stage.claims()))).user == "ada"
        group.cancel_scope.cancel()
    await stage.go_on()
    stage.clock.advance(PAUSE_MS)
    assert (await prove(source, stage.key.sign(stage.claims()))).user == "ada"
    await source.close()


def test_keys_that_are_weak_private_or_of_other_kinds_are_passed_over() -> None:
    good, elliptic = SigningKey("good"), SigningKey("elliptic", "ES256")
    strange = [
        SigningKey("weak", bits=1024).public,
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret", "alg": "HS256"},
        {**good.public, "use": "enc"},
        {**good.public, "key_ops": ["encrypt"]},
        {**good.public, "alg": "HS256"},
        {**good.public, "alg": "none"},
        {**good.public, "n": "AA"},
        {**good.public, "e": "A" * 9},
        {**elliptic.public, "crv": "P-384"},
        {**elliptic.public, "x": "AAAA"},
        {"kty": "RSA"},
        {"kid": 1},
        1,
        None,
    ]
    text = json.dumps({"keys": [*strange, good.private, elliptic.public]}).encode()
    found = read_keys(text, ("RS256", "PS256", "ES256", "EdDSA"))
    assert [(key.id, key.algorithm) for key in found] == [("good", "RS256"), ("elliptic", "ES256")]
    assert not hasattr(found[0].made.key, "private_numbers")
    for none in (
        b"",
        b"[]",
        b"{}",
        b'{"keys": 1}',
        b"[" * 10_000,
        json.dumps({"keys": [{}] * (KEYS_MAX + 1)}).encode(),
    ):
        with raises(ValueError):
            read_keys(none, ("RS256",))
