"""What words is a condition made of?"""

import re
from typing import Literal

import msgspec

Kind = Literal["text", "word", "sign", "end"]
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>"(?:[^"\\]|\\.)*"|'[^']*')
    |(?P<sign>==|!=|<=|>=|[<>()\[\],])
    |(?P<word>[^\s"'()\[\],<>=!]+)""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)")


class Token(msgspec.Struct, frozen=True):
    """`at` counts characters from 0; of a text, `value` is what stands between its quotes."""

    kind: Kind
    value: str
    at: int


class ConditionError(Exception):
    """A condition cannot be read, from the character `at` on."""

    def __init__(self, at: int, detail: str, fix: str) -> None:
        super().__init__(detail)
        self.at, self.detail, self.fix = at, detail, fix


def tokens(text: str) -> list[Token]:
    """The last one is of kind `end`. Raises ConditionError."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ConditionError(
                at, f"{text[at]!r} has no meaning here", "write ==, !=, <, <=, >, >= or close the quotes"
            )
        if match["text"] is not None:
            found.append(Token("text", _unquoted(match["text"]), at))
        elif match["sign"] is not None:
            found.append(Token("sign", match["sign"], at))
        elif match["word"] is not None:
            found.append(Token("word", match["word"], at))
        at = match.end()
    return [*found, Token("end", "", len(text))]


def quoted(text: str) -> str:
    """The text as a condition writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _unquoted(text: str) -> str:
    inner = text[1:-1]
    return _ESCAPED.sub(r"\1", inner) if text[0] == '"' else inner
