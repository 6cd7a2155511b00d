"""Does a driver keep what rambla.identity.ports.Source promises?

A test class inherits `SourceSuite` and provides the fixture `stage`: a source that knows one person, and the server
that it asks. One that asks nobody each time inherits `QuietSourceSuite`, which stops and kills nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import anyio
import msgspec
from msgspec.structs import replace

from rambla.domain.errors import BadCredentials, SourceAway
from rambla.domain.proofs import ApplicationCredential, Certificate, KeystoneToken, Password, Proof, Token
from rambla.identity.ports import Account, Source
from rambla.testing.checks import raises

STRANGE = (
    "",
    " ",
    "*",
    "*)(uid=*",
    "ada)(|(uid=*",
    "a*a",
    "ada\\",
    "\\61da",
    "' OR '1'='1",
    "' OR 1=1 --",
    "%{User-Name}",
    "ada\0",
    "\0",
    "ada\n",
    "ada\r\nX-Auth-Token: other",
    "../tokens",
    "{}",
    "None",
    "\u202eada",
    "\ud800",
    "\N{LATIN SMALL LETTER A WITH DIAERESIS}da",
    "cn=ada,ou=people,dc=example,dc=org",
    "gAAAAAB" + "A" * 200,
    "a.b.c",
    "x" * 100_000,
)
_EMPTY = frozenset({"", " "})
_MAY_BE_EMPTY = frozenset({"code", "domain", "project"})
_OF_EVERY_KIND: tuple[Proof, ...] = (
    Password(user="ada", password="word"),  # noqa: S106  # it opens nothing
    Token(token="word"),  # noqa: S106  # it opens nothing
    KeystoneToken(token="word"),  # noqa: S106  # it opens nothing
    ApplicationCredential(id="ada", secret="word"),  # noqa: S106  # it opens nothing
    Certificate(der=b"word"),
)


class Stage(Protocol):
    """`proofs` prove who `user` is; `wrong` are of the same kinds and prove nobody: at least one with a wrong secret
    and one of somebody unknown. `secrets` must be in no error."""

    source: Source
    user: str
    proofs: Sequence[Proof]
    wrong: Sequence[Proof]
    secrets: Sequence[str]


class ServerStage(Stage, Protocol):
    async def stop(self) -> None:
        """From now on the server hangs: its connections stay, and nothing is answered."""
        ...

    async def go_on(self) -> None: ...

    async def kill(self) -> None: ...

    async def start(self) -> None: ...


async def prove(stage: Stage, proof: Proof) -> Account:
    with anyio.fail_after(30):
        return await stage.source.prove(proof)


async def knows_again(stage: Stage) -> bool:
    """Whether everybody is known, after what it needs to come back."""
    with anyio.fail_after(60):
        while True:
            try:
                return {(await prove(stage, proof)).user for proof in stage.proofs} == {stage.user}
            except SourceAway:
                await anyio.sleep(0.05)


def strange_proofs(proof: Proof, text: str) -> Iterator[Proof]:
    """That proof with the text in one place after the other, as far as this makes it another."""
    for field in msgspec.structs.fields(proof):
        if field.name in _MAY_BE_EMPTY and text in _EMPTY:
            continue
        strange = replace(proof, **{field.name: text if field.type is str else text.encode("utf-8", "replace")})
        if strange != proof:
            yield strange


class QuietSourceSuite:
    async def test_it_says_whose_proof_that_is(self, stage: Stage) -> None:
        for proof in stage.proofs:
            assert stage.source.takes(proof)
            found = await prove(stage, proof)
            assert found.user == stage.user
            assert found.method

    async def test_a_wrong_proof_proves_nobody_and_is_not_told_why(self, stage: Stage) -> None:
        told = set()
        for proof in stage.wrong:
            assert stage.source.takes(proof)
            try:
                await prove(stage, proof)
            except BadCredentials as error:
                told.add((str(error), repr(error), str(error.facts)))
        assert len(told) == 1, "each must be refused, and all in the same words"

    async def test_by_its_looks_it_takes_what_it_may_know_and_nothing_else(self, stage: Stage) -> None:
        known = {type(proof) for proof in stage.proofs}
        for proof in _OF_EVERY_KIND:
            for text in STRANGE:
                for strange in strange_proofs(proof, text):
                    assert stage.source.takes(strange) in ({True, False} if type(proof) in known else {False})

    async def test_strange_proofs_are_nobodys_and_keep_nobody_waiting(self, stage: Stage) -> None:
        async def refused(proof: Proof, text: str) -> None:
            try:
                found = await prove(stage, proof)
            except BadCredentials:
                return
            except SourceAway as error:
                raise AssertionError(f"{text[:100]!a} makes everybody wait: {error}") from error
            raise AssertionError(f"{text[:100]!a} is taken for {found.user!a}")

        async with anyio.create_task_group() as group:
            for text in STRANGE:
                for proof in (each for right in stage.proofs for each in strange_proofs(right, text)):
                    if stage.source.takes(proof):
                        group.start_soon(refused, proof, text)
        assert await knows_again(stage)

    async def test_many_are_known_at_once(self, stage: Stage) -> None:
        users: list[str] = []

        async def ask(proof: Proof) -> None:
            try:
                users.append((await prove(stage, proof)).user)
            except BadCredentials:
                users.append("")

        async with anyio.create_task_group() as group:
            for _ in range(10):
                for proof in (*stage.proofs, *stage.wrong):
                    group.start_soon(ask, proof)
        assert sorted(users) == [""] * 10 * len(stage.wrong) + [stage.user] * 10 * len(stage.proofs)

    async def test_no_refusal_tells_a_secret(self, stage: Stage) -> None:
        for proof in stage.wrong:
            await tells_nothing(stage, proof)

    async def test_it_is_closed_once_and_again(self, stage: Stage) -> None:
        assert await knows_again(stage)
        for _ in range(2):
            await stage.source.close()


class SourceSuite(QuietSourceSuite):
    async def test_one_who_hangs_is_left_when_the_time_is_over_and_knows_again_later(self, stage: ServerStage) -> None:
        assert await knows_again(stage)
        await stage.stop()
        try:
            for proof in [*stage.proofs, *stage.wrong] * 3:
                with anyio.move_on_after(0.05) as scope:
                    await prove(stage, proof)
                assert scope.cancelled_caught
        finally:
            await stage.go_on()
        assert await knows_again(stage)

    async def test_one_who_is_killed_is_away_and_knows_again_later(self, stage: ServerStage) -> None:
        assert await knows_again(stage)
        await stage.kill()
        try:
            for proof in [*stage.proofs, *stage.wrong]:
                with raises(SourceAway):
                    await prove(stage, proof)
        finally:
            await stage.start()
        assert await knows_again(stage)

    async def test_no_failure_tells_a_secret(self, stage: ServerStage) -> None:
        await stage.kill()
        try:
            for proof in stage.proofs:
                await tells_nothing(stage, proof)
        finally:
            await stage.start()


async def tells_nothing(stage: Stage, proof: Proof) -> None:
    """It must raise, and neither what it raises nor what led to it may hold a secret."""
    try:
        await prove(stage, proof)
    except (SourceAway, BadCredentials) as error:
        told = " ".join(f"{each} {each!r}" for each in (*_led_to(error), stage.source))
        assert all(secret not in told for secret in stage.secrets)
    else:
        raise AssertionError("it knows somebody who is nobody, or is there and is not")


def _led_to(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
