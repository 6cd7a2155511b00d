"""What does a check string of oslo.policy say?

The grammar of oslo_policy/_parser.py, 6.0.1, with its shapes kept (`a and b and c` is one node, brackets make another),
because oslo.policy compares trees by shape. What oslo.policy logs and takes for `!` becomes `Flaw`s here as well, for
strict mode to refuse.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import msgspec

from rambla.policy.terms import FALSE, TRUE, All, Ask, Constant, Either, Matches, Not, Reference, Role, Term

DEPTH_MAX = 50
CACHE_MAX = 8192
REMEMBERED_CHARS_MAX = 1000
_TOKEN = re.compile(r"\S+")
_QUOTES = (('"', '"'), ("'", "'"))


class Flaw(msgspec.Struct, frozen=True):
    """`at` counts characters of the check string from 0."""

    at: int
    detail: str
    fix: str


class Check(msgspec.Struct, frozen=True):
    term: Term
    flaws: tuple[Flaw, ...] = ()


class _Token(msgspec.Struct, frozen=True):
    text: str
    at: int


class _Unparsable(Exception):
    def __init__(self, at: int, detail: str, fix: str) -> None:
        self.flaw = Flaw(at, detail, fix)


class _Atom(msgspec.Struct, frozen=True):
    term: Term
    at: int


_Item: TypeAlias = _Token | _Atom


def parse(text: str) -> Check:
    """The check and its flaws; what cannot be parsed is never allowed."""
    return remembered(text) if len(text) <= REMEMBERED_CHARS_MAX else _parsed(text)


def _parsed(text: str) -> Check:
    if not text:
        return Check(TRUE)
    flaws: list[Flaw] = []
    try:
        return Check(_Parser(_items(text, flaws), len(text)).rule(), tuple(flaws))
    except _Unparsable as error:
        return Check(FALSE, (*flaws, error.flaw))


remembered = lru_cache(CACHE_MAX)(_parsed)


def parse_lists(rule: Sequence[object]) -> Check:
    """The old form: the outer list is joined by "or", the inner ones by "and". Raises TypeError if it is none."""
    if not rule:
        return Check(TRUE)
    flaws: list[Flaw] = []
    alternatives: list[Term] = []
    for inner in rule:
        if not inner:
            continue
        texts = [inner] if isinstance(inner, str) else list(inner)  # type: ignore[call-overload]  # raises, as promised
        terms = tuple(_atom(text, 0, flaws) if isinstance(text, str) else FALSE for text in texts)
        alternatives.append(terms[0] if len(terms) == 1 else All(terms))
    if not alternatives:
        return Check(FALSE, tuple(flaws))
    term = alternatives[0] if len(alternatives) == 1 else Either(tuple(alternatives))
    return Check(term, tuple(flaws))


def _items(text: str, flaws: list[Flaw]) -> list[_Item]:
    """Brackets, operators and atoms. Brackets count at the ends of a word only."""
    items: list[_Item] = []
    for found in _TOKEN.finditer(text):
        word, at = found[0], found.start()
        inner = word.lstrip("(")
        items += [_Token("(", at + index) for index in range(len(word) - len(inner))]
        at += len(word) - len(inner)
        clean = inner.rstrip(")")
        if clean.lower() in ("and", "or", "not"):
            items.append(_Token(clean.lower(), at))
        elif clean and len(inner) >= 2 and (inner[0], inner[-1]) in _QUOTES:
            raise _Unparsable(at, f"{inner} is quoted as a whole, which oslo.policy cannot read", "write kind:match")
        elif clean:
            items.append(_Atom(_atom(clean, at, flaws), at))
        items += [_Token(")", at + len(clean) + index) for index in range(len(inner) - len(clean))]
    return items


def _atom(text: str, at: int, flaws: list[Flaw]) -> Term:
    if text in ("!", "@"):
        return Constant(text == "@")
    kind, colon, match = text.partition(":")
    if not colon:
        fix = f"write role:{text} or rule:{text}, whichever is meant"
        flaws.append(Flaw(at, f"'{text}' is no check, as it has no colon; oslo.policy takes it for '!'", fix))
        return FALSE
    match kind:
        case "rule":
            return Reference(match)
        case "role":
            return Role(match)
        case "http" | "https":
            return Ask(text)
    return Matches(kind, match)


class _Parser:
    """`or` binds weakest, then `and`, then `not`."""

    def __init__(self, items: list[_Item], end: int) -> None:
        self._items = items
        self._end = end
        self._next = 0
        self._depth = 0

    def rule(self) -> Term:
        term = self._either()
        if self._next < len(self._items):
            raise self._unexpected()
        return term

    def _either(self) -> Term:
        terms = [self._all(flatten=False)]
        while self._took("or"):
            terms.append(self._all(flatten=True))
        return terms[0] if len(terms) == 1 else Either(tuple(terms))

    def _all(self, *, flatten: bool) -> Term:
        """After an `or`, oslo.policy lets `(a and b) and c` be one node."""
        terms = [self._not()]
        while self._took("and"):
            if len(terms) == 1 and flatten and isinstance(terms[0], All):
                terms = list(terms[0].terms)
            terms.append(self._not())
        return terms[0] if len(terms) == 1 else All(tuple(terms))

    def _not(self) -> Term:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise _Unparsable(self._at(), f"this nests deeper than {DEPTH_MAX} levels", "nest less")
        term = self._primary()
        self._depth -= 1
        return term

    def _primary(self) -> Term:
        if self._took("not"):
            return Not(self._not())
        if self._took("("):
            term = self._either()
            if not self._took(")"):
                raise _Unparsable(self._at(), "a ')' is missing here", "close every bracket that is opened")
            return term
        item = self._items[self._next] if self._next < len(self._items) else None
        if not isinstance(item, _Atom):
            raise self._unexpected()
        self._next += 1
        return item.term

    def _took(self, text: str) -> bool:
        item = self._items[self._next] if self._next < len(self._items) else None
        if isinstance(item, _Token) and item.text == text:
            self._next += 1
            return True
        return False

    def _at(self) -> int:
        return self._items[self._next].at if self._next < len(self._items) else self._end

    def _unexpected(self) -> _Unparsable:
        if self._next == len(self._items):
            return _Unparsable(self._end, "the check ends too early", "say what follows, or drop the last word")
        item = self._items[self._next]
        what = f"'{item.text}'" if isinstance(item, _Token) else "a check"
        return _Unparsable(item.at, f"{what} cannot stand here", "join checks by 'and' or 'or', and close brackets")
