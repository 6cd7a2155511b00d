"""Which people does the platform keep itself?"""

import functools
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rambla.cli import show
from rambla.cli.options import Command, Coroutine, operated, page_options
from rambla.cli.paths import identity_path
from rambla.cli.secrets import password_option, secret
from rambla.cli.tokens import print_people

if TYPE_CHECKING:
    from rambla.cli.client import Client

source_option = click.option("--source", default="local", show_default=True, help="Which source of kind local.")


def operated_on_user(command: Coroutine) -> Command:
    """As `operated`, where USER may be written SOURCE/USER, as all else calls them."""

    @functools.wraps(command)
    async def wrapper(client: "Client", name: str, source: str, **more: Any) -> None:
        before, slash, after = name.partition("/")
        await command(client, after if slash else name, before if slash else source, **more)

    return operated(wrapper)


@click.group("user")
def user() -> None:
    """People whom the platform keeps itself."""


@user.command("create")
@click.argument("name", metavar="USER")
@source_option
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="What the mapping knows; repeat it.")
@click.option("--expires", type=click.DateTime(), help="When they may come in no more, in UTC.")
@password_option
@operated_on_user
async def create(
    client: "Client", name: str, source: str, expires: datetime | None, as_json: bool, **more: Any
) -> None:
    """Let USER log in with a password."""
    password = secret(f"Password of {name}", more["password_file"], confirm=True)
    until = expires and int(expires.replace(tzinfo=UTC).timestamp() * 1000)
    body = {"user": name, "password": password, "groups": more["groups"], "expires": until}
    answer = await client.call("POST", identity_path("users", source), body=body)
    show.print_json(answer) if as_json else click.echo(f"made {source}/{name}")


@user.command("list")
@source_option
@page_options
@operated
async def list_(client: "Client", source: str, limit: int, skip: int, as_json: bool) -> None:
    """List the users by name."""
    found = await client.call("GET", identity_path("users", source), query={"limit": limit, "skip": skip})
    print_people(found, as_json, empty="no users")


@user.command("disable")
@click.argument("name", metavar="USER")
@source_option
@operated_on_user
async def disable(client: "Client", name: str, source: str, as_json: bool) -> None:
    """Let USER in no more, and end their sessions and tokens."""
    answer = await client.call("POST", identity_path("users", source, name, "disable"))
    show.print_json(answer) if as_json else click.echo(f"{source}/{name} is disabled")


@user.command("enable")
@click.argument("name", metavar="USER")
@source_option
@operated_on_user
async def enable(client: "Client", name: str, source: str, as_json: bool) -> None:
    """Let USER log in again."""
    answer = await client.call("POST", identity_path("users", source, name, "enable"))
    show.print_json(answer) if as_json else click.echo(f"{source}/{name} may log in")


@user.command("delete")
@click.argument("name", metavar="USER")
@source_option
@operated_on_user
async def delete(client: "Client", name: str, source: str, as_json: bool) -> None:
    """Forget USER, and end their sessions and tokens."""
    answer = await client.call("DELETE", identity_path("users", source, name))
    show.print_json(answer) if as_json else click.echo(f"deleted {source}/{name}")


@user.command("password")
@click.argument("name", metavar="USER")
@source_option
@password_option
@operated_on_user
async def password(client: "Client", name: str, source: str, password_file: Path | None, as_json: bool) -> None:
    """Give USER another password, and end their sessions and tokens."""
    body = {"password": secret(f"New password of {name}", password_file, confirm=True)}
    answer = await client.call("PUT", identity_path("users", source, name, "password"), body=body)
    show.print_json(answer) if as_json else click.echo(f"{source}/{name} has another password")


@user.command("totp")
@click.argument("name", metavar="USER")
@source_option
@click.option("--off", is_flag=True, help="Ask them for none any more.")
@operated_on_user
async def totp(client: "Client", name: str, source: str, off: bool, as_json: bool) -> None:
    """Ask USER for a second factor, and print the address that their authenticator reads, once."""
    path = identity_path("users", source, name, "totp")
    if off:
        await client.call("DELETE", path)
        click.echo(f"{source}/{name} needs no second factor")
        return
    answer = await client.call("POST", path)
    show.print_json(answer) if as_json else click.echo(answer["address"])
