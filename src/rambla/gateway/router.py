"""Which route does a path mean?

Routes are compiled once into a tree of segments. A literal goes before a parameter, segment by segment from the left;
of two APIs the one with the longer base path, if it has a route for the path. A look costs as many steps as the path
has segments, and more only where literals and parameters overlap. A trailing slash makes no difference. Pure.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from rambla.gateway.api import Api, Route

SEGMENTS_MAX = 32
_PARAMETER = re.compile(r"\{[^{}]+\}")
Segments = tuple[str, ...]
Methods = Mapping[str, Route]


class Found(NamedTuple):
    """An API and, by method, its routes for one path."""

    api: Api
    methods: Methods


class Tree:
    """What follows a segment: a tree for each literal, one for any other text, and the routes that end here."""

    __slots__ = ("literals", "parameter", "routes")

    def __init__(self) -> None:
        self.literals: dict[str, Tree] = {}
        self.parameter: Tree | None = None
        self.routes: dict[str, Route] = {}

    def add(self, route: Route) -> None:
        """Of two routes for the same paths and method, the first counts."""
        tree = self
        for segment in segments_of(route.path):
            tree = tree._enter(segment)
        tree.routes.setdefault(route.method, route)

    def _enter(self, segment: str) -> "Tree":
        if not is_parameter(segment):
            return self.literals.setdefault(segment, Tree())
        if self.parameter is None:
            self.parameter = Tree()
        return self.parameter

    def find(self, segments: Segments) -> Methods | None:
        if not segments:
            return self.routes or None
        first, rest = segments[0], segments[1:]
        literal = self.literals.get(first)
        found = literal.find(rest) if literal is not None else None
        if found is None and self.parameter is not None and first:
            return self.parameter.find(rest)
        return found


class Router:
    """All APIs of a namespace."""

    def __init__(self, apis: Iterable[Api]) -> None:
        self._trees: dict[Segments, tuple[Api, Tree]] = {}
        self.routes = 0
        for api in apis:
            tree = Tree()
            for route in api.routes:
                tree.add(route)
            self._trees[segments_of(api.base_path)] = api, tree
            self.routes += len(api.routes)

    def find(self, segments: Segments) -> Found | None:
        if len(segments) > SEGMENTS_MAX:
            return None
        for cut in range(len(segments), -1, -1):
            api, tree = self._trees.get(segments[:cut], (None, None))
            methods = tree.find(segments[cut:]) if tree else None
            if api and methods:
                return Found(api, methods)
        return None


def is_parameter(segment: str) -> bool:
    return _PARAMETER.fullmatch(segment) is not None


def segments_of(path: str) -> Segments:
    """Those of a path with a leading slash; none for "/"."""
    inner = path.removeprefix("/").removesuffix("/")
    return tuple(inner.split("/")) if inner else ()


def decoded(path: str) -> Segments | None:
    """The segments of a path as it came over the wire, where an encoded slash parts nothing. None if it is no UTF-8."""
    try:
        return tuple(unquote(segment, errors="strict") for segment in segments_of(path))
    except UnicodeDecodeError:
        return None
