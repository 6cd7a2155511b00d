"""The program `rambla-policy-agent`: what may one type after it?

`--config FILE` runs it until SIGTERM; `status` shows what it is doing, with exit code 1 if anything is not as it should
be; `trust KEY` adds a key to those whose policy is believed on this host, for the agent and for the daemons.
"""

import argparse
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rambla_openstack.agent import files, status
from rambla_openstack.agent.agent import Agent
from rambla_openstack.agent.settings import Settings, read
from rambla_openstack.policy import pinned

CONFIG = Path("/etc/rambla/agent.ini")
LOCK = "agent.lock"


def main() -> None:
    parser = argparse.ArgumentParser(prog="rambla-policy-agent", description=__doc__)
    parser.add_argument("--config", type=Path, default=CONFIG, help=f"agent.ini (default {CONFIG})")
    commands = parser.add_subparsers(dest="command", metavar="status | trust KEY")
    commands.add_parser("status", help="show what the agent is doing")
    trust = commands.add_parser("trust", help="believe what is signed by KEY, too")
    trust.add_argument("key", help="a public key in hexadecimal: rambla policy key show")
    options = parser.parse_args()
    try:
        settings = read(options.config.read_text())
        run(settings) if options.command is None else _command(settings, options)
    except (OSError, ValueError) as error:
        raise SystemExit(f"rambla-policy-agent: {options.config}: {error}") from None


def run(settings: Settings) -> None:
    """Until SIGTERM or SIGINT, at any point: every file is the old one or the new one."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    with _alone(pinned.read(settings.policy_conf.read_text()).folder):
        agent = Agent(settings)
        print("ready", flush=True)
        while True:
            time.sleep(agent.step())


def _command(settings: Settings, options: argparse.Namespace) -> None:
    text = settings.policy_conf.read_text()
    if options.command == "trust":
        files.put(settings.policy_conf, pinned.with_key(text, options.key).encode())
        return
    lines, is_well = status.lines(pinned.read(text))
    print("\n".join(lines))
    raise SystemExit(0 if is_well else 1)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Raises ValueError if another agent works in this folder."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ValueError(f"another agent works in {folder}") from None
    try:
        yield
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    main()
