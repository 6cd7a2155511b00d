"""The agent on a host with OpenStack's daemons, under the platform's own name.

It is a program of its own, which needs nothing of the platform: `rambla-policy-agent`.
"""

import os
import sys

import click

PROGRAM = "rambla_openstack.agent.main"


@click.command("agent", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS] [status | trust KEY]")
def agent(arguments: tuple[str, ...]) -> None:
    """Bring the published policy to the daemons of this host, as rambla-policy-agent does, whose --help tells how."""
    os.execv(sys.executable, [sys.executable, "-m", PROGRAM, *arguments])  # noqa: S606 - it needs no shell
