"""What does a condition say?

condition   any of: condition `or` condition, condition `and` condition, `not` condition, `(` condition `)`
ROLE                        the caller holds the role; `role "any name"` where the name is no plain word
ROLE of target.project      ... and caller.project is target.project
caller.trust >= 2           also ==, !=, <, <=, > of caller.…, target.…, texts, numbers, true and false
caller.source in ["a", "b"] also `not in`, and lists such as caller.groups
caller.mail exists          it is there and not null
rule NAME                   the condition of another rule
ask NAME                    an enforcer says yes
everybody, nobody
caller.project_id same as target.project_id    as oslo.policy compares: as texts, null with null
check "kind:match"          any check of oslo.policy
"""

from collections.abc import Callable
from functools import lru_cache

from rambla.policy import generic
from rambla.policy.language import truth
from rambla.policy.language.tokens import ConditionError, Token, tokens
from rambla.policy.language.truth import Truth
from rambla.policy.oslo import checks
from rambla.policy.terms import (
    Ask,
    Attribute,
    Matches,
    Operand,
    Operator,
    Order,
    Present,
    Reference,
    Role,
    Scalar,
    walk,
)

DEPTH_MAX = 50
CACHE_MAX = 8192
REMEMBERED_CHARS_MAX = 1000
_JOINING = frozenset(("and", "or", "not", "in", "of", "same", "as", "exists"))
_LEADING = frozenset(("rule", "role", "ask", "check", "everybody", "nobody", "true", "false", "null"))
KEYWORDS = _JOINING | _LEADING
_MIRRORED: dict[str, Operator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ORDERS: dict[str, Operator] = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}


def parse(text: str) -> Truth:
    """Raises ConditionError."""
    return _remembered(text) if len(text) <= REMEMBERED_CHARS_MAX else _parsed(text)


def _parsed(text: str) -> Truth:
    return _Parser(tokens(text)).condition()


