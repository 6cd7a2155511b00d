"""What do those outside say, whom the rules ask?

One is asked after the other, in the order in which the rules need them, and no more than they need: `ask a or ask b`
does not ask b if a says yes. Whoever gives no answer makes the whole decision no, and is named by it.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from rambla.domain.access import Decision, Question
from rambla.domain.errors import NoAnswer
from rambla.enforcers.panel import Panel
from rambla.policy.credentials import Credentials
from rambla.policy.policy import Policy

QUESTIONS_MAX = 16
TOO_MANY = Decision(False, "enforcer/too-many", reason=f"the rules ask more than {QUESTIONS_MAX} questions")


async def decided(
    enforcers: Panel, policy: Policy, known: Credentials, permission: str, target: Mapping[str, object]
) -> Decision:
    """The decision, whoever has to be asked for it. Never raises for what the policy says."""
    found = policy.decide_or_ask(known, permission, target)
    return await consult(enforcers, policy, found, known) if isinstance(found, Question) else found


async def consult(enforcers: Panel, policy: Policy, question: Question, known: Credentials) -> Decision:
    """The decision that hangs on `question`, and perhaps on more."""
    answers: dict[str, bool] = {}
    while len(answers) < QUESTIONS_MAX:
        try:
            answers[question.where] = await enforcers.ask(question)
        except NoAnswer as error:
            return Decision(False, f"enforcer/{error.facts['enforcer']}", reason=str(error.facts["detail"]))
        found = policy.decide_or_ask(replace(known, answers=answers), question.permission, question.target)
        if isinstance(found, Decision):
            return found
        question = found
    return TOO_MANY
