"""The agent as a program of its own beside real daemons."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from policy_host import ROOT


def agent_ini(path: Path, agent: Mapping[str, object], daemons: Mapping[str, Mapping[str, object]]) -> Path:
    sections = {"agent": agent, **{f"daemon {name}": values for name, values in daemons.items()}}
    lines = []
    for section, values in sections.items():
        lines += [f"[{section}]", *(f"{name} = {value}" for name, value in values.items()), ""]
    path.write_text("\n".join(lines))
    return path


@contextmanager
def running_agent(config: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "rambla_openstack.agent.main", "--config", str(config)]
    log = config.with_suffix(".log").open("ab")
    with log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", config.with_suffix(".log").read_text()
        try:
            yield process
        finally:
            process.kill()
