"""Style is a test: the tree is as ARCHITECTURE.md and CONTRIBUTING.md say, and the documents tell all there is.

There is no list of exceptions. Where a rule fights the code, mend the code, or change the rule for everybody.
"""

import ast
import importlib.util
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from rambla.app.registry import OPENERS
from rambla.app.settings import Settings

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src"
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
ARGUMENTS_MAX = 6
DOCSTRING_LINES_MAX = 15
MODULES = sorted(SRC.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
ROOMS = sorted(path for path in SRC.glob("rambla/*/__init__.py"))
# A path begins where no name stands before it: root's folder beneath `/proc/1` is no home folder.
MACHINE_PATHS = re.compile(r"(?<![\w/.])(?:/(?:work|root)/|/home/(?!\w+\.\w)[a-z]\w*/)")
TEXT_ENDINGS = {".py", ".md", ".toml", ".sh", ".js", ".cfg", ".yaml", ".yml", ".txt", ""}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def arguments_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Without `self`, and without `*args` and `**kwargs`, which are for whoever wraps others."""
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def is_test(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A test takes its fixtures and parameters by name; its length says nothing about a caller's burden."""
    return node.name.startswith("test_")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_modules_are_short() -> None:
    long = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in (*MODULES, *TESTS)}
    assert {name: lines for name, lines in long.items() if lines > MODULE_LINES_MAX} == {}


def test_functions_are_short() -> None:
    assert [
        f"{relative(path)}:{node.lineno} {node.name} has {lines_of(node)} lines"
        for path in (*MODULES, *TESTS)
        for node in functions(path)
        if lines_of(node) > FUNCTION_LINES_MAX
    ] == []


def test_functions_take_few_arguments() -> None:
    assert [
        f"{relative(path)}:{node.lineno} {node.name} takes {arguments_of(node)} arguments"
        for path in (*MODULES, *TESTS)
        for node in functions(path)
        if arguments_of(node) > ARGUMENTS_MAX and not is_test(node)
    ] == []


def test_every_module_says_what_it_is_for_in_few_lines() -> None:
    docstrings = {relative(path): ast.get_docstring(tree_of(path)) or "" for path in MODULES if path.stat().st_size}
    assert {
        name: len(text.splitlines())
        for name, text in docstrings.items()
        if not text or len(text.splitlines()) > DOCSTRING_LINES_MAX
    } == {}


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.parent.name)
def test_every_room_asks_its_question_and_exports_nothing(room: Path) -> None:
    body = tree_of(room).body
    assert "?" in (ast.get_docstring(tree_of(room)) or "").split("\n\n")[0]
    assert len(body) == 1, "a room's __init__.py holds its docstring and nothing else"


def test_every_folder_of_python_files_is_a_package() -> None:
    assert [relative(path.parent) for path in MODULES if not (path.parent / "__init__.py").exists()] == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    found = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip("this is not a git work tree")
    files = [ROOT / name for name in found.stdout.split("\0") if name and Path(name).suffix in TEXT_ENDINGS]
    assert [
        f"{relative(path)}:{number}"
        for path in files
        if path.is_file()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if MACHINE_PATHS.search(line)
    ] == []


def test_the_imports_are_as_the_architecture_says() -> None:
    program = Path(sys.executable).parent / "lint-imports"
    if not program.exists():
        pytest.skip("import-linter is not installed: pip install 'rambla[check]'")
    environment = os.environ | {"PYTHONPATH": str(SRC)}
    done = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_every_setting_is_in_the_reference_with_its_name_and_default() -> None:
    page = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", page, re.MULTILINE))
    assert set(rows) == {field.name for field in msgspec.structs.fields(Settings)}
    for field in msgspec.structs.fields(Settings):
        if field.default not in (msgspec.NODEFAULT, ""):
            assert rows[field.name].strip("`") == str(field.default), field.name


def reference(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "scripts")  # as Python does for a script
    spec = importlib.util.spec_from_file_location("rambla_docs", ROOT / "scripts" / "docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_reference_is_as_the_code_is(monkeypatch: pytest.MonkeyPatch) -> None:
    stale = [
        path.name
        for path, text in reference(monkeypatch).pages().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run: python scripts/docs.py"


def test_every_link_in_the_documents_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert [
        f"{relative(page)}: {link}"
        for page in pages
        for link in re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ] == []


def test_every_decision_is_numbered_and_half_a_page() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert [part for part in ("## Context", "## Choice", "## What it costs") if part not in text] == [], page.name
        assert len(text.splitlines()) <= 40, page.name


@pytest.mark.parametrize("path", sorted(set(OPENERS.values())))
def test_every_driver_is_in_a_conformance_suite(path: str) -> None:
    """A suite lives in `rambla.testing`; `tests/ports/` runs it against the driver, and so imports both."""
    package = path.rpartition(":")[0].rpartition(".")[0]
    suites = [test.read_text(encoding="utf-8") for test in (ROOT / "tests" / "ports").glob("test_*.py")]
    assert any(package in suite and "rambla.testing" in suite for suite in suites), f"{package} passes no suite"


def test_every_endpoint_is_in_the_unauthorised_matrix() -> None:
    """The matrix is made of the table itself, so what is in the table is in the matrix."""
    matrices = [path for path in (ROOT / "tests" / "http").glob("test_*.py") if "unauthor" in path.name]
    assert any("ENDPOINTS" in path.read_text(encoding="utf-8") for path in matrices)
