"""A path finds the route that a plain reading of the templates names."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.domain.names import FullName
from rambla.gateway.api import ActionTarget, Api, Route
from rambla.gateway.router import SEGMENTS_MAX, Found, Router, Segments, decoded, is_parameter, segments_of


def route(path: str, method: str = "GET", action: str = "a") -> Route:
    return Route(method=method, path=path, target=ActionTarget(FullName("guest", "", action)))


def api(base_path: str, routes: Iterable[Route]) -> Api:
    return Api(namespace="guest", base_path=base_path, name=base_path, document=b"", routes=tuple(routes))


def found(router: Router, path: str, method: str = "GET") -> str | None:
    """The template that `path` means, after its API's base path."""
    segments = decoded(path)
    assert segments is not None
    match = router.find(segments)
    if match is None or method not in match.methods:
        return None
    return f"{match.api.base_path}:{match.methods[method].path}"


BOOKS = Router(
    [
        api("/", [route("/"), route("/club/{any}")]),
        api(
            "/club",
            [
                route("/books"),
                route("/books", "POST"),
                route("/books/{isbn}"),
                route("/books/new"),
                route("/books/{isbn}/pages/{page}"),
                route("/books/new/cover"),
                route("/{kind}/all"),
            ],
        ),
        api("/club/old", [route("/books")]),
    ]
)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/club/books", "/club:/books"),
        ("/club/books/", "/club:/books"),
        ("/club/books/1", "/club:/books/{isbn}"),
        ("/club/books/a%20b%2Fc", "/club:/books/{isbn}"),
        ("/club/b%6Foks", "/club:/books"),
        ("/club/books/new", "/club:/books/new"),
        ("/club/books/new/cover", "/club:/books/new/cover"),
        ("/club/books/new/pages/3", "/club:/books/{isbn}/pages/{page}"),
        ("/club/books/all", "/club:/books/{isbn}"),
        ("/club/films/all", "/club:/{kind}/all"),
        ("/club/old/books", "/club/old:/books"),
        ("/club/old/all", "/club:/{kind}/all"),
        ("/club/old", "/:/club/{any}"),
        ("/", "/:/"),
        ("", "/:/"),
        ("/club", None),
        ("/club//all", None),
        ("/club/books/1/pages", None),
        ("/Club/books", None),
        ("//", "/:/"),
        ("/club/books/" + "x/" * 40, None),
    ],
)
def test_a_literal_goes_before_a_parameter_and_a_longer_base_path_before_a_shorter(
    path: str, template: str | None
) -> None:
    assert found(BOOKS, path) == template


def test_what_is_no_utf_8_is_no_path() -> None:
    assert decoded("/%ff") is None
    assert decoded("/%C3%A4/%zz") == ("ä", "%zz")


def test_all_methods_of_a_path_are_found_together() -> None:
    match = BOOKS.find(("club", "books"))
    assert match is not None
    assert set(match.methods) == {"GET", "POST"}


def test_of_two_routes_for_the_same_paths_the_first_counts() -> None:
    router = Router([api("/", [route("/{a}", action="first"), route("/{b}", action="second"), route("/{c}", "POST")])])
    match = router.find(("x",))
    assert match is not None
    assert match.methods["GET"].target.name.name == "first"
    assert "POST" in match.methods


def plainly(apis: list[Api], segments: Segments) -> tuple[str, str] | None:
    """Of the templates that fit, that of the longest base path, then the one with the first literal."""
    fitting = []
    for one in apis:
        base = segments_of(one.base_path)
        for each in one.routes:
            template = (*base, *segments_of(each.path))
            literals = [not is_parameter(part) for part in template]
            literals[: len(base)] = [True] * len(base)
            if len(template) == len(segments) and all(
                part == segment or (segment and not literal)
                for part, segment, literal in zip(template, segments, literals, strict=True)
            ):
                fitting.append((len(base), literals, one.base_path))
    best = max(fitting, default=None)
    return None if best is None else (best[2], str(best[1]))


PART = st.sampled_from(["a", "b", "c", "{x}", "{y}", ""])
TEMPLATE = st.lists(PART, max_size=5).map(lambda parts: "/" + "/".join(parts))
BASE = st.lists(st.sampled_from(["a", "b"]), max_size=2).map(lambda parts: "/" + "/".join(parts))


@given(
    st.dictionaries(BASE, st.lists(TEMPLATE, max_size=12), max_size=4),
    st.lists(st.sampled_from(["a", "b", "c", "d", ""]), max_size=6),
)
def test_it_finds_what_a_plain_interpreter_finds(templates: dict[str, list[str]], parts: list[str]) -> None:
    apis = [api(base, map(route, paths)) for base, paths in templates.items()]
    match = Router(apis).find(tuple(parts))
    assert (None if match is None else _reading(match)) == plainly(apis, tuple(parts))


def _reading(match: Found) -> tuple[str, str]:
    (only,) = match.methods.values()
    base = segments_of(match.api.base_path)
    literals = [True] * len(base) + [not is_parameter(part) for part in segments_of(only.path)]
    return match.api.base_path, str(literals)


def test_ten_thousand_routes_cost_a_look_no_more_than_a_hundred() -> None:
    """Steps are counted by what is looked at, and not by the clock: each step asks one tree for one segment."""
    for many in (100, 10_000):
        router = Router([api("/", (route(f"/r{number}/{{x}}/end") for number in range(many)))])
        assert router.routes == many
        assert found(router, f"/r{many - 1}/1/end") == f"/:/r{many - 1}/{{x}}/end"
        assert steps_of(router, f"/r{many - 1}/1/end") <= 8


def steps_of(router: Router, path: str) -> int:
    from rambla.gateway import router as module

    steps, plain = 0, module.Tree.find

    def counting(tree: "module.Tree", segments: Segments) -> object:
        nonlocal steps
        steps += 1
        return plain(tree, segments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.Tree, "find", counting)
        found(router, path)
    return steps


def test_a_path_of_many_segments_is_not_searched() -> None:
    router = Router([api("/", [route("/{x}" * SEGMENTS_MAX)])])
    assert router.find(("x",) * SEGMENTS_MAX) is not None
    assert router.find(("x",) * (SEGMENTS_MAX + 1)) is None