_remembered = lru_cache(CACHE_MAX)(_parsed)


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._next = 0
        self._depth = 0

    def condition(self) -> Truth:
        result = self._either()
        if self._token.kind == "sign" and self._token.value not in "()":
            raise self._wrong("write caller.… or target.… before it; a bare word is a role")
        if self._token.kind != "end":
            raise self._wrong("join conditions by 'and' or 'or'")
        return result

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _either(self) -> Truth:
        parts = [self._all()]
        while self._took("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else truth.disjunction(*parts)

    def _all(self) -> Truth:
        parts = [self._not()]
        while self._took("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else truth.conjunction(*parts)

    def _not(self) -> Truth:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._wrong("nest less", f"this nests deeper than {DEPTH_MAX} levels")
        try:
            if self._took("not"):
                return truth.negation(self._not())
            if self._took("("):
                inner = self._either()
                self._expect(")")
                return inner
            return self._plain()
        finally:
            self._depth -= 1

    def _plain(self) -> Truth:
        """Anything without `and`, `or` and `not` in front."""
        named: dict[str, Callable[[], Truth]] = {
            "everybody": lambda: truth.ALWAYS,
            "nobody": lambda: truth.NEVER,
            "rule": lambda: truth.reference(self._name("rule")),
            "ask": lambda: truth.known(Ask(self._name("ask"))),
            "role": lambda: self._of_target(Role(self._role_name())),
            "check": self._check,
        }
        token = self._token
        if token.kind == "word" and token.value in named:
            self._next += 1
            return named[token.value]()
        if token.kind == "word" and _is_role(token.value):
            self._next += 1
            return self._of_target(Role(token.value))
        return self._comparison()

    def _of_target(self, role: Role) -> Truth:
        if not self._took("of"):
            return truth.known(role)
        place = self._operand()
        if not isinstance(place, Attribute) or place.of != "target":
            raise self._wrong("write for instance 'member of target.project'", "'of' wants an attribute of the target")
        return truth.conjunction(truth.known(role), truth.equality(Attribute("caller", place.path), place))

    def _role_name(self) -> str:
        at = self._token.at
        name = self._name("role")
        if "%" in name:
            raise ConditionError(
                at, "a role's name has no '%'", 'write check "role:%(key)s" to take it from the target'
            )
        return name

    def _check(self) -> Truth:
        at = self._token.at
        check = checks.parse(self._name("check"))
        if check.flaws:
            flaw = check.flaws[0]
            raise ConditionError(at + 1 + flaw.at, flaw.detail, flaw.fix)
        if any(isinstance(part, Reference) for part in walk(check.term)):
            raise ConditionError(at, "a check cannot refer to a rule of this language", "write 'rule NAME'")
        return truth.known(check.term)

    def _comparison(self) -> Truth:
        left = self._operand()
        if self._took("exists"):
            return truth.known(Present(self._attribute(left)))
        if self._took("=="):
            return truth.equality(left, self._operand())
        if self._took("!="):
            return truth.negation(truth.equality(left, self._operand()))
        if self._took("in"):
            return self._membership(left)
        if self._took("same"):
            self._expect("as")
            return truth.known(self._same_as(left, self._operand()))
        if self._took("not"):
            self._expect("in")
            return truth.negation(self._membership(left))
        for sign, operator in _ORDERS.items():
            if self._took(sign):
                return self._order(left, operator)
        raise self._wrong("compare it with ==, !=, <, <=, >, >=, in, not in, same as, or ask whether it exists")

    def _order(self, left: Operand, operator: Operator) -> Truth:
        right = self._operand()
        if isinstance(left, Attribute) and _is_number(right):
            return truth.order(Order(left, operator, right))  # type: ignore[arg-type]  # a number, as was just asked
        if isinstance(right, Attribute) and _is_number(left):
            return truth.order(Order(right, _MIRRORED[operator], left))  # type: ignore[arg-type]  # likewise
        raise self._wrong("write for instance 'caller.trust >= 2'", "an attribute is compared with a number")

    def _membership(self, item: Operand) -> Truth:
        if not self._took("["):
            return truth.membership(item, self._attribute(self._operand()))
        options = [truth.equality(item, self._operand())]
        while self._took(","):
            options.append(truth.equality(item, self._operand()))
        self._expect("]")
        return options[0] if len(options) == 1 else truth.disjunction(*options)

    def _same_as(self, left: Operand, right: Operand) -> Matches:
        match left, right:
            case Attribute("caller", path), str():
                found = Matches(".".join(path), right.replace("%", "%%"))
            case Attribute("caller", path), Attribute("target", key):
                found = Matches(".".join(path), f"%({'.'.join(key)})s")
            case str(), Attribute("target", key):
                found = Matches(repr(left), f"%({'.'.join(key)})s")
            case _:
                fix = "write 'caller.… same as target.…', or a text on either side"
                raise self._wrong(fix, "'same as' compares the caller with the target")
        if isinstance(generic.left(found.kind), generic.Unreadable):
            raise self._wrong("name what the credentials have", f"oslo.policy cannot read '{found.kind}'")
        return found

    def _operand(self) -> Operand:
        token = self._token
        if token.kind == "text":
            self._next += 1
            return token.value
        if token.kind != "word" or (token.value in KEYWORDS and token.value not in ("true", "false")):
            raise self._wrong('write caller.…, target.…, a role, a number or a "text"')
        self._next += 1
        return self._word(token)

    def _word(self, token: Token) -> Operand:
        root, dot, path = token.value.partition(".")
        if dot and root in ("caller", "target"):
            if not all(path.split(".")):
                raise ConditionError(
                    token.at, f"'{token.value}' names no attribute", "write caller.name or target.name"
                )
            return Attribute("caller" if root == "caller" else "target", tuple(path.split(".")))
        value = scalar(token.value)
        if value is None:
            fix = f'write caller.{token.value}, target.{token.value} or "{token.value}"'
            raise ConditionError(token.at, f"'{token.value}' is no attribute, number or text", fix)
        return value

    def _attribute(self, operand: Operand) -> Attribute:
        if isinstance(operand, Attribute):
            return operand
        raise self._wrong("write caller.… or target.…", "an attribute is needed here")

    def _name(self, what: str) -> str:
        token = self._token
        if token.kind not in ("word", "text"):
            raise self._wrong(f"write its name after '{what}'")
        if any(char.isspace() and char != " " for char in token.value):
            raise self._wrong("give it a plain name", "a name has a line break in it")
        self._next += 1
        return token.value

    def _took(self, value: str) -> bool:
        if self._token.kind in ("word", "sign") and self._token.value == value:
            self._next += 1
            return True
        return False

    def _expect(self, value: str) -> None:
        if not self._took(value):
            raise self._wrong(f"write '{value}' here")

    def _wrong(self, fix: str, detail: str = "") -> ConditionError:
        token = self._token
        seen = f"'{token.value}' cannot stand here" if token.kind != "end" else "the condition ends too early"
        return ConditionError(token.at, detail or seen, fix)


def scalar(word: str) -> Scalar | None:
    """A number, true or false; None if it is neither."""
    if word in ("true", "false"):
        return word == "true"
    for kind in (int, float):
        try:
            number = kind(word)
        except ValueError:
            continue
        return number if number == number and abs(number) != float("inf") else None
    return None


def _is_number(operand: Operand) -> bool:
    return isinstance(operand, int | float) and not isinstance(operand, bool)


def _is_role(word: str) -> bool:
    """Whatever is no keyword, no attribute and no number is a role."""
    return word not in KEYWORDS and not word.startswith(("caller.", "target.")) and scalar(word) is None
