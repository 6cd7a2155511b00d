"""How does the status read for a program that gathers metrics?

Every number in it, in Prometheus's text format (version 0.0.4), named by where it stands:
`rambla_dispatch_queued 3`. What is not a number is no metric, but for lists, which count. Pure.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NO_LETTER = re.compile(r"[^a-zA-Z0-9]+")


def exposition(status: Mapping[str, Any]) -> str:
    numbers = dict(_numbers("rambla", status))  # of two that are named alike the last: a name may stand there once only
    return "".join(f"# TYPE {name} gauge\n{name} {value}\n" for name, value in sorted(numbers.items()))


def _numbers(path: str, value: Any) -> Iterator[tuple[str, int | float]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _numbers(f"{path}_{_NO_LETTER.sub('_', str(name)).strip('_').lower()}", inner)
    elif isinstance(value, list | tuple):
        yield path, len(value)
    elif isinstance(value, int | float):
        yield path, value if not isinstance(value, bool) else int(value)
