"""Do the rules ask anybody who cannot be asked?

Found when the layers are read, so that no decision fails for a name that was misspelt.
"""

from collections.abc import Collection, Iterator, Sequence

from rambla.policy.language.layers import Condition, Layer
from rambla.policy.problems import Place, Problem, nearest
from rambla.policy.terms import Ask, walk

_SCHEMES = ("http://", "https://")


def problems(layers: Sequence[Layer], names: Collection[str]) -> Iterator[Problem]:
    """What is asked that is no enforcer of these names and no URL whose host the policy itself names."""
    for layer in layers:
        for rule in layer.rules.values():
            for condition in (*rule.allow, *rule.deny):
                for part in walk(condition.truth.certain):
                    if isinstance(part, Ask):
                        yield from _problem(condition, part.where, names)


def _problem(condition: Condition, where: str, names: Collection[str]) -> Iterator[Problem]:
    place = condition.place
    at = Place(place.file, place.line, place.column + max(condition.text.find(where), 0))
    if where.startswith(_SCHEMES):
        yield from of_address(at, where)
        return
    name = where.partition(":")[0]
    if name not in names:
        fix = nearest(name, names) or f"add [enforcers.{name}] to the settings"
        yield Problem(at, f"there is no enforcer '{name}'", fix)


def of_address(at: Place, where: str) -> Iterator[Problem]:
    """What is wrong with an URL that is asked."""
    host = where.partition("://")[2].partition("/")[0]
    if not host or "%" in host or "@" in host:
        detail = f"'{where}' lets a request choose who is asked, or has a password in it, or no host"
        yield Problem(at, detail, "write the host itself, and what is filled in behind it")
