"""What may one type after `rambla`?

The groups of commands, and the one place that turns an error into a line on stderr and an exit code. What comes after:
the module of each subject.
"""

import os
import sys
from collections.abc import Sequence

import click

from rambla import __version__
from rambla.cli import (
    actions,
    activations,
    agent,
    api,
    errors,
    identity,
    local_users,
    login,
    packages,
    platform,
    policy,
    policy_files,
    policy_fleet,
    tokens,
    triggers,
)
from rambla.cli.demo.command import demo


@click.group("rambla", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, message="rambla %(version)s")
def rambla() -> None:
    """Functions beside your data: run code when objects arrive or a request comes in."""


for _command in (
    demo,
    platform.serve,
    platform.status,
    platform.key,
    platform.namespace,
    platform.audit,
    platform.usage,
    platform.runtime,
    platform.rebuild,
    actions.action,
    packages.package,
    triggers.trigger,
    triggers.rule,
    api.api,
    policy.policy,
    agent.agent,
    activations.activation,
    login.login,
    login.logout,
    login.whoami,
    tokens.token,
    identity.identity,
):
    rambla.add_command(_command)
for _command in (*policy_files.COMMANDS, *policy_fleet.COMMANDS):
    policy.policy.add_command(_command)
identity.identity.add_command(local_users.user)


def run(arguments: Sequence[str]) -> int:
    """One command line; the exit code. Never raises."""
    try:
        code = rambla.main(args=list(arguments), prog_name="rambla", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except SystemExit as stopped:
        return stopped.code if isinstance(stopped.code, int) else int(stopped.code is not None)
    except BaseException as error:
        if os.environ.get("RAMBLA_TRACEBACK"):
            errors.print_traceback(error)
        failure = errors.translate(error)
        failure.show()
        return failure.exit_code
    return code if isinstance(code, int) else 0


def main() -> None:
    """The entry point of the program `rambla`."""
    sys.exit(run(sys.argv[1:]))
