"""Do drivers keep what rambla.identity.ports promises of the stores of accounts, tokens, users and locks?

A test class inherits a suite and provides the fixture `store`, empty for each test.
"""

import anyio
from msgspec.structs import replace

from rambla.domain.access import Caller
from rambla.domain.errors import BadCredentials
from rambla.identity.ports import AccountStore, ApiToken, LocalUser, LockStore, Standing, TokenStore, UserStore
from rambla.testing.checks import raises

STRANGE = ("", "\0", "\ud800", "x" * 100_000, "corp/nobody")
CALLER = Caller(
    "corp/ada", "guest", "corp", ("developer",), 3, "password", ("staff",), "ada", "corp/bob", ("action:*",)
)


def token(token_id: str, account: str = "corp/ada", *, created_ms: int = 10, expires_ms: int = 20) -> ApiToken:
    return ApiToken(
        id=token_id,
        digest=bytes(range(32)),
        account=account,
        kind="api",
        name="a program",
        callers=(CALLER,),
        created_ms=created_ms,
        expires_ms=expires_ms,
    )


class AccountStoreSuite:
    async def test_what_is_known_is_kept_in_place_of_what_was(self, store: AccountStore) -> None:
        for strange in STRANGE:
            assert await store.get(strange) is None
        await store.put(Standing(account="corp/ada", person="ada"))
        latest = Standing(account="corp/ada", person="ada", revoked_ms=17, blocked=True)
        await store.put(latest)
        await store.put(Standing(account="corp/Ada"))
        assert await store.get("corp/ada") == latest
        assert [each.account for each in await store.all()] == ["corp/Ada", "corp/ada"]

    async def test_a_change_is_made_to_what_is_known_and_changes_at_once_lose_none(self, store: AccountStore) -> None:
        assert await store.change("corp/ada", lambda known: replace(known, person="ada")) == Standing(
            account="corp/ada", person="ada"
        )
        seen = await store.changes()

        async def later() -> None:
            await store.change("corp/ada", lambda known: replace(known, revoked_ms=known.revoked_ms + 1))

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(later)
        assert await store.get("corp/ada") == Standing(account="corp/ada", person="ada", revoked_ms=20)
        assert await store.changes() != seen

    async def test_every_change_is_another_number(self, store: AccountStore) -> None:
        seen = [await store.changes()]
        for account in ("corp/ada", "corp/bob", "corp/ada", "corp/ada"):
            await store.put(Standing(account=account))
            seen.append(await store.changes())
        assert len(set(seen)) == len(seen)


class TokenStoreSuite:
    async def test_a_token_comes_back_as_it_was_until_it_is_deleted(self, store: TokenStore) -> None:
        await store.put(token("a"))
        assert await store.get("a") == token("a")
        await store.put(token("a", expires_ms=30))
        assert await store.get("a") == token("a", expires_ms=30)
        assert [await store.delete("a"), await store.delete("a")] == [True, False]
        for strange in ("a", *STRANGE):
            assert await store.get(strange) is None

    async def test_those_of_an_account_are_the_newest_first_and_nobody_elses(self, store: TokenStore) -> None:
        for token_id, account, created_ms in (("a", "corp/ada", 1), ("b", "corp/ada", 3), ("c", "corp/bob", 2)):
            await store.put(token(token_id, account, created_ms=created_ms))
        assert [each.id for each in await store.of("corp/ada")] == ["b", "a"]
        assert [each.id for each in await store.of("")] == ["b", "c", "a"]
        assert await store.of("corp/Ada") == []

    async def test_what_expired_is_deleted_and_nothing_else(self, store: TokenStore) -> None:
        for token_id, expires_ms in (("a", 1), ("b", 2), ("c", 3)):
            await store.put(token(token_id, expires_ms=expires_ms))
        assert await store.expire(2) == 1
        assert sorted(each.id for each in await store.of("")) == ["b", "c"]


def user(name: str = "ada", *, source: str = "local", totp_step: int = 0) -> LocalUser:
    return LocalUser(
        source=source,
        user=name,
        hash="$argon2id$",
        changed_ms=7,
        groups=("staff",),
        expires_ms=9,
        totp=bytes(range(256)),
        totp_step=totp_step,
    )


class UserStoreSuite:
    async def test_a_user_comes_back_as_they_were_until_they_are_nobody(self, store: UserStore) -> None:
        for strange in STRANGE:
            assert await store.get("local", strange) is None
            assert await store.get(strange, "ada") is None
        assert await store.change("local", "ada", lambda known: known) is None
        assert await store.change("local", "ada", lambda known: None if known else user()) == user()
        assert await store.get("local", "ada") == user()
        assert await store.get("other", "ada") is None
        assert await store.change("local", "ada", lambda known: None) is None
        assert await store.get("local", "ada") is None

    async def test_users_of_a_source_are_listed_by_name(self, store: UserStore) -> None:
        for source, name in (("local", "bob"), ("local", "ada"), ("other", "cyd")):
            await _keep(store, user(name, source=source))
        assert [each.user for each in await store.of("local")] == ["ada", "bob"]
        assert await store.of("nobodys") == []

    async def test_changes_at_once_lose_none_and_what_is_refused_changes_nothing(self, store: UserStore) -> None:
        await store.change("local", "ada", lambda known: user())

        def next_step(known: LocalUser | None) -> LocalUser:
            assert known is not None
            return replace(known, totp_step=known.totp_step + 1)

        def refuse(known: LocalUser | None) -> LocalUser:
            raise BadCredentials()

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(store.change, "local", "ada", next_step)
        with raises(BadCredentials):
            await store.change("local", "ada", refuse)
        assert await store.get("local", "ada") == user(totp_step=20)


async def _keep(store: UserStore, made: LocalUser) -> None:
    await store.change(made.source, made.user, lambda known: made)


class LockStoreSuite:
    async def test_a_lock_holds_for_one_name_of_one_source_until_it_is_opened(self, store: LockStore) -> None:
        for strange in STRANGE:
            assert await store.locked_until_ms("corp", strange) == 0
        await store.lock("corp", "ada", 10)
        await store.lock("corp", "ada", 20)
        assert await store.locked_until_ms("corp", "ada") == 20
        assert await store.locked_until_ms("other", "ada") == await store.locked_until_ms("corp", "bob") == 0
        for _ in range(2):
            await store.unlock("corp", "ada")
        assert await store.locked_until_ms("corp", "ada") == 0

    async def test_locks_that_ended_are_forgotten_and_no_others(self, store: LockStore) -> None:
        for name, until_ms in (("ada", 1), ("bob", 2), ("cyd", 3)):
            await store.lock("corp", name, until_ms)
        assert await store.expire(2) == 1
        assert [await store.locked_until_ms("corp", name) for name in ("ada", "bob", "cyd")] == [0, 2, 3]
