"""What came out of it?

Shows the two pictures, the activation, the audit entries and the cost, and what to try next. Pure but for saving the
pictures and printing.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from rambla.cli import show
from rambla.cli.activations import start_kind
from rambla.cli.demo.picture import Picture
from rambla.cli.demo.story import ACTION, PHOTOS, THUMBNAILS, Outcome, annotations_of
from rambla.cli.platform import rows_in

AUDIT_COLUMNS = ("at_ms", "subject", "permission", "target", "rule", "status")
STRONGEST = "sandboxed"


def save(folder: Path, container: str, picture: Picture) -> Path:
    """Keep the picture below `folder`, where people can look at it."""
    path = folder / container / Path(picture.name).name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture.content)
    return path


def pictures(outcome: Outcome, folder: Path) -> None:
    rows = [
        (
            f"{container}/{picture.name}",
            f"{picture.width} x {picture.height}",
            len(picture.content),
            str(save(folder, container, picture)),
        )
        for container, picture in ((PHOTOS, outcome.original), (THUMBNAILS, outcome.thumbnail))
    ]
    heading("Pictures")
    show.print_table(("object", "pixels", "bytes", "look at"), rows)


def activation(outcome: Outcome) -> None:
    record, annotations = outcome.activation, annotations_of(outcome.activation)
    heading("Activation")
    show.print_fields(
        {
            "id": record["activationId"],
            "start": start_kind(record),
            "initialised in": milliseconds(annotations.get("initTime")),
            "ran": milliseconds(record.get("duration")),
            "waited": milliseconds(annotations.get("waitTime")),
            "cost": f"{cost_gb_ms(record):,.2f} GB-ms ({memory_mb(record)} MB for {record.get('duration', 0)} ms)",
        }
    )


def milliseconds(value: Any) -> str:
    return "-" if value is None else f"{value} ms"


def memory_mb(record: dict[str, Any]) -> int:
    limits = annotations_of(record).get("limits")
    return int(limits.get("memory", 0)) if isinstance(limits, dict) else 0


def cost_gb_ms(record: dict[str, Any]) -> float:
    """Memory times time: what this run is charged with."""
    return memory_mb(record) * int(record.get("duration") or 0) / 1024


def audit(entries: Any, since_ms: int) -> None:
    rows = [entry for entry in rows_in(entries) if entry.get("at_ms", 0) >= since_ms]
    heading("Audit entries it left")
    cells = [
        [show.moment(entry["at_ms"]), *(entry.get(column) for column in AUDIT_COLUMNS[1:])] for entry in reversed(rows)
    ]
    show.print_table(("at (UTC)", *AUDIT_COLUMNS[1:]), cells, empty="none")


def usage(rows: Any) -> None:
    mine = [row for row in rows_in(rows) if str(row.get("action", "")).split("/")[-1] == ACTION]
    total, count = sum(row.get("gb_ms", 0) for row in mine), sum(row.get("activations", 0) for row in mine)
    click.echo(f"All runs of {ACTION} on this data so far: {count}, {total:,.2f} GB-ms")


def isolation(level: str) -> None:
    heading("Isolation")
    remark = "" if level == STRONGEST else f"; this host allows no '{STRONGEST}': see rambla status for the reasons"
    click.echo(f"{level}{remark}")


def next_steps(data: Path, *, stays: bool) -> None:
    rambla = program()
    heading("Next" if stays else "Next (after `make run`, which stays up)")
    for line in (
        f"{rambla} activation list --data {data}",
        f"{rambla} activation logs --last --data {data}",
        f"{rambla} action get {ACTION} --data {data}",
        f"{rambla} audit list --data {data}",
        f"{rambla} status --data {data}",
    ):
        click.echo(f"  {line}")


def program() -> str:
    """How this program can be called from here, as short as it can be said."""
    path = Path(sys.argv[0]).absolute()
    if path.name != "rambla" or shutil.which("rambla") == str(path):
        return "rambla"
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def heading(text: str) -> None:
    click.echo()
    click.secho(text, bold=True)
