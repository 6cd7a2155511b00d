"""Does a driver keep what rambla.enforcers.ports.Enforcer promises?

A test class inherits `EnforcerSuite` and provides the fixture `stage`: an enforcer that says yes to `alice` and no to
`bob`, asked with the argument `ARGUMENT`, and the real thing behind it.
"""

from typing import Protocol

import anyio

from rambla.domain.access import Question
from rambla.domain.errors import EnforcerAway, NoAnswer
from rambla.enforcers.ports import Enforcer
from rambla.testing.checks import raises

HOSTILE = (
    "",
    "*",
    "*)(uid=*",
    "alice)(|(uid=*",
    "a*e",
    "alice\\",
    "\\61lice",
    "' OR '1'='1",
    '" OR ""="',
    "alice'; DROP TABLE members; --",
    "bob' UNION SELECT 1 --",
    ":subject",
    "%(subject)s",
    "{subject}",
    "alice\0",
    "\0",
    "alice\n",
    "alice\r\nHost: other",
    "bob&credentials=%22True%22",
    "True",
    "\u202ealice",
    "\ud800",
    "al\u0131ce",
    "cn=alice,ou=people,dc=example,dc=org",
    "x" * 100_000,
)


class Stage(Protocol):
    """`argument` is what a rule would write behind the name; `secret` must be in no error."""

    enforcer: Enforcer
    argument: str
    secret: str

    async def stop(self) -> None:
        """From now on the server hangs: its connections stay, and nothing is answered."""
        ...

    async def go_on(self) -> None: ...

    async def kill(self) -> None: ...

    async def start(self) -> None: ...


def question(subject: str) -> Question:
    credentials = {"subject": subject, "namespace": "guest", "source": "key", "roles": []}
    target = {"namespace": "guest", "name": "guest/a", "shared": False, "exported": False}
    return Question("named", "action:invoke", credentials, target)


async def says_yes(stage: Stage, subject: str) -> bool:
    with anyio.fail_after(30):
        return await stage.enforcer.says_yes(stage.enforcer.wording(question(subject), stage.argument))


async def answers_again(stage: Stage) -> bool:
    """Whether it says yes to alice and no to bob, after what it needs to come back."""
    with anyio.fail_after(30):
        while True:
            try:
                return await says_yes(stage, "alice") and not await says_yes(stage, "bob")
            except EnforcerAway:
                await anyio.sleep(0.05)


class EnforcerSuite:
    async def test_it_says_yes_and_no(self, stage: Stage) -> None:
        assert await says_yes(stage, "alice") is True
        assert await says_yes(stage, "bob") is False
        assert await says_yes(stage, "nobody") is False

    async def test_a_wording_is_all_that_the_answer_hangs_on(self, stage: Stage) -> None:
        alice, again, bob = (
            stage.enforcer.wording(question(name), stage.argument) for name in ("alice", "alice", "bob")
        )
        assert alice == again
        assert hash(alice) == hash(again)
        assert alice != bob

    async def test_hostile_names_are_nobodys(self, stage: Stage) -> None:
        for name in HOSTILE:
            try:
                assert await says_yes(stage, name) is False, ascii(name[:100])
            except EnforcerAway as error:
                raise AssertionError(f"{name[:100]!a} makes everybody wait: {error}") from error
            except NoAnswer:
                continue
        assert await answers_again(stage)

    async def test_many_are_asked_about_at_once(self, stage: Stage) -> None:
        answers: dict[str, bool] = {}

        async def ask(name: str) -> None:
            answers[name] = await says_yes(stage, name)

        async with anyio.create_task_group() as group:
            for number in range(50):
                group.start_soon(ask, f"nobody{number}")
            group.start_soon(ask, "alice")
        assert {name for name, answer in answers.items() if answer} == {"alice"}
        assert len(answers) == 51

    async def test_one_who_hangs_is_left_when_the_time_is_over_and_answers_again_later(self, stage: Stage) -> None:
        assert await says_yes(stage, "alice")
        await stage.stop()
        for number in range(10):
            with anyio.move_on_after(0.05) as scope:
                await says_yes(stage, f"nobody{number}")
            assert scope.cancelled_caught
        await stage.go_on()
        assert await answers_again(stage)

    async def test_one_who_is_killed_is_away_and_answers_again_later(self, stage: Stage) -> None:
        assert await says_yes(stage, "alice")
        await stage.kill()
        for name in ("alice", "bob"):
            with raises(EnforcerAway):
                await says_yes(stage, name)
        await stage.start()
        assert await answers_again(stage)

    async def test_no_error_tells_the_secret(self, stage: Stage) -> None:
        await stage.kill()
        try:
            await says_yes(stage, "alice")
        except NoAnswer as error:
            told = [error, error.__cause__, error.__context__]
            assert all(stage.secret not in repr(each) and stage.secret not in str(each) for each in told)
        else:
            raise AssertionError("there is an answer, and nobody is there")
        await stage.start()
