"""How is a term decided fast?

A term becomes closures that ask what is left to ask: constants are folded, references are followed once, and what
depends on nothing but the caller's roles and scope is decided while compiling, once for each set of these. Folding
never takes away a part that might make the whole decision no by failing. `interpret` says what the result has to be.
"""

from collections.abc import Mapping

from rambla.policy import closures, generic
from rambla.policy.closures import Residue
from rambla.policy.credentials import Credentials, Profile
from rambla.policy.generic import Undecidable
from rambla.policy.interpret import answer_of
from rambla.policy.ports import Enforcers, Question
from rambla.policy.terms import (
    All,
    Ask,
    Atom,
    Broken,
    Constant,
    Contains,
    Either,
    Equal,
    InScope,
    Matches,
    Not,
    Order,
    Present,
    Reference,
    Role,
    Rules,
    Term,
)


class Compiler:
    """Compiles the terms of one set of rules for one profile of callers.

    What references lead to is compiled once and shared, so one compiler should be kept for all rules.
    """

    def __init__(self, rules: Rules, enforcers: Enforcers, profile: Profile) -> None:
        self._rules = rules
        self._enforcers = enforcers
        self._roles, self._scope = profile
        self._referred: dict[str, Residue] = {}
        self._path: list[str] = []
        self._permission = ""

    def compile(self, term: Term, permission: str) -> Residue:
        """What is left to ask when `permission` is decided by `term`."""
        self._permission = permission
        self._path.clear()  # an earlier compilation may have failed halfway
        return self._residue(term)

    def _residue(self, term: Term) -> Residue:
        match term:
            case Constant(value):
                return Residue(value)
            case Not(negated):
                return closures.negation(self._residue(negated))
            case All(terms):
                return closures.conjunction([self._residue(each) for each in terms])
            case Either(terms):
                return closures.disjunction([self._residue(each) for each in terms])
            case Reference(rule):
                return self._reference(rule)
            case Broken(reason):
                return closures.failure(Undecidable(reason))
            case _:
                return self._atom(term)

    def _reference(self, rule: str) -> Residue:
        if rule in self._referred:
            return self._referred[rule]
        if rule in self._path:
            reason = Undecidable(f"rule '{rule}' refers to itself")
            return Residue(closures.failure(reason).answer, safe=False, portable=False)
        found = self._rules.find(rule)
        if found is None:
            return Residue(False)
        self._path.append(rule)
        residue = self._residue(found)
        self._path.pop()
        if not residue.safe:
            residue = closures.false_if_a_key_is_missing(residue)
        if residue.portable:
            self._referred[rule] = residue
        return residue

    def _atom(self, atom: Atom) -> Residue:
        match atom:
            case Role(name):
                return self._role(name)
            case InScope(scope):
                return Residue(self._scope == scope)
            case Matches(kind, match):
                return closures.generic_check(kind, match)
            case Ask(where):
                return self._ask(where)
            case Equal():
                return closures.equality(atom)
            case Order() | Contains() | Present():
                return closures.comparison(atom)

    def _role(self, name: str) -> Residue:
        if "%" in name:
            return closures.role_of_target(name)
        if self._roles is None:
            return closures.failure(Undecidable("the caller's roles are no list of names"))
        return Residue(name.lower() in self._roles)

    def _ask(self, where: str) -> Residue:
        enforcers, permission = self._enforcers, self._permission

        def check(credentials: Credentials, target: Mapping[str, object]) -> bool:
            filled = generic.fill(where, target)
            question = Question(filled, permission, credentials.values, target)
            return answer_of(enforcers, question, credentials.answers)

        return Residue(check, safe=False, portable=False)
