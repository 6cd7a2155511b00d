"""Who may come in at all, and whose accounts are one person's?"""

from typing import TYPE_CHECKING

import click

from rambla.cli import show
from rambla.cli.errors import CliError
from rambla.cli.options import operated, page_options
from rambla.cli.paths import identity_path
from rambla.cli.tokens import days_option, lifetime_ms, only_option, print_people, print_token

if TYPE_CHECKING:
    from rambla.cli.client import Client


@click.group("identity")
def identity() -> None:
    """People and programs: their accounts, SOURCE/USER, and what was given to them."""


@identity.command("accounts")
@page_options
@operated
async def accounts(client: "Client", limit: int, skip: int, as_json: bool) -> None:
    """List the accounts of whom something was said here."""
    found = await client.call("GET", identity_path("accounts"), query={"limit": limit, "skip": skip})
    print_people(found, as_json, empty="no accounts")


@identity.command("revoke")
@click.argument("account")
@operated
async def revoke(client: "Client", account: str, as_json: bool) -> None:
    """End every session and token that ACCOUNT has until now, on all nodes."""
    answer = await _say(client, account, "revoke")
    show.print_json(answer) if as_json else click.echo(f"what {account} was given until now opens nothing any more")


@identity.command("block")
@click.argument("account")
@operated
async def block(client: "Client", account: str, as_json: bool) -> None:
    """Let ACCOUNT in by nothing, until it is unblocked."""
    answer = await _say(client, account, "block")
    show.print_json(answer) if as_json else click.echo(f"{account} is blocked")


@identity.command("unblock")
@click.argument("account")
@operated
async def unblock(client: "Client", account: str, as_json: bool) -> None:
    """Let ACCOUNT in again."""
    answer = await _say(client, account, "unblock")
    show.print_json(answer) if as_json else click.echo(f"{account} is not blocked")


@identity.command("unlock")
@click.argument("account")
@operated
async def unlock(client: "Client", account: str, as_json: bool) -> None:
    """Let ACCOUNT try again after too many wrong passwords."""
    answer = await _say(client, account, "unlock")
    show.print_json(answer) if as_json else click.echo(f"{account} may try again")


@identity.command("alias")
@click.argument("account")
@click.argument("person", required=False)
@click.option("--clear", is_flag=True, help="It is nobody's in particular any more.")
@operated
async def alias(client: "Client", account: str, person: str | None, clear: bool, as_json: bool) -> None:
    """Say that ACCOUNT is PERSON's, who may have others."""
    if bool(person) == clear:
        raise CliError("whose is it? Fix: name a PERSON, or give --clear")
    path = identity_path("accounts", *parts_of(account), "person")
    answer = await (client.call("DELETE", path) if clear else client.call("PUT", path, body={"person": person}))
    show.print_json(answer) if as_json else click.echo(f"{account} is {person or 'nobody'}'s")


@identity.command("tokens")
@page_options
@operated
async def tokens(client: "Client", limit: int, skip: int, as_json: bool) -> None:
    """List everybody's tokens and sessions, the newest first."""
    found = await client.call("GET", identity_path("tokens", "all"), query={"limit": limit, "skip": skip})
    print_people(found, as_json, empty="no tokens")


@identity.command("end-token")
@click.argument("token_id", metavar="ID")
@operated
async def end_token(client: "Client", token_id: str, as_json: bool) -> None:
    """Let anybody's token of that ID open nothing any more."""
    answer = await client.call("DELETE", identity_path("tokens", "all", token_id))
    show.print_json(answer) if as_json else click.echo(f"{token_id} opens nothing any more")


@identity.command("program")
@click.argument("name")
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="One that it holds everywhere; repeat it.")
@click.option("--role-in", "acts_in", multiple=True, nargs=2, metavar="NAMESPACE ROLE", help="One it holds there.")
@click.option("--trust", type=click.IntRange(0, 9), default=1, show_default=True, help="How far it is trusted.")
@days_option
@only_option
@operated
async def program(
    client: "Client",
    name: str,
    roles: tuple[str, ...],
    acts_in: tuple[tuple[str, str], ...],
    days: float | None,
    as_json: bool,
    **more: object,
) -> None:
    """Make a token for a program called NAME that nobody stands behind, and print it, once."""
    held: dict[str, list[str]] = {}
    for namespace, role in acts_in:
        held.setdefault(namespace, []).append(role)
    body = {"name": name, "roles": roles, "actsIn": held, "lifetime": lifetime_ms(days), **more}
    print_token(await client.call("POST", identity_path("programs"), body=body), as_json)


def parts_of(account: str) -> tuple[str, str]:
    source, slash, user = account.partition("/")
    if not slash or not source or not user:
        raise CliError(f"'{account}' is no account. Fix: write SOURCE/USER, such as corp/ada")
    return source, user


async def _say(client: "Client", account: str, what: str) -> object:
    return await client.call("POST", identity_path("accounts", *parts_of(account), what))
