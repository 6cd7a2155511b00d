"""A token is good for whom it was made, until it expires, is ended, or its account is revoked."""

import hmac

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.domain.access import Caller
from rambla.domain.errors import BadCredentials
from rambla.drivers.memory.identity import MemoryAccountStore, MemoryTokenStore
from rambla.identity.ports import Standing
from rambla.identity.tokens import Tokens, id_of, is_ours
from rambla.kit.clock import ManualClock

pytestmark = pytest.mark.anyio
ADA = Caller("corp/ada", "payroll", "corp", ("developer",))
THERE = msgspec.structs.replace(ADA, namespace="web", roles=("reader",))
HOUR_MS = 3_600_000


class Office:
    def __init__(self) -> None:
        self.clock, self.accounts, self.store = ManualClock(), MemoryAccountStore(), MemoryTokenStore()
        self.tokens = Tokens(self.store, self.accounts, self.clock)

    async def issue(self) -> str:
        made = await self.tokens.issue("corp/ada", (ADA, THERE), kind="api", name="robot", lifetime_ms=HOUR_MS)
        return made[0]

    async def refuses(self, text: str) -> bool:
        try:
            await self.tokens.prove(text)
        except BadCredentials as error:
            return error.facts == {}
        return False


@pytest.fixture
def office() -> Office:
    return Office()


async def test_a_token_makes_those_it_was_made_for(office: Office) -> None:
    text = await office.issue()
    assert is_ours(text)
    identity = await office.tokens.prove(text)
    assert (identity.caller, identity.acting_in("web"), identity.acting_in("other")) == (ADA, THERE, ADA)
    assert identity.valid_ms == office.clock.now_ms() + HOUR_MS


async def test_of_the_secret_nothing_is_kept(office: Office) -> None:
    text = await office.issue()
    kept = msgspec.json.encode(await office.tokens.of(""))
    assert text.split("_", 2)[2].encode() not in kept
    assert str(id_of(text)).encode() in kept


async def test_it_ends_when_it_expires_or_is_ended_or_renewed(office: Office) -> None:
    text, ended, old = [await office.issue() for _ in range(3)]
    assert await office.tokens.end(str(id_of(ended)))
    assert await office.refuses(ended)
    token = await office.tokens.get(str(id_of(old)))
    assert token
    new, renewed = await office.tokens.renew(token, token.callers, token.expires_ms)
    assert (renewed.id, renewed.name) == (token.id, token.name)
    assert await office.refuses(old)
    assert (await office.tokens.prove(new)).caller == ADA
    office.clock.advance(HOUR_MS)
    assert await office.refuses(text)


async def test_revoking_an_account_ends_what_was_issued_until_then(office: Office) -> None:
    old = await office.issue()
    await office.accounts.put(Standing(account="corp/ada", revoked_ms=office.clock.now_ms()))
    office.clock.advance(1)
    new = await office.issue()
    assert await office.refuses(old)
    assert (await office.tokens.prove(new)).caller == ADA
    await office.accounts.put(Standing(account="corp/ada", blocked=True))
    assert await office.refuses(new)


async def test_whose_account_it_is_is_asked_each_time(office: Office) -> None:
    text = await office.issue()
    await office.accounts.put(Standing(account="corp/ada", person="Ada L."))
    assert (await office.tokens.prove(text)).acting_in("web").person == "Ada L."


async def test_an_unknown_token_is_compared_like_a_known_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    text = await office.issue()
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    for wrong in (text[:-1] + ("A" if text[-1] != "A" else "B"), f"rbl_{'0' * 16}_{'a' * 43}"):
        assert await office.refuses(wrong)
    assert compared == [(32, 32)] * 2


@given(st.text(max_size=80) | st.from_regex(r"rbl_[0-9a-f]{15,17}_[A-Za-z0-9_-]{42,44}", fullmatch=True))
async def test_no_text_whatever_proves_anybody(text: str) -> None:
    assert await Office().refuses(text)
