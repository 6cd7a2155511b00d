"""The policy in force: how is it published, told, taken back?

These commands ask the platform. What can be said of files alone is in `policy_files`.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rambla.cli import show
from rambla.cli.errors import ApiError, CliError
from rambla.cli.options import operated
from rambla.cli.paths import platform_path
from rambla.cli.platform import print_rows

if TYPE_CHECKING:
    from rambla.cli.client import Client

_ENDINGS = (".yaml", ".yml")
_REFUSED = (400, 409)
_ABSENT = 404
TESTS = "tests"
SOURCES = click.Path(exists=True, path_type=Path)


@click.group("policy")
def policy() -> None:
    """Who may do what: layers of rules that are tried, signed and published as one bundle."""


@policy.command("publish")
@click.argument("sources", nargs=-1, required=True, type=SOURCES, metavar="DIR|FILES...")
@click.option("--note", default="", help="Why, for the history.")
@click.option("--dry-run", is_flag=True, help="Try everything and change nothing.")
@click.option("--force", is_flag=True, help="Even if you could not change the policy any more afterwards.")
@operated
async def publish(
    client: "Client", sources: tuple[Path, ...], note: str, dry_run: bool, force: bool, as_json: bool
) -> None:
    """Put the layers in DIR or FILES in force, in place of all that were published before."""
    body = {"files": texts_of(sources), "note": note, "dryRun": dry_run, "force": force}
    async with lines_of_refusals():
        answer = await client.call("POST", platform_path("policy", "bundles"), body=body)
    said = "would be accepted as" if dry_run else "is in force, as"
    show.print_json(answer) if as_json else click.echo(f"the policy {said} bundle {answer['number']}")


@policy.command("history")
@click.option("--limit", type=click.IntRange(1, 200), default=30, show_default=True, help="How many.")
@click.option("--skip", type=click.IntRange(0), default=0, help="How many of the newest to leave out.")
@operated
async def history(client: "Client", limit: int, skip: int, as_json: bool) -> None:
    """List what was published, the newest first."""
    found = await client.call("GET", platform_path("policy", "bundles"), query={"limit": limit, "skip": skip})
    if as_json:
        show.print_json(found)
        return
    rows = [(one["number"], show.moment(one["at"]), one["author"], one["note"], one["hash"][:12]) for one in found]
    show.print_table(("number", "at", "author", "note", "hash"), rows, empty="nothing was published")


@policy.command("show")
@click.argument("number", type=click.IntRange(1))
@operated
async def show_(client: "Client", number: int, as_json: bool) -> None:
    """Print bundle NUMBER and its files."""
    found = await bundle(client, number)
    if as_json:
        show.print_json(found)
        return
    show.print_fields({key: value for key, value in found.items() if key not in ("files", "at")})
    for name, text in found["files"].items():
        click.echo(f"\n# {show.clean(name)}\n{show.clean(text)}", nl=False)


@policy.command("rollback")
@click.argument("number", type=click.IntRange(0))
@click.option("--force", is_flag=True, help="Even if you could not change the policy any more afterwards.")
@operated
async def rollback(client: "Client", number: int, force: bool, as_json: bool) -> None:
    """Put the files of bundle NUMBER in force again, as a new bundle; 0 means the platform's own rules alone."""
    path = platform_path("policy", "bundles", str(number), "rollback")
    async with lines_of_refusals():
        answer = await client.call("POST", path, query={"force": force})
    show.print_json(answer) if as_json else click.echo(f"bundle {number} is in force, as bundle {answer['number']}")


@policy.group("shadow")
def shadow() -> None:
    """Another policy that decides beside the one in force, so that you see what it would change."""


@shadow.command("start")
@click.argument("source", metavar="DIR|FILE|NUMBER")
@operated
async def shadow_start(client: "Client", source: str, as_json: bool) -> None:
    """Let the policy of DIR, FILE or bundle NUMBER decide beside the one in force, on this node, until it stops."""
    from rambla.cli.client import IN_PROCESS  # late: `rambla --help` needs no HTTP

    if client.url == IN_PROCESS:
        raise CliError("no server runs here for it to decide in. Fix: rambla serve")
    body = {"files": await named_files(client, source), "name": source[-200:]}
    async with lines_of_refusals():
        answer = await client.call("PUT", platform_path("policy", "shadow"), body=body)
    show.print_json(answer) if as_json else click.echo(
        f"{source} decides in the shadow. See: rambla policy shadow status"
    )


@shadow.command("status")
@operated
async def shadow_status(client: "Client", as_json: bool) -> None:
    """Tell what it would decide otherwise so far."""
    print_comparison(await _shadow(client, "GET"), as_json)


