"""Triggers and rules: which events run which actions?

A trigger may have a source: a container whose object events fire it. The source is an annotation, so that every
OpenWhisk client keeps it; the platform subscribes the container when it sees it. Or it has a feed, see `feeds`.
"""

from typing import TYPE_CHECKING, Any

import click

from rambla.cli import entities, feeds, show
from rambla.cli.errors import ApiError, CliError
from rambla.cli.options import annotation_options, arguments_of, connected, key_values, parameter_options, stack
from rambla.cli.paths import absolute, entity_path

if TYPE_CHECKING:
    from rambla.cli.client import Client

NOT_FOUND = 404
DEFAULT_EVENT = "s3:ObjectCreated:*"

_TRIGGER_OPTIONS = stack(
    (
        click.option("--source", metavar="swift:CONTAINER", help="Fire when objects in the container change."),
        click.option("--event", multiple=True, metavar="NAME", help=f"S3's name of an event; {DEFAULT_EVENT} if none."),
        click.option("--prefix", help="Only objects whose names begin so."),
        click.option("--suffix", help="Only objects whose names end so."),
        click.option("--target", metavar="CONTAINER", help="The container an action of this trigger may write to."),
        parameter_options,
        annotation_options,
    )
)


@click.group("trigger")
def trigger() -> None:
    """Channels of events; rules connect them with actions."""


@click.group("rule")
def rule() -> None:
    """Which trigger runs which action."""


def source_of(options: dict[str, Any]) -> dict[str, Any] | None:
    """The annotation `source` that these options mean, or None. CliError for one that means nothing."""
    if not options["source"]:
        if any(options[key] for key in ("event", "prefix", "suffix", "target")):
            raise CliError("--event, --prefix, --suffix and --target belong to --source swift:CONTAINER")
        return None
    kind, _, container = options["source"].partition(":")
    if kind != "swift" or not container or "/" in container:
        raise CliError(f"--source {options['source']} is not of the form swift:CONTAINER")
    return {
        "type": kind,
        "container": container,
        "events": list(options["event"]) or [DEFAULT_EVENT],
        "prefix": options["prefix"] or "",
        "suffix": options["suffix"] or "",
        "target": options["target"] or "",
    }


def body_of(options: dict[str, Any]) -> dict[str, Any]:
    """The body of a trigger's PUT: only what was given."""
    annotations = arguments_of(options["annotation"])
    source = source_of(options)
    if source:
        annotations["source"] = source
    parameters = arguments_of(options["param"], options["param_file"])
    body = {"parameters": key_values(parameters), "annotations": key_values(annotations)}
    return {key: value for key, value in body.items() if value}


