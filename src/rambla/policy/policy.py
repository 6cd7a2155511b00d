"""May they? The policy as the platform holds it.

A book of rules, compiled as it is asked: once for each permission and profile of callers (their roles and scope), and
then kept. A policy never changes; a new one is made aside and takes its place. It does no I/O but through the port of
enforcers.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from rambla.domain.access import Decision
from rambla.policy.closures import Check
from rambla.policy.compiled import Compiler, Profile
from rambla.policy.credentials import Credentials
from rambla.policy.ports import NOBODY, Enforcers
from rambla.policy.rulings import Book, Ruling, refuse_depth

PROFILES_MAX = 1024
PERMISSIONS_MAX = 8192
UNDECIDABLE = Decision(allowed=False, rule="policy/undecidable")

Target: TypeAlias = Mapping[str, object]
Decide: TypeAlias = Callable[[Credentials, Target], Decision]


class Policy:
    """Decisions of one book."""

    def __init__(self, book: Book, enforcers: Enforcers = NOBODY) -> None:
        """Raises TooDeep if the book's terms nest too deeply to be decided."""
        self.book = book
        self.enforcers = enforcers
        self._profiles: dict[Profile, _Compiled] = {}
        rulings = [book.ruling(permission) for permission in book.permissions]
        refuse_depth(book.rules, [clause.term for ruling in rulings for clause in ruling.clauses])

    def decide(self, credentials: Credentials, permission: str, target: Target) -> Decision:
        """The decision, and nothing else: whatever fails on the way is a no that says so."""
        try:
            compiled = self._profiles.get((credentials.roles, credentials.scope)) or self._profile(credentials)
            decide = compiled.decisions.get(permission) or compiled.add(permission)
            return decide(credentials, target)
        except Exception:
            return UNDECIDABLE

    def _profile(self, credentials: Credentials) -> "_Compiled":
        if len(self._profiles) >= PROFILES_MAX:
            self._profiles.clear()
        profile = (credentials.roles, credentials.scope)
        compiled = self._profiles[profile] = _Compiled(self.book, self.enforcers, profile)
        return compiled


class _Compiled:
    """What has been compiled for one profile of callers."""

    def __init__(self, book: Book, enforcers: Enforcers, profile: Profile) -> None:
        self.decisions: dict[str, Decide] = {}
        self._book = book
        self._compiler = Compiler(book.rules, enforcers, profile)

    def add(self, permission: str) -> Decide:
        if len(self.decisions) >= PERMISSIONS_MAX:
            self.decisions.clear()
        decide = self.decisions[permission] = deciding(self._compiler, self._book.ruling(permission), permission)
        return decide


def deciding(compiler: Compiler, ruling: Ruling, permission: str) -> Decide:
    """The ruling as one closure."""
    decide = _constant(ruling.otherwise)
    last: Decision | None = ruling.otherwise
    for clause in reversed(ruling.clauses):
        answer = compiler.compile(clause.term, permission).answer
        if answer is False:
            continue
        if answer is True:
            decide, last = _constant(clause.decision), clause.decision
        else:
            decide, last = _clause(answer, clause.decision, decide, last), None
    return decide


def _constant(decision: Decision) -> Decide:
    return lambda credentials, target: decision


def _clause(check: Check, decision: Decision, decide: Decide, last: Decision | None) -> Decide:
    """The clause's decision if its check holds, else what comes after; `last` is that, if it is a decision already."""
    if last is not None:
        return lambda credentials, target: decision if check(credentials, target) else last
    return lambda credentials, target: decision if check(credentials, target) else decide(credentials, target)
