"""Who am I to a server, and how do I become that?

`login` sends one proof and keeps the session that the server gives for it; all other commands then come with it.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rambla.cli import connection, session, show
from rambla.cli.errors import ApiError, CliError
from rambla.cli.options import connected, json_option, server_options, stack, start
from rambla.cli.paths import identity_path
from rambla.cli.secrets import password_option, secret

if TYPE_CHECKING:
    from rambla.cli.client import Client

_UNKNOWN = 401


@click.command("login")
@stack(server_options)
@click.option("--source", default="", help="Who is to be asked; all are, in their order, if this is left out.")
@click.option("--user", help="Who you are there; SOURCE/USER says both.")
@click.option("--namespace", default="", help="The one to act in where nothing says otherwise.")
@click.option("--code", default="", help="What your second factor shows; it is good once.")
@password_option
@click.option("--device", is_flag=True, help="Log in with a browser, at the OpenID provider of the source.")
@click.option("--os-cloud", metavar="NAME", help="Be who clouds.yaml says; envvars for the variables OS_*.")
@json_option
def login(apihost: str | None, data: Path | None, as_json: bool, namespace: str, **how: Any) -> None:
    """Log in, and let the other commands come with that session."""
    from rambla.cli.client import Client  # late: `rambla --help` needs no HTTP

    url = connection.address(apihost, data)

    async def run() -> None:
        async with Client(url, trust=connection.trust(url, data)) as client:
            body = await _proof(client, how)
            told = await client.call("POST", identity_path("login"), body={**body, "namespace": namespace})
        names = ("token", "subject", "namespace", "expires")
        session.keep(url, session.Session(**{name: told[name] for name in names}))
        shown = {name: value for name, value in told.items() if name != "token"}
        show.print_json(shown) if as_json else click.echo(_welcome(told))

    start(run)


@click.command("logout")
@stack(server_options)
def logout(apihost: str | None, data: Path | None) -> None:
    """End the session at the server, and forget it."""
    from rambla.cli.client import Client  # late, as above

    url = connection.address(apihost, data)
    found = session.find(url)
    if found is None:
        session.forget(url)
        raise CliError(f"nobody is logged in at {url}")

    async def run() -> None:
        async with Client(url, token=found.token, trust=connection.trust(url, data)) as client:
            try:
                await client.call("POST", identity_path("logout"))
            except ApiError as error:
                if error.status != _UNKNOWN:  # else it is over already
                    raise
        session.forget(url)
        click.echo(f"{found.subject} is logged out of {url}")

    start(run)


@click.command("whoami")
@connected
async def whoami(client: "Client", as_json: bool) -> None:
    """Tell who you are to the server, and what you are in which namespaces."""
    found = await client.call("GET", identity_path("whoami"))
    if as_json:
        show.print_json(found)
        return
    show.print_fields({name: _human(name, value) for name, value in found.items() if value not in ("", [], None)})


async def _proof(client: "Client", how: dict[str, Any]) -> dict[str, str]:
    source = how["source"]
    if how["device"] and how["os_cloud"]:
        raise CliError("--device and --os-cloud are two ways to log in. Fix: choose one")
    if how["os_cloud"]:
        from rambla.cli.clouds import login_of  # late, as above

        return {"source": source, **login_of(how["os_cloud"], os.environ)}
    if how["device"]:
        from rambla.cli.device import tokens  # late, as above

        chosen = await _provider(client, source)
        return {"source": chosen["name"], "method": "token", "token": await tokens(chosen["public"], _show_code)}
    user = how["user"] or click.prompt("User", err=True)
    before, slash, after = user.partition("/")
    if slash and not source:
        source, user = before, after
    password = secret("Password", how["password_file"])
    return {"source": source, "method": "password", "user": user, "password": password, "code": how["code"]}


async def _provider(client: "Client", source: str) -> dict[str, Any]:
    """The OpenID provider that is meant. CliError if there is none, or several and none is named."""
    found = await client.call("GET", identity_path("sources"))
    there = [one for one in found if one["kind"] == "oidc" and source in ("", one["name"])]
    if len(there) != 1:
        names = ", ".join(one["name"] for one in there) or "none"
        raise CliError(f"which OpenID provider? There are: {names}. Fix: --source NAME")
    return dict(there[0])


def _show_code(address: str, code: str) -> None:
    click.echo(f"Open {show.clean(address)} in a browser, and see that it shows the code {show.clean(code)}", err=True)


def _welcome(told: dict[str, Any]) -> str:
    where = f" in {told['namespace']}" if told["namespace"] else ""
    return show.clean(f"{told['subject']}{where}, until {show.moment(told['expires'])}")


def _human(name: str, value: Any) -> Any:
    return show.moment(value) if name == "expires" else value
