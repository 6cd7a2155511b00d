"""Which policy do these layers make?

The one way from texts of the readable language to a book of rules. Reading the files is the caller's.
"""

from collections.abc import Mapping

from rambla.domain.errors import BrokenPolicy
from rambla.policy.language import layers
from rambla.policy.language.stack import LayeredBook
from rambla.policy.problems import Problem, broken, problems_of


def load(texts: Mapping[str, str]) -> LayeredBook:
    """The layers by file name, the uppermost first. Raises BrokenPolicy with all that is wrong in all files."""
    return LayeredBook(read_all(texts))


def read_all(texts: Mapping[str, str]) -> list[layers.Layer]:
    """The layers, each by itself. Raises BrokenPolicy with all that is wrong in all files."""
    read: list[layers.Layer] = []
    problems: list[Problem] = []
    for name, text in texts.items():
        try:
            read.append(layers.read(text, name))
        except BrokenPolicy as error:
            problems.extend(problems_of(error))
    if problems:
        raise broken(problems)
    return read
