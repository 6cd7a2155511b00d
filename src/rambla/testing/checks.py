"""What do the suites share? Small helpers that need no test framework."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def raises(kind: type[Exception]) -> Iterator[None]:
    """The block must raise `kind`."""
    try:
        yield
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was not raised")
