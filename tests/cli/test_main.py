"""Parsing, one-line errors and exit codes."""

from pathlib import Path

import click
import pytest

from rambla.cli import errors, main
from rambla.cli.errors import ApiError, CliError, translate
from rambla.domain.errors import DataFolderInUse

UNREACHABLE = ("--apihost", "http://127.0.0.1:1", "--auth", "u:s")


def failure(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main.run(arguments)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("rambla: ")
    assert err.count("\n") == 1
    return code, err


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        found += commands(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)]
    return found


@pytest.mark.parametrize("path", commands(main.rambla), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([*path, "--help"]) == 0
    assert f"Usage: rambla {' '.join(path)}" in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("rambla ")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("nonsense",), "No such command"),
        (("action", "get"), "Missing argument"),
        (("action", "create", "a", "/no/such/file"), "does not exist"),
        (("serve", "--require-isolation", "much"), "'much' is not one of"),
        (("activation", "list", "--limit", "201"), "--limit"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_help(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], text: str
) -> None:
    code, err = failure(capsys, *arguments)
    assert code == 2
    assert text in err
    assert "--help" in err


def test_a_server_that_does_not_answer_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, err = failure(capsys, "action", "list", *UNREACHABLE)
    assert code == 1
    assert "http://127.0.0.1:1 does not answer" in err


@pytest.mark.parametrize("name", ["a/b/c/d", "/ns", "a\nb", "x" * 300])
def test_a_name_nothing_can_bear_is_refused_without_asking(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, err = failure(capsys, "action", "get", name, *UNREACHABLE)
    assert code == 1
    assert "does not answer" not in err


def test_a_file_that_tells_no_kind_asks_for_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "code").write_text("x")
    _, err = failure(capsys, "action", "create", "a", str(tmp_path / "code"), *UNREACHABLE)
    assert "--kind" in err


@pytest.mark.parametrize("options", [("--event", "e"), ("--target", "t"), ("--source", "s3:x"), ("--source", "swift:")])
def test_a_source_that_means_nothing_is_refused(capsys: pytest.CaptureFixture[str], options: tuple[str, ...]) -> None:
    _, err = failure(capsys, "trigger", "create", "t", *options, *UNREACHABLE)
    assert "swift:CONTAINER" in err


def test_an_operator_command_without_a_platform_names_the_fix(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, err = failure(capsys, "key", "guest", "--data", str(tmp_path))
    assert "Fix: rambla serve" in err


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (
            404,
            {"error": "The requested resource does not exist.", "code": "x"},
            "The requested resource does not exist.",
        ),
        (502, {"error": {"a": 1}}, '{"a": 1}'),
        (502, {"response": {"result": {"error": "no luck"}}}, "no luck"),
        (502, {"response": None}, "HTTP status 502"),
        (500, None, "HTTP status 500"),
        (500, ["?"], "HTTP status 500"),
    ],
)
def test_an_answers_own_words_are_told(status: int, body: object, text: str) -> None:
    assert text in ApiError(status, body).message


def test_every_kind_of_error_becomes_one_with_a_code() -> None:
    group = BaseExceptionGroup("g", [BaseExceptionGroup("g", [CliError("inner")])])
    assert translate(group).message == "inner"
    assert "Another Rambla" in translate(DataFolderInUse(folder="d", pid=1)).message
    assert translate(FileNotFoundError(2, "No such file", "f")).message == "f: No such file"
    assert translate(KeyboardInterrupt()).exit_code == 130
    assert "should not happen: ZeroDivisionError" in translate(ZeroDivisionError()).message


def test_hostile_text_in_an_error_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    CliError("a\nb\x1b[2Jc").show()
    assert capsys.readouterr().err == "rambla: a b\\x1b[2Jc\n"


def test_a_traceback_is_shown_to_who_asks(capsys: pytest.CaptureFixture[str]) -> None:
    errors.print_traceback(ZeroDivisionError("x"))
    assert "ZeroDivisionError: x" in capsys.readouterr().err
