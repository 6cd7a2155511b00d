"""Which tokens do I make for programs of mine?"""

from typing import TYPE_CHECKING, Any

import click

from rambla.cli import show
from rambla.cli.options import connected
from rambla.cli.paths import identity_path

if TYPE_CHECKING:
    from rambla.cli.client import Client

DAY_MS = 86_400_000
days_option = click.option(
    "--days", type=click.FloatRange(min=0, min_open=True, max=366), help="For how long it is good; 90 if left out."
)
only_option = click.option("--only", multiple=True, metavar="PERMISSION", help="What it is good for; repeat it.")
MOMENTS = frozenset({"created", "expires", "changed", "revoked"})


@click.group("token")
def token() -> None:
    """Tokens for programs: as good as you are, or less."""


@token.command("create")
@click.argument("name")
@days_option
@only_option
@click.option("--in", "namespaces", multiple=True, metavar="NAMESPACE", help="Where it is good; repeat it.")
@connected
async def create(
    client: "Client", name: str, days: float | None, only: tuple[str, ...], namespaces: tuple[str, ...], as_json: bool
) -> None:
    """Make a token called NAME, and print it, once."""
    body = {"name": name, "lifetime": lifetime_ms(days), "only": only, "namespaces": namespaces}
    print_token(await client.call("POST", identity_path("tokens"), body=body), as_json)


@token.command("list")
@connected
async def list_(client: "Client", as_json: bool) -> None:
    """List your tokens and sessions, the newest first."""
    print_people(await client.call("GET", identity_path("tokens")), as_json, empty="no tokens")


@token.command("delete")
@click.argument("token_id", metavar="ID")
@connected
async def delete(client: "Client", token_id: str, as_json: bool) -> None:
    """Let the token of that ID open nothing any more."""
    answer = await client.call("DELETE", identity_path("tokens", token_id))
    show.print_json(answer) if as_json else click.echo(f"{token_id} opens nothing any more")


@token.command("rotate")
@click.argument("token_id", metavar="ID")
@connected
async def rotate(client: "Client", token_id: str, as_json: bool) -> None:
    """Give the token of that ID another secret, and print it, once; the old one opens nothing any more."""
    print_token(await client.call("POST", identity_path("tokens", token_id, "rotate")), as_json)


def lifetime_ms(days: float | None) -> int:
    return 0 if days is None else max(1, int(days * DAY_MS))


def print_token(answer: dict[str, Any], as_json: bool) -> None:
    show.print_json(answer) if as_json else click.echo(answer["token"])


def print_people(rows: list[dict[str, Any]], as_json: bool, *, empty: str) -> None:
    """Rows in the order of their first one's fields; moments as such."""
    if as_json:
        show.print_json(rows)
        return
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = [[_human(name, row.get(name)) for name in columns] for row in rows]
    show.print_table(columns, table, empty=empty)


def _human(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return show.moment(value) if name in MOMENTS else value
