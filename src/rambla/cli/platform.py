"""What does an operator do: start it, look after it, give keys out?

`serve`, `rebuild` and `runtime install` run the platform's own code; the others ask a running server, or open the
platform in this process if none runs. What comes after: `app`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rambla.cli import show
from rambla.cli.options import FILE, connected, data_option, operated
from rambla.cli.paths import platform_path
from rambla.engine.ports import LEVELS

if TYPE_CHECKING:
    from rambla.cli.client import Client


@click.command("serve")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="The data folder; var/rambla if unset.")
@click.option("--listen", metavar="HOST:PORT", help="Where to listen; port 0 takes a free one.")
@click.option("--object-store", type=click.Choice(["swift", "none"]), help="An embedded Swift, or none.")
@click.option("--config", type=FILE, help="A TOML file with settings; options go before it.")
@click.option("--require-isolation", type=click.Choice(LEVELS), help="Refuse to start if the host allows less.")
def serve(config: Path | None, **options: Any) -> None:
    """Run the platform. Prints `ready http://HOST:PORT` when it serves; SIGTERM drains and ends it."""
    from rambla.app import run, settings  # late: everybody else can do without the platform

    run.serve(settings.load(config, **options))


@click.command("rebuild")
@data_option
def rebuild(data: Path) -> None:
    """Rebuild the index from the journal. No platform may run on the folder."""
    from rambla.app import run  # late, as above

    click.echo(f"indexed {run.rebuild(data)} records of the journal")


@click.command("status")
@operated
async def status(client: "Client", as_json: bool) -> None:
    """Show the health of every part, the isolation level in force, and how much waits."""
    answer = await client.call("GET", platform_path("status"))
    show.print_json(answer) if as_json else show.print_fields(answer)


@click.command("key")
@click.argument("namespace")
@click.option("--rotate", is_flag=True, help="Make a new key first; the old one opens nothing from then on.")
@operated
async def key(client: "Client", namespace: str, rotate: bool, as_json: bool) -> None:
    """Print the key of NAMESPACE, uuid:secret."""
    answer = await client.call("PUT" if rotate else "GET", platform_path("namespaces", namespace, "key"))
    show.print_json(answer) if as_json else click.echo(answer["key"])


@click.group("namespace")
def namespace() -> None:
    """Tenants: each has a name, a key, entities and limits of its own."""


@namespace.command("create")
@click.argument("name")
@operated
async def create(client: "Client", name: str, as_json: bool) -> None:
    """Make namespace NAME with a key of its own."""
    answer = await client.call("PUT", platform_path("namespaces", name))
    show.print_json(answer) if as_json else click.echo(f"created {name}. Its key: rambla key {name}")


@namespace.command("list")
@operated
async def list_(client: "Client", as_json: bool) -> None:
    """List namespaces by name."""
    print_rows(await client.call("GET", platform_path("namespaces")), as_json, empty="no namespaces")


@namespace.command("delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@operated
async def delete(client: "Client", name: str, yes: bool, as_json: bool) -> None:
    """Delete namespace NAME and everything in it."""
    if not yes:
        click.confirm(f"Delete namespace {name} with all its actions, triggers and rules?", abort=True, err=True)
    answer = await client.call("DELETE", platform_path("namespaces", name))
    show.print_json(answer) if as_json else click.echo(f"deleted {name}")


@namespace.command("limits")
@click.argument("name")
@click.option("--invocations-per-minute", type=click.IntRange(0), help="Invokes that it may make in a minute.")
@click.option("--concurrent-invocations", type=click.IntRange(0), help="Invokes that it may have in flight.")
@click.option("--fires-per-minute", type=click.IntRange(0), help="Triggers that it may fire in a minute.")
@click.option("--allowed-kind", "allowed_kinds", multiple=True, metavar="KIND", help="Kinds it may run; repeat it.")
@click.option("--all-kinds", is_flag=True, help="It may run every kind again.")
@click.option("--store-activations/--no-store-activations", default=None, help="Whether its activations can be found.")
@click.option("--max-action-timeout", type=click.IntRange(1), metavar="MS", help="The longest that an action may run.")
@click.option("--max-action-memory", type=click.IntRange(1), metavar="MB", help="The most memory of an action.")
@click.option("--max-action-logs", type=click.IntRange(0), metavar="MB", help="The most logs of an action.")
@click.option("--reset", is_flag=True, help="First take it back to what a new namespace gets.")
@operated
async def limits(client: "Client", name: str, reset: bool, all_kinds: bool, as_json: bool, **wanted: Any) -> None:
    """Show what namespace NAME may use, after the changes that are asked for."""
    path = platform_path("namespaces", name, "limits")
    if reset:
        await client.call("DELETE", path)
    changes = {camel(key): value for key, value in wanted.items() if value not in (None, ())}
    if all_kinds:
        changes["allowedKinds"] = []
    answer = await (client.call("PUT", path, body=changes) if changes else client.call("GET", path))
    show.print_json(answer) if as_json else show.print_fields(answer)


def camel(name: str) -> str:
    """As OpenWhisk spells it."""
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


@click.group("audit")
def audit() -> None:
    """What was done, by whom, and whether they might."""


@audit.command("list")
@click.option("--limit", type=click.IntRange(1, 200), default=30, show_default=True, help="How many.")
@connected
async def audit_list(client: "Client", limit: int, as_json: bool) -> None:
    """List what was done in the key's namespace, the newest first."""
    path = platform_path("namespaces", client.namespace, "audit")
    print_rows(await client.call("GET", path, query={"limit": limit}), as_json, empty="no entries")


@click.command("usage")
@connected
async def usage(client: "Client", as_json: bool) -> None:
    """Show what the key's namespace used, in GB-milliseconds by hour and action."""
    path = platform_path("namespaces", client.namespace, "usage")
    print_rows(await client.call("GET", path), as_json, empty="nothing used")


@click.group("runtime")
def runtime() -> None:
    """What runs the code of actions."""


@runtime.command("install")
def install() -> None:
    """Make the environments that user code runs in, with the packages it may import."""
    from rambla.drivers.process import environments, java  # late, as above

    environments.install(click.echo)
    java.install(click.echo)


@runtime.command("list")
@connected
async def runtimes(client: "Client", as_json: bool) -> None:
    """List the kinds of action the server can run."""
    families = (await client.call("GET", "/")).get("runtimes", {})
    kinds = [kind for family in families.values() for kind in family]
    if as_json:
        show.print_json(families)
    else:
        rows = [(kind.get("kind"), bool(kind.get("default")), bool(kind.get("deprecated"))) for kind in kinds]
        show.print_table(("kind", "default", "deprecated"), rows, empty="no runtimes")


def rows_in(answer: Any) -> list[dict[str, Any]]:
    """The list an answer is, or the only list in it."""
    if isinstance(answer, dict):
        answer = next((value for value in answer.values() if isinstance(value, list)), [])
    return [item if isinstance(item, dict) else {"name": item} for item in answer or []]


def print_rows(answer: Any, as_json: bool, *, empty: str) -> None:
    """Whatever fields the rows have, in the order they came; `…_ms` fields that are moments are shown as such."""
    if as_json:
        show.print_json(answer)
        return
    rows = rows_in(answer)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = [[human(column, row.get(column)) for column in columns] for row in rows]
    show.print_table(
        [column.removesuffix("_ms") if column in MOMENTS else column for column in columns], table, empty=empty
    )


MOMENTS = frozenset({"at_ms", "hour_ms", "created"})


def human(column: str, value: Any) -> Any:
    return show.moment(value) if column in MOMENTS and isinstance(value, int) else value
