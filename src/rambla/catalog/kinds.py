"""Which kinds of action are there, and what are they called?

A kind is named `family:version`. Only concrete names are ever stored: aliases, such as `python:default` and the
versions that other OpenWhisk platforms offer, are resolved when an action is written. Pure.
"""

from collections.abc import Iterable

import msgspec

from rambla.domain.errors import MalformedContent


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    family: str
    default: bool = False
    main_required: bool = False
    aliases: tuple[str, ...] = ()


KINDS: tuple[Kind, ...] = (
    Kind(
        name="java:17",
        family="java",
        default=True,
        main_required=True,
        aliases=("java:default", "java:8", "java:11", "java:21"),
    ),
    Kind(
        name="go:1.20", family="go", default=True, aliases=("go:default", *(f"go:1.{minor}" for minor in range(21, 28)))
    ),
    Kind(name="rust:1.34", family="rust", default=True, aliases=("rust:default",)),
    Kind(name="native:1", family="native", default=True, aliases=("native:default",)),
    Kind(
        name="nodejs:20",
        family="nodejs",
        default=True,
        aliases=("nodejs:default", "nodejs:18", "nodejs:22"),
    ),
    Kind(
        name="python:3",
        family="python",
        default=True,
        aliases=("python:default", *(f"python:3.{minor}" for minor in range(9, 15))),
    ),
)
_BY_NAME = {name: kind for kind in KINDS for name in (kind.name, *kind.aliases)}


def resolve(name: str) -> Kind:
    """The kind that `name` means. Raises MalformedContent with OpenWhisk's text for any other."""
    kind = _BY_NAME.get(name)
    if kind is None:
        valid = ", ".join(f"'{known.name}'" for known in KINDS)
        raise MalformedContent(
            detail=f"The specified runtime '{name[:64]}' is not supported by this platform. Valid values are: {valid}"
        )
    return kind


def by_family(kinds: Iterable[Kind]) -> dict[str, list[Kind]]:
    families: dict[str, list[Kind]] = {}
    for kind in kinds:
        families.setdefault(kind.family, []).append(kind)
    return families
