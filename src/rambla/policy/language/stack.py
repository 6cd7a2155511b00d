"""What do layers say together?

Defaults first, then site, region, domain and project. A lower layer adds roles and rules; where it speaks of one that
is there already it says `extend` or `replace`. `never` stays for ever. A locked permission is allowed only where the
layers down to the lock allow it by themselves, so that whatever comes below can only narrow it.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise

from rambla.domain.access import Decision
from rambla.policy.language import merging
from rambla.policy.language.layers import LEVELS, Condition, Layer, Word
from rambla.policy.language.truth import certainly
from rambla.policy.problems import Place, Problem, broken, nearest
from rambla.policy.rulings import Clause, Ruling, allowing
from rambla.policy.terms import InScope, Not, Reference, Role, Rules, Term, either_of, rewrite, walk

DEFAULT_DENY = Decision(allowed=False, rule="deny", layer="defaults")
PROBLEMS_MAX = 200
STANDARD_ROLES = frozenset({"admin", "manager", "member", "reader", "service"})


class LayeredBook:
    """The rules of a stack of layers. Raises BrokenPolicy for what does not fit together."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = tuple(layers)
        problems = [*_order(self.layers), *merging.problems(self.layers)]
        if problems:
            raise broken(problems)
        self._merged = [merging.merge(self.layers[: count + 1]) for count in range(len(self.layers))]
        if problems := list(islice(_unknown(self.layers), PROBLEMS_MAX)):
            raise broken(problems)
        self.rules = Rules(dict(self._referable()))
        names = tuple(dict.fromkeys(_names(self.layers)))
        plain = [name.removeprefix("=") for name in names if not merging.is_pattern(name)]
        self.permissions = tuple(dict.fromkeys(plain))
        self.patterns = tuple(name for name in names if merging.is_pattern(name) and name != "*")

    def extended(self, layers: Sequence[Layer]) -> "LayeredBook":
        """The same with more layers below, for instance those of one domain and one project."""
        return LayeredBook([*self.layers, *layers])

    def ruling(self, permission: str) -> Ruling:
        return self._ruling(permission, len(self.layers) - 1) if self.layers else Ruling((), DEFAULT_DENY)

    def _ruling(self, permission: str, last: int) -> Ruling:
        """As the layers up to the one numbered `last` decide it: what denies first, then what allows."""
        merged = self._merged[last]
        clauses = [
            *(Clause(self._term(term, last), decision) for term, decision in merged.denials(permission)),
            *(Clause(_out_of(scope), decision) for scope, decision in merged.scopes(permission)),
            *self._locks(permission, last),
            *(Clause(self._term(term, last), decision) for term, decision in merged.grants(permission)),
        ]
        return Ruling(tuple(clauses), DEFAULT_DENY)

    def _locks(self, permission: str, last: int) -> Iterator[Clause]:
        """The lowest lock above `last` is enough, as the ruling at that lock honours those above it."""
        for index in range(last - 1, -1, -1):
            layer = self.layers[index]
            for lock in layer.locks:
                if lock.text in merging.meaning(permission):
                    held = allowing(self._ruling(permission, index))
                    decision = Decision(False, f"lock {lock.text}", layer.level, lock.place.line)
                    yield Clause(Not(held), decision)
                    return

    def _referable(self) -> Iterator[tuple[str, Term]]:
        for index, merged in enumerate(self._merged):
            for name, term in merged.conditions():
                yield _at(name, index), self._term(term, index)

    def _term(self, term: Term, index: int) -> Term:
        """The term with its roles and references as the layers up to `index` know them."""

        def change(part: Term) -> Term:
            if isinstance(part, Role):
                return either_of(*[Role(name) for name in self._merged[index].holders(part.name)])
            return Reference(_at(part.rule, index)) if isinstance(part, Reference) else part

        return rewrite(term, change)


def _at(rule: str, index: int) -> str:
    """A rule's name among the layers up to one; locks remember rules as they were."""
    return f"{rule}\n@{index}"


def _out_of(scope: Iterable[InScope]) -> Term:
    return Not(either_of(*scope))


def _names(layers: Sequence[Layer]) -> Iterator[str]:
    """The permissions and patterns that are written anywhere."""
    for layer in layers:
        words = [word for role in layer.roles.values() for word in (*role.may, *role.never)]
        yield from (*layer.rules, *(word.text for word in (*words, *layer.locks)))


def _order(layers: Sequence[Layer]) -> Iterator[Problem]:
    for above, below in pairwise(layers):
        if LEVELS.index(below.level) < LEVELS.index(above.level):
            detail = f"the layer '{below.level}' cannot stand below '{above.level}' ({above.place.file})"
            yield Problem(below.place, detail, f"keep the order {', '.join(LEVELS)}")


def _unknown(layers: Sequence[Layer]) -> Iterator[Problem]:
    """Roles and rules that are spoken of and that no layer down to there has."""
    roles, rules = set(STANDARD_ROLES), set[str]()
    for layer in layers:
        roles |= {name.lower() for name in layer.roles}
        rules |= set(layer.rules)
        for role in layer.roles.values():
            yield from (_missing("role", word, roles) for word in role.includes if word.text.lower() not in roles)
        for rule in layer.rules.values():
            for condition in (*rule.allow, *rule.deny):
                yield from _unknown_in(condition, roles, rules)


def _unknown_in(condition: Condition, roles: set[str], rules: set[str]) -> Iterator[Problem]:
    for part in walk(condition.truth.certain):
        if isinstance(part, Role) and "%" not in part.name and part.name.lower() not in roles:
            yield _missing("role", _in(condition, part.name), roles)
        if isinstance(part, Reference) and certainly(part.rule) not in rules:
            yield _missing("rule", _in(condition, certainly(part.rule)), rules)


def _in(condition: Condition, name: str) -> Word:
    """The name where the condition has it, as far as it is on one line."""
    place = condition.place
    return Word(name, Place(place.file, place.line, place.column + max(condition.text.find(name), 0)))


def _missing(kind: str, word: Word, names: set[str]) -> Problem:
    fix = nearest(word.text, names) or f"declare it: '{kind}s: {{{word.text}: ...}}'"
    return Problem(word.place, f"there is no {kind} '{word.text}'", fix)
