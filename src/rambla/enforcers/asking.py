"""How is one enforcer asked?

The same question by many is put once. An answer is remembered for a stated time, yes and no each for its own. One who
does not answer in time is away: nobody asks again until a pause is over, then one question finds out whether it is
back. No answer is never taken for one, and nobody waits longer than `timeout_ms`, whatever a driver does.
"""

import logging
from collections.abc import Hashable
from typing import Annotated

import anyio
import msgspec
from msgspec import Meta

from rambla.domain.access import Question
from rambla.domain.errors import EnforcerAway, NoAnswer
from rambla.enforcers.memory import Memory
from rambla.enforcers.ports import Enforcer
from rambla.kit.clock import Clock
from rambla.kit.tasks import Tasks

_MS = 1_000_000
_log = logging.getLogger(__name__)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How long an answer may take, how long a yes and a no hold, how long one who is away is left alone.

    At most `questions_max` are put at once, and `answers_max` remembered.
    """

    timeout_ms: Annotated[int, Meta(ge=1, le=60_000)] = 2_000
    yes_ms: Annotated[int, Meta(ge=0, le=3_600_000)] = 30_000
    no_ms: Annotated[int, Meta(ge=0, le=3_600_000)] = 5_000
    pause_ms: Annotated[int, Meta(ge=1, le=3_600_000)] = 5_000
    questions_max: Annotated[int, Meta(ge=1, le=10_000)] = 100
    answers_max: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000


class _Put:
    """A question that was put: all who want to know wait for the same answer."""

    def __init__(self, wording: Hashable) -> None:
        self.wording = wording
        self.done = anyio.Event()
        self.answer: bool | NoAnswer | None = None


class Asking:
    """`asked` counts the questions that were put, `remembered` those that memory answered, `failed` those without an
    answer."""

    def __init__(self, name: str, enforcer: Enforcer, terms: Terms, clock: Clock, tasks: Tasks) -> None:
        self.name = name
        self.asked = self.remembered = self.failed = 0
        self._enforcer = enforcer
        self._terms = terms
        self._clock = clock
        self._tasks = tasks
        self._memory = Memory(yes_ms=terms.yes_ms, no_ms=terms.no_ms, answers_max=terms.answers_max)
        self._put: dict[Hashable, _Put] = {}
        self._trouble: NoAnswer | None = None
        self._back_ns = 0

    def recall(self, question: Question, argument: str) -> bool | None:
        """What it answered a moment ago, None if it did not. Raises NoAnswer for what cannot be asked."""
        answer = self._memory.get(self._enforcer.wording(question, argument), self._clock.monotonic_ns())
        self.remembered += answer is not None
        return answer

    async def ask(self, question: Question, argument: str) -> bool:
        """What it answers. Raises NoAnswer."""
        wording = self._enforcer.wording(question, argument)
        answer = self._memory.get(wording, self._clock.monotonic_ns())
        if answer is not None:
            self.remembered += 1
            return answer
        put = self._put.get(wording) or self._begin(wording)
        with anyio.move_on_after(self._terms.timeout_ms / 1000):
            await put.done.wait()
        found = self._settled(put, self._late())
        if isinstance(found, NoAnswer):
            raise type(found)(**found.facts)  # each who asked raises one of their own
        return found

    def health(self) -> dict[str, object]:
        """`state` is of the last question; `reason` says why that was not answered."""
        counts = {"asked": self.asked, "remembered": self.remembered, "failed": self.failed}
        match self._trouble:
            case None:
                return {"state": "answers" if self.asked else "not asked yet", **counts}
            case EnforcerAway(facts=facts):
                return {"state": "away", "reason": facts["detail"], **counts}
            case error:
                return {"state": "answers wrongly", "reason": error.facts["detail"], **counts}

    async def close(self) -> None:
        await self._enforcer.close()

    def _begin(self, wording: Hashable) -> _Put:
        """Raises NoAnswer while it is away, or if too many are asked already."""
        now_ns = self._clock.monotonic_ns()
        if isinstance(self._trouble, EnforcerAway):
            if now_ns < self._back_ns:
                detail = f"{self._trouble.facts['detail']}; it is asked again after {self._terms.pause_ms} ms"
                raise EnforcerAway(enforcer=self.name, detail=detail)
            self._back_ns = now_ns + max(self._terms.pause_ms, self._terms.timeout_ms) * _MS  # one finds out, for all
        if len(self._put) >= self._terms.questions_max:
            raise NoAnswer(enforcer=self.name, detail=f"{self._terms.questions_max} questions wait for it already")
        put = self._put[wording] = _Put(wording)
        self.asked += 1
        self._tasks.start(f"question to {self.name}", self._find_out, put)
        return put

    async def _find_out(self, put: _Put) -> None:
        """In a task of its own, so that it goes on when the first who asked does not wait for it."""
        put_ns = self._clock.monotonic_ns()
        found: bool | NoAnswer = self._late()
        try:
            with anyio.move_on_after(self._terms.timeout_ms / 1000):
                found = await self._enforcer.says_yes(put.wording) is True
        except NoAnswer as error:
            found = error
        except Exception as error:
            # Whatever a driver did not foresee may hold a secret in its text.
            _log.error("enforcer %s failed: %s", self.name, type(error).__name__)
            found = NoAnswer(enforcer=self.name, detail="its driver failed")
        finally:
            found = self._settled(put, found)
        if isinstance(found, bool):
            self._memory.put(put.wording, found, put_ns)

    def _settled(self, put: _Put, found: bool | NoAnswer) -> bool | NoAnswer:
        """What came of a question; the first to say so is right: the answer, or one who waited long enough."""
        if put.answer is None:
            put.answer = found
            put.done.set()
            del self._put[put.wording]
            self._note(found if isinstance(found, NoAnswer) else None)
        return put.answer

    def _note(self, trouble: NoAnswer | None) -> None:
        self.failed += trouble is not None
        if isinstance(trouble, EnforcerAway):
            if not isinstance(self._trouble, EnforcerAway):
                _log.warning("%s", trouble)
            self._back_ns = self._clock.monotonic_ns() + self._terms.pause_ms * _MS
        elif isinstance(self._trouble, EnforcerAway):
            _log.info("enforcer %s answers again", self.name)
        self._trouble = trouble

    def _late(self) -> EnforcerAway:
        return EnforcerAway(enforcer=self.name, detail=f"it did not answer within {self._terms.timeout_ms} ms")
