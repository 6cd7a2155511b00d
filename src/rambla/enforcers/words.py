"""What may be put into a question?

What callers and targets are named is hostile: whoever writes it into a filter, a statement or a document escapes it;
here it is only bounded.
"""

import re

from rambla.domain.access import Question
from rambla.domain.errors import NoAnswer

WORD_CHARS_MAX = 1000
_NAME = re.compile(rf"[^\0\ud800-\udfff]{{1,{WORD_CHARS_MAX}}}")


def word(enforcer: str, question: Question, argument: str, name: str) -> str:
    """What `argument`, `permission`, `target_NAME` or the name of one of the caller's attributes stands for.

    Raises NoAnswer if there is no such text, or nobody is called so: empty, very long, with a NUL or half a character.
    """
    found: object
    if name == "argument":
        found = argument
    elif name == "permission":
        found = question.permission
    elif name.startswith("target_"):
        found = question.target.get(name.removeprefix("target_"))
    else:
        found = question.credentials.get(name)
    if not isinstance(found, str) or not _NAME.fullmatch(found):
        raise NoAnswer(enforcer=enforcer, detail=f"it cannot be asked about this '{name}'")
    return found
