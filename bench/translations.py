"""How do other policy languages say what oslo.policy's rules say?

Each rule as disjoint cases of its atoms, and each case as one rule of Rego or one clause of Cedar. Requests are flat:
every value is text, as oslo.policy compares texts.
"""

import json
from collections.abc import Mapping
from typing import Any

from bench import mix
from rambla.policy import generic
from rambla.policy.analysis.diagram import Cube, Diagram
from rambla.policy.credentials import prepare
from rambla.policy.oslo.book import OsloBook
from rambla.policy.rulings import allowing
from rambla.policy.terms import Atom, InScope, Matches, Role


def cubes(book: OsloBook, permission: str) -> list[Cube]:
    diagram = Diagram()
    return list(diagram.cubes(diagram.allowed(allowing(book.ruling(permission)), book.rules)))


def rego(books: Mapping[str, OsloBook]) -> tuple[str, dict[tuple[str, str], str]]:
    """One module with a rule for every permission, and the names of these rules."""
    lines, names = ["package p", "import rego.v1"], {}
    for service, book in books.items():
        for permission in book.permissions:
            name = f"a{len(names)}"
            names[service, permission] = f"data.p.{name}"
            lines.append(f"default {name} := false")
            for cube in cubes(book, permission):
                body = "; ".join(_rego(atom, value) for atom, value in cube) or "true"
                lines.append(f"{name} if {{ {body} }}")
    return "\n".join(lines), names


def cedar(book: OsloBook, permission: str) -> str:
    """One policy, or none that ever permits."""
    cases = [" && ".join(_cedar(atom, value) for atom, value in cube) or "true" for cube in cubes(book, permission)]
    condition = " || ".join(f"({case})" for case in cases) or "false"
    return f"permit(principal, action, resource) when {{ {condition} }};"


def flat(request: mix.Request) -> dict[str, Any]:
    credentials = prepare(request.credentials)
    return {
        "r": sorted(credentials.roles or ()),
        "s": credentials.scope,
        "c": _texts(credentials.values),
        "t": _texts(request.target),
    }


def _texts(values: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    found = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _texts(value, f"{prefix}{key}.")
        elif not isinstance(value, list):
            found[prefix + key] = str(value)
    return found


def _sides(atom: Matches) -> tuple[tuple[str, str], tuple[str, str]]:
    """Each as the part of the request and the key in it; the part is "" for a text."""
    key, side = generic.single_key(atom.match), generic.left(atom.kind)
    left = ("", side.text) if isinstance(side, generic.Literal) else ("c", atom.kind)
    return left, ("t", key) if key else ("", atom.match)


def _rego(atom: Atom, value: bool) -> str:
    match atom:
        case Role(name):
            text = f"{json.dumps(name)} in input.r"
        case InScope(scope):
            text = f"input.s == {json.dumps(scope)}"
        case Matches():
            sides = [f"input.{part}[{json.dumps(key)}]" if part else json.dumps(key) for part, key in _sides(atom)]
            text = " == ".join(sides)
        case _:
            raise ValueError(f"no rule of OpenStack has such an atom: {atom}")
    return text if value else f"not {text}"


def _cedar(atom: Atom, value: bool) -> str:
    match atom:
        case Role(name):
            text = f"context.r.contains({json.dumps(name)})"
        case InScope(scope):
            text = f"context.s == {json.dumps(scope)}"
        case Matches():
            sides = _sides(atom)
            present = [f"context.{part} has {json.dumps(key)}" for part, key in sides if part]
            values = [f"context.{part}[{json.dumps(key)}]" if part else json.dumps(key) for part, key in sides]
            text = " && ".join([*present, " == ".join(values)])
        case _:
            raise ValueError(f"no rule of OpenStack has such an atom: {atom}")
    return f"({text})" if value else f"!({text})"