def body_with_feed(options: dict[str, Any], feed: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the feed is told, and the body of the trigger's PUT: the parameters are the feed's."""
    arguments = arguments_of(options["param"], options["param_file"])
    body = body_of({**options, "param": (), "param_file": None})
    return arguments, {**body, "annotations": [*body.get("annotations", []), *key_values({feeds.FEED: feed})]}


async def feed_there(client: "Client", path: str) -> str | None:
    """The feed of the trigger at `path`; None if it has none, or is not there."""
    try:
        return feeds.feed_of(await client.call("GET", path))
    except ApiError as error:
        if error.status != NOT_FOUND:
            raise
        return None


@trigger.command("create")
@click.argument("name")
@click.option("--feed", metavar="ACTION", help="What fires it, such as /whisk.system/alarms/alarm; takes the --param.")
@_TRIGGER_OPTIONS
@connected
async def create(client: "Client", name: str, feed: str | None, as_json: bool, **options: Any) -> None:
    """Make trigger NAME, fired by hand, by a source or by a feed."""
    if feed is None:
        made = await client.call("PUT", entity_path("triggers", name), body=body_of(options))
    else:
        arguments, body = body_with_feed(options, absolute(feed))
        made = await feeds.create(client, name, body, feed, arguments)
    entities.report(made, "created", as_json)


@trigger.command("update")
@click.argument("name")
@_TRIGGER_OPTIONS
@connected
async def update(client: "Client", name: str, as_json: bool, **options: Any) -> None:
    """Change trigger NAME, or make it. Annotations, and so the source, are replaced as a whole; a feed stays, and
    takes the --param."""
    path, body = entity_path("triggers", name), body_of(options)
    feed = await feed_there(client, path)
    if feed is not None:
        arguments, body = body_with_feed(options, feed)
        if arguments:
            await feeds.tell(client, "UPDATE", feed, name, arguments)
        if not options["annotation"] and not options["source"]:
            body = {}
    changed = await client.call("PUT", path, query={"overwrite": True}, body=body)
    entities.report(changed, "updated", as_json)


@trigger.command("fire")
@click.argument("name")
@parameter_options
@connected
async def fire(client: "Client", name: str, as_json: bool, **parameters: Any) -> None:
    """Fire trigger NAME and print the id of its activation; nothing if no rule is active."""
    arguments = arguments_of(parameters["param"], parameters["param_file"])
    answer = await client.call("POST", entity_path("triggers", name), body=arguments)
    if as_json:
        show.print_json(answer)
    elif answer:
        click.echo(answer["activationId"])
    else:
        click.echo(f"{show.clean(name)} has no active rule: nothing ran", err=True)


@rule.command("create")
@click.argument("name")
@click.argument("trigger_name", metavar="TRIGGER")
@click.argument("action_name", metavar="ACTION")
@connected
async def create_rule(client: "Client", name: str, trigger_name: str, action_name: str, as_json: bool) -> None:
    """Let TRIGGER run ACTION; active at once."""
    await put_rule(client, name, trigger_name, action_name, overwrite=False, as_json=as_json)


@rule.command("update")
@click.argument("name")
@click.argument("trigger_name", metavar="TRIGGER")
@click.argument("action_name", metavar="ACTION")
@connected
async def update_rule(client: "Client", name: str, trigger_name: str, action_name: str, as_json: bool) -> None:
    """Let NAME connect TRIGGER with ACTION from now on."""
    await put_rule(client, name, trigger_name, action_name, overwrite=True, as_json=as_json)


async def put_rule(
    client: "Client", name: str, trigger_name: str, action_name: str, *, overwrite: bool, as_json: bool
) -> None:
    body = {"trigger": absolute(trigger_name), "action": absolute(action_name)}
    made = await client.call("PUT", entity_path("rules", name), query={"overwrite": overwrite}, body=body)
    entities.report(made, "updated" if overwrite else "created", as_json)


@rule.command("enable")
@click.argument("name")
@connected
async def enable(client: "Client", name: str, as_json: bool) -> None:
    """Let it run its action again."""
    await set_status(client, name, "active", as_json)


@rule.command("disable")
@click.argument("name")
@connected
async def disable(client: "Client", name: str, as_json: bool) -> None:
    """Keep it, without effect."""
    await set_status(client, name, "inactive", as_json)


async def set_status(client: "Client", name: str, status: str, as_json: bool) -> None:
    await client.call("POST", entity_path("rules", name), body={"status": status})
    if as_json:
        show.print_json({"name": name, "status": status})
    else:
        click.echo(f"{show.clean(name)} is {status}")


def _trigger_row(found: dict[str, Any]) -> tuple[Any, ...]:
    source = entities.mapping(found.get("annotations")).get("source")
    text = f"{source.get('type')}:{source.get('container')}" if isinstance(source, dict) else feeds.feed_of(found)
    return entities.full_name(found), text, found.get("version"), show.moment(found.get("updated"))


def _rule_row(found: dict[str, Any]) -> tuple[Any, ...]:
    sides = (found.get("trigger"), found.get("action"))
    names = [f"{side.get('path')}/{side.get('name')}" if isinstance(side, dict) else side for side in sides]
    return entities.full_name(found), *names, found.get("version")


entities.add_list(trigger, "triggers", ("trigger", "source or feed", "version", "updated (UTC)"), _trigger_row)
feeds.add_get(trigger)
feeds.add_delete(trigger)
entities.add_list(rule, "rules", ("rule", "trigger", "action", "version"), _rule_row)
entities.add_get(rule, "rules")
entities.add_delete(rule, "rules")
