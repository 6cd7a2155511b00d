"""How does a trigger get, show and lose what fires it?

A feed is an action that is told what becomes of a trigger, by whoever makes, reads, changes or deletes it, as `wsk`
does. It is named in the trigger's annotation `feed`. The caller's key is sent along, since feeds that live outside the
platform need it to fire.
"""

from typing import TYPE_CHECKING, Any, Literal

import click

from rambla.cli import entities, show
from rambla.cli.errors import ApiError, CliError, describe
from rambla.cli.options import connected
from rambla.cli.paths import absolute, entity_path

if TYPE_CHECKING:
    from rambla.cli.client import Client

FEED = "feed"
Event = Literal["CREATE", "READ", "UPDATE", "DELETE"]


def feed_of(trigger: dict[str, Any]) -> str | None:
    """The name of the trigger's feed, if it has one."""
    feed = entities.mapping(trigger.get("annotations")).get(FEED)
    return feed if isinstance(feed, str) and feed else None


async def tell(client: "Client", event: Event, feed: str, trigger: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The feed's answer. ApiError or CliError if it refuses or does not end in time."""
    own = {"lifecycleEvent": event, "triggerName": absolute(trigger), "authKey": client.key}
    query = {"blocking": True, "result": True}
    path = entity_path("actions", feed)
    try:
        status, answer = await client.ask("POST", path, query=query, body={**arguments, **own})
    except ApiError as error:
        raise CliError(f"the feed {feed} refuses: {_innermost(error)}") from error
    if status == 202:
        raise CliError(f"the feed {feed} has not answered. See: rambla activation get {answer['activationId']}")
    return answer if isinstance(answer, dict) else {}


async def create(client: "Client", name: str, body: dict[str, Any], feed: str, arguments: dict[str, Any]) -> Any:
    """The trigger as made, with its feed; nothing is left of it if the feed refuses."""
    path = entity_path("triggers", name)
    made = await client.call("PUT", path, body=body)
    try:
        await tell(client, "CREATE", feed, name, arguments)
    except CliError:
        await client.call("DELETE", path)
        raise
    return made


def add_get(group: click.Group) -> None:
    """`get` of a trigger, with what its feed knows."""

    @group.command("get", help="Show one whole, with what its feed says.")
    @click.argument("name")
    @connected
    async def get(client: "Client", name: str, as_json: bool) -> None:
        found = await client.call("GET", entity_path("triggers", name))
        feed = feed_of(found)
        shown = found if as_json else entities.tidy(found)
        if feed is not None:
            shown = {**shown, FEED: await _tell_or_warn(client, "READ", feed, name)}
        show.print_json(shown) if as_json else show.print_fields(shown)


def add_delete(group: click.Group) -> None:
    """`delete` of a trigger, after its feed was told."""

    @group.command("delete", help="Delete it, and tell its feed.")
    @click.argument("name")
    @connected
    async def delete(client: "Client", name: str, as_json: bool) -> None:
        path = entity_path("triggers", name)
        feed = feed_of(await client.call("GET", path))
        if feed is not None:
            await _tell_or_warn(client, "DELETE", feed, name)
        entities.report(await client.call("DELETE", path), "deleted", as_json)


async def _tell_or_warn(client: "Client", event: Event, feed: str, trigger: str) -> dict[str, Any]:
    """As `tell`; a feed that is gone hides no trigger and keeps none."""
    try:
        return await tell(client, event, feed, trigger, {})
    except CliError as error:
        error.show()
        return {}


def _innermost(error: ApiError) -> str:
    """The text of an error that stands within an error, as feeds answer."""
    body: Any = error.body
    while isinstance(body, dict) and isinstance(body.get("error"), dict):
        body = body["error"]
    return describe(error.status, body)
