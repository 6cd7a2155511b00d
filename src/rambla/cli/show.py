"""How is an answer shown: a table for people, JSON for programs?

Pure up to the two functions that print. Nothing printed for people may carry control characters: logs and names come
from strangers, and a terminal obeys them. What is not a terminal gets plain text without colours or cut lines.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

PLAIN_COLUMNS = 4096
"""How wide a table may be where no terminal limits it."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """`text` with control and direction characters made visible; tabs and line ends stay."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", text)


def cell(value: Any) -> str:
    """A value as one line of a table."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str():
            return clean(value.replace("\n", " "))
        case float():
            return f"{value:,.2f}"
        case dict() | list():
            return clean(json.dumps(value, ensure_ascii=False))
    return clean(str(value))


def moment(ms: int | None) -> str:
    """Milliseconds since the epoch as `2026-11-22 13:00:00.123` in UTC; "" for none."""
    if ms is None:
        return ""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}.{ms % 1000:03d}"


def flatten(data: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Nested objects as `a.b` and value, in order; a list of plain values is joined, other lists are numbered."""
    rows: list[tuple[str, Any]] = []
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            rows += flatten(value, f"{name}.")
        elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
            rows += flatten({str(number): item for number, item in enumerate(value)}, f"{name}.")
        elif isinstance(value, list):
            rows.append((name, ", ".join(map(str, value))))
        else:
            rows.append((name, value))
    return rows


def print_json(data: Any) -> None:
    """One JSON text on stdout. A lone surrogate is escaped, which is the same JSON."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    click.echo(text.encode("utf-8", "backslashreplace"))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "none") -> None:
    """Columns under a heading, or the word `empty` if there are no rows."""
    rows = [[cell(value) for value in row] for row in rows]
    if not rows:
        click.echo(empty)
        return
    from rich.console import Console  # late: most commands print no table
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    width = None if sys.stdout.isatty() else PLAIN_COLUMNS
    Console(width=width, soft_wrap=False, highlight=False).print(table)


def print_fields(data: Mapping[str, Any]) -> None:
    """One object, a field a line."""
    rows = [(name, cell(value)) for name, value in flatten(data)]
    wide = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        click.echo(f"{clean(name):<{wide}}  {value}".rstrip())
