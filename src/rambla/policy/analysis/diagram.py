"""When does a term hold, whatever the atoms are?

Reduced ordered binary decision diagrams (Bryant 1986): one node for every different function of the atoms, so that
equal functions are the same number. The size is bounded; reaching the bound is an error and never a wrong answer.
"""

from collections.abc import Iterator
from typing import TypeAlias

from rambla.policy import generic
from rambla.policy.terms import All, Atom, Broken, Constant, Either, Matches, Not, Reference, Role, Rules, Term

NODES_MAX = 200_000
ATOMS_MAX = 200  # the depth of a diagram, and of what walks it
FALSE, TRUE = 0, 1
_LEAF_LEVEL = 1 << 30

Node: TypeAlias = int
Cube: TypeAlias = tuple[tuple[Atom, bool], ...]


class TooLarge(Exception):
    """There are more cases than can be told apart."""


class Diagram:
    """Nodes are numbers; `FALSE` and `TRUE` are the leaves. Atoms are ordered as they are first met."""

    def __init__(self) -> None:
        self.atoms: list[Atom] = []
        self._levels: dict[Atom, int] = {}
        self._nodes: list[tuple[int, Node, Node]] = [(_LEAF_LEVEL, FALSE, FALSE), (_LEAF_LEVEL, TRUE, TRUE)]
        self._unique: dict[tuple[int, Node, Node], Node] = {}
        self._chosen: dict[tuple[Node, Node, Node], Node] = {}

    def allowed(self, term: Term, rules: Rules) -> Node:
        """Where the term holds and nothing on the way makes it undecidable. Raises TooLarge."""
        value, failing = self._pair(term, rules, ())
        return self.both(value, self.inverse(failing))

    def both(self, left: Node, right: Node) -> Node:
        return self.choose(left, right, FALSE)

    def either(self, left: Node, right: Node) -> Node:
        return self.choose(left, TRUE, right)

    def inverse(self, node: Node) -> Node:
        return self.choose(node, FALSE, TRUE)

    def choose(self, condition: Node, then: Node, otherwise: Node) -> Node:
        """The node of: if `condition` then `then` else `otherwise`."""
        if condition == TRUE:
            return then
        if condition == FALSE:
            return otherwise
        if then == otherwise:
            return then
        key = (condition, then, otherwise)
        if key not in self._chosen:
            level = min(self._nodes[each][0] for each in key)
            low = self.choose(*(self._branch(each, level, 1) for each in key))
            high = self.choose(*(self._branch(each, level, 2) for each in key))
            self._chosen[key] = self._node(level, low, high)
        return self._chosen[key]

    def cubes(self, node: Node) -> Iterator[Cube]:
        """Disjoint conjunctions of atoms that together are the node."""
        if node == TRUE:
            yield ()
        elif node != FALSE:
            level, low, high = self._nodes[node]
            for value, branch in ((True, high), (False, low)):
                for rest in self.cubes(branch):
                    yield ((self.atoms[level], value), *rest)

    def _branch(self, node: Node, level: int, side: int) -> Node:
        found = self._nodes[node]
        return found[side] if found[0] == level else node

    def _node(self, level: int, low: Node, high: Node) -> Node:
        if low == high:
            return low
        key = (level, low, high)
        if key not in self._unique:
            if len(self._nodes) >= NODES_MAX:
                raise TooLarge
            self._unique[key] = len(self._nodes)
            self._nodes.append(key)
        return self._unique[key]

    def _pair(self, term: Term, rules: Rules, path: tuple[str, ...]) -> tuple[Node, Node]:
        """Where a term holds, and where it makes the whole decision fail, asked from left to right."""
        match term:
            case Constant(constant):
                return int(constant), FALSE
            case Broken():
                return FALSE, TRUE
            case Not(negated):
                value, failing = self._pair(negated, rules, path)
                return self.inverse(value), failing
            case All(terms):
                return self._row([self._pair(each, rules, path) for each in terms], TRUE)
            case Either(terms):
                return self._row([self._pair(each, rules, path) for each in terms], FALSE)
            case Reference(rule):
                found = rules.find(rule)
                if rule in path:
                    return FALSE, TRUE
                return (FALSE, FALSE) if found is None else self._pair(found, rules, (*path, rule))
            case _:
                return self._atom(term), FALSE

    def _row(self, parts: list[tuple[Node, Node]], neutral: Node) -> tuple[Node, Node]:
        """The parts up to the first that settles it: the first false of an `All`, the first true of an `Either`."""
        value, failing = neutral, FALSE
        for part, part_failing in reversed(parts):
            if neutral == TRUE:
                goes_on, value = part, self.both(part, value)
            else:
                goes_on, value = self.inverse(part), self.either(part, value)
            failing = self.either(part_failing, self.both(goes_on, failing))
        return value, failing

    def _atom(self, atom: Atom) -> Node:
        match atom:
            case Role(name):
                atom = Role(name.lower()) if "%" not in name else atom
            case Matches(kind, match):
                left, text = generic.left(kind), generic.constant(match)
                if isinstance(left, generic.Literal) and text is not None:
                    return int(left.text == text)
        if atom not in self._levels:
            if len(self.atoms) >= ATOMS_MAX:
                raise TooLarge
            self._levels[atom] = len(self.atoms)
            self.atoms.append(atom)
        return self._node(self._levels[atom], FALSE, TRUE)
