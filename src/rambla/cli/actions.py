"""Actions: how are they made, changed and run?

The code comes from a file, a folder or a zip (`code_files`); parameters and annotations from options. What is left out
of an update stays as it was.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rambla.cli import code_files, entities, show
from rambla.cli.errors import ApiError, CliError
from rambla.cli.options import (
    annotation_options,
    arguments_of,
    connected,
    key_values,
    parameter_options,
    stack,
)
from rambla.cli.paths import absolute, entity_path

if TYPE_CHECKING:
    from rambla.cli.client import Client

BAD_GATEWAY = 502
ACCEPTED = 202
CODE = click.Path(exists=True, path_type=Path)

_ACTION_OPTIONS = stack(
    (
        click.option("--kind", help="The runtime, such as python:3; guessed from the file if left out."),
        click.option("--main", help="The function to call; main if left out."),
        click.option("--docker", metavar="IMAGE", help="A container image that runs it, with code or without."),
        click.option("--sequence", metavar="A,B,…", help="Actions that follow one another, instead of code."),
        click.option("--memory", type=click.IntRange(1), metavar="MB", help="Memory limit."),
        click.option("--timeout", type=click.IntRange(1), metavar="MS", help="Time limit in milliseconds."),
        click.option("--logs", type=click.IntRange(0), metavar="MB", help="Limit of the logs."),
        click.option("--network", type=click.Choice(["objects"]), help="What it may reach; nothing if left out."),
        parameter_options,
        annotation_options,
    )
)


@click.group("action")
def action() -> None:
    """Code that runs when it is invoked, or when a rule's trigger fires."""


@action.command("create")
@click.argument("name")
@click.argument("code", type=CODE, required=False)
@_ACTION_OPTIONS
@connected
async def create(client: "Client", name: str, code: Path | None, as_json: bool, **options: Any) -> None:
    """Make action NAME of CODE, which is a source file, a folder, or a zip; of an image, with --docker; or of other
    actions, with --sequence."""
    if code is None and not (options["docker"] or options["sequence"]):
        raise CliError("there is no code. Fix: name a file, a folder or a zip, or give --docker or --sequence")
    made = await client.call("PUT", entity_path("actions", name), body=body_of(code, **options))
    entities.report(made, "created", as_json)


@action.command("update")
@click.argument("name")
@click.argument("code", type=CODE, required=False)
@_ACTION_OPTIONS
@connected
async def update(client: "Client", name: str, code: Path | None, as_json: bool, **options: Any) -> None:
    """Change action NAME, or make it. What is left out stays as it was."""
    path = entity_path("actions", name)
    changed = await client.call("PUT", path, query={"overwrite": True}, body=body_of(code, **options))
    entities.report(changed, "updated", as_json)


def body_of(code: Path | None, **options: Any) -> dict[str, Any]:
    """The body of a PUT: only what was given."""
    annotations = arguments_of(options["annotation"])
    if options["network"]:
        annotations["network"] = options["network"]
    limits = {key: options[key] for key in ("memory", "timeout", "logs") if options[key] is not None}
    parameters = arguments_of(options["param"], options["param_file"])
    body = {
        "exec": sequence_of(code, **options) or image_of(code, **options) or exec_of(code, **options),
        "limits": limits,
        "parameters": key_values(parameters),
        "annotations": key_values(annotations),
    }
    return {key: value for key, value in body.items() if value}


def sequence_of(code: Path | None, **options: Any) -> dict[str, Any] | None:
    """OpenWhisk's `exec` of a sequence, or None if none is wanted. CliError if there is code too."""
    if not options["sequence"]:
        return None
    if code or options["docker"] or options["kind"] or options["main"]:
        raise CliError("--sequence is instead of code, --docker, --kind and --main")
    return {"kind": "sequence", "components": [absolute(each.strip()) for each in options["sequence"].split(",")]}


def image_of(code: Path | None, **options: Any) -> dict[str, Any] | None:
    """OpenWhisk's `exec` of a container image, which may bring its own code, or None if none is wanted."""
    if not options["docker"]:
        return None
    if options["kind"]:
        raise CliError("--docker is instead of --kind")
    given = {"code": code_files.read(code).text} if code else {}
    main = {"main": options["main"]} if options["main"] else {}
    return {"kind": "blackbox", "image": options["docker"]} | given | main


def exec_of(code: Path | None, **options: Any) -> dict[str, Any] | None:
    """OpenWhisk's `exec`, or None without code. CliError if nothing tells the kind."""
    kind, main = options["kind"], options["main"]
    if code is None:
        if kind or main:
            raise CliError("--kind and --main belong to code: name the file too")
        return None
    read = code_files.read(code)
    if not (kind or read.kind):
        raise CliError(f"cannot tell the kind of {code}. Fix: give --kind, such as python:3 or nodejs:20")
    return {"kind": kind or read.kind, "code": read.text} | ({"main": main} if main else {})


@action.command("get")
@click.argument("name")
@click.option("--code", "with_code", is_flag=True, help="Print the code and nothing else.")
@connected
async def get(client: "Client", name: str, with_code: bool, as_json: bool) -> None:
    """Show one whole, without its code."""
    found = await client.call("GET", entity_path("actions", name), query={"code": with_code})
    if with_code and not as_json:
        code = found["exec"].get("code", "")
        click.echo(code, nl=not code.endswith("\n"))
    elif as_json:
        show.print_json(found)
    else:
        show.print_fields(entities.tidy(found))


@action.command("invoke")
@click.argument("name")
@click.option("--blocking", "-b", is_flag=True, help="Wait for the end and print the activation.")
@click.option("--result", "-r", is_flag=True, help="Wait for the end and print the result alone.")
@parameter_options
@connected
async def invoke(
    client: "Client", name: str, *, blocking: bool, result: bool, as_json: bool, **parameters: Any
) -> None:
    """Run action NAME. Without --blocking or --result, print the id of the activation at once."""
    arguments = arguments_of(parameters["param"], parameters["param_file"])
    query = {"blocking": blocking or result, "result": result}
    try:
        status, answer = await client.ask("POST", entity_path("actions", name), query=query, body=arguments)
    except ApiError as error:
        if error.status == BAD_GATEWAY and error.body is not None:
            show.print_json(error.body)  # the record of a run that failed is what was asked for
        raise
    if status == ACCEPTED and (blocking or result):
        raise CliError(f"not finished yet. See: rambla activation get {answer['activationId']}")
    if status == ACCEPTED and not as_json:
        click.echo(answer["activationId"])
    else:
        show.print_json(answer)


def _action_row(found: dict[str, Any]) -> tuple[Any, ...]:
    annotations, limits = entities.mapping(found.get("annotations")), found.get("limits", {})
    return (
        entities.full_name(found),
        annotations.get("exec", ""),
        limits.get("memory"),
        limits.get("timeout"),
        found.get("version"),
        show.moment(found.get("updated")),
    )


entities.add_list(action, "actions", ("action", "kind", "MB", "ms", "version", "updated (UTC)"), _action_row)
entities.add_delete(action, "actions")
