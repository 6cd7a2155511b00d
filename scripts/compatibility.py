"""Which of OpenWhisk's named behaviours hold here, and which are deliberately different?

Told from the cases in `tests/compat/openwhisk`: a class is a suite of upstream's, a method one of its behaviours, and
`@differs("why")` one that is not as upstream's. Whether they hold is for the tests to show; this only reads.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CASES = Path(__file__).parent.parent / "tests" / "compat" / "openwhisk"
INTRODUCTION = """\
What Apache OpenWhisk's own test suites name, written anew as HTTP requests against a running server, with the whole
answer compared: status, body and headers. To see that it holds: `pytest tests/compat/openwhisk`. Where the cases of a
suite have several forms, each counts once here."""


class Case(NamedTuple):
    """`why` is "" if it is as upstream's."""

    suite: str
    behaviour: str
    why: str


def cases() -> list[Case]:
    """In the order of the files and the lines."""
    return [case for path in sorted(CASES.glob("test_*.py")) for case in _cases_of(path)]


def page(generated: str) -> str:
    """The whole page, in Markdown; `generated` is the line that says so."""
    found = cases()
    different = [case for case in found if case.why]
    lines = ["# Compatibility with OpenWhisk", "", generated, "", INTRODUCTION, ""]
    lines += [
        f"{len(found)} behaviours in {len(_suites(found))} suites; {len(different)} are deliberately different.",
        "",
    ]
    lines += ["## Deliberately different", "", "| suite | behaviour | what happens here, and why |", "|---|---|---|"]
    lines += [f"| {case.suite} | {case.behaviour} | {case.why} |" for case in different]
    for suite in _suites(found):
        lines += ["", f"## {suite}", ""]
        lines += [
            f"- {case.behaviour}{' (different, see above)' if case.why else ''}"
            for case in found
            if case.suite == suite
        ]
    return "\n".join([*lines, ""])


def _suites(found: list[Case]) -> list[str]:
    return sorted({case.suite for case in found})


def _cases_of(path: Path) -> Iterator[Case]:
    for suite in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(suite, ast.ClassDef):
            for method in suite.body:
                if isinstance(method, ast.FunctionDef) and method.name.startswith("test_"):
                    yield Case(suite.name.removeprefix("Test"), _spaced(method.name), _why(method))


def _spaced(name: str) -> str:
    return re.sub("_+", " ", name.removeprefix("test_"))


def _why(method: ast.FunctionDef) -> str:
    for mark in method.decorator_list:
        if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "differs":
            return str(ast.literal_eval(mark.args[0]))
    return ""