@shadow.command("stop")
@operated
async def shadow_stop(client: "Client", as_json: bool) -> None:
    """End it, and tell what it came to."""
    print_comparison(await _shadow(client, "DELETE"), as_json)


async def _shadow(client: "Client", method: str) -> Any:
    try:
        return await client.call(method, platform_path("policy", "shadow"))
    except ApiError as error:
        if error.status == _ABSENT:
            raise CliError("nothing decides in the shadow. Fix: rambla policy shadow start DIR") from error
        raise


def print_comparison(found: dict[str, Any], as_json: bool) -> None:
    """The calls that another policy decides otherwise, the most frequent first."""
    if as_json:
        show.print_json(found)
        return
    click.echo(f"{found['differing']} of {found['asked']} decisions would be others")
    rows = sorted(found["differences"], key=lambda one: -one["times"])
    columns = ("times", "would be", "subject", "source", "roles", "permission", "namespace", "by", "instead of")
    table = [
        (
            one["times"],
            "allowed" if one["allowed"] else "denied",
            *(one[name] for name in ("subject", "source")),
            " ".join(one["roles"]),
            *(one[name] for name in ("permission", "namespace", "now", "was")),
        )
        for one in rows
    ]
    if table:
        show.print_table(columns, table)
    if found["uncounted"]:
        click.echo(f"and {found['uncounted']} more")


@policy.group("key")
def key() -> None:
    """The keys that bundles are signed with, and those that are trusted."""


@key.command("show")
@operated
async def key_show(client: "Client", as_json: bool) -> None:
    """List the public keys that are trusted; the platform makes its own at its first start."""
    print_rows(await client.call("GET", platform_path("policy", "keys")), as_json, empty="no keys")


@key.command("rotate")
@operated
async def key_rotate(client: "Client", as_json: bool) -> None:
    """Sign with a new key from now on. What the old one signed stays good."""
    print_rows(await client.call("POST", platform_path("policy", "keys")), as_json, empty="no keys")


@key.command("trust")
@click.argument("public_key", metavar="KEY")
@operated
async def key_trust(client: "Client", public_key: str, as_json: bool) -> None:
    """Trust what another node signs with KEY, its public key in hexadecimal."""
    print_rows(await client.call("PUT", platform_path("policy", "keys", public_key)), as_json, empty="no keys")


class Problems(CliError):
    """What is wrong with a policy: a line on stderr for each problem."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))

    def show(self, file: Any = None) -> None:
        for line in self.message.splitlines():
            click.echo(f"rambla: {show.clean(line)}", err=True, file=file)


@asynccontextmanager
async def lines_of_refusals() -> AsyncIterator[None]:
    try:
        yield
    except ApiError as error:
        if error.status in _REFUSED:
            raise Problems(error.message.splitlines()) from error
        raise


async def bundle(client: "Client", number: int) -> dict[str, Any]:
    found: dict[str, Any] = await client.call("GET", platform_path("policy", "bundles", str(number)))
    return found


async def named_files(client: "Client", source: str) -> dict[str, str]:
    """The files of a folder, of a file, or of the bundle of that number; 0 has none."""
    if source.isdecimal():
        return (await bundle(client, int(source)))["files"] if int(source) else {}
    return texts_of([existing(source)])


def existing(source: str) -> Path:
    path = Path(source)
    if not path.exists():
        raise CliError(f"{source} is neither a folder, nor a file, nor the number of a bundle")
    return path


def texts_of(sources: Sequence[Path]) -> dict[str, str]:
    """The texts of files, and of the YAML files in folders, by name; `tests` folders beside them are no layers."""
    texts: dict[str, str] = {}
    for source in sources:
        for path, name in _files_in(source):
            if name in texts:
                raise CliError(f"two files are called {name}")
            try:
                texts[name] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                raise CliError(f"{path} is not UTF-8") from None
    return texts


def _files_in(source: Path) -> Iterator[tuple[Path, str]]:
    if not source.is_dir():
        yield source, source.name
        return
    layers = [(path, name) for path, name in yaml_in(source) if TESTS not in name.split("/")[:-1]]
    if not layers:
        raise CliError(f"{source} has no file that ends with .yaml or .yml")
    yield from layers


def yaml_in(folder: Path) -> list[tuple[Path, str]]:
    """The YAML files in a folder and below, with their names in it."""
    found = [path for path in sorted(folder.rglob("*")) if path.suffix in _ENDINGS and path.is_file()]
    return [(path, path.relative_to(folder).as_posix()) for path in found]
