"""Which mistakes would open a door, or close one for nobody to see?

Strict mode: every way in which oslo.policy takes a mistake silently, or fails later for it, is a problem with file,
line, column and fix. Reads what `files` has read and what the service registers; changes nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from rambla.policy import generic
from rambla.policy.asked import of_address
from rambla.policy.circles import on_circles
from rambla.policy.oslo.book import DEFAULT_RULE, RuleDefault
from rambla.policy.oslo.checks import parse
from rambla.policy.oslo.files import FileRule, PolicyFile, place_in
from rambla.policy.problems import Problem, nearest
from rambla.policy.terms import TRUE, All, Ask, Matches, Not, Reference, Role, Rules, Term, references, walk

PROBLEMS_MAX = 200
# What oslo.context puts into the credentials of every service (RequestContext.to_policy_values).
CREDENTIALS = frozenset(
    [
        "user_id",
        "user_domain_id",
        "project_id",
        "project_domain_id",
        "domain_id",
        "system_scope",
        "system",
        "roles",
        "is_admin",
        "is_admin_project",
        "service_user_id",
        "service_user_domain_id",
        "service_project_id",
        "service_project_domain_id",
        "service_roles",
        "tenant",
        "tenant_id",
        "user",
        "group_ids",
        "token",
        "is_public_api",
        "read_only",
        "show_deleted",
    ]
)


class _Any(dict[str, Any]):
    """A target that has every key."""

    def __missing__(self, key: str) -> str:
        return ""


def find(files: Sequence[PolicyFile], defaults: Iterable[RuleDefault], rules: Rules) -> list[Problem]:
    """The problems of these files; `rules` are those in force with them."""
    registered = {default.name: default for default in defaults}
    kinds = CREDENTIALS | _kinds(parse(default.check).term for default in registered.values())
    former = {default.deprecated.name for default in registered.values() if default.deprecated}
    known = frozenset(registered) | former
    traps = _Traps(rules, kinds, known | _referred(rules))
    found = (problem for file in files for problem in traps.of_file(file, anything=not registered))
    return list(islice(found, PROBLEMS_MAX))


def _kinds(terms: Iterable[Term]) -> frozenset[str]:
    return frozenset(part.kind.split(".")[0] for term in terms for part in walk(term) if isinstance(part, Matches))


def _referred(rules: Rules) -> frozenset[str]:
    return frozenset(name for term in rules.terms.values() for name in references(term))


class _Traps:
    def __init__(self, rules: Rules, kinds: frozenset[str], known: frozenset[str]) -> None:
        self._rules = rules
        self._kinds = kinds
        self._known = known
        self._circles = on_circles({name: set(references(term)) for name, term in rules.terms.items()})

    def of_file(self, file: PolicyFile, *, anything: bool) -> Iterator[Problem]:
        """`anything`: the service registers nothing, so that any name may be asked for."""
        for place in file.odd:
            yield Problem(place, "the name of a rule must be text", "put the name in quotes")
        for rule in file.rules.values():
            yield from self._form(rule)
            yield from self._name(rule, anything=anything)
            yield from self._term(rule)

    def _form(self, rule: FileRule) -> Iterator[Problem]:
        if rule.first is not None:
            detail = f"'{rule.name}' is written twice, first in line {rule.first.line}, and only the last one counts"
            yield Problem(rule.key, detail, "keep one of them")
        if not isinstance(rule.value, str):
            detail = (
                f"a check of kind {type(rule.value).__name__} is read in ways nobody expects; null and [] allow all"
            )
            yield Problem(rule.text, detail, 'write the check as text: "@" for everybody, "!" for nobody')
        elif not rule.value:
            yield Problem(rule.text, "an empty check allows everybody", 'write "@" if that is meant, else "!"')
        for flaw in rule.check.flaws:
            yield Problem(place_in(rule, flaw.at), flaw.detail, flaw.fix)

    def _name(self, rule: FileRule, *, anything: bool) -> Iterator[Problem]:
        if rule.name == DEFAULT_RULE:
            if rule.check.term == TRUE:
                yield Problem(rule.key, "every misspelt rule is allowed to everybody", 'write "default": "!"')
        elif not anything and rule.name not in self._known:
            fix = nearest(rule.name, self._known) or "drop it, or refer to it from another rule"
            yield Problem(rule.key, f"there is no rule '{rule.name}', so this has no effect", fix)

    def _term(self, rule: FileRule) -> Iterator[Problem]:
        for part in walk(rule.check.term):
            match part:
                case Matches():
                    yield from self._matches(rule, part)
                case Role(name):
                    yield from self._template(rule, f"role:{name}", name)
                case Ask(where):
                    yield from self._template(rule, where, where)
                    yield from of_address(_place(rule, where), where)
                case Reference(name):
                    yield from self._reference(rule, name)
                case Not(term):
                    yield from self._negation(rule, term)
        if rule.name in self._circles:
            yield Problem(rule.key, f"the rule '{rule.name}' refers to itself, or to one that does", "break the circle")

    def _matches(self, rule: FileRule, part: Matches) -> Iterator[Problem]:
        text = f"{part.kind}:{part.match}"
        yield from self._template(rule, text, part.match)
        match generic.left(part.kind):
            case generic.Path((name, *_)) if name not in self._kinds:
                fix = nearest(name, self._kinds | {"role", "rule"}) or "name what the credentials have"
                yield Problem(_place(rule, text), f"no service gives credentials '{name}'; oslo.policy denies", fix)
            case generic.Unreadable():
                yield Problem(_place(rule, text), f"'{part.kind}' can be read neither as name nor value", "quote it")

    def _template(self, rule: FileRule, text: str, template: str) -> Iterator[Problem]:
        try:
            generic.fill(template, _Any())
        except (ValueError, TypeError):
            fix = "write %(key)s for what the target has, and %% for a percent sign"
            yield Problem(_place(rule, text), f"'{template}' cannot be filled in; every call would fail", fix)

    def _reference(self, rule: FileRule, name: str) -> Iterator[Problem]:
        if name not in self._rules.terms:
            fix = nearest(name, self._rules.terms) or f"write the rule '{name}'"
            yield Problem(_place(rule, f"rule:{name}"), f"there is no rule '{name}'; oslo.policy denies", fix)

    def _negation(self, rule: FileRule, term: Term) -> Iterator[Problem]:
        """What is beneath a `not` and false by mistake, allows."""
        for part in _beneath(term, self._rules):
            template = _template(part)
            if "%" in template:
                detail = f"'not' allows whenever the target lacks what '{template}' names"
                yield Problem(_place(rule, template), detail, "say who may instead of who may not")


def _template(part: Term) -> str:
    """What is filled from the target."""
    match part:
        case Matches(_, template) | Role(template) | Ask(template):
            return template
    return ""


def _beneath(term: Term, rules: Rules) -> Iterator[Term]:
    """All parts of a term and of what it refers to."""
    todo, seen = [term], set()
    while todo:
        for part in walk(todo.pop()):
            if isinstance(part, Reference) and part.rule not in seen:
                seen.add(part.rule)
                todo.append(rules.find(part.rule) or TRUE)
            yield part


def _place(rule: FileRule, text: str) -> Any:
    at = rule.value.find(text) if isinstance(rule.value, str) else 0
    return place_in(rule, max(at, 0))


def without_none(term: Term) -> Term:
    """A check in which an absent project or owner is nobody's: oslo.policy takes two nulls for the same."""
    match term:
        case Matches(kind, match) if "%" in match and isinstance(generic.left(kind), generic.Path):
            return All((term, Not(Matches("'None'", match))))
        case _:
            return term
