"""A secret comes from a terminal, a file or stdin, and is never shown."""

import os
import pty
import sys
from pathlib import Path

import pytest

from rambla.cli.errors import CliError
from rambla.cli.secrets import secret

ASK = "from rambla.cli.secrets import secret; print(len(secret('Word', None, confirm=True)))"


@pytest.mark.parametrize(
    ("content", "found"), [(b"word\n", "word"), (b"two words \r\nmore", "two words "), ("wörd".encode(), "wörd")]
)
def test_the_first_line_of_a_file_is_it(tmp_path: Path, content: bytes, found: str) -> None:
    (tmp_path / "file").write_bytes(content)
    assert secret("Word", tmp_path / "file") == found


@pytest.mark.parametrize("content", [b"", b"\nword", b"\xff\xfe"])
def test_a_file_without_one_is_an_error_that_tells_nothing_of_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(CliError, match="file"):
        secret("Word", tmp_path / "file")


def test_at_a_terminal_it_is_asked_for_twice_and_not_shown() -> None:
    child, terminal = pty.fork()
    if child == 0:  # in the child, which has the terminal
        os.execv(sys.executable, [sys.executable, "-c", ASK])
    shown = b""
    for prompt in (b"Word: ", b"Repeat for confirmation: "):
        while prompt not in shown:
            shown += os.read(terminal, 1024)
        os.write(terminal, b"hidden-word\n")
    while b"11" not in shown:
        shown += os.read(terminal, 1024)
    os.close(terminal)
    os.waitpid(child, 0)
    assert b"hidden-word" not in shown
