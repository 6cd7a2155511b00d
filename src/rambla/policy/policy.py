"""May they? The policy as the platform holds it.

A book of rules, compiled as it is asked: once for each permission and profile of callers (their roles and scope), and
then kept. A policy never changes; a new one is made aside and takes its place. It does no I/O but through the port of
enforcers.
"""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import TypeAlias

from rambla.domain.access import Decision, Question, Unanswered
from rambla.policy.closures import Check
from rambla.policy.compiled import Compiler
from rambla.policy.credentials import Credentials, Profile
from rambla.policy.ports import NOBODY, Enforcers
from rambla.policy.rulings import Book, Ruling, refuse_depth

REMEMBERED_MAX = 100_000
UNDECIDABLE = Decision(allowed=False, rule="policy/undecidable")

Target: TypeAlias = Mapping[str, object]
Decide: TypeAlias = Callable[[Credentials, Target], Decision]


class Policy:
    """Decisions of one book."""

    def __init__(self, book: Book, enforcers: Enforcers = NOBODY) -> None:
        """Raises BrokenPolicy if the book's terms nest too deeply to be decided."""
        self.book = book
        self.enforcers = enforcers
        self._compilers: dict[Profile, Compiler] = {}
        self._decisions: dict[Profile, dict[str, Decide]] = {}
        self._remembered = 0
        self._adding = Lock()
        refuse_depth(book)

    def decide(self, credentials: Credentials, permission: str, target: Target) -> Decision:
        """The decision, and nothing else: whatever fails on the way is a no that says so."""
        try:
            return self._decide(credentials, permission, target)
        except Exception:
            return UNDECIDABLE

    def decide_or_ask(self, credentials: Credentials, permission: str, target: Target) -> Decision | Question:
        """As `decide`; or the question that has to be answered first, in the order in which the rules ask."""
        try:
            return self._decide(credentials, permission, target)
        except Unanswered as unanswered:
            return unanswered.question
        except Exception:
            return UNDECIDABLE

    def _decide(self, credentials: Credentials, permission: str, target: Target) -> Decision:
        try:
            decide = self._decisions[credentials.profile][permission]
        except KeyError:
            decide = self._add(credentials.profile, permission)
        return decide(credentials, target)

    def _add(self, profile: Profile, permission: str) -> Decide:
        """Compiles what is asked for the first time, and forgets all when there is too much to remember."""
        with self._adding:
            if self._remembered >= REMEMBERED_MAX:
                self._decisions.clear()
                self._compilers.clear()
                self._remembered = 0
            self._remembered += 1
            if profile not in self._compilers:
                self._compilers[profile] = Compiler(self.book.rules, self.enforcers, profile)
                self._decisions[profile] = {}
            decide = deciding(self._compilers[profile], self.book.ruling(permission), permission)
            self._decisions[profile][permission] = decide
            return decide


def deciding(compiler: Compiler, ruling: Ruling, permission: str) -> Decide:
    """The ruling as one closure."""
    steps: list[tuple[Check, Decision]] = []
    last = ruling.otherwise
    for clause in ruling.clauses:
        answer = compiler.compile(clause.term, permission).answer
        if answer is True:
            last = clause.decision
            break
        if answer is not False:
            steps.append((answer, clause.decision))
    return _deciding(steps, last)


def _deciding(steps: list[tuple[Check, Decision]], last: Decision) -> Decide:
    match steps:
        case []:
            return lambda credentials, target: last
        case [(check, decision)]:
            return lambda credentials, target: decision if check(credentials, target) else last

    def decide(credentials: Credentials, target: Target) -> Decision:
        for check, decision in steps:
            if check(credentials, target):
                return decision
        return last

    return decide
