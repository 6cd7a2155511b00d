"""OpenStack's daemons under the policy: what do they register, and which of them have it in force?"""

import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rambla.cli import show
from rambla.cli.errors import CliError
from rambla.cli.options import operated
from rambla.cli.paths import policy_path

if TYPE_CHECKING:
    from rambla.cli.client import Client

CURRENT = "current"
_COLUMNS = ("host", "daemon", "service", "mode", "bundle", "state", "seen", "detail")
_REGISTERED = "rambla_openstack.defaults"


@click.command("fleet")
@click.option("--forget", metavar="HOST", help="Forget HOST; whoever reports it next owns it.")
@click.option("--check", is_flag=True, help="Exit with 1 if a daemon has not got the policy in force.")
@operated
async def fleet(client: "Client", forget: str | None, check: bool, as_json: bool) -> None:
    """List the daemons of all hosts, and whether the policy in force has reached them."""
    if forget is not None:
        await client.call("DELETE", policy_path("fleet", forget))
        show.print_json({"forgotten": forget}) if as_json else click.echo(f"forgot {forget}")
        return
    found = await client.call("GET", policy_path("fleet"))
    show.print_json(found) if as_json else _print(found)
    late = sum(one["state"] != CURRENT for one in found["daemons"])
    if check and late:
        raise CliError(f"bundle {found['bundle']} is not in force for {late} of {len(found['daemons'])} daemons")


def _print(found: dict[str, Any]) -> None:
    rows = [
        (
            *(one[name] for name in ("host", "daemon", "service", "mode", "number", "state")),
            show.moment(one["seen_ms"]),
            one["detail"],
        )
        for one in found["daemons"]
    ]
    show.print_table(_COLUMNS, rows, empty="no host has reported a daemon")
    current = sum(one["state"] == CURRENT for one in found["daemons"])
    click.echo(f"bundle {found['bundle']} is in force for {current} of {len(rows)} daemons")


@click.command("openstack")
@click.argument("service")
@click.option(
    "--python",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The Python of the environment that SERVICE is installed in.",
)
def openstack(service: str, python: Path) -> None:
    """Print the rules that SERVICE registers in code, as a bundle has them in openstack/SERVICE/defaults.yaml."""
    spec = find_spec(_REGISTERED)
    assert spec is not None
    assert spec.origin is not None
    done = subprocess.run([python, spec.origin, service], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CliError((done.stderr.strip().splitlines() or [f"{python} failed"])[-1])
    click.echo(done.stdout, nl=False)


COMMANDS = (fleet, openstack)
