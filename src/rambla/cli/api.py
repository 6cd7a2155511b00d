"""APIs: how are web actions published under paths of their own?

The words are those of `wsk api`. The platform keeps each API as a document in Swagger, which `export` writes and
`import` reads; of one in YAML the server sees JSON.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rambla.cli import entities, show
from rambla.cli.errors import CliError
from rambla.cli.options import FILE, connected, page_options
from rambla.cli.paths import entity_path
from rambla.domain.names import parse_full_name

if TYPE_CHECKING:
    from rambla.cli.client import Client

VERBS = ("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS")
RESPONSE_TYPES = ("json", "http", "html", "svg", "text")
_MANAGEMENT = "/api/v1/web/whisk.system/apimgmt"
_PARAMETER = re.compile(r"\{([^{}/]+)\}")
_YAML = (".yaml", ".yml")


@click.group("api")
def api() -> None:
    """Web actions under public paths, with methods, keys and rates."""


@api.command("create")
@click.argument("route", nargs=-1, required=True, metavar="[BASE_PATH] API_PATH VERB ACTION")
@click.option("--apiname", "-n", metavar="NAME", help="What a new API is called; its base path if left out.")
@click.option(
    "--response-type",
    type=click.Choice(RESPONSE_TYPES),
    default="json",
    show_default=True,
    help="What of the action's result is the answer; http lets the action say status and headers.",
)
@connected
async def create(
    client: "Client", route: tuple[str, ...], apiname: str | None, response_type: str, as_json: bool
) -> None:
    """Lead VERB at API_PATH below BASE_PATH, or "/", to the web action ACTION. Without a leading slash, BASE_PATH is
    the name of an API that exists."""
    base_path, path, verb, action = checked_route(route, response_type)
    found = await client.call("GET", entity_path("actions", action), query={"code": False})
    annotations = entities.mapping(found.get("annotations"))
    if annotations.get("web-export") is not True:
        raise CliError(f"{action} is no web action. Fix: rambla action update {action} -a web-export true")
    body = body_of((base_path, path, verb), action, apiname, client.url)
    if annotations.get("require-whisk-auth"):
        body["action"]["secureKey"] = annotations["require-whisk-auth"]
    await publish(client, body, as_json, only=(path, verb), response_type=response_type)


@api.command("import")
@click.argument("file", type=FILE)
@connected
async def import_(client: "Client", file: Path, as_json: bool) -> None:
    """Publish the API that FILE describes, in Swagger 2.0 or OpenAPI 3, as JSON or YAML, in place of the one with its
    base path."""
    await publish(client, {"namespace": "_", "swagger": text_of(file)}, as_json)


@api.command("export")
@click.argument("name", metavar="BASE_PATH|NAME")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@connected
async def export(client: "Client", name: str, file: Path | None, as_json: bool) -> None:
    """Write the document of an API into FILE, or print it. API keys are in it as digests, which `import` takes."""
    document = (await one(client, name))["apidoc"]
    if file is None:
        show.print_json(document)
    else:
        _write(file, document)
        click.echo(f"exported {show.clean(name)} to {file}")


@api.command("get")
@click.argument("name", metavar="BASE_PATH|NAME")
@click.option("--full", "-f", is_flag=True, help="With the address it is reached by.")
@connected
async def get(client: "Client", name: str, full: bool, as_json: bool) -> None:
    """Show the document of an API, or with --full all about it."""
    found = await one(client, name)
    show.print_json(found if full else found["apidoc"])


@api.command("list")
@click.argument("route", nargs=-1, metavar="[BASE_PATH|NAME [API_PATH [VERB]]]")
@page_options
@connected
async def list_(client: "Client", route: tuple[str, ...], limit: int, skip: int, as_json: bool) -> None:
    """List what is published: all APIs, or of one a path, or an operation."""
    name, path, verb = checked_place(route)
    query = {"basepath": name or None, "limit": limit, "skip": skip}
    found = (await client.call("GET", f"{_MANAGEMENT}/getApi.http", query=query))["apis"]
    if as_json:
        show.print_json(found)
        return
    rows = [row for one in found for row in rows_of(one["value"]) if path in ("", row[2]) and verb in ("", row[1])]
    show.print_table(("action", "verb", "path", "API", "URL"), rows, empty="no APIs")


@api.command("delete")
@click.argument("route", nargs=-1, required=True, metavar="BASE_PATH|NAME [API_PATH [VERB]]")
@connected
async def delete(client: "Client", route: tuple[str, ...], as_json: bool) -> None:
    """Withdraw an API at once; or only a path, or one operation, of it."""
    name, path, verb = checked_place(route)
    query = {"basepath": name, "relpath": path or None, "operation": verb or None}
    gone = await client.call("DELETE", f"{_MANAGEMENT}/deleteApi.http", query=query)
    if as_json:
        show.print_json(gone)
    else:
        parts = [show.clean(part) for part in (path, verb) if part]
        click.echo(f"deleted {' '.join([*parts, 'from'] if parts else ['API'])} {show.clean(name)}")


async def one(client: "Client", name: str) -> dict[str, Any]:
    """All about the API of that base path or name. CliError if there is none."""
    found = (await client.call("GET", f"{_MANAGEMENT}/getApi.http", query={"basepath": name}))["apis"]
    if not found:
        raise CliError(f"there is no API {name}. See: rambla api list")
    value: dict[str, Any] = found[0]["value"]
    return value


async def publish(
    client: "Client",
    apidoc: dict[str, Any],
    as_json: bool,
    *,
    only: tuple[str, str] | None = None,
    response_type: str | None = None,
) -> None:
    """Send it, and tell the URL of each operation, or of `only` that one."""
    query = {"responsetype": response_type}
    made = await client.call("POST", f"{_MANAGEMENT}/createApi.http", query=query, body={"apidoc": apidoc})
    if as_json:
        show.print_json(made)
        return
    for action, verb, path, _, url in rows_of(made):
        if only in (None, (path, verb)):
            leads = f" for action {show.clean(action)}" if action else ""
            click.echo(f"created API {show.clean(path)} {verb}{leads}\n{show.clean(url)}")


def checked_route(route: tuple[str, ...], response_type: str) -> tuple[str, str, str, str]:
    """Base path, path, verb and action. CliError for what could not be published."""
    if len(route) not in (3, 4):
        raise CliError("write [BASE_PATH] API_PATH VERB ACTION. See: rambla api create --help")
    base_path, path, verb, action = route if len(route) == 4 else ("/", *route)
    if _PARAMETER.search(base_path):
        only = "Only the relative path supports path parameters."
        raise CliError(f"The base path '{base_path}' cannot have parameters. {only}")
    if _PARAMETER.search(path) and response_type != "http":
        raise CliError("A response type of 'http' is required when using path parameters. Fix: --response-type http")
    return base_path, _checked_path(path), _checked_verb(verb), action


def checked_place(route: tuple[str, ...]) -> tuple[str, str, str]:
    """Name or base path, path and verb, "" where there is none. CliError for what cannot be."""
    if len(route) > 3:
        raise CliError("write BASE_PATH or NAME, then API_PATH, then VERB")
    name, path, verb = (*route, "", "", "")[:3]
    return name, _checked_path(path) if path else "", _checked_verb(verb) if verb else ""


def body_of(place: tuple[str, str, str], action: str, name: str | None, url: str) -> dict[str, Any]:
    """What `wsk` sends for one operation; the key that comes with every request is not sent again."""
    base_path, path, verb = place
    full = parse_full_name(action, "_")
    inner = f"{full.package}/{full.name}" if full.package else full.name
    backend = f"{url}/api/v1/web/{full.namespace}/{full.package or 'default'}/{full.name}.http"
    body: dict[str, Any] = {
        "namespace": "_",
        "gatewayBasePath": base_path,
        "gatewayPath": path,
        "gatewayMethod": verb,
        "action": {
            "name": inner,
            "namespace": full.namespace,
            "backendMethod": verb,
            "backendUrl": backend,
            "authkey": "unused",
        },
    }
    parameters = [_parameter(each) for each in dict.fromkeys(_PARAMETER.findall(path))]
    return body | ({"apiName": name} if name else {}) | ({"pathParameters": parameters} if parameters else {})


def text_of(file: Path) -> str:
    """The document in `file` as JSON. CliError if it is none."""
    if file.suffix.lower() not in _YAML:
        return file.read_text(encoding="utf-8", errors="replace")
    import yaml  # late: of all commands only this one may need it

    try:
        return json.dumps(yaml.safe_load(file.read_bytes()), default=str)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise CliError(f"{file} is not YAML that means JSON: {error}") from error


def rows_of(value: dict[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    """Action, verb, path, name and URL of each operation of an API, as getApi shows it."""
    document, base = value["apidoc"], str(value["gwApiUrl"]).rstrip("/")
    name = (document.get("info") or {}).get("title", "")
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            if verb.upper() in VERBS:
                led = operation.get("x-openwhisk") or {}
                parts = [str(led[key]) for key in ("namespace", "package", "action") if led.get(key)]
                yield "/" + "/".join(parts) if parts else "", verb.upper(), path, str(name), f"{base}{path}"


def _write(file: Path, document: dict[str, Any]) -> None:
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _parameter(name: str) -> dict[str, Any]:
    about = f"Default description for '{name}'"
    return {"name": name, "in": "path", "required": True, "type": "string", "description": about}


def _checked_path(path: str) -> str:
    if not path.startswith("/"):
        raise CliError(f"'{path}' must begin with '/'.")
    return path


def _checked_verb(verb: str) -> str:
    if verb.upper() not in VERBS:
        raise CliError(f"'{verb}' is not a valid API verb.  Valid values are: {', '.join(VERBS)}")
    return verb.upper()
