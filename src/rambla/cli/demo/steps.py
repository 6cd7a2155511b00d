"""How does one see that something goes on?

Each step is a line with its number and how long it took; on a terminal, a spinner turns until then. Nothing else.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

WIDTH = 62


class Steps:
    """Counts the steps of one story that has `total` of them."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._number = 0
        self._start = time.monotonic()

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Say that `text` was done, and in how many seconds, or that it failed."""
        self._number += 1
        start, done = time.monotonic(), "failed"
        try:
            with spinner(text):
                yield
            done = f"{time.monotonic() - start:5.2f} s"
        finally:
            click.echo(f"[{self._number}/{self._total}] {text:<{WIDTH}} {done:>8}")

    def seconds(self) -> float:
        """Since the first step began."""
        return time.monotonic() - self._start


@contextmanager
def spinner(text: str) -> Iterator[None]:
    if not sys.stdout.isatty():
        yield
        return
    from rich.console import Console

    with Console().status(text):
        yield
