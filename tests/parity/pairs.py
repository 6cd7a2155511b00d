"""The pairs of deprecated and new rules of real services: is what `diff` says of them all there is, and nothing else?

Asked in two ways that know nothing of how `diff` works: by truth tables over all combinations of a pair's atoms, and by
requests made for the atoms, which both policies decide.
"""

import itertools
import random
from dataclasses import dataclass

from parity import generate
from rambla.policy import generic
from rambla.policy.analysis.diagram import Cube, Diagram
from rambla.policy.analysis.difference import Case, changed
from rambla.policy.analysis.examples import Example
from rambla.policy.credentials import prepare
from rambla.policy.interpret import Asked, atom_holds
from rambla.policy.oslo.book import OsloBook, RuleDefault, book
from rambla.policy.policy import Policy
from rambla.policy.rulings import allowing
from rambla.policy.terms import All, Atom, Constant, Either, Matches, Not, Reference, Role, Rules, Term

REQUESTS = 40


@dataclass
class Sums:
    pairs: int = 0
    changed: int = 0
    cases: int = 0
    combinations: int = 0
    requests: int = 0


def check(defaults: list[RuleDefault], choice: random.Random, sums: Sums) -> None:
    """Every pair of a service. Raises AssertionError."""
    new = book(defaults)
    old = book([before(rule) for rule in defaults])
    policies = Policy(old), Policy(new)
    for rule in defaults:
        if rule.deprecated:
            sums.pairs += 1
            _tables(old, new, rule.name, sums)
            _pair(policies, rule.name, choice, sums)


def before(rule: RuleDefault) -> RuleDefault:
    check = rule.deprecated.check if rule.deprecated else rule.check
    return RuleDefault(rule.name, check, rule.scopes)


def _tables(old: OsloBook, new: OsloBook, name: str, sums: Sums) -> None:
    """A truth table is a number of 2**n bits, one for every combination of the atoms."""
    diagram = Diagram()
    terms = [(made.ruling(name), made.rules) for made in (old, new)]
    nodes = [diagram.allowed(allowing(ruling), rules) for ruling, rules in terms]
    bits = 1 << len(diagram.atoms)
    full = (1 << bits) - 1
    columns = {atom: _column(index, bits) for index, atom in enumerate(diagram.atoms)}
    tables = [_table(allowing(ruling), rules, columns, full) for ruling, rules in terms]
    for wanted, node in (
        (tables[1] & ~tables[0], diagram.both(nodes[1], diagram.inverse(nodes[0]))),
        (tables[0] & ~tables[1], diagram.both(nodes[0], diagram.inverse(nodes[1]))),
    ):
        found = 0
        for cube in diagram.cubes(node):
            table = _of_cube(cube, columns, full)
            assert found & table == 0, f"{name}: two cases overlap"
            found |= table
        assert found == wanted, name
    sums.combinations += bits


def _column(index: int, bits: int) -> int:
    """The combinations in which the atom of this index holds."""
    column, size = ((1 << (1 << index)) - 1) << (1 << index), 2 << index
    while size < bits:
        column |= column << size
        size *= 2
    return column


def _table(term: Term, rules: Rules, columns: dict[Atom, int], full: int) -> int:
    match term:
        case Constant(value):
            return full if value else 0
        case Not(negated):
            return full & ~_table(negated, rules, columns, full)
        case All(terms):
            result = full
            for each in terms:
                result &= _table(each, rules, columns, full)
            return result
        case Either(terms):
            result = 0
            for each in terms:
                result |= _table(each, rules, columns, full)
            return result
        case Reference(rule):
            found = rules.find(rule)
            return 0 if found is None else _table(found, rules, columns, full)
        case Role(name):
            return columns[Role(name.lower())]
        case Matches(kind, match) if isinstance(generic.left(kind), generic.Literal) and "%" not in match:
            return full if generic.left(kind) == generic.Literal(match) else 0
        case _:
            return columns[term]


def _of_cube(cube: Cube, columns: dict[Atom, int], full: int) -> int:
    table = full
    for atom, value in cube:
        table &= columns[atom] if value else ~columns[atom]
    return table


def _pair(policies: tuple[Policy, Policy], name: str, choice: random.Random, sums: Sums) -> None:
    old, new = policies
    change = changed(old.book, new.book, name)
    gained, lost = (change.gained, change.lost) if change else ((), ())
    assert change is None or change.exact, name
    for cases, answers in ((gained, (False, True)), (lost, (True, False))):
        for case in cases:
            assert case.example is not None
            assert _decisions(policies, name, case.example) == answers, (name, case)
    parts = {atom for made in (old.book, new.book) for atom in generate.atoms(made.rules.terms[name], made.rules)}
    for _, target, credentials in itertools.islice(generate.requests(name, parts, choice), REQUESTS):
        example = Example(credentials, target)
        if not _is_readable(example, parts):
            continue
        decided = _decisions(policies, name, example)
        told = any(_meets(case, example) for case in gained), any(_meets(case, example) for case in lost)
        assert told == ((not decided[0] and decided[1]), (decided[0] and not decided[1])), (name, example)
        sums.requests += 1
    sums.changed += change is not None
    sums.cases += len(gained) + len(lost)


def _decisions(policies: tuple[Policy, Policy], name: str, example: Example) -> tuple[bool, bool]:
    credentials = prepare(example.credentials)
    old, new = (policy.decide(credentials, name, example.target).allowed for policy in policies)
    return old, new


def _is_readable(example: Example, atoms: set[Term]) -> bool:
    """Whether no atom fails: `diff` says nothing of credentials of such shapes that oslo.policy raises."""
    asked = Asked(prepare(example.credentials), example.target, Rules({}))
    try:
        return all(atom_holds(atom, asked) in (True, False) for atom in atoms)
    except Exception:
        return False


def _meets(case: Case, example: Example) -> bool:
    asked = Asked(prepare(example.credentials), example.target, Rules({}))
    return all(atom_holds(atom, asked) is value for atom, value in case.cube)
